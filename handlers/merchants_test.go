package handlers

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"berkas/models"
)

func TestCreatingAMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	a := staff.post("/merchants", with(shop, "email", "a@warung.co.id", "notes", "<b>catatan</b>")).is(303, "creating")
	page := staff.get(a.header.Get("Location")).is(200, "the page")
	list := page.doc().Find("[data-checklist]")
	if attr(list, "data-checklist") != "ready" || attr(list, "data-assumed") != "false" {
		t.Errorf("checklist %s, assumed %s", attr(list, "data-checklist"), attr(list, "data-assumed"))
	}
	for _, place := range [][2]string{{"PHOTO_PROOF", ""}, {"DOCUMENT", "KTP"}, {"OWNER_LIVENESS", ""}} {
		s := page.slot(place[0], place[1])
		if attr(s, "data-state") != "missing" {
			t.Errorf("%v is %s", place, attr(s, "data-state"))
		}
		if _, has := s.Attr("data-document"); has {
			t.Errorf("%v has a document", place)
		}
	}
	if strings.Contains(page.body, "<b>catatan") || strings.Contains(page.body, "a@warung.co.id") {
		t.Error("notes are not escaped, or an address is not masked")
	}
	if title := page.doc().Find("title").Text(); !strings.Contains(title, "Warung Uji") {
		t.Errorf("title %q", title)
	}
}

func TestARefusedFormKeepsWhatWasTyped(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	typed := url.Values{"name": {"Toko \"Salah\" <Sekali>"}, "business_type": {"PERSONAL"}, "legal_entity": {"PT"}, "business_line": {""}, "nationality": {"ID"},
		"email": {"bukan"}, "notes": {"baris satu\r\nbaris dua"}, "npwp": {"12"}, "due_on": {"2026-02-31"}}
	a := staff.post("/merchants", typed).is(422, "a wrong form")
	d := a.doc()
	for _, name := range []string{"legal_entity", "business_line", "email", "npwp", "due_on"} {
		field := d.Find("#f-" + name)
		if attr(field, "aria-invalid") != "true" || d.Find("#f-"+name+"-error").Length() != 1 || !strings.Contains(attr(field, "aria-describedby"), "f-"+name+"-error") {
			t.Errorf("%s does not say what is wrong", name)
		}
	}
	for _, name := range []string{"name", "email", "npwp", "due_on"} {
		if got := attr(d.Find("#f-"+name), "value"); got != typed.Get(name) {
			t.Errorf("%s is %q", name, got)
		}
	}
	if got := d.Find("#f-notes").Text(); strings.ReplaceAll(got, "\r", "") != "baris satu\nbaris dua" {
		t.Errorf("notes are %q", got)
	}
	if here := attr(d.Find("form input[name=next]").First(), "value"); strings.Contains(here, "evil") {
		t.Error(here)
	}
	for what, form := range map[string]url.Values{"a colleague who is none": with(shop, "responsible", "99"), "a colleague with letters": with(shop, "responsible", "abc")} {
		staff.post("/merchants", form).is(422, what)
	}
}

// A merchant is given to colleagues alone; whoever is none any more stays responsible until somebody else is.
func TestResponsibleIsAColleague(t *testing.T) {
	t.Parallel()
	b := setup(t)
	manager, reviewer := strings.TrimPrefix(b.personPath("manager@berkas.test"), "/people/"), strings.TrimPrefix(b.personPath("reviewer@berkas.test"), "/people/")
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	edit := func(who string) *answer { return staff.post(merchantPath(id), url.Values{"responsible": {who}}) }
	edit(reviewer).is(422, "a reviewer")
	edit(manager).is(303, "a manager")
	b.exec("update people set disabled_at = now() where role = 'manager'")
	chosen := staff.get(merchantPath(id) + "/edit").doc().Find("#f-responsible option[selected]")
	if attr(chosen, "value") != manager {
		t.Errorf("the form shows %q as responsible", chosen.Text())
	}
	edit(manager).is(303, "the same as before")
	edit("").is(303, "nobody")
	edit(manager).is(422, "somebody disabled")
}

func TestDuplicatesAskOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	first := staff.post("/merchants", with(shop, "phone_number", "0812-3456-789")).is(303, "the first").header.Get("Location")
	for what, form := range map[string]url.Values{"the name": with(shop, "name", "  WARUNG   uji "), "the phone": with(shop, "name", "Lain", "phone_number", "+62 812 3456 789")} {
		a := staff.post("/merchants", with(form, "notes", "tetap")).is(409, what)
		d := a.doc()
		if d.Find(`form a[href="`+first+`"]`).Length() == 0 || d.Find(`button[name=confirm][value=yes]`).Length() != 1 || d.Find("#f-notes").Text() != "tetap" {
			t.Errorf("%s: no link to the first, no way to go on, or typed values lost", what)
		}
		staff.post("/merchants", with(form, "confirm", "yes")).is(303, what+", confirmed")
	}
}

func TestEditingArchivingRestoring(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant("npwp", "1234567890123456", "due_on", "2030-01-31")
	path := merchantPath(id)
	edit := staff.get(path+"/edit").is(200, "the form")
	if edit.body == "" || strings.Contains(edit.body, "1234567890123456") || !strings.Contains(edit.body, "••••••••••••3456") {
		t.Error("the number is shown, or not masked")
	}
	wrong := staff.post(path, with(shop, "name", "")).is(422, "no name")
	if !strings.Contains(wrong.body, "••••••••••••3456") {
		t.Error("the refused form forgets that a number is stored")
	}
	a := staff.post(path, with(shop, "name", "Warung Baru")).is(303, "editing")
	if a.header.Get("Location") != path {
		t.Error(a.header.Get("Location"))
	}
	page := staff.get(path)
	if h1 := page.doc().Find("h1").Text(); !strings.Contains(h1, "Warung Baru") || page.doc().Find(".notice[role=status]").Length() != 1 {
		t.Errorf("%q, or no word about it", h1)
	}
	if staff.get(path).doc().Find(".notice[role=status]").Length() != 0 {
		t.Error("the word stays")
	}
	staff.post(path+"/archive", nil).is(303, "archiving")
	staff.post(path+"/archive", nil).is(409, "archiving twice")
	staff.post(path, with(shop, "name", "X")).is(409, "editing what is archived")
	staff.post(path+"/slots", url.Values{"category": {"LOGO"}}).is(409, "adding to what is archived")
	staff.upload(id, multi("category", "PHOTO_PROOF").file("a.jpg", photo(t))).is(409, "uploading to what is archived")
	if page := staff.get(path); page.doc().Find("[data-upload]").Length() != 0 {
		t.Error("an archived merchant still takes files")
	}
	if n := staff.get("/merchants").doc().Find("[data-merchant]").Length(); n != 0 {
		t.Errorf("%d merchants are listed", n)
	}
	if n := staff.get("/merchants?state=archived").doc().Find("[data-merchant]").Length(); n != 1 {
		t.Errorf("%d archived merchants are listed", n)
	}
	staff.post(path+"/restore", nil).is(303, "restoring")
	staff.post(path+"/restore", nil).is(409, "restoring twice")
}

func TestTheListAndItsFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	staff.merchant("name", "Kopi Senja")
	staff.merchant("name", "Roti Pagi", "business_type", "CORPORATE", "legal_entity", "PT", "business_line", "FOOD_AND_BEVERAGE")
	count := func(query string, want int) *answer {
		t.Helper()
		a := staff.get("/merchants?"+query).is(200, query)
		if n := a.doc().Find("[data-merchant]").Length(); n != want {
			t.Errorf("%s lists %d, not %d", query, n, want)
		}
		return a
	}
	count("", 2)
	count("q=SENJA", 1)
	count("q=%25", 2)  // nothing but punctuation asks nothing
	count("q=%5Ck", 1) // one or two letters begin a name
	count("q=s", 0)
	count("business_type=CORPORATE", 1)
	count("business_line=FOOD_AND_BEVERAGE", 1)
	count("state=staff", 2)
	count("state=todo&mine=yes", 2)
	count("state=complete", 0)
	count("state=no-such", 0)
	manager := b.as(models.RoleManager)
	if n := manager.get("/merchants?mine=yes").doc().Find("[data-merchant]").Length(); n != 0 {
		t.Errorf("a manager has %d", n)
	}
	a := count("q=pagi&business_type=CORPORATE&business_line=FOOD_AND_BEVERAGE&state=todo&mine=yes", 1)
	d := a.doc()
	for selector, value := range map[string]string{"#q": "pagi"} {
		if attr(d.Find(selector), "value") != value {
			t.Errorf("%s lost", selector)
		}
	}
	for _, name := range []string{"state", "business_type", "business_line"} {
		if attr(d.Find("select[name="+name+"] option[selected]"), "value") == "" {
			t.Errorf("%s is not chosen", name)
		}
	}
	fragment := staff.get("/merchants?q=senja", "HX-Request", "true")
	if fragment.doc().Find("main").Length() != 0 || fragment.doc().Find("#merchant-list").Length() != 1 {
		t.Error("the fragment is no fragment")
	}
	if full := staff.get("/merchants?q=senja", "HX-Request", "true", "HX-History-Restore-Request", "true"); full.doc().Find("main").Length() != 1 {
		t.Error("going back gets a fragment")
	}
	for _, home := range []models.Role{models.RoleStaff, models.RoleManager} { // every link of the desk leads to a list that shows its filter
		v := b.as(home)
		for _, link := range v.get("/").doc().Find(".figures a, .group header a").EachIter() {
			a := v.get(attr(link, "href")).is(200, attr(link, "href"))
			if strings.Contains(attr(link, "href"), "state=") && attr(a.doc().Find("select[name=state] option[selected]"), "value") == "" {
				t.Errorf("%s: the list does not say how it is filtered", attr(link, "href"))
			}
		}
	}
}

func TestPagesOfTheList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	staff.merchant()
	_, err := b.db.Pool.Exec(b.Context(), `insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, progress, progress_state, next_actor, next_actor_since, created_at, updated_at)
		select gen_random_uuid(), 'Warung ' || n, 'warung ' || n, business_type, legal_entity, business_line, nationality, combination_id, progress, progress_state, next_actor, next_actor_since, created_at, updated_at - n * interval '1 second'
		from merchants, generate_series(1, 120) n`)
	b.must(err)
	seen, path := map[string]bool{}, "/merchants?q=warung"
	for pages := 0; path != ""; pages++ {
		if pages > 3 {
			t.Fatal("the list never ends")
		}
		d := staff.get(path).is(200, path).doc()
		for _, row := range d.Find("[data-merchant]").EachIter() {
			if id := attr(row, "data-merchant"); seen[id] {
				t.Errorf("%s stands twice", id)
			} else {
				seen[id] = true
			}
		}
		path = attr(d.Find("a[rel=next]"), "href")
	}
	if len(seen) != 121 {
		t.Errorf("%d merchants", len(seen))
	}
}

func TestQueriesThatAreNone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	for _, bad := range []string{"%00", "%FF%FE", "%C3%28", "a%00b"} {
		for _, name := range []string{"q", "state", "after", "business_line", "business_type", "mine", "x"} {
			staff.get("/merchants?"+name+"="+bad).is(404, name+" "+bad)
		}
		staff.get("/merchants?"+bad+"=x").is(404, "a name "+bad)
		staff.get("/login?next="+bad).is(404, "next "+bad)
	}
	for _, after := range []string{"x", "-", "1-", "zzzzzzzzzzzzz-1", "-1-1", "1y2p0ij32e8e7-1", "1y2p0ij32e8e7--1", "0-0", "%2B1-%2B1", "1y2p0ij32e8e8-9"} {
		staff.get("/merchants?after="+after).is(200, "after "+after)
	}
	for q, status := range map[string]int{"3171234567890123": 422, "3171 2345 6789 0123": 422, "31.712.345.678-901.234": 422, "PT 2020": 200, strings.Repeat("a", 9000): 200} {
		a := staff.get("/merchants?q="+url.QueryEscape(q)).is(status, "a search for "+q[:min(20, len(q))])
		if status == 422 && a.fault() != "sixteen_digits" {
			t.Error(a.fault())
		}
	}
	if a := staff.get("/merchants?q=3171234567890123", "HX-Request", "true").is(422, "a search"); a.header.Get("HX-Push-Url") != "false" {
		t.Error("the number would become the page's address")
	}
	if strings.Contains(b.log.String(), "3171234567890123") {
		t.Error("the number is in the log")
	}
}

// PostgreSQL takes neither NUL nor what is not UTF-8.
func TestFormsThatAreNoText(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	document := staff.document(id, "DOCUMENT", "KTP")
	slot := "/slots/" + strings.TrimPrefix(attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	fields := map[string][]string{
		"/login": {"email", "password", "next"}, "/login/demo": {"email", "next"}, "/preferences": {"language", "next"},
		"/merchants": append(names(shop), "notes", "email", "responsible", "bank_account_number", "address_street", "confirm", "x"), merchantPath(id): {"name", "notes", "due_on"},
		merchantPath(id) + "/slots": {"category", "code", "document"}, merchantPath(id) + slot + "/fields": {"form_NO_KTP", "x"},
		merchantPath(id) + "/documents": {"category", "code", "slot", "file_url", "form_NO_KTP"}, document + "/withdraw": {"why"}, document + "/rotate": {"quarters"},
	}
	for path, list := range fields {
		for _, name := range list {
			for _, bad := range []string{"a\x00b", "\xff\xfe", "\xc3("} {
				full := with(shop, "email", "x", "password", "x", "category", "DOCUMENT", "code", "KTP", "quarters", "1", name, bad)
				if a := staff.post(path, full); a.status < 400 || a.status >= 500 {
					t.Errorf("%s with %s=%q: %d", path, name, bad, a.status)
				}
				if path != merchantPath(id)+"/documents" || name == "x" {
					continue
				}
				if a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP", name, bad).file("a.jpg", photo(t))); a.status < 400 || a.status >= 500 {
					t.Errorf("an upload with %s=%q: %d", name, bad, a.status)
				}
			}
		}
	}
	for _, body := range []string{"%zz=1", "a=%", "a;b=c", strings.Repeat("a=1&", 10_000)} {
		r := staff.request("POST", "/merchants", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		staff.do(r).is(422, fmt.Sprintf("%.10q", body))
	}
	for _, contentType := range []string{"", "text/plain", "application/json", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=x", "multipart/mixed; boundary=x", ";;;"} {
		r := staff.request("POST", "/merchants", strings.NewReader("name=x"))
		r.Header.Set("Content-Type", contentType)
		staff.do(r).is(422, contentType)
	}
}

func names(form url.Values) (list []string) {
	for name := range form {
		list = append(list, name)
	}
	return list
}

func TestBeforeTheChecklist(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	b.fault("requirements", 503)
	id := staff.merchant()
	page := staff.get(merchantPath(id))
	list := page.doc().Find("[data-checklist]")
	if attr(list, "data-checklist") != "pending" || attr(list, "hx-get") == "" {
		t.Errorf("checklist %s", attr(list, "data-checklist"))
	}
	staff.get(merchantPath(id)+"/checklist").is(200, "the checklist alone")
	for _, htmx := range []string{"true", ""} {
		a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP").file("a.jpg", photo(t)), "HX-Request", htmx).is(409, "uploading")
		if a.fault() != "checklist_not_ready" {
			t.Error(a.fault())
		}
	}
	staff.post(merchantPath(id)+"/slots", url.Values{"category": {"LOGO"}}).is(409, "adding")
	staff.post(merchantPath(id)+"/requirements", nil).is(303, "asking again in vain")
	if got := staff.get(merchantPath(id)).doc().Find(".notice[role=status]").Length(); got != 1 {
		t.Error("nothing says that it was in vain")
	}
	b.sim.ClearFaults()
	a := staff.post(merchantPath(id)+"/requirements", nil).is(303, "asking again")
	if state := attr(staff.get(a.header.Get("Location")).doc().Find("[data-checklist]"), "data-checklist"); state != "ready" {
		t.Errorf("checklist %s", state)
	}
	staff.post(merchantPath(id)+"/requirements", nil).is(303, "asking once more")

	refused := staff.merchant("business_line", "NO_SUCH_LINE", "business_type", "PERSONAL", "legal_entity", "PERSEORANGAN")
	if state := attr(staff.get(merchantPath(refused)).doc().Find("[data-checklist]"), "data-checklist"); state != "refused" {
		t.Errorf("checklist %s", state)
	}
}

// Two people with the same form open: what only one of them changed is kept, what both changed is asked about.
func TestTwoPeopleEditOneMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, other := b.as(models.RoleStaff), b.as(models.RoleStaff)
	id := one.merchant()
	opened := func(v *visitor) url.Values {
		form := url.Values{}
		for _, field := range v.get(merchantPath(id)+"/edit").is(200, "the form").doc().Find(".merchant-form input:not([type=radio])").EachIter() {
			form.Set(attr(field, "name"), attr(field, "value"))
		}
		return form
	}
	mine, theirs := opened(one), opened(other)
	one.post(merchantPath(id), with(mine, "name", "Warung Satu")).is(303, "the first")
	other.post(merchantPath(id), with(theirs, "address_street", "Jl. Dua")).is(303, "another field")
	stored := opened(one)
	if stored.Get("name") != "Warung Satu" || stored.Get("address_street") != "Jl. Dua" {
		t.Errorf("one of both changes is lost: %v", stored)
	}
	refused := other.post(merchantPath(id), with(theirs, "name", "Warung Dua", "npwp", "1234567890123456")).is(409, "the same field").doc()
	if field := refused.Find("#f-name"); attr(field, "value") != "Warung Dua" || !strings.Contains(refused.Find("#f-name-error").Text(), "Warung Satu") {
		t.Errorf("what was typed, or what is stored, is not shown: %s", refused.Find("#f-name-error").Text())
	}
	if attr(refused.Find("#f-npwp"), "value") != "1234567890123456" {
		t.Error("another field lost what was typed")
	}
	other.post(merchantPath(id), with(theirs, "name", "Warung Dua", "seen", attr(refused.Find("[name=seen]"), "value"))).is(303, "once more")
	if stored := opened(one); stored.Get("name") != "Warung Dua" || stored.Get("address_street") != "Jl. Dua" {
		t.Errorf("after saving again: %v", stored)
	}
	one.post(merchantPath(id), url.Values{"name": {"Warung Tiga"}}).is(303, "a script, which saw nothing")
}
