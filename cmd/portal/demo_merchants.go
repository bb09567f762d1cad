package main

import (
	"fmt"
	"maps"
	"strings"

	"berkas/doku"
	"berkas/models"
	"berkas/onboarding"
)

// demoMerchant is a merchant of the demonstration: what is typed, what is handed in, and what happens to it then.
type demoMerchant struct {
	form     onboarding.MerchantForm
	due      int         // days from the day it is made; 0: none
	papers   []demoPaper // in the order they are handed in; several for one place are its versions
	register bool        // at DOKU, with links that have expired since
	archive  bool
	comment  string // what the reviewer writes to colleagues
	message  bool   // the merchant was told what to send again
}

// demoPaper is a document to hand in.
type demoPaper struct {
	category, code string
	place          int    // which of several places for the same category and code
	byHand         bool   // DOKU does not ask for it
	nik            string // typed with a KTP
	variant        int
	blurred        bool
	fate           models.DeliveryState // what DOKU makes of it, where that is not Delivered
	withdrawn      string               // why this version is taken back
	verdict        *demoVerdict         // what the reviewer decides
}

// demoVerdict is a decision: a refusal where it has reasons, else an approval.
type demoVerdict struct {
	reasons       []string
	note, message string
}

func (p demoPaper) title() string {
	if p.code != "" {
		return p.code
	}
	return p.category
}

// heading is what a certificate says above all.
func (p demoPaper) heading() string {
	switch p.code {
	case doku.CodeNIB:
		return "Nomor Induk Berusaha"
	case "BPOM":
		return "Izin Edar"
	}
	return strings.NewReplacer(" mui", "", " blu", " Badan Layanan", " pub", " Pengumpulan").Replace(readable(p.code))
}

func document(code string) demoPaper { return demoPaper{category: doku.CategoryDocument, code: code} }
func shopPhoto() demoPaper           { return demoPaper{category: doku.CategoryPhotoProof} }
func portrait() demoPaper            { return demoPaper{category: doku.CategoryOwnerLiveness} }

// card is the owner's identity card with its number; number 0 is not typed. Province 99 does not exist.
func card(number int) demoPaper {
	p := document(doku.CodeKTP)
	if number > 0 {
		p.nik = fmt.Sprintf("99010101900%05d", number)
	}
	return p
}

func documents(codes ...string) (list []demoPaper) {
	for _, code := range codes {
		list = append(list, document(code))
	}
	return list
}

// with is a paper that DOKU makes something else of.
func (p demoPaper) with(fate models.DeliveryState) demoPaper {
	p.fate = fate
	return p
}

// person is the form of a merchant that a single person runs.
// approved is these papers, each approved by the reviewer.
func approved(papers ...demoPaper) []demoPaper {
	for i := range papers {
		papers[i].verdict = &demoVerdict{}
	}
	return papers
}

func (p demoPaper) refusedFor(note, message string, reasons ...string) demoPaper {
	p.verdict = &demoVerdict{reasons, note, message}
	return p
}

func person(n int, name, owner, about string) onboarding.MerchantForm {
	f := onboarding.MerchantForm{"name": name, "business_type": doku.Personal, "legal_entity": doku.Perseorangan, "business_line": doku.Retail, "nationality": doku.Indonesia,
		"description": about, "brand_category": doku.BrandRetail, "owner_name": owner, "owner_position": doku.PositionOwner, "owner_nationality": doku.Indonesia,
		"address_street": fmt.Sprintf("Jl. Contoh No. %d", n), "address_area": "Sampel Timur, Kota Contoh", "address_country": doku.Indonesia,
		"website_readiness": doku.ReadinessDontHave, "mobile_app_readiness": doku.ReadinessDontHave,
		"bank_id": "999", "bank_name": "Bank Contoh", "bank_account_name": owner, "bank_account_number": fmt.Sprintf("00990000%02d", n)}
	short := strings.ReplaceAll(strings.ToLower(name), " ", ".")
	f["email"], f["owner_email"] = short+"@contoh.test", strings.ReplaceAll(strings.ToLower(owner), " ", ".")+"@contoh.test"
	f["phone_calling_code"], f["phone_number"] = "62", fmt.Sprintf("8120000%04d", n)
	f["owner_phone_calling_code"], f["owner_phone_number"] = "62", fmt.Sprintf("8130000%04d", n)
	return f
}

// company is the form of a merchant with a legal form and a line of business.
func company(n int, name, owner, entity, line, about string) onboarding.MerchantForm {
	f := person(n, name, owner, about)
	maps.Copy(f, onboarding.MerchantForm{"business_type": doku.Corporate, "legal_entity": entity, "business_line": line, "brand_category": doku.BrandNonRetail,
		"bank_account_name": name, "npwp": fmt.Sprintf("99000000000000%02d", n), "nib": fmt.Sprintf("99000000000%02d", n), "website_readiness": doku.ReadinessHave})
	return f
}

func changed(f onboarding.MerchantForm, pairs ...string) onboarding.MerchantForm {
	for i := 0; i < len(pairs); i += 2 {
		f[pairs[i]] = pairs[i+1]
	}
	return f
}

// demoMerchants is the demonstration's dozen, in the order they are made: what comes last stands first in the list.
// Papers that need no PDF come first, because the first PDF waits for pdfium.
func demoMerchants() []demoMerchant {
	second := shopPhoto()
	second.place, second.byHand, second.variant = 1, true, 2
	takenBack := card(7)
	takenBack.withdrawn, takenBack.variant = "KTP milik orang lain (contoh)", 1
	unsharp := card(5).with(models.Refused)
	unsharp.blurred = true
	return []demoMerchant{
		{form: person(1, "Toko Contoh Lama", "Sampel Wibawa", "Toko kelontong yang sudah tutup"),
			papers: []demoPaper{shopPhoto(), card(1), portrait()}, archive: true},
		{form: changed(company(2, "PT Contoh Niaga Samudra", "Sample Overseas", "PT", "MARKETPLACE", "Pasar daring, pemilik warga negara asing"),
			"nationality", "SG", "owner_nationality", "SG"), due: 14},
		{form: changed(person(3, "Katering Contoh Rasa", "Contoh Lestari", "Katering rumahan"), "business_line", "FOOD_AND_BEVERAGE"), due: 10}, // DOKU has no checklist for it
		{form: person(4, "Laundry Contoh Bersih", "Sampel Rahayu", "Cuci kiloan"), due: -2,
			papers: []demoPaper{shopPhoto(), card(0), portrait()}},
		{form: person(5, "Kedai Contoh Senja", "Contoh Prasetya", "Kedai teh dan camilan"), due: 3,
			papers: []demoPaper{shopPhoto(), portrait(), unsharp}},
		{form: company(6, "UD Contoh Makmur", "Sampel Hartono", "UD", doku.Retail, "Bahan bangunan"), due: 5,
			papers: append([]demoPaper{document("IZIN_USAHA").refusedFor("Nomor izin bergeser dari garisnya (contoh)", "Foto berwarna dari izin aslinya", "suspected_manipulation", "image_black_and_white"),
				document("NPWP_ORANG_PRIBADI")}, shopPhoto(), card(6), document(doku.CodeNIB).with(models.Waiting))},
		{form: person(7, "Warung Contoh Satu", "Contoh Sulastri", "Warung makan"),
			papers: []demoPaper{shopPhoto(), takenBack, card(8), portrait()}, register: true},
		{form: company(8, "Universitas Contoh Bangsa", "Sampel Nugroho", "PTN_BH", "EDUCATION", "Pendidikan tinggi"), due: 21,
			papers: append(approved(document("SK_KEMENDIKBUDRISTEK"), shopPhoto()), document("IZIN_DISPENDIK_KEMENDIKBUD"), card(9),
				document("NPWP_BADAN").refusedFor("Masa berlaku tertulis di sudut kanan (contoh)", "Mohon terbitan tahun ini", "document_expired", "image_glare")),
			comment: "Rektor baru dilantik bulan lalu; data pengurus menyusul. (contoh)"},
		{form: company(9, "CV Contoh Kirim Cepat", "Contoh Firmansyah", "CV", "LOGISTICS", "Kurir dalam kota"), due: 7,
			papers: approved(append(documents(doku.CodeNIB, "NPWP_BADAN", "AKTA_PENDIRIAN_PERUSAHAAN", "SK_KEMENKUMHAM"), shopPhoto(), second, card(10), demoPaper{category: doku.CategoryLogo, byHand: true})...)},
		{form: company(10, "Koperasi Contoh Sejahtera", "Sampel Kurnia", "KOPERASI", "FINANCIAL_SERVICE", "Simpan pinjam anggota"), due: 1,
			papers: append(documents(doku.CodeNIB, doku.CodeNIB, doku.CodeNIB, "AKTA_PENDIRIAN_PERUSAHAAN"), card(11),
				document("NPWP_BADAN").refusedFor("", "Foto di siang hari, tanpa laminasi", "image_blurry")),
			comment: "Bendahara yang memegang NPWP, bukan ketua. (contoh)", message: true},
		{form: company(11, "Yayasan Contoh Peduli", "Contoh Handayani", "YAYASAN", "CHARITY", "Beasiswa dan santunan"), due: -5,
			papers: append(documents("TANDA_DAFTAR_YAYASAN", "SK_PENDIRIAN_YAYASAN", "NPWP_BADAN", "SK_KEMENKUMHAM"), shopPhoto(), card(12), document("IZIN_PUB").with(models.Failed))},
		{form: company(12, "PT Contoh Kopi Nusantara", "Sampel Maharani", "PT", "FOOD_AND_BEVERAGE", "Kopi sangrai dan kedai"),
			papers: append(documents("AKTA_PENDIRIAN_PERUSAHAAN", "SK_KEMENKUMHAM", doku.CodeNIB, "NPWP_BADAN", "BPOM", "SERTIFIKAT_HALAL_MUI"), shopPhoto(), card(13)), register: true},
	}
}
