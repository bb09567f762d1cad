package handlers

import (
	"context"
	"slices"
	"strings"
	"time"

	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// Here models become view structs: nothing a page may not show gets past this file.

func merchantRow(ctx context.Context, m models.MerchantRow, now time.Time) views.MerchantRow {
	row := views.MerchantRow{ID: int64(m.ID), Name: m.Name, BusinessType: m.BusinessType, LegalEntity: m.LegalEntity, BusinessLine: m.BusinessLine,
		Responsible: m.Responsible, Due: at(m.DueOn), Archived: m.ArchivedAt != nil, Registered: m.RegisteredAt != nil && m.ProgressState != models.ProgressRefused, Sample: m.Sample, MessagedAt: at(m.MessagedAt),
		Progress: progress(ctx, onboarding.Standing{Progress: m.Progress, State: m.ProgressState, Next: m.NextActor, Since: m.NextActorSince})}
	open := m.ProgressState != models.ProgressComplete && m.ProgressState != models.ProgressRegistered
	row.Overdue = open && m.DueOn != nil && now.In(words.WIB).Format(time.DateOnly) > m.DueOn.Format(time.DateOnly)
	if row.Archived {
		row.Progress.Lead, row.Progress.Parts, row.Progress.Tone = views.Message{Code: "archived"}, nil, "none"
	}
	return row
}

var tones = map[models.ProgressState]string{
	models.ProgressTodo: "wait", models.ProgressWaiting: "wait", models.ProgressRefused: "bad", models.ProgressFailed: "bad",
	models.ProgressComplete: "good", models.ProgressRegistered: "good",
}

func progress(ctx context.Context, s onboarding.Standing) views.ProgressView {
	p := s.Progress
	v := views.ProgressView{Done: p.Done, Total: p.Total, Tone: tones[s.State], NextActor: string(s.Next), NextSince: s.Since,
		Lead: views.Message{Code: p.Lead, Params: map[string]any{"n": p.Total - p.Done, "total": p.Total}}}
	if v.Tone == "" {
		v.Tone = "none"
	}
	for _, part := range p.Parts {
		params := map[string]any{"document": documentName(ctx, part.Category, part.DocCode)}
		if part.Reason != "" {
			params["reason"] = part.Reason
		}
		if part.Field != "" {
			params["field"] = part.Field
		}
		v.Parts = append(v.Parts, views.Message{Code: part.Code, Params: params})
	}
	return v
}

func documentName(ctx context.Context, category, code string) string {
	key := "document." + orElse(code, category)
	if words.Has(key) {
		return words.T(ctx, key)
	}
	return orElse(code, category)
}

func orElse(value, otherwise string) string {
	if value == "" {
		return otherwise
	}
	return value
}

// rights are what the reader of a page may do with its slots.
type rights struct{ upload, archived bool }

func slotGroups(rows []models.ChecklistRow, may rights, tell func(*views.SlotView)) []views.SlotGroup {
	var groups []views.SlotGroup
	for _, key := range onboarding.SlotGroups {
		g := views.SlotGroup{Key: key}
		for _, row := range rows {
			if onboarding.SlotGroup(row) != key {
				continue
			}
			v := slotView(row, rows, may)
			tell(&v)
			g.Slots = append(g.Slots, v)
			if !v.Gone {
				g.Total++
				if v.State == string(models.Delivered) && v.Review != string(models.Refuse) && len(onboarding.MissingFields(row)) == 0 {
					g.Done++
				}
			}
		}
		if len(g.Slots) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

func slotView(row models.ChecklistRow, all []models.ChecklistRow, may rights) views.SlotView {
	v := views.SlotView{ID: int64(row.ID), MerchantID: int64(row.MerchantID), Category: row.Category, Code: row.Code,
		Number: onboarding.SlotNumber(row, all), State: onboarding.SlotState(row), Extensions: onboarding.Extensions(row), MaxBytes: onboarding.MaxBytes(row),
		ByHand: row.ByHand && row.RequirementID == nil, Gone: !onboarding.Asked(row), Fields: fieldViews(row)}
	v.CanUpload = may.upload && !may.archived && !v.Gone
	d := row.Newest()
	v.CanRemove = may.upload && v.ByHand && len(row.Documents) == 0
	for _, old := range row.Documents {
		if d == nil || old.ID != d.ID {
			v.Earlier = append(v.Earlier, documentView(old, may))
		}
	}
	v.EarlierCount = len(v.Earlier)
	if d != nil {
		v.EarlierCount = row.Documents[0].Version - 1 // versions are numbered without a gap, and not all are here
	}
	if d == nil {
		return v
	}
	doc := documentView(*d, may)
	v.Document, v.Review = &doc, d.Review
	v.CanRetry = doc.CanRetry
	v.Poll = d.State == models.Waiting || d.State == models.Sending
	v.Safe = waiting(*d)
	v.Reason = reason(*d)
	return v
}

func fieldViews(row models.ChecklistRow) (fields []views.FieldView) {
	for _, f := range row.Form {
		v := views.FieldView{Code: f.Code, Caption: f.Caption, MinSize: f.MinSize, MaxSize: f.MaxSize, Numeric: f.Numeric && !f.AlphaNumeric}
		if !words.Has("field." + f.Code) {
			v.Name = f.Name
		}
		for _, typed := range row.Fields {
			if typed.Code == f.Code {
				v.Masked = typed.Masked
			}
		}
		fields = append(fields, v)
	}
	return fields
}

func waiting(d models.Document) *views.WaitingView {
	if d.State != models.Waiting {
		return nil
	}
	w := &views.WaitingView{Since: d.UploadedAt, Attempts: d.Attempts, Why: d.Problem}
	if d.Problem != "" {
		w.Next = at(d.NextAttemptAt)
	}
	if !slices.Contains([]string{"", "unreachable", "limited", "credential", "unclear"}, w.Why) {
		w.Why = "unreachable"
	}
	return w
}

// reason is why a version does not count: DOKU's no, a delivery given up, or what was found in bytes fetched later.
func reason(d models.Document) *views.ReasonView {
	switch {
	case d.State == models.Refused:
		v := &views.ReasonView{Code: d.Problem, Source: "doku", Raw: d.DOKUSays}
		for _, code := range d.Reasons[min(1, len(d.Reasons)):] {
			v.More = append(v.More, views.ReasonView{Code: code, Source: "doku"})
		}
		return v
	case d.State == models.Failed:
		return &views.ReasonView{Code: orElse(d.Problem, "upload_failed"), Source: "portal", Raw: d.DOKUSays}
	case d.Review == string(models.Refuse) && len(d.Reasons) > 0:
		return &views.ReasonView{Code: d.Reasons[0], Source: "reviewer"}
	case d.State == models.Delivered && d.Problem != "" && words.Has("reason."+d.Problem):
		return &views.ReasonView{Code: d.Problem, Source: "portal"}
	}
	return nil
}

func documentView(d models.Document, may rights) views.DocumentView {
	open := may.upload && !may.archived && d.WithdrawnAt == nil
	return views.DocumentView{ID: int64(d.ID), Version: d.Version, FileName: d.FileName, ContentType: d.ContentType, Size: d.Size, Width: d.Width, Height: d.Height,
		Pages: d.Pages, Measured: d.Measured, State: string(d.State), FileID: d.FileID, UploadedBy: d.Uploader, UploadedAt: d.UploadedAt, DeliveredAt: at(d.DeliveredAt),
		HasThumbnail: d.HasThumbnail && d.PurgedAt == nil, Withdrawn: d.WithdrawnAt != nil, WithdrawnWhy: d.WithdrawnWhy, WithdrawnBy: d.Withdrawer, WithdrawnAt: at(d.WithdrawnAt),
		CanWithdraw: open, CanRetry: open && onboarding.Retryable(d)}
}

var timelineTones = map[models.Action]string{
	models.DocumentDelivered: "good", models.MerchantRegistered: "good", models.SubmissionRefused: "bad", models.SubmissionRejected: "bad", models.SubmissionStuck: "bad",
	models.SubmissionUncertain: "wait", models.DocumentRefused: "bad", models.DocumentGivenUp: "bad",
	models.RequirementsRefused: "bad", models.RequirementsChanged: "wait", models.DocumentApproved: "good", models.DocumentRejected: "bad", models.DocumentReopened: "wait",
}

func events(rows []models.Event) []views.EventView {
	list := make([]views.EventView, 0, len(rows))
	for _, e := range rows {
		params := map[string]any{}
		for _, key := range []string{"version", "file_id", "n", "field", "status", "brand_status"} {
			if v, ok := e.Detail[key]; ok {
				params[key] = v
			}
		}
		if category, _ := e.Detail["category"].(string); category != "" {
			code, _ := e.Detail["code"].(string)
			params["document"] = orElse(code, category)
		}
		list = append(list, views.EventView{Message: views.Message{Code: strings.ReplaceAll(string(e.Action), ".", "_"), Params: params},
			Tone: timelineTones[e.Action], Who: e.Who, At: e.At})
	}
	return list
}

// dataGroups is what was typed about a merchant, already masked, in sections.
func dataGroups(f onboarding.MerchantForm) (groups []views.DataGroup) {
	for _, g := range []struct {
		key   string
		names []string
	}{
		{"owner", []string{"owner_name", "owner_position", "owner_birth_date", "owner_email", "owner_phone_number"}},
		{"contact", []string{"email", "phone_number"}},
		{"address", []string{"address_street", "address_area", "address_country"}},
		{"brand", []string{"brand_name", "brand_category", "website_readiness", "mobile_app_readiness", "transaction_frequency", "transaction_quantity", "instagram"}},
		{"bank", []string{"bank_name", "bank_account_name", "bank_account_number"}},
		{"numbers", []string{"npwp", "nib"}},
	} {
		v := views.DataGroup{Key: g.key}
		for _, name := range g.names {
			if f[name] != "" {
				v.Rows = append(v.Rows, views.DataRow{Key: name, Value: f[name]})
			}
		}
		if len(v.Rows) > 0 {
			groups = append(groups, v)
		}
	}
	return groups
}
