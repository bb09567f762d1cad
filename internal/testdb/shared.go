package testdb

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/fault"
	"berkas/internal/pg"
)

const (
	helperEnv = "BERKAS_TESTDB_HELPER" // set for the process that runs the shared server: its directory
	idle      = 30 * time.Second       // without a test process the shared server stops after this
	keep      = 24 * time.Hour         // what failed or killed tests left behind goes after this
	pause     = 25 * time.Millisecond
)

// shared is the server of this process's tests, found or started once.
var shared = sync.OnceValues(func() (server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if dsn := os.Getenv("TEST_DATABASE_URL"); dsn != "" {
		if u, err := url.Parse(dsn); err != nil || u.Scheme == "" {
			return server{}, errors.New("TEST_DATABASE_URL takes postgres://user:password@host:port/postgres")
		}
		s := server{admin: dsn, strategy: "wal_log"}
		return s, s.furnish(ctx)
	}
	return join(ctx, filepath.Join(os.TempDir(), fmt.Sprintf("berkas-test-%d", os.Geteuid())))
})

// users is the lock every test process shares for as long as it lives. The helper takes it alone to stop, so a server
// never stops under a test, and a test never joins a server that is stopping.
//
// It returns a bare descriptor, which nobody closes: the end of the process gives the lock back.
func users(dir string) (int, error) {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return 0, err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return 0, err
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !ok || !info.IsDir() || int(st.Uid) != os.Geteuid() {
		return 0, fmt.Errorf("%s belongs to somebody else: remove it, or set TMPDIR", dir)
	}
	return syscall.Open(filepath.Join(dir, "users.lock"), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
}

// join connects to the shared server, starting its helper when nothing answers.
func join(ctx context.Context, dir string) (server, error) {
	lock, err := users(dir)
	if err == nil {
		err = syscall.Flock(lock, syscall.LOCK_SH)
	}
	if err != nil {
		return server{}, err
	}
	s := server{admin: pg.SocketDSN(dir), strategy: "file_copy"} // nothing is synced there, so copying files is quickest
	if s.answers(ctx) == nil {
		return s, nil
	}
	ended, err := startHelper(dir)
	if err != nil {
		return s, err
	}
	for {
		err := s.answers(ctx)
		if err == nil {
			return s, nil
		}
		select {
		case <-ended: // another's helper may have won: then its server answers, or soon will
			if why, failed := os.ReadFile(filepath.Join(dir, "helper.err")); failed == nil && len(why) > 0 {
				return s, errors.New(string(why))
			}
		case <-ctx.Done():
			return s, fmt.Errorf("the shared server in %s does not answer: %w", dir, err)
		default:
		}
		time.Sleep(pause)
	}
}

// answers reports whether the server is up with all it needs.
func (s server) answers(ctx context.Context) error {
	return s.use(ctx, pg.Database, func(c *pgx.Conn) error { return c.Ping(ctx) })
}

// startHelper runs this test program once more, as the helper; see init.
func startHelper(dir string) (<-chan struct{}, error) {
	exe, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.Command(exe)
	c.Env = append(os.Environ(), helperEnv+"="+dir)
	c.Dir = dir
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // neither Ctrl-C nor the end of this test ends it
	if err := c.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = c.Wait()
	}()
	return ended, nil
}

// A test program started with helperEnv is the helper and runs no test.
func init() {
	if dir := os.Getenv(helperEnv); dir != "" {
		os.Exit(help(context.Background(), dir))
	}
}

// help runs the shared server until no test process was seen for a while.
func help(ctx context.Context, dir string) int {
	report := filepath.Join(dir, "helper.err")
	_ = os.Remove(report)
	s, err := startServer(ctx, dir)
	if fault.Code(err) == pg.CodeInUse {
		return 0
	}
	if err != nil {
		_ = os.WriteFile(report, []byte(sentence(err).Error()), 0o600)
		return 1
	}
	defer s.Close()
	_ = server{admin: s.OwnerDSN()}.sweep(ctx) // what cannot be dropped now can be later
	lock, err := users(dir)
	if err != nil {
		return 1
	}
	for last := time.Now(); time.Since(last) < idle; {
		select {
		case <-s.Done():
			return 1
		case <-time.After(time.Second):
		}
		if syscall.Flock(lock, syscall.LOCK_EX|syscall.LOCK_NB) != nil {
			last = time.Now()
			continue
		}
		if time.Since(last) < idle {
			_ = syscall.Flock(lock, syscall.LOCK_UN)
		}
	}
	return 0 // the lock goes with the process, after the server
}

// startServer starts it on what is there, and from nothing when that cannot be used: it holds no more than tests.
func startServer(ctx context.Context, dir string) (*pg.Server, error) {
	o := pg.Options{Dir: dir, Bin: os.Getenv("BERKAS_PG_BIN"), Fast: true, MaxConnections: 300}
	s, err := pg.Start(ctx, o)
	switch fault.Code(err) {
	case pg.CodeOtherMajor, pg.CodeStart, pg.CodeDataDir:
		if os.RemoveAll(filepath.Join(dir, "pg")) == nil {
			return pg.Start(ctx, o)
		}
	}
	return s, err
}

// sweep drops what is old: databases of failed or killed tests, templates of earlier migrations.
func (s server) sweep(ctx context.Context) error {
	var old []string
	err := s.use(ctx, "postgres", func(c *pgx.Conn) error {
		rows, err := c.Query(ctx, `select datname from pg_database where datname ~ '^berkas_(test|template)_'
			and (pg_stat_file('base/' || oid || '/PG_VERSION')).modification < now() - make_interval(secs => $1)`, keep.Seconds())
		if err == nil {
			old, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		return err
	})
	for _, name := range old {
		err = errors.Join(err, s.exec(ctx, "drop database if exists "+name+" with (force)"))
	}
	return err
}
