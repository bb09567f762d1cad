package models

import (
	"context"
	"database/sql"
	"strings"
	"time"
)

// SlotState is where a slot stands; a slot that nobody asks for has none.
type SlotState string

const (
	SlotMissing   SlotState = "missing"
	SlotWaiting   SlotState = "waiting"
	SlotDelivered SlotState = "delivered" // at DOKU and undecided
	SlotApproved  SlotState = "approved"
	SlotRefused   SlotState = "refused" // by DOKU or by a reviewer
	SlotFailed    SlotState = "failed"  // given up
)

// Slot is one place of a merchant's checklist: whose it is, category, code and which of several.
type Slot struct {
	ID            SlotID
	MerchantID    MerchantID
	OwnerPath     string
	Category      string
	Code          string
	Ordinal       int
	Position      int
	RequirementID *RequirementID
	ByHand        bool
	DocumentID    *DocumentID
	CreatedAt     time.Time
	State         SlotState
	StateSince    time.Time
	ExpiresOn     *time.Time // of the version that counts
	RefusedFor    string     // the gravest reason
}

// SlotField is a form field typed for a slot. Value is sealed, Masked may be shown.
type SlotField struct {
	SlotID SlotID
	Code   string
	Value  []byte
	Masked string
	SetBy  *PersonID
	SetAt  time.Time
}

// ChecklistRow is a slot with what DOKU asks there; its newest document comes beside it.
type ChecklistRow struct {
	Slot
	Name       string
	Extensions []string `gorm:"serializer:json"`
	MaxSize    int64
	Form       []FormField `gorm:"serializer:json"`
	Fields     []SlotField `gorm:"serializer:json"`
	Documents  []Document  `gorm:"-"` // the version that counts; of ChecklistVersions others too, newest first
}

// Newest is the version that counts: the newest one not withdrawn; nil when the slot is empty.
func (c ChecklistRow) Newest() *Document {
	for i := range c.Documents {
		if c.DocumentID != nil && c.Documents[i].ID == *c.DocumentID {
			return &c.Documents[i]
		}
	}
	return nil
}

const checklistSQL = `select s.*, coalesce(q.name, '') as name, coalesce(q.extensions, '[]') as extensions, coalesce(q.max_size, 0) as max_size, coalesce(q.form, '[]') as form,
	coalesce((select json_agg(json_build_object('SlotID', f.slot_id, 'Code', f.code, 'Value', encode(f.value, 'base64'), 'Masked', f.masked, 'SetBy', f.set_by, 'SetAt', f.set_at) order by f.code)
		from slot_fields f where f.slot_id = s.id), '[]') as fields
	from slots s left join requirements q on q.id = s.requirement_id where s.merchant_id in ?`

// ChecklistRows are a merchant's slots in DOKU's order, each with its fields and the version that counts: two statements,
// however many.
func (r Reader) ChecklistRows(ctx context.Context, id MerchantID) ([]ChecklistRow, error) {
	return r.checklist(ctx, []MerchantID{id}, countingVersions)
}

// countingVersions are the documents that count.
const countingVersions = `select document_id from slots where merchant_id in @merchants`

// versionsShown is how many versions of a slot a page has: the newest, and the one that counts.
const versionsShown = 10

// ChecklistVersions are ChecklistRows with the newest versions of each slot, withdrawn ones too.
func (r Reader) ChecklistVersions(ctx context.Context, id MerchantID) ([]ChecklistRow, error) {
	return r.checklist(ctx, []MerchantID{id}, countingVersions+` union
		select v.id from slots s cross join lateral (select id from documents where slot_id = s.id order by version desc limit @versions) v where s.merchant_id in @merchants`)
}

// checklist reads the slots of some merchants and those of their documents that a query names.
func (r Reader) checklist(ctx context.Context, ids []MerchantID, which string) ([]ChecklistRow, error) {
	rows, err := scan[ChecklistRow](ctx, r, checklistSQL+` order by s.by_hand, s.position, s.ordinal, s.id`, ids)
	if err != nil {
		return nil, err
	}
	documents, err := scan[Document](ctx, r, `select `+documentFacts+` from documents where id in (`+which+`) order by version desc`,
		sql.Named("merchants", ids), sql.Named("versions", versionsShown))
	if err != nil {
		return nil, err
	}
	at := make(map[SlotID]*ChecklistRow, len(rows))
	for i := range rows {
		at[rows[i].ID] = &rows[i]
	}
	for _, d := range documents {
		if row := at[d.SlotID]; row != nil {
			row.Documents = append(row.Documents, d)
		}
	}
	return rows, nil
}

// ChecklistRows as the transaction sees them.
func (tx *Tx) ChecklistRows(id MerchantID) ([]ChecklistRow, error) {
	return Reader{db: tx.g}.ChecklistRows(tx.ctx, id)
}

// AddSlot adds a place by hand, behind those of the same kind.
func (tx *Tx) AddSlot(s *Slot) error {
	s.ByHand, s.CreatedAt, s.StateSince = true, tx.Now, tx.Now
	err := tx.g.Raw(`select coalesce(max(ordinal) + 1, 0) from slots where merchant_id = ? and owner_path = ? and category = ? and code = ?`,
		s.MerchantID, s.OwnerPath, s.Category, s.Code).Scan(&s.Ordinal).Error
	if err != nil {
		return translate(err)
	}
	if err := create(tx, s); err != nil {
		return err
	}
	tx.Audit(SlotAdded, s.ID.Ref(s.MerchantID), "category", s.Category, "code", s.Code)
	return nil
}

// RemoveSlot removes an empty place that was added by hand. fault.Conflict when it is not such a one.
func (tx *Tx) RemoveSlot(s Slot) error {
	err := swapped(tx.g.Exec(`delete from slots where id = ? and by_hand and requirement_id is null and not exists (select 1 from documents d where d.slot_id = slots.id)`, s.ID))
	if err != nil {
		return err
	}
	tx.Audit(SlotRemoved, s.ID.Ref(s.MerchantID), "category", s.Category, "code", s.Code)
	return tx.forgetSlotKeys(s.MerchantID)
}

// SetField stores a typed form field of a slot and, where key is given, its keyed hash for exact search.
func (tx *Tx) SetField(s Slot, f SlotField, key *MerchantKey) error {
	f.SlotID, f.SetAt, f.SetBy = s.ID, tx.Now, personOrNil(tx.Actor.Person)
	err := tx.g.Exec(`insert into slot_fields (slot_id, code, value, masked, set_by, set_at) values (?, ?, ?, ?, ?, ?)
		on conflict (slot_id, code) do update set value = excluded.value, masked = excluded.masked, set_by = excluded.set_by, set_at = excluded.set_at`,
		f.SlotID, f.Code, f.Value, f.Masked, f.SetBy, f.SetAt).Error
	if err != nil {
		return translate(err)
	}
	tx.Audit(FieldSet, s.ID.Ref(s.MerchantID), "category", s.Category, "code", s.Code, "field", f.Code)
	if key == nil {
		return nil
	}
	return translate(tx.g.Exec(`insert into merchant_keys (merchant_id, source, kind, hash) values (?, ?, ?, ?)
		on conflict (merchant_id, source, kind) do update set hash = excluded.hash`, s.MerchantID, key.Source, key.Kind, key.Hash).Error)
}

// KeepSlots stores where slots stand, in one statement. A slot whose state is another since now is so since now.
func (tx *Tx) KeepSlots(slots []Slot) error {
	if len(slots) == 0 {
		return nil
	}
	var values []string
	var args []any
	for _, s := range slots {
		values = append(values, "(?::bigint, ?, ?::date, ?)")
		args = append(args, s.ID, s.State, s.ExpiresOn, s.RefusedFor)
	}
	args = append([]any{tx.Now}, args...)
	return translate(tx.g.Exec(`update slots s set state = v.state, state_since = case when s.state = v.state then s.state_since else ? end, expires_on = v.expires_on, refused_for = v.refused_for
		from (values `+strings.Join(values, ", ")+`) v(id, state, expires_on, refused_for) where s.id = v.id`, args...).Error)
}
