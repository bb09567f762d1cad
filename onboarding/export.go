package onboarding

import (
	"context"
	"io"
	"time"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
)

const (
	exportGrace   = 10 * time.Second // to record an export's end when its reader has gone
	exportsAtOnce = 2                // each keeps a connection and a snapshot of the database
	exportAgain   = 30 * time.Second
)

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

// TakeMerchants records that the merchants of a filter are taken away, by the names of what it is filtered by, before the
// first of them leaves. One of the few exports at once is then the caller's until it calls give. fault.Unavailable
// export_busy when there are enough.
func (s *Service) TakeMerchants(ctx context.Context, actor models.Actor, format string, filtered []string) (give func(), err error) {
	select {
	case s.exports <- struct{}{}:
	default:
		busy := fault.New(fault.Unavailable, "export_busy")
		busy.RetryAfter = exportAgain
		return nil, busy
	}
	give = func() { <-s.exports }
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.MerchantsTaken(format, filtered)
		return nil
	})
	if err != nil {
		give()
	}
	return give, err
}

// ExportMerchants writes all merchants of a filter as they were in one instant, and records how many they were. It holds no
// more than a thousand; flush is called after each thousand and ends the export with its error. What breaks off is told too.
func (s *Service) ExportMerchants(ctx context.Context, actor models.Actor, f models.MerchantFilter, format string, t Table, flush func() error) error {
	lang, n := words.From(ctx), 0
	header := make([]any, len(MerchantColumns))
	for i, name := range MerchantColumns {
		header[i] = words.Say(lang, "export."+name, nil)
	}
	err := t.Row(header...)
	if err == nil {
		err = s.Store.EachMerchant(ctx, f, exportBatch, func(rows []models.MerchantRow) (bool, error) {
			for _, m := range rows {
				if err := t.Row(merchantCells(lang, m)...); err != nil {
					return false, err
				}
				n++
			}
			return true, flush()
		})
	}
	if err == nil {
		err = t.End()
	}
	after, cancel := within(ctx, exportGrace)
	defer cancel()
	told := s.Store.Write(after, actor, func(tx *models.Tx) error {
		tx.MerchantsSent(format, n, err == nil)
		return nil
	})
	if err == nil {
		err = told
	}
	return err
}

// NewTable is a table of a format, "csv" or "xlsx".
func NewTable(w io.Writer, format, title string) (Table, error) {
	if format == "xlsx" {
		return newWorkbook(w, title)
	}
	_, err := io.WriteString(w, "\ufeff") // a spreadsheet reads UTF-8 then
	return &csvTable{newCSV(w)}, err
}
