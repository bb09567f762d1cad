package models

import (
	"context"
	"encoding/json"
	"time"
)

// Difference is one way in which DOKU's view of a merchant is not ours.
type Difference struct {
	Code     string     `json:"code"`               // brand_unknown, not_shown, not_active
	Document DocumentID `json:"document,omitempty"` // that DOKU does not show
	Says     string     `json:"says,omitempty"`     // DOKU's status, verbatim
}

// Poll is when DOKU is asked about a registered merchant, and what came of the last time.
type Poll struct {
	MerchantID   MerchantID `gorm:"primaryKey"`
	NextAt       time.Time
	WantedAt     *time.Time
	Turn         int64 // of whoever asked last
	AnsweredTurn int64 // whose answer is kept
	AnsweredAt   *time.Time
	Covers       int64 // the last callback that the turn's answer is newer than
	ClaimedBy    string
	ClaimedUntil *time.Time
	Unchanged    int
	Problem      string       // why DOKU did not answer last; "" when it did
	Differences  []Difference `gorm:"serializer:json"`
}

// firstPoll is how long after a business came to be DOKU is asked about it for the first time.
const firstPoll = 2 * time.Minute

// Poll of a merchant; the zero Poll when it is not polled.
func (r Reader) Poll(ctx context.Context, id MerchantID) (Poll, error) {
	return one[Poll](ctx, r, `select * from polls where merchant_id = ?`, id)
}

// watch has a merchant that became a business polled from a time on; at once when DOKU called back meanwhile.
func (tx *Tx) watch(id MerchantID, next time.Time) error {
	return translate(tx.g.Exec(`insert into polls (merchant_id, next_at) select ?, case when exists (select from callbacks where merchant_id = ? and worked_at is null) then ?::timestamptz else ? end
		on conflict (merchant_id) do update set next_at = excluded.next_at, unchanged = 0, problem = '', differences = '[]'`, id, id, tx.Now, next).Error)
}

// unwatch ends the polling of a merchant whose business does not count any more.
func (tx *Tx) unwatch(id MerchantID) error {
	return translate(tx.g.Exec(`delete from polls where merchant_id = ?`, id).Error)
}

// Answered keeps that DOKU answered a turn; false when a later turn's answer is kept already. The merchant must be locked.
func (tx *Tx) Answered(id MerchantID, turn int64) (newer bool, err error) {
	r := tx.g.Exec(`update polls set answered_turn = ?, answered_at = ? where merchant_id = ? and answered_turn <= ?`, turn, tx.Now, id, turn)
	return r.RowsAffected > 0, translate(r.Error)
}

// KeepStatus keeps how a merchant's business stands at DOKU, in DOKU's words. The merchant must be locked.
func (tx *Tx) KeepStatus(m Merchant, business, brand string) error {
	tx.Audit(StatusChanged, m.ID.Ref(), "business_id", m.BusinessID, "brand_id", m.BrandID, "status", business, "brand_status", brand, "before", m.BusinessStatus)
	err := swapped(tx.g.Exec(`update merchants set business_status = ?, brand_status = ?, updated_at = ? where id = ?`, business, brand, tx.Now, m.ID))
	return firstError(err, translate(tx.transition(m.ID, "business", int64(m.ID), m.BusinessStatus, business)))
}

// WantedPoll records that a person had DOKU asked about a merchant.
func (tx *Tx) WantedPoll(id MerchantID) { tx.Audit(StatusAsked, id.Ref()) }

// ClaimPolls makes holder the one that asks DOKU about up to limit merchants whose turn it is, until the lease ends.
func (k Keep) ClaimPolls(ctx context.Context, holder string, d time.Duration, limit int) ([]Poll, error) {
	now := k.s.now()
	return scan[Poll](ctx, k.s.Reader, claimPolls+`merchant_id in (select merchant_id from polls where next_at <= ? and (claimed_until is null or claimed_until < ?)
		order by next_at limit ? for update skip locked) returning *`, holder, now.Add(d), now, now, now, limit)
}

// ClaimPoll is ClaimPolls for one merchant, whenever its turn is; none when it is not polled, or another asks.
func (k Keep) ClaimPoll(ctx context.Context, id MerchantID, holder string, d time.Duration) ([]Poll, error) {
	now := k.s.now()
	return scan[Poll](ctx, k.s.Reader, claimPolls+`merchant_id = ? and (claimed_until is null or claimed_until < ?) returning *`, holder, now.Add(d), now, id, now)
}

// claimPolls has whom it claims be due: should the holder die over it, the next one asks as soon as the lease is over.
const claimPolls = `update polls set claimed_by = ?, claimed_until = ?, next_at = least(next_at, ?), turn = turn + 1, covers = coalesce((select max(id) from callbacks c where c.merchant_id = polls.merchant_id), 0) where `

// TakeTurn is for who asks DOKU about a merchant for another reason, which its poller need not wait for. A merchant that was not
// polled is from next on.
func (k Keep) TakeTurn(ctx context.Context, id MerchantID, next time.Time) (int64, error) {
	return one[int64](ctx, k.s.Reader, `insert into polls (merchant_id, next_at, turn) values (?, ?, 1)
		on conflict (merchant_id) do update set turn = polls.turn + 1 returning turn`, id, next)
}

// Polled is what came of asking DOKU about a merchant.
type Polled struct {
	Problem     string // why there is no answer; "" when there is one
	Changed     bool
	Differences []Difference // that the answer showed
	Next        time.Time
}

// KeepPoll gives a claimed poll back. Somebody who wanted an answer since the turn was taken has it asked again at once, as has a
// callback since; the callbacks that an answer covers are worked.
func (k Keep) KeepPoll(ctx context.Context, p Poll, began time.Time, v Polled) error {
	if v.Differences == nil {
		v.Differences = []Difference{}
	}
	differences, err := json.Marshal(v.Differences)
	if err != nil {
		return err
	}
	now, answered := k.s.now(), v.Problem == ""
	_, err = k.exec(ctx, `with worked as (update callbacks set worked_at = ?, outcome = 'asked' where ? and merchant_id = ? and id <= ? and worked_at is null)
		update polls set claimed_by = '', claimed_until = null, problem = ?, unchanged = case when ? then 0 else unchanged + 1 end,
			next_at = case when wanted_at > ? or exists (select from callbacks c where c.merchant_id = polls.merchant_id and c.id > ? and c.worked_at is null) then ?::timestamptz else ?::timestamptz end, answered_at = case when ? then ?::timestamptz else answered_at end,
			answered_turn = case when ? then greatest(answered_turn, ?::bigint) else answered_turn end, differences = case when ? then ?::jsonb else differences end
		where merchant_id = ? and claimed_by = ?`, now, answered, p.MerchantID, p.Covers, v.Problem, v.Changed, began, p.Covers, now, v.Next, answered, now, answered, p.Turn, answered, string(differences),
		p.MerchantID, p.ClaimedBy)
	if v.Changed {
		k.s.notify(ctx, map[MerchantID]bool{p.MerchantID: true})
	}
	return err
}

// WantPoll has a merchant's turn come at once.
func (k Keep) WantPoll(ctx context.Context, id MerchantID) error {
	now := k.s.now()
	_, err := k.exec(ctx, `update polls set wanted_at = ?, next_at = least(next_at, ?), unchanged = 0 where merchant_id = ?`, now, now, id)
	return err
}
