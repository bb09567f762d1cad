package onboarding

import (
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"berkas/doku"
	"berkas/internal/fault"
)

// MerchantForm is what is typed about a merchant, by the form's field names.
type MerchantForm map[string]string

// rule is what a field of the merchant's form takes.
type rule struct {
	name  string
	max   int  // characters
	lines bool // may have line breaks
	clean func(string) string
	check func(MerchantForm, string) string // the code of the refusal, "" when it is fine
}

// merchantRules is every field of the form, in its order. All are optional but those in requiredFields.
var merchantRules = []rule{
	{name: "name", max: 255},
	{name: "business_type", max: 20, clean: upper, check: oneOf("PERSONAL", "CORPORATE")},
	{name: "legal_entity", max: 40, clean: upper, check: legalEntity},
	{name: "business_line", max: 64, clean: enumWord, check: matches(`^[A-Z][A-Z0-9_]*$`, "unknown_choice")},
	{name: "nationality", max: 2, clean: upper, check: matches(`^[A-Z]{2}$`, "unknown_choice")},
	{name: "description", max: 1023, lines: true},
	{name: "brand_name", max: 255},
	{name: "brand_category", max: 10, clean: upper, check: oneOf("RETAIL", "NON_RETAIL")},
	{name: "website_readiness", max: 40, clean: enumWord},
	{name: "mobile_app_readiness", max: 40, clean: enumWord},
	{name: "transaction_frequency", max: 40, clean: enumWord},
	{name: "transaction_quantity", max: 40, clean: enumWord},
	{name: "instagram", max: 255},
	{name: "email", max: 255, check: email},
	{name: "phone_calling_code", max: 4, clean: digits, check: matches(`^[0-9]{1,3}$`, "not_a_phone")},
	{name: "phone_number", max: 15, check: matches(`^[0-9]{6,13}$`, "not_a_phone")},
	{name: "owner_name", max: 255},
	{name: "owner_position", max: 40, clean: enumWord},
	{name: "owner_email", max: 255, check: email},
	{name: "owner_phone_calling_code", max: 4, clean: digits, check: matches(`^[0-9]{1,3}$`, "not_a_phone")},
	{name: "owner_phone_number", max: 15, check: matches(`^[0-9]{6,13}$`, "not_a_phone")},
	{name: "owner_birth_date", max: 10, check: pastDate},
	{name: "owner_gender", max: 1, clean: upper, check: oneOf("M", "F")},
	{name: "owner_nationality", max: 2, clean: upper, check: matches(`^[A-Z]{2}$`, "unknown_choice")},
	{name: "npwp", max: 16, clean: digits, check: matches(`^[0-9]{15,16}$`, "not_numeric")},
	{name: "nib", max: 13, clean: digits, check: matches(`^[0-9]{13}$`, "not_numeric")},
	{name: "address_street", max: 255},
	{name: "address_area", max: 255},
	{name: "address_country", max: 2, clean: upper, check: matches(`^[A-Z]{2}$`, "unknown_choice")},
	{name: "bank_id", max: 40},
	{name: "bank_name", max: 120},
	{name: "bank_account_name", max: 255},
	{name: "bank_account_number", max: 34, clean: compact, check: matches(`^[0-9A-Za-z]{4,34}$`, "not_alphanumeric")},
	{name: "responsible", max: 18, check: matches(`^[1-9][0-9]*$`, "unknown_choice")},
	{name: "due_on", max: 10, check: date},
	{name: "notes", max: 4000, lines: true},
}

var requiredFields = []string{"name", "business_type", "legal_entity", "business_line", "nationality"}

// read cleans and checks what was typed. A fault.Invalid names every field that was refused.
func (f MerchantForm) read() (MerchantForm, error) {
	clean, refused := MerchantForm{}, []fault.Field(nil)
	refuse := func(name, code string, pairs ...any) {
		refused = append(refused, fault.Field{Name: name, Code: code, Params: fault.Pairs(pairs...)})
	}
	for _, r := range merchantRules {
		v := oneLine(f[r.name])
		if r.lines {
			v = manyLines(f[r.name])
		}
		if r.clean != nil {
			v = r.clean(v)
		}
		clean[r.name] = v
	}
	for _, whose := range []string{"", "owner_"} {
		clean[whose+"phone_number"] = phone(clean[whose+"phone_number"], orElse(clean[whose+"phone_calling_code"], "62"))
	}
	for _, r := range merchantRules {
		v := clean[r.name]
		switch {
		case v == "" && slices.Contains(requiredFields, r.name):
			refuse(r.name, "required")
		case v == "":
		case utf8.RuneCountInString(v) > r.max:
			refuse(r.name, "too_long", "max", r.max)
		case r.check != nil:
			if code := r.check(clean, v); code != "" {
				refuse(r.name, code)
			}
		}
	}
	return clean, fault.Refused(refused)
}

func upper(s string) string { return strings.ToUpper(s) }

// enumWord writes a value the way DOKU writes its own: FOOD_AND_BEVERAGE.
func enumWord(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToUpper(s), func(r rune) bool { return r == ' ' || r == '-' || r == '_' }), "_")
}

// oneLine is a text without line breaks and the like, spaces at its ends, and runs of them.
func oneLine(s string) string {
	return strings.TrimFunc(strings.Join(strings.Fields(printable(s)), " "), invisible)
}

// manyLines is a text whose only control characters are line breaks; nothing when there is nothing in it to see.
func manyLines(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(printable(line), " ")
	}
	return strings.TrimFunc(strings.Join(lines, "\n"), invisible)
}

// invisible are spaces, and characters that join or order others and show nothing by themselves.
func invisible(r rune) bool { return unicode.IsSpace(r) || !unicode.IsGraphic(r) }

// compact is a number without what people put between its digits; other characters stay, to be refused.
func compact(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' {
			return -1
		}
		return r
	}, s)
}

// digits is compact for what may also be written with slashes, brackets or a plus.
func digits(s string) string {
	return strings.NewReplacer("/", "", "(", "", ")", "", "+", "").Replace(compact(s))
}

// phone is a number as DOKU wants it: digits, without the country's code and without leading zeros. With a plus or 00 the
// code must be the given one; a plus that is left refuses the number. An Indonesian mobile number may come with its bare
// code, which no number within the country can be taken for: 0628, of Karo, has fewer digits.
func phone(s, code string) string {
	n := digits(s)
	switch foreign := strings.HasPrefix(strings.TrimLeft(s, " ("), "+"); {
	case foreign || strings.HasPrefix(n, "00"):
		rest, ours := strings.CutPrefix(strings.TrimPrefix(n, "00"), code)
		if !ours {
			return "+" + n
		}
		n = rest
	case code == "62" && strings.HasPrefix(n, "628") && len(n) >= 11:
		n = n[2:]
	}
	return strings.TrimLeft(n, "0")
}

func oneOf(values ...string) func(MerchantForm, string) string {
	return func(_ MerchantForm, v string) string {
		if slices.Contains(values, v) {
			return ""
		}
		return "unknown_choice"
	}
}

func matches(pattern, code string) func(MerchantForm, string) string {
	re := regexp.MustCompile(pattern)
	return func(_ MerchantForm, v string) string {
		if re.MatchString(v) {
			return ""
		}
		return code
	}
}

func legalEntity(f MerchantForm, v string) string {
	if slices.Contains(doku.LegalEntities(f["business_type"]), v) {
		return ""
	}
	return "unknown_choice"
}

func email(_ MerchantForm, v string) string {
	if a, err := mail.ParseAddress(v); err == nil && a.Address == v && strings.Contains(v[strings.LastIndex(v, "@"):], ".") {
		return ""
	}
	return "not_an_email"
}

func date(_ MerchantForm, v string) string {
	if _, err := time.Parse(time.DateOnly, v); err != nil {
		return "not_a_date"
	}
	return ""
}

func pastDate(_ MerchantForm, v string) string {
	t, err := time.Parse(time.DateOnly, v)
	if err != nil || t.Year() < 1900 || t.After(time.Now()) {
		return "not_a_date"
	}
	return ""
}
