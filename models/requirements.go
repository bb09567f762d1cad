package models

import (
	"context"
	"time"
)

// CombinationState says what is known of a combination's checklist.
type CombinationState string

const (
	ChecklistPending CombinationState = "pending" // DOKU has not answered yet
	ChecklistReady   CombinationState = "ready"
	ChecklistRefused CombinationState = "refused" // DOKU does not take this combination
)

// Combination is one question to DOKU's Check Requirements API: the four parameters and what is known of the answer.
type Combination struct {
	ID           CombinationID
	BusinessType string
	LegalEntity  string
	BusinessLine string
	Nationality  string
	State        CombinationState
	SetID        *RequirementSetID
	Problem      string
	DOKUSays     string `gorm:"column:doku_says"`
	ReadAt       *time.Time
	AskedAt      *time.Time
	CreatedAt    time.Time
}

// RequirementSet is one version of DOKU's answer for a combination, as it was sent.
type RequirementSet struct {
	ID            RequirementSetID
	CombinationID CombinationID
	Version       int
	Raw           string
	RawHash       []byte
	Assumed       bool
	ReadAt        time.Time
}

// Requirement is one document DOKU asks for: where in the answer it stands, category, code, limits and form fields.
type Requirement struct {
	ID         RequirementID
	SetID      RequirementSetID
	Position   int
	Path       string
	OwnerPath  string
	Category   string
	Code       string
	Name       string
	Extensions []string `gorm:"serializer:json"`
	MaxSize    int64
	Form       []FormField `gorm:"serializer:json"`
}

// FormField is a datum DOKU wants with a document: its length in characters and its character class.
type FormField struct {
	Code         string `json:"code"`
	Name         string `json:"name"`
	Caption      string `json:"caption"`
	MinSize      int    `json:"min_size"`
	MaxSize      int    `json:"max_size"`
	Alpha        bool   `json:"alpha"`
	Numeric      bool   `json:"numeric"`
	AlphaNumeric bool   `json:"alpha_numeric"`
}

// Combination by its id.
func (r Reader) Combination(ctx context.Context, id CombinationID) (Combination, error) {
	return take[Combination](r.db.WithContext(ctx).Where("id = ?", id))
}

// CombinationsToRead are those in use whose answer is older than before, and those never answered.
func (r Reader) CombinationsToRead(ctx context.Context, before, askedBefore time.Time) ([]Combination, error) {
	return find[Combination](r.db.WithContext(ctx).
		Where("(read_at is null or read_at < ?) and (asked_at is null or asked_at < ?)", before, askedBefore).
		Where("exists (select 1 from merchants m where m.combination_id = combinations.id and m.archived_at is null)").
		Order("asked_at nulls first, id").Limit(100))
}

// RequirementSet by its id.
func (r Reader) RequirementSet(ctx context.Context, id RequirementSetID) (RequirementSet, error) {
	return take[RequirementSet](r.db.WithContext(ctx).Where("id = ?", id))
}

// EnsureCombination finds or makes the row of a combination.
func (tx *Tx) EnsureCombination(c Combination) (Combination, error) {
	err := tx.g.Exec(`insert into combinations (business_type, legal_entity, business_line, nationality, created_at) values (?, ?, ?, ?, ?)
		on conflict on constraint combinations_key do nothing`, c.BusinessType, c.LegalEntity, c.BusinessLine, c.Nationality, tx.Now).Error
	if err != nil {
		return c, translate(err)
	}
	return take[Combination](tx.g.Where("business_type = ? and legal_entity = ? and business_line = ? and nationality = ?",
		c.BusinessType, c.LegalEntity, c.BusinessLine, c.Nationality))
}

// LockCombination is the combination, held for the rest of the transaction.
func (tx *Tx) LockCombination(id CombinationID) (Combination, error) {
	var c Combination
	err := tx.g.Raw(`select * from combinations where id = ? for update`, id).Take(&c).Error
	return c, translate(err)
}

// RefuseCombination remembers that DOKU does not take it, with DOKU's words.
func (tx *Tx) RefuseCombination(id CombinationID, problem, dokuSays string) error {
	tx.Audit(RequirementsRefused, id.Ref(), "problem", problem)
	return translate(tx.g.Exec(`update combinations set state = 'refused', problem = ?, doku_says = ?, read_at = ? where id = ? and set_id is null`,
		problem, dokuSays, tx.Now, id).Error)
}

// ReadAgain remembers that DOKU gave the same answer as before.
func (tx *Tx) ReadAgain(id CombinationID) error {
	tx.Audit(RequirementsRead, id.Ref(), "changed", false)
	return translate(tx.g.Exec(`update combinations set state = 'ready', problem = '', doku_says = '', read_at = ? where id = ?`, tx.Now, id).Error)
}

// AddRequirementSet stores a new version of the answer as the combination's current one.
func (tx *Tx) AddRequirementSet(set *RequirementSet, items []Requirement) error {
	err := tx.g.Raw(`select coalesce(max(version), 0) + 1 from requirement_sets where combination_id = ?`, set.CombinationID).Scan(&set.Version).Error
	if err != nil {
		return translate(err)
	}
	set.ReadAt = tx.Now
	if err := create(tx, set); err != nil {
		return err
	}
	for i := range items {
		items[i].SetID, items[i].Position = set.ID, i
	}
	if err := createAll(tx, items); err != nil {
		return err
	}
	tx.Audit(RequirementsRead, set.CombinationID.Ref(), "changed", true, "version", set.Version, "n", len(items))
	return translate(tx.g.Exec(`update combinations set state = 'ready', set_id = ?, problem = '', doku_says = '', read_at = ? where id = ?`,
		set.ID, tx.Now, set.CombinationID).Error)
}

// MerchantsOnOtherSet are the next open merchants of a combination, behind one, whose checklist is not its present set.
// They are locked.
func (tx *Tx) MerchantsOnOtherSet(c Combination, after MerchantID, limit int) ([]MerchantID, error) {
	var ids []MerchantID
	err := tx.g.Raw(`select id from merchants where combination_id = ? and id > ? and (set_id is distinct from ? or set_id is null)
		and archived_at is null and not locked order by id limit ? for update`, c.ID, after, c.SetID, limit).Scan(&ids).Error
	return ids, translate(err)
}

// FollowSet makes a merchant's slots those of a set: asks for what is new, lets go of what is gone, keeps every document.
// An empty slot that nobody asks for any longer is removed.
func (tx *Tx) FollowSet(merchant MerchantID, set RequirementSetID) error {
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`update merchants set previous_set_id = coalesce(set_id, previous_set_id), set_id = ?,
			set_changed_at = case when coalesce(set_id, previous_set_id) is not null then ?::timestamptz end, updated_at = ? where id = ?`,
			[]any{set, tx.Now, tx.Now, merchant}},
		{`update slots set requirement_id = null where merchant_id = ?`, []any{merchant}},
		{`insert into slots (merchant_id, owner_path, category, code, ordinal, position, requirement_id, created_at)
			select ?, q.owner_path, q.category, q.code, row_number() over (partition by q.owner_path, q.category, q.code order by q.position) - 1, q.position, q.id, ?
			from requirements q where q.set_id = ?
			on conflict on constraint slots_place_key do update set requirement_id = excluded.requirement_id, position = excluded.position`,
			[]any{merchant, tx.Now, set}},
	} {
		if err := tx.g.Exec(step.sql, step.args...).Error; err != nil {
			return translate(err)
		}
	}
	return firstError(tx.Queue(merchant), tx.removeUnasked(merchant))
}

// LeaveSet takes a merchant's checklist away, until the one of its new combination comes. Documents stay.
func (tx *Tx) LeaveSet(merchant MerchantID) error {
	err := tx.g.Exec(`update merchants set previous_set_id = coalesce(set_id, previous_set_id), set_id = null, updated_at = ? where id = ?`, tx.Now, merchant).Error
	if err == nil {
		err = tx.g.Exec(`update slots set requirement_id = null where merchant_id = ?`, merchant).Error
	}
	if err != nil {
		return translate(err)
	}
	return firstError(tx.Queue(merchant), tx.removeUnasked(merchant))
}

// removeUnasked removes the empty slots that neither DOKU nor a colleague asks for.
func (tx *Tx) removeUnasked(merchant MerchantID) error {
	err := tx.g.Exec(`delete from slots s where s.merchant_id = ? and s.requirement_id is null and not s.by_hand
		and not exists (select 1 from documents d where d.slot_id = s.id)`, merchant).Error
	if err != nil {
		return translate(err)
	}
	tx.Touch(merchant)
	return tx.forgetSlotKeys(merchant)
}

// forgetSlotKeys deletes the keyed hashes of what was typed in slots that are gone.
func (tx *Tx) forgetSlotKeys(merchant MerchantID) error {
	return translate(tx.g.Exec(`delete from merchant_keys k where k.merchant_id = ? and k.source like 'slot:%'
		and not exists (select 1 from slots s where s.merchant_id = k.merchant_id and k.source = 'slot:' || s.id)`, merchant).Error)
}

// RequirementSet by its id, as the transaction sees it.
func (tx *Tx) RequirementSet(id RequirementSetID) (RequirementSet, error) {
	return Reader{db: tx.g}.RequirementSet(tx.ctx, id)
}

// Combination by its id, as the transaction sees it.
func (tx *Tx) Combination(id CombinationID) (Combination, error) {
	return Reader{db: tx.g}.Combination(tx.ctx, id)
}
