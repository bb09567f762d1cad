package doku

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
)

// Secret is a credential. Printed, logged or marshalled it hides itself; convert it to a string to use it.
type Secret string

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[secret]"
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// MarshalText hides the value from JSON and logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Business is the answer to a registration.
type Business struct {
	ID           string
	PartnerRefID string // only from CreateBusinessLite
	Status       Status // "" when DOKU does not say
	Brands       []Brand
}

// Brand is one brand of a registered business; its id is the Client-Id of the merchant.
type Brand struct {
	ID, Name  string
	Status    Status
	SharedKey Secret // the merchant's own credential
}

// RegisterBusiness registers a business with a marshalled RegistrationBody, as on the page "Business Registration API".
//
// The request id is the idempotency key: after an *Error that is Temporary or Uncertain, repeat the call with the same
// id and the same bytes. DOKU then answers 409 with the first answer, which is a success here. An answer without an id
// is an *Error whose Uncertain is true: the business may exist.
func (c *Client) RegisterBusiness(ctx context.Context, requestID string, body []byte) (*Business, error) {
	return c.register(ctx, CallBusiness, "/business", requestID, body)
}

// CreateBusinessLite creates a shell of a business with a marshalled LiteBody and invites a person to complete it, as on
// the page "Create Business Lite API". Request id and errors are as with RegisterBusiness.
func (c *Client) CreateBusinessLite(ctx context.Context, requestID string, body []byte) (*Business, error) {
	return c.register(ctx, CallLite, "/business/lite/registration", requestID, body)
}

func (c *Client) register(ctx context.Context, call, path, id string, body []byte) (*Business, error) {
	if id == "" || len(id) > 128 || len(body) == 0 {
		return nil, fmt.Errorf("doku: %s: needs a request id of 1 to 128 characters and a body", call)
	}
	var business *Business
	err := c.do(ctx, c.signed(call, id, http.MethodPost, path, "", body), func(a *answer) (err error) {
		business, err = readBusiness(a.body)
		return err
	})
	if e, ok := errors.AsType[*Error](err); ok {
		e.uncertain = mayHaveHappened(e)
	}
	if err != nil {
		return nil, err
	}
	return business, nil
}

// mayHaveHappened: only an answer that says no, or that refuses to look at the request, is proof of the contrary.
func mayHaveHappened(e *Error) bool {
	if op, ok := errors.AsType[*net.OpError](e.Err); ok && op.Op == "dial" {
		return false // nobody was there to send it to
	}
	switch e.Status {
	case 0, http.StatusRequestTimeout, http.StatusConflict:
		return true
	}
	return e.Status < 400 || e.Status >= 500
}

func readBusiness(body []byte) (*Business, error) {
	n, err := businessNode(body)
	if err != nil {
		return nil, err
	}
	b := &Business{ID: n.get("id").str(), PartnerRefID: n.get("partner_ref_id").str(), Status: n.get("status").value()}
	for _, brand := range n.get("brands").items() {
		b.Brands = append(b.Brands, readBrand(brand))
	}
	return b, nil
}

func readBrand(n *node) Brand {
	return Brand{
		ID: n.get("id").str(), Name: n.get("name").str(),
		Status: n.get("status").value(), SharedKey: Secret(n.get("shared_key").str()),
	}
}

// businessNode finds the business in an answer, with or without the wrapper "business": DOKU's samples show both. Only
// the id is indispensable; without the wrapper, an error's own id must not pass for one.
func businessNode(body []byte) (*node, error) {
	root, err := parseTree(body)
	if err != nil {
		return nil, err
	}
	n := root.get("business")
	if !n.is(isObject) {
		n = root
		if n.get("message") != nil || n.get("error") != nil {
			n = nil
		}
	}
	if n.get("id").str() == "" {
		return nil, errors.New("the answer holds no business id")
	}
	return n, nil
}

// BusinessData is what DOKU knows of a registered business. Everything below brands[].photo_proofs is assumed.
type BusinessData struct {
	ID, Name        string
	Type            BusinessType
	Status          Status // "" when DOKU does not say
	RejectionReason string // DOKU's own words, "" when there are none
	Brands          []BrandData
	Attachments     []Attachment
}

// BrandData is one brand of a registered business.
type BrandData struct {
	Brand
	FinanceStatus, RiskEngineStatus Status
}

// GetBusiness reads the state of a registered business by the brand id of the merchant, as on the page "Get Business
// Data API". Every call brings fresh links. An unknown brand gives an *Error with status 404.
func (c *Client) GetBusiness(ctx context.Context, brandID string, comb Combination) (*BusinessData, error) {
	if brandID == "" {
		return nil, errors.New("doku: data: needs a brand id")
	}
	r := c.signed(CallData, NewRequestID(), http.MethodGet, "/business/"+url.PathEscape(brandID), comb.query(), nil)
	var data *BusinessData
	err := c.do(ctx, r, func(a *answer) (err error) {
		data, err = readBusinessData(a)
		return err
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

func readBusinessData(a *answer) (*BusinessData, error) {
	n, err := businessNode(a.body)
	if err != nil {
		return nil, err
	}
	d := &BusinessData{
		ID: n.get("id").str(), Name: n.get("name").str(), Type: n.get("type").value(), Status: n.get("status").value(),
		RejectionReason: rejection(n), Attachments: attachments(n, a.at),
	}
	for _, brand := range n.get("brands").items() {
		d.Brands = append(d.Brands, BrandData{
			Brand: readBrand(brand), FinanceStatus: brand.get("finance_status").value(),
			RiskEngineStatus: brand.get("risk_engine_status").value(),
		})
		if d.RejectionReason == "" {
			d.RejectionReason = rejection(brand)
		}
	}
	return d, nil
}

// rejection tries the names a third party's integration guesses; DOKU's page does not show any.
func rejection(n *node) string {
	for _, key := range []string{"rejection_reason", "rejected_reason", "reject_reason", "reason", "notes"} {
		v := n.get(key)
		if s := v.str(); s != "" {
			return s
		}
		var lines []string
		for _, item := range v.items() {
			lines = append(lines, item.str())
		}
		if s := strings.Join(lines, "; "); s != "" {
			return s
		}
	}
	return ""
}
