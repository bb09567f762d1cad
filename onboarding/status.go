package onboarding

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	pollLease    = 45 * time.Second // longer than the client waits for an answer
	pollBatch    = 20
	pollers      = 4 // questions to DOKU at once, of one process
	shortestPoll = 2 * time.Minute
	longestPoll  = 24 * time.Hour
	statusLength = 64
)

// Verdict is what DOKU's words for a status come to.
type Verdict string

const (
	UnderReview Verdict = "review" // whatever DOKU calls it
	Active      Verdict = "active"
	TurnedDown  Verdict = "rejected"
)

// StatusVerdict says what DOKU's words for a business and its brand come to. Only what is known to be good is, in both of them;
// what nobody has seen before is still under review.
func StatusVerdict(business, brand string) Verdict {
	switch {
	case isActive(business, brand):
		return Active
	case isRejected(business), isRejected(brand):
		return TurnedDown
	}
	return UnderReview
}

func isActive(business, brand string) bool {
	return strings.EqualFold(business, doku.StatusActive) && strings.EqualFold(brand, doku.StatusActive)
}

func isRejected(status string) bool {
	return slices.ContainsFunc([]string{doku.StatusRejected, doku.StatusDeclined, doku.StatusDenied, doku.StatusFailed}, func(s string) bool { return strings.EqualFold(s, status) })
}

// nextPoll is how long to wait after so many answers that brought nothing new: minutes at first, a day at most, and a day where
// nothing is expected.
func nextPoll(unchanged int, v Verdict) time.Duration {
	if v == Active || unchanged > 9 {
		return longestPoll
	}
	return min(shortestPoll<<unchanged, longestPoll)
}

// PollDue asks DOKU about all merchants whose turn it is, while DOKU is not known to be down.
func (s *Service) PollDue(ctx context.Context) error {
	for {
		health, err := s.Store.Health(ctx)
		if err != nil || health.DownSince != nil {
			return err
		}
		due, err := s.Store.Keep().ClaimPolls(ctx, s.holder, pollLease, pollBatch)
		if err != nil {
			return err
		}
		if err := together(len(due), func(i int) error { return s.poll(ctx, due[i]) }); err != nil || len(due) < pollBatch {
			return err
		}
	}
}

// AskStatus asks DOKU at once how a merchant's business stands, and how those do that it rejected before, for a person.
// fault.Conflict not_registered, fault.Unavailable doku_unavailable.
func (s *Service) AskStatus(ctx context.Context, actor models.Actor, id models.MerchantID) error {
	m, err := s.Store.Merchant(ctx, id)
	if err != nil {
		return err
	}
	made, err := s.Store.Made(ctx, id)
	if err != nil {
		return err
	}
	if m.BrandID == "" && len(made) == 0 {
		return fault.New(fault.Conflict, "not_registered")
	}
	if err := s.Store.Write(ctx, actor, func(tx *models.Tx) error { tx.WantedPoll(id); return nil }); err != nil {
		return err
	}
	if m.BrandID != "" {
		err = s.askNow(ctx, id)
	}
	for _, v := range made {
		if !counts(m, v) {
			err = errors.Join(err, s.compare(ctx, v))
		}
	}
	return err
}

// poll asks DOKU about a merchant whose poll is claimed, and keeps what came of it.
func (s *Service) poll(ctx context.Context, p models.Poll) error {
	began := s.Now()
	m, err := s.Store.Merchant(ctx, p.MerchantID)
	if err != nil {
		return err
	}
	came, err := s.question(ctx, m, p)
	ctx, cancel := within(ctx, finishWithin)
	defer cancel()
	return errors.Join(err, s.Store.Keep().KeepPoll(ctx, p, began, came))
}

func (s *Service) question(ctx context.Context, m models.Merchant, p models.Poll) (models.Polled, error) {
	later := models.Polled{Next: s.Now().Add(nextPoll(p.Unchanged, UnderReview))}
	data, err := s.askBusiness(ctx, m)
	if e, ok := errors.AsType[*doku.Error](err); ok && e.Status == http.StatusNotFound {
		later.Differences = []models.Difference{{Code: "brand_unknown"}}
		return later, nil
	}
	if err != nil {
		later.Problem = problemOf(err)
		return later, fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	came, err := s.learn(ctx, m, p.Turn, data)
	if err != nil {
		later.Problem = "internal"
		return later, err
	}
	unchanged := p.Unchanged
	if came.Changed {
		unchanged = 0
	}
	came.Next = s.Now().Add(nextPoll(unchanged, StatusVerdict(statusOf(data, m.BrandID))))
	return came, nil
}

// statusOf is how DOKU calls the state of a business and of its brand, cut to what a status can be.
func statusOf(data *doku.BusinessData, brandID string) (business, brand string) {
	for _, b := range data.Brands {
		if b.ID == brandID || len(data.Brands) == 1 {
			brand = b.Status
		}
	}
	return shortStatus(data.Status), shortStatus(brand)
}

func shortStatus(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s)
	if r := []rune(s); len(r) > statusLength {
		return string(r[:statusLength])
	}
	return s
}

// learn keeps what DOKU says of a registered business: the links of its documents, how it stands, and a rejection with its
// words. An answer that another one overtook only brings links.
func (s *Service) learn(ctx context.Context, m models.Merchant, turn int64, data *doku.BusinessData) (came models.Polled, err error) {
	ours, err := s.Store.Attachments(ctx, m.ID)
	if err != nil {
		return came, err
	}
	var lost []models.AttachedDocument
	if m.SubmissionID != nil {
		if lost, err = s.keepLinks(ctx, *m.SubmissionID, ours, data); err != nil {
			return came, err
		}
	}
	business, brand := statusOf(data, m.BrandID)
	verdict := StatusVerdict(business, brand)
	for _, d := range lost {
		if d.Replaced {
			continue
		}
		came.Differences = append(came.Differences, models.Difference{Code: "not_shown", Document: d.DocumentID})
	}
	if m.ActiveAt != nil && verdict != Active {
		came.Differences = append(came.Differences, models.Difference{Code: "not_active", Says: orElse(business, brand)})
	}
	if business == m.BusinessStatus && brand == m.BrandStatus && (verdict == TurnedDown) == (m.Registration == models.Rejected) {
		return came, nil
	}
	err = s.Store.Write(ctx, models.DOKU, func(tx *models.Tx) error {
		now, err := tx.LockMerchant(m.ID)
		if err != nil {
			return err
		}
		if now.BrandID != m.BrandID || now.SubmissionID == nil { // it is another business by now
			return errOvertaken
		}
		newer, err := tx.Answered(m.ID, turn)
		if err != nil {
			return err
		}
		if !newer {
			return errOvertaken
		}
		if err := tx.KeepStatus(now, business, brand); err != nil {
			return err
		}
		now.BusinessStatus, now.BrandStatus = business, brand
		if err := s.judge(tx, now, verdict, data.RejectionReason); err != nil {
			return err
		}
		return s.recount(tx, m.ID)
	})
	if errors.Is(err, errOvertaken) {
		return came, nil
	}
	came.Changed = err == nil
	return came, err
}

var errOvertaken = errors.New("onboarding: a later answer is kept already")

// judge has a registration count as rejected, with DOKU's words, or as registered again where DOKU thought better of it before
// anybody did something about it.
func (s *Service) judge(tx *models.Tx, m models.Merchant, verdict Verdict, words string) error {
	v, err := tx.Submission(*m.SubmissionID)
	if err != nil {
		return err
	}
	to := models.Settlement{BusinessID: m.BusinessID, BrandID: m.BrandID, BusinessStatus: m.BusinessStatus, BrandStatus: m.BrandStatus, SharedKey: m.SharedKey, Note: v.Note}
	switch {
	case verdict == TurnedDown && m.Registration == models.Registered:
		to.To = models.Rejected
		if words != "" {
			to.Said = s.Vault.SealString(words, submissionSeal("said", v.UID))
		}
		return tx.Settle(v, to)
	case verdict != TurnedDown && m.Registration == models.Rejected:
		to.To = models.Registered
		return tx.Settle(v, to)
	}
	return nil
}

// AskAllStatuses has DOKU asked how every registered business stands, each in its turn from now on, and says how many that are.
func (s *Service) AskAllStatuses(ctx context.Context, actor models.Actor) (n int, err error) {
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		n, err = tx.WantPolls()
		return err
	})
	return n, err
}
