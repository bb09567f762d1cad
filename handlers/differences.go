package handlers

import (
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

const (
	differencesShown = 200
	callbacksShown   = 5
	rulesShownFor    = 90 * 24 * time.Hour
)

// showDifferences shows where DOKU's view is another than ours, each with what mends it.
func (h *handler) showDifferences(c echo.Context) error {
	ctx := c.Request().Context()
	v := views.DifferencesPage{CanAsk: can(c, auth.RegisterMerchant), CanRetry: can(c, auth.UploadDocuments)}
	differing, err := h.Reader.Differing(ctx, differencesShown)
	if err != nil {
		return err
	}
	for _, d := range differing {
		v.Differing = append(v.Differing, views.DifferingView{MerchantID: int64(d.MerchantID), Merchant: d.Name, At: at(d.AnsweredAt), SubmissionID: int64(d.SubmissionID), BrandID: d.BrandID,
			Differences: h.differenceViews(c, d.Differences)})
	}
	unanswered, err := h.Reader.Unanswered(ctx, differencesShown)
	if err != nil {
		return err
	}
	for _, u := range unanswered {
		row := views.UnansweredView{MerchantID: int64(u.MerchantID), Merchant: u.Name, SubmissionID: int64(u.SubmissionID), DocumentID: int64(u.DocumentID), State: string(u.Outcome), At: u.At}
		if u.DocumentID != 0 {
			row.Document = documentName(ctx, u.Category, u.Code)
		}
		v.Unanswered = append(v.Unanswered, row)
	}
	changed, err := h.Reader.RulesChanged(ctx, h.Now().Add(-rulesShownFor), differencesShown)
	if err != nil {
		return err
	}
	for _, r := range changed {
		v.Changed = append(v.Changed, views.ChangedView{MerchantID: int64(r.MerchantID), Merchant: r.Name, At: r.At, Done: r.Progress.Done, Total: r.Progress.Total})
	}
	if v.Page, err = h.page(c, words.T(ctx, "differences.title"), "health"); err != nil {
		return err
	}
	return render(c, 200, views.Differences(v))
}

// differenceViews says which document is not shown by its name, and what mends that.
func (h *handler) differenceViews(c echo.Context, list []models.Difference) (vs []views.DifferenceView) {
	ctx := c.Request().Context()
	for _, d := range list {
		v := views.DifferenceView{Message: views.Message{Code: d.Code, Params: map[string]any{"status": d.Says}}}
		if d.Document != 0 {
			v.URL = views.DocumentURL(int64(d.Document))
			if doc, err := h.Reader.Document(ctx, d.Document); err == nil {
				v.Params["document"] = documentName(ctx, doc.Category, doc.Code)
				v.Gone = doc.PurgedAt != nil || doc.BlobRef == "" && len(doc.FileURL) == 0
				if can(c, auth.UploadDocuments) {
					v.MendURL = views.RetryURL(int64(doc.ID))
				}
			}
		}
		vs = append(vs, v)
	}
	return vs
}

// askAllStatuses has everything compared with DOKU anew.
func (h *handler) askAllStatuses(c echo.Context) error {
	n, err := h.Service.AskAllStatuses(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	h.flashCount(c, "good", "statuses_asked", n)
	return see(c, views.DifferencesURL())
}

// askStatus asks DOKU how a merchant's business stands.
func (h *handler) askStatus(c echo.Context) error {
	return h.changeMerchant(c, "status_asked", h.Service.AskStatus)
}

// holdMerchant puts a merchant on legal hold, or ends that.
func (h *handler) holdMerchant(c echo.Context) error {
	id, f, err := merchantPost(c)
	if err != nil {
		return err
	}
	on := f.Get("hold") != "off"
	done := "hold_on"
	if !on {
		done = "hold_off"
	}
	if _, err := h.Reader.Merchant(c.Request().Context(), id); err != nil {
		return err
	}
	if err := h.Service.Hold(c.Request().Context(), actor(c), id, on); err != nil {
		return err
	}
	h.flash(c, "good", done)
	return see(c, views.MerchantURL(int64(id)))
}

// statusView is how a merchant's business stands at DOKU, for a page's reader.
func (h *handler) statusView(c echo.Context, m models.Merchant) (v views.StatusView, err error) {
	ctx := c.Request().Context()
	v = views.StatusView{MerchantID: int64(m.ID), Held: m.LegalHold, CanHold: can(c, auth.HoldMerchants)}
	if m.BrandID == "" {
		return v, nil
	}
	p, err := h.Reader.Poll(ctx, m.ID)
	if err != nil {
		return v, err
	}
	callbacks, err := h.Reader.Callbacks(ctx, m.ID, callbacksShown)
	for _, b := range callbacks {
		v.Callbacks = append(v.Callbacks, views.CallbackView{At: b.ReceivedAt, Outcome: orElse(b.Outcome, "waits")})
	}
	v.Known, v.Business, v.Brand, v.Verdict = true, m.BusinessStatus, m.BrandStatus, string(onboarding.StatusVerdict(m.BusinessStatus, m.BrandStatus))
	v.AskedAt, v.NextAt, v.Problem, v.ActiveAt, v.CanAsk = at(p.AnsweredAt), p.NextAt, p.Problem, at(m.ActiveAt), can(c, auth.RegisterMerchant)
	v.Differences = h.differenceViews(c, p.Differences)
	return v, err
}
