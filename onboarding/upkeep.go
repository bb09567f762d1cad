package onboarding

import (
	"context"
	"time"

	"berkas/internal/auth"
	"berkas/internal/blob"
)

const orphanAge = 24 * time.Hour

// Tidy is the hourly round: sessions that are over, the audit trail's next partition, and bytes that no row holds.
func (s *Service) Tidy(ctx context.Context) error {
	keep := s.Store.Keep()
	if err := keep.SweepSessions(ctx, auth.IdleTimeout, auth.ThrottleWindow); err != nil {
		return err
	}
	if err := keep.MakePartitions(ctx); err != nil {
		return err
	}
	return s.sweepBlobs(ctx)
}

// SealAudit seals what was committed to the audit trail since the last time. One replica does it for all.
func (s *Service) SealAudit(ctx context.Context) error {
	_, err := s.Store.Keep().SealAudit(ctx)
	return err
}

// sweepBlobs deletes bytes that were stored but never committed: their upload ended between the two.
func (s *Service) sweepBlobs(ctx context.Context) error {
	before := s.Now().Add(-orphanAge)
	return s.Blobs.Walk(ctx, func(ref blob.Ref, _ int64, at time.Time) error {
		if at.After(before) {
			return nil
		}
		known, err := s.Store.BlobKnown(ctx, string(ref))
		if err != nil || known {
			return err
		}
		s.Log.Info("bytes that no document holds are deleted", "blob", ref)
		return s.Blobs.Delete(ctx, ref)
	})
}
