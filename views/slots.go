package views

import (
	"context"
	"time"
)

// SlotView is one place of the checklist with the newest version in it.
//
// State is the delivery of that version: missing, waiting, sending, delivered, refused, failed.
type SlotView struct {
	ID           int64
	MerchantID   int64
	Category     string
	Code         string // "" outside DOCUMENT
	Name         string // DOKU's name; "" → the catalogue's "document." + Code or Category
	Number       int    // counts slots that share category and code, from 1; 0 when alone
	State        string
	Review       string // undecided, approved, refused; "" while nothing is there
	Extensions   []string
	MaxBytes     int64
	Fields       []FieldView
	Document     *DocumentView  // the newest version that was not withdrawn
	Earlier      []DocumentView // the newest of them
	EarlierCount int
	Reason       *ReasonView  // why the newest version was refused or given up, or the posted file just now
	Refusal      *RefusalView // a reviewer's, with all its reasons; Reason is the first of them
	Registered   int          // the version that was submitted to DOKU; 0: none
	Late         bool         // the merchant was submitted
	Safe         *WaitingView // state waiting: since when it is safe here and what comes next
	ByHand       bool
	Gone         bool // DOKU no longer asks for it
	CanUpload    bool
	CanRetry     bool
	CanRemove    bool // added by hand and empty
	Poll         bool // not final: the row asks for itself again soon
}

// FieldView is a form field DOKU wants with the document. Its HTML name is "form_" + Code.
type FieldView struct {
	Code, Name, Caption string
	MinSize, MaxSize    int
	Numeric             bool
	Masked              string   // what is stored, masked; "" when nothing is
	Typed               string   // what was typed and refused
	Error               *Message // catalogue "fault." + Code
}

// WaitingView says that an accepted file is safe and when it is sent next. Why: "" (first try), unreachable, limited, credential, unclear.
type WaitingView struct {
	Since    time.Time
	Next     time.Time
	Attempts int
	Why      string
}

// ReasonView is one refusal: title and what to do come from "reason." + Code and "reason." + Code + ".do".
// Source: portal, doku, reviewer.
type ReasonView struct {
	Code   string
	Params map[string]any
	Source string
	Own    string       // the partner's own text, which takes the place of title and what to do
	Raw    string       // DOKU's own words
	Just   bool         // about the file just posted: nothing of it was kept
	More   []ReasonView // less grave ones that a person read out of DOKU's words
}

// RefusalView is a reviewer's refusal as colleagues see it.
type RefusalView struct {
	Reasons []RefusalReason
	Who     string
	At      time.Time
	Message string // to the merchant
	Note    string // for colleagues
}

// RefusalReason is one reason of a refusal. Internal: not for the merchant.
type RefusalReason struct {
	ReasonView
	Internal bool
}

// DocumentView is one version of a document.
type DocumentView struct {
	ID            int64
	Version       int
	FileName      string
	ContentType   string
	Size          int64
	Width, Height int
	Pages         int
	Measured      bool
	State         string
	FileID        string
	UploadedBy    string
	UploadedAt    time.Time
	DeliveredAt   time.Time
	HasThumbnail  bool
	Withdrawn     bool
	WithdrawnWhy  string
	WithdrawnBy   string
	WithdrawnAt   time.Time
	CanWithdraw   bool
	Why           string   // why it should be withdrawn, as it was typed and refused
	WhyError      *Message // catalogue "fault." + Code
	CanRetry      bool
}

// wantsFile says whether the next thing to do here is choosing a file.
func (s SlotView) wantsFile() bool {
	return s.Document == nil || s.State == "refused" || s.State == "failed" || s.Review == "refused"
}

func (s SlotView) hasMore() bool {
	return s.CanUpload || s.CanRemove || len(s.Earlier) > 0 || s.Document != nil && s.Document.CanWithdraw
}

// changed reports whether the version shown came after the one that was submitted, or takes a place that had none.
func (v SlotView) changed() bool {
	return v.Document != nil && v.Registered != v.Document.Version && (v.Registered > 0 || v.Late)
}

func (v SlotView) changeText(ctx context.Context) string {
	if v.Registered > 0 {
		return say(ctx, "slot.change", "n", v.Registered)
	}
	return say(ctx, "slot.change.new")
}
