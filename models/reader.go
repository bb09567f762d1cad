package models

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm"
)

// Reader answers questions; it has no way to change anything.
type Reader struct{ db *gorm.DB }

// Ping asks the database whether it is there.
func (r Reader) Ping(ctx context.Context) error {
	return translate(r.db.WithContext(ctx).Exec("select 1").Error)
}

// scan runs one SQL made for one question into its row struct.
func scan[T any](ctx context.Context, r Reader, sql string, args ...any) ([]T, error) {
	var rows []T
	err := r.db.WithContext(ctx).Raw(sql, args...).Scan(&rows).Error
	return rows, translate(err)
}

// scanPlanned is scan for a question that is planned anew for its very values: how many rows a filter leaves decides how it
// is best read, and a plan kept for any value is a bad one for some.
func scanPlanned[T any](ctx context.Context, r Reader, sql string, args ...any) (list []T, err error) {
	asked := r.db.WithContext(ctx).Raw(sql, args...).Statement
	rows, err := asked.ConnPool.QueryContext(ctx, asked.SQL.String(), append([]any{pgx.QueryExecModeDescribeExec}, asked.Vars...)...)
	if err != nil {
		return nil, translate(err)
	}
	defer rows.Close()
	if rows.Next() {
		err = r.db.ScanRows(rows, &list)
	}
	return list, translate(errors.Join(err, rows.Err()))
}

// one is scan for a question with exactly one answer.
func one[T any](ctx context.Context, r Reader, sql string, args ...any) (T, error) {
	var row T
	err := r.db.WithContext(ctx).Raw(sql, args...).Scan(&row).Error
	return row, translate(err)
}

// find is all that a query of a whole table's rows finds, take its one row or fault.NotFound, create a new row. GORM's own
// generics do the same, but are compiled anew for each table, which takes longer than the rest of the program.
func find[T any](q *gorm.DB) ([]T, error) {
	var rows []T
	err := q.Find(&rows).Error
	return rows, translate(err)
}

func take[T any](q *gorm.DB) (T, error) {
	var row T
	err := q.Take(&row).Error
	return row, translate(err)
}

func create(tx *Tx, row any) error { return translate(tx.g.Create(row).Error) }

// counted is the number of rows that the i-th of several questions finds.
type counted struct{ I, N int }

// counts are the numbers of rows that n questions find, in one statement; from is what stands behind the i-th one's from. It
// is asked by scan or scanPlanned.
func counts(ctx context.Context, r Reader, ask func(context.Context, Reader, string, ...any) ([]counted, error), n int, from func(i int) (sql string, args []any)) ([]int, error) {
	if n == 0 {
		return nil, nil
	}
	selects, args := make([]string, n), []any{}
	for i := range selects {
		sql, a := from(i)
		selects[i], args = `select `+strconv.Itoa(i)+` as i, count(*) as n from (select 1 from `+sql+`) c`, append(args, a...)
	}
	rows, err := ask(ctx, r, strings.Join(selects, " union all "), args...)
	found := make([]int, n)
	for _, row := range rows {
		found[row.I] = row.N
	}
	return found, err
}

// Shell is what every page's frame shows.
type Shell struct {
	Mine      int // open merchants of this person that wait for the staff
	Undecided int // documents in the reviewers' queue
	DownSince *time.Time
	LastOKAt  *time.Time
	LatencyMS int
}

// Shell is one statement for the frame of every page. It counts no further than limit.
func (r Reader) Shell(ctx context.Context, person PersonID, limit int) (Shell, error) {
	most := ` limit ` + strconv.Itoa(limit)
	return one[Shell](ctx, r, `select
		(select count(*) from (select 1 from merchants where responsible_id = ? and archived_at is null and next_actor = 'staff'`+most+`) m) as mine,
		(select count(*) from (select 1 from documents d where `+oldestSQL+` order by d.queued_at, d.id`+most+`) d) as undecided,
		h.down_since, h.last_ok_at, h.latency_ms
		from doku_health h`, person)
}
