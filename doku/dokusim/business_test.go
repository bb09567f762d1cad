package dokusim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
)

func TestRegistrationAttachesFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	business := b.register()
	if !strings.HasPrefix(business.ID, "BSN-") || business.Status != doku.StatusUpdating || len(business.Brands) != 1 ||
		!strings.HasPrefix(business.Brands[0].ID, "BRN-") || len(string(business.Brands[0].SharedKey)) != 23 {
		t.Fatalf("%+v", business)
	}
	brand := business.Brands[0].ID
	first, err := b.client.GetBusiness(ctx(), brand, personal)
	if err != nil {
		t.Fatal(err)
	}
	if first.ID != business.ID || first.Name != "Merchant 26 May" || first.Type != doku.Personal || first.Brands[0].ID != brand {
		t.Errorf("%+v", first)
	}
	want := map[string][3]string{
		"business.brands[0].photo_proofs[0]":  {doku.CategoryPhotoProof, "", "shop"},
		"business.contacts[0].documents[0]":   {doku.CategoryDocument, doku.CodeKTP, "card"},
		"business.contacts[0].owner_liveness": {doku.CategoryOwnerLiveness, "", "face"},
	}
	uploads := map[string]dokusim.FileInfo{}
	for _, f := range b.sim.Files() {
		uploads[f.Attached] = f
	}
	if len(first.Attachments) != len(want) {
		t.Fatalf("%+v", first.Attachments)
	}
	for _, a := range first.Attachments {
		content, code := b.open(a.Link)
		if w := want[a.Place]; a.Category != w[0] || a.Code != w[1] || code != 200 || !bytes.Equal(content, picture(w[2])) {
			t.Errorf("%+v: %d", a, code)
		}
		if up, ok := uploads[a.ID]; !ok || up.ID == a.ID {
			t.Errorf("%+v is no upload under a new id", a)
		}
	}
	b.sim.Advance(2 * time.Hour)
	if _, code := b.open(first.Attachments[0].Link); code != 403 {
		t.Errorf("an old link: %d", code)
	}
	second, err := b.client.GetBusiness(ctx(), brand, personal)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range second.Attachments {
		if _, code := b.open(a.Link); code != 200 || a.ID != first.Attachments[i].ID || a.Link == first.Attachments[i].Link {
			t.Errorf("%+v: %d", a, code)
		}
	}
}

func TestBusinessDataIsForItsPartnerOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	business := b.register()
	for name, err := range map[string]error{
		"another partner": second(b.as(them).GetBusiness(ctx(), business.Brands[0].ID, personal)),
		"a business id":   second(b.client.GetBusiness(ctx(), business.ID, personal)),
		"unknown":         second(b.client.GetBusiness(ctx(), "BRN-0000-0", personal)),
	} {
		if status(err) != 404 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := second(b.client.GetBusiness(ctx(), business.Brands[0].ID, doku.Combination{BusinessType: "PERSONAL"})); status(err) != 400 {
		t.Error(err)
	}
}

func second[T any](_ T, err error) error { return err }

func TestRegistrationsAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	good := marshal(b.registration())
	logo := b.upload(doku.CategoryLogo, "", picture("logo")).ID
	foreign, err := b.as(them).UploadFile(ctx(), upload(doku.CategoryPhotoProof, "", "a.jpg", picture("theirs")))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*doku.BusinessForm)
		want   int
		says   string
	}{
		"no name":             {func(f *doku.BusinessForm) { f.Name = "" }, 400, "business.name"},
		"no e-mail":           {func(f *doku.BusinessForm) { f.Email = "" }, 400, "business.email"},
		"no phone":            {func(f *doku.BusinessForm) { f.PhoneNumber = "" }, 400, "business.phone_number"},
		"unknown type":        {func(f *doku.BusinessForm) { f.Type = "X" }, 400, "business.type"},
		"entity of the other": {func(f *doku.BusinessForm) { f.LegalEntity = "PT" }, 400, "business.legal_entity"},
		"no brand":            {func(f *doku.BusinessForm) { f.Brands = nil }, 400, "business.brands"},
		"brand of a kind":     {func(f *doku.BusinessForm) { f.Brands[0].Category = "MINING" }, 400, "business.brands[0].category"},
		"no description":      {func(f *doku.BusinessForm) { f.Brands[0].Description = "" }, 400, "business.brands[0].description"},
		"no address":          {func(f *doku.BusinessForm) { f.Addresses = nil }, 400, "business.addresses"},
		"no area":             {func(f *doku.BusinessForm) { f.Addresses[0].Area = "" }, 400, "business.addresses[0].area"},
		"no contact":          {func(f *doku.BusinessForm) { f.Contacts = nil }, 400, "business.contacts"},
		"wrong NIK":           {func(f *doku.BusinessForm) { f.Contacts[0].Documents[0].Forms[0].Value = "12" }, 400, "NO_KTP"},
		"no NIK":              {func(f *doku.BusinessForm) { f.Contacts[0].Documents[0].Forms = nil }, 400, "NO_KTP"},
		"no photo":            {func(f *doku.BusinessForm) { f.Brands[0].PhotoProofs = nil }, 422, "photo_proofs"},
		"no card":             {func(f *doku.BusinessForm) { f.Contacts[0].Documents = nil }, 422, "KTP"},
		"no face":             {func(f *doku.BusinessForm) { f.Contacts[0].OwnerLiveness = nil }, 422, "OWNER_LIVENESS"},
		"unknown file":        {func(f *doku.BusinessForm) { f.Brands[0].PhotoProofs[0].ID = "DCM-1" }, 422, "photo_proofs[0]"},
		"file of another":     {func(f *doku.BusinessForm) { f.Brands[0].PhotoProofs[0].ID = foreign.ID }, 422, "photo_proofs[0]"},
		"file of a kind":      {func(f *doku.BusinessForm) { f.Brands[0].PhotoProofs[0].ID = logo }, 422, "photo_proofs[0]"},
		"document of a kind":  {func(f *doku.BusinessForm) { f.Contacts[0].Documents[0].Code = "NIB" }, 422, "documents[0]"},
	} {
		var body doku.RegistrationBody
		json.Unmarshal(good, &body)
		c.change(&body.Business)
		_, err := b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body))
		if status(err) != c.want || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "3201234567890123") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, raw := range []string{`[]`, `x`, `{}`, `{"business":5}`, `{"business":{"brands":[1]}}`,
		strings.Replace(string(good), `"website_readiness":"DONT_HAVE"`, `"website_readiness":false`, 1)} {
		if err := second(b.client.RegisterBusiness(ctx(), doku.NewRequestID(), []byte(raw))); status(err) != 400 {
			t.Errorf("%.40s: %v", raw, err)
		}
	}
	if len(b.sim.Businesses()) != 0 {
		t.Error("a refused business exists")
	}
	numbers := strings.Replace(string(good), `"phone_number":"81234567890"`, `"phone_number":81234567890`, 1)
	if err := second(b.client.RegisterBusiness(ctx(), doku.NewRequestID(), []byte(numbers))); err != nil {
		t.Errorf("a phone number as a number: %v", err)
	}
}

func TestCorporateRegistration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := b.registration()
	f := &body.Business
	f.Type, f.LegalEntity, f.Contacts[0].OwnerLiveness = doku.Corporate, "PT", nil
	for _, code := range []string{"AKTA_PENDIRIAN_PERUSAHAAN", "SK_KEMENKUMHAM", "NIB"} {
		f.Documents = append(f.Documents, doku.DocumentForm{Code: code, Category: doku.CategoryDocument, ID: b.upload(doku.CategoryDocument, code, picture(code)).ID})
	}
	if err := second(b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body))); status(err) != 422 || !strings.Contains(err.Error(), "NPWP_BADAN") {
		t.Fatal(err)
	}
	f.Documents = append(f.Documents, doku.DocumentForm{Code: "NPWP_BADAN", Category: doku.CategoryDocument, ID: b.upload(doku.CategoryDocument, "NPWP_BADAN", picture("")).ID})
	business, err := b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body))
	if err != nil {
		t.Fatal(err)
	}
	d, err := b.client.GetBusiness(ctx(), business.Brands[0].ID, personal)
	if err != nil || len(d.Attachments) != 6 {
		t.Fatalf("%+v, %v", d, err)
	}
	for _, a := range d.Attachments {
		if a.Place == "business.documents[2]" && a.Code != "NIB" {
			t.Errorf("%+v", a)
		}
	}
}

func TestReplacedRequirementsRuleRegistration(t *testing.T) {
	t.Parallel()
	b := setup(t)
	answer := `{"business":{"brand":{"photo_proof":{"code":"PHOTO_PROOF","extensions":["PNG","PDF"]}}}}`
	if err := b.sim.SetRequirements(personal, json.RawMessage(answer)); err != nil {
		t.Fatal(err)
	}
	got, err := b.client.CheckRequirements(ctx(), personal)
	if err != nil || string(got.Raw) != answer || !got.Assumed {
		t.Fatalf("%s, %v", got.Raw, err)
	}
	body := b.registration()
	body.Business.Contacts[0].Documents, body.Business.Contacts[0].OwnerLiveness = nil, nil
	if err := second(b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body))); err != nil {
		t.Error(err)
	}
	if err := second(b.client.UploadFile(ctx(), upload(doku.CategoryPhotoProof, "", "a.pdf", pdfHead))); err != nil {
		t.Error(err)
	}
	if err := b.sim.SetRequirements(personal, json.RawMessage(`{}`)); err == nil {
		t.Error("an answer without requirements was taken")
	}
	if err := b.sim.SetRequirements(personal, nil); err != nil {
		t.Error(err)
	}
	if err := second(b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body))); status(err) != 422 {
		t.Error(err)
	}
}

func TestRequestIDsAreRemembered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := marshal(b.registration())
	first, err := b.client.RegisterBusiness(ctx(), "same", body)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			again, err := b.client.RegisterBusiness(ctx(), "same", body)
			if err != nil || again.ID != first.ID || again.Brands[0].SharedKey != first.Brands[0].SharedKey {
				t.Errorf("%+v, %v", again, err)
			}
			parallel, err := b.client.RegisterBusiness(ctx(), "parallel", body)
			if err != nil || parallel.ID == first.ID {
				t.Errorf("%+v, %v", parallel, err)
			}
		})
	}
	wg.Wait()
	if n := len(b.sim.Businesses()); n != 2 {
		t.Errorf("%d businesses", n)
	}
	err = second(b.client.RegisterBusiness(ctx(), "same", append(body, ' ')))
	if e := err.(*doku.Error); e.Status != 409 || !e.Uncertain() {
		t.Error(err)
	}
	lite := new(doku.LiteBody)
	b.fixture("lite_request.json", lite)
	if err := second(b.client.CreateBusinessLite(ctx(), "same", marshal(lite))); status(err) != 409 {
		t.Error(err)
	}
	if err := second(b.as(them).CreateBusinessLite(ctx(), "same", marshal(lite))); err != nil {
		t.Errorf("ids are each partner's own: %v", err)
	}
	b.sim.Advance(25 * time.Hour)
	later, err := b.client.RegisterBusiness(ctx(), "same", body)
	if err != nil || later.ID == first.ID {
		t.Errorf("%+v, %v", later, err)
	}
}

func TestLite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var body doku.LiteBody
	b.fixture("lite_request.json", &body)
	business, err := b.client.CreateBusinessLite(ctx(), doku.NewRequestID(), marshal(body))
	if err != nil || business.PartnerRefID != body.Business.PartnerRefID || len(business.Brands) != 1 {
		t.Fatalf("%+v, %v", business, err)
	}
	if d, err := b.client.GetBusiness(ctx(), business.Brands[0].ID, personal); err != nil || d.Name != "John Store" {
		t.Errorf("%+v, %v", d, err)
	}
	for _, change := range []func(*doku.LiteBody){
		func(l *doku.LiteBody) { l.Business.Name = "" }, func(l *doku.LiteBody) { l.Business.PartnerRefID = "" },
		func(l *doku.LiteBody) { l.Business.Contact.Email = "" }, func(l *doku.LiteBody) { l.InvitedUser.Email = "" },
	} {
		bad := body
		change(&bad)
		if err := second(b.client.CreateBusinessLite(ctx(), doku.NewRequestID(), marshal(bad))); status(err) != 400 {
			t.Error(err)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	b := setup(t)
	business := b.register()
	for _, c := range []struct {
		id                    string
		set                   dokusim.Status
		status, brand, reason string
	}{
		{business.Brands[0].ID, dokusim.Status{Status: "REJECTED", RejectionReason: "Foto buram"}, "REJECTED", "REJECTED", "Foto buram"},
		{business.ID, dokusim.Status{Status: "ACTIVE", BrandStatus: "UPDATING"}, "ACTIVE", "UPDATING", ""},
		{business.ID, dokusim.Status{RejectionReason: "x"}, "ACTIVE", "UPDATING", "x"},
	} {
		if err := b.sim.SetStatus(c.id, c.set); err != nil {
			t.Fatal(err)
		}
		d, err := b.client.GetBusiness(ctx(), business.Brands[0].ID, personal)
		if err != nil || d.Status != c.status || d.Brands[0].Status != c.brand || d.RejectionReason != c.reason {
			t.Errorf("%+v, %v", d, err)
		}
	}
	if err := b.sim.SetStatus("BSN-1", dokusim.Status{}); err != dokusim.ErrUnknownBusiness {
		t.Error(err)
	}
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	arrived, attempts := make(chan error, 3), 0
	listener := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		attempts++
		if attempts == 1 {
			w.WriteHeader(http.StatusServiceUnavailable) // it must come again
		}
		if !bytes.Contains(body, []byte(`"status":"ACTIVE"`)) {
			t.Errorf("%s", body)
		}
		arrived <- doku.VerifyNotification(r.Header, r.URL.RequestURI(), body, us.SecretKey)
	}))
	t.Cleanup(listener.Close)
	b := setup(t, func(o *dokusim.Options) {
		o.Assume.Callbacks, o.CallbackDelays = true, []time.Duration{time.Millisecond, time.Hour}
	})
	body := b.registration()
	body.Business.CallbackURL = listener.URL + "/doku?ref=abc"
	business, err := b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.sim.SetStatus(business.ID, dokusim.Status{Status: "ACTIVE"}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-arrived; err != nil {
			t.Error(err)
		}
	}
}
