package models

import (
	"context"
	"time"

	"berkas/internal/fault"
)

// Outcome is what a reviewer decided.
type Outcome string

const (
	Approve Outcome = "approved"
	Refuse  Outcome = "refused"
)

// Undecided is a document's review before anyone decided, and after a decision was taken back.
const Undecided = "undecided"

// Standing says whether a decision counts.
type Standing string

const (
	Counts   Standing = "counts"
	First    Standing = "first"    // an approval that a second reviewer must share
	Undone   Standing = "undone"   // taken back at once
	Reopened Standing = "reopened" // the data it relied on changed
	Replaced Standing = "replaced" // by a later, reasoned decision
)

// Decision is what a reviewer said of one version of a document and of the data typed beside it. Note and Message are sealed.
type Decision struct {
	ID         DecisionID
	UID        string `gorm:"column:uid"`
	DocumentID DocumentID
	MerchantID MerchantID
	Version    int
	SHA256     []byte `gorm:"column:sha256"`
	Outcome    Outcome
	Standing   Standing
	Reasons    []string `gorm:"serializer:json"`
	Note       []byte
	Message    []byte
	Facts      []byte // keyed hash of the typed data it relied on
	UploadedBy *PersonID
	DecidedBy  PersonID
	Decider    string `gorm:"->;-:migration"`
	DecidedAt  time.Time
	SettledAt  *time.Time // when it stopped to count, or a first approval was shared
	Replaces   *DecisionID
	ScreenMS   int64      `gorm:"column:screen_ms"`
	QueuedAt   *time.Time // since when the document was in the queue; nil when it replaces a decision
}

const decisionFacts = `decisions.*, coalesce((select name from people where people.id = decided_by), '') as decider`

// Decisions on a document, newest first.
func (r Reader) Decisions(ctx context.Context, id DocumentID) ([]Decision, error) {
	return scan[Decision](ctx, r, `select `+decisionFacts+` from decisions where document_id = ? order by id desc limit 100`, id)
}

// DecisionsOfSlot are those on all versions of a slot's document, newest first.
func (r Reader) DecisionsOfSlot(ctx context.Context, id SlotID) ([]Decision, error) {
	return scan[Decision](ctx, r, `select `+decisionFacts+` from decisions where document_id in (select id from documents where slot_id = ?) order by id desc limit 100`, id)
}

// DecisionsOfMerchant are those that count, or wait for a second reviewer, of a merchant's documents that count.
func (r Reader) DecisionsOfMerchant(ctx context.Context, id MerchantID) ([]Decision, error) {
	return scan[Decision](ctx, r, `select `+decisionFacts+` from decisions where merchant_id = ? and (standing = 'counts' or standing = 'first' and settled_at is null)
		and document_id in (select s.document_id from slots s where s.merchant_id = ?) order by id`, id, id)
}

// Decisions on a document as the transaction sees them, newest first.
func (tx *Tx) Decisions(id DocumentID) ([]Decision, error) {
	return Reader{db: tx.g}.Decisions(tx.ctx, id)
}

// DecisionsOfMerchant as the transaction sees them.
func (tx *Tx) DecisionsOfMerchant(id MerchantID) ([]Decision, error) {
	return Reader{db: tx.g}.DecisionsOfMerchant(tx.ctx, id)
}

// MayDecide is the predicate of a decision in SQL, beside the same rule in onboarding: the version seen still counts, is
// not the decider's own upload, and nobody else has it open. Its parameters are the decider twice and the time.
const mayDecideSQL = `state = 'delivered' and withdrawn_at is null and uploaded_by is distinct from ? and (leased_by is null or leased_by = ? or leased_until < ?)
	and exists (select 1 from slots s where s.id = documents.slot_id and s.document_id = documents.id)`

// Decide stores a decision on the document as it was seen. An approval that a second reviewer must share leaves it
// undecided. fault.Conflict when the document is no longer what was seen, or somebody else has it.
func (tx *Tx) Decide(d Document, had *Decision, v *Decision) error {
	me := tx.Actor.Person
	v.DocumentID, v.MerchantID, v.Version, v.SHA256, v.UploadedBy = d.ID, d.MerchantID, d.Version, d.SHA256, d.UploadedBy
	v.DecidedBy, v.DecidedAt, v.QueuedAt = me, tx.Now, d.QueuedAt
	if v.Reasons == nil {
		v.Reasons = []string{}
	}
	if had != nil {
		v.Replaces = &had.ID
		if err := tx.settle(had.ID, Replaced); err != nil {
			return err
		}
	}
	review, decided := string(v.Outcome), &tx.Now
	var first *PersonID
	if v.Standing == First {
		review, decided, first = Undecided, nil, &me
	}
	row := &Document{Review: review, DecidedAt: decided, Reasons: v.Reasons, FirstApprovedBy: first}
	err := swapped(tx.g.Model(&Document{}).
		Where(`id = ? and version = ? and sha256 is not distinct from ? and review = ? and first_approved_by is not distinct from ? and `+mayDecideSQL,
			d.ID, d.Version, d.SHA256, d.Review, d.FirstApprovedBy, me, me, tx.Now).
		Select("review", "decided_at", "reasons", "first_approved_by", "leased_by", "leased_until", "assigned_to", "snoozed_until").Updates(row))
	if err != nil {
		return err
	}
	if v.Standing == Counts && d.FirstApprovedBy != nil {
		err := tx.g.Exec(`update decisions set settled_at = ? where document_id = ? and standing = 'first' and settled_at is null`, tx.Now, d.ID).Error
		if err != nil {
			return translate(err)
		}
	}
	if err := create(tx, v); err != nil {
		return err
	}
	action := DocumentApproved
	if v.Outcome == Refuse {
		action = DocumentRejected
	}
	tx.auditReview(action, d, "decision", v.ID, "standing", v.Standing, "reasons", v.Reasons, "screen_ms", v.ScreenMS)
	return firstError(tx.Queue(d.MerchantID), tx.transition(d.MerchantID, "review", int64(d.ID), d.Review, review))
}

// Undo takes a decision back and has the one before it count again, or none: then the document is leased to whoever took
// it back until then.
func (tx *Tx) Undo(d Document, v Decision, lease time.Time) error {
	if err := tx.settle(v.ID, Undone); err != nil {
		return err
	}
	return tx.takeBack(d, v, DocumentUndone, &lease)
}

// Reopen has a document decided again, because the data its decision relied on changed.
func (tx *Tx) Reopen(d Document, v Decision) error {
	if err := tx.settle(v.ID, Reopened); err != nil {
		return err
	}
	v.Replaces = nil // what came before relied on older data still
	return tx.takeBack(d, v, DocumentReopened, nil)
}

func (tx *Tx) takeBack(d Document, v Decision, action Action, lease *time.Time) error {
	row := &Document{Review: Undecided, Reasons: []string{}, LeasedUntil: lease}
	if lease != nil {
		row.LeasedBy = &tx.Actor.Person
	}
	if v.Replaces != nil {
		before, err := take[Decision](tx.g.Where("id = ?", *v.Replaces))
		if err != nil {
			return err
		}
		if err := tx.g.Exec(`update decisions set standing = 'counts', settled_at = null where id = ?`, before.ID).Error; err != nil {
			return translate(err)
		}
		row.Review, row.DecidedAt, row.Reasons = string(before.Outcome), &before.DecidedAt, before.Reasons
		row.LeasedBy, row.LeasedUntil = nil, nil // what is decided is leased to nobody
	} else if err := tx.firstAgain(d, v, row); err != nil {
		return err
	}
	err := swapped(tx.g.Model(&Document{}).Where("id = ? and review = ?", d.ID, d.Review).
		Select("review", "decided_at", "reasons", "first_approved_by", "leased_by", "leased_until").Updates(row))
	if err != nil {
		return err
	}
	tx.auditReview(action, d, "decision", v.ID)
	return firstError(tx.Queue(d.MerchantID), tx.transition(d.MerchantID, "review", int64(d.ID), d.Review, row.Review))
}

// firstAgain has a first approval wait again, when the decision of the second reviewer is undone.
func (tx *Tx) firstAgain(d Document, v Decision, row *Document) error {
	if v.Standing != Counts || row.LeasedBy == nil {
		return nil
	}
	var first Decision
	err := tx.g.Raw(`update decisions set settled_at = null where document_id = ? and standing = 'first' and settled_at = ? returning *`, d.ID, v.DecidedAt).Scan(&first).Error
	if err == nil && first.ID != 0 {
		row.FirstApprovedBy = &first.DecidedBy
	}
	return translate(err)
}

// settle ends a decision that counts or waits. fault.Conflict when it does neither.
func (tx *Tx) settle(id DecisionID, as Standing) error {
	return swapped(tx.g.Exec(`update decisions set standing = ?, settled_at = ? where id = ? and (standing = 'counts' or standing = 'first' and settled_at is null)`, as, tx.Now, id))
}

// Ask gives an undecided document to a colleague, with a question (sealed).
func (tx *Tx) Ask(d Document, q *Question) error {
	q.DocumentID, q.MerchantID, q.AskedBy, q.AskedAt = d.ID, d.MerchantID, tx.Actor.Person, tx.Now
	err := swapped(tx.g.Exec(`update documents set assigned_to = ?, leased_by = null, leased_until = null where id = ? and queued_at is not null and `+mayDecideSQL,
		q.AskedOf, d.ID, tx.Actor.Person, tx.Actor.Person, tx.Now))
	if err == nil {
		err = create(tx, q)
	}
	tx.auditReview(DocumentAsked, d, "of", q.AskedOf)
	return err
}

// unassign lets any reviewer decide on what a person was asked about.
func (tx *Tx) unassign(id PersonID) error {
	return translate(tx.g.Exec(`update documents set assigned_to = null where assigned_to = ? and queued_at is not null`, id).Error)
}

// Snooze takes an undecided document out of the queue for a while.
func (tx *Tx) Snooze(d Document, until time.Time) error {
	tx.auditReview(DocumentSnoozed, d, "until", until.UTC().Format(time.RFC3339))
	return swapped(tx.g.Exec(`update documents set snoozed_until = ?, leased_by = null, leased_until = null where id = ? and queued_at is not null and `+mayDecideSQL,
		until, d.ID, tx.Actor.Person, tx.Actor.Person, tx.Now))
}

// SetExpiry stores until when a document is valid; nil: it has no such date.
func (tx *Tx) SetExpiry(d Document, on *time.Time) error {
	return translate(tx.g.Exec(`update documents set expires_on = ? where id = ?`, on, d.ID).Error)
}

func (tx *Tx) auditReview(action Action, d Document, detail ...any) {
	tx.Audit(action, d.ID.Ref(d.MerchantID), append([]any{"category", d.Category, "code", d.Code, "version", d.Version}, detail...)...)
}

// Queue puts the documents of merchants into the reviewers' queue, or takes them out of it: those stand in it that count, are at
// DOKU and undecided, of a merchant that is open. What the queue is filtered and sorted by goes with them.
func (tx *Tx) Queue(ids ...MerchantID) error {
	return translate(tx.g.Exec(`update documents d set queued_at = q.queued_at, review_due_on = q.due_on, business_type = q.business_type, business_line = q.business_line
		from (select d.id, m.due_on, m.business_type, m.business_line,
				case when s.document_id = d.id and (s.requirement_id is not null or s.by_hand) and d.state = 'delivered' and d.review = 'undecided' and d.withdrawn_at is null
					and m.archived_at is null and not m.locked then coalesce(d.queued_at, d.delivered_at) end as queued_at
			from documents d join slots s on s.id = d.slot_id join merchants m on m.id = d.merchant_id where d.merchant_id = any(?)) q
		where d.id = q.id and (d.queued_at is distinct from q.queued_at or q.queued_at is not null
			and (d.review_due_on, d.business_type, d.business_line) is distinct from (q.due_on, q.business_type, q.business_line))`, bigints(ids)).Error)
}

// Question is what a reviewer asked a colleague about a document. Question is sealed.
type Question struct {
	ID         int64
	UID        string `gorm:"column:uid"`
	DocumentID DocumentID
	MerchantID MerchantID
	Question   []byte
	AskedBy    PersonID
	Asker      string `gorm:"->;-:migration"`
	AskedOf    PersonID
	Asked      string `gorm:"->;-:migration"`
	AskedAt    time.Time
}

// Questions about a document, newest first.
func (r Reader) Questions(ctx context.Context, id DocumentID) ([]Question, error) {
	return scan[Question](ctx, r, `select q.*, a.name as asker, o.name as asked from questions q join people a on a.id = q.asked_by join people o on o.id = q.asked_of
		where q.document_id = ? order by q.id desc limit 20`, id)
}

// Reviewers are the people who may decide, but one.
func (r Reader) Reviewers(ctx context.Context, but PersonID) ([]Person, error) {
	return find[Person](r.db.WithContext(ctx).Where("role = 'reviewer' and disabled_at is null and id <> ?", but).Order("lower(name), id").Limit(200))
}

// Reviewer is an active person who may decide. fault.NotFound when there is none of this id.
func (tx *Tx) Reviewer(id PersonID) (Person, error) {
	p, err := take[Person](tx.g.Where("id = ? and role = 'reviewer' and disabled_at is null", id))
	if fault.Is(err, fault.NotFound) {
		return p, fault.New(fault.Invalid, "reviewer_unknown")
	}
	return p, err
}

// Superseded reports whether another version counts in the document's slot by now.
func (tx *Tx) Superseded(d Document) (bool, error) {
	var counts bool
	err := tx.g.Raw(`select exists (select 1 from slots where id = ? and document_id = ?)`, d.SlotID, d.ID).Scan(&counts).Error
	return !counts, translate(err)
}
