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
	foldBatch   = 10_000
)

// Tidy is the hourly round: sessions that are over, the audit trail's next partition, how DOKU answered on days that are
// over, yesterday's exports, evidence whose time is over, originals that retention lets go, and bytes that no row holds.
func (s *Service) Tidy(ctx context.Context) error {
	keep := s.Store.Keep()
	if err := keep.SweepSessions(ctx, auth.IdleTimeout, auth.ThrottleWindow); err != nil {
		return err
	}
	if err := keep.MakePartitions(ctx); err != nil {
		return err
	}
	if err := keep.FoldMinutes(ctx, foldMinutes); err != nil {
		return err
	}
	if err := keep.SweepMinutes(ctx, keepDays); err != nil {
		return err
	}
	if err := keep.SweepExports(ctx, keepExports); err != nil {
		return err
	}
	if err := s.retain(ctx); err != nil {
		return err
	}
	if err := s.expireEvidence(ctx); err != nil { // also what retention has just ended
		return err
	}
	return s.sweepBlobs(ctx)
}

// expireEvidence deletes bundles whose time is over. The row lets go first: bytes that are left are swept like any other.
func (s *Service) expireEvidence(ctx context.Context) error {
	for {
		refs, err := s.Store.Keep().ExpireBundles(ctx, orphanBatch)
		if err != nil || len(refs) == 0 {
			return err
		}
		for _, ref := range refs {
			if err := s.Blobs.Delete(ctx, blob.Ref(ref)); err != nil {
				return err
			}
		}
	}
}

// SealAudit seals what was committed to the audit trail since the last time. One replica does it for all.
func (s *Service) SealAudit(ctx context.Context) error {
	_, err := s.Store.Keep().SealAudit(ctx)
	return err
}

// FoldTallies adds what acts appended to the tallies, batch by batch.
func (s *Service) FoldTallies(ctx context.Context) error {
	for {
		n, err := s.Store.Keep().FoldTallies(ctx, foldBatch)
		if err != nil || n < foldBatch {
			return err
		}
	}
}

// sweepBlobs deletes bytes that were stored but never committed: their upload ended between the two.
func (s *Service) sweepBlobs(ctx context.Context) error {
	return s.orphans(ctx, orphanAge, func(o orphan) error {
		s.Log.Info("bytes that no document holds are deleted", "blob", o.ref)
		return s.Blobs.Delete(ctx, o.ref)
	})
}

// orphan is a stored file that no row holds.
type orphan struct {
	ref    blob.Ref
	size   int64 // bytes, encrypted
	stored time.Time
}

// orphans are those stored longer ago than age: younger ones may be in an upload that has not committed yet.
func (s *Service) orphans(ctx context.Context, age time.Duration, found func(orphan) error) error {
	before := s.Now().Add(-age)
	var batch []orphan
	err := s.Blobs.Walk(ctx, func(ref blob.Ref, size int64, stored time.Time) error {
		if !stored.After(before) {
			batch = append(batch, orphan{ref, size, stored})
		}
		if len(batch) < orphanBatch {
			return nil
		}
		old := batch
		batch = nil
		return s.eachOrphan(ctx, old, found)
	})
	if err != nil {
		return err
	}
	return s.eachOrphan(ctx, batch, found)
}

func (s *Service) eachOrphan(ctx context.Context, batch []orphan, found func(orphan) error) error {
	if len(batch) == 0 {
		return nil
	}
	refs := make([]string, len(batch))
	for i, o := range batch {
		refs[i] = string(o.ref)
	}
	known, err := s.Store.BlobsKnown(ctx, refs)
	if err != nil {
		return err
	}
	for _, o := range batch {
		if slices.Contains(known, string(o.ref)) {
			continue
		}
		if err := found(o); err != nil {
			return err
		}
	}
	return nil
}
