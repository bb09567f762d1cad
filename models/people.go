package models

import (
	"context"
	"time"

	"berkas/internal/fault"
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
	MerchantOrder      MerchantOrder // how they like lists sorted, "" as their role does
	PasswordHash       string
	MustChangePassword bool
	Demo               bool
	DisabledAt         *time.Time
	SignedInAt         *time.Time
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
	return take[Person](r.db.WithContext(ctx).Where("lower(email) = lower(?)", email))
}

// Person is the person with this id. fault.NotFound when there is none.
func (r Reader) Person(ctx context.Context, id PersonID) (Person, error) {
	return take[Person](r.db.WithContext(ctx).Where("id = ?", id))
}

// LastAdmin reports whether nobody but id can sign in as an admin.
func (r Reader) LastAdmin(ctx context.Context, id PersonID) (bool, error) {
	return one[bool](ctx, r, `select not exists (select from people where role = 'admin' and disabled_at is null and id <> ?)`, id)
}

// NeverSignedIn counts the people who may sign in and never did.
func (r Reader) NeverSignedIn(ctx context.Context) (int, error) {
	return one[int](ctx, r, `select count(*) from people where disabled_at is null and signed_in_at is null`)
}

// Teams are the teams that people are in.
func (r Reader) Teams(ctx context.Context) ([]string, error) {
	return scan[string](ctx, r, `select distinct team from people where team <> '' order by team limit 1000`)
}

// People are all people by name, the disabled ones last.
func (r Reader) People(ctx context.Context) ([]Person, error) {
	return find[Person](r.db.WithContext(ctx).Order("disabled_at is not null, lower(name), id").Limit(5000))
}

// Roster are all people as others name them: without what only they and admins need.
func (r Reader) Roster(ctx context.Context) ([]Person, error) {
	return find[Person](r.db.WithContext(ctx).Select("id", "name", "role", "team", "disabled_at").Order("disabled_at is not null, lower(name), id").Limit(5000))
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

// IsColleague reports whether a merchant can be given to a person: one of Colleagues.
func (r Reader) IsColleague(ctx context.Context, id PersonID) (bool, error) {
	return one[bool](ctx, r, `select exists (select from people where id = ? and role in ('staff', 'manager') and disabled_at is null)`, id)
}

// AddPerson stores a new person. fault.Conflict email_taken when the address is.
func (tx *Tx) AddPerson(p *Person) error {
	p.CreatedAt, p.UpdatedAt = tx.Now, tx.Now
	if err := create(tx, p); err != nil {
		return err
	}
	tx.Audit(PersonAdded, p.ID.Ref(), "role", p.Role, "demo", p.Demo)
	return nil
}

// DisablePerson takes the right to sign in away and ends all sessions; what a reviewer was asked about is anybody's again. fault.Conflict when it is already so.
func (tx *Tx) DisablePerson(id PersonID) error {
	if err := swapped(tx.g.Exec(`update people set disabled_at = ?, updated_at = ? where id = ? and disabled_at is null`, tx.Now, tx.Now, id)); err != nil {
		return err
	}
	tx.Audit(PersonDisabled, id.Ref())
	return firstError(tx.unassign(id), tx.EndSessions(id))
}

// EnablePerson gives the right to sign in back; the password stays what it was. fault.Conflict when it was not taken.
func (tx *Tx) EnablePerson(id PersonID) error {
	if err := swapped(tx.g.Exec(`update people set disabled_at = null, updated_at = ? where id = ? and disabled_at is not null`, tx.Now, id)); err != nil {
		return err
	}
	tx.Audit(PersonEnabled, id.Ref())
	return nil
}

// ChangePerson gives a person another name, role or team than they had; another role ends all sessions,
// and what a reviewer was asked about is anybody's again. fault.Conflict
// when somebody else changed them meanwhile.
func (tx *Tx) ChangePerson(had Person, name string, role Role, team string) error {
	if err := swapped(tx.g.Exec(`update people set name = ?, role = ?, team = ?, updated_at = ? where id = ? and name = ? and role = ? and team = ?`,
		name, role, team, tx.Now, had.ID, had.Name, had.Role, had.Team)); err != nil {
		return err
	}
	tx.Audit(PersonChanged, had.ID.Ref(), "role", role, "role_before", had.Role, "team", team != had.Team, "name", name != had.Name)
	if role == had.Role {
		return nil
	}
	return firstError(tx.unassign(had.ID), tx.EndSessions(had.ID))
}

// KeepAnAdmin refuses to lose the last admin who can sign in: fault.Conflict last_admin when that is id. Until the
// transaction ends nobody else makes the admins fewer.
func (tx *Tx) KeepAnAdmin(id PersonID) error {
	var admins []PersonID
	err := tx.g.Raw(`select id from people where role = 'admin' and disabled_at is null order by id for update`).Scan(&admins).Error
	if err != nil {
		return translate(err)
	}
	if len(admins) == 1 && admins[0] == id {
		return fault.New(fault.Conflict, "last_admin")
	}
	return nil
}

// SignedIn notes that a person signed in with the password had. fault.Conflict when that is not their password any more
// or they were disabled meanwhile: whoever changes either waits for us, or we for them.
func (tx *Tx) SignedIn(had Person) error {
	return swapped(tx.g.Exec(`update people set signed_in_at = ? where id = ? and password_hash = ? and disabled_at is null`, tx.Now, had.ID, had.PasswordHash))
}

// ChangePassword replaces a person's own password. Of their sessions the one of token goes on under the token next, all
// others end. fault.Conflict when the password or the session is not theirs any more.
func (tx *Tx) ChangePassword(had Person, hash string, token, next []byte) error {
	if err := swapped(tx.g.Exec(`update people set password_hash = ?, must_change_password = false, updated_at = ? where id = ? and password_hash = ? and disabled_at is null`,
		hash, tx.Now, had.ID, had.PasswordHash)); err != nil {
		return err
	}
	if err := swapped(tx.g.Exec(`update sessions set token_hash = ? where token_hash = ? and person_id = ?`, next, token, had.ID)); err != nil {
		return err
	}
	ended := tx.g.Exec(`delete from sessions where person_id = ? and token_hash <> ?`, had.ID, next)
	tx.Audit(PasswordChanged, had.ID.Ref(), "ended", ended.RowsAffected)
	return translate(ended.Error)
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

// SetTheme remembers the theme a person chose; "" follows the system.
func (tx *Tx) SetTheme(id PersonID, theme string) error {
	if err := swapped(tx.g.Exec(`update people set theme = ?, updated_at = ? where id = ?`, theme, tx.Now, id)); err != nil {
		return err
	}
	tx.Audit(PersonPreferred, id.Ref(), "theme", theme)
	return nil
}
