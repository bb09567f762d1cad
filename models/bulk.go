package models

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"gorm.io/gorm"
)

// SeenMerchant is a merchant as somebody saw it who chose it from a list.
type SeenMerchant struct {
	ID            MerchantID
	ResponsibleID PersonID // 0: nobody
	DueOn         *time.Time
}

// BulkChange gives merchants to somebody or sets when they are due.
type BulkChange struct {
	Responsible *PersonID // nil: stays; 0: nobody
	Due         bool      // DueOn is set, nil: to none
	DueOn       *time.Time
}

// BulkResult is what became of chosen merchants.
type BulkResult struct {
	Changed  int
	Same     int // was so already
	Archived int // meanwhile
	Other    int // somebody else changed meanwhile what was to be changed
}

// Add counts another part of the same change.
func (r *BulkResult) Add(more BulkResult) {
	r.Changed, r.Same, r.Archived, r.Other = r.Changed+more.Changed, r.Same+more.Same, r.Archived+more.Archived, r.Other+more.Other
}

// ChangeMerchants changes those of the chosen merchants that are as they were seen.
func (tx *Tx) ChangeMerchants(chosen []SeenMerchant, c BulkChange) (res BulkResult, err error) {
	seen, ids := map[MerchantID]SeenMerchant{}, []MerchantID{}
	for _, m := range chosen {
		seen[m.ID] = m
		ids = append(ids, m.ID)
	}
	var rows []struct {
		SeenMerchant
		ArchivedAt *time.Time
	}
	// Whoever changes many locks them in one order.
	if err := tx.g.Raw(`select id, coalesce(responsible_id, 0) as responsible_id, due_on, archived_at from merchants where id = any(?) order by id for update`, bigints(ids)).Scan(&rows).Error; err != nil {
		return res, translate(err)
	}
	var change []MerchantID
	for _, m := range rows {
		was := seen[m.ID]
		switch {
		case m.ArchivedAt != nil:
			res.Archived++
		case c.Responsible != nil && *c.Responsible == m.ResponsibleID || c.Due && sameDay(c.DueOn, m.DueOn):
			res.Same++
		case c.Responsible != nil && was.ResponsibleID != m.ResponsibleID || c.Due && !sameDay(was.DueOn, m.DueOn):
			res.Other++
		default:
			change = append(change, m.ID)
		}
	}
	res.Changed = len(change)
	if len(change) == 0 {
		return res, nil
	}
	set, field := tx.g.Table("merchants").Where("id = any(?)", bigints(change)), "due_on"
	values := map[string]any{"due_on": c.DueOn, "updated_at": tx.Now}
	if c.Responsible != nil {
		field, values = "responsible", map[string]any{"responsible_id": orNil(int64(*c.Responsible)), "updated_at": tx.Now}
	}
	if err := set.Updates(values).Error; err != nil {
		return res, translate(err)
	}
	for _, id := range change {
		tx.Audit(MerchantEdited, id.Ref(), "fields", []string{field}, "many", true)
	}
	if c.Due { // the reviewers' queue is sorted by it
		return res, tx.Queue(change...)
	}
	return res, nil
}

func sameDay(a, b *time.Time) bool {
	return a == b || a != nil && b != nil && a.Format(time.DateOnly) == b.Format(time.DateOnly)
}

// SeenMerchants are the merchants of a filter as they are now, at most limit of them.
func (r Reader) SeenMerchants(ctx context.Context, f MerchantFilter, limit int) (seen []SeenMerchant, err error) {
	err = r.EachMerchant(ctx, f, 1000, func(rows []MerchantRow) (bool, error) {
		for _, m := range rows {
			seen = append(seen, SeenMerchant{ID: m.ID, ResponsibleID: m.ResponsibleID, DueOn: m.DueOn})
		}
		return len(seen) < limit, nil
	})
	return slices.Clip(seen[:min(len(seen), limit)]), err
}

// EachMerchant hands all merchants of a filter, in its order, over to do: batch of them at a time, as they were in one
// instant, until do says that it is enough. It keeps a connection meanwhile.
func (r Reader) EachMerchant(ctx context.Context, f MerchantFilter, batch int, do func([]MerchantRow) (more bool, err error)) error {
	return translate(r.db.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		snapshot := Reader{db: tx}
		f, err := snapshot.ResolveMerchants(ctx, f)
		if err != nil {
			return err
		}
		for after := (*MerchantCursor)(nil); ; {
			sql, args := f.list(after, batch)
			rows, err := scanPlanned[MerchantRow](ctx, snapshot, sql, args...)
			if err != nil || len(rows) == 0 {
				return err
			}
			if more, err := do(rows); err != nil || !more || len(rows) < batch {
				return err
			}
			last := rows[len(rows)-1].Cursor()
			after = &last
		}
	}, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}))
}

// MerchantsTaken records that the acting person takes the merchants of a list away, and the names of its filters.
func (tx *Tx) MerchantsTaken(format string, filtered []string) {
	tx.Audit(MerchantsExported, Somewhere("merchant"), "format", format, "filters", filtered)
}

// MerchantsSent records how an export ended.
func (tx *Tx) MerchantsSent(format string, rows int, whole bool) {
	tx.Audit(MerchantsSent, Somewhere("merchant"), "format", format, "rows", rows, "whole", whole)
}
