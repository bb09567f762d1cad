package views

import (
	"context"
	"time"
)

// DocumentPage is the viewer: one document fills the screen, its facts beside it.
type DocumentPage struct {
	Page         Page
	Document     DocumentView
	SlotID       int64 // its row on the merchant's page; 0: unknown
	SlotName     string
	Category     string
	Code         string
	MerchantID   int64
	MerchantName string
	Rotation     int       // quarter turns clockwise, remembered
	SHA256       string    // hexadecimal
	Fresh        bool      // DOKU's link is good
	LinkUntil    time.Time // zero: no link
	RefreshedAt  time.Time // when the link was last obtained, zero: never
	Source       string    // where the bytes come from now: doku, original, none
	Sharpness    float64
	TakenAt      time.Time
	Versions     []DocumentView // all versions of the slot, newest first
	CanRotate    bool
	CanUpload    bool
	Review       ReviewPanel
	Looks        []LookView // newest first
	Comparable   []Option   // the merchant's other documents, the version before first
	Beside       *StageView // the one it is compared with
}

// StageView is a document as it is looked at.
type StageView struct {
	Document DocumentView
	Name     string
	Rotation int
	Source   string
	Look     int64 // 0: none of its own
}

// lowSharpness is below which a picture is likely blurred.
const lowSharpness = 100

func (d DocumentPage) stage(ctx context.Context) StageView {
	return StageView{Document: d.Document, Name: d.name(ctx), Rotation: d.Rotation, Source: d.Source, Look: d.Review.Look}
}

// label names a stage: two of them stand beside each other.
func (s StageView) label(ctx context.Context, beside bool) string {
	if beside {
		return say(ctx, "viewer.stage_beside", "document", s.Name, "n", s.Document.Version)
	}
	return say(ctx, "viewer.stage", "document", s.Name)
}

func (s StageView) alt(ctx context.Context, page int) string {
	if total := s.Document.pageCount(); total > 1 {
		return say(ctx, "viewer.page", "document", s.Name, "n", page, "total", total)
	}
	return say(ctx, "viewer.picture", "document", s.Name, "n", s.Document.Version)
}

func shortHash(sum string) string {
	if len(sum) <= 16 {
		return sum
	}
	return sum[:8] + "…" + sum[len(sum)-8:]
}

// kindOf is a content type as people say it.
func kindOf(contentType string) string {
	switch contentType {
	case "image/jpeg":
		return "JPG"
	case "image/png":
		return "PNG"
	case "application/pdf":
		return "PDF"
	}
	return contentType
}

// slotAddress is where a new version is uploaded: the slot's row on the merchant's page.
func (d DocumentPage) slotAddress() string {
	if d.SlotID == 0 {
		return MerchantURL(d.MerchantID)
	}
	return MerchantURL(d.MerchantID) + "#slot-" + id64(d.SlotID)
}
