package handlers

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/fault"
	"berkas/models"
	"berkas/static"
)

const wantPageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func TestSecurityHeaders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	document := staff.document(merchant, "DOCUMENT", "KTP")
	always := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
		"Permissions-Policy":         "camera=(self), geolocation=(), microphone=(), payment=(), usb=()",
		"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
		"Cache-Control": "no-store", "Content-Security-Policy": wantPageCSP, "Strict-Transport-Security": "", "Server": "", "X-Powered-By": "",
	}
	html := map[string]string{"Content-Type": "text/html; charset=UTF-8", "Content-Language": "en", "Vary": "Accept-Language, Cookie, HX-Request"}
	bytes := map[string]string{"Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'", "Content-Type": "image/jpeg", "Content-Language": ""}
	for what, c := range map[string]struct {
		answer *answer
		status int
		want   map[string]string
	}{
		"page":        {staff.get(merchantPath(merchant)), 200, html},
		"fragment":    {staff.get("/merchants?q=x", "HX-Request", "true"), 200, html},
		"error":       {staff.get("/merchants/9"), 404, html},
		"error alone": {b.nobody().get("/nowhere"), 404, html},
		"refusal":     {staff.post("/merchants", nil), 422, html},
		"redirect":    {b.nobody().get("/merchants"), 303, map[string]string{"Content-Language": ""}},
		"bytes":       {staff.get(document + "/file"), 200, bytes},
		"thumbnail":   {staff.get(document + "/thumbnail"), 200, bytes},
		"no bytes":    {staff.get("/documents/9/file"), 404, html},
		"machine":     {b.nobody().get("/healthz"), 200, map[string]string{"Content-Type": "text/plain; charset=UTF-8"}},
		"static":      {b.nobody().get(static.URL("berkas.js")), 200, map[string]string{"Cache-Control": "public, max-age=31536000, immutable", "Vary": "Accept-Encoding", "Content-Language": ""}},
		"no host":     {b.nobody().get("/", "Host", "evil.example"), 421, html},
	} {
		c.answer.is(c.status, what)
		if len(c.answer.header.Get("Request-Id")) != 16 {
			t.Errorf("%s has no Request-Id", what)
		}
		for name, value := range with2(always, c.want) {
			if got := strings.Join(c.answer.header.Values(name), " | "); got != value {
				t.Errorf("%s has %s: %q, not %q", what, name, got, value)
			}
		}
	}
}

func with2(a, b map[string]string) map[string]string {
	all := map[string]string{}
	for _, m := range []map[string]string{a, b} {
		for k, v := range m {
			all[k] = v
		}
	}
	return all
}

func publicURL(raw string) func(*handler) {
	return func(h *handler) {
		u, err := url.Parse(raw)
		if err != nil {
			panic(err)
		}
		h.PublicURL = u
	}
}

func TestCookiesAreBoundToHTTPS(t *testing.T) {
	t.Parallel()
	for public, prefix := range map[string]string{"http://portal.test": "", "https://portal.test": "__Host-"} {
		b := setup(t, publicURL(public))
		secure := prefix != ""
		signIn := b.nobody().post("/login/demo", url.Values{"email": {"staff@berkas.test"}})
		cookies := (&http.Response{Header: signIn.header}).Cookies()
		speaks := b.nobody().post("/preferences", url.Values{"language": {"en"}})
		cookies = append(cookies, (&http.Response{Header: speaks.header}).Cookies()...)
		session := cookies[0].Name + "=" + cookies[0].Value
		merchant := b.nobody().post("/merchants", shop, "Cookie", session).header.Get("Location")
		archived := b.nobody().post(merchant+"/archive", nil, "Cookie", session)
		cookies = append(cookies, (&http.Response{Header: archived.header}).Cookies()...)
		left := b.nobody().post("/logout", nil, "Cookie", session)
		cookies = append(cookies, (&http.Response{Header: left.header}).Cookies()...)
		var names []string
		for _, c := range cookies {
			names = append(names, c.Name)
			if c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
				t.Errorf("%s: %v", public, c)
			}
		}
		want := []string{prefix + "berkas_session", prefix + "berkas_language", prefix + "berkas_flash", prefix + "berkas_session"}
		if strings.Join(names, " ") != strings.Join(want, " ") {
			t.Errorf("%s sets %v, not %v", public, names, want)
		}
		if got := left.header.Get("Set-Cookie"); !strings.Contains(got, "Max-Age=0") {
			t.Errorf("signing out leaves %s", got)
		}
		if got := signIn.header.Get("Strict-Transport-Security"); (got == "max-age=63072000; includeSubDomains") != secure {
			t.Errorf("%s: Strict-Transport-Security %q", public, got)
		}
	}
}

func TestForeignHostsFindNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, publicURL("https://Portal.Test:8443"))
	for host, status := range map[string]int{
		"portal.test": 200, "PORTAL.test:8443": 200, "portal.test:1": 200, "localhost": 200, "localhost:8080": 200, "berkas.localhost:80": 200,
		"127.0.0.1": 200, "127.8.9.1:80": 200, "[::1]": 200, "[::1]:8080": 200, "[::ffff:127.0.0.1]:80": 200,
		"evil.example": 421, "portal.test.evil.example": 421, "localhost.evil.example": 421, "evil-localhost": 421, "10.0.0.1": 421, "[2001:db8::1]:80": 421,
		"0.0.0.0": 421, "2130706433": 421,
	} {
		for _, path := range []string{"/login", static.URL("htmx.js"), "/healthz", "/readyz"} {
			if a := b.nobody().get(path, "Host", host); a.status != status {
				t.Errorf("%s at %s: %d", path, host, a.status)
			}
		}
	}
	a := b.nobody().post("/login", nil, "Host", "evil.example")
	if a.is(421, "a post").fault() != "host_unknown" {
		t.Error(a.fault())
	}
	if a := b.nobody().get("/login", "X-Forwarded-Host", "portal.test", "Host", "evil.example"); a.status != 421 {
		t.Errorf("a forwarded host was believed: %d", a.status)
	}
}

func TestLanguage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	speaks := func(a *answer, lang string) {
		t.Helper()
		if got := attr(a.doc().Find("html"), "lang"); got != lang || a.header.Get("Content-Language") != lang {
			t.Errorf("speaks %q, Content-Language %q, not %q", got, a.header.Get("Content-Language"), lang)
		}
	}
	for accepted, lang := range map[string]string{"": "id", "en": "en", "id;q=0.1, en-GB": "en", "fr": "id", "en;q=0": "id"} {
		speaks(b.nobody().get("/login", "Accept-Language", accepted), lang)
		speaks(b.nobody().get("/nowhere", "Accept-Language", accepted), lang)
		speaks(b.nobody().get("/", "Accept-Language", accepted, "Host", "evil.example"), lang)
		speaks(b.nobody().post("/login", nil, "Accept-Language", accepted, "Sec-Fetch-Site", "cross-site"), lang)
	}
	guest := b.nobody()
	a := guest.post("/preferences", url.Values{"language": {"id"}, "next": {"/login?next=%2Fmerchants"}})
	if a.status != 303 || a.header.Get("Location") != "/login?next=%2Fmerchants" {
		t.Errorf("%d %s", a.status, a.header.Get("Location"))
	}
	speaks(guest.get("/login"), "id")
	guest.post("/preferences", url.Values{"language": {"xx"}}).is(422, "a language we do not speak")

	staff := b.as(models.RoleStaff)
	speaks(staff.get("/"), "en")
	staff.post("/preferences", url.Values{"language": {"id"}}).is(303, "choosing")
	speaks(staff.get("/"), "id")
	elsewhere := b.as(models.RoleStaff) // another browser, the same person
	speaks(elsewhere.get("/"), "id")
	speaks(elsewhere.get("/nowhere"), "id")
	speaks(elsewhere.get("/", "Cookie", "berkas_language=en"), "id")
}

func TestErrorPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	for _, lang := range []string{"id", "en"} {
		a := staff.get("/no/such", "Accept-Language", lang).is(404, "an unknown path")
		d := a.doc()
		if d.Find("nav").Length() == 0 || strings.TrimSpace(d.Find("h1").Text()) == "" || d.Find("title").Text() == "Berkas" {
			t.Errorf("%s: an unknown path has no frame, heading or title", lang)
		}
		bare := b.nobody().get("/no/such", "Accept-Language", lang).is(404, "an unknown path")
		if bare.doc().Find("nav").Length() != 0 || bare.fault() != "not_found" {
			t.Errorf("%s: %s", lang, bare.fault())
		}
		if next := attr(bare.doc().Find("[name=next]"), "value"); next != "/no/such" {
			t.Errorf("a change of language leads from an unknown path to %s", next)
		}
	}
	for _, id := range []string{"0", "-1", "abc", "1a", "+1", "01", "1.0", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "%00", "1%00", "%C3%28", "1%20", "٣"} {
		for _, path := range []string{"/merchants/%s", "/merchants/%s/edit", "/merchants/%s/checklist", "/merchants/1/slots/%s", "/documents/%s", "/documents/%s/file", "/documents/%s/thumbnail", "/documents/%s/pages/1"} {
			staff.get(strings.ReplaceAll(path, "%s", id)).is(404, path+" "+id)
		}
		for _, path := range []string{"/merchants/%s", "/merchants/%s/archive", "/merchants/%s/restore", "/merchants/%s/requirements", "/merchants/%s/slots", "/documents/%s/retry", "/documents/%s/rotate", "/documents/%s/withdraw"} {
			staff.post(strings.ReplaceAll(path, "%s", id), with(shop, "category", "LOGO", "quarters", "1", "why", "sudah tidak dipakai")).is(404, "POST "+path+" "+id)
		}
	}
	merchant := staff.merchant()
	for method, paths := range map[string][]string{
		"GET":    {"/login/demo", "/logout", "/preferences", merchantPath(merchant) + "/documents", "/documents/1/retry"},
		"PUT":    {"/", "/merchants", "/login", "/healthz"},
		"DELETE": {merchantPath(merchant), "/documents/1"},
	} {
		for _, path := range paths {
			a := staff.do(staff.request(method, path, nil)).is(405, method+" "+path)
			if a.header.Get("Allow") == "" || a.fault() != "method_not_allowed" {
				t.Errorf("%s %s: Allow %q, %s", method, path, a.header.Get("Allow"), a.fault())
			}
		}
	}
	staff.post("/no/such", nil).is(404, "POST to nowhere")
	staff.get("/_gallery").is(200, "the gallery")
	b.web.Demo = false
	staff.get("/_gallery").is(404, "the gallery where nothing is a sample")
	staff.post("/login/demo", nil).is(404, "demo people where there are none")
}

func TestHead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	document := staff.document(merchant, "DOCUMENT", "KTP")
	for _, path := range []string{"/", "/login", "/merchants", merchantPath(merchant), document, document + "/thumbnail", document + "/file", static.URL("berkas.css"), "/healthz", "/readyz"} {
		got := staff.get(path)
		a := staff.do(staff.request("HEAD", path, nil)).is(got.status, "HEAD "+path)
		if a.body != "" || a.header.Get("Content-Type") != got.header.Get("Content-Type") {
			t.Errorf("HEAD %s: %v %q", path, a.header, a.body)
		}
	}
	b.nobody().do(b.nobody().request("HEAD", "/merchants", nil)).is(303, "HEAD without a session")
}

// A partial update without a session leads the whole page to the sign-in, and back.
func TestFragmentsSendToTheSignIn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct{ method, path, from, next string }{
		{"GET", "/merchants?q=warung", "/merchants?q=w", "/merchants?q=w"},
		{"GET", "/merchants/1/checklist", "/merchants/1", "/merchants/1"},
		{"GET", "/merchants/1/slots/1", "/merchants/1", "/merchants/1"},
		{"POST", "/documents/1/retry", "/documents/1", "/documents/1"},
		{"POST", "/merchants/1/documents", "/merchants/1", "/merchants/1"},
		{"POST", "/documents/1/retry", "//evil.example/x", "/"},
	} {
		from := b.url + c.from
		if strings.HasPrefix(c.from, "//") {
			from = "https:" + c.from
		}
		a := b.nobody().do(b.nobody().request(c.method, c.path, nil, "HX-Request", "true", "HX-Current-URL", from)).is(401, c.path)
		if got := a.header.Get("HX-Redirect"); got != "/login?next="+url.QueryEscape(c.next) {
			t.Errorf("%s leads to %s", c.path, got)
		}
		if a.header.Get("HX-Push-Url") != "false" {
			t.Errorf("%s: the refused address would be shown", c.path)
		}
	}
	a := b.nobody().get("/merchants/1", "HX-Request", "true", "HX-Boosted", "true").is(303, "boosted")
	if got := a.header.Get("Location"); got != "/login?next=%2Fmerchants%2F1" {
		t.Error(got)
	}
	post := b.nobody().post("/merchants/1/archive", nil, "Referer", b.url+"/merchants/1").is(401, "a form")
	if href := attr(post.doc().Find(".error-page a.primary"), "href"); href != "/login?next=%2Fmerchants%2F1" {
		t.Errorf("the sign-in comes back to %s", href)
	}
}

// hang is what an answer takes that waits for what does not come; far above what any takes, the machine may be busy.
const hang = 30 * time.Second

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.nobody().get("/healthz").is(200, "healthz")
	b.nobody().get("/readyz").is(200, "readyz")
	b.cutDatabase()
	begin := time.Now()
	b.nobody().get("/healthz").is(200, "healthz without a database")
	b.nobody().get("/readyz").is(503, "readyz without a database")
	if took := time.Since(begin); took > hang {
		t.Errorf("took %v", took)
	}
}

// cutDatabase ends all connections and lets no new one in.
func (b *bench) cutDatabase() {
	b.Helper()
	b.endWork()
	c, err := pgx.ParseConfig(b.owner)
	b.must(err)
	name := c.Database
	c.Database = "postgres"
	conn, err := pgx.ConnectConfig(b.Context(), c)
	b.must(err)
	_, err = conn.Exec(b.Context(), "alter database "+name+" allow_connections false")
	b.must(err)
	_, err = conn.Exec(b.Context(), "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
	b.must(err)
	b.must(conn.Close(b.Context()))
}

func TestWithoutADatabaseEveryPageSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	document := strings.TrimPrefix(staff.document(merchant, "DOCUMENT", "KTP"), "/documents/")
	slot := strings.TrimPrefix(attr(staff.get(merchantPath(merchant)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	for name, cut := range map[string]func(){"cut": b.cutDatabase, "closed": b.db.Pool.Close} {
		cut()
		for _, r := range b.web.routes() {
			if r.Kind == plain || r.Permission == "public" && r.Method == http.MethodGet || r.Path == "/preferences" {
				continue
			}
			begin := time.Now()
			a := staff.send(r, address(r, merchant, document, slot)).is(503, name+": "+r.Method+" "+r.Path)
			if took := time.Since(begin); took > hang {
				t.Errorf("%s: %s took %v", name, r.Path, took)
			}
			if a.fault() != "database_unavailable" {
				t.Errorf("%s: %s says %s", name, r.Path, a.fault())
			}
		}
		page := staff.get("/merchants?q=x")
		if again := attr(page.doc().Find(".error-page a.primary"), "href"); again != "/merchants?q=x" {
			t.Errorf("trying again leads to %q", again)
		}
	}
}

// Whoever goes away while a page is made is no error of ours.
func TestAReaderWhoLeavesIsNoError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	owner, err := pgx.Connect(b.Context(), b.owner)
	b.must(err)
	defer owner.Close(context.Background())
	_, err = owner.Exec(b.Context(), "begin; lock table merchants in access exclusive mode")
	b.must(err)
	ctx, leave := context.WithCancel(b.Context())
	left := make(chan error)
	go func() {
		_, err := staff.http.Do(staff.request("GET", "/merchants", nil).WithContext(ctx))
		left <- err
	}()
	b.await("the page to wait", func() bool { return b.rows("select count(*) from pg_stat_activity where wait_event_type = 'Lock'") > 0 })
	leave()
	if err := <-left; err == nil {
		t.Error("an answer came")
	}
	b.await("the log", func() bool { return strings.Contains(b.log.String(), "path=/merchants status=499") })
	if strings.Contains(b.log.String(), "level=ERROR") {
		t.Error("it counts as an error of ours")
	}
}

func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	if f, status := asFault(context.DeadlineExceeded); f.Code != "busy" || status != 503 {
		t.Errorf("%v %d", f, status)
	}
	if f, status := asFault(fault.Wrap(context.DeadlineExceeded, fault.Invalid, "required")); f.Code != "required" || status != 422 {
		t.Errorf("%v %d", f, status)
	}
}

// Nobody else puts words on our pages.
func TestOnlyCodesTravel(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	u, err := url.Parse(b.url)
	b.must(err)
	for value, shown := range map[string]int{"good.merchant_edited": 1, "evil.merchant_edited": 1, "good.internal": 0, "good.<b>x</b>": 0, "good": 0, "good.../x": 0} {
		staff.http.Jar.SetCookies(u, []*http.Cookie{{Name: "berkas_flash", Value: value, Path: "/"}})
		a := staff.get("/")
		if n := a.doc().Find("#notices .notice").Length(); n != shown || strings.Contains(a.body, "evil") {
			t.Errorf("%q shows %d notices", value, n)
		}
		if n := staff.get("/").doc().Find("#notices .notice").Length(); n != 0 {
			t.Errorf("%q stays", value)
		}
	}
}
