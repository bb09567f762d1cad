package doku

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestRegistrationBodyIsTheDocumentedOne(t *testing.T) {
	t.Parallel()
	same := func(name string, typed any) {
		raw := fixture(t, name)
		dec := json.NewDecoder(strings.NewReader(string(raw)))
		dec.DisallowUnknownFields()
		if err := dec.Decode(typed); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, _ := json.Marshal(typed)
		var a, b any
		json.Unmarshal(raw, &a)
		json.Unmarshal(again, &b)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s became %s", name, again)
		}
	}
	same("registration_request.json", &RegistrationBody{})
	same("lite_request.json", &LiteBody{})
}

func TestRegisterBusiness(t *testing.T) {
	t.Parallel()
	answer := string(fixture(t, "registration_answer.json"))
	var unwrapped struct {
		Business json.RawMessage `json:"business"`
	}
	json.Unmarshal([]byte(answer), &unwrapped)
	for name, c := range map[string]struct {
		status            int
		body              string
		succeeds, unclear bool
	}{
		"wrapped":                 {200, answer, true, false},
		"201":                     {201, answer, true, false},
		"unwrapped":               {200, string(unwrapped.Business), true, false},
		"only the id":             {200, `{"business":{"id":"BSN-0104-1678960841263"}}`, true, false},
		"409 repeating a success": {409, answer, true, false},
		"409 with an error":       {409, `{"message":["another body"]}`, false, true},
		"409 with an error's id":  {409, `{"id":"e-1","message":["another body"]}`, false, true},
		"no id":                   {200, `{"business":{"status":"UPDATING"}}`, false, true},
		"no JSON":                 {200, `<html>`, false, true},
		"refused":                 {422, `{"message":["no"]}`, false, false},
		"not let in":              {401, ``, false, false},
		"too many":                {429, ``, false, false},
		"broken":                  {502, ``, false, true},
		"moved":                   {302, ``, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := server(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.Method != "POST" || r.URL.Path != Prefix+"/business" || string(body) != `{"a":1}` ||
					r.Header.Get(HeaderRequestID) != "my-id" || r.Header.Get("Content-Type") != "application/json" {
					t.Errorf("%s %s %s %v", r.Method, r.URL, body, r.Header)
				}
				w.WriteHeader(c.status)
				io.WriteString(w, c.body)
			})
			b, err := client.RegisterBusiness(background(), "my-id", []byte(`{"a":1}`))
			if c.succeeds {
				if err != nil || b.ID != "BSN-0104-1678960841263" {
					t.Errorf("%+v, %v", b, err)
				}
				return
			}
			if e := asError(t, err); e.Uncertain() != c.unclear || e.RequestID != "my-id" {
				t.Errorf("%v: uncertain %v", e, e.Uncertain())
			}
		})
	}
}

func TestRegisterBusinessWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	c := server(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := c.RegisterBusiness(background(), "id", []byte(`{}`))
	if e := asError(t, err); !e.Uncertain() || !e.Temporary() {
		t.Error(e)
	}
	if _, err := c.RegisterBusiness(background(), strings.Repeat("x", 129), []byte(`{}`)); err == nil {
		t.Error("a long request id was taken")
	}
}

func TestCreateBusinessLite(t *testing.T) {
	t.Parallel()
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != Prefix+"/business/lite/registration" {
			t.Error(r.URL)
		}
		w.Write(fixture(t, "lite_answer.json"))
	})
	b, err := c.CreateBusinessLite(background(), "id", fixture(t, "lite_request.json"))
	if err != nil || b.PartnerRefID != "PARTNER-TEST-MPE-JSM-171123.1" || b.Brands[0].ID != "BRN-0103-1700206906471" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestGetBusiness(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 3, 23, 5, 59, 47, 0, time.UTC)
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != Prefix+"/business/BRN-0104-1678960841263" || r.URL.Query().Get("businessType") != "PERSONAL" {
			t.Error(r.URL)
		}
		w.Write(fixture(t, "business_data.json"))
	}, func(o *Options) { o.Now = func() time.Time { return now } })
	d, err := c.GetBusiness(background(), "BRN-0104-1678960841263", personal)
	if err != nil {
		t.Fatal(err)
	}
	if d.ID != "BSN-0104-1678960841263" || d.Type != "PERSONAL" || d.Status != "" || d.RejectionReason != "" ||
		d.Brands[0].FinanceStatus != "PROBATION" || string(d.Brands[0].SharedKey) != "SK-OwnSampleSharedKey01" {
		t.Errorf("%+v", d)
	}
	if len(d.Attachments) != 1 {
		t.Fatalf("%+v", d.Attachments)
	}
	a := d.Attachments[0]
	if a.Place != "business.brands[0].photo_proofs[0]" || a.ID != "PHP-0113-1678960841279" || a.Category != CategoryPhotoProof || a.Code != "" ||
		!strings.HasPrefix(a.Link, "https://cdn-dev.oss-ap-southeast-5.aliyuncs.com/") || !a.LinkExpiresAt.Equal(time.Unix(1742713187, 0)) {
		t.Errorf("%+v", a)
	}
}

func TestBusinessDataLayouts(t *testing.T) {
	t.Parallel()
	d, err := readBusinessData(&answer{body: []byte(`{"business":{"id":"BSN-1","status":{"code":"Rejected","name":"x"},
		"website":"https://example.com",
		"brands":[{"id":"BRN-1","url":"https://example.com","status":"REJECTED","reject_reason":["blurry","old"],
		  "logo":{"id":"LGO-1","link":"https://doku.com/logo"},"social_media":[{"code":"X","accounts":["https://example.com"]}]}],
		"contacts":[{"id":"CON-1"},{"documents":[{},{"id":"DOC-1","code":{"code":"KTP"},"category":"DOCUMENT","link":"https://doku.com/ktp"}],
		  "owner_liveness":{"id":"OWL-1","link":"https://doku.com/self"}}],
		"documents":[{"id":"DOC-2","code":"NIB"}]}}`)})
	if err != nil {
		t.Fatal(err)
	}
	if d.Status != "Rejected" || d.RejectionReason != "blurry; old" || d.Brands[0].Status != StatusRejected {
		t.Errorf("%+v", d)
	}
	var got []string
	for _, a := range d.Attachments {
		got = append(got, strings.Join([]string{a.Place, a.ID, a.Category, a.Code, a.Link}, " "))
	}
	want := []string{
		"business.brands[0].logo LGO-1 LOGO  https://doku.com/logo",
		"business.contacts[1].documents[1] DOC-1 DOCUMENT KTP https://doku.com/ktp",
		"business.contacts[1].owner_liveness OWL-1 OWNER_LIVENESS  https://doku.com/self",
		"business.documents[0] DOC-2 DOCUMENT NIB ",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSecretHides(t *testing.T) {
	t.Parallel()
	b := Brand{SharedKey: "SK-Abcdefghijklmnopqrst"}
	asJSON, _ := json.Marshal(b)
	for _, s := range []string{fmt.Sprint(b), fmt.Sprintf("%+v", b), fmt.Sprintf("%#v", b), fmt.Sprintf("%q", b.SharedKey), string(asJSON)} {
		if strings.Contains(s, "Abcdef") {
			t.Errorf("%s", s)
		}
	}
}

func FuzzBusinessData(f *testing.F) {
	f.Add(fixture(f, "business_data.json"))
	f.Add(fixture(f, "registration_answer.json"))
	f.Add([]byte(`{"id":"x","documents":{"id":"y","link":"https://%zz?Expires=99999999999999999999"},"brands":{"a":[null]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		now := time.Unix(1_700_000_000, 0)
		d, err := readBusinessData(&answer{body: raw, at: now})
		if err != nil {
			return
		}
		if d.ID == "" {
			t.Fatal("no id")
		}
		for _, a := range d.Attachments {
			if a.ID == "" || !strings.HasPrefix(a.Place, "business.") && !strings.HasPrefix(a.Place, "business[") ||
				a.LinkExpiresAt.After(now.Add(LinkLifetime)) {
				t.Fatalf("%+v", a)
			}
		}
		readBusiness(raw)
	})
}
