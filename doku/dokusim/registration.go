package dokusim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"berkas/doku"
)

// register answers Business Registration. (page "Business Registration API"; its answer and CORPORATE are assumed)
func (s *Simulator) register(c *signedCall) answer {
	form, err := readRegistration(c.body)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	return s.once(c, func() (answer, change) {
		if err := s.checkFiles(form, c.partner); err != nil {
			return refuse(err.status, err.message), change{}
		}
		ch := s.newBusiness(form, c.partner)
		a := okay(struct {
			Business registered `json:"business"`
		}{describe(ch.Business)})
		a.assumed = true
		return a, ch
	})
}

// registered is the answer a third party's integration expects.
type registered struct {
	ID     string            `json:"id"`
	Status string            `json:"status"`
	Brands []registeredBrand `json:"brands"`
}

type registeredBrand struct {
	ID        string    `json:"id"`
	Status    string    `json:"status"`
	SharedKey string    `json:"shared_key"`
	Services  []service `json:"services"`
}

type service struct {
	Code   string `json:"code"`
	Name   string `json:"name"`
	Status string `json:"status"`
}

func describe(b *business) registered {
	r := registered{ID: b.ID, Status: b.Status}
	for _, brand := range b.Brands {
		r.Brands = append(r.Brands, registeredBrand{
			ID: brand.ID, Status: brand.Status, SharedKey: brand.SharedKey, Services: []service{{"QRIS", "QRIS", "PENDING"}},
		})
	}
	return r
}

// readRegistration checks the documented mandatory fields.
func readRegistration(body []byte) (*doku.BusinessForm, error) {
	root, err := readObject(body)
	if err != nil {
		return nil, err
	}
	m := &missing{}
	b := m.object(root, "business")
	m.need(b, "business", "type", "legal_entity", "name", "email", "phone_calling_code", "phone_number")
	for i, brand := range m.list(b, "business", "brands") {
		m.need(brand, at("business.brands", i), "name", "category", "description")
	}
	for i, address := range m.list(b, "business", "addresses") {
		m.need(address, at("business.addresses", i), "area", "country", "name", "primary")
	}
	for i, contact := range m.list(b, "business", "contacts") {
		m.need(contact, at("business.contacts", i), "name")
	}
	if len(m.names) > 0 {
		return nil, fmt.Errorf("%s must be given", strings.Join(m.names, ", "))
	}
	var typed doku.RegistrationBody
	if err := retype(root, &typed); err != nil {
		return nil, err
	}
	return &typed.Business, checkValues(&typed.Business)
}

func checkValues(f *doku.BusinessForm) error {
	switch {
	case doku.LegalEntities(f.Type) == nil:
		return fmt.Errorf("business.type is unknown")
	case !slices.Contains(doku.LegalEntities(f.Type), f.LegalEntity):
		return fmt.Errorf("business.legal_entity is not one of this type")
	}
	for i, b := range f.Brands {
		if b.Category != doku.BrandRetail && b.Category != doku.BrandNonRetail {
			return fmt.Errorf("%s.category must be RETAIL or NON_RETAIL", at("business.brands", i))
		}
	}
	return nil
}

// readObject reads a JSON object; numbers keep their digits.
func readObject(body []byte) (map[string]any, error) {
	var root map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&root) != nil || root == nil {
		return nil, fmt.Errorf("the body is no JSON object")
	}
	return root, nil
}

// retype reads an object into a struct. DOKU's tables call phone numbers integers and its samples show texts: both pass.
func retype(root map[string]any, to any) error {
	raw, _ := json.Marshal(phonesAsText(root))
	if err := json.Unmarshal(raw, to); err != nil {
		if t, ok := err.(*json.UnmarshalTypeError); ok {
			return fmt.Errorf("%s has the wrong type", t.Field)
		}
		return fmt.Errorf("the body is malformed")
	}
	return nil
}

func phonesAsText(v any) any {
	switch t := v.(type) {
	case map[string]any:
		for key, member := range t {
			number, ok := member.(json.Number)
			if ok && (key == "phone_calling_code" || key == "phone_number") {
				t[key] = number.String()
				continue
			}
			t[key] = phonesAsText(member)
		}
	case []any:
		for i := range t {
			t[i] = phonesAsText(t[i])
		}
	}
	return v
}

// missing collects the names of fields that should be there.
type missing struct{ names []string }

func (m *missing) object(from map[string]any, name string) map[string]any {
	o, ok := from[name].(map[string]any)
	if !ok {
		m.names = append(m.names, name)
	}
	return o
}

func (m *missing) need(from map[string]any, where string, names ...string) {
	if from == nil {
		return
	}
	for _, name := range names {
		if v := from[name]; v == nil || v == "" {
			m.names = append(m.names, where+"."+name)
		}
	}
}

// list is a list that must have at least one object.
func (m *missing) list(from map[string]any, where, name string) []map[string]any {
	if from == nil {
		return nil
	}
	items, _ := from[name].([]any)
	var list []map[string]any
	for i, item := range items {
		o, ok := item.(map[string]any)
		if !ok {
			m.names = append(m.names, at(where+"."+name, i))
			o = map[string]any{}
		}
		list = append(list, o)
	}
	if len(list) == 0 {
		m.names = append(m.names, where+"."+name)
	}
	return list
}

func at(where string, i int) string { return where + "[" + strconv.Itoa(i) + "]" }

// slot is one place of a registration where a file's id stands.
type slot struct {
	place, category, code string
	id                    *string
	forms                 []doku.FormValue
}

func slotsOf(f *doku.BusinessForm) (list []slot) {
	documents := func(where string, docs []doku.DocumentForm) {
		for i := range docs {
			d := &docs[i]
			list = append(list, slot{at(where+".documents", i), doku.CategoryDocument, d.Code, &d.ID, d.Forms})
		}
	}
	for i := range f.Brands {
		for j := range f.Brands[i].PhotoProofs {
			where := at(at("business.brands", i)+".photo_proofs", j)
			list = append(list, slot{place: where, category: doku.CategoryPhotoProof, id: &f.Brands[i].PhotoProofs[j].ID})
		}
	}
	for i := range f.Contacts {
		c, where := &f.Contacts[i], at("business.contacts", i)
		documents(where, c.Documents)
		if c.OwnerLiveness != nil {
			list = append(list, slot{place: where + ".owner_liveness", category: doku.CategoryOwnerLiveness, id: &c.OwnerLiveness.ID})
		}
	}
	documents("business", f.Documents)
	return list
}

func unprocessable(format string, args ...any) *problem {
	return &problem{http.StatusUnprocessableEntity, fmt.Sprintf(format, args...)}
}

// checkFiles wants every file to exist, to be this partner's and to be what its place is for, and everything required
// to be there. The caller holds mu.
func (s *Simulator) checkFiles(f *doku.BusinessForm, p Partner) *problem {
	slots := slotsOf(f)
	for _, slot := range slots {
		file := s.state.files[*slot.id]
		switch {
		case file == nil || file.Upload != "" || file.Partner != p.ClientID:
			return unprocessable("%s: the file id is unknown", slot.place)
		case file.Category != slot.category || file.Code != slot.code:
			return unprocessable("%s: the file was uploaded as something else", slot.place)
		}
	}
	var first *problem
	for _, required := range s.candidates(f) {
		problem := checkRequired(required, f, slots)
		if problem == nil {
			return nil
		}
		if first == nil {
			first = problem
		}
	}
	return first
}

// candidates are the requirement answers that may stand behind a registration. Its body does not name the line of
// business, so any line will do, without the extra papers of its own (assumed).
func (s *Simulator) candidates(f *doku.BusinessForm) (list [][]doku.Requirement) {
	comb := doku.Combination{BusinessType: f.Type, LegalEntity: f.LegalEntity, Nationality: doku.Indonesia}
	if n := f.Contacts[0].Nationality; n != "" {
		comb.Nationality = n
	}
	if f.Type == doku.Personal {
		comb.BusinessLine = doku.Retail
	}
	for o, answer := range s.state.overrides {
		if o.BusinessType == comb.BusinessType && o.LegalEntity == comb.LegalEntity && o.Nationality == comb.Nationality {
			list = append(list, override{o, answer}.items())
		}
	}
	if _, replaced := s.state.overrides[comb]; replaced {
		return list
	}
	if body, _, ok := s.matrix.answer(comb); ok {
		items, _ := doku.ParseRequirements(body)
		list = append(list, items)
	}
	return list
}

func checkRequired(required []doku.Requirement, f *doku.BusinessForm, slots []slot) *problem {
	for _, r := range required {
		if r.Category == doku.CategoryPhotoProof {
			for i := range f.Brands {
				if len(f.Brands[i].PhotoProofs) == 0 {
					return unprocessable("%s.photo_proofs is required", at("business.brands", i))
				}
			}
			continue
		}
		if r.Category != doku.CategoryDocument && r.Category != doku.CategoryOwnerLiveness {
			continue // no place in a registration is known for it
		}
		i := slices.IndexFunc(slots, func(s slot) bool { return s.category == r.Category && s.code == r.Code })
		if i < 0 {
			return unprocessable("%s (%s) is required", r.Path, strings.TrimSpace(r.Category+" "+r.Code))
		}
		if err := checkForms(r, slots[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkForms(r doku.Requirement, s slot) *problem {
	for _, field := range r.Form {
		i := slices.IndexFunc(s.forms, func(v doku.FormValue) bool { return v.Code == field.Code })
		if i < 0 || !field.Accepts(s.forms[i].Value) {
			return &problem{http.StatusBadRequest, s.place + ".forms: " + field.Code + " is missing or not as required"}
		}
	}
	return nil
}

// newBusiness makes the business and attaches its files under ids of their own. The caller holds mu.
func (s *Simulator) newBusiness(f *doku.BusinessForm, p Partner) change {
	now := s.now()
	b := &business{ID: s.state.newID("BSN", now), Partner: p.ClientID, Form: f, Status: doku.StatusUpdating, At: now}
	for range f.Brands {
		b.Brands = append(b.Brands, brand{ID: s.state.newID("BRN", now), Status: doku.StatusUpdating, SharedKey: newSharedKey()})
	}
	ch := change{Business: b}
	for _, slot := range slotsOf(f) {
		attached := *s.state.files[*slot.id]
		attached.ID, attached.Upload, attached.Business, attached.At = s.state.newID(attachedPrefix(slot.category), now), *slot.id, b.ID, now
		ch.Files = append(ch.Files, &attached)
		*slot.id = attached.ID
	}
	return ch
}

// attachedPrefix: PHP is DOKU's, the others are assumed.
func attachedPrefix(category string) string {
	switch category {
	case doku.CategoryPhotoProof:
		return "PHP"
	case doku.CategoryOwnerLiveness:
		return "OWL"
	}
	return "DOC"
}

// registerLite answers Create Business Lite. (page "Create Business Lite API")
func (s *Simulator) registerLite(c *signedCall) answer {
	root, err := readObject(c.body)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	m := &missing{}
	b := m.object(root, "business")
	m.need(b, "business", "partner_ref_id", "name")
	if b != nil {
		m.need(m.object(b, "contact"), "business.contact", "name", "email", "phone_calling_code", "phone_number")
	}
	m.need(m.object(root, "invited_user"), "invited_user", "email")
	if len(m.names) > 0 {
		return refuse(http.StatusBadRequest, strings.Join(m.names, ", ")+" must be given")
	}
	var typed doku.LiteBody
	if err := retype(root, &typed); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	return s.once(c, func() (answer, change) { return s.newLite(&typed, c.partner) })
}

func (s *Simulator) newLite(body *doku.LiteBody, p Partner) (answer, change) {
	now := s.now()
	b := &business{
		ID: s.state.newID("BSN", now), Partner: p.ClientID, PartnerRefID: body.Business.PartnerRefID, Lite: &body.Business,
		Brands: []brand{{ID: s.state.newID("BRN", now), Status: doku.StatusUpdating, SharedKey: newSharedKey()}},
		Status: doku.StatusUpdating, At: now,
	}
	type liteBrand struct {
		ID string `json:"id"`
	}
	var out struct {
		Business struct {
			ID           string      `json:"id"`
			PartnerRefID string      `json:"partner_ref_id"`
			Brands       []liteBrand `json:"brands"`
		} `json:"business"`
	}
	out.Business.ID, out.Business.PartnerRefID, out.Business.Brands = b.ID, b.PartnerRefID, []liteBrand{{b.Brands[0].ID}}
	return okay(out), change{Business: b}
}
