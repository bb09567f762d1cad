package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"strings"
	"time"

	"berkas/internal/fault"
	"berkas/models"
)

const (
	IdleTimeout     = 30 * time.Minute
	AbsoluteTimeout = 12 * time.Hour
	ThrottleWindow  = 15 * time.Minute

	maxFailuresPerAccount = 10
	maxFailuresPerAddress = 100
	touchInterval         = 30 * time.Second
	maxAgent              = 200
)

// Gate lets people in.
type Gate struct {
	store *models.Store
	now   func() time.Time
}

// NewGate is a gate over the people and sessions of store.
func NewGate(store *models.Store, now func() time.Time) *Gate { return &Gate{store: store, now: now} }

// Attempt is one try to sign in. Password is ignored when Demo: then only a demo person gets in.
type Attempt struct {
	Email, Password string
	Demo            bool
	NoDemo          bool // demo people are refused: the request did not come straight from this machine
	Address, Agent  string
	RequestID       string
}

// SignIn checks who somebody is and starts a session, whose token goes into the cookie and is stored only as a hash.
// fault.Unauthenticated sign_in_failed says nothing about what was wrong; fault.RateLimited after too many failures of
// one account or one address; fault.Forbidden demo_forbidden.
func (g *Gate) SignIn(ctx context.Context, a Attempt) (token string, p models.Person, err error) {
	a.Email = strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(a.Email, "\x00", ""), ""))
	account, address := subject("account", strings.ToLower(a.Email)), subject("address", a.Address)
	if err := g.throttle(ctx, account, address); err != nil {
		return "", models.Person{}, err
	}
	p, err = g.identify(ctx, a)
	if fault.Is(err, fault.Unauthenticated) {
		return "", models.Person{}, g.failed(ctx, a, err)
	}
	// Nothing was guessed: neither does a success count against a shared address, nor an attempt that nobody judged.
	if err := g.forgive(ctx, account, address); err != nil {
		return "", models.Person{}, err
	}
	if err != nil {
		return "", models.Person{}, err
	}
	if p.Demo && a.NoDemo {
		return "", models.Person{}, fault.New(fault.Forbidden, "demo_forbidden")
	}
	token = rand.Text() + rand.Text()
	now := g.now().UTC()
	session := &models.Session{TokenHash: tokenHash(token), PersonID: p.ID, Agent: bounded(a.Agent), CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(AbsoluteTimeout)}
	err = g.store.Write(ctx, p.Actor(a.RequestID), func(tx *models.Tx) error {
		if err := tx.SignedIn(p); err != nil {
			return err
		}
		return tx.StartSession(session)
	})
	if fault.Is(err, fault.Conflict) { // disabled, or given another password, while we looked: no session outlives that
		return "", models.Person{}, g.failed(ctx, a, fault.New(fault.Unauthenticated, "sign_in_failed"))
	}
	if err == nil {
		err = g.store.Keep().ForgetAttempts(ctx, account)
	}
	if err != nil {
		return "", models.Person{}, err
	}
	return token, p, nil
}

// identify finds the person and checks the password; every way of failing takes as long and says the same.
func (g *Gate) identify(ctx context.Context, a Attempt) (models.Person, error) {
	p, err := g.store.PersonByEmail(ctx, a.Email)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return p, err
	}
	if a.Demo {
		if p.Demo && p.DisabledAt == nil {
			return p, nil
		}
		return p, fault.New(fault.Unauthenticated, "sign_in_failed")
	}
	ok, err := CheckPassword(ctx, p.PasswordHash, a.Password)
	if err != nil {
		return p, err
	}
	if !ok || p.DisabledAt != nil {
		return p, fault.New(fault.Unauthenticated, "sign_in_failed")
	}
	return p, nil
}

// throttle counts an attempt before it is judged, so that many at once are no way around the limits. What the address is
// refused for does not count against the account, which somebody else may be about to sign in to.
func (g *Gate) throttle(ctx context.Context, account, address []byte) error {
	var counted [][]byte
	for _, s := range []struct {
		subject []byte
		most    int
	}{{account, maxFailuresPerAccount}, {address, maxFailuresPerAddress}} {
		n, since, err := g.store.Keep().CountAttempt(ctx, s.subject, ThrottleWindow)
		if err != nil {
			return err
		}
		counted = append(counted, s.subject)
		if n > s.most {
			if err := g.forgive(ctx, counted...); err != nil {
				return err
			}
			return g.limited("sign_in_limited", since)
		}
	}
	return nil
}

// forgive takes one attempt of each subject back, also when whoever made it has gone.
func (g *Gate) forgive(ctx context.Context, subjects ...[]byte) error {
	ctx = context.WithoutCancel(ctx)
	for _, s := range subjects {
		if err := g.store.Keep().ForgiveAttempt(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

// limited refuses until the window that began at since is over.
func (g *Gate) limited(code string, since time.Time) error {
	wait := max(time.Second, since.Add(ThrottleWindow).Sub(g.now()))
	return &fault.Error{Kind: fault.RateLimited, Code: code, Params: fault.Pairs("seconds", int(wait.Seconds())), RetryAfter: wait}
}

// failed leaves a trace of an attempt that was judged, and says what it came to.
func (g *Gate) failed(ctx context.Context, a Attempt, why error) error {
	anonymous := models.Anonymous
	anonymous.RequestID = a.RequestID
	err := g.store.Write(ctx, anonymous, func(tx *models.Tx) error {
		tx.Audit(models.SignInFailed, models.Somewhere("session"))
		return nil
	})
	if err != nil {
		return err
	}
	return why
}

// Who is the person behind a session's token. What they do keeps the session from going idle; what a page does by itself
// does not. fault.Unauthenticated when the session is over.
func (g *Gate) Who(ctx context.Context, token string, acts bool) (models.Person, error) {
	if token == "" {
		return models.Person{}, fault.New(fault.Unauthenticated, "signed_out")
	}
	now := g.now().UTC()
	p, session, seen, err := g.store.SessionPerson(ctx, tokenHash(token), now, IdleTimeout)
	if fault.Is(err, fault.NotFound) {
		return p, fault.New(fault.Unauthenticated, "signed_out")
	}
	if err == nil && acts && now.Sub(seen) > touchInterval {
		err = g.store.Keep().TouchSession(ctx, session)
	}
	return p, err
}

// SignOut ends the session of a token.
func (g *Gate) SignOut(ctx context.Context, actor models.Actor, token string) error {
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.EndSession(actor.Person, tokenHash(token)) })
}

// SetLanguage remembers the language a person chose.
func (g *Gate) SetLanguage(ctx context.Context, actor models.Actor, language string) error {
	return g.store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetLanguage(actor.Person, language) })
}

func tokenHash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

func subject(kind, value string) []byte {
	h := sha256.Sum256([]byte("throttle:" + kind + ":" + value))
	return h[:]
}

func bounded(s string) string {
	s = strings.ToValidUTF8(s, "")
	if len(s) > maxAgent {
		s = strings.ToValidUTF8(s[:maxAgent], "")
	}
	return s
}
