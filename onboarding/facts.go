package onboarding

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"

	"berkas/doku"
	"berkas/models"
)

// Fact is something typed that a reviewer compares with a document.
type Fact struct {
	Key    string `json:"k"` // a field of the merchant's form, or form_<CODE> of the document's own
	Name   string `json:"-"` // DOKU's name of a document's own field
	Value  string `json:"v"`
	Masked string `json:"-"` // what is shown until the value is asked for; "" when that is the value itself
}

// Facts are what was typed beside a document, as somebody sees it: a decision names them by their hash.
type Facts struct {
	List []Fact
	Hash string // of all that is shown
	// Seen is the list, sealed for a page to hand back: by it a conflict can show what has changed since.
	Seen string
}

// factRule is one fact that is compared with documents. A decision relies on it when the document is among those named,
// or when none is: what a KTP was approved for is not in question when a bank account changes.
type factRule struct {
	name     string
	masked   bool
	reliedBy []string // DocumentCodes
}

var (
	identities = []string{doku.CodeKTP, doku.CodeKitasOrKitap, doku.CodePaspor, doku.CategoryOwnerLiveness}
	accounts   = []string{doku.CategoryBankAccount, doku.CategoryServiceAgreement}
	taxNumbers = []string{doku.CodeNPWPBadan, "NPWP_ORANG_PRIBADI", doku.CategoryServiceAgreement}
	licences   = []string{doku.CodeNIB, "NIB_PERSEORANGAN", "IZIN_USAHA", "IZIN_USAHA_PERSEORANGAN", doku.CategoryServiceAgreement}
)

// factRules are in the order shown; the document's own fields, such as a KTP's NIK, come before them.
var factRules = []factRule{
	{"name", false, nil},
	{"owner_name", false, nil},
	{"owner_birth_date", true, identities},
	{"owner_gender", false, identities},
	{"npwp", true, taxNumbers},
	{"nib", false, licences},
	{"address_street", false, nil},
	{"address_area", false, nil},
	{"bank_name", false, accounts},
	{"bank_account_name", false, accounts},
	{"bank_account_number", true, accounts},
}

const ownFacts = "form_" // what the keys of a document's own fields begin with

func ruleOf(key string) factRule {
	for _, r := range factRules {
		if r.name == key {
			return r
		}
	}
	return factRule{name: key, masked: strings.HasPrefix(key, ownFacts)}
}

// Facts typed beside a document, for a person to compare with it.
func (s *Service) Facts(m models.Dossier, rows []models.ChecklistRow, d models.Document, actor models.Actor) (Facts, error) {
	typed, err := s.typed(m)
	if err != nil {
		return Facts{}, err
	}
	own, err := s.ownFacts(m.Merchant, rows, d)
	if err != nil {
		return Facts{}, err
	}
	f := Facts{List: factsOf(typed, own)}
	raw, err := json.Marshal(f.List)
	if err != nil {
		return Facts{}, err
	}
	f.Hash = hex.EncodeToString(s.Vault.Hash("facts", d.UID+string(raw))[:16])
	f.Seen = base64.RawURLEncoding.EncodeToString(s.Vault.Seal(raw, seenSeal(d.UID, actor)))
	return f, nil
}

// factsOf are a document's own facts and, after them, those of the merchant's form.
func factsOf(typed MerchantForm, own []Fact) []Fact {
	for _, rule := range factRules {
		if v := typed[rule.name]; v != "" {
			own = append(own, Fact{Key: rule.name, Value: v, Masked: rule.mask(v)})
		}
	}
	return own
}

// ownFacts are the form fields typed with the document, such as the NIK of a KTP.
func (s *Service) ownFacts(m models.Merchant, rows []models.ChecklistRow, d models.Document) (list []Fact, err error) {
	i := slices.IndexFunc(rows, func(r models.ChecklistRow) bool { return r.ID == d.SlotID })
	if i < 0 {
		return nil, nil
	}
	for _, field := range rows[i].Fields {
		v, err := s.Vault.OpenString(field.Value, fieldSeal(m.UID, rows[i].Slot, field.Code))
		if err != nil {
			return nil, err
		}
		fact := Fact{Key: ownFacts + field.Code, Value: v, Masked: field.Masked}
		for _, asked := range rows[i].Form {
			if asked.Code == field.Code {
				fact.Name = asked.Name
			}
		}
		list = append(list, fact)
	}
	return list, nil
}

// seenSeal binds what somebody saw to the document and to them.
func seenSeal(uid string, actor models.Actor) string {
	return "review.seen:" + uid + ":" + actor.Person.String()
}

// Seen opens the list a page handed back; nil when it is none of ours.
func (s *Service) Seen(d models.Document, actor models.Actor, seen string) (list []Fact) {
	sealed, err := base64.RawURLEncoding.DecodeString(seen)
	if err != nil {
		return nil
	}
	raw, err := s.Vault.Open(sealed, seenSeal(d.UID, actor))
	if err != nil || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	for i := range list {
		list[i].Masked = ruleOf(list[i].Key).mask(list[i].Value)
	}
	return list
}

func (r factRule) mask(value string) string {
	if !r.masked {
		return ""
	}
	return Mask(value)
}

// relied is the keyed hash of those facts that a decision on the document relies on: when it changes, the document is to
// be decided again.
func (s *Service) relied(f Facts, d models.Document) []byte {
	var raw strings.Builder
	for _, fact := range f.List {
		rule := ruleOf(fact.Key)
		if rule.reliedBy == nil || slices.Contains(rule.reliedBy, DocumentCode(d.Category, d.Code)) {
			raw.WriteString(fact.Key + "\x00" + fact.Value + "\x00")
		}
	}
	return s.Vault.Hash("facts", d.UID+raw.String())
}

// reopenChanged has documents decided again whose decision relied on data that have changed, unless they were submitted to
// DOKU. The merchant must be locked.
func (s *Service) reopenChanged(tx *models.Tx, id models.MerchantID) error {
	decisions, err := tx.DecisionsOfMerchant(id)
	if err != nil || len(decisions) == 0 {
		return err
	}
	m, err := tx.Dossier(id)
	if err != nil || m.Merchant.Locked {
		return err
	}
	rows, err := tx.ChecklistRows(id)
	if err != nil {
		return err
	}
	for _, v := range decisions {
		d, err := tx.Document(v.DocumentID)
		if err != nil {
			return err
		}
		f, err := s.Facts(m, rows, d, tx.Actor)
		if err != nil {
			return err
		}
		if v.Outcome == models.Approve && string(s.relied(f, d)) != string(v.Facts) {
			if err := tx.Reopen(d, v); err != nil {
				return err
			}
		}
	}
	return nil
}
