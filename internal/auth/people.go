package auth

import (
	"context"
	"crypto/rand"
	"net/mail"
	"slices"
	"strings"
	"unicode/utf8"

	"berkas/internal/fault"
	"berkas/models"
)

const (
	maxName  = 120 // characters, of a team too
	maxEmail = 254
)

// NewPerson is who is to be added.
type NewPerson struct {
	Email, Name, Password string
	Role                  models.Role
	Team                  string
	MustChange            bool
	Demo                  bool // its password may be short, and everyone knows it
}

// OneTimePassword is a password that is shown once and must be changed at the first sign-in: 80 random bits in letters
// and digits that are not taken for each other, in groups that can be read out.
func OneTimePassword() string {
	t := rand.Text()
	return t[:4] + "-" + t[4:8] + "-" + t[8:12] + "-" + t[12:16]
}

// refused is a fault that says every field that was refused, and of the first one also what a command line can print.
func refused(fields []fault.Field) error {
	if len(fields) == 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Invalid, Code: fields[0].Code, Params: fields[0].Params, Fields: fields}
}

// checkStanding refuses a name, a role or a team that will not do.
func checkStanding(name string, role models.Role, team string) (fields []fault.Field) {
	refuse := func(field, code string, pairs ...any) {
		fields = append(fields, fault.Field{Name: field, Code: code, Params: fault.Pairs(pairs...)})
	}
	switch {
	case name == "":
		refuse("name", "required")
	case utf8.RuneCountInString(name) > maxName:
		refuse("name", "too_long", "max", maxName)
	}
	if !slices.Contains(models.Roles, role) {
		refuse("role", "unknown_choice")
	}
	if utf8.RuneCountInString(team) > maxName {
		refuse("team", "too_long", "max", maxName)
	}
	return fields
}

// AddPerson adds a person. fault.Invalid for an address, role or password that will not do, with all fields refused;
// fault.Conflict email_taken.
func (g *Gate) AddPerson(ctx context.Context, actor models.Actor, n NewPerson) (models.PersonID, error) {
	n.Email, n.Name, n.Team = strings.TrimSpace(n.Email), tidy(n.Name), tidy(n.Team)
	var fields []fault.Field
	if a, err := mail.ParseAddress(n.Email); err != nil || a.Address != n.Email || len(n.Email) > maxEmail {
		fields = append(fields, fault.Field{Name: "email", Code: "not_an_email"})
	}
	if err := refused(append(fields, checkStanding(n.Name, n.Role, n.Team)...)); err != nil {
		return 0, err
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
	p := &models.Person{Email: n.Email, Name: n.Name, Role: n.Role, Team: n.Team, PasswordHash: hash, MustChangePassword: n.MustChange, Demo: n.Demo}
	err = g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.AddPerson(p) })
	return p.ID, err
}

// tidy is a typed name with single spaces between its words.
func tidy(s string) string { return strings.Join(strings.Fields(s), " ") }

// Standing is what an admin can change of a person.
type Standing struct {
	Name string
	Role models.Role
	Team string
}

// ChangePerson gives a person another name, role or team; another role ends their sessions. What stays as it was leaves
// no trace. fault.Invalid with the fields refused; fault.Conflict last_admin when nobody would be left to administer.
func (g *Gate) ChangePerson(ctx context.Context, actor models.Actor, id models.PersonID, s Standing) error {
	s.Name, s.Team = tidy(s.Name), tidy(s.Team)
	had, err := g.store.Person(ctx, id)
	if err != nil {
		return err
	}
	if err := refused(checkStanding(s.Name, s.Role, s.Team)); err != nil {
		return err
	}
	if s == (Standing{had.Name, had.Role, had.Team}) {
		return nil
	}
	return g.store.Write(ctx, actor, func(tx *models.Tx) error {
		if s.Role != models.RoleAdmin {
			if err := tx.KeepAnAdmin(id); err != nil {
				return err
			}
		}
		return tx.ChangePerson(had, s.Name, s.Role, s.Team)
	})
}

// Disable takes away a person's right to sign in and ends their sessions. fault.Conflict last_admin when nobody would be
// left to administer, conflict when they are disabled already.
func (g *Gate) Disable(ctx context.Context, actor models.Actor, id models.PersonID) error {
	if _, err := g.store.Person(ctx, id); err != nil {
		return err
	}
	return g.store.Write(ctx, actor, func(tx *models.Tx) error {
		if err := tx.KeepAnAdmin(id); err != nil {
			return err
		}
		return tx.DisablePerson(id)
	})
}

// Enable gives a person's right to sign in back, with the password they had.
func (g *Gate) Enable(ctx context.Context, actor models.Actor, id models.PersonID) error {
	if _, err := g.store.Person(ctx, id); err != nil {
		return err
	}
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.EnablePerson(id) })
}

// GiveOneTimePassword replaces a person's password by one that is returned, kept nowhere in clear and must be changed at
// the first sign-in. Their sessions end. Nobody resets their own: they change it, which asks for the old one.
func (g *Gate) GiveOneTimePassword(ctx context.Context, actor models.Actor, id models.PersonID) (string, error) {
	if id == actor.Person {
		return "", fault.New(fault.Conflict, "own_password")
	}
	if _, err := g.store.Person(ctx, id); err != nil {
		return "", err
	}
	password := OneTimePassword()
	hash, err := HashPassword(ctx, password)
	if err != nil {
		return "", err
	}
	return password, g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetPassword(id, hash, true) })
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
	// A demo person's password is everyone's: whoever set it back at the start did not choose it for somebody.
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetPassword(p.ID, hash, !p.Demo) })
}
