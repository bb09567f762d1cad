package onboarding

import (
	"strconv"
	"strings"
	"time"

	"berkas/doku"
	"berkas/models"
)

// A portfolio that is invented at once, for measuring and for looking at, is written row by row and not act by act. These
// are the pieces of its rows that only this package can make: sealed and hashed as those of a real merchant.

// inventedFile is what the file ids of documents begin with that were never at DOKU.
const inventedFile = "seeded-"

// Invented reports whether a document is a row alone: a portfolio was invented with it, and no file ever was.
func Invented(d models.Document) bool { return strings.HasPrefix(d.FileID, inventedFile) }

// InventedFile is the file id of a document that is a row alone.
func InventedFile(id models.DocumentID) string { return inventedFile + id.String() }

// InventMerchant is a merchant's dossier with its keyed hashes, as CreateMerchant stores what was typed; nothing is checked.
func (s *Service) InventMerchant(uid string, form MerchantForm) (models.Dossier, []models.MerchantKey, error) {
	return s.dossier(models.Dossier{Merchant: models.Merchant{UID: uid}}, form)
}

// InventNIK is the field of an identity card, as SetFields stores it.
func (s *Service) InventNIK(merchantUID string, slot models.Slot, nik string) (models.SlotField, models.MerchantKey) {
	const code = "NO_KTP"
	return models.SlotField{SlotID: slot.ID, Code: code, Value: s.Vault.SealString(nik, fieldSeal(merchantUID, slot, code)), Masked: Mask(nik)},
		models.MerchantKey{MerchantID: slot.MerchantID, Source: slotSource(slot.ID), Kind: "nik", Hash: s.Vault.Hash("nik", nik)}
}

// InventReliance is the hash of what a decision on a document relied on. nik is what was typed beside it.
func (s *Service) InventReliance(form MerchantForm, d models.Document, nik string) []byte {
	var own []Fact
	if nik != "" && d.Code == doku.CodeKTP {
		own = []Fact{{Key: ownFacts + "NO_KTP", Value: nik}}
	}
	return s.relied(Facts{List: factsOf(form, own)}, d)
}

// InventMessage is a message's sealed body.
func (s *Service) InventMessage(uid, text string) []byte {
	return s.Vault.SealString(text, bodySeal("messages", uid))
}

func slotSource(id models.SlotID) string { return "slot:" + strconv.FormatInt(int64(id), 10) }

// Walk is a merchant's course that goes on to a quarter at a time.
func Walk(course []models.Step, at time.Time, to models.Quarter) []models.Step {
	return walked(course, models.Step{Week: models.WeekOf(at), Quarter: to})
}
