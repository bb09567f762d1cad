package models

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Action names what happened: noun.past.
type Action string

// The closed list of what the audit trail can say.
const (
	MerchantCreated     Action = "merchant.created"
	MerchantEdited      Action = "merchant.edited"
	MerchantArchived    Action = "merchant.archived"
	MerchantRestored    Action = "merchant.restored"
	MerchantRegistered  Action = "merchant.registered"
	MerchantViewed      Action = "merchant.viewed"
	MerchantSearched    Action = "merchant.searched"
	MerchantsExported   Action = "merchant.exported" // begun
	MerchantsSent       Action = "merchant.sent"     // the export's end
	RequirementsRead    Action = "requirements.read"
	RequirementsChanged Action = "requirements.changed"
	RequirementsRefused Action = "requirements.refused"
	SlotAdded           Action = "slot.added"
	SlotRemoved         Action = "slot.removed"
	FieldSet            Action = "field.set"
	DocumentUploaded    Action = "document.uploaded"
	DocumentDelivered   Action = "document.delivered"
	DocumentChecked     Action = "document.checked"
	DocumentRefused     Action = "document.refused"
	DocumentGivenUp     Action = "document.given_up"
	DocumentRetried     Action = "document.retried"
	DocumentWithdrawn   Action = "document.withdrawn"
	DocumentPurged      Action = "document.purged"
	DocumentRotated     Action = "document.rotated"
	DocumentViewed      Action = "document.viewed"
	DocumentFetched     Action = "document.fetched"
	DocumentApproved    Action = "document.approved" // by a reviewer
	DocumentRejected    Action = "document.rejected" // by a reviewer; document.refused is DOKU's
	DocumentUndone      Action = "document.undone"
	DocumentReopened    Action = "document.reopened"
	DocumentAsked       Action = "document.asked"
	DocumentSnoozed     Action = "document.snoozed"
	FactsRevealed       Action = "document.facts_revealed"
	MessageRecorded     Action = "merchant.messaged"
	CommentAdded        Action = "merchant.commented"
	EvidenceAsked       Action = "evidence.asked"
	EvidenceMade        Action = "evidence.made"
	EvidenceDownloaded  Action = "evidence.downloaded"
	ViewSaved           Action = "view.saved"
	ViewChanged         Action = "view.changed"
	ViewDeleted         Action = "view.deleted"
	SettingsChanged     Action = "settings.changed"
	DeliveriesRetried   Action = "deliveries.retried"
	PersonAdded         Action = "person.added"
	PersonChanged       Action = "person.changed"
	PersonDisabled      Action = "person.disabled"
	PersonEnabled       Action = "person.enabled"
	PersonReset         Action = "person.reset"
	PersonPreferred     Action = "person.preferred"
	PasswordChanged     Action = "person.password_changed"
	SessionStarted      Action = "session.started"
	SessionEnded        Action = "session.ended"
	SignInFailed        Action = "session.refused"
	AuditExported       Action = "audit.exported"
	DeploymentBound     Action = "deployment.bound"
	PortfolioSeeded     Action = "portfolio.seeded"

	MerchantSubmitted      Action = "merchant.submitted"
	SubmissionRedelivering Action = "submission.redelivering" // a file that DOKU lost goes again
	SubmissionUncertain    Action = "submission.uncertain"
	SubmissionStuck        Action = "submission.stuck"
	SubmissionRefused      Action = "submission.refused"
	SubmissionRejected     Action = "submission.rejected" // by DOKU's verification
	SubmissionAbsent       Action = "submission.absent"
	SubmissionWithdrawn    Action = "submission.withdrawn"
	SubmissionMended       Action = "submission.mended"
	KeyRevealed            Action = "merchant.key_revealed"

	StatusChanged    Action = "merchant.status_changed" // at DOKU
	StatusAsked      Action = "merchant.status_asked"
	CallbackReceived Action = "callback.received"
	HoldChanged      Action = "merchant.hold_changed"
)

// Ref is what an audit row is about. Kind is the table's noun.
type Ref struct {
	Kind     string
	ID       int64
	Merchant MerchantID // 0: none
}

func (id PersonID) Ref() Ref               { return Ref{Kind: "person", ID: int64(id)} }
func (id MerchantID) Ref() Ref             { return Ref{Kind: "merchant", ID: int64(id), Merchant: id} }
func (id DocumentID) Ref(m MerchantID) Ref { return Ref{Kind: "document", ID: int64(id), Merchant: m} }
func (id SlotID) Ref(m MerchantID) Ref     { return Ref{Kind: "slot", ID: int64(id), Merchant: m} }
func (id BundleID) Ref(m MerchantID) Ref   { return Ref{Kind: "bundle", ID: int64(id), Merchant: m} }
func (id CombinationID) Ref() Ref          { return Ref{Kind: "combination", ID: int64(id)} }

// Somewhere is a subject without a row, such as a sign-in with an unknown address.
func Somewhere(kind string) Ref { return Ref{Kind: kind} }

// Audit records that the actor did action to subject. detail is key, value, key, value: codes, ids and counts only,
// never a personal value.
func (tx *Tx) Audit(action Action, subject Ref, detail ...any) {
	m := make(map[string]any, len(detail)/2)
	for i := 0; i+1 < len(detail); i += 2 {
		m[detail[i].(string)] = detail[i+1]
	}
	raw, err := json.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("models: audit detail of %s: %v", action, err)) // a defect of the caller, found by any test
	}
	tx.audits = append(tx.audits, sealedRow{
		At: tx.Now, ActorKind: tx.Actor.Kind, ActorID: orNil(int64(tx.Actor.Person)), ActorRole: tx.Actor.Role,
		Action: action, SubjectKind: subject.Kind, SubjectID: orNil(subject.ID), MerchantID: orNil(int64(subject.Merchant)),
		Detail: string(raw), RequestID: tx.Actor.RequestID,
	})
	if subject.Merchant != 0 {
		tx.touched[subject.Merchant] = true
	}
}

// Touch tells everyone who watches this merchant after the commit, also where no audit row names it.
func (tx *Tx) Touch(id MerchantID) { tx.touched[id] = true }

// writeAudit numbers and marks the rows and stores them. jsonb is written by PostgreSQL in its own way, so it is asked
// for that first: the mark must hold for what is read back.
func (tx *Tx) writeAudit() error {
	if len(tx.audits) == 0 {
		return errors.New("models: a write that leaves no audit row")
	}
	details := make([]string, len(tx.audits))
	for i, a := range tx.audits {
		details[i] = a.Detail
	}
	rows, err := tx.pgx.Query(tx.ctx, `select nextval('audit_id'), d::jsonb::text from unnest($1::text[]) with ordinality u(d, n) order by n`, details)
	if err != nil {
		return err
	}
	i := 0
	var numbered sealedRow
	_, err = pgx.ForEachRow(rows, []any{&numbered.ID, &numbered.Detail}, func() error {
		tx.audits[i].ID, tx.audits[i].Detail = numbered.ID, numbered.Detail
		i++
		return nil
	})
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	for _, a := range tx.audits {
		batch.Queue(`insert into audit (id, at, actor_kind, actor_id, actor_role, action, subject_kind, subject_id, merchant_id, detail, request_id, mac)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`, a.ID, a.At, a.ActorKind, a.ActorID, a.ActorRole, a.Action, a.SubjectKind, a.SubjectID,
			a.MerchantID, a.Detail, a.RequestID, a.mark(tx.auditKey))
	}
	return tx.pgx.SendBatch(tx.ctx, batch).Close()
}

// PastAct is an audit row of an invented portfolio. Detail is JSON as PostgreSQL writes it.
type PastAct struct {
	At      time.Time
	Actor   Actor
	Action  Action
	Subject Ref
	Detail  string
}

// CopyAudit adds n rows of an invented portfolio to the trail, marked like any other; they wait for their seals.
func (s *Store) CopyAudit(ctx context.Context, tx pgx.Tx, n int, past func(i int) PastAct) error {
	var first int64
	if err := tx.QueryRow(ctx, `select setval('audit_id', nextval('audit_id') + $1 - 1) - $1 + 1`, int64(n)).Scan(&first); err != nil {
		return translate(err)
	}
	columns := []string{"id", "at", "actor_kind", "actor_id", "actor_role", "action", "subject_kind", "subject_id", "merchant_id", "detail", "mac"}
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"audit"}, columns, pgx.CopyFromSlice(n, func(i int) ([]any, error) {
		p := past(i)
		r := sealedRow{ID: first + int64(i), At: p.At, ActorKind: p.Actor.Kind, ActorID: orNil(int64(p.Actor.Person)), ActorRole: p.Actor.Role, Action: p.Action,
			SubjectKind: p.Subject.Kind, SubjectID: orNil(p.Subject.ID), MerchantID: orNil(int64(p.Subject.Merchant)), Detail: p.Detail}
		return []any{r.ID, r.At, string(r.ActorKind), r.ActorID, string(r.ActorRole), string(r.Action), r.SubjectKind, r.SubjectID, r.MerchantID, r.Detail, r.mark(s.auditKey)}, nil
	}))
	return translate(err)
}

// orNil stores the zero id as null.
func orNil(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// transition appends one change of state to the history.
func (tx *Tx) transition(merchant MerchantID, kind string, id int64, from, to string) error {
	return tx.g.Exec(`insert into transitions (at, merchant_id, subject_kind, subject_id, from_state, to_state, actor_kind, actor_id, team)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?)`, tx.Now, merchant, kind, id, from, to, tx.Actor.Kind, orNil(int64(tx.Actor.Person)), tx.Actor.Team).Error
}
