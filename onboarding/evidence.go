package onboarding

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
)

const (
	// EvidenceLife is how long a bundle is kept.
	EvidenceLife = 7 * 24 * time.Hour

	evidencePage     = 500  // rows read in one go
	evidencePDF      = 5000 // events in the PDF at most; the CSV has all
	evidenceProgress = time.Second
	evidenceGrace    = 10 * time.Second // what is to be said of a bundle after its worker was stopped
)

// AskEvidence has the evidence about a merchant be made, in the language of whoever asks. fault.Conflict evidence_underway
// while one is being made.
func (s *Service) AskEvidence(ctx context.Context, actor models.Actor, m models.MerchantID, lang words.Lang) (models.BundleID, error) {
	if _, err := s.Store.Merchant(ctx, m); err != nil {
		return 0, err
	}
	b := models.Bundle{UID: newUID(), MerchantID: m, Language: string(lang)}
	return b.ID, s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		if err := tx.AskBundle(&b); err != nil {
			return err
		}
		return s.Queue.MakeEvidence(ctx, tx, b.ID)
	})
}

// MakeEvidence makes a bundle, anew when it was begun before. What is no outage gives the bundle up: it would not be
// otherwise the next time.
func (s *Service) MakeEvidence(ctx context.Context, id models.BundleID) error {
	b, err := s.Store.Bundle(ctx, id)
	if err != nil || b.State == models.BundleReady || b.State == models.BundleFailed {
		return err
	}
	err = s.makeEvidence(ctx, b)
	if err == nil || ctx.Err() != nil || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Conflict) {
		return err
	}
	s.Log.Error("evidence cannot be made", "bundle", id, "merchant", b.MerchantID, "error", err)
	problem := fault.Code(err)
	if problem == "" {
		problem = "internal"
	}
	after, cancel := within(ctx, evidenceGrace)
	defer cancel()
	return s.Store.Keep().FailBundle(after, id, problem)
}

func (s *Service) makeEvidence(ctx context.Context, b models.Bundle) error {
	if err := s.SealAudit(ctx); err != nil { // so that as little as possible is without its proof
		return err
	}
	e := &evidence{s: s, ctx: ctx, bundle: b, lang: words.Lang(b.Language), until: s.Now(), seals: map[int64]bool{}}
	var err error
	if e.merchant, err = s.Store.Merchant(ctx, b.MerchantID); err != nil {
		return err
	}
	if e.newest, err = s.Store.NewestSeal(ctx); err != nil {
		return err
	}
	if e.size, err = s.Store.EvidenceSize(ctx, b.MerchantID, e.horizon()); err != nil {
		return err
	}
	total := 2*e.size.Events + min(e.size.Events, evidencePDF) + e.size.Documents + e.size.Decisions + e.size.Looks + e.size.Submissions
	if mine, err := s.Store.Keep().BeginBundle(ctx, b.ID, total); err != nil || !mine {
		return err
	}
	sum := sha256.New()
	stored, err := s.putEvidence(ctx, e, sum)
	if err != nil {
		return err
	}
	expires := s.Now().Add(EvidenceLife)
	b.BlobRef, b.DataKey, b.Size, b.SHA256, b.ExpiresAt = string(stored.Ref), stored.Key, stored.Size, sum.Sum(nil), &expires
	err = s.Store.Write(ctx, models.System, func(tx *models.Tx) error { return tx.MadeBundle(b) })
	if err == nil {
		return nil
	}
	after, cancel := within(ctx, evidenceGrace)
	defer cancel()
	return errors.Join(err, s.Blobs.Delete(after, stored.Ref))
}

// putEvidence stores a bundle while it is written: it is never whole in memory.
func (s *Service) putEvidence(ctx context.Context, e *evidence, sum io.Writer) (blob.Stored, error) {
	r, w := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.CloseWithError(e.write(w))
	}()
	stored, err := s.Blobs.Put(ctx, io.TeeReader(r, sum))
	r.CloseWithError(err) // the writer must not wait for a reader that has gone
	<-ended
	return stored, err
}

// EvidenceName is what a bundle's file is called.
func EvidenceName(b models.Bundle) string {
	return fmt.Sprintf("evidence-%d-%d.zip", b.MerchantID, b.ID)
}

// OpenEvidence records that a bundle of a merchant is taken away, and opens it. fault.NotFound evidence_expired when its
// time is over, fault.Conflict evidence_not_ready before it is made.
func (s *Service) OpenEvidence(ctx context.Context, actor models.Actor, b models.Bundle) (io.ReadCloser, error) {
	if err := EvidenceReady(b, s.Now()); err != nil {
		return nil, err
	}
	body, err := s.Blobs.Get(ctx, blob.Ref(b.BlobRef), b.DataKey)
	if err != nil {
		return nil, err
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.DownloadedBundle(b)
		return nil
	})
	if err != nil {
		return nil, errors.Join(err, body.Close())
	}
	return body, nil
}

// EvidenceReady says why a bundle cannot be taken away, nil when it can.
func EvidenceReady(b models.Bundle, now time.Time) error {
	switch {
	case b.State != models.BundleReady:
		return fault.New(fault.Conflict, "evidence_not_ready")
	case b.BlobRef == "", b.ExpiresAt != nil && !now.Before(*b.ExpiresAt):
		return fault.New(fault.NotFound, "evidence_expired")
	}
	return nil
}

var (
	typedNumber  = regexp.MustCompile(`\d(?:[ .\-]?\d){8,}`)
	typedAddress = regexp.MustCompile(`[^\s@<>()",;:]+@[^\s@<>()",;:]+\.[^\s@<>()",;:]+`)
)

// veil masks in a text that somebody typed what looks like a personal number or address.
func veil(text string) string {
	text = typedNumber.ReplaceAllStringFunc(text, Mask)
	return typedAddress.ReplaceAllStringFunc(text, maskEmail)
}
