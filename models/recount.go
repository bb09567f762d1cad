package models

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"
)

// Recounted is a merchant with the rows from which its completeness is recounted.
type Recounted struct {
	Merchant
	CombinationState CombinationState
	FirstUploadAt    *time.Time
	Rows             []ChecklistRow `gorm:"-"`
}

const recountedSQL = `select m.*, c.state as combination_state, (select min(d.uploaded_at) from documents d where d.merchant_id = m.id) as first_upload_at
	from merchants m join combinations c on c.id = m.combination_id where `

// RecountPage are the next merchants behind one, archived ones too, with their checklists, all as of one instant.
func (s *Store) RecountPage(ctx context.Context, after MerchantID, limit int) (page []Recounted, err error) {
	err = s.inTx(ctx, func(g *gormDB, _ pgx.Tx) error {
		if err := g.Exec(`set transaction isolation level repeatable read, read only`).Error; err != nil {
			return err
		}
		page, err = Reader{db: g}.recounted(ctx, `m.id > ? order by m.id limit ?`, after, limit)
		return err
	})
	return page, translate(err)
}

func (r Reader) recounted(ctx context.Context, which string, args ...any) ([]Recounted, error) {
	page, err := scan[Recounted](ctx, r, recountedSQL+which, args...)
	if err != nil || len(page) == 0 {
		return nil, err
	}
	at, ids := map[MerchantID]*Recounted{}, make([]MerchantID, len(page))
	for i := range page {
		ids[i], at[page[i].ID] = page[i].ID, &page[i]
	}
	rows, err := r.checklist(ctx, ids, countingVersions)
	for _, row := range rows {
		m := at[row.MerchantID]
		m.Rows = append(m.Rows, row)
	}
	return page, err
}

// Recount gives a merchant, held, with its rows to mend.
func (k Keep) Recount(ctx context.Context, id MerchantID, mend func(*Tx, Recounted) error) error {
	return translate(k.s.inTx(ctx, func(g *gormDB, ptx pgx.Tx) error {
		tx := k.s.tx(ctx, g, ptx, System)
		if _, err := tx.LockMerchant(id); err != nil {
			return err
		}
		page, err := Reader{db: g}.recounted(ctx, `m.id = ?`, id)
		if err != nil {
			return err
		}
		return mend(tx, page[0])
	}))
}

// recount is what the rows say of a measure. It is written apart from what the triggers append, which it proves.
type recount struct {
	measure Measure
	facts   func(live string) string // of the merchants m that are live: combination_id, responsible_id, day, key, n, total
}

const (
	sinceEpochSQL = `date '1970-01-01'`
	whoseSQL      = `m.combination_id, coalesce(m.responsible_id, 0) as person_id`
	reviewerSQL   = `m.combination_id, v.decided_by as person_id`
)

func weekSQL(at string) string {
	return `date_trunc('week', (` + at + ` at time zone 'UTC') + interval '7 hours')::date`
}

// bucketSQL counts the binary digits of the minutes.
func bucketSQL(seconds string) string {
	return `least(21, length(ltrim((` + seconds + ` / 60)::integer::bit(32)::text, '0')))`
}

func secondsSQL(from, to string) string {
	return `floor(extract(epoch from ` + to + `) - extract(epoch from ` + from + `))::bigint`
}

var stageColumns = map[Stage]string{StageCreated: "created_at", StageFirstDocument: "first_document_at", StageAtDOKU: "at_doku_at", StageApproved: "approved_at",
	StageRegistered: "registered_at", StageActive: "active_at"}

// byStage is one question for each stage; from is "" for the first one, which none comes before.
func byStage(ask func(stage Stage, at, from string) string) (sql string) {
	before := ""
	for _, stage := range Stages {
		at := "m." + stageColumns[stage]
		if one := ask(stage, at, before); one != "" {
			if sql != "" {
				sql += " union all "
			}
			sql += one
		}
		before = at
	}
	return sql
}

var recounts = []recount{
	{TallyMerchants, func(live string) string {
		return `select ` + whoseSQL + `, ` + sinceEpochSQL + ` as day, m.progress_state as key, 1 as n, 0 as total from merchants m where ` + live
	}},
	{TallyNext, func(live string) string {
		return `select ` + whoseSQL + `, ` + sinceEpochSQL + ` as day, m.next_actor as key, 1 as n, floor(extract(epoch from m.next_actor_since) + 0.5)::bigint as total
		from merchants m where ` + live + ` and m.next_actor in ('staff', 'merchant', 'reviewer', 'doku')`
	}},
	{TallySlots, func(live string) string {
		return `select ` + whoseSQL + `, ` + sinceEpochSQL + ` as day, s.category || '|' || s.code || '|' || s.state as key, 1 as n, floor(extract(epoch from s.state_since) + 0.5)::bigint as total
		from merchants m join slots s on s.merchant_id = m.id where ` + live + ` and m.registered_at is null and (s.requirement_id is not null or s.by_hand)`
	}},
	{TallyDue, func(live string) string {
		return `select ` + whoseSQL + `, m.due_on as day, '' as key, 1 as n, 0 as total from merchants m
		where ` + live + ` and m.due_on is not null and m.progress_state in ('pending', 'todo', 'waiting', 'refused', 'failed')`
	}},
	{TallyExpires, func(live string) string {
		return `select ` + whoseSQL + `, s.expires_on as day, s.category || '|' || s.code as key, 1 as n, 0 as total
		from merchants m join slots s on s.merchant_id = m.id where ` + live + ` and (s.requirement_id is not null or s.by_hand) and s.expires_on is not null`
	}},
	{TallyCompleteness, func(live string) string {
		return `select ` + whoseSQL + `, q.day, q.key, q.n, 0 as total from merchants m cross join lateral (
			select (m.course -> i ->> 'week')::date as day, m.course -> i ->> 'quarter' as key, 1 as n from generate_series(0, jsonb_array_length(m.course) - 1) i
			union all select (m.course -> i ->> 'week')::date, m.course -> (i - 1) ->> 'quarter', -1 from generate_series(1, jsonb_array_length(m.course) - 1) i) q where ` + live
	}},
	{TallyPace, func(live string) string {
		return byStage(func(stage Stage, at, _ string) string {
			return `select ` + whoseSQL + `, ` + weekSQL(at) + ` as day, '` + string(stage) + `' as key, 1 as n, 0 as total from merchants m where ` + live + ` and ` + at + ` is not null`
		})
	}},
	{TallyFunnel, func(live string) string {
		return byStage(func(stage Stage, at, _ string) string {
			return `select ` + whoseSQL + `, ` + weekSQL("m.created_at") + ` as day, '` + string(stage) + `' as key, 1 as n, 0 as total from merchants m where ` + live + ` and ` + at + ` is not null`
		})
	}},
	{TallyTook, func(live string) string {
		return byStage(func(stage Stage, at, from string) string {
			if from == "" {
				return ""
			}
			return `select ` + whoseSQL + `, ` + weekSQL("m.created_at") + ` as day, '` + string(stage) + `|' || ` + bucketSQL(secondsSQL(from, at)) + ` as key, 1 as n, ` + secondsSQL(from, at) + ` as total
			from merchants m where ` + live + ` and ` + at + ` >= ` + from
		})
	}},
	{TallyDecided, func(live string) string {
		return `select ` + whoseSQL + `, ` + weekSQL("v.decided_at") + ` as day, v.outcome || case when v.version = 1 then '|first' else '|later' end as key, 1 as n, 0 as total
		from decisions v join merchants m on m.id = v.merchant_id where ` + live + ` and v.standing = 'counts'`
	}},
	{TallyFirstPass, func(live string) string {
		return `select ` + whoseSQL + `, ` + weekSQL("v.decided_at") + ` as day, v.outcome || '|' || d.category || '|' || d.code as key, 1 as n, 0 as total
		from decisions v join documents d on d.id = v.document_id join merchants m on m.id = v.merchant_id where ` + live + ` and v.standing = 'counts' and v.version = 1`
	}},
	{TallyReason, func(live string) string {
		return `select ` + whoseSQL + `, ` + weekSQL("v.decided_at") + ` as day, r.value as key, 1 as n, 0 as total
		from decisions v cross join jsonb_array_elements_text(v.reasons) r join merchants m on m.id = v.merchant_id where ` + live + ` and v.standing = 'counts' and v.outcome = 'refused'`
	}},
	{TallyDecidedBy, func(live string) string {
		return `select ` + reviewerSQL + `, ` + weekSQL("v.decided_at") + ` as day, v.outcome as key, 1 as n, 0 as total
		from decisions v join merchants m on m.id = v.merchant_id where ` + live + ` and v.standing = 'counts'`
	}},
	{TallyQueueTime, func(live string) string {
		return `select ` + reviewerSQL + `, ` + weekSQL("v.decided_at") + ` as day, ` + bucketSQL(secondsSQL("v.queued_at", "v.decided_at")) + `::text as key, 1 as n, ` + secondsSQL("v.queued_at", "v.decided_at") + ` as total
		from decisions v join merchants m on m.id = v.merchant_id where ` + live + ` and v.standing = 'counts' and v.queued_at <= v.decided_at`
	}},
}

// factsOf are the facts of the merchants m that are not archived.
func (c recount) factsOf() string {
	return `(select '` + string(c.measure) + `' as measure, x.* from (` + c.facts("m.archived_at is null") + `) x)`
}

// differ is what the tallies of a measure and what waits to be folded say, beside what the rows say, where the two differ.
func (c recount) differ() string {
	waiting := `(select measure, combination_id, person_id, day, key, n, total from tally_deltas where measure = '` + string(c.measure) + `')`
	return `select measure, kind, whose, day, key, coalesce(sum(n) filter (where counted), 0) as counted, coalesce(sum(n) filter (where not counted), 0) as kept,
			coalesce(sum(total) filter (where counted), 0) as counted_total, coalesce(sum(total) filter (where not counted), 0) as kept_total
		from (select true as counted, t.* from ` + tallied(c.factsOf()) + ` t
			union all select false, t.* from ` + tallied(waiting) + ` t
			union all select false, measure, kind, whose, day, key, n, total from tallies where measure in ('` + string(c.measure) + `', '` + string(c.measure.byMonth()) + `')) b
		group by 1, 2, 3, 4, 5 having sum(case when counted then n else -n end) <> 0 or sum(case when counted then total else -total end) <> 0`
}

// TallyDifference is a tally that is another than its rows say. Kind and Whose are as in the table.
type TallyDifference struct {
	Measure       Measure
	Kind          string
	Whose         string
	Day           time.Time
	Key           string
	Counted, Kept int64
	CountedTotal  int64
	KeptTotal     int64
}

// unhurried lets the statements of a transaction take their time, and the memory that many groups need.
func unhurried(g *gormDB) error {
	return g.Exec(`set local statement_timeout = 0; set local work_mem = '128MB'`).Error
}

// CheckTallies holds all tallies against the rows and tells each that differs, one after another: each measure as of one
// instant.
func (s *Store) CheckTallies(ctx context.Context, tell func(TallyDifference) error) error {
	return translate(s.inTx(ctx, func(g *gormDB, _ pgx.Tx) error {
		if err := unhurried(g); err != nil {
			return err
		}
		for _, c := range recounts {
			if err := c.check(g, tell); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (c recount) check(g *gormDB, tell func(TallyDifference) error) error {
	rows, err := g.Raw(c.differ() + ` order by 1, 2, 3, 4, 5`).Rows()
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var d TallyDifference
		if err := rows.Scan(&d.Measure, &d.Kind, &d.Whose, &d.Day, &d.Key, &d.Counted, &d.Kept, &d.CountedTotal, &d.KeptTotal); err != nil {
			return err
		}
		if err := tell(d); err != nil {
			return err
		}
	}
	return rows.Err()
}

// MendTallies makes all tallies what the rows say, and returns how many were not. On an empty cube, as after rows were
// loaded with the triggers disabled, it is what fills it. Acts go on meanwhile; nobody folds.
func (k Keep) MendTallies(ctx context.Context) (int64, error) {
	var mended atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(mendersAtOnce)
	for i, c := range recounts {
		group.Go(func() error {
			return k.s.inTx(ctx, func(g *gormDB, _ pgx.Tx) error {
				n, err := c.mend(g, i)
				mended.Add(n)
				return err
			})
		})
	}
	err := translate(group.Wait())
	return mended.Load(), err
}

const mendersAtOnce = 2

// mend adds to the tallies of the i-th measure what they lack, in their index's order, so that those read together stand
// together. Its locks come before the statement that reads.
func (c recount) mend(g *gormDB, i int) (int64, error) {
	err := unhurried(g)
	if err == nil {
		err = g.Exec(`select pg_advisory_xact_lock_shared(`+foldLock+`), pg_advisory_xact_lock(`+foldLock+`, ?)`, i).Error
	}
	if err != nil {
		return 0, err
	}
	r := g.Exec(`insert into tallies as t (measure, kind, whose, day, key, n, total)
		select measure, kind, whose, day, key, counted - kept, counted_total - kept_total from (` + c.differ() + `) d order by measure, kind, whose, day, key
		on conflict (measure, kind, whose, day, key) do update set n = t.n + excluded.n, total = t.total + excluded.total`)
	return r.RowsAffected, r.Error
}
