package views

import "time"

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
