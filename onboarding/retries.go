package onboarding

import (
	"context"

	"berkas/models"
)

const (
	retryMerchants = 100  // whose given-up documents go again in one transaction
	retryWaiting   = 1000 // documents that get their turn in one
	retryRounds    = 100  // transactions of each kind at most, so that a click ends
)

// Retried is what trying everything again put back on its way.
type Retried struct{ GivenUp, Waiting int }

// RetryAll puts every given-up document that counts, and every one that waits for its turn, back on its way now. Each
// transaction takes a bounded number with everything that belongs to it: states, history, audit, the merchants' progress.
// It ends when nothing is left. The sweep hands all of it to the queue within seconds.
func (s *Service) RetryAll(ctx context.Context, actor models.Actor) (done Retried, err error) {
	for range retryRounds {
		merchants := 0
		err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
			locked, documents, err := tx.RetryGivenUp(retryMerchants)
			if err != nil {
				return err
			}
			for _, m := range locked {
				if err := s.keepProgress(tx, m); err != nil {
					return err
				}
			}
			merchants = len(locked)
			done.GivenUp += documents
			tx.RetriedDeliveries(documents, 0)
			return nil
		})
		if err != nil {
			return done, err
		}
		if merchants < retryMerchants {
			break
		}
	}
	for range retryRounds {
		woken := 0
		err := s.Store.Write(ctx, actor, func(tx *models.Tx) (err error) {
			woken, err = tx.WakeWaiting(retryWaiting)
			tx.RetriedDeliveries(0, woken)
			return err
		})
		if err != nil {
			return done, err
		}
		if done.Waiting += woken; woken < retryWaiting {
			break
		}
	}
	return done, nil
}
