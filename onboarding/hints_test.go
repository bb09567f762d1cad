package onboarding_test

import (
	"strings"
	"testing"
	"time"

	"berkas/models"
	"berkas/onboarding"
)

func (b *bundle) hints(d models.Document, list ...onboarding.Fact) string {
	b.Helper()
	hints, err := b.Hints(b.ctx(), d, onboarding.Facts{List: list})
	b.must(err)
	var codes []string
	for _, h := range hints {
		codes = append(codes, h.Code)
	}
	return strings.Join(codes, " ")
}

func TestHintsOfNumbers(t *testing.T) {
	b := setup(t)
	for _, c := range []struct{ document, nik, born, gender, npwp, nib, want string }{
		{"KTP", "3171015708850003", "1985-08-17", "F", "", "", ""},
		{"KTP", "3171011708850003", "1985-08-17", "M", "", "", ""},
		{"KTP", "3171011708850003", "", "", "", "", ""},
		{"KTP", "3171011708850003", "1985-08-18", "M", "", "", "nik_birth_date"},
		{"KTP", "3171011708850003", "1985-08-17", "F", "", "", "nik_gender"},
		{"KTP", "3171015708850003", "1986-08-17", "M", "", "", "nik_birth_date nik_gender"},
		{"KTP", "0171011708850003", "1985-08-17", "M", "", "", "nik_structure"},
		{"KTP", "3171019908850003", "", "", "", "", "nik_structure"},
		{"KTP", "3171011713850003", "", "", "", "", "nik_structure"},
		{"KTP", "3171011708850000", "", "", "", "", "nik_structure"},
		{"KTP", "317101170885", "", "", "", "", "nik_structure"},
		{"KTP", "317101170885000x", "", "", "", "", "nik_structure"},
		{"NPWP_BADAN", "", "", "", "0123456789012345", "", ""},
		{"NPWP_BADAN", "", "", "", "012345678901234", "", ""},
		{"NPWP_BADAN", "", "", "", "01234567890123", "", "npwp_format"},
		{"KTP", "", "", "", "01234567890123", "", ""},
		{"NIB", "", "", "", "", "1234567890123", ""},
		{"NIB", "", "", "", "", "123456789012", "nib_format"},
	} {
		var list []onboarding.Fact
		for key, v := range map[string]string{"form_NO_KTP": c.nik, "owner_birth_date": c.born, "owner_gender": c.gender, "npwp": c.npwp, "nib": c.nib} {
			if v != "" {
				list = append(list, onboarding.Fact{Key: key, Value: v})
			}
		}
		if got := b.hints(models.Document{Category: "DOCUMENT", Code: c.document}, list...); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

func TestHintsOfDates(t *testing.T) {
	b := setup(t)
	for days, want := range map[int]string{-1: "expired", 10: "expires_soon", 60: ""} {
		on := b.clock.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, days)
		if got := b.hints(models.Document{ExpiresOn: &on}); got != want {
			t.Errorf("%d days: %q", days, got)
		}
	}
}

func TestHintsOfWhatLooksTheSame(t *testing.T) {
	b := setup(t)
	one, two := b.merchant(), b.merchant()
	first := b.doc(b.deliver(ktp(one, photo("a"))))
	if got := b.hints(first); got != "" {
		t.Errorf("%q of the only one", got)
	}
	same := b.doc(b.deliver(ktp(two, photo("a"))))
	if got := b.hints(same); got != "file_elsewhere" {
		t.Errorf("%q of the same file at another merchant", got)
	}
	// A picture whose hash differs in three bits, whichever they are.
	for _, bits := range []int64{0, 1 << 3, 1<<20 | 1<<40, 1<<1 | 1<<17 | 1<<33, 1<<5 | 1<<6 | 1<<7} {
		b.exec("update documents set perceptual_hash = $1, sha256 = sha256('other') where id = $2", int64(0x3c5a_96a5_1f2e_5d63)^bits, first.ID)
		b.exec("update documents set perceptual_hash = $1 where id = $2", int64(0x3c5a_96a5_1f2e_5d63), same.ID)
		if got := b.hints(b.doc(same.ID)); got != "picture_elsewhere" {
			t.Errorf("%x: %q", bits, got)
		}
	}
	b.exec("update documents set review = 'refused' where id = $1", first.ID)
	if got := b.hints(b.doc(same.ID)); got != "picture_refused" {
		t.Errorf("%q of a picture that was refused", got)
	}
	b.exec("update documents set perceptual_hash = $1 where id = $2", int64(0x3c5a_96a5_1f2e_5d63)^0xf, first.ID)
	if got := b.hints(b.doc(same.ID)); got != "" {
		t.Errorf("%q of a picture four bits away", got)
	}
	b.exec("update documents set review = 'undecided', perceptual_hash = $1 where id = $2", int64(0x3c5a_96a5_1f2e_5d63), first.ID)
	for _, seed := range []string{"b", "c", "d"} {
		b.deliver(ktp(one, photo(seed)))
	}
	b.exec("update documents set perceptual_hash = $1", int64(0x3c5a_96a5_1f2e_5d63))
	if got := b.hints(b.doc(same.ID)); got != "" {
		t.Errorf("%q of a form that many fill in", got)
	}
	b.exec("update documents set perceptual_hash = 0")
	if got := b.hints(b.doc(same.ID)); got != "" {
		t.Errorf("%q of white sheets", got)
	}
}
