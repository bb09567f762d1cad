package views

import (
	"net/url"
	"strconv"
	"time"
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

// ReviewPage is the reviewers' queue.
type ReviewPage struct {
	Page     Page
	Filter   ReviewFilter
	Rows     []ReviewRow
	Counts   map[string]int // by ReviewShows; capped
	More     map[string]bool
	Kinds    []Option
	Lines    []string
	NextURL  string
	FirstURL string
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

// FactView is something typed beside a document.
type FactView struct {
	Key     string // a field of the merchant's form, or form_<CODE>
	Name    string // DOKU's own name of it, where the catalogue has none
	Value   string // masked unless it was asked for
	Masked  bool
	Was     string // in a conflict: as it was seen
	Changed bool
}

// ReasonOption is a reason a reviewer can choose.
type ReasonOption struct {
	Code      string
	Gravity   string
	Text      string // the partner's own, "" for the catalogue's
	Shareable bool
	Chosen    bool
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
	Why        Message // why not
	First      string  // who approved it, when a second reviewer must
	Reasons    []ReasonOption
	Current    *DecisionView // the one that counts
	History    []DecisionView
	Questions  []QuestionView
	Colleagues []Option
	CanUndo    bool
	UndoUntil  time.Time
	Expires    string // YYYY-MM-DD, "" unknown
	Look       int64
	Filter     ReviewFilter
	// What was typed into a form that was refused.
	Error         *Message
	Note, Message string
	Question      string
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
