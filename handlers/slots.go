package handlers

import (
	"context"
	"net/http"
	"slices"
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

// changesShown is how long a merchant's page says what DOKU changed in its checklist.
const changesShown = 14 * 24 * time.Hour

func mayChange(c echo.Context, m models.Merchant) rights {
	return rights{upload: can(c, auth.UploadDocuments), archived: m.ArchivedAt != nil}
}

// checklist is a merchant's slots in groups, and the sentence above them.
func (h *handler) checklist(c echo.Context, p models.MerchantPage, rows []models.ChecklistRow) (views.ChecklistView, views.ProgressView, error) {
	ctx, m, combination := c.Request().Context(), p.Merchant, p.Combination
	standing := onboarding.Completeness(m, combination.State, rows, h.Now())
	may := mayChange(c, m)
	tell, err := h.tell(ctx, m, rows)
	if err != nil {
		return views.ChecklistView{}, views.ProgressView{}, err
	}
	v := views.ChecklistView{MerchantID: int64(m.ID), State: "ready", ReadAt: at(combination.ReadAt), Groups: slotGroups(rows, may, tell),
		CanRead: may.upload && !may.archived, DOKUSays: combination.DOKUSays}
	if m.SetID == nil {
		v.State = string(combination.State)
		v.Poll = combination.State == models.ChecklistPending
		if combination.State == models.ChecklistReady { // read, and this merchant is about to follow
			v.State, v.Poll = string(models.ChecklistPending), true
		}
		if combination.Problem != "" && combination.State == models.ChecklistPending {
			v.Problem = &views.Message{Code: "doku_unavailable"}
		}
		return v, progress(ctx, standing), nil
	}
	v.Assumed = p.Assumed
	if may.upload && !may.archived {
		for _, kind := range onboarding.Addable(rows) {
			v.Addable = append(v.Addable, views.AddableView{Category: kind.Category, Code: kind.Code})
		}
	}
	for _, ch := range onboarding.Changes(p.Before, p.After) {
		v.Changes = append(v.Changes, views.ChangeView{Kind: ch.Kind, Name: documentName(ctx, ch.Category, ch.Code)})
	}
	return v, progress(ctx, standing), nil
}

// merchantPage is what the database says of a merchant for its page.
func (h *handler) merchantPage(ctx context.Context, id models.MerchantID) (models.MerchantPage, error) {
	return h.Reader.MerchantPage(ctx, id, h.Now().Add(-changesShown))
}

func (h *handler) showChecklist(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	page, err := h.merchantPage(c.Request().Context(), id)
	if err != nil {
		return err
	}
	rows, err := h.Reader.ChecklistVersions(c.Request().Context(), id)
	if err != nil {
		return err
	}
	v, p, err := h.checklist(c, page, rows)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.ChecklistFragment(v, p))
}

func (h *handler) readRequirements(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	before, err := h.Reader.Merchant(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if err := h.Service.ReadMerchantRequirements(c.Request().Context(), id); fault.Is(err, fault.Unavailable) {
		h.flash(c, "info", "requirements_pending")
		return see(c, views.MerchantURL(int64(id)))
	} else if err != nil {
		return err
	}
	after, err := h.Reader.Merchant(c.Request().Context(), id)
	if err != nil {
		return err
	}
	switch {
	case after.SetID == nil: // refused: the page says so
	case before.SetID == nil || *before.SetID != *after.SetID:
		h.flash(c, "info", "requirements_changed")
	default:
		h.flash(c, "good", "requirements_read")
	}
	return see(c, views.MerchantURL(int64(id)))
}

func (h *handler) showSlot(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	slot, err := slotID(c)
	if err != nil {
		return err
	}
	return h.drawSlot(c, http.StatusOK, id, slot, nil)
}

// drawSlot draws one row and the sentence that it may have changed.
func (h *handler) drawSlot(c echo.Context, status int, id models.MerchantID, slot models.SlotID, change func(*views.SlotView)) error {
	ctx := c.Request().Context()
	m, err := h.Reader.Merchant(ctx, id)
	if err != nil {
		return err
	}
	rows, err := h.Reader.ChecklistVersions(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == slot })
	if i < 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	tell, err := h.tell(ctx, m, rows)
	if err != nil {
		return err
	}
	v := slotView(rows[i], rows, mayChange(c, m))
	tell(&v)
	if change != nil {
		change(&v)
	}
	standing := onboarding.Completeness(m, models.ChecklistReady, rows, h.Now())
	return render(c, status, views.SlotFragment(v, progress(ctx, standing)))
}

// answerSlot answers what was done to a slot: its row for htmx, the merchant's page for a plain form.
func (h *handler) answerSlot(c echo.Context, id models.MerchantID, slot models.SlotID) error {
	if wantsFragment(c) {
		return h.drawSlot(c, http.StatusOK, id, slot, nil)
	}
	return see(c, slotAnchor(id, slot))
}

// refuseSlot says in the slot itself what was refused, with what was typed. What has no sentence for a slot is an error
// like any other.
func (h *handler) refuseSlot(c echo.Context, id models.MerchantID, slot models.SlotID, f *fault.Error, typed map[string]string) error {
	if len(f.Fields) == 0 && !words.Has("reason."+f.Code) {
		return f
	}
	change := func(v *views.SlotView) {
		if v.ID != int64(slot) {
			return
		}
		showTyped(v, f.Fields, typed)
		if len(f.Fields) == 0 {
			v.Reason = &views.ReasonView{Code: f.Code, Params: f.Params, Source: "portal", Just: true}
		}
	}
	if wantsFragment(c) {
		return h.drawSlot(c, http.StatusUnprocessableEntity, id, slot, change)
	}
	return h.drawMerchant(c, http.StatusUnprocessableEntity, id, change)
}

// showTyped puts form fields back as they were typed, those that were refused with their reason. The row no longer asks
// for itself then: its answer would take all that away.
func showTyped(v *views.SlotView, refused []fault.Field, typed map[string]string) {
	v.Poll = false
	for i := range v.Fields {
		v.Fields[i].Typed = typed[v.Fields[i].Code]
		for _, f := range refused {
			if f.Name == v.Fields[i].Code {
				v.Fields[i].Error = &views.Message{Code: f.Code, Params: f.Params}
			}
		}
	}
}

func (h *handler) addSlot(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	category, code := f.Get("category"), f.Get("code")
	if both := f.Get("document"); both != "" { // one select offers both: CATEGORY or DOCUMENT/CODE
		category, code, _ = strings.Cut(both, "/")
	}
	slot, err := h.Service.AddSlot(c.Request().Context(), actor(c), id, category, code)
	if err != nil {
		return err
	}
	h.flash(c, "good", "slot_added")
	return see(c, slotAnchor(id, slot))
}

func (h *handler) removeSlot(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	slot, err := slotID(c)
	if err != nil {
		return err
	}
	if err := h.Service.RemoveSlot(c.Request().Context(), actor(c), id, slot); err != nil {
		return err
	}
	h.flash(c, "good", "slot_removed")
	return see(c, views.MerchantURL(int64(id)))
}

func (h *handler) setFields(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	slot, err := slotID(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	typed := map[string]string{}
	for name := range f {
		if code, ok := strings.CutPrefix(name, "form_"); ok {
			typed[code] = f.Get(name)
		}
	}
	err = h.Service.SetFields(c.Request().Context(), actor(c), id, slot, typed)
	if fault.Is(err, fault.Invalid) {
		return h.refuseSlot(c, id, slot, fault.As(err), typed)
	}
	if err != nil {
		return err
	}
	if !wantsFragment(c) {
		h.flash(c, "good", "field_set")
	}
	return h.answerSlot(c, id, slot)
}
