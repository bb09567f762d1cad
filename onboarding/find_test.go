package onboarding

import (
	"fmt"
	"testing"
)

func TestWhatAValueMayBe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, value, looked, want string }{
		{"", "3171 2345 6789 0001", "nik_or_npwp", "[{nik 3171234567890001} {npwp 3171234567890001}]"},
		{"", "0012345678901000", "nik_or_npwp", "[{nik 0012345678901000} {npwp 0012345678901000} {npwp 012345678901000}]"},
		{"", "01.234.567.8-901.000", "npwp", "[{npwp 012345678901000} {npwp 0012345678901000}]"},
		{"", "0812-3456-7890", "phone", "[{phone 6281234567890}]"},
		{"", "+62 (812) 3456 7890", "phone", "[{phone 6281234567890}]"},
		{"phone", "0062 812 3456 7890", "phone", "[{phone 6281234567890}]"},
		{"", "6281234567890", "phone", "[{phone 6281234567890} {phone 626281234567890}]"},
		{"", "81234567890", "phone", "[{phone 81234567890} {phone 6281234567890}]"},
		{"", "+65 8123 4567", "phone", "[{phone 6581234567}]"},
		{"", " Budi@Contoh.CO.ID ", "email", "[{email budi@contoh.co.id}]"},
		{"nik", "3171234567890001", "nik", "[{nik 3171234567890001}]"},
		{"npwp", "3171234567890001", "npwp", "[{npwp 3171234567890001}]"},
		{"nik", "317123456789000", "nik", "[]"},
		{"npwp", "31712345678900", "npwp", "[]"},
		{"phone", "0812", "phone", "[]"},
		{"email", "budi", "email", "[]"},
		{"", "budi@", "email", "[]"},
		{"", "Warung Budi", "", "[]"},
		{"", "12345", "phone", "[]"},
		{"", "", "", "[]"},
		{"nonsense", "3171234567890001", "nonsense", "[]"},
	} {
		looked, wanted := personal(c.kind, c.value)
		if got := fmt.Sprint(wanted); got != c.want || looked != c.looked {
			t.Errorf("%s %q: %s %s, want %s %s", c.kind, c.value, looked, got, c.looked, c.want)
		}
	}
}

func TestANameDoesNotLookPersonal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"3171234567890001": true, "NIK 3171 2345 6789 0001": true, "01.234.567.8-901.000": true, "budi@contoh.id": true, "0812 3456 7890": true, "+62812-3456-7890": true, "6281234567890": true, "31712345": true,
		"Warung 24": false, "Toko 2024 Jaya": false, "Kopi@Home": false, "0812": false, "PT 628 Sejahtera": false, "Ruko 0812345678 Jaya": false, "": false,
	} {
		if got := LooksPersonal(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
