package models

import (
	"context"
	"time"

	"berkas/internal/fault"
)

// Session is one signed-in browser. Only the hash of its token is stored.
type Session struct {
	ID        SessionID
	TokenHash []byte
	PersonID  PersonID
	Agent     string
	CreatedAt time.Time
	SeenAt    time.Time
	ExpiresAt time.Time
}

// SessionPerson is the person behind a token's hash, the session and when it was last used, while it lives: not expired,
// seen within idle, the person not disabled. fault.NotFound otherwise.
func (r Reader) SessionPerson(ctx context.Context, tokenHash []byte, now time.Time, idle time.Duration) (p Person, id SessionID, seen time.Time, err error) {
	rows, err := scan[struct {
		Person
		SessionID SessionID
		SeenAt    time.Time
	}](ctx, r, `select p.*, s.id as session_id, s.seen_at from sessions s join people p on p.id = s.person_id
		where s.token_hash = ? and s.expires_at > ? and s.seen_at > ? and p.disabled_at is null`, tokenHash, now, now.Add(-idle))
	if err == nil && len(rows) == 0 {
		err = fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return Person{}, 0, time.Time{}, err
	}
	return rows[0].Person, rows[0].SessionID, rows[0].SeenAt, nil
}

// StartSession stores a session of the acting person.
func (tx *Tx) StartSession(s *Session) error {
	if err := create(tx, s); err != nil {
		return err
	}
	tx.Audit(SessionStarted, s.PersonID.Ref())
	return nil
}

// EndSession forgets one session by its token's hash.
func (tx *Tx) EndSession(person PersonID, tokenHash []byte) error {
	tx.Audit(SessionEnded, person.Ref())
	return translate(tx.g.Exec(`delete from sessions where token_hash = ? and person_id = ?`, tokenHash, person).Error)
}

// EndSessions forgets all sessions of a person.
func (tx *Tx) EndSessions(person PersonID) error {
	return translate(tx.g.Exec(`delete from sessions where person_id = ?`, person).Error)
}

// Sessions are a person's sessions that live, the last used first.
func (r Reader) Sessions(ctx context.Context, person PersonID, now time.Time, idle time.Duration) ([]Session, error) {
	return find[Session](r.db.WithContext(ctx).Where("person_id = ? and expires_at > ? and seen_at > ?", person, now, now.Add(-idle)).Order("seen_at desc, id desc").Limit(1000))
}

// EndOwnSession forgets one session of a person. fault.NotFound when they have no such session.
func (tx *Tx) EndOwnSession(person PersonID, id SessionID) error {
	ended := tx.g.Exec(`delete from sessions where id = ? and person_id = ?`, id, person)
	if ended.Error == nil && ended.RowsAffected == 0 {
		return fault.New(fault.NotFound, "session_over")
	}
	tx.Audit(SessionEnded, person.Ref(), "session", id)
	return translate(ended.Error)
}

// EndOtherSessions forgets all sessions of a person but the one of a token's hash.
func (tx *Tx) EndOtherSessions(person PersonID, keep []byte) error {
	ended := tx.g.Exec(`delete from sessions where person_id = ? and token_hash <> ?`, person, keep)
	tx.Audit(SessionEnded, person.Ref(), "ended", ended.RowsAffected)
	return translate(ended.Error)
}
