package onboarding

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"berkas/models"
)

const recountPage = 200 // merchants recounted in one go

// Difference is something kept that is another than the rows say: of a merchant, of a slot, or a tally.
type Difference struct {
	Merchant models.MerchantID // 0: a tally
	Slot     models.SlotID     // 0: the merchant itself
	What     string            // the column
	Kept     string
	Counted  string
	Tally    models.TallyDifference
}

// RecountReport is what a recount went through.
type RecountReport struct {
	Merchants   int
	Slots       int
	Differences int
}

// Recount computes everything anew that is kept of merchants and slots, then all tallies, and tells each difference. It
// streams, beside a running portal too. With repair what differs becomes what was counted.
func (s *Service) Recount(ctx context.Context, repair bool, tell func(Difference) error) (r RecountReport, err error) {
	found := func(d Difference) error {
		r.Differences++
		return tell(d)
	}
	for after := models.MerchantID(0); ; {
		page, err := s.Store.RecountPage(ctx, after, recountPage)
		if err != nil {
			return r, err
		}
		for _, m := range page {
			after = m.ID
			r.Merchants++
			r.Slots += len(m.Rows)
			if err := s.recountMerchant(ctx, m, repair, found); err != nil {
				return r, err
			}
		}
		if len(page) < recountPage {
			break
		}
	}
	err = s.Store.CheckTallies(ctx, func(d models.TallyDifference) error { return found(Difference{Tally: d}) })
	if err == nil && repair {
		_, err = s.Store.Keep().MendTallies(ctx)
	}
	return r, err
}

func (s *Service) recountMerchant(ctx context.Context, m models.Recounted, repair bool, found func(Difference) error) error {
	differ := keptOtherwise(m, counted(m, s.Now()))
	for _, d := range differ {
		if err := found(d); err != nil {
			return err
		}
	}
	if len(differ) == 0 || !repair {
		return nil
	}
	return s.Store.Keep().Recount(ctx, m.ID, func(tx *models.Tx, m models.Recounted) error {
		if err := tx.KeepSlots(movedSlots(m.Rows)); err != nil {
			return err
		}
		return tx.KeepProgress(m.Merchant, counted(m, tx.Now))
	})
}

// counted is a merchant as its rows say. When it first reached a stage that it is behind by now stays what it is.
func counted(m models.Recounted, now time.Time) models.Merchant {
	is := kept(m.Merchant, Completeness(m.Merchant, m.CombinationState, m.Rows, now), now)
	is.FirstDocumentAt = m.FirstUploadAt
	return is
}

// keptOtherwise are what is kept of a merchant and its slots beside what was counted.
func keptOtherwise(m models.Recounted, is models.Merchant) (list []Difference) {
	was := m.Merchant
	add := func(slot models.SlotID, what string, kept, counted any) {
		if k, c := written(kept), written(counted); k != c {
			list = append(list, Difference{Merchant: m.ID, Slot: slot, What: what, Kept: k, Counted: c})
		}
	}
	add(0, "progress", was.Progress, is.Progress)
	add(0, "progress_state", was.ProgressState, is.ProgressState)
	add(0, "next_actor", was.NextActor, is.NextActor)
	add(0, "quarter", was.Quarter, is.Quarter)
	add(0, "slots", was.Kinds, is.Kinds)
	add(0, "course", was.Course[max(0, len(was.Course)-1):], is.Course[max(0, len(is.Course)-1):])
	add(0, "first_document_at", was.FirstDocumentAt, is.FirstDocumentAt)
	add(0, "at_doku_at", was.AtDOKUAt, is.AtDOKUAt)
	add(0, "approved_at", was.ApprovedAt, is.ApprovedAt)
	add(0, "active_at", was.ActiveAt, is.ActiveAt)
	for _, row := range m.Rows {
		is := KeptSlot(row)
		add(row.ID, "state", row.State, is.State)
		add(row.ID, "expires_on", onDay(row.Slot.ExpiresOn), onDay(is.ExpiresOn))
		add(row.ID, "refused_for", row.RefusedFor, is.RefusedFor)
	}
	return list
}

// written is a value as it is compared and shown.
func written(v any) string {
	switch v := v.(type) {
	case *time.Time:
		if v == nil {
			return ""
		}
		return v.UTC().Format(time.RFC3339Nano)
	case models.Progress, []models.Step:
		raw, _ := json.Marshal(v) // texts and numbers always marshal
		return string(raw)
	}
	return fmt.Sprint(v)
}

func onDay(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Format(time.DateOnly)
}
