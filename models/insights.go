package models

import (
	"context"
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

// Tallies answers several questions of one filter in one statement: what was folded, of the coarsest cuboid that tells
// enough, and what was not yet.
func (r Reader) Tallies(ctx context.Context, f TallyFilter, questions []TallyQuestion) ([]Tally, error) {
	if len(questions) == 0 {
		return nil, nil
	}
	var selects []string
	var args []any
	for i, q := range questions {
		sql, a := f.ask(i, q)
		selects, args = append(selects, sql), append(args, a...)
	}
	return scan[Tally](ctx, r, strings.Join(selects, " union all "), args...)
}

// ask is the statement of one question.
func (f TallyFilter) ask(i int, q TallyQuestion) (sql string, args []any) {
	kind, kindArgs := f.combinations()
	who, whoArgs := f.people()
	byKind := q.By == ByType || q.By == ByEntity || q.By == ByLine
	what, whatArgs := "t.measure = ?", []any{q.Measure}
	if !q.From.IsZero() {
		what, whatArgs = what+" and t.day >= ?::date", append(whatArgs, q.From.Format(time.DateOnly))
	}
	if !q.Until.IsZero() {
		what, whatArgs = what+" and t.day < ?::date", append(whatArgs, q.Until.Format(time.DateOnly))
	}
	folded, unfolded := what, what
	foldedArgs, unfoldedArgs := append([]any{}, whatArgs...), append([]any{}, whatArgs...)
	if kind != "" {
		in := " and t.combination_id in (select c.id from combinations c where " + kind + ")"
		folded, unfolded = folded+in, unfolded+in
		foldedArgs, unfoldedArgs = append(foldedArgs, kindArgs...), append(unfoldedArgs, kindArgs...)
	} else if byKind {
		folded += " and t.combination_id in (select c.id from combinations c)"
	} else {
		folded += " and t.combination_id = -1"
	}
	if who != "" {
		folded, unfolded = folded+" and t.responsible_id in ("+who+")", unfolded+" and t.responsible_id in ("+who+")"
		foldedArgs, unfoldedArgs = append(foldedArgs, whoArgs...), append(unfoldedArgs, whoArgs...)
	} else if q.By == ByResponsible {
		folded += " and t.responsible_id in (select p.id from people p union all select 0)"
	} else {
		folded += " and t.responsible_id = -1"
	}
	by, join := "''", ""
	switch {
	case byKind:
		by, join = "k."+string(q.By), " join combinations k on k.id = t.combination_id"
	case q.By == ByResponsible:
		by = "t.responsible_id::text"
	}
	day := "null::date"
	if q.Daily {
		day = "t.day"
	}
	const columns = `select combination_id, responsible_id, day, key, n, total from `
	sql = `(select ?::int as question, ?::text as measure, t.key, ` + day + ` as day, ` + by + ` as by, sum(t.n)::bigint as n, sum(t.total)::bigint as total from (` +
		columns + `tallies t where ` + folded + ` union all ` + columns + `tally_deltas t where ` + unfolded + `) t` + join +
		` group by 3, 4, 5 having sum(t.n) <> 0 or sum(t.total) <> 0)`
	args = append(args, i, q.Measure)
	args = append(append(args, foldedArgs...), unfoldedArgs...)
	return sql, args
}

// combinations is the condition on a combination c; "" when all count.
func (f TallyFilter) combinations() (sql string, args []any) {
	var where []string
	for _, one := range []struct{ column, value string }{{"business_type", f.BusinessType}, {"legal_entity", f.LegalEntity}, {"business_line", f.BusinessLine}} {
		if one.value != "" {
			where, args = append(where, "c."+one.column+" = ?"), append(args, one.value)
		}
	}
	return strings.Join(where, " and "), args
}

// people is the query of who may be responsible; "" when whoever is.
func (f TallyFilter) people() (sql string, args []any) {
	switch {
	case f.Nobody:
		return "0", nil
	case f.Responsible != 0 && f.Team != "":
		return "select p.id from people p where p.id = ? and p.team = ?", []any{f.Responsible, f.Team}
	case f.Responsible != 0:
		return "?", []any{f.Responsible}
	case f.Team != "":
		return "select p.id from people p where p.team = ?", []any{f.Team}
	}
	return "", nil
}
