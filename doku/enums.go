package doku

import "slices"

// DOKU's enumerations are open: the constants are the values its documentation lists, and any other string is passed on.
type (
	// Category is what an uploaded file is, as on the page "Upload File API".
	Category = string
	// Code is which document a file of CategoryDocument is, as on the page "Upload File API".
	Code = string
	// BusinessType is PERSONAL or CORPORATE, as on the page "Check Requirements API".
	BusinessType = string
	// LegalEntity is the legal form of a business, as on the page "Check Requirements API".
	LegalEntity = string
	// BusinessLine is a brand's line of business, as on the page "Check Requirements API". DOKU's visible list is cut.
	BusinessLine = string
	// Status is the state of a business or a brand. Compare with EqualFold; an unknown value means still under review.
	Status = string
)

// The categories of "Upload File API", complete.
const (
	CategoryOwnerLiveness    Category = "OWNER_LIVENESS"
	CategoryPhotoProof       Category = "PHOTO_PROOF"
	CategoryLogo             Category = "LOGO"
	CategoryDocument         Category = "DOCUMENT"
	CategoryServiceAgreement Category = "SERVICE_AGREEMENT"
	CategoryBankAccount      Category = "BANK_ACCOUNT"
)

// The two business types.
const (
	Personal  BusinessType = "PERSONAL"
	Corporate BusinessType = "CORPORATE"
)

// Values that other packages name.
const (
	Perseorangan LegalEntity  = "PERSEORANGAN"
	Retail       BusinessLine = "RETAIL"
	Indonesia                 = "ID" // the only nationality DOKU lists

	BrandRetail    = "RETAIL" // brands[].category, not the same enumeration as BusinessLine
	BrandNonRetail = "NON_RETAIL"

	ReadinessHave             = "HAVE"
	ReadinessUnderDevelopment = "UNDER_DEVELOPMENT"
	ReadinessDontHave         = "DONT_HAVE"

	PositionOwner = "OWNER" // seen in a third party's integration only
)

// Statuses. None of them is documented by DOKU: they were seen in a third party's integration, the last four being its
// defensive guess for a refusal.
const (
	StatusUpdating Status = "UPDATING"
	StatusActive   Status = "ACTIVE"
	StatusRejected Status = "REJECTED"
	StatusDeclined Status = "DECLINED"
	StatusDenied   Status = "DENIED"
	StatusFailed   Status = "FAILED"
)

// Codes that other packages name; Codes lists all.
const (
	CodeKTP          Code = "KTP"
	CodeKitasOrKitap Code = "KITAS_OR_KITAP"
	CodePaspor       Code = "PASPOR"
	CodeNIB          Code = "NIB"
	CodeNPWPBadan    Code = "NPWP_BADAN"
)

var (
	categories = []Category{CategoryOwnerLiveness, CategoryPhotoProof, CategoryLogo, CategoryDocument, CategoryServiceAgreement, CategoryBankAccount}

	codes = []Code{
		"AKTA_PENDIRIAN_PERUSAHAAN", "BPOM", "COMPANY_REGISTRATION", "IZIN_BLU", "IZIN_BOPI", "IZIN_DISPENDIK_KEMENDIKBUD",
		"IZIN_DISTRIBUTOR_RESMI", "IZIN_EDAR_ALAT_KESEHATAN", "IZIN_KERAMAIAN", "IZIN_KOPERASI_SIMPAN_PINJAM",
		"IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH", "IZIN_PMB", "IZIN_PUB", "IZIN_USAHA", "IZIN_USAHA_PERSEORANGAN",
		"KITAS_OR_KITAP", "KTP", "LICENSE_ASIC", "LICENSE_CFTC", "LICENSE_CYSEC", "LICENSE_FCA", "LICENSE_IFSC",
		"LISENSI_BAPPEBTI", "LISENSI_OJK", "NIB", "NIB_PERSEORANGAN", "NPWP_BADAN", "NPWP_ORANG_PRIBADI", "PASPOR",
		"SERTIFIKAT_HALAL_MUI", "SERTIFIKAT_KEANGGOTAAN_ASITA", "SK_KEMENDIKBUDRISTEK", "SK_KEMENKUMHAM",
		"SK_PENDIRIAN_YAYASAN", "TANDA_DAFTAR_PSE", "TANDA_DAFTAR_YAYASAN",
	}

	legalEntities = map[BusinessType][]LegalEntity{
		Personal: {Perseorangan},
		Corporate: {"PT", "CV", "UD", "KOPERASI", "FIRMA", "PP", "BUMN", "PTN_BH", "YAYASAN",
			"PERKUMPULAN_BERBADAN_HUKUM", "BLU"},
	}

	businessLines = map[BusinessType][]BusinessLine{
		Personal: {Retail},
		Corporate: {"AGRICULTURE", "CAPITAL_MARKET", "CHARITY", "COMMUNICATION", "DIGITAL_AND_GAME", "EDUCATION",
			"EVENT_ORGANIZER", "FINANCIAL_SERVICE", "FOOD_AND_BEVERAGE", "GAS_STATION", "HOSPITALITY", "INSURANCE",
			"LOGISTICS", "MANUFACTURE", "MARKETPLACE", "MINING", "ONLINE_STORE", Retail},
	}
)

// Categories lists the six upload categories of "Upload File API".
func Categories() []Category { return slices.Clone(categories) }

// Codes lists the 36 document codes of "Upload File API", alphabetically.
func Codes() []Code { return slices.Clone(codes) }

// LegalEntities lists the legal entities "Check Requirements API" names for a business type; empty for an unknown type.
func LegalEntities(t BusinessType) []LegalEntity { return slices.Clone(legalEntities[t]) }

// BusinessLines lists the known lines of business for a type; empty for an unknown type. DOKU's visible list for
// CORPORATE ends within a word: ONLINE_STORE and RETAIL are assumed, and more values exist.
func BusinessLines(t BusinessType) []BusinessLine { return slices.Clone(businessLines[t]) }
