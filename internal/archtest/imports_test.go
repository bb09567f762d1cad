package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "berkas"

// arrows says which of our packages each of them may import. The arrows run one way: cmd → handlers → onboarding →
// models → fault, with jobs beside handlers, views below handlers, and doku and blob below onboarding. Test files may
// import more.
var arrows = map[string][]string{
	"cmd/portal":             {"*"},
	"handlers":               {"onboarding", "models", "views", "static", "internal/auth", "internal/fault", "internal/words"},
	"views":                  {"static", "internal/words"},
	"static":                 {},
	"models":                 {"internal/fault"},
	"migrations":             {},
	"onboarding":             {"models", "doku", "internal/auth", "internal/blob", "internal/fault", "internal/paper", "internal/report", "internal/vault", "internal/words"},
	"jobs":                   {"onboarding", "models", "internal/fault"},
	"doku":                   {},
	"doku/dokusim":           {"doku"},
	"internal/archtest":      {},
	"internal/auth":          {"models", "internal/fault"},
	"internal/blob":          {"internal/fault", "internal/vault"},
	"internal/blob/blobtest": {"internal/blob", "internal/fault"}, // the conformance suite, for tests
	"internal/config":        {"internal/fault"},
	"internal/fault":         {},
	"internal/paper":         {"internal/fault"},
	"internal/pg":            {"internal/fault"},
	"internal/report":        {},
	"internal/testdb":        {"internal/fault", "internal/pg", "migrations"}, // for tests
	"internal/vault":         {"internal/fault"},
	"internal/words":         {},
}

// fences say who may use a library, everything below its path included.
var fences = []struct {
	library string
	users   []string
	why     string
}{
	{"gorm.io", []string{"models", "internal/pg", "internal/testdb"}, "tables are behind models' named queries and Store.Write"},
	{"github.com/jackc/pgx", []string{"models", "jobs", "internal/pg", "internal/testdb", "cmd/portal"}, "SQL is behind models"},
	{"github.com/riverqueue", []string{"jobs", "internal/testdb", "cmd/portal"}, "the rest knows the queue as onboarding.Queue"},
	{"github.com/labstack", []string{"handlers", "cmd/portal"}, "HTTP ends in handlers"},
	{"github.com/a-h/templ", []string{"views", "handlers"}, "pages are drawn in views"},
	{"github.com/tetratelabs/wazero", []string{"internal/paper"}, "PDF pages are rendered in paper"},
	{"golang.org/x/image", []string{"internal/paper", "internal/report", "cmd/portal"}, "pictures are read in paper, and report writes in its fonts"},
	{"codeberg.org/go-pdf", []string{"internal/report"}, "what is printed is drawn in report"},
	{"github.com/tink-crypto", []string{"internal/vault", "internal/blob"}, "encryption is vault's and blob's"},
	{"testing", []string{"internal/testdb", "internal/blob/blobtest"}, "the program carries no test code"},
}

// standardOnly are the packages without any third-party library.
var standardOnly = []string{"doku", "doku/dokusim", "internal/fault", "internal/words", "internal/config", "internal/archtest", "static", "migrations"}

type goPackage struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) []goPackage {
	t.Helper()
	c := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,Imports,GoFiles", "./...")
	c.Dir = "../.."
	out, err := c.Output()
	if err != nil {
		t.Fatal("go list:", err)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if len(p.GoFiles) > 0 {
			all = append(all, p)
		}
	}
	if len(all) < 5 {
		t.Fatalf("go list finds %d packages only", len(all))
	}
	return all
}

func TestImports(t *testing.T) {
	for _, p := range packages(t) {
		for _, complaint := range append(wrongArrows(p), wrongLibraries(p)...) {
			t.Error(complaint)
		}
	}
}

func wrongArrows(p goPackage) (complaints []string) {
	may, known := arrows[p.name()]
	if !known {
		return []string{p.name() + " is new: say in arrows, in internal/archtest, which of our packages it may import, and put it on the README's map"}
	}
	for _, imported := range p.Imports {
		ours, isOurs := strings.CutPrefix(imported, module+"/")
		if isOurs && !slices.Contains(may, ours) && !slices.Contains(may, "*") {
			complaints = append(complaints, fmt.Sprintf("%s imports %s, and the arrow must not run that way: it may import %s", p.name(), ours, orNone(may)))
		}
	}
	return complaints
}

func orNone(names []string) string {
	if len(names) == 0 {
		return "none of our packages"
	}
	return strings.Join(names, ", ")
}

func wrongLibraries(p goPackage) (complaints []string) {
	complain := func(format string, args ...any) { complaints = append(complaints, fmt.Sprintf(format, args...)) }
	for _, imported := range p.Imports {
		for _, f := range fences {
			if below(imported, f.library) && !slices.Contains(f.users, p.name()) {
				complain("%s imports %s, which is for %s only: %s", p.name(), imported, strings.Join(f.users, ", "), f.why)
			}
		}
		if thirdParty(imported) && slices.Contains(standardOnly, p.name()) {
			complain("%s imports %s, and it does with the standard library alone", p.name(), imported)
		}
		if p.name() == "views" && imported == "net/http" {
			complain("views imports net/http: a view gets a struct and draws it; the request is the handlers' to read")
		}
	}
	return complaints
}

func TestWrongImportsAreSeen(t *testing.T) {
	for name, imports := range map[string][]string{
		"handlers":    {"berkas/jobs", "berkas/doku", "gorm.io/gorm", "github.com/jackc/pgx/v5"},
		"views":       {"berkas/models", "berkas/onboarding", "net/http", "github.com/labstack/echo/v4"},
		"models":      {"berkas/onboarding", "berkas/doku", "github.com/riverqueue/river"},
		"onboarding":  {"berkas/views", "berkas/handlers", "berkas/jobs", "gorm.io/gorm", "github.com/a-h/templ"},
		"doku":        {"berkas/internal/fault", "golang.org/x/sync/singleflight"},
		"jobs":        {"berkas/doku", "berkas/views", "berkas/internal/blob"},
		"cmd/portal":  {"github.com/tetratelabs/wazero", "testing"},
		"a/newcomer":  {"fmt"},
		"internal/pg": {"berkas/models", "berkas/internal/testdb"},
	} {
		for _, imported := range imports {
			p := goPackage{ImportPath: module + "/" + name, Imports: []string{imported}}
			if len(wrongArrows(p))+len(wrongLibraries(p)) == 0 {
				t.Errorf("%s may import %s", name, imported)
			}
		}
	}
}

func below(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// thirdParty tells a library by the dot in the first part of its path.
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}
