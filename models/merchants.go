package models

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"reflect"
	"slices"
	"time"
)

// ProgressState is where a merchant's checklist stands; the most urgent one wins.
type ProgressState string

const (
	ProgressPending    ProgressState = "pending" // DOKU has not said what it needs
	ProgressTodo       ProgressState = "todo"
	ProgressWaiting    ProgressState = "waiting"
	ProgressRefused    ProgressState = "refused"
	ProgressFailed     ProgressState = "failed"
	ProgressComplete   ProgressState = "complete"
	ProgressRegistered ProgressState = "registered"
)

// NextActor is who has to act for a merchant to go on.
type NextActor string

const (
	NextStaff    NextActor = "staff"
	NextMerchant NextActor = "merchant"
	NextReviewer NextActor = "reviewer"
	NextDOKU     NextActor = "doku"
	NextNobody   NextActor = "nobody"
)

// Progress is a merchant's completeness as onboarding computed it, kept with the merchant so that lists need no counting.
type Progress struct {
	Done  int            `json:"done"`
	Total int            `json:"total"`
	Lead  string         `json:"lead"`
	Parts []ProgressPart `json:"parts,omitempty"`
}

// ProgressPart is one thing that blocks: which document and why.
type ProgressPart struct {
	Code     string `json:"code"`
	Category string `json:"category"`
	DocCode  string `json:"doc_code,omitempty"`
	Reason   string `json:"reason,omitempty"`
	Field    string `json:"field,omitempty"`
}

// Quarter says how much of what DOKU asks for is done: "0" to "3" quarters, "4" is all of it, QuarterRegistered is behind it.
type Quarter string

const QuarterRegistered Quarter = "registered"

// Step is the quarter a merchant was in at the end of a week, from that week on. Week is its Monday, 2006-01-02.
type Step struct {
	Week    string  `json:"week"`
	Quarter Quarter `json:"quarter"`
}

// KindsOfSlots are the kinds of documents that a merchant has in a state, a bit each, so that an index of merchants
// knows who may have one. Different kinds may share a bit: whoever finds one has to look at the slots.
type KindsOfSlots struct {
	SlotsMissing  int64
	SlotsApproved int64
	SlotsRefused  int64
	SlotsOther    int64 // waiting, delivered, failed
}

// bitOf is the bit of a kind of document, or of all of a category when it has no code. Migration 0033 gave it to those there were.
func bitOf(category, code string) int64 {
	sum := md5.Sum([]byte(category + "|" + code))
	return 1 << (binary.BigEndian.Uint32(sum[:]) % 63)
}

// Add adds a slot.
func (k *KindsOfSlots) Add(s Slot) {
	bits := bitOf(s.Category, s.Code) | bitOf(s.Category, "")
	switch s.State {
	case SlotMissing:
		k.SlotsMissing |= bits
	case SlotApproved:
		k.SlotsApproved |= bits
	case SlotRefused:
		k.SlotsRefused |= bits
	case SlotWaiting, SlotDelivered, SlotFailed:
		k.SlotsOther |= bits
	}
}

// Merchant is a business to be registered at DOKU. Private is a sealed JSON of what is personal; onboarding opens it.
type Merchant struct {
	ID                 MerchantID
	UID                string `gorm:"column:uid"`
	Name               string
	NameNormal         string
	BusinessType       string
	LegalEntity        string
	BusinessLine       string
	Nationality        string
	Description        string
	WebsiteReadiness   string
	MobileAppReadiness string
	NIB                string `gorm:"column:nib"`
	AddressStreet      string
	AddressArea        string
	AddressCountry     string
	BankID             string
	BankName           string
	BankAccountName    string
	Private            []byte
	Notes              string
	ResponsibleID      *PersonID
	DueOn              *time.Time
	CombinationID      CombinationID
	SetID              *RequirementSetID
	PreviousSetID      *RequirementSetID
	SetChangedAt       *time.Time
	Progress           Progress `gorm:"serializer:json"`
	ProgressState      ProgressState
	NextActor          NextActor
	NextActorSince     time.Time
	Quarter            Quarter
	Kinds              KindsOfSlots `gorm:"embedded"`
	Course             []Step       `gorm:"serializer:json"`
	FirstDocumentAt    *time.Time   // when it first reached each stage
	AtDOKUAt           *time.Time   `gorm:"column:at_doku_at"` // all documents at DOKU
	ApprovedAt         *time.Time   // all documents approved
	ActiveAt           *time.Time   // able to take payments at DOKU
	BusinessID         string
	BrandID            string
	BusinessStatus     string // DOKU's words
	BrandStatus        string // DOKU's words
	SharedKey          []byte
	PartnerRefID       string
	RegisteredAt       *time.Time
	SubmissionID       *SubmissionID // the last one, whose outcome is Registration
	Registration       Registration
	Locked             bool       `gorm:"->"` // a submission stands: what it holds is not decided on any more
	MessagedAt         *time.Time // when the merchant was last told what to send again
	LegalHold          bool
	Sample             bool
	ArchivedAt         *time.Time
	CreatedBy          *PersonID
	CreatedAt          time.Time
	UpdatedAt          time.Time
}

// Contact is a person of the merchant; the first is the owner. Private is sealed JSON.
type Contact struct {
	ID          int64
	MerchantID  MerchantID
	Ordinal     int
	Name        string
	Position    string
	Nationality string
	IsPrimary   bool
	Private     []byte
}

// Brand is what the merchant sells under.
type Brand struct {
	ID                   int64
	MerchantID           MerchantID
	Ordinal              int
	Name                 string
	Description          string
	Category             string
	TransactionFrequency string
	TransactionQuantity  string
	SocialMedia          []SocialMedia `gorm:"serializer:json"`
}

// SocialMedia are a brand's accounts on one network.
type SocialMedia struct {
	Code     string   `json:"code"`
	Accounts []string `json:"accounts"`
}

// MerchantKey is the keyed hash of one personal value, for exact search. Source names where it was typed.
type MerchantKey struct {
	MerchantID MerchantID
	Source     string
	Kind       string
	Hash       []byte
}

// Dossier is a merchant with its contacts and brands.
type Dossier struct {
	Merchant Merchant
	Contacts []Contact
	Brands   []Brand
}

// Merchant by its id. fault.NotFound when there is none.
func (r Reader) Merchant(ctx context.Context, id MerchantID) (Merchant, error) {
	return take[Merchant](r.db.WithContext(ctx).Where("id = ?", id))
}

// Dossier by the merchant's id.
func (r Reader) Dossier(ctx context.Context, id MerchantID) (d Dossier, err error) {
	if d.Merchant, err = r.Merchant(ctx, id); err != nil {
		return d, err
	}
	if d.Contacts, err = find[Contact](r.db.WithContext(ctx).Where("merchant_id = ?", id).Order("ordinal").Limit(100)); err != nil {
		return d, err
	}
	d.Brands, err = find[Brand](r.db.WithContext(ctx).Where("merchant_id = ?", id).Order("ordinal").Limit(100))
	return d, err
}

// Dossier as the transaction sees it.
func (tx *Tx) Dossier(id MerchantID) (Dossier, error) { return Reader{db: tx.g}.Dossier(tx.ctx, id) }

// MerchantRow is one merchant of a list.
type MerchantRow struct {
	ID             MerchantID
	Name           string
	BusinessType   string
	LegalEntity    string
	BusinessLine   string
	Responsible    string
	DueOn          *time.Time
	Progress       Progress `gorm:"serializer:json"`
	ProgressState  ProgressState
	NextActor      NextActor
	NextActorSince time.Time
	MessagedAt     *time.Time
	RegisteredAt   *time.Time
	ArchivedAt     *time.Time
	Sample         bool
	UpdatedAt      time.Time
	Urgency        int // where it stands by OrderAction
	ResponsibleID  PersonID
	BusinessID     string
	BrandID        string
	CreatedAt      time.Time
}

const merchantRowColumns = `m.id, m.name, m.business_type, m.legal_entity, m.business_line, coalesce(p.name, '') as responsible, m.due_on,
	m.progress, m.progress_state, m.next_actor, m.next_actor_since, m.messaged_at, m.registered_at, m.archived_at, m.sample, m.updated_at, coalesce(m.responsible_id, 0) as responsible_id, m.business_id, m.brand_id, m.created_at, ` + urgencySQL + ` as urgency`

// MerchantFigures counts open merchants by state, each no further than a thousand.
type MerchantFigures struct{ Pending, Todo, Waiting, Refused, Failed, Complete, Registered int }

// MerchantFigures of the whole portfolio, or of one person's merchants.
func (r Reader) MerchantFigures(ctx context.Context, responsible PersonID) (MerchantFigures, error) {
	rows, err := scan[struct {
		State ProgressState
		N     int
	}](ctx, r, `select s.state, (select count(*) from (select 1 from merchants m where m.archived_at is null and m.progress_state = s.state
			and (? = 0 or m.responsible_id = ?) limit 1000) c) as n
		from unnest(array['pending','todo','waiting','refused','failed','complete','registered']) s(state)`, responsible, responsible)
	var f MerchantFigures
	for _, row := range rows {
		switch row.State {
		case ProgressPending:
			f.Pending = row.N
		case ProgressTodo:
			f.Todo = row.N
		case ProgressWaiting:
			f.Waiting = row.N
		case ProgressRefused:
			f.Refused = row.N
		case ProgressFailed:
			f.Failed = row.N
		case ProgressComplete:
			f.Complete = row.N
		case ProgressRegistered:
			f.Registered = row.N
		}
	}
	return f, err
}

// LookAlike is a merchant that shares a name, phone or e-mail with another.
type LookAlike struct {
	ID   MerchantID
	Name string
	Why  string
}

// LookAlikes of a name (normalised) or of keyed hashes, other than the merchant itself; at most ten.
func (r Reader) LookAlikes(ctx context.Context, self MerchantID, nameNormal string, hashes [][]byte) ([]LookAlike, error) {
	if len(hashes) == 0 {
		hashes = [][]byte{{}}
	}
	return scan[LookAlike](ctx, r, `select id, name, why from (
			select m.id, m.name, 'name' as why from merchants m where m.name_normal = ? and m.name_normal <> '' and m.archived_at is null
			union select m.id, m.name, k.kind from merchant_keys k join merchants m on m.id = k.merchant_id and m.archived_at is null
			where k.kind in ('phone', 'email') and k.hash in ?) l
		where id <> ? order by id, why limit 10`, nameNormal, hashes, self)
}

// CreateMerchant stores a dossier and gives it its ids.
func (tx *Tx) CreateMerchant(d *Dossier, keys []MerchantKey) error {
	m := &d.Merchant
	m.CreatedAt, m.UpdatedAt, m.NextActorSince = tx.Now, tx.Now, tx.Now
	m.Quarter, m.Course = "0", []Step{{Week: WeekOf(tx.Now), Quarter: "0"}}
	m.CreatedBy = personOrNil(tx.Actor.Person)
	if err := create(tx, m); err != nil {
		return err
	}
	tx.Audit(MerchantCreated, m.ID.Ref(), "business_type", m.BusinessType, "legal_entity", m.LegalEntity, "business_line", m.BusinessLine)
	if err := tx.transition(m.ID, "merchant", int64(m.ID), "", string(m.ProgressState)); err != nil {
		return translate(err)
	}
	return tx.storeDetails(d, keys)
}

// EditMerchant replaces what was typed. changed names the fields for the audit trail.
func (tx *Tx) EditMerchant(d *Dossier, keys []MerchantKey, changed []string) error {
	m := &d.Merchant
	m.UpdatedAt = tx.Now
	columns := []string{"name", "name_normal", "business_type", "legal_entity", "business_line", "nationality", "description", "website_readiness", "mobile_app_readiness", "nib",
		"address_street", "address_area", "address_country", "bank_id", "bank_name", "bank_account_name", "private", "notes", "responsible_id", "due_on",
		"combination_id", "updated_at"}
	if err := swapped(tx.g.Model(&Merchant{}).Where("id = ? and archived_at is null", m.ID).Select(columns).Updates(m)); err != nil {
		return err
	}
	tx.Audit(MerchantEdited, m.ID.Ref(), "fields", changed)
	return firstError(tx.Queue(m.ID), tx.storeDetails(d, keys))
}

// storeDetails replaces contacts, brands and the keys of what was typed in the merchant's form.
func (tx *Tx) storeDetails(d *Dossier, keys []MerchantKey) error {
	id := d.Merchant.ID
	for i := range d.Contacts {
		d.Contacts[i].MerchantID = id
	}
	for i := range d.Brands {
		d.Brands[i].MerchantID = id
	}
	for i := range keys {
		keys[i].MerchantID = id
	}
	for _, sql := range []string{`delete from contacts where merchant_id = ?`, `delete from brands where merchant_id = ?`,
		`delete from merchant_keys where merchant_id = ? and source not like 'slot:%'`} {
		if err := tx.g.Exec(sql, id).Error; err != nil {
			return translate(err)
		}
	}
	return firstError(createAll(tx, d.Contacts), createAll(tx, d.Brands), createAll(tx, keys))
}

func createAll[T any](tx *Tx, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return translate(tx.g.CreateInBatches(&rows, 100).Error)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func personOrNil(id PersonID) *PersonID {
	if id == 0 {
		return nil
	}
	return &id
}

// LockMerchant is the merchant, held for the rest of the transaction: changes of one checklist happen one after another.
func (tx *Tx) LockMerchant(id MerchantID) (Merchant, error) {
	var m Merchant
	err := tx.g.Raw(`select * from merchants where id = ? for update`, id).Take(&m).Error
	return m, translate(err)
}

// ArchiveMerchant takes a merchant out of all lists. fault.Conflict when it is archived already.
func (tx *Tx) ArchiveMerchant(id MerchantID) error {
	tx.Audit(MerchantArchived, id.Ref())
	err := swapped(tx.g.Exec(`update merchants set archived_at = ?, updated_at = ? where id = ? and archived_at is null`, tx.Now, tx.Now, id))
	return firstError(err, tx.Queue(id))
}

// RestoreMerchant brings an archived merchant back. fault.Conflict when it is not archived.
func (tx *Tx) RestoreMerchant(id MerchantID) error {
	tx.Audit(MerchantRestored, id.Ref())
	err := swapped(tx.g.Exec(`update merchants set archived_at = null, updated_at = ? where id = ? and archived_at is not null`, tx.Now, id))
	return firstError(err, tx.Queue(id))
}

// KeepProgress stores what of a merchant's completeness is another than it was. A change of state joins the history.
func (tx *Tx) KeepProgress(was, is Merchant) error {
	if kept(was) == kept(is) && reflect.DeepEqual(was.Progress, is.Progress) && slices.Equal(was.Course, is.Course) {
		return nil
	}
	is.UpdatedAt = tx.Now
	err := tx.g.Model(&Merchant{}).Where("id = ?", was.ID).Select("progress", "progress_state", "next_actor", "next_actor_since", "quarter", "slots_missing", "slots_approved", "slots_refused", "slots_other", "course",
		"first_document_at", "at_doku_at", "approved_at", "active_at", "updated_at").Updates(&is).Error
	if err != nil {
		return translate(err)
	}
	tx.Touch(was.ID)
	if is.ProgressState == was.ProgressState {
		return nil
	}
	return translate(tx.transition(was.ID, "merchant", int64(was.ID), string(was.ProgressState), string(is.ProgressState)))
}

// kept is what of a merchant's completeness can be compared as it is.
func kept(m Merchant) any {
	return [...]any{m.ProgressState, m.NextActor, m.Quarter, m.Kinds, instant(m.FirstDocumentAt), instant(m.AtDOKUAt), instant(m.ApprovedAt), instant(m.ActiveAt)}
}

func instant(t *time.Time) int64 {
	if t == nil {
		return 0
	}
	return t.UnixMicro()
}

// ViewedMerchant records that the acting person saw a merchant's page, its thumbnails among it.
func (tx *Tx) ViewedMerchant(id MerchantID) {
	tx.Audit(MerchantViewed, id.Ref())
	delete(tx.touched, id)
}

// SetSample marks a merchant as drawn for the demonstration.
func (tx *Tx) SetSample(id MerchantID) error {
	return translate(tx.g.Exec(`update merchants set sample = true where id = ?`, id).Error)
}

// Samples are the merchants drawn for the demonstration, archived ones too.
func (r Reader) Samples(ctx context.Context) ([]Merchant, error) {
	return find[Merchant](r.db.WithContext(ctx).Where("sample").Order("id").Limit(100))
}

// CountAllMerchants counts every merchant there is, no further than limit.
func (r Reader) CountAllMerchants(ctx context.Context, limit int) (int, error) {
	return one[int](ctx, r, `select count(*) from (select 1 from merchants limit ?) c`, limit)
}

// LinesAndTeams in use, for a filter.
func (r Reader) LinesAndTeams(ctx context.Context) (lines, teams []string, err error) {
	rows, err := scan[struct{ Line, Team string }](ctx, r, `(select distinct business_line as line, '' as team from combinations order by 1 limit 200)
		union all (select distinct '', team from people where team <> '' order by team limit 1000)`)
	for _, row := range rows {
		if row.Team != "" {
			teams = append(teams, row.Team)
		} else {
			lines = append(lines, row.Line)
		}
	}
	return lines, teams, err
}

// BusinessLines in use, for a filter.
func (r Reader) BusinessLines(ctx context.Context) ([]string, error) {
	return scan[string](ctx, r, `select distinct business_line from combinations order by 1 limit 200`)
}

// Event is one line of a merchant's timeline.
type Event struct {
	ID          int64
	At          time.Time
	Action      Action
	Who         string
	SubjectKind string
	SubjectID   int64
	Detail      map[string]any `gorm:"serializer:json"`
}

// Timeline is what happened to a merchant, newest first; looking and loading are left out.
func (r Reader) Timeline(ctx context.Context, id MerchantID, limit int) ([]Event, error) {
	return scan[Event](ctx, r, `select a.id, a.at, a.action, coalesce(p.name, '') as who, a.subject_kind, coalesce(a.subject_id, 0) as subject_id, a.detail
		from audit a left join people p on p.id = a.actor_id
		where a.merchant_id = ? and a.action not in ('merchant.viewed', 'document.viewed', 'document.fetched', 'document.rotated', 'document.facts_revealed')
		order by a.id desc limit ?`, id, limit)
}
