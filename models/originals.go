package models

import "context"

// Original is what a row says about the bytes it holds, and its thumbnail.
type Original struct {
	ID         DocumentID
	Bundle     BundleID // in place of a document's id
	UID        string   `gorm:"column:uid"`
	MerchantID MerchantID
	BlobRef    string // "" when there are no bytes, only a thumbnail
	DataKey    []byte // wrapped
	Size       int64  // bytes
	SHA256     []byte `gorm:"column:sha256"`
	Thumbnail  []byte // sealed
}

const originalsSQL = `select id, uid, merchant_id, blob_ref, data_key, size, sha256, thumbnail from documents
	where (blob_ref <> '' or thumbnail is not null) and purged_at is null`

// Originals that rows hold, after a document's id, in the order of ids, at most as many as limit.
func (r Reader) Originals(ctx context.Context, after DocumentID, limit int) ([]Original, error) {
	return scan[Original](ctx, r, originalsSQL+` and id > ? order by id limit ?`, after, limit)
}

// HoldsOriginal reports whether the row still holds these bytes.
func (r Reader) HoldsOriginal(ctx context.Context, o Original) (bool, error) {
	if o.Bundle != 0 {
		return one[bool](ctx, r, `select exists (`+bundleFilesSQL+` and id = ? and blob_ref = ?)`, o.Bundle, o.BlobRef)
	}
	return one[bool](ctx, r, `select exists (`+originalsSQL+` and id = ? and blob_ref = ?)`, o.ID, o.BlobRef)
}

// BlobsKnown are those of some references that a row holds.
func (r Reader) BlobsKnown(ctx context.Context, refs []string) ([]string, error) {
	return scan[string](ctx, r, `select blob_ref from documents where blob_ref in ? and blob_ref <> '' union all select blob_ref from bundles where blob_ref in ? and blob_ref <> ''`, refs, refs)
}
