package views

import (
	"context"
	"strconv"
	"time"

	"berkas/internal/words"
)

// RegistrationView is how far a merchant is from being registered, or its registration. State: "" before it was asked for, else
// pending, redelivering, uncertain, stuck, registered, refused, rejected.
type RegistrationView struct {
	MerchantID   int64
	State        string
	SubmissionID int64
	Missing      []LackView
	CanRegister  bool
	Ready        bool // nothing is missing, and the reader may register
	CanReveal    bool // the shared key
	Poll         bool // DOKU has not settled it: the part asks again soon
}

// LackView is one thing that is missing: sentence "lack." + Code, and where to mend it.
type LackView struct {
	Message
	Field string   // of the form, or of a slot
	Why   *Message // why a field is refused
	URL   string   // "" for readers who cannot mend it
}

// RegisterPage is what would be sent to DOKU, or what is missing for that.
type RegisterPage struct {
	Page       Page
	MerchantID int64
	Merchant   string
	Missing    []LackView
	Own        bool      // the reader approved the last document and may not register
	Waits      time.Time // until when the last decision can be taken back; zero: it cannot
	Corporate  bool
	Submitted  bool // it was asked for already
	Rows       []SentRow
	Left       []string // documents that are not sent
	Seen       string
	Error      *Message

	InviteMissing []LackView
	InviteRows    []SentRow
}

// SentRow is one value of a request's body. Document is the name of the document whose place this is.
type SentRow struct {
	Path, Field, Document, Value string
	Documented                   bool
}

// SubmissionView is what is known of a submission.
type SubmissionView struct {
	MerchantID  int64
	ID          int64
	Kind        string // registration, lite
	State       string // as RegistrationView.State; also absent and withdrawn
	RequestID   string
	AskedBy     string
	AskedAt     time.Time
	SentAt      time.Time // for the first time
	SettledBy   string
	SettledAt   time.Time
	MendedAt    time.Time
	MaybeSince  time.Time // since when DOKU may have it
	Next        time.Time
	BusinessID  string
	BrandID     string
	Status      string
	Words       string // DOKU's, verbatim
	Note        string // of whoever settled it
	ReplacesURL string
}

// SubmissionPage is all that is known of one submission.
type SubmissionPage struct {
	Page     Page
	Merchant string
	SubmissionView
	Rows     []SentRow
	Attempts []AttemptView

	Resolvable bool
	Mendable   bool
	Slots      []MendSlot
	Open       string // the form that was refused: found, absent, mend
	Error      *Message
	Typed      map[string]string
}

// AttemptView is one time a submission left. Problem: "" when it was answered as hoped.
type AttemptView struct {
	At, Ended time.Time
	Status    int
	Problem   string
}

// MendSlot is a document that DOKU's no may be about.
type MendSlot struct {
	ID      int64
	Name    string
	URL     string
	Reasons []Option
	Chosen  []string
}

// SharedKeyPage shows a merchant's credential.
type SharedKeyPage struct {
	Page       Page
	MerchantID int64
	Merchant   string
	BrandID    string
	Key        string
}

func registrationTone(state string) string {
	switch state {
	case "registered":
		return "good"
	case "refused", "rejected", "stuck":
		return "bad"
	case "absent", "withdrawn":
		return ""
	}
	return "wait"
}

// text is what is missing, in words.
func (l LackView) text(ctx context.Context) string {
	m := l.Message
	if l.Field != "" {
		m.Params["field"] = named(ctx, "field.", l.Field)
	}
	s := message(ctx, "lack.", m)
	if l.Why != nil {
		s += " " + faultText(ctx, *l.Why)
	}
	return s
}

// label is what a value is, in our words.
func (r SentRow) label(ctx context.Context) string {
	switch {
	case r.Document != "":
		return r.Document
	case r.Field != "" && words.Has("field."+r.Field):
		return say(ctx, "field."+r.Field)
	}
	return ""
}

func (a AttemptView) text(ctx context.Context) string {
	switch {
	case a.Ended.IsZero():
		return say(ctx, "attempt.open")
	case a.Problem == "":
		return say(ctx, "attempt.answered")
	}
	return say(ctx, "attempt."+a.Problem)
}

func (a AttemptView) status() string {
	if a.Status == 0 {
		return ""
	}
	return strconv.Itoa(a.Status)
}

func (v SubmissionPage) failed(how string) *Message {
	if v.Open == how {
		return v.Error
	}
	return nil
}

func (v SubmissionPage) typed(how, name string) string {
	if v.Open == how {
		return v.Typed[name]
	}
	return ""
}

func (s MendSlot) field() string { return "reason_" + id64(s.ID) }
