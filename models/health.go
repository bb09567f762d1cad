package models

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// DOKUMinute is how one kind of call went in one minute, or in several. The times are those of calls that DOKU answered.
type DOKUMinute struct {
	Minute   time.Time
	Call     string
	Answered int
	Failed   int
	TotalMS  int64 `gorm:"column:total_ms"`
	MaxMS    int   `gorm:"column:max_ms"`
}

const minutesAdded = `answered = doku_minutes.answered + excluded.answered, failed = doku_minutes.failed + excluded.failed,
	total_ms = doku_minutes.total_ms + excluded.total_ms, max_ms = greatest(doku_minutes.max_ms, excluded.max_ms)`

// KeepMinutes adds what was seen to the minutes' figures, in one statement.
func (k Keep) KeepMinutes(ctx context.Context, minutes []DOKUMinute) error {
	if len(minutes) == 0 {
		return nil
	}
	var values []string
	var args []any
	for _, m := range minutes {
		values = append(values, "(?, ?, ?, ?, ?, ?)")
		args = append(args, m.Minute, m.Call, m.Answered, m.Failed, m.TotalMS, m.MaxMS)
	}
	_, err := k.exec(ctx, `insert into doku_minutes (minute, call, answered, failed, total_ms, max_ms) values `+strings.Join(values, ", ")+`
		on conflict (minute, call) do update set `+minutesAdded, args...)
	return err
}

// FoldMinutes makes one row a day of the minutes of days in Jakarta that ended longer ago than age.
func (k Keep) FoldMinutes(ctx context.Context, age time.Duration) error {
	const day = `date_trunc('day', minute, 'Asia/Jakarta')`
	_, err := k.exec(ctx, `with old as (delete from doku_minutes where minute < date_trunc('day', ?::timestamptz, 'Asia/Jakarta') and minute <> `+day+` returning *)
		insert into doku_minutes (minute, call, answered, failed, total_ms, max_ms)
		select `+day+`, call, sum(answered), sum(failed), sum(total_ms), max(max_ms) from old group by 1, 2
		on conflict (minute, call) do update set `+minutesAdded, k.s.now().Add(-age))
	return err
}

// SweepMinutes forgets minutes older than age.
func (k Keep) SweepMinutes(ctx context.Context, age time.Duration) error {
	_, err := k.exec(ctx, `delete from doku_minutes where minute < ?`, k.s.now().Add(-age))
	return err
}

// DOKUMinutes are DOKU's calls since then, in steps of whole minutes that begin at since, by kind. Of folded days there are
// only whole ones.
func (r Reader) DOKUMinutes(ctx context.Context, since time.Time, step time.Duration) ([]DOKUMinute, error) {
	return scan[DOKUMinute](ctx, r, `select date_bin(make_interval(secs => ?), minute, ?::timestamptz) as minute, call, sum(answered) as answered, sum(failed) as failed,
			sum(total_ms) as total_ms, max(max_ms) as max_ms
		from doku_minutes where minute >= ? group by 1, 2 order by 1, 2`, step.Seconds(), since, since)
}

// Deliveries is what is on its way to DOKU and what does not get on, each count no further than a limit.
type Deliveries struct {
	Waiting  int
	Sending  int
	Refused  int // by DOKU, of documents that count
	GivenUp  int
	Next     *time.Time // when the next waiting one has its turn
	Oldest   *DocumentID
	Since    time.Time // when the oldest was accepted
	Merchant MerchantID
	Name     string // of the merchant
	Category string
	Code     string
	Problem  string
}

// stuckSQL are documents in a state that count: the newest of a slot that somebody asks for, of a merchant that is not archived.
const stuckSQL = `documents d join slots s on s.document_id = d.id and s.state in ('refused', 'failed') join merchants m on m.id = d.merchant_id and m.archived_at is null
	where d.state in ('refused', 'failed') and d.withdrawn_at is null and d.state = `

// Deliveries in one statement.
func (r Reader) Deliveries(ctx context.Context, limit int) (Deliveries, error) {
	count := func(from string) string {
		return fmt.Sprintf(`(select count(*) from (select 1 from %s limit %d) c)`, from, limit)
	}
	return one[Deliveries](ctx, r, `select `+count(`documents where state = 'waiting' and withdrawn_at is null`)+` as waiting,
		`+count(`documents where state = 'sending' and withdrawn_at is null`)+` as sending,
		`+count(stuckSQL+`'refused'`)+` as refused, `+count(stuckSQL+`'failed'`)+` as given_up,
		(select next_attempt_at from documents where state in ('waiting', 'sending') and state = 'waiting' and withdrawn_at is null order by next_attempt_at limit 1) as next,
		o.id as oldest, o.uploaded_at as since, o.merchant_id as merchant, m.name, o.category, o.code, o.problem
		from (select 1) always left join (select * from documents where state in ('waiting', 'sending') and withdrawn_at is null order by uploaded_at limit 1) o on true
		left join merchants m on m.id = o.merchant_id`)
}

// RetryGivenUp puts the given-up documents of up to limit merchants back on their way, in their order, and returns those
// merchants, locked: their progress is another now. No merchants are left when it returns none.
func (tx *Tx) RetryGivenUp(limit int) (merchants []Merchant, documents int, err error) {
	err = tx.g.Raw(`select * from merchants m where m.archived_at is null and m.id in (select d.merchant_id from `+stuckSQL+`'failed') order by m.id limit ? for update`, limit).Scan(&merchants).Error
	if err != nil || len(merchants) == 0 {
		return nil, 0, translate(err)
	}
	ids := make([]MerchantID, len(merchants))
	for i, m := range merchants {
		ids[i] = m.ID
	}
	var again []Document
	err = tx.g.Raw(`with again as (
			update documents set state = 'waiting', attempts = 0, unclear = 0, problem = '', doku_says = '', next_attempt_at = ?
			from slots s where s.document_id = documents.id and s.state = 'failed' and documents.merchant_id in ? and documents.state = 'failed' and documents.withdrawn_at is null
			returning documents.id, documents.merchant_id, documents.category, documents.code, documents.version),
		history as (insert into transitions (at, merchant_id, subject_kind, subject_id, from_state, to_state, actor_kind, actor_id, team)
			select ?, merchant_id, 'document', id, 'failed', 'waiting', ?, ?, ? from again)
		select * from again order by id`, turnPast(tx.Now), ids, tx.Now, tx.Actor.Kind, orNil(int64(tx.Actor.Person)), tx.Actor.Team).Scan(&again).Error
	for _, d := range again {
		tx.Audit(DocumentRetried, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version)
	}
	return merchants, len(again), translate(err)
}

// WakeWaiting lets up to limit documents that wait for their turn have it now.
func (tx *Tx) WakeWaiting(limit int) (int, error) {
	r := tx.g.Exec(`update documents set next_attempt_at = ? where id in (select id from documents where state = 'waiting' and withdrawn_at is null and next_attempt_at > ?
		order by next_attempt_at limit ? for update skip locked)`, turnPast(tx.Now), tx.Now, limit)
	return int(r.RowsAffected), translate(r.Error)
}

// RetriedDeliveries records that everything was told to try again, and how much that was.
func (tx *Tx) RetriedDeliveries(givenUp, waiting int) {
	tx.Audit(DeliveriesRetried, Somewhere("deliveries"), "given_up", givenUp, "waiting", waiting)
}

// turnPast is a turn so long missed that the next sweep hands the document to the queue.
func turnPast(now time.Time) time.Time { return now.Add(-time.Minute) }
