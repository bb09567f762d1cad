package handlers

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/models"
)

func (b *bench) exec(sql string, args ...any) {
	b.Helper()
	_, err := b.db.Pool.Exec(b.Context(), sql, args...)
	b.must(err)
}

// figuresOf are the figures of a part of a page, in their order.
func figuresOf(d *goquery.Document, within string) (values []string) {
	for _, f := range d.Find(within + " .figure b").EachIter() {
		values = append(values, strings.TrimSpace(f.Text()))
	}
	return values
}

func TestHealthOfAnOutage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant("name", "Kopi Senja")
	page := staff.get("/health").is(200, "health")
	if state := attr(page.doc().Find("[data-health]"), "data-health"); state != "fine" {
		t.Errorf("%s while DOKU answers", state)
	}
	b.must(b.sim.AddFault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 503}))
	staff.document(merchant, "DOCUMENT", "KTP")
	b.await("the outage", func() bool { h, err := b.store.Health(t.Context()); return err == nil && h.DownSince != nil })
	b.must(b.web.Service.KeepMinutes(t.Context()))
	page = staff.get("/health")
	d := page.doc()
	if state := attr(d.Find("[data-health]"), "data-health"); state != "down" {
		t.Errorf("%s while DOKU does not answer", state)
	}
	if got := figuresOf(d, "#health-counts"); len(got) != 4 || got[0]+got[1] != "10" && got[0]+got[1] != "01" {
		t.Errorf("%v", got)
	}
	facts := d.Find("#health-facts").Text()
	for _, want := range []string{"Kopi Senja", "KTP", "Uploading a file: answered 503"} {
		if !strings.Contains(facts, want) {
			t.Errorf("%q is not among %q", want, facts)
		}
	}
	if attr(d.Find("#health-oldest"), "href") != merchantPath(merchant) {
		t.Error("the oldest does not lead to its merchant")
	}
	if failures := attr(d.Find("#chart-picture-hour .failures"), "d"); failures == "" || attr(d.Find("#chart-picture-hour .bars"), "role") != "img" {
		t.Errorf("no red mark: %q", failures)
	}
	if rows := d.Find("#call-rows tr"); rows.Length() < 2 || !strings.Contains(rows.Text(), "Uploading a file") {
		t.Errorf("%q", rows.Text())
	}
	if d.Find("style, [style]").Length() != 0 {
		t.Error("a style in the page")
	}
	if page.statements > 8 {
		t.Errorf("%d statements", page.statements)
	}
	for _, role := range []models.Role{models.RoleStaff, models.RoleManager, models.RoleAdmin} {
		home := b.as(role).get("/").doc()
		if home.Find(`main a[href="/health"]`).Length() != 1 || home.Find(`.rail nav a[href="/health"]`).Length() != 1 || home.Find(`.rail .chip[href="/health"]`).Length() != 1 {
			t.Errorf("%s does not hear of the outage", role)
		}
	}
	if home := b.as(models.RoleReviewer).get("/").doc(); home.Find(`a[href="/health"]`).Length() != 0 || home.Find(".rail .chip.bad").Length() != 1 {
		t.Error("a reviewer is led where they may not go")
	}

	part := staff.get("/health", "HX-Request", "true").is(200, "the open page's question")
	if strings.Contains(part.body, "<html") || part.statements > 7 {
		t.Errorf("%d statements for a part", part.statements)
	}
	for _, id := range []string{"health-now", "health-counts", "health-facts", "chart-picture-hour", "chart-rows-hour", "chart-picture-day", "chart-rows-day", "call-rows"} {
		if !regexp.MustCompile(`id="`+id+`"[^>]*hx-swap-oob="true"`).MatchString(part.body) || d.Find("#"+id).Length() != 1 {
			t.Errorf("%s is not replaced in place", id)
		}
	}
}

func TestTryAllAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	staff.document(merchant, "DOCUMENT", "KTP")
	staff.document(merchant, "OWNER_LIVENESS", "")
	b.await("both at DOKU", func() bool {
		n := 0
		b.must(b.db.Pool.QueryRow(t.Context(), "select count(*) from documents where state = 'delivered'").Scan(&n))
		return n == 2
	})
	b.exec("update documents set state = 'failed', problem = 'upload_failed', next_attempt_at = null, file_id = ''")
	b.exec("update slots set state = 'failed' where document_id is not null")
	if got := figuresOf(staff.get("/health").doc(), "#health-counts"); !slices.Equal(got, []string{"0", "0", "0", "2"}) {
		t.Errorf("%v", got)
	}
	for _, role := range []models.Role{models.RoleReviewer, models.RoleManager} {
		b.as(role).post("/health/retry", nil).is(http.StatusForbidden, string(role))
	}
	if b.as(models.RoleManager).get("/health").doc().Find(`form[action="/health/retry"]`).Length() != 0 {
		t.Error("a manager has a button that they may not press")
	}
	admin := b.as(models.RoleAdmin)
	if a := admin.post("/health/retry", nil).is(http.StatusSeeOther, "try all again"); a.header.Get("Location") != "/health" {
		t.Error(a.header.Get("Location"))
	}
	if said := admin.get("/health").doc().Find("#notices .notice").Text(); !strings.Contains(said, "2 documents are") {
		t.Errorf("%q", said)
	}
	b.await("all at DOKU", func() bool {
		n := 0
		b.must(b.db.Pool.QueryRow(t.Context(), "select count(*) from documents where state = 'delivered' and file_id <> ''").Scan(&n))
		return n == 2
	})
	admin.post("/health/retry", nil).is(http.StatusSeeOther, "again")
	if said := admin.get("/health").doc().Find("#notices .notice").Text(); !strings.Contains(said, "nothing to try again") {
		t.Errorf("%q", said)
	}
}

func TestChartsOfADay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.endWork()
	b.exec("delete from doku_minutes")
	now := b.clock.now().UTC()
	var rows []models.DOKUMinute
	for i := range 24 * 60 {
		rows = append(rows, models.DOKUMinute{Minute: now.Truncate(time.Minute).Add(-time.Duration(i) * time.Minute), Call: []string{"upload", "token"}[i%2], Answered: 2, Failed: i % 10 / 9, TotalMS: 400, MaxMS: 300})
	}
	for part := range slices.Chunk(rows, 500) {
		b.must(b.store.Keep().KeepMinutes(t.Context(), part))
	}
	d := b.as(models.RoleManager).get("/health").is(200, "health").doc()
	if n := d.Find("#chart-rows-hour tr").Length(); n != 60 {
		t.Errorf("%d minutes", n)
	}
	if n := d.Find("#chart-rows-day tr").Length(); n != 96 {
		t.Errorf("%d quarters", n)
	}
	if got := d.Find("#chart-picture-hour p").Text(); !strings.Contains(got, "126 calls, 200 ms on average, 300 ms at most, 6 failed") {
		t.Errorf("%q", got)
	}
	if n := strings.Count(attr(d.Find("#chart-picture-hour .average"), "d"), "M"); n != 60 {
		t.Errorf("%d bars", n)
	}
	if n := d.Find("#call-rows tr").Length(); n != 2 {
		t.Errorf("%d kinds of calls", n)
	}
}

// populate makes merchants in every state, of several people and nobody, due, overdue and not.
func (b *bench) populate(n int) {
	b.Helper()
	staff := b.as(models.RoleStaff)
	id := staff.merchant("name", "Muster")
	staff.document(id, "DOCUMENT", "KTP")
	b.await("the first document", func() bool {
		n := 0
		b.must(b.db.Pool.QueryRow(b.Context(), "select count(*) from documents where state = 'delivered'").Scan(&n))
		return n == 1
	})
	b.endWork()
	b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, progress, progress_state, next_actor, responsible_id, due_on, registered_at, archived_at, updated_at)
		select gen_random_uuid(), 'Merchant ' || i, 'merchant ' || i, business_type, legal_entity, business_line, nationality, combination_id, set_id, progress, s.state,
			case when s.state in ('todo', 'refused', 'failed') then 'staff' when s.state in ('waiting', 'pending') then 'doku' else 'reviewer' end,
			case i % 3 when 0 then responsible_id when 1 then (select id from people where role = 'manager') end, case when i % 2 = 0 then current_date - 20 + i % 40 end,
			case when s.state = 'registered' then now() end, case when i % 13 = 0 then now() end, now() - i * interval '1 minute'
		from merchants m, generate_series(1, $1) i, lateral (select (array['pending','todo','waiting','refused','failed','complete','registered'])[1 + i % 7] as state) s where m.id = $2`, n, id)
	b.exec(`insert into slots (merchant_id, owner_path, category, code) select id, 'x', 'DOCUMENT', 'X' from merchants where id <> $1 and id % 4 = 0`, id)
	b.exec(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, uploaded_at, delivered_at) select gen_random_uuid(), merchant_id, id, 1, category, code, 'delivered', now(), now() - merchant_id * interval '1 minute' from slots where owner_path = 'x'`)
	b.exec(`update slots s set document_id = d.id from documents d where d.slot_id = s.id and s.owner_path = 'x'`)
	b.exec(`update documents d set queued_at = d.delivered_at from slots s, merchants m where s.document_id = d.id and s.owner_path = 'x' and m.id = d.merchant_id and m.archived_at is null and m.registered_at is null`)
}

var digits = regexp.MustCompile(`[\d,]+`)

// Every figure leads to a list of exactly as many; nobody stands twice; what is listed is in the list it leads to.
func TestHomesAndTheListsTheyLeadTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.populate(160)
	for _, role := range models.Roles {
		v := b.as(role)
		page := v.get("/").is(200, string(role))
		if page.statements > 9 {
			t.Errorf("%s: %d statements", role, page.statements)
		}
		d := page.doc()
		figures := d.Find(".figures a:not([data-figure^=documents_], [data-figure=first_pass_yield])") // which count no merchants
		if figures.Length() < 4 {
			t.Errorf("%s has %d figures", role, figures.Length())
		}
		positive := 0
		for _, f := range figures.EachIter() {
			address := attr(f, "href")
			list := v.get(address).is(200, address).doc()
			if strings.HasPrefix(address, "/review") {
				if n, _ := strconv.Atoi(f.Find("b").Text()); list.Find("#review-list [data-document]").Length() != n || n > pageRows {
					t.Errorf("%s: %s has %d rows, not %d", role, address, list.Find("#review-list [data-document]").Length(), n)
				}
				positive++
				continue
			}
			want, got := f.Find("b").Text(), digits.FindString(list.Find("[data-announce]").Text())
			if want != got || want == "" {
				t.Errorf("%s: %s promises %s and lists %s", role, address, want, got)
			}
			if n, _ := strconv.Atoi(want); n > 0 {
				positive++
				if n <= pageRows && list.Find("[data-merchant], [data-person]").Length() != n {
					t.Errorf("%s: %s has %d rows, not %d", role, address, list.Find("[data-merchant], [data-person]").Length(), n)
				}
			}
		}
		if positive < 3 {
			t.Errorf("%s: only %d figures say something", role, positive)
		}
		seen := map[string]bool{}
		groups := d.Find("section.group:not(.insights)")
		for _, g := range groups.EachIter() {
			all := v.everything(attr(g.Find("header a"), "href"))
			for _, m := range g.Find("a.name").EachIter() {
				href := attr(m, "href")
				if seen[href] {
					t.Errorf("%s: %s stands twice", role, href)
				}
				if seen[href] = true; !all[href] {
					t.Errorf("%s: %s is not in %s", role, href, attr(g.Find("header a"), "href"))
				}
			}
		}
		if len(seen) == 0 {
			t.Errorf("%s sees nothing", role)
		}
		if role == models.RoleStaff && (groups.Length() != 2 || d.Find("#group-others").Length() != 1) {
			t.Errorf("%d groups", groups.Length())
		}
		if role == models.RoleAdmin && d.Find(`main a[href="/health"]`).Length() != 1 {
			t.Error("an admin does not see how DOKU is")
		}
	}
}

// everything are the merchants of a list, page by page.
func (v *visitor) everything(path string) map[string]bool {
	v.Helper()
	all := map[string]bool{}
	for n := 0; path != ""; n++ {
		d := v.get(path).is(200, path).doc()
		for _, m := range d.Find("[data-merchant] a.name").EachIter() {
			if href := attr(m, "href"); all[href] {
				v.Errorf("%s: %s twice", path, href)
			} else {
				all[href] = true
			}
		}
		if path = attr(d.Find("a[rel=next]"), "href"); n > 20 {
			v.Fatal("the list never ends")
		}
	}
	return all
}

func TestOrdersOfTheList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.populate(110)
	staff, manager := b.as(models.RoleStaff), b.as(models.RoleManager)
	chosen := func(v *visitor, path string) string {
		return attr(v.get(path).is(200, path).doc().Find("select[name=sort] option[selected]"), "value")
	}
	if a, m := chosen(staff, "/merchants"), chosen(manager, "/merchants"); a != "action" || m != "recent" {
		t.Errorf("staff begin with %s, managers with %s", a, m)
	}
	var sizes []int
	for _, order := range []string{"action", "recent", "name", "due"} {
		path := "/merchants?sort=" + order
		sizes = append(sizes, len(staff.everything(path)))
		if got := chosen(b.as(models.RoleStaff), "/merchants"); got != order {
			t.Errorf("%s was chosen and %s is remembered", order, got)
		}
		next := attr(staff.get(path).doc().Find("a[rel=next]"), "href")
		if u, err := url.Parse(next); err != nil || u.Query().Get("sort") != order || strings.Contains(next, "offset") {
			t.Errorf("%s goes on at %s", path, next)
		}
		for _, other := range []string{"action", "recent", "name", "due"} { // the cursor of another order begins anew, or goes on somewhere
			staff.get("/merchants?sort="+other+"&after="+url.QueryEscape(after(next))).is(200, other)
		}
	}
	if slices.Min(sizes) != slices.Max(sizes) || sizes[0] < 95 {
		t.Errorf("%v", sizes)
	}
	if got := chosen(manager, "/merchants"); got != "recent" {
		t.Errorf("a manager has somebody else's order %s", got)
	}
	staff.get("/merchants?sort=no-such").is(200, "an order that is none")
	names := []string{}
	for _, m := range staff.get("/merchants?sort=name&q=merchant+1").doc().Find("a.name").EachIter() {
		names = append(names, strings.ToLower(m.Text()))
	}
	if len(names) < 10 || !slices.IsSorted(names) {
		t.Errorf("%v", names)
	}
	first := staff.get("/merchants?sort=action").doc().Find("[data-merchant]").First().Text()
	if failed := staff.get("/merchants?sort=action&state=failed").doc().Find("[data-merchant]").First().Text(); first != failed {
		t.Error("what needs action most is not the first")
	}
}

func after(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Query().Get("after")
}

// The names that the README gives the filters, and those of the form.
func TestFiltersHaveTwoNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.endWork()
	staff := b.as(models.RoleStaff)
	staff.merchant("name", "Kopi Senja")
	staff.merchant("name", "Roti Pagi", "business_type", "CORPORATE", "legal_entity", "PT", "business_line", "FOOD_AND_BEVERAGE")
	for query, want := range map[string]int{"type=CORPORATE": 1, "business_type=CORPORATE": 1, "line=RETAIL": 1, "line=X": 0, "mine=1": 2, "who=mine": 2, "who=others": 0, "who=nobody": 0, "state=open": 2, "state=overdue": 0, "state=undecided": 0} {
		d := staff.get("/merchants?"+query).is(200, query).doc()
		if n := d.Find("[data-merchant]").Length(); n != want {
			t.Errorf("%s lists %d, not %d", query, n, want)
		}
		if d.Find("select option[selected][value!='']").Length() < 2 && query != "line=X" {
			t.Errorf("%s is not shown as chosen", query)
		}
	}
	if b.as(models.RoleManager).get("/merchants?who=others").doc().Find("[data-merchant]").Length() != 2 {
		t.Error("everything is somebody else's to a manager")
	}
}

func TestCursorsKeepTheirValues(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 11, 30, 0, 0, 0, 0, time.UTC)
	for _, k := range []models.MerchantCursor{{ID: 7, UpdatedAt: day}, {ID: 1 << 40, Urgency: 3, DueOn: &day, UpdatedAt: day.Add(time.Microsecond)}} {
		for _, order := range models.MerchantOrders {
			got := readCursor(order, writeCursor(order, k))
			if got == nil || got.ID != k.ID {
				t.Fatalf("%s: %+v", order, got)
			}
			switch order {
			case models.OrderAction:
				if got.Urgency != k.Urgency || fmt.Sprint(at(got.DueOn)) != fmt.Sprint(at(k.DueOn)) {
					t.Errorf("%+v", got)
				}
			case models.OrderDue:
				if fmt.Sprint(at(got.DueOn)) != fmt.Sprint(at(k.DueOn)) {
					t.Errorf("%+v", got)
				}
			case models.OrderRecent:
				if !got.UpdatedAt.Equal(k.UpdatedAt) {
					t.Errorf("%+v", got)
				}
			}
		}
	}
	for _, order := range models.MerchantOrders {
		for _, bad := range []string{"", "-", "--", "x y", "1-2-3-4", "-1", "999-0-1", "1-20261399-1", "zz-zz-zz", "1-0-", "00000000-1", "\u0660-1"} {
			if k := readCursor(order, bad); k != nil && order != models.OrderRecent {
				t.Errorf("%s took %q: %+v", order, bad, k)
			}
		}
	}
}
