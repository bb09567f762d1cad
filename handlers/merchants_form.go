package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

func (h *handler) newMerchant(c echo.Context) error {
	return h.drawMerchantForm(c, http.StatusOK, 0, onboarding.MerchantForm{"nationality": "ID", "phone_calling_code": "62", "owner_phone_calling_code": "62"}, nil, nil)
}

func (h *handler) editMerchant(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	typed, err := h.Service.Typed(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return h.drawMerchantForm(c, http.StatusOK, id, typed, nil, nil)
}

func (h *handler) createMerchant(c echo.Context) error {
	typed, values, err := merchantForm(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	id, err := h.Service.CreateMerchant(ctx, actor(c), typed, values.Get("confirm") == "yes")
	switch {
	case fault.Code(err) == "possible_duplicate":
		same, err := h.Service.LookAlikes(ctx, typed)
		if err != nil {
			return err
		}
		return h.drawMerchantForm(c, http.StatusConflict, 0, typed, nil, same)
	case fault.Is(err, fault.Invalid):
		return h.drawMerchantForm(c, http.StatusUnprocessableEntity, 0, typed, fault.As(err), nil)
	case err != nil:
		return err
	}
	return see(c, views.MerchantURL(int64(id)))
}

func (h *handler) updateMerchant(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	typed, _, err := merchantForm(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	err = h.Service.EditMerchant(ctx, actor(c), id, typed)
	if changed := fault.Code(err) == "merchant_changed"; changed || fault.Is(err, fault.Invalid) {
		refused, status := fault.As(err), http.StatusUnprocessableEntity
		if changed {
			status = http.StatusConflict
			typed["seen"], _ = refused.Params["seen"].(string)
		}
		stored, serr := h.Service.Typed(ctx, id)
		if serr != nil {
			return serr
		}
		for name, value := range stored { // what was shown masked is still there
			if strings.HasSuffix(name, "_masked") {
				typed[name] = value
			}
		}
		return h.drawMerchantForm(c, status, id, typed, refused, nil)
	}
	if err != nil {
		return err
	}
	h.flash(c, "good", "merchant_edited")
	return see(c, views.MerchantURL(int64(id)))
}

func merchantForm(c echo.Context) (onboarding.MerchantForm, url.Values, error) {
	values, err := form(c)
	if err != nil {
		return nil, nil, err
	}
	typed := onboarding.MerchantForm{}
	for name := range values {
		typed[name] = values.Get(name)
	}
	return typed, values, nil
}

func (h *handler) drawMerchantForm(c echo.Context, status int, id models.MerchantID, typed onboarding.MerchantForm, refused *fault.Error, same []models.LookAlike) error {
	ctx := c.Request().Context()
	title := words.T(ctx, "form.new")
	if id != 0 {
		title = words.T(ctx, "form.edit", "name", typed["name"])
	}
	frame, err := h.page(c, title, "merchants")
	if err != nil {
		return err
	}
	colleagues, err := h.colleagues(ctx)
	if err != nil {
		return err
	}
	v := views.MerchantFormPage{Page: frame, Colleagues: colleagues, ID: int64(id), Name: typed["name"], Values: typed, Errors: map[string]views.Message{},
		LegalEntities: map[string][]string{}, BusinessLines: map[string][]string{}}
	for _, t := range onboarding.BusinessTypes() {
		v.LegalEntities[t], v.BusinessLines[t] = onboarding.LegalEntities(t), onboarding.BusinessLines(t)
	}
	if refused != nil {
		for _, f := range refused.Fields {
			v.Errors[f.Name] = views.Message{Code: f.Code, Params: f.Params}
		}
		if len(refused.Fields) == 0 {
			v.Errors["responsible"] = views.Message{Code: refused.Code, Params: refused.Params}
		}
	}
	for _, m := range same {
		if n := len(v.Duplicates); n > 0 && v.Duplicates[n-1].ID == int64(m.ID) {
			v.Duplicates[n-1].Why = append(v.Duplicates[n-1].Why, m.Why)
			continue
		}
		v.Duplicates = append(v.Duplicates, views.DuplicateView{ID: int64(m.ID), Name: m.Name, Why: []string{m.Why}})
	}
	if id != 0 {
		m, err := h.Reader.Merchant(ctx, id)
		if err != nil {
			return err
		}
		v.Name, v.Locked = m.Name, m.Locked
		if v.Colleagues, err = h.withResponsible(ctx, v.Colleagues, m.ResponsibleID); err != nil {
			return err
		}
	}
	return render(c, status, views.MerchantForm(v))
}

// colleagues are the people a merchant can be given to.
func (h *handler) colleagues(ctx context.Context) (options []views.Option, err error) {
	people, err := h.Reader.Colleagues(ctx)
	for _, p := range people {
		options = append(options, views.Option{Value: p.ID.String(), Text: p.Name})
	}
	return options, err
}

// withResponsible offers whoever is responsible beside those who could be: they may be no colleague any more.
func (h *handler) withResponsible(ctx context.Context, options []views.Option, id *models.PersonID) ([]views.Option, error) {
	if id == nil || slices.ContainsFunc(options, func(o views.Option) bool { return o.Value == strconv.FormatInt(int64(*id), 10) }) {
		return options, nil
	}
	p, err := h.Reader.Person(ctx, *id)
	return append(options, views.Option{Value: strconv.FormatInt(int64(p.ID), 10), Text: p.Name}), err
}
