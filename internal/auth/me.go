package auth

import (
	"context"
	"crypto/rand"
	"strings"

	"berkas/internal/fault"
	"berkas/models"
)

// PasswordChange is somebody's wish for another password of their own.
type PasswordChange struct {
	Old, New string
	Repeat   string // the new one once more
	Token    string // of the session it is asked in
}

// ChangePassword gives the acting person the password they chose. Their session goes on under the returned token, all
// others end. fault.Invalid form_invalid with the fields old, new or repeat; fault.RateLimited password_limited after
// too many wrong old ones; fault.Conflict when an admin was quicker.
func (g *Gate) ChangePassword(ctx context.Context, actor models.Actor, w PasswordChange) (token string, err error) {
	p, err := g.store.Person(ctx, actor.Person)
	if err != nil {
		return "", err
	}
	if err := w.check(p); err != nil {
		return "", err
	}
	if err := g.knowsPassword(ctx, p, w.Old); err != nil {
		return "", err
	}
	hash, err := HashPassword(ctx, w.New)
	if err != nil {
		return "", err
	}
	token = rand.Text() + rand.Text()
	err = g.store.Write(ctx, actor, func(tx *models.Tx) error {
		return tx.ChangePassword(p, hash, tokenHash(w.Token), tokenHash(token))
	})
	return token, err
}

// check refuses what can be refused without knowing the old password.
func (w PasswordChange) check(p models.Person) error {
	var fields []fault.Field
	refuse := func(name, code string) { fields = append(fields, fault.Field{Name: name, Code: code}) }
	if w.Old == "" {
		refuse("old", "required")
	}
	if err := CheckNewPassword(w.New); err != nil {
		f := fault.As(err)
		fields = append(fields, fault.Field{Name: "new", Code: f.Code, Params: f.Params})
	} else if w.New == w.Old {
		refuse("new", "password_same")
	} else if strings.EqualFold(w.New, p.Email) || strings.EqualFold(w.New, p.Name) {
		refuse("new", "password_is_name")
	} else if w.Repeat != w.New {
		refuse("repeat", "password_differs")
	}
	return fault.Refused(fields)
}

// knowsPassword asks for the old password: whoever found an open session must not get more than that. Wrong ones are
// counted apart from the sign-ins, so that nobody is kept out by a session of theirs in strange hands.
func (g *Gate) knowsPassword(ctx context.Context, p models.Person, password string) error {
	keep, counter := g.store.Keep(), subject("password", p.ID.String())
	n, since, err := keep.CountAttempt(ctx, counter, ThrottleWindow)
	if err != nil {
		return err
	}
	if n > maxFailuresPerAccount {
		_ = g.forgive(ctx, counter)
		return g.limited("password_limited", since)
	}
	right, err := CheckPassword(ctx, p.PasswordHash, password)
	switch {
	case err != nil: // nothing was judged
		_ = g.forgive(ctx, counter)
		return err
	case !right:
		return fault.Refused([]fault.Field{{Name: "old", Code: "password_wrong"}})
	}
	return keep.ForgetAttempts(ctx, counter)
}

// OpenSession is a browser somebody is signed in with.
type OpenSession struct {
	models.Session
	This bool // the one that asks
}

// Sessions are the acting person's open sessions, the one of token first, then by when they were last used.
func (g *Gate) Sessions(ctx context.Context, actor models.Actor, token string) ([]OpenSession, error) {
	rows, err := g.store.Sessions(ctx, actor.Person, g.now().UTC(), IdleTimeout)
	if err != nil {
		return nil, err
	}
	this := string(tokenHash(token))
	var first, rest []OpenSession
	for _, s := range rows {
		if string(s.TokenHash) == this {
			first = append(first, OpenSession{s, true})
		} else {
			rest = append(rest, OpenSession{s, false})
		}
	}
	return append(first, rest...), nil
}

// EndSession ends one of the acting person's sessions. fault.NotFound when it is not theirs or over.
func (g *Gate) EndSession(ctx context.Context, actor models.Actor, id models.SessionID) error {
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.EndOwnSession(actor.Person, id) })
}

// EndOtherSessions ends the acting person's sessions but the one of token.
func (g *Gate) EndOtherSessions(ctx context.Context, actor models.Actor, token string) error {
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.EndOtherSessions(actor.Person, tokenHash(token)) })
}

// SetTheme remembers the theme the acting person chose: light, dark, or "" for the system's.
func (g *Gate) SetTheme(ctx context.Context, actor models.Actor, theme string) error {
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetTheme(actor.Person, theme) })
}
