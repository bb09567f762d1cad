package handlers

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/models"
	"berkas/views"
)

// whole is what DOKU needs to know of a merchant beside the documents.
var whole = []string{"email", "warung@contoh.id", "phone_number", "081234567890", "owner_name", "Sari Contoh", "owner_phone_number", "081298765432",
	"address_area", "17133 - Kali Baru - Medan Satria - Bekasi - Jawa Barat", "address_street", "Jalan Gatot Subroto 20", "brand_category", "RETAIL", "bank_account_number", "1234567890"}

// approved is a merchant whose documents are at DOKU and approved, a minute ago.
func (b *bench) approved(staff, reviewer *visitor) models.MerchantID {
	b.Helper()
	id := staff.merchant(whole...)
	for _, slot := range [][]string{{"DOCUMENT", "KTP"}, {"PHOTO_PROOF", ""}, {"OWNER_LIVENESS", ""}} {
		staff.upload(id, multi("category", slot[0], "code", slot[1], "form_NO_KTP", "3171234567890001").file("foto.jpg", photo(staff)), "HX-Request", "true")
	}
	page := merchantPath(id)
	staff.await("the deliveries", func() bool { return staff.get(page).doc().Find(`[data-category][data-state=delivered]`).Length() == 3 })
	staff.get(page).doc().Find("[data-document]").Each(func(_ int, s *goquery.Selection) {
		document := "/documents/" + attr(s, "data-document")
		reviewer.post(document+"/approve", reviewer.get(document).sight()).is(http.StatusSeeOther, "approving")
	})
	_, err := b.db.Pool.Exec(b.Context(), `update decisions set decided_at = decided_at - interval '1 minute'`)
	b.must(err)
	return id
}

func (a *answer) lacks() (list []string) {
	a.Helper()
	a.doc().Find("main [data-missing] [data-lack]").Each(func(_ int, s *goquery.Selection) { list = append(list, attr(s, "data-lack")) })
	return list
}

func TestRegisteringAMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, reviewer, manager := b.as(models.RoleStaff), b.as(models.RoleReviewer), b.as(models.RoleManager)
	bare := staff.merchant()
	a := staff.post(merchantPath(bare)+"/register", nil).is(http.StatusUnprocessableEntity, "with nothing")
	if got := strings.Join(a.lacks(), " "); got != "missing missing missing typed_missing typed_missing typed_missing typed_missing typed_missing" {
		t.Errorf("missing are %s", got)
	}
	if a.doc().Find(`[data-missing] a[href^="`+merchantPath(bare)+`#slot-"]`).Length() != 3 || a.doc().Find(`[data-missing] a[href="`+merchantPath(bare)+`/edit#f-email"]`).Length() != 1 {
		t.Error("what is missing is not linked")
	}
	if managers := manager.get(merchantPath(bare)+"/register").is(http.StatusOK, "a manager"); managers.doc().Find(`[data-missing] a[href*="/edit"]`).Length() != 0 {
		t.Error("a manager is led to what only staff may edit")
	}

	id := b.approved(staff, reviewer)
	page := merchantPath(id)
	if home := staff.get(page); home.doc().Find(`a.primary[href="`+page+`/register"]`).Length() == 0 || home.doc().Find("[data-progress=approved]").Length() != 1 {
		t.Error("registering is not offered")
	}
	preview := staff.get(page+"/register").is(http.StatusOK, "the preview")
	for _, personal := range []string{"warung@contoh.id", "81234567890", "3171234567890001", ">1234567890<"} {
		if strings.Contains(preview.body, personal) {
			t.Errorf("%s is shown in clear", personal)
		}
	}
	if preview.doc().Find("[data-path]").Length() < 25 || preview.doc().Find("[data-missing]").Length() != 0 {
		t.Errorf("%d values", preview.doc().Find("[data-path]").Length())
	}
	seen := attr(preview.doc().Find("[name=seen]"), "value")
	staff.post(page, map[string][]string{"owner_name": {"Sari C."}}).is(http.StatusSeeOther, "editing")
	for _, d := range b.reopened(staff, page) { // the name is compared with every document
		reviewer.post(d+"/approve", reviewer.get(d).sight()).is(http.StatusSeeOther, "approving again")
	}
	_, err := b.db.Pool.Exec(b.Context(), `update decisions set decided_at = decided_at - interval '1 minute'`)
	b.must(err)
	staff.post(page+"/register", map[string][]string{"seen": {seen}}).is(http.StatusConflict, "another body than seen")

	if a := manager.post(page+"/register", nil).is(http.StatusSeeOther, "registering"); a.header.Get("Location") != page {
		t.Error(a.header.Get("Location"))
	}
	staff.await("the registration", func() bool { return staff.get(page).doc().Find("[data-brand-id]").Length() == 1 })
	now := staff.get(page)
	business := b.sim.Businesses()[0]
	head := now.doc().Find("[data-brand-id]")
	if attr(head, "data-business-id") != business.ID || attr(head, "data-brand-id") != business.Brands[0].ID || attr(head, "data-business-status") != "UPDATING" || attr(head, "data-registration") != "registered" {
		t.Errorf("%+v", business)
	}
	staff.post(page+"/register", nil).is(http.StatusConflict, "again")
	staff.get(attr(now.doc().Find(`#registration a`).First(), "href")).is(http.StatusOK, "the submission")

	document := "/documents/" + attr(now.slot("DOCUMENT", "KTP"), "data-document")
	reviewer.post(document+"/refuse", with(reviewer.get(document).sight(), "reason", "image_blurry")).is(http.StatusConflict, "refusing what was registered")
	staff.upload(id, multi("category", "DOCUMENT", "code", "KTP").file("foto.jpg", photo(staff)), "HX-Request", "true")
	if row := staff.get(page).slot("DOCUMENT", "KTP"); attr(row, "data-registered-version") != "1" || row.Find("[data-change]").Length() != 1 {
		t.Error("a change after registration is not shown as one")
	}

	admin := b.as(models.RoleAdmin)
	staff.post(page+"/key", nil).is(http.StatusForbidden, "the key for staff")
	if key := admin.post(page+"/key", nil).is(http.StatusOK, "the key"); !strings.Contains(key.body, ">SK-") {
		t.Error("no key is shown")
	}
	if b.count("select count(*) from audit where action = 'merchant.key_revealed'") != 1 || strings.Contains(admin.get(page).body, "SK-") {
		t.Error("the key was shown without a trace")
	}
}

// reopened are the documents of a merchant that are to be decided again.
func (b *bench) reopened(v *visitor, page string) (list []string) {
	v.get(page).doc().Find(`[data-document][data-review=undecided]`).Each(func(_ int, s *goquery.Selection) { list = append(list, "/documents/"+attr(s, "data-document")) })
	return list
}

func TestDOKUsNoIsMended(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, reviewer := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	id := b.approved(staff, reviewer)
	page := merchantPath(id)
	b.must(b.sim.AddFault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultStatus, Status: http.StatusUnprocessableEntity, Times: 1, Message: "the KTP of warung@contoh.id is not readable"}))
	staff.post(page+"/register", nil).is(http.StatusSeeOther, "registering")
	staff.await("DOKU's no", func() bool {
		return attr(staff.get(page).doc().Find("header[data-registration]"), "data-registration") == "refused"
	})
	submission := attr(staff.get(page).doc().Find(`#registration a`).First(), "href")
	told := staff.get(submission).is(http.StatusOK, "the submission")
	if told.doc().Find("[data-words]").Text() != "the KTP of warung@contoh.id is not readable" || told.doc().Find("[data-mend]").Length() != 3 {
		t.Error("DOKU's words are not there")
	}
	if listed := staff.get(page).doc().Find("[data-submissions='1'] [data-submission]"); listed.Length() != 1 || !strings.Contains(listed.Text(), "is not readable") || !strings.Contains(listed.Text(), attr(told.doc().Find("[data-request-id]"), "data-request-id")) {
		t.Errorf("the merchant's page lists %q", listed.Text())
	}
	if figure := staff.get("/").doc().Find("#figure-sent_back"); figure.Find("b").Text() != "1" || len(staff.get(attr(figure, "href")).listed()) != 1 {
		t.Errorf("the home says %q", figure.Text())
	}
	if reviewers := reviewer.get(submission); reviewers.doc().Find("form[action$='/mend']").Length() != 0 {
		t.Error("a reviewer is offered to mend it")
	}
	slot := strings.TrimPrefix(attr(staff.get(page).slot("DOCUMENT", "KTP"), "id"), "slot-")
	staff.post(submission+"/mend", nil).is(http.StatusUnprocessableEntity, "about nothing")
	staff.post(submission+"/absent", map[string][]string{"note": {"asked DOKU's support"}}).is(http.StatusConflict, "absent after a no")
	staff.post(submission+"/mend", map[string][]string{"reason_" + slot: {"image_blurry", "image_too_dark"}}).is(http.StatusSeeOther, "mending")
	if row := staff.get(page).slot("DOCUMENT", "KTP"); attr(row, "data-state") != "refused" || row.Find("[data-reason=image_blurry]").Length() != 1 || row.Find("[data-code=image_too_dark]").Length() != 1 {
		t.Error("the slot is not open")
	}
	staff.get(views.SubmissionURL(int64(staff.merchant()), 1)).is(http.StatusNotFound, "through another merchant")
}

func TestInvitingAMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	staff.post(merchantPath(id)+"/invite", nil).is(http.StatusUnprocessableEntity, "without an address")
	id = staff.merchant(whole...)
	staff.post(merchantPath(id)+"/invite", nil).is(http.StatusSeeOther, "inviting")
	staff.await("the invitation", func() bool { return staff.get(merchantPath(id)).doc().Find("[data-brand-id]").Length() == 1 })
	if all := b.sim.Businesses(); len(all) != 1 || !all[0].Lite {
		t.Errorf("%+v", all)
	}
}
