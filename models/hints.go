package models

import (
	"context"
	"strconv"
)

// Alike is another document with the same bytes, or nearly the same picture.
type Alike struct {
	ID         DocumentID
	MerchantID MerchantID
	Merchant   string
	Category   string
	Code       string
	Version    int
	Same       bool // the very same bytes
	Refused    bool // by DOKU or a reviewer
}

// alikeBits is in how many of its 64 bits the difference hash of nearly the same picture may differ; the index finds no more.
const alikeBits = 3

// Alike are other documents that hold the same file or nearly the same picture: at another merchant, or refused before at
// this one. At most ten, the same file first.
func (r Reader) Alike(ctx context.Context, d Document) ([]Alike, error) {
	return scan[Alike](ctx, r, `with found as (
			(select id, true as same from documents where sha256 = ? and id <> ? limit 50)
			union all
			(select id, false from documents where perceptual_hash is not null and picture_bands(perceptual_hash) && picture_bands(?::bigint)
				and bit_count((perceptual_hash # ?::bigint)::bit(64)) <= `+strconv.Itoa(alikeBits)+` and sha256 is distinct from ? and id <> ? limit 50))
		select d.id, d.merchant_id, (select name from merchants m where m.id = d.merchant_id) as merchant, d.category, d.code, d.version, f.same, d.state = 'refused' or d.review = 'refused' as refused
		from found f join documents d on d.id = f.id where d.merchant_id <> ? or d.state = 'refused' or d.review = 'refused'
		order by f.same desc, d.merchant_id <> ? desc, d.id desc limit 10`, d.SHA256, d.ID, d.PerceptualHash, d.PerceptualHash, d.SHA256, d.ID, d.MerchantID, d.MerchantID)
}
