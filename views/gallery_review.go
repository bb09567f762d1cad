package views

import "time"

func sampleReasons() []ReasonOption {
	reason := func(code, gravity string) ReasonOption {
		return ReasonOption{Code: code, Gravity: gravity, Shareable: gravity != "fraud"}
	}
	return []ReasonOption{
		reason("suspected_manipulation", "fraud"), reason("document_expired", "expired"), reason("wrong_document", "wrong_type"), reason("photocopy", "wrong_type"),
		reason("image_blurry", "unreadable"), reason("image_glare", "unreadable"), reason("image_cropped", "unreadable"), reason("missing_page", "incomplete"), reason("not_signed", "incomplete"),
		reason("name_mismatch", "mismatch"), reason("id_number_mismatch", "mismatch"), reason("other", "other"),
	}
}

func sampleInReview() DocumentPage {
	v := sampleViewer()
	v.Page.User, v.SlotName = UserView{Name: "Peninjau Contoh", Role: "reviewer"}, "KTP"
	v.Review = ReviewPanel{
		State: "undecided", FactsHash: "facts", Seen: "seen", Offered: true, CanDecide: true, Leased: true, Due: sampleTime(day), Overdue: true, Place: "2026-11-20.1.1", CanReveal: true,
		Facts: []FactView{{Key: "form_NO_KTP", Value: "••••••••••••0001", Masked: true}, {Key: "name", Value: "PT Kopi Tugu Contoh"}, {Key: "owner_name", Value: "Nama Contoh"},
			{Key: "owner_birth_date", Value: "••••-••-••", Masked: true}, {Key: "owner_gender", Value: "F"}, {Key: "address_street", Value: "Jl. Contoh Slamet Riyadi 120"}},
		Reasons:    sampleReasons(),
		History:    []DecisionView{{ID: 2, Outcome: "refused", Standing: "counts", Reasons: []string{"image_blurry", "image_glare"}, Note: "Angka terakhir tidak terbaca", Message: "Foto di siang hari", Who: "Peninjau Contoh", At: sampleTime(3 * day), Version: 2}, {ID: 1, Outcome: "approved", Standing: "undone", Who: "Rekan Contoh", At: sampleTime(5 * day), Version: 1}},
		Questions:  []QuestionView{{Who: "Rekan Contoh", Of: "Peninjau Contoh", Text: "Apakah alamat ini masih di Surakarta?", At: sampleTime(2 * hour)}},
		Colleagues: []Option{{Value: "2", Text: "Rekan Contoh"}},
		SnoozeDays: []SnoozeDay{{1, "2026-11-23"}, {3, "2026-11-25"}}, Tomorrow: "2026-11-23",
	}
	v.Looks = []LookView{{Who: "Peninjau Contoh", At: sampleTime(time.Minute)}, {Who: "Staf Contoh", At: sampleTime(26 * hour), Open: 42 * time.Second}}
	v.Comparable = []Option{{Value: "-80", Text: "KTP, versi 2"}, {Value: "-9", Text: "Paspor, versi 1"}}
	return v
}

func sampleRefusing() DocumentPage {
	v := sampleInReview()
	v.Review.Open, v.Review.Error = "refuse", &Message{Code: "reason_required"}
	return v
}

func sampleCompared() DocumentPage {
	v := sampleInReview()
	v.Document.ContentType, v.Document.Pages = "application/pdf", 3
	v.Beside = &StageView{Document: sampleDocument(-80, 2, "delivered"), Name: "KTP", Source: "original"}
	v.Review.Open, v.Review.AsksExpiry = "ask", true
	return v
}

func sampleDecided() DocumentPage {
	v := sampleInReview()
	v.Review.State, v.Review.Questions, v.Review.Current, v.Review.CanUndo = "refused", nil, &v.Review.History[0], true
	v.Review.Open, v.Review.Error = "approve", &Message{Code: "change_needs_note", Params: map[string]any{"min": 10}}
	return v
}

func sampleNotMine(why string) DocumentPage {
	v := sampleInReview()
	v.Review.CanDecide, v.Review.Leased = false, false
	v.Review.Why = Message{Code: why, Params: map[string]any{"name": "Rekan Contoh"}}
	if why == "review_superseded" {
		v.Review.NewestURL = "/documents/1"
	}
	return v
}

func sampleReview() ReviewPage {
	row := func(id int64, merchant, category, code string, waits time.Duration) ReviewRow {
		return ReviewRow{ID: -id, HasThumbnail: true, MerchantID: 1, Merchant: merchant, Category: category, Code: code, Version: 1, BusinessType: "CORPORATE", BusinessLine: "FOOD_AND_BEVERAGE",
			Since: sampleTime(waits), Late: waits > day, Uploader: "Staf Contoh"}
	}
	page := samplePage("Peninjauan", "review")
	page.User = UserView{Name: "Peninjau Contoh", Role: "reviewer"}
	page.Nav = append(page.Nav, NavItem{Key: "review", URL: ReviewURL(), Count: 99, More: true})
	v := ReviewPage{Page: page, Counts: map[string]int{"": 37, "mine": 2, "overdue": 1, "snoozed": 4}, More: map[string]bool{"": true}, NextURL: "/review?after=7", FirstURL: "/review",
		Kinds: []Option{{Value: "KTP", Text: "KTP"}, {Value: "NIB", Text: "NIB"}}, Lines: []string{"FOOD_AND_BEVERAGE", "RETAIL"},
		Rows: []ReviewRow{
			row(1, "PT Kopi Tugu Contoh", "DOCUMENT", "KTP", 70*hour), row(2, "Warung Contoh Bu Sri", "DOCUMENT", "NIB", 26*hour), row(3, "Yayasan Contoh Bina Insani Nusantara Sejahtera Bersama Selamanya", "PHOTO_PROOF", "", 3*hour),
			row(4, "CV Contoh Logistik", "DOCUMENT", "IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH", 2*hour), row(5, "Koperasi Contoh Maju", "DOCUMENT", "NPWP_BADAN", time.Minute),
		}}
	v.Rows[0].Due, v.Rows[0].Overdue, v.Rows[0].Mine, v.Rows[0].Leaser, v.Rows[0].Version = sampleTime(2*day), true, true, "Peninjau Contoh", 3
	v.Rows[1].Due, v.Rows[1].Leaser = sampleTime(-4*day), "Rekan Contoh"
	v.Rows[2].Assigned, v.Rows[2].HasThumbnail = "Peninjau Contoh", false
	v.Rows[3].First, v.Rows[4].Own = "Rekan Contoh", true
	return v
}

func sampleReviewEmpty(f ReviewFilter) ReviewPage {
	v := sampleReview()
	v.Rows, v.NextURL, v.FirstURL, v.Counts, v.More, v.Filter = nil, "", "", map[string]int{}, nil, f
	return v
}

func sampleConflict() ReviewConflict {
	v := sampleInReview()
	seen, now := sampleDocument(-80, 2, "delivered"), v.Document
	facts := []FactView{{Key: "form_NO_KTP", Value: "••••••••••••0002", Masked: true, Was: "••••••••••••0001", Changed: true}, {Key: "name", Value: "PT Kopi Tugu Contoh"}, {Key: "owner_gender", Value: "F"}}
	return ReviewConflict{Page: samplePage("Tidak ada yang dicatat", "review"), Why: Message{Code: "review_changed"}, Seen: &seen, Now: &now, Facts: facts, Current: &v.Review.History[0],
		Name: "KTP", Merchant: "PT Kopi Tugu Contoh"}
}

func reviewSamples() []Sample {
	return []Sample{
		{"review", Review(sampleReview())},
		{"review-empty", Review(sampleReviewEmpty(ReviewFilter{Show: "mine"}))},
		{"review-nothing", Review(sampleReviewEmpty(ReviewFilter{BusinessLine: "MINING", Document: "KTP", Age: 5}))},
		{"document-review", Document(sampleInReview())},
		{"document-refusing", Document(sampleRefusing())},
		{"document-compared", Document(sampleCompared())},
		{"document-decided", Document(sampleDecided())},
		{"document-own", Document(sampleNotMine("own_upload"))},
		{"document-leased", Document(sampleNotMine("review_leased"))},
		{"document-superseded", Document(sampleNotMine("review_superseded"))},
		{"document-conflict", Conflict(sampleConflict())},
	}
}
