package pg_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/jackc/pgx/v5/pgxpool"

	"berkas/internal/pg"
	"berkas/internal/testdb"
)

func files(pairs ...string) fstest.MapFS {
	fs := fstest.MapFS{}
	for i := 0; i < len(pairs); i += 2 {
		fs[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fs
}

const (
	one = `create table things (id int); insert into things values (1);
		create function grant_program(program name) returns void language plpgsql as $$ begin
			execute format('grant select on things, schema_migrations to %I', program);
		end $$;`
	two = `insert into things values (2)`
)

func mustMigrate(t *testing.T, d testdb.Database, fs fstest.MapFS, hooks ...pg.Hook) {
	t.Helper()
	if err := pg.Migrate(t.Context(), d.OwnerDSN, fs, pg.AppRole, hooks...); err != nil {
		t.Fatal(err)
	}
}

func TestMigrateForward(t *testing.T) {
	t.Parallel()
	d := testdb.CreateEmpty(t)
	db := testdb.Open(t, d.DSN)
	if names, err := pg.Pending(t.Context(), db, files("0001_one.sql", one)); err != nil || len(names) != 1 {
		t.Errorf("of an empty database: %v %v", names, err)
	}
	mustMigrate(t, d, files("0001_one.sql", one))
	mustMigrate(t, d, files("0001_one.sql", one))
	both := files("0001_one.sql", one, "0002_two.sql", two)
	wantFault(t, pg.Check(t.Context(), db, both), pg.CodePending, "(1, the first is 0002_two.sql)", "portal migrate")
	mustMigrate(t, d, both)
	if err := pg.Check(t.Context(), db, both); err != nil {
		t.Error(err)
	}
	if got := query(t, d.DSN, "select string_agg(id::text, ',' order by id) from things"); got != "1,2" {
		t.Errorf("things are %s", got)
	}
	if got := query(t, d.DSN, "select string_agg(name, ' ' order by version) from schema_migrations"); got != "0001_one.sql 0002_two.sql" {
		t.Error(got)
	}
}

func TestMigrateRefuses(t *testing.T) {
	t.Parallel()
	d := testdb.CreateEmpty(t)
	both := files("0001_one.sql", one, "0002_two.sql", two)
	mustMigrate(t, d, both)
	for name, c := range map[string]struct {
		fs    fstest.MapFS
		code  string
		words []string
	}{
		"a newer database": {files("0001_one.sql", one), pg.CodeNewer, []string{"newer than this program", "0002", "0001"}},
		"a changed file":   {files("0001_one.sql", one, "0002_two.sql", two+" "), pg.CodeChanged, []string{"0002_two.sql"}},
		"one number twice": {files("0001_a.sql", "", "0001_b.sql", ""), pg.CodeMigration, []string{"0001_a.sql", "0001_b.sql"}},
		"a bad name":       {files("1.sql", ""), pg.CodeMigration, []string{"1.sql"}},
	} {
		t.Run(name, func(t *testing.T) {
			wantFault(t, pg.Migrate(t.Context(), d.OwnerDSN, c.fs, pg.AppRole), c.code, c.words...)
			if err := pg.Check(t.Context(), testdb.Open(t, d.DSN), c.fs); err == nil {
				t.Error("Check lets it pass")
			}
		})
	}
	wantFault(t, pg.Migrate(t.Context(), d.OwnerDSN, both, "no_such_role"), pg.CodeNoRole, "no_such_role")
	if err := pg.Migrate(t.Context(), d.DSN, both, ""); err != nil {
		t.Error("the program's role, with nothing to be done:", err)
	}
	three := files("0001_one.sql", one, "0002_two.sql", two, "0003_three.sql", "select 1")
	wantFault(t, pg.Migrate(t.Context(), d.DSN, three, ""), pg.CodePending, "0003_three.sql", "MIGRATE_DATABASE_URL")
}

func TestMigrateAllOfAFileOrNothing(t *testing.T) {
	t.Parallel()
	d := testdb.CreateEmpty(t)
	broken := "create table half (id int);\n\ninsert into nowhere values (1);"
	err := pg.Migrate(t.Context(), d.OwnerDSN, files("0001_one.sql", one, "0002_broken.sql", broken), "")
	wantFault(t, err, pg.CodeMigration, "0002_broken.sql", "line 3", "nowhere")
	if got := query(t, d.OwnerDSN, "select coalesce(to_regclass('half')::text, 'gone')"); got != "gone" {
		t.Error("half of a file was kept")
	}
	mustMigrate(t, d, files("0001_one.sql", one, "0002_two.sql", two))
}

func TestMigrateOneAtATime(t *testing.T) {
	t.Parallel()
	d := testdb.CreateEmpty(t)
	var inside, most atomic.Int32
	hook := func(ctx context.Context, pool *pgxpool.Pool) error {
		most.Store(max(most.Load(), inside.Add(1)))
		defer inside.Add(-1)
		_, err := pool.Exec(ctx, "create table if not exists extra (id int)")
		return err
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := pg.Migrate(t.Context(), d.OwnerDSN, files("0001_one.sql", one), pg.AppRole, hook); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d at once", most.Load())
	}
	failing := func(context.Context, *pgxpool.Pool) error { return errors.New("no queue") }
	wantFault(t, pg.Migrate(t.Context(), d.OwnerDSN, files("0001_one.sql", one), "", failing), pg.CodeMigration, "no queue")
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	a, err := pg.Fingerprint(files("0001_one.sql", one))
	b, err2 := pg.Fingerprint(files("0001_one.sql", one+" "))
	if err != nil || err2 != nil || a == b || len(a) != 64 || strings.Trim(a, "0123456789abcdef") != "" {
		t.Error(a, b, err, err2)
	}
}
