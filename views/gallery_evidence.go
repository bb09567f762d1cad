package views

func sampleEvidence() EvidencePage {
	page := samplePage("Berkas bukti", "merchants")
	page.User = UserView{Name: "Dewi Contoh Kusumawardhani Prawirohardjo", Role: "reviewer"}
	const sum = "3b1e5d0f8c2a4976e0d1b2c3a4f5968778695a4b3c2d1e0f9f8e7d6c5b4a3928"
	bundle := func(id int64, state, name string) BundleView {
		return BundleView{ID: id, MerchantID: 1, State: state, Name: name, Language: "id", AskedBy: "Dewi Contoh Kusumawardhani Prawirohardjo", AskedAt: sampleTime(3 * hour)}
	}
	making, waiting := bundle(9, "making", "evidence-1-9.zip"), bundle(8, "waiting", "evidence-1-8.zip")
	making.AskedAt, making.Done, making.Total = sampleTime(hour/180), 18_400, 41_212
	waiting.AskedAt, waiting.Language = sampleTime(hour/3600), "en"
	ready, expired, failed := bundle(7, "ready", "evidence-1-7.zip"), bundle(5, "expired", "evidence-1-5.zip"), bundle(6, "failed", "evidence-1-6.zip")
	ready.Size, ready.SHA256, ready.MadeAt, ready.ExpiresAt = 412_884, sum, sampleTime(3*hour), sampleTime(-7*day)
	expired.Size, expired.SHA256, expired.AskedAt = 398_001, sum, sampleTime(9*day)
	failed.Problem = &Message{Code: "cannot_decrypt"}
	return EvidencePage{Page: page, MerchantID: 1, Merchant: "PT Kopi Tugu Contoh", Underway: true, Bundles: []BundleView{making, waiting, ready, failed, expired}}
}

func evidenceSamples() []Sample {
	empty := sampleEvidence()
	empty.Bundles, empty.Underway = nil, false
	return []Sample{{"evidence", Evidence(sampleEvidence())}, {"evidence-empty", Evidence(empty)}}
}
