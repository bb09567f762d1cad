package onboarding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"time"

	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/models"
)

// What can be wrong with stored bytes.
const (
	FlawMissing   = "missing"   // a row without bytes
	FlawDamaged   = "damaged"   // they were changed or cut off since they were stored
	FlawOther     = "other"     // they open, and are not what was accepted
	FlawKey       = "key"       // they were encrypted with another key
	FlawThumbnail = "thumbnail" // a thumbnail that does not open
	FlawOrphan    = "orphan"    // bytes without a row
)

const (
	originalsPage = 200              // rows read in one go, a thumbnail of up to 8 KB in each
	uploadAge     = 20 * time.Minute // above what an upload may take: older bytes are in none under way
)

// BlobFlaw is one thing that is not as it should be; an orphan has a Ref, a Size and a time, and nothing else.
type BlobFlaw struct {
	What     string
	Document models.DocumentID
	Bundle   models.BundleID // in place of a document
	Merchant models.MerchantID
	Ref      string
	Size     int64 // bytes, encrypted
	Stored   time.Time
}

// BlobReport is what a check went through.
type BlobReport struct {
	Originals  int
	Bundles    int   // of evidence
	Bytes      int64 // in clear
	Thumbnails int
	Flaws      int
}

// CheckBlobs reads every original, thumbnail and bundle of evidence that a row holds, holds the bytes against the row, and looks for bytes that
// no row holds. Each flaw is told when it is found. It streams, beside a running portal too: what changes meanwhile is no flaw.
func (s *Service) CheckBlobs(ctx context.Context, tell func(BlobFlaw) error) (r BlobReport, err error) {
	found := func(f BlobFlaw) error {
		r.Flaws++
		return tell(f)
	}
	after := models.Original{}
	for _, next := range []func() ([]models.Original, error){
		func() ([]models.Original, error) { return s.Store.Originals(ctx, after.ID, originalsPage) },
		func() ([]models.Original, error) { return s.Store.BundleFiles(ctx, after.Bundle, originalsPage) },
	} {
		for whole := true; whole; {
			page, err := next()
			if err != nil {
				return r, err
			}
			for _, after = range page {
				if err := s.checkRow(ctx, after, &r, found); err != nil {
					return r, err
				}
			}
			whole = len(page) == originalsPage
		}
	}
	err = s.orphans(ctx, uploadAge, func(o orphan) error {
		return found(BlobFlaw{What: FlawOrphan, Ref: string(o.ref), Size: o.size, Stored: o.stored})
	})
	return r, err
}

func (s *Service) checkRow(ctx context.Context, o models.Original, r *BlobReport, found func(BlobFlaw) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(o.Thumbnail) > 0 {
		r.Thumbnails++
		if _, err := s.Vault.Open(o.Thumbnail, thumbnailSeal(o.UID)); err != nil {
			if err := found(BlobFlaw{What: FlawThumbnail, Document: o.ID, Merchant: o.MerchantID}); err != nil {
				return err
			}
		}
	}
	if o.BlobRef == "" {
		return nil
	}
	if o.Bundle != 0 {
		r.Bundles++
	} else {
		r.Originals++
	}
	n, what, err := s.checkBytes(ctx, o)
	r.Bytes += n
	if err != nil || what == "" {
		return err
	}
	if holds, err := s.Store.HoldsOriginal(ctx, o); err != nil || !holds { // let go of while it was read
		return err
	}
	return found(BlobFlaw{What: what, Document: o.ID, Bundle: o.Bundle, Merchant: o.MerchantID, Ref: o.BlobRef})
}

// checkBytes reads an original to its end and says what is wrong with it, "" when nothing is.
func (s *Service) checkBytes(ctx context.Context, o models.Original) (n int64, what string, err error) {
	hash := sha256.New()
	body, err := s.Blobs.Get(ctx, blob.Ref(o.BlobRef), o.DataKey)
	if err == nil {
		n, err = io.Copy(hash, body)
		err = errors.Join(err, body.Close())
	}
	switch code := fault.Code(err); {
	case err == nil && n == o.Size && bytes.Equal(hash.Sum(nil), o.SHA256):
		return n, "", nil
	case err == nil:
		return n, FlawOther, nil
	case code == "blob_missing":
		return n, FlawMissing, nil
	case code == "blob_damaged":
		return n, FlawDamaged, nil
	case code == "cannot_decrypt":
		return n, FlawKey, nil
	}
	return n, "", err
}
