package handlers

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"berkas/models"
	"berkas/onboarding"
)

func TestEvidenceIsAskedForAndTakenAway(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, reviewer := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	merchant, other := staff.merchant(), staff.merchant()
	staff.document(merchant, "DOCUMENT", "KTP")
	path := merchantPath(merchant) + "/evidence"
	if link := attr(reviewer.get(merchantPath(merchant)).doc().Find(`a[href="`+path+`"]`), "href"); link != path {
		t.Error("the merchant's page does not lead there")
	}
	if staff.get(merchantPath(merchant)).doc().Find(`a[href="`+path+`"]`).Length() != 0 {
		t.Error("staff are led to where they may not go")
	}
	b.endWork()
	if n := reviewer.get(path).is(200, "nothing yet").doc().Find("[data-bundle]").Length(); n != 0 {
		t.Errorf("%d bundles before any was asked for", n)
	}
	for range 2 { // the second time one is underway
		if a := reviewer.post(path, nil).is(http.StatusSeeOther, "asking"); a.header.Get("Location") != path {
			t.Errorf("it leads to %s", a.header.Get("Location"))
		}
	}
	page := reviewer.get(path).is(200, "waiting")
	if page.doc().Find("[data-bundle]").Length() != 1 || attr(page.doc().Find("#evidence-list"), "hx-get") != path || page.doc().Find("progress").Length() != 1 {
		t.Error("what waits is not shown, or not asked for again")
	}
	file := path + "/" + attr(page.doc().Find("[data-bundle]"), "data-bundle")
	reviewer.get(file).is(http.StatusConflict, "not ready")

	_, err := b.store.Keep().BeginBundle(t.Context(), 1, 200)
	b.must(err)
	b.must(b.store.Keep().AdvanceBundle(t.Context(), 1, 50))
	part := reviewer.get(path, "HX-Request", "true").is(200, "progress")
	if strings.Contains(part.body, "<html") || attr(part.doc().Find("progress"), "value") != "50" || attr(part.doc().Find("progress"), "max") != "200" || !strings.Contains(part.body, "50 of 200") {
		t.Errorf("the progress is not told: %s", part.body)
	}
	b.must(b.web.Service.MakeEvidence(t.Context(), 1))
	page = reviewer.get(path).is(200, "ready")
	if attr(page.doc().Find("[data-bundle]"), "data-state") != "ready" || page.doc().Find("[hx-get]#evidence-list").Length() != 0 || attr(page.doc().Find("a[download]"), "href") != file {
		t.Error("what is ready is not shown so, or is asked for for ever")
	}
	if a := reviewer.do(reviewer.request(http.MethodHead, file, nil)).is(200, "HEAD"); a.header.Get("Content-Length") == "" {
		t.Error("a HEAD does not say how long it is")
	}
	a := reviewer.get(file).is(200, "taking it away")
	for name, want := range map[string]string{"Content-Type": "application/zip", "Content-Disposition": `attachment; filename="evidence-` + merchant.String() + `-1.zip"`, "Cache-Control": "no-store", "Content-Security-Policy": fileCSP} {
		if got := a.header.Get(name); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	if r, err := onboarding.CheckEvidence(bytes.NewReader([]byte(a.body)), int64(len(a.body))); err != nil || r.Flaw != nil || r.Merchant != merchant {
		t.Errorf("%+v, %v", r, err)
	}
	if n := b.rows("select count(*) from audit where merchant_id = $1 and action = 'evidence.downloaded' and actor_role = 'reviewer'", merchant); n != 1 {
		t.Errorf("%d downloads are in the trail", n)
	}
	reviewer.get(merchantPath(other)+"/evidence/1").is(http.StatusNotFound, "another merchant's")
	reviewer.get("/merchants/999999/evidence").is(http.StatusNotFound, "no merchant")
	reviewer.post("/merchants/999999/evidence", nil).is(http.StatusNotFound, "no merchant")

	b.clock.advance(onboarding.EvidenceLife + time.Second)
	late := b.as(models.RoleManager)
	if page := late.get(path).is(200, "expired"); attr(page.doc().Find("[data-bundle]"), "data-state") != "expired" || page.doc().Find("a[download]").Length() != 0 {
		t.Error("what has expired is offered")
	}
	if a := late.get(file).is(http.StatusNotFound, "expired"); a.fault() != "evidence_expired" {
		t.Error(a.fault())
	}
}
