package models

import (
	"context"
	"time"
)

// DifferingMerchant is a merchant that is another at DOKU than here.
type DifferingMerchant struct {
	MerchantID  MerchantID
	Name        string
	AnsweredAt  *time.Time
	Differences []Difference `gorm:"serializer:json"`
}

// Differing are merchants that differ at DOKU, by name.
func (r Reader) Differing(ctx context.Context, limit int) ([]DifferingMerchant, error) {
	return scan[DifferingMerchant](ctx, r, `select p.merchant_id, m.name, p.answered_at, p.differences from polls p join merchants m on m.id = p.merchant_id
		where p.differences <> '[]' order by m.name, m.id limit ?`, limit)
}

// Unanswered is something we sent to DOKU of which nobody knows what came: a submission, or a document that was given up.
type Unanswered struct {
	MerchantID   MerchantID
	Name         string
	SubmissionID SubmissionID // 0: it is a document
	DocumentID   DocumentID
	Category     string
	Code         string
	Outcome      Registration
	At           time.Time // when it was asked for, or uploaded
}

// Unanswered sends, submissions first, oldest first.
func (r Reader) Unanswered(ctx context.Context, limit int) ([]Unanswered, error) {
	return scan[Unanswered](ctx, r, `(select s.merchant_id, m.name, s.id as submission_id, 0::bigint as document_id, '' as category, '' as code, s.outcome, s.created_at as at
			from submissions s join merchants m on m.id = s.merchant_id where s.outcome in ('uncertain', 'stuck') order by s.id limit ?)
		union all (select d.merchant_id, m.name, 0, d.id, d.category, d.code, '', d.uploaded_at from `+stuckSQL+`'failed' order by d.id limit ?)`, limit, limit)
}

// RulesChanged is a merchant not registered yet whose checklist DOKU changed.
type RulesChanged struct {
	MerchantID MerchantID
	Name       string
	At         time.Time
	Progress   Progress `gorm:"serializer:json"`
}

// RulesChanged since a time, newest first.
func (r Reader) RulesChanged(ctx context.Context, since time.Time, limit int) ([]RulesChanged, error) {
	return scan[RulesChanged](ctx, r, `select id as merchant_id, name, set_changed_at as at, progress from merchants
		where previous_set_id is not null and registration = '' and archived_at is null and set_changed_at > ? order by set_changed_at desc, id limit ?`, since, limit)
}

// WantPolls has DOKU asked about every merchant that it registered, from now on, and says about how many.
func (tx *Tx) WantPolls() (int, error) {
	r := tx.g.Exec(`update polls set wanted_at = ?, next_at = least(next_at, ?), unchanged = 0`, tx.Now, tx.Now)
	tx.Audit(StatusAsked, Somewhere("merchants"), "n", r.RowsAffected)
	return int(r.RowsAffected), translate(r.Error)
}

// Callbacks of a merchant, newest first.
func (r Reader) Callbacks(ctx context.Context, id MerchantID, limit int) ([]Callback, error) {
	return find[Callback](r.db.WithContext(ctx).Where("merchant_id = ?", id).Order("id desc").Limit(limit))
}
