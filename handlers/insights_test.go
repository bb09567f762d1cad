package handlers

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"berkas/models"
	"berkas/onboarding"
)

// portfolio makes merchants in every state and of several kinds, with documents, decisions and two years behind them.
func (b *bench) portfolio(n int) {
	b.Helper()
	b.as(models.RoleStaff).merchant()
	b.await("the checklist", func() bool { return b.count("select count(*) from merchants where set_id is not null") == 1 })
	b.endWork()
	b.exec(`update people set team = case role when 'staff' then 'Jakarta' when 'manager' then 'Surabaya' else '' end`)
	b.exec(`insert into combinations (business_type, legal_entity, business_line, nationality) values ('CORPORATE', 'PT', 'MINING', 'ID'), ('CORPORATE', 'CV', 'RETAIL', 'ID')`)
	b.exec(`insert into merchants (uid, name, name_normal, nationality, progress, set_id, business_type, legal_entity, business_line, combination_id, progress_state, next_actor, next_actor_since,
			responsible_id, due_on, created_at, updated_at, first_document_at, at_doku_at, approved_at, registered_at, active_at, quarter, course, archived_at)
		select gen_random_uuid(), 'Merchant ' || i, 'merchant ' || i, m.nationality, m.progress, m.set_id, c.business_type, c.legal_entity, c.business_line, c.id, s.state,
			case s.state when 'todo' then 'staff' when 'failed' then 'staff' when 'refused' then (array['staff', 'merchant'])[1 + i % 2] when 'waiting' then 'doku' when 'pending' then 'doku'
				when 'complete' then (array['reviewer', 'nobody'])[1 + i % 2] else 'nobody' end,
			now() - i * interval '7 hours', case i % 3 when 0 then m.responsible_id when 1 then (select id from people where role = 'manager') end, case when i % 2 = 0 then current_date - 20 + i % 40 end,
			t.born, now(), case when s.rank > 0 then least(now() - interval '1 hour', t.born + i % 5 * interval '9 hours') end, case when s.rank > 1 then least(now() - interval '1 hour', t.born + (2 + i % 6) * interval '1 day') end,
			case when s.rank > 2 then least(now() - interval '1 hour', t.born + (9 + i % 3) * interval '25 hours') end, case when s.rank > 3 then least(now() - interval '1 hour', t.born + (13 + i % 4) * interval '26 hours') end,
			case when s.rank > 3 and i % 2 = 0 then now() - interval '1 hour' end, q.quarter,
			jsonb_build_array(jsonb_build_object('week', week_of(t.born), 'quarter', '0'), jsonb_build_object('week', week_of(least(now(), t.born + interval '20 days')), 'quarter', q.quarter)),
			case when i % 13 = 0 then now() end
		from merchants m, generate_series(1, $1) i,
			lateral (select (array['pending', 'todo', 'registered', 'waiting', 'registered', 'refused', 'failed', 'complete'])[1 + i % 8] as state, (array[0, 1, 4, 1, 4, 1, 1, 3])[1 + i % 8] as rank) s,
			lateral (select now() - i * 37 % 130 * interval '29 hours' as born) t, lateral (select case s.state when 'registered' then 'registered' when 'complete' then '4' else (i % 4)::text end as quarter) q,
			lateral (select * from combinations c order by c.id offset i % 3 limit 1) c`, n)
	b.exec(`insert into slots (merchant_id, owner_path, category, code, by_hand, state, state_since, expires_on, refused_for)
		select m.id, 'x', k.category, k.code, true, s.state, now() - (m.id * 11 + k.i) % 300 * interval '1 hour', case when (m.id + k.i) % 3 = 0 then current_date - 10 + ((m.id * 3 + k.i) % 120)::integer end,
			case when s.state = 'refused' then 'image_blurry' else '' end
		from merchants m, (values (1, 'DOCUMENT', 'KTP'), (2, 'DOCUMENT', 'NIB'), (3, 'PHOTO_PROOF', ''), (4, 'DOCUMENT', 'PASPOR')) k(i, category, code),
			lateral (select (array['missing', 'waiting', 'delivered', 'approved', 'refused', 'failed', 'approved'])[1 + (m.id * 5 + k.i * 3) % 7] as state) s`)
	b.exec(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, uploaded_at) select gen_random_uuid(), merchant_id, id, 1 + id % 2, category, code, 'delivered', now() from slots where owner_path = 'x' and state in ('approved', 'refused')`)
	b.exec(`insert into decisions (uid, document_id, merchant_id, version, outcome, standing, reasons, facts, decided_by, queued_at, decided_at)
		select gen_random_uuid(), d.id, d.merchant_id, d.version, s.state, case when d.id % 9 = 0 then 'undone' else 'counts' end,
			case when s.state <> 'refused' then '[]' when d.id % 3 = 0 then '["image_cropped", "image_blurry"]' else '["image_blurry"]' end::jsonb, '',
			(select id from people where role = (array['reviewer', 'admin'])[1 + d.id % 2]), t.at - d.id * 31 % 3000 * interval '1 minute', t.at
		from documents d join slots s on s.id = d.slot_id, lateral (select now() - d.id * 13 % 120 * interval '26 hours' as at) t where s.owner_path = 'x'`)
	b.exec(`insert into doku_minutes (minute, call, answered, failed, total_ms, max_ms) select date_trunc('minute', now()) - i * interval '30 hours', (array['upload', 'token'])[1 + i % 2], i, i % 3, i * 400, i * 90 from generate_series(1, 60) i`)
}

const all = "true"

// countedSQL is what every figure is counted from: the rows of a filter as they stood at a time, $1, and the weeks since, $2.
const countedSQL = `with t as (select $1::timestamptz as now, ($1::timestamptz at time zone 'Asia/Jakarta')::date as today, date_trunc('week', $1::timestamptz at time zone 'Asia/Jakarta')::date as monday),
	m as (select m.*, date_trunc('week', m.created_at at time zone 'Asia/Jakarta')::date as born, date_trunc('week', m.registered_at at time zone 'Asia/Jakarta')::date as registered
		from merchants m left join people p on p.id = m.responsible_id where m.archived_at is null and %s),
	p as (select monday - 7 * ($2::int - 1) as since from t),
	s as (select s.*, rtrim(s.category || ':' || s.code, ':') as doc, m.registered_at from slots s join m on m.id = s.merchant_id where s.state <> ''),
	v as (select v.*, rtrim(d.category || ':' || d.code, ':') as doc, m.business_line, m.legal_entity from decisions v join documents d on d.id = v.document_id join m on m.id = v.merchant_id, p
		where v.standing = 'counts' and (v.decided_at at time zone 'Asia/Jakarta')::date >= p.since),
	first as (select * from v where version = 1),
	waits as (select s.*, extract(epoch from t.now - state_since) as age from s, t where registered_at is null and state <> 'approved'),
	stages as (select x.i, x.stage, x.at, x.before from m, p, lateral (values (1, 'created', created_at, null), (2, 'first_document', first_document_at, created_at), (3, 'at_doku', at_doku_at, first_document_at),
		(4, 'approved', approved_at, at_doku_at), (5, 'registered', registered_at, approved_at), (6, 'active', active_at, registered_at)) x(i, stage, at, before) where m.born >= p.since and x.at is not null),
	who as (select coalesce(responsible_id::text, 'nobody') as who, m.*, extract(epoch from t.now - next_actor_since) as age from m, t),
	reviewed as (select v.*, case when $3 then 'all' else v.decided_by::text end as who, extract(epoch from v.decided_at - v.queued_at) as took
		from decisions v join documents d on d.id = v.document_id join merchants m on m.id = v.merchant_id left join people p on p.id = v.decided_by, p since
		where v.standing = 'counts' and m.archived_at is null and (v.decided_at at time zone 'Asia/Jakarta')::date >= since.since and %s),
	windows as (select w.name, s.doc from s, t, (values ('expired', -1000000, -1), ('7', 0, 7), ('30', 0, 30), ('90', 0, 90)) w(name, first, last) where s.expires_on between t.today + w.first and t.today + w.last),
	queued as (select who, took from reviewed where who <> 'all' union all select 'all', took from reviewed),
	uploads as (select d.*, date_trunc(case when $2 <= 4 then 'day' else 'week' end, minute at time zone 'Asia/Jakarta')::date as step from doku_minutes d, p
		where call = 'upload' and (minute at time zone 'Asia/Jakarta')::date >= p.since),
	weeks as (select day::date, (select count(*) from m where registered = day::date) as n from t, generate_series(monday - 56, monday - 7, interval '7 days') day),
	paces as (select count(*) as k, avg(n)::float8 as pace, 1.28 * greatest(stddev_samp(n), sqrt(avg(n)))::float8 as band from weeks where day >= (select min(day) from weeks where n > 0))
`

// figureSQL are the figures by their names, each counted from the rows. A duration of many is exact here.
var figureSQL = []string{
	`select 'merchants_total', count(*) from m`,
	`select 'merchants_registered', count(*) from m where registered_at is not null`,
	`select 'merchants_complete', count(*) from m where progress_state = 'complete'`,
	`select 'merchants_overdue', count(*) from m, t where due_on < today and progress_state not in ('complete', 'registered')`,
	`select 'documents_undecided', count(*) from waits where state = 'delivered'`,
	`select 'documents_refused', count(*) from waits where state = 'refused'`,
	`select 'documents_expiring', count(*) from windows where name = '30'`,
	`select 'first_pass_yield', avg((outcome = 'approved')::int) from first`,
	`select 'funnel:' || stage, count(*) from stages group by 1`,
	`select 'funnel_share:' || stage, count(*)::float8 / (select count(*) from stages where stage = 'created') from stages group by stage`,
	`select 'funnel_median_seconds:' || stage, percentile_disc(0.5) within group (order by extract(epoch from at - before)) from stages where before is not null group by stage`,
	`select 'standing:' || q || ':' || w, (select count(*) from m, t where (select step ->> 'quarter' from jsonb_array_elements(course) with ordinality c(step, i) where w = 0 or (step ->> 'week')::date < t.monday - 7 * w order by i desc limit 1) = q)
		from unnest(array['0', '1', '2', '3', '4', 'registered']) q, unnest(array[0, 4, 8, 12]) w`,
	`select 'registered_in_week:' || day::date, (select count(*) from m where registered = day::date) from t, p, generate_series(p.since, t.monday, interval '7 days') day`,
	`select 'pace_per_week', pace from paces where k >= 4`,
	`select 'forecast_low', round(greatest(0, pace - band)::numeric) from paces where k >= 4`,
	`select 'forecast_high', round((pace + band)::numeric) from paces where k >= 4`,
	`select 'forecast_weeks', ceil((select count(*) from m where registered_at is null) / pace) from paces where k >= 4 and exists (select from m where registered_at is null)`,
	`select 'merchants_not_registered', count(*) from m, paces where registered_at is null and k >= 4`,
	`select 'open:' || doc, count(*) filter (where state <> 'delivered') from waits group by doc`,
	`select 'open_age_seconds:' || doc, avg(age) from waits where state <> 'delivered' group by doc`,
	`select x || ':' || doc, count(*) filter (where state = x) from waits, unnest(array['missing', 'refused', 'failed', 'waiting', 'delivered']) x group by doc, x`,
	`select 'reason:' || r, count(*) from v, jsonb_array_elements_text(reasons) r where outcome = 'refused' group by r`,
	`select 'reason_share:' || r, sum(n) over (order by n desc, r) / sum(n) over () from (select r, count(*) as n from v, jsonb_array_elements_text(reasons) r where outcome = 'refused' group by r) r`,
	`select 'yield_documents:' || doc, avg((outcome = 'approved')::int) from first group by doc`,
	`select 'yield_documents_decided:' || doc, count(*) from first group by doc`,
	`select 'yield_lines:' || business_line, avg((outcome = 'approved')::int) from first group by business_line`,
	`select 'yield_lines_decided:' || business_line, count(*) from first group by business_line`,
	`select 'yield_entities:' || legal_entity, avg((outcome = 'approved')::int) from first group by legal_entity`,
	`select 'yield_entities_decided:' || legal_entity, count(*) from first group by legal_entity`,
	`select 'next:' || next_actor, count(*) from who where next_actor <> 'nobody' group by next_actor`,
	`select 'next_age_seconds:' || next_actor, avg(age) from who where next_actor <> 'nobody' group by next_actor`,
	`select 'work:' || who, count(*) from who where progress_state not in ('complete', 'registered') group by who`,
	`select 'work_staff:' || who, count(*) from who where next_actor = 'staff' group by who`,
	`select 'work_age_seconds:' || who, avg(age) from who where next_actor = 'staff' group by who`,
	`select 'overdue:' || who, count(*) from who, t where due_on < today and progress_state not in ('complete', 'registered') group by who`,
	`select 'decided:' || who, count(*) from reviewed group by who`,
	`select 'decided_refused:' || who, avg((outcome = 'refused')::int) from reviewed group by who`,
	`select 'queue_median_seconds:' || who, percentile_disc(0.5) within group (order by took) from queued group by who`,
	`select 'queue_p90_seconds:' || who, percentile_disc(0.9) within group (order by took) from queued group by who`,
	`select 'expiring:' || name, count(*) from windows group by name`,
	`select 'expiring:' || name || ':' || doc, count(*) from windows group by name, doc`,
	`select 'doku_seconds:' || step, sum(total_ms) / 1000.0 / nullif(sum(answered), 0) from uploads group by step`,
	`select 'doku_failed:' || step, sum(failed) from uploads group by step`,
	`select x.name, x.value from (select sum(answered) as n, sum(failed) as failed, sum(total_ms) / 1000.0 / sum(answered) as average, max(max_ms) / 1000.0 as slowest from uploads) d,
		lateral (values ('doku_sent', n), ('doku_failed', failed), ('doku_seconds', average), ('doku_slowest_seconds', slowest)) x(name, value)`,
}

// counted are the figures of a filter, in SQL on a merchant m and its colleague p, who is the reviewer where these are counted.
func (b *bench) counted(kinds, people, asOf string, weeks int) map[string]float64 {
	b.Helper()
	reviewers := people
	if kinds != all {
		reviewers = kinds
	}
	var parts []string
	for i, sql := range figureSQL {
		parts = append(parts, fmt.Sprintf(`select name, value::float8 from (%s) f%d(name, value) where value is not null`, sql, i))
	}
	rows, err := b.db.Pool.Query(b.Context(), fmt.Sprintf(countedSQL, kinds+" and "+people, reviewers)+strings.Join(parts, " union all "), asOf, weeks, kinds != all)
	b.must(err)
	figures := map[string]float64{}
	for rows.Next() {
		var name string
		var value float64
		b.must(rows.Scan(&name, &value))
		figures[name] = value
	}
	b.must(rows.Err())
	return figures
}

// shown are the figures of a page, and when they were taken.
func (v *visitor) shown(path string) (asOf string, figures map[string]string) {
	v.Helper()
	d := v.get(path).is(200, path).doc()
	figures = map[string]string{}
	for _, f := range d.Find("[data-figure]").EachIter() {
		name := attr(f, "data-figure")
		if _, twice := figures[name]; twice {
			v.Errorf("%s has the figure %s twice", path, name)
		}
		figures[name] = attr(f, "data-value")
	}
	return attr(d.Find("[data-as-of]"), "data-as-of"), figures
}

// figuresHold holds each figure of the page against what is counted from the rows of whatever database there is.
func (v *visitor) figuresHold(query url.Values, kinds, people string) int {
	v.Helper()
	path, weeks := "/insights?"+query.Encode(), 12
	if n, err := strconv.Atoi(query.Get("period")); err == nil {
		weeks = n
	}
	asOf, shown := v.shown(path)
	counted := v.counted(kinds, people, asOf, weeks)
	for _, name := range slices.Sorted(maps.Keys(shown)) {
		want, known := counted[name]
		got, err := strconv.ParseFloat(shown[name], 64)
		switch {
		case shown[name] == "" && !known: // there is nothing to tell it from
		case !known && got == 0 && err == nil:
		case err != nil || !known || !asGood(name, got, want):
			v.Errorf("%s: %s is %q, but %v (%t) of the rows", path, name, shown[name], want, known)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(counted)) {
		if _, there := shown[name]; !there && counted[name] != 0 && !strings.Contains(name, ":") {
			v.Errorf("%s lacks %s, %v", path, name, counted[name])
		}
	}
	return len(shown)
}

// asGood compares a figure with the exact one: to its four decimals, an average age to the second in which it was taken,
// a median within its bucket.
func asGood(name string, got, want float64) bool {
	switch {
	case strings.Contains(name, "_age_"):
		return math.Abs(got-want) <= 2
	case strings.Contains(name, "_median_") || strings.Contains(name, "_p90_"):
		for i := range models.Buckets {
			if from, to := models.BucketOf(i); want >= from.Seconds() && (want < to.Seconds() || to == 0) {
				return got >= from.Seconds() && (got <= to.Seconds() || to == 0)
			}
		}
		return false
	}
	return math.Abs(got-want) <= 0.0001
}

// listsHold looks behind one figure of each kind: what counts merchants leads to a list of exactly as many, what counts
// documents to merchants that have them.
func (v *visitor) listsHold(path string) {
	v.Helper()
	looked := map[string]bool{}
	for _, f := range v.get(path).is(200, path).doc().Find("a[data-figure]").EachIter() {
		name := attr(f, "data-figure")
		kind, rest, _ := strings.Cut(name, ":")
		if looked[kind] || kind == "doku_seconds" || kind == "standing" && !strings.HasSuffix(rest, ":0") { // how it stood then is no list of now
			continue
		}
		looked[kind] = true
		value, err := strconv.ParseFloat(attr(f, "data-value"), 64)
		v.must(err)
		list := v.get(attr(f, "href")).is(200, attr(f, "href")).doc()
		n, _ := strconv.Atoi(digits.FindString(list.Find("[data-announce]").Text()))
		switch kind {
		case "documents_undecided", "documents_refused", "documents_expiring", "open", "missing", "refused", "failed", "waiting", "delivered", "expiring":
			if n == 0 || n > int(value) {
				v.Errorf("%s: %v documents lead to %d merchants: %s", name, value, n, attr(f, "href"))
			}
		case "decided", "queue_median_seconds": // documents, of merchants who may have several; of all reviewers the list is what waits for them
			if !strings.HasSuffix(name, ":all") && (n == 0 || kind == "decided" && n > int(value)) {
				v.Errorf("%s: %v leads to %d merchants: %s", name, value, n, attr(f, "href"))
			}
		case "first_pass_yield", "reason", "yield_documents", "yield_lines", "yield_entities": // of the past; the list is what it holds up now
		default:
			if n != int(value) {
				v.Errorf("%s of %s promises %v and lists %d: %s", name, path, value, n, attr(f, "href"))
			}
		}
	}
	if len(looked) < 20 {
		v.Errorf("%s: %d kinds of figures lead to lists", path, len(looked))
	}
}

// Every figure of the insights is that of the rows, with each filter, folded or not, and leads to its list.
func TestFiguresOfTheInsights(t *testing.T) {
	t.Parallel()
	b := setup(t)
	manager := b.as(models.RoleManager)
	if page := manager.get("/insights").is(200, "no merchants").doc(); page.Find(".empty-state").Length() != 1 || page.Find("[data-figure]").Length() != 0 {
		t.Error("an empty portfolio has figures")
	}
	b.portfolio(120)
	for b.count("select count(*) from tally_deltas") > 2000 { // some stay unfolded
		_, err := b.store.Keep().FoldTallies(b.Context(), 1000)
		b.must(err)
	}
	staff := b.id("staff@berkas.test")
	for _, c := range []struct{ query, kinds, people string }{
		{"", all, all},
		{"period=4", all, all},
		{"period=104", all, all},
		{"type=CORPORATE", "m.business_type = 'CORPORATE'", all},
		{"entity=PT&period=26", "m.legal_entity = 'PT'", all},
		{"line=RETAIL", "m.business_line = 'RETAIL'", all},
		{"team=Jakarta", all, "p.team = 'Jakarta'"},
		{"who=" + staff, all, "p.id = " + staff},
		{"who=nobody", all, "p.id is null"},
		{"who=" + b.id("reviewer@berkas.test"), all, "p.id = " + b.id("reviewer@berkas.test")},
		{"team=Surabaya&type=CORPORATE&line=MINING&period=52", "m.business_type = 'CORPORATE' and m.business_line = 'MINING'", "p.team = 'Surabaya'"},
		{"who=" + staff + "&line=RETAIL&period=26", "m.business_line = 'RETAIL'", "p.id = " + staff},
	} {
		query, err := url.ParseQuery(c.query)
		b.must(err)
		if n := manager.figuresHold(query, c.kinds, c.people); n < 40 {
			t.Errorf("%s shows %d figures", c.query, n)
		}
	}
	manager.listsHold("/insights")
	manager.listsHold("/insights?type=CORPORATE&period=26")
}

// The week's table is that of the rows, and leads on to other weeks but not beyond this one.
func TestTheWeekOnPaper(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.portfolio(60)
	manager := b.as(models.RoleManager)
	this := onboarding.Monday(b.clock.now())
	for _, monday := range []time.Time{this, this.AddDate(0, 0, -7), this.AddDate(0, 0, -70)} {
		path := "/insights/week?week=" + monday.AddDate(0, 0, 3).Format(time.DateOnly)
		if monday.Equal(this) {
			path = "/insights/week?week=" + monday.Format(time.DateOnly)
		}
		_, shown := manager.shown(path)
		for _, stage := range models.Stages {
			column := string(stage) + "_at"
			for name, from := range map[string]time.Time{"week_": monday, "week_before_": monday.AddDate(0, 0, -7)} {
				want := b.count(fmt.Sprintf(`select count(*) from merchants where archived_at is null and (%s at time zone 'Asia/Jakarta')::date between '%s' and date '%s' + 6`,
					column, from.Format(time.DateOnly), from.Format(time.DateOnly)))
				if shown[name+string(stage)] != strconv.Itoa(want) {
					t.Errorf("%s: %s%s is %s, of the rows %d", path, name, stage, shown[name+string(stage)], want)
				}
			}
		}
		for _, outcome := range []string{"approved", "refused"} {
			want := b.count(fmt.Sprintf(`select count(*) from decisions v join merchants m on m.id = v.merchant_id where m.archived_at is null and standing = 'counts' and outcome = '%s'
				and date_trunc('week', decided_at at time zone 'Asia/Jakarta')::date = '%s'`, outcome, monday.Format(time.DateOnly)))
			if shown["week_documents_"+outcome] != strconv.Itoa(want) {
				t.Errorf("%s: %s documents %s, of the rows %d", path, shown["week_documents_"+outcome], outcome, want)
			}
		}
		links := manager.get(path).doc().Find(`.head a[href*="/insights/week"]`)
		if running := monday.Equal(this); (links.Length() == 1) != running {
			t.Errorf("%s leads to %d weeks", path, links.Length())
		}
	}
	last := manager.get("/insights/week").is(200, "the last whole week").doc()
	if got := attr(last.Find(".head a").First(), "href"); got != "/insights/week?week="+this.AddDate(0, 0, -14).Format(time.DateOnly) {
		t.Errorf("the week before the last is %s", got)
	}
	for _, week := range []string{"kapan", "2999-01-01", "0001-01-01"} {
		manager.get("/insights/week?week="+week).is(422, week)
	}
}
