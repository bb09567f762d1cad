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
	TallyDue     Measure = "due"     // "" by due date: merchants neither complete nor registered
	TallyExpires Measure = "expires" // category|code by the date until which the document is valid

	// By the week in which it happened.
	TallyCompleteness Measure = "completeness" // quarter: entered less left in the week; the sum up to a week is how it stood then
	TallyPace         Measure = "pace"         // stage that was reached
	TallyDecided      Measure = "decided"      // outcome|first or later version, of decisions that count
	TallyFirstPass    Measure = "first_pass"   // outcome|category|code of decisions that count on first versions
	TallyReason       Measure = "reason"       // each reason of a refusal that counts

	// By the week too, and of the reviewer instead of whoever is responsible.
	TallyDecidedBy Measure = "decided_by" // outcome
	TallyQueueTime Measure = "queue_time" // bucket: from the queue to the decision; total: seconds

	// By the week in which the merchant was made.
	TallyFunnel Measure = "funnel" // stage reached by now
	TallyTook   Measure = "took"   // stage|bucket: since the stage before; total: seconds
)

// Measures are all of them.
var Measures = []Measure{TallyMerchants, TallyNext, TallySlots, TallyDue, TallyExpires, TallyCompleteness, TallyPace, TallyDecided, TallyFirstPass, TallyReason, TallyDecidedBy, TallyQueueTime, TallyFunnel, TallyTook}

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
	// standing are the measures whose day says nothing.
	standing = []Measure{TallyMerchants, TallyNext, TallySlots}
	// ofReviewers are those whose person is the reviewer. They are not told apart by both persons and kinds.
	ofReviewers = []Measure{TallyDecidedBy, TallyQueueTime}
)

// byMonth is the measure that counts the same by months, their first days: a long period is few of its cells.
func (m Measure) byMonth() Measure { return m + "_month" }

// anyKind stands for all business types, all legal entities or all business lines where a kind is told as type|entity|line.
const anyKind = "*"

// tallied sums facts into cells. Everybody's and each team's are of every kind of merchants, by days and by months. A person's
// are of all merchants, by days and by months; of every kind, as things stand; and else, of the narrowest kinds alone, in which
// a person has little. A query tells combination_id, person_id, measure, day, key, n and total of the facts.
func tallied(facts string) string {
	const (
		kinds   = `f.business_type, f.legal_entity, f.business_line`
		kind    = `coalesce(f.business_type, '` + anyKind + `') || '|' || coalesce(f.legal_entity, '` + anyKind + `') || '|' || coalesce(f.business_line, '` + anyKind + `')`
		sum     = `f.day, f.key, sum(f.n) as n, sum(f.total) as total`
		nonzero = ` having (sum(f.n) <> 0 or sum(f.total) <> 0)`
	)
	stands, reviewed := `in ('`+join(standing, "', '")+`')`, `in ('`+join(ofReviewers, "', '")+`')`
	spans := ` cross join lateral (select f.measure, f.day union all select f.measure || '` + string(Measure("").byMonth()) + `', date_trunc('month', f.day::timestamp)::date where f.measure not ` + stands + `) s(measure, day)`
	return `(with narrow as materialized (select c.business_type, c.legal_entity, c.business_line, f.person_id, f.measure, ` + sum + `
			from ` + facts + ` f join combinations c on c.id = f.combination_id group by 1, 2, 3, 4, f.measure, f.day, f.key` + nonzero + `),
		many as (select ` + kinds + `, coalesce('team:' || p.team, '') as whose, f.measure, ` + sum + ` from narrow f left join people p on p.id = f.person_id and p.team <> ''
			group by ` + kinds + `, f.measure, f.day, f.key, grouping sets ((), (p.team)) having grouping(p.team) = 1 or p.team is not null)
		select s.measure, ` + kind + ` as kind, f.whose, s.day, f.key, sum(f.n) as n, sum(f.total) as total from many f` + spans + `
			group by f.whose, s.measure, s.day, f.key, f.measure, cube (` + kinds + `)` + nonzero + ` and (f.whose = '' or grouping(` + kinds + `) = 7 or f.measure not ` + reviewed + `)
		union all select f.measure, ` + kind + `, 'who:' || f.person_id, ` + sum + ` from narrow f where f.measure ` + stands + ` group by f.person_id, f.measure, f.day, f.key, cube (` + kinds + `)` + nonzero + `
		union all select f.measure, ` + kind + `, 'who:' || f.person_id, f.day, f.key, f.n, f.total from narrow f where f.measure not ` + stands + ` and f.measure not ` + reviewed + `
		union all select s.measure, '` + anyKind + `|` + anyKind + `|` + anyKind + `', 'who:' || f.person_id, s.day, f.key, sum(f.n), sum(f.total) from narrow f` + spans + ` where f.measure not ` + stands + ` group by f.person_id, s.measure, s.day, f.key` + nonzero + `)`
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
		added as (insert into tallies as t (measure, kind, whose, day, key, n, total) select * from `+tallied("folded")+` c
			on conflict (measure, kind, whose, day, key) do update set n = t.n + excluded.n, total = t.total + excluded.total)
		select count(*) from folded`, limit)
}

// foldLock is the advisory lock of whoever changes the tallies: nobody else does meanwhile.
const foldLock = `5011`
