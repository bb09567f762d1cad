package views

import (
	"context"
	"time"
)

// PeoplePage lists who may sign in.
type PeoplePage struct {
	Page          Page
	People        []PersonView
	NeverSignedIn bool // only those who may and never did
}

// PersonView is one person as an admin sees them.
type PersonView struct {
	ID          int64
	Name, Email string
	Role, Team  string
	DisabledAt  time.Time // zero: may sign in
	SignedInAt  time.Time // zero: never
	AddedAt     time.Time
	OneTime     bool // the password was given to them and not changed yet
	Demo        bool // its password is set back at each start
	You         bool // the reader
}

// PersonPage adds a person or changes one. Values are what is in the form.
type PersonPage struct {
	Page      Page
	Person    PersonView // ID 0: a new one
	Values    map[string]string
	Errors    map[string]Message // by field; "" is about all of it
	Teams     []string           // offered
	LastAdmin bool               // nobody else administers: neither the role nor the right to sign in can go
}

// OneTimePasswordPage shows a password once, to hand over.
type OneTimePasswordPage struct {
	Page     Page
	Person   PersonView
	Password string
	Added    bool // the person is new
}

var roles = []string{"staff", "reviewer", "manager", "admin"}

func (v PersonPage) action() string {
	if v.Person.ID == 0 {
		return PeopleURL()
	}
	return PersonURL(v.Person.ID)
}

func (v PersonPage) title(ctx context.Context) string {
	if v.Person.ID == 0 {
		return say(ctx, "people.add")
	}
	return v.Person.Name
}

// wrong is the refused fields in the order of the form.
func (v PersonPage) wrong() []string {
	var names []string
	for _, name := range []string{"name", "email", "role", "team"} {
		if _, ok := v.Errors[name]; ok {
			names = append(names, name)
		}
	}
	return names
}

func orDash(s string) string {
	if s == "" {
		return "–"
	}
	return s
}

// errorOf is a field's refusal, if it has one.
func errorOf(errors map[string]Message, name string) *Message {
	if m, ok := errors[name]; ok {
		return &m
	}
	return nil
}
