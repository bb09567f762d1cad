package dokusim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"berkas/doku"
)

//go:embed matrix.json
var matrixJSON []byte

// matrix is the data file behind Check Requirements.
type matrix struct {
	Extensions map[string][]string    `json:"extensions"`
	MaxSize    int                    `json:"max_size"`
	Forms      map[string][]formField `json:"forms"`
	Names      map[string]string      `json:"names"`
	Rules      []rule                 `json:"rules"`
}

// rule asks for codes at one node of the answer; an empty list of conditions holds for everything.
type rule struct {
	Status           string   `json:"status"` // DOCUMENTED or ASSUMED
	Type             string   `json:"type"`
	Entities         []string `json:"entities"`
	NotEntities      []string `json:"not_entities"`
	Lines            []string `json:"lines"`
	Nationalities    []string `json:"nationalities"`
	NotNationalities []string `json:"not_nationalities"`
	Node             string   `json:"node"`
	Codes            []string `json:"codes"`
	Extensions       string   `json:"extensions"`
}

type formField struct {
	Code         string `json:"code"`
	Name         string `json:"name"`
	MinSize      int    `json:"min_size"`
	MaxSize      int    `json:"max_size"`
	Alpha        bool   `json:"alpha"`
	Numeric      bool   `json:"numeric"`
	AlphaNumeric bool   `json:"alpha_numeric"`
	Caption      string `json:"caption"`
}

// requirementsTree is the answer in the documented layout. documents of the business itself are assumed.
type requirementsTree struct {
	Business struct {
		Brand struct {
			PhotoProof *requirementNode `json:"photo_proof,omitempty"`
		} `json:"brand"`
		Contact struct {
			Documents     []requirementNode `json:"documents,omitempty"`
			OwnerLiveness *requirementNode  `json:"owner_liveness,omitempty"`
		} `json:"contact"`
		Documents []requirementNode `json:"documents,omitempty"`
	} `json:"business"`
}

type requirementNode struct {
	Code       string      `json:"code"`
	Name       string      `json:"name"`
	Extensions []string    `json:"extensions"`
	MaxSize    int         `json:"max_size"`
	Form       []formField `json:"form,omitempty"`
}

func loadMatrix() (*matrix, error) {
	var m matrix
	if err := json.Unmarshal(matrixJSON, &m); err != nil {
		return nil, fmt.Errorf("dokusim: matrix.json: %w", err)
	}
	return &m, nil
}

func (r rule) holds(c doku.Combination) bool {
	within := func(list []string, v string) bool { return len(list) == 0 || slices.Contains(list, v) }
	return r.Type == c.BusinessType && within(r.Entities, c.LegalEntity) && !slices.Contains(r.NotEntities, c.LegalEntity) &&
		within(r.Lines, c.BusinessLine) && within(r.Nationalities, c.Nationality) && !slices.Contains(r.NotNationalities, c.Nationality)
}

// answer builds the tree for a combination; documented is true when every rule behind it is. A combination no rule
// speaks of gives ok = false.
func (m *matrix) answer(c doku.Combination) (body []byte, documented, ok bool) {
	var t requirementsTree
	documented = true
	for _, r := range m.Rules {
		if !r.holds(c) {
			continue
		}
		ok, documented = true, documented && r.Status == "DOCUMENTED"
		for _, code := range r.Codes {
			t.place(r.Node, m.node(code, r.Extensions))
		}
	}
	if !ok {
		return nil, false, false
	}
	body, _ = json.Marshal(t) // strings, numbers and booleans only
	return body, documented, true
}

func (m *matrix) node(code, extensions string) requirementNode {
	name := m.Names[code]
	if name == "" {
		name = code
	}
	return requirementNode{Code: code, Name: name, Extensions: m.Extensions[extensions], MaxSize: m.MaxSize, Form: m.Forms[code]}
}

func (t *requirementsTree) place(where string, n requirementNode) {
	b := &t.Business
	switch where {
	case "business.brand.photo_proof":
		b.Brand.PhotoProof = &n
	case "business.contact.owner_liveness":
		b.Contact.OwnerLiveness = &n
	case "business.contact.documents":
		b.Contact.Documents = append(b.Contact.Documents, n)
	case "business.documents":
		b.Documents = append(b.Documents, n)
	}
}

// allowed lists the extensions, lower case, that an upload may have: those of the requirements that ask for it anywhere.
// For what nothing asks for, pictures, and PDF where papers are usual (assumed).
func (m *matrix) allowed(category, code string, overrides []override) []string {
	asked := code
	if category != doku.CategoryDocument {
		asked = category
	}
	var list []string
	for _, r := range m.Rules {
		if slices.Contains(r.Codes, asked) {
			list = append(list, m.Extensions[r.Extensions]...)
		}
	}
	for _, o := range overrides {
		for _, item := range o.items() {
			if item.Category == category && (item.Code == code || category != doku.CategoryDocument) {
				list = append(list, item.Extensions...)
			}
		}
	}
	if len(list) == 0 {
		list = []string{"png", "jpg", "jpeg"}
		switch category {
		case doku.CategoryDocument, doku.CategoryServiceAgreement, doku.CategoryBankAccount:
			list = append(list, "pdf")
		}
	}
	for i, e := range list {
		list[i] = strings.ToLower(e)
	}
	return list
}

// override replaces or adds the answer for one combination.
type override struct {
	Combination doku.Combination
	Answer      json.RawMessage // null removes it
}

func (o override) items() []doku.Requirement {
	items, _ := doku.ParseRequirements(o.Answer) // checked when it was set
	return items
}

var nationality = regexp.MustCompile(`^[A-Z]{2}$`)

// requirements answers Check Requirements. (page "Check Requirements API")
func (s *Simulator) requirements(c *signedCall) answer {
	comb, missing := combination(c.r)
	if len(missing) > 0 {
		return refuse(http.StatusBadRequest, strings.Join(missing, ", ")+" must be given")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if body, ok := s.state.overrides[comb]; ok {
		return answer{status: http.StatusOK, body: body, assumed: true}
	}
	switch {
	case doku.LegalEntities(comb.BusinessType) == nil:
		return refuse(http.StatusBadRequest, "businessType is unknown")
	case !slices.Contains(doku.LegalEntities(comb.BusinessType), comb.LegalEntity):
		return refuse(http.StatusBadRequest, "businessLegalEntity is not one of this businessType")
	case !slices.Contains(doku.BusinessLines(comb.BusinessType), comb.BusinessLine) && !slices.Contains(s.assume.Lines, comb.BusinessLine):
		return refuse(http.StatusBadRequest, "brandBusinessLine is not one of this businessType")
	case !nationality.MatchString(comb.Nationality):
		return refuse(http.StatusBadRequest, "businessContactNationality must be an ISO 3166 alpha-2 code")
	}
	body, documented, ok := s.matrix.answer(comb)
	if !ok {
		return refuse(http.StatusBadRequest, "no requirements exist for this combination")
	}
	return answer{status: http.StatusOK, body: body, assumed: !documented}
}

func combination(r *http.Request) (c doku.Combination, missing []string) {
	q := r.URL.Query()
	for _, p := range []struct {
		name string
		to   *string
	}{
		{"businessType", &c.BusinessType}, {"businessLegalEntity", &c.LegalEntity},
		{"brandBusinessLine", &c.BusinessLine}, {"businessContactNationality", &c.Nationality},
	} {
		if *p.to = q.Get(p.name); *p.to == "" {
			missing = append(missing, p.name)
		}
	}
	return c, missing
}
