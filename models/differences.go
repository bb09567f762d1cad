package models

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// DifferingMerchant is a merchant that is another at DOKU than here. With a SubmissionID it is an earlier business of it that is.
type DifferingMerchant struct {
	MerchantID   MerchantID
	Name         string
	AnsweredAt   *time.Time
	Differences  []Difference `gorm:"serializer:json"`
	SubmissionID SubmissionID
	BrandID      string
}

// Differing are merchants that differ at DOKU, by name.
func (r Reader) Differing(ctx context.Context, limit int) ([]DifferingMerchant, error) {
	return scan[DifferingMerchant](ctx, r, `select p.merchant_id, m.name, p.answered_at, p.differences, 0::bigint as submission_id, '' as brand_id from polls p join merchants m on m.id = p.merchant_id
			where p.differences <> '[]'
		union all select s.merchant_id, m.name, s.compared_at, s.differences, s.id, s.brand_id from submissions s join merchants m on m.id = s.merchant_id where s.differences <> '[]'
		order by name, merchant_id, submission_id limit ?`, limit)
}

// LostAtDOKU reports whether DOKU, when it was last asked, did not show a document that ought to be there.
func (r Reader) LostAtDOKU(ctx context.Context, d Document) (bool, error) {
	return one[bool](ctx, r, `select exists (select from polls where merchant_id = ? and differences @> ?::jsonb) or exists (select from submissions where merchant_id = ? and differences @> ?::jsonb)`,
		d.MerchantID, notShown(d), d.MerchantID, notShown(d))
}

func notShown(d Document) string { return fmt.Sprintf(`[{"code": "not_shown", "document": %d}]`, d.ID) }

// Restored notes that what DOKU lost of a document is being mended.
func (tx *Tx) Restored(d Document) error {
	for _, table := range []string{"polls", "submissions"} {
		err := tx.g.Exec(`update `+table+` set differences = (select coalesce(jsonb_agg(x), '[]') from jsonb_array_elements(differences) x where not x @> jsonb_build_object('code', 'not_shown', 'document', ?::bigint))
			where merchant_id = ? and differences <> '[]'`, d.ID, d.MerchantID).Error
		if err != nil {
			return translate(err)
		}
	}
	return nil
}

// madeSQL are submissions that made a business: what was seeded never left.
const madeSQL = `brand_id <> '' and body <> ''`

// ToCompare are submissions that made a business and were not compared with DOKU since a time, those longest ago first.
func (r Reader) ToCompare(ctx context.Context, since time.Time, limit int) ([]Submission, error) {
	return scan[Submission](ctx, r, `select * from submissions where `+madeSQL+` and coalesce(compared_at, settled_at) < ? order by coalesce(compared_at, settled_at), id limit ?`, since, limit)
}

// Made are the submissions of a merchant that made a business.
func (r Reader) Made(ctx context.Context, id MerchantID) ([]Submission, error) {
	return scan[Submission](ctx, r, `select * from submissions where merchant_id = ? and `+madeSQL+` order by id`, id)
}

// Compared keeps what holding a submission's business against DOKU's showed.
func (k Keep) Compared(ctx context.Context, id SubmissionID, differences []Difference) error {
	if differences == nil {
		differences = []Difference{}
	}
	shown, err := json.Marshal(differences)
	if err == nil {
		_, err = k.exec(ctx, `update submissions set compared_at = ?, differences = ?::jsonb where id = ?`, k.s.now(), string(shown), id)
	}
	return err
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

// WantPolls has DOKU asked about every brand id that it gave, from now on, and says about how many.
func (tx *Tx) WantPolls() (int, error) {
	r := tx.g.Exec(`update polls set wanted_at = ?, next_at = least(next_at, ?), unchanged = 0`, tx.Now, tx.Now)
	earlier := tx.g.Exec(`update submissions s set compared_at = 'epoch' where ` + madeSQL + ` and not exists (select from merchants m where m.submission_id = s.id and m.registration = 'registered')`)
	n := r.RowsAffected + earlier.RowsAffected
	tx.Audit(StatusAsked, Somewhere("merchants"), "n", n)
	return int(n), firstError(translate(r.Error), translate(earlier.Error))
}

// Callbacks of a merchant, newest first.
func (r Reader) Callbacks(ctx context.Context, id MerchantID, limit int) ([]Callback, error) {
	return find[Callback](r.db.WithContext(ctx).Where("merchant_id = ?", id).Order("id desc").Limit(limit))
}
