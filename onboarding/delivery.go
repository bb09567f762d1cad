package onboarding

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"time"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	claimLease   = 15 * time.Second // a process that died gives its deliveries up after this
	claimRenew   = 5 * time.Second
	maxBackoff   = 5 * time.Minute
	maxUnclear   = 8 // answers of DOKU that nobody understands, before a document is given up
	turnMissed   = 30 * time.Second
	sweepLimit   = 500
	finishWithin = 10 * time.Second
)

// Later says that work is not done and when to come back to it. It is no failure.
type Later struct{ After time.Duration }

func (l Later) Error() string { return "onboarding: later, in " + l.After.String() }

// SendDocument brings one document to DOKU and commits the answer. It may be called any number of times, by any number
// of processes: only the one that claims the document sends it. nil means that there is nothing left to do here, Later
// that DOKU could not take it now. DOKU's upload is not idempotent: an answer lost on the way leaves an unused file id
// there, which is harmless; a second visible document here is impossible.
func (s *Service) SendDocument(ctx context.Context, id models.DocumentID) error {
	holder := s.holder + "/" + rand.Text()
	claimed, err := s.Store.Keep().ClaimDelivery(ctx, id, holder, claimLease)
	if err != nil || !claimed {
		return err
	}
	d, err := s.Store.Document(ctx, id)
	if err != nil {
		return err
	}
	sending, lost := context.WithCancelCause(ctx)
	defer lost(nil)
	go s.holdClaim(sending, lost, d)
	file, err := s.deliver(sending, d)
	switch {
	case err == nil:
		return s.delivered(ctx, d, file)
	case context.Cause(sending) == errClaimLost:
		return nil
	}
	return s.undelivered(ctx, d, err)
}

var errClaimLost = errors.New("onboarding: another process sends this document")

// holdClaim renews the claim while the sending takes its time, and ends the sending when the claim was lost.
func (s *Service) holdClaim(ctx context.Context, lost context.CancelCauseFunc, d models.Document) {
	tick := time.NewTicker(claimRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if ours, err := s.Store.Keep().RenewClaim(ctx, d.ID, d.ClaimedBy, claimLease); err == nil && !ours {
				lost(errClaimLost)
				return
			}
		}
	}
}

// deliver is one upload: the original, decrypted on the fly, or the address.
func (s *Service) deliver(ctx context.Context, d models.Document) (*doku.File, error) {
	u := doku.Upload{Category: d.Category, Code: d.Code, FileName: uploadName(d), ContentType: d.ContentType, Size: d.Size}
	if len(d.FileURL) > 0 {
		address, err := s.Vault.OpenString(d.FileURL, fileURLSeal(d.UID))
		if err != nil {
			return nil, err
		}
		u.FileURL = address
		return s.DOKU.UploadFile(ctx, u)
	}
	original := &reopener{open: s.source(ctx, d)}
	defer original.Close()
	if err := original.reopen(); err != nil {
		return nil, err
	}
	u.Body = original
	return s.DOKU.UploadFile(ctx, u)
}

// uploadName is what DOKU sees of a file's name: nothing the merchant wrote, and the ending its content has.
func uploadName(d models.Document) string {
	name := d.Category
	if d.Code != "" {
		name = d.Code
	}
	switch d.ContentType {
	case "image/jpeg":
		return name + ".jpg"
	case "image/png":
		return name + ".png"
	}
	return name + ".pdf"
}

// reopener reads an original and can begin again, so that an upload refused for its token alone can be repeated.
type reopener struct {
	open func() (io.ReadCloser, error)
	r    io.ReadCloser
}

func (o *reopener) reopen() (err error) {
	o.Close()
	o.r, err = o.open()
	return err
}

func (o *reopener) Read(p []byte) (int, error) { return o.r.Read(p) }

// Seek goes back to the start; nothing else is asked of it.
func (o *reopener) Seek(offset int64, whence int) (int64, error) {
	if offset != 0 || whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	return 0, o.reopen()
}

func (o *reopener) Close() error {
	if o.r == nil {
		return nil
	}
	err := o.r.Close()
	o.r = nil
	return err
}

// delivered commits DOKU's answer: file id, link and its end, completeness, audit.
func (s *Service) delivered(ctx context.Context, d models.Document, file *doku.File) error {
	ctx, cancel := within(ctx, finishWithin)
	defer cancel()
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		m, err := tx.LockMerchant(d.MerchantID)
		if err != nil {
			return err
		}
		a := models.Delivery{FileID: file.ID, Link: s.Vault.SealString(file.Link, linkSeal(d.UID)), LinkExpiresAt: file.LinkExpiresAt}
		if err := tx.Deliver(d, a); err != nil {
			return err
		}
		if len(d.FileURL) > 0 {
			if err := s.Queue.CheckOriginal(ctx, tx, d.ID); err != nil {
				return err
			}
		}
		return s.keepProgress(tx, m)
	})
	if fault.Is(err, fault.Conflict) {
		return nil // withdrawn, or sent by another process, meanwhile: the file id stays unused at DOKU
	}
	return err
}

// undelivered decides what a failed upload means: DOKU's no, an outage, an answer nobody understands, or a defect here.
func (s *Service) undelivered(ctx context.Context, d models.Document, err error) error {
	shutdown := ctx.Err() != nil
	ctx, cancel := within(ctx, finishWithin)
	defer cancel()
	e, answered := errors.AsType[*doku.Error](err)
	s.Log.Info("a delivery failed", "document", d.ID, "attempt", d.Attempts+1, "error", err)
	switch {
	case shutdown: // nobody's fault: it goes on at the next start, or in another process
		if err := s.Store.Keep().Postpone(ctx, d, d.Problem, false, s.Now()); err != nil {
			return err
		}
		return Later{After: time.Second}
	case answered && (e.Temporary() || e.Call != doku.CallUpload): // a token that is refused says nothing about the document
		return s.postpone(ctx, d, problemOf(err), false, e.RetryAfter)
	case answered && e.Refused():
		return s.giveUp(ctx, d, models.Refused, refusalCode(e), e.Message)
	case answered && d.Unclear+1 >= maxUnclear:
		return s.giveUp(ctx, d, models.Failed, "upload_failed", e.Message)
	case answered:
		return s.postpone(ctx, d, "unclear", true, 0)
	case fault.Code(err) == "blob_missing" || fault.Code(err) == "blob_damaged" || fault.Code(err) == "cannot_decrypt":
		return s.giveUp(ctx, d, models.Failed, "bytes_gone", "")
	}
	return errors.Join(err, s.postpone(ctx, d, "internal", false, 0))
}

// problemOf names why DOKU was not to be had, for the row that waits: it asked to wait (limited), took our credential for
// wrong (credential), or did not answer as it should (unreachable).
func problemOf(err error) string {
	e, ok := errors.AsType[*doku.Error](err)
	switch {
	case !ok:
		return "unreachable"
	case e.Status == http.StatusTooManyRequests || e.RetryAfter > 0:
		return "limited"
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Call == doku.CallToken && e.Status >= 400 && e.Status < 500:
		return "credential"
	}
	return "unreachable"
}

// refusalCode is the reason that stands for DOKU's no until a person chose a better one.
func refusalCode(e *doku.Error) string {
	switch e.Status {
	case http.StatusRequestEntityTooLarge:
		return "file_too_large"
	case http.StatusUnsupportedMediaType:
		return "file_type_not_allowed"
	}
	return RefusedByDOKU
}

func (s *Service) giveUp(ctx context.Context, d models.Document, to models.DeliveryState, problem, dokuSays string) error {
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		m, err := tx.LockMerchant(d.MerchantID)
		if err != nil {
			return err
		}
		if err := tx.Undeliverable(d, to, problem, bounded(dokuSays)); err != nil {
			return err
		}
		return s.keepProgress(tx, m)
	})
	if fault.Is(err, fault.Conflict) {
		return nil
	}
	return err
}

func (s *Service) postpone(ctx context.Context, d models.Document, problem string, unclear bool, asked time.Duration) error {
	wait := backoff(d.Attempts, asked)
	if err := s.Store.Keep().Postpone(ctx, d, problem, unclear, s.Now().Add(wait)); err != nil {
		return err
	}
	return Later{After: wait}
}

// backoff doubles from one second to five minutes, spread by a fifth so that a crowd does not come back at once. What
// DOKU asks for is honoured within the same bound.
func backoff(attempts int, asked time.Duration) time.Duration {
	if asked > 0 {
		return min(asked, maxBackoff)
	}
	d := min(time.Second<<min(attempts, 10), maxBackoff)
	return d - mathrand.N(d/5+1)
}

func bounded(s string) string {
	if r := []rune(s); len(r) > 1000 {
		return string(r[:1000])
	}
	return s
}

// Sweep hands the queue what has missed its turn, documents and submissions: after a crash, a lost job, or because DOKU
// answers again.
func (s *Service) Sweep(ctx context.Context) (int, error) {
	submissions, err := s.Store.Keep().SweepSubmissions(ctx, turnMissed, sweepLimit, func(tx *models.Tx, id models.SubmissionID) error {
		return s.Queue.SendSubmission(ctx, tx, id, s.Now())
	})
	if err != nil {
		return submissions, err
	}
	documents, err := s.Store.Keep().SweepDeliveries(ctx, turnMissed, sweepLimit, func(tx *models.Tx, id models.DocumentID) error {
		return s.Queue.SendDocument(ctx, tx, id)
	})
	return submissions + documents, err
}

// Recover frees what an earlier run of this very installation was sending when it was killed. Only for a database whose
// one process is this one.
func (s *Service) Recover(ctx context.Context) error { return s.Store.Keep().ReleaseClaims(ctx) }
