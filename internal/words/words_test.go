package words

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

var placeholder = regexp.MustCompile(`\{(\w+)`)

func placeholders(sentence string) []string {
	var names []string
	for _, m := range placeholder.FindAllStringSubmatch(sentence, -1) {
		if !slices.Contains(names, m[1]) && m[1] != "n" { // a language may need the number once more, for its plural
			names = append(names, m[1])
		}
	}
	slices.Sort(names)
	return names
}

func TestBothLanguagesAreComplete(t *testing.T) {
	for key, sentence := range catalogues[ID] {
		other, ok := catalogues[EN][key]
		if !ok {
			t.Errorf("en.txt lacks %s", key)
		} else if a, b := placeholders(sentence), placeholders(other); !slices.Equal(a, b) {
			t.Errorf("%s: placeholders %v and %v differ", key, a, b)
		}
		if sentence == "" || other == "" {
			t.Errorf("%s is empty", key)
		}
	}
	for key := range catalogues[EN] {
		if _, ok := catalogues[ID][key]; !ok {
			t.Errorf("id.txt lacks %s", key)
		}
	}
}

// sources are the program's own files that may speak: Go and templ, without tests and without what templ generates.
func sources(t *testing.T) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "testdata" || name == "data" || name == "dokusim" || len(name) > 2 && name[0] == '.') {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, "_templ.go") || !strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, ".templ") {
			return nil
		}
		text, err := os.ReadFile(path)
		files[path] = string(text)
		return err
	})
	if err != nil || len(files) < 10 {
		t.Fatalf("%d source files, %v", len(files), err)
	}
	return files
}

var (
	spoken  = regexp.MustCompile(`\b(?:say|T|Say)\((?:ctx|[^",()]*(?:\([^()]*\))?), "([\w.]+)"`)
	literal = regexp.MustCompile(`"([\w.]+)"`)
	faulted = regexp.MustCompile(`fault\.(?:New|Wrap)\((?:[^"\n]*), "(\w+)"`)
	format  = regexp.MustCompile(`\{\w+:(\w+)`)
)

func TestEveryKeyThatIsUsedExists(t *testing.T) {
	for path, text := range sources(t) {
		for _, m := range spoken.FindAllStringSubmatch(text, -1) {
			if !Has(m[1]) && !strings.HasSuffix(m[1], ".") {
				t.Errorf("%s speaks %q, which no catalogue has", path, m[1])
			}
		}
		for _, m := range faulted.FindAllStringSubmatch(text, -1) {
			if !Has("fault."+m[1]) && !Has("reason."+m[1]) {
				t.Errorf("%s: fault %q has no sentence", path, m[1])
			}
		}
	}
}

func TestNoKeyIsUnused(t *testing.T) {
	used, prefixes := map[string]bool{}, []string(nil)
	for _, text := range sources(t) {
		for _, m := range literal.FindAllStringSubmatch(text, -1) {
			if strings.HasSuffix(m[1], ".") {
				prefixes = append(prefixes, m[1])
			}
			used[m[1]] = true
		}
	}
	for _, text := range catalogues[ID] {
		for _, m := range format.FindAllStringSubmatch(text, -1) {
			prefixes = append(prefixes, m[1]+".")
		}
	}
	for key := range catalogues[ID] {
		if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("%s is in the catalogues and nothing says it", key)
		}
	}
}

// The codes other parts of the program, and DOKU, speak in. A new one needs its sentences here before it compiles.
func TestEveryCodeHasItsSentences(t *testing.T) {
	families := map[string]string{
		"reason.": `image_blurry image_glare image_too_dark image_low_resolution image_cropped image_obscured image_black_and_white photocopy
			screenshot missing_front missing_back same_side_twice missing_page incomplete_data not_signed stamp_missing
			issue_or_expiry_date_missing company_name_missing id_number_missing address_missing document_expired document_too_old
			wrong_document not_ektp country_not_supported document_damaged needs_translation name_mismatch id_number_mismatch
			address_mismatch dob_mismatch directors_mismatch business_activity_mismatch bank_account_mismatch photo_mismatch
			signature_page_owner_unclear owners_missing directors_missing additional_document_required duplicate_file
			used_by_other_merchant file_empty file_corrupt file_password_protected file_too_large file_too_small
			file_type_not_allowed file_content_mismatch file_dimensions_exceeded file_malware upload_failed registry_unavailable
			suspected_manipulation fraudulent policy_rejected other file_url_not_allowed form_field_invalid`,
		"fault.": `internal not_found forbidden form_invalid required too_long too_short not_numeric not_letters not_alphanumeric exactly
			unknown_choice not_an_email not_a_phone not_a_date date_in_past conflict checklist_not_ready slot_unknown slot_gone
			slot_ambiguous fields_before_file file_missing file_or_url body_too_large sign_in_failed signed_out sign_in_limited
			demo_forbidden storage_full storage_unavailable database_unavailable doku_unavailable bytes_gone document_invented link_unavailable
			not_retryable already_withdrawn note_required cross_origin host_unknown busy sixteen_digits method_not_allowed
			database_in_use merchant_archived possible_duplicate cannot_decrypt page_unknown role_cannot_upload`,
		"document.": `OWNER_LIVENESS PHOTO_PROOF LOGO DOCUMENT SERVICE_AGREEMENT BANK_ACCOUNT
			AKTA_PENDIRIAN_PERUSAHAAN BPOM COMPANY_REGISTRATION IZIN_BLU IZIN_BOPI IZIN_DISPENDIK_KEMENDIKBUD
			IZIN_DISTRIBUTOR_RESMI IZIN_EDAR_ALAT_KESEHATAN IZIN_KERAMAIAN IZIN_KOPERASI_SIMPAN_PINJAM
			IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH IZIN_PMB IZIN_PUB IZIN_USAHA IZIN_USAHA_PERSEORANGAN
			KITAS_OR_KITAP KTP LICENSE_ASIC LICENSE_CFTC LICENSE_CYSEC LICENSE_FCA LICENSE_IFSC LISENSI_BAPPEBTI
			LISENSI_OJK NIB NIB_PERSEORANGAN NPWP_BADAN NPWP_ORANG_PRIBADI PASPOR SERTIFIKAT_HALAL_MUI
			SERTIFIKAT_KEANGGOTAAN_ASITA SK_KEMENDIKBUDRISTEK SK_KEMENKUMHAM SK_PENDIRIAN_YAYASAN TANDA_DAFTAR_PSE
			TANDA_DAFTAR_YAYASAN`,
		"legal.":      `PERSEORANGAN PT CV UD KOPERASI FIRMA PP BUMN PTN_BH YAYASAN PERKUMPULAN_BERBADAN_HUKUM BLU`,
		"type.":       `PERSONAL CORPORATE`,
		"role.":       `staff reviewer manager admin`,
		"actor.":      `staff merchant doku reviewer nobody`,
		"slot.state.": `missing waiting sending delivered refused failed`,
		"progress.":   `no_checklist checklist_refused empty todo complete registered archived`,
		"group.":      `owner business brand agreement licence`,
	}
	for prefix, codes := range families {
		for code := range strings.FieldsSeq(codes) {
			if !Has(prefix + code) {
				t.Errorf("no sentence for %s%s", prefix, code)
			}
			if prefix == "reason." && !Has(prefix+code+".do") {
				t.Errorf("%s%s does not say what to do", prefix, code)
			}
		}
	}
	if n := len(strings.Fields(families["document."])); n != 36+6 {
		t.Errorf("%d document codes and categories", n)
	}
}

func TestSay(t *testing.T) {
	ctx := With(context.Background(), ID)
	for _, c := range []struct{ got, want string }{
		{T(ctx, "progress.todo", "n", 3, "total", 1284), "3 dari 1.284 dokumen belum siap."},
		{Say(EN, "progress.todo", map[string]any{"n": 1, "total": 8.0}), "1 of 8 documents is not ready."},
		{T(ctx, "reason.image_blurry", "document", "KTP"), "KTP terlalu buram."},
		{T(ctx, "reason.image_blurry"), "Foto terlalu buram."},
		{T(ctx, "fault.body_too_large", "max", 15_000_000), "Kiriman terlalu besar, batasnya 15 MB. Kecilkan berkasnya, lalu kirim lagi."},
		{T(ctx, "fault.body_too_large"), "Kiriman terlalu besar. Kecilkan berkasnya, lalu kirim lagi."},
		{T(ctx, "event.field_set", "document", "NPWP_BADAN", "field", "NO_KTP"), "NIK untuk NPWP badan diisi"},
		{Say(EN, "event.requirements_changed", map[string]any{"added": 1, "removed": 0}), "DOKU changed what it asks for · 1 new"},
		{T(ctx, "progress.part.missing", "document", []string{"KTP", "NIB", "Akta"}), "KTP, NIB dan Akta belum ada"},
		{T(ctx, "no.such.key"), "no.such.key"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestPick(t *testing.T) {
	for _, c := range []struct {
		accept, chosen string
		want           Lang
	}{
		{"", "", ID}, {"en-GB,en;q=0.9", "", EN}, {"en;q=0.5, id;q=0.9", "", ID}, {"fr, en;q=0.3", "", EN}, {"id-ID,id;q=0.9,en;q=0.8", "", ID},
		{"en", "id", ID}, {"id", "en", EN}, {"id", "xx", ID}, {"de", "", ID}, {"en;q=0", "", ID},
	} {
		if got := Pick(c.accept, c.chosen); got != c.want {
			t.Errorf("Pick(%q, %q) = %s", c.accept, c.chosen, got)
		}
	}
}

func TestFormats(t *testing.T) {
	id, en := With(context.Background(), ID), With(context.Background(), EN)
	at := time.Date(2026, 5, 9, 7, 2, 3, 0, time.UTC)
	for _, c := range []struct{ got, want string }{
		{Size(id, 3_141_592), "3,1 MB"}, {Size(en, 3_141_592), "3.1 MB"}, {Size(id, 15_000_000), "15 MB"}, {Size(en, 999), "999 B"},
		{Size(id, 48_256), "48 kB"}, {Size(en, 999_700), "1 MB"}, {Size(id, 1_500_000_000), "1,5 GB"},
		{Number(id, 1_234_567), "1.234.567"}, {Number(en, -1284), "-1,284"}, {Number(id, 12), "12"},
		{Decimal(id, 0.95, 1), "1"}, {Decimal(en, -0.25, 2), "-0.25"}, {Decimal(id, 138.44, 0), "138"},
		{Date(id, at), "9 Mei 2026"}, {Day(en, at), "9 May"}, {Time(id, at), "14.02"}, {DateTime(en, at), "9 May 2026 14:02"},
		{Exact(at), "2026-05-09 14:02:03 WIB"},
		{moment(ID, at, at.Add(time.Hour)), "14.02"}, {moment(ID, at, at.AddDate(0, 1, 0)), "9 Mei 14.02"}, {moment(EN, at, at.AddDate(1, 0, 0)), "9 May 2026 14:02"},
		{Duration(id, 400*time.Millisecond), "0,4 dtk"}, {Duration(en, 40*time.Second), "40 s"}, {Duration(id, 3*time.Minute), "3 mnt"},
		{Duration(en, 5*time.Hour), "5 h"}, {Duration(id, 76*time.Hour), "3 hari"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestLangs(t *testing.T) {
	if got := slices.Sorted(maps.Keys(catalogues)); !slices.Equal(got, slices.Sorted(slices.Values(Langs()))) {
		t.Errorf("%v", got)
	}
	if From(context.Background()) != ID {
		t.Error("the default is not Indonesian")
	}
}
