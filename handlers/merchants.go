package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

const (
	pageRows     = 50
	countLimit   = 1000
	timelineRows = 60
	farFuture    = 1 << 53 // microseconds, the year 2255: the database does not know every time that can be written
)

func (h *handler) listMerchants(c echo.Context) error {
	ctx, p := c.Request().Context(), person(c)
	q := views.MerchantFilter{Q: strings.TrimSpace(c.QueryParam("q")), State: c.QueryParam("state"), BusinessType: c.QueryParam("business_type"),
		BusinessLine: c.QueryParam("business_line"), Mine: c.QueryParam("mine") != ""}
	if digits := strings.Map(onlyDigits, q.Q); len(digits) >= 15 {
		return fault.New(fault.Invalid, "sixteen_digits") // an official number has no place in an address
	}
	f := models.MerchantFilter{Name: onboarding.NormalName(q.Q), State: q.State, BusinessType: q.BusinessType, BusinessLine: q.BusinessLine}
	if q.Mine {
		f.Responsible = p.ID
	}
	after := readCursor(c.QueryParam("after"))
	rows, err := h.Reader.Merchants(ctx, f, after, pageRows+1)
	if err != nil {
		return err
	}
	v := views.MerchantsPage{Filter: q, CanAdd: can(c, auth.EditMerchants)}
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		last := rows[pageRows-1]
		v.NextURL = filterURL(q, writeCursor(models.MerchantCursor{UpdatedAt: last.UpdatedAt, ID: last.ID}))
	}
	if after != nil {
		v.FirstURL = filterURL(q, "")
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, merchantRow(ctx, row, h.Now()))
	}
	if v.Total, err = h.Reader.CountMerchants(ctx, f, countLimit+1); err != nil {
		return err
	}
	if v.Total > countLimit {
		v.Total, v.TotalMore = countLimit, true
	}
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.MerchantList(v))
	}
	if v.Lines, err = h.Reader.BusinessLines(ctx); err != nil {
		return err
	}
	if v.Page, err = h.page(c, words.T(ctx, "merchants.title"), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Merchants(v))
}

func onlyDigits(r rune) rune {
	if r < '0' || r > '9' {
		return -1
	}
	return r
}

// merchantsURL is the list with a filter, in the names the list reads.
func merchantsURL(f models.MerchantFilter, mine bool, after string) string {
	return filterURL(views.MerchantFilter{State: f.State, BusinessType: f.BusinessType, BusinessLine: f.BusinessLine, Mine: mine}, after)
}

func filterURL(f views.MerchantFilter, after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.Q, "state": f.State, "business_type": f.BusinessType, "business_line": f.BusinessLine, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Mine {
		q.Set("mine", "yes")
	}
	if len(q) == 0 {
		return views.MerchantsURL()
	}
	return views.MerchantsURL() + "?" + q.Encode()
}

func writeCursor(k models.MerchantCursor) string {
	return strconv.FormatInt(k.UpdatedAt.UnixMicro(), 36) + "-" + strconv.FormatInt(int64(k.ID), 36)
}

// readCursor is where a page goes on; what is none begins at the start.
func readCursor(s string) *models.MerchantCursor {
	a, b, ok := strings.Cut(s, "-")
	micros, err1 := strconv.ParseInt(a, 36, 64)
	id, err2 := strconv.ParseInt(b, 36, 64)
	if !ok || err1 != nil || err2 != nil || micros < 0 || micros > farFuture {
		return nil
	}
	return &models.MerchantCursor{UpdatedAt: time.UnixMicro(micros).UTC(), ID: models.MerchantID(id)}
}

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
	if fault.Is(err, fault.Invalid) {
		stored, serr := h.Service.Typed(ctx, id)
		if serr != nil {
			return serr
		}
		for name, value := range stored { // what was shown masked is still there
			if strings.HasSuffix(name, "_masked") {
				typed[name] = value
			}
		}
		return h.drawMerchantForm(c, http.StatusUnprocessableEntity, id, typed, fault.As(err), nil)
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
	colleagues, err := h.Reader.Colleagues(ctx)
	if err != nil {
		return err
	}
	v := views.MerchantFormPage{Page: frame, ID: int64(id), Name: typed["name"], Values: typed, Errors: map[string]views.Message{},
		LegalEntities: map[string][]string{}, BusinessLines: map[string][]string{}}
	for _, t := range onboarding.BusinessTypes() {
		v.LegalEntities[t], v.BusinessLines[t] = onboarding.LegalEntities(t), onboarding.BusinessLines(t)
	}
	for _, p := range colleagues {
		v.Colleagues = append(v.Colleagues, views.Option{Value: strconv.FormatInt(int64(p.ID), 10), Text: p.Name})
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
		v.Name, v.Locked = m.Name, m.RegisteredAt != nil
	}
	return render(c, status, views.MerchantForm(v))
}

func (h *handler) showMerchant(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	return h.drawMerchant(c, http.StatusOK, id, nil)
}

// drawMerchant draws a merchant's page; change, if any, says in one slot what was refused just now.
func (h *handler) drawMerchant(c echo.Context, status int, id models.MerchantID, change func(*views.SlotView)) error {
	ctx := c.Request().Context()
	d, err := h.Reader.Dossier(ctx, id)
	if err != nil {
		return err
	}
	checklist, p, err := h.checklist(c, d.Merchant)
	if err != nil {
		return err
	}
	if change != nil {
		for g := range checklist.Groups {
			for i := range checklist.Groups[g].Slots {
				change(&checklist.Groups[g].Slots[i])
			}
		}
	}
	shown, err := h.Service.Shown(d)
	if err != nil {
		return err
	}
	timeline, err := h.Reader.Timeline(ctx, id, timelineRows)
	if err != nil {
		return err
	}
	frame, err := h.page(c, d.Merchant.Name, "merchants")
	if err != nil {
		return err
	}
	m := d.Merchant
	row, err := h.rowOf(ctx, m)
	if err != nil {
		return err
	}
	row.Progress = p
	if err := h.Service.Viewed(ctx, actor(c), id); err != nil {
		return err
	}
	may := can(c, auth.EditMerchants)
	return render(c, status, views.Merchant(views.MerchantPage{Page: frame, Checklist: checklist, Timeline: events(timeline),
		Merchant: views.MerchantView{MerchantRow: row, Nationality: m.Nationality, Description: m.Description, Notes: m.Notes, Data: dataGroups(shown),
			CreatedAt: m.CreatedAt, BusinessID: m.BusinessID, BrandID: m.BrandID, Status: m.BusinessStatus, CanEdit: may && m.ArchivedAt == nil, CanArchive: may}}))
}

func (h *handler) rowOf(ctx context.Context, m models.Merchant) (views.MerchantRow, error) {
	responsible := ""
	if m.ResponsibleID != nil {
		people, err := h.Reader.Colleagues(ctx)
		if err != nil {
			return views.MerchantRow{}, err
		}
		for _, p := range people {
			if p.ID == *m.ResponsibleID {
				responsible = p.Name
			}
		}
	}
	return merchantRow(ctx, models.MerchantRow{ID: m.ID, Name: m.Name, BusinessType: m.BusinessType, LegalEntity: m.LegalEntity, BusinessLine: m.BusinessLine,
		Responsible: responsible, DueOn: m.DueOn, Progress: m.Progress, ProgressState: m.ProgressState, NextActor: m.NextActor,
		RegisteredAt: m.RegisteredAt, ArchivedAt: m.ArchivedAt, Sample: m.Sample, UpdatedAt: m.UpdatedAt}, h.Now()), nil
}

func (h *handler) archiveMerchant(c echo.Context) error {
	return h.changeMerchant(c, "merchant_archived", h.Service.ArchiveMerchant)
}

func (h *handler) restoreMerchant(c echo.Context) error {
	return h.changeMerchant(c, "merchant_restored", h.Service.RestoreMerchant)
}

func (h *handler) changeMerchant(c echo.Context, done string, change func(context.Context, models.Actor, models.MerchantID) error) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	if err := change(c.Request().Context(), actor(c), id); err != nil {
		return err
	}
	h.flash(c, "good", done)
	return see(c, views.MerchantURL(int64(id)))
}
