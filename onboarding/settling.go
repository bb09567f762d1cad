package onboarding

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

// FoundInput is what a person found out about a submission without an answer.
type FoundInput struct {
	Submission models.SubmissionID
	Brand      string // the brand's id at DOKU
	Note       string // where from; at least ten characters
	Sure       bool   // the business is ours although it has another name
}

// Found settles a submission without an answer as registered: the business exists under a brand id, which Get Business Data
// confirms. fault.Invalid brand_unknown when DOKU knows no such brand, brand_other_name when its business is called otherwise and
// nobody is sure, note_too_short; fault.Conflict submission_settled, submission_underway or brand_taken.
func (s *Service) Found(ctx context.Context, actor models.Actor, in FoundInput) error {
	v, note, err := s.unanswered(ctx, in.Submission, in.Note)
	if err != nil {
		return err
	}
	data, err := s.DOKU.GetBusiness(ctx, strings.TrimSpace(in.Brand), parametersOf(v))
	if err != nil {
		e, ok := errors.AsType[*doku.Error](err)
		if strings.TrimSpace(in.Brand) == "" || ok && (e.Refused() || e.Status == http.StatusNotFound) {
			return fault.Wrap(err, fault.Invalid, "brand_unknown")
		}
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	m, err := s.Store.Merchant(ctx, v.MerchantID)
	if err != nil {
		return err
	}
	if !in.Sure && NormalName(data.Name) != NormalName(m.Name) {
		return fault.New(fault.Invalid, "brand_other_name", "name", data.Name)
	}
	return s.registered(ctx, actor, v, asRegistered(data, strings.TrimSpace(in.Brand)), note)
}

// asRegistered is what Get Business Data says of a business, as a registration would have answered: the brand asked for first.
func asRegistered(data *doku.BusinessData, brand string) doku.Business {
	b := doku.Business{ID: data.ID, Status: data.Status}
	for _, known := range data.Brands {
		if known.ID == brand {
			b.Brands = append(b.Brands, known.Brand)
		}
	}
	if len(b.Brands) == 0 {
		b.Brands = []doku.Brand{{ID: brand}}
	}
	return b
}

func parametersOf(v models.Submission) doku.Combination {
	return doku.Combination{BusinessType: v.BusinessType, LegalEntity: v.LegalEntity, BusinessLine: v.BusinessLine, Nationality: v.Nationality}
}

// NotFound settles a submission without an answer as absent: DOKU does not have the business, and the merchant may be
// registered under another Request-Id. Faults as with Found.
func (s *Service) NotFound(ctx context.Context, actor models.Actor, id models.SubmissionID, why string) error {
	v, note, err := s.unanswered(ctx, id, why)
	if err != nil {
		return err
	}
	return s.settle(ctx, actor, v, models.Settlement{To: models.Absent, Said: v.Said, Problem: v.Problem, Note: note})
}

// unanswered is a submission whose outcome a person may settle, with what they say sealed.
func (s *Service) unanswered(ctx context.Context, id models.SubmissionID, note string) (v models.Submission, sealed []byte, err error) {
	if v, err = s.Store.Submission(ctx, id); err != nil {
		return v, nil, err
	}
	switch note = manyLines(note); {
	case v.Outcome != models.Uncertain && v.Outcome != models.Stuck:
		return v, nil, fault.New(fault.Conflict, "submission_settled")
	case v.ClaimedUntil != nil && v.ClaimedUntil.After(s.Now()):
		return v, nil, fault.New(fault.Conflict, "submission_underway")
	case utf8.RuneCountInString(note) < minNote:
		return v, nil, fault.New(fault.Invalid, "note_too_short", "min", minNote)
	case utf8.RuneCountInString(note) > maxNote:
		return v, nil, fault.New(fault.Invalid, "too_long", "max", maxNote)
	}
	return v, s.Vault.SealString(note, submissionSeal("note", v.UID)), nil
}

// MendInput is what a person makes of DOKU's no: the slots it is about, each with its reasons.
type MendInput struct {
	Submission models.SubmissionID
	Reasons    map[models.SlotID][]string
	Note       string // needed when no slot is chosen: what is to be mended then
}

// Mend says which documents DOKU's refusal or rejection is about: their slots are open again, and so is the dossier, which goes
// again as another submission. fault.Invalid reason_unknown, note_too_short; fault.Conflict submission_settled when somebody did.
func (s *Service) Mend(ctx context.Context, actor models.Actor, in MendInput) error {
	v, err := s.Store.Submission(ctx, in.Submission)
	if err != nil {
		return err
	}
	settings, err := s.Store.ReasonSettings(ctx)
	if err != nil {
		return err
	}
	note, n := manyLines(in.Note), 0
	for _, codes := range in.Reasons {
		n += len(codes)
	}
	switch {
	case utf8.RuneCountInString(note) > maxNote:
		return fault.New(fault.Invalid, "too_long", "max", maxNote)
	case n == 0 && utf8.RuneCountInString(note) < minNote:
		return fault.New(fault.Invalid, "note_too_short", "min", minNote)
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, v.MerchantID)
		if err != nil {
			return err
		}
		if m.SubmissionID == nil || *m.SubmissionID != v.ID || m.Registration != models.Declined && m.Registration != models.Rejected {
			return fault.New(fault.Conflict, "submission_settled")
		}
		documents, err := tx.SubmittedDocuments(v.ID)
		if err != nil {
			return err
		}
		if err := s.refuseSubmitted(tx, documents, settings, in.Reasons, note); err != nil {
			return err
		}
		var sealed []byte
		if note != "" {
			sealed = s.Vault.SealString(note, submissionSeal("note", v.UID))
		}
		if err := tx.Mended(v, sealed); err != nil {
			return err
		}
		return s.recount(tx, m.ID)
	})
}

// refuseSubmitted has documents count as refused by DOKU for the reasons chosen. One that a newer version took the place of is
// left alone: that one counts.
func (s *Service) refuseSubmitted(tx *models.Tx, documents []models.AttachedDocument, settings []models.ReasonSetting, reasons map[models.SlotID][]string, note string) error {
	for slot, codes := range reasons {
		if len(codes) == 0 {
			continue
		}
		i := slices.IndexFunc(documents, func(a models.AttachedDocument) bool { return a.SlotID == slot })
		if i < 0 {
			return fault.New(fault.Invalid, "slot_unknown")
		}
		d, err := tx.Document(documents[i].DocumentID)
		if err != nil {
			return err
		}
		codes, err := chosenReasons(settings, d, DecisionInput{Reasons: codes, Note: note})
		if err != nil {
			return err
		}
		newer, err := tx.Superseded(d)
		if err != nil || newer || d.State != models.Delivered {
			if err != nil {
				return err
			}
			continue
		}
		if err := tx.RefuseDelivered(d, codes); err != nil {
			return err
		}
	}
	return nil
}
