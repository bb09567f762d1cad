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
	MerchantID      MerchantID
	DocumentID      DocumentID
	Place           string // path in Get Business Data, e.g. business.contacts[0].documents[0]
	AttachedID      string
	Link            []byte
	LinkExpiresAt   *time.Time
	LinkRefreshedAt *time.Time
}

// Attachments of a merchant.
func (r Reader) Attachments(ctx context.Context, id MerchantID) ([]Attachment, error) {
	a, err := gorm.G[Attachment](r.db).Where("merchant_id = ?", id).Order("place").Limit(1000).Find(ctx)
	return a, translate(err)
}

// Attach stores where the documents of a registration went.
func (tx *Tx) Attach(rows []Attachment) error { return createAll(tx, rows) }

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
	bound, err := scan[struct{ DokuHost, ClientID string }](ctx, s.Reader, `select doku_host, client_id from deployment`)
	if err != nil {
		return err
	}
	if len(bound) == 0 {
		return s.Write(ctx, System, func(tx *Tx) error {
			tx.Audit(DeploymentBound, Somewhere("deployment"), "host", host)
			return translate(tx.g.Exec(`insert into deployment (doku_host, client_id, bound_at) values (?, ?, ?)`, host, clientID, tx.Now).Error)
		})
	}
	if bound[0].DokuHost != host || bound[0].ClientID != clientID {
		return fault.New(fault.Conflict, "database_of_other_doku", "host", bound[0].DokuHost, "client", bound[0].ClientID)
	}
	return nil
}
