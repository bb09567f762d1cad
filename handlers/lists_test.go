package handlers

import (
	"archive/zip"
	"encoding/csv"
	"encoding/xml"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"berkas/models"
)

func (a *answer) listed() (names []string) {
	for _, m := range a.doc().Find("[data-merchant] a.name").EachIter() {
		names = append(names, m.Text())
	}
	return names
}

func (b *bench) one(sql string) (value string) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.Context(), sql).Scan(&value))
	return value
}

func (b *bench) merchantNamed(name string) models.MerchantID {
	return models.MerchantID(b.count("select id from merchants where name = '" + name + "'"))
}

func TestFiltersOfTheListAndTheirChips(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	staff.merchant("name", "Kopi Senja")
	staff.merchant("name", "Roti Pagi", "business_type", "CORPORATE", "legal_entity", "PT", "business_line", "FOOD_AND_BEVERAGE")
	b.await("the checklists", func() bool { return b.count("select count(*) from merchants where set_id is null") == 0 })
	b.exec("update people set team = 'Jakarta' where email = 'staff@berkas.test'")
	b.exec("update merchants set registered_at = '2026-11-10 05:00+07', progress_state = 'registered', next_actor = 'nobody', quarter = 'registered', business_id = 'BSN-0001-1234567890123' where name = 'Roti Pagi'")
	for query, want := range map[string]int{
		"entity=PT": 1, "entity=BLU": 0, "team=Jakarta": 2, "team=Bandung": 0, "who=999": 0, "who=abc": 0, "slot=approved": 0, "reason=image_blurry": 0,
		"expiring=30": 0, "done=0": 1, "done=4": 0, "stage=registered": 1, "stage=registered&from=2026-11-10&until=2026-11-10": 1, "stage=registered&until=2026-11-09": 0, "stage=none": 2,
		"q=BSN-0001-1234567890123": 1, "q=bsn-0001-1234567890123": 1, "q=BSN-0001-1234567890124": 0, "type=CORPORATE&line=FOOD_AND_BEVERAGE&entity=PT&order=name": 1,
	} {
		a := staff.get("/merchants?"+query).is(200, query)
		if n := len(a.listed()); n != want {
			t.Errorf("%s lists %d, not %d", query, n, want)
		}
	}
	lacking := b.count("select count(distinct merchant_id) from slots s join merchants m on m.id = s.merchant_id where s.code = 'KTP' and s.state = 'missing' and m.registered_at is null")
	for _, query := range []string{"doc=KTP", "doc=DOCUMENT:KTP&slot=missing", "doc=KTP&slot=open"} {
		if n := len(staff.get("/merchants?" + query).listed()); n != lacking || n == 0 {
			t.Errorf("%s lists %d, not %d", query, n, lacking)
		}
	}
	d := staff.get("/merchants?state=open&entity=PT&doc=KTP&slot=refused&from=2026-01-01").is(200, "chips").doc()
	chips := d.Find(".filter-chips a.chip")
	if chips.Length() != 3 {
		t.Errorf("%d chips: %s", chips.Length(), chips.Text())
	}
	for _, chip := range chips.EachIter() {
		if left := staff.get(attr(chip, "href")).is(200, "without it").doc().Find(".filter-chips a.chip").Length(); left != 2 {
			t.Errorf("without %s %d are left", chip.Text(), left)
		}
	}
	b.exec("update merchants set registration = case name when 'Kopi Senja' then 'stuck' else 'rejected' end")
	for state, name := range map[string]string{"unsettled": "Kopi Senja", "sent_back": "Roti Pagi"} {
		if listed := staff.get("/merchants?state="+state).is(200, state).listed(); len(listed) != 1 || listed[0] != name {
			t.Errorf("%s lists %v", state, listed)
		}
	}
	if d.Find(".more-filters[open]").Length() != 1 || attr(d.Find("select[name=entity] option[selected]"), "value") != "PT" {
		t.Error("the filters in use are hidden")
	}
}

func TestNamesThatAreNearlyRight(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	staff.merchant("name", "Warung Sejahtera Abadi")
	staff.merchant("name", "Bengkel Motor Jaya")
	similar := func(q string) string {
		return strings.TrimSpace(staff.get("/merchants?q="+url.QueryEscape(q)).is(200, q).doc().Find("[data-similar] a.name").Text())
	}
	for q, want := range map[string]string{"sejahtra": "Warung Sejahtera Abadi", "warng sejahtera": "Warung Sejahtera Abadi", "bengkel moter": "Bengkel Motor Jaya", "sejahtera": "", "xyzzy": "", "ab": "", "%_%": ""} {
		if got := similar(q); got != want {
			t.Errorf("%s is like %q, not %q", q, got, want)
		}
	}
}

func TestSavedViews(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, manager := b.as(models.RoleStaff), b.as(models.RoleManager)
	save := func(v *visitor, name, query string, more ...string) *answer {
		return v.post("/merchants/views", with(url.Values{"name": {name}, "query": {query}}, more...))
	}
	if to := save(staff, "Lewat tenggat", "state=overdue&sort=due&x=y&after=7").is(303, "saving").header.Get("Location"); to != "/merchants?sort=due&state=overdue" {
		t.Error(to)
	}
	save(staff, "lewat TENGGAT", "state=open").is(409, "the same name")
	save(staff, " ", "state=open").is(422, "no name")
	save(staff, "Pribadi", "q=3171234567890123").is(422, "a personal number")
	save(staff, "Bersama", "state=open", "shared", "yes").is(403, "sharing without the right")
	save(manager, "Bersama", "state=open&sort=name", "shared", "yes").is(303, "sharing")
	list := func(v *visitor) string { return v.get("/merchants").doc().Find(".saved a:not(.soft)").Text() }
	if all := list(staff); !strings.Contains(all, "Lewat tenggat") || !strings.Contains(all, "Bersama") {
		t.Errorf("the staff see %q", all)
	}
	if all := list(manager); strings.Contains(all, "Lewat tenggat") {
		t.Errorf("the manager sees %q", all)
	}
	shared := b.one("select id::text from views where shared")
	if to := staff.get("/merchants?view="+shared).is(303, "opening").header.Get("Location"); to != "/merchants?sort=name&state=open" {
		t.Error(to)
	}
	own := b.one("select id::text from views where not shared")
	manager.get("/merchants?view="+own).is(404, "somebody else's")
	staff.get("/merchants?view=x").is(404, "none")
	staff.post("/merchants/views/"+shared, url.Values{"name": {"Meins"}}).is(409, "renaming somebody else's")
	staff.post("/merchants/views/"+shared+"/delete", nil).is(409, "deleting somebody else's")
	staff.post("/merchants/views/"+own, url.Values{"name": {"Mendesak"}}).is(303, "renaming")
	if got := staff.get("/merchants/views").is(200, "the page").doc().Find("[data-view] h2").Text(); got != "Mendesak" {
		t.Errorf("renamed to %q", got)
	}
	staff.post("/merchants/views/"+own+"/delete", nil).is(303, "deleting")
	if n := b.one("select count(*)::text from audit where action like 'view.%'"); n != "4" {
		t.Errorf("%s rows in the trail", n)
	}
}

func TestChangingSeveralMerchants(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, manager, reviewer := b.as(models.RoleStaff), b.as(models.RoleManager), b.as(models.RoleReviewer)
	for _, name := range []string{"Satu", "Dua", "Tiga"} {
		staff.merchant("name", name)
	}
	to := b.one("select id::text from people where role = 'manager'")
	boxes := func() (list []string) {
		for _, box := range manager.get("/merchants?sort=name").doc().Find("[name=merchant]").EachIter() {
			list = append(list, attr(box, "value"))
		}
		return list
	}
	chosen := boxes()
	if len(chosen) != 3 {
		t.Fatal(chosen)
	}
	staff.post(merchantPath(b.merchantNamed("Dua"))+"/archive", nil).is(303, "archiving meanwhile")
	b.exec("update merchants set responsible_id = null where name = 'Tiga'")
	form := url.Values{"do": {"assign"}, "responsible": {to}, "merchant": chosen, "query": {"sort=name"}}
	a := manager.post("/merchants/change", form).is(303, "giving")
	if a.header.Get("Location") != "/merchants?sort=name" {
		t.Error(a.header.Get("Location"))
	}
	if told := manager.get("/merchants?sort=name").doc().Find(".notice[role=status]").Text(); !strings.Contains(told, "1 merchant changed") || !strings.Contains(told, "1 archived") || !strings.Contains(told, "1 left") {
		t.Errorf("%q", told)
	}
	if got := b.one("select string_agg(name, ',') from merchants where responsible_id = " + to); got != "Satu" {
		t.Errorf("%s are given", got)
	}
	for what, bad := range map[string]url.Values{"nobody chosen": with(form, "responsible", ""), "a stranger": with(form, "responsible", "999"), "nothing to do": with(form, "do", ""), "no date": with(form, "do", "due"),
		"no box": {"do": {"undue"}}, "a box that is none": with(form, "merchant", "1_x_0")} {
		manager.post("/merchants/change", bad).is(422, what)
	}
	reviewer.post("/merchants/change", form).is(403, "a reviewer")

	all := url.Values{"do": {"due"}, "due_on": {"2026-12-24"}, "all": {"yes"}, "query": {"state=open"}}
	asked := manager.post("/merchants/change", all).is(200, "all that match").doc()
	if attr(asked.Find("[data-count]"), "data-count") != "2" || b.one("select count(*)::text from merchants where due_on is not null") != "0" {
		t.Error("it is not asked first, or not of two")
	}
	manager.post("/merchants/change", with(all, "confirm", "yes")).is(303, "confirmed")
	if n := b.one("select count(*)::text from merchants where due_on = '2026-12-24'"); n != "2" {
		t.Errorf("%s are due", n)
	}
	manager.post("/merchants/change", url.Values{"do": {"undue"}, "all": {"yes"}, "confirm": {"yes"}, "query": {""}}).is(303, "no date")
	if n := b.one("select count(*)::text from merchants where due_on is not null"); n != "0" {
		t.Errorf("%s are due", n)
	}
}

func TestExports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, manager := b.as(models.RoleStaff), b.as(models.RoleManager)
	for _, name := range []string{"=1+1", "＝HYPERLINK(x)", "@sum", "Warung \"Koma, dan\" <b>&", "Biasa"} {
		staff.merchant("name", name, "due_on", "2030-01-31", "phone_number", "81234567890", "npwp", "1234567890123456", "notes", "rahasia", "confirm", "yes")
	}
	staff.get("/merchants.csv").is(403, "without the right")
	if n := attr(manager.get("/merchants/export?q=bia").is(200, "the page").doc().Find("[data-rows]"), "data-rows"); n != "1" {
		t.Errorf("%s rows are promised", n)
	}
	manager.get("/merchants.csv?q=3171234567890123").is(422, "a personal number")
	a := manager.get("/merchants.csv?sort=name").is(200, "CSV")
	text, bom := strings.CutPrefix(a.body, "\ufeff")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	b.must(err)
	if !bom || len(rows) != 6 || rows[0][1] != "Merchant" || rows[1][11] != "2030-01-31" {
		t.Fatalf("%t %q", bom, rows)
	}
	for _, row := range rows[1:] {
		if strings.ContainsAny(string([]rune(row[1])[:1]), "=+-@＝") {
			t.Errorf("%q is a formula", row[1])
		}
	}
	for _, secret := range []string{"81234567890", "1234567890123456", "rahasia"} {
		if strings.Contains(a.body, secret) {
			t.Errorf("%s is in the export", secret)
		}
	}
	if rows := strings.Count(manager.get("/merchants.csv?q=bia").body, "\n"); rows != 2 {
		t.Errorf("filtered it has %d lines", rows)
	}
	x := manager.get("/merchants.xlsx?sort=name").is(200, "XLSX")
	book, err := zip.NewReader(strings.NewReader(x.body), int64(len(x.body)))
	b.must(err)
	var sheet string
	for _, part := range book.File {
		r, err := part.Open()
		b.must(err)
		raw, err := io.ReadAll(r)
		b.must(err)
		for d := xml.NewDecoder(strings.NewReader(string(raw))); ; {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", part.Name, err)
			}
		}
		if part.Name == "xl/worksheets/sheet1.xml" {
			sheet = string(raw)
		}
	}
	if strings.Count(sheet, "<row ") != 6 || strings.Contains(sheet, "<f>") || !strings.Contains(sheet, `s="3" t="inlineStr"><is><t xml:space="preserve">=1+1<`) || !strings.Contains(sheet, `s="1"><v>47514</v>`) {
		t.Error(sheet)
	}
	if got := b.one("select string_agg(detail::text, ' ' order by id) from audit where action = 'merchant.sent'"); strings.Count(got, `"rows": 5`) != 2 || strings.Count(got, `"whole": true`) != 3 {
		t.Error(got)
	}
	manager.get("/merchants.csv?q=bia&state=open")
	if got := b.one("select detail::text from audit where action = 'merchant.exported' order by id desc limit 1"); !strings.Contains(got, `["q", "state"]`) || strings.Contains(got, "bia") {
		t.Error(got)
	}
}

// Whoever began an export sees how far it is, or why it ended, and nobody else does.
func TestProgressOfExports(t *testing.T) {
	t.Parallel()
	b := setup(t)
	manager, admin := b.as(models.RoleManager), b.as(models.RoleAdmin)
	manager.get("/merchants.csv").is(200, "CSV")
	b.exec(`insert into exports (person_id, format, rows, total, begun_at, seen_at) select person_id, 'xlsx', 4000, 12345, $1::timestamptz, $1 from exports`, b.clock.now())
	b.exec(`insert into exports (person_id, format, rows, total, begun_at, seen_at) select person_id, 'csv', 7000, 12345, $1::timestamptz, $1 from exports limit 1`, b.clock.now().Add(-2*time.Minute))
	part := manager.get("/merchants/export", "HX-Request", "true").is(200, "the part of the page").doc()
	shown := part.Find("[data-export]")
	var states []string
	for _, e := range shown.EachIter() {
		states = append(states, attr(e, "data-state"))
	}
	if strings.Join(states, " ") != "broken underway done" || attr(shown.Find("[data-fault]"), "data-fault") != "export_silent" {
		t.Errorf("%q %s", states, shown.Text())
	}
	if bar := shown.Find("progress"); attr(bar, "value") != "4000" || attr(bar, "max") != "12345" || !strings.Contains(shown.Text(), "4,000 of 12,345 merchants") {
		t.Errorf("%s", shown.Text())
	}
	page := manager.get("/merchants/export").doc()
	if page.Find("#export-list [data-export]").Length() != 3 || page.Find(".unscripted a").Length() != 1 {
		t.Error("without JavaScript the page does not say how far it is")
	}
	if admin.get("/merchants/export").doc().Find("[data-export]").Length() != 0 {
		t.Error("somebody else sees it")
	}
}

func TestTheRailCountsNoFurtherThanItShows(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	staff.merchant()
	b.exec("update merchants set responsible_id = (select id from people where role = 'staff' order by id limit 1), next_actor = 'staff'")
	more := func(n int) {
		b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, responsible_id, next_actor)
			select gen_random_uuid(), 'x', 'x', business_type, legal_entity, business_line, nationality, combination_id, responsible_id, next_actor from (select * from merchants limit 1) m, generate_series(1, $1)`, n)
	}
	shown := func() string {
		return strings.TrimSpace(staff.get("/merchants").doc().Find(`.links a[href="/"] .num`).First().Text())
	}
	for _, c := range []struct {
		more int
		want string
	}{{0, "1"}, {98, "99"}, {1, "99+"}} {
		if more(c.more); shown() != c.want {
			t.Errorf("%d more: %q instead of %q", c.more, shown(), c.want)
		}
	}
}
