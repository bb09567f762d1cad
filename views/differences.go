package views

import (
	"context"
	"time"
)

// StatusView is how a merchant's business stands at DOKU, and whether its originals are held. Verdict: review, active, rejected.
type StatusView struct {
	MerchantID      int64
	Known           bool   // DOKU has the merchant
	Business, Brand string // DOKU's words
	Verdict         string
	ActiveAt        time.Time // when it first was
	AskedAt         time.Time // when DOKU last answered; zero: not yet
	NextAt          time.Time // when it is asked next
	Problem         string    // why it did not answer last
	Callbacks       []CallbackView
	Differences     []DifferenceView
	CanAsk          bool
	Held, CanHold   bool
}

// CallbackView is something DOKU posted. Outcome: waits, asked, settled, ignored.
type CallbackView struct {
	At      time.Time
	Outcome string
}

// DifferenceView is one way in which DOKU's view is not ours: sentence "difference." + Code.
type DifferenceView struct {
	Message
	URL     string // of the document it is about
	Gone    bool   // its original is, too
	MendURL string // brings it to DOKU again, or opens its slot; "" for those who may not
}

// DifferencesPage is where DOKU's view is another than ours, what of ours has no answer, and whose checklist changed.
type DifferencesPage struct {
	Page       Page
	CanAsk     bool
	CanRetry   bool
	Differing  []DifferingView
	Unanswered []UnansweredView
	Changed    []ChangedView
}

// DifferingView is a merchant that is another at DOKU than here.
type DifferingView struct {
	MerchantID  int64
	Merchant    string
	At          time.Time // when DOKU said so
	Differences []DifferenceView
	// SubmissionID and BrandID are of an earlier business of the merchant; zero when it is its own that differs.
	SubmissionID int64
	BrandID      string
}

// UnansweredView is a submission, or a document, of which nobody knows what came. State is a submission's.
type UnansweredView struct {
	MerchantID   int64
	Merchant     string
	SubmissionID int64
	DocumentID   int64
	Document     string
	State        string
	At           time.Time
}

// ChangedView is a merchant whose checklist changed before it was registered.
type ChangedView struct {
	MerchantID  int64
	Merchant    string
	At          time.Time
	Done, Total int
}

func verdictTone(verdict string) string {
	return map[string]string{"active": "good", "rejected": "bad"}[verdict] + map[string]string{"review": "wait"}[verdict]
}

func (u UnansweredView) text(ctx context.Context) string {
	if u.SubmissionID != 0 {
		return say(ctx, "registration.title") + ": " + say(ctx, "registration."+u.State)
	}
	return say(ctx, "differences.given_up", "document", u.Document)
}

func differenceSamples() []Sample {
	lost := []DifferenceView{{Message: Message{Code: "not_shown", Params: map[string]any{"document": "KTP"}}, URL: "/documents/1", MendURL: "/documents/1/retry"},
		{Message: Message{Code: "not_shown", Params: map[string]any{"document": "NIB"}}, URL: "/documents/2", Gone: true, MendURL: "/documents/2/retry"}, {Message: Message{Code: "not_active", Params: map[string]any{"status": "SUSPENDED"}}}}
	full := DifferencesPage{Page: samplePage("Perbedaan", "health"), CanAsk: true, CanRetry: true,
		Differing: []DifferingView{{MerchantID: 1, Merchant: "Warung Contoh Bu Sari Dewi Kusumawardhani Prawirohardjo", At: sampleTime(hour), Differences: lost},
			{MerchantID: 1, Merchant: "Warung Contoh Bu Sari Dewi Kusumawardhani Prawirohardjo", At: sampleTime(hour), SubmissionID: 3, BrandID: "BRN-0104-1678960841263",
				Differences: []DifferenceView{{Message: Message{Code: "not_rejected", Params: map[string]any{"status": "ACTIVE"}}}, {Message: Message{Code: "not_compared"}}}},
			{MerchantID: 2, Merchant: "Warung Dua", At: sampleTime(2 * hour), Differences: []DifferenceView{{Message: Message{Code: "brand_unknown", Params: map[string]any{"status": ""}}}}}},
		Unanswered: []UnansweredView{{MerchantID: 1, Merchant: "Warung Contoh Satu", SubmissionID: 3, State: "stuck", At: sampleTime(hour)},
			{MerchantID: 2, Merchant: "Warung Dua", DocumentID: 4, Document: "Foto tempat usaha", At: sampleTime(hour)}},
		Changed: []ChangedView{{1, "Warung Contoh Satu", sampleTime(hour), 2, 5}}}
	return []Sample{{"differences", Differences(full)}, {"differences-none", Differences(DifferencesPage{Page: full.Page})}}
}

func sampleStatus() StatusView {
	return StatusView{MerchantID: 1, Known: true, Business: "UPDATING", Brand: "MENUNGGU_DOKUMEN_TAMBAHAN_DARI_MERCHANT", Verdict: "review", ActiveAt: sampleTime(3 * hour), AskedAt: sampleTime(hour), NextAt: sampleTime(0),
		Problem: "unreachable", Callbacks: []CallbackView{{sampleTime(hour), "asked"}, {sampleTime(2 * hour), "waits"}}, Held: true, CanHold: true, CanAsk: true,
		Differences: []DifferenceView{{Message: Message{Code: "not_shown", Params: map[string]any{"document": "KTP"}}, URL: "/documents/1", MendURL: "/documents/1/retry"}}}
}
