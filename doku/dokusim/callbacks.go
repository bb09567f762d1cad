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

// callBack posts a change of status and repeats it until it is taken, on the schedule of the page "Retry Notification".
// The caller holds mu.
func (s *Simulator) callBack(b *business) {
	if !s.assume.Callbacks || b.Form == nil || !callbackAllowed(b.Form.CallbackURL) {
		return
	}
	note := callbackBusiness{ID: b.ID, Status: b.Status}
	for _, brand := range b.Brands {
		note.Brands = append(note.Brands, callbackBrand{brand.ID, brand.Status})
	}
	body, _ := json.Marshal(callbackBody{note})
	target, partner, first := b.Form.CallbackURL, s.partners[b.Partner], time.Now()
	s.callbacks.Go(func() {
		for attempt := 0; ; attempt++ {
			err := s.post(target, partner, body)
			s.log.Info("dokusim: callback", "business", note.ID, "attempt", attempt+1, "taken", err == nil)
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

// post sends one notification, signed as on the page "Best Practice" with the path alone as target.
func (s *Simulator) post(target string, p Partner, body []byte) error {
	ctx, cancel := context.WithTimeout(s.closing, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	signed := doku.Signed{
		ClientID: p.ClientID, RequestID: doku.NewRequestID(), Timestamp: doku.Timestamp(s.Now()),
		Target: req.URL.EscapedPath(), Body: body,
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(doku.HeaderClientID, signed.ClientID)
	req.Header.Set(doku.HeaderRequestID, signed.RequestID)
	req.Header.Set(doku.HeaderRequestTimestamp, signed.Timestamp)
	req.Header.Set(doku.HeaderSignature, signed.Signature(p.SecretKey))
	res, err := callbackClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return errors.New("answered " + strconv.Itoa(res.StatusCode))
	}
	return nil
}
