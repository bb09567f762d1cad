package handlers

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"berkas/internal/auth"
	"berkas/models"
)

var update = flag.Bool("update", false, "write testdata anew")

// The table of contents is reviewed as a file: whoever adds a route says there who may call it.
func TestRouteTable(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	fmt.Fprintf(&b, "%-5s%-45s%-6s%-18s%10s  %s\n", "", "path", "kind", "permission", "body", "roles")
	for _, r := range (&handler{}).routes() {
		fmt.Fprintf(&b, "%-5s%-45s%-6s%-18s%10d  %s\n", r.Method, r.Path, r.Kind, r.Permission, r.Limit, strings.Join(roles(r.Permission), " "))
	}
	const golden = "testdata/routes.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || b.String() != string(want) {
		t.Errorf("%s is not the route table (%v); go test ./handlers -update writes it:\n%s", golden, err, b.String())
	}
}

func roles(p auth.Permission) (names []string) {
	if p == auth.Public {
		return []string{"everyone"}
	}
	for _, role := range models.Roles {
		if auth.Can(models.Actor{Kind: models.ActorUser, Role: role}, p) {
			names = append(names, string(role))
		}
	}
	return names
}

// address fills a route's parameters with ids that exist, or with ones that do not.
func address(r route, merchant models.MerchantID, document, slot string) string {
	return strings.NewReplacer(":merchant", merchant.String(), ":document", document, ":slot", slot, ":page", "1", ":person", "5", ":session", "999", ":bundle", "999", ":submission", "999", ":message", "1", ":code", "image_blurry", ":callback", "nobodys", "*", "htmx.js").Replace(r.Path)
}

func TestEveryRouteAsEveryRole(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	document := strings.TrimPrefix(staff.document(merchant, "DOCUMENT", "KTP"), "/documents/")
	slot := strings.TrimPrefix(attr(staff.get(merchantPath(merchant)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	b.endWork()
	for _, r := range b.web.routes() {
		path := address(r, merchant, document, slot)
		for _, role := range models.Roles {
			v := b.as(role) // anew: one of the routes signs out
			a := v.send(r, path)
			allowed := a.status != http.StatusForbidden && (a.status != http.StatusUnauthorized || r.Permission == auth.Public)
			if may := slices.Contains(roles(r.Permission), string(role)) || r.Permission == auth.Public; may != allowed {
				t.Errorf("%s %s as %s: %d", r.Method, path, role, a.status)
			}
		}
		a := b.nobody().send(r, path)
		switch {
		case r.Permission == auth.Public:
			if a.status == http.StatusForbidden || a.status == http.StatusSeeOther && r.Path != "/preferences" {
				t.Errorf("%s %s as nobody: %d", r.Method, path, a.status)
			}
		case r.Kind == page:
			if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login?next=") {
				t.Errorf("%s %s as nobody: %d %s", r.Method, path, a.status, a.header.Get("Location"))
			}
		default:
			a.is(http.StatusUnauthorized, r.Method+" "+path+" as nobody")
		}
	}
}

// send calls a route with a form that says nothing.
func (v *visitor) send(r route, path string, headers ...string) *answer {
	v.Helper()
	if r.Method == http.MethodGet {
		return v.get(path, headers...)
	}
	return v.post(path, nil, headers...)
}

func TestEveryChangeIsOurOwnPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	for _, r := range b.web.routes() {
		if r.Method == http.MethodGet || r.Path == "/logout" || r.Path == "/login" || r.Path == "/login/demo" {
			continue
		}
		path := address(r, merchant, "1", "1")
		for _, headers := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}, {"Origin", "null"}} {
			if a := staff.send(r, path, headers...); a.status != http.StatusForbidden || a.fault() != "cross_origin" {
				t.Errorf("%s with %v: %d %s", path, headers, a.status, a.fault())
			}
		}
		for _, headers := range [][]string{{}, {"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", b.url}} {
			if a := staff.send(r, path, headers...); a.fault() == "cross_origin" {
				t.Errorf("%s with %v: %d %s", path, headers, a.status, a.fault())
			}
		}
	}
	for _, path := range []string{"/login", "/login/demo", "/logout", "/no/such/path"} {
		staff.post(path, nil, "Sec-Fetch-Site", "cross-site").is(http.StatusForbidden, path)
	}
	staff.get("/", "Sec-Fetch-Site", "cross-site").is(http.StatusOK, "a link from elsewhere")
}
