package dokusim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"berkas/doku"
)

const (
	defaultValidity = 5 * time.Minute // of a token asked for without valid_time (assumed)
	maxValidity     = 360 * time.Minute
)

// signedCall is a call whose signature was found good.
type signedCall struct {
	r       *http.Request
	partner Partner
	id      string // Request-Id
	body    []byte
	target  string
}

// signed lets a call through when its signature is good, as on the page "Signature Component from Request Header".
func (s *Simulator) signed(handle func(*signedCall) answer) func(*http.Request) answer {
	return func(r *http.Request) answer {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxJSON+1))
		switch {
		case err != nil:
			return refuse(http.StatusBadRequest, "the request is incomplete")
		case len(body) > maxJSON:
			return refuse(http.StatusRequestEntityTooLarge, "the request is too large")
		}
		c := &signedCall{r: r, id: r.Header.Get(doku.HeaderRequestID), body: body, target: r.URL.EscapedPath()}
		if problem := s.checkSignature(c); problem != "" {
			return refuse(http.StatusUnauthorized, problem)
		}
		a := handle(c)
		a.to = c
		return a
	}
}

func (s *Simulator) checkSignature(c *signedCall) (problem string) {
	s.mu.Lock()
	assume, now := s.assume, s.now()
	s.mu.Unlock()
	h := c.r.Header
	for _, name := range []string{doku.HeaderClientID, doku.HeaderRequestID, doku.HeaderRequestTimestamp, doku.HeaderSignature} {
		if h.Get(name) == "" {
			return "header " + name + " is missing"
		}
	}
	if len(c.id) > 128 {
		return "header " + doku.HeaderRequestID + " is too long"
	}
	stamp, err := time.Parse(doku.TimestampLayout, h.Get(doku.HeaderRequestTimestamp))
	if err != nil {
		return "header " + doku.HeaderRequestTimestamp + " is malformed"
	}
	if assume.ClockSkew > 0 && now.Sub(stamp).Abs() > assume.ClockSkew {
		return "header " + doku.HeaderRequestTimestamp + " is too far off"
	}
	if assume.SignedQuery && c.r.URL.RawQuery != "" {
		c.target += "?" + c.r.URL.RawQuery
	}
	var known bool
	c.partner, known = s.partners[h.Get(doku.HeaderClientID)] // an unknown one is checked with an empty key, for equal time
	signed := doku.Signed{
		ClientID: h.Get(doku.HeaderClientID), RequestID: c.id, Timestamp: h.Get(doku.HeaderRequestTimestamp),
		Target: c.target, Body: c.body,
	}
	if good := signed.Verify(c.partner.SecretKey, h.Get(doku.HeaderSignature)); !good || !known {
		return "Invalid Header Signature"
	}
	return ""
}

// signAnswer signs an answer to a signed call, as on the page "Signature Componen from Response Header". That Partner API
// answers are signed is assumed.
func (s *Simulator) signAnswer(h http.Header, a answer) {
	s.mu.Lock()
	unsigned, now := s.assume.UnsignedResponses, s.now()
	s.mu.Unlock()
	if unsigned || a.to == nil {
		return
	}
	signed := doku.Signed{
		ClientID: a.to.partner.ClientID, RequestID: a.to.id, Timestamp: doku.Timestamp(now), Target: a.to.target, Response: true,
	}
	if a.to.r.Method == http.MethodPost {
		signed.Body = a.body
	}
	h.Set(doku.HeaderClientID, signed.ClientID)
	h.Set(doku.HeaderRequestID, signed.RequestID)
	h.Set(doku.HeaderResponseTimestamp, signed.Timestamp)
	h.Set(doku.HeaderSignature, signed.Signature(a.to.partner.SecretKey))
}

// once carries a signed POST out once per Request-Id and repeats its answer with 409, as on the page "Idempotency
// Request". Work and remembered answer are one change. Only successes are remembered, and another body under the same
// id is refused (both assumed). do runs with mu held.
func (s *Simulator) once(c *signedCall, do func() (answer, change)) answer {
	s.mu.Lock()
	defer s.mu.Unlock()
	key, of := c.partner.ClientID+" "+c.id, c.r.URL.Path+" "+doku.Digest(c.body)
	if prior := s.state.replies[key]; prior != nil && prior.fresh(s.now()) && !s.assume.ForgetsRequests {
		if prior.Of != of {
			return refuse(http.StatusConflict, "Request-Id was used for another request")
		}
		return answer{status: http.StatusConflict, body: prior.Body, assumed: prior.Assumed}
	}
	a, ch := do()
	if a.status >= 300 {
		return a
	}
	ch.Reply = &reply{Key: key, Of: of, Body: a.body, Assumed: a.assumed, At: s.now()}
	if err := s.commit(ch); err != nil {
		return refuse(http.StatusInternalServerError, "the simulator cannot write its state")
	}
	return a
}

// claims are those of DOKU's two sample tokens, in their order.
type claims struct {
	Subject string    `json:"sub"`
	Expires int64     `json:"exp"`
	User    claimUser `json:"user"`
	Issued  int64     `json:"iat"`
}

type claimUser struct {
	ClientID string `json:"businessServiceClientId"`
}

// token answers Generate Token. (page "Generate Token API")
func (s *Simulator) token(c *signedCall) answer {
	var asked struct {
		GrantType string `json:"grant_type"`
		ValidTime any    `json:"valid_time"`
	}
	if json.Unmarshal(c.body, &asked) != nil {
		return refuse(http.StatusBadRequest, "the body is no JSON object")
	}
	if asked.GrantType != "client_credentials" {
		return refuse(http.StatusBadRequest, "grant_type must be client_credentials")
	}
	validity, ok := minutes(asked.ValidTime)
	if !ok {
		return refuse(http.StatusBadRequest, "valid_time must be a positive number of minutes")
	}
	return s.once(c, func() (answer, change) {
		var ch change
		signer := s.state.signer
		if signer == nil {
			if signer = newSigner(s.scratch); signer == nil {
				return refuse(http.StatusInternalServerError, "the simulator cannot make a key"), ch
			}
			ch.Signer, _ = x509.MarshalPKCS8PrivateKey(signer)
		}
		a := okay(struct {
			Token string `json:"token"`
		}{mint(signer, c.partner.ClientID, s.now(), validity)})
		a.assumed = asked.ValidTime == nil
		return a, ch
	})
}

// minutes reads valid_time; above the maximum it is cut (assumed).
func minutes(v any) (time.Duration, bool) {
	switch t := v.(type) {
	case nil:
		return defaultValidity, true
	case float64:
		v = strconv.FormatFloat(t, 'f', -1, 64)
	}
	text, _ := v.(string)
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return 0, false
	}
	return time.Duration(min(n, int(maxValidity/time.Minute))) * time.Minute, true
}

// scratchSigner saves simulators that forget everything anyway the making of a key.
var scratchSigner = sync.OnceValue(makeSigner)

func newSigner(scratch bool) *rsa.PrivateKey {
	if scratch {
		return scratchSigner()
	}
	return makeSigner()
}

func makeSigner() *rsa.PrivateKey {
	key, _ := rsa.GenerateKey(rand.Reader, 2048)
	return key
}

func mint(key *rsa.PrivateKey, clientID string, now time.Time, validity time.Duration) string {
	payload, _ := json.Marshal(claims{
		Subject: "payload", Issued: now.Unix(), Expires: now.Add(validity).Unix(), User: claimUser{ClientID: clientID},
	})
	enc := base64.RawURLEncoding
	text := enc.EncodeToString([]byte(`{"alg":"RS256"}`)) + "." + enc.EncodeToString(payload)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
	if err != nil {
		return ""
	}
	return text + "." + enc.EncodeToString(signature)
}

// bearer finds the partner a token was made for.
func (s *Simulator) bearer(r *http.Request) (Partner, bool) {
	s.mu.Lock()
	signer, now := s.state.signer, s.now()
	s.mu.Unlock()
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	parts := strings.Split(token, ".")
	if signer == nil || !strings.EqualFold(scheme, "Bearer") || len(parts) != 3 {
		return Partner{}, false
	}
	var header struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	if !decodePart(parts[0], &header) || header.Algorithm != "RS256" || !decodePart(parts[1], &c) {
		return Partner{}, false
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err != nil || rsa.VerifyPKCS1v15(&signer.PublicKey, crypto.SHA256, sum[:], signature) != nil || now.Unix() >= c.Expires {
		return Partner{}, false
	}
	p, ok := s.partners[c.User.ClientID]
	return p, ok
}

func decodePart(part string, to any) bool {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(raw, to) == nil
}
