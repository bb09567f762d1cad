package pg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// The lock that lets one process migrate at a time: "berkas" in ASCII.
const migrationLock = 0x6265726b6173

const createTable = `
create table if not exists schema_migrations (
	version    integer primary key,
	name       text not null,
	sha256     text not null,
	applied_at timestamptz not null default now()
)`

// The function by which a migration says what the program's role may do. It is asked after every migration, the hooks
// included, since they may have brought new tables.
const grantFunction = "public.grant_program(name)"

// migration is one file, NNNN_name.sql.
type migration struct {
	version int
	file    string
	sql     string
	sha256  string
}

// Hook brings further tables of the program up to date, such as the queue's own. It must do nothing when they are.
type Hook func(ctx context.Context, pool *pgxpool.Pool) error

// Migrate brings the database up to date as its owning role: every file NNNN_name.sql of files that was not applied
// yet, in order, each in one transaction, then the hooks. One process migrates at a time; the others wait.
//
// appRole is the role the program works as; at the end the function grant_program(name) of the migrations is called with
// it. It is empty where owner and program share one role.
//
// Where nothing is to be done, any role may call it. Faults: CodePending for a role that may not do what is to be done,
// CodeNewer, CodeChanged, CodeMigration, CodeNoRole, CodeUnreachable, CodeBadDSN.
func Migrate(ctx context.Context, ownerDSN string, files fs.FS, appRole string, hooks ...Hook) error {
	all, err := read(files)
	if err != nil {
		return err
	}
	day := 24 * time.Hour // a migration takes the time it takes
	pool, err := openPool(ctx, ownerDSN, PoolOptions{MaxConns: 4, Name: "berkas migrate", StatementTimeout: day, LockTimeout: day, IdleTransaction: day})
	if err != nil {
		return err
	}
	defer pool.Close()
	return acquired(ctx, pool, func(c *pgxpool.Conn) error {
		if _, err := c.Exec(ctx, "select pg_advisory_lock($1)", migrationLock); err != nil {
			return unreachable(err)
		}
		defer func() { _, _ = c.Exec(context.WithoutCancel(ctx), "select pg_advisory_unlock($1)", migrationLock) }()
		if err := roleExists(ctx, c.Conn(), appRole); err != nil {
			return err
		}
		if err := applyAll(ctx, c.Conn(), all); err != nil {
			return err
		}
		for _, hook := range hooks {
			if err := hook(ctx, pool); err != nil {
				return sentence(CodeMigration, "a further migration failed: %w", err)
			}
		}
		return grant(ctx, c.Conn(), appRole)
	})
}

// Pending lists the files that the database lacks. Faults: CodeNewer, CodeChanged, CodeUnreachable.
func Pending(ctx context.Context, db *DB, files fs.FS) ([]string, error) {
	all, err := read(files)
	if err != nil {
		return nil, err
	}
	var names []string
	err = acquired(ctx, db.Pool, func(c *pgxpool.Conn) error {
		pending, err := compare(ctx, c.Conn(), all)
		for _, m := range pending {
			names = append(names, m.file)
		}
		return err
	})
	return names, err
}

// Check returns CodePending when the database lacks migrations, besides the faults of Pending.
func Check(ctx context.Context, db *DB, files fs.FS) error {
	names, err := Pending(ctx, db, files)
	if err != nil || len(names) == 0 {
		return err
	}
	return lacks(names[0], len(names))
}

// Fingerprint changes whenever Migrate would build another schema from files.
func Fingerprint(files fs.FS) (string, error) {
	all, err := read(files)
	h := sha256.New()
	fmt.Fprintln(h, createTable)
	for _, m := range all {
		fmt.Fprintln(h, m.file, m.sha256)
	}
	return hex.EncodeToString(h.Sum(nil)), err
}

func acquired(ctx context.Context, pool *pgxpool.Pool, use func(*pgxpool.Conn) error) error {
	c, err := pool.Acquire(ctx)
	if err != nil {
		return unreachable(err)
	}
	defer c.Release()
	return use(c)
}

func roleExists(ctx context.Context, c *pgx.Conn, role string) error {
	var exists bool
	if err := c.QueryRow(ctx, "select $1 = '' or exists (select from pg_roles where rolname = $1)", role).Scan(&exists); err != nil {
		return unreachable(err)
	}
	if !exists {
		return sentence(CodeNoRole, "the program's role %q does not exist on the server: create it (create role … login) and migrate again", role)
	}
	return nil
}

func grant(ctx context.Context, c *pgx.Conn, role string) error {
	var defined bool
	err := c.QueryRow(ctx, "select to_regprocedure($1) is not null", grantFunction).Scan(&defined)
	if err == nil && defined && role != "" {
		_, err = c.Exec(ctx, "select grant_program($1)", role)
	}
	if err != nil {
		return sentence(CodeMigration, "the owning role cannot grant rights to %q: %w", role, err)
	}
	return nil
}

// applyAll changes nothing where nothing is to be done, so that the program's role may ask for it too.
func applyAll(ctx context.Context, c *pgx.Conn, all []migration) error {
	pending, err := compare(ctx, c, all)
	if err != nil || len(pending) == 0 {
		return err
	}
	_, err = c.Exec(ctx, createTable)
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == "42501" {
		return lacks(pending[0].file, len(pending))
	}
	if err != nil {
		return sentence(CodeMigration, "the table of migrations cannot be made: %w", err)
	}
	for _, m := range pending {
		if err := apply(ctx, c, m); err != nil {
			return err
		}
	}
	return nil
}

func lacks(first string, n int) error {
	return sentence(CodePending, "the database lacks migrations (%d, the first is %s), and this role may not make them: run portal migrate with the owning role in MIGRATE_DATABASE_URL", n, first)
}

func apply(ctx context.Context, c *pgx.Conn, m migration) error {
	err := pgx.BeginFunc(ctx, c, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, m.sql); err != nil { // without arguments: many statements at once
			return err
		}
		_, err := tx.Exec(ctx, "insert into schema_migrations (version, name, sha256) values ($1, $2, $3)", m.version, m.file, m.sha256)
		return err
	})
	if err != nil {
		return sentence(CodeMigration, "migration %s failed%s: %w", m.file, line(m.sql, err), err)
	}
	return nil
}

// line says where in the file an error lies, when the server does.
func line(sql string, err error) string {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	runes := []rune(sql)
	if !ok || pe.Position <= 0 || int(pe.Position) > len(runes) {
		return ""
	}
	return fmt.Sprintf(" at line %d", 1+strings.Count(string(runes[:pe.Position-1]), "\n"))
}

// compare returns what is to be applied, after holding what was against the files.
func compare(ctx context.Context, c *pgx.Conn, all []migration) ([]migration, error) {
	applied, err := appliedFiles(ctx, c)
	if err != nil {
		return nil, err
	}
	var pending []migration
	known, last := map[int]bool{}, 0
	for _, m := range all {
		known[m.version], last = true, m.version
		switch sum, done := applied[m.version]; {
		case !done:
			pending = append(pending, m)
		case sum != m.sha256:
			return nil, sentence(CodeChanged, "migration %s was changed after it was applied to this database: put it back and write a new one", m.file)
		}
	}
	for version := range applied {
		if !known[version] {
			return nil, sentence(CodeNewer, "the database is newer than this program: it has migration %04d, and this program ends with %04d; "+
				"start the newer Berkas", version, last)
		}
	}
	return pending, nil
}

func appliedFiles(ctx context.Context, c *pgx.Conn) (map[int]string, error) {
	applied := map[int]string{}
	rows, err := c.Query(ctx, "select version, sha256 from schema_migrations")
	if err == nil {
		var version int
		var sum string
		_, err = pgx.ForEachRow(rows, []any{&version, &sum}, func() error {
			applied[version] = sum
			return nil
		})
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == "42P01" { // no such table: nothing was applied
		return applied, nil
	}
	if err != nil {
		return nil, unreachable(err)
	}
	return applied, nil
}

var fileName = regexp.MustCompile(`^(\d{4})_[a-z0-9_]+\.sql$`)

// read takes the files in order of their numbers. A number is used once.
func read(files fs.FS) ([]migration, error) {
	names, err := fs.Glob(files, "*.sql") // sorted, and so by number
	if err != nil {
		return nil, sentence(CodeMigration, "the migrations cannot be read: %w", err)
	}
	var all []migration
	for _, name := range names {
		m := fileName.FindStringSubmatch(name)
		if m == nil {
			return nil, sentence(CodeMigration, "%s is no name for a migration: it takes 0001_name.sql", name)
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, sentence(CodeMigration, "the migrations cannot be read: %w", err)
		}
		version, _ := strconv.Atoi(m[1])
		if n := len(all); n > 0 && all[n-1].version == version {
			return nil, sentence(CodeMigration, "two migrations have the number %s: %s and %s", m[1], all[n-1].file, name)
		}
		all = append(all, migration{version, name, string(b), fmt.Sprintf("%x", sha256.Sum256(b))})
	}
	return all, nil
}
