package onboarding

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
)

// callbackPath is where DOKU reports to, followed by what nobody can guess.
const callbackPath = "/doku/callbacks/"

// registration is the body of Business Registration, field by field after the page, and where each document stands in it. What
// the page wants and nobody typed has its usual value; Preflight says what has none.
func (s *Service) registration(d models.Dossier, rows []models.ChecklistRow, callback string) (*doku.RegistrationBody, []models.Attachment, error) {
	f, err := s.typed(d)
	if err != nil {
		return nil, nil, err
	}
	m := d.Merchant
	b := &builder{Service: s, m: m, business: doku.BusinessForm{
		Type: m.BusinessType, CallbackURL: callback, LegalEntity: m.LegalEntity, Name: m.Name, Description: orElse(m.Description, m.Name),
		Email: f["email"], PhoneCallingCode: callingCode(f, ""), PhoneNumber: phoneNumber(f, ""),
		WebsiteReadiness: orElse(m.WebsiteReadiness, "DONT_HAVE"), MobileAppReadiness: orElse(m.MobileAppReadiness, "DONT_HAVE"),
		Brands: []doku.BrandForm{{Name: orElse(f["brand_name"], m.Name), Category: orElse(f["brand_category"], brandCategory(m)), Description: orElse(m.Description, m.Name),
			TransactionFrequency: f["transaction_frequency"], TransactionQuantity: f["transaction_quantity"], SocialMedia: socialMedia(d)}},
		Addresses: []doku.AddressForm{{Area: m.AddressArea, Country: orElse(m.AddressCountry, m.Nationality), Name: m.AddressStreet, Primary: true}},
		Contacts: []doku.ContactForm{{Name: f["owner_name"], Email: f["owner_email"], Nationality: f["owner_nationality"], PhoneCallingCode: callingCode(f, "owner_"),
			PhoneNumber: phoneNumber(f, "owner_"), Position: f["owner_position"], Primary: true}},
	}}
	if f["bank_account_number"] != "" {
		b.business.BankAccount = &doku.BankAccount{AccountName: m.BankAccountName, AccountNumber: f["bank_account_number"], BankID: m.BankID, BankName: m.BankName, Country: "ID", Currency: "IDR"}
	}
	for _, row := range rows {
		if doc := row.Newest(); Asked(row) && doc != nil && doc.State == models.Delivered {
			if err := b.attach(row, *doc); err != nil {
				return nil, nil, err
			}
		}
	}
	return &doku.RegistrationBody{Business: b.business}, b.documents, nil
}

// callingCode and phoneNumber are those of the business, or of "owner_": digits without plus and leading zeros.
func callingCode(f MerchantForm, whose string) string {
	if f[whose+"phone_number"] == "" {
		return ""
	}
	return orElse(f[whose+"phone_calling_code"], "62")
}

func phoneNumber(f MerchantForm, whose string) string {
	return phone(f[whose+"phone_number"], orElse(f[whose+"phone_calling_code"], "62"))
}

// brandCategory is what a line of business comes under where nobody chose.
func brandCategory(m models.Merchant) string {
	if m.BusinessLine == doku.Retail {
		return doku.BrandRetail
	}
	return doku.BrandNonRetail
}

func socialMedia(d models.Dossier) (list []doku.SocialMedia) {
	for _, b := range d.Brands[:min(1, len(d.Brands))] {
		for _, social := range b.SocialMedia {
			list = append(list, doku.SocialMedia{Code: social.Code, Accounts: social.Accounts})
		}
	}
	return list
}

// builder puts a merchant's documents into the body of its registration and notes where each stands.
type builder struct {
	*Service
	m         models.Merchant
	business  doku.BusinessForm
	documents []models.Attachment
}

func (b *builder) attach(row models.ChecklistRow, doc models.Document) error {
	contact, brand := &b.business.Contacts[0], &b.business.Brands[0]
	switch {
	case row.Category == doku.CategoryPhotoProof:
		b.at(doc, "business.brands[0].photo_proofs[%d]", len(brand.PhotoProofs))
		brand.PhotoProofs = append(brand.PhotoProofs, doku.FileRef{ID: doc.FileID})
	case row.Category == doku.CategoryOwnerLiveness && contact.OwnerLiveness == nil:
		b.at(doc, "business.contacts[0].owner_liveness")
		contact.OwnerLiveness = &doku.FileRef{ID: doc.FileID}
	case row.Category == doku.CategoryDocument:
		form, err := b.documentForm(row, doc)
		if err != nil {
			return err
		}
		list, place := &b.business.Documents, "business.documents[%d]"
		if strings.HasPrefix(row.OwnerPath, "business.contact") {
			list, place = &contact.Documents, "business.contacts[0].documents[%d]"
		}
		b.at(doc, place, len(*list))
		*list = append(*list, form)
	}
	return nil
}

func (b *builder) at(doc models.Document, format string, args ...any) {
	b.documents = append(b.documents, models.Attachment{DocumentID: doc.ID, Place: fmt.Sprintf(format, args...)})
}

func (b *builder) documentForm(row models.ChecklistRow, doc models.Document) (doku.DocumentForm, error) {
	form := doku.DocumentForm{Code: row.Code, Category: row.Category, ID: doc.FileID}
	for _, asked := range row.Form {
		for _, f := range row.Fields {
			if f.Code != asked.Code {
				continue
			}
			v, err := b.Vault.OpenString(f.Value, fieldSeal(b.m.UID, row.Slot, f.Code))
			if err != nil {
				return form, err
			}
			form.Forms = append(form.Forms, doku.FormValue{Code: f.Code, Value: v})
		}
	}
	return form, nil
}

// invitation is the body of Create Business Lite: our reference is the merchant's uid.
func (s *Service) invitation(d models.Dossier) (*doku.LiteBody, error) {
	f, err := s.typed(d)
	if err != nil {
		return nil, err
	}
	address := orElse(f["owner_email"], f["email"])
	return &doku.LiteBody{
		Business: doku.LiteBusiness{PartnerRefID: d.Merchant.UID, Name: d.Merchant.Name,
			Contact: doku.LiteContact{Name: f["owner_name"], Email: address, PhoneCallingCode: callingCode(f, ""), PhoneNumber: phoneNumber(f, "")}},
		InvitedUser: doku.LiteUser{Email: address},
	}, nil
}

// neededFields are those of the merchant's form that DOKU's page makes mandatory and that have no usual value.
var neededFields = map[models.SubmissionKind][]string{
	models.KindRegistration: {"email", "phone_number", "owner_name", "address_area", "address_street"},
	models.KindLite:         {"owner_name", "email", "phone_number"},
}

// Lack is one thing that keeps a merchant from being registered. Its sentence is "lack." + Code.
type Lack struct {
	Code     string
	Slot     models.SlotID // 0: none
	Category string
	DocCode  string
	Field    string // of the merchant's form; of a slot's own, with Slot
	Why      string // the code of a field's refusal
	Params   fault.Params
}

// lacks are everything that is missing for a submission: of the merchant, of its slots and of what was typed.
func (s *Service) lacks(kind models.SubmissionKind, d models.Dossier, rows []models.ChecklistRow) ([]Lack, error) {
	m := d.Merchant
	switch {
	case m.ArchivedAt != nil:
		return []Lack{{Code: "archived"}}, nil
	case m.Locked:
		return []Lack{{Code: "submitted"}}, nil
	case m.Registration != models.NotSubmitted:
		return []Lack{{Code: "unmended"}}, nil
	}
	var list []Lack
	if kind == models.KindRegistration {
		if m.SetID == nil {
			list = append(list, Lack{Code: "no_checklist"})
		}
		for _, row := range rows {
			if Asked(row) {
				list = append(list, slotLacks(row)...)
			}
		}
	}
	typed, err := s.typed(d)
	if err != nil {
		return nil, err
	}
	return append(list, fieldLacks(kind, typed)...), nil
}

// Lacks are what keeps a merchant from being registered.
func (s *Service) Lacks(d models.Dossier, rows []models.ChecklistRow) ([]Lack, error) {
	return s.lacks(models.KindRegistration, d, rows)
}

// slotLacks are why a slot is not ready to be registered: its document must be at DOKU and approved, its fields typed.
func slotLacks(row models.ChecklistRow) (list []Lack) {
	lack := func(code, field string) {
		list = append(list, Lack{Code: code, Slot: row.ID, Category: row.Category, DocCode: row.Code, Field: field})
	}
	switch d := row.Newest(); {
	case d == nil: // its fields are typed with it
		lack("missing", "")
		return list
	case d.State != models.Delivered:
		lack(string(d.State), "")
	case d.Review == string(models.Refuse):
		lack("rejected", "")
	case d.Review != string(models.Approve) && d.FirstApprovedBy != nil:
		lack("second", "")
	case d.Review != string(models.Approve):
		lack("undecided", "")
	}
	for _, f := range MissingFields(row) {
		lack("field", f.Code)
	}
	return list
}

// fieldLacks are the fields of the merchant's form that are empty and must not be, or that their rules refuse by now.
func fieldLacks(kind models.SubmissionKind, typed MerchantForm) (list []Lack) {
	for _, name := range neededFields[kind] {
		if typed[name] == "" {
			list = append(list, Lack{Code: "typed_missing", Field: name})
		}
	}
	if _, err := typed.read(); err != nil {
		for _, f := range fault.As(err).Fields {
			list = append(list, Lack{Code: "typed_invalid", Field: f.Name, Why: f.Code, Params: f.Params})
		}
	}
	return list
}

// SentField is one value of a request's body as it may be shown.
type SentField struct {
	Path       string // DOKU's, such as business.contacts[0].name
	Field      string // of our form that it comes from; "" for none
	Value      string // masked where it is personal
	Documented bool   // by the page; everything else rests on an assumption
}

// bodyField is what is known of a field of the body.
type bodyField struct {
	field      string
	documented bool
	mask       func(string) string
}

// bodyFields are the fields of both bodies by DOKU's path, without the numbers of lists. What is not here is assumed, and masked.
var bodyFields = map[string]bodyField{
	"business.type":                                {"business_type", true, nil},
	"business.callback_url":                        {"", true, maskCallback},
	"business.legal_entity":                        {"legal_entity", true, nil},
	"business.name":                                {"name", true, nil},
	"business.description":                         {"description", true, nil},
	"business.email":                               {"email", true, maskEmail},
	"business.phone_calling_code":                  {"phone_calling_code", true, nil},
	"business.phone_number":                        {"phone_number", true, Mask},
	"business.website_readiness":                   {"website_readiness", true, nil},
	"business.mobile_app_readiness":                {"mobile_app_readiness", true, nil},
	"business.brands[].name":                       {"brand_name", true, nil},
	"business.brands[].category":                   {"brand_category", true, nil},
	"business.brands[].description":                {"description", true, nil},
	"business.brands[].transaction_frequency":      {"transaction_frequency", true, nil},
	"business.brands[].transaction_quantity":       {"transaction_quantity", true, nil},
	"business.brands[].social_media[].code":        {"", true, nil},
	"business.brands[].social_media[].accounts[]":  {"instagram", true, nil},
	"business.brands[].photo_proofs[].id":          {"", true, nil},
	"business.addresses[].area":                    {"address_area", true, nil},
	"business.addresses[].country":                 {"address_country", true, nil},
	"business.addresses[].name":                    {"address_street", true, nil},
	"business.addresses[].primary":                 {"", true, nil},
	"business.contacts[].name":                     {"owner_name", true, nil},
	"business.contacts[].email":                    {"owner_email", false, maskEmail},
	"business.contacts[].nationality":              {"owner_nationality", false, nil},
	"business.contacts[].phone_calling_code":       {"owner_phone_calling_code", false, nil},
	"business.contacts[].phone_number":             {"owner_phone_number", false, Mask},
	"business.contacts[].position":                 {"owner_position", false, nil},
	"business.contacts[].primary":                  {"", false, nil},
	"business.contacts[].owner_liveness.id":        {"", false, nil},
	"business.contacts[].documents[].code":         {"", false, nil},
	"business.contacts[].documents[].category":     {"", false, nil},
	"business.contacts[].documents[].id":           {"", false, nil},
	"business.contacts[].documents[].forms[].code": {"", false, nil},
	"business.documents[].code":                    {"", false, nil},
	"business.documents[].category":                {"", false, nil},
	"business.documents[].id":                      {"", false, nil},
	"business.documents[].forms[].code":            {"", false, nil},
	"business.bank_account.account_name":           {"bank_account_name", false, nil},
	"business.bank_account.account_number":         {"bank_account_number", false, Mask},
	"business.bank_account.bank_id":                {"bank_id", false, nil},
	"business.bank_account.bank_name":              {"bank_name", false, nil},
	"business.bank_account.country":                {"", false, nil},
	"business.bank_account.currency":               {"", false, nil},
	"business.partner_ref_id":                      {"", true, nil},
	"business.contact.name":                        {"owner_name", true, nil},
	"business.contact.email":                       {"owner_email", true, maskEmail},
	"business.contact.phone_calling_code":          {"phone_calling_code", true, nil},
	"business.contact.phone_number":                {"phone_number", true, Mask},
	"invited_user.email":                           {"owner_email", true, maskEmail},
}

// maskCallback hides the end of the address that nobody is to guess.
func maskCallback(address string) string {
	base, _, _ := strings.Cut(address, callbackPath)
	return base + callbackPath + "••••"
}

// shown is a body, value by value in the order it is sent in, as it may be shown: exactly what goes to DOKU, for it is read
// from those bytes. The body of CORPORATE is documented nowhere.
func shown(body []byte, corporate bool) (list []SentField, err error) {
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.UseNumber()
	err = eachValue(dec, "", func(path, value string) {
		known, ok := bodyFields[listNumber.ReplaceAllString(path, "[]")]
		switch {
		case !ok:
			value = Mask(value)
		case known.mask != nil:
			value = known.mask(value)
		}
		list = append(list, SentField{Path: path, Field: known.field, Value: value, Documented: known.documented && !corporate})
	})
	return list, err
}

var listNumber = regexp.MustCompile(`\[\d+\]`)

// eachValue walks the next value of a JSON text in its order: objects by their keys, lists by their numbers.
func eachValue(dec *json.Decoder, path string, found func(path, value string)) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	delim, nested := t.(json.Delim)
	if !nested {
		found(path, fmt.Sprint(t))
		return nil
	}
	for i := 0; dec.More(); i++ {
		at := fmt.Sprintf("%s[%d]", path, i)
		if delim == '{' {
			key, err := dec.Token()
			if err != nil {
				return err
			}
			at = strings.TrimPrefix(path+"."+fmt.Sprint(key), ".")
		}
		if err := eachValue(dec, at, found); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}
