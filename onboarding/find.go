package onboarding

import (
	"context"
	"strings"

	"berkas/internal/fault"
	"berkas/models"
)

// FindKinds are the kinds of personal value by which a merchant is found, in the order they are offered.
var FindKinds = []string{"nik", "npwp", "phone", "email"}

const findLimit = 50

// FindMerchants are the merchants that a personal value belongs to, archived ones too, fifty at most. The value is
// compared by its keyed hash and goes nowhere else; the audit trail says only which kind was looked for. Without a kind
// the form of the value says what it is. fault.Invalid find_unclear when it is none, find_nothing when nobody has it.
func (s *Service) FindMerchants(ctx context.Context, actor models.Actor, kind, value string) ([]models.MerchantRow, error) {
	looked, wanted := personal(kind, value)
	if len(wanted) == 0 {
		return nil, fault.New(fault.Invalid, "find_unclear")
	}
	var keys []models.MerchantKey
	for _, w := range wanted {
		keys = append(keys, models.MerchantKey{Kind: w.kind, Hash: s.Vault.Hash(w.kind, w.value)})
	}
	rows, err := s.Store.MerchantsByKeys(ctx, keys, findLimit)
	if err != nil {
		return nil, err
	}
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		tx.Searched(looked)
		return nil
	})
	if err == nil && len(rows) == 0 {
		err = fault.New(fault.Invalid, "find_nothing", "kind", looked)
	}
	return rows, err
}

// LooksPersonal says that a text typed as a name looks like a personal number or address, which must not enter an address
// or a log.
func LooksPersonal(text string) bool {
	text = oneLine(text)
	n := onlyDigits(text)
	return DOKUID(text) == "" && (len(n) >= 15 || len(n) >= 8 && digits(text) == n || email(nil, text) == "")
}

// keyed is a personal value as it was hashed when it was typed.
type keyed struct{ kind, value string }

// personal is what a value may be, in the forms it may be stored in, and what that is called.
func personal(kind, value string) (string, []keyed) {
	value = oneLine(value)
	n := digits(value)
	plus := strings.HasPrefix(strings.TrimLeft(value, "("), "+")
	numeric := n != "" && n == onlyDigits(n)
	if kind == "" {
		switch {
		case strings.Contains(value, "@"):
			kind = "email"
		case !numeric:
		case len(n) == 16 && !plus:
			return "nik_or_npwp", append(niks(n), npwps(n)...) // a person's NPWP is the NIK
		case len(n) == 15 && !plus:
			kind = "npwp"
		default:
			kind = "phone"
		}
	}
	switch {
	case kind == "email" && email(nil, value) == "":
		return kind, []keyed{{"email", strings.ToLower(value)}}
	case !numeric:
	case kind == "nik":
		return kind, niks(n)
	case kind == "npwp":
		return kind, npwps(n)
	case kind == "phone":
		return kind, phones(n, plus)
	}
	return kind, nil
}

func niks(n string) []keyed {
	if len(n) != 16 {
		return nil
	}
	return []keyed{{"nik", n}}
}

// npwps: a business's NPWP got a leading zero when it grew from fifteen to sixteen digits.
func npwps(n string) []keyed {
	switch {
	case len(n) == 15:
		return []keyed{{"npwp", n}, {"npwp", "0" + n}}
	case len(n) == 16 && n[0] == '0':
		return []keyed{{"npwp", n}, {"npwp", n[1:]}}
	case len(n) == 16:
		return []keyed{{"npwp", n}}
	}
	return nil
}

// phones: with the country's code, or within Indonesia with a zero or without.
func phones(n string, plus bool) []keyed {
	switch rest := strings.TrimLeft(n, "0"); {
	case len(rest) < 6 || len(rest) > 16:
		return nil
	case plus || strings.HasPrefix(n, "00"):
		return []keyed{{"phone", rest}}
	case rest != n:
		return []keyed{{"phone", "62" + rest}}
	default:
		return []keyed{{"phone", n}, {"phone", "62" + n}}
	}
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}
