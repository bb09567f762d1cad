package onboarding

import (
	"context"
	"slices"
	"strings"
	"time"

	"berkas/doku"
	"berkas/models"
)

// Hint is something a reviewer may want to look at more closely. It is never a verdict: nothing is refused for it.
type Hint struct {
	Code  string
	On    time.Time     // a date it is about, zero: none
	Alike *models.Alike // another document it is about
}

// expirySoon is how long before its date a document is said to expire soon.
const expirySoon = 30 * 24 * time.Hour

// Hints on a document, from what is typed beside it, from its date and from other documents that look the same.
func (s *Service) Hints(ctx context.Context, d models.Document, f Facts) ([]Hint, error) {
	hints := numberHints(f.List, DocumentCode(d.Category, d.Code))
	if d.ExpiresOn != nil {
		switch today := s.Now(); {
		case d.ExpiresOn.Before(today.Truncate(24 * time.Hour)):
			hints = append(hints, Hint{Code: "expired", On: *d.ExpiresOn})
		case d.ExpiresOn.Before(today.Add(expirySoon)):
			hints = append(hints, Hint{Code: "expires_soon", On: *d.ExpiresOn})
		}
	}
	alike, err := s.Store.Alike(ctx, d)
	for _, a := range withoutForms(alike) {
		code := "picture"
		if a.Same {
			code = "file"
		}
		if a.Refused {
			code += "_refused"
		} else {
			code += "_elsewhere"
		}
		hints = append(hints, Hint{Code: code, Alike: &a})
	}
	return hints, err
}

// manyAlike is from how many on pictures that look the same are a form that many fill in, such as an NIB, and no copies.
const manyAlike = 4

func withoutForms(alike []models.Alike) []models.Alike {
	same := slices.DeleteFunc(slices.Clone(alike), func(a models.Alike) bool { return !a.Same })
	if len(alike)-len(same) >= manyAlike {
		return same
	}
	return alike
}

// numberHints hold the structure of the numbers typed against each other. What is not typed says nothing.
func numberHints(list []Fact, document string) (hints []Hint) {
	typed := func(key string) string {
		i := slices.IndexFunc(list, func(f Fact) bool { return f.Key == key })
		if i < 0 {
			return ""
		}
		return list[i].Value
	}
	if nik := typed(ownFacts + "NO_KTP"); nik != "" {
		hints = append(hints, nikHints(nik, typed("owner_birth_date"), typed("owner_gender"))...)
	}
	if npwp := typed("npwp"); npwp != "" && strings.HasPrefix(document, "NPWP") && !allDigits(npwp, 15, 16) {
		hints = append(hints, Hint{Code: "npwp_format"})
	}
	if nib := typed("nib"); nib != "" && slices.Contains([]string{doku.CodeNIB, "NIB_PERSEORANGAN"}, document) && !allDigits(nib, 13) {
		hints = append(hints, Hint{Code: "nib_format"})
	}
	return hints
}

// nikHints read a NIK: six digits of a district, day, month and year of birth, the day plus 40 for women, four digits that
// count.
func nikHints(nik, born, gender string) (hints []Hint) {
	if !allDigits(nik, 16) || nik[:2] < "11" || nik[12:] == "0000" {
		return []Hint{{Code: "nik_structure"}}
	}
	day, month, year := number(nik[6:8]), number(nik[8:10]), nik[10:12]
	woman := day > 40
	if woman {
		day -= 40
	}
	if day < 1 || day > 31 || month < 1 || month > 12 {
		return []Hint{{Code: "nik_structure"}}
	}
	if t, err := time.Parse(time.DateOnly, born); err == nil && (t.Day() != day || int(t.Month()) != month || t.Format("06") != year) {
		hints = append(hints, Hint{Code: "nik_birth_date"})
	}
	if gender != "" && woman != (gender == "F") {
		hints = append(hints, Hint{Code: "nik_gender"})
	}
	return hints
}

func number(digits string) int { return int(digits[0]-'0')*10 + int(digits[1]-'0') }

func allDigits(s string, lengths ...int) bool {
	return slices.Contains(lengths, len(s)) && strings.Trim(s, "0123456789") == ""
}
