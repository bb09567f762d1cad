package views

import "time"

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

	Undecided      int // documents a reviewer has to decide, where that is asked
	UndecidedSince time.Time
}

// ProgressView is a merchant's completeness in one sentence. The sentence is "progress." + Code, the parts after it
// are "progress.part." + Code, joined by semicolons. NextActor: staff, merchant, doku, reviewer, nobody.
type ProgressView struct {
	Done, Total int
	Tone        string // good, wait, bad, none
	Lead        Message
	Parts       []Message // each has the parameter "document" (a name) and others of its code
	NextActor   string
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

// MerchantFilter is the list's query as typed. State: "", staff (what staff must do), overdue, todo, refused, failed,
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

// MerchantFormPage creates or edits a merchant. Values and Errors are keyed by the form field's name; an error is
// catalogue "fault." + Code.
type MerchantFormPage struct {
	Page          Page
	ID            int64 // 0: a new one
	Name          string
	Values        map[string]string
	Errors        map[string]Message
	LegalEntities map[string][]string // business type → legal entities (DOKU's values)
	BusinessLines map[string][]string // business type → known lines; the list is open: another may be typed
	Colleagues    []Option
	Duplicates    []DuplicateView // merchants that look the same; shown once, a second post with "confirm" goes through
	Locked        bool            // documents exist: what decides the checklist can no longer be changed
}

// DuplicateView is a merchant that looks like the one being typed. Why: name, phone, email.
type DuplicateView struct {
	ID   int64
	Name string
	Why  []string
}

// MerchantPage is one merchant: who acts next, the checklist in groups, what happened.
type MerchantPage struct {
	Page      Page
	Merchant  MerchantView
	Checklist ChecklistView
	Timeline  []EventView
	AuditURL  string // all that happened to it, where the reader may see that
}

// MerchantView is the merchant's own data as it may be shown: personal numbers are masked.
type MerchantView struct {
	MerchantRow
	Nationality string
	Description string
	Notes       string
	Data        []DataGroup
	CreatedBy   string
	CreatedAt   time.Time
	BusinessID  string
	BrandID     string
	Status      string // DOKU's word for the registered business, "" before
	CanEdit     bool
	CanArchive  bool
}

// DataGroup is a titled list of typed data. Key names it in the catalogue ("data." + Key).
type DataGroup struct {
	Key  string
	Rows []DataRow
}

// DataRow is one typed datum: label "field." + Key.
type DataRow struct{ Key, Value string }

// ChecklistView is what DOKU asks for. State: ready, pending, refused.
type ChecklistView struct {
	MerchantID int64
	State      string
	Assumed    bool
	ReadAt     time.Time // when DOKU's answer was last read, zero: never
	Problem    *Message  // why it is refused or still pending
	DOKUSays   string    // DOKU's own words when it refused, verbatim
	Changes    []ChangeView
	Groups     []SlotGroup
	Addable    []AddableView // what may be added by hand
	CanRead    bool          // may ask DOKU again
	Poll       bool          // pending: ask again soon
}

// ChangeView is what a newer requirement set changed. Kind: new, gone, different.
type ChangeView struct{ Kind, Name string }

// AddableView is a category and code DOKU takes without asking.
type AddableView struct{ Category, Code string }

// SlotGroup is one section of the checklist. Key: owner, business, brand, agreement, licence ("group." + Key).
type SlotGroup struct {
	Key         string
	Done, Total int
	Slots       []SlotView
}

// EventView is one line of the timeline: sentence "event." + Code. Tone: good, bad, wait or none.
type EventView struct {
	Message
	Tone string
	Who  string // a person's name, or "" for the system
	At   time.Time
}

// canUpload says whether any slot takes a file from this person now.
func (v ChecklistView) canUpload() bool {
	for _, group := range v.Groups {
		for _, slot := range group.Slots {
			if slot.CanUpload {
				return true
			}
		}
	}
	return false
}
