package pg

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// The major versions Berkas is tested with.
const (
	oldest = 15
	newest = 18
)

// programs are the server programs of one PostgreSQL installation.
type programs struct {
	dir   string
	major int
}

func (p programs) path(name string) string { return filepath.Join(p.dir, name) }

// usualPlaces are where packages put the server programs, which are seldom on PATH.
var usualPlaces = []string{
	"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
	"/usr/pgsql-*/bin",                                   // RPM
	"/usr/libexec/postgresql*",                           // Alpine
	"/usr/local/pgsql/bin",                               // built from source
	"/opt/homebrew/opt/postgresql@*/bin",                 // Homebrew, Apple silicon
	"/usr/local/opt/postgresql@*/bin",                    // Homebrew, Intel
	"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
}

// findPrograms looks in bin, or in all the usual places when it is empty. major asks for that version, which an
// existing data directory needs; 0 takes the newest supported one.
func findPrograms(ctx context.Context, bin string, major int) (programs, error) {
	var best programs
	var seen []string
	for _, dir := range places(bin) {
		p, ok := inspect(ctx, dir)
		if !ok {
			continue
		}
		seen = append(seen, strconv.Itoa(p.major))
		fits := p.major == major || major == 0 && p.major >= oldest && p.major <= newest
		if fits && p.major > best.major {
			best = p
		}
	}
	if best.major > 0 {
		return best, nil
	}
	return best, missing(bin, major, seen)
}

func missing(bin string, major int, seen []string) error {
	where := "this machine"
	if bin != "" {
		where = bin
	}
	switch have := strings.Join(seen, ", "); {
	case len(seen) == 0:
		return sentence(CodeNoPrograms, "no PostgreSQL server programs were found on %s: install them (Debian, Ubuntu: "+
			"apt-get install --no-install-recommends postgresql), or set BERKAS_PG_BIN to the directory that holds postgres and initdb, "+
			"or set DATABASE_URL to use a server that runs already", where)
	case major > 0:
		return sentence(CodeOtherMajor, "the data directory was made by PostgreSQL %d, but %s has PostgreSQL %s: install version %[1]d "+
			"(Debian, Ubuntu: apt-get install --no-install-recommends postgresql-%[1]d), or set BERKAS_PG_BIN to where it is", major, where, have)
	default:
		return sentence(CodeNoPrograms, "%s has PostgreSQL %s, and Berkas needs %d to %d: install one of these, or set DATABASE_URL "+
			"to use a server that runs already", where, have, oldest, newest)
	}
}

// places lists the directories to look in, each once.
func places(bin string) []string {
	if bin != "" {
		return []string{bin}
	}
	var dirs []string
	for _, pattern := range usualPlaces {
		found, _ := filepath.Glob(pattern)
		dirs = append(dirs, found...)
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	once := map[string]bool{}
	var real []string
	for _, d := range dirs {
		if p, err := filepath.EvalSymlinks(filepath.Join(d, "postgres")); err == nil && !once[p] {
			once[p] = true
			real = append(real, filepath.Dir(p))
		}
	}
	return real
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// inspect asks the programs in dir for their version; false when dir does not hold a working set.
func inspect(ctx context.Context, dir string) (programs, bool) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return programs{}, false
	}
	p := programs{dir: abs}
	if _, err := os.Stat(p.path("initdb")); err != nil {
		return p, false
	}
	var out bytes.Buffer
	c := exec.CommandContext(ctx, p.path("postgres"), "--version")
	c.SysProcAttr, c.Stdout = childAttr(), &out
	if run(ctx, c) != nil {
		return p, false
	}
	m := versionPattern.FindSubmatch(out.Bytes())
	if m == nil {
		return p, false
	}
	p.major, err = strconv.Atoi(string(m[1]))
	return p, err == nil
}
