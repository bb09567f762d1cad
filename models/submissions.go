package models

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/fault"
)

// SubmissionKind is which of DOKU's calls a submission is.
type SubmissionKind string

const (
	KindRegistration SubmissionKind = "registration" // Business Registration
	KindLite         SubmissionKind = "lite"         // Create Business Lite
)

// Registration is how a submission went, and where the merchant whose submission it is stands by that.
type Registration string

const (
	NotSubmitted Registration = ""
	Pending      Registration = "pending"      // DOKU has not answered
	Redelivering Registration = "redelivering" // DOKU does not know a file any more: it goes again, and then the submission
	Uncertain    Registration = "uncertain"    // no readable answer: DOKU may have the business; the same bytes go again
	Stuck        Registration = "stuck"        // that did not settle it: a person must find out
	Registered   Registration = "registered"
	Declined     Registration = "refused"   // by DOKU's answer
	Rejected     Registration = "rejected"  // by DOKU's verification, after it was registered
	Absent       Registration = "absent"    // a person found that DOKU does not have it
	TakenBack    Registration = "withdrawn" // before it was sent
)

// SubmissionID names a submission.
type SubmissionID int64

// Ref is the submission as the subject of an audit row.
func (id SubmissionID) Ref(m MerchantID) Ref {
	return Ref{Kind: "submission", ID: int64(id), Merchant: m}
}

// Submission is one request to DOKU to make a business of a merchant. Body, Said and Note are sealed; body, Request-Id and
// the four parameters never change.
type Submission struct {
	ID             SubmissionID
	UID            string `gorm:"column:uid"`
	MerchantID     MerchantID
	Kind           SubmissionKind
	RequestID      string
	Body           []byte // the bytes that are sent, sealed
	BusinessType   string
	LegalEntity    string
	BusinessLine   string
	Nationality    string
	CallbackHash   []byte // keyed hash of the unguessable end of the address DOKU was given; nil: none was
	Outcome        Registration
	Said           []byte // DOKU's words
	Problem        string // why it waits, or what a refusal is about
	Attempts       int
	Unclear        int        // answers of DOKU that nobody understands
	MaybeSince     *time.Time // since when DOKU may have carried it out without our having its answer
	NextAttemptAt  *time.Time
	ClaimedBy      string
	ClaimedUntil   *time.Time
	BusinessID     string
	BrandID        string
	BusinessStatus string
	Replaces       *SubmissionID
	ApprovedBy     *PersonID // who approved the last of the documents
	FourEyes       bool      // that had to be somebody else than SubmittedBy
	SubmittedBy    *PersonID
	Submitter      string `gorm:"->;-:migration"`
	CreatedAt      time.Time
	SentAt         *time.Time `gorm:"->;-:migration"` // for the first time
	SettledAt      *time.Time
	SettledBy      *PersonID // the person who found out, or said what a refusal is about
	Settler        string    `gorm:"->;-:migration"`
	MendedAt       *time.Time
	Note           []byte // what that person wrote
	ComparedAt     *time.Time
	Differences    []Difference `gorm:"serializer:json"` // of an earlier business; those of the merchant's own stand in its Poll
}

// Open reports whether it is not known yet what came of a submission.
func (s Submission) Open() bool {
	switch s.Outcome {
	case Pending, Redelivering, Uncertain, Stuck:
		return true
	}
	return false
}

// SubmissionAttempt is one time a submission left. Without EndedAt it is under way, or the process died within.
type SubmissionAttempt struct {
	ID           int64
	SubmissionID SubmissionID
	BeganAt      time.Time
	EndedAt      *time.Time
	Status       int    // of DOKU's answer; 0: none
	Problem      string // "" when it was answered as hoped
}

const submissionFacts = `submissions.*, coalesce((select name from people where people.id = submitted_by), '') as submitter,
	coalesce((select name from people where people.id = settled_by), '') as settler, (select min(a.began_at) from submission_attempts a where a.submission_id = submissions.id) as sent_at`

// Submission by its id. fault.NotFound when there is none.
func (r Reader) Submission(ctx context.Context, id SubmissionID) (Submission, error) {
	return r.submission(ctx, `id = ?`, id)
}

// SubmissionByCallback is the one whose address has this hash. fault.NotFound when there is none.
func (r Reader) SubmissionByCallback(ctx context.Context, hash []byte) (Submission, error) {
	return r.submission(ctx, `callback_hash = ?::bytea`, hash)
}

func (r Reader) submission(ctx context.Context, where string, arg any) (Submission, error) {
	rows, err := scan[Submission](ctx, r, `select `+submissionFacts+` from submissions where `+where, arg)
	if err == nil && len(rows) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return Submission{}, err
	}
	return rows[0], nil
}

// Submissions of a merchant, behind an id, in the order of ids.
func (r Reader) Submissions(ctx context.Context, id MerchantID, after SubmissionID, limit int) ([]Submission, error) {
	return scan[Submission](ctx, r, `select `+submissionFacts+` from submissions where merchant_id = ? and id > ? order by id limit ?`, id, after, limit)
}

// SubmissionAttempts are the newest times it left, newest first.
func (r Reader) SubmissionAttempts(ctx context.Context, id SubmissionID, limit int) ([]SubmissionAttempt, error) {
	return scan[SubmissionAttempt](ctx, r, `select * from submission_attempts where submission_id = ? order by id desc limit ?`, id, limit)
}

// Submission as the transaction sees it.
func (tx *Tx) Submission(id SubmissionID) (Submission, error) {
	return Reader{db: tx.g}.Submission(tx.ctx, id)
}

// Submit stores a submission and where the merchant's documents stand in it, and closes the dossier by that. The merchant must
// be locked. fault.Conflict registration_underway when one stands already. Four eyes: the table refuses, with FourEyes, a
// submission by whoever approved the last of the documents.
func (tx *Tx) Submit(s *Submission, documents []Attachment, next time.Time) error {
	approver, err := Reader{db: tx.g}.LastApprover(tx.ctx, s.MerchantID)
	if err != nil {
		return err
	}
	s.ApprovedBy = personOrNil(approver)
	s.Outcome, s.CreatedAt, s.NextAttemptAt, s.Differences = Pending, tx.Now, &next, []Difference{}
	if err := create(tx, s); err != nil {
		return err
	}
	for i := range documents {
		documents[i].SubmissionID, documents[i].MerchantID = s.ID, s.MerchantID
	}
	tx.Audit(MerchantSubmitted, s.ID.Ref(s.MerchantID), "kind", s.Kind, "request_id", s.RequestID, "documents", len(documents))
	return firstError(createAll(tx, documents), translate(tx.transition(s.MerchantID, "submission", int64(s.ID), "", string(Pending))),
		tx.stand(*s, Pending))
}

// LastApprover is who approved last of the documents that count of a merchant; 0 when nobody did.
func (r Reader) LastApprover(ctx context.Context, id MerchantID) (PersonID, error) {
	return one[PersonID](ctx, r, `select coalesce((select v.decided_by from decisions v join slots s on s.document_id = v.document_id
		where v.merchant_id = ? and v.standing = 'counts' and v.outcome = 'approved' order by v.decided_at desc, v.id desc limit 1), 0)`, id)
}

// stand has the merchant stand where its submission does.
func (tx *Tx) stand(s Submission, to Registration) error {
	err := swapped(tx.g.Exec(`update merchants set submission_id = ?, registration = ?, updated_at = ? where id = ?`, s.ID, to, tx.Now, s.MerchantID))
	return firstError(err, tx.Queue(s.MerchantID))
}

// Settlement is what came of a submission. Said and Note are sealed.
type Settlement struct {
	To             Registration
	BusinessID     string
	BrandID        string
	BusinessStatus string
	BrandStatus    string
	SharedKey      []byte // sealed
	Said           []byte
	Note           []byte
	Problem        string
	Next           *time.Time // when it goes on by itself
}

// settlements are the audit actions of outcomes.
var settlements = map[Registration]Action{Redelivering: SubmissionRedelivering, Uncertain: SubmissionUncertain, Stuck: SubmissionStuck, Registered: MerchantRegistered,
	Declined: SubmissionRefused, Rejected: SubmissionRejected, Absent: SubmissionAbsent, TakenBack: SubmissionWithdrawn}

// Settle moves a submission on from where s has it. Absent and withdrawn ones, and so their merchants, are as if they had never
// been. fault.Conflict when somebody else moved it meanwhile, or when another claim is on it.
func (tx *Tx) Settle(s Submission, v Settlement) error {
	settled := &tx.Now
	switch v.To {
	case Redelivering, Uncertain, Stuck:
		settled = nil
	}
	row := &Submission{Outcome: v.To, Said: v.Said, Problem: v.Problem, BusinessID: v.BusinessID, BrandID: v.BrandID, BusinessStatus: v.BusinessStatus,
		Note: v.Note, SettledAt: settled, SettledBy: personOrNil(tx.Actor.Person), NextAttemptAt: v.Next}
	err := swapped(tx.g.Model(&Submission{}).Where("id = ? and outcome = ? and claimed_by = ?", s.ID, s.Outcome, s.ClaimedBy).
		Select("outcome", "said", "problem", "business_id", "brand_id", "business_status", "note", "settled_at", "settled_by", "next_attempt_at", "claimed_by", "claimed_until").Updates(row))
	if err != nil {
		return err
	}
	detail := []any{"kind", s.Kind, "request_id", s.RequestID}
	if v.BusinessID != "" {
		detail = append(detail, "business_id", v.BusinessID, "brand_id", v.BrandID, "status", v.BusinessStatus)
	}
	if v.Problem != "" {
		detail = append(detail, "reason", v.Problem)
	}
	tx.Audit(settlements[v.To], s.ID.Ref(s.MerchantID), detail...)
	if err := tx.transition(s.MerchantID, "submission", int64(s.ID), string(s.Outcome), string(v.To)); err != nil {
		return translate(err)
	}
	switch v.To {
	case Registered:
		err = swapped(tx.g.Exec(`update merchants set business_id = ?, brand_id = ?, business_status = ?, brand_status = ?, shared_key = ?, registered_at = coalesce(registered_at, ?) where id = ?`,
			v.BusinessID, v.BrandID, v.BusinessStatus, v.BrandStatus, v.SharedKey, tx.Now, s.MerchantID))
		return firstError(err, tx.watch(s.MerchantID, tx.Now.Add(firstPoll)), tx.stand(s, v.To))
	case Absent, TakenBack:
		return tx.stand(s, NotSubmitted)
	}
	return tx.stand(s, v.To)
}

// Mended notes that a person said what a refusal or rejection is about: the dossier is open again. Of a rejected one DOKU's ids
// stay with the submission alone. fault.Conflict when somebody did.
func (tx *Tx) Mended(s Submission, note []byte) error {
	err := swapped(tx.g.Exec(`update submissions set mended_at = ?, settled_by = ?, note = ? where id = ? and outcome in ('refused', 'rejected') and mended_at is null`,
		tx.Now, personOrNil(tx.Actor.Person), note, s.ID))
	if err != nil {
		return err
	}
	tx.Audit(SubmissionMended, s.ID.Ref(s.MerchantID))
	err = swapped(tx.g.Exec(`update merchants set registered_at = null, business_id = '', brand_id = '', business_status = '', brand_status = '', shared_key = null where id = ?`, s.MerchantID))
	return firstError(err, tx.unwatch(s.MerchantID), tx.stand(s, NotSubmitted))
}

// RefuseDelivered has a document at DOKU count as refused by it, for reasons a person chose for DOKU's words.
func (tx *Tx) RefuseDelivered(d Document, reasons []string) error {
	err := swapped(tx.g.Model(&Document{}).Where("id = ? and state = 'delivered' and withdrawn_at is null", d.ID).
		Select("state", "problem", "reasons", "decided_at").Updates(&Document{State: Refused, Problem: reasons[0], Reasons: reasons, DecidedAt: &tx.Now}))
	if err != nil {
		return err
	}
	tx.Audit(DocumentRefused, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version, "reason", reasons[0], "reasons", reasons)
	return firstError(tx.Queue(d.MerchantID), translate(tx.transition(d.MerchantID, "document", int64(d.ID), string(Delivered), string(Refused))))
}

// Redeliver has a document that DOKU does not know any more brought there again. What was decided on it stays: its bytes do.
func (tx *Tx) Redeliver(d Document) error {
	err := swapped(tx.g.Exec(`update documents set state = 'waiting', file_id = '', link = null, link_expires_at = null, read_back_at = null, attempts = 0, unclear = 0, next_attempt_at = ?
		where id = ? and state = 'delivered' and withdrawn_at is null`, tx.Now, d.ID))
	if err != nil {
		return err
	}
	tx.Audit(DocumentRetried, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version)
	return translate(tx.transition(d.MerchantID, "document", int64(d.ID), string(Delivered), string(Waiting)))
}

// RevealedKey records that the acting person was shown a merchant's shared key.
func (tx *Tx) RevealedKey(id MerchantID) { tx.Audit(KeyRevealed, id.Ref()) }

// SubmittedDocuments are those of a submission, with their places.
func (r Reader) SubmittedDocuments(ctx context.Context, id SubmissionID) ([]AttachedDocument, error) {
	return scan[AttachedDocument](ctx, r, attachedSQL+` where a.submission_id = ? order by a.place limit 1000`, id)
}

// SubmittedDocuments as the transaction sees them.
func (tx *Tx) SubmittedDocuments(id SubmissionID) ([]AttachedDocument, error) {
	return Reader{db: tx.g}.SubmittedDocuments(tx.ctx, id)
}

// ClaimSubmission makes holder the one that sends a submission until the lease ends, and writes down that it leaves now: should
// the process die, DOKU may have it. false when it is not to be sent, not now, or another sends it. The submission is as it was
// before, but for whose claim it is.
func (k Keep) ClaimSubmission(ctx context.Context, id SubmissionID, holder string, d time.Duration) (s Submission, claimed bool, err error) {
	now := k.s.now()
	rows, err := scan[Submission](ctx, k.s.Reader, `with before as (select * from submissions where id = ? and outcome in ('pending', 'redelivering', 'uncertain')
			and next_attempt_at <= ? and (claimed_until is null or claimed_until < ?) for update),
		claimed as (update submissions s set claimed_by = ?, claimed_until = ?, attempts = s.attempts + 1,
			maybe_since = case when s.outcome = 'redelivering' then s.maybe_since else coalesce(s.maybe_since, ?) end from before b where s.id = b.id returning s.id),
		attempt as (insert into submission_attempts (submission_id, began_at) select id, ? from before where outcome <> 'redelivering')
		select b.* from before b join claimed c on c.id = b.id`, id, now.Add(time.Second), now, holder, now.Add(d), now, now)
	if err != nil || len(rows) == 0 {
		return s, false, err
	}
	s = rows[0]
	s.ClaimedBy = holder
	return s, true, nil
}

// EndAttempt writes down how the claimed submission's attempt ended.
func (k Keep) EndAttempt(ctx context.Context, s Submission, status int, problem string) error {
	_, err := k.exec(ctx, `update submission_attempts set ended_at = ?, status = ?, problem = ? where id = (select max(id) from submission_attempts where submission_id = ?) and ended_at is null`,
		k.s.now(), status, problem, s.ID)
	return err
}

// PostponeSubmission gives a claimed submission back for later. maybe is since when DOKU may have it: nil where it is sure that
// it does not.
func (k Keep) PostponeSubmission(ctx context.Context, s Submission, problem string, unclear bool, maybe *time.Time, next time.Time) error {
	add := 0
	if unclear {
		add = 1
	}
	_, err := k.exec(ctx, `update submissions set claimed_by = '', claimed_until = null, unclear = unclear + ?, problem = ?, maybe_since = ?, next_attempt_at = ?
		where id = ? and claimed_by = ?`, add, problem, maybe, next, s.ID, s.ClaimedBy)
	k.s.notify(ctx, map[MerchantID]bool{s.MerchantID: true})
	return err
}

// WakeSubmissions has those that wait because DOKU was not to be had go at the next sweep.
func (k Keep) WakeSubmissions(ctx context.Context) error {
	now := k.s.now()
	_, err := k.exec(ctx, `update submissions set next_attempt_at = ? where outcome in ('pending', 'uncertain') and next_attempt_at > ? and problem in ('unreachable', 'credential')`, now.Add(-time.Minute), now)
	return err
}

// SweepSubmissions hands the queue up to limit submissions whose turn came more than missed ago and which nobody sends. It says
// how many.
func (k Keep) SweepSubmissions(ctx context.Context, missed time.Duration, limit int, enqueue func(*Tx, SubmissionID) error) (n int, err error) {
	now := k.s.now()
	err = k.s.inTx(ctx, func(g *gormDB, ptx pgx.Tx) error {
		var ids []SubmissionID
		err := g.Raw(`update submissions set next_attempt_at = ? where id in (select id from submissions where outcome in ('pending', 'redelivering', 'uncertain')
			and next_attempt_at < ? and (claimed_until is null or claimed_until < ?) order by next_attempt_at limit ? for update skip locked) returning id`,
			now, now.Add(-missed), now, limit).Scan(&ids).Error
		if err != nil {
			return err
		}
		tx := k.s.tx(ctx, g, ptx, System)
		for _, id := range ids {
			if err := enqueue(tx, id); err != nil {
				return err
			}
		}
		n = len(ids)
		return nil
	})
	return n, translate(err)
}

// LastApprover as the transaction sees it.
func (tx *Tx) LastApprover(id MerchantID) (PersonID, error) {
	return Reader{db: tx.g}.LastApprover(tx.ctx, id)
}
