package views

import (
	"context"
	"strings"
	"time"

	"berkas/internal/words"
)

// MerchantRow is one merchant in a list.
type MerchantRow struct {
	ID           int64
	Name         string
	BusinessType string // PERSONAL, CORPORATE
	LegalEntity  string
	BusinessLine string
	Responsible  string
	Due          time.Time // zero: none
	Overdue      bool
	Progress     ProgressView
	Archived     bool
	Registered   bool
	Sample       bool
	MessagedAt   time.Time // the last message to the merchant

	Undecided      int // documents a reviewer has to decide, where that is asked
	UndecidedSince time.Time
}

// MerchantsPage is the list with its filters; all filters live in the URL.
type MerchantsPage struct {
	Page      Page
	Filter    MerchantFilter
	Rows      []MerchantRow
	NextURL   string // the following page, "" at the end
	FirstURL  string // back to the first page, "" when this is it
	Total     int    // capped: TotalMore says there are more
	TotalMore bool
	Lines     []string // business lines in use, for the filter
	CanAdd    bool
	Find      FindForm
}

// MerchantFilter is the list's query as typed. State: "", staff (what staff must do), merchant (what the merchant
// must do), remind (those to be reminded of it), overdue, todo, refused, failed,
// waiting (or doku), pending (no checklist yet), open (not complete), undecided (by a reviewer), complete, registered,
// archived. Who: "", mine, others, nobody. Order: action, recent, name, due.
type MerchantFilter struct {
	Q, State, BusinessType, BusinessLine, Who, Order string
}

// MerchantOrders are the orders of the list as they are offered.
var MerchantOrders = []string{"action", "recent", "name", "due"}

// asks reports whether anything is filtered; an order leaves nothing out.
func (f MerchantFilter) asks() bool {
	f.Order = ""
	return f != MerchantFilter{}
}

// The states a merchant can be filtered by, in the order they are offered.
var merchantStates = []string{"staff", "merchant", "remind", "overdue", "open", "todo", "refused", "failed", "waiting", "pending", "undecided", "complete", "registered", "archived"}

func (o Option) text(ctx context.Context) string {
	switch {
	case words.Has(o.Text):
		return say(ctx, o.Text)
	case o.Text != "":
		return o.Text
	}
	return named(ctx, "choice.", o.Value)
}

// kind is what decides a merchant's checklist, in words. The legal entity says the business type with it.
func (row MerchantRow) kind(ctx context.Context) string {
	legal, _, _ := strings.Cut(named(ctx, "legal.", row.LegalEntity), " (")
	if legal == "" {
		legal = named(ctx, "type.", row.BusinessType)
	}
	text := ""
	for _, part := range []string{legal, named(ctx, "line.", row.BusinessLine)} {
		if part == "" {
			continue
		}
		if text != "" {
			text += " · "
		}
		text += part
	}
	return text
}

func plusIf(more bool) string {
	if more {
		return "+"
	}
	return ""
}
