package archtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// shortcuts are not taken. Each is looked for line by line, comments aside, in the files whose path matches.
var shortcuts = []struct {
	in, not *regexp.Regexp // paths from the root; not may be nil
	what    *regexp.Regexp
	instead string
}{
	{code, tests, regexp.MustCompile(`\bAutoMigrate\b`), "the schema changes by a numbered file in migrations"},
	{code, tests, regexp.MustCompile(`\bgorm\.(Model|DeletedAt)\b`), "rows do not vanish behind a filter: write the columns, and a state"},
	{code, tests, regexp.MustCompile(`\bFirstOr(Create|Init)\b`), "insert and let the constraint say that it is there"},
	{code, tests, regexp.MustCompile(`^func \(.*\) (Before|After)(Create|Save|Update|Delete|Find)\(.*gorm\.DB`), "hooks act at a distance: say it where the change is made"},
	{in("models/"), tests, regexp.MustCompile(`\.Save\(`), "it writes every column: update the ones that change, with the state they change from in WHERE"},
	{in("(handlers|views|onboarding|jobs|cmd)/"), tests, regexp.MustCompile(`\bgorm\.`), "*gorm.DB does not leave models"},
	{in("handlers/"), tests, regexp.MustCompile(`\bmodels\.(Store|Tx)\b`), "handlers read by models.Reader and change through onboarding"},
	{code, in("(models|jobs)/"), regexp.MustCompile(`\.PGX\(\)`), "the bare transaction is for jobs, which insert into the queue with it"},
	{in("handlers/"), tests, regexp.MustCompile(`\.(FormFile|ParseMultipartForm|MultipartForm)\b`), "they write the upload in clear to a temporary file: read it part by part"},
	{in(`handlers/(documents|uploads?)[a-z_]*\.go`), tests, regexp.MustCompile(`\.Bind\(`), "it reads the whole body: read it part by part"},
	{tests, nil, regexp.MustCompile(`\btime\.Sleep\(`), "it is slow where it works and wrong where it does not: wait for what is to happen, or set the clock"},
}

var (
	code  = regexp.MustCompile(`\.go$`)
	tests = regexp.MustCompile(`_test\.go$`)
)

func in(path string) *regexp.Regexp { return regexp.MustCompile("^" + path) }

func TestShortcuts(t *testing.T) {
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		switch {
		case d.IsDir() && (name == ".git" || name == "data" || name == "bin" || name == "internal/tools" || name == "internal/archtest"):
			return fs.SkipDir
		case d.IsDir() || !code.MatchString(name) || strings.HasSuffix(name, "_templ.go"):
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, complaint := range look(name, string(b)) {
			t.Error(complaint)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func look(name, source string) (complaints []string) {
	for _, s := range shortcuts {
		if !s.in.MatchString(name) || s.not != nil && s.not.MatchString(name) {
			continue
		}
		n := 0
		for line := range strings.Lines(source) {
			n++
			statement, _, _ := strings.Cut(line, "//")
			if found := s.what.FindString(statement); found != "" {
				complaints = append(complaints, fmt.Sprintf("%s:%d has %q: %s", name, n, found, s.instead))
			}
		}
	}
	return complaints
}

func TestShortcutsAreSeen(t *testing.T) {
	for _, c := range []struct {
		name, line string
		seen       bool
	}{
		{"models/store.go", "db.AutoMigrate(&x)", true},
		{"models/store.go", "// AutoMigrate is not used", false},
		{"models/people.go", "type Person struct { gorm.Model }", true},
		{"models/people.go", "tx.Save(&p)", true},
		{"onboarding/upload.go", "db.Where(x).FirstOrCreate(&y)", true},
		{"models/people.go", "func (p *Person) BeforeSave(tx *gorm.DB) error {", true},
		{"handlers/people.go", "func list(db *gorm.DB) {", true},
		{"handlers/people.go", "func list(s *models.Store) {", true},
		{"handlers/people.go", "func list(r *models.Reader) {", false},
		{"onboarding/send.go", "tx.PGX()", true},
		{"jobs/queue.go", "tx.PGX()", false},
		{"handlers/documents.go", `c.FormFile("file")`, true},
		{"handlers/documents.go", "c.Bind(&in)", true},
		{"handlers/people.go", "c.Bind(&in)", false},
		{"jobs/queue_test.go", "time.Sleep(time.Second)", true},
		{"jobs/queue.go", "time.Sleep(time.Second)", false},
	} {
		if got := look(c.name, c.line); len(got) > 0 != c.seen {
			t.Errorf("%s: %s: %q", c.name, c.line, got)
		}
	}
}
