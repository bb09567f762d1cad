package views

import "time"

func sampleMessage() MessagePage {
	return MessagePage{
		Page: samplePage("Pesan untuk PT Kopi Tugu Contoh", "merchants"), MerchantID: 1, Merchant: "PT Kopi Tugu Contoh", Language: "id", Slots: 2,
		Text:    "Halo Bapak/Ibu dari PT Kopi Tugu Contoh,\n\nTerima kasih sudah mengirimkan dokumen. Agar pendaftaran dapat dilanjutkan, mohon kirim ulang 2 dokumen berikut:\n\n1. KTP\n- Foto terlalu buram. Ambil ulang: tahan kamera diam, cahaya cukup, sampai tulisannya terbaca.\nCatatan: Foto di siang hari.\n\n2. NIB\n- Halaman dokumen belum lengkap. Pindai semua halaman ke dalam satu PDF.\n\nSalam hangat, Staf Contoh",
		To:      []AddressView{{"whatsapp", "business", "6281200000001"}, {"whatsapp", "owner", "6281300000001"}, {"email", "business", "halo@contoh.test"}},
		Earlier: sampleMessages(),
	}
}

func sampleMessages() []MessageView {
	return []MessageView{
		{ID: 2, Channel: "whatsapp", Language: "id", Who: "Staf Contoh", At: sampleTime(4 * day), Text: "Halo Bapak/Ibu,\n\nmohon kirim ulang foto KTP."},
		{ID: 1, Channel: "email", Language: "en", Who: "Dewi Contoh Kusumawardhani Prawirohardjo", At: sampleTime(9 * day), Text: "Dear team,\n\nplease send the deed again."},
	}
}

func sampleComments() CommentsView {
	return CommentsView{MerchantID: 1, CanAdd: true, Max: 2000, List: []CommentView{
		{Who: "Peninjau Contoh", At: sampleTime(2 * time.Hour), Text: "Alamat di NIB beda kelurahan.\nMenurut pemilik, pindah tahun lalu."},
		{Who: "Staf Contoh", At: sampleTime(2 * day), Text: "Pemilik hanya bisa dihubungi sore hari."},
	}}
}

func sampleRefused(id int64) SlotView {
	d := sampleDocument(-id, 2, "delivered")
	first := ReasonView{Code: "suspected_manipulation", Source: "reviewer"}
	return SlotView{ID: id, MerchantID: 1, Category: "DOCUMENT", Code: "NPWP_BADAN", State: "delivered", Review: "refused", Extensions: samplePictures, MaxBytes: 15_000_000, CanUpload: true,
		Document: &d, Reason: &first, Refusal: &RefusalView{Who: "Peninjau Contoh", At: sampleTime(20 * time.Minute), Message: "Foto di siang hari", Note: "Huruf pada nomor tidak sejajar",
			Reasons: []RefusalReason{{first, true}, {ReasonView{Code: "document_expired", Source: "reviewer"}, false},
				{ReasonView{Code: "image_blurry", Source: "reviewer", Own: "Fotonya kurang tajam. Tolong ambil lagi di tempat terang."}, false}}}}
}

func sampleCodes(chosen ...string) []CodeGroup {
	groups := []CodeGroup{{Key: "owner", Codes: []CodeChoice{{Code: "OWNER_LIVENESS"}, {Code: "KTP"}, {Code: "PASPOR"}}},
		{Key: "business", Codes: []CodeChoice{{Code: "AKTA_PENDIRIAN_PERUSAHAAN"}, {Code: "NIB"}, {Code: "IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH"}}}}
	for g := range groups {
		for i, c := range groups[g].Codes {
			for _, code := range chosen {
				groups[g].Codes[i].Chosen = groups[g].Codes[i].Chosen || c.Code == code
			}
		}
	}
	return groups
}

func sampleSettings() SettingsPage {
	return SettingsPage{Page: samplePage("Pengaturan", "settings"), Values: map[string]string{"lease_minutes": "5", "within_hours": "24", "remind_days": "3, 7"}, Second: sampleCodes("KTP"),
		Reasons: []ReasonRow{{Code: "fraudulent", Gravity: "fraud", Reviewer: true}, {Code: "document_expired", Gravity: "expired", Shareable: true, Reviewer: true, Off: 3, Own: true},
			{Code: "photocopy", Gravity: "wrong_type", Shareable: true, Reviewer: true, Nowhere: true}, {Code: "file_empty", Gravity: "unreadable", Shareable: true}}}
}

func sampleReason(row ReasonRow) ReasonPage {
	return ReasonPage{Page: samplePage("Alasan", "settings"), Reason: row, Values: map[string]string{}, Off: sampleCodes("PASPOR")}
}

// talkSamples are the pages of what is said to merchants and among colleagues, and of the settings.
func talkSamples() []Sample {
	nothing := sampleMessage()
	nothing.Slots, nothing.Text, nothing.Earlier = 0, "", nil
	refused := sampleMessage()
	refused.Errors, refused.To, refused.Language = map[string]Message{"text": {Code: "not_shareable"}}, nil, "en"
	sent := SentPage{Page: samplePage("Pesan", "merchants"), MerchantID: 1, Merchant: "PT Kopi Tugu Contoh", Message: sampleMessages()[0], To: sampleMessage().To[:1]}
	wrong := sampleSettings()
	wrong.Values, wrong.Errors = map[string]string{"lease_minutes": "90", "within_hours": "24", "remind_days": "besok"},
		map[string]Message{"lease_minutes": {Code: "not_between", Params: map[string]any{"min": 1, "max": 60}}, "remind_days": {Code: "days_invalid", Params: map[string]any{"n": 5, "max": 90}}}
	own := sampleReason(sampleSettings().Reasons[1])
	own.Values, own.Errors = map[string]string{"text_id": "Masa berlakunya habis. Tolong kirim yang baru."}, map[string]Message{"text_en": {Code: "both_languages"}}
	stays := sampleReason(ReasonRow{Code: "other", Gravity: "other", Shareable: true, Reviewer: true})
	stays.Stays = true
	merchant := sampleMerchant()
	merchant.Comments, merchant.Merchant.CanMessage, merchant.Merchant.MessagedAt = sampleComments(), true, sampleTime(4*day)
	merchant.Checklist.Groups[0].Slots = append(merchant.Checklist.Groups[0].Slots, sampleRefused(21))
	return []Sample{
		{"merchant-talk", Merchant(merchant)},
		{"message", MerchantMessage(sampleMessage())},
		{"message-nothing", MerchantMessage(nothing)},
		{"message-refused", MerchantMessage(refused)},
		{"message-sent", MessageSent(sent)},
		{"settings", Settings(sampleSettings())},
		{"settings-refused", Settings(wrong)},
		{"reason", ReasonSetting(own)},
		{"reason-internal", ReasonSetting(sampleReason(sampleSettings().Reasons[0]))},
		{"reason-stays", ReasonSetting(stays)},
	}
}
