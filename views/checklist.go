package views

import "time"

// ChecklistView is what DOKU asks for. State: ready, pending, refused.
type ChecklistView struct {
	MerchantID int64
	State      string
	Assumed    bool
	ReadAt     time.Time // when DOKU's answer was last read, zero: never
	Problem    *Message  // why it is refused or still pending
	DOKUSays   string    // DOKU's own words when it refused, verbatim
	Changes    []ChangeView
	Groups     []SlotGroup
	Addable    []AddableView // what may be added by hand
	CanRead    bool          // may ask DOKU again
	Poll       bool          // pending: ask again soon
}

// ChangeView is what a newer requirement set changed. Kind: new, gone, different.
type ChangeView struct{ Kind, Name string }

// AddableView is a category and code DOKU takes without asking.
type AddableView struct{ Category, Code string }

// SlotGroup is one section of the checklist. Key: owner, business, brand, agreement, licence ("group." + Key).
type SlotGroup struct {
	Key         string
	Done, Total int
	Slots       []SlotView
}

// canUpload says whether any slot takes a file from this person now.
func (v ChecklistView) canUpload() bool {
	for _, group := range v.Groups {
		for _, slot := range group.Slots {
			if slot.CanUpload {
				return true
			}
		}
	}
	return false
}

// value is how an addable document is posted: CATEGORY or CATEGORY/CODE.
func (a AddableView) value() string {
	if a.Code == "" {
		return a.Category
	}
	return a.Category + "/" + a.Code
}
