package dokusim

import (
	"net/http"
	"strings"

	"berkas/doku"
)

// labelled is how an enumeration comes back.
type labelled struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// labels are the texts of DOKU's sample; other codes are their own text.
var labels = map[string]string{
	"HAVE": "Have a website", "UNDER_DEVELOPMENT": "Under development", "DONT_HAVE": "Don't have", "PERSEORANGAN": "Personal",
	"UMI": "< IDR 20 Mio", "UP_TO_100": "< 100", "UP_TO_50K": "Less than or equal to IDR 50.000",
}

func label(code string) *labelled {
	if code == "" {
		return nil
	}
	if name, ok := labels[code]; ok {
		return &labelled{code, name}
	}
	return &labelled{code, code}
}

// businessData is the answer of Get Business Data: the sample's fields in the sample's order, then what is assumed.
type businessData struct {
	ID                 string    `json:"id"`
	PartnerRefID       string    `json:"partner_ref_id,omitempty"`
	Name               string    `json:"name"`
	Description        string    `json:"description,omitempty"`
	Email              string    `json:"email,omitempty"`
	PhoneCallingCode   string    `json:"phone_calling_code,omitempty"`
	PhoneNumber        string    `json:"phone_number,omitempty"`
	Partner            string    `json:"partner"`
	Platform           string    `json:"platform"`
	Type               string    `json:"type,omitempty"`
	WebsiteReadiness   *labelled `json:"website_readiness,omitempty"`
	MobileAppReadiness *labelled `json:"mobile_app_readiness,omitempty"`
	LegalEntity        *labelled `json:"legal_entity,omitempty"`

	Brands []brandData `json:"brands"`

	Status          string             `json:"status"`
	RejectionReason string             `json:"rejection_reason,omitempty"`
	Addresses       []doku.AddressForm `json:"addresses,omitempty"`
	Contacts        []contactData      `json:"contacts,omitempty"`
	Documents       []documentData     `json:"documents,omitempty"`
}

type brandData struct {
	ID                   string             `json:"id"`
	Name                 string             `json:"name,omitempty"`
	SharedKey            string             `json:"shared_key"`
	Category             string             `json:"category,omitempty"`
	MinimumTransaction   int                `json:"minimum_transaction"`
	MaximumTransaction   int                `json:"maximum_transaction"`
	TransactionFrequency *labelled          `json:"transaction_frequency,omitempty"`
	TransactionQuantity  *labelled          `json:"transaction_quantity,omitempty"`
	TicketSize           *labelled          `json:"ticket_size,omitempty"`
	FinanceStatus        string             `json:"finance_status"`
	RiskEngineStatus     string             `json:"risk_engine_status"`
	PhotoProofs          []photoData        `json:"photo_proofs,omitempty"`
	SocialMedia          []doku.SocialMedia `json:"social_media,omitempty"`
	Status               string             `json:"status"`
}

type photoData struct {
	ID    string `json:"id"`
	Photo string `json:"photo"`
}

type contactData struct {
	Name             string         `json:"name"`
	Email            string         `json:"email,omitempty"`
	Nationality      string         `json:"nationality,omitempty"`
	PhoneCallingCode string         `json:"phone_calling_code,omitempty"`
	PhoneNumber      string         `json:"phone_number,omitempty"`
	Position         string         `json:"position,omitempty"`
	Primary          bool           `json:"primary"`
	Documents        []documentData `json:"documents,omitempty"`
	OwnerLiveness    *livenessData  `json:"owner_liveness,omitempty"`
}

type documentData struct {
	ID       string           `json:"id"`
	Code     string           `json:"code"`
	Category string           `json:"category"`
	Link     string           `json:"link"`
	Forms    []doku.FormValue `json:"forms,omitempty"`
}

type livenessData struct {
	ID   string `json:"id"`
	Link string `json:"link"`
}

// data answers Get Business Data with links minted for this answer. (page "Get Business Data API")
func (s *Simulator) data(c *signedCall) answer {
	if _, missing := combination(c.r); len(missing) > 0 {
		return refuse(http.StatusBadRequest, strings.Join(missing, ", ")+" must be given")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := c.r.PathValue("brand")
	b := s.state.businesses[id]
	if b == nil || b.Partner != c.partner.ClientID || id == b.ID {
		return refuse(http.StatusNotFound, "the brand is unknown")
	}
	a := okay(s.describeAll(b, func(id string) string { return s.linkLocked(s.state.files[id], c.r) }))
	a.assumed = true
	return a
}

func (s *Simulator) describeAll(b *business, link func(id string) string) businessData {
	d := businessData{
		ID: b.ID, PartnerRefID: b.PartnerRefID, Partner: b.Partner, Platform: "api", Status: b.Status, RejectionReason: b.Reason,
	}
	if b.Lite != nil {
		d.Name = b.Lite.Name
		d.Brands = []brandData{describeBrand(b.Brands[0], doku.BrandForm{Name: b.Lite.Name}, link)}
		return d
	}
	f := b.Form
	d.Name, d.Description, d.Email, d.Type = f.Name, f.Description, f.Email, f.Type
	d.PhoneCallingCode, d.PhoneNumber, d.Addresses = f.PhoneCallingCode, f.PhoneNumber, f.Addresses
	d.WebsiteReadiness, d.MobileAppReadiness, d.LegalEntity = label(f.WebsiteReadiness), label(f.MobileAppReadiness), label(f.LegalEntity)
	for i, form := range f.Brands {
		d.Brands = append(d.Brands, describeBrand(b.Brands[i], form, link))
	}
	for _, form := range f.Contacts {
		d.Contacts = append(d.Contacts, describeContact(form, link))
	}
	d.Documents = describeDocuments(f.Documents, link)
	return d
}

func describeBrand(b brand, f doku.BrandForm, link func(string) string) brandData {
	d := brandData{
		ID: b.ID, Name: f.Name, SharedKey: b.SharedKey, Category: f.Category, MaximumTransaction: 100,
		TransactionFrequency: label(f.TransactionFrequency), TransactionQuantity: label(f.TransactionQuantity),
		TicketSize: label("UP_TO_50K"), FinanceStatus: "PROBATION", RiskEngineStatus: "ON_PROCESS",
		SocialMedia: f.SocialMedia, Status: b.Status,
	}
	for _, p := range f.PhotoProofs {
		d.PhotoProofs = append(d.PhotoProofs, photoData{ID: p.ID, Photo: link(p.ID)})
	}
	return d
}

func describeContact(f doku.ContactForm, link func(string) string) contactData {
	d := contactData{
		Name: f.Name, Email: f.Email, Nationality: f.Nationality, PhoneCallingCode: f.PhoneCallingCode,
		PhoneNumber: f.PhoneNumber, Position: f.Position, Primary: f.Primary, Documents: describeDocuments(f.Documents, link),
	}
	if f.OwnerLiveness != nil {
		d.OwnerLiveness = &livenessData{ID: f.OwnerLiveness.ID, Link: link(f.OwnerLiveness.ID)}
	}
	return d
}

func describeDocuments(forms []doku.DocumentForm, link func(string) string) (list []documentData) {
	for _, f := range forms {
		list = append(list, documentData{ID: f.ID, Code: f.Code, Category: doku.CategoryDocument, Link: link(f.ID), Forms: f.Forms})
	}
	return list
}

// lookUp gives a fresh link for an upload's id. DOKU documents no such call (assumed).
func (s *Simulator) lookUp(c *signedCall) answer {
	s.mu.Lock()
	f := s.state.files[c.r.PathValue("id")]
	s.mu.Unlock()
	if f == nil || f.Partner != c.partner.ClientID {
		return refuse(http.StatusNotFound, "the file id is unknown")
	}
	a := s.fileAnswer(f, c.r)
	a.assumed = true
	return a
}
