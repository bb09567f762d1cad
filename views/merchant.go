package views

import (
	"context"
	"slices"
	"time"
)

// ProgressView is a merchant's completeness in one sentence. The sentence is "progress." + Code, the parts after it
// are "progress.part." + Code, joined by semicolons. NextActor: staff, merchant, doku, reviewer, nobody.
type ProgressView struct {
	Done, Total int
	Tone        string // good, wait, bad, none
	Lead        Message
	Parts       []Message // each has the parameter "document" (a name) and others of its code
	NextActor   string
	NextSince   time.Time // since when it is their turn; zero: not known
}

// MerchantPage is one merchant: who acts next, the checklist in groups, what happened.
type MerchantPage struct {
	Page      Page
	Merchant  MerchantView
	Checklist ChecklistView
	Timeline  []EventView
	Comments  CommentsView
	// Registration is how far the merchant is from being registered, or its registration.
	Registration RegistrationView
	Status       StatusView
	Submissions  []SubmissionView // newest first
	AuditURL     string           // all that happened to it, where the reader may see that
	// EvidenceURL is where that is taken away with its proof, for those who may.
	EvidenceURL string
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
	CanMessage  bool
}

// DataGroup is a titled list of typed data. Key names it in the catalogue ("data." + Key).
type DataGroup struct {
	Key  string
	Rows []DataRow
}

// DataRow is one typed datum: label "field." + Key.
type DataRow struct{ Key, Value string }

// eventsShown is how much of the timeline stands open.
const eventsShown = 8

// EventView is one line of the timeline: sentence "event." + Code. Tone: good, bad, wait or none.
type EventView struct {
	Message
	Tone string
	Who  string // a person's name, or "" for the system
	At   time.Time
}

// text is a datum as it is read: choices and countries in words, everything else as typed.
func (row DataRow) text(ctx context.Context) string {
	switch row.Key {
	case "brand_category", "website_readiness", "mobile_app_readiness", "transaction_frequency", "owner_gender":
		return named(ctx, "choice.", row.Value)
	case "nationality", "owner_nationality", "address_country":
		return named(ctx, "country.", row.Value)
	case "business_type":
		return named(ctx, "type.", row.Value)
	case "legal_entity":
		return named(ctx, "legal.", row.Value)
	case "business_line":
		return named(ctx, "line.", row.Value)
	}
	return row.Value
}

// refused reports whether the staff have to tell the merchant what was refused.
func (p ProgressView) refused() bool {
	return slices.ContainsFunc(p.Parts, func(m Message) bool { return m.Code == "rejected" || m.Code == "refused" })
}
