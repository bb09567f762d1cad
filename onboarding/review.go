package onboarding

import (
	"bytes"
	"context"
	"encoding/hex"
	"slices"
	"time"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	// UndoTime is how long a decision can be taken back.
	UndoTime = 10 * time.Second

	maxNote   = 1000 // characters
	maxSnooze = 90 * 24 * time.Hour
)

// Expires reports whether documents of a kind are valid until a date: identity cards of citizens, tax and business numbers
// and deeds are for life.
func Expires(category, code string) bool {
	lasting := []string{doku.CodeKTP, doku.CodeNIB, "NIB_PERSEORANGAN", doku.CodeNPWPBadan, "NPWP_ORANG_PRIBADI", "AKTA_PENDIRIAN_PERUSAHAAN", "SK_KEMENKUMHAM", "SK_PENDIRIAN_YAYASAN"}
	return category == doku.CategoryDocument && !slices.Contains(lasting, code)
}

// DecisionInput is what a reviewer decided, and what of: the version, its bytes and the typed data as they were seen.
type DecisionInput struct {
	Document models.DocumentID
	Version  int
	SHA256   string // hexadecimal, as the page showed it
	Facts    string // Facts.Hash as the page showed it; "" does not compare
	Outcome  models.Outcome
	Reasons  []string // of a refusal, at least one
	Note     string   // for colleagues
	Message  string   // for the merchant, beside the reasons' own texts
	Replaces models.DecisionID
	Screen   time.Duration // how long the document was in sight
	// Expires is until when the document is valid, YYYY-MM-DD; "" leaves it as it is.
	Expires string
}

// Decide records what a reviewer decided, if the document and the data beside it are still what was seen: fault.Conflict
// review_changed otherwise, review_leased when another reviewer has it open, review_decided when somebody was faster.
// fault.Forbidden own_upload for one's own upload, whatever role one has today, and own_approval where a second reviewer
// must agree. fault.Invalid for a refusal without a reason. A decision that replaces another needs a note.
func (s *Service) Decide(ctx context.Context, actor models.Actor, in DecisionInput) (models.Decision, error) {
	v := models.Decision{UID: newUID(), Outcome: in.Outcome, Standing: models.Counts, ScreenMS: max(0, min(in.Screen, 24*time.Hour)).Milliseconds()}
	d, err := s.Store.Document(ctx, in.Document)
	if err != nil {
		return v, err
	}
	if d.UploadedBy != nil && *d.UploadedBy == actor.Person {
		return v, fault.New(fault.Forbidden, "own_upload")
	}
	expires, err := s.readDecision(ctx, d, &in, &v)
	if err != nil {
		return v, err
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := undecided(tx, d.MerchantID)
		if err != nil {
			return err
		}
		if d, err = tx.Document(in.Document); err != nil { // as it stands now
			return err
		}
		had, err := s.asSeen(tx, d, in)
		if err != nil {
			return err
		}
		if err := s.reliesOn(tx, d, in, &v); err != nil {
			return err
		}
		if err := s.secondEyes(tx, d, &v); err != nil {
			return err
		}
		if expires != nil {
			if err := tx.SetExpiry(d, expires); err != nil {
				return err
			}
		}
		if err := tx.Decide(d, had, &v); err != nil {
			return changed(err)
		}
		return s.keepProgress(tx, m)
	})
	return v, err
}

// readDecision checks what was typed and seals the notes.
func (s *Service) readDecision(ctx context.Context, d models.Document, in *DecisionInput, v *models.Decision) (*time.Time, error) {
	in.Note, in.Message = manyLines(in.Note), manyLines(in.Message)
	for _, text := range []string{in.Note, in.Message} {
		if utf8.RuneCountInString(text) > maxNote {
			return nil, fault.New(fault.Invalid, "too_long", "max", maxNote)
		}
	}
	if in.Outcome == models.Refuse {
		settings, err := s.Store.ReasonSettings(ctx)
		if err != nil {
			return nil, err
		}
		if v.Reasons, err = chosenReasons(settings, d, *in); err != nil {
			return nil, err
		}
		if saysTooMuch(in.Message, settings) {
			return nil, fault.New(fault.Invalid, "not_shareable")
		}
	}
	if in.Replaces != 0 && utf8.RuneCountInString(in.Note) < minNote {
		return nil, fault.New(fault.Invalid, "change_needs_note", "min", minNote)
	}
	if in.Note != "" {
		v.Note = s.Vault.SealString(in.Note, noteSeal(v.UID))
	}
	if in.Message != "" && in.Outcome == models.Refuse {
		v.Message = s.Vault.SealString(in.Message, messageSeal(v.UID))
	}
	if in.Expires == "" {
		return nil, nil
	}
	on, err := time.Parse(time.DateOnly, in.Expires)
	if err != nil || on.Year() < 1950 || on.Year() > 2200 {
		return nil, fault.New(fault.Invalid, "date_invalid")
	}
	return &on, nil
}

func chosenReasons(settings []models.ReasonSetting, d models.Document, in DecisionInput) ([]string, error) {
	if len(in.Reasons) == 0 {
		return nil, fault.New(fault.Invalid, "reason_required")
	}
	offered := OfferedReasons(settings, d.Category, d.Code)
	for _, code := range in.Reasons {
		if !slices.ContainsFunc(offered, func(r Reason) bool { return r.Code == code }) {
			return nil, fault.New(fault.Invalid, "reason_unknown")
		}
	}
	if slices.Contains(in.Reasons, OtherCode) && max(utf8.RuneCountInString(in.Note), utf8.RuneCountInString(in.Message)) < minNote {
		return nil, fault.New(fault.Invalid, "other_needs_note", "min", minNote)
	}
	return gravest(in.Reasons), nil
}

// asSeen holds a document against what the reviewer saw, and returns the decision that is to be replaced, if any.
func (s *Service) asSeen(tx *models.Tx, d models.Document, in DecisionInput) (*models.Decision, error) {
	sum, err := hex.DecodeString(in.SHA256)
	if err != nil || d.Version != in.Version || !bytes.Equal(d.SHA256, sum) || d.WithdrawnAt != nil || d.State != models.Delivered {
		return nil, fault.New(fault.Conflict, "review_changed")
	}
	if d.LeasedBy != nil && *d.LeasedBy != tx.Actor.Person && d.LeasedUntil != nil && d.LeasedUntil.After(tx.Now) {
		return nil, fault.New(fault.Conflict, "review_leased", "name", d.Leaser)
	}
	if d.Review == models.Undecided && in.Replaces == 0 {
		return nil, nil
	}
	decisions, err := tx.Decisions(d.ID)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(decisions, func(v models.Decision) bool { return v.Standing == models.Counts })
	if i < 0 || decisions[i].ID != in.Replaces {
		return nil, fault.New(fault.Conflict, "review_decided")
	}
	return &decisions[i], nil
}

// reliesOn compares the typed data with those seen and notes which of them the decision relies on.
func (s *Service) reliesOn(tx *models.Tx, d models.Document, in DecisionInput, v *models.Decision) error {
	m, err := tx.Dossier(d.MerchantID)
	if err != nil {
		return err
	}
	rows, err := tx.ChecklistRows(d.MerchantID)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == d.SlotID })
	if i < 0 || rows[i].DocumentID == nil || *rows[i].DocumentID != d.ID {
		return fault.New(fault.Conflict, "review_changed")
	}
	f, err := s.Facts(m, rows, d, tx.Actor)
	if err != nil {
		return err
	}
	if in.Facts != "" && in.Facts != f.Hash {
		return fault.New(fault.Conflict, "review_changed")
	}
	v.Facts = s.relied(f, d)
	return nil
}

// secondEyes makes an approval the first of two where the settings ask for a second reviewer.
func (s *Service) secondEyes(tx *models.Tx, d models.Document, v *models.Decision) error {
	if d.FirstApprovedBy != nil && *d.FirstApprovedBy == tx.Actor.Person {
		return fault.New(fault.Forbidden, "own_approval")
	}
	if v.Outcome != models.Approve || d.FirstApprovedBy != nil {
		return nil
	}
	set, err := tx.ReviewSettings()
	if err == nil && slices.Contains(set.SecondEyes, DocumentCode(d.Category, d.Code)) {
		v.Standing = models.First
	}
	return err
}

// changed is a compare-and-set that found another row, in the words of a review.
func changed(err error) error {
	if fault.Code(err) == "conflict" {
		return fault.Wrap(err, fault.Conflict, "review_changed")
	}
	return err
}

// undecided is a merchant whose documents may be decided on, held for the rest of the transaction. fault.Conflict
// merchant_submitted when what is decided on was submitted to DOKU.
func undecided(tx *models.Tx, id models.MerchantID) (models.Merchant, error) {
	m, err := open(tx, id)
	if err == nil && m.Locked {
		err = fault.New(fault.Conflict, "merchant_submitted")
	}
	return m, err
}

// Undo takes one's own decision back within UndoTime, unless somebody acted on it: fault.Conflict undo_late or undo_acted.
// A registration that waits for that time to pass is taken back too.
// A document that is undecided by that is leased to whoever took the decision back.
func (s *Service) Undo(ctx context.Context, actor models.Actor, id models.DocumentID) error {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, d.MerchantID)
		if err != nil {
			return err
		}
		if d, err = tx.Document(id); err != nil {
			return err
		}
		decisions, err := tx.Decisions(id)
		if err != nil {
			return err
		}
		v, err := undoable(tx, m, d, decisions)
		if err != nil {
			return err
		}
		set, err := tx.ReviewSettings()
		if err != nil {
			return err
		}
		if err := takeBack(tx, m); err != nil {
			return err
		}
		if err := tx.Undo(d, v, tx.Now.Add(lease(set))); err != nil {
			return err
		}
		if err := s.reopenChanged(tx, m.ID); err != nil { // the decision before it may rely on what has changed since
			return err
		}
		return s.recount(tx, m.ID)
	})
}

func undoable(tx *models.Tx, m models.Merchant, d models.Document, decisions []models.Decision) (v models.Decision, err error) {
	if len(decisions) == 0 || decisions[0].DecidedBy != tx.Actor.Person {
		return v, fault.New(fault.Conflict, "undo_none")
	}
	v = decisions[0]
	waits := v.Standing == models.First && v.SettledAt == nil
	switch {
	case v.Standing != models.Counts && !waits:
		return v, fault.New(fault.Conflict, "undo_none")
	case tx.Now.Sub(v.DecidedAt) > UndoTime:
		return v, fault.New(fault.Conflict, "undo_late", "n", int(UndoTime/time.Second))
	case m.MessagedAt != nil && m.MessagedAt.After(v.DecidedAt), d.WithdrawnAt != nil,
		d.LeasedBy != nil && *d.LeasedBy != tx.Actor.Person && d.LeasedUntil.After(tx.Now):
		return v, fault.New(fault.Conflict, "undo_acted")
	}
	newer, err := tx.Superseded(d)
	if err == nil && newer {
		err = fault.New(fault.Conflict, "undo_acted")
	}
	return v, err
}

// Ask gives an undecided document to another reviewer with a question.
func (s *Service) Ask(ctx context.Context, actor models.Actor, id models.DocumentID, colleague models.PersonID, question string) error {
	question = manyLines(question)
	switch {
	case question == "":
		return fault.New(fault.Invalid, "question_required")
	case utf8.RuneCountInString(question) > maxNote:
		return fault.New(fault.Invalid, "too_long", "max", maxNote)
	case colleague == actor.Person:
		return fault.New(fault.Invalid, "reviewer_unknown")
	}
	q := models.Question{UID: newUID(), AskedOf: colleague}
	q.Question = s.Vault.SealString(question, questionSeal(q.UID))
	return s.onUndecided(ctx, actor, id, func(tx *models.Tx, d models.Document) error {
		if _, err := tx.Reviewer(colleague); err != nil {
			return err
		}
		if d.UploadedBy != nil && *d.UploadedBy == colleague {
			return fault.New(fault.Invalid, "reviewer_uploaded")
		}
		if d.FirstApprovedBy != nil && *d.FirstApprovedBy == colleague {
			return fault.New(fault.Invalid, "reviewer_approved")
		}
		return tx.Ask(d, &q)
	})
}

// Snooze takes an undecided document out of the queue until a time, 90 days from now at most.
func (s *Service) Snooze(ctx context.Context, actor models.Actor, id models.DocumentID, until time.Time) error {
	if now := s.Now(); !until.After(now) || until.After(now.Add(maxSnooze)) {
		return fault.New(fault.Invalid, "snooze_invalid", "days", int(maxSnooze/(24*time.Hour)))
	}
	return s.onUndecided(ctx, actor, id, func(tx *models.Tx, d models.Document) error { return tx.Snooze(d, until) })
}

// onUndecided changes something of a document in the queue that nobody else has open.
func (s *Service) onUndecided(ctx context.Context, actor models.Actor, id models.DocumentID, do func(*models.Tx, models.Document) error) error {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		if _, err := undecided(tx, d.MerchantID); err != nil {
			return err
		}
		if d, err = tx.Document(id); err != nil {
			return err
		}
		switch {
		case d.UploadedBy != nil && *d.UploadedBy == actor.Person:
			return fault.New(fault.Forbidden, "own_upload")
		case d.QueuedAt == nil:
			return fault.New(fault.Conflict, "review_decided")
		case d.LeasedBy != nil && *d.LeasedBy != actor.Person && d.LeasedUntil.After(tx.Now):
			return fault.New(fault.Conflict, "review_leased", "name", d.Leaser)
		}
		return changed(do(tx, d))
	})
}

// NextInput asks for the next document of the queue.
type NextInput struct {
	Filter models.ReviewFilter
	From   models.DocumentID    // the one that is left: it is given back, and not given again
	Behind *models.ReviewCursor // where the queue goes on; nil from its start
	Ahead  bool                 // From is not left yet: the next one is only to be loaded ahead
}

// NextToReview leases the next document that a reviewer may be given, from the start of the queue when there is none
// behind; 0 when there is none at all. Two reviewers who ask at the same instant get two different ones.
func (s *Service) NextToReview(ctx context.Context, actor models.Actor, in NextInput) (models.DocumentID, error) {
	set, err := s.Store.ReviewSettings(ctx)
	if err != nil {
		return 0, err
	}
	keep := s.Store.Keep()
	id, err := keep.LeaseNext(ctx, actor.Person, in.Filter, in.Behind, in.From, lease(set))
	if err == nil && id == 0 && in.Behind != nil {
		id, err = keep.LeaseNext(ctx, actor.Person, in.Filter, nil, in.From, lease(set))
	}
	if err == nil && in.From != 0 && !in.Ahead {
		err = keep.ReleaseDocument(ctx, in.From, actor.Person, 0)
	}
	return id, err
}

func lease(set models.ReviewSettings) time.Duration {
	return time.Duration(max(1, set.LeaseMinutes)) * time.Minute
}

// Look is what a page on the screen holds: its look, by which it says how long it was open, and whether the document is
// leased to its reader.
type Look struct {
	ID     models.LookID
	Leased bool
}

// ViewedDocument records that a person has a document on the screen. A reviewer leases it by that, when it is theirs to
// decide and nobody else has it open.
func (s *Service) ViewedDocument(ctx context.Context, actor models.Actor, d models.Document, decides bool) (look Look, err error) {
	if decides {
		if look.Leased, err = s.leaseTo(ctx, actor, d.ID); err != nil {
			return look, err
		}
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		look.ID, err = tx.Look(d)
		return err
	})
	return look, err
}

// PreloadDocument leases the document that comes next for a reviewer and records that it was only loaded, not shown.
func (s *Service) PreloadDocument(ctx context.Context, actor models.Actor, d models.Document) (look Look, err error) {
	if look.Leased, err = s.leaseTo(ctx, actor, d.ID); err != nil {
		return look, err
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.Viewed(d, models.DocumentFetched)
		return nil
	})
	return look, err
}

func (s *Service) leaseTo(ctx context.Context, actor models.Actor, id models.DocumentID) (bool, error) {
	set, err := s.Store.ReviewSettings(ctx)
	if err != nil {
		return false, err
	}
	return s.Store.Keep().LeaseDocument(ctx, id, actor.Person, lease(set))
}

// StillLooking keeps how long a document has been in sight and renews the reader's lease; leaving gives the lease back.
func (s *Service) StillLooking(ctx context.Context, actor models.Actor, id models.DocumentID, look models.LookID, open time.Duration, decides, leaving bool) (leased bool, err error) {
	if err := s.Store.Keep().Looked(ctx, look, id, actor.Person, open); err != nil {
		return false, err
	}
	switch {
	case !decides:
		return false, nil
	case leaving:
		return false, s.Store.Keep().ReleaseDocument(ctx, id, actor.Person, look)
	}
	return s.leaseTo(ctx, actor, id)
}

// Revealed records that a person asked for the typed data beside a document in clear.
func (s *Service) Revealed(ctx context.Context, actor models.Actor, d models.Document, f Facts) error {
	var asked []string
	for _, fact := range f.List {
		if fact.Masked != "" {
			asked = append(asked, fact.Key)
		}
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.Viewed(d, models.FactsRevealed, "facts", asked)
		return nil
	})
}

// Said is a decision with its notes opened.
type Said struct {
	models.Decision
	NoteText, MessageText string
}

// Decisions on all versions of a slot's document, newest first, with their notes.
func (s *Service) Decisions(ctx context.Context, id models.SlotID) ([]Said, error) {
	rows, err := s.Store.DecisionsOfSlot(ctx, id)
	if err != nil {
		return nil, err
	}
	return s.said(rows)
}

func (s *Service) said(rows []models.Decision) (list []Said, err error) {
	for _, v := range rows {
		said := Said{Decision: v}
		if len(v.Note) > 0 {
			said.NoteText, err = s.Vault.OpenString(v.Note, noteSeal(v.UID))
		}
		if len(v.Message) > 0 && err == nil {
			said.MessageText, err = s.Vault.OpenString(v.Message, messageSeal(v.UID))
		}
		if err != nil {
			return nil, err
		}
		list = append(list, said)
	}
	return list, nil
}

// QuestionText opens what was asked.
func (s *Service) QuestionText(q models.Question) (string, error) {
	return s.Vault.OpenString(q.Question, questionSeal(q.UID))
}

func noteSeal(uid string) string     { return "decisions.note:" + uid }
func messageSeal(uid string) string  { return "decisions.message:" + uid }
func questionSeal(uid string) string { return "questions.question:" + uid }
