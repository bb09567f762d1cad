package doku

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	tokenMargin   = time.Minute
	tokenLifetime = 5 * time.Minute // of a token that does not say: the shorter of the two documented samples
	maxToken      = 8 << 10
)

// tokenRequest asks for 360 minutes, as the documented sample does.
var tokenRequest = []byte(`{"grant_type":"client_credentials","valid_time":"360"}`)

// tokens keeps the bearer token of the upload call. However many callers need a new one, one request for it is under way.
type tokens struct {
	mu      sync.Mutex
	value   string
	renewAt time.Time
	flight  *flight
}

// flight is a request for a token that is under way. Its token and err may be read once done is closed.
type flight struct {
	done  chan struct{}
	token string
	err   error
}

// Token makes sure that a usable token is there, as on the page "Generate Token API". UploadFile does so by itself.
func (c *Client) Token(ctx context.Context) error {
	_, err := c.token(ctx, false)
	return err
}

// Probe asks DOKU for a new token whatever the present one is worth: the cheapest call that shows whether DOKU answers
// and takes our credential.
func (c *Client) Probe(ctx context.Context) error {
	_, err := c.token(ctx, true)
	return err
}

// token is the cached token, or a new one. The request for it belongs to all who wait, so that the first of them giving
// up does not fail the others.
func (c *Client) token(ctx context.Context, renew bool) (string, error) {
	t := &c.tokens
	t.mu.Lock()
	if !renew && t.value != "" && c.now().Before(t.renewAt) {
		defer t.mu.Unlock()
		return t.value, nil
	}
	f := t.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		t.flight = f
		go c.renewToken(context.WithoutCancel(ctx), f)
	}
	t.mu.Unlock()
	select {
	case <-f.done:
		return f.token, f.err
	case <-ctx.Done():
		return "", &Error{Call: CallToken, Err: ctx.Err()}
	}
}

func (c *Client) renewToken(ctx context.Context, f *flight) {
	var lifetime time.Duration
	asked := c.now()
	r := c.signed(CallToken, NewRequestID(), http.MethodPost, "/token", "", tokenRequest)
	f.err = c.do(ctx, r, func(a *answer) (err error) {
		f.token, lifetime, err = readToken(a)
		return err
	})
	if f.err != nil {
		f.token = ""
	}
	t := &c.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	t.flight = nil
	if f.err == nil {
		t.value, t.renewAt = f.token, asked.Add(lifetime-min(tokenMargin, lifetime/4))
	}
	close(f.done)
}

// drop forgets a token that DOKU refused, unless a newer one has taken its place.
func (t *tokens) drop(value string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value == value {
		t.value = ""
	}
}

func readToken(a *answer) (string, time.Duration, error) {
	root, err := parseTree(a.body)
	if err != nil {
		return "", 0, err
	}
	token := root.get("token").str()
	if token == "" || len(token) > maxToken || strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", 0, errors.New("the answer holds no token")
	}
	return token, lifetime(token, a.at), nil
}

// lifetime reads from a JWT how long it is good. It is measured by DOKU's own clock, between iat and exp, so that a
// wrong clock on either side costs nothing.
func lifetime(token string, now time.Time) time.Duration {
	var claims struct {
		Issued  float64 `json:"iat"`
		Expires float64 `json:"exp"`
	}
	parts := strings.Split(token, ".")
	if len(parts) < 2 {
		return tokenLifetime
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(payload, &claims) != nil || claims.Expires <= 0 {
		return tokenLifetime
	}
	if claims.Issued <= 0 {
		claims.Issued = float64(now.Unix())
	}
	seconds := min(max(claims.Expires-claims.Issued, 0), (24 * time.Hour).Seconds())
	return time.Duration(seconds) * time.Second
}
