package main

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"berkas/views"
)

// Every page of the route table, for whoever may open it, in both languages, both themes, on a phone and at a desk: axe
// finds nothing and nothing makes the page scroll sideways. That nothing leaves the portal, and the console stays quiet,
// is looked at in every tab.
func TestBrowserEveryPage(t *testing.T) {
	t.Parallel()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	sharedPortal(t)
	visits := everyVisit(t)
	for _, language := range []string{"id", "en"} {
		for role, visits := range visits {
			t.Run(language+" "+cmp.Or(role, "nobody"), func(t *testing.T) {
				t.Parallel()
				b := openTab(t)
				b.always(script)
				b.always(quietSamples)
				b.open("/login")
				b.leave(fmt.Sprintf("[name=language][value=%s]", language))
				if role != "" {
					b.signIn(role)
				}
				b.until(fmt.Sprintf("document.documentElement.lang === '%s'", language))
				for _, v := range visits {
					if v.only == "" || v.only == language {
						b.visit(v, language)
					}
				}
			})
		}
	}
}

// A sample that asks for news every second would be answered about a merchant who is not there.
const quietSamples = `if (location.pathname.startsWith("/_gallery/")) addEventListener("htmx:beforeRequest", (e) => e.preventDefault(), true)`

// visit is one look at a page, or at what an action on it answers.
type visit struct {
	path    string
	role    string // "" is nobody
	refused string // the status of a page that says no
	act     func(b *tab)
	only    string // the one language it is looked at in: parts of pages that are looked at themselves
}

// everyVisit is what there is to see of each page of the route table, by role. Without a word about a page here the test
// does not go on, so that no new page is forgotten.
func everyVisit(t *testing.T) map[string][]visit {
	t.Helper()
	known, all := knownVisits(t), map[string][]visit{}
	for path, roles := range pageRoutes(t) {
		if len(known[path]) == 0 {
			t.Fatalf("say in this file how to look at the page %s", path)
		}
		for _, v := range known[path] {
			if v.role == "" && !slices.Contains(roles, "everyone") && v.refused == "" {
				v.role = roles[0]
			}
			all[v.role] = append(all[v.role], v)
		}
		delete(known, path)
	}
	if len(known) > 0 {
		t.Fatalf("these are no pages: %v", known)
	}
	return all
}

func knownVisits(t *testing.T) map[string][]visit {
	v := staff(t, shared.portal)
	merchant := v.newMerchant(t, strings.TrimSpace(strings.Repeat("Koperasi Konsumen Karyawan Sejahtera ", 3))+" Cabang PT")
	picture := photo()
	v.mustUpload(t, merchant, ktp, picture)
	document := v.delivered(t, merchant, ktp, settleTime)
	v.mustUpload(t, v.newMerchant(t, "Warung Serupa"), ktp, picture) // which the reviewers of both are told
	refused := refusedMerchant(t, "Warung Ditolak")
	invited := invitedMerchant(t, v)
	var samples []visit
	for i, sample := range views.GalleryPages() {
		samples = append(samples, visit{path: views.GalleryPageURL(sample.Name), only: []string{"id", "en"}[i%2]})
	}
	person := views.PersonURL(1)
	return map[string][]visit{
		"/":      {{path: "/"}, {path: "/", role: "reviewer"}, {path: "/", role: "manager"}, {path: "/", role: "admin"}},
		"/login": {{path: "/login"}, {path: "/login?next=%2Fmerchants"}, {path: "/nowhere", refused: "404"}},
		"/merchants": {{path: "/merchants"}, {path: "/merchants?state=todo&business_type=PERSONAL&who=mine&sort=due"}, {path: "/merchants?q=tidak+ada+yang+begini"},
			{path: "/merchants?q=" + nik, refused: "422"}, {path: "/merchants", role: "reviewer"}, {path: "/merchants?doc=KTP&stage=created&from=2026-01-01&sort=name", role: "manager"}},
		"/merchants/new":                               {{path: "/merchants/new"}, {path: "/merchants/new", refused: "422", role: "staff", act: func(b *tab) { b.leave(".merchant-form button.primary") }}},
		"/merchants/:merchant":                         {{path: merchant}, {path: merchant, role: "reviewer"}, {path: refused}, {path: refused, role: "manager"}, {path: "/merchants/999999999", refused: "404", role: "staff"}},
		"/merchants/:merchant/message":                 {{path: refused + "/message"}, {path: refused + "/message?language=en"}, {path: merchant + "/message"}},
		"/merchants/:merchant/messages/:message":       {{path: sentMessage(t, refused)}},
		"/settings":                                    {{path: "/settings"}},
		"/settings/reasons/:code":                      {{path: "/settings/reasons/image_blurry"}, {path: "/settings/reasons/other"}},
		"/merchants/:merchant/edit":                    {{path: merchant + "/edit"}},
		"/merchants/:merchant/evidence":                {{path: merchant + "/evidence"}, {path: refused + "/evidence", act: func(b *tab) { b.leave("main .head form button") }}},
		"/merchants/views":                             {{path: "/merchants/views"}},
		"/merchants/export":                            {{path: "/merchants/export?state=open"}, {path: "/merchants/export", role: "staff", refused: "403"}},
		"/merchants/:merchant/register":                {{path: merchant + "/register"}, {path: invited + "/register", role: "manager"}},
		"/merchants/:merchant/submissions/:submission": {{path: submissionOf(t, v, invited)}},
		"/documents/:document":                         {{path: document}, {path: document, role: "reviewer"}, {path: document, role: "manager"}},
		"/review":                                      {{path: "/review"}},
		"/insights":                                    {{path: "/insights"}, {path: "/insights?period=104&type=PERSONAL&who=nobody"}, {path: "/insights?team=tidak+ada"}, {path: "/insights", role: "staff", refused: "403"}},
		"/insights/week":                               {{path: "/insights/week"}, {path: "/insights/week?week=2026-01-05"}, {path: "/insights/week?week=kapan", role: "manager", refused: "422"}},
		"/people":                                      {{path: "/people"}, {path: "/people?signed_in=never"}, {path: "/people", role: "staff", refused: "403"}},
		"/people/new":                                  {{path: "/people/new"}, {path: "/people/new", act: addSomebody}},
		"/people/:person":                              {{path: person}},
		"/me":                                          {{path: "/me"}, {path: "/me", role: "admin"}},
		"/me/password":                                 {{path: "/me/password"}},
		"/audit":                                       {{path: "/audit"}, {path: "/audit?what=merchant.created"}, {path: "/audit?what=nonsense", refused: "422", role: "admin"}},
		"/health":                                      {{path: "/health"}, {path: "/health", role: "manager"}},
		"/_gallery":                                    {{path: "/_gallery"}},
		"/_gallery/:sample":                            samples,
		"/differences":                                 {{path: "/differences"}, {path: "/differences", role: "reviewer", refused: "403"}},
	}
}

// invitedMerchant is a merchant for whom DOKU was asked to make a Create Business Lite.
func invitedMerchant(t *testing.T, v *visitor) string {
	t.Helper()
	a := v.must(t, "POST", "/merchants", url.Values{"name": {"Warung Diundang"}, "business_type": {"PERSONAL"}, "legal_entity": {"PERSEORANGAN"}, "business_line": {"RETAIL"},
		"nationality": {"ID"}, "email": {"undang@contoh.id"}, "phone_number": {"081234567899"}, "owner_name": {"Sari Contoh"}, "confirm": {"yes"}})
	merchant := path.Clean(a.header.Get("Location"))
	if a := v.must(t, "POST", merchant+"/invite", nil); a.status != http.StatusSeeOther {
		t.Fatalf("the invitation was answered %d", a.status)
	}
	return merchant
}

// submissionOf is the page of a merchant's submission.
func submissionOf(t *testing.T, v *visitor, merchant string) string {
	t.Helper()
	return v.get(t, merchant).page().Find("#registration a").First().AttrOr("href", "")
}

// addSomebody ends on the page with the one-time password.
func addSomebody(b *tab) {
	b.do(chromedp.SendKeys(chromedp.CSS("[name=name]"), "Orang "+b.Name()), chromedp.SendKeys(chromedp.CSS("[name=email]"), eval[string](b, "document.documentElement.lang")+".walk@berkas.test"))
	b.leave("main form button.primary")
}

// pageRoutes are the pages of the route table with the roles that may open them, as another test proves the table to be.
func pageRoutes(t *testing.T) map[string][]string {
	t.Helper()
	table, err := os.ReadFile("../../handlers/testdata/routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	pages := map[string][]string{}
	for line := range strings.Lines(string(table)) {
		columns := strings.Fields(line)
		if limit := slices.Index(columns, "0"); columns[0] == "GET" && columns[2] == "page" {
			pages[columns[1]] = columns[limit+1:]
		}
	}
	if len(pages) == 0 {
		t.Fatal("the route table has no pages")
	}
	return pages
}

// look is one way to show a page.
type look struct {
	theme string
	width int64
}

// looks are two of the four ways to show a page. Both languages together take all four, and which language takes which two
// changes from page to page: each page meets each theme, width and language, and each pair of these.
func (v visit) looks(language string) []look {
	odd := len(v.path)%2 == 1
	if v.only == "" && language == "en" {
		odd = !odd
	}
	if odd {
		return []look{{"dark", 1440}, {"light", 360}}
	}
	return []look{{"light", 1440}, {"dark", 360}}
}

func (b *tab) visit(v visit, language string) {
	b.Helper()
	if v.refused != "" {
		b.allow("status of " + v.refused)
	}
	b.open(v.path)
	if v.act != nil {
		v.act(b)
	}
	for _, l := range v.looks(language) {
		b.prefer(l.theme)
		b.size(l.width, 900)
		b.until(fmt.Sprintf("innerWidth === %d", l.width))
		if got := eval[int64](b, "document.documentElement.scrollWidth"); got > l.width {
			b.Errorf("%s is %d pixels wide on a screen of %d", v.path, got, l.width)
		}
		b.examine(fmt.Sprintf("%s, %s, %d", v.path, l.theme, l.width))
	}
}

// examine has axe look at the page.
func (b *tab) examine(what string) {
	b.Helper()
	found := eval[[]string](b, `axe.run({preload: false, resultTypes: ["violations"]}).then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).slice(0, 3).join(", ")))`, chromedp.EvalAwaitPromise)
	for _, violation := range found {
		b.Errorf("%s: axe says %s", what, violation)
	}
}
