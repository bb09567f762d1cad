package models

import (
	"context"
	"time"
)

// settledSQL are originals of documents m and d that DOKU keeps for a registered merchant, of which nothing is known to be wrong there.
const settledSQL = `from documents d join merchants m on m.id = d.merchant_id join attachments a on a.document_id = d.id and a.submission_id = m.submission_id
	where d.purged_at is null and d.blob_ref <> '' and d.state = 'delivered' and m.registration = 'registered' and not m.legal_hold
		and not exists (select 1 from polls p where p.merchant_id = m.id and p.differences <> '[]')`

// ToReadBack are documents of registered merchants that nobody has read through a refreshed link yet, oldest first.
func (r Reader) ToReadBack(ctx context.Context, limit int) ([]DocumentID, error) {
	return scan[DocumentID](ctx, r, `select d.id `+settledSQL+` and d.read_back_at is null order by d.delivered_at, d.id limit ?`, limit)
}

// ToPurge are documents that were read through a refreshed link before a time and whose originals may go, oldest first.
func (r Reader) ToPurge(ctx context.Context, before time.Time, limit int) ([]DocumentID, error) {
	return scan[DocumentID](ctx, r, `select d.id `+settledSQL+` and d.read_back_at <= ? order by d.read_back_at, d.id limit ?`, before, limit)
}

// Purge forgets the reference of a document's original, its data key and its thumbnail, if the original may still go, and ends
// the bundles of evidence that hold a copy. fault.Conflict otherwise. The bytes are the caller's to delete.
func (tx *Tx) Purge(d Document) error {
	err := swapped(tx.g.Exec(`update documents set purged_at = ?, blob_ref = '', data_key = null, thumbnail = null
		where id in (select d.id `+settledSQL+` and d.id = ? and d.read_back_at is not null)`, tx.Now, d.ID))
	if err == nil {
		err = translate(tx.g.Exec(`update bundles set expires_at = ? where merchant_id = ? and blob_ref <> '' and expires_at > ?`, tx.Now, d.MerchantID, tx.Now).Error)
	}
	tx.Audit(DocumentPurged, d.ID.Ref(d.MerchantID), "category", d.Category, "code", d.Code, "version", d.Version)
	return err
}

// Hold keeps a merchant's originals whatever retention says, or lets them go again. fault.Conflict when it is so already.
func (tx *Tx) Hold(id MerchantID, on bool) error {
	tx.Audit(HoldChanged, id.Ref(), "hold", on)
	return swapped(tx.g.Exec(`update merchants set legal_hold = ?, updated_at = ? where id = ? and legal_hold <> ?`, on, tx.Now, id, on))
}
