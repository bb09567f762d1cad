package models

import (
	"context"
	"time"

	"berkas/internal/fault"
)

// DeliveryState is where a document stands on its way to DOKU.
type DeliveryState string

const (
	Waiting   DeliveryState = "waiting" // safe here, not at DOKU yet
	Sending   DeliveryState = "sending"
	Delivered DeliveryState = "delivered"
	Refused   DeliveryState = "refused" // by DOKU
	Failed    DeliveryState = "failed"  // given up after answers nobody understands
)

// Document is one immutable version of a file in a slot: its id never changes bytes. Sealed columns are opened by onboarding.
type Document struct {
	ID              DocumentID
	UID             string `gorm:"column:uid"`
	MerchantID      MerchantID
	SlotID          SlotID
	Version         int
	Category        string
	Code            string
	State           DeliveryState
	FileName        string
	FileURL         []byte `gorm:"column:file_url"` // sealed; the address DOKU was given instead of bytes
	ContentType     string
	Size            int64  // bytes
	SHA256          []byte `gorm:"column:sha256"`
	Width           int
	Height          int
	Pages           int
	Measured        bool
	Sharpness       float64
	PerceptualHash  *int64
	TakenAt         *time.Time
	Rotation        int // quarter turns clockwise
	ExpiresOn       *time.Time
	BlobRef         string
	DataKey         []byte // wrapped
	Thumbnail       []byte // sealed
	HasThumbnail    bool   `gorm:"->;-:migration"`
	FileID          string
	Link            []byte // sealed
	LinkExpiresAt   *time.Time
	LinkRefreshedAt *time.Time
	Attempts        int
	Unclear         int // answers of DOKU that nobody understands
	Problem         string
	DOKUSays        string `gorm:"column:doku_says"`
	NextAttemptAt   *time.Time
	ClaimedBy       string
	ClaimedUntil    *time.Time
	UploadedBy      *PersonID
	Uploader        string `gorm:"->;-:migration"`
	UploadedAt      time.Time
	DeliveredAt     *time.Time
	Review          string // Undecided or an Outcome
	ReviewDueOn     *time.Time
	QueuedAt        *time.Time // in the reviewers' queue since
	SnoozedUntil    *time.Time
	AssignedTo      *PersonID // a reviewer who was asked
	LeasedBy        *PersonID // the reviewer who has it open, until LeasedUntil
	LeasedUntil     *time.Time
	Leaser          string     `gorm:"->;-:migration"`
	FirstApprovedBy *PersonID  // whose approval waits for a second one
	DecidedAt       *time.Time // by a reviewer, or by DOKU that refused it
	Reasons         []string   `gorm:"serializer:json"` // of the refusal that counts
	BusinessType    string
	BusinessLine    string
	WithdrawnAt     *time.Time
	WithdrawnBy     *PersonID
	Withdrawer      string `gorm:"->;-:migration"`
	WithdrawnWhy    string
	ReadBackAt      *time.Time
	PurgedAt        *time.Time
}

// documentFacts are a document's columns for lists: without the thumbnail's bytes, with the people's names.
const documentFacts = `id, uid, merchant_id, slot_id, version, category, code, state, file_name, file_url, content_type, size, sha256, width, height, pages, measured,
	sharpness, perceptual_hash, taken_at, rotation, expires_on, blob_ref, data_key, thumbnail is not null as has_thumbnail, file_id, link, link_expires_at, link_refreshed_at,
	attempts, unclear, problem, doku_says, next_attempt_at, claimed_by, claimed_until, uploaded_by, uploaded_at, delivered_at, review, review_due_on, business_type, business_line,
	queued_at, snoozed_until, assigned_to, leased_by, leased_until, first_approved_by, decided_at, reasons,
	coalesce((select name from people where people.id = leased_by), '') as leaser,
	withdrawn_at, withdrawn_by, withdrawn_why, read_back_at, purged_at,
	coalesce((select name from people where people.id = uploaded_by), '') as uploader, coalesce((select name from people where people.id = withdrawn_by), '') as withdrawer`

// Document by its id, without the thumbnail's bytes. fault.NotFound when there is none.
func (r Reader) Document(ctx context.Context, id DocumentID) (Document, error) {
	rows, err := scan[Document](ctx, r, `select `+documentFacts+` from documents where id = ?`, id)
	if err == nil && len(rows) == 0 {
		return Document{}, fault.New(fault.NotFound, "not_found")
	}
	if err != nil {
		return Document{}, err
	}
	return rows[0], nil
}

// Underway says where a document stands on its way to DOKU, and how often it was tried. fault.NotFound when there is none.
func (r Reader) Underway(ctx context.Context, id DocumentID) (state DeliveryState, attempts int, err error) {
	d, err := take[Document](r.db.WithContext(ctx).Select("state", "attempts").Where("id = ?", id))
	return d.State, d.Attempts, err
}

// Thumbnail of a document: the sealed bytes and what they are sealed under. fault.NotFound when it has none.
func (r Reader) Thumbnail(ctx context.Context, id DocumentID) (sealed []byte, uid string, err error) {
	d, err := take[Document](r.db.WithContext(ctx).Select("uid", "thumbnail").Where("id = ? and thumbnail is not null and purged_at is null", id))
	return d.Thumbnail, d.UID, err
}

// Versions of a slot's document, newest first.
func (r Reader) Versions(ctx context.Context, slot SlotID) ([]Document, error) {
	return scan[Document](ctx, r, `select `+documentFacts+` from documents where slot_id = ? order by version desc limit 200`, slot)
}

// Document by its id, as the transaction sees it.
func (tx *Tx) Document(id DocumentID) (Document, error) { return Reader{db: tx.g}.Document(tx.ctx, id) }

// AddDocument stores a new version in its slot and makes it the one that counts. The merchant must be locked.
func (tx *Tx) AddDocument(d *Document) error {
	if err := tx.g.Raw(`select coalesce(max(version), 0) + 1 from documents where slot_id = ?`, d.SlotID).Scan(&d.Version).Error; err != nil {
		return translate(err)
	}
	d.State, d.Review, d.UploadedAt, d.UploadedBy = Waiting, "undecided", tx.Now, personOrNil(tx.Actor.Person)
	d.NextAttemptAt, d.Reasons = &tx.Now, []string{}
	if err := create(tx, d); err != nil {
		return err
	}
	if err := tx.g.Exec(`update slots set document_id = ? where id = ?`, d.ID, d.SlotID).Error; err != nil {
		return translate(err)
	}
	tx.Audit(DocumentUploaded, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version, "size", d.Size)
	return firstError(tx.Queue(d.MerchantID), translate(tx.transition(d.MerchantID, "document", int64(d.ID), "missing", string(Waiting))))
}

// Delivery is what DOKU answered to an upload. Link is sealed.
type Delivery struct {
	FileID        string
	Link          []byte
	LinkExpiresAt time.Time
}

// Deliver stores DOKU's answer, if the claim is still ours. fault.Conflict otherwise.
func (tx *Tx) Deliver(d Document, a Delivery) error {
	err := swapped(tx.g.Exec(`update documents set state = 'delivered', file_id = ?, link = ?, link_expires_at = ?, link_refreshed_at = ?, delivered_at = ?,
			problem = '', doku_says = '', next_attempt_at = null, claimed_by = '', claimed_until = null, attempts = attempts + 1
		where id = ? and state = 'sending' and claimed_by = ?`, a.FileID, a.Link, a.LinkExpiresAt, tx.Now, tx.Now, d.ID, d.ClaimedBy))
	if err != nil {
		return err
	}
	tx.Audit(DocumentDelivered, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version, "file_id", a.FileID)
	return firstError(tx.Queue(d.MerchantID), translate(tx.transition(d.MerchantID, "document", int64(d.ID), string(Sending), string(Delivered))))
}

// Undeliverable ends a delivery as refused by DOKU or given up.
func (tx *Tx) Undeliverable(d Document, to DeliveryState, problem, dokuSays string) error {
	var decided *time.Time
	if to == Refused {
		decided = &tx.Now
	}
	err := swapped(tx.g.Exec(`update documents set state = ?, problem = ?, doku_says = ?, decided_at = ?, next_attempt_at = null, claimed_by = '', claimed_until = null, attempts = attempts + 1
		where id = ? and state = 'sending' and claimed_by = ?`, to, problem, dokuSays, decided, d.ID, d.ClaimedBy))
	if err != nil {
		return err
	}
	action := DocumentRefused
	if to == Failed {
		action = DocumentGivenUp
	}
	tx.Audit(action, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version, "reason", problem)
	return translate(tx.transition(d.MerchantID, "document", int64(d.ID), string(Sending), string(to)))
}

// Retry puts a refused or given-up document back on its way. fault.Conflict when it is neither.
func (tx *Tx) Retry(d Document) error {
	err := swapped(tx.g.Exec(`update documents set state = 'waiting', attempts = 0, unclear = 0, problem = '', doku_says = '', decided_at = null, next_attempt_at = ?
		where id = ? and state in ('refused', 'failed') and withdrawn_at is null`, tx.Now, d.ID))
	if err != nil {
		return err
	}
	tx.Audit(DocumentRetried, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version)
	return translate(tx.transition(d.MerchantID, "document", int64(d.ID), string(d.State), string(Waiting)))
}

// Withdraw hides a version; the newest one left counts from then on. fault.Conflict when it was withdrawn already.
func (tx *Tx) Withdraw(d Document, why string) error {
	err := swapped(tx.g.Exec(`update documents set withdrawn_at = ?, withdrawn_by = ?, withdrawn_why = ?, claimed_by = '', claimed_until = null
		where id = ? and withdrawn_at is null`, tx.Now, personOrNil(tx.Actor.Person), why, d.ID))
	if err != nil {
		return err
	}
	err = tx.g.Exec(`update slots set document_id = (select max(id) from documents where slot_id = slots.id and withdrawn_at is null) where id = ?`, d.SlotID).Error
	if err != nil {
		return translate(err)
	}
	tx.Audit(DocumentWithdrawn, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version)
	return firstError(tx.Queue(d.MerchantID), translate(tx.transition(d.MerchantID, "document", int64(d.ID), string(d.State), "withdrawn")))
}

// Rotate remembers how a document is looked at, for everyone.
func (tx *Tx) Rotate(d Document, quarters int) error {
	tx.Audit(DocumentRotated, d.ID.Ref(d.MerchantID), "quarters", quarters)
	return translate(tx.g.Exec(`update documents set rotation = ? where id = ?`, quarters, d.ID).Error)
}

// KeepOriginal stores what was measured of bytes that came from DOKU, for a document delivered by address. fault.Conflict
// when it has its original already.
func (tx *Tx) KeepOriginal(d Document) error {
	tx.Audit(DocumentChecked, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version, "size", d.Size, "reason", d.Problem)
	return swapped(tx.g.Model(&Document{}).Where("id = ? and blob_ref = ''", d.ID).
		Select("content_type", "size", "sha256", "width", "height", "pages", "measured", "sharpness", "perceptual_hash", "taken_at", "blob_ref", "data_key", "thumbnail", "problem").
		Updates(&d))
}

// Viewed records that the acting person was shown a document's bytes, Fetched that they were only loaded.
func (tx *Tx) Viewed(d Document, action Action, detail ...any) {
	tx.Audit(action, d.ID.Ref(d.MerchantID), append([]any{"category", d.Category, "code", d.Code, "version", d.Version}, detail...)...)
	delete(tx.touched, d.MerchantID)
}
