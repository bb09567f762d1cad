package testdb_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"berkas/internal/pg"
	"berkas/internal/testdb"
	"berkas/migrations"
)

// What the other tests watch from outside, as a process of its own; by itself it is a plain use of the package.
func TestChild(t *testing.T) {
	d := testdb.Create(t)
	testdb.Open(t, d.DSN)
	fmt.Println("made", d.OwnerDSN)
	if os.Getenv("BERKAS_TESTDB_CHILD") == "fail" {
		t.Error("told to fail")
	}
}

func child(t *testing.T, how, tmp string) (dsn, out string, err error) {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	c.Env = append(os.Environ(), "BERKAS_TESTDB_CHILD="+how, "TMPDIR="+tmp)
	b, err := c.CombinedOutput()
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "made "); ok {
			dsn = strings.TrimSpace(rest)
		}
	}
	return dsn, string(b), err
}

func TestEachHasItsOwn(t *testing.T) {
	t.Parallel()
	a, b := testdb.New(t), testdb.New(t)
	if _, err := a.Pool.Exec(t.Context(), "insert into settings (name, value) values ('x', '1')"); err != nil {
		t.Fatal(err)
	}
	var n int64
	if err := b.Gorm.Raw("select count(*) from settings").Scan(&n).Error; err != nil || n != 0 {
		t.Errorf("the other database has %d rows: %v", n, err)
	}
	var role string
	if err := a.Pool.QueryRow(t.Context(), "select current_user from river_job right join (select 1) x on true").Scan(&role); err != nil || role != pg.AppRole {
		t.Errorf("works as %q: %v", role, err)
	}
}

func TestTheProgramsRoleCannotRewriteHistory(t *testing.T) {
	t.Parallel()
	db := testdb.New(t)
	for _, sql := range []string{"delete from audit", "update audit set action = ''", "truncate audit", "drop table audit",
		"update schema_migrations set sha256 = ''"} {
		if _, err := db.Pool.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: done", sql)
		}
	}
}

// A serve that was not given the owning role migrates as its own, which must find nothing to do.
func TestTheProgramsRoleHasNothingToMigrate(t *testing.T) {
	t.Parallel()
	d := testdb.Create(t)
	queue := func(ctx context.Context, pool *pgxpool.Pool) error {
		m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			return err
		}
		_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
		return err
	}
	if err := pg.Migrate(t.Context(), d.DSN, migrations.FS, "", queue); err != nil {
		t.Error(err)
	}
}

func TestCloningIsFast(t *testing.T) {
	testdb.Create(t)
	best := time.Hour
	for range 5 {
		begin := time.Now()
		testdb.Create(t)
		best = min(best, time.Since(begin))
	}
	t.Log("one clone:", best)
	if best > 10*time.Second { // 15 ms on an idle machine
		t.Errorf("a database takes %v", best)
	}
}

func TestDroppedWhenPassedKeptWhenFailed(t *testing.T) {
	t.Parallel()
	dsn, out, err := child(t, "pass", os.TempDir())
	if err != nil {
		t.Fatal(out)
	}
	if c, err := pgx.Connect(t.Context(), dsn); err == nil {
		c.Close(t.Context())
		t.Error("the database of a passed test is still there")
	}
	dsn, out, err = child(t, "fail", os.TempDir())
	if err == nil || !strings.Contains(out, dsn+`"`) || !strings.Contains(out, "is kept") {
		t.Errorf("a failed test does not say where its database is: %s", out)
	}
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal("the database of a failed test is gone:", err)
	}
	c.Close(t.Context())
	drop(t, dsn)
}

func drop(t *testing.T, dsn string) {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := c.Database
	c.Database = "postgres"
	conn, err := pgx.ConnectConfig(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "drop database "+name); err != nil {
		t.Error(err)
	}
}

// Several packages' tests start at the same moment on a machine that has no server yet; later one finds that the
// helper was killed.
func TestManyProcessesShareOneServer(t *testing.T) {
	if os.Getenv("TEST_DATABASE_URL") != "" {
		return // then the server is somebody else's to run
	}
	t.Parallel()
	tmp, err := os.MkdirTemp("", "testdb-")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(tmp, fmt.Sprintf("berkas-test-%d", os.Geteuid()))
	t.Cleanup(func() { stopHelper(t, dir); _ = os.RemoveAll(tmp) })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, out, err := child(t, "pass", tmp); err != nil {
				t.Error(out)
			}
		})
	}
	wg.Wait()
	stopHelper(t, dir)
	if _, out, err := child(t, "pass", tmp); err != nil {
		t.Error("after the helper was killed:", out)
	}
}

func stopHelper(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "owner.lock"))
	var pid int
	if err == nil {
		_, err = fmt.Sscan(string(b), &pid)
	}
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGKILL)
	}
	if err != nil {
		t.Error("no helper to be killed:", err)
	}
}

func TestAMissingPostgreSQLFails(t *testing.T) {
	if os.Getenv("TEST_DATABASE_URL") != "" {
		return
	}
	t.Parallel()
	tmp, err := os.MkdirTemp("", "testdb-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	c := exec.Command(os.Args[0], "-test.run=^TestChild$")
	c.Env = append(os.Environ(), "TMPDIR="+tmp, "BERKAS_PG_BIN="+tmp)
	if out, err := c.CombinedOutput(); err == nil || !strings.Contains(string(out), "apt-get install") {
		t.Errorf("%v: %s", err, out)
	}
}
