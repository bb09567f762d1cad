package models

import (
	"context"
	"time"

	"gorm.io/gorm"
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

// SessionPerson is the person behind a token's hash, when the session lives: not expired, seen within idle, the person
// not disabled. fault.NotFound otherwise.
func (r Reader) SessionPerson(ctx context.Context, tokenHash []byte, now time.Time, idle time.Duration) (Person, Session, error) {
	s, err := gorm.G[Session](r.db).Where("token_hash = ? and expires_at > ? and seen_at > ?", tokenHash, now, now.Add(-idle)).Take(ctx)
	if err != nil {
		return Person{}, Session{}, translate(err)
	}
	p, err := gorm.G[Person](r.db).Where("id = ? and disabled_at is null", s.PersonID).Take(ctx)
	return p, s, translate(err)
}

// StartSession stores a session of the acting person.
func (tx *Tx) StartSession(s *Session) error {
	if err := gorm.G[Session](tx.g).Create(tx.ctx, s); err != nil {
		return translate(err)
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
