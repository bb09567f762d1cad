package onboarding

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

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

// Submissions are those of a merchant, newest first, with DOKU's words and what a person wrote, without what was sent.
func (s *Service) Submissions(ctx context.Context, m models.Merchant) ([]Told, error) {
	if m.SubmissionID == nil {
		return nil, nil
	}
	list, err := s.submissions(ctx, m.ID, 0, submissionsShown)
	slices.Reverse(list)
	return list, err
}

func (s *Service) submissions(ctx context.Context, id models.MerchantID, after models.SubmissionID, limit int) (list []Told, err error) {
	rows, err := s.Store.Submissions(ctx, id, after, limit)
	for _, row := range rows {
		t := Told{Submission: row}
		if t.Words, err = s.openWords(row.Said, "said", row.UID); err != nil {
			return nil, err
		}
		if t.NoteText, err = s.openWords(row.Note, "note", row.UID); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, err
}

const (
	attemptsShown    = 20
	submissionsShown = 100
)

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
