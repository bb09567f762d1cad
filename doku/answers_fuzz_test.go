package doku

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// saying is a gateway that answers every call alike.
type saying struct {
	status int
	header string
	body   string
}

func (s saying) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	header := http.Header{}
	for _, name := range []string{"Retry-After", HeaderSignature, "Content-Type"} {
		header.Set(name, s.header)
	}
	status, body := s.status, s.body
	if strings.HasSuffix(r.URL.Path, "/token") && status < 0 { // a token, so that what follows it is answered too
		status, body = 200, `{"access_token":"abc.def.ghi","valid_time":5}`
	} else if status < 0 {
		status = -status
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

// Whatever DOKU answers to whatever call, it is a result that can be used, or an *Error without the key in it.
func FuzzAnswers(f *testing.F) {
	for _, name := range []string{"business_data.json", "registration_answer.json"} {
		f.Add(-200, "", fixture(f, name))
	}
	f.Add(-200, "30", []byte(`{"id":"f-1","link":"https://doku.com/x?Expires=1700003600"}`))
	f.Add(-409, "Wed, 21 Oct 2026 07:28:00 GMT", []byte(`{"id":"","link":null}`))
	f.Add(200, "", []byte(`{"access_token":"a.b.c","valid_time":1e99}`))
	f.Add(429, "99999999999999999999", []byte("<html>slow down</html>"))
	f.Add(-502, "-1", []byte("\xff\x00"))
	f.Fuzz(func(t *testing.T, status int, header string, body []byte) {
		if status < -599 || status > 599 || status < 200 && status > -200 {
			return
		}
		c, err := New(Options{BaseURL: TestURL, ClientID: vectorClient, SecretKey: vectorKey, StrictResponses: len(body)%2 == 1,
			HTTP: &http.Client{Transport: saying{status, header, string(body)}}, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		judge := func(call string, err error) {
			if err == nil {
				return
			}
			if e := asError(t, err); strings.Contains(err.Error(), vectorKey) || e.RetryAfter < 0 {
				t.Fatalf("%s: %v", call, err)
			}
		}
		file, err := c.UploadFile(ctx, Upload{Category: CategoryDocument, Code: CodeKTP, FileName: "KTP.jpg", ContentType: "image/jpeg", Size: 1, Body: strings.NewReader("x")})
		if err == nil && file.ID == "" {
			t.Fatal("an upload without an id")
		}
		judge(CallUpload, err)
		_, err = c.CheckRequirements(ctx, personal)
		judge(CallRequirements, err)
		b, err := c.RegisterBusiness(ctx, NewRequestID(), []byte("{}"))
		if err == nil && b.ID == "" {
			t.Fatal("a business without an id")
		}
		judge(CallBusiness, err)
		_, err = c.GetBusiness(ctx, "BRN-1", personal)
		judge(CallData, err)
	})
}
