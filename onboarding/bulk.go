package onboarding

import (
	"context"
	"errors"
	"slices"

	"berkas/internal/fault"
	"berkas/models"
)

const (
	// BulkLimit is how many merchants are changed at once.
	BulkLimit = 10_000

	bulkBatch = 1000
)

// ChangeMerchants gives the chosen merchants to somebody or sets when they are due, a thousand in one transaction at a time.
// What was archived, or changed otherwise than it was seen, stays as it is. fault.Invalid unknown_choice for a person
// merchants are not given to, none_chosen, too_many_chosen. What an error leaves undone is not in the result.
func (s *Service) ChangeMerchants(ctx context.Context, actor models.Actor, chosen []models.SeenMerchant, c models.BulkChange) (done models.BulkResult, err error) {
	switch {
	case len(chosen) == 0:
		return done, fault.New(fault.Invalid, "none_chosen")
	case len(chosen) > BulkLimit:
		return done, fault.New(fault.Invalid, "too_many_chosen", "max", BulkLimit)
	}
	if c.Responsible != nil && *c.Responsible != 0 {
		known, err := s.Store.IsColleague(ctx, *c.Responsible)
		if err != nil {
			return done, err
		}
		if !known {
			return done, fault.New(fault.Invalid, "unknown_choice")
		}
	}
	for part := range slices.Chunk(chosen, bulkBatch) {
		var res models.BulkResult
		err := s.Store.Write(ctx, actor, func(tx *models.Tx) (err error) {
			if res, err = tx.ChangeMerchants(part, c); err == nil && res.Changed == 0 {
				err = errNothing
			}
			return err
		})
		if err != nil && !errors.Is(err, errNothing) {
			return done, err
		}
		done.Add(res)
	}
	return done, nil
}
