package doku

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestErrorKinds(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]string{
		0: "temporary", 401: "temporary", 403: "temporary", 408: "temporary", 425: "temporary", 429: "temporary", 500: "temporary",
		502: "temporary", 503: "temporary", 504: "temporary", 599: "temporary",
		400: "refused", 413: "refused", 415: "refused", 422: "refused",
		200: "strange", 204: "strange", 301: "strange", 302: "strange", 404: "strange", 405: "strange", 409: "strange", 410: "strange",
	} {
		e := &Error{Status: status}
		got := "strange"
		switch {
		case e.Temporary() && e.Refused():
			got = "both"
		case e.Temporary():
			got = "temporary"
		case e.Refused():
			got = "refused"
		}
		if got != want || e.Understood() != (want != "strange") {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
	if e := (&Error{Call: CallToken, Status: 400}); !e.Temporary() || e.Refused() {
		t.Error("a refused token says nothing about the file")
	}
	if e := (&Error{Status: 200, cut: true}); !e.Temporary() {
		t.Error("a cut success must be temporary")
	}
	if e := (&Error{Status: 400, cut: true}); e.Temporary() || !e.Refused() {
		t.Error("a cut refusal is a refusal")
	}
}

func TestErrorShapes(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"message":["email already registered"]}`:                         "|email already registered",
		`{"message":"one sentence"}`:                                       "|one sentence",
		`{"error":{"code":"INVALID_PARAMETER","message":"bad"}}`:           "INVALID_PARAMETER|bad",
		`{"error":"plain"}`:                                                "|plain",
		`{"status":"FAILED","response_code":"X1","response_message":"no"}`: "X1|no",
		`{"message":["first"],"error":{"code":"C","message":"second"}}`:    "C|first",
		`Invalid Header Signature`:                                         "|",
		`{"message":[]}`:                                                   "|",
		`{"message":{"a":1}}`:                                              "|",
		``:                                                                 "|",
	} {
		code, message := readError([]byte(body))
		if got := code + "|" + message; got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-7": 0, "soon": 0, "999999999": maxWait,
		now.Add(time.Minute).Format(http.TimeFormat): time.Minute, now.Add(-time.Minute).Format(http.TimeFormat): 0,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %s", header, got)
		}
	}
}

// secretsOfTest must appear in no error and no log line.
var secretsOfTest = []string{
	vectorKey, "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln", "https://bucket.example/x?Signature=abc", "3201234567890123",
	"3201 2345 6789 0123", "budi@example.com", "SK-Abcdefghijklmnopqrst", "HMACSHA256=1jap2tpgvWt83tG4J7IhEwUrwmMt71OaIk0oL0e6sPM=",
}

func TestErrorsHoldNoSecrets(t *testing.T) {
	t.Parallel()
	c := &Client{secret: vectorKey}
	for _, secret := range secretsOfTest {
		body := fmt.Sprintf(`{"error":{"code":%q,"message":%q}}`, secret, "you sent "+secret+" and\nmore")
		e := c.failure(&request{call: CallUpload, id: "1"}, &answer{status: 400, body: []byte(body)})
		e.Err = fmt.Errorf("cause: %s", secret)
		for _, text := range []string{e.Message, e.Code, e.Error()} {
			if strings.Contains(text, secret) || strings.Contains(text, "\n") {
				t.Errorf("%q shows %q or has lines", text, secret)
			}
		}
		if link := (&LinkError{Err: e.Err}).Error(); strings.Contains(link, secret) {
			t.Errorf("%q shows %q", link, secret)
		}
	}
	for _, keep := range []string{"BRN-0001-1700000000000", "BRN-0001-10791114622547", "11111111-2222-4333-8444-555555555555"} {
		if got := redact(keep); got != keep {
			t.Errorf("%s became %s", keep, got)
		}
	}
}

func TestErrorIsBounded(t *testing.T) {
	t.Parallel()
	c := &Client{}
	e := c.failure(&request{call: CallUpload}, &answer{status: 500, body: []byte(`{"message":["` + strings.Repeat("é", 100_000) + `"]}`)})
	if len(e.Body) != maxErrorBody || len([]rune(e.Message)) > maxMessage+1 {
		t.Errorf("%d bytes, %d characters", len(e.Body), len([]rune(e.Message)))
	}
	if e := c.failure(&request{}, &answer{status: 503}); e.Message != "Service Unavailable" {
		t.Errorf("%q", e.Message)
	}
}

func FuzzErrorBody(f *testing.F) {
	f.Add([]byte(`{"message":["x"],"error":{"code":"a","message":"b"}}`))
	f.Add([]byte(`{"error":"3201234567890123","response_code":5}`))
	f.Add([]byte("\xff\xfe{\x00}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &Client{secret: vectorKey}
		e := c.failure(&request{call: CallUpload}, &answer{status: 400, body: body})
		if len(e.Body) > maxErrorBody || len([]rune(e.Message)) > maxMessage+1 || strings.Contains(e.Message, vectorKey) ||
			strings.ContainsAny(e.Error(), "\n\r\x00") {
			t.Fatalf("%q", e.Error())
		}
	})
}

// server runs a handler and a client for it.
func server(t *testing.T, handler http.HandlerFunc, change ...func(*Options)) *Client {
	t.Helper()
	s := newServer(t, handler)
	o := Options{BaseURL: s.URL, ClientID: vectorClient, SecretKey: vectorKey, HTTP: s.Client()}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func background() context.Context { return context.Background() }

func say(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}
