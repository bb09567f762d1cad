package doku

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

var personal = Combination{Personal, Perseorangan, Retail, Indonesia}

func newServer(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func asError(t *testing.T, err error) *Error {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("%v (%T) is no *Error", err, err)
	}
	return e
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	good := Options{BaseURL: TestURL, ClientID: "a", SecretKey: "b"}
	for name, change := range map[string]func(*Options){
		"no base":          func(o *Options) { o.BaseURL = "" },
		"base with prefix": func(o *Options) { o.BaseURL = TestURL + Prefix },
		"base of a file":   func(o *Options) { o.BaseURL = "file:///x" },
		"no client":        func(o *Options) { o.ClientID = "" },
		"no secret":        func(o *Options) { o.SecretKey = "" },
		"lookup":           func(o *Options) { o.FileLookup = "/file" },
		"link host":        func(o *Options) { o.LinkHosts = []string{"https://doku.com"} },
		"empty link host":  func(o *Options) { o.LinkHosts = []string{"*."} },
		"simulator":        func(o *Options) { o.SimulatorLinks = "127.0.0.1" },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
}

func TestSignedRequest(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 1, 2, 10, 4, 5, 999, time.FixedZone("WIB", 7*3600)) }
	for _, signQuery := range []bool{false, true} {
		c := server(t, func(w http.ResponseWriter, r *http.Request) {
			s := Signed{ClientID: vectorClient, RequestID: r.Header.Get(HeaderRequestID), Timestamp: vectorStamp, Target: Prefix + "/file"}
			if signQuery {
				s.Target += "?" + r.URL.RawQuery
			}
			if !s.Verify(vectorKey, r.Header.Get(HeaderSignature)) || r.Header.Get(HeaderRequestTimestamp) != vectorStamp ||
				r.Header.Get("Digest") != "" || r.Method != "GET" || r.URL.Query().Get("businessContactNationality") != "ID" {
				t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
			}
			w.Write(fixture(t, "requirements_personal.json"))
		}, func(o *Options) { o.Now, o.SignQuery = now, signQuery })
		got, err := c.CheckRequirements(background(), personal)
		if err != nil || len(got.Items) != 3 || got.Assumed || !json.Valid(got.Raw) {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestAnswersOfAllKinds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler                        http.HandlerFunc
		temporary, refused, understood bool
		status                         int
	}{
		"503":                   {say(503, ""), true, false, true, 503},
		"422":                   {say(422, `{"message":["no"]}`), false, true, true, 422},
		"404":                   {say(404, ""), false, false, false, 404},
		"302":                   {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/elsewhere", http.StatusFound) }, false, false, false, 302},
		"a web page as success": {say(200, "<html>"), false, false, false, 200},
		"an empty success":      {say(204, ""), false, false, false, 204},
		"too long":              {say(200, `"`+strings.Repeat("x", maxAnswer)+`"`), false, false, false, 200},
		"cut": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, `{"business":{}}`)
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, true, false, true, 200},
		"no answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true, false, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen []Outcome
			client := server(t, c.handler, func(o *Options) { o.Observe = func(out Outcome) { seen = append(seen, out) } })
			_, err := client.CheckRequirements(background(), personal)
			e := asError(t, err)
			if e.Temporary() != c.temporary || e.Refused() != c.refused || e.Understood() != c.understood || e.Status != c.status {
				t.Errorf("%v: temporary %v, refused %v", e, e.Temporary(), e.Refused())
			}
			if len(seen) != 1 || seen[0].Call != CallRequirements || seen[0].Status != c.status || seen[0].Err != err {
				t.Errorf("observed %+v", seen)
			}
		})
	}
}

func TestCancelPassesThrough(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(background())
	observed := false
	c := server(t, func(w http.ResponseWriter, r *http.Request) { cancel(); <-r.Context().Done() },
		func(o *Options) { o.Observe = func(Outcome) { observed = true } })
	_, err := c.CheckRequirements(ctx, personal)
	if !errors.Is(err, context.Canceled) || observed {
		t.Errorf("%v, observed %v", err, observed)
	}
}

func TestRequestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	echo := strings.Join(secretsOfTest, " ")
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Prefix+"/token" {
			io.WriteString(w, `{"token":"`+secretsOfTest[1]+`"}`)
			return
		}
		body, _ := json.Marshal(map[string]any{"message": []string{echo}})
		w.WriteHeader(400)
		w.Write(body)
	}, func(o *Options) {
		o.Log = slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	_, err := c.UploadFile(background(), Upload{Category: CategoryLogo, FileURL: secretsOfTest[2]})
	text := log.String() + err.Error() + asError(t, err).Message
	for _, secret := range secretsOfTest {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in %q", secret, text)
		}
	}
	for _, want := range []string{`"call":"upload"`, `"call":"token"`, `"status":400`, `"ms":`, asError(t, err).RequestID} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%s is not in %s", want, log.String())
		}
	}
}

func TestStrictResponses(t *testing.T) {
	t.Parallel()
	for _, good := range []bool{true, false} {
		c := server(t, func(w http.ResponseWriter, r *http.Request) {
			body := []byte(`{"business":{"id":"BSN-1"}}`)
			s := Signed{ClientID: vectorClient, RequestID: r.Header.Get(HeaderRequestID), Timestamp: vectorStamp,
				Target: r.URL.Path, Body: body, Response: true}
			if !good {
				s.Body = []byte("another")
			}
			w.Header().Set(HeaderResponseTimestamp, vectorStamp)
			w.Header().Set(HeaderSignature, s.Signature(vectorKey))
			w.Write(body)
		}, func(o *Options) { o.StrictResponses = true })
		_, err := c.RegisterBusiness(background(), "r", []byte(`{}`))
		if good && err != nil || !good && !errors.Is(err, ErrSignature) {
			t.Errorf("good %v: %v", good, err)
		}
	}
}

func TestTokenIsFetchedOnceForAll(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	tokens, uploads := 0, 0
	arrived, release := make(chan struct{}), make(chan struct{})
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Prefix+"/token" {
			mu.Lock()
			tokens++
			mu.Unlock()
			close(arrived)
			<-release
			io.WriteString(w, `{"token":"one"}`)
			return
		}
		mu.Lock()
		uploads++
		mu.Unlock()
		io.Copy(io.Discard, r.Body)
		io.WriteString(w, `{"id":"DCM-1","link":"https://doku.com/1","category":"LOGO"}`)
	})
	first, giveUp := context.WithCancel(background())
	gone := make(chan error)
	go func() { gone <- c.Token(first) }()
	<-arrived
	giveUp() // the one who asked first leaves; the others still get their token
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.UploadFile(background(), Upload{Category: CategoryLogo, FileURL: "https://example.com/a.png"}); err != nil {
				t.Error(err)
			}
		})
	}
	close(release)
	wg.Wait()
	if tokens != 1 || uploads != 20 {
		t.Errorf("%d tokens, %d uploads", tokens, uploads)
	}
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tokens := 0
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		tokens++ // the documented sample: 300 seconds between iat and exp, whatever our own clock says
		io.WriteString(w, `{"token":"h.eyJzdWIiOiJwYXlsb2FkIiwiZXhwIjoxNjk1MTg1NzQ0LCJpYXQiOjE2OTUxODU0NDR9.s"}`)
	}, func(o *Options) { o.Now = func() time.Time { return now } })
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {239 * time.Second, 1}, {time.Second, 2}, {time.Minute, 2}} {
		now = now.Add(step.after)
		if err := c.Token(background()); err != nil || tokens != step.want {
			t.Errorf("after %s: %d tokens, %v", step.after, tokens, err)
		}
	}
	if err := c.Probe(background()); err != nil || tokens != 3 {
		t.Errorf("a probe must ask: %d tokens, %v", tokens, err)
	}
}

func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{`{}`: "no token", `{"token":""}`: "no token", `{"token":"a b"}`: "no token", `x`: "JSON"} {
		c := server(t, say(200, body))
		err := c.Token(background())
		if e := asError(t, err); e.Understood() || !strings.Contains(e.Error(), want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestLifetime(t *testing.T) {
	t.Parallel()
	for token, want := range map[string]time.Duration{
		"opaque": tokenLifetime, "a.!!.c": tokenLifetime, "a.e30.c": tokenLifetime,
		"a.eyJpYXQiOjE3MDQ4NDQ1OTEsImV4cCI6MTcwNDg2NjE5MX0.c": 6 * time.Hour,
		"a.eyJleHAiOjYwMH0.c":            600 * time.Second,
		"a.eyJpYXQiOjIsImV4cCI6MX0.c":    0,
		"a.eyJpYXQiOjEsImV4cCI6MWUzMH0.": 24 * time.Hour,
	} {
		if got := lifetime(token, time.Unix(0, 0)); got != want {
			t.Errorf("%s: %s, want %s", token, got, want)
		}
	}
}
