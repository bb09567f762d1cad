package models

import (
	"context"
	"strings"
	"time"
)

// Actions are all actions, in the order they are offered.
var Actions = []Action{
	MerchantCreated, MerchantEdited, MerchantArchived, MerchantRestored, MerchantViewed, MerchantSearched, MerchantsExported, MerchantsSent,
	MerchantSubmitted, MerchantRegistered, SubmissionRedelivering, SubmissionUncertain, SubmissionStuck, SubmissionRefused, SubmissionRejected, SubmissionAbsent,
	SubmissionWithdrawn, SubmissionMended, KeyRevealed, StatusChanged, StatusAsked, CallbackReceived, HoldChanged,
	RequirementsRead, RequirementsChanged, RequirementsRefused, SlotAdded, SlotRemoved, FieldSet,
	DocumentUploaded, DocumentDelivered, DocumentChecked, DocumentRefused, DocumentGivenUp, DocumentRetried, DeliveriesRetried, DocumentWithdrawn,
	DocumentPurged, DocumentRotated, DocumentViewed, DocumentFetched,
	DocumentApproved, DocumentRejected, DocumentUndone, DocumentReopened, DocumentAsked, DocumentSnoozed, FactsRevealed, MessageRecorded, CommentAdded, EvidenceAsked, EvidenceMade, EvidenceDownloaded, ViewSaved, ViewChanged, ViewDeleted, SettingsChanged,
	PersonAdded, PersonChanged, PersonDisabled, PersonEnabled, PersonReset, PersonPreferred, PasswordChanged,
	SessionStarted, SessionEnded, SignInFailed, AuditExported, DeploymentBound, PortfolioSeeded,
}

// AuditFilter is the question the audit trail answers. Empty fields do not filter.
type AuditFilter struct {
	Person   PersonID
	Kind     ActorKind // nobody in person: system, cli, doku, anonymous
	Action   Action
	Merchant MerchantID
	From     time.Time
	Until    time.Time // not included
}

// AuditCursor is the last row of a page: the trail goes on behind it.
type AuditCursor struct {
	At time.Time
	ID int64
}

// AuditRow is one row of the audit trail, with the present names of what it is about.
type AuditRow struct {
	ID          int64
	At          time.Time
	ActorKind   ActorKind
	ActorID     PersonID
	ActorRole   Role
	Who         string
	Action      Action
	SubjectKind string
	SubjectID   int64
	Person      string // the subject's name where it is a person
	MerchantID  MerchantID
	Merchant    string
	Category    string // of the subject where it is a document
	Code        string
	Detail      map[string]any `gorm:"serializer:json"`
	RequestID   string
}

// Cursor is where the trail goes on behind this row.
func (r AuditRow) Cursor() *AuditCursor { return &AuditCursor{At: r.At, ID: r.ID} }

// AuditTrail of a filter, newest first, limit rows behind the cursor (nil: from the newest).
func (r Reader) AuditTrail(ctx context.Context, f AuditFilter, after *AuditCursor, limit int) ([]AuditRow, error) {
	sql, args := f.sql(after, limit)
	return scan[AuditRow](ctx, r, sql, args...)
}

func (f AuditFilter) sql(after *AuditCursor, limit int) (string, []any) {
	where, args := f.where(after)
	return auditRowsSQL(where, "a.at desc, a.id desc"), append(args, limit)
}

// auditRowsSQL reads audit rows; its last parameter is the limit.
func auditRowsSQL(where, order string) string {
	return `select a.id, a.at, a.actor_kind, coalesce(a.actor_id, 0) as actor_id, a.actor_role, coalesce(w.name, '') as who, a.action, a.subject_kind,
			coalesce(a.subject_id, 0) as subject_id, coalesce(p.name, '') as person, coalesce(a.merchant_id, m.id, 0) as merchant_id, coalesce(m.name, '') as merchant,
			coalesce(d.category, '') as category, coalesce(d.code, '') as code, a.detail, a.request_id
		from (select * from audit a where ` + where + ` order by ` + order + ` limit ?) a
		left join people w on w.id = a.actor_id
		left join people p on p.id = a.subject_id and a.subject_kind = 'person'
		left join merchants m on m.id = coalesce(a.merchant_id, case when a.subject_kind = 'merchant' then a.subject_id end)
		left join documents d on d.id = a.subject_id and a.subject_kind = 'document'
		order by ` + order
}

func (f AuditFilter) where(after *AuditCursor) (string, []any) {
	where, args := []string{"true"}, []any(nil)
	add := func(sql string, a ...any) { where, args = append(where, sql), append(args, a...) }
	if f.Person != 0 {
		add("a.actor_id = ?", f.Person)
	}
	if f.Kind != "" {
		add("a.actor_id is null and a.actor_kind = ?", f.Kind)
	}
	if f.Action != "" {
		add("a.action = ?", f.Action)
	}
	if f.Merchant != 0 {
		add("a.merchant_id = ?", f.Merchant)
	}
	if !f.From.IsZero() {
		add("a.at >= ?", f.From)
	}
	if !f.Until.IsZero() {
		add("a.at < ?", f.Until)
	}
	if after != nil {
		add("(a.at, a.id) < (?, ?)", after.At, after.ID)
	}
	return strings.Join(where, " and "), args
}

// MerchantsByKeys are the merchants one of whose personal values has one of the hashes, archived ones too, newest change
// first.
func (r Reader) MerchantsByKeys(ctx context.Context, keys []MerchantKey, limit int) ([]MerchantRow, error) {
	var of []string
	var args []any
	for _, k := range keys {
		of, args = append(of, "(k.kind = ? and k.hash = ?)"), append(args, k.Kind, k.Hash)
	}
	if len(of) == 0 {
		return nil, nil
	}
	return scan[MerchantRow](ctx, r, `select `+merchantRowColumns+` from merchants m left join people p on p.id = m.responsible_id
		where m.id in (select k.merchant_id from merchant_keys k where `+strings.Join(of, " or ")+`) order by m.updated_at desc, m.id desc limit ?`, append(args, limit)...)
}

// Searched records that the acting person looked for a merchant by a personal value, of which only the kind is said.
func (tx *Tx) Searched(kind string) { tx.Audit(MerchantSearched, Somewhere("merchant"), "kind", kind) }

// ExportedAudit records that the acting person took a part of the trail away, and which.
func (tx *Tx) ExportedAudit(f AuditFilter) {
	detail := []any{}
	for _, d := range []struct {
		name  string
		value any
		set   bool
	}{
		{"person", f.Person, f.Person != 0}, {"kind", f.Kind, f.Kind != ""}, {"action", f.Action, f.Action != ""},
		{"merchant", f.Merchant, f.Merchant != 0}, {"from", f.From, !f.From.IsZero()}, {"until", f.Until, !f.Until.IsZero()},
	} {
		if d.set {
			detail = append(detail, d.name, d.value)
		}
	}
	tx.Audit(AuditExported, Somewhere("audit"), detail...)
}
