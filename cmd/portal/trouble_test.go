package main

import (
	"bytes"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"

	"berkas/internal/pg"
	"berkas/internal/testdb"
)

// onDatabase is a portal on a database elsewhere, with both roles.
func onDatabase(t *testing.T, db testdb.Database) env {
	t.Helper()
	return home(t).with("DATABASE_URL", db.DSN, "MIGRATE_DATABASE_URL", db.OwnerDSN, "DOKU_MODE", "simulator", "ENCRYPTION_KEY", someKey)
}

func TestASecondPortalIsRefused(t *testing.T) {
	t.Parallel()
	e := home(t)
	p := start(t, e)
	refused(t, e, "another Berkas (process "+strconv.Itoa(p.cmd.Process.Pid)+") already runs on")
	refused(t, e.with("LISTEN_ADDR", strings.TrimPrefix(p.url, "http://")), "is taken by another program")
	if a := newVisitor(p.url).get(t, "/readyz"); a.status != http.StatusOK {
		t.Errorf("the first one was disturbed: %d", a.status)
	}
}

func TestAnOccupiedPortChangesNothing(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	e := home(t).with("LISTEN_ADDR", l.Addr().String(), "SIMULATOR_ADDR", l.Addr().String())
	refused(t, e, "LISTEN_ADDR "+l.Addr().String()+" is taken by another program", "serve")
	refused(t, e, "SIMULATOR_ADDR "+l.Addr().String()+" is taken by another program", "simulate")
	if _, err := os.Stat(e["DATA_DIR"]); !errors.Is(err, os.ErrNotExist) {
		t.Error("a data directory was made")
	}
}

func TestWithoutPostgreSQL(t *testing.T) {
	t.Parallel()
	refused(t, home(t).with("BERKAS_PG_BIN", t.TempDir()), "no PostgreSQL server programs were found", "serve")
	refused(t, home(t).with("BERKAS_PG_BIN", t.TempDir()), "apt-get install --no-install-recommends postgresql", "user", "list")
}

func TestADataDirectoryThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, home(t).with("DATA_DIR", filepath.Join(file, "data")), file)
	refused(t, home(t).with("DATA_DIR", file), file)
}

func TestTheKeyBesideData(t *testing.T) {
	t.Parallel()
	e := home(t)
	ok(t, e, "", "migrate")
	key := filepath.Join(e["DATA_DIR"], "encryption.key")
	right, err := os.ReadFile(key)
	if err != nil {
		t.Fatal(err)
	}
	put := func(content []byte, mode os.FileMode) {
		if err := errors.Join(os.RemoveAll(key), os.WriteFile(key, content, mode), os.Chmod(key, mode)); err != nil {
			t.Fatal(err)
		}
	}
	other := base64.StdEncoding.AppendEncode(nil, bytes.Repeat([]byte{9}, 32))
	for _, args := range [][]string{{"serve"}, {"user", "list"}, {"simulate"}} {
		on := e.with("SIMULATOR_ADDR", "127.0.0.1:0")
		put(right, 0o644)
		refused(t, on, "others can read it", args...)
		put([]byte("nonsense"), 0o600)
		refused(t, on, "cannot be used", args...)
		put(other, 0o600)
		refused(t, on, "is not the one that", args...)
		refused(t, on.with("ENCRYPTION_KEY", someKey), "is not the one that", args...)
		if err := os.Remove(key); err != nil {
			t.Fatal(err)
		}
		refused(t, on, "is missing", args...)
	}
	put(right, 0o600)
	start(t, e)
}

func TestADatabaseNewerThanTheProgram(t *testing.T) {
	t.Parallel()
	e := home(t)
	ok(t, e, "", "migrate")
	server, err := pg.Start(t.Context(), pg.Options{Dir: e["DATA_DIR"], Bin: os.Getenv("BERKAS_PG_BIN"), Mode: pg.Borrow})
	if err != nil {
		t.Fatal(err)
	}
	execute(t, server.OwnerDSN(), `insert into schema_migrations (version, name, sha256) values (9999, '9999_later.sql', '')`)
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{"serve", "migrate"} {
		refused(t, e, "the database is newer than this program", command)
	}
	noneLeft(t, e)
}

func execute(t testing.TB, dsn, sql string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseBelongsToOneDOKU(t *testing.T) {
	t.Parallel()
	e := home(t)
	start(t, e).stop(t, syscall.SIGTERM)
	refused(t, e.with("SIMULATOR_CLIENT_ID", "BRN-OTHER"), "for client")
	refused(t, e.with("DOKU_BASE_URL", "http://127.0.0.1:9"), "belongs to DOKU at simulator")
	refused(t, e.with("DOKU_MODE", "test", "DOKU_CLIENT_ID", "BRN-1", "DOKU_SECRET_KEY", "SK-1"), "belongs to DOKU at simulator")
	noneLeft(t, e)
}

func TestOnADatabaseElsewhere(t *testing.T) {
	t.Parallel()
	db := testdb.CreateEmpty(t)
	both := onDatabase(t, db)
	refused(t, both.with("MIGRATE_DATABASE_URL", ""), "run portal migrate with the owning role", "serve")
	ok(t, both, "", "migrate")
	t.Run("both roles", func(t *testing.T) { worksOn(t, both, "one@example.com") })
	t.Run("the program's role alone, once migrated", func(t *testing.T) {
		worksOn(t, both.with("MIGRATE_DATABASE_URL", ""), "two@example.com")
	})
	if _, err := os.Stat(filepath.Join(both["DATA_DIR"], "pg")); err == nil {
		t.Error("a PostgreSQL of its own was made")
	}
}

func TestOnADatabaseElsewhereWithOneRole(t *testing.T) {
	t.Parallel()
	db := testdb.CreateEmpty(t)
	worksOn(t, onDatabase(t, db).with("DATABASE_URL", db.OwnerDSN, "MIGRATE_DATABASE_URL", ""), "one@example.com")
}

// worksOn takes one document to the simulator and back.
func worksOn(t *testing.T, e env, email string) {
	t.Helper()
	ok(t, e, "correct horse battery", "user", "add", "--email", email, "--name", "Ani", "--role", "staff", "--password-file", "-")
	p := start(t, e)
	v := newVisitor(p.url)
	if status := v.signIn(t, email, "correct horse battery"); status != http.StatusSeeOther {
		t.Fatalf("signing in was answered %d", status)
	}
	merchant, content := v.newMerchant(t, "Warung "+email), photo()
	v.mustUpload(t, merchant, selfie, content)
	opens(t, v, v.delivered(t, merchant, selfie, settleTime), content, "doku")
	p.stop(t, syscall.SIGTERM)
}

// opens fetches a document's bytes and compares them.
func opens(t *testing.T, v *visitor, document string, want []byte, source string) {
	t.Helper()
	a := v.get(t, document+"/file")
	if a.status != http.StatusOK || !bytes.Equal(a.body, want) || a.header.Get("Berkas-Source") != source {
		t.Errorf("%s/file was answered %d with %d bytes from %q, wanted %d from %q", document, a.status, len(a.body), a.header.Get("Berkas-Source"), len(want), source)
	}
}

func TestDemoPeopleAreForThisMachineOnly(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	demo := url.Values{"email": {"staff@berkas.test"}, "password": {"demo"}}

	p := start(t, e)
	if status := newVisitor(p.url).signIn(t, "staff@berkas.test", "demo"); status != http.StatusSeeOther {
		t.Errorf("a demo person on loopback was answered %d", status)
	}
	p.stop(t, syscall.SIGTERM)

	p = start(t, e.with("LISTEN_ADDR", "0.0.0.0:0"))
	if strings.Contains(p.stdout.String(), "berkas.test") {
		t.Error("it offers demo people to everyone")
	}
	v := newVisitor(p.url)
	for _, path := range []string{"/login", "/login/demo"} {
		if a := v.must(t, "POST", path, demo); a.status == http.StatusSeeOther {
			t.Errorf("%s lets a demo person in from everywhere", path)
		}
	}
	if a := v.get(t, "/login"); bytes.Contains(a.body, []byte("berkas.test")) {
		t.Error("the sign-in offers demo people")
	}
}
