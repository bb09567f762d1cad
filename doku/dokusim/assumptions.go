package dokusim

import (
	"fmt"
	"strings"
	"time"
)

// Assumptions are switches for what DOKU's documentation leaves open. The zero value is the likeliest answer to each.
type Assumptions struct {
	SignedQuery       bool          // Request-Target includes the query
	UnsignedResponses bool          // answers carry no signature
	ClockSkew         time.Duration // how far Request-Timestamp may be off; 0: any
	ErrorObject       bool          // errors are {"error":{"code","message"}} instead of {"message":[…]}
	Callbacks         bool          // changes of status are posted to business.callback_url
	ForgetsRequests   bool          // a repeated Request-Id is carried out again
	Lines             []string      // lines of business beyond doku.BusinessLines
}

// assumed is what every answer rests on beyond DOKU's documentation.
var assumed = []string{
	"requirements of everything but PERSONAL/PERSEORANGAN/RETAIL/ID, and that all of them are mandatory",
	"a token without valid_time is good for 5 minutes, and none for more than 360",
	"max_size 15 means 15 x 1,048,576 bytes",
	"PDF is taken where a requirement lists it; without one for DOCUMENT, SERVICE_AGREEMENT and BANK_ACCOUNT",
	"file_url is never fetched: its file is a sample picture drawn here",
	"status codes and bodies of errors",
	"a registration with an unknown file id gets 422 with the place where it stands",
	"the answer of Business Registration; CORPORATE; contacts, documents and statuses in Get Business Data",
	"a callback's payload, that it is signed like other notifications, and that a repetition keeps its Request-Id",
	"a Request-Id is remembered for 24 hours, and only after a success",
	"files nobody attached are kept for ever; Update Business Data and Get Address answer 404",
}

// Banner tells, for the start of a log, what of the simulator rests on assumptions. Answers that do carry the header
// X-Simulator-Assumed: true.
func (s *Simulator) Banner() string {
	s.mu.Lock()
	a := s.assume
	s.mu.Unlock()
	var b strings.Builder
	b.WriteString("This is a simulator of DOKU's Partner API, not DOKU. Assumed, because DOKU's documentation does not say:\n")
	for _, line := range assumed {
		b.WriteString("  - " + line + "\n")
	}
	for _, line := range []string{
		choose(a.SignedQuery, "the query is part of the signed path", "the query is no part of the signed path"),
		choose(a.UnsignedResponses, "answers are not signed", "answers are signed"),
		choose(a.ClockSkew > 0, fmt.Sprintf("Request-Timestamp may be off by %s", a.ClockSkew), "Request-Timestamp may be off by anything"),
		choose(a.ErrorObject, `errors are {"error":{"code","message"}}`, `errors are {"message":[…]}`),
		choose(a.Callbacks, "changes of status are posted to the callback URL", "no callbacks are sent"),
		choose(a.ForgetsRequests, "a repeated Request-Id is carried out again", "a repeated Request-Id is answered with 409 and the first answer"),
		choose(s.lookup, "a file can be looked up by its id", "no file can be looked up by its id"),
	} {
		b.WriteString("  - (switch) " + line + "\n")
	}
	return b.String()
}

func choose(yes bool, this, that string) string {
	if yes {
		return this
	}
	return that
}
