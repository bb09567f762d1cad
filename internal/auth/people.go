package auth

import (
	"context"
	"net/mail"
	"slices"
	"strings"

	"berkas/internal/fault"
	"berkas/models"
)

// NewPerson is who is to be added.
type NewPerson struct {
	Email, Name, Password string
	Role                  models.Role
	MustChange            bool
	Demo                  bool // its password may be short, and everyone knows it
}

// AddPerson adds a person. fault.Invalid for an address, role or password that will not do, fault.Conflict email_taken.
func (g *Gate) AddPerson(ctx context.Context, actor models.Actor, n NewPerson) (models.PersonID, error) {
	n.Email, n.Name = strings.TrimSpace(n.Email), strings.TrimSpace(n.Name)
	if a, err := mail.ParseAddress(n.Email); err != nil || a.Address != n.Email {
		return 0, fault.New(fault.Invalid, "not_an_email")
	}
	if n.Name == "" {
		return 0, fault.New(fault.Invalid, "required")
	}
	if !slices.Contains(models.Roles, n.Role) {
		return 0, fault.New(fault.Invalid, "unknown_choice")
	}
	if !n.Demo {
		if err := CheckNewPassword(n.Password); err != nil {
			return 0, err
		}
	}
	hash, err := HashPassword(ctx, n.Password)
	if err != nil {
		return 0, err
	}
	p := &models.Person{Email: n.Email, Name: n.Name, Role: n.Role, PasswordHash: hash, MustChangePassword: n.MustChange, Demo: n.Demo}
	err = g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.AddPerson(p) })
	return p.ID, err
}

// DisablePerson takes away a person's right to sign in and ends their sessions.
func (g *Gate) DisablePerson(ctx context.Context, actor models.Actor, email string) error {
	p, err := g.store.PersonByEmail(ctx, email)
	if err != nil {
		return err
	}
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.DisablePerson(p.ID) })
}

// ResetPassword gives a person a new password and ends their sessions.
func (g *Gate) ResetPassword(ctx context.Context, actor models.Actor, email, password string) error {
	p, err := g.store.PersonByEmail(ctx, email)
	if err != nil {
		return err
	}
	if !p.Demo {
		if err := CheckNewPassword(password); err != nil {
			return err
		}
	}
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return err
	}
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetPassword(p.ID, hash, true) })
}
