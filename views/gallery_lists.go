package views

import "time"

// sampleChosen is the list with everything around it: saved views, filters, boxes, similar names.
func sampleChosen() MerchantsPage {
	v := sampleMerchants()
	v.CanChange, v.CanExport, v.CanShare, v.FirstURL = true, true, true, "/merchants"
	v.Filter = MerchantFilter{Q: "sejahtra", State: "open", Who: "3", Document: "KTP", Slot: "refused", Reason: "image_blurry", Expiring: "30", Stage: "registered", From: "2026-10-01", Until: "2026-10-31", Done: "2",
		Entity: "PT", Team: "Jakarta", Order: "action"}
	for i := range v.Rows {
		if !v.Rows[i].Archived {
			v.Rows[i].Choose = id64(v.Rows[i].ID) + "_0_0"
		}
	}
	v.Rows[0].Name = "Perkumpulan Pedagang Kaki Lima Sejahtera Bersama Kecamatan Kebayoran Baru Jakarta Selatan"
	v.Similar = sampleRows()[:2]
	v.Saved = sampleSaved()
	return v
}

func sampleSaved() []SavedView {
	return []SavedView{
		{ID: 1, Name: "KTP buram, tim saya", URL: "/merchants?doc=KTP&reason=image_blurry", Own: true, Here: true},
		{ID: 2, Name: "Lewat tenggat", URL: "/merchants?state=overdue", Own: true, Shared: true},
		{ID: 3, Name: "Akan kedaluwarsa", URL: "/merchants?expiring=30", Owner: "Manajer Contoh", Shared: true},
	}
}

func sampleExports() []ExportView {
	at := sampleTime(2 * time.Minute)
	return []ExportView{
		{ID: 5, Format: "xlsx", BegunAt: at, State: "underway"},
		{ID: 4, Format: "xlsx", BegunAt: at, State: "underway", Rows: 412_000, Total: 1_234_567},
		{ID: 3, Format: "csv", BegunAt: at, State: "done", Rows: 1_234_567, Total: 1_234_567},
		{ID: 2, Format: "csv", BegunAt: at, State: "broken", Rows: 93_000, Total: 1_234_567, Problem: "export_gone"},
		{ID: 1, Format: "csv", BegunAt: at, State: "broken", Problem: "export_silent"},
	}
}

func listSamples() []Sample {
	page := samplePage("Merchant", "merchants")
	nothing := sampleChosen()
	nothing.Rows, nothing.Total, nothing.TotalMore, nothing.NextURL, nothing.FirstURL = nil, 0, false, "", ""
	wrong := ViewsPage{Page: page, Saved: sampleSaved(), CanShare: true, Wrong: 2, Error: &Message{Code: "view_name_taken"}}
	return []Sample{
		{"merchants-chosen", Merchants(sampleChosen())},
		{"merchants-similar", Merchants(nothing)},
		{"views", Views(wrong)},
		{"views-none", Views(ViewsPage{Page: page})},
		{"export", Export(ExportPage{Page: page, Filter: sampleChosen().Filter, Rows: 1_234_567, Exports: sampleExports()})},
		{"export-many", Export(ExportPage{Page: page, Rows: 2_000_000, More: true})},
		{"bulk", Bulk(BulkPage{Page: page, Filter: sampleChosen().Filter, Count: 4312, Do: "assign", Responsible: "3", Colleague: "Rekan Contoh"})},
	}
}
