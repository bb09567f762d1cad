package doku

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	maxErrorBody = 4 << 10
	maxMessage   = 500  // characters
	maxVerbatim  = 1000 // characters
	maxWait      = 24 * time.Hour
)

// Error is an API call that did not bring what was asked for. Exactly one of these holds:
//
//   - Temporary: asking again later, unchanged, is the right thing.
//   - Refused: DOKU understood and said no; the same request will be refused again.
//   - neither (Understood is false): an answer nobody foresaw.
//
// DOKU documents no error answers for the Partner API; the shapes decoded are those of its other APIs.
type Error struct {
	Call       string        // one of the Call constants
	RequestID  string        // for DOKU's support, and to find the line in the request log
	Status     int           // HTTP status; 0 when no answer came
	Code       string        // DOKU's code, "" when it gave none
	Message    string        // DOKU's words, at most 500 characters, redacted; else the status text
	Verbatim   string        `json:"-"` // DOKU's words unredacted, at most 1000 characters: may hold personal data, never log them
	Body       []byte        `json:"-"` // the answer's first 4 KiB as it came: may hold personal data, never log it
	RetryAfter time.Duration // as DOKU asked; 0 when it did not, never more than a day
	Err        error         // the cause, where there is one besides the status

	cut       bool // the connection ended within the answer
	uncertain bool
}

// Error says what happened without secrets, tokens, links or personal numbers.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("doku: " + e.Call)
	if e.Status != 0 {
		fmt.Fprintf(&b, ": %d", e.Status)
	}
	for _, s := range []string{e.Code, e.Message} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	if e.RequestID != "" {
		b.WriteString(" (request " + e.RequestID + ")")
	}
	return redact(b.String())
}

// Unwrap returns the cause; context.Canceled and context.DeadlineExceeded pass through it.
func (e *Error) Unwrap() error { return e.Err }

// Temporary reports a failure that lies with the network, with DOKU's service or with our credential, and not with the
// request: no answer, a cut answer, 401, 403, 408, 425, 429 and 5xx; and whatever DOKU has against a token request, which
// an upload makes on the way and which says nothing about the file.
func (e *Error) Temporary() bool {
	if e.Call == CallToken && e.Status >= 400 {
		return true
	}
	switch e.Status {
	case 0, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return e.Status >= 500 || e.cut && !e.Refused()
}

// Refused reports that DOKU rejected the request itself: 400, 413, 415 or 422.
func (e *Error) Refused() bool {
	if e.Call == CallToken {
		return false
	}
	switch e.Status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// Understood is false for answers nobody foresaw: redirects, other 4xx, and a success whose body is not the answer.
func (e *Error) Understood() bool { return e.Temporary() || e.Refused() }

// Uncertain reports that a registration may have been carried out although its answer did not arrive. Repeat it with
// the same Request-Id and the same bytes; never with a new id.
func (e *Error) Uncertain() bool { return e.uncertain }

// unknownFile is how an answer may say that a file id is not known (assumed: DOKU documents no such answer).
var unknownFile = regexp.MustCompile(`(?i)\b(file|document)s?\b.*\b(unknown|not found|not exist|does not exist|tidak ditemukan|tidak dikenal)`)

// UnknownFile reports that DOKU refused a registration because it does not know the id of a file (any more).
func (e *Error) UnknownFile() bool {
	return (e.Refused() || e.Status == http.StatusNotFound) && e.Call == CallBusiness && unknownFile.MatchString(e.Message)
}

// failure makes the error of an answer that is no success.
func (c *Client) failure(r *request, a *answer) *Error {
	e := &Error{Call: r.call, RequestID: r.id, Status: a.status, Body: a.body[:min(len(a.body), maxErrorBody)]}
	e.Code, e.Message = readError(a.body)
	e.Verbatim = c.verbatim(e.Message)
	e.Code, e.Message = c.clean(e.Code), c.clean(e.Message)
	if e.Message == "" {
		e.Message = http.StatusText(a.status)
	}
	e.RetryAfter = retryAfter(a.header.Get("Retry-After"), a.at)
	e.cut = a.cut != nil
	return e
}

// strange makes the error of a success whose body could not be read as the answer.
func (c *Client) strange(r *request, a *answer, cause error) *Error {
	e := c.failure(r, a)
	e.Message, e.Err = "", cause
	return e
}

// unanswered makes the error of a call to which no answer came. A file that could not be read is no failure of DOKU's.
func (r *request) unanswered(cause error) error {
	if broken := r.source.failure(); broken != nil {
		return fmt.Errorf("doku: %s: reading the file: %w", r.call, broken)
	}
	var u *url.Error
	if errors.As(cause, &u) {
		cause = u.Err // its text repeats the URL
	}
	return &Error{Call: r.call, RequestID: r.id, Err: cause}
}

// readError looks for a code and a sentence in the shapes DOKU's APIs are known to use.
func readError(body []byte) (code, message string) {
	t, err := parseTree(body)
	if err != nil {
		return "", ""
	}
	for _, s := range []string{
		t.get("message").sentence(), t.get("error", "message").sentence(), t.get("error").str(),
		t.get("response_message").sentence(),
	} {
		if s != "" {
			message = s
			break
		}
	}
	for _, s := range []string{t.get("error", "code").str(), t.get("response_code").str(), t.get("code").str()} {
		if s != "" {
			code = s
			break
		}
	}
	return code, message
}

func retryAfter(header string, now time.Time) time.Duration {
	var d time.Duration
	if seconds, err := strconv.ParseInt(header, 10, 32); err == nil {
		d = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		d = at.Sub(now)
	}
	return min(max(d, 0), maxWait)
}

// clean makes text from outside fit to show and to log.
func (c *Client) clean(s string) string { return c.printed(redact(s), maxMessage) }

// verbatim is text from outside as it came, but for credentials and what cannot be printed.
func (c *Client) verbatim(s string) string {
	return c.printed(sharedKeys.ReplaceAllString(s, "[secret]"), maxVerbatim)
}

func (c *Client) printed(s string, most int) string {
	if c.secret != "" {
		s = strings.ReplaceAll(s, c.secret, "[secret]")
	}
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, s)
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return strings.TrimSpace(s)
}

var sharedKeys = regexp.MustCompile(`\bSK-[\w-]+`)

var secrets = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`(?i)https?://[^\s"'<>]+`), "[link]"},
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+(\.[\w-]*)?`), "[token]"},
	{regexp.MustCompile(`(?i)bearer\s+[^\s"',]+`), "[token]"},
	{regexp.MustCompile(`HMACSHA256=[\w+/=-]+`), "[signature]"},
	{sharedKeys, "[secret]"},
	{regexp.MustCompile(`[\w.+-]+@[\w-]+(\.[\w-]+)+`), "[e-mail]"},
	{regexp.MustCompile(`\d{15,}|\b\d{4}[ .-]\d{4}[ .-]\d{4}[ .-]\d{4}\b`), "[number]"},
}

// redact replaces what must not reach a log: DOKU's words may repeat what was sent to it.
func redact(s string) string {
	for _, secret := range secrets {
		s = secret.pattern.ReplaceAllString(s, secret.instead)
	}
	return s
}

// canceled reports that the caller gave up, which says nothing about DOKU.
func canceled(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
