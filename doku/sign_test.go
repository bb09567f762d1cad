package doku

import (
	"errors"
	"net/http"
	"regexp"
	"testing"
)

const (
	vectorKey    = "SK-OwnTestVector-0001"
	vectorClient = "BRN-0001-1700000000000"
	vectorStamp  = "2026-01-02T03:04:05Z"
)

func TestSignatureVectors(t *testing.T) {
	t.Parallel()
	query := Combination{Personal, Perseorangan, Retail, Indonesia}.query()
	for name, v := range map[string]struct {
		signed Signed
		length int
		want   string
	}{
		"A, POST": {
			Signed{RequestID: "11111111-2222-4333-8444-555555555555", Target: Prefix + "/token", Body: tokenRequest}, 219,
			"HMACSHA256=tDWli1lSYk15jmL0J8pCOPT6s2avKbwCp4Q2N8kfO6M=",
		},
		"B, GET": {
			Signed{RequestID: "11111111-2222-4333-8444-666666666666", Target: Prefix + "/file"}, 166,
			"HMACSHA256=kMRlqLW9mI8kfvRQsKSVWAzJewXJjV7cvdm7Nqkj/UQ=",
		},
		"B2, GET with query": {
			Signed{RequestID: "11111111-2222-4333-8444-666666666666", Target: Prefix + "/file?" + query}, 0,
			"HMACSHA256=+m6b/UItW49p32vdrZRKiwbV7+9rHEGoctCyCeW8Slw=",
		},
		"C, GET business": {
			Signed{RequestID: "11111111-2222-4333-8444-777777777777", Target: Prefix + "/business/BRN-0104-1678960841263"}, 0,
			"HMACSHA256=FJGztLlQS8J5SHUBXrel9bm0xY2SWyiT4D4IYf7cM6I=",
		},
		"D, response": {
			Signed{RequestID: "11111111-2222-4333-8444-555555555555", Timestamp: "2026-01-02T03:04:06Z", Target: Prefix + "/token",
				Body: []byte(`{"token":"abc.def.ghi"}`), Response: true}, 0,
			"HMACSHA256=3xVkwTVdPzXVICX3F9qDC5liGKZue+gv+eJzgiezeFQ=",
		},
		"E, notification": {
			Signed{RequestID: "11111111-2222-4333-8444-888888888888", Target: "/payments/notifications",
				Body: []byte(`{"event":"example"}`)}, 0,
			"HMACSHA256=Omv+JCMeUQ0KOxcSWkiE+Wd72wzpKRLsq9totp6hqRQ=",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := v.signed
			s.ClientID = vectorClient
			if s.Timestamp == "" {
				s.Timestamp = vectorStamp
			}
			if got := s.Signature(vectorKey); got != v.want {
				t.Errorf("signature %s, want %s, of\n%s", got, v.want, s.Text())
			}
			if v.length != 0 && len(s.Text()) != v.length {
				t.Errorf("%d bytes are signed, want %d", len(s.Text()), v.length)
			}
			if !s.Verify(vectorKey, v.want) || s.Verify(vectorKey+"x", v.want) || s.Verify(vectorKey, "") {
				t.Error("Verify is wrong")
			}
		})
	}
	if got := Digest(tokenRequest); got != "23kYsU7yk6vZ/exEcBe1UAFmjn17wuk165Oc+E3Cb8Y=" {
		t.Errorf("digest %s", got)
	}
}

func TestVerifyNotification(t *testing.T) {
	t.Parallel()
	body := []byte(`{"event":"example"}`)
	headers := func(signature string) http.Header {
		h := http.Header{}
		h.Set("client-id", vectorClient)
		h.Set("request-id", "11111111-2222-4333-8444-888888888888")
		h.Set("request-timestamp", vectorStamp)
		h.Set("signature", signature)
		return h
	}
	vectorE := headers("HMACSHA256=Omv+JCMeUQ0KOxcSWkiE+Wd72wzpKRLsq9totp6hqRQ=")
	for _, target := range []string{"/payments/notifications", "/payments/notifications?ref=abc"} {
		if err := VerifyNotification(vectorE, target, body, vectorKey); err != nil {
			t.Errorf("%s: %v", target, err)
		}
	}
	withQuery := headers(Signed{ClientID: vectorClient, RequestID: "11111111-2222-4333-8444-888888888888", Timestamp: vectorStamp,
		Target: "/n?ref=abc", Body: body}.Signature(vectorKey))
	if err := VerifyNotification(withQuery, "/n?ref=abc", body, vectorKey); err != nil {
		t.Errorf("a signed query: %v", err)
	}
	for name, err := range map[string]error{
		"other path":  VerifyNotification(vectorE, "/elsewhere", body, vectorKey),
		"other body":  VerifyNotification(vectorE, "/payments/notifications", []byte(`{}`), vectorKey),
		"other key":   VerifyNotification(vectorE, "/payments/notifications", body, "SK-other"),
		"no headers":  VerifyNotification(http.Header{}, "/payments/notifications", body, vectorKey),
		"other query": VerifyNotification(withQuery, "/n?ref=abd", body, vectorKey),
	} {
		if !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewRequestID(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)
	a, b := NewRequestID(), NewRequestID()
	if !form.MatchString(a) || a == b {
		t.Errorf("%s, %s", a, b)
	}
}
