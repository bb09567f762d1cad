package views

import "time"

func sampleAudit() AuditPage {
	row := func(id int64, ago time.Duration, who, role, code string, pairs ...any) AuditRow {
		params := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			params[pairs[i].(string)] = pairs[i+1]
		}
		r := AuditRow{ID: id, At: sampleTime(ago), Kind: "user", Who: who, Role: role, What: Message{Code: code, Params: params}, RequestID: "IBVT4ZKZKWRWF2QJ"}
		if role == "" {
			r.Kind, r.Who, r.RequestID = who, "", ""
		}
		return r
	}
	about := func(r AuditRow, merchant int64, name, subject string) AuditRow {
		r.MerchantID, r.Merchant, r.Subject = merchant, name, subject
		if subject != "" {
			r.SubjectURL = DocumentURL(r.ID)
		}
		return r
	}
	edited := about(row(8041, 3*time.Minute, "Staf Contoh", "staff", "merchant_edited"), 1, "PT Kopi Tugu Contoh", "")
	edited.Fields = []string{"npwp", "bank_account_number", "owner_phone_number"}
	changed := row(8035, 2*day, "Admin Contoh", "admin", "person_changed")
	changed.Subject, changed.SubjectURL = "Rekan Baru", PersonURL(6)
	refused := row(8034, 2*day, "anonymous", "", "session_refused")
	refused.RequestID = "QKJ2M5ZTRWQ7HW3A"
	page := samplePage("Jejak audit", "audit")
	page.User = UserView{Name: "Admin Contoh", Role: "admin"}
	page.Nav = append(page.Nav, NavItem{Key: "people", URL: PeopleURL()}, NavItem{Key: "audit", URL: AuditURL()})
	return AuditPage{
		Page:   page,
		People: []Option{{"4", "Admin Contoh"}, {"5", "Dewi Contoh Kusumawardhani Prawirohardjo"}, {"6", "Staf Contoh"}},
		Actions: []AuditActions{
			{Noun: "merchant", Actions: []AuditAction{{"merchant.created", "merchant_created"}, {"merchant.edited", "merchant_edited"}}},
			{Noun: "document", Actions: []AuditAction{{"document.uploaded", "document_uploaded"}, {"document.viewed", "document_viewed"}}},
		},
		Rows: []AuditRow{
			about(row(8042, 20*time.Second, "Staf Contoh", "staff", "document_uploaded", "document", "NPWP_BADAN", "version", 2), 1, "PT Kopi Tugu Contoh", "NPWP badan"),
			edited,
			row(8040, 9*time.Minute, "Dewi Contoh Kusumawardhani Prawirohardjo", "reviewer", "merchant_searched", "kind", "nik_or_npwp"),
			about(row(8039, 2*hour, "system", "", "document_delivered", "document", "KTP", "file_id", "DCM-0131-1763791200412"), 3, "Yayasan Contoh Bina Insani Nusantara Sejahtera Bersama Selamanya", "KTP"),
			about(row(8038, 3*hour, "Rekan Contoh", "staff", "document_withdrawn", "document", "IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH"), 2, "Warung Contoh Bu Sri", "Izin penyelenggaraan ibadah haji dan umrah"),
			row(8037, 26*hour, "system", "", "requirements_changed", "added", 1, "removed", 1, "changed", 0),
			row(8036, 27*hour, "cli", "", "person_reset"),
			changed, refused,
			row(8033, 5*day, "Admin Contoh", "admin", "audit_exported"),
		},
		NextURL: "/audit?after=1-1", ExportURL: "/audit.csv",
		Trail: TrailView{Seal: 4211, Until: sampleTime(time.Second), Unsealed: 2, Since: sampleTime(time.Second)},
	}
}

func auditSamples() []Sample {
	filtered := sampleAudit()
	filtered.Filter = AuditFilter{Who: "6", What: "merchant.edited", Merchant: "1", From: "2026-11-01", Until: "2026-11-19"}
	filtered.Merchant, filtered.Rows, filtered.NextURL, filtered.FirstURL = "PT Kopi Tugu Contoh", filtered.Rows[1:2], "", "/audit"
	filtered.Trail = TrailView{Seal: 4211, Until: sampleTime(2 * hour), Unsealed: 1284, Since: sampleTime(2 * hour), Late: true}
	nothing := sampleAudit()
	nothing.Filter, nothing.Rows, nothing.NextURL, nothing.ExportURL = AuditFilter{Who: "doku"}, nil, "", ""
	nothing.Trail = TrailView{Unsealed: 3, Since: sampleTime(time.Second)}
	refused := sampleAudit()
	refused.Filter, refused.Errors = AuditFilter{Merchant: "Kopi", From: "2026-11-31"}, map[string]Message{"merchant": {Code: "not_numeric"}, "from": {Code: "not_a_date"}}
	refused.Rows, refused.NextURL, refused.ExportURL = nil, "", ""
	find := sampleMerchants()
	find.Find = FindForm{Value: "0812 0000 0000", Error: &Message{Code: "find_nothing", Params: map[string]any{"kind": "phone"}}}
	return []Sample{
		{"audit", Audit(sampleAudit())},
		{"audit-filtered", Audit(filtered)},
		{"audit-nothing", Audit(nothing)},
		{"audit-refused", Audit(refused)},
		{"find-refused", Merchants(find)},
		{"find-found", Found(FoundPage{Page: samplePage("Merchant ditemukan", "merchants"), Rows: sampleRows()[:2]})},
	}
}
