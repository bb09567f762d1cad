package handlers

import (
	"net/url"
	"strings"
	"testing"

	"berkas/models"
)

// place is where a document's page says that it stands in the queue, and the address that its next one is asked with.
func (a *answer) place() url.Values {
	a.Helper()
	form := a.doc().Find("footer form[data-next]")
	return url.Values{"from": {attr(form.Find("[name=from]"), "value")}, "after": {attr(form.Find("[name=after]"), "value")}}
}

func location(a *answer) string { return a.header.Get("Location") }

func TestTheQueueGoesOnBehindTheDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	var documents []string
	for range 3 {
		_, document := staff.ready()
		documents = append(documents, document)
	}
	for i := range 4 { // through the queue, and round
		at, next := documents[i%3], documents[(i+1)%3]
		if got := location(one.post("/review/next", one.get(at).is(200, at).place()).is(303, "next")); got != next {
			t.Errorf("after %s comes %s", at, got)
		}
	}
	page := one.get(documents[1])
	decision := with(with(page.sight(), "next", "1"), "after", page.place().Get("after"))
	if got := location(one.post(documents[1]+"/approve", decision).is(303, "approving")); got != documents[2] {
		t.Errorf("after the decision comes %s", got)
	}
	if n := b.count("select count(*) from documents where leased_by is not null"); n != 1 {
		t.Errorf("%d documents are leased", n)
	}
}

func TestTheNextDocumentIsLoadedAhead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	_, first := staff.ready()
	_, second := staff.ready()
	page := one.get(first).is(200, "the first")
	ahead := location(one.post("/review/next", with(page.place(), "preload", "1")).is(303, "the next one ahead"))
	if ahead != second+"?preload=1" {
		t.Fatal(ahead)
	}
	viewed := func() int {
		return b.count("select count(*) from audit where action = 'document.viewed' and subject_id = " + strings.TrimPrefix(second, "/documents/"))
	}
	loaded := one.get(ahead).is(200, "loading it")
	if viewed() != 0 || attr(loaded.doc().Find("main"), "data-look-id") != "0" {
		t.Error("what was only loaded counts as seen")
	}
	if n := b.count("select count(*) from documents where leased_by is not null"); n != 2 {
		t.Errorf("%d documents are leased", n)
	}
	if a := one.post("/review/next", with(with(loaded.place(), "preload", "1"), "from", strings.TrimPrefix(second, "/documents/"))); location(a) != first+"?preload=1" {
		t.Errorf("%d %s", a.status, location(a))
	}
	look := one.post(second+"/look", url.Values{"look": {"0"}}).is(200, "showing it").body
	if viewed() != 1 || look == "0" {
		t.Errorf("%d looks, %s", viewed(), look)
	}

	// Loading the page anew does not lose the lease, leaving it does.
	one.get(second).is(200, "the page anew")
	one.post(second+"/look", url.Values{"look": {look}, "ms": {"1200"}, "leaving": {"1"}}).is(204, "the old page says goodbye")
	leased := "select count(*) from documents where leased_by is not null and id = " + strings.TrimPrefix(second, "/documents/")
	if b.count(leased) != 1 {
		t.Error("the page on the screen lost its lease to the one before it")
	}
	one.post(second+"/look", url.Values{"look": {"0"}, "leaving": {"1"}}).is(204, "giving it back")
	if b.count(leased) != 0 {
		t.Error("it was not given back")
	}
	one.post(first+"/approve", one.get(first).sight(), "HX-Request", "true").is(204, "a script's decision")
	if flash := one.get("/review").doc().Find("#notices").Text(); strings.TrimSpace(flash) != "" {
		t.Errorf("a script's decision is told on the next page: %q", flash)
	}
	one.post(second+"/approve", one.get(second).sight()).is(303, "the second")
	one.post("/review/next", url.Values{"preload": {"1"}}).is(204, "nothing ahead")
}

func TestComparing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	id, document := staff.ready()
	staff.document(id, "DOCUMENT", "KTP")
	other := strings.TrimPrefix(document, "/documents/")
	newest := "/documents/" + attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "data-document")
	page := one.get(newest+"?compare="+other).is(200, "both")
	if attr(page.doc().Find("[data-beside]"), "data-beside") != other || page.doc().Find("[data-stage]").Length() != 2 {
		t.Error("the earlier version is not beside it")
	}
	if n := b.count("select count(*) from looks where document_id = " + other); n != 1 {
		t.Errorf("%d looks at the one beside", n)
	}
	part := one.get(newest+"?compare="+other, "HX-Request", "true").is(200, "the stages alone")
	if part.doc().Find("[data-stage]").Length() != 2 || part.doc().Find("main").Length() != 0 {
		t.Error("more than the stages")
	}
	_, stranger := staff.ready()
	if page := one.get(newest + "?compare=" + strings.TrimPrefix(stranger, "/documents/")); page.doc().Find("[data-beside]").Length() != 0 {
		t.Error("another merchant's document is beside it")
	}
	if seen := one.get(document).doc().Find("#looks").Text(); !strings.Contains(seen, "Orang reviewer") {
		t.Errorf("who has seen it: %q", seen)
	}
}
