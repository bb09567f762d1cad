package views

import "time"

// DocumentPage is the viewer: one document fills the screen, its facts beside it.
type DocumentPage struct {
	Page         Page
	Document     DocumentView
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
}
