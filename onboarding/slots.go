package onboarding

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

// byHandPath is the owner of slots that DOKU did not ask for.
const byHandPath = "business"

// AddSlot adds a place for a category and code that DOKU takes without asking. An empty one that is there already is it.
func (s *Service) AddSlot(ctx context.Context, actor models.Actor, id models.MerchantID, category, code string) (models.SlotID, error) {
	if category != doku.CategoryDocument {
		code = ""
	}
	known := slices.Contains(doku.Categories(), category) && (code != "") == (category == doku.CategoryDocument)
	if !known || code != "" && !slices.Contains(doku.Codes(), code) {
		return 0, fault.New(fault.Invalid, "slot_unknown", "category", category, "code", code)
	}
	slot := &models.Slot{MerchantID: id, OwnerPath: byHandPath, Category: category, Code: code}
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, id)
		if err != nil {
			return err
		}
		if m.SetID == nil {
			return fault.New(fault.Conflict, "checklist_not_ready")
		}
		rows, err := tx.ChecklistRows(id)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Category == category && row.Code == code && Asked(row) && row.Newest() == nil {
				slot.ID = row.ID
				return errNothing
			}
		}
		if err := tx.AddSlot(slot); err != nil {
			return err
		}
		return s.keepProgress(tx, m)
	})
	if errors.Is(err, errNothing) {
		err = nil
	}
	return slot.ID, err
}

// RemoveSlot removes an empty place that was added by hand.
func (s *Service) RemoveSlot(ctx context.Context, actor models.Actor, id models.MerchantID, slot models.SlotID) error {
	row, err := s.slot(ctx, id, slot)
	if err != nil {
		return err
	}
	return s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, id)
		if err != nil {
			return err
		}
		if err := tx.RemoveSlot(row.Slot); err != nil {
			return err
		}
		return s.keepProgress(tx, m)
	})
}

// SetFields stores form fields typed for a slot. Those that DOKU would not take are refused, the others stored:
// fault.Invalid names the refused ones.
func (s *Service) SetFields(ctx context.Context, actor models.Actor, id models.MerchantID, slot models.SlotID, typed map[string]string) error {
	row, err := s.slot(ctx, id, slot)
	if err != nil {
		return err
	}
	fields, refused := checkFields(row, typed)
	if len(fields) == 0 && len(refused) == 0 {
		for _, f := range MissingFields(row) {
			refused = append(refused, fault.Field{Name: f.Code, Code: "required"})
		}
	}
	if len(fields) > 0 {
		err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
			m, err := open(tx, id)
			if err != nil {
				return err
			}
			if err := s.setFields(tx, m, row, fields); err != nil {
				return err
			}
			if err := s.reopenChanged(tx, id); err != nil {
				return err
			}
			return s.keepProgress(tx, m)
		})
	}
	if err != nil {
		return err
	}
	return fault.Refused(refused)
}

// typedFields is what was typed in a slot's form fields and refused.
type typedFields struct {
	Slot   models.SlotID
	Fields map[string]string
}

// SealTyped seals what a person typed in a slot's form fields and was refused, as text that only that person's next page
// can open. "" when it is longer than a cookie may be.
func (s *Service) SealTyped(who models.PersonID, slot models.SlotID, typed map[string]string) string {
	sealed := base64.RawURLEncoding.EncodeToString(sealJSON(s, typedFields{slot, typed}, typedSeal(who)))
	if len(sealed) > maxSealedTyped {
		return ""
	}
	return sealed
}

// OpenTyped opens what SealTyped sealed for this person, and says again why it is refused. What is nothing of theirs, or
// of another merchant, is nothing.
func (s *Service) OpenTyped(ctx context.Context, who models.PersonID, merchant models.MerchantID, text string) (models.SlotID, map[string]string, []fault.Field) {
	sealed, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(sealed) == 0 {
		return 0, nil, nil
	}
	t, err := openJSON[typedFields](s, sealed, typedSeal(who))
	if err != nil {
		return 0, nil, nil
	}
	row, err := s.slot(ctx, merchant, t.Slot)
	if err != nil {
		return 0, nil, nil
	}
	_, refused := checkFields(row, t.Fields)
	return t.Slot, t.Fields, refused
}

const maxSealedTyped = 3000 // bytes

func typedSeal(who models.PersonID) string { return "typed:" + who.String() }

func (s *Service) slot(ctx context.Context, id models.MerchantID, slot models.SlotID) (models.ChecklistRow, error) {
	rows, err := s.Store.ChecklistRows(ctx, id)
	if err != nil {
		return models.ChecklistRow{}, err
	}
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == slot })
	if i < 0 {
		return models.ChecklistRow{}, fault.New(fault.NotFound, "not_found")
	}
	return rows[i], nil
}

// checkFields splits what was typed into what DOKU takes and what it would refuse, by DOKU's own rules. What was left
// empty, and what the slot does not ask for, is neither.
func checkFields(row models.ChecklistRow, typed map[string]string) (fields map[string]string, refused []fault.Field) {
	fields = map[string]string{}
	for _, f := range row.Form {
		v := strings.TrimSpace(strings.ToValidUTF8(typed[f.Code], ""))
		if f.Numeric && !f.Alpha && !f.AlphaNumeric {
			v = compact(v)
		}
		if v == "" {
			continue
		}
		if field, ok := refuseField(f, v); ok {
			refused = append(refused, field)
		} else {
			fields[f.Code] = v
		}
	}
	return fields, refused
}

// refuseField says in which way a value breaks DOKU's rule for a field.
func refuseField(f models.FormField, v string) (fault.Field, bool) {
	rule := doku.FormField{MinSize: f.MinSize, MaxSize: f.MaxSize, Alpha: f.Alpha, Numeric: f.Numeric, AlphaNumeric: f.AlphaNumeric}
	if rule.Accepts(v) {
		return fault.Field{}, false
	}
	n := utf8.RuneCountInString(v)
	class := rule
	class.MinSize, class.MaxSize = 0, 0
	field := fault.Field{Name: f.Code}
	switch {
	case !class.Accepts(v) && f.Numeric && !f.AlphaNumeric:
		field.Code = "not_numeric"
	case !class.Accepts(v) && f.Alpha && !f.AlphaNumeric:
		field.Code = "not_letters"
	case !class.Accepts(v):
		field.Code = "not_alphanumeric"
	case f.MinSize == f.MaxSize:
		field.Code, field.Params = "exactly", fault.Pairs("n", f.MinSize)
	case n < f.MinSize:
		field.Code, field.Params = "too_short", fault.Pairs("min", f.MinSize)
	default:
		field.Code, field.Params = "too_long", fault.Pairs("max", f.MaxSize)
	}
	return field, true
}

func (s *Service) setFields(tx *models.Tx, m models.Merchant, row models.ChecklistRow, fields map[string]string) error {
	for _, f := range row.Form {
		v, ok := fields[f.Code]
		if !ok {
			continue
		}
		stored := models.SlotField{Code: f.Code, Value: s.Vault.SealString(v, fieldSeal(m.UID, row.Slot, f.Code)), Masked: Mask(v)}
		var key *models.MerchantKey
		if f.Code == "NO_KTP" {
			key = &models.MerchantKey{Source: slotSource(row.ID), Kind: "nik", Hash: s.Vault.Hash("nik", v)}
		}
		if err := tx.SetField(row.Slot, stored, key); err != nil {
			return err
		}
	}
	return nil
}
