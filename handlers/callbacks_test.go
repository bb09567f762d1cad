package handlers

import (
	"net/http"
	"strings"
	"testing"

	"berkas/doku"
)

// What DOKU is answered says nothing, and what it posted to stands in no log.
func TestCallbacksOverTheWire(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const token = "QUNKNOWNTOKENOFNOBODY"
	post := func(path, body string, sign bool) *answer {
		r := b.nobody().request(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		if sign {
			s := doku.Signed{ClientID: "BRN-0001", RequestID: doku.NewRequestID(), Timestamp: "2026-01-02T03:04:05Z", Target: path, Body: []byte(body)}
			r.Header.Set(doku.HeaderClientID, s.ClientID)
			r.Header.Set(doku.HeaderRequestID, s.RequestID)
			r.Header.Set(doku.HeaderRequestTimestamp, s.Timestamp)
			r.Header.Set(doku.HeaderSignature, s.Signature("SK-secret"))
		}
		return b.nobody().do(r)
	}
	post(callbackPath+token, `{}`, false).is(http.StatusUnauthorized, "a forged callback")
	if a := post(callbackPath+token, `{}`, true).is(http.StatusNotFound, "one to nobody's address"); a.body != "" {
		t.Errorf("it says %q", a.body)
	}
	post(callbackPath+token, strings.Repeat(" ", limitCallback+1), true).is(http.StatusRequestEntityTooLarge, "one without end")
	b.nobody().get(callbackPath + token)
	post(callbackPath+token+"/more", `{}`, true)
	for range strangersAnswered {
		b.web.turnedAway.add(b.clock.now())
	}
	if a := post(callbackPath+token, `{}`, false).is(http.StatusTooManyRequests, "one stranger too many"); a.header.Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
	post(callbackPath+token, `{}`, true).is(http.StatusTooManyRequests, "one to nobody's address")
	if all := b.log.String(); strings.Contains(all, token) || !strings.Contains(all, callbackPath) {
		t.Error("the address is in the log, or the request is not")
	}
}
