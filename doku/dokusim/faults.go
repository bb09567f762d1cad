package dokusim

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"berkas/doku"
)

// FaultKind is what goes wrong.
type FaultKind string

// The kinds of faults. Those marked (instead) happen instead of the call's work, or after it with AfterCommit.
const (
	FaultStatus       FaultKind = "status"        // (instead) an error answer with Status, Message and RetryAfter
	FaultMalformed    FaultKind = "malformed"     // (instead) 200 with a JSON text that breaks off
	FaultEmpty        FaultKind = "empty"         // (instead) 200 without a body
	FaultHTML         FaultKind = "html"          // (instead) 200 with a web page, as a gateway would
	FaultDrop         FaultKind = "drop"          // (instead) the connection closes without an answer
	FaultDelay        FaultKind = "delay"         // only the Delay, which any other kind may have too
	FaultHold         FaultKind = "hold"          // the call waits until the faults are cleared
	FaultCutRequest   FaultKind = "cut_request"   // half of the request is read, then the connection closes
	FaultCutResponse  FaultKind = "cut_response"  // the work is done, half of the answer written, then the connection closes
	FaultNoID         FaultKind = "no_id"         // the work is done, the answer lacks its id
	FaultTruncateLink FaultKind = "truncate_link" // a link's body is whole to HTTP, but half of the file
	FaultCorruptLink  FaultKind = "corrupt_link"  // a link's body has the right length and other bytes
)

const faultHead = 4 << 10 // bytes of a body in which Fault.Body is looked for

var (
	faultKinds = []FaultKind{FaultStatus, FaultMalformed, FaultEmpty, FaultHTML, FaultDrop, FaultDelay, FaultHold, FaultCutRequest,
		FaultCutResponse, FaultNoID, FaultTruncateLink, FaultCorruptLink}
	callNames = []string{doku.CallRequirements, doku.CallToken, doku.CallUpload, doku.CallBusiness, doku.CallLite, doku.CallData,
		doku.CallLookup, CallLink, "*"}
)

// Fault is one thing that goes wrong. Faults are tried in the order they were added; the first that fits is used.
type Fault struct {
	Call        string // a Call constant of package doku, CallLink, or "*"
	Kind        FaultKind
	Status      int           // of FaultStatus, default 503
	Times       int           // how many calls; 0: until cleared
	Delay       time.Duration // before anything else
	Message     string
	RetryAfter  time.Duration // whole seconds
	AfterCommit bool          // do the work first
	Body        string        // only calls whose body has this in its first 4 KiB; "": all
}

// wireFault is a Fault in JSON.
type wireFault struct {
	Call        string    `json:"call"`
	Kind        FaultKind `json:"kind"`
	Status      int       `json:"status,omitempty"`
	Times       int       `json:"times"`
	Delay       string    `json:"delay,omitempty"`
	Message     string    `json:"message,omitempty"`
	RetryAfter  int       `json:"retry_after,omitempty"`
	AfterCommit bool      `json:"after_commit,omitempty"`
	Body        string    `json:"body,omitempty"`
}

// MarshalJSON writes the form of the control interface.
func (f Fault) MarshalJSON() ([]byte, error) {
	w := wireFault{Call: f.Call, Kind: f.Kind, Status: f.Status, Times: f.Times, Message: f.Message,
		RetryAfter: int(f.RetryAfter / time.Second), AfterCommit: f.AfterCommit, Body: f.Body}
	if f.Delay > 0 {
		w.Delay = f.Delay.String()
	}
	return json.Marshal(w)
}

// UnmarshalJSON reads the form of the control interface.
func (f *Fault) UnmarshalJSON(raw []byte) error {
	var w wireFault
	if err := strictJSON(raw, &w); err != nil {
		return err
	}
	*f = Fault{Call: w.Call, Kind: w.Kind, Status: w.Status, Times: w.Times, Message: w.Message,
		RetryAfter: time.Duration(w.RetryAfter) * time.Second, AfterCommit: w.AfterCommit, Body: w.Body}
	if w.Delay == "" {
		return nil
	}
	var err error
	f.Delay, err = time.ParseDuration(w.Delay)
	return err
}

func (f Fault) check() error {
	switch {
	case !slices.Contains(callNames, f.Call):
		return fmt.Errorf("call must be one of %q", callNames)
	case !slices.Contains(faultKinds, f.Kind):
		return fmt.Errorf("kind must be one of %q", faultKinds)
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return errors.New("status must be between 200 and 599")
	case f.Times < 0 || f.Delay < 0 || f.RetryAfter < 0:
		return errors.New("times, delay and retry_after must not be negative")
	}
	return nil
}

// activeFault is a fault with what is left of it. A nil one does nothing.
type activeFault struct {
	Fault
	used     int
	released chan struct{}
}

func (f *activeFault) spent() bool { return f.Times > 0 && f.used >= f.Times }

// AddFault makes something go wrong from now on.
func (s *Simulator) AddFault(f Fault) error {
	if err := f.check(); err != nil {
		return fmt.Errorf("dokusim: fault: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &activeFault{Fault: f, released: make(chan struct{})})
	return nil
}

// Faults lists what will go wrong, each with the Times that are left.
func (s *Simulator) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Fault{}
	for _, f := range s.faults {
		left := f.Fault
		left.Times = max(f.Times-f.used, 0)
		if !f.spent() {
			list = append(list, left)
		}
	}
	return list
}

// ClearFaults ends all faults and lets go of the calls that FaultHold holds.
func (s *Simulator) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearFaults()
}

func (s *Simulator) clearFaults() {
	for _, f := range s.faults {
		close(f.released)
	}
	s.faults = nil
}

// arrive counts a call and finds what goes wrong with it, nil when nothing does.
func (s *Simulator) arrive(call string, r *http.Request) *activeFault {
	head := s.beginning(call, r)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tally[call]++
	for i, f := range s.faults {
		if !f.concerns(call) || f.spent() || !strings.Contains(head, f.Body) {
			continue
		}
		f.used++
		if f.spent() && f.Kind != FaultHold { // what is held must still be let go
			s.faults = slices.Delete(s.faults, i, i+1)
		}
		return f
	}
	return nil
}

// beginning is the first of a call's body, and "" when no fault asks for it.
func (s *Simulator) beginning(call string, r *http.Request) string {
	s.mu.Lock()
	asked := slices.ContainsFunc(s.faults, func(f *activeFault) bool { return f.Body != "" && f.concerns(call) })
	s.mu.Unlock()
	if !asked {
		return ""
	}
	body := bufio.NewReaderSize(r.Body, faultHead)
	head, _ := body.Peek(faultHead) // what is wrong with the body shows when it is read
	r.Body = struct {
		io.Reader
		io.Closer
	}{body, r.Body}
	return string(head)
}

func (f *activeFault) concerns(call string) bool { return f.Call == call || f.Call == "*" }

func (f *activeFault) is(kinds ...FaultKind) bool { return f != nil && slices.Contains(kinds, f.Kind) }

func (f *activeFault) wait(r *http.Request) {
	if f == nil {
		return
	}
	if f.Delay > 0 {
		t := time.NewTimer(f.Delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		}
	}
	if f.Kind == FaultHold {
		select {
		case <-f.released:
		case <-r.Context().Done():
		}
	}
}

func (f *activeFault) cutRequest(r *http.Request) {
	if f.is(FaultCutRequest) {
		_, _ = io.CopyN(io.Discard, r.Body, max(r.ContentLength/2, 0))
		panic(http.ErrAbortHandler)
	}
}

// instead is the answer of a fault that spares the call its work.
func (f *activeFault) instead(r *http.Request) (answer, bool) {
	if f == nil || f.AfterCommit {
		return answer{}, false
	}
	a, ok := f.answer()
	if ok {
		drain(r.Body)
	}
	return a, ok
}

func (f *activeFault) answer() (answer, bool) {
	switch f.Kind {
	case FaultStatus:
		return f.statusAnswer(), true
	case FaultMalformed:
		return answer{status: http.StatusOK, body: []byte(`{"id":"CNT-0104-`)}, true
	case FaultEmpty:
		return answer{status: http.StatusOK}, true
	case FaultHTML:
		return answer{status: http.StatusOK, contentType: "text/html", body: []byte("<html><body>Just a moment…</body></html>")}, true
	case FaultDrop:
		panic(http.ErrAbortHandler)
	}
	return answer{}, false
}

func (f *activeFault) statusAnswer() answer {
	status, message := f.Status, f.Message
	if status == 0 {
		status = http.StatusServiceUnavailable
	}
	if message == "" {
		message = "the simulator was told to answer " + strconv.Itoa(status)
	}
	a := refuse(status, message)
	if f.RetryAfter > 0 {
		a.header = http.Header{"Retry-After": {strconv.Itoa(int(f.RetryAfter / time.Second))}}
	}
	return a
}

// spoil is what is left of an answer.
func (f *activeFault) spoil(a answer) answer {
	if f == nil {
		return a
	}
	if f.AfterCommit {
		if instead, ok := f.answer(); ok {
			return instead
		}
	}
	a.cut, a.short, a.corrupt = f.is(FaultCutResponse), f.is(FaultTruncateLink), f.is(FaultCorruptLink)
	if f.is(FaultNoID) {
		a.body = withoutID(a.body)
	}
	return a
}

// withoutID takes the id out of an answer and out of its wrapper.
func withoutID(body []byte) []byte {
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		return body
	}
	delete(m, "id")
	if b, ok := m["business"].(map[string]any); ok {
		delete(b, "id")
	}
	body, _ = json.Marshal(m)
	return body
}
