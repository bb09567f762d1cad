package onboarding

import (
	"context"
	"slices"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

const (
	maxLease     = 60 // minutes
	maxWithin    = 30 * 24
	maxRemind    = 90
	maxReminders = 5
	maxOwnText   = 300 // characters
	maxTarget    = 1_000_000
)

// DocumentCodes are all kinds of documents DOKU takes, each by its code, outside DOCUMENT by its category.
func DocumentCodes() (names []string) {
	for _, category := range doku.Categories() {
		if category != doku.CategoryDocument {
			names = append(names, category)
		}
	}
	return append(names, doku.Codes()...)
}

// DocumentGroup is the section of a checklist in which a kind of document usually stands.
func DocumentGroup(name string) string {
	row := models.ChecklistRow{}
	if row.Category, row.Code = KindOf(name); slices.Contains(identities, name) {
		row.OwnerPath = "business.contacts"
	}
	return SlotGroup(row)
}

// SetReview changes how the review works. fault.Invalid names the fields that were refused.
func (s *Service) SetReview(ctx context.Context, actor models.Actor, set models.ReviewSettings) error {
	slices.Sort(set.RemindDays)
	slices.Sort(set.SecondEyes)
	set.RemindDays, set.SecondEyes = slices.Compact(set.RemindDays), slices.Compact(set.SecondEyes)
	var refused []fault.Field
	between := func(name string, n, lowest, highest int) {
		if n < lowest || n > highest {
			refused = append(refused, fault.Field{Name: name, Code: "not_between", Params: fault.Pairs("min", lowest, "max", highest)})
		}
	}
	between("lease_minutes", set.LeaseMinutes, 1, maxLease)
	between("within_hours", set.WithinHours, 1, maxWithin)
	between("weekly_target", set.WeeklyTarget, 0, maxTarget)
	if n := len(set.RemindDays); n < 1 || n > maxReminders || set.RemindDays[0] < 1 || set.RemindDays[n-1] > maxRemind {
		refused = append(refused, fault.Field{Name: "remind_days", Code: "days_invalid", Params: fault.Pairs("n", maxReminders, "max", maxRemind)})
	}
	if !known(set.SecondEyes) {
		refused = append(refused, fault.Field{Name: "second_eyes", Code: "unknown_choice"})
	}
	if err := fault.Refused(refused); err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetReview(set) })
}

// SetRegistration changes how merchants are registered.
func (s *Service) SetRegistration(ctx context.Context, actor models.Actor, set models.RegistrationSettings) error {
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetRegistration(set) })
}

func known(names []string) bool {
	all := DocumentCodes()
	return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(all, name) })
}

// AllDocuments stands in ReasonSetting.OffFor for every kind of document.
const AllDocuments = "*"

// SetReason changes where a reason is offered and how it is put. Its own text is given in both languages or in none.
// Other stays, so that every refusal has a reason. fault.NotFound for a code that the vocabulary lacks.
func (s *Service) SetReason(ctx context.Context, actor models.Actor, set models.ReasonSetting) error {
	r, ok := ReasonOf(set.Code)
	if !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	set.TextID, set.TextEN = oneLine(set.TextID), oneLine(set.TextEN)
	slices.Sort(set.OffFor)
	set.OffFor = slices.Compact(set.OffFor)
	if slices.Contains(set.OffFor, AllDocuments) {
		set.OffFor = []string{AllDocuments}
	} else if !known(set.OffFor) {
		return fault.Refused([]fault.Field{{Name: "off_for", Code: "unknown_choice"}})
	}
	if len(set.OffFor) > 0 && (r.Code == OtherCode || !r.Reviewer) {
		return fault.Refused([]fault.Field{{Name: "off_for", Code: "reason_stays"}})
	}
	settings, err := s.Store.ReasonSettings(ctx)
	if err != nil {
		return err
	}
	var refused []fault.Field
	for _, text := range []struct{ name, is, other string }{{"text_id", set.TextID, set.TextEN}, {"text_en", set.TextEN, set.TextID}} {
		switch {
		case text.is == "" && text.other != "":
			refused = append(refused, fault.Field{Name: text.name, Code: "both_languages"})
		case utf8.RuneCountInString(text.is) > maxOwnText:
			refused = append(refused, fault.Field{Name: text.name, Code: "too_long", Params: fault.Pairs("max", maxOwnText)})
		case r.Shareable && saysTooMuch(text.is, settings):
			refused = append(refused, fault.Field{Name: text.name, Code: "not_shareable"})
		}
	}
	if err := fault.Refused(refused); err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error { return tx.SetReason(set) })
}
