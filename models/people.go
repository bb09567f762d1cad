package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// Person is someone who signs in: one role, one team, one language ("" follows the browser).
type Person struct {
	ID                 PersonID
	Email              string
	Name               string
	Role               Role
	Team               string
	Language           string
	Theme              string
	PasswordHash       string
	MustChangePassword bool
	Demo               bool
	DisabledAt         *time.Time
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

func (Person) TableName() string { return "people" }

// Actor is the person as the one who acts.
func (p Person) Actor(requestID string) Actor {
	return Actor{Kind: ActorUser, Person: p.ID, Role: p.Role, Team: p.Team, RequestID: requestID}
}

// PersonByEmail finds a person by address, whatever its case. fault.NotFound when there is none.
func (r Reader) PersonByEmail(ctx context.Context, email string) (Person, error) {
	p, err := gorm.G[Person](r.db).Where("lower(email) = lower(?)", email).Take(ctx)
	return p, translate(err)
}

// People are all people by name.
func (r Reader) People(ctx context.Context) ([]Person, error) {
	p, err := gorm.G[Person](r.db).Order("disabled_at is not null, lower(name), id").Limit(5000).Find(ctx)
	return p, translate(err)
}

// Colleague is a person a merchant can be given to.
type Colleague struct {
	ID   PersonID
	Name string
}

// Colleagues are the staff and managers who can be responsible for a merchant.
func (r Reader) Colleagues(ctx context.Context) ([]Colleague, error) {
	return scan[Colleague](ctx, r, `select id, name from people where role in ('staff', 'manager') and disabled_at is null order by lower(name), id limit 1000`)
}

// AddPerson stores a new person. fault.Conflict email_taken when the address is.
func (tx *Tx) AddPerson(p *Person) error {
	p.CreatedAt, p.UpdatedAt = tx.Now, tx.Now
	if err := gorm.G[Person](tx.g).Create(tx.ctx, p); err != nil {
		return translate(err)
	}
	tx.Audit(PersonAdded, p.ID.Ref(), "role", p.Role, "demo", p.Demo)
	return nil
}

// DisablePerson takes the right to sign in away and ends all sessions. fault.Conflict when it is already so.
func (tx *Tx) DisablePerson(id PersonID) error {
	if err := swapped(tx.g.Exec(`update people set disabled_at = ?, updated_at = ? where id = ? and disabled_at is null`, tx.Now, tx.Now, id)); err != nil {
		return err
	}
	tx.Audit(PersonDisabled, id.Ref())
	return tx.EndSessions(id)
}

// SetPassword replaces the password's hash and ends all sessions.
func (tx *Tx) SetPassword(id PersonID, hash string, mustChange bool) error {
	if err := swapped(tx.g.Exec(`update people set password_hash = ?, must_change_password = ?, updated_at = ? where id = ?`, hash, mustChange, tx.Now, id)); err != nil {
		return err
	}
	tx.Audit(PersonReset, id.Ref())
	return tx.EndSessions(id)
}

// SetLanguage remembers the language a person chose.
func (tx *Tx) SetLanguage(id PersonID, language string) error {
	if err := swapped(tx.g.Exec(`update people set language = ?, updated_at = ? where id = ?`, language, tx.Now, id)); err != nil {
		return err
	}
	tx.Audit(PersonPreferred, id.Ref(), "language", language)
	return nil
}
