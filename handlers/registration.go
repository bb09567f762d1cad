package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// registrationView is how far a merchant is from being registered, or its registration, for a page's reader.
func (h *handler) registrationView(c echo.Context, m models.Merchant, lacks []onboarding.Lack) views.RegistrationView {
	v := views.RegistrationView{MerchantID: int64(m.ID), State: string(m.Registration), CanRegister: can(c, auth.RegisterMerchant) && m.ArchivedAt == nil,
		CanReveal: can(c, auth.RevealKeys) && len(m.SharedKey) > 0}
	if m.SubmissionID != nil {
		v.SubmissionID = int64(*m.SubmissionID)
	}
	v.Poll = slices.Contains([]models.Registration{models.Pending, models.Redelivering, models.Uncertain}, m.Registration)
	if m.Registration == models.NotSubmitted {
		v.Missing = lackViews(c, m, lacks)
		v.Ready = v.CanRegister && len(lacks) == 0
	}
	return v
}

// lackViews are what is missing, each with where to mend it, for those who may.
func lackViews(c echo.Context, m models.Merchant, lacks []onboarding.Lack) (list []views.LackView) {
	ctx := c.Request().Context()
	for _, l := range lacks {
		v := views.LackView{Message: views.Message{Code: l.Code, Params: map[string]any{}}, Field: l.Field}
		if l.Slot != 0 {
			v.Params["document"] = documentName(ctx, l.Category, l.DocCode)
		}
		if l.Field != "" {
			v.Params["field"] = l.Field
		}
		if l.Why != "" {
			v.Why = &views.Message{Code: l.Why, Params: l.Params}
		}
		switch {
		case l.Slot != 0:
			v.URL = slotAnchor(m.ID, l.Slot)
		case l.Field != "" && can(c, auth.EditMerchants):
			v.URL = views.EditMerchantURL(int64(m.ID)) + "#f-" + l.Field
		case (l.Code == "submitted" || l.Code == "unmended") && m.SubmissionID != nil:
			v.URL = views.SubmissionURL(int64(m.ID), int64(*m.SubmissionID))
		case l.Field == "":
			v.URL = views.MerchantURL(int64(m.ID))
		}
		list = append(list, v)
	}
	return list
}

// tell puts into slots what only other tables know: why a reviewer refused a document, and which version was submitted.
func (h *handler) tell(ctx context.Context, m models.Merchant, rows []models.ChecklistRow) (func(*views.SlotView), error) {
	refusals, err := h.tellRefusals(ctx, m.ID, rows)
	if err != nil || !m.Locked {
		return refusals, err
	}
	submitted, err := h.Reader.Attachments(ctx, m.ID)
	return func(v *views.SlotView) {
		refusals(v)
		v.Late = len(submitted) > 0
		for _, a := range submitted {
			if int64(a.SlotID) == v.ID {
				v.Registered = a.Version
			}
		}
	}, err
}

// showRegistration is the part of a merchant's page that follows its registration; once that is over the page is drawn anew.
func (h *handler) showRegistration(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	m, err := h.Reader.Merchant(c.Request().Context(), id)
	if err != nil {
		return err
	}
	v := h.registrationView(c, m, nil)
	if !v.Poll {
		c.Response().Header().Set("HX-Refresh", "true")
	}
	return render(c, http.StatusOK, views.Registration(v))
}

func (h *handler) showRegister(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	return h.drawRegister(c, http.StatusOK, id, nil)
}

// drawRegister draws what would be sent, and what is missing for that.
func (h *handler) drawRegister(c echo.Context, status int, id models.MerchantID, why *fault.Error) error {
	ctx := c.Request().Context()
	p, err := h.Service.Preflight(ctx, actor(c), id)
	if err != nil {
		return err
	}
	m := p.Merchant
	v := views.RegisterPage{MerchantID: int64(id), Merchant: m.Name, Missing: lackViews(c, m, p.Missing), Own: p.Own, Waits: p.Waits, Seen: p.Seen,
		Corporate: m.BusinessType == "CORPORATE", Rows: sentRows(ctx, p.Body, p.Documents), Submitted: m.Locked,
		InviteMissing: lackViews(c, m, p.Invite.Missing), InviteRows: sentRows(ctx, p.Invite.Body, nil)}
	for _, row := range p.Left {
		v.Left = append(v.Left, documentName(ctx, row.Category, row.Code))
	}
	if why != nil {
		v.Error = &views.Message{Code: why.Code, Params: why.Params}
	}
	if err := h.Service.Viewed(ctx, actor(c), id); err != nil {
		return err
	}
	if v.Page, err = h.page(c, words.T(ctx, "register.title", "merchant", m.Name), "merchants"); err != nil {
		return err
	}
	return render(c, status, views.Register(v))
}

// sentRows are a body's values; those that name a file say of which document.
func sentRows(ctx context.Context, body []onboarding.SentField, documents []models.AttachedDocument) (rows []views.SentRow) {
	for _, f := range body {
		v := views.SentRow{Path: f.Path, Field: f.Field, Value: f.Value, Documented: f.Documented}
		for _, d := range documents {
			if strings.HasPrefix(f.Path, d.Place+".") {
				v.Document = documentName(ctx, d.Category, d.Code)
			}
		}
		rows = append(rows, v)
	}
	return rows
}

func (h *handler) registerMerchant(c echo.Context) error {
	id, f, err := merchantPost(c)
	if err != nil {
		return err
	}
	_, err = h.Service.Register(c.Request().Context(), actor(c), id, f.Get("seen"))
	return h.submitted(c, id, "merchant_submitted", err)
}

func (h *handler) inviteMerchant(c echo.Context) error {
	id, _, err := merchantPost(c)
	if err != nil {
		return err
	}
	_, err = h.Service.Invite(c.Request().Context(), actor(c), id)
	return h.submitted(c, id, "merchant_invited", err)
}

// submitted leads to the merchant, or draws once more what would be sent and why it was not.
func (h *handler) submitted(c echo.Context, id models.MerchantID, done string, err error) error {
	switch {
	case fault.Is(err, fault.Invalid):
		return h.drawRegister(c, http.StatusUnprocessableEntity, id, fault.As(err))
	case fault.Is(err, fault.Conflict):
		return h.drawRegister(c, http.StatusConflict, id, fault.As(err))
	case err != nil:
		return err
	}
	h.flash(c, "good", done)
	return see(c, views.MerchantURL(int64(id)))
}

// merchantPost is which merchant a form is about, and the form.
func merchantPost(c echo.Context) (id models.MerchantID, f url.Values, err error) {
	if id, err = merchantID(c); err == nil {
		f, err = form(c)
	}
	return id, f, err
}

// showSharedKey shows the credential DOKU gave a merchant, once: that it was shown is in the trail.
func (h *handler) showSharedKey(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	m, err := h.Reader.Merchant(ctx, id)
	if err != nil {
		return err
	}
	v := views.SharedKeyPage{MerchantID: int64(id), Merchant: m.Name, BrandID: m.BrandID}
	if v.Key, err = h.Service.SharedKey(ctx, actor(c), id); err != nil {
		return err
	}
	if v.Page, err = h.page(c, words.T(ctx, "key.title", "merchant", m.Name), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.SharedKey(v))
}

func (h *handler) showSubmission(c echo.Context) error {
	merchant, err := merchantID(c)
	if err != nil {
		return err
	}
	submission, err := id[models.SubmissionID](c, "submission")
	if err != nil {
		return err
	}
	return h.drawSubmission(c, http.StatusOK, merchant, submission, nil)
}

// drawSubmission draws all that is known of a submission, and what a person can make of it.
func (h *handler) drawSubmission(c echo.Context, status int, merchant models.MerchantID, id models.SubmissionID, change func(*views.SubmissionPage)) error {
	ctx := c.Request().Context()
	m, err := h.Reader.Merchant(ctx, merchant)
	if err != nil {
		return err
	}
	t, err := h.Service.Submission(ctx, m, id)
	if err != nil {
		return err
	}
	may := can(c, auth.RegisterMerchant)
	v := views.SubmissionPage{SubmissionView: submissionView(t), Merchant: m.Name, Rows: sentRows(ctx, t.Body, t.Documents), Resolvable: may && t.Resolvable, Mendable: may && t.Mendable}
	for _, a := range t.Attempts {
		v.Attempts = append(v.Attempts, views.AttemptView{At: a.BeganAt, Ended: at(a.EndedAt), Status: a.Status, Problem: a.Problem})
	}
	if v.Mendable {
		if v.Slots, err = h.mendSlots(ctx, t.Documents); err != nil {
			return err
		}
	}
	if change != nil {
		change(&v)
	}
	if v.Page, err = h.page(c, words.T(ctx, "submission.title", "merchant", m.Name), "merchants"); err != nil {
		return err
	}
	return render(c, status, views.Submission(v))
}

// submissionView is what is known of a submission.
func submissionView(t onboarding.Told) views.SubmissionView {
	v := views.SubmissionView{MerchantID: int64(t.MerchantID), ID: int64(t.ID), Kind: string(t.Kind), State: string(t.Outcome), RequestID: t.RequestID, AskedBy: t.Submitter, AskedAt: t.CreatedAt,
		SentAt: at(t.SentAt), SettledBy: t.Settler, SettledAt: at(t.SettledAt), MendedAt: at(t.MendedAt), MaybeSince: at(t.MaybeSince), Next: at(t.NextAttemptAt),
		BusinessID: t.BusinessID, BrandID: t.BrandID, Status: t.BusinessStatus, Words: t.Words, Note: t.NoteText}
	if t.Replaces != nil {
		v.ReplacesURL = views.SubmissionURL(v.MerchantID, int64(*t.Replaces))
	}
	return v
}

// mendSlots are the documents of a submission, each with the reasons it may have been refused for.
func (h *handler) mendSlots(ctx context.Context, documents []models.AttachedDocument) (slots []views.MendSlot, err error) {
	settings, err := h.Reader.ReasonSettings(ctx)
	for _, d := range documents {
		v := views.MendSlot{ID: int64(d.SlotID), Name: documentName(ctx, d.Category, d.Code), URL: views.DocumentURL(int64(d.DocumentID))}
		for _, r := range onboarding.OfferedReasons(settings, d.Category, d.Code) {
			text := onboarding.OwnText(settings, r.Code, words.From(ctx))
			v.Reasons = append(v.Reasons, views.Option{Value: r.Code, Text: orElse(text, words.T(ctx, "reason."+r.Code))})
		}
		slots = append(slots, v)
	}
	return slots, err
}

func (h *handler) foundSubmission(c echo.Context) error {
	return h.settle(c, "found", func(v models.SubmissionID, f url.Values) error {
		return h.Service.Found(c.Request().Context(), actor(c), onboarding.FoundInput{Submission: v, Brand: f.Get("brand_id"), Note: f.Get("note"), Sure: f.Get("sure") == "yes"})
	})
}

func (h *handler) absentSubmission(c echo.Context) error {
	return h.settle(c, "absent", func(v models.SubmissionID, f url.Values) error {
		return h.Service.NotFound(c.Request().Context(), actor(c), v, f.Get("note"))
	})
}

func (h *handler) mendSubmission(c echo.Context) error {
	return h.settle(c, "mend", func(v models.SubmissionID, f url.Values) error {
		in := onboarding.MendInput{Submission: v, Reasons: map[models.SlotID][]string{}, Note: f.Get("note")}
		for name := range f {
			if slot, ok := strings.CutPrefix(name, "reason_"); ok {
				n, _ := strconv.ParseInt(slot, 10, 64)
				in.Reasons[models.SlotID(n)] = named(f, name)
			}
		}
		return h.Service.Mend(c.Request().Context(), actor(c), in)
	})
}

// settle has a person say what came of a submission. What was typed wrongly stays in the form.
func (h *handler) settle(c echo.Context, how string, do func(models.SubmissionID, url.Values) error) error {
	merchant, f, err := merchantPost(c)
	if err != nil {
		return err
	}
	submission, err := id[models.SubmissionID](c, "submission")
	if err != nil {
		return err
	}
	known, err := h.Reader.Submission(c.Request().Context(), submission)
	if err == nil && known.MerchantID != merchant {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return err
	}
	err = do(submission, f)
	if conflict := fault.Is(err, fault.Conflict); conflict || fault.Is(err, fault.Invalid) {
		why, status := fault.As(err), http.StatusUnprocessableEntity
		if conflict {
			status = http.StatusConflict
		}
		return h.drawSubmission(c, status, merchant, submission, func(v *views.SubmissionPage) {
			v.Open, v.Error = how, &views.Message{Code: why.Code, Params: why.Params}
			v.Typed = map[string]string{"brand_id": f.Get("brand_id"), "note": f.Get("note")}
			for i := range v.Slots {
				v.Slots[i].Chosen = f["reason_"+strconv.FormatInt(v.Slots[i].ID, 10)]
			}
		})
	}
	if err != nil {
		return err
	}
	h.flash(c, "good", "submission_"+how)
	return see(c, views.MerchantURL(int64(merchant)))
}
