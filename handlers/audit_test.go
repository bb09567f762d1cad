package handlers

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

func TestEveryActionHasItsSentence(t *testing.T) {
	t.Parallel()
	for _, group := range auditActions() {
		if !words.Has("audit.noun." + group.Noun) {
			t.Errorf("no word for %s", group.Noun)
		}
		for _, a := range group.Actions {
			if !words.Has("event." + a.Code) {
				t.Errorf("no sentence for %s", a.Value)
			}
		}
	}
}

// told are the rows of the audit page as they read.
func (a *answer) told() (rows []string) {
	a.doc().Find("[data-event]").Each(func(_ int, s *goquery.Selection) {
		rows = append(rows, strings.Join(strings.Fields(s.Text()), " "))
	})
	return rows
}

func (v *visitor) told(query string) []string {
	v.Helper()
	return v.get("/audit"+query).is(200, query).told()
}

func TestTheTrailIsFiltered(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, admin := b.as(models.RoleStaff), b.as(models.RoleAdmin)
	first, second := staff.merchant(), staff.merchant()
	staff.document(first, "DOCUMENT", "KTP")
	staff.post(merchantPath(second), with(shop, "name", "Warung Kedua", "npwp", "012345678901000")).is(303, "editing")
	b.nobody().post("/login", url.Values{"email": {"x@y.test"}, "password": {"wrong"}})
	b.await("the trail to be sealed", func() bool {
		waiting, err := b.store.UnsealedAudit(t.Context())
		b.must(err)
		return waiting.Rows == 0
	})
	all := admin.told("")
	if len(all) < 8 {
		t.Fatalf("%d rows: %q", len(all), all)
	}
	today := b.clock.now().In(words.WIB)
	for query, want := range map[string][2]any{
		"?who=1":                       {true, "Orang staff staff"},
		"?who=system":                  {true, "System"},
		"?who=anonymous":               {true, "Not signed inSign-in refused"},
		"?who=cli":                     {false, ""},
		"?what=document.uploaded":      {true, "KTP uploaded (version 1)"},
		"?what=merchant.edited":        {true, "Merchant's data changed"},
		"?merchant=" + second.String(): {true, "Warung Kedua"},
		"?from=" + today.Format(time.DateOnly) + "&until=" + today.Format(time.DateOnly): {true, ""},
		"?until=" + today.AddDate(0, 0, -1).Format(time.DateOnly):                        {false, ""},
		"?from=" + today.AddDate(0, 0, 1).Format(time.DateOnly):                          {false, ""},
		"?who=1&what=session.started&merchant=&from=&until=":                             {true, "Signed in"},
	} {
		rows := admin.told(query)
		if (len(rows) > 0) != want[0].(bool) {
			t.Errorf("%s: %q", query, rows)
		}
		for _, row := range rows {
			if !strings.Contains(row, want[1].(string)) {
				t.Errorf("%s shows %q", query, row)
			}
		}
	}
	page := admin.get("/audit?merchant="+first.String()).is(200, "one merchant's")
	if href, _ := page.doc().Find("#audit-list > p a").Attr("href"); href != merchantPath(first) {
		t.Errorf("the filter's merchant is not linked: %q", href)
	}
	if n := page.doc().Find(`[data-event] a[href^="/documents/"]`).Length(); n == 0 {
		t.Error("no document is linked")
	}
	if unsealed := attr(page.doc().Find("[data-unsealed]"), "data-seal"); unsealed == "" || unsealed == "0" {
		t.Errorf("the trail's seal is %q", unsealed)
	}
	if link := attr(admin.get(merchantPath(first)).doc().Find(`a[href^="/audit"][href*="merchant="]`), "href"); link != "/audit?merchant="+first.String() {
		t.Errorf("the merchant's page leads to %q", link)
	}
	if staff.get(merchantPath(first)).doc().Find(`a[href^="/audit"]`).Length() != 0 {
		t.Error("staff are led to where they may not go")
	}
}

func TestAQuestionThatMeansNothingIsRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.as(models.RoleAdmin)
	for query, code := range map[string]string{"?who=nobody": "unknown_choice", "?what=merchant.stolen": "unknown_choice", "?merchant=Kopi": "not_numeric", "?merchant=-1": "not_numeric", "?from=2026-02-30": "not_a_date", "?until=tomorrow": "not_a_date"} {
		for _, headers := range [][]string{nil, {"HX-Request", "true"}} {
			a := admin.get("/audit"+query, headers...).is(422, query)
			if a.fault() != code || len(a.told()) != 0 {
				t.Errorf("%s: %s, %d rows", query, a.fault(), len(a.told()))
			}
		}
		if a := admin.get("/audit.csv"+query).is(422, query); a.fault() != code {
			t.Errorf("%s as CSV: %s", query, a.fault())
		}
	}
	admin.get("/audit?after=nonsense").is(200, "a cursor that is none")
	admin.get("/audit?after=zzzzzzzzzzzz-1").is(200, "a cursor beyond all times")
}

// Page after page the trail is walked to its end, and each row is met once, although rows are added meanwhile.
func TestPagesOfTheTrail(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.as(models.RoleAdmin)
	b.must(b.store.Write(t.Context(), models.System, func(tx *models.Tx) error {
		for i := range 120 {
			tx.Audit(models.RequirementsChanged, models.Somewhere("combination"), "added", i+1)
		}
		return nil
	}))
	seen := map[string]bool{}
	for next, pages := "/audit?who=system&what=requirements.changed", 0; next != ""; pages++ {
		a := admin.get(next).is(200, next)
		a.doc().Find("[data-event]").Each(func(_ int, s *goquery.Selection) {
			if id := attr(s, "data-event"); seen[id] {
				t.Errorf("row %s comes twice", id)
			} else {
				seen[id] = true
			}
		})
		next = attr(a.doc().Find(`a[rel="next"]`), "href")
		if pages > 5 {
			t.Fatal("the trail has no end")
		}
		b.must(b.store.Write(t.Context(), models.System, func(tx *models.Tx) error {
			tx.Audit(models.RequirementsChanged, models.Somewhere("combination"))
			return nil
		}))
	}
	if len(seen) != 120 {
		t.Errorf("%d rows, not 120", len(seen))
	}
}

func TestTheTrailAsCSV(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, admin := b.as(models.RoleStaff), b.as(models.RoleAdmin)
	evil := []string{"=1+1", "+62", "-1", "@SUM(A1)"}
	for _, name := range evil {
		staff.merchant("name", name+" Warung")
	}
	b.must(b.store.Write(t.Context(), models.System, func(tx *models.Tx) error {
		for range 2500 { // several batches
			tx.Audit(models.RequirementsChanged, models.Somewhere("combination"))
		}
		return nil
	}))
	read := func(path string) [][]string {
		a := admin.get(path).is(200, path)
		if got := a.header.Get("Content-Type"); !strings.HasPrefix(got, "text/csv") {
			t.Errorf("%s is %s", path, got)
		}
		if got := a.header.Get("Content-Disposition"); !strings.HasPrefix(got, "attachment; filename=\"audit-") {
			t.Errorf("%s is %s", path, got)
		}
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		b.must(err)
		if strings.Join(rows[0], ",") != strings.Join(onboarding.AuditColumns, ",") {
			t.Errorf("the header is %q", rows[0])
		}
		return rows[1:]
	}
	if rows := read("/audit.csv?what=requirements.changed"); len(rows) < 2500 {
		t.Errorf("%d rows", len(rows))
	}
	created := read("/audit.csv?who=1&what=merchant.created")
	if len(created) != len(evil) {
		t.Fatalf("%d rows: %q", len(created), created)
	}
	for i, row := range created { // newest first
		if want := "'" + evil[len(evil)-1-i] + " Warung"; row[12] != want {
			t.Errorf("the merchant is %q, not %q", row[12], want)
		}
		if at, err := time.Parse(time.RFC3339Nano, row[0]); err != nil || b.clock.now().Sub(at) > time.Hour {
			t.Errorf("the time is %q", row[0])
		}
		if row[4] != "Orang staff" || row[5] != "staff" || row[6] != "merchant.created" || row[7] != "Merchant created" {
			t.Errorf("row %q", row)
		}
	}
	exports := read("/audit.csv?what=audit.exported&who=4&from=2026-01-01")
	if len(exports) != 3 || !strings.Contains(exports[0][13], `"from":"2026-01-01T00:00:00+07:00"`) || !strings.Contains(exports[1][13], `"action":"merchant.created"`) {
		t.Errorf("the exports are not in the trail, or not what they took: %q", exports)
	}
	head := admin.do(admin.request(http.MethodHead, "/audit.csv", nil)).is(200, "HEAD")
	if got := len(admin.told("?what=audit.exported")); head.body != "" || got != 3 {
		t.Errorf("a HEAD was taken for an export: %d", got)
	}
	staff.get("/audit.csv").is(403, "staff")
}

func TestMerchantsAreFound(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, reviewer := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	one := staff.merchant("npwp", "012345678901000", "owner_phone_number", "81234567890", "email", "Satu@Warung.test")
	two := staff.merchant("owner_phone_number", "81234567890", "confirm", "yes")
	staff.upload(one, multi("category", "DOCUMENT", "code", "KTP", "form_NO_KTP", "3171234567890001").file("ktp.jpg", photo(t)), "HX-Request", "true")
	find := func(v *visitor, kind, value string) *answer {
		return v.post("/merchants/find", url.Values{"kind": {kind}, "value": {value}})
	}
	for _, c := range [][2]string{{"", "01.234.567.8-901.000"}, {"npwp", "0012345678901000"}, {"", "satu@warung.test"}, {"email", " SATU@warung.test "}, {"", "3171 2345 6789 0001"}, {"nik", "3171234567890001"}} {
		a := find(reviewer, c[0], c[1]).is(303, fmt.Sprint(c))
		if to := a.header.Get("Location"); to != merchantPath(one) {
			t.Errorf("%v leads to %q", c, to)
		}
	}
	both := find(staff, "", "0812-3456-7890").is(200, "two share a phone number")
	for _, id := range []models.MerchantID{one, two} {
		if both.doc().Find(`[data-merchant="`+id.String()+`"]`).Length() != 1 {
			t.Errorf("merchant %d is not listed", id)
		}
	}
	if strings.Contains(both.body, "81234567890") || strings.Contains(both.body, "3456") {
		t.Error("the value stands on the page of what was found")
	}
	for _, c := range [][3]string{{"", "3171234567890009", "find_nothing"}, {"", "Warung", "find_unclear"}, {"nik", "317123456789000", "find_unclear"}, {"", "", "find_unclear"}, {"colour", "3171234567890001", "find_unclear"}} {
		a := find(staff, c[0], c[1]).is(422, fmt.Sprint(c))
		if a.fault() != c[2] {
			t.Errorf("%v: %s", c, a.fault())
		}
		d := a.doc()
		if d.Find("details.find[open]").Length() != 1 || attr(d.Find("#find-value"), "value") != c[1] || attr(d.Find("#find-value"), "aria-invalid") != "true" {
			t.Errorf("%v: what was typed is not kept", c)
		}
	}
	searched := b.as(models.RoleAdmin).told("?what=merchant.searched")
	if len(searched) != 8 {
		t.Errorf("%d searches in the trail: %q", len(searched), searched)
	}
	if find(b.nobody(), "", "3171234567890001").status != 401 {
		t.Error("nobody may search")
	}
	staff.post(merchantPath(one)+"/archive", nil)
	find(staff, "nik", "3171234567890001").is(303, "an archived one")
}

// What is typed as a name and looks personal is refused, shown the right way, and goes into no further address.
func TestANameSearchLeadsToTheRightForm(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	for _, typed := range []string{"3171234567890001", "0812 3456 7890", "budi@warung.test"} {
		path := "/merchants?q=" + url.QueryEscape(typed)
		a := staff.get(path).is(422, typed)
		if a.fault() != "sixteen_digits" || attr(a.doc().Find(`details.find[open] #find-value`), "value") != typed || a.doc().Find(`.filter[method="get"] #q[value="`+typed+`"]`).Length() != 0 {
			t.Errorf("%s: %s", typed, a.fault())
		}
		if next := attr(a.doc().Find(`input[name="next"]`), "value"); next != "/merchants" {
			t.Errorf("another language leads to %q", next)
		}
		if fragment := staff.get(path, "HX-Request", "true").is(422, typed); fragment.fault() != "sixteen_digits" || fragment.header.Get("HX-Push-Url") != "false" {
			t.Errorf("%s in part: %s", typed, fragment.fault())
		}
		if to := b.nobody().get(path).header.Get("Location"); to != "/login?next=%2Fmerchants" {
			t.Errorf("the sign-in comes back to %q", to)
		}
	}
}
