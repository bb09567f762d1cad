package doku

// RegistrationBody is the body of the page "Business Registration API". The page's table for PERSONAL could be read down
// to contacts[].name; what follows there, bank_account and the whole of CORPORATE are assumed.
type RegistrationBody struct {
	Business BusinessForm `json:"business"`
}

// BusinessForm is the business that registers. Calling codes and phone numbers are texts, without + and leading 0.
type BusinessForm struct {
	Type               BusinessType   `json:"type"`
	CallbackURL        string         `json:"callback_url,omitempty"`
	LegalEntity        LegalEntity    `json:"legal_entity"`
	Name               string         `json:"name"`
	Description        string         `json:"description,omitempty"` // up to 1023 characters
	Email              string         `json:"email"`
	PhoneCallingCode   string         `json:"phone_calling_code"` // "62"
	PhoneNumber        string         `json:"phone_number"`       // "81234567890"
	WebsiteReadiness   string         `json:"website_readiness,omitempty"`
	MobileAppReadiness string         `json:"mobile_app_readiness,omitempty"`
	Brands             []BrandForm    `json:"brands"`
	Addresses          []AddressForm  `json:"addresses"`
	Contacts           []ContactForm  `json:"contacts"`
	Documents          []DocumentForm `json:"documents,omitempty"`    // company documents (assumed)
	BankAccount        *BankAccount   `json:"bank_account,omitempty"` // (assumed)
}

// BrandForm is one brand of a business.
type BrandForm struct {
	Name                 string        `json:"name"`        // up to 255 characters
	Category             string        `json:"category"`    // BrandRetail or BrandNonRetail
	Description          string        `json:"description"` // up to 1023 characters
	TransactionFrequency string        `json:"transaction_frequency,omitempty"`
	TransactionQuantity  string        `json:"transaction_quantity,omitempty"`
	SocialMedia          []SocialMedia `json:"social_media,omitempty"`
	PhotoProofs          []FileRef     `json:"photo_proofs,omitempty"`
}

// SocialMedia are a brand's accounts at one network, such as INSTAGRAM.
type SocialMedia struct {
	Code     string   `json:"code"`
	Accounts []string `json:"accounts"`
}

// FileRef names an uploaded file by the id that UploadFile returned; links are never sent to DOKU.
type FileRef struct {
	ID string `json:"id"`
}

// AddressForm is an address. Area is "postcode - village - district - city - province", Name the street line.
type AddressForm struct {
	Area    string `json:"area"`
	Country string `json:"country"`
	Name    string `json:"name"`
	Primary bool   `json:"primary"`
}

// ContactForm is a person of the business. Everything but the name is assumed.
type ContactForm struct {
	Name             string         `json:"name"`
	Email            string         `json:"email,omitempty"`
	Nationality      string         `json:"nationality,omitempty"`
	PhoneCallingCode string         `json:"phone_calling_code,omitempty"`
	PhoneNumber      string         `json:"phone_number,omitempty"`
	Position         string         `json:"position,omitempty"`
	Primary          bool           `json:"primary"`
	OwnerLiveness    *FileRef       `json:"owner_liveness,omitempty"`
	Documents        []DocumentForm `json:"documents,omitempty"`
}

// DocumentForm is an uploaded document with the values DOKU's requirement asks for beside it (assumed).
type DocumentForm struct {
	Code     Code        `json:"code"`
	Category Category    `json:"category"`
	ID       string      `json:"id"`
	Forms    []FormValue `json:"forms,omitempty"`
}

// FormValue answers a FormField.
type FormValue struct {
	Code  string `json:"code"`
	Value string `json:"value"`
}

// BankAccount is where DOKU settles to (assumed: the page's table and its sample disagree).
type BankAccount struct {
	AccountName   string `json:"account_name"`
	AccountNumber string `json:"account_number"`
	BankID        string `json:"bank_id"`
	BankName      string `json:"bank_name,omitempty"`
	Country       string `json:"country"`  // "ID"
	Currency      string `json:"currency"` // "IDR"
	SwiftCode     string `json:"swift_code,omitempty"`
}

// LiteBody is the body of the page "Create Business Lite API".
type LiteBody struct {
	Business    LiteBusiness  `json:"business"`
	Referral    *LiteReferral `json:"referral,omitempty"`
	InvitedUser LiteUser      `json:"invited_user"`
}

// LiteBusiness is a shell that an invited person completes in DOKU's dashboard.
type LiteBusiness struct {
	PartnerRefID string      `json:"partner_ref_id"` // our own reference
	Name         string      `json:"name"`
	Contact      LiteContact `json:"contact"`
}

// LiteContact represents the business. Calling code and number are texts.
type LiteContact struct {
	Name             string `json:"name"`
	Email            string `json:"email"`
	PhoneCallingCode string `json:"phone_calling_code"`
	PhoneNumber      string `json:"phone_number"`
}

// LiteReferral is a code of 6 characters that DOKU hands out.
type LiteReferral struct {
	Code string `json:"code"`
}

// LiteUser is invited by e-mail.
type LiteUser struct {
	Email string `json:"email"`
}
