package views

import (
	"fmt"
	"net/url"
	"strings"
)

// The portal's addresses. Nothing else spells one.

// listURL is a list's address with a query, and the place where it goes on.
func listURL(path string, q url.Values, after string) string {
	if after != "" {
		q.Set("after", after)
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

func HomeURL() string                   { return "/" }
func LoginURL() string                  { return "/login" }
func DemoLoginURL() string              { return "/login/demo" }
func LogoutURL() string                 { return "/logout" }
func PreferencesURL() string            { return "/preferences" }
func MerchantsURL() string              { return "/merchants" }
func ChangeMerchantsURL() string        { return "/merchants/change" }
func ViewsURL() string                  { return "/merchants/views" }
func ViewURL(id int64) string           { return fmt.Sprintf("/merchants/views/%d", id) }
func DeleteViewURL(id int64) string     { return fmt.Sprintf("/merchants/views/%d/delete", id) }
func ExportURL(f MerchantFilter) string { return listURL("/merchants/export", f.Query(), "") }
func ExportFileURL(f MerchantFilter, format string) string {
	return listURL("/merchants."+format, f.Query(), "")
}
func NewMerchantURL() string              { return "/merchants/new" }
func MerchantURL(id int64) string         { return fmt.Sprintf("/merchants/%d", id) }
func EditMerchantURL(id int64) string     { return fmt.Sprintf("/merchants/%d/edit", id) }
func ArchiveMerchantURL(id int64) string  { return fmt.Sprintf("/merchants/%d/archive", id) }
func RestoreMerchantURL(id int64) string  { return fmt.Sprintf("/merchants/%d/restore", id) }
func ReadRequirementsURL(id int64) string { return fmt.Sprintf("/merchants/%d/requirements", id) }
func ChecklistURL(id int64) string        { return fmt.Sprintf("/merchants/%d/checklist", id) }
func DocumentsURL(id int64) string        { return fmt.Sprintf("/merchants/%d/documents", id) }
func SlotsURL(id int64) string            { return fmt.Sprintf("/merchants/%d/slots", id) }
func SlotURL(merchant, slot int64) string {
	return fmt.Sprintf("/merchants/%d/slots/%d", merchant, slot)
}
func SlotFieldsURL(merchant, slot int64) string {
	return fmt.Sprintf("/merchants/%d/slots/%d/fields", merchant, slot)
}
func RemoveSlotURL(merchant, slot int64) string {
	return fmt.Sprintf("/merchants/%d/slots/%d/remove", merchant, slot)
}
func EvidenceURL(merchant int64) string { return fmt.Sprintf("/merchants/%d/evidence", merchant) }
func BundleURL(merchant, bundle int64) string {
	return fmt.Sprintf("/merchants/%d/evidence/%d", merchant, bundle)
}
func RegisterURL(merchant int64) string { return fmt.Sprintf("/merchants/%d/register", merchant) }
func InviteURL(merchant int64) string   { return fmt.Sprintf("/merchants/%d/invite", merchant) }
func RegistrationURL(merchant int64) string {
	return fmt.Sprintf("/merchants/%d/registration", merchant)
}
func SharedKeyURL(merchant int64) string { return fmt.Sprintf("/merchants/%d/key", merchant) }
func SubmissionURL(merchant, submission int64) string {
	return fmt.Sprintf("/merchants/%d/submissions/%d", merchant, submission)
}

// SettleURL is where a person says what came of a submission. How: found, absent or mend.
func SettleURL(merchant, submission int64, how string) string {
	return SubmissionURL(merchant, submission) + "/" + how
}
func DocumentURL(id int64) string    { return fmt.Sprintf("/documents/%d", id) }
func FileURL(id int64) string        { return fmt.Sprintf("/documents/%d/file", id) }
func DownloadURL(id int64) string    { return fmt.Sprintf("/documents/%d/file?download=1", id) }
func ThumbnailURL(id int64) string   { return fmt.Sprintf("/documents/%d/thumbnail", id) }
func PageURL(id int64, n int) string { return fmt.Sprintf("/documents/%d/pages/%d", id, n) }
func RetryURL(id int64) string       { return fmt.Sprintf("/documents/%d/retry", id) }
func WithdrawURL(id int64) string    { return fmt.Sprintf("/documents/%d/withdraw", id) }
func RotateURL(id int64) string      { return fmt.Sprintf("/documents/%d/rotate", id) }

func PeopleURL() string                { return "/people" }
func NeverSignedInURL() string         { return "/people?signed_in=never" }
func NewPersonURL() string             { return "/people/new" }
func PersonURL(id int64) string        { return fmt.Sprintf("/people/%d", id) }
func DisablePersonURL(id int64) string { return fmt.Sprintf("/people/%d/disable", id) }
func EnablePersonURL(id int64) string  { return fmt.Sprintf("/people/%d/enable", id) }
func ResetPasswordURL(id int64) string { return fmt.Sprintf("/people/%d/password", id) }
func MeURL() string                    { return "/me" }
func ChangePasswordURL() string        { return "/me/password" }
func EndOtherSessionsURL() string      { return "/me/sessions/end" }
func EndSessionURL(id int64) string    { return fmt.Sprintf("/me/sessions/%d/end", id) }

// ChangePasswordNextURL asks for another password and comes back to next.
func ChangePasswordNextURL(next string) string {
	return ChangePasswordURL() + "?next=" + url.QueryEscape(next)
}

// MessageURL writes to a merchant in a language, "" for the usual one. SentURL is a message that was kept.
func MessageURL(id int64, language string) string {
	if language == "" {
		return fmt.Sprintf("/merchants/%d/message", id)
	}
	return fmt.Sprintf("/merchants/%d/message?language=%s", id, language)
}
func MessagesURL(id int64) string { return fmt.Sprintf("/merchants/%d/messages", id) }
func SentURL(merchant, id int64) string {
	return fmt.Sprintf("/merchants/%d/messages/%d", merchant, id)
}
func CommentsURL(id int64) string         { return fmt.Sprintf("/merchants/%d/comments", id) }
func SettingsURL() string                 { return "/settings" }
func ReasonSettingURL(code string) string { return "/settings/reasons/" + code }

func HealthURL() string                  { return "/health" }
func DifferencesURL() string             { return "/differences" }
func AskStatusURL(merchant int64) string { return fmt.Sprintf("/merchants/%d/status", merchant) }
func HoldURL(merchant int64) string      { return fmt.Sprintf("/merchants/%d/hold", merchant) }
func RetryAllURL() string                { return "/health/retry" }

// LoginNextURL asks for a sign-in and comes back to next.
func LoginNextURL(next string) string { return LoginURL() + "?next=" + url.QueryEscape(next) }

func AuditURL() string { return "/audit" }

// AuditPageURL is the trail filtered, behind a cursor; AuditCSVURL the same to take away, from the newest on.
func AuditPageURL(f AuditFilter, after string) string { return AuditURL() + f.query(after) }
func AuditCSVURL(f AuditFilter) string                { return "/audit.csv" + f.query("") }
func FindURL() string                                 { return "/merchants/find" }

func ReviewURL() string          { return "/review" }
func NextReviewURL() string      { return "/review/next" }
func ApproveURL(id int64) string { return fmt.Sprintf("/documents/%d/approve", id) }
func RefuseURL(id int64) string  { return fmt.Sprintf("/documents/%d/refuse", id) }
func UndoURL(id int64) string    { return fmt.Sprintf("/documents/%d/undo", id) }
func AskURL(id int64) string     { return fmt.Sprintf("/documents/%d/ask", id) }
func SnoozeURL(id int64) string  { return fmt.Sprintf("/documents/%d/snooze", id) }
func FactsURL(id int64) string   { return fmt.Sprintf("/documents/%d/facts", id) }
func LookURL(id int64) string    { return fmt.Sprintf("/documents/%d/look", id) }

// ReviewPageURL is the queue filtered, behind a cursor; InReviewURL a document of it, from which the queue goes on.
func ReviewPageURL(f ReviewFilter, after string) string { return ReviewURL() + f.query(after) }
func InReviewURL(id int64, f ReviewFilter) string       { return DocumentURL(id) + f.query("") }

// CompareURL is a document with another one beside it; AheadURL one that is only loaded ahead.
func CompareURL(id int64, other string, f ReviewFilter) string {
	return withQuery(InReviewURL(id, f), "compare", other)
}
func AheadURL(id int64, f ReviewFilter) string { return withQuery(InReviewURL(id, f), "preload", "1") }

func withQuery(address, name, value string) string {
	mark := "?"
	if strings.Contains(address, "?") {
		mark = "&"
	}
	return address + mark + url.Values{name: {value}}.Encode()
}
