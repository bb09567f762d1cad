package doku

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const maxRequirements = 1000

// Combination is what DOKU's requirements depend on. All four are mandatory for DOKU.
type Combination struct {
	BusinessType BusinessType
	LegalEntity  LegalEntity
	BusinessLine BusinessLine
	Nationality  string // ISO 3166 alpha-2; DOKU lists only ID
}

// query is the query string of "Check Requirements API" and "Get Business Data API", in the documented order.
func (c Combination) query() string {
	return "businessType=" + url.QueryEscape(c.BusinessType) +
		"&businessLegalEntity=" + url.QueryEscape(c.LegalEntity) +
		"&brandBusinessLine=" + url.QueryEscape(c.BusinessLine) +
		"&businessContactNationality=" + url.QueryEscape(c.Nationality)
}

// Requirements is DOKU's answer for one combination. DOKU marks nothing as optional: every item is taken as required.
type Requirements struct {
	Raw     []byte // the answer as it came, at most 1 MiB
	Assumed bool   // a simulator said that its answer rests on an assumption
	Items   []Requirement
}

// Requirement is one file DOKU wants.
type Requirement struct {
	Path       string   // where it stands in the answer, e.g. "business.contact.documents[0]"
	Owner      string   // whose it is: Path without its last node, e.g. "business.contact"
	Category   Category // to be sent with the upload
	Code       Code     // to be sent with the upload; "" outside CategoryDocument
	Name       string
	Extensions []string // lower case, without the dot, each once
	MaxSize    int64    // as DOKU writes it, 15; the unit is not documented (assumed: megabytes). 0 when absent
	Form       []FormField
}

// FormField is a value to be sent with a document, such as NO_KTP.
type FormField struct {
	Code, Name, Caption          string
	MinSize, MaxSize             int // length in characters; 0 when absent
	Alpha, Numeric, AlphaNumeric bool
}

// Accepts reports whether a value has the length and the characters DOKU asks for. Without any class every printable
// character passes; spaces pass wherever letters do.
func (f FormField) Accepts(value string) bool {
	n := utf8.RuneCountInString(value)
	if n < f.MinSize || f.MaxSize > 0 && n > f.MaxSize {
		return false
	}
	letters, digits := f.Alpha || f.AlphaNumeric, f.Numeric || f.AlphaNumeric
	for _, r := range value {
		digit := r >= '0' && r <= '9'
		switch {
		case !letters && !digits:
			if !unicode.IsPrint(r) {
				return false
			}
		case digit && digits, (unicode.IsLetter(r) || r == ' ') && letters:
		default:
			return false
		}
	}
	return true
}

// CheckRequirements asks which files a kind of business needs, as on the page "Check Requirements API".
func (c *Client) CheckRequirements(ctx context.Context, comb Combination) (*Requirements, error) {
	r := c.signed(CallRequirements, NewRequestID(), http.MethodGet, "/file", comb.query(), nil)
	var found *Requirements
	err := c.do(ctx, r, func(a *answer) error {
		items, err := ParseRequirements(a.body)
		if err != nil {
			return err
		}
		found = &Requirements{Raw: a.body, Items: items, Assumed: strings.EqualFold(a.header.Get("X-Simulator-Assumed"), "true")}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// ParseRequirements finds the requirements in an answer of Check Requirements, in document order. DOKU's layout for
// CORPORATE is not documented, so the whole tree is searched: every object with a code and extensions is a requirement,
// and its place tells whose it is. Unknown nodes are ignored. It fails when raw is no JSON text, is nested deeper than
// 32, holds more than 50,000 values or 1,000 requirements, or holds neither a requirement nor a business.
func ParseRequirements(raw []byte) ([]Requirement, error) {
	root, err := parseTree(raw)
	if err != nil {
		return nil, fmt.Errorf("requirements: %w", err)
	}
	var items []Requirement
	root.walk(nil, func(at place, n *node) bool {
		if n.get("code").str() == "" || n.get("extensions") == nil {
			return true
		}
		if len(items) <= maxRequirements {
			items = append(items, newRequirement(at, n))
		}
		return false
	})
	switch {
	case len(items) > maxRequirements:
		return nil, errors.New("requirements: too many")
	case len(items) == 0 && root.get("business") == nil:
		return nil, errors.New("requirements: there are none in the answer")
	}
	return items, nil
}

func newRequirement(at place, n *node) Requirement {
	r := Requirement{
		Path:       at.String(),
		Owner:      at.owner().String(),
		Name:       n.get("name").str(),
		Extensions: extensions(n.get("extensions")),
		MaxSize:    max(n.get("max_size").integer(), 0),
	}
	r.Category, r.Code = classify(n.get("code").str(), at.indexed())
	for _, f := range n.get("form").items() {
		if f.is(isObject) {
			r.Form = append(r.Form, newFormField(f))
		}
	}
	return r
}

// classify tells what to send with the upload. A single node's code is the category and a list item's code is that of a
// DOCUMENT, except that a code from the other of DOKU's two lists speaks for itself: a list of photo_proofs holds
// PHOTO_PROOF, and a single node NIB is a document.
func classify(code string, listed bool) (Category, Code) {
	switch {
	case code == CategoryDocument:
		return CategoryDocument, code
	case slices.Contains(categories, code):
		return code, ""
	case listed || slices.Contains(codes, code):
		return CategoryDocument, code
	}
	return code, ""
}

func newFormField(n *node) FormField {
	return FormField{
		Code: n.get("code").str(), Name: n.get("name").str(), Caption: n.get("caption").str(),
		MinSize: size(n.get("min_size")), MaxSize: size(n.get("max_size")),
		Alpha: n.get("alpha").truth(), Numeric: n.get("numeric").truth(), AlphaNumeric: n.get("alpha_numeric").truth(),
	}
}

func size(n *node) int { return int(min(max(n.integer(), 0), 1<<20)) }

func extensions(n *node) []string {
	var list []string
	for _, item := range n.items() {
		e := strings.ToLower(strings.TrimLeft(strings.TrimSpace(item.str()), "."))
		if e != "" && !slices.Contains(list, e) {
			list = append(list, e)
		}
	}
	return list
}
