package onboarding

import (
	"context"
	"encoding/json"
	"iter"
	"strings"

	"berkas/internal/words"
	"berkas/models"
)

const exportBatch = 1000

// ExportAudit records that a part of the audit trail is taken away, and is then that part, newest first, however long. It
// is read some rows at a time: a slow reader holds neither memory nor a connection to the database.
func (s *Service) ExportAudit(ctx context.Context, actor models.Actor, f models.AuditFilter) (iter.Seq2[models.AuditRow, error], error) {
	err := s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.ExportedAudit(f)
		return nil
	})
	return func(yield func(models.AuditRow, error) bool) {
		var after *models.AuditCursor
		for {
			rows, err := s.Store.AuditTrail(ctx, f, after, exportBatch)
			if err != nil {
				yield(models.AuditRow{}, err)
				return
			}
			for _, row := range rows {
				if !yield(row, nil) {
					return
				}
				after = row.Cursor()
			}
			if len(rows) < exportBatch {
				return
			}
		}
	}, err
}

// EventCode is an action as its sentence is called, "event." + it.
func EventCode(a models.Action) string { return strings.ReplaceAll(string(a), ".", "_") }

// Happened is what a row says: its sentence, "event." + code, and all that this may say.
func Happened(r models.AuditRow) (code string, params map[string]any) {
	params = map[string]any{}
	for name, value := range r.Detail {
		params[name] = value
	}
	category, _ := r.Detail["category"].(string)
	kind, _ := r.Detail["code"].(string)
	if document := orElse(kind, orElse(category, orElse(r.Code, r.Category))); document != "" {
		params["document"] = document
	}
	return EventCode(r.Action), params
}

// AuditColumns are those of AuditCells.
var AuditColumns = []string{"time", "id", "actor_kind", "actor_id", "actor", "role", "action", "what", "subject_kind", "subject_id", "subject", "merchant_id", "merchant", "detail", "request_id"}

// AuditCells is an audit row for a Sheet.
func AuditCells(lang words.Lang, r models.AuditRow) []string {
	code, params := Happened(r)
	subject := r.Person
	if r.SubjectKind == "document" && r.Category != "" {
		subject = documentWord(lang, r.Category, r.Code)
	}
	return []string{cellTime(&r.At), cellNumber(r.ID), string(r.ActorKind), cellNumber(r.ActorID), r.Who, string(r.ActorRole), string(r.Action), words.Say(lang, "event."+code, params),
		r.SubjectKind, cellNumber(r.SubjectID), subject, cellNumber(r.MerchantID), r.Merchant, detailText(r.Detail), r.RequestID}
}

// detailText writes a row's detail in one way only.
func detailText(detail map[string]any) string {
	text, err := json.Marshal(detail)
	if err != nil || len(detail) == 0 {
		return ""
	}
	return string(text)
}

func documentWord(lang words.Lang, category, code string) string {
	name := DocumentCode(category, code)
	if key := "document." + name; words.Has(key) {
		return words.Say(lang, key, nil)
	}
	return name
}
