package views

func sampleSent() []SentRow {
	return []SentRow{
		{"business.type", "business_type", "", "PERSONAL", true},
		{"business.callback_url", "", "", "berkas.contoh.co.id/doku/callbacks/••••", true},
		{"business.name", "name", "", "Warung Contoh Bu Sari Dewi Kusumawardhani Prawirohardjo", true},
		{"business.email", "email", "", "s•••@warung.contoh.id", true},
		{"business.brands[0].photo_proofs[0].id", "", "Foto tempat usaha", "DCM-0104-1676639713907", true},
		{"business.contacts[0].phone_number", "owner_phone_number", "", "•••••••8901", false},
		{"business.contacts[0].documents[0].forms[0].value", "", "KTP", "••••••••••••8901", false},
		{"business.bank_account.account_number", "bank_account_number", "", "••••••7890", false},
	}
}

func sampleLacks() []LackView {
	return []LackView{
		{Message: Message{Code: "missing", Params: map[string]any{"document": "KTP"}}, URL: "/merchants/1#slot-1"},
		{Message: Message{Code: "undecided", Params: map[string]any{"document": "NIB"}}, URL: "/merchants/1#slot-2"},
		{Message: Message{Code: "typed_missing", Params: map[string]any{}}, Field: "email", URL: "/merchants/1/edit#f-email"},
		{Message: Message{Code: "typed_invalid", Params: map[string]any{}}, Field: "phone_number", Why: &Message{Code: "not_a_phone"}},
	}
}

func sampleSubmission(state string) SubmissionPage {
	view := SubmissionView{MerchantID: 1, ID: 3, Kind: "registration", State: state, RequestID: "01993c1e-7f7c-7f31-9c0e-2f6b6d1e8a55", AskedBy: "Sari Contoh", AskedAt: sampleTime(2 * hour),
		SentAt: sampleTime(2 * hour), MaybeSince: sampleTime(2 * hour)}
	return SubmissionPage{Page: samplePage("Pendaftaran", "merchants"), Merchant: "Warung Contoh Satu", SubmissionView: view, Rows: sampleSent(),
		Attempts: []AttemptView{{sampleTime(hour), sampleTime(hour), 503, "unreachable"}, {At: sampleTime(2 * hour)}}}
}

func registrationSamples() []Sample {
	ready := RegisterPage{Page: samplePage("Daftarkan", "merchants"), MerchantID: 1, Merchant: "Warung Contoh Satu", Waits: sampleTime(0), Rows: sampleSent(), Left: []string{"Logo"}, Seen: "x", InviteRows: sampleSent()[2:4]}
	lacking := ready
	lacking.Missing, lacking.InviteMissing, lacking.Corporate, lacking.Error = sampleLacks(), sampleLacks()[2:], true, &Message{Code: "not_ready", Params: map[string]any{"n": 4}}
	stuck, refused, done := sampleSubmission("stuck"), sampleSubmission("refused"), sampleSubmission("registered")
	stuck.Resolvable, stuck.Open, stuck.Error = true, "found", &Message{Code: "brand_other_name", Params: map[string]any{"name": "Warung Lain"}}
	stuck.Typed = map[string]string{"brand_id": "BRN-0104-1678960841263", "note": "Terlihat di Back Office"}
	refused.Words, refused.Mendable = "business.contacts[0].documents[0]: the KTP is not readable", true
	refused.Slots = []MendSlot{{ID: 1, Name: "KTP", Reasons: []Option{{Value: "image_blurry", Text: "Foto buram."}}, Chosen: []string{"image_blurry"}}, {ID: 2, Name: "Foto tempat usaha"}}
	done.BusinessID, done.BrandID, done.Status, done.SettledAt, done.SettledBy, done.Note = "BSN-0104-1678960841263", "BRN-0104-1678960841263", "UPDATING", sampleTime(hour), "Sari Contoh", "Terlihat di Back Office"
	done.ReplacesURL = "/merchants/1/submissions/2"
	key := SharedKeyPage{Page: samplePage("Shared key", "merchants"), MerchantID: 1, Merchant: "Warung Contoh Satu", BrandID: "BRN-0104-1678960841263", Key: "SK-contohContohContoh12"}
	return []Sample{{"register", Register(ready)}, {"register-missing", Register(lacking)}, {"submission-stuck", Submission(stuck)}, {"submission-refused", Submission(refused)},
		{"submission-registered", Submission(done)}, {"shared-key", SharedKey(key)}}
}
