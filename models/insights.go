package models

import (
	"context"
	"fmt"
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
	Team         string   // of whoever is responsible
	Responsible  PersonID // who is responsible
	Nobody       bool     // nobody is
}

// TallyBy is what a measure is told apart by, beside its key.
type TallyBy string

const (
	ByNothing     TallyBy = ""
	ByResponsible TallyBy = "responsible" // the person's id, 0 for nobody
	ByType        TallyBy = "business_type"
	ByEntity      TallyBy = "legal_entity"
	ByLine        TallyBy = "business_line"
)

// TallyQuestion asks for one measure.
type TallyQuestion struct {
	Measure Measure
	From    time.Time // the first day that counts; zero: all
	Until   time.Time // the first day that counts no longer; zero: none
	Daily   bool      // told apart by day
	By      TallyBy
}

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

// Tallies answers several questions of one filter in one statement: from what was folded and what was not yet, and from the
// rows where a measure is asked for by both people and kinds of merchants that is not counted so.
func (r Reader) Tallies(ctx context.Context, f TallyFilter, questions []TallyQuestion) ([]Tally, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	selects := make([]string, len(questions))
	for i, q := range questions {
		selects[i] = f.ask(i, q)
	}
	if f == (TallyFilter{}) || f == (TallyFilter{Nobody: true}) { // names that stand nowhere would be refused
		return scan[Tally](ctx, r, strings.Join(selects, " union all "))
	}
	return scan[Tally](ctx, r, strings.Join(selects, " union all "), map[string]any{"type": f.BusinessType, "entity": f.LegalEntity, "line": f.BusinessLine, "team": f.Team, "who": f.Responsible})
}

// ask is the statement of one question.
func (f TallyFilter) ask(i int, q TallyQuestion) string {
	day := "null::date"
	if q.Daily {
		day = "t.day"
	}
	return `(select ` + strconv.Itoa(i) + ` as question, '` + string(q.Measure) + `' as measure, t.key, ` + day + ` as day, t.by, sum(t.n)::bigint as n, sum(t.total)::bigint as total
		from (` + f.facts(q) + `) t group by 3, 4, 5 having sum(t.n) <> 0 or sum(t.total) <> 0)`
}

// facts are those a question is about: by, day, key, n, total.
func (f TallyFilter) facts(q TallyQuestion) string {
	what := `t.measure = '` + string(q.Measure) + `'`
	if !q.From.IsZero() {
		what += ` and t.day >= date '` + q.From.Format(time.DateOnly) + `'`
	}
	if !q.Until.IsZero() {
		what += ` and t.day < date '` + q.Until.Format(time.DateOnly) + `'`
	}
	const columns = `select %s as by, t.day, t.key, t.n, t.total from `
	live := fmt.Sprintf(columns, q.By.column()) + `%s t join combinations c on c.id = t.combination_id where ` + what + f.whose("t")
	from, by := f.scope(q)
	if from == "" {
		i := slices.IndexFunc(recounts, func(c recount) bool { return c.measure == q.Measure })
		return fmt.Sprintf(live, recounts[i].factsOf(f.whose("m")))
	}
	return fmt.Sprintf(columns, by) + from + ` and ` + what + ` union all ` + fmt.Sprintf(live, "tally_deltas")
}

// column is what tells rows t apart that are joined with their combinations c.
func (b TallyBy) column() string {
	switch b {
	case ByNothing:
		return `''`
	case ByResponsible:
		return `t.responsible_id::text`
	}
	return `c.` + string(b)
}

// scope is where the tallies t stand that together answer a question, and what tells them apart; "" when none do.
func (f TallyFilter) scope(q TallyQuestion) (from, by string) {
	kinds, people := f.kinds(), f.people()
	byKind := q.By != ByNothing && q.By != ByResponsible
	if people == "" && q.By == ByResponsible {
		people = `select p.id from people p union all select 0`
	}
	const tallies = `tallies t where t.kind ` // an array is looked up in the index, one kind after another; joined with a query all would be read
	switch {
	case len(kinds) == 0 && !byKind && people == "":
		return tallies + `= ''`, `''`
	case len(kinds) == 0 && !byKind && q.By == ByResponsible:
		return tallies + `= any(array(select 'who:' || w.id from (` + people + `) w(id)))`, `substr(t.kind, 5)`
	case len(kinds) == 0 && !byKind:
		return tallies + `= any(array(select 'who:' || w.id from (` + people + `) w(id)))`, `''`
	case len(kinds) == 1 && !byKind && people == "":
		return tallies + `= '` + kinds[0].name + `:' || ` + kinds[0].parameter(), `''`
	case len(kinds) == 0 && people == "":
		k := allKinds[slices.IndexFunc(allKinds, func(k kind) bool { return k.column == string(q.By) })]
		return tallies + `= any(array(select distinct '` + k.name + `:' || c.` + k.column + ` from combinations c))`, `substr(t.kind, ` + strconv.Itoa(len(k.name)+2) + `)`
	case slices.Contains(paired, q.Measure):
		from = `combinations c join tallies t on t.kind = '#' || c.id where true` + f.whoseKind()
		if people != "" {
			from += ` and t.responsible_id in (` + people + `)`
		}
		return from, q.By.column()
	}
	return "", ""
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

// whose is the condition on rows that have a combination and somebody responsible.
func (f TallyFilter) whose(table string) (where string) {
	if kind := f.whoseKind(); kind != "" {
		where += ` and ` + table + `.combination_id in (select c.id from combinations c where true` + kind + `)`
	}
	if people := f.people(); f.Nobody && table == "m" {
		where += ` and m.responsible_id is null`
	} else if people != "" {
		where += ` and ` + table + `.responsible_id in (` + people + `)`
	}
	return where
}
