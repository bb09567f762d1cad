package onboarding

import (
	"slices"
	"strconv"
	"time"

	"berkas/internal/fault"
	"berkas/models"
)

// Standing is a merchant's completeness: what is kept with it and shown everywhere.
type Standing struct {
	Progress models.Progress
	State    models.ProgressState
	Next     models.NextActor
	Since    time.Time // since when it is their turn
	Quarter  models.Quarter
	Kinds    models.KindsOfSlots
	Begun    bool // there is a document
	AtDOKU   bool // all documents are at DOKU
	Approved bool // all documents are approved
}

// SlotState is the delivery of the newest version in a slot; "missing" when there is none.
func SlotState(row models.ChecklistRow) string {
	if d := row.Newest(); d != nil {
		return string(d.State)
	}
	return "missing"
}

// KeptSlot is a slot with where it stands, as it is kept for lists and figures.
func KeptSlot(row models.ChecklistRow) models.Slot {
	s, d := row.Slot, row.Newest()
	s.State, s.ExpiresOn, s.RefusedFor = "", nil, ""
	switch {
	case !Asked(row):
		return s
	case d == nil:
		s.State = models.SlotMissing
		return s
	case d.State == models.Delivered && d.Review == models.Undecided:
		s.State = models.SlotDelivered
	case d.State == models.Delivered:
		s.State = models.SlotState(d.Review)
	case d.State == models.Sending:
		s.State = models.SlotWaiting
	default:
		s.State = models.SlotState(d.State)
	}
	s.ExpiresOn = d.ExpiresOn
	if reasons := refusedFor(*d); len(reasons) > 0 {
		s.RefusedFor = reasons[0]
	}
	return s
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
// reviewer refused it and its fields are typed; the most urgent of what is not done decides state and next actor. now is
// since when it is the turn of whoever was not next before.
func Completeness(m models.Merchant, combination models.CombinationState, rows []models.ChecklistRow, now time.Time) Standing {
	s, delivered, approved := Standing{}, 0, 0
	for _, row := range rows {
		if !Asked(row) {
			continue
		}
		s.Progress.Total++
		s.Kinds.Add(KeptSlot(row))
		if d := row.Newest(); d != nil {
			s.Begun = true
			if d.State == models.Delivered {
				delivered++
			}
			if d.Review == string(models.Approve) {
				approved++
			}
		}
		if part := blocking(row, m.MessagedAt); part.Code != "" {
			s.Progress.Parts = append(s.Progress.Parts, part)
		} else {
			s.Progress.Done++
		}
	}
	s.State, s.Next = urgent(s.Progress.Parts)
	s.Quarter = quarter(m, s.Progress)
	s.AtDOKU, s.Approved = s.Progress.Total > 0 && delivered == s.Progress.Total, s.Progress.Total > 0 && approved == s.Progress.Total
	switch {
	case m.RegisteredAt != nil && m.Registration != models.Rejected:
		s.State, s.Next, s.Progress.Lead = models.ProgressRegistered, models.NextNobody, "registered"
	case m.Registration != models.NotSubmitted:
		s.State, s.Next = submitted(m.Registration)
		s.Progress.Lead = string(m.Registration)
	case m.SetID == nil && combination == models.ChecklistRefused:
		s.State, s.Next, s.Progress.Lead = models.ProgressPending, models.NextStaff, "checklist_refused"
	case m.SetID == nil:
		s.State, s.Next, s.Progress.Lead = models.ProgressPending, models.NextDOKU, "no_checklist"
	case s.Progress.Total == 0:
		s.Progress.Lead = "empty"
	case s.Approved && len(s.Progress.Parts) == 0:
		s.Progress.Lead, s.Next = "approved", models.NextStaff
	case len(s.Progress.Parts) == 0:
		s.Progress.Lead = "complete"
	default:
		s.Progress.Lead = "todo"
	}
	if s.Since = m.NextActorSince; s.Next != m.NextActor {
		s.Since = now
	}
	return s
}

func quarter(m models.Merchant, p models.Progress) models.Quarter {
	switch {
	case m.RegisteredAt != nil:
		return models.QuarterRegistered
	case m.SetID == nil:
		return "0"
	case p.Total == 0:
		return "4"
	}
	return models.Quarter(strconv.Itoa(4 * p.Done / p.Total))
}

// submitted is where a merchant stands by its submission until DOKU has registered it.
func submitted(r models.Registration) (models.ProgressState, models.NextActor) {
	switch r {
	case models.Stuck:
		return models.ProgressFailed, models.NextStaff
	case models.Declined, models.Rejected:
		return models.ProgressRefused, models.NextStaff
	}
	return models.ProgressComplete, models.NextDOKU
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
	case d.State == models.Waiting || d.State == models.Sending: // which of the two changes without an act
		part.Code = "waiting"
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
	if err := tx.KeepSlots(movedSlots(rows)); err != nil {
		return err
	}
	return tx.KeepProgress(m, kept(m, Completeness(m, state, rows, tx.Now), tx.Now))
}

// movedSlots are those that stand elsewhere than what is kept of them says.
func movedSlots(rows []models.ChecklistRow) (moved []models.Slot) {
	for _, row := range rows {
		s := KeptSlot(row)
		if s.State != row.State || s.RefusedFor != row.RefusedFor || onDay(s.ExpiresOn) != onDay(row.Slot.ExpiresOn) {
			moved = append(moved, s)
		}
	}
	return moved
}

// kept is a merchant with its standing. The time at which it reached a stage first stays, whatever comes later.
func kept(m models.Merchant, s Standing, now time.Time) models.Merchant {
	m.Progress, m.ProgressState, m.NextActor, m.NextActorSince, m.Quarter, m.Kinds = s.Progress, s.State, s.Next, s.Since, s.Quarter, s.Kinds
	m.Course = walked(m.Course, models.Step{Week: models.WeekOf(now), Quarter: s.Quarter})
	for _, stage := range []struct {
		reached bool
		at      **time.Time
	}{{s.Begun, &m.FirstDocumentAt}, {s.AtDOKU, &m.AtDOKUAt}, {s.Approved, &m.ApprovedAt}, {isActive(m.BusinessStatus, m.BrandStatus), &m.ActiveAt}} {
		if stage.reached && *stage.at == nil {
			*stage.at = &now
		}
	}
	return m
}

// walked is a course that goes on to a step. Of a week the last quarter counts.
func walked(course []models.Step, to models.Step) []models.Step {
	course = slices.Clone(course)
	if n := len(course); n > 0 && course[n-1].Week >= to.Week {
		to.Week, course = course[n-1].Week, course[:n-1]
	}
	if n := len(course); n > 0 && course[n-1].Quarter == to.Quarter {
		return course
	}
	return append(course, to)
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
