package onboarding

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

// SendSubmission sends a submission to DOKU and commits what came of it. It may be called any number of times, by any number of
// processes: one at a time sends it, and each sends the same bytes under the same Request-Id, which DOKU carries out once. nil
// means that there is nothing left to do here, Later that it is to go again.
func (s *Service) SendSubmission(ctx context.Context, id models.SubmissionID) error {
	began := s.Now()
	v, claimed, err := s.Store.Keep().ClaimSubmission(ctx, id, s.holder+"/"+rand.Text(), submissionLease)
	switch {
	case err != nil:
		return err
	case !claimed:
		return s.notYet(ctx, id)
	case v.Outcome == models.Redelivering:
		return s.resubmit(ctx, v)
	}
	set, err := s.Store.RegistrationSettings(ctx)
	if err != nil {
		return err
	}
	if v.MaybeSince != nil && (!set.Replay || began.Sub(*v.MaybeSince) > replayWindow) {
		return s.endAttempt(ctx, v, 0, "not_sent", func(ctx context.Context) error {
			return s.settle(ctx, models.System, v, models.Settlement{To: models.Stuck, Said: v.Said, Problem: "no_answer"})
		})
	}
	business, err := s.send(ctx, v)
	return s.sent(ctx, v, set, began, business, err)
}

// notYet says when a submission has its turn that was not to be had now.
func (s *Service) notYet(ctx context.Context, id models.SubmissionID) error {
	v, err := s.Store.Submission(ctx, id)
	if err != nil {
		return err
	}
	if wait := time.Duration(0); v.Open() && v.NextAttemptAt != nil {
		if wait = v.NextAttemptAt.Sub(s.Now()); wait > 0 {
			return Later{After: wait}
		}
	}
	return nil
}

func (s *Service) send(ctx context.Context, v models.Submission) (*doku.Business, error) {
	body, err := s.Vault.Open(v.Body, submissionSeal("body", v.UID))
	if err != nil {
		return nil, err
	}
	if v.Kind == models.KindLite {
		return s.DOKU.CreateBusinessLite(ctx, v.RequestID, body)
	}
	return s.DOKU.RegisterBusiness(ctx, v.RequestID, body)
}

// endAttempt writes down how an attempt ended and does what follows, both although the caller may have gone.
func (s *Service) endAttempt(ctx context.Context, v models.Submission, status int, problem string, then func(context.Context) error) error {
	ctx, cancel := within(ctx, finishWithin)
	defer cancel()
	if err := s.Store.Keep().EndAttempt(ctx, v, status, problem); err != nil {
		return err
	}
	return then(ctx)
}

// sent decides what an attempt came to: a business, DOKU's no, an outage, or an answer that leaves open whether there is one.
func (s *Service) sent(ctx context.Context, v models.Submission, set models.RegistrationSettings, began time.Time, business *doku.Business, err error) error {
	e, answered := errors.AsType[*doku.Error](err)
	since := v.MaybeSince
	if since == nil {
		since = &began
	}
	later := func(problem string, unclear bool, since *time.Time, asked time.Duration) func(context.Context) error {
		return func(ctx context.Context) error { return s.sendLater(ctx, v, problem, unclear, since, asked) }
	}
	stuck := func(ctx context.Context) error {
		return s.settle(ctx, models.System, v, models.Settlement{To: models.Stuck, Said: s.sealWords(v, e), Problem: "no_answer"})
	}
	switch {
	case err == nil:
		return s.endAttempt(ctx, v, http.StatusOK, "", func(ctx context.Context) error { return s.registered(ctx, models.DOKU, v, *business, nil) })
	case !answered:
		return errors.Join(err, s.endAttempt(ctx, v, 0, "internal", later("internal", false, v.MaybeSince, 0)))
	case ctx.Err() != nil: // the portal stops; that the request left is known already
		return s.endAttempt(ctx, v, e.Status, "stopped", func(ctx context.Context) error {
			if err := s.Store.Keep().PostponeSubmission(ctx, v, v.Problem, false, since, s.Now()); err != nil {
				return err
			}
			return Later{After: time.Second}
		})
	case e.UnknownFile() && v.MaybeSince == nil:
		return s.endAttempt(ctx, v, e.Status, "unknown_file", func(ctx context.Context) error { return s.redeliver(ctx, v, e) })
	case e.Refused():
		return s.endAttempt(ctx, v, e.Status, "refused", func(ctx context.Context) error {
			return s.settle(ctx, models.DOKU, v, models.Settlement{To: models.Declined, Said: s.sealWords(v, e), Problem: e.Code})
		})
	case e.Uncertain():
		problem, strange := "unclear", e.Status != 0 && e.Status < 500 && e.Status != http.StatusRequestTimeout
		if !strange {
			problem = problemOf(err)
		}
		switch {
		case !set.Replay, strange && v.Unclear+1 >= maxUnclear:
			return s.endAttempt(ctx, v, e.Status, problem, stuck)
		case v.Outcome == models.Pending:
			return s.endAttempt(ctx, v, e.Status, problem, func(ctx context.Context) error { return s.uncertain(ctx, v, problem, e) })
		}
		return s.endAttempt(ctx, v, e.Status, problem, later(problem, strange, since, e.RetryAfter))
	case e.Temporary():
		return s.endAttempt(ctx, v, e.Status, problemOf(err), later(problemOf(err), false, v.MaybeSince, e.RetryAfter))
	case v.Unclear+1 >= maxUnclear:
		return s.endAttempt(ctx, v, e.Status, "unclear", stuck)
	}
	return s.endAttempt(ctx, v, e.Status, "unclear", later("unclear", true, v.MaybeSince, 0))
}

// sealWords seals what DOKU said, which may repeat personal data.
func (s *Service) sealWords(v models.Submission, e *doku.Error) []byte {
	if e == nil || e.Verbatim == "" {
		return v.Said
	}
	return s.Vault.SealString(e.Verbatim, submissionSeal("said", v.UID))
}

func (s *Service) sendLater(ctx context.Context, v models.Submission, problem string, unclear bool, maybe *time.Time, asked time.Duration) error {
	wait := backoff(v.Attempts, asked)
	if err := s.Store.Keep().PostponeSubmission(ctx, v, problem, unclear, maybe, s.Now().Add(wait)); err != nil {
		return err
	}
	return Later{After: wait}
}

// settle moves a submission on and has its merchant stand where that is. Somebody who was faster is no failure,
// but for a person.
func (s *Service) settle(ctx context.Context, actor models.Actor, v models.Submission, to models.Settlement) error {
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(v.MerchantID); err != nil {
			return err
		}
		if err := tx.Settle(v, to); err != nil {
			return err
		}
		return s.recount(tx, v.MerchantID)
	})
	if fault.Code(err) == "conflict" && actor.Kind != models.ActorUser {
		return nil
	}
	return err
}

func (s *Service) uncertain(ctx context.Context, v models.Submission, problem string, e *doku.Error) error {
	wait := backoff(v.Attempts, e.RetryAfter)
	next := s.Now().Add(wait)
	if err := s.settle(ctx, models.System, v, models.Settlement{To: models.Uncertain, Said: s.sealWords(v, e), Problem: problem, Next: &next}); err != nil {
		return err
	}
	return Later{After: wait}
}

// registered commits that DOKU has the business: its ids and its key, sealed; nothing else of the answer is kept. A brand that
// is another merchant's leaves it to a person.
func (s *Service) registered(ctx context.Context, actor models.Actor, v models.Submission, b doku.Business, note []byte) error {
	to := models.Settlement{To: models.Registered, BusinessID: b.ID, BusinessStatus: b.Status, Said: v.Said, Note: note}
	key := doku.Secret("")
	if len(b.Brands) > 0 {
		to.BrandID, key = b.Brands[0].ID, b.Brands[0].SharedKey
		to.BusinessStatus, to.BrandStatus = orElse(b.Status, b.Brands[0].Status), b.Brands[0].Status
	}
	if key != "" {
		m, err := s.Store.Merchant(ctx, v.MerchantID)
		if err != nil {
			return err
		}
		to.SharedKey = s.Vault.SealString(string(key), sharedKeySeal(m.UID))
	}
	err := s.settle(ctx, actor, v, to)
	if fault.Code(err) == "brand_taken" && actor.Kind != models.ActorUser {
		return s.settle(ctx, models.System, v, models.Settlement{To: models.Stuck, Said: v.Said, Problem: "brand_taken"})
	}
	return err
}

// redeliver brings the files that DOKU does not know (all of them, when it does not say which) there again from the originals.
// DOKU's no was definite, so that the submission that follows is another one. A file that is gone here leaves it to a person.
func (s *Service) redeliver(ctx context.Context, v models.Submission, e *doku.Error) error {
	next := s.Now().Add(redeliveryPoll)
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		m, err := tx.LockMerchant(v.MerchantID)
		if err != nil {
			return err
		}
		lost, err := s.lostDocuments(tx, v, e)
		if err != nil {
			return err
		}
		to := models.Settlement{To: models.Redelivering, Said: s.sealWords(v, e), Problem: "unknown_file", Next: &next}
		if len(lost) == 0 {
			to.To, to.Next = models.Declined, nil
		}
		for _, d := range lost {
			if err := tx.Redeliver(d); err != nil {
				return err
			}
			if err := s.Queue.SendDocument(ctx, tx, d.ID); err != nil {
				return err
			}
		}
		if err := tx.Settle(v, to); err != nil {
			return err
		}
		return s.recount(tx, m.ID)
	})
	if err != nil {
		return err
	}
	return Later{After: redeliveryPoll}
}

// lostDocuments are those of a submission that are to be brought to DOKU again; none when that cannot help.
func (s *Service) lostDocuments(tx *models.Tx, v models.Submission, e *doku.Error) (lost []models.Document, err error) {
	submitted, err := tx.SubmittedDocuments(v.ID)
	if err != nil {
		return nil, err
	}
	before, again := v, 0
	for ; before.Replaces != nil && again < maxRedeliveries; again++ {
		if before, err = tx.Submission(*before.Replaces); err != nil {
			return nil, err
		}
	}
	if again == maxRedeliveries {
		return nil, nil
	}
	var all []models.Document
	for _, a := range submitted {
		d, err := tx.Document(a.DocumentID)
		switch {
		case err != nil:
			return nil, err
		case d.State != models.Delivered || d.WithdrawnAt != nil || d.PurgedAt != nil || d.BlobRef == "" && len(d.FileURL) == 0:
			return nil, nil
		}
		all = append(all, d)
		if strings.Contains(e.Message, a.Place) || strings.Contains(e.Message, d.FileID) {
			lost = append(lost, d)
		}
	}
	if len(lost) == 0 {
		lost = all
	}
	return lost, nil
}

// resubmit follows a submission that lacked a file by another one, once all files are at DOKU again.
func (s *Service) resubmit(ctx context.Context, v models.Submission) error {
	err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
		if _, err := tx.LockMerchant(v.MerchantID); err != nil {
			return err
		}
		under, given, err := underway(tx, v.ID)
		if err != nil {
			return err
		}
		if under && !given {
			return Later{After: redeliveryPoll}
		}
		if err := tx.Settle(v, models.Settlement{To: models.Declined, Said: v.Said, Problem: v.Problem}); err != nil {
			return err
		}
		if given {
			return s.recount(tx, v.MerchantID)
		}
		if err := tx.Mended(v, nil); err != nil {
			return err
		}
		next := models.Submission{Kind: v.Kind, Replaces: &v.ID, SubmittedBy: v.SubmittedBy}
		return s.submit(tx, v.MerchantID, &next, "")
	})
	if later, ok := errors.AsType[Later](err); ok {
		return s.sendLater(ctx, models.Submission{ID: v.ID, ClaimedBy: v.ClaimedBy, MerchantID: v.MerchantID}, v.Problem, false, nil, later.After)
	}
	if fault.Code(err) == "not_ready" { // something changed meanwhile: a person goes on
		return s.settle(ctx, models.System, v, models.Settlement{To: models.Declined, Said: v.Said, Problem: v.Problem})
	}
	return err
}

// underway reports whether documents of a submission are on their way, and whether one was given up.
func underway(tx *models.Tx, id models.SubmissionID) (under, given bool, err error) {
	submitted, err := tx.SubmittedDocuments(id)
	if err != nil {
		return false, false, err
	}
	for _, a := range submitted {
		d, err := tx.Document(a.DocumentID)
		if err != nil {
			return false, false, err
		}
		under = under || d.State == models.Waiting || d.State == models.Sending
		given = given || d.State == models.Refused || d.State == models.Failed
	}
	return under, given, nil
}
