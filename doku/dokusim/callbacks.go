package dokusim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"time"

	"berkas/doku"
)

// callbackBody is invented: DOKU's documentation shows no payload.
type callbackBody struct {
	Business callbackBusiness `json:"business"`
}

type callbackBusiness struct {
	ID     string          `json:"id"`
	Status string          `json:"status"`
	Brands []callbackBrand `json:"brands"`
}

type callbackBrand struct {
	ID     string `json:"id"`
	Status string `json:"status"`
}

// Callback is a notification to be sent at once, whatever the switch says, as from DOKU's Back Office.
type Callback struct {
	Business  string `json:"business"`   // its id or a brand's
	Status    string `json:"status"`     // what the payload says; "" is the truth
	RequestID string `json:"request_id"` // "" makes one
	Times     int    `json:"times"`      // sent so often under one Request-Id; 0 is once
	Forged    bool   `json:"forged"`     // signed with another key
}

// ErrNoCallback says that a business was registered without an address to call back, or with one that is not called.
var ErrNoCallback = errors.New("dokusim: the business has no address that is called back")

// SendCallback sends a notification and returns the status of each answer; 0 is none. It returns ErrUnknownBusiness, ErrNoCallback.
func (s *Simulator) SendCallback(c Callback) ([]int, error) {
	s.mu.Lock()
	b := s.state.businesses[c.Business]
	s.mu.Unlock()
	switch {
	case b == nil:
		return nil, ErrUnknownBusiness
	case b.Form == nil || !callbackAllowed(b.Form.CallbackURL):
		return nil, ErrNoCallback
	}
	partner := s.partners[b.Partner]
	if c.Forged {
		partner.SecretKey += "?"
	}
	if c.RequestID == "" {
		c.RequestID = doku.NewRequestID()
	}
	answers := make([]int, max(1, c.Times))
	for i := range answers {
		answers[i], _ = s.post(b.Form.CallbackURL, partner, c.RequestID, b.notification(c.Status))
	}
	return answers, nil
}

// notification is what is posted about a business; a status other than "" takes the place of the true one.
func (b *business) notification(status string) []byte {
	note := callbackBusiness{ID: b.ID, Status: choose(status != "", status, b.Status)}
	for _, brand := range b.Brands {
		note.Brands = append(note.Brands, callbackBrand{brand.ID, choose(status != "", status, brand.Status)})
	}
	body, _ := json.Marshal(callbackBody{note})
	return body
}

// callBack posts a change of status and repeats it until it is taken, on the schedule of the page "Retry Notification".
// The caller holds mu.
func (s *Simulator) callBack(b *business) {
	if !s.assume.Callbacks || b.Form == nil || !callbackAllowed(b.Form.CallbackURL) {
		return
	}
	body, id := b.notification(""), doku.NewRequestID()
	target, partner, first := b.Form.CallbackURL, s.partners[b.Partner], time.Now()
	s.callbacks.Go(func() {
		for attempt := 0; ; attempt++ {
			_, err := s.post(target, partner, id, body)
			s.log.Info("dokusim: callback", "business", b.ID, "attempt", attempt+1, "taken", err == nil)
			if err == nil || attempt == len(s.delays) || !s.sleep(time.Until(first.Add(s.delays[attempt]))) {
				return
			}
		}
	})
}

// callbackAllowed: to this machine in clear, to any other only by https.
func callbackAllowed(target string) bool {
	u, err := url.Parse(target)
	if err != nil || u.User != nil || u.Hostname() == "" {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	loopback := u.Hostname() == "localhost" || err == nil && a.IsLoopback()
	return u.Scheme == "https" || u.Scheme == "http" && loopback
}

func (s *Simulator) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.closing.Done():
		return false
	}
}

var callbackClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// post sends one notification, signed as on the page "Best Practice" with the path alone as target. It returns the answer's status.
func (s *Simulator) post(target string, p Partner, requestID string, body []byte) (int, error) {
	ctx, cancel := context.WithTimeout(s.closing, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	signed := doku.Signed{
		ClientID: p.ClientID, RequestID: requestID, Timestamp: doku.Timestamp(s.Now()),
		Target: req.URL.EscapedPath(), Body: body,
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(doku.HeaderClientID, signed.ClientID)
	req.Header.Set(doku.HeaderRequestID, signed.RequestID)
	req.Header.Set(doku.HeaderRequestTimestamp, signed.Timestamp)
	req.Header.Set(doku.HeaderSignature, signed.Signature(p.SecretKey))
	res, err := callbackClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return res.StatusCode, errors.New("answered " + strconv.Itoa(res.StatusCode))
	}
	return res.StatusCode, nil
}
