package pg_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/fault"
	"berkas/internal/pg"
)

// shortDir is a directory whose name leaves room for that of a socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berkas-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func startHere(t *testing.T, o pg.Options) *pg.Server {
	t.Helper()
	s, err := pg.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func execute(t *testing.T, dsn, sql string) {
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

func query(t *testing.T, dsn, sql string) (answer string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	if err := c.QueryRow(t.Context(), sql).Scan(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func owner(dsn string) string { return strings.Replace(dsn, pg.AppRole+"@", pg.OwnerRole+"@", 1) }

func wantFault(t *testing.T, err error, code string, words ...string) {
	t.Helper()
	if fault.Code(err) != code {
		t.Fatalf("got %v, want the fault %s", err, code)
	}
	says := fault.As(err).Err.Error()
	for _, w := range words {
		if !strings.Contains(says, w) {
			t.Errorf("the sentence %q lacks %q", says, w)
		}
	}
	if strings.Contains(says, "\n") {
		t.Errorf("%q is more than a sentence", says)
	}
}

func TestColdWarmAndStop(t *testing.T) {
	dir := shortDir(t)
	for _, cold := range []bool{true, false} {
		begin := time.Now()
		s := startHere(t, pg.Options{Dir: dir})
		t.Logf("cold %v: start %v", s.Cold(), time.Since(begin))
		if s.Cold() != cold || !s.Started() {
			t.Errorf("cold %v, started %v", s.Cold(), s.Started())
		}
		if cold {
			execute(t, s.OwnerDSN(), "create table kept (x int)")
		}
		query(t, s.OwnerDSN(), "select count(*)::text from kept")
		if got := query(t, s.DSN(), "select current_user || ' ' || current_database()"); got != "berkas berkas" {
			t.Errorf("the program works as %s", got)
		}
		begin = time.Now()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("stop %v", time.Since(begin))
		select {
		case <-s.Done():
		default:
			t.Error("closed, but not done")
		}
		if err := s.Close(); err != nil {
			t.Error("the second Close:", err)
		}
	}
}

func TestDurable(t *testing.T) {
	s := startHere(t, pg.Options{Dir: shortDir(t)})
	for _, name := range []string{"fsync", "full_page_writes", "synchronous_commit", "data_checksums"} {
		if got := query(t, s.OwnerDSN(), "show "+name); got != "on" {
			t.Errorf("%s is %s", name, got)
		}
	}
	if got := query(t, s.DSN(), "select rolsuper::text from pg_roles where rolname = current_user"); got != "false" {
		t.Error("the program's role is a superuser")
	}
	if info, err := os.Stat(filepath.Join(filepath.Dir(socket(t, s.DSN())), "run")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may reach the socket: %v %v", info.Mode(), err)
	}
}

func socket(t *testing.T, dsn string) string {
	t.Helper()
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return c.Host
}

func TestASecondOwnerIsRefusedAndABorrowerJoins(t *testing.T) {
	dir := shortDir(t)
	first := start(t, dir, false)
	dsn := first.ready(t)
	_, err := pg.Start(t.Context(), pg.Options{Dir: dir})
	wantFault(t, err, pg.CodeInUse, fmt.Sprintf("another Berkas (process %d) already runs on %s", first.Process.Pid, dir))

	s := startHere(t, pg.Options{Dir: dir, Mode: pg.Borrow})
	if s.Started() {
		t.Error("the borrower started a server although one runs")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	query(t, dsn, "select 'still there'")
}

func TestBorrowersTakeTurnsAndAnOwnerWaitsForThem(t *testing.T) {
	dir := shortDir(t)
	borrower := start(t, dir, false, "BERKAS_PG_TEST_BORROW=1")
	borrower.ready(t)
	second := start(t, dir, false, "BERKAS_PG_TEST_BORROW=1")
	serve := start(t, dir, false)
	borrower.terminate(t)
	_ = second.Process.Signal(syscall.SIGTERM) // whether its turn has come or not
	_ = second.Wait()
	query(t, serve.ready(t), "select 'here'")
}

func TestKilledAnywhere(t *testing.T) {
	for _, who := range []struct {
		name   string
		nobody bool
	}{{"as we are", false}, {"as an ordinary user", true}} {
		t.Run(who.name, func(t *testing.T) {
			t.Parallel()
			if who.nobody && os.Geteuid() != 0 {
				return // we are one already
			}
			uid := os.Geteuid()
			if who.nobody {
				uid = nobody
			}
			killAnywhere(t, filepath.Join(nobodysDir(t, uid), "data"), who.nobody)
		})
	}
}

func killAnywhere(t *testing.T, dir string, asNobody bool) {
	b := start(t, dir, asNobody)
	dsn := b.ready(t)
	execute(t, owner(dsn), "create table kept (x int)")
	rows := 0
	insert := func() {
		execute(t, owner(dsn), "insert into kept values (1)")
		rows++
	}
	again := func(name string) {
		t.Helper()
		begin := time.Now()
		b = start(t, dir, asNobody)
		b.ready(t)
		if got := query(t, owner(dsn), "select count(*)::text from kept"); got != fmt.Sprint(rows) {
			t.Fatalf("%s: %s rows, want %d", name, got, rows)
		}
		t.Logf("%s: up again after %v", name, time.Since(begin))
	}

	insert()
	b.kill(t)
	again("Berkas killed")

	insert()
	kill(t, postmaster(t, dir), syscall.SIGKILL)
	if line := b.line(t); line != "ended" {
		t.Fatalf("the server's death is not seen: %s", line)
	}
	_ = b.Wait()
	again("server killed")

	insert()
	kill(t, postmaster(t, dir), syscall.SIGKILL)
	b.kill(t)
	again("both killed")

	insert()
	kill(t, postmaster(t, dir), syscall.SIGSTOP) // an orphan that cannot hear the kernel's signal yet
	orphan := postmaster(t, dir)
	b.kill(t)
	time.AfterFunc(300*time.Millisecond, func() { _ = syscall.Kill(orphan, syscall.SIGCONT) })
	again("an orphan left")

	b.terminate(t)
	again("ended in order")
	b.kill(t)
	for i := range 8 { // somewhere in the middle of starting
		c := start(t, dir, asNobody)
		time.AfterFunc(time.Duration(i)*15*time.Millisecond, func() { _ = c.Process.Kill() })
		_ = c.Wait()
	}
	again("killed while starting")
	b.terminate(t)
}

func kill(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}

func TestKilledWhileMakingTheDataDirectory(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	for i := range 6 {
		b := start(t, dir, false)
		time.AfterFunc(time.Duration(i)*80*time.Millisecond, func() { _ = b.Process.Kill() })
		_ = b.Wait()
	}
	b := start(t, dir, false)
	b.ready(t)
	b.terminate(t)
}

// Ctrl-C goes to the whole process group of the terminal; the server must outlive Berkas' own orderly end.
func TestCtrlCReachesBerkasOnly(t *testing.T) {
	t.Parallel()
	b := start(t, shortDir(t), false)
	b.ready(t)
	if err := syscall.Kill(-b.Process.Pid, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if line := b.line(t); line != "closed" { // and not "ended"
		t.Fatalf("the helper said %q", line)
	}
}

// A directory keeps the owner it has: root runs an ordinary user's server as that user.
func TestRootRunsAnotherUsersServer(t *testing.T) {
	if os.Geteuid() != 0 {
		return // only root can
	}
	t.Parallel()
	dir := filepath.Join(nobodysDir(t, nobody), "data")
	b := start(t, dir, true)
	b.ready(t)
	b.terminate(t)
	s := startHere(t, pg.Options{Dir: dir})
	execute(t, s.OwnerDSN(), "create table kept (x int)")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := start(t, dir, true)
	query(t, owner(again.ready(t)), "select count(*)::text from kept")
}

func TestStalePidFiles(t *testing.T) {
	t.Parallel()
	dir := shortDir(t)
	startHere(t, pg.Options{Dir: dir, Fast: true}).Close()
	for name, content := range map[string]string{
		"another program's": fmt.Sprintf("%d\n%s\n", os.Getpid(), filepath.Join(dir, "pg")),
		"nobody's":          "999999999\n",
		"init's":            "1\n",
		"cut off":           "",
		"nonsense":          "x\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, "pg", "postmaster.pid"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := pg.Start(t.Context(), pg.Options{Dir: dir, Fast: true})
		if err != nil {
			t.Fatal(name, err)
		}
		s.Close()
	}
}

func TestALongPath(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(nobodysDir(t, os.Geteuid()), strings.Repeat("long ", 20), "it's 100% {odd}")
	s := startHere(t, pg.Options{Dir: dir, Fast: true})
	query(t, s.DSN(), "select 'here'")
	t.Cleanup(func() { _ = os.RemoveAll(socket(t, s.DSN())) })
	joined := startHere(t, pg.Options{Dir: dir, Mode: pg.Borrow, Fast: true})
	if joined.Started() {
		t.Error("not joined")
	}
	query(t, joined.DSN(), "select 'here'")
}

func TestSentences(t *testing.T) {
	t.Parallel()
	t.Run("no programs", func(t *testing.T) {
		_, err := pg.Start(t.Context(), pg.Options{Dir: shortDir(t), Bin: t.TempDir()})
		wantFault(t, err, pg.CodeNoPrograms, "apt-get install", "DATABASE_URL", "BERKAS_PG_BIN")
	})
	t.Run("programs too old", func(t *testing.T) {
		bin := t.TempDir()
		fakePrograms(t, bin, "13.4")
		_, err := pg.Start(t.Context(), pg.Options{Dir: shortDir(t), Bin: bin})
		wantFault(t, err, pg.CodeNoPrograms, "13", "15 to 18")
	})
	t.Run("another major", func(t *testing.T) {
		dir := shortDir(t)
		mkdata(t, dir, "11\n")
		_, err := pg.Start(t.Context(), pg.Options{Dir: dir})
		wantFault(t, err, pg.CodeOtherMajor, "PostgreSQL 11", "postgresql-11")
	})
	t.Run("no data directory", func(t *testing.T) {
		dir := shortDir(t)
		if err := os.Mkdir(filepath.Join(dir, "pg"), 0o700); err != nil {
			t.Fatal(err)
		}
		_, err := pg.Start(t.Context(), pg.Options{Dir: dir})
		wantFault(t, err, pg.CodeDataDir, "PG_VERSION")
	})
	t.Run("a file in the way", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := pg.Start(t.Context(), pg.Options{Dir: file})
		wantFault(t, err, pg.CodeDataDir, file)
	})
	t.Run("not writable", func(t *testing.T) {
		if os.Geteuid() != 0 {
			dir := t.TempDir()
			_ = os.Chmod(dir, 0o500)
			_, err := pg.Start(t.Context(), pg.Options{Dir: dir})
			wantFault(t, err, pg.CodeDataDir, dir, "permission denied")
			return
		}
		dir := nobodysDir(t, 0)
		b := start(t, dir, true)
		if line := b.line(t); !strings.HasPrefix(line, "error "+pg.CodeDataDir) || !strings.Contains(line, dir) {
			t.Error(line)
		}
	})
	t.Run("a broken configuration", func(t *testing.T) {
		dir := shortDir(t)
		startHere(t, pg.Options{Dir: dir, Fast: true}).Close()
		if err := os.WriteFile(filepath.Join(dir, "pg", "postgresql.conf"), []byte("nonsense = 1\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := pg.Start(t.Context(), pg.Options{Dir: dir})
		wantFault(t, err, pg.CodeStart, "postgres.log")
		if _, err := pg.Start(t.Context(), pg.Options{Dir: dir}); fault.Code(err) == pg.CodeInUse {
			t.Error("a failed start kept the lock")
		}
	})
	t.Run("given up", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		dir := shortDir(t)
		if _, err := pg.Start(ctx, pg.Options{Dir: dir}); err == nil {
			t.Error("started in no time")
		}
		startHere(t, pg.Options{Dir: dir, Fast: true})
	})
}

func fakePrograms(t *testing.T, bin, version string) {
	t.Helper()
	for _, name := range []string{"postgres", "initdb"} {
		script := "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n"
		if err := os.WriteFile(filepath.Join(bin, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

func mkdata(t *testing.T, dir, version string) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "pg"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "pg", "PG_VERSION"), []byte(version), 0o600); err != nil {
		t.Fatal(err)
	}
}
