package handlers

import (
	"context"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// documentForm is which document a form is about, and the form.
func documentForm(c echo.Context) (id models.DocumentID, f url.Values, err error) {
	if id, err = documentID(c); err == nil {
		f, err = form(c)
	}
	return id, f, err
}

func (h *handler) approveDocument(c echo.Context) error { return h.decide(c, models.Approve) }
func (h *handler) refuseDocument(c echo.Context) error  { return h.decide(c, models.Refuse) }

// decide records a decision. What changed meanwhile is shown beside what was seen; what was typed wrongly stays in the form.
func (h *handler) decide(c echo.Context, outcome models.Outcome) error {
	id, f, err := documentForm(c)
	if err != nil {
		return err
	}
	in := readDecision(f, id, outcome)
	_, err = h.Service.Decide(c.Request().Context(), actor(c), in)
	switch {
	case fault.Is(err, fault.Conflict):
		return h.drawConflict(c, id, fault.As(err), f)
	case fault.Is(err, fault.Invalid):
		return h.refuseDecision(c, id, fault.As(err), f)
	case err != nil:
		return err
	}
	return h.decided(c, id, f, "document_"+string(outcome), views.InReviewURL(int64(id), readReviewFilter(f)))
}

// decided leads on after something was done with a document: to the next one when asked to. A script, which knows what
// comes next, only hears that it was done.
func (h *handler) decided(c echo.Context, id models.DocumentID, f url.Values, done, otherwise string) error {
	if wantsFragment(c) {
		return c.NoContent(http.StatusNoContent)
	}
	h.flash(c, "good", done)
	if f.Get("next") != "" {
		return h.leadToNext(c, f, id)
	}
	return see(c, otherwise)
}

func readDecision(f url.Values, id models.DocumentID, outcome models.Outcome) onboarding.DecisionInput {
	version, _ := strconv.Atoi(f.Get("version"))
	replaces, _ := strconv.ParseInt(f.Get("replaces"), 10, 64)
	screen, _ := strconv.ParseInt(f.Get("screen"), 10, 64)
	return onboarding.DecisionInput{Document: id, Version: version, SHA256: f.Get("sha256"), Facts: f.Get("facts"), Outcome: outcome, Reasons: f["reason"],
		Note: f.Get("note"), Message: f.Get("message"), Replaces: models.DecisionID(replaces), Screen: time.Duration(max(0, min(screen, farFuture/1000))) * time.Millisecond, Expires: f.Get("expires")}
}

// refuseDecision draws the document again with what was typed and why it was refused. htmx gets the sentence alone.
func (h *handler) refuseDecision(c echo.Context, id models.DocumentID, why *fault.Error, f url.Values) error {
	if wantsFragment(c) {
		return why
	}
	return h.drawDocument(c, http.StatusUnprocessableEntity, id, func(v *views.DocumentPage) {
		r := &v.Review
		r.Open, r.Error = path.Base(c.Request().URL.Path), &views.Message{Code: why.Code, Params: why.Params}
		r.Note, r.Message, r.Question, r.Colleague, r.Filter = f.Get("note"), f.Get("message"), f.Get("question"), f.Get("colleague"), readReviewFilter(f)
		r.Expires = orElse(f.Get("expires"), r.Expires)
		for i := range r.Reasons {
			r.Reasons[i].Chosen = slices.Contains(f["reason"], r.Reasons[i].Code)
		}
	})
}

// drawConflict shows what was seen beside what is there now. Nothing was recorded.
func (h *handler) drawConflict(c echo.Context, id models.DocumentID, why *fault.Error, f url.Values) error {
	ctx := c.Request().Context()
	v := views.ReviewConflict{Why: views.Message{Code: why.Code, Params: why.Params}, Filter: readReviewFilter(f)}
	s, err := h.sight(ctx, actor(c), id)
	if err != nil {
		return err
	}
	seen := documentView(s.document, rights{})
	v.Seen, v.Name, v.Merchant = &seen, documentName(ctx, s.document.Category, s.document.Code), s.merchant.Merchant.Name
	if now := s.row.Newest(); now != nil {
		view := documentView(*now, rights{})
		v.Now = &view
	}
	v.Facts = compareFacts(h.Service.Seen(s.document, actor(c), f.Get("seen")), s.facts.List)
	decisions, err := h.Service.Decisions(ctx, s.document.SlotID)
	if err != nil {
		return err
	}
	for _, d := range decisions {
		if d.Standing == models.Counts && d.DocumentID == id {
			current := decisionView(d)
			v.Current = &current
		}
	}
	if v.Page, err = h.page(c, words.T(ctx, "review.conflict"), "review"); err != nil {
		return err
	}
	return render(c, http.StatusConflict, views.Conflict(v))
}

// compareFacts is what is typed now, and what was seen where it differs. Without what was seen nothing differs.
func compareFacts(seen, now []onboarding.Fact) (list []views.FactView) {
	for _, fact := range now {
		v := factView(fact, false)
		if i := slices.IndexFunc(seen, func(s onboarding.Fact) bool { return s.Key == fact.Key }); seen != nil && (i < 0 || seen[i].Value != fact.Value) {
			v.Changed = true
			if i >= 0 {
				v.Was = factView(seen[i], false).Value
			}
		}
		list = append(list, v)
	}
	for _, s := range seen { // what was taken away
		if !slices.ContainsFunc(now, func(fact onboarding.Fact) bool { return fact.Key == s.Key }) {
			list = append(list, views.FactView{Key: s.Key, Name: s.Name, Was: factView(s, false).Value, Changed: true})
		}
	}
	return list
}

func factView(f onboarding.Fact, clear bool) views.FactView {
	v := views.FactView{Key: f.Key, Name: f.Name, Value: f.Value}
	if f.Masked != "" && !clear {
		v.Value, v.Masked = f.Masked, true
	}
	return v
}

func decisionView(d onboarding.Said) views.DecisionView {
	return views.DecisionView{ID: int64(d.ID), Outcome: string(d.Outcome), Standing: string(d.Standing), Reasons: d.Reasons, Note: d.NoteText, Message: d.MessageText,
		Who: d.Decider, At: d.DecidedAt, Version: d.Version}
}

// sight is a document with its slot and the data typed beside it.
type sight struct {
	document models.Document
	merchant models.MerchantPage
	rows     []models.ChecklistRow
	row      models.ChecklistRow // the document's own
	facts    onboarding.Facts
}

func (h *handler) sight(ctx context.Context, a models.Actor, id models.DocumentID) (s sight, err error) {
	if s.document, err = h.Reader.Document(ctx, id); err != nil {
		return s, err
	}
	if s.merchant, err = h.merchantPage(ctx, s.document.MerchantID); err != nil {
		return s, err
	}
	if s.rows, err = h.Reader.ChecklistVersions(ctx, s.document.MerchantID); err != nil {
		return s, err
	}
	if i := slices.IndexFunc(s.rows, func(r models.ChecklistRow) bool { return r.ID == s.document.SlotID }); i >= 0 {
		s.row = s.rows[i]
	}
	s.facts, err = h.Service.Facts(s.merchant.Dossier, s.rows, s.document, a)
	return s, err
}

// reviewPanel is what a document's page says of its review.
func (h *handler) reviewPanel(c echo.Context, s sight, look onboarding.Look, clear bool) (views.ReviewPanel, error) {
	ctx, d := c.Request().Context(), s.document
	v := views.ReviewPanel{State: d.Review, FactsHash: s.facts.Hash, Seen: s.facts.Seen, Offered: can(c, auth.DecideDocuments), Look: int64(look.ID), Filter: readReviewFilter(c.QueryParams()),
		Leased: look.Leased, Due: at(d.ReviewDueOn), Overdue: overdue(d.ReviewDueOn, h.Now())}
	if d.QueuedAt != nil {
		v.Place = writeReviewCursor(models.ReviewCursor{DueOn: d.ReviewDueOn, QueuedAt: *d.QueuedAt, ID: d.ID})
	}
	for _, f := range s.facts.List {
		shown := factView(f, clear)
		v.Facts = append(v.Facts, shown)
		v.CanReveal = v.CanReveal || shown.Masked
	}
	v.CanReveal = v.CanReveal && can(c, auth.RevealFacts)
	if d.ExpiresOn != nil {
		v.Expires = d.ExpiresOn.Format(time.DateOnly)
	}
	all, err := h.Service.Decisions(ctx, d.SlotID)
	if err != nil {
		return v, err
	}
	var decisions []onboarding.Said // on this version
	for _, said := range all {
		view := decisionView(said)
		v.History = append(v.History, view)
		if said.DocumentID != d.ID {
			continue
		}
		decisions = append(decisions, said)
		if said.Standing == models.Counts {
			v.Current = &view
		}
		if said.Standing == models.First && said.SettledAt == nil {
			v.First = said.Decider
		}
	}
	questions, err := h.Reader.Questions(ctx, d.ID)
	if err != nil {
		return v, err
	}
	for _, q := range questions {
		text, err := h.Service.QuestionText(q)
		if err != nil {
			return v, err
		}
		v.Questions = append(v.Questions, views.QuestionView{Who: q.Asker, Of: q.Asked, Text: text, At: q.AskedAt})
	}
	if !v.Offered {
		return v, nil
	}
	return v, h.decisionForms(c, s, look, decisions, &v)
}

// decisionForms are what a reviewer can do with a document, or why not.
func (h *handler) decisionForms(c echo.Context, s sight, look onboarding.Look, decisions []onboarding.Said, v *views.ReviewPanel) error {
	ctx, d, me := c.Request().Context(), s.document, person(c).ID
	newest := s.row.Newest()
	switch {
	case d.WithdrawnAt != nil, newest == nil, newest.ID != d.ID:
		v.Why.Code = "review_superseded"
		if newest != nil {
			v.NewestURL = views.InReviewURL(int64(newest.ID), v.Filter)
		}
	case d.State == models.Refused:
		v.Why.Code = "review_refused_by_doku"
	case d.State != models.Delivered:
		v.Why.Code = "review_not_delivered"
	case s.merchant.Merchant.ArchivedAt != nil:
		v.Why.Code = "merchant_archived"
	case s.merchant.Merchant.Locked:
		v.Why.Code = "merchant_submitted"
	case d.UploadedBy != nil && *d.UploadedBy == me:
		v.Why.Code = "own_upload"
	case d.FirstApprovedBy != nil && *d.FirstApprovedBy == me:
		v.Why.Code = "own_approval"
	case !look.Leased && d.LeasedBy != nil && *d.LeasedBy != me && d.LeasedUntil.After(h.Now()):
		v.Why = views.Message{Code: "review_leased", Params: map[string]any{"name": d.Leaser}}
	default:
		v.CanDecide = true
	}
	if len(decisions) > 0 && decisions[0].DecidedBy == me && (decisions[0].Standing == models.Counts || decisions[0].Standing == models.First && decisions[0].SettledAt == nil) {
		v.UndoUntil = decisions[0].DecidedAt.Add(onboarding.UndoTime)
		v.CanUndo = h.Now().Before(v.UndoUntil)
	}
	if !v.CanDecide {
		return nil
	}
	v.AsksExpiry, v.Tomorrow = onboarding.Expires(d.Category, d.Code), inDays(h.Now(), 1)
	for _, n := range []int{1, 3, 7} {
		v.SnoozeDays = append(v.SnoozeDays, views.SnoozeDay{N: n, Value: inDays(h.Now(), n)})
	}
	settings, err := h.Reader.ReasonSettings(ctx)
	if err != nil {
		return err
	}
	for _, r := range onboarding.OfferedReasons(settings, d.Category, d.Code) {
		v.Reasons = append(v.Reasons, views.ReasonOption{Code: r.Code, Gravity: r.Gravity.String(), Text: onboarding.OwnText(settings, r.Code, words.From(ctx)), Shareable: r.Shareable})
	}
	if v.Hints, err = h.hints(ctx, s); err != nil {
		return err
	}
	colleagues, err := h.Reader.Reviewers(ctx, me)
	for _, p := range colleagues {
		v.Colleagues = append(v.Colleagues, views.Option{Value: p.ID.String(), Text: p.Name})
	}
	return err
}

func (h *handler) hints(ctx context.Context, s sight) (list []views.HintView, err error) {
	hints, err := h.Service.Hints(ctx, s.document, s.facts)
	for _, hint := range hints {
		v := views.HintView{Code: hint.Code, On: hint.On}
		if a := hint.Alike; a != nil {
			v.Document, v.Name, v.Merchant = int64(a.ID), documentName(ctx, a.Category, a.Code), a.Merchant
		}
		list = append(list, v)
	}
	return list, err
}

func inDays(now time.Time, n int) string {
	return now.In(words.WIB).AddDate(0, 0, n).Format(time.DateOnly)
}

func (h *handler) undoDecision(c echo.Context) error {
	id, f, err := documentForm(c)
	if err != nil {
		return err
	}
	if err := h.Service.Undo(c.Request().Context(), actor(c), id); err != nil {
		return err
	}
	f.Del("next")
	return h.decided(c, id, f, "decision_undone", views.InReviewURL(int64(id), readReviewFilter(f)))
}

func (h *handler) askColleague(c echo.Context) error {
	return h.setAside(c, "document_asked", func(ctx context.Context, id models.DocumentID, f url.Values) error {
		of, _ := strconv.ParseInt(f.Get("colleague"), 10, 64)
		return h.Service.Ask(ctx, actor(c), id, models.PersonID(of), f.Get("question"))
	})
}

func (h *handler) snoozeDocument(c echo.Context) error {
	return h.setAside(c, "document_snoozed", func(ctx context.Context, id models.DocumentID, f url.Values) error {
		until, err := time.ParseInLocation("2006-01-02T15:04", f.Get("until"), words.WIB)
		if err != nil {
			until, err = time.ParseInLocation(time.DateOnly, f.Get("until"), words.WIB)
		}
		if err != nil {
			return fault.New(fault.Invalid, "date_invalid")
		}
		return h.Service.Snooze(ctx, actor(c), id, until)
	})
}

// setAside does something with a document that leaves it undecided, and leads to the next one when asked to.
func (h *handler) setAside(c echo.Context, done string, do func(context.Context, models.DocumentID, url.Values) error) error {
	id, f, err := documentForm(c)
	if err != nil {
		return err
	}
	if err := do(c.Request().Context(), id, f); fault.Is(err, fault.Invalid) {
		return h.refuseDecision(c, id, fault.As(err), f)
	} else if err != nil {
		return err
	}
	return h.decided(c, id, f, done, views.ReviewPageURL(readReviewFilter(f), ""))
}

// showFacts draws the document with what was typed in clear.
func (h *handler) showFacts(c echo.Context) error {
	id, err := documentID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	s, err := h.sight(ctx, actor(c), id)
	if err != nil {
		return err
	}
	if err := h.Service.Revealed(ctx, actor(c), s.document, s.facts); err != nil {
		return err
	}
	v, err := h.documentPage(c, s, onboarding.Look{}, true)
	if err != nil {
		return err
	}
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.TypedFacts(v))
	}
	return render(c, http.StatusOK, views.Document(v))
}

// lookAtDocument is what a page on the screen says now and then, and when it is left: how long the document was in sight.
// 204 while the reader may decide on it, 205 when the lease is gone.
func (h *handler) lookAtDocument(c echo.Context) error {
	id, f, err := documentForm(c)
	if err != nil {
		return err
	}
	look, _ := strconv.ParseInt(f.Get("look"), 10, 64)
	ms, _ := strconv.ParseInt(f.Get("ms"), 10, 64)
	leaving := f.Get("leaving") != ""
	decides := can(c, auth.DecideDocuments) && f.Get("beside") == "" // what is only compared with is leased to nobody
	d, err := h.Reader.Document(c.Request().Context(), id)
	if err != nil {
		return err
	}
	if look == 0 && !leaving { // it was loaded ahead and is shown now
		l, err := h.Service.ViewedDocument(c.Request().Context(), actor(c), d, decides)
		if err != nil {
			return err
		}
		return c.String(http.StatusOK, strconv.FormatInt(int64(l.ID), 10))
	}
	leased, err := h.Service.StillLooking(c.Request().Context(), actor(c), id, models.LookID(look), time.Duration(max(0, min(ms, farFuture/1000)))*time.Millisecond, decides, leaving)
	if err != nil {
		return err
	}
	if decides && !leaving && !leased {
		return c.NoContent(http.StatusResetContent)
	}
	return c.NoContent(http.StatusNoContent)
}

func shaText(d models.Document) string { return hex.EncodeToString(d.SHA256) }
