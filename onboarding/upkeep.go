package onboarding

import (
	"context"
	"slices"
	"time"

	"berkas/internal/auth"
	"berkas/internal/blob"
)

const (
	orphanAge   = 24 * time.Hour
	orphanBatch = 500 // bytes whose rows are looked for in one statement
)

// Tidy is the hourly round: sessions that are over, the audit trail's next partition, how DOKU answered a week ago, and
// bytes that no row holds.
func (s *Service) Tidy(ctx context.Context) error {
	keep := s.Store.Keep()
	if err := keep.SweepSessions(ctx, auth.IdleTimeout, auth.ThrottleWindow); err != nil {
		return err
	}
	if err := keep.MakePartitions(ctx); err != nil {
		return err
	}
	if err := keep.SweepMinutes(ctx, keepMinutes); err != nil {
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
	var batch []string
	err := s.Blobs.Walk(ctx, func(ref blob.Ref, _ int64, at time.Time) error {
		if !at.After(before) {
			batch = append(batch, string(ref))
		}
		if len(batch) < orphanBatch {
			return nil
		}
		old := batch
		batch = nil
		return s.deleteOrphans(ctx, old)
	})
	if err != nil {
		return err
	}
	return s.deleteOrphans(ctx, batch)
}

func (s *Service) deleteOrphans(ctx context.Context, refs []string) error {
	if len(refs) == 0 {
		return nil
	}
	known, err := s.Store.BlobsKnown(ctx, refs)
	if err != nil {
		return err
	}
	for _, ref := range refs {
		if slices.Contains(known, ref) {
			continue
		}
		s.Log.Info("bytes that no document holds are deleted", "blob", ref)
		if err := s.Blobs.Delete(ctx, blob.Ref(ref)); err != nil {
			return err
		}
	}
	return nil
}
