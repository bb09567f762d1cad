package models

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TallyFilter says whose facts are counted. Empty fields do not filter.
type TallyFilter struct {
	BusinessType string
	LegalEntity  string
	BusinessLine string
	Team         string   // of whoever is responsible, or the reviewer's where a measure is of reviewers
	Responsible  PersonID // who is responsible, or the reviewer
	Nobody       bool     // nobody is
}

// TallyBy is what a measure is told apart by, beside its key.
type TallyBy string

const (
	ByNothing TallyBy = ""
	ByPerson  TallyBy = "person" // the person's id, 0 for nobody
	ByType    TallyBy = "business_type"
	ByEntity  TallyBy = "legal_entity"
	ByLine    TallyBy = "business_line"
)

// TallyQuestion asks for one measure.
type TallyQuestion struct {
	Measure Measure
	From    time.Time // the first day that counts; zero: all
	Until   time.Time // the first day that counts no longer; zero: none
	Daily   bool      // told apart by day
	Keys    []string  // these alone, together; nil: all, told apart
	By      TallyBy
	Of      []PersonID // by person: these alone; nil: all
}

// Tally is an answer: how many facts of a key, and what they sum up to. Question is the place of the question; Key is empty and
// Day is zero unless told apart. What sums up to nothing is left out.
type Tally struct {
	Question int
	Key      string
	Day      time.Time
	By       string
	N        int64
	Total    int64
}

// Tallies answers several questions of one filter in one statement: from what was folded and what was not yet. What reviewers
// did is asked for by them or by kinds of merchants: where it is by kinds, of all reviewers together.
func (r Reader) Tallies(ctx context.Context, f TallyFilter, questions []TallyQuestion) ([]Tally, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	var a asked
	for i, q := range questions {
		a.add(f, i, q)
	}
	kinds, whose := a.sets(f)
	return scan[Tally](ctx, r, `with asked as materialized (
			select a.question, a.measure, a.first, a.last, a.daily, a.kinds, a.whose, a.by, cast(a.keys as text[]) as keys
			from unnest(cast(@questions as integer[]), cast(@measures as text[]), cast(@firsts as date[]), cast(@lasts as date[]), cast(@days as boolean[]), cast(@kinds as text[]), cast(@whoses as text[]), cast(@bys as text[]), cast(@keys as text[]))
				a(question, measure, first, last, daily, kinds, whose, by, keys)),
			kinds as materialized (`+kinds+`),
			whose as materialized (`+whose+`),
			cells as (
				select a.question, a.keys, a.daily, k.by || w.by as by, t.key, t.day, t.n, t.total from asked a join kinds k on k.kinds = a.kinds join whose w on w.whose = a.whose
					cross join lateral (select * from tallies t where t.measure = a.measure and t.kind = k.kind and t.whose = w.cells and t.day >= a.first and t.day < a.last and (a.keys = '{}' or t.key = any(a.keys)) offset 0) t
				union all
				select a.question, a.keys, a.daily, case a.by when 'business_type' then c.business_type when 'legal_entity' then c.legal_entity when 'business_line' then c.business_line else '' end || w.by, t.key, t.day, t.n, t.total
					from tally_deltas t join combinations c on c.id = t.combination_id left join people p on p.id = t.person_id
						join asked a on a.kinds = '' and a.measure = t.measure and t.day >= a.first and t.day < a.last and (a.keys = '{}' or t.key = any(a.keys))
						join whose w on w.whose = a.whose and w.cells in ('', 'who:' || t.person_id, 'team:' || p.team)
					where true`+f.whoseKind()+`)
		select question, case when keys = '{}' then key else '' end as key, case when daily then day end as day, by, sum(n)::bigint as n, sum(total)::bigint as total
		from cells group by 1, 2, 3, 4 having sum(n) <> 0 or sum(total) <> 0`, a.arguments(f))
}

// asked are the spans of questions, column by column. Where the tallies of a question stand say kinds and whose; those of what
// is not folded have no kinds.
type asked struct {
	questions                                               []int64
	measures, firsts, lasts, days, kinds, whoses, bys, keys []string
}

func (a *asked) span(i int, q TallyQuestion, m Measure, first, last time.Time, kinds, whose string) {
	day := func(t time.Time, open string) string {
		if t.IsZero() {
			return open
		}
		return t.Format(time.DateOnly)
	}
	a.questions, a.measures, a.firsts, a.lasts = append(a.questions, int64(i)), append(a.measures, string(m)), append(a.firsts, day(first, "-infinity")), append(a.lasts, day(last, "infinity"))
	a.days, a.kinds, a.whoses, a.bys = append(a.days, strconv.FormatBool(q.Daily)), append(a.kinds, kinds), append(a.whoses, whose), append(a.bys, string(q.By))
	a.keys = append(a.keys, string(texts(q.Keys)))
}

// Names of sets of kinds, beside columns, and of whose tallies.
const (
	own        = "own"
	narrowest  = "narrowest "   // and a name
	eachPerson = "each person " // and their ids where not all
	everybody  = "everybody"
)

// add puts the i-th question: in months where these are kept and in what days are left before and behind them.
func (a *asked) add(f TallyFilter, i int, q TallyQuestion) {
	kinds, whose := own, own
	switch q.By {
	case ByNothing:
	case ByPerson:
		whose = eachPerson + strings.Trim(string(bigints(q.Of)), "{}")
	default:
		kinds = string(q.By)
	}
	ofKind := f.ofKind() || kinds != own
	if ofKind && slices.Contains(ofReviewers, q.Measure) {
		if whose = everybody; q.By == ByPerson {
			q.By = ByNothing
		}
	}
	dated := !slices.Contains(standing, q.Measure)
	narrow := ofKind && dated && (q.By == ByPerson || whose == own && f.person())
	if narrow {
		kinds = narrowest + kinds
	}
	add := func(m Measure, first, last time.Time) { a.span(i, q, m, first, last, kinds, whose) }
	a.span(i, q, q.Measure, q.From, q.Until, "", whose)
	first, last := nextMonth(q.From), thisMonth(q.Until)
	if !dated || narrow || q.Daily || !q.Until.IsZero() && !first.Before(last) {
		add(q.Measure, q.From, q.Until)
		return
	}
	add(q.Measure.byMonth(), first, last)
	if q.From.Before(first) {
		add(q.Measure, q.From, first)
	}
	if last.Before(q.Until) {
		add(q.Measure, last, q.Until)
	}
}

// thisMonth and nextMonth are the first days of months not after and not before a day, if there is one.
func thisMonth(day time.Time) time.Time {
	if day.IsZero() {
		return day
	}
	return day.AddDate(0, 0, 1-day.Day())
}

func nextMonth(day time.Time) time.Time {
	if day.IsZero() || day.Day() == 1 {
		return day
	}
	return thisMonth(day).AddDate(0, 1, 0)
}

func (a asked) arguments(f TallyFilter) map[string]any {
	return map[string]any{"questions": bigints(a.questions), "measures": texts(a.measures), "firsts": texts(a.firsts), "lasts": texts(a.lasts), "days": texts(a.days), "kinds": texts(a.kinds), "whoses": texts(a.whoses), "bys": texts(a.bys), "keys": texts(a.keys),
		"type": f.BusinessType, "entity": f.LegalEntity, "line": f.BusinessLine, "team": f.Team, "who": f.Responsible}
}

// sets are the kinds of merchants that spans ask for by name, and whose tallies.
func (a asked) sets(f TallyFilter) (kinds, whose string) {
	union := func(names []string, of func(name string) string) string {
		var list []string
		for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
			if name != "" {
				list = append(list, of(name))
			}
		}
		return strings.Join(list, " union all ")
	}
	return union(a.kinds, f.kindsNamed), union(a.whoses, f.whoseNamed)
}

// kindsNamed are the kinds of the filter: itself, told apart by a column, or the narrowest.
func (f TallyFilter) kindsNamed(name string) string {
	by, narrow := strings.CutPrefix(name, narrowest)
	parts, told := make([]string, len(allKinds)), `''`
	for i, k := range allKinds {
		parts[i] = `c.` + k.column
		if by == k.column {
			told = parts[i]
		} else if !narrow && k.of(f) == "" {
			parts[i] = `'` + anyKind + `'`
		}
	}
	return `select distinct '` + name + `' as kinds, ` + strings.Join(parts, ` || '|' || `) + ` as kind, ` + told + ` as by from combinations c where true` + f.whoseKind()
}

// whoseNamed are whose cells these are: the filter's own, those of each of its people, or everybody's.
func (f TallyFilter) whoseNamed(name string) string {
	people := f.people()
	ids, each := strings.CutPrefix(name, eachPerson)
	switch {
	case each:
		of := ""
		if ids != "" {
			of = ` where w.id in (` + ids + `)`
		}
		return `select '` + name + `' as whose, 'who:' || w.id as cells, w.id::text as by from (` + cmp.Or(people, `select id from people union all select 0`) + `) w(id)` + of
	case name == everybody || people == "":
		return `select '` + name + `' as whose, '' as cells, '' as by`
	case f.person():
		return `select '` + name + `' as whose, 'who:' || w.id as cells, '' as by from (` + people + `) w(id)`
	}
	return `select '` + name + `' as whose, 'team:' || @team as cells, '' as by`
}

// kind is one way to tell merchants apart: a column of combinations, the parameter that asks for one, and its value.
type kind struct {
	column, parameter string
	of                func(TallyFilter) string
}

var allKinds = []kind{
	{"business_type", "@type", func(f TallyFilter) string { return f.BusinessType }},
	{"legal_entity", "@entity", func(f TallyFilter) string { return f.LegalEntity }},
	{"business_line", "@line", func(f TallyFilter) string { return f.BusinessLine }},
}

// ofKind reports whether not all kinds of merchants count.
func (f TallyFilter) ofKind() bool { return f.BusinessType+f.LegalEntity+f.BusinessLine != "" }

// person reports whether one person's facts count, or nobody's.
func (f TallyFilter) person() bool { return f.Responsible != 0 || f.Nobody }

// people is the query of who may be responsible; "" when whoever is.
func (f TallyFilter) people() string {
	switch {
	case f.Nobody:
		return `select 0`
	case f.Responsible != 0 && f.Team != "":
		return `select p.id from people p where p.id = @who and p.team = @team`
	case f.Responsible != 0:
		return `select cast(@who as bigint)`
	case f.Team != "":
		return `select p.id from people p where p.team = @team`
	}
	return ""
}

// whoseKind is the condition on combinations c.
func (f TallyFilter) whoseKind() (where string) {
	for _, k := range allKinds {
		if k.of(f) != "" {
			where += ` and c.` + k.column + ` = ` + k.parameter
		}
	}
	return where
}
