package views

import (
	"slices"
	"time"

	"github.com/a-h/templ"
)

// Sample is one whole page drawn with sample data.
type Sample struct {
	Name      string
	Component templ.Component
}

// GalleryURL is where Gallery is served in development; GalleryPageURL one of its whole pages.
func GalleryURL() string                { return "/_gallery" }
func GalleryPageURL(name string) string { return GalleryURL() + "/" + name }

// GalleryPage is the whole page of that name, false when there is none.
func GalleryPage(name string) (templ.Component, bool) {
	for _, sample := range GalleryPages() {
		if sample.Name == name {
			return sample.Component, true
		}
	}
	return nil, false
}

// The samples' clock: everything in the gallery happened around now, so that times read as they would.
func sampleTime(ago time.Duration) time.Time { return time.Now().Add(-ago).Truncate(time.Second) }

const (
	hour = time.Hour
	day  = 24 * time.Hour
)

func samplePage(title, current string) Page {
	return Page{
		Title:   title,
		Current: current,
		User:    UserView{Name: "Staf Contoh", Role: "staff"},
		Nav: []NavItem{
			{Key: "home", URL: HomeURL(), Count: 12},
			{Key: "merchants", URL: MerchantsURL(), Count: 1284},
		},
		DOKU: DOKUView{State: "fine", Latency: 400 * time.Millisecond, Simulator: true},
		Here: GalleryURL(),
		Demo: true,
	}
}

func sampleDocument(id int64, version int, state string) DocumentView {
	d := DocumentView{
		ID: id, Version: version, State: state,
		FileName: "contoh-ktp.jpg", ContentType: "image/jpeg", Size: 3_412_884, Width: 1440, Height: 960, Measured: true,
		UploadedBy: "Staf Contoh", UploadedAt: sampleTime(26 * hour),
		HasThumbnail: true, CanWithdraw: true,
	}
	if state == "delivered" {
		d.FileID, d.DeliveredAt = "DCM-0131-1763791200412", sampleTime(26*hour-time.Second)
	}
	return d
}

var samplePictures = []string{"PDF", "JPG", "JPEG", "PNG"}

func sampleNIK(masked string) FieldView {
	return FieldView{Code: "NO_KTP", Name: "No. KTP (NIK)", Caption: "Masukkan 16 digit nomor KTP Anda (NIK)", MinSize: 16, MaxSize: 16, Numeric: true, Masked: masked}
}

// sampleSlots is a row in each state.
func sampleSlots() []SlotView {
	slot := func(id int64, code, state string) SlotView {
		return SlotView{ID: id, MerchantID: 1, Category: "DOCUMENT", Code: code, State: state, Extensions: samplePictures, MaxBytes: 15_000_000, CanUpload: true}
	}
	filled := func(id int64, code, state string, version int) SlotView {
		s := slot(id, code, state)
		d := sampleDocument(-id, version, state)
		s.Document, s.Review = &d, "undecided"
		return s
	}

	empty := slot(1, "AKTA_PENDIRIAN_PERUSAHAAN", "missing")

	withField := slot(2, "KTP", "missing")
	withField.Fields = []FieldView{sampleNIK("")}

	justRefused := slot(3, "NIB", "missing")
	justRefused.Reason = &ReasonView{Code: "file_password_protected", Source: "portal", Just: true}

	tooLarge := filled(4, "NPWP_BADAN", "delivered", 1)
	tooLarge.Reason = &ReasonView{Code: "file_too_large", Source: "portal", Just: true, Params: map[string]any{"size": 18_400_000}}

	waiting := filled(5, "NPWP_ORANG_PRIBADI", "waiting", 1)
	waiting.Safe = &WaitingView{Since: sampleTime(2 * hour), Next: sampleTime(-40 * time.Second), Attempts: 3, Why: "unreachable"}

	first := filled(6, "SK_KEMENKUMHAM", "waiting", 1)
	first.Safe = &WaitingView{Since: sampleTime(time.Second)}
	first.Document.ContentType, first.Document.Pages, first.Document.FileName, first.Document.HasThumbnail = "application/pdf", 3, "SK Kemenkumham contoh.pdf", false

	sending := filled(7, "TANDA_DAFTAR_PSE", "sending", 1)

	delivered := filled(8, "KTP", "delivered", 3)
	delivered.Fields = []FieldView{sampleNIK("••••••••••••0001")}
	older := sampleDocument(-80, 2, "refused")
	oldest := sampleDocument(-81, 1, "delivered")
	oldest.Withdrawn, oldest.WithdrawnBy, oldest.WithdrawnAt, oldest.WithdrawnWhy, oldest.FileName = true, "Staf Contoh", sampleTime(3*day), "Salah merchant, ini KTP orang lain", "IMG_20260101_112233.jpg"
	delivered.Earlier, delivered.EarlierCount = []DocumentView{older, oldest}, 2

	approved := filled(9, "PASPOR", "delivered", 1)
	approved.Review = "approved"

	noField := filled(10, "KITAS_OR_KITAP", "delivered", 1)
	field := sampleNIK("")
	field.Typed, field.Error = "12345", &Message{Code: "exactly", Params: map[string]any{"n": 16}}
	noField.Fields = []FieldView{field}

	refused := filled(11, "LISENSI_OJK", "refused", 1)
	refused.Reason = &ReasonView{Code: "image_blurry", Source: "doku", Raw: "Document image is not clear"}

	failed := filled(12, "BPOM", "failed", 1)
	failed.CanRetry = true
	failed.Reason = &ReasonView{Code: "upload_failed", Source: "doku", Raw: "unexpected response format"}

	gone := filled(13, "SERTIFIKAT_HALAL_MUI", "delivered", 1)
	gone.Gone, gone.CanUpload = true, false

	long := filled(14, "IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH", "delivered", 12)
	long.Document.FileName = "WhatsApp Image 2026-11-19 at 14.02.33 Izin_Penyelenggaraan_Ibadah_Haji_dan_Umrah_yang_sudah_dilegalisasi_notaris_halaman_1_sampai_12 (FINAL)(2).jpeg"
	long.Number = 2

	byHand := slot(15, "", "missing")
	byHand.Category, byHand.ByHand, byHand.CanRemove = "LOGO", true, true
	byHand.Extensions = []string{"JPG", "PNG"}

	looking := slot(16, "NIB_PERSEORANGAN", "missing")
	looking.CanUpload = false

	return []SlotView{empty, withField, justRefused, tooLarge, waiting, first, sending, delivered, approved, noField, refused, failed, gone, long, byHand, looking}
}

func sampleProgress() []ProgressView {
	part := func(code, document string, pairs ...any) Message {
		params := map[string]any{"document": document}
		for i := 0; i+1 < len(pairs); i += 2 {
			params[pairs[i].(string)] = pairs[i+1]
		}
		return Message{Code: code, Params: params}
	}
	return []ProgressView{
		{Done: 5, Total: 8, Tone: "wait", NextActor: "staff", NextSince: sampleTime(3 * 24 * time.Hour), Lead: Message{Code: "todo", Params: map[string]any{"n": 3, "total": 8}}, Parts: []Message{
			part("refused", "KTP", "reason", "image_blurry"), part("missing", "Akta pendirian perusahaan"), part("waiting", "NPWP badan")}},
		{Done: 7, Total: 8, Tone: "wait", NextActor: "doku", Lead: Message{Code: "todo", Params: map[string]any{"n": 1, "total": 8}}, Parts: []Message{part("waiting", "NIB")}},
		{Done: 6, Total: 8, Tone: "bad", NextActor: "staff", Lead: Message{Code: "todo", Params: map[string]any{"n": 2, "total": 8}}, Parts: []Message{part("failed", "NIB"), part("field", "KTP", "field", "NO_KTP")}},
		{Done: 8, Total: 8, Tone: "good", NextActor: "nobody", Lead: Message{Code: "complete", Params: map[string]any{"total": 8}}},
		{Tone: "wait", NextActor: "doku", Lead: Message{Code: "no_checklist"}},
		{Tone: "bad", NextActor: "staff", Lead: Message{Code: "checklist_refused"}},
		{Tone: "good", NextActor: "nobody", Lead: Message{Code: "empty"}},
		{Done: 4, Total: 4, Tone: "good", NextActor: "nobody", Lead: Message{Code: "registered"}},
		{Tone: "none", NextActor: "nobody", Lead: Message{Code: "archived"}},
	}
}

func sampleRows() []MerchantRow {
	p := sampleProgress()
	return []MerchantRow{
		{ID: 1, Name: "PT Kopi Tugu Contoh", BusinessType: "CORPORATE", LegalEntity: "PT", BusinessLine: "FOOD_AND_BEVERAGE", Responsible: "Staf Contoh", Due: sampleTime(-6 * day), Progress: p[0], Sample: true},
		{ID: 2, Name: "Warung Contoh Bu Sri", BusinessType: "PERSONAL", LegalEntity: "PERSEORANGAN", BusinessLine: "RETAIL", Responsible: "Staf Contoh", Due: sampleTime(3 * day), Overdue: true, Progress: p[2], Sample: true},
		{ID: 3, Name: "Yayasan Contoh Bina Insani Nusantara Sejahtera Bersama Selamanya", BusinessType: "CORPORATE", LegalEntity: "YAYASAN", BusinessLine: "CHARITY", Progress: p[1], Sample: true},
		{ID: 4, Name: "CV Contoh Logistik", BusinessType: "CORPORATE", LegalEntity: "CV", BusinessLine: "LOGISTICS", Responsible: "Rekan Contoh", Progress: p[4]},
		{ID: 5, Name: "Koperasi Contoh Maju", BusinessType: "CORPORATE", LegalEntity: "KOPERASI", BusinessLine: "FINANCIAL_SERVICE", Responsible: "Rekan Contoh", Progress: p[3]},
		{ID: 6, Name: "Toko Contoh Lama", BusinessType: "PERSONAL", LegalEntity: "PERSEORANGAN", BusinessLine: "RETAIL", Responsible: "Rekan Contoh", Progress: p[7], Registered: true},
		{ID: 7, Name: "UD Contoh Arsip", BusinessType: "CORPORATE", LegalEntity: "UD", BusinessLine: "SOMETHING_NEW", Progress: p[8], Archived: true},
	}
}

func sampleHome(role string) HomePage {
	rows := sampleRows()
	page := samplePage("Meja saya", "home")
	page.User.Role = role
	return HomePage{
		Page: page, Role: role, CanAdd: role == "staff",
		Figures: []Figure{
			{Key: "todo", Value: 12, URL: "/merchants?state=todo", Tone: "wait"},
			{Key: "refused", Value: 3, URL: "/merchants?state=refused", Tone: "bad"},
			{Key: "waiting", Value: 1, URL: "/merchants?state=waiting", Tone: "wait"},
			{Key: "complete", Value: 1284, URL: "/merchants?state=complete", Tone: "good"},
		},
		Groups: []HomeGroup{
			{Key: "mine", Merchants: rows[:2], MoreURL: "/merchants?mine=yes"},
			{Key: "waiting", Merchants: rows[2:4], MoreURL: "/merchants?state=waiting"},
		},
	}
}

func sampleMerchants() MerchantsPage {
	return MerchantsPage{
		Page: samplePage("Merchant", "merchants"), Rows: sampleRows(), NextURL: "/merchants?after=7", Total: 1284, TotalMore: true,
		Offer:  MerchantChoices{Lines: []string{"FOOD_AND_BEVERAGE", "RETAIL", "SOMETHING_NEW"}, Entities: []string{"PT", "CV"}, Teams: []string{"Jakarta"}, Documents: []string{"KTP", "NIB", "LOGO"}, Reasons: []string{"image_blurry"}},
		CanAdd: true, People: []Option{{Value: "3", Text: "Rekan Contoh"}},
	}
}

func sampleForm() MerchantFormPage {
	return MerchantFormPage{
		Page: samplePage("Merchant baru", "merchants"),
		LegalEntities: map[string][]string{
			"PERSONAL":  {"PERSEORANGAN"},
			"CORPORATE": {"PT", "CV", "UD", "KOPERASI", "FIRMA", "PP", "BUMN", "PTN_BH", "YAYASAN", "PERKUMPULAN_BERBADAN_HUKUM", "BLU"},
		},
		BusinessLines: map[string][]string{
			"PERSONAL":  {"RETAIL"},
			"CORPORATE": {"AGRICULTURE", "CHARITY", "FOOD_AND_BEVERAGE", "LOGISTICS", "RETAIL"},
		},
		Colleagues: []Option{{Value: "1", Text: "Staf Contoh"}, {Value: "2", Text: "Rekan Contoh"}},
		Values:     map[string]string{"responsible": "1"},
	}
}

func sampleFormRefused() MerchantFormPage {
	v := sampleForm()
	v.ID, v.Name, v.Locked = 1, "PT Kopi Tugu Contoh", true
	v.Page.Title = "Ubah PT Kopi Tugu Contoh"
	v.Values = map[string]string{
		"name": "", "business_type": "CORPORATE", "legal_entity": "PT", "business_line": "FOOD_AND_BEVERAGE", "nationality": "ID",
		"owner_name": "Nama Contoh", "owner_email": "bukan e-mail", "owner_phone_number": "81200000000", "npwp_masked": "••••••••••••0001", "bank_account_number_masked": "••••••7890", "bank_name": "Bank Contoh",
	}
	v.Errors = map[string]Message{"name": {Code: "required"}, "owner_email": {Code: "not_an_email"}}
	v.Duplicates = []DuplicateView{{ID: 2, Name: "Kopi Tugu Contoh", Why: []string{"name", "phone"}}}
	return v
}

func sampleChecklist() ChecklistView {
	slots := sampleSlots()
	return ChecklistView{
		MerchantID: 1, State: "ready", Assumed: true, ReadAt: sampleTime(5 * day), CanRead: true,
		Changes: []ChangeView{{Kind: "new", Name: "Sertifikat halal MUI"}, {Kind: "gone", Name: "Izin BPOM"}},
		Groups: []SlotGroup{
			{Key: "owner", Done: 1, Total: 2, Slots: []SlotView{slots[7], slots[8]}},
			{Key: "business", Done: 2, Total: 5, Slots: []SlotView{slots[0], slots[10], slots[4], slots[6], slots[3]}},
			{Key: "brand", Done: 0, Total: 1, Slots: []SlotView{slots[14]}},
		},
		Addable: []AddableView{{Category: "LOGO"}, {Category: "BANK_ACCOUNT"}, {Category: "DOCUMENT", Code: "IZIN_USAHA"}},
	}
}

func sampleEvents() []EventView {
	event := func(ago time.Duration, who, tone, code string, pairs ...any) EventView {
		params := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			params[pairs[i].(string)] = pairs[i+1]
		}
		return EventView{Message: Message{Code: code, Params: params}, Tone: tone, Who: who, At: sampleTime(ago)}
	}
	return []EventView{
		event(20*time.Second, "Staf Contoh", "", "document_uploaded", "document", "NPWP badan", "version", 1),
		event(2*hour, "", "bad", "document_refused", "document", "LISENSI_OJK", "version", 1),
		event(26*hour, "", "good", "document_delivered", "document", "KTP", "version", 3, "file_id", "DCM-0131-1763791200412"),
		event(26*hour, "Staf Contoh", "", "field_set", "document", "KTP", "field", "NO_KTP"),
		event(3*day, "Staf Contoh", "wait", "document_withdrawn", "document", "KTP", "version", 1, "why", "Salah merchant, ini KTP orang lain"),
		event(5*day, "", "", "requirements_changed", "added", 1, "removed", 1, "changed", 0),
		event(5*day, "", "", "requirements_read", "n", 8),
		event(5*day, "Staf Contoh", "", "merchant_created"),
	}
}

func sampleMerchant() MerchantPage {
	row := sampleRows()[0]
	return MerchantPage{
		Status: sampleStatus(),
		Page:   samplePage(row.Name, "merchants"),
		Merchant: MerchantView{
			MerchantRow: row, Nationality: "ID", Notes: "Pemilik hanya bisa dihubungi sore hari. Foto dikirim lewat WhatsApp.",
			Data: []DataGroup{
				{Key: "owner", Rows: []DataRow{{"owner_name", "Nama Contoh"}, {"owner_phone", "+62 81••••••000"}, {"owner_birth_date", "••••-••-••"}}},
				{Key: "contact", Rows: []DataRow{{"email", "halo@contoh.test"}, {"address_street", "Jl. Contoh Slamet Riyadi 120"}, {"address_area", "Kemlayan, Serengan, Surakarta 57151"}}},
				{Key: "bank", Rows: []DataRow{{"bank_name", "Bank Contoh"}, {"bank_account_number", "••••••7890"}}},
				{Key: "brand", Rows: []DataRow{{"brand_category", "RETAIL"}, {"website_readiness", "DONT_HAVE"}}},
			},
			CreatedBy: "Staf Contoh", CreatedAt: sampleTime(5 * day),
			BusinessID: "BSN-0104-1678960841263", BrandID: "BRN-0104-1678960841263", Status: "UPDATING",
			CanEdit: true, CanArchive: true,
		},
		Checklist: sampleChecklist(),
		Timeline:  sampleEvents(),
	}
}

func sampleMerchantNew(state string) MerchantPage {
	v := sampleMerchant()
	v.Merchant.Data, v.Merchant.Notes, v.Merchant.BusinessID, v.Merchant.BrandID, v.Merchant.Status = nil, "", "", "", ""
	v.Merchant.Responsible, v.Merchant.Due = "", time.Time{}
	v.Page.Flash = &Flash{Kind: "good", Message: Message{Code: "merchant_created"}}
	v.Checklist = ChecklistView{MerchantID: 1, State: state, CanRead: true}
	v.Timeline = v.Timeline[7:]
	switch state {
	case "pending":
		v.Checklist.Problem = &Message{Code: "doku_unavailable"}
		v.Merchant.Progress = sampleProgress()[4]
	case "refused":
		v.Checklist.DOKUSays = "INVALID_PARAMETER: businessLegalEntity"
		v.Merchant.Progress = sampleProgress()[5]
	case "ready":
		v.Checklist.Addable = sampleChecklist().Addable
		v.Merchant.Progress = sampleProgress()[6]
	}
	return v
}

func sampleViewer() DocumentPage {
	slot := sampleSlots()[7]
	return DocumentPage{
		Page: samplePage("KTP · PT Kopi Tugu Contoh", "merchants"), Document: *slot.Document, Category: "DOCUMENT", Code: "KTP",
		SlotID: slot.ID, MerchantID: 1, MerchantName: "PT Kopi Tugu Contoh",
		SHA256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		Fresh:  true, LinkUntil: sampleTime(-34 * time.Minute), RefreshedAt: sampleTime(26 * time.Minute), Source: "doku",
		Sharpness: 138.4, TakenAt: sampleTime(27 * hour),
		Versions:  append([]DocumentView{*slot.Document}, slot.Earlier...),
		CanRotate: true, CanUpload: true, Review: ReviewPanel{State: "undecided"},
	}
}

func sampleViewerPDF() DocumentPage {
	v := sampleViewer()
	v.Document.ContentType, v.Document.Pages, v.Document.FileName, v.Document.Measured = "application/pdf", 3, "Akta contoh.pdf", false
	v.Code, v.Rotation, v.Source, v.Fresh = "AKTA_PENDIRIAN_PERUSAHAAN", 1, "original", false
	v.LinkUntil = sampleTime(3 * hour)
	return v
}

func sampleViewerGone() DocumentPage {
	v := sampleViewer()
	v.Source, v.Fresh, v.LinkUntil, v.RefreshedAt = "none", false, time.Time{}, time.Time{}
	v.Document.Withdrawn, v.CanRotate = true, false
	return v
}

func sampleLogin() LoginPage {
	return LoginPage{
		Next: "/", Simulator: true, Here: LoginURL(),
		Demo: []DemoPerson{
			{"staff@berkas.test", "Staf Contoh", "staff"}, {"reviewer@berkas.test", "Peninjau Contoh", "reviewer"},
			{"manager@berkas.test", "Manajer Contoh", "manager"}, {"admin@berkas.test", "Admin Contoh", "admin"},
		},
	}
}

func sampleError(status int, code string, signedIn bool) ErrorPage {
	v := ErrorPage{Status: status, Message: Message{Code: code}, RequestID: "01J8Z3V5KX9Q", Back: MerchantsURL(), Retry: status >= 500}
	if signedIn {
		page := samplePage("", "")
		v.Page = &page
	}
	return v
}

// GalleryPages are all whole pages, each in its states.
func GalleryPages() []Sample {
	failedLogin := sampleLogin()
	failedLogin.Email, failedLogin.Error, failedLogin.Demo, failedLogin.Simulator = "staff@berkas.test", &Message{Code: "sign_in_failed"}, nil, false
	emptyHome := sampleHome("staff")
	emptyHome.Groups, emptyHome.Figures = nil, nil
	nothing := sampleMerchants()
	nothing.Rows, nothing.Total, nothing.TotalMore, nothing.NextURL = nil, 0, false, ""
	nothing.Filter.Q = "tidak ada yang begini"
	none := nothing
	none.Filter = MerchantFilter{}
	down := sampleMerchant()
	down.Page.DOKU = DOKUView{State: "down", Since: sampleTime(2 * hour)}
	down.Page.Flash = &Flash{Kind: "info", Message: Message{Code: "document_uploaded", Params: map[string]any{"document": "KTP"}}}
	all := down
	all.Checklist.Changes = nil
	all.Checklist.Groups = []SlotGroup{{Key: "licence", Done: 7, Total: 16, Slots: sampleSlots()}}
	return append([]Sample{
		{"login", Login(sampleLogin())},
		{"login-refused", Login(failedLogin)},
		{"home", Home(sampleHome("staff"))},
		{"home-empty", Home(emptyHome)},
		{"merchants", Merchants(sampleMerchants())},
		{"merchants-nothing", Merchants(nothing)},
		{"merchants-none", Merchants(none)},
		{"form", MerchantForm(sampleForm())},
		{"form-refused", MerchantForm(sampleFormRefused())},
		{"merchant", Merchant(sampleMerchant())},
		{"merchant-all", Merchant(all)},
		{"merchant-pending", Merchant(sampleMerchantNew("pending"))},
		{"merchant-refused", Merchant(sampleMerchantNew("refused"))},
		{"merchant-empty", Merchant(sampleMerchantNew("ready"))},
		{"document", Document(sampleViewer())},
		{"document-pdf", Document(sampleViewerPDF())},
		{"document-gone", Document(sampleViewerGone())},
		{"error-404", Error(sampleError(404, "not_found", true))},
		{"error-500", Error(sampleError(500, "internal", true))},
		{"error-503", Error(sampleError(503, "database_unavailable", false))},
	}, slices.Concat(talkSamples(), reviewSamples(), peopleSamples(), healthSamples(), auditSamples(), evidenceSamples(), insightsSamples(), registrationSamples(), differenceSamples(), listSamples())...)
}
