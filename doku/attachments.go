package doku

import (
	"strings"
	"time"
)

// Attachment is a file within a registered business. Its id differs from the id of the upload, which does not come back:
// match attachments by Place, Category and Code.
type Attachment struct {
	Place         string // "business.brands[0].photo_proofs[0]", "business.contacts[0].documents[1]"
	ID            string
	Category      Category
	Code          Code // "" outside CategoryDocument
	Link          string
	LinkExpiresAt time.Time // as in File; zero without a link
}

// fileKeys are names under which files stand, and what they are. Only photo_proofs is documented.
var fileKeys = map[string]Category{
	"photo_proof": CategoryPhotoProof, "photo_proofs": CategoryPhotoProof,
	"owner_liveness": CategoryOwnerLiveness, "document": CategoryDocument, "documents": CategoryDocument,
	"logo": CategoryLogo, "logos": CategoryLogo,
	"service_agreement": CategoryServiceAgreement, "service_agreements": CategoryServiceAgreement,
}

// attachments searches a business for files: objects with an id that stand under one of fileKeys, or that have a link.
func attachments(business *node, at time.Time) []Attachment {
	var list []Attachment
	business.walk(place{"business"}, func(p place, n *node) bool {
		category, known := fileKeys[p.key()]
		id, link := n.get("id").str(), fileLink(n)
		if id == "" || !known && link == "" || len(p) == 1 {
			return true
		}
		a := Attachment{Place: p.String(), ID: id, Category: category, Link: link}
		if own := n.get("category").value(); own != "" {
			a.Category = own
		}
		if a.Category == "" {
			a.Category = strings.ToUpper(p.key())
		}
		if a.Category == CategoryDocument {
			a.Code = n.get("code").value()
		}
		if link != "" {
			a.LinkExpiresAt = linkExpiry(link, at)
		}
		list = append(list, a)
		return false
	})
	return list
}

// fileLink: the documented field for a photo is "photo", for an upload "link".
func fileLink(n *node) string {
	for _, key := range []string{"link", "photo"} {
		if s := n.get(key).str(); strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://") {
			return s
		}
	}
	return ""
}
