package onboarding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	requirementsWait   = 5 * time.Second // how long creating a merchant waits for DOKU's answer
	requirementsMaxAge = 24 * time.Hour
	requirementsRetry  = time.Minute
	followBatch        = 100 // merchants moved to a new requirement set in one transaction
)

func combinationOf(c models.Combination) doku.Combination {
	return doku.Combination{BusinessType: c.BusinessType, LegalEntity: c.LegalEntity, BusinessLine: c.BusinessLine, Nationality: c.Nationality}
}

// ReadRequirements asks DOKU what a combination needs and moves its open merchants to the answer when it is a new one.
// A combination DOKU does not take is remembered as refused, with DOKU's words; that is no error. fault.Unavailable when
// DOKU does not answer: the caller asks again later.
func (s *Service) ReadRequirements(ctx context.Context, id models.CombinationID) error {
	c, err := s.Store.Combination(ctx, id)
	if err != nil {
		return err
	}
	if err := s.Store.Keep().AskedCombination(ctx, id, c.Problem); err != nil {
		return err
	}
	answer, err := s.DOKU.CheckRequirements(ctx, combinationOf(c))
	if err != nil {
		return s.requirementsFailed(ctx, c, err)
	}
	if err := s.keepRequirements(ctx, id, answer); err != nil {
		return err
	}
	return s.followRequirements(ctx, id)
}

// AwaitRequirements reads a combination's checklist unless somebody has done so meanwhile, and sees to it that every
// merchant got it.
func (s *Service) AwaitRequirements(ctx context.Context, id models.CombinationID) error {
	c, err := s.Store.Combination(ctx, id)
	switch {
	case err != nil:
		return err
	case c.State == models.ChecklistPending:
		return s.ReadRequirements(ctx, id)
	}
	return s.followRequirements(ctx, id)
}

func (s *Service) requirementsFailed(ctx context.Context, c models.Combination, err error) error {
	e, ok := errors.AsType[*doku.Error](err)
	if !ok || !e.Refused() {
		_ = s.Store.Keep().AskedCombination(ctx, c.ID, problemOf(err))
		return fault.Wrap(err, fault.Unavailable, "doku_unavailable")
	}
	if c.SetID != nil { // what was once asked for stays until DOKU says something else
		return s.Store.Keep().AskedCombination(ctx, c.ID, "refused")
	}
	err = s.Store.Write(ctx, models.DOKU, func(tx *models.Tx) error {
		return tx.RefuseCombination(c.ID, "refused", e.Message)
	})
	if err != nil {
		return err
	}
	return s.followRequirements(ctx, c.ID)
}

func (s *Service) keepRequirements(ctx context.Context, id models.CombinationID, answer *doku.Requirements) error {
	items := make([]models.Requirement, len(answer.Items))
	for i, q := range answer.Items {
		items[i] = models.Requirement{Path: q.Path, OwnerPath: q.Owner, Category: q.Category, Code: q.Code, Name: q.Name,
			Extensions: q.Extensions, MaxSize: q.MaxSize, Form: formFields(q.Form)}
	}
	hash := whatIsAsked(answer.Assumed, items)
	return s.Store.Write(ctx, models.DOKU, func(tx *models.Tx) error {
		c, err := tx.LockCombination(id)
		if err != nil {
			return err
		}
		if c.SetID != nil {
			current, err := tx.RequirementSet(*c.SetID)
			if err != nil {
				return err
			}
			if bytes.Equal(current.RawHash, hash) {
				return tx.ReadAgain(id)
			}
		}
		set := &models.RequirementSet{CombinationID: id, Raw: string(answer.Raw), RawHash: hash, Assumed: answer.Assumed}
		return tx.AddRequirementSet(set, items)
	})
}

// whatIsAsked is what decides whether an answer is new: not the order or the spaces it was written in.
func whatIsAsked(assumed bool, items []models.Requirement) []byte {
	lines := make([]string, len(items))
	for i, q := range items {
		q.Path = ""
		raw, _ := json.Marshal(q) // texts, numbers and booleans always marshal
		lines[i] = string(raw)
	}
	slices.Sort(lines)
	hash := sha256.Sum256([]byte(fmt.Sprint(assumed, "\n", strings.Join(lines, "\n"))))
	return hash[:]
}

func formFields(form []doku.FormField) []models.FormField {
	fields := make([]models.FormField, len(form))
	for i, f := range form {
		fields[i] = models.FormField{Code: f.Code, Name: f.Name, Caption: f.Caption, MinSize: f.MinSize, MaxSize: f.MaxSize,
			Alpha: f.Alpha, Numeric: f.Numeric, AlphaNumeric: f.AlphaNumeric}
	}
	return fields
}

// followRequirements moves the open merchants of a combination to its current set, batch by batch.
func (s *Service) followRequirements(ctx context.Context, id models.CombinationID) error {
	c, err := s.Store.Combination(ctx, id)
	if err != nil {
		return err
	}
	action := models.RequirementsChanged
	if c.SetID == nil { // refused: the checklist will not come
		action = models.RequirementsRefused
	}
	for after := models.MerchantID(0); ; {
		n := 0
		err := s.Store.Write(ctx, models.System, func(tx *models.Tx) error {
			ids, err := tx.MerchantsOnOtherSet(c, after, followBatch)
			if err != nil {
				return err
			}
			if n = len(ids); n == 0 {
				return errNothing
			}
			after = ids[n-1]
			tx.Audit(action, id.Ref(), "merchants", n)
			for _, merchant := range ids {
				if err := s.follow(tx, merchant, c); err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, errNothing) || err == nil && n < followBatch {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errNothing rolls a write back that found nothing to change.
var errNothing = errors.New("onboarding: nothing to change")

// follow gives one merchant its combination's set, when there is one, and says in its timeline what changed.
func (s *Service) follow(tx *models.Tx, id models.MerchantID, c models.Combination) error {
	if c.SetID == nil {
		return s.recount(tx, id)
	}
	if err := tx.FollowSet(id, *c.SetID); err != nil {
		return err
	}
	m, err := tx.LockMerchant(id)
	if err != nil {
		return err
	}
	if m.PreviousSetID != nil {
		tx.Audit(models.RequirementsChanged, id.Ref())
	} else {
		rows, err := tx.ChecklistRows(id)
		if err != nil {
			return err
		}
		tx.Audit(models.RequirementsRead, id.Ref(), "n", len(rows))
	}
	return s.keepProgress(tx, m)
}

// ReadMerchantRequirements asks DOKU again for one merchant's checklist, now.
func (s *Service) ReadMerchantRequirements(ctx context.Context, id models.MerchantID) error {
	m, err := s.Store.Merchant(ctx, id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*requirementsWait)
	defer cancel()
	return s.ReadRequirements(ctx, m.CombinationID)
}

// RefreshRequirements asks DOKU again for every combination in use that was last read a day ago, or never.
func (s *Service) RefreshRequirements(ctx context.Context) error {
	now := s.Now()
	due, err := s.Store.CombinationsToRead(ctx, now.Add(-requirementsMaxAge), now.Add(-requirementsRetry))
	if err != nil {
		return err
	}
	for _, c := range due {
		if err := s.ReadRequirements(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

// Change is what a newer requirement set changed for a merchant. Kind: new, gone, different.
type Change struct {
	Kind     string
	Category string
	Code     string
	Name     string
}

// Changes compares two requirement sets by place, category and code.
func Changes(before, after []models.Requirement) (changes []Change) {
	type place struct{ owner, category, code string }
	at := func(q models.Requirement) place { return place{q.OwnerPath, q.Category, q.Code} }
	was := map[place]models.Requirement{}
	for _, q := range before {
		was[at(q)] = q
	}
	say := func(kind string, q models.Requirement) {
		changes = append(changes, Change{Kind: kind, Category: q.Category, Code: q.Code, Name: q.Name})
	}
	for _, q := range after {
		old, known := was[at(q)]
		delete(was, at(q))
		switch {
		case !known:
			say("new", q)
		case differs(old, q):
			say("different", q)
		}
	}
	for _, q := range before {
		if _, left := was[at(q)]; left {
			say("gone", q)
			delete(was, at(q))
		}
	}
	return changes
}

func differs(a, b models.Requirement) bool {
	x, _ := json.Marshal([]any{a.Extensions, a.MaxSize, a.Form})
	y, _ := json.Marshal([]any{b.Extensions, b.MaxSize, b.Form})
	return !bytes.Equal(x, y)
}
