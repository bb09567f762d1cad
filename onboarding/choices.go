package onboarding

import (
	"slices"
	"strings"

	"berkas/doku"
	"berkas/models"
)

// BusinessTypes are DOKU's kinds of business.
func BusinessTypes() []string { return []string{"PERSONAL", "CORPORATE"} }

// LegalEntities are the legal forms DOKU documents for a business type; the list is complete.
func LegalEntities(businessType string) []string { return doku.LegalEntities(businessType) }

// BusinessLines are the lines of business DOKU documents for a business type; the list is open.
func BusinessLines(businessType string) []string { return doku.BusinessLines(businessType) }

// Addable is every category, and for DOCUMENT every code, that DOKU takes without asking and that a checklist lacks.
func Addable(rows []models.ChecklistRow) (kinds []models.Slot) {
	add := func(category, code string) {
		there := slices.ContainsFunc(rows, func(r models.ChecklistRow) bool { return r.Category == category && r.Code == code && Asked(r) })
		if !there {
			kinds = append(kinds, models.Slot{Category: category, Code: code})
		}
	}
	for _, category := range doku.Categories() {
		if category != doku.CategoryDocument {
			add(category, "")
		}
	}
	for _, code := range doku.Codes() {
		add(doku.CategoryDocument, code)
	}
	return kinds
}

// SlotGroups are the sections of a checklist, in their order.
var SlotGroups = []string{"owner", "business", "brand", "agreement", "licence"}

// SlotGroup is the section a slot stands in.
func SlotGroup(row models.ChecklistRow) string {
	switch {
	case strings.HasPrefix(row.OwnerPath, "business.contact"):
		return "owner"
	case strings.HasPrefix(row.OwnerPath, "business.brand"), row.Category == doku.CategoryLogo, row.Category == doku.CategoryPhotoProof:
		return "brand"
	case row.Category == doku.CategoryServiceAgreement, row.Category == doku.CategoryBankAccount:
		return "agreement"
	case isLicence(row.Code):
		return "licence"
	}
	return "business"
}

func isLicence(code string) bool {
	return slices.ContainsFunc([]string{"LICENSE_", "LISENSI_", "IZIN_", "SERTIFIKAT_", "BPOM", "TANDA_DAFTAR_PSE"},
		func(prefix string) bool { return strings.HasPrefix(code, prefix) })
}
