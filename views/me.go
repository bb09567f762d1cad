package views

import (
	"context"
	"strings"
	"time"

	"berkas/internal/words"
)

// MePage is a person's own account.
type MePage struct {
	Page     Page
	Person   PersonView
	Password PasswordForm
	Sessions []SessionView
	Language string // the one pages are drawn in
	Theme    string // light, dark, "" for the system's
}

// SessionView is a browser somebody is signed in with.
type SessionView struct {
	ID              int64
	Browser, System string // "" when unknown
	Since, Seen     time.Time
	This            bool
}

// PasswordForm asks for another password of one's own.
type PasswordForm struct {
	Email  string             // whose: password managers ask
	Next   string             // where to go after it
	Min    int                // characters
	Errors map[string]Message // by field; "" is about all of it
}

// ChangePasswordPage stands before everything else until a one-time password is changed.
type ChangePasswordPage struct {
	Form PasswordForm
	Name string
	Here string
}

func (v MePage) others() int {
	n := 0
	for _, s := range v.Sessions {
		if !s.This {
			n++
		}
	}
	return n
}

func (s SessionView) name(ctx context.Context) string {
	switch {
	case s.Browser != "" && s.System != "":
		return say(ctx, "me.session.on", "browser", s.Browser, "system", s.System)
	case s.Browser != "":
		return s.Browser
	case s.System != "":
		return s.System
	}
	return say(ctx, "me.session.unknown")
}

// endText names the session in its button for those who hear the page.
func (s SessionView) endText(ctx context.Context) string {
	return say(ctx, "me.session.end") + ": " + s.name(ctx) + ", " + words.Moment(ctx, s.Since)
}

func deviceIcon(s SessionView) string {
	switch s.System {
	case "Android", "iPhone", "iPad":
		return "phone"
	}
	return "screen"
}

// describedBy ties a field to its error and its hint.
func describedBy(name string, errors map[string]Message, hinted bool) string {
	var ids []string
	if errorOf(errors, name) != nil {
		ids = append(ids, "f-"+name+"-error")
	}
	if hinted {
		ids = append(ids, "f-"+name+"-hint")
	}
	return strings.Join(ids, " ")
}

func pressed(is bool) string {
	if is {
		return "true"
	}
	return "false"
}

// languageName is a language in its own name.
func languageName(lang words.Lang) string {
	if lang == words.ID {
		return "Indonesia"
	}
	return "English"
}
