package models

import (
	"context"
	"strings"
	"time"
)

// Measure is one kind of fact that is counted, with what its keys say. Merchants that are archived count in none. A week is
// its Monday in Jakarta; a bucket is that of Bucket.
type Measure string

const (
	// As things stand; the day says nothing.
	TallyMerchants Measure = "merchants" // progress state
	TallyNext      Measure = "next"      // next actor, nobody excepted; total: seconds since 1970 of since when, summed
	TallySlots     Measure = "slots"     // category|code|slot state, of merchants not registered; total: of since when

	// By a date.
	TallyDue      Measure = "due"       // "" by due date: merchants neither complete nor registered
	TallyDueMonth Measure = "due_month" // the same by month, its first day
	TallyExpires  Measure = "expires"   // category|code by the date until which the document is valid

	// By the week in which it happened.
	TallyCompleteness Measure = "completeness" // quarter: entered less left in the week; the sum up to a week is how it stood then
	TallyPace         Measure = "pace"         // stage that was reached
	TallyDecided      Measure = "decided"      // outcome|first or later version, of decisions that count
	TallyFirstPass    Measure = "first_pass"   // outcome|category|code of decisions that count on first versions
	TallyReason       Measure = "reason"       // each reason of a refusal that counts

	// By the week too, and of the reviewer instead of whoever is responsible.
	TallyDecidedBy  Measure = "decided_by"  // outcome
	TallyQueueTime  Measure = "queue_time"  // bucket: from the queue to the decision; total: seconds
	TallyQueueMonth Measure = "queue_month" // the same by the month in which the week begins

	// By the week in which the merchant was made.
	TallyFunnel Measure = "funnel" // stage reached by now
	TallyTook   Measure = "took"   // stage|bucket: since the stage before; total: seconds
)

// Measures are all of them.
var Measures = []Measure{TallyMerchants, TallyNext, TallySlots, TallyDue, TallyDueMonth, TallyExpires, TallyCompleteness, TallyPace, TallyDecided, TallyFirstPass, TallyReason, TallyDecidedBy, TallyQueueTime, TallyQueueMonth,
	TallyFunnel, TallyTook}

// Stage is a step of a merchant's way.
type Stage string

const (
	StageCreated       Stage = "created"
	StageFirstDocument Stage = "first_document"
	StageAtDOKU        Stage = "at_doku"  // all documents
	StageApproved      Stage = "approved" // all documents
	StageRegistered    Stage = "registered"
	StageActive        Stage = "active"
)

// Stages are all of them, in their order.
var Stages = []Stage{StageCreated, StageFirstDocument, StageAtDOKU, StageApproved, StageRegistered, StageActive}

// Buckets is how many there are: durations are counted by their logarithm.
const Buckets = 22

// BucketOf bounds the durations of a bucket: from (inclusive) and to (exclusive). The last one has no end, which is 0.
func BucketOf(i int) (from, to time.Duration) {
	if i > 0 {
		from = time.Minute << (i - 1)
	}
	if i < Buckets-1 {
		to = time.Minute << i
	}
	return from, to
}

var jakarta = time.FixedZone("WIB", 7*60*60)

// WeekOf is the Monday of a time's week in Jakarta, 2006-01-02.
func WeekOf(t time.Time) string {
	t = t.In(jakarta)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7).Format(time.DateOnly)
}

var (
	// ofReviewers are the measures whose person is the reviewer. They are not told apart by both persons and kinds.
	ofReviewers = []Measure{TallyDecidedBy, TallyQueueTime, TallyQueueMonth}
	// monthly are those of which people have so many cells that whole months are kept beside days or weeks.
	monthly = map[Measure]Measure{TallyDue: TallyDueMonth, TallyQueueTime: TallyQueueMonth}
)

// tallied sums facts into cells: of all merchants, each type, entity, line and combination; of each person and each team, and
// of what these have of each combination. A query tells combination_id, person_id, measure, day, key, n and total of the
// facts. Types, entities and lines are summed from combinations, of which there are few.
func tallied(facts string) string {
	const (
		key = `f.measure, f.day, f.key`
		sum = `f.day, f.key, sum(f.n) as n, sum(f.total) as total`
		any = ` having (sum(f.n) <> 0 or sum(f.total) <> 0)`
	)
	from, each := ` from `+facts+` f`, `case when grouping(f.combination_id) = 0 then '#' || f.combination_id else '' end`
	meet := any + ` and (grouping(f.combination_id) = 1 or f.measure not in ('` + join(ofReviewers, "', '") + `'))`
	return `select f.measure, case when grouping(c.business_type) = 0 then 'type:' || c.business_type when grouping(c.legal_entity) = 0 then 'entity:' || c.legal_entity
			when grouping(c.business_line) = 0 then 'line:' || c.business_line when grouping(c.id) = 0 then '#' || c.id else '' end as kind, '' as whose, ` + sum + `
		from (select f.combination_id, f.measure, ` + sum + from + ` group by f.combination_id, ` + key + any + `) f join combinations c on c.id = f.combination_id
		group by ` + key + `, grouping sets ((), (c.business_type), (c.legal_entity), (c.business_line), (c.id))` + any + `
		union all select f.measure, ` + each + `, 'who:' || f.person_id, ` + sum + from + ` group by f.person_id, ` + key + `, grouping sets ((), (f.combination_id))` + meet + `
		union all select f.measure, ` + each + `, 'team:' || p.team, ` + sum + from + ` join people p on p.id = f.person_id where p.team <> '' group by p.team, ` + key + `, grouping sets ((), (f.combination_id))` + meet
}

func join[T ~string](list []T, between string) string {
	texts := make([]string, len(list))
	for i, v := range list {
		texts[i] = string(v)
	}
	return strings.Join(texts, between)
}

// FoldTallies adds up to limit appended changes to the tallies, unless another process is about it, and says how many.
func (k Keep) FoldTallies(ctx context.Context, limit int) (int, error) {
	return one[int](ctx, k.s.Reader, `with alone as materialized (select pg_try_advisory_xact_lock(`+foldLock+`) as got),
		folded as (delete from tally_deltas where (select got from alone) and id in (select id from tally_deltas order by id limit ?)
			returning combination_id, person_id, measure, day, key, n, total),
		added as (insert into tallies as t (measure, kind, whose, day, key, n, total) `+tallied("folded")+`
			on conflict (measure, kind, whose, day, key) do update set n = t.n + excluded.n, total = t.total + excluded.total)
		select count(*) from folded`, limit)
}

// foldLock is the advisory lock of whoever changes the tallies: nobody else does meanwhile.
const foldLock = `5011`
