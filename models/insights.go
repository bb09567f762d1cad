package models

import (
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
	By      TallyBy
}

func (q TallyQuestion) byKind() bool { return q.By != ByNothing && q.By != ByPerson }

// Tally is an answer: how many facts of a key, and what they sum up to. Question is the place of the question; Day is zero
// unless asked for. What sums up to nothing is left out.
type Tally struct {
	Question int
	Measure  Measure
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
	selects := make([]string, len(questions))
	for i, q := range questions {
		own := f
		if slices.Contains(ofReviewers, q.Measure) && (len(f.kinds()) > 0 || q.byKind()) {
			own.Team, own.Responsible, own.Nobody = "", 0, false
			if q.By == ByPerson {
				q.By = ByNothing
			}
		}
		selects[i] = own.ask(i, q)
	}
	sql := `with live as materialized (select t.measure, t.day, t.key, t.n, t.total, t.person_id, c.business_type, c.legal_entity, c.business_line
			from tally_deltas t join combinations c on c.id = t.combination_id where true` + f.whoseKind() + `) ` + strings.Join(selects, " union all ")
	if f == (TallyFilter{}) || f == (TallyFilter{Nobody: true}) { // names that stand nowhere would be refused
		return scan[Tally](ctx, r, sql)
	}
	return scan[Tally](ctx, r, sql, map[string]any{"type": f.BusinessType, "entity": f.LegalEntity, "line": f.BusinessLine, "team": f.Team, "who": f.Responsible})
}

// ask is the statement of the i-th question.
func (f TallyFilter) ask(i int, q TallyQuestion) string {
	day := "null::date"
	if q.Daily {
		day = "t.day"
	}
	from, by := f.cells(q)
	cells := ""
	for _, what := range q.what() { // not one with "or" between them, of which no index is walked
		cells += `select ` + by + ` as by, t.day, t.key, t.n, t.total from ` + from + ` and ` + what + ` union all `
	}
	return `(select ` + strconv.Itoa(i) + ` as question, '` + string(q.Measure) + `' as measure, t.key, ` + day + ` as day, t.by, sum(t.n)::bigint as n, sum(t.total)::bigint as total from (` + cells + `
			select ` + q.By.live() + `, t.day, t.key, t.n, t.total from live t where (` + strings.Join(q.what(), " or ") + `)` + f.whose() + `) t
		group by 3, 4, 5 having sum(t.n) <> 0 or sum(t.total) <> 0)`
}

// what are the conditions on facts t of a question, of which each fact meets one. Whole months are taken as such where these are
// kept.
func (q TallyQuestion) what() []string {
	months, kept := monthly[q.Measure]
	if !kept || q.Daily || q.From.IsZero() && q.Until.IsZero() {
		return []string{q.Measure.within(q.From, q.Until)}
	}
	first, last := q.From, q.Until
	if first.Day() > 1 {
		first = first.AddDate(0, 1, 1-first.Day())
	}
	if !last.IsZero() {
		last = last.AddDate(0, 0, 1-last.Day())
	}
	if !last.IsZero() && !first.Before(last) {
		return []string{q.Measure.within(q.From, q.Until)}
	}
	what := []string{months.within(first, last)}
	if first.After(q.From) {
		what = append(what, q.Measure.within(q.From, first))
	}
	if last.Before(q.Until) {
		what = append(what, q.Measure.within(last, q.Until))
	}
	return what
}

// within is the condition on facts t of a measure from one day on and before another, if any.
func (m Measure) within(from, until time.Time) string {
	sql := `t.measure = '` + string(m) + `'`
	if !from.IsZero() {
		sql += ` and t.day >= date '` + from.Format(time.DateOnly) + `'`
	}
	if !until.IsZero() {
		sql += ` and t.day < date '` + until.Format(time.DateOnly) + `'`
	}
	return sql
}

// live is what tells apart the facts t that are not folded yet.
func (b TallyBy) live() string {
	switch b {
	case ByNothing:
		return `''`
	case ByPerson:
		return `t.person_id::text`
	}
	return `t.` + string(b)
}

// cells are where the tallies t stand that answer a question, and what tells them apart. An array is looked up in the index,
// one after another; joined with a query all would be read.
func (f TallyFilter) cells(q TallyQuestion) (from, by string) {
	kinds, people := f.kinds(), f.people()
	combinations := ` = any(array(select '#' || c.id from combinations c where true` + f.whoseKind() + `))`
	whose := ` = ''`
	switch {
	case f.Team != "" && f.Responsible == 0 && q.By != ByPerson:
		whose = ` = 'team:' || @team`
	case people != "":
		whose = ` = any(array(select 'who:' || w.id from (` + people + `) w(id)))`
	case q.By == ByPerson && len(kinds) == 0:
		whose = ` = any(array(select 'who:' || w.id from (select p.id from people p union all select 0) w(id)))`
	case q.By == ByPerson:
		whose = ` between 'who:' and 'who;'`
	}
	switch {
	case q.By == ByPerson && len(kinds) > 0: // of all people few have merchants of a kind
		return `(select distinct k.kind, k.whose from tallies k where k.measure = '` + string(TallyMerchants) + `' and k.kind` + combinations + ` and k.whose` + whose + ` offset 0) k
			join tallies t on t.kind = k.kind and t.whose = k.whose where true`, `substr(t.whose, 5)`
	case q.By == ByPerson:
		return `tallies t where t.kind = '' and t.whose` + whose, `substr(t.whose, 5)`
	case q.byKind() && (len(kinds) > 0 || people != ""):
		return `combinations c join tallies t on t.kind = '#' || c.id where t.whose` + whose + f.whoseKind(), `c.` + string(q.By)
	case q.byKind():
		k := allKinds[slices.IndexFunc(allKinds, func(k kind) bool { return k.column == string(q.By) })]
		return `tallies t where t.whose = '' and t.kind = any(array(select distinct '` + k.name + `:' || c.` + k.column + ` from combinations c))`, `substr(t.kind, ` + strconv.Itoa(len(k.name)+2) + `)`
	case len(kinds) == 0:
		return `tallies t where t.kind = '' and t.whose` + whose, `''`
	case len(kinds) == 1 && people == "":
		return `tallies t where t.whose = '' and t.kind = '` + kinds[0].name + `:' || ` + kinds[0].parameter(), `''`
	}
	return `tallies t where t.whose` + whose + ` and t.kind` + combinations, `''`
}

// kind is one way to tell merchants apart: a column of combinations, and the name of its tallies and its parameter.
type kind struct{ column, name string }

func (k kind) parameter() string { return "@" + k.name }

var allKinds = []kind{{"business_type", "type"}, {"legal_entity", "entity"}, {"business_line", "line"}}

// kinds are those filtered by.
func (f TallyFilter) kinds() (list []kind) {
	for i, value := range []string{f.BusinessType, f.LegalEntity, f.BusinessLine} {
		if value != "" {
			list = append(list, allKinds[i])
		}
	}
	return list
}

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
	for _, k := range f.kinds() {
		where += ` and c.` + k.column + ` = ` + k.parameter()
	}
	return where
}

// whose is the condition on facts t, whose kind is the filter's.
func (f TallyFilter) whose() string {
	if people := f.people(); people != "" {
		return ` and t.person_id in (` + people + `)`
	}
	return ""
}
