package onboarding

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
)

const (
	compareHour  = 1 // in Jakarta, when a night's comparison begins
	compareBatch = 20
	compareRound = 50 * time.Second // of one round; the next one goes on
	compareLease = 2 * time.Minute  // longer than a round and an answer
)

// LostAtDOKU is why a slot is open again whose document neither DOKU nor the portal has any more.
const LostAtDOKU = "lost_at_doku"

// CompareDue goes on with the night's comparison: every brand id that DOKU ever gave is asked about once, also those of
// submissions that were rejected since. One replica does it for all, while DOKU is not known to be down.
func (s *Service) CompareDue(ctx context.Context) error {
	mine, err := s.Store.Keep().TakeLease(ctx, "comparison", s.holder, compareLease)
	if err != nil || !mine {
		return err
	}
	defer s.dropLease(ctx, "comparison")
	night, end := nightBegan(s.Now()), s.Now().Add(compareRound)
	for s.Now().Before(end) {
		health, err := s.Store.Health(ctx)
		if err != nil || health.DownSince != nil {
			return err
		}
		due, err := s.Store.ToCompare(ctx, night, compareBatch)
		if err != nil || len(due) == 0 {
			return err
		}
		if err := together(len(due), func(i int) error { return s.compare(ctx, due[i]) }); err != nil {
			return err
		}
	}
	return nil
}

// nightBegan is when the latest night began.
func nightBegan(now time.Time) time.Time {
	y, m, d := now.In(words.WIB).Date()
	night := time.Date(y, m, d, compareHour, 0, 0, 0, words.WIB)
	if night.After(now) {
		night = night.AddDate(0, 0, -1)
	}
	return night
}

// together does n things, as many at once as DOKU is asked by one process.
func together(n int, do func(i int) error) error {
	failed := make([]error, n)
	var group sync.WaitGroup
	gate := make(chan struct{}, pollers)
	for i := range n {
		gate <- struct{}{}
		group.Go(func() {
			defer func() { <-gate }()
			failed[i] = do(i)
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// compare holds the business of a submission against DOKU's: the merchant's own by a poll, an earlier one by itself. One of which
// DOKU says nothing readable is done for the night, and shown; one that DOKU's outage hit comes again.
func (s *Service) compare(ctx context.Context, v models.Submission) error {
	m, err := s.Store.Merchant(ctx, v.MerchantID)
	if err != nil {
		return err
	}
	var differences []models.Difference
	own := counts(m, v)
	if own {
		err = s.askNow(ctx, m.ID)
	} else {
		differences, err = s.earlier(ctx, v)
	}
	if err != nil {
		health, unknown := s.Store.Health(ctx)
		if unknown != nil || health.DownSince != nil || ctx.Err() != nil {
			return errors.Join(err, unknown)
		}
		if !own { // what keeps the own one from being known stands in its poll
			differences = []models.Difference{{Code: "not_compared"}}
		}
	}
	return errors.Join(err, s.Store.Keep().Compared(ctx, v.ID, differences))
}

// counts reports whether the business of a submission is the one that the merchant is registered as.
func counts(m models.Merchant, v models.Submission) bool {
	return m.SubmissionID != nil && *m.SubmissionID == v.ID && m.Registration == models.Registered
}

// earlier is how DOKU's view of a business that does not count any more is another: it may not have come to life, and what only it
// has of our documents must be there.
func (s *Service) earlier(ctx context.Context, v models.Submission) (differences []models.Difference, err error) {
	data, err := s.DOKU.GetBusiness(ctx, v.BrandID, parametersOf(v))
	e, answered := errors.AsType[*doku.Error](err)
	gone := answered && e.Status == http.StatusNotFound
	switch {
	case gone:
		data = &doku.BusinessData{}
	case err != nil:
		return nil, fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	ours, err := s.Store.SubmittedDocuments(ctx, v.ID)
	if err != nil {
		return nil, err
	}
	if business, brand := statusOf(data, v.BrandID); !gone && StatusVerdict(business, brand) != TurnedDown {
		differences = append(differences, models.Difference{Code: "not_rejected", Says: orElse(business, brand)})
	}
	_, lost := matched(ours, data)
	for _, d := range lost {
		if d.Purged && !d.Replaced {
			differences = append(differences, models.Difference{Code: "not_shown", Document: d.DocumentID})
		}
	}
	return differences, nil
}

// askNow asks DOKU how a merchant's business stands, unless somebody asks already, who asks again for us.
func (s *Service) askNow(ctx context.Context, id models.MerchantID) error {
	if _, err := s.Store.Keep().TakeTurn(ctx, id, s.Now()); err != nil { // one registered long ago may not be polled
		return err
	}
	claimed, err := s.Store.Keep().ClaimPoll(ctx, id, s.holder, pollLease)
	if err != nil {
		return err
	}
	if len(claimed) == 0 {
		return s.Store.Keep().WantPoll(ctx, id)
	}
	return s.poll(ctx, claimed[0])
}

// restore brings a document that DOKU does not show any more there again from the original. Where that is gone too its slot is open
// again.
func (s *Service) restore(tx *models.Tx, d *models.Document) error {
	if d.PurgedAt != nil || d.BlobRef == "" && len(d.FileURL) == 0 {
		if err := tx.RefuseDelivered(*d, []string{LostAtDOKU}); err != nil {
			return err
		}
		d.State, d.Problem = models.Refused, LostAtDOKU
	} else {
		if err := tx.Redeliver(*d); err != nil {
			return err
		}
		if err := s.Queue.SendDocument(tx.Context(), tx, d.ID); err != nil {
			return err
		}
	}
	if err := tx.Restored(*d); err != nil {
		return err
	}
	return s.recount(tx, d.MerchantID)
}
