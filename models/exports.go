package models

import (
	"context"
	"time"
)

// ExportID is an export's.
type ExportID int64

// Export is how far an export of merchants is. One that has not ended and was not seen for long was left by its process.
type Export struct {
	ID       ExportID
	PersonID PersonID // who takes it away; nobody else sees it
	Format   string
	Rows     int // written so far
	Total    int // 0 before they are counted
	BegunAt  time.Time
	SeenAt   time.Time
	EndedAt  *time.Time
	Problem  string // why it broke off: a fault's code; "" when it is whole
}

// Exports of a person, newest first.
func (r Reader) Exports(ctx context.Context, person PersonID, limit int) ([]Export, error) {
	return scan[Export](ctx, r, `select * from exports where person_id = ? order by id desc limit ?`, person, limit)
}

// BeginExport remembers that a person takes merchants away, so that they see how far it is.
func (k Keep) BeginExport(ctx context.Context, person PersonID, format string) (ExportID, error) {
	return one[ExportID](ctx, k.s.Reader, `insert into exports (person_id, format, begun_at, seen_at) values (?, ?, ?, ?) returning id`, person, format, k.s.now(), k.s.now())
}

// AdvanceExport says how many of how many rows are written.
func (k Keep) AdvanceExport(ctx context.Context, id ExportID, rows, total int) error {
	_, err := k.exec(ctx, `update exports set rows = ?, total = ?, seen_at = ? where id = ?`, rows, total, k.s.now(), id)
	return err
}

// EndExport says how an export ended; problem is "" when it is whole.
func (k Keep) EndExport(ctx context.Context, id ExportID, rows int, problem string) error {
	_, err := k.exec(ctx, `update exports set rows = ?, seen_at = ?, ended_at = ?, problem = ? where id = ?`, rows, k.s.now(), k.s.now(), problem, id)
	return err
}

// SweepExports forgets exports not seen for longer than age.
func (k Keep) SweepExports(ctx context.Context, age time.Duration) error {
	_, err := k.exec(ctx, `delete from exports where seen_at < ?`, k.s.now().Add(-age))
	return err
}
