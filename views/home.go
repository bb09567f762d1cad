package views

// HomePage is what a person sees first: what waits for them.
type HomePage struct {
	Page    Page
	Role    string // staff, reviewer, manager, admin: the page differs
	Figures []Figure
	Main    []HeadFigure // of the whole portfolio, for whoever manages it
	Groups  []HomeGroup
	CanAdd  bool        // may create merchants
	Health  *HealthView // how DOKU is doing, for whoever looks after it and for all while it is away
}

// Figure is one number that leads to its list. Key names it in the catalogue ("home.figure." + Key).
type Figure struct {
	Key   string
	Value int
	More  bool // there are more than can be counted in time
	URL   string
	Tone  string // good, wait, bad or none
}

// HomeGroup is one list. Key names it in the catalogue ("home.group." + Key); MoreURL leads to all of them.
type HomeGroup struct {
	Key       string
	Merchants []MerchantRow
	MoreURL   string
}

func (v HomePage) empty() bool {
	for _, group := range v.Groups {
		if len(group.Merchants) > 0 {
			return false
		}
	}
	return true
}
