package handlers

import (
	"bytes"
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/auth"
	"berkas/models"
)

func TestTheBytes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	jpg := photo(t)
	a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP").part(`form-data; name="file"; filename="KTP \"Ibu\" é.jpg"`, jpg), "HX-Request", "true").is(200, "uploading")
	document := "/documents/" + attr(a.slot("DOCUMENT", "KTP"), "data-document")
	same := func(source string, headers map[string]string) {
		t.Helper()
		a := staff.get(document+"/file").is(200, "the bytes")
		if a.body != string(jpg) || a.header.Get("Berkas-Source") != source {
			t.Errorf("%d bytes from %q, not %d from %s", len(a.body), a.header.Get("Berkas-Source"), len(jpg), source)
		}
		for name, want := range headers {
			if got := a.header.Get(name); got != want {
				t.Errorf("%s: %q, not %q", name, got, want)
			}
		}
	}
	same("doku", map[string]string{
		"Content-Type": "image/jpeg", "Content-Length": strconv.Itoa(len(jpg)), "Accept-Ranges": "none", "Cache-Control": "no-store",
		"Content-Disposition":     `inline; filename="KTP _Ibu_ _.jpg"; filename*=UTF-8''KTP%20%22Ibu%22%20%C3%A9.jpg`,
		"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'", "X-Content-Type-Options": "nosniff",
	})
	if got := staff.get(document + "/file?download=1").header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; ") {
		t.Error(got)
	}
	head := staff.do(staff.request("HEAD", document+"/file", nil)).is(200, "HEAD")
	if head.header.Get("Content-Length") != strconv.Itoa(len(jpg)) || head.header.Get("Berkas-Source") != "doku" {
		t.Error(head.header)
	}
	b.clock.advance(2 * time.Hour) // the link is over, and the session too
	staff = b.as(models.RoleStaff)
	same("original", nil)
	page := staff.get(document).is(200, "the page")
	if attr(page.doc().Find("[data-source]"), "data-source") != "original" {
		t.Error("the page says otherwise where the bytes come from")
	}
	part := staff.get(document, "HX-Request", "true", "HX-Target", "at-doku").is(200, "what changes of the page").doc()
	if part.Find("#at-doku").Length() != 1 || part.Find("main").Length() != 0 {
		t.Error("what changes of the page is not that part of it")
	}
	if n := b.rows("select count(*) from audit where action = 'document.viewed'"); n != 1 {
		t.Errorf("viewed %d times", n)
	}
	if n := b.rows("select count(*) from audit where action = 'document.fetched'"); n < 4 {
		t.Errorf("fetched %d times", n)
	}
}

// Bytes that are not the accepted ones never look whole.
func TestOtherBytesBreakTheConnection(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	jpg := append(photo(t), make([]byte, 200_000)...) // more than is held back
	a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP").file("a.jpg", jpg), "HX-Request", "true").is(200, "uploading")
	document := "/documents/" + attr(a.slot("DOCUMENT", "KTP"), "data-document")
	b.must(b.sim.AddFault(dokusim.Fault{Call: dokusim.CallLink, Kind: dokusim.FaultCorruptLink, Times: 1}))
	r, err := staff.http.Do(staff.request("GET", document+"/file", nil))
	if err == nil {
		_, err = (&bytes.Buffer{}).ReadFrom(r.Body)
		r.Body.Close()
	}
	if err == nil {
		t.Error("other bytes came through whole")
	}
	b.await("the log", func() bool { return strings.Contains(b.log.String(), "a document broke off") })
	b.must(b.sim.AddFault(dokusim.Fault{Call: dokusim.CallLink, Kind: dokusim.FaultCutResponse, Times: 1}))
	if a := staff.get(document+"/file").is(200, "a body that breaks off"); a.body != string(jpg) {
		t.Errorf("%d bytes of %d", len(a.body), len(jpg))
	}
}

func TestPagesAndThumbnails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP").file("akta.pdf", onePage(t)), "HX-Request", "true")
	if a.status != 200 && a.status != 202 {
		t.Fatalf("%d %s", a.status, a.fault())
	}
	document := "/documents/" + attr(a.slot("DOCUMENT", "KTP"), "data-document")
	for _, path := range []string{document + "/pages/1", document + "/thumbnail"} {
		a := staff.get(path).is(200, path)
		if a.header.Get("Content-Type") != "image/jpeg" || !strings.HasPrefix(a.body, "\xff\xd8") || a.header.Get("Content-Length") != strconv.Itoa(len(a.body)) {
			t.Errorf("%s: %v", path, a.header)
		}
	}
	for _, n := range []string{"2", "0", "-1", "x", "99999999999"} {
		staff.get(document+"/pages/"+n).is(404, "page "+n)
	}
	if got := staff.get(document + "/file").header.Get("Content-Type"); got != "application/pdf" {
		t.Error(got)
	}
	picture := staff.document(id, "PHOTO_PROOF", "")
	staff.get(picture+"/pages/1").is(404, "a page of a picture")
}

func TestRetryWithdrawRotate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	b.must(b.sim.AddFault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 400, Times: 2}))
	document := staff.document(id, "DOCUMENT", "KTP")
	state := func() string { return attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "data-state") }
	b.await("the refusal", func() bool { return state() == "refused" })
	a := staff.post(document+"/retry", nil).is(303, "trying again")
	d := staff.get(a.header.Get("Location")).doc()
	if state := attr(d.Find("[data-code=KTP]"), "data-state"); state != "refused" || d.Find(".notice[role=status]").Length() != 1 {
		t.Errorf("%s after the second try, which is waited for, or no word about it", state)
	}
	row := staff.post(document+"/retry", nil, "HX-Request", "true").is(200, "trying again with htmx")
	if s := row.slot("DOCUMENT", "KTP"); attr(s, "data-state") != "delivered" {
		t.Errorf("%s after the third try", attr(s, "data-state"))
	}
	for _, htmx := range []string{"", "true"} {
		a := staff.post(document+"/retry", nil, "HX-Request", htmx, "HX-Current-URL", b.url+merchantPath(id)).is(409, "what is there already")
		if a.fault() != "not_retryable" {
			t.Error(a.fault())
		}
		if reload := attr(a.doc().Find("[role=alert] a"), "href"); htmx != "" && reload != merchantPath(id) {
			t.Errorf("reloading leads to %q", reload)
		}
	}

	for quarters, want := range map[string]string{"1": "1", "-1": "3", "6": "2"} {
		staff.post(document+"/rotate", url.Values{"quarters": {quarters}}).is(303, "turning")
		if got := attr(staff.get(document).doc().Find("[data-viewer]"), "data-turns"); got != want {
			t.Errorf("turned by %s: %s", quarters, got)
		}
	}
	staff.post(document+"/rotate", url.Values{"quarters": {"1"}}, "HX-Request", "true").is(204, "turning with htmx")
	for _, quarters := range []string{"", "x", "1.5", "99999999999999999999"} {
		staff.post(document+"/rotate", url.Values{"quarters": {quarters}}).is(422, "turning by "+quarters)
	}

	for _, why := range []string{"", "   "} {
		for _, htmx := range []string{"", "true"} {
			if a := staff.post(document+"/withdraw", url.Values{"why": {why}}, "HX-Request", htmx).is(422, "without a reason"); a.fault() != "note_required" {
				t.Error(a.fault())
			}
		}
	}
	for _, htmx := range []string{"", "true"} {
		long := strings.Repeat("a", 501)
		refused := staff.post(document+"/withdraw", url.Values{"why": {long}}, "HX-Request", htmx).is(422, "a reason without end").doc().Find("[name=why]")
		if refused.AttrOr("value", "") != long || refused.AttrOr("aria-invalid", "") != "true" || refused.Closest("details[open]").Length() != 1 {
			t.Errorf("the refused reason is lost with htmx %q", htmx)
		}
	}
	staff.post(document+"/withdraw", url.Values{"why": {"salah merchant <b>"}}).is(303, "withdrawing")
	staff.post(document+"/withdraw", url.Values{"why": {"salah merchant"}}).is(409, "withdrawing twice")
	staff.post(document+"/retry", nil).is(409, "trying again what is withdrawn")
	if page := staff.get(merchantPath(id)); state() != "missing" || strings.Contains(page.body, "merchant <b>") {
		t.Errorf("%s, or a reason is not escaped", state())
	}
}

// What a page costs does not grow with what it shows, whoever opens it: every page and part, DOKU having changed the
// checklist a moment ago.
func TestStatementsPerPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP").file("ktp.pdf", onePage(t)), "HX-Request", "true")
	document := attr(a.slot("DOCUMENT", "KTP"), "data-document")
	slot := strings.TrimPrefix(attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	staff.post(merchantPath(id)+"/messages", url.Values{"channel": {"other"}, "language": {"id"}, "text": {"Halo"}}).is(http.StatusSeeOther, "a message")
	b.exec("update merchants set previous_set_id = set_id, set_changed_at = now()")
	status := map[string]int{"/me/password": http.StatusSeeOther} // of a demo person, who keeps theirs
	status["/merchants/:merchant/submissions/:submission"] = http.StatusNotFound
	for _, r := range b.web.routes() {
		status[r.Path] = cmp.Or(status[r.Path], http.StatusOK)
	}
	ask := func() map[string]int {
		asked := map[string]int{}
		for _, role := range models.Roles {
			v := b.as(role)
			look := func(path string, status int, headers ...string) {
				asked[string(role)+" "+path+strings.Join(headers, " ")] = v.get(path, headers...).is(status, path).statements
			}
			for _, r := range b.web.routes() {
				if r.Method == http.MethodGet && r.Permission != auth.Public && (r.Kind == page || r.Kind == part) && slices.Contains(roles(r.Permission), string(role)) {
					look(address(r, id, document, slot), status[r.Path])
				}
			}
			look("/merchants?q=w&state=todo&who=mine", http.StatusOK)
			look("/merchants?q=w", http.StatusOK, "HX-Request", "true")
			look("/nowhere", http.StatusNotFound)
		}
		return asked
	}
	before := ask()
	for range 12 {
		staff.document(id, "DOCUMENT", "KTP")
	}
	for range 3 {
		staff.document(id, "PHOTO_PROOF", "")
		staff.merchant()
	}
	for page, n := range ask() {
		t.Logf("%s: %d statements", page, n)
		most := 8
		if strings.HasSuffix(page, " /documents/"+document) { // its review and the data typed beside it come with it
			most = 16
		}
		if strings.HasSuffix(page, "/message") { // it reads what was refused, decided, set and sent before
			most = 10
		}
		if strings.HasSuffix(page, "/register") { // it reads all that a registration is made of
			most = 11
		}
		if n > most || n == 0 || n > before[page] {
			t.Errorf("%s takes %d statements, %d before there was more to show", page, n, before[page])
		}
	}
}
