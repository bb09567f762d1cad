package handlers

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"berkas/models"
)

// personPath is the page of whoever has this address.
func (b *bench) personPath(email string) string {
	b.Helper()
	p, err := b.store.PersonByEmail(b.Context(), email)
	b.must(err)
	return "/people/" + p.ID.String()
}

// signedIn is a visitor who typed address and password.
func (b *bench) signedIn(email, password string) *visitor {
	b.Helper()
	v := b.nobody()
	v.post("/login", url.Values{"email": {email}, "password": {password}}).is(303, "signing in as "+email)
	return v
}

// actions are the last audit rows of a person, the newest first.
func (b *bench) actions(email string) (list []string) {
	b.Helper()
	rows, err := b.db.Pool.Query(b.Context(), `select action from audit where subject_kind = 'person' and subject_id = (select id from people where email = $1) order by id desc`, email)
	b.must(err)
	defer rows.Close()
	for rows.Next() {
		var action string
		b.must(rows.Scan(&action))
		list = append(list, action)
	}
	return list
}

// oneTime is the password an answer shows.
func (a *answer) oneTime() string {
	a.Helper()
	shown := a.doc().Find(".secret code").Text()
	if !regexp.MustCompile(`^[A-Z2-7]{4}(-[A-Z2-7]{4}){3}$`).MatchString(shown) {
		a.Fatalf("%d shows %q for a password", a.status, shown)
	}
	return shown
}

var newcomer = url.Values{"email": {"dewi@berkas.test"}, "name": {"  Dewi   Contoh "}, "role": {"staff"}, "team": {"Jakarta"}}

func TestAPersonIsAddedAndChoosesAPassword(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.as(models.RoleAdmin)
	a := admin.post("/people", newcomer).is(201, "adding")
	given := a.oneTime()
	if a.header.Get("Cache-Control") != "no-store" || strings.Contains(strings.Join(a.header.Values("Set-Cookie"), ""), given) {
		t.Errorf("the password is kept somewhere: %v", a.header)
	}
	list := admin.get("/people").is(200, "the list")
	if row := list.doc().Find(`tr:has(a:contains("Dewi Contoh"))`).Text(); !strings.Contains(row, "Jakarta") || !strings.Contains(row, "Password not chosen yet") || !strings.Contains(row, "never") {
		t.Errorf("the row says %q", row)
	}
	for _, page := range []*answer{list, admin.get(b.personPath("dewi@berkas.test"))} {
		if strings.Contains(page.body, given) {
			t.Error("the password is shown again")
		}
	}

	dewi := b.signedIn("dewi@berkas.test", given)
	if to := dewi.get("/merchants?q=kopi").is(303, "a page before the change").header.Get("Location"); to != "/me/password?next=%2Fmerchants%3Fq%3Dkopi" {
		t.Errorf("it leads to %s", to)
	}
	for _, r := range b.web.routes() {
		open := r.Path == "/me/password" || r.Path == "/logout" || r.Permission == "public"
		if open {
			continue
		}
		a := dewi.send(r, address(r, 1, "1", "1"))
		if r.Kind == page && (a.status != 303 || !strings.HasPrefix(a.header.Get("Location"), "/me/password?next=")) || r.Kind != page && (a.status != 403 || a.fault() != "password_must_change") {
			t.Errorf("%s %s before the change: %d %s", r.Method, r.Path, a.status, a.fault())
		}
	}
	dewi.get("/merchants", "HX-Request", "true").is(403, "a part of a page")
	form := dewi.get("/me/password?next=/merchants").is(200, "the change page")
	for name, autocomplete := range map[string]string{"old": "current-password", "new": "new-password", "repeat": "new-password", "username": "username"} {
		if got := attr(form.doc().Find(`[name="`+name+`"]`), "autocomplete"); got != autocomplete {
			t.Errorf("%s is offered as %q", name, got)
		}
	}
	wish := url.Values{"old": {given}, "new": {"kopi tubruk pagi"}, "repeat": {"kopi tubruk pagi"}, "next": {"/merchants"}}
	for what, c := range map[string]struct {
		form  url.Values
		field string
	}{
		"a wrong old one": {with(wish, "old", "x"), "old"}, "a short one": {with(wish, "new", "kopi", "repeat", "kopi"), "new"},
		"two that differ": {with(wish, "repeat", "kopi tubruk"), "repeat"}, "the same": {with(wish, "new", given, "repeat", given), "new"},
		"the address": {with(wish, "new", "Dewi@berkas.test", "repeat", "Dewi@berkas.test"), "new"}, "nothing": {url.Values{}, "new"},
	} {
		a := dewi.post("/me/password", c.form).is(422, what)
		if a.doc().Find("#f-"+c.field+"-error").Length() != 1 || a.doc().Find("#f-"+c.field).AttrOr("aria-invalid", "") != "true" {
			t.Errorf("%s: %s is not marked", what, c.field)
		}
		if strings.Contains(a.body, "kopi tubruk") {
			t.Errorf("%s: a password is in the page", what)
		}
	}
	if to := dewi.post("/me/password", wish).is(303, "the change").header.Get("Location"); to != "/merchants" {
		t.Errorf("it leads to %s", to)
	}
	dewi.get("/merchants").is(200, "a page after the change")
	b.nobody().post("/login", url.Values{"email": {"dewi@berkas.test"}, "password": {given}}).is(401, "the one-time password again")
	b.signedIn("dewi@berkas.test", "kopi tubruk pagi")
	if got := b.actions("dewi@berkas.test"); !slices.Equal(got, []string{"session.started", "person.password_changed", "session.started", "person.added"}) {
		t.Errorf("the trail says %v", got)
	}
	if strings.Contains(b.log.String(), given) || strings.Contains(b.log.String(), "kopi tubruk") {
		t.Error("a password is in the log")
	}
}

func TestWhoCannotBeAdded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.as(models.RoleAdmin)
	for what, c := range map[string]struct {
		form   url.Values
		status int
		fields []string
	}{
		"nothing":       {nil, 422, []string{"name", "email", "role"}},
		"no address":    {with(newcomer, "email", "dewi"), 422, []string{"email"}},
		"a taken one":   {with(newcomer, "email", "STAFF@berkas.test"), 409, []string{"email"}},
		"no role of us": {with(newcomer, "role", "root"), 422, []string{"role"}},
		"a long team":   {with(newcomer, "team", strings.Repeat("x", 121)), 422, []string{"team"}},
	} {
		a := admin.post("/people", c.form).is(c.status, what)
		for _, name := range c.fields {
			if a.doc().Find("#f-"+name+"-error").Length() != 1 {
				t.Errorf("%s: %s is not marked", what, name)
			}
		}
		if n := a.doc().Find("#form-errors li").Length(); n != len(c.fields) {
			t.Errorf("%s: %d fields are refused", what, n)
		}
		if attr(a.doc().Find("#f-email"), "value") != c.form.Get("email") {
			t.Errorf("%s: what was typed is lost", what)
		}
	}
}

func TestARoleADisabledAccountAndAResetEndSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin, path := b.as(models.RoleAdmin), b.personPath("staff@berkas.test")
	over := func(what string, v *visitor) {
		t.Helper()
		if to := v.get("/merchants").is(303, what).header.Get("Location"); !strings.HasPrefix(to, "/login") {
			t.Errorf("%s leads to %s", what, to)
		}
	}
	one, two := b.as(models.RoleStaff), b.signedIn("staff@berkas.test", password)
	admin.post(path, url.Values{"team": {"Bandung"}}).is(303, "another team")
	one.get("/").is(200, "another team ends nothing")
	admin.post(path, url.Values{"role": {"reviewer"}}).is(303, "another role")
	over("after another role", one)
	over("after another role", two)
	if p, err := b.store.PersonByEmail(t.Context(), "staff@berkas.test"); err != nil || p.Role != models.RoleReviewer || p.Team != "Bandung" || p.Name != "Orang staff" {
		t.Errorf("%+v %v", p, err)
	}

	one = b.signedIn("staff@berkas.test", password)
	admin.post(path+"/disable", nil).is(303, "disabling")
	over("after disabling", one)
	admin.post(path+"/disable", nil).is(409, "disabling twice")
	b.nobody().post("/login", url.Values{"email": {"staff@berkas.test"}, "password": {password}}).is(401, "a disabled person")
	names := admin.get("/people").doc().Find("tbody .name").Map(func(_ int, s *goquery.Selection) string { return s.Text() })
	if names[len(names)-1] != "Orang staff" {
		t.Errorf("the disabled ones are not last: %v", names)
	}
	admin.post(path+"/enable", nil).is(303, "enabling")
	admin.post(path+"/enable", nil).is(409, "enabling twice")

	one = b.signedIn("staff@berkas.test", password)
	given := admin.post(path+"/password", nil).is(200, "a reset").oneTime()
	over("after a reset", one)
	b.nobody().post("/login", url.Values{"email": {"staff@berkas.test"}, "password": {password}}).is(401, "the old password")
	b.signedIn("staff@berkas.test", given).get("/").is(303, "the one-time password")
	want := []string{"session.started", "person.reset", "session.started", "person.enabled", "person.disabled", "session.started", "person.changed", "person.changed"}
	if got := b.actions("staff@berkas.test"); !slices.Equal(got[:len(want)], want) {
		t.Errorf("the trail says %v", got)
	}
	for _, nobody := range []string{"/people/999", "/people/x", "/people/0"} {
		admin.get(nobody).is(404, nobody)
		for _, act := range []string{"", "/disable", "/enable", "/password"} {
			admin.post(nobody+act, nil).is(404, nobody+act)
		}
	}
}

func TestTheLastAdminStays(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin, path := b.as(models.RoleAdmin), b.personPath("admin@berkas.test")
	for _, a := range []*answer{admin.post(path+"/disable", nil), admin.post(path, url.Values{"role": {"staff"}})} {
		a.is(409, "the last admin")
		if a.fault() != "last_admin" || attr(a.doc().Find(`[name=role]:checked`), "value") != "admin" {
			t.Error(a.fault())
		}
	}
	page := admin.get(path).doc()
	if page.Find(`form[action$="/disable"]`).Length() != 0 || page.Find(`[name=role]:disabled`).Length() != 3 {
		t.Error("the page offers what is refused")
	}
	admin.post(path+"/password", nil).is(409, "one's own password by reset")

	// Two admins who take the right from each other at the same moment: one stays.
	spare := b.personPath("spare@berkas.test")
	admin.post(spare, url.Values{"role": {"admin"}}).is(303, "a second admin")
	other := b.signedIn("spare@berkas.test", password)
	var both sync.WaitGroup
	both.Go(func() { admin.post(spare+"/disable", nil) })
	both.Go(func() { other.post(path, url.Values{"role": {"staff"}}) })
	both.Wait()
	if n := b.rows("select count(*) from people where role = 'admin' and disabled_at is null"); n != 1 {
		t.Errorf("%d admins are left", n)
	}
}

func TestOwnAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	phone := b.nobody()
	phone.post("/login", url.Values{"email": {"staff@berkas.test"}, "password": {password}},
		"User-Agent", "Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36").is(303, "a phone")
	here, third := b.as(models.RoleStaff), b.as(models.RoleStaff)
	a := here.get("/me").is(200, "the account")
	rows := a.doc().Find(".sessions li")
	if rows.Length() != 3 || rows.First().Find("form").Length() != 0 || !strings.Contains(rows.First().Text(), "This one") || !strings.Contains(rows.Text(), "Chrome on Android") {
		t.Errorf("the sessions are %q", rows.Text())
	}
	id := attr(a.doc().Find(`.sessions li:contains("Android")`), "data-session")
	b.as(models.RoleManager).post("/me/sessions/"+id+"/end", nil).is(404, "somebody else's session")
	phone.get("/").is(200, "the phone")
	here.post("/me/sessions/"+id+"/end", nil).is(303, "ending one")
	phone.get("/").is(303, "the phone after it was ended")
	here.post("/me/sessions/"+id+"/end", nil).is(404, "ending it twice")
	here.post("/me/sessions/end", nil).is(303, "ending the others")
	third.get("/").is(303, "the third")
	here.get("/").is(200, "this one")

	third = b.as(models.RoleStaff)
	stolen := b.nobody() // the same token, in other hands
	portal, err := url.Parse(b.url)
	b.must(err)
	stolen.http.Jar.SetCookies(portal, here.http.Jar.Cookies(portal))
	stolen.get("/").is(200, "a copied session")
	here.post("/me/password", url.Values{"old": {password}, "new": {"kopi tubruk pagi"}}).is(303, "another password")
	here.get("/me").is(200, "this session after the change")
	third.get("/").is(303, "another session after the change")
	stolen.get("/").is(303, "the token from before the change")
	if n := here.get("/me").doc().Find(".sessions li").Length(); n != 1 {
		t.Errorf("%d sessions", n)
	}
	if got := b.actions("staff@berkas.test")[:4]; !slices.Equal(got, []string{"person.password_changed", "session.started", "session.ended", "session.ended"}) {
		t.Errorf("the trail says %v", got)
	}
}

func TestThemeAndLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.as(models.RoleStaff)
	theme := func(v *visitor) string { return attr(v.get("/me").doc().Find("html"), "data-theme") }
	for _, c := range []struct{ chosen, shown, schemes string }{{"dark", "dark", "dark"}, {"light", "light", "light"}, {"system", "", "light dark"}} {
		v.post("/preferences", url.Values{"theme": {c.chosen}, "next": {"/me"}}).is(303, c.chosen)
		d := v.get("/").doc()
		if attr(d.Find("html"), "data-theme") != c.shown || attr(d.Find("[name=color-scheme]"), "content") != c.schemes {
			t.Errorf("%s is drawn as %q", c.chosen, attr(d.Find("html"), "data-theme"))
		}
	}
	v.post("/preferences", url.Values{"theme": {"dark"}})
	if got := theme(b.as(models.RoleStaff)); got != "dark" {
		t.Errorf("in another browser it is %q", got)
	}
	if got := theme(b.as(models.RoleManager)); got != "" {
		t.Errorf("for somebody else it is %q", got)
	}
	v.post("/preferences", url.Values{"theme": {"pink"}}).is(422, "no theme")
	b.nobody().post("/preferences", url.Values{"theme": {"dark"}}).is(303, "before the sign-in")
	v.post("/preferences", url.Values{"language": {"id"}}).is(303, "the language")
	if lang := attr(v.get("/me").doc().Find("html"), "lang"); lang != "id" {
		t.Errorf("drawn in %q", lang)
	}
}

func TestPasswordChangesAreThrottled(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.as(models.RoleStaff)
	wish := url.Values{"old": {"wrong one"}, "new": {"kopi tubruk pagi"}}
	var wrong, limited int
	var mu sync.Mutex
	var all sync.WaitGroup
	for range 25 { // at once: the limit holds for them together
		all.Go(func() {
			a := v.post("/me/password", wish)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.status == 422:
				wrong++
			case a.status == 429 && a.header.Get("Retry-After") != "" && a.fault() == "password_limited":
				limited++
			}
		})
	}
	all.Wait()
	if wrong != 10 || limited != 15 {
		t.Errorf("%d were judged and %d turned away", wrong, limited)
	}
	v.post("/me/password", with(wish, "old", password)).is(429, "the right one now")
	b.signedIn("staff@berkas.test", password) // signing in is another matter
	b.clock.advance(16 * time.Minute)
	v.post("/me/password", with(wish, "old", password)).is(303, "the right one later")
}

func TestSignInThrottle(t *testing.T) {
	t.Parallel()
	b := setup(t)
	attempt := func(email, password string) *answer {
		return b.nobody().post("/login", url.Values{"email": {email}, "password": {password}})
	}
	for _, email := range []string{"staff@berkas.test", "nobody@berkas.test"} { // whether there is such a person does not show
		judged := 0
		for i := range 12 {
			a := attempt(email+strings.Repeat(" ", i%3), "wrong one")
			if a.status == http.StatusUnauthorized && a.fault() == "sign_in_failed" {
				judged++
			} else if a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") == "" || a.fault() != "sign_in_limited" {
				t.Errorf("attempt %d for %s: %d %s", i, email, a.status, a.fault())
			}
		}
		if judged != 10 {
			t.Errorf("%d attempts for %s were judged", judged, email)
		}
	}
	attempt("STAFF@berkas.test", password).is(429, "the right password now")
	for range 30 { // a success leaves nothing behind on the address it shares
		b.signedIn("manager@berkas.test", password)
	}
	if n := b.rows("select coalesce(max(failures), 0) from sign_in_throttle"); n != 20 {
		t.Errorf("the address counts %d", n)
	}
	b.clock.advance(16 * time.Minute)
	attempt("staff@berkas.test", password).is(303, "the right password later")
}

func TestBrowsersByName(t *testing.T) {
	t.Parallel()
	for header, want := range map[string][2]string{
		"": {"", ""}, "curl/8.5.0": {"curl", ""},
		"Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Gecko/20100101 Firefox/141.0":                                                                       {"Firefox", "Linux"},
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0":                        {"Edge", "Windows"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1":      {"Safari", "iPhone"},
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1":       {"Chrome", "iPhone"},
		"Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36":       {"Samsung Internet", "Android"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                        {"Safari", "macOS"},
		"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":                               {"Chrome", "ChromeOS"},
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36":                                {"Chrome", "Linux"},
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0 (Ed. EU)": {"Opera", "macOS"},
	} {
		if browser, system := agent(header); browser != want[0] || system != want[1] {
			t.Errorf("%q is %q on %q", header, browser, system)
		}
	}
}
