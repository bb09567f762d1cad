package dokusim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"berkas/doku"
)

const (
	controlPrefix = "/_simulator/"
	maxCallbacks  = 1000 // sent by one request
)

// controlHandler is the interface that doc.go describes. A web page somebody looks at must not be able to use it.
func (s *Simulator) controlHandler() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, do func(*http.Request) (any, error)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" "+controlPrefix+path, func(w http.ResponseWriter, r *http.Request) {
			v, err := do(r)
			reply := http.StatusOK
			switch {
			case errors.Is(err, ErrUnknownBusiness), errors.Is(err, ErrUnknownFile):
				reply = http.StatusNotFound
			case err != nil:
				reply = http.StatusBadRequest
			}
			if err != nil {
				v = map[string]string{"error": err.Error()}
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(reply)
			_ = json.NewEncoder(w).Encode(v)
		})
	}
	handle("GET clock", s.getClock)
	handle("PUT clock", s.putClock)
	handle("GET faults", func(*http.Request) (any, error) { return s.Faults(), nil })
	handle("POST faults", s.postFault)
	handle("DELETE faults", func(*http.Request) (any, error) { s.ClearFaults(); return s.Faults(), nil })
	handle("GET files", func(*http.Request) (any, error) { return s.Files(), nil })
	handle("DELETE files/{id}", func(r *http.Request) (any, error) {
		if err := s.LoseFile(r.PathValue("id")); err != nil {
			return nil, err
		}
		return s.Files(), nil
	})
	handle("GET businesses", func(*http.Request) (any, error) { return s.Businesses(), nil })
	handle("PUT businesses/{id}", s.putBusiness)
	handle("POST callbacks", s.postCallback)
	handle("GET requests", func(*http.Request) (any, error) { return s.Requests(), nil })
	handle("PUT requirements", s.putRequirements)
	handle("GET assumptions", func(*http.Request) (any, error) { return toWire(s.Assume()), nil })
	handle("PUT assumptions", s.putAssumptions)
	handle("POST reset", s.postReset)
	return http.NewCrossOriginProtection().Handler(mux)
}

func (s *Simulator) getClock(*http.Request) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]string{"now": s.now().Format(time.RFC3339), "offset": s.state.offset.String()}, nil
}

func (s *Simulator) putClock(r *http.Request) (any, error) {
	var in struct {
		Now     json.RawMessage `json:"now"`
		Advance string          `json:"advance"`
	}
	if err := readStrict(r, &in); err != nil {
		return nil, err
	}
	if in.Now != nil {
		var t time.Time // null leaves it zero: real time
		if err := json.Unmarshal(in.Now, &t); err != nil {
			return nil, errors.New("now must be a time such as 2026-01-02T03:04:05Z, or null")
		}
		if err := s.SetClock(t); err != nil {
			return nil, err
		}
	}
	if in.Advance != "" {
		d, err := time.ParseDuration(in.Advance)
		if err != nil {
			return nil, err
		}
		if err := s.Advance(d); err != nil {
			return nil, err
		}
	}
	return s.getClock(r)
}

func (s *Simulator) postFault(r *http.Request) (any, error) {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxJSON))
	if err != nil {
		return nil, err
	}
	var f Fault
	if err := f.UnmarshalJSON(raw); err != nil {
		return nil, err
	}
	if err := s.AddFault(f); err != nil {
		return nil, err
	}
	return s.Faults(), nil
}

func (s *Simulator) putBusiness(r *http.Request) (any, error) {
	var st Status
	if err := readStrict(r, &st); err != nil {
		return nil, err
	}
	if err := s.SetStatus(r.PathValue("id"), st); err != nil {
		return nil, err
	}
	return s.Businesses(), nil
}

func (s *Simulator) postCallback(r *http.Request) (any, error) {
	var c Callback
	if err := readStrict(r, &c); err != nil {
		return nil, err
	}
	if c.Times > maxCallbacks {
		return nil, fmt.Errorf("times must be at most %d", maxCallbacks)
	}
	answers, err := s.SendCallback(c)
	return map[string][]int{"answers": answers}, err
}

func (s *Simulator) putRequirements(r *http.Request) (any, error) {
	var in struct {
		BusinessType string          `json:"business_type"`
		LegalEntity  string          `json:"legal_entity"`
		BusinessLine string          `json:"business_line"`
		Nationality  string          `json:"nationality"`
		Answer       json.RawMessage `json:"answer"`
	}
	if err := readStrict(r, &in); err != nil {
		return nil, err
	}
	c := doku.Combination{BusinessType: in.BusinessType, LegalEntity: in.LegalEntity, BusinessLine: in.BusinessLine, Nationality: in.Nationality}
	if c.BusinessType == "" || c.LegalEntity == "" || c.BusinessLine == "" || c.Nationality == "" {
		return nil, errors.New("business_type, legal_entity, business_line and nationality must be given")
	}
	return map[string]bool{"done": true}, s.SetRequirements(c, in.Answer)
}

// wireAssumptions are Assumptions in JSON.
type wireAssumptions struct {
	SignedQuery       bool     `json:"signed_query"`
	UnsignedResponses bool     `json:"unsigned_responses"`
	ClockSkew         string   `json:"clock_skew"`
	ErrorObject       bool     `json:"error_object"`
	Callbacks         bool     `json:"callbacks"`
	ForgetsRequests   bool     `json:"forgets_requests"`
	Lines             []string `json:"lines"`
}

func toWire(a Assumptions) wireAssumptions {
	return wireAssumptions{a.SignedQuery, a.UnsignedResponses, a.ClockSkew.String(), a.ErrorObject, a.Callbacks, a.ForgetsRequests, a.Lines}
}

// putAssumptions leaves what the body does not name.
func (s *Simulator) putAssumptions(r *http.Request) (any, error) {
	in := toWire(s.Assume())
	if err := readStrict(r, &in); err != nil {
		return nil, err
	}
	skew, err := time.ParseDuration(in.ClockSkew)
	if err != nil {
		return nil, err
	}
	s.SetAssume(Assumptions{in.SignedQuery, in.UnsignedResponses, skew, in.ErrorObject, in.Callbacks, in.ForgetsRequests, in.Lines})
	return toWire(s.Assume()), nil
}

func (s *Simulator) postReset(r *http.Request) (any, error) {
	var in struct {
		Forget bool `json:"forget"`
	}
	if err := readStrict(r, &in); err != nil {
		return nil, err
	}
	reset := s.Reset
	if in.Forget {
		reset = s.Forget
	}
	return map[string]bool{"done": true}, reset()
}

// readStrict reads a body that may be empty.
func readStrict(r *http.Request, to any) error {
	raw, err := io.ReadAll(io.LimitReader(r.Body, maxJSON))
	if err != nil || len(bytes.TrimSpace(raw)) == 0 {
		return err
	}
	return strictJSON(raw, to)
}

func strictJSON(raw []byte, to any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		return fmt.Errorf("the body: %w", err)
	}
	return nil
}
