package views

import (
	"cmp"
	"context"
	"net/url"
	"slices"
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

	Choose         string // what the box holds that chooses the merchant, "" where none is offered
	Undecided      int    // documents a reviewer has to decide, where that is asked
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
	Similar   []MerchantRow // names that are nearly what was searched for, when little was found
	Offer     MerchantChoices
	People    []Option // colleagues, for the filter and for giving merchants to them
	Decider   string   // the reviewer of Filter.Decided
	CanAdd    bool
	CanChange bool // several at once
	CanExport bool
	CanShare  bool
	Saved     []SavedView
	After     string // where in the list this page begins
	Find      FindForm
}

// MerchantChoices are what the filters offer.
type MerchantChoices struct {
	Lines, Entities, Teams []string
	Documents, Reasons     []string
}

// MerchantFilter is the list's query as typed. State: "", staff, merchant, reviewer or doku (who must act), remind (those to be
// reminded of it), overdue, todo, refused, failed, waiting, pending (no checklist yet), open (not complete), undecided (by a
// reviewer), sent_back (by DOKU, at its registration), unsettled (a registration without an answer), complete, registered, archived. Who: "", mine, others, nobody, a person's id. Document is a code, outside
// DOCUMENT a category, or CATEGORY:CODE; Slot how it stands. Done: quarters of what is done, 0 to 4. Order: action, recent,
// name, due.
type MerchantFilter struct {
	Q, State, BusinessType, Entity, BusinessLine, Who, Team, Document, Slot, Reason, Expiring, Stage, Decided, From, Until, Since, Done, Order string
}

// values are what the address says, under the names it says them by.
func (f *MerchantFilter) values() []struct {
	Name  string
	Value *string
} {
	return []struct {
		Name  string
		Value *string
	}{
		{"q", &f.Q}, {"state", &f.State}, {"who", &f.Who}, {"team", &f.Team}, {"business_type", &f.BusinessType}, {"entity", &f.Entity}, {"business_line", &f.BusinessLine},
		{"doc", &f.Document}, {"slot", &f.Slot}, {"reason", &f.Reason}, {"expiring", &f.Expiring}, {"stage", &f.Stage}, {"decided", &f.Decided}, {"from", &f.From}, {"until", &f.Until}, {"since", &f.Since}, {"done", &f.Done}, {"sort", &f.Order},
	}
}

// otherNames are those under which the address of the list may say something too.
var otherNames = map[string]string{"business_type": "type", "business_line": "line", "sort": "order"}

// Names are those of what is filtered by, an order aside.
func (f MerchantFilter) Names() (names []string) {
	for _, v := range f.values() {
		if *v.Value != "" && v.Name != "sort" {
			names = append(names, v.Name)
		}
	}
	return names
}

// ReadMerchantFilter is what an address asks of the list.
func ReadMerchantFilter(q url.Values) (f MerchantFilter) {
	for _, v := range f.values() {
		if *v.Value = strings.TrimSpace(q.Get(v.Name)); *v.Value == "" && otherNames[v.Name] != "" {
			*v.Value = strings.TrimSpace(q.Get(otherNames[v.Name]))
		}
	}
	if f.Who == "" && q.Get("mine") != "" {
		f.Who = "mine"
	}
	return f
}

// Query is the filter as an address writes it.
func (f MerchantFilter) Query() url.Values {
	q := url.Values{}
	for _, v := range f.values() {
		if *v.Value != "" {
			q.Set(v.Name, *v.Value)
		}
	}
	return q
}

// URL is where the list of the filter is, from a place in it on; "" from its start.
func (f MerchantFilter) URL(after string) string { return listURL(MerchantsURL(), f.Query(), after) }

// without is the filter without what it says under some names.
func (f MerchantFilter) without(names ...string) MerchantFilter {
	for _, v := range f.values() {
		if slices.Contains(names, v.Name) {
			*v.Value = ""
		}
	}
	return f
}

// more reports whether anything behind "more filters" is set.
func (f MerchantFilter) more() bool {
	return f.without("q", "state", "who", "sort") != MerchantFilter{}
}

// filterChip is one thing a list is filtered by, and where it is not.
type filterChip struct{ Text, URL string }

// chips are all that the list is filtered by but the text searched for, which stands in its field.
func (v MerchantsPage) chips(ctx context.Context) (chips []filterChip) {
	f := v.Filter
	add := func(text string, names ...string) {
		if text != "" {
			chips = append(chips, filterChip{text, f.without(names...).URL("")})
		}
	}
	told := func(label, prefix, value string) string {
		if value == "" {
			return ""
		}
		return say(ctx, "merchants.filter.is", "label", say(ctx, label), "value", named(ctx, prefix, value))
	}
	add(named(ctx, "state.", f.State), "state")
	switch i := slices.IndexFunc(v.People, func(o Option) bool { return o.Value == f.Who }); {
	case i >= 0:
		add(say(ctx, "merchants.filter.is", "label", say(ctx, "merchants.filter.who"), "value", v.People[i].Text), "who")
	default:
		add(told("merchants.filter.who", "merchants.who.", f.Who), "who")
	}
	add(told("merchants.filter.team", "", f.Team), "team")
	add(named(ctx, "type.", f.BusinessType), "business_type")
	add(named(ctx, "legal.", f.Entity), "entity")
	add(named(ctx, "line.", f.BusinessLine), "business_line")
	_, document, split := strings.Cut(f.Document, ":")
	if !split {
		document = f.Document
	}
	switch {
	case document != "":
		add(say(ctx, "merchants.filter.is", "label", named(ctx, "document.", document), "value", say(ctx, "merchants.slot."+orOpen(f.Slot))), "doc", "slot")
	case f.Slot != "":
		add(told("merchants.filter.document", "merchants.slot.", f.Slot), "slot")
	}
	if f.Reason != "" {
		add(reasonTitle(ctx, f.Reason), "reason")
	}
	add(named(ctx, "merchants.expiring.", f.Expiring), "expiring")
	if f.Stage != "" {
		text := named(ctx, "insights.stage.", f.Stage)
		from, until := dayOf(f.From), dayOf(f.Until)
		if from != nil || until != nil {
			text = say(ctx, "merchants.stage.between", "stage", text, "from", from, "until", until)
		}
		add(text, "stage", "from", "until")
	}
	if f.Decided != "" {
		add(say(ctx, "merchants.decided", "who", cmp.Or(v.Decider, f.Decided), "from", dayOf(f.From), "until", dayOf(f.Until)), "decided", "from", "until")
	}
	if since := dayOf(f.Since); since != nil {
		add(say(ctx, "merchants.filter.is", "label", say(ctx, "merchants.filter.since"), "value", words.Date(ctx, since.(time.Time))), "since")
	}
	if f.Done != "" {
		add(named(ctx, "merchants.done.", f.Done), "done")
	}
	return chips
}

// offered are values with one that is asked for.
func offered(values []string, asked string) []string {
	if asked == "" || slices.Contains(values, asked) {
		return values
	}
	return append(slices.Clone(values), asked)
}

// filterWord is what a filter's value is called.
func filterWord(ctx context.Context, prefix, value string) string {
	switch prefix {
	case "":
		return value
	case "reason.":
		return reasonTitle(ctx, value)
	}
	return named(ctx, prefix, value)
}

func orOpen(slot string) string {
	if words.Has("merchants.slot." + slot) {
		return slot
	}
	return "open"
}

// dayOf is a day of an address for a sentence; nil when it is none.
func dayOf(value string) any {
	t, err := time.ParseInLocation(time.DateOnly, value, words.WIB)
	if err != nil {
		return nil
	}
	return t
}

// What the filters offer, in this order.
var (
	slotStates     = []string{"open", "missing", "waiting", "delivered", "approved", "refused", "failed"}
	expiringWithin = []string{"expired", "7", "30", "90"}
	merchantStages = []string{"created", "first_document", "at_doku", "approved", "registered", "active"}
	quartersDone   = []string{"0", "1", "2", "3", "4"}
)

// MerchantOrders are the orders of the list as they are offered.
var MerchantOrders = []string{"action", "recent", "name", "due"}

// asks reports whether anything is filtered; an order leaves nothing out.
func (f MerchantFilter) asks() bool {
	f.Order = ""
	return f != MerchantFilter{}
}

// The states a merchant can be filtered by, in the order they are offered.
var merchantStates = []string{"staff", "merchant", "reviewer", "doku", "remind", "overdue", "open", "todo", "refused", "failed", "waiting", "pending", "undecided", "sent_back", "unsettled", "complete", "registered", "archived"}

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
