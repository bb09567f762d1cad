package views

// SavedView is a view of the list under its name. Here: it is what is shown.
type SavedView struct {
	ID                int64
	Name, URL         string
	Own, Shared, Here bool
	Owner             string
}

// ViewsPage is where a person looks after their views. Wrong is the one that could not be changed.
type ViewsPage struct {
	Page     Page
	Saved    []SavedView
	CanShare bool
	Wrong    int64
	Error    *Message
}

func (v ViewsPage) own() (own []SavedView) {
	for _, s := range v.Saved {
		if s.Own {
			own = append(own, s)
		}
	}
	return own
}

// BulkPage asks whether all merchants of a filter are to be changed. Do: assign, due, undue.
type BulkPage struct {
	Page                              Page
	Filter                            MerchantFilter
	Count                             int
	Do, Responsible, Colleague, DueOn string
}
