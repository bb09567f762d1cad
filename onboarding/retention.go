package onboarding

import (
	"context"
	"io"
	"time"

	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	readBackBatch = 200 // documents in one hourly round
	purgeBatch    = 100
)

// Retention says how long originals stay of which DOKU was seen to have the same bytes. The zero Retention keeps them for ever.
type Retention struct {
	Purge bool
	After time.Duration // since they were read at DOKU
}

// retain is the hourly round of retention: what nobody has read at DOKU yet is read, and what was read long enough ago goes.
func (s *Service) retain(ctx context.Context) error {
	if !s.Retention.Purge {
		return nil
	}
	if err := s.readAtDOKU(ctx); err != nil {
		return err
	}
	for {
		ids, err := s.Store.ToPurge(ctx, s.Now().Add(-s.Retention.After), purgeBatch)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if err := s.purge(ctx, id); err != nil {
				return err
			}
		}
	}
}

// readAtDOKU reads documents through refreshed links, whole, which notes that they can be. One that cannot is tried in the next
// round; while DOKU is down none is.
func (s *Service) readAtDOKU(ctx context.Context) error {
	ids, err := s.Store.ToReadBack(ctx, readBackBatch)
	if err != nil {
		return err
	}
	for _, id := range ids {
		health, err := s.Store.Health(ctx)
		if err != nil || health.DownSince != nil {
			return err
		}
		d, err := s.Store.Document(ctx, id)
		if err != nil {
			return err
		}
		if err := s.readWhole(ctx, d); err != nil && ctx.Err() == nil {
			s.Log.Info("a document could not be read back from DOKU", "document", id, "why", err)
		}
	}
	return ctx.Err()
}

func (s *Service) readWhole(ctx context.Context, d models.Document) error {
	if d.LinkRefreshedAt == nil || d.DeliveredAt == nil || !d.LinkRefreshedAt.After(*d.DeliveredAt) {
		var err error
		if d, err = s.refreshStale(ctx, d); err != nil {
			return err
		}
	}
	d.BlobRef = "" // what DOKU has must do without the original
	o, err := s.openAtDOKU(ctx, d)
	if err != nil {
		return err
	}
	defer o.Close()
	_, err = io.Copy(io.Discard, o)
	return err
}

// refreshStale has the link of a document be a refreshed one, although that of its upload may still be good.
func (s *Service) refreshStale(ctx context.Context, d models.Document) (models.Document, error) {
	if err := s.Store.Keep().ExpireLink(ctx, d.ID); err != nil {
		return d, err
	}
	return s.refreshLink(ctx, d)
}

// purge destroys an original: its data key goes with the row's change, which shreds every copy of the file, then the file itself.
// What a crash leaves of it is swept like all bytes that no row holds.
func (s *Service) purge(ctx context.Context, id models.DocumentID) error {
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return err
	}
	err = s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(d.MerchantID); err != nil {
			return err
		}
		return tx.Purge(d)
	})
	if fault.Is(err, fault.Conflict) { // somebody holds it now
		return nil
	}
	if err != nil {
		return err
	}
	return s.Blobs.Delete(ctx, blob.Ref(d.BlobRef))
}

// Hold keeps a merchant's originals, as for a court, whatever retention says; or lets go of them again. fault.Conflict when it is
// so already.
func (s *Service) Hold(ctx context.Context, actor models.Actor, id models.MerchantID, on bool) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(id); err != nil {
			return err
		}
		return tx.Hold(id, on)
	})
}
