package onboarding

import (
	"encoding/json"
	"fmt"
	"strings"

	"berkas/models"
)

// private is what is personal of a merchant; it is stored sealed and never leaves the package unmasked but for DOKU.
type private struct {
	Email             string `json:"email,omitempty"`
	PhoneCallingCode  string `json:"phone_calling_code,omitempty"`
	PhoneNumber       string `json:"phone_number,omitempty"`
	NPWP              string `json:"npwp,omitempty"`
	BankAccountNumber string `json:"bank_account_number,omitempty"`
}

// contactPrivate is what is personal of a contact beyond its name.
type contactPrivate struct {
	Email            string `json:"email,omitempty"`
	PhoneCallingCode string `json:"phone_calling_code,omitempty"`
	PhoneNumber      string `json:"phone_number,omitempty"`
	BirthDate        string `json:"birth_date,omitempty"`
	Gender           string `json:"gender,omitempty"`
}

// What each sealed column is bound to, so that a ciphertext moved to another row or column does not open.
func merchantSeal(uid string) string           { return "merchants.private:" + uid }
func contactSeal(uid string) string            { return "contacts.private:" + uid }
func sharedKeySeal(uid string) string          { return "merchants.shared_key:" + uid }
func linkSeal(uid string) string               { return "documents.link:" + uid }
func fileURLSeal(uid string) string            { return "documents.file_url:" + uid }
func thumbnailSeal(uid string) string          { return "documents.thumbnail:" + uid }
func submissionSeal(column, uid string) string { return "submissions." + column + ":" + uid }
func fieldSeal(merchantUID string, s models.Slot, code string) string {
	return fmt.Sprintf("slot_fields.value:%s:%s:%s:%s:%d:%s", merchantUID, s.OwnerPath, s.Category, s.Code, s.Ordinal, code)
}

func sealJSON[T any](s *Service, v T, bound string) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		panic("onboarding: " + err.Error()) // plain structs of strings always marshal
	}
	return s.Vault.Seal(raw, bound)
}

func openJSON[T any](s *Service, sealed []byte, bound string) (v T, err error) {
	if len(sealed) == 0 {
		return v, nil
	}
	raw, err := s.Vault.Open(sealed, bound)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(raw, &v)
}

// Mask hides all but the last four characters; short values are hidden whole.
func Mask(value string) string {
	r := []rune(value)
	if len(r) <= 6 {
		return strings.Repeat("•", len(r))
	}
	return strings.Repeat("•", len(r)-4) + string(r[len(r)-4:])
}

// maskEmail keeps the first letter and the domain, by which colleagues recognise an address.
func maskEmail(address string) string {
	local, domain, ok := strings.Cut(address, "@")
	if !ok || local == "" {
		return Mask(address)
	}
	return string([]rune(local)[0]) + "•••@" + domain
}
