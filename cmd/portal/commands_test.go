package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"berkas/internal/testdb"
)

var someKey = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))

func TestHelpNamesEverySubcommand(t *testing.T) {
	t.Parallel()
	for _, word := range []string{"help", "-h", "--help"} {
		out := ok(t, env{}, "", word)
		for _, c := range commands {
			if !strings.Contains(out, "  "+c.name+" ") || !strings.Contains(out, c.does) {
				t.Errorf("portal %s does not tell of %s", word, c.name)
			}
		}
	}
}

func TestConfigIsPrintedWithoutSecrets(t *testing.T) {
	t.Parallel()
	out := ok(t, env{"DOKU_MODE": "test", "DOKU_CLIENT_ID": "BRN-0001", "DOKU_SECRET_KEY": "SK-hidden", "ENCRYPTION_KEY": someKey,
		"DATABASE_URL": "postgres://berkas:hidden@db/berkas", "DEMO_PASSWORD": "hidden-too"}, "", "config")
	if !strings.Contains(out, "DOKU_CLIENT_ID=BRN-0001") || !strings.Contains(out, "DATABASE_URL=(set)") {
		t.Error(out)
	}
	for _, secret := range []string{"hidden", someKey} {
		if strings.Contains(out, secret) {
			t.Errorf("%q is printed", secret)
		}
	}
}

func TestWrongInputIsRefusedInOneSentence(t *testing.T) {
	t.Parallel()
	e := home(t)
	for _, c := range []struct {
		words string
		env   env
		args  string
	}{
		{`there is no subcommand "sevre"`, e, "sevre"},
		{`there is no subcommand "user"`, e, "user"},
		{`there is no subcommand "user remove"`, e, "user remove"},
		{"serve takes no arguments", e, "serve now"},
		{"user add needs --email", e, "user add"},
		{"user add needs --role", e, "user add --email a@b.c --name A"},
		{"flag provided but not defined: -mail", e, "user add --mail a@b.c"},
		{"flag provided but not defined: -name", e, "user disable --email a@b.c --name A"},
		{`"extra" is none`, e, "user list extra"},
		{"--password-file cannot be read", e, "user add --email a@b.c --name A --role staff --password-file /nowhere/at/all"},
		{"--password-file holds no password", e, "user reset-password --email a@b.c --password-file -"},
		{"LISTEN_ADDR takes host:port", env{"LISTEN_ADDR": "8080"}, "serve"},
		{"SIMULATOR_LINK_TTL takes", env{"SIMULATOR_LINK_TTL": "60"}, "config"},
		{"DOKU_MODE must be said", env{"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x"}, "serve"},
		{"ENCRYPTION_KEY must be set", env{"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x", "DOKU_MODE": "simulator"}, "serve"},
		{"database", env{"DATABASE_URL": "postgres://a:b@127.0.0.1:1/x", "DOKU_MODE": "simulator", "ENCRYPTION_KEY": someKey, "LISTEN_ADDR": "127.0.0.1:0", "DATA_DIR": e["DATA_DIR"] + "-other"}, "serve"},
		{"no portal answers at", env{"LISTEN_ADDR": "127.0.0.1:1"}, "healthcheck"},
	} {
		t.Run(c.args, func(t *testing.T) {
			t.Parallel()
			refused(t, c.env, c.words, strings.Fields(c.args)...)
		})
	}
}

// The people's subcommands start the database for themselves when no portal runs.
func TestPeopleWithoutARunningPortal(t *testing.T) {
	t.Parallel()
	e := home(t)
	if out := ok(t, e, "", "migrate"); !strings.Contains(out, "up to date") {
		t.Error(out)
	}
	peopleAreKept(t, e)
	noneLeft(t, e)
	p := start(t, e) // the key came before the data, so that a portal starts on it
	if status := newVisitor(p.url).signIn(t, "ani@example.com", "correct horse battery"); status != http.StatusSeeOther {
		t.Errorf("signing in was answered %d", status)
	}
}

func TestPeopleBesideARunningPortal(t *testing.T) {
	t.Parallel()
	e := home(t)
	p := start(t, e)
	ok(t, e, "", "migrate")
	peopleAreKept(t, e)
	v := newVisitor(p.url)
	if status := v.signIn(t, "ani@example.com", "correct horse battery"); status != http.StatusSeeOther {
		t.Errorf("signing in was answered %d", status)
	}
	ok(t, e, "", "user", "disable", "--email", "ani@example.com")
	if a := v.get(t, "/merchants"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/login") {
		t.Errorf("somebody disabled still sees pages: %d", a.status)
	}
	if status := v.signIn(t, "ani@example.com", "correct horse battery"); status != http.StatusUnauthorized {
		t.Errorf("somebody disabled was answered %d", status)
	}
	ok(t, e.with("LISTEN_ADDR", strings.TrimPrefix(p.url, "http://")), "", "healthcheck")
}

// peopleAreKept leaves ani@example.com with the password "correct horse battery", and tries everything on the way.
func peopleAreKept(t *testing.T, e env) {
	t.Helper()
	made := regexp.MustCompile(`The password is ([A-Z2-7]{16}) `)
	out := ok(t, e, "", "user", "add", "--email", "ani@example.com", "--name", "Ani", "--role", "staff")
	if !made.MatchString(out) {
		t.Errorf("no password was made: %s", out)
	}
	refused(t, e, "has this e-mail address already", "user", "add", "--email", "ani@example.com", "--name", "Ani", "--role", "staff")
	refused(t, e, "--role takes staff", "user", "add", "--email", "budi@example.com", "--name", "Budi", "--role", "boss")
	refused(t, e, "--email takes an e-mail address", "user", "add", "--email", "budi", "--name", "Budi", "--role", "staff")
	refused(t, e, "there is nobody with this e-mail address", "user", "disable", "--email", "nobody@example.com")
	file := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(file, []byte("a password from a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out = ok(t, e, "", "user", "add", "--email", "budi@example.com", "--name", "Budi", "--role", "reviewer", "--password-file", file)
	if strings.Contains(out, "password") {
		t.Errorf("a password that was given is told: %s", out)
	}
	if r := runProgram(t, e, "short\n", "user", "reset-password", "--email", "budi@example.com", "--password-file", "-"); r.code != 1 || !strings.Contains(r.stderr, "characters at least") {
		t.Errorf("a short password: %d %s", r.code, r.stderr)
	}
	if out := ok(t, e, "", "user", "reset-password", "--email", "ani@example.com"); !made.MatchString(out) {
		t.Errorf("no password was made: %s", out)
	}
	ok(t, e, "correct horse battery\n", "user", "reset-password", "--email", "ani@example.com", "--password-file", "-")
	ok(t, e, "", "user", "disable", "--email", "budi@example.com")
	list := ok(t, e, "", "user", "list")
	for _, line := range []string{`ani@example\.com +Ani +staff +active`, `budi@example\.com +Budi +reviewer +disabled`} {
		if !regexp.MustCompile(line).MatchString(list) {
			t.Errorf("no %q in\n%s", line, list)
		}
	}
}

func TestHealthcheckOfAPortalThatIsNotReady(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	p := start(t, e)
	at := e.with("LISTEN_ADDR", strings.TrimPrefix(p.url, "http://"))
	if out := ok(t, at, "", "healthcheck"); out != "ready\n" {
		t.Errorf("%q", out)
	}
	if err := os.RemoveAll(filepath.Join(e["DATA_DIR"], "blobs")); err != nil {
		t.Fatal(err)
	}
	refused(t, at, "is not ready", "healthcheck")
}

func TestRunInThisProcess(t *testing.T) {
	t.Parallel()
	e := home(t)
	e["LOG_FORMAT"] = "json"
	ctx, stop := context.WithCancel(t.Context())
	var out output
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, nil, func(name string) string { return e[name] }, &out) }()
	eventually(t, startTime, "it serves", func() bool { return runsAt.MatchString(out.String()) })
	r, err := http.Get(runsAt.FindStringSubmatch(out.String())[1] + "/login")
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	stop()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(startTime):
		t.Fatal("it did not stop")
	}
	logged := 0
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "{") {
			logged++
			if !json.Valid([]byte(line)) {
				t.Errorf("not JSON: %s", line)
			}
		}
	}
	if logged == 0 {
		t.Errorf("nothing was logged:\n%s", out.String())
	}
}

// A start that is stopped half-way leaves nothing behind, and is no failure.
func TestStoppedWhileStarting(t *testing.T) {
	t.Parallel()
	e := home(t)
	p, err := launch(e)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, startTime, "a data directory", func() bool { _, err := os.Stat(filepath.Join(e["DATA_DIR"], "owner.lock")); return err == nil })
	p.stop(t, syscall.SIGINT)
	noneLeft(t, e)
	start(t, e).stop(t, syscall.SIGINT)
}
