package views

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/a-h/templ"
)

// AuditPage is who did what, newest first; all filters live in the URL.
type AuditPage struct {
	Page      Page
	Filter    AuditFilter
	Merchant  string // the name of the filter's merchant
	People    []Option
	Actions   []AuditActions
	Errors    map[string]Message // of the filter, by field
	Rows      []AuditRow
	NextURL   string // the following page, "" at the end
	FirstURL  string // back to the newest, "" when this is it
	ExportURL string // "" when there is nothing to take away
	Trail     TrailView
}

// AuditFilter is the question as it stands in the address. Who: a person's id, or system, cli, doku, anonymous. What: an
// action. From and Until: days, both included.
type AuditFilter struct{ Who, What, Merchant, From, Until string }

// AuditActions are the actions of one noun: "audit.noun." + Noun, and "event." + each.
type AuditActions struct {
	Noun    string
	Actions []AuditAction
}

// AuditAction is one action: its value in the address and its sentence.
type AuditAction struct{ Value, Code string }

// TrailView is how far the audit trail is sealed.
type TrailView struct {
	Seal     int64
	Until    time.Time // of the newest seal, zero: none
	Unsealed int
	Since    time.Time // the oldest row without a seal
	Late     bool      // it should have been sealed by now
}

// AuditRow is one row: sentence "event." + Code.
type AuditRow struct {
	ID         int64
	At         time.Time
	Kind       string // of the actor: user, system, cli, doku, anonymous
	Who        string
	Role       string // the person's when it happened
	What       Message
	Fields     []string // of the merchant's form that were changed
	Subject    string   // what it is about beside the merchant: a document's or a person's name
	SubjectURL string
	MerchantID int64
	Merchant   string
	RequestID  string
}

// nobodies are the actors who are nobody in person.
var nobodies = []string{"system", "cli", "doku", "anonymous"}

func (f AuditFilter) asks() bool { return f != AuditFilter{} }

// query writes a filter as the page reads it, going on behind a cursor.
func (f AuditFilter) query(after string) string {
	q := url.Values{}
	for name, value := range map[string]string{"who": f.Who, "what": f.What, "merchant": f.Merchant, "from": f.From, "until": f.Until, "after": after} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func (r AuditRow) who(ctx context.Context) string {
	if r.Who != "" || r.Kind == "user" {
		return r.Who
	}
	return say(ctx, "audit.who."+r.Kind)
}

func (r AuditRow) fields(ctx context.Context) []string {
	names := make([]string, len(r.Fields))
	for i, f := range r.Fields {
		names[i] = named(ctx, "field.", f)
	}
	return names
}

// invalid ties a filter's field to its error.
func (v AuditPage) invalid(name string) bool {
	_, wrong := v.Errors[name]
	return wrong
}

func (t TrailView) tone() string {
	switch {
	case t.Late:
		return "bad"
	case t.Until.IsZero():
		return "wait"
	}
	return "good"
}

func (t TrailView) seal() string { return strconv.FormatInt(t.Seal, 10) }

// FindForm looks for a merchant by a personal value. Kind: "", nik, npwp, phone, email.
type FindForm struct {
	Kind, Value string
	Error       *Message
}

// findKinds are the kinds as they are offered.
var findKinds = []string{"nik", "npwp", "phone", "email"}

// FoundPage is the merchants that share a personal value.
type FoundPage struct {
	Page Page
	Rows []MerchantRow
}

// auditFields are the filter's fields that may be wrong, in their order.
var auditFields = []string{"who", "what", "merchant", "from", "until"}

func (v AuditPage) errorNames() (names []string) {
	for _, name := range auditFields {
		if v.invalid(name) {
			names = append(names, name)
		}
	}
	return names
}

func (v AuditPage) firstError() string {
	for _, name := range v.errorNames() {
		return v.Errors[name].Code
	}
	return ""
}

// dateType is the type of a date's input. One for dates would drop what was typed and is none.
func (v AuditPage) dateType(name string) string {
	if v.invalid(name) {
		return "text"
	}
	return "date"
}

func (v AuditPage) invalidAttributes(name string) templ.Attributes {
	if !v.invalid(name) {
		return nil
	}
	return templ.Attributes{"aria-invalid": "true", "aria-describedby": "audit-errors"}
}

func (v AuditPage) merchantAddress() string {
	id, _ := strconv.ParseInt(v.Filter.Merchant, 10, 64)
	return MerchantURL(id)
}

func orNumber(name string, id int64) string {
	if name == "" {
		return strconv.FormatInt(id, 10)
	}
	return name
}
