package views

import (
	"context"
	"time"
)

// ExportPage offers what is filtered as a file, and shows how far the files are that were asked for.
type ExportPage struct {
	Page    Page
	Filter  MerchantFilter
	Rows    int
	More    bool // than Rows
	Exports []ExportView
}

// ExportView is an export that was begun. State: underway, done, broken; Problem is a fault's code.
type ExportView struct {
	ID             int64
	Format         string
	BegunAt        time.Time
	Rows, Total    int // Total is 0 before they are counted
	State, Problem string
}

// minutes is about how long an export takes.
func (v ExportPage) minutes() int { return (v.Rows + rowsAMinute - 1) / rowsAMinute }

const rowsAMinute = 500_000

func (e ExportView) tone() string {
	return map[string]string{"underway": "wait", "done": "good", "broken": "bad"}[e.State]
}

// written is how far an export is, or how far it came.
func (e ExportView) written(ctx context.Context) string {
	switch {
	case e.State == "done":
		return say(ctx, "export.whole", "n", e.Rows)
	case e.Total == 0:
		return say(ctx, "export.written", "n", e.Rows)
	}
	return say(ctx, "export.written.of", "n", e.Rows, "total", e.Total)
}
