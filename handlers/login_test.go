package handlers

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"berkas/models"
)

func TestSignInForScripts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	right := url.Values{"email": {"staff@berkas.test"}, "password": {password}}
	a := b.nobody().post("/login", right).is(303, "the right password")
	if a.header.Get("Location") != "/" {
		t.Error(a.header.Get("Location"))
	}
	if a := b.nobody().post("/login", with(right, "next", "/merchants?q=a%20b")); a.header.Get("Location") != "/merchants?q=a%20b" {
		t.Error(a.header.Get("Location"))
	}
	multipart := multi("email", "staff@berkas.test", "password", password)
	r := b.nobody().request("POST", "/login", multipart.end())
	r.Header.Set("Content-Type", multipart.w.FormDataContentType())
	b.nobody().do(r).is(303, "a multipart form")

	for what, form := range map[string]url.Values{
		"a wrong password": with(right, "password", "x"), "an unknown person": with(right, "email", "nobody@berkas.test"),
		"nothing": nil, "no password": {"email": {"staff@berkas.test"}}, "spaces": with(right, "password", " "),
	} {
		a := b.nobody().post("/login", with(form, "next", "/merchants")).is(401, what)
		d := a.doc()
		if attr(d.Find("#email"), "value") != form.Get("email") || attr(d.Find("[name=next]"), "value") != "/merchants" || strings.Contains(a.body, password) {
			t.Errorf("%s: what was typed is lost, or the password shown", what)
		}
		if a.header.Get("Set-Cookie") != "" || d.Find("main [role=alert]").Length() != 1 || a.fault() != "sign_in_failed" {
			t.Errorf("%s: %s", what, a.fault())
		}
	}
}

func TestNextNeverLeadsAway(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"": "/", "/": "/", "/merchants?q=x&mine=yes": "/merchants?q=x&mine=yes", "/merchants/1#slot-2": "/merchants/1#slot-2",
		"https://evil.example": "/", "//evil.example": "/", "///evil.example": "/", `/\evil.example`: "/", `\\evil.example`: "/", "/\t/evil.example": "/", "/\n/evil.example": "/",
		"javascript:alert(1)": "/", "evil.example": "/", "http:evil.example": "/", "/%zz": "/", "/\x00": "/", "?x": "/", "#x": "/", "https:///merchants": "/",
	} {
		if got := safeNext(next); got != want {
			t.Errorf("%q leads to %q, not %q", next, got, want)
		}
	}
	b := setup(t)
	staff := b.as(models.RoleStaff)
	for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, "/%09/evil.example"} {
		for _, a := range []*answer{
			staff.get("/login?next=" + url.QueryEscape(next)),
			staff.post("/preferences", url.Values{"language": {"en"}, "next": {next}}),
			b.nobody().post("/login/demo", url.Values{"email": {"staff@berkas.test"}, "next": {next}}),
		} {
			if to := a.header.Get("Location"); a.status != 303 || to != "/" && to != "/%09/evil.example" {
				t.Errorf("%q leads to %q (%d)", next, to, a.status)
			}
		}
	}
	if to := b.nobody().get("//evil.example/x").header.Get("Location"); strings.Contains(to, "evil") {
		t.Error(to)
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	v := b.as(models.RoleStaff)
	sessions := func() (n int) {
		b.must(b.db.Pool.QueryRow(b.Context(), "select count(*) from sessions").Scan(&n))
		return n
	}
	v.post("/login/demo", url.Values{"email": {"manager@berkas.test"}}).is(303, "somebody else signs in")
	if n := sessions(); n != 1 {
		t.Errorf("one browser has %d sessions", n)
	}
	if role := v.get("/").doc().Find(".who small").First().Text(); role != "manager" {
		t.Errorf("signed in as %q", role)
	}
	v.post("/logout", nil).is(303, "signing out")
	if n := sessions(); n != 0 {
		t.Errorf("%d sessions are left", n)
	}
	v.get("/").is(303, "after signing out")
	if got := b.as(models.RoleStaff).get("/").doc().Find(".notice").Text(); got != "" {
		t.Errorf("the next to sign in reads %q", got)
	}
	v = b.as(models.RoleStaff)
	b.clock.advance(31 * 60e9)
	v.get("/merchants").is(303, "after half an hour")
	v.post("/merchants", shop).is(401, "after half an hour")
}

func TestDemoPeopleSignInHereOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, header := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		for _, path := range []string{"/login/demo", "/login"} {
			a := b.nobody().post(path, url.Values{"email": {"staff@berkas.test"}, "password": {password}}, header, "127.0.0.1").is(403, path+" with "+header)
			if a.fault() != "demo_forbidden" {
				t.Error(a.fault())
			}
		}
		if b.nobody().get("/login", header, "127.0.0.1").doc().Find(".demo").Length() != 0 {
			t.Errorf("offers them with %s", header)
		}
	}
	if n := b.nobody().get("/login").doc().Find(".demo li").Length(); n != 4 {
		t.Errorf("offers %d people", n)
	}
	proxied := setup(t, func(h *handler) { h.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	for from, status := range map[string]int{"203.0.113.9": 403, "203.0.113.9, 127.0.0.1": 403, "127.0.0.1": 303} {
		proxied.nobody().post("/login/demo", url.Values{"email": {"staff@berkas.test"}}, "X-Forwarded-For", from).is(status, from)
	}
}

func TestTooManyFailuresWait(t *testing.T) {
	t.Parallel()
	b := setup(t)
	wrong := url.Values{"email": {"staff@berkas.test"}, "password": {"x"}}
	for range 10 {
		b.nobody().post("/login", wrong).is(401, "a wrong password")
	}
	a := b.nobody().post("/login", with(wrong, "password", password)).is(429, "the eleventh")
	if a.header.Get("Retry-After") == "" || a.fault() != "sign_in_limited" {
		t.Errorf("%s %q", a.fault(), a.header.Get("Retry-After"))
	}
}

// A page that goes on asking by itself keeps nobody signed in.
func TestAPageAloneKeepsNoSession(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	for range 4 {
		b.clock.advance(9 * time.Minute)
		staff.get("/", "HX-Request", "true", "Berkas-Poll", "1")
	}
	if a := staff.get("/").is(303, "36 minutes later"); !strings.HasPrefix(a.header.Get("Location"), "/login") {
		t.Error(a.header.Get("Location"))
	}
	staff = b.as(models.RoleStaff)
	for range 4 {
		b.clock.advance(9 * time.Minute)
		staff.get("/merchants").is(200, "a page every nine minutes")
	}
}
