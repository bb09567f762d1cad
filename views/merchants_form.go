package views

import (
	"context"
	"encoding/json"
	"slices"
	"sort"

	"github.com/a-h/templ"

	"berkas/internal/words"
)

// MerchantFormPage creates or edits a merchant. Values and Errors are keyed by the form field's name; an error is
// catalogue "fault." + Code.
type MerchantFormPage struct {
	Page          Page
	ID            int64 // 0: a new one
	Name          string
	Values        map[string]string
	Errors        map[string]Message
	LegalEntities map[string][]string // business type → legal entities (DOKU's values)
	BusinessLines map[string][]string // business type → known lines; the list is open: another may be typed
	Colleagues    []Option
	Duplicates    []DuplicateView // merchants that look the same; shown once, a second post with "confirm" goes through
	Locked        bool            // registered: what decides the checklist can no longer be changed
}

// DuplicateView is a merchant that looks like the one being typed. Why: name, phone, email.
type DuplicateView struct {
	ID   int64
	Name string
	Why  []string
}

// The countries the forms offer; another ISO 3166 alpha-2 code may be typed.
var countries = []string{"ID", "SG", "MY", "CN", "HK", "TW", "JP", "KR", "IN", "TH", "VN", "PH", "AU", "NL", "DE", "FR", "GB", "US"}

var (
	ownerFields   = []string{"owner_name", "owner_position", "owner_birth_date", "owner_gender", "owner_nationality", "owner_email", "owner_phone_calling_code", "owner_phone_number"}
	contactFields = []string{"email", "phone_calling_code", "phone_number", "address_street", "address_area", "address_country"}
	brandFields   = []string{"brand_name", "description", "brand_category", "instagram", "website_readiness", "mobile_app_readiness", "transaction_frequency", "transaction_quantity"}
	bankFields    = []string{"bank_name", "bank_id", "bank_account_name", "bank_account_number"}
)

// The order of the fields on the page: errors are listed in it.
var formOrder = slices.Concat(
	[]string{"name", "business_type", "legal_entity", "business_line", "nationality", "responsible", "due_on", "notes"},
	ownerFields, contactFields, brandFields, bankFields, []string{"npwp", "nib"},
)

type inputOptions struct {
	Type                                                             string
	Required, Wide, Short, Numeric, Autofocus, Locked, Secret, Upper bool
	Max                                                              int
	List, Default, Hint                                              string
}

// kind is an input's type. One for dates would drop what was typed and is none.
func (v MerchantFormPage) kind(name string, o inputOptions) string {
	if _, wrong := v.Errors[name]; o.Type == "" || wrong && o.Type == "date" {
		return "text"
	}
	return o.Type
}

func (v MerchantFormPage) action() string {
	if v.ID == 0 {
		return MerchantsURL()
	}
	return MerchantURL(v.ID)
}

// value is what stands in a field: what was typed, else the default of a new merchant.
func (v MerchantFormPage) value(name string, o inputOptions) string {
	if value, typed := v.Values[name]; typed || v.ID != 0 && !o.Required && name != "phone_calling_code" && name != "owner_phone_calling_code" {
		return value
	}
	return o.Default
}

func (v MerchantFormPage) hint(ctx context.Context, name string, o inputOptions) string {
	switch {
	case o.Secret && v.Values[name+"_masked"] != "":
		return say(ctx, "form.stored", "masked", v.Values[name+"_masked"]) + ". " + say(ctx, "form.stored.hint")
	case o.Hint != "":
		return say(ctx, o.Hint)
	case words.Has("hint." + name):
		return say(ctx, "hint."+name)
	}
	return ""
}

// describe ties a field to its error and hint.
func (v MerchantFormPage) describe(ctx context.Context, name string, o inputOptions) templ.Attributes {
	attributes := templ.Attributes{}
	described := ""
	if _, wrong := v.Errors[name]; wrong {
		attributes["aria-invalid"] = "true"
		described = "f-" + name + "-error"
	}
	if v.hint(ctx, name, o) != "" {
		if described != "" {
			described += " "
		}
		described += "f-" + name + "-hint"
	}
	if described != "" {
		attributes["aria-describedby"] = described
	}
	return attributes
}

// filled counts the fields of a section that hold something beyond a default.
func (v MerchantFormPage) filled(names ...string) int {
	n := 0
	for _, name := range names {
		switch name {
		case "phone_calling_code", "owner_phone_calling_code":
			continue
		}
		if v.Values[name] != "" || v.Values[name+"_masked"] != "" {
			n++
		}
	}
	return n
}

// open says whether a section stands open: when something in it was refused.
func (v MerchantFormPage) open(names ...string) bool {
	for _, name := range names {
		if _, wrong := v.Errors[name]; wrong {
			return true
		}
	}
	return false
}

// errorNames are the refused fields in the order of the page.
func (v MerchantFormPage) errorNames() []string {
	var out []string
	for name := range v.Errors {
		out = append(out, name)
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := slices.Index(formOrder, out[i]), slices.Index(formOrder, out[j])
		return a < b || a == b && out[i] < out[j]
	})
	return out
}

func (v MerchantFormPage) allLines() []string {
	var out []string
	for _, kind := range []string{"PERSONAL", "CORPORATE"} {
		for _, line := range v.BusinessLines[kind] {
			if !slices.Contains(out, line) {
				out = append(out, line)
			}
		}
	}
	return out
}

func (v MerchantFormPage) legalJSON() string { return asJSON(v.LegalEntities) }
func (v MerchantFormPage) linesJSON() string { return asJSON(v.BusinessLines) }

func asJSON(value any) string {
	text, _ := json.Marshal(value)
	return string(text)
}

func (d DuplicateView) why(ctx context.Context) []string {
	out := make([]string, len(d.Why))
	for i, why := range d.Why {
		out[i] = say(ctx, "form.duplicate."+why)
	}
	return out
}
