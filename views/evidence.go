package views

import (
	"context"
	"time"

	"berkas/internal/words"
)

// EvidencePage is the bundles of evidence about a merchant, newest first.
type EvidencePage struct {
	Page       Page
	MerchantID int64
	Merchant   string
	Bundles    []BundleView
	Underway   bool // one of them is being made: the page asks again
}

// BundleView is one bundle. State: waiting, making, ready, failed, expired.
type BundleView struct {
	ID, MerchantID int64
	State          string
	Done, Total    int64 // lines written, while it is made
	Name           string
	Size           int64 // bytes
	SHA256         string
	Language       string
	AskedBy        string
	AskedAt        time.Time
	MadeAt         time.Time
	ExpiresAt      time.Time
	Problem        *Message
}

// Underway reports whether the bundle is still to be made.
func (b BundleView) Underway() bool { return b.State == "waiting" || b.State == "making" }

func (b BundleView) tone() string {
	return map[string]string{"waiting": "wait", "making": "wait", "ready": "good", "failed": "bad"}[b.State]
}

func (b BundleView) icon() string {
	if b.State == "expired" {
		return "archive"
	}
	return toneIcon(b.tone())
}

func (b BundleView) progress(ctx context.Context) string {
	if b.State == "waiting" || b.Total == 0 {
		return say(ctx, "evidence.state.waiting")
	}
	return say(ctx, "evidence.progress", "done", b.Done, "total", b.Total)
}

func (b BundleView) size(ctx context.Context) string { return words.Size(ctx, b.Size) }
