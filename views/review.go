package views

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"berkas/internal/words"
)

// ReviewFilter is the question the queue answers, as it stands in the address.
type ReviewFilter struct {
	BusinessType string
	BusinessLine string
	Document     string // a code, outside DOCUMENT a category
	Age          int    // days a document has waited, at least
	Show         string // "" what waits, mine, overdue, late (waits longer than it should), snoozed
}

func (f ReviewFilter) query(after string) string {
	q := url.Values{}
	set := func(name, value string) {
		if value != "" {
			q.Set(name, value)
		}
	}
	set("type", f.BusinessType)
	set("line", f.BusinessLine)
	set("document", f.Document)
	if f.Age > 0 {
		set("age", strconv.Itoa(f.Age))
	}
	set("show", f.Show)
	set("after", after)
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// showing is the same question of another part of the queue.
func (f ReviewFilter) showing(show string) ReviewFilter {
	f.Show = show
	return f
}

// narrow reports whether something is filtered, beside the part of the queue.
func (f ReviewFilter) narrow() bool { return f.showing("") != ReviewFilter{} }

func (f ReviewFilter) age() string {
	if f.Age == 0 {
		return ""
	}
	return strconv.Itoa(f.Age)
}

// ReviewShows are the parts of the queue, in the order they are offered.
var ReviewShows = []string{"", "mine", "overdue", "late", "snoozed"}

// ReviewRow is one document of the queue.
type ReviewRow struct {
	ID           int64
	HasThumbnail bool
	MerchantID   int64
	Merchant     string
	Category     string
	Code         string
	Version      int
	BusinessType string
	BusinessLine string
	Due          time.Time
	Overdue      bool
	Since        time.Time // at DOKU, undecided
	Late         bool      // waits longer than it should
	Uploader     string
	Own          bool   // the reader's own upload, which others decide
	Leaser       string // who has it open, "" for nobody
	Mine         bool   // the reader has it open
	Assigned     string
	First        string // who approved it, when a second reviewer must
	Snoozed      time.Time
}

// kind is what a row's merchant is, in words.
func (r ReviewRow) kind(ctx context.Context) string {
	line := named(ctx, "line.", r.BusinessLine)
	if line == "" {
		return named(ctx, "type.", r.BusinessType)
	}
	return named(ctx, "type.", r.BusinessType) + " · " + line
}

func orWaiting(show string) string {
	if show == "" {
		return "waiting"
	}
	return show
}

// ReviewPage is the reviewers' queue.
type ReviewPage struct {
	Page     Page
	Filter   ReviewFilter
	Rows     []ReviewRow
	Counts   map[string]int // by ReviewShows; capped
	More     map[string]bool
	Kinds    []Option
	Lines    []string
	After    string // the cursor this page is behind, "" at the start
	NextURL  string
	FirstURL string
}

func (v ReviewPage) emptyIcon() string {
	switch v.Filter.Show {
	case "mine":
		return "people"
	case "late":
		return "alert"
	case "overdue":
		return "calendar"
	case "snoozed":
		return "clock"
	}
	return "check"
}

// ages are the waiting times offered, and the one that is asked for.
func (v ReviewPage) ages() []int {
	days := []int{1, 3, 7, 14, 30}
	if v.Filter.Age > 0 && !slices.Contains(days, v.Filter.Age) {
		days = append(days, v.Filter.Age)
	}
	return days
}

// lines and kinds offer what is asked for also when nothing of it waits.
func (v ReviewPage) lines() []string {
	if v.Filter.BusinessLine == "" || slices.Contains(v.Lines, v.Filter.BusinessLine) {
		return v.Lines
	}
	return append(slices.Clone(v.Lines), v.Filter.BusinessLine)
}

func (v ReviewPage) kinds() []Option {
	if v.Filter.Document == "" || slices.ContainsFunc(v.Kinds, func(o Option) bool { return o.Value == v.Filter.Document }) {
		return v.Kinds
	}
	return append(slices.Clone(v.Kinds), Option{Value: v.Filter.Document, Text: v.Filter.Document})
}

// DecisionView is one decision on a document.
type DecisionView struct {
	ID       int64
	Outcome  string // approved, refused
	Standing string
	Reasons  []string
	Note     string // for colleagues
	Message  string // for the merchant
	Who      string
	At       time.Time
	Version  int
}

func (d DecisionView) tone() string {
	switch {
	case d.Standing != "counts" && d.Standing != "first":
		return ""
	case d.Outcome == "approved":
		return "good"
	}
	return "bad"
}

func (d DecisionView) icon() string { return reviewIcon(d.Outcome) }

// FactView is something typed beside a document.
type FactView struct {
	Key     string // a field of the merchant's form, or form_<CODE>
	Name    string // DOKU's own name of it, where the catalogue has none
	Value   string // masked unless it was asked for
	Masked  bool
	Was     string // in a conflict: as it was seen
	Changed bool
}

// show writes a fact's value as people say it.
func (f FactView) show(ctx context.Context, value string) string {
	if f.Key == "owner_gender" {
		return named(ctx, "choice.", value)
	}
	return value
}

// ReasonOption is a reason a reviewer can choose.
type ReasonOption struct {
	Code      string
	Gravity   string
	Text      string // the partner's own, "" for the catalogue's
	Shareable bool
	Chosen    bool
}

// gravity is a group of reasons.
type gravity struct {
	Name    string
	Reasons []ReasonOption
}

// gravities are the reasons grouped, in their order.
func (p ReviewPanel) gravities() (groups []gravity) {
	for _, r := range p.Reasons {
		if len(groups) == 0 || groups[len(groups)-1].Name != r.Gravity {
			groups = append(groups, gravity{Name: r.Gravity})
		}
		last := &groups[len(groups)-1]
		last.Reasons = append(last.Reasons, r)
	}
	return groups
}

// SnoozeDay is a day a document can be put off to.
type SnoozeDay struct {
	N     int    // days from now
	Value string // YYYY-MM-DD
}

func (d SnoozeDay) text(ctx context.Context) string {
	if d.N == 1 {
		return say(ctx, "review.snooze.tomorrow")
	}
	return say(ctx, "review.snooze.days", "n", d.N)
}

// LookView is one time somebody had the document on the screen.
type LookView struct {
	Who  string
	At   time.Time
	Open time.Duration // zero: not known
}

// QuestionView is a question about a document.
type QuestionView struct {
	Who, Of, Text string
	At            time.Time
}

// ReviewPanel is what a document's page says of its review, and the forms to decide.
type ReviewPanel struct {
	State      string // undecided, approved, refused
	FactsHash  string
	Seen       string // the facts as shown, sealed
	Facts      []FactView
	CanReveal  bool
	Hints      []HintView
	Offered    bool    // the reader decides on documents
	CanDecide  bool    // this one, now
	Why        Message // why not: catalogue "review.why." + Code
	NewestURL  string  // the version that counts instead, where there is one
	Leased     bool    // to the reader
	Place      string  // where it stands in the queue, "" when it does not
	Due        time.Time
	Overdue    bool
	First      string // who approved it, when a second reviewer must
	Reasons    []ReasonOption
	Current    *DecisionView // the one that counts
	History    []DecisionView
	Questions  []QuestionView
	Colleagues []Option
	CanUndo    bool
	UndoUntil  time.Time
	Expires    string // YYYY-MM-DD, "" unknown
	AsksExpiry bool   // documents of its kind expire
	SnoozeDays []SnoozeDay
	Tomorrow   string // YYYY-MM-DD
	Look       int64
	Filter     ReviewFilter
	// What was typed into a form that was refused.
	Open          string // the form: approve, refuse, ask, snooze
	Error         *Message
	Note, Message string
	Question      string
	Colleague     string
}

// ReviewConflict is shown when something changed since a reviewer looked: both side by side, nothing recorded.
type ReviewConflict struct {
	Page     Page
	Why      Message
	Seen     *DocumentView // the version that was seen, nil when it is the one that counts
	Now      *DocumentView // nil when there is none
	Facts    []FactView
	Current  *DecisionView
	Name     string // of the document
	Merchant string
	Filter   ReviewFilter
}

// HintView is something a reviewer may want to look at more closely.
type HintView struct {
	Code     string // catalogue "hint." + Code
	On       time.Time
	Document int64 // another document it is about, 0: none
	Name     string
	Merchant string
}

func reviewTone(state string) string {
	switch state {
	case "approved":
		return "good"
	case "refused":
		return "bad"
	}
	return ""
}

func reviewIcon(state string) string {
	switch state {
	case "approved":
		return "check"
	case "refused":
		return "refused"
	}
	return "clock"
}

// keyHelp is one line of the help about keys; the catalogue says "keys." + Does.
type keyHelp struct {
	Keys []string
	Does string
}

// keys are those that act on the page.
func (d DocumentPage) keys() (list []keyHelp) {
	add := func(does string, keys ...string) { list = append(list, keyHelp{keys, does}) }
	if d.Review.CanDecide {
		add("approve", "A")
		add("refuse", "R")
		if d.Review.Current == nil {
			add("ask", "Q")
			add("snooze", "S")
		}
	}
	if d.Review.Offered {
		add("undo", "Z")
		add("next", "J", "K")
	}
	if d.Review.CanReveal {
		add("reveal", "V")
	}
	if d.Source != "none" {
		add("zoom", "+", "-", "0")
		add("pan", "←", "↑", "→", "↓")
		add("turn", "[", "]")
	}
	if d.Document.pageCount() > 1 {
		add("pages", "PgUp", "PgDn")
	}
	if len(d.Comparable) > 0 {
		add("compare", "C")
	}
	add("help", "?")
	return list
}

// deskWords are the sentences the script of a document's page shows.
func deskWords(ctx context.Context, d DocumentPage) string {
	name := d.fullName(ctx)
	text, _ := json.Marshal(map[string]string{ // of strings: cannot fail
		"approve": say(ctx, "desk.approved", "document", name),
		"refuse":  say(ctx, "desk.refused", "document", name),
		"ask":     say(ctx, "desk.asked", "document", name),
		"snooze":  say(ctx, "desk.snoozed", "document", name),
		"undone":  say(ctx, "desk.undone", "document", name),
		"now":     say(ctx, "desk.now", "document", name),
		"none":    say(ctx, "desk.none"),
		"lost":    say(ctx, "desk.lost", "document", name),
		"late":    say(ctx, "fault.undo_late", "n", 10),
		"chosen":  say(ctx, "desk.chosen"),
		"reason":  say(ctx, "fault.reason_required"),
		"keysOff": say(ctx, "keys.off"),
	})
	return string(text)
}

// fullName is the document with its merchant.
func (d DocumentPage) fullName(ctx context.Context) string {
	return say(ctx, "desk.name", "document", d.name(ctx), "merchant", d.MerchantName)
}

// reasonTitle is a reason in a list of reasons, without a full stop.
func reasonTitle(ctx context.Context, code string) string {
	if !words.Has("reason." + code) {
		return code
	}
	return strings.TrimSuffix(reasonShort(ctx, code, nil), ".")
}
