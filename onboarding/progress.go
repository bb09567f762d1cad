package onboarding

import (
	"time"

	"berkas/internal/fault"
	"berkas/models"
)

// Standing is a merchant's completeness: what is kept with it and shown everywhere.
type Standing struct {
	Progress models.Progress
	State    models.ProgressState
	Next     models.NextActor
}

// SlotState is the delivery of the newest version in a slot; "missing" when there is none.
func SlotState(row models.ChecklistRow) string {
	if d := row.Newest(); d != nil {
		return string(d.State)
	}
	return "missing"
}

// MissingFields are the form fields DOKU wants with a slot's document that nobody has typed.
func MissingFields(row models.ChecklistRow) (missing []models.FormField) {
	for _, f := range row.Form {
		if !hasField(row, f.Code) {
			missing = append(missing, f)
		}
	}
	return missing
}

func hasField(row models.ChecklistRow, code string) bool {
	for _, f := range row.Fields {
		if f.Code == code {
			return true
		}
	}
	return false
}

// Asked reports whether a slot counts: DOKU asks for it, or a colleague added it.
func Asked(row models.ChecklistRow) bool { return row.RequirementID != nil || row.ByHand }

// Completeness is the one definition of how far a merchant is. A slot is done when its newest version is at DOKU, no
// reviewer refused it and its fields are typed; the most urgent of what is not done decides state and next actor.
func Completeness(m models.Merchant, combination models.CombinationState, rows []models.ChecklistRow) Standing {
	s, approved := Standing{}, 0
	for _, row := range rows {
		if !Asked(row) {
			continue
		}
		s.Progress.Total++
		if d := row.Newest(); d != nil && d.Review == string(models.Approve) {
			approved++
		}
		if part := blocking(row, m.MessagedAt); part.Code != "" {
			s.Progress.Parts = append(s.Progress.Parts, part)
		} else {
			s.Progress.Done++
		}
	}
	s.State, s.Next = urgent(s.Progress.Parts)
	switch {
	case m.RegisteredAt != nil:
		s.State, s.Next, s.Progress.Lead = models.ProgressRegistered, models.NextNobody, "registered"
	case m.SetID == nil && combination == models.ChecklistRefused:
		s.State, s.Next, s.Progress.Lead = models.ProgressPending, models.NextStaff, "checklist_refused"
	case m.SetID == nil:
		s.State, s.Next, s.Progress.Lead = models.ProgressPending, models.NextDOKU, "no_checklist"
	case s.Progress.Total == 0:
		s.Progress.Lead = "empty"
	case approved == s.Progress.Total:
		s.Progress.Lead, s.Next = "approved", models.NextNobody
	case len(s.Progress.Parts) == 0:
		s.Progress.Lead = "complete"
	default:
		s.Progress.Lead = "todo"
	}
	return s
}

// blocking is why a slot is not done; the zero part when it is. messaged is when the merchant was last told what to send
// again.
func blocking(row models.ChecklistRow, messaged *time.Time) models.ProgressPart {
	part := models.ProgressPart{Category: row.Category, DocCode: row.Code}
	d := row.Newest()
	switch {
	case d == nil:
		part.Code = "missing"
	case d.State == models.Delivered && d.Review == string(models.Refuse):
		part.Code = "rejected"
		if len(d.Reasons) > 0 {
			part.Reason = d.Reasons[0]
		}
	case d.State == models.Delivered:
		missing := MissingFields(row)
		if len(missing) == 0 {
			return models.ProgressPart{}
		}
		part.Code, part.Field = "field", missing[0].Code
	default:
		part.Code, part.Reason = string(d.State), d.Problem
	}
	if d == nil || len(refusedFor(*d)) == 0 || messaged == nil || d.DecidedAt == nil || !messaged.After(*d.DecidedAt) {
		return part
	}
	part.Code = "asked"
	if len(shareable(refusedFor(*d))) == 0 { // nothing of it was said to the merchant
		part.Code = "withheld"
	}
	return part
}

// urgent ranks what blocks: what was refused comes before what is missing, and that before what only takes time. Once the
// merchant was told what to send again, it is the merchant's turn.
func urgent(parts []models.ProgressPart) (models.ProgressState, models.NextActor) {
	state, next := models.ProgressComplete, models.NextReviewer
	rank := 0
	for _, p := range parts {
		r, st, who := 1, models.ProgressWaiting, models.NextDOKU
		switch p.Code {
		case "failed":
			r, st, who = 5, models.ProgressFailed, models.NextStaff
		case "refused", "rejected":
			r, st, who = 4, models.ProgressRefused, models.NextStaff
		case "asked", "withheld":
			r, st, who = 3, models.ProgressRefused, models.NextMerchant
		case "missing", "field":
			r, st, who = 2, models.ProgressTodo, models.NextStaff
		}
		if r > rank {
			rank, state, next = r, st, who
		}
	}
	return state, next
}

// keepProgress computes the completeness of a locked merchant as the transaction sees it and keeps it.
func (s *Service) keepProgress(tx *models.Tx, m models.Merchant) error {
	rows, err := tx.ChecklistRows(m.ID)
	if err != nil {
		return err
	}
	return s.keepProgressOf(tx, m, rows)
}

// keepProgressOf is keepProgress for a checklist that was read already.
func (s *Service) keepProgressOf(tx *models.Tx, m models.Merchant, rows []models.ChecklistRow) error {
	state := models.ChecklistReady
	if m.SetID == nil {
		c, err := tx.Combination(m.CombinationID)
		if err != nil {
			return err
		}
		state = c.State
	}
	st := Completeness(m, state, rows)
	return tx.KeepProgress(m, st.Progress, st.State, st.Next)
}

// open is a merchant that may be changed, held for the rest of the transaction. fault.Conflict when it is archived.
func open(tx *models.Tx, id models.MerchantID) (models.Merchant, error) {
	m, err := tx.LockMerchant(id)
	if err == nil && m.ArchivedAt != nil {
		err = fault.New(fault.Conflict, "merchant_archived")
	}
	return m, err
}

// recount locks a merchant and keeps its progress.
func (s *Service) recount(tx *models.Tx, id models.MerchantID) error {
	m, err := tx.LockMerchant(id)
	if err != nil {
		return err
	}
	return s.keepProgress(tx, m)
}
