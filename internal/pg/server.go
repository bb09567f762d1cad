package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The names inside the server that Berkas runs for itself. The owner migrates; the program works as the other role,
// which may do no more than the migrations grant it.
const (
	Database  = "berkas"
	OwnerRole = "berkas_owner"
	AppRole   = "berkas"
)

// Mode says what a process wants of a data directory.
type Mode int

const (
	// Own is for serve: this process runs the server, and another one that does already is an error (CodeInUse).
	Own Mode = iota
	// Borrow is for every other subcommand: the server of a running serve is used, and when there is none, one is
	// started until Close. Borrowers that start one take turns.
	Borrow
)

// Options of Start.
type Options struct {
	Dir            string // DATA_DIR; made when missing
	Bin            string // directory of the server programs; empty looks in the usual places
	Mode           Mode
	Fast           bool // for tests only: a crash of the machine may lose everything
	MaxConnections int  // 60 when 0
	Log            *slog.Logger
}

// Server is a PostgreSQL server on a private data directory, reached through a Unix socket only.
type Server struct {
	dir, run string
	log      *slog.Logger

	// Only in the process that runs the server:
	lock    *os.File
	process *os.Process
	ended   chan struct{} // closed when the server process has ended
	cold    bool
	close   func() error
}

// Start runs a PostgreSQL server on o.Dir with the programs found on this machine, or, with Borrow, joins the one that
// runs there. When it returns, the server answers and has the database and both roles. What a killed run left behind
// is put in order first. It works for root, as whom PostgreSQL itself refuses to run, and for an ordinary user.
func Start(ctx context.Context, o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxConnections == 0 {
		o.MaxConnections = 60
	}
	dir, err := makeDir(o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Server{dir: dir, run: socketDir(dir), log: o.Log, ended: make(chan struct{})}
	s.close = sync.OnceValue(s.stop)
	lock, owner, err := acquire(ctx, dir, filepath.Join(dir, "owner.lock"), holder{os.Getpid(), o.Mode, s.run},
		func(run string) bool { return ping(ctx, serverURL(run, AppRole, Database)) == nil })
	if err != nil {
		return nil, err
	}
	if s.run = owner.run; lock == nil {
		return s, nil
	}
	s.lock = lock
	if err := s.serve(ctx, o); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// DSN is the connection string of the program's role.
func (s *Server) DSN() string { return serverURL(s.run, AppRole, Database) }

// OwnerDSN is the connection string of the owning role, for Migrate.
func (s *Server) OwnerDSN() string { return serverURL(s.run, OwnerRole, Database) }

// Started reports whether this process runs the server; false when it joined another's.
func (s *Server) Started() bool { return s.lock != nil }

// Cold reports whether Start had to make a new data directory.
func (s *Server) Cold() bool { return s.cold }

// Done is closed when the server has ended, by Close or by itself. A joined server's end is not seen.
func (s *Server) Done() <-chan struct{} { return s.ended }

// Close stops the server: sessions are ended, and everything is on disk when it returns. A joined server goes on.
// Further calls do nothing.
func (s *Server) Close() error { return s.close() }

// serve brings the server up; the lock is ours.
func (s *Server) serve(ctx context.Context, o Options) error {
	data := filepath.Join(s.dir, "pg")
	major, err := dataMajor(data)
	if err != nil {
		return err
	}
	p, err := findPrograms(ctx, o.Bin, major)
	if err != nil {
		return err
	}
	id, err := chooseIdentity(ctx, p, s.dir)
	if err != nil {
		return err
	}
	if err := settle(ctx, data); err != nil {
		return err
	}
	removeDrafts(s.dir)
	if s.cold = major == 0; s.cold {
		if err := initialise(ctx, p, id, data, o.Fast); err != nil {
			return err
		}
	}
	if err := s.prepareRun(id); err != nil {
		return err
	}
	if err := id.give(data); err != nil {
		return dirFault(data, err)
	}
	return s.launch(ctx, p, id, o)
}

// launch starts the postmaster and waits until it answers.
func (s *Server) launch(ctx context.Context, p programs, id identity, o Options) error {
	begin := time.Now()
	journal, err := openJournal(filepath.Join(s.dir, "postgres.log"))
	if err != nil {
		return dirFault(s.dir, err)
	}
	defer journal.Close()
	// Not ctx's to kill: the end of a request to start must not be a crash of the database.
	c := id.command(context.WithoutCancel(ctx), s.dir, p.path("postgres"), s.settings(o)...)
	c.Stdout, c.Stderr = journal, journal
	done, err := start(ctx, c)
	if err != nil {
		return sentence(CodeStart, "cannot start %s: %w", p.path("postgres"), err)
	}
	s.process = c.Process
	go func() {
		err := <-done
		s.log.Debug("PostgreSQL ended", "err", err)
		close(s.ended)
	}()
	if err := s.ready(ctx, journal); err != nil {
		return err
	}
	s.log.Debug("PostgreSQL runs", "version", p.major, "programs", p.dir, "new", s.cold, "took", time.Since(begin))
	return nil
}

func (s *Server) settings(o Options) []string {
	args := []string{"-D", filepath.Join(s.dir, "pg"), "-k", s.run}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", "")
	set("port", "5432") // names the socket file; nothing listens on it
	set("unix_socket_permissions", "0700")
	set("max_connections", strconv.Itoa(o.MaxConnections))
	set("shared_buffers", fmt.Sprint(buffersMB(sizeOf(filepath.Join(s.dir, "pg", "base")), memory()), "MB"))
	if runtime.GOOS == "linux" { // elsewhere the server refuses to read ahead
		set("effective_io_concurrency", "64")
	}
	set("jit", "off")
	set("timezone", "UTC")
	set("log_timezone", "UTC")
	// The journal must not repeat what people typed: no statements, no details of constraints.
	set("log_error_verbosity", "terse")
	set("log_min_error_statement", "panic")
	set("log_min_messages", "warning")
	set("log_checkpoints", "off")
	if o.Fast {
		for _, name := range []string{"fsync", "synchronous_commit", "full_page_writes", "autovacuum"} {
			set(name, "off")
		}
		set("wal_level", "minimal")
		set("max_wal_senders", "0")
		set("max_wal_size", "1GB")
	}
	return args
}

// ready waits until the server answers, with its database and roles in place.
func (s *Server) ready(ctx context.Context, journal *journal) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute) // replaying the log after a crash may take a while
	defer cancel()
	for {
		err := furnish(ctx, serverURL(s.run, OwnerRole, "postgres"))
		if err == nil {
			return nil
		}
		select {
		case <-s.ended:
			return journal.reason()
		default:
		}
		if !startingUp(err) {
			return sentence(CodeStart, "PostgreSQL started but cannot be prepared: %w", err)
		}
		if rest(ctx) != nil {
			return sentence(CodeStart, "PostgreSQL did not get ready: %w", err)
		}
	}
}

// stop is a fast shutdown; a server that does not obey is told to drop everything, which the next start recovers from.
func (s *Server) stop() error {
	if s.lock == nil {
		return nil
	}
	defer s.lock.Close()
	defer func() { _ = s.lock.Truncate(0) }()
	if s.process == nil {
		return nil
	}
	for _, step := range []struct {
		signal syscall.Signal
		within time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		if err := s.process.Signal(step.signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
			s.log.Warn("PostgreSQL cannot be told to stop", "err", err)
		}
		select {
		case <-s.ended:
			return nil
		case <-time.After(step.within):
			s.log.Warn("PostgreSQL does not stop", "after", step.within)
		}
	}
	return sentence(CodeStart, "PostgreSQL (process %d) does not stop", s.process.Pid)
}

// serverURL is the connection string for a socket directory.
func serverURL(run, role, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(role), Path: "/" + database,
		RawQuery: url.Values{"host": {run}, "port": {"5432"}, "sslmode": {"disable"}}.Encode()}
	return u.String()
}

func ping(ctx context.Context, dsn string) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// SocketDSN is the owner's connection string of the server on dir, whether one runs there or not.
func SocketDSN(dir string) string {
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return serverURL(socketDir(dir), OwnerRole, Database)
}
