package doku

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Names of the headers DOKU signs with. HTTP does not care about their case, the signed text does.
const (
	HeaderClientID          = "Client-Id"
	HeaderRequestID         = "Request-Id"
	HeaderRequestTimestamp  = "Request-Timestamp"
	HeaderResponseTimestamp = "Response-Timestamp"
	HeaderSignature         = "Signature"
)

// TimestampLayout is the form of Request-Timestamp: UTC, to the second.
const TimestampLayout = "2006-01-02T15:04:05Z"

// ErrSignature says that a signature is missing or does not fit what it covers.
var ErrSignature = errors.New("doku: invalid signature")

// Signed is what a signature covers, as on the pages "Signature Component from Request Header" and "Signature Componen
// from Response Header".
type Signed struct {
	ClientID, RequestID string
	Timestamp           string // as in the header, TimestampLayout
	Target              string // the path that is called, e.g. /adv-core-api/partner/v1.0/token
	Body                []byte // the exact bytes; without any, the text has no Digest line
	Response            bool   // the text names Response-Timestamp instead of Request-Timestamp
}

// Text is the text that is signed: lines joined with a newline, none at the end.
func (s Signed) Text() string {
	stamp := HeaderRequestTimestamp
	if s.Response {
		stamp = HeaderResponseTimestamp
	}
	lines := []string{
		HeaderClientID + ":" + s.ClientID,
		HeaderRequestID + ":" + s.RequestID,
		stamp + ":" + s.Timestamp,
		"Request-Target:" + s.Target,
	}
	if len(s.Body) > 0 {
		lines = append(lines, "Digest:"+Digest(s.Body))
	}
	return strings.Join(lines, "\n")
}

// Signature is the value of the header Signature. The secret key is used as plain text.
func (s Signed) Signature(secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(s.Text()))
	return "HMACSHA256=" + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify compares a header's signature with ours in constant time.
func (s Signed) Verify(secret, signature string) bool {
	return hmac.Equal([]byte(s.Signature(secret)), []byte(signature))
}

// Digest is the base64 of a body's SHA-256. It exists only inside the signed text, never as a header.
func Digest(body []byte) string {
	sum := sha256.Sum256(body)
	return base64.StdEncoding.EncodeToString(sum[:])
}

// Timestamp writes a time as DOKU signs it.
func Timestamp(t time.Time) string { return t.UTC().Format(TimestampLayout) }

// NewRequestID makes a random Request-Id (a version 4 UUID, 36 characters; DOKU takes up to 128). It is the idempotency
// key of the signed POST calls: who repeats a call whose outcome is unknown repeats its id.
func NewRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// VerifyNotification checks a notification that DOKU posted to us, as on the page "Best Practice": target is the path of
// our own URL with its query, if any. That the verification callback is signed like other notifications is an
// assumption, and so is whether the query is part of the signed text: both forms are accepted. It returns ErrSignature.
func VerifyNotification(h http.Header, target string, body []byte, secret string) error {
	path, _, _ := strings.Cut(target, "?")
	for _, t := range []string{path, target} {
		s := Signed{
			ClientID:  h.Get(HeaderClientID),
			RequestID: h.Get(HeaderRequestID),
			Timestamp: h.Get(HeaderRequestTimestamp),
			Target:    t,
			Body:      body,
		}
		if s.Verify(secret, h.Get(HeaderSignature)) {
			return nil
		}
	}
	return ErrSignature
}

// VerifyNotification is the function of this name with the client's own key.
func (c *Client) VerifyNotification(h http.Header, target string, body []byte) error {
	return VerifyNotification(h, target, body, c.secret)
}

// verifyResponse checks an answer's signature where it carries one. Only answers to POST are signed with a Digest.
func (c *Client) verifyResponse(r *request, a *answer) error {
	stamp, signature := a.header.Get(HeaderResponseTimestamp), a.header.Get(HeaderSignature)
	if !c.strict || stamp == "" || signature == "" {
		return nil
	}
	s := Signed{ClientID: c.clientID, RequestID: r.id, Timestamp: stamp, Target: r.signedTarget, Response: true}
	if r.method == http.MethodPost {
		s.Body = a.body
	}
	if !s.Verify(c.secret, signature) {
		return ErrSignature
	}
	return nil
}
