package onboarding

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	callbackWait    = time.Second // until a callback is looked at again whose merchant somebody asks about just now
	maxCallbackIDs  = 5           // brand ids of a payload that are looked at
	maxRequestID    = 128         // characters, as DOKU's
	callbackRefused = "callback_refused"
)

// CallbackInput is what was posted to an address that DOKU was given. Target is the path with its query.
type CallbackInput struct {
	Token  string
	Target string
	Header http.Header
	Body   []byte
}

// ReceiveCallback takes a callback that DOKU signed: it is stored, and worked later. One that is known already, by its
// Request-Id, changes nothing. fault.Unauthenticated callback_refused when it is not DOKU's, fault.NotFound when it is, but nobody
// was given the address.
func (s *Service) ReceiveCallback(ctx context.Context, in CallbackInput) error {
	err := s.receiveCallback(ctx, in)
	s.Health.countCallback(err == nil)
	return err
}

func (s *Service) receiveCallback(ctx context.Context, in CallbackInput) error {
	signed := s.DOKU.VerifyNotification(in.Header, in.Target, in.Body) == nil
	if !signed && !s.UnsignedCallbacks {
		return fault.New(fault.Unauthenticated, callbackRefused)
	}
	v, err := s.Store.SubmissionByCallback(ctx, s.CallbackHash(in.Token))
	if err != nil {
		return err
	}
	c := models.Callback{SubmissionID: v.ID, MerchantID: v.MerchantID, RequestID: callbackRequest(in), Signed: signed}
	c.Body = s.Vault.Seal(in.Body, callbackSeal(v.UID, c.RequestID))
	err = s.Store.Write(ctx, models.DOKU, func(tx *models.Tx) error {
		if err := tx.ReceiveCallback(&c); err != nil {
			return err
		}
		return s.Queue.WorkCallback(ctx, tx, c.ID)
	})
	if fault.Code(err) == "callback_known" {
		return nil
	}
	return err
}

// callbackRequest is what makes a callback the same as another one: its Request-Id, else what it says.
func callbackRequest(in CallbackInput) string {
	if id := in.Header.Get(doku.HeaderRequestID); id != "" && len(id) <= maxRequestID {
		return id
	}
	sum := sha256.Sum256(in.Body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

func callbackSeal(uid, request string) string { return "callbacks.body:" + uid + ":" + request }

// WorkCallback does what a callback asks for, which is never what it says: DOKU is asked how the business stands. One that came to
// the address of a submission without an answer settles that, when Get Business Data confirms a brand id that it names. Later
// while somebody else asks, fault.Unavailable when DOKU does not answer.
func (s *Service) WorkCallback(ctx context.Context, id models.CallbackID) error {
	c, err := s.Store.Callback(ctx, id)
	if err != nil || c.WorkedAt != nil {
		return err
	}
	v, err := s.Store.Submission(ctx, c.SubmissionID)
	if err != nil {
		return err
	}
	m, err := s.Store.Merchant(ctx, c.MerchantID)
	if err != nil {
		return err
	}
	switch current := m.SubmissionID != nil && *m.SubmissionID == v.ID; {
	case v.Open() && v.MaybeSince != nil && current:
		return s.confirm(ctx, c, v, m)
	case current && m.BrandID != "":
		return s.pollFor(ctx, c)
	}
	return s.Store.Keep().WorkCallback(ctx, c.ID, "ignored")
}

// pollFor asks DOKU about the merchant of a callback, unless an answer is there that is newer than it.
func (s *Service) pollFor(ctx context.Context, c models.Callback) error {
	claimed, err := s.Store.Keep().ClaimPoll(ctx, c.MerchantID, s.holder, pollLease)
	switch {
	case err != nil:
		return err
	case len(claimed) == 0:
		_, err := s.Store.Keep().TakeTurn(ctx, c.MerchantID, s.Now())
		return errors.Join(err, Later{After: callbackWait})
	}
	claimed[0].Unchanged = 0
	return s.poll(ctx, claimed[0])
}

// confirm settles a submission without an answer by the brand that a callback names, when DOKU knows it, and knows it under the
// name that was sent.
func (s *Service) confirm(ctx context.Context, c models.Callback, v models.Submission, m models.Merchant) error {
	if v.ClaimedUntil != nil && v.ClaimedUntil.After(s.Now()) { // it is being sent: its answer may come yet
		return Later{After: callbackWait}
	}
	body, err := s.Vault.Open(c.Body, callbackSeal(v.UID, c.RequestID))
	if err != nil {
		return err
	}
	for _, brand := range brandIDs(body) {
		data, err := s.DOKU.GetBusiness(ctx, brand, parametersOf(v))
		if e, ok := errors.AsType[*doku.Error](err); ok && (e.Refused() || e.Status == http.StatusNotFound) {
			continue
		}
		if err != nil {
			return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
		}
		if NormalName(data.Name) != NormalName(m.Name) {
			continue
		}
		if err := s.registered(ctx, models.DOKU, v, asRegistered(data, brand), nil); err != nil {
			return err
		}
		switch now, err := s.Store.Submission(ctx, v.ID); {
		case err != nil:
			return err
		case now.Outcome == models.Registered:
			return s.Store.Keep().WorkCallback(ctx, c.ID, "settled")
		case now.Open() && now.Outcome != models.Stuck: // somebody else moved it meanwhile
			return Later{After: callbackWait}
		}
		break
	}
	return s.Store.Keep().WorkCallback(ctx, c.ID, "ignored")
}

// brandIDs are the ids in a payload that look like a brand's. What the payload looks like is documented nowhere.
func brandIDs(body []byte) (ids []string) {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return nil
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for _, item := range v {
				walk(item)
			}
		case []any:
			for _, item := range v {
				walk(item)
			}
		case string:
			if strings.HasPrefix(v, "BRN-") && len(v) <= 64 && len(ids) < maxCallbackIDs && !slices.Contains(ids, v) {
				ids = append(ids, v)
			}
		}
	}
	walk(v)
	return ids
}
