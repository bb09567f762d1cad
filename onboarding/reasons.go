package onboarding

import (
	"cmp"
	"slices"

	"berkas/doku"
	"berkas/models"
)

// Reason is one entry of the vocabulary in which the portal's checks, the reviewers and, through a person, DOKU say why a
// document does not do. Its sentences are in internal/words, unless an admin wrote others. Codes are retired, never deleted.
type Reason struct {
	Code      string
	Gravity   Gravity
	Retry     bool   // another file can mend it
	Shareable bool   // its text may reach the merchant
	Action    string // what mends it
	Reviewer  bool   // reviewers choose it; the others are the portal's own
}

// Gravity orders reasons that apply together, the gravest first.
type Gravity int

const (
	Fraud Gravity = iota
	Expired
	WrongType
	Unreadable
	Incomplete
	Mismatch
	OtherReason
)

func (g Gravity) String() string {
	return [...]string{"fraud", "expired", "wrong_type", "unreadable", "incomplete", "mismatch", "other"}[g]
}

// OtherCode needs a note that says what.
const OtherCode = "other"

// RefusedByDOKU stands for DOKU's no until a person chose a better reason.
const RefusedByDOKU = "refused_by_doku"

// minNote is how long the note beside OtherCode must be, in characters.
const minNote = 10

// Reasons is the vocabulary, the gravest first.
var Reasons = []Reason{
	{"suspected_manipulation", Fraud, false, false, "escalate", true},
	{"fraudulent", Fraud, false, false, "escalate", true},
	{"used_by_other_merchant", Fraud, false, false, "review", true},
	{"policy_rejected", Fraud, false, false, "none", true},
	{"document_expired", Expired, true, true, "renew", true},
	{"document_too_old", Expired, true, true, "newer", true},
	{"wrong_document", WrongType, true, true, "other_document", true},
	{"not_ektp", WrongType, true, true, "other_document", true},
	{"country_not_supported", WrongType, true, true, "other_document", true},
	{"photocopy", WrongType, true, true, "original", true},
	{"screenshot", WrongType, true, true, "original", true},
	{"duplicate_file", WrongType, true, true, "other_document", true},
	{"image_blurry", Unreadable, true, true, "retake", true},
	{"image_glare", Unreadable, true, true, "retake", true},
	{"image_too_dark", Unreadable, true, true, "retake", true},
	{"image_low_resolution", Unreadable, true, true, "retake", true},
	{"image_cropped", Unreadable, true, true, "retake", true},
	{"image_obscured", Unreadable, true, true, "retake", true},
	{"image_black_and_white", Unreadable, true, true, "retake", true},
	{"document_damaged", Unreadable, true, true, "replace", true},
	{"missing_front", Incomplete, true, true, "add_page", true},
	{"missing_back", Incomplete, true, true, "add_page", true},
	{"same_side_twice", Incomplete, true, true, "add_page", true},
	{"missing_page", Incomplete, true, true, "add_page", true},
	{"incomplete_data", Incomplete, true, true, "retake", true},
	{"not_signed", Incomplete, true, true, "sign", true},
	{"stamp_missing", Incomplete, true, true, "sign", true},
	{"issue_or_expiry_date_missing", Incomplete, true, true, "retake", true},
	{"company_name_missing", Incomplete, true, true, "other_document", true},
	{"id_number_missing", Incomplete, true, true, "other_document", true},
	{"address_missing", Incomplete, true, true, "other_document", true},
	{"needs_translation", Incomplete, true, true, "add_page", true},
	{"signature_page_owner_unclear", Incomplete, true, true, "additional", true},
	{"owners_missing", Incomplete, true, true, "additional", true},
	{"directors_missing", Incomplete, true, true, "additional", true},
	{"additional_document_required", Incomplete, true, true, "additional", true},
	{"name_mismatch", Mismatch, true, true, "other_document", true},
	{"id_number_mismatch", Mismatch, true, true, "fix_data", true},
	{"address_mismatch", Mismatch, true, true, "fix_data", true},
	{"dob_mismatch", Mismatch, true, true, "fix_data", true},
	{"directors_mismatch", Mismatch, true, true, "fix_data", true},
	{"business_activity_mismatch", Mismatch, true, true, "fix_data", true},
	{"bank_account_mismatch", Mismatch, true, true, "other_document", true},
	{"photo_mismatch", Mismatch, true, true, "retake", true},
	{OtherCode, OtherReason, true, true, "contact", true},
	{"file_empty", Unreadable, true, true, "reupload", false},
	{"file_corrupt", Unreadable, true, true, "reupload", false},
	{"file_password_protected", Unreadable, true, true, "unlock", false},
	{"file_too_large", Unreadable, true, true, "reupload", false},
	{"file_too_small", Unreadable, true, true, "reupload", false},
	{"file_type_not_allowed", WrongType, true, true, "reupload", false},
	{"file_content_mismatch", WrongType, true, true, "reupload", false},
	{"file_dimensions_exceeded", Unreadable, true, true, "reupload", false},
	{"file_malware", Fraud, true, true, "reupload", false},
	{"file_url_not_allowed", OtherReason, true, true, "reupload", false},
	{"form_field_invalid", Mismatch, true, true, "fix_data", false},
	{RefusedByDOKU, OtherReason, true, true, "reupload", false},
	{LostAtDOKU, OtherReason, true, true, "reupload", false},
	{"upload_failed", OtherReason, true, false, "retry", false},
	{"registry_unavailable", OtherReason, true, false, "wait", false},
}

// ReasonOf a code. false when the vocabulary lacks it.
func ReasonOf(code string) (Reason, bool) {
	i := slices.IndexFunc(Reasons, func(r Reason) bool { return r.Code == code })
	if i < 0 {
		return Reason{}, false
	}
	return Reasons[i], true
}

// OfferedReasons are those a reviewer may choose for a document, the gravest first.
func OfferedReasons(settings []models.ReasonSetting, category, code string) (offered []Reason) {
	for _, r := range Reasons {
		if r.Reviewer && !switchedOff(settings, r.Code, category, code) {
			offered = append(offered, r)
		}
	}
	return offered
}

func switchedOff(settings []models.ReasonSetting, reason, category, code string) bool {
	return slices.ContainsFunc(settings, func(s models.ReasonSetting) bool {
		return s.Code == reason && (slices.Contains(s.OffFor, "*") || slices.Contains(s.OffFor, DocumentCode(category, code)))
	})
}

// DocumentCode is what a kind of document is called: its code, outside DOCUMENT its category.
func DocumentCode(category, code string) string { return orElse(code, category) }

// gravest orders reason codes, each once.
func gravest(codes []string) []string {
	sorted := slices.Clone(codes)
	slices.SortStableFunc(sorted, func(a, b string) int {
		x, _ := ReasonOf(a)
		y, _ := ReasonOf(b)
		return cmp.Or(cmp.Compare(x.Gravity, y.Gravity), cmp.Compare(a, b))
	})
	return slices.Compact(sorted)
}

// KindOf is the category and code that DocumentCode calls so.
func KindOf(name string) (category, code string) {
	if slices.Contains(doku.Categories(), name) && name != doku.CategoryDocument {
		return name, ""
	}
	return doku.CategoryDocument, name
}
