package views

import "time"

// Page is what the shell around every signed-in page needs.
type Page struct {
	Title   string // already in the reader's language or a name: becomes «Title · Berkas»
	Current string // which entry of the rail this page belongs to: home, merchants
	User    UserView
	Nav     []NavItem
	DOKU    DOKUView
	Flash   *Flash
	Here    string // path and query of this page: where a change of language comes back to
	Demo    bool   // people and merchants of this installation are samples
}

// UserView is the person signed in.
type UserView struct{ Name, Role string }

// NavItem is one entry of the rail; Key names it in the catalogue ("nav." + Key).
type NavItem struct {
	Key, URL string
	Count    int  // shown when > 0
	More     bool // than Count
}

// DOKUView says how DOKU is doing. State: fine, down, unknown.
type DOKUView struct {
	State     string
	Latency   time.Duration // of late, zero when unknown
	Since     time.Time     // when it went down
	URL       string        // the page about it, "" for who may not see that
	Simulator bool          // the counterpart is a simulator
}

// Flash is what the last action did, shown once on the next page. Kind: good, bad, info.
type Flash struct {
	Kind string
	Message
}

// Message is a sentence of the catalogue, not yet in any language.
type Message struct {
	Code   string
	Params map[string]any
}

// Option is one choice of a select. Text is the catalogue's key where Key is set, else shown as it is.
type Option struct{ Value, Text string }

// ErrorPage is shown when a request failed: what happened, what was kept, what to press.
type ErrorPage struct {
	Page      *Page // nil when nobody is signed in or the database is away: a bare page is drawn
	Status    int
	Message   Message // catalogue "fault." + Code
	RequestID string
	Back      string // where the main button leads
	Here      string // where a change of language comes back to, on a bare page
	Retry     bool   // trying again later may help
}
