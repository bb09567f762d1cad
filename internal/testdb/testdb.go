package testdb

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"berkas/internal/fault"
	"berkas/internal/pg"
	"berkas/migrations"
)

const (
	prefix   = "berkas_test_" // of every database made here
	password = "berkas"       // of the program's role on a server that asks for one
	patience = time.Minute
)

// Database is one test's own.
type Database struct {
	Name     string
	DSN      string // as the program's role, the one Berkas works as
	OwnerDSN string // as the owning role, which migrates
}

// New returns a migrated database for this test alone, opened as the program's role and closed with the test.
func New(t testing.TB) *pg.DB {
	t.Helper()
	return Open(t, Create(t).DSN)
}

// Open connects to a database by its DSN, and closes the connections with the test.
func Open(t testing.TB, dsn string) *pg.DB {
	t.Helper()
	db, err := pg.Open(t.Context(), dsn, pg.PoolOptions{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	return db
}

// Create returns a migrated database for this test alone.
func Create(t testing.TB) Database {
	t.Helper()
	return create(t, migrated)
}

// CreateEmpty returns a database without a table, for tests of migrations.
func CreateEmpty(t testing.TB) Database {
	t.Helper()
	return create(t, func(context.Context, server) (string, error) { return "template0", nil })
}

func create(t testing.TB, template func(context.Context, server) (string, error)) Database {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := shared()
	if err != nil {
		t.Fatalf("testdb: %v", sentence(err))
	}
	from, err := template(ctx, s)
	if err != nil {
		t.Fatalf("testdb: %v", sentence(err))
	}
	name := prefix + strings.ToLower(rand.Text()[:12])
	if err := s.exec(ctx, fmt.Sprintf("create database %s template %s strategy %s", name, from, s.strategy)); err != nil {
		t.Fatalf("testdb: %v", err)
	}
	d := Database{Name: name, DSN: s.dsn(pg.AppRole, name), OwnerDSN: s.dsn("", name)}
	t.Cleanup(func() { d.finish(t, s) })
	return d
}

func (d Database) finish(t testing.TB, s server) {
	if t.Failed() {
		t.Logf("the database of this failed test is kept: psql %q", d.OwnerDSN)
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.exec(ctx, "drop database if exists "+d.Name+" with (force)"); err != nil {
		t.Errorf("testdb: %v", err)
	}
}

// server is the one all databases are on, as its owning role.
type server struct {
	admin    string // connection string of the owning role
	strategy string // by which it clones
}

// dsn is the connection string for a database; the owner's when role is empty.
func (s server) dsn(role, database string) string {
	u, err := url.Parse(s.admin)
	if err != nil {
		panic(err) // connected before, so it parses
	}
	u.Path = "/" + database
	if role != "" {
		if _, protected := u.User.Password(); protected {
			u.User = url.UserPassword(role, password)
		} else {
			u.User = url.User(role)
		}
	}
	return u.String()
}

func (s server) exec(ctx context.Context, sql string) error {
	return s.use(ctx, "postgres", func(c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	})
}

func (s server) use(ctx context.Context, database string, do func(*pgx.Conn) error) error {
	c, err := pgx.Connect(ctx, s.dsn("", database))
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return do(c)
}

// migrated is the name of the template with the present migrations, built by the first process that asks for it.
var migrated = func() func(context.Context, server) (string, error) {
	var mu sync.Mutex
	var name string
	return func(ctx context.Context, s server) (string, error) {
		mu.Lock()
		defer mu.Unlock()
		if name != "" {
			return name, nil
		}
		want, err := templateName(migrations.FS)
		if err == nil {
			err = s.build(ctx, want)
		}
		if err == nil {
			name = want
		}
		return name, err
	}
}()

func templateName(files fs.FS) (string, error) {
	sum, err := pg.Fingerprint(files)
	if err != nil {
		return "", err
	}
	queue, err := queueFingerprint()
	return "berkas_template_" + sum[:16] + "_" + queue[:8], err
}

// build makes the template under another name and gives it its own when it is whole.
func (s server) build(ctx context.Context, name string) error {
	return s.use(ctx, "postgres", func(c *pgx.Conn) error {
		if _, err := c.Exec(ctx, "select pg_advisory_lock(hashtext('berkas template'))"); err != nil { // until c is closed
			return err
		}
		var exists bool
		if err := c.QueryRow(ctx, "select exists (select from pg_database where datname = $1)", name).Scan(&exists); err != nil || exists {
			return err
		}
		draft := name + "_draft"
		for _, sql := range []string{"drop database if exists " + draft + " with (force)", "create database " + draft + " template template0"} {
			if _, err := c.Exec(ctx, sql); err != nil {
				return err
			}
		}
		if err := pg.Migrate(ctx, s.dsn("", draft), migrations.FS, pg.AppRole, migrateQueue); err != nil {
			_, _ = c.Exec(ctx, "drop database if exists "+draft+" with (force)")
			return err
		}
		_, err := c.Exec(ctx, fmt.Sprintf("alter database %s rename to %s", draft, name))
		return err
	})
}

// furnish makes the program's role on a server that is not ours, where it may be missing.
func (s server) furnish(ctx context.Context) error {
	err := s.exec(ctx, fmt.Sprintf("create role %s login password '%s'", pg.AppRole, password))
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && (pe.Code == "42710" || pe.Code == "23505") { // it exists, or is just being made
		return nil
	}
	return err
}

// sentence is what a fault says to the person at the terminal.
func sentence(err error) error {
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Err != nil {
		return f.Err
	}
	return err
}
