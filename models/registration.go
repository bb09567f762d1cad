package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"berkas/internal/fault"
)

type gormDB = gorm.DB

// Attachment is where a document stands in a registered business at DOKU. Its id there differs from the upload's.
type Attachment struct {
	ID              int64
	SubmissionID    SubmissionID
	MerchantID      MerchantID
	DocumentID      DocumentID
	Place           string // path in Get Business Data, e.g. business.contacts[0].documents[0]
	AttachedID      string
	Link            []byte
	LinkExpiresAt   *time.Time
	LinkRefreshedAt *time.Time
}

// AttachedDocument is where a document stands at DOKU, and what it was uploaded as.
type AttachedDocument struct {
	DocumentID DocumentID
	UID        string `gorm:"column:uid"`
	Category   string
	Code       string
	Version    int
	SlotID     SlotID
	Place      string
	Purged     bool // DOKU alone has its bytes
	Replaced   bool // it need not be there any more: another version counts, or it was brought to DOKU anew since
}

const attachedSQL = `select a.document_id, d.uid, d.category, d.code, d.version, d.slot_id, a.place, d.purged_at is not null as purged,
	d.state <> 'delivered' or d.withdrawn_at is not null or l.document_id is distinct from d.id or d.delivered_at > v.created_at as replaced
	from attachments a join documents d on d.id = a.document_id join slots l on l.id = d.slot_id join submissions v on v.id = a.submission_id`

// Attachments are the documents that a merchant was registered with, or is being, with their places.
func (r Reader) Attachments(ctx context.Context, id MerchantID) ([]AttachedDocument, error) {
	return scan[AttachedDocument](ctx, r, attachedSQL+` join merchants m on m.id = a.merchant_id and m.submission_id = a.submission_id where m.id = ? and m.locked order by a.place limit 1000`, id)
}

// HolderOf is the newest submission that made a business, rejected or not, which holds a document; the zero Submission when none
// does.
func (r Reader) HolderOf(ctx context.Context, id DocumentID) (Submission, error) {
	return one[Submission](ctx, r, `select submissions.* from submissions join attachments a on a.submission_id = submissions.id
		where a.document_id = ? and submissions.brand_id <> '' order by submissions.id desc limit 1`, id)
}

// Health of DOKU as the processes saw it.
type Health struct {
	DownSince   *time.Time
	LastOKAt    *time.Time `gorm:"column:last_ok_at"`
	LastErrorAt *time.Time
	LastError   string
	LatencyMS   int `gorm:"column:latency_ms"`
}

// Health of DOKU.
func (r Reader) Health(ctx context.Context) (Health, error) {
	return one[Health](ctx, r, `select * from doku_health`)
}

// Bind ties an empty database to a DOKU host and partner; a database tied to another is refused with fault.Conflict.
func (s *Store) Bind(ctx context.Context, host, clientID string) error {
	const query = `select doku_host, client_id from deployment`
	type deployment struct{ DokuHost, ClientID string }
	bound, err := scan[deployment](ctx, s.Reader, query)
	if err == nil && len(bound) == 0 {
		err = s.Write(ctx, System, func(tx *Tx) error {
			tx.Audit(DeploymentBound, Somewhere("deployment"), "host", host)
			return swapped(tx.g.Exec(`insert into deployment (doku_host, client_id, bound_at) values (?, ?, ?) on conflict do nothing`, host, clientID, tx.Now))
		})
		if !fault.Is(err, fault.Conflict) {
			return err
		}
		bound, err = scan[deployment](ctx, s.Reader, query) // another process was quicker
	}
	if err != nil {
		return err
	}
	if bound[0].DokuHost != host || bound[0].ClientID != clientID {
		return fault.New(fault.Conflict, "database_of_other_doku", "host", bound[0].DokuHost, "client", bound[0].ClientID)
	}
	return nil
}
