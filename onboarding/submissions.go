package onboarding

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	submissionLease = 45 * time.Second // longer than the client waits for an answer
	// replayWindow is how long what got no readable answer goes again under its Request-Id: DOKU is assumed to remember one for
	// 24 hours; the hour between is for clocks that differ and for what is on its way.
	replayWindow    = 23 * time.Hour
	redeliveryPoll  = 2 * time.Second
	maxRedeliveries = 3 // submissions in a row that lacked a file
)

// Preflight is what stands between a merchant and its registration, and what would be sent.
type Preflight struct {
	Merchant  models.Merchant
	Missing   []Lack
	Body      []SentField
	Documents []models.AttachedDocument // in the order of their places
	Left      []models.ChecklistRow     // whose documents have no known place in a registration: they are not sent
	Waits     time.Time                 // until then the last decision can be taken back, and nothing is sent; zero when that is over
	Seen      string                    // stands for the body; a registration may name it
	Own       bool                      // whoever asks approved the last document, and may not register
	Invite    Invitation
}

// Invitation is what keeps the owner of a merchant from being invited instead, and what would be sent.
type Invitation struct {
	Missing []Lack
	Body    []SentField
}

// plan is a submission before it is stored.
type plan struct {
	Preflight
	body        []byte
	attachments []models.Attachment
}

// planReader gives what a plan is made of, within a transaction or without.
type planReader interface {
	Dossier(models.MerchantID) (models.Dossier, error)
	ChecklistRows(models.MerchantID) ([]models.ChecklistRow, error)
	DecisionsOfMerchant(models.MerchantID) ([]models.Decision, error)
}

// reading is a planReader outside of a transaction, which reads each thing once.
type reading struct {
	dossier   models.Dossier
	rows      []models.ChecklistRow
	decisions []models.Decision
}

func read(ctx context.Context, r models.Reader, id models.MerchantID) (v reading, err error) {
	if v.dossier, err = r.Dossier(ctx, id); err != nil {
		return v, err
	}
	if v.rows, err = r.ChecklistRows(ctx, id); err != nil {
		return v, err
	}
	v.decisions, err = r.DecisionsOfMerchant(ctx, id)
	return v, err
}

func (r reading) Dossier(models.MerchantID) (models.Dossier, error) { return r.dossier, nil }
func (r reading) ChecklistRows(models.MerchantID) ([]models.ChecklistRow, error) {
	return r.rows, nil
}
func (r reading) DecisionsOfMerchant(models.MerchantID) ([]models.Decision, error) {
	return r.decisions, nil
}

// plan reads a merchant and makes the body. The callback is no part of what Seen stands for: each submission has its own.
func (s *Service) plan(r planReader, id models.MerchantID, kind models.SubmissionKind, callback string) (p plan, err error) {
	d, err := r.Dossier(id)
	if err != nil {
		return p, err
	}
	rows, err := r.ChecklistRows(id)
	if err != nil {
		return p, err
	}
	p.Merchant = d.Merchant
	if p.Missing, err = s.lacks(kind, d, rows); err != nil {
		return p, err
	}
	if kind == models.KindLite {
		return p, s.planLite(&p, d)
	}
	decisions, err := r.DecisionsOfMerchant(id)
	if err != nil {
		return p, err
	}
	for _, v := range decisions {
		if undo := v.DecidedAt.Add(UndoTime); undo.After(p.Waits) {
			p.Waits = undo
		}
	}
	if !p.Waits.After(s.Now()) {
		p.Waits = time.Time{}
	}
	body, attachments, err := s.registration(d, rows, callback)
	if err != nil {
		return p, err
	}
	p.attachments = attachments
	for _, row := range rows {
		doc := row.Newest()
		if doc == nil || !Asked(row) || doc.State != models.Delivered {
			continue
		}
		i := slices.IndexFunc(attachments, func(a models.Attachment) bool { return a.DocumentID == doc.ID })
		if i < 0 {
			p.Left = append(p.Left, row)
			continue
		}
		p.Documents = append(p.Documents, models.AttachedDocument{DocumentID: doc.ID, Category: doc.Category, Code: doc.Code, Version: doc.Version, SlotID: row.ID, Place: attachments[i].Place})
	}
	if p.body, err = json.Marshal(body); err != nil {
		return p, err
	}
	if p.Body, err = shown(p.body, d.Merchant.BusinessType == doku.Corporate); err != nil {
		return p, err
	}
	body.Business.CallbackURL = ""
	same, err := json.Marshal(body)
	p.Seen = hex.EncodeToString(s.Vault.Hash("registration", string(same))[:16])
	return p, err
}

func (s *Service) planLite(p *plan, d models.Dossier) error {
	body, err := s.invitation(d)
	if err != nil {
		return err
	}
	if p.body, err = json.Marshal(body); err != nil {
		return err
	}
	p.Body, err = shown(p.body, false)
	return err
}

// Preflight says what keeps a merchant from being registered by somebody, or its owner from being invited, and what exactly
// would be sent.
func (s *Service) Preflight(ctx context.Context, actor models.Actor, id models.MerchantID) (Preflight, error) {
	r, err := read(ctx, s.Store.Reader, id)
	if err != nil {
		return Preflight{}, err
	}
	p, err := s.plan(r, id, models.KindRegistration, s.callbackURL("-"))
	if err != nil {
		return p.Preflight, err
	}
	lite, err := s.plan(r, id, models.KindLite, "")
	if err != nil {
		return p.Preflight, err
	}
	p.Invite = Invitation{lite.Missing, lite.Preflight.Body}
	set, err := s.Store.RegistrationSettings(ctx)
	if err == nil && set.FourEyes {
		p.Own = lastApprover(r.decisions) == actor.Person
	}
	return p.Preflight, err
}

// lastApprover is who approved last of what is approved; 0 when nobody did.
func lastApprover(decisions []models.Decision) (who models.PersonID) {
	var last time.Time
	for _, v := range decisions {
		if v.Standing == models.Counts && v.Outcome == models.Approve && !v.DecidedAt.Before(last) {
			who, last = v.DecidedBy, v.DecidedAt
		}
	}
	return who
}

// callbackURL is where DOKU reports on the submission that has this token; "" when DOKU cannot reach us.
func (s *Service) callbackURL(token string) string {
	if s.Callbacks == "" {
		return ""
	}
	return s.Callbacks + callbackPath + token
}

// CallbackHash is by what a submission is found whose address ends in this token.
func (s *Service) CallbackHash(token string) []byte { return s.Vault.Hash("callback", token) }

// Register asks for a merchant to be registered at DOKU with all its approved documents, and closes the dossier. What is sent is
// stored, with its Request-Id, before anything leaves; the sending begins once the last decision cannot be taken back any more.
// seen is Preflight's, "" does not compare. fault.Invalid not_ready when something is missing, which Preflight says;
// fault.Conflict registration_changed when the body is another one than seen, registration_underway when a submission stands;
// fault.Forbidden own_approval_submitted for whoever approved the last document, unless the settings let them.
func (s *Service) Register(ctx context.Context, actor models.Actor, id models.MerchantID, seen string) (models.SubmissionID, error) {
	return s.ask(ctx, actor, id, models.Submission{Kind: models.KindRegistration}, seen)
}

// Invite asks for a business of which DOKU knows little more than a name, and has DOKU invite the owner by e-mail to complete it
// in its dashboard. fault.Invalid not_ready when a field is missing, fault.Conflict registration_underway when a submission
// stands.
func (s *Service) Invite(ctx context.Context, actor models.Actor, id models.MerchantID) (models.SubmissionID, error) {
	return s.ask(ctx, actor, id, models.Submission{Kind: models.KindLite}, "")
}

func (s *Service) ask(ctx context.Context, actor models.Actor, id models.MerchantID, v models.Submission, seen string) (models.SubmissionID, error) {
	v.SubmittedBy = &actor.Person
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, id)
		if err != nil {
			return err
		}
		if m.Locked {
			return fault.New(fault.Conflict, "registration_underway")
		}
		return s.submit(tx, id, &v, seen)
	})
	return v.ID, err
}

// submit stores a submission of a locked merchant and hands it to the queue.
func (s *Service) submit(tx *models.Tx, id models.MerchantID, v *models.Submission, seen string) error {
	token := rand.Text()
	p, err := s.plan(tx, id, v.Kind, s.callbackURL(token))
	switch {
	case err != nil:
		return err
	case len(p.Missing) > 0:
		return notReady(p.Missing)
	case seen != "" && seen != p.Seen:
		return fault.New(fault.Conflict, "registration_changed")
	}
	if v.Kind == models.KindRegistration {
		if err := s.fourEyes(tx, id, v); err != nil {
			return err
		}
		if s.Callbacks != "" {
			v.CallbackHash = s.CallbackHash(token)
		}
	}
	m := p.Merchant
	v.UID, v.MerchantID, v.RequestID = newUID(), id, doku.NewRequestID()
	v.BusinessType, v.LegalEntity, v.BusinessLine, v.Nationality = m.BusinessType, m.LegalEntity, m.BusinessLine, m.Nationality
	v.Body = s.Vault.Seal(p.body, submissionSeal("body", v.UID))
	next := tx.Now
	if p.Waits.After(next) {
		next = p.Waits
	}
	if err := tx.Submit(v, p.attachments, next); err != nil {
		return err
	}
	if err := s.Queue.SendSubmission(tx.Context(), tx, v.ID, next); err != nil {
		return err
	}
	return s.recount(tx, id)
}

// fourEyes refuses a registration by whoever approved the last of the documents, where the settings say so.
func (s *Service) fourEyes(tx *models.Tx, id models.MerchantID, v *models.Submission) error {
	set, err := tx.RegistrationSettings()
	if err != nil || !set.FourEyes {
		return err
	}
	v.FourEyes = true
	approver, err := tx.LastApprover(id)
	if err == nil && v.SubmittedBy != nil && approver == *v.SubmittedBy {
		err = fault.New(fault.Forbidden, "own_approval_submitted")
	}
	return err
}

// notReady names what is missing: fields of the form by their name, everything else by its document.
func notReady(missing []Lack) error {
	f := &fault.Error{Kind: fault.Invalid, Code: "not_ready", Params: fault.Pairs("n", len(missing))}
	for _, l := range missing {
		name := l.Field
		if l.Slot != 0 {
			name = DocumentCode(l.Category, l.DocCode)
		}
		f.Fields = append(f.Fields, fault.Field{Name: name, Code: l.Code})
	}
	return f
}

// takeBack withdraws a registration that waits for the undo time to pass, because a decision it relies on is undone.
func takeBack(tx *models.Tx, m models.Merchant) error {
	if !m.Locked {
		return nil
	}
	v, err := tx.Submission(*m.SubmissionID)
	if err != nil {
		return err
	}
	if v.Outcome != models.Pending || v.Attempts > 0 {
		return fault.New(fault.Conflict, "merchant_submitted")
	}
	return tx.Settle(v, models.Settlement{To: models.TakenBack})
}

// SendSubmission sends a submission to DOKU and commits what came of it. It may be called any number of times, by any number of
// processes: one at a time sends it, and each sends the same bytes under the same Request-Id, which DOKU carries out once. nil
// means that there is nothing left to do here, Later that it is to go again.
func (s *Service) SendSubmission(ctx context.Context, id models.SubmissionID) error {
	began := s.Now()
	v, claimed, err := s.Store.Keep().ClaimSubmission(ctx, id, s.holder+"/"+rand.Text(), submissionLease)
	switch {
	case err != nil:
		return err
	case !claimed:
		return s.notYet(ctx, id)
	case v.Outcome == models.Redelivering:
		return s.resubmit(ctx, v)
	}
	set, err := s.Store.RegistrationSettings(ctx)
	if err != nil {
		return err
	}
	if v.MaybeSince != nil && (!set.Replay || began.Sub(*v.MaybeSince) > replayWindow) {
		return s.endAttempt(ctx, v, 0, "not_sent", func(ctx context.Context) error {
			return s.settle(ctx, models.System, v, models.Settlement{To: models.Stuck, Said: v.Said, Problem: "no_answer"})
		})
	}
	business, err := s.send(ctx, v)
	return s.sent(ctx, v, set, began, business, err)
}

// notYet says when a submission has its turn that was not to be had now.
func (s *Service) notYet(ctx context.Context, id models.SubmissionID) error {
	v, err := s.Store.Submission(ctx, id)
	if err != nil {
		return err
	}
	if wait := time.Duration(0); v.Open() && v.NextAttemptAt != nil {
		if wait = v.NextAttemptAt.Sub(s.Now()); wait > 0 {
			return Later{After: wait}
		}
	}
	return nil
}

func (s *Service) send(ctx context.Context, v models.Submission) (*doku.Business, error) {
	body, err := s.Vault.Open(v.Body, submissionSeal("body", v.UID))
	if err != nil {
		return nil, err
	}
	if v.Kind == models.KindLite {
		return s.DOKU.CreateBusinessLite(ctx, v.RequestID, body)
	}
	return s.DOKU.RegisterBusiness(ctx, v.RequestID, body)
}

// endAttempt writes down how an attempt ended and does what follows, both although the caller may have gone.
func (s *Service) endAttempt(ctx context.Context, v models.Submission, status int, problem string, then func(context.Context) error) error {
	ctx, cancel := within(ctx, finishWithin)
	defer cancel()
	if err := s.Store.Keep().EndAttempt(ctx, v, status, problem); err != nil {
		return err
	}
	return then(ctx)
}

// sent decides what an attempt came to: a business, DOKU's no, an outage, or an answer that leaves open whether there is one.
func (s *Service) sent(ctx context.Context, v models.Submission, set models.RegistrationSettings, began time.Time, business *doku.Business, err error) error {
	e, answered := errors.AsType[*doku.Error](err)
	since := v.MaybeSince
	if since == nil {
		since = &began
	}
	later := func(problem string, unclear bool, since *time.Time, asked time.Duration) func(context.Context) error {
		return func(ctx context.Context) error { return s.sendLater(ctx, v, problem, unclear, since, asked) }
	}
	stuck := func(ctx context.Context) error {
		return s.settle(ctx, models.System, v, models.Settlement{To: models.Stuck, Said: s.sealWords(v, e), Problem: "no_answer"})
	}
	switch {
	case err == nil:
		return s.endAttempt(ctx, v, http.StatusOK, "", func(ctx context.Context) error { return s.registered(ctx, models.DOKU, v, *business, nil) })
	case !answered:
		return errors.Join(err, s.endAttempt(ctx, v, 0, "internal", later("internal", false, v.MaybeSince, 0)))
	case ctx.Err() != nil: // the portal stops; that the request left is known already
		return s.endAttempt(ctx, v, e.Status, "stopped", func(ctx context.Context) error {
			if err := s.Store.Keep().PostponeSubmission(ctx, v, v.Problem, false, since, s.Now()); err != nil {
				return err
			}
			return Later{After: time.Second}
		})
	case e.UnknownFile() && v.MaybeSince == nil:
		return s.endAttempt(ctx, v, e.Status, "unknown_file", func(ctx context.Context) error { return s.redeliver(ctx, v, e) })
	case e.Refused():
		return s.endAttempt(ctx, v, e.Status, "refused", func(ctx context.Context) error {
			return s.settle(ctx, models.DOKU, v, models.Settlement{To: models.Declined, Said: s.sealWords(v, e), Problem: e.Code})
		})
	case e.Uncertain():
		problem, strange := "unclear", e.Status != 0 && e.Status < 500 && e.Status != http.StatusRequestTimeout
		if !strange {
			problem = problemOf(err)
		}
		switch {
		case !set.Replay, strange && v.Unclear+1 >= maxUnclear:
			return s.endAttempt(ctx, v, e.Status, problem, stuck)
		case v.Outcome == models.Pending:
			return s.endAttempt(ctx, v, e.Status, problem, func(ctx context.Context) error { return s.uncertain(ctx, v, problem, e) })
		}
		return s.endAttempt(ctx, v, e.Status, problem, later(problem, strange, since, e.RetryAfter))
	case e.Temporary():
		return s.endAttempt(ctx, v, e.Status, problemOf(err), later(problemOf(err), false, v.MaybeSince, e.RetryAfter))
	case v.Unclear+1 >= maxUnclear:
		return s.endAttempt(ctx, v, e.Status, "unclear", stuck)
	}
	return s.endAttempt(ctx, v, e.Status, "unclear", later("unclear", true, v.MaybeSince, 0))
}

// sealWords seals what DOKU said, which may repeat personal data.
func (s *Service) sealWords(v models.Submission, e *doku.Error) []byte {
	if e == nil || e.Verbatim == "" {
		return v.Said
	}
	return s.Vault.SealString(e.Verbatim, submissionSeal("said", v.UID))
}

func (s *Service) sendLater(ctx context.Context, v models.Submission, problem string, unclear bool, maybe *time.Time, asked time.Duration) error {
	wait := backoff(v.Attempts, asked)
	if err := s.Store.Keep().PostponeSubmission(ctx, v, problem, unclear, maybe, s.Now().Add(wait)); err != nil {
		return err
	}
	return Later{After: wait}
}

// settle moves a submission on and has its merchant stand where that is. Somebody who was faster is no failure,
// but for a person.
func (s *Service) settle(ctx context.Context, actor models.Actor, v models.Submission, to models.Settlement) error {
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(v.MerchantID); err != nil {
			return err
		}
		if err := tx.Settle(v, to); err != nil {
			return err
		}
		return s.recount(tx, v.MerchantID)
	})
	if fault.Code(err) == "conflict" && actor.Kind != models.ActorUser {
		return nil
	}
	return err
}

func (s *Service) uncertain(ctx context.Context, v models.Submission, problem string, e *doku.Error) error {
	wait := backoff(v.Attempts, e.RetryAfter)
	next := s.Now().Add(wait)
	if err := s.settle(ctx, models.System, v, models.Settlement{To: models.Uncertain, Said: s.sealWords(v, e), Problem: problem, Next: &next}); err != nil {
		return err
	}
	return Later{After: wait}
}

// registered commits that DOKU has the business: its ids and its key, sealed; nothing else of the answer is kept. A brand that
// is another merchant's leaves it to a person.
func (s *Service) registered(ctx context.Context, actor models.Actor, v models.Submission, b doku.Business, note []byte) error {
	to := models.Settlement{To: models.Registered, BusinessID: b.ID, BusinessStatus: b.Status, Said: v.Said, Note: note}
	key := doku.Secret("")
	if len(b.Brands) > 0 {
		to.BrandID, key = b.Brands[0].ID, b.Brands[0].SharedKey
		to.BusinessStatus, to.BrandStatus = orElse(b.Status, b.Brands[0].Status), b.Brands[0].Status
	}
	if key != "" {
		m, err := s.Store.Merchant(ctx, v.MerchantID)
		if err != nil {
			return err
		}
		to.SharedKey = s.Vault.SealString(string(key), sharedKeySeal(m.UID))
	}
	err := s.settle(ctx, actor, v, to)
	if fault.Code(err) == "brand_taken" && actor.Kind != models.ActorUser {
		return s.settle(ctx, models.System, v, models.Settlement{To: models.Stuck, Said: v.Said, Problem: "brand_taken"})
	}
	return err
}

// redeliver brings the files that DOKU does not know (all of them, when it does not say which) there again from the originals.
// DOKU's no was definite, so that the submission that follows is another one. A file that is gone here leaves it to a person.
func (s *Service) redeliver(ctx context.Context, v models.Submission, e *doku.Error) error {
	next := s.Now().Add(redeliveryPoll)
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		m, err := tx.LockMerchant(v.MerchantID)
		if err != nil {
			return err
		}
		lost, err := s.lostDocuments(tx, v, e)
		if err != nil {
			return err
		}
		to := models.Settlement{To: models.Redelivering, Said: s.sealWords(v, e), Problem: "unknown_file", Next: &next}
		if len(lost) == 0 {
			to.To, to.Next = models.Declined, nil
		}
		for _, d := range lost {
			if err := tx.Redeliver(d); err != nil {
				return err
			}
			if err := s.Queue.SendDocument(ctx, tx, d.ID); err != nil {
				return err
			}
		}
		if err := tx.Settle(v, to); err != nil {
			return err
		}
		return s.recount(tx, m.ID)
	})
	if err != nil {
		return err
	}
	return Later{After: redeliveryPoll}
}

// lostDocuments are those of a submission that are to be brought to DOKU again; none when that cannot help.
func (s *Service) lostDocuments(tx *models.Tx, v models.Submission, e *doku.Error) (lost []models.Document, err error) {
	submitted, err := tx.SubmittedDocuments(v.ID)
	if err != nil {
		return nil, err
	}
	before, again := v, 0
	for ; before.Replaces != nil && again < maxRedeliveries; again++ {
		if before, err = tx.Submission(*before.Replaces); err != nil {
			return nil, err
		}
	}
	if again == maxRedeliveries {
		return nil, nil
	}
	var all []models.Document
	for _, a := range submitted {
		d, err := tx.Document(a.DocumentID)
		switch {
		case err != nil:
			return nil, err
		case d.State != models.Delivered || d.WithdrawnAt != nil || d.PurgedAt != nil || d.BlobRef == "" && len(d.FileURL) == 0:
			return nil, nil
		}
		all = append(all, d)
		if strings.Contains(e.Message, a.Place) || strings.Contains(e.Message, d.FileID) {
			lost = append(lost, d)
		}
	}
	if len(lost) == 0 {
		lost = all
	}
	return lost, nil
}

// resubmit follows a submission that lacked a file by another one, once all files are at DOKU again.
func (s *Service) resubmit(ctx context.Context, v models.Submission) error {
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(v.MerchantID); err != nil {
			return err
		}
		under, given, err := underway(tx, v.ID)
		if err != nil {
			return err
		}
		if under && !given {
			return Later{After: redeliveryPoll}
		}
		if err := tx.Settle(v, models.Settlement{To: models.Declined, Said: v.Said, Problem: v.Problem}); err != nil {
			return err
		}
		if given {
			return s.recount(tx, v.MerchantID)
		}
		if err := tx.Mended(v, nil); err != nil {
			return err
		}
		next := models.Submission{Kind: v.Kind, Replaces: &v.ID, SubmittedBy: v.SubmittedBy}
		return s.submit(tx, v.MerchantID, &next, "")
	})
	if later, ok := errors.AsType[Later](err); ok {
		return s.sendLater(ctx, models.Submission{ID: v.ID, ClaimedBy: v.ClaimedBy, MerchantID: v.MerchantID}, v.Problem, false, nil, later.After)
	}
	if fault.Code(err) == "not_ready" { // something changed meanwhile: a person goes on
		return s.settle(ctx, models.System, v, models.Settlement{To: models.Declined, Said: v.Said, Problem: v.Problem})
	}
	return err
}

// underway reports whether documents of a submission are on their way, and whether one was given up.
func underway(tx *models.Tx, id models.SubmissionID) (under, given bool, err error) {
	submitted, err := tx.SubmittedDocuments(id)
	if err != nil {
		return false, false, err
	}
	for _, a := range submitted {
		d, err := tx.Document(a.DocumentID)
		if err != nil {
			return false, false, err
		}
		under = under || d.State == models.Waiting || d.State == models.Sending
		given = given || d.State == models.Refused || d.State == models.Failed
	}
	return under, given, nil
}

// FoundInput is what a person found out about a submission without an answer.
type FoundInput struct {
	Submission models.SubmissionID
	Brand      string // the brand's id at DOKU
	Note       string // where from; at least ten characters
	Sure       bool   // the business is ours although it has another name
}

// Found settles a submission without an answer as registered: the business exists under a brand id, which Get Business Data
// confirms. fault.Invalid brand_unknown when DOKU knows no such brand, brand_other_name when its business is called otherwise and
// nobody is sure, note_too_short; fault.Conflict submission_settled, submission_underway or brand_taken.
func (s *Service) Found(ctx context.Context, actor models.Actor, in FoundInput) error {
	v, note, err := s.unanswered(ctx, in.Submission, in.Note)
	if err != nil {
		return err
	}
	data, err := s.DOKU.GetBusiness(ctx, strings.TrimSpace(in.Brand), parametersOf(v))
	if err != nil {
		e, ok := errors.AsType[*doku.Error](err)
		if strings.TrimSpace(in.Brand) == "" || ok && (e.Refused() || e.Status == http.StatusNotFound) {
			return fault.Wrap(err, fault.Invalid, "brand_unknown")
		}
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	m, err := s.Store.Merchant(ctx, v.MerchantID)
	if err != nil {
		return err
	}
	if !in.Sure && NormalName(data.Name) != NormalName(m.Name) {
		return fault.New(fault.Invalid, "brand_other_name", "name", data.Name)
	}
	return s.registered(ctx, actor, v, asRegistered(data, strings.TrimSpace(in.Brand)), note)
}

// asRegistered is what Get Business Data says of a business, as a registration would have answered: the brand asked for first.
func asRegistered(data *doku.BusinessData, brand string) doku.Business {
	b := doku.Business{ID: data.ID, Status: data.Status}
	for _, known := range data.Brands {
		if known.ID == brand {
			b.Brands = append(b.Brands, known.Brand)
		}
	}
	if len(b.Brands) == 0 {
		b.Brands = []doku.Brand{{ID: brand}}
	}
	return b
}

func parametersOf(v models.Submission) doku.Combination {
	return doku.Combination{BusinessType: v.BusinessType, LegalEntity: v.LegalEntity, BusinessLine: v.BusinessLine, Nationality: v.Nationality}
}

// NotFound settles a submission without an answer as absent: DOKU does not have the business, and the merchant may be
// registered under another Request-Id. Faults as with Found.
func (s *Service) NotFound(ctx context.Context, actor models.Actor, id models.SubmissionID, why string) error {
	v, note, err := s.unanswered(ctx, id, why)
	if err != nil {
		return err
	}
	return s.settle(ctx, actor, v, models.Settlement{To: models.Absent, Said: v.Said, Problem: v.Problem, Note: note})
}

// unanswered is a submission whose outcome a person may settle, with what they say sealed.
func (s *Service) unanswered(ctx context.Context, id models.SubmissionID, note string) (v models.Submission, sealed []byte, err error) {
	if v, err = s.Store.Submission(ctx, id); err != nil {
		return v, nil, err
	}
	switch note = manyLines(note); {
	case v.Outcome != models.Uncertain && v.Outcome != models.Stuck:
		return v, nil, fault.New(fault.Conflict, "submission_settled")
	case v.ClaimedUntil != nil && v.ClaimedUntil.After(s.Now()):
		return v, nil, fault.New(fault.Conflict, "submission_underway")
	case utf8.RuneCountInString(note) < minNote:
		return v, nil, fault.New(fault.Invalid, "note_too_short", "min", minNote)
	case utf8.RuneCountInString(note) > maxNote:
		return v, nil, fault.New(fault.Invalid, "too_long", "max", maxNote)
	}
	return v, s.Vault.SealString(note, submissionSeal("note", v.UID)), nil
}

// MendInput is what a person makes of DOKU's no: the slots it is about, each with its reasons.
type MendInput struct {
	Submission models.SubmissionID
	Reasons    map[models.SlotID][]string
	Note       string // needed when no slot is chosen: what is to be mended then
}

// Mend says which documents DOKU's refusal or rejection is about: their slots are open again, and so is the dossier, which goes
// again as another submission. fault.Invalid reason_unknown, note_too_short; fault.Conflict submission_settled when somebody did.
func (s *Service) Mend(ctx context.Context, actor models.Actor, in MendInput) error {
	v, err := s.Store.Submission(ctx, in.Submission)
	if err != nil {
		return err
	}
	settings, err := s.Store.ReasonSettings(ctx)
	if err != nil {
		return err
	}
	note, n := manyLines(in.Note), 0
	for _, codes := range in.Reasons {
		n += len(codes)
	}
	switch {
	case utf8.RuneCountInString(note) > maxNote:
		return fault.New(fault.Invalid, "too_long", "max", maxNote)
	case n == 0 && utf8.RuneCountInString(note) < minNote:
		return fault.New(fault.Invalid, "note_too_short", "min", minNote)
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, v.MerchantID)
		if err != nil {
			return err
		}
		if m.SubmissionID == nil || *m.SubmissionID != v.ID || m.Registration != models.Declined && m.Registration != models.Rejected {
			return fault.New(fault.Conflict, "submission_settled")
		}
		documents, err := tx.SubmittedDocuments(v.ID)
		if err != nil {
			return err
		}
		if err := s.refuseSubmitted(tx, documents, settings, in.Reasons, note); err != nil {
			return err
		}
		var sealed []byte
		if note != "" {
			sealed = s.Vault.SealString(note, submissionSeal("note", v.UID))
		}
		if err := tx.Mended(v, sealed); err != nil {
			return err
		}
		return s.recount(tx, m.ID)
	})
}

// refuseSubmitted has documents count as refused by DOKU for the reasons chosen. One that a newer version took the place of is
// left alone: that one counts.
func (s *Service) refuseSubmitted(tx *models.Tx, documents []models.AttachedDocument, settings []models.ReasonSetting, reasons map[models.SlotID][]string, note string) error {
	for slot, codes := range reasons {
		if len(codes) == 0 {
			continue
		}
		i := slices.IndexFunc(documents, func(a models.AttachedDocument) bool { return a.SlotID == slot })
		if i < 0 {
			return fault.New(fault.Invalid, "slot_unknown")
		}
		d, err := tx.Document(documents[i].DocumentID)
		if err != nil {
			return err
		}
		codes, err := chosenReasons(settings, d, DecisionInput{Reasons: codes, Note: note})
		if err != nil {
			return err
		}
		newer, err := tx.Superseded(d)
		if err != nil || newer || d.State != models.Delivered {
			if err != nil {
				return err
			}
			continue
		}
		if err := tx.RefuseDelivered(d, codes); err != nil {
			return err
		}
	}
	return nil
}

// Told is a submission with what is sealed of it opened, for its page.
type Told struct {
	models.Submission
	Body       []SentField
	Words      string // DOKU's
	NoteText   string
	Attempts   []models.SubmissionAttempt // the newest ones, newest first
	Documents  []models.AttachedDocument
	Resolvable bool // a person may say what came of it
	Mendable   bool // a person may say what DOKU's no is about
}

// Submission is all there is to know of a submission of a merchant. fault.NotFound when it is another one's.
func (s *Service) Submission(ctx context.Context, m models.Merchant, id models.SubmissionID) (t Told, err error) {
	if t.Submission, err = s.Store.Submission(ctx, id); err != nil {
		return t, err
	}
	if t.MerchantID != m.ID {
		return t, fault.New(fault.NotFound, "not_found")
	}
	if t.Words, err = s.openWords(t.Said, "said", t.UID); err != nil {
		return t, err
	}
	if t.NoteText, err = s.openWords(t.Note, "note", t.UID); err != nil {
		return t, err
	}
	if len(t.Submission.Body) > 0 {
		raw, err := s.Vault.Open(t.Submission.Body, submissionSeal("body", t.UID))
		if err != nil {
			return t, err
		}
		if t.Body, err = shown(raw, t.BusinessType == doku.Corporate && t.Kind == models.KindRegistration); err != nil {
			return t, err
		}
	}
	if t.Attempts, err = s.Store.SubmissionAttempts(ctx, id, attemptsShown); err != nil {
		return t, err
	}
	current := m.SubmissionID != nil && *m.SubmissionID == t.ID
	t.Resolvable = current && (t.Outcome == models.Uncertain || t.Outcome == models.Stuck)
	t.Mendable = current && t.MendedAt == nil && (t.Outcome == models.Declined || t.Outcome == models.Rejected)
	t.Documents, err = s.Store.SubmittedDocuments(ctx, id)
	return t, err
}

const attemptsShown = 20

func (s *Service) openWords(sealed []byte, column, uid string) (string, error) {
	if len(sealed) == 0 {
		return "", nil
	}
	return s.Vault.OpenString(sealed, submissionSeal(column, uid))
}

// SharedKey is the credential of a registered merchant, for an admin who asked for it, which is in the trail. fault.NotFound
// no_shared_key when DOKU gave none.
func (s *Service) SharedKey(ctx context.Context, actor models.Actor, id models.MerchantID) (string, error) {
	m, err := s.Store.Merchant(ctx, id)
	if err != nil {
		return "", err
	}
	if len(m.SharedKey) == 0 {
		return "", fault.New(fault.NotFound, "no_shared_key")
	}
	key, err := s.Vault.OpenString(m.SharedKey, sharedKeySeal(m.UID))
	if err != nil {
		return "", err
	}
	return key, s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.RevealedKey(id)
		return nil
	})
}
