package onboarding

import (
	"context"
	"io"
	"math"
	"time"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
)

const (
	exportGrace   = 10 * time.Second // to record an export's end when its reader has gone
	exportsAtOnce = 2                // each keeps a connection and a snapshot of the database
	exportAgain   = 30 * time.Second

	exportProgress = time.Second
	exportCounting = 5 * time.Second
	keepExports    = 24 * time.Hour
)

// ExportSilence is how long nothing is heard of an export whose process has gone: longer than any of its readers may pause.
const ExportSilence = time.Minute

// Table takes the rows of an export. A cell is a string, an int, a Day or a time.Time.
type Table interface {
	Row(cells ...any) error
	End() error
}

// Day is a date in a cell; the zero Day is none.
type Day time.Time

// MerchantColumns are those of an export of merchants.
var MerchantColumns = []string{"id", "name", "business_type", "legal_entity", "business_line", "state", "done", "total", "next_actor", "next_actor_since", "responsible", "due_on",
	"business_id", "brand_id", "created_at", "registered_at", "updated_at"}

func merchantCells(lang words.Lang, m models.MerchantRow) []any {
	named := func(prefix, value string) string {
		if words.Has(prefix + value) {
			return words.Say(lang, prefix+value, nil)
		}
		return value
	}
	state := named("state.", string(m.ProgressState))
	if m.ArchivedAt != nil {
		state = words.Say(lang, "state.archived", nil)
	}
	return []any{int(m.ID), m.Name, named("type.", m.BusinessType), named("legal.", m.LegalEntity), named("line.", m.BusinessLine), state, m.Progress.Done, m.Progress.Total,
		named("actor.", string(m.NextActor)), m.NextActorSince, m.Responsible, day(m.DueOn), m.BusinessID, m.BrandID, m.CreatedAt, instant(m.RegisteredAt), m.UpdatedAt}
}

func day(t *time.Time) Day { return Day(instant(t)) }

func instant(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// Export is one of merchants that may be written: one of the few at once, until Close.
type Export struct {
	s       *Service
	actor   models.Actor
	filter  models.MerchantFilter
	format  string
	id      models.ExportID
	rows    int
	total   int // 0 before they are counted, and when that takes too long
	counted bool
	told    time.Time
}

// TakeMerchants records that the merchants of a filter are taken away, by the names of what it is filtered by, before the
// first of them leaves. fault.Unavailable export_busy when there are enough exports at once.
func (s *Service) TakeMerchants(ctx context.Context, actor models.Actor, f models.MerchantFilter, format string, filtered []string) (*Export, error) {
	id, err := s.Store.Keep().BeginExport(ctx, actor.Person, format)
	if err != nil {
		return nil, err
	}
	e := &Export{s: s, actor: actor, filter: f, format: format, id: id}
	select {
	case s.exports <- struct{}{}:
	default:
		busy := fault.New(fault.Unavailable, "export_busy")
		busy.RetryAfter = exportAgain
		e.end(ctx, busy)
		return nil, busy
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.MerchantsTaken(format, filtered)
		return nil
	})
	if err != nil {
		e.Close()
		e.end(ctx, err)
		return nil, err
	}
	return e, nil
}

// Close lets another export be written.
func (e *Export) Close() { <-e.s.exports }

// Write writes all merchants as they were in one instant, and records how many they were. It holds no more than a
// thousand; flush is called after each thousand and ends the export with its error. What breaks off is told too.
func (e *Export) Write(ctx context.Context, t Table, flush func() error) error {
	err := e.write(ctx, t, flush)
	if ctx.Err() != nil {
		err = gone(err)
	}
	after, cancel := within(ctx, exportGrace)
	defer cancel()
	told := e.s.Store.Write(after, e.actor, func(tx *models.Tx) error {
		tx.MerchantsSent(e.format, e.rows, err == nil)
		return nil
	})
	if err == nil {
		err = told
	}
	e.end(after, err)
	return err
}

func (e *Export) write(ctx context.Context, t Table, flush func() error) error {
	lang := words.From(ctx)
	header := make([]any, len(MerchantColumns))
	for i, name := range MerchantColumns {
		header[i] = words.Say(lang, "export."+name, nil)
	}
	if err := t.Row(header...); err != nil {
		return gone(err)
	}
	err := e.s.Store.EachMerchant(ctx, e.filter, exportBatch, func(rows []models.MerchantRow) (bool, error) {
		for _, m := range rows {
			if err := t.Row(merchantCells(lang, m)...); err != nil {
				return false, gone(err)
			}
			e.rows++
		}
		if len(rows) == exportBatch { // there may be more
			e.advance(ctx)
		}
		return true, gone(flush())
	})
	if err != nil {
		return err
	}
	return gone(t.End())
}

// gone is what is to be said of an error of writing to the reader.
func gone(err error) error {
	if err == nil {
		return nil
	}
	return fault.Wrap(err, fault.Unavailable, "export_gone")
}

// advance tells how far an export is, once a second at most. Whoever takes it away gets it without that too.
func (e *Export) advance(ctx context.Context) {
	if e.s.Now().Sub(e.told) < exportProgress {
		return
	}
	if !e.counted {
		e.counted, e.total = true, e.count(ctx)
	}
	if err := e.s.Store.Keep().AdvanceExport(ctx, e.id, e.rows, e.total); err != nil {
		e.s.Log.Warn("an export's progress is not told", "export", e.id, "error", err)
	}
	e.told = e.s.Now()
}

// count says how many merchants there are to write. The snapshot waits meanwhile, which PostgreSQL allows for half a minute.
func (e *Export) count(ctx context.Context) int {
	ctx, cancel := context.WithTimeout(ctx, exportCounting)
	defer cancel()
	n, err := e.s.Store.CountMerchants(ctx, e.filter, math.MaxInt32)
	if err != nil {
		e.s.Log.Warn("an export is not counted", "export", e.id, "error", err)
	}
	return n
}

// end tells how an export ended.
func (e *Export) end(ctx context.Context, err error) {
	problem := fault.Code(err)
	if err != nil && problem == "" {
		problem = "export_failed"
	}
	if err := e.s.Store.Keep().EndExport(ctx, e.id, e.rows, problem); err != nil {
		e.s.Log.Warn("an export's end is not told", "export", e.id, "error", err)
	}
}

// NewTable is a table of a format, "csv" or "xlsx".
func NewTable(w io.Writer, format, title string) (Table, error) {
	if format == "xlsx" {
		return newWorkbook(w, title)
	}
	_, err := io.WriteString(w, "\ufeff") // a spreadsheet reads UTF-8 then
	return &csvTable{newCSV(w)}, err
}
