package dokusim

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"strconv"
	"strings"

	"berkas/doku"
)

// CallLink is the fetch of a link, beside the calls that package doku names.
const CallLink = "link"

const (
	maxJSON  = 1 << 20
	maxDrain = 32 << 20

	assumedHeader = "X-Simulator-Assumed"
)

// answer is what a call will say.
type answer struct {
	status      int
	body        []byte
	contentType string   // default application/json
	refusal     *refusal // instead of body
	file        *file    // a link's bytes, instead of body
	to          *signedCall
	header      http.Header
	assumed     bool // it rests on an assumption

	cut, short, corrupt bool // faults of the transport
}

// refusal is an error before it takes the shape the switches ask for.
type refusal struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// refuse is an error answer; DOKU documents none, so all of them rest on an assumption.
func refuse(status int, message string) answer {
	code := strings.ToUpper(strings.ReplaceAll(http.StatusText(status), " ", "_"))
	return answer{status: status, refusal: &refusal{Code: code, Message: message}, assumed: true}
}

func okay(v any) answer {
	body, _ := json.Marshal(v) // structs of this package only
	return answer{status: http.StatusOK, body: body}
}

// methods are the calls that share a path.
type methods map[string]http.HandlerFunc

func (s *Simulator) routes() *http.ServeMux {
	mux := http.NewServeMux()
	handle := func(path string, m methods) {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.dispatch(w, r, m) })
	}
	p := doku.Prefix
	handle(p+"/file", methods{
		"GET":  s.call(doku.CallRequirements, s.signed(s.requirements)),
		"POST": s.call(doku.CallUpload, s.upload),
	})
	handle(p+"/token", methods{"POST": s.call(doku.CallToken, s.signed(s.token))})
	handle(p+"/business", methods{"POST": s.call(doku.CallBusiness, s.signed(s.register))})
	handle(p+"/business/lite/registration", methods{"POST": s.call(doku.CallLite, s.signed(s.registerLite))})
	handle(p+"/business/{brand}", methods{"GET": s.call(doku.CallData, s.signed(s.data))})
	if s.lookup {
		handle(p+"/file/{id}", methods{"GET": s.call(doku.CallLookup, s.signed(s.lookUp))})
	}
	link := s.call(CallLink, s.followLink)
	handle(linkPrefix, methods{"GET": link, "HEAD": link})
	if s.control {
		mux.Handle(controlPrefix, s.controlHandler())
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.write(w, r, refuse(http.StatusNotFound, "there is no such call"))
	})
	return mux
}

// ServeHTTP answers one call.
func (s *Simulator) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Simulator) dispatch(w http.ResponseWriter, r *http.Request, m methods) {
	if serve, ok := m[r.Method]; ok {
		serve(w, r)
		return
	}
	var allow []string
	for method := range m {
		allow = append(allow, method)
	}
	w.Header().Set("Allow", strings.Join(allow, ", "))
	s.write(w, r, refuse(http.StatusMethodNotAllowed, "this call has another method"))
}

// call counts a call, lets faults have their way with it, and answers.
func (s *Simulator) call(name string, handle func(*http.Request) answer) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		f := s.arrive(name, r)
		f.wait(r)
		f.cutRequest(r)
		a, done := f.instead(r)
		if !done {
			a = handle(r)
		}
		if a.status >= 400 {
			drain(r.Body) // a refusal must reach a client that is still sending
		}
		s.log.Debug("dokusim", "call", name, "status", a.status)
		s.write(w, r, f.spoil(a))
	}
}

func drain(body io.Reader) { _, _ = io.CopyN(io.Discard, body, maxDrain) }

func (s *Simulator) write(w http.ResponseWriter, r *http.Request, a answer) {
	h := w.Header()
	maps.Copy(h, a.header)
	if a.assumed {
		h.Set(assumedHeader, "true")
	}
	if a.file != nil {
		s.stream(w, r, a)
		return
	}
	if a.refusal != nil {
		a.body = s.shape(a.refusal)
	}
	if a.contentType == "" {
		a.contentType = "application/json"
	}
	h.Set("Content-Type", a.contentType)
	s.signAnswer(h, a)
	h.Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(a.status)
	if a.cut {
		_, _ = w.Write(a.body[:len(a.body)/2])
		abort(w)
	}
	_, _ = w.Write(a.body)
}

// shape puts an error into DOKU's most likely shape, or the other one.
func (s *Simulator) shape(f *refusal) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var v any = map[string]any{"message": []string{f.Message}}
	if s.assume.ErrorObject {
		v = map[string]any{"error": f}
	}
	body, _ := json.Marshal(v)
	return body
}

// abort ends the connection without ending the answer.
func abort(w http.ResponseWriter) {
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}
