package models

import (
	"context"
	"strconv"
	"time"
)

// MerchantOrder is how a list of merchants is sorted.
type MerchantOrder string

const (
	OrderAction MerchantOrder = "action" // what needs somebody first, and of that what is due first
	OrderRecent MerchantOrder = "recent" // newest change first
	OrderName   MerchantOrder = "name"
	OrderDue    MerchantOrder = "due" // without a due date last
)

// MerchantOrders are all of them, in the order they are offered.
var MerchantOrders = []MerchantOrder{OrderAction, OrderRecent, OrderName, OrderDue}

// Each order has an index on just these expressions.
const (
	urgencySQL = `(case m.progress_state when 'failed' then 1 when 'refused' then 2 when 'todo' then 3 when 'pending' then case m.next_actor when 'staff' then 2 else 4 end when 'waiting' then 5 when 'complete' then 6 else 7 end)`
	dueSQL     = `coalesce(m.due_on, 'infinity'::date)`
)

// MerchantCursor is the last row of a page: lists go on behind it. Of a name it holds only whose it is.
type MerchantCursor struct {
	UpdatedAt time.Time
	DueOn     *time.Time
	Urgency   int
	ID        MerchantID
}

// Cursor goes on behind this row.
func (m MerchantRow) Cursor() MerchantCursor {
	return MerchantCursor{UpdatedAt: m.UpdatedAt, DueOn: m.DueOn, Urgency: m.Urgency, ID: m.ID}
}

// by is the order's clause and, behind a cursor, the condition that goes with it.
func (o MerchantOrder) by(after *MerchantCursor) (order, where string, args []any) {
	if after == nil {
		after = &MerchantCursor{}
	}
	due := "infinity"
	if after.DueOn != nil {
		due = after.DueOn.Format(time.DateOnly)
	}
	switch o {
	case OrderAction:
		return urgencySQL + ", " + dueSQL + ", m.id", "(" + urgencySQL + ", " + dueSQL + ", m.id) > (?, ?::date, ?)", []any{after.Urgency, due, after.ID}
	case OrderName:
		return `m.name_normal collate "C", m.id`, `(m.name_normal collate "C", m.id) > (select c.name_normal collate "C", c.id from merchants c where c.id = ?)`, []any{after.ID}
	case OrderDue:
		return dueSQL + ", m.id", "(" + dueSQL + ", m.id) > (?::date, ?)", []any{due, after.ID}
	}
	return "m.updated_at desc, m.id desc", "(m.updated_at, m.id) < (?, ?)", []any{after.UpdatedAt, after.ID}
}

// ToDecide is how many of a merchant's documents a reviewer has to decide, and since when the first of them is at DOKU.
type ToDecide struct {
	MerchantRow
	Undecided int
	Since     time.Time
}

// MerchantsToDecide are merchants with documents to decide, the one that waits longest first. It walks the
// queue from the oldest on, no further than it must.
func (r Reader) MerchantsToDecide(ctx context.Context, limit int) ([]ToDecide, error) {
	return scan[ToDecide](ctx, r, `with oldest as (
			select d.merchant_id, d.queued_at from documents d where `+oldestSQL+` order by d.queued_at, d.id limit `+strconv.Itoa(limit*50)+`),
		first as (select merchant_id, min(queued_at) as since from oldest group by merchant_id order by since, merchant_id limit `+strconv.Itoa(limit)+`)
		select `+merchantRowColumns+`, f.since, (select count(*) from documents d where d.merchant_id = m.id and d.queued_at is not null) as undecided
		from first f join merchants m on m.id = f.merchant_id left join people p on p.id = m.responsible_id order by f.since, m.id`)
}

// KeepMerchantOrder remembers how a person likes merchants sorted.
func (k Keep) KeepMerchantOrder(ctx context.Context, id PersonID, o MerchantOrder) error {
	_, err := k.exec(ctx, `update people set merchant_order = ? where id = ?`, o, id)
	return err
}
