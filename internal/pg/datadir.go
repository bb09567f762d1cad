package pg

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// makeDir makes the data directory when it is missing, and returns its real name, by which a server process is known.
func makeDir(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(abs), 0o755) // the way there is everybody's, for the server may be another user
	}
	if err == nil {
		if err = os.Mkdir(abs, 0o700); errors.Is(err, fs.ErrExist) {
			err = nil
		}
	}
	if err == nil {
		abs, err = filepath.EvalSymlinks(abs)
	}
	if err != nil {
		return "", dirFault(dir, err)
	}
	return abs, nil
}

// socketDir is where the socket goes: under the data directory, or, since the name of a socket can hold about a hundred
// bytes only, in a directory for temporary files.
func socketDir(dir string) string {
	run := filepath.Join(dir, "run")
	if len(run) <= 85 {
		return run
	}
	h := fnv.New64a()
	h.Write([]byte(dir))
	return filepath.Join(os.TempDir(), fmt.Sprintf("berkas-%d-%x", os.Geteuid(), h.Sum64()))
}

// prepareRun makes the directory of the socket ours alone and empty.
func (s *Server) prepareRun(id identity) error {
	if err := os.Mkdir(s.run, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return dirFault(s.run, err)
	}
	info, err := os.Lstat(s.run)
	if err != nil {
		return dirFault(s.run, err)
	}
	uid, _, _ := ownerOf(s.run)
	if mine := uid == os.Geteuid() || uid == id.uid || os.Geteuid() == 0 && filepath.Dir(s.run) == s.dir; !info.IsDir() || !mine {
		return sentence(CodeDataDir, "%s must be a directory that nobody else owns: remove it and start again", s.run)
	}
	for _, name := range []string{".s.PGSQL.5432", ".s.PGSQL.5432.lock"} { // the lock is ours, so no server uses them
		if err := os.Remove(filepath.Join(s.run, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return dirFault(s.run, err)
		}
	}
	if err := errors.Join(os.Chmod(s.run, 0o700), id.give(s.run)); err != nil {
		return dirFault(s.run, err)
	}
	return nil
}

// dataMajor is the major version that made the data directory; 0 when there is none yet.
func dataMajor(data string) (int, error) {
	b, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(data); err == nil {
			return 0, sentence(CodeDataDir, "%s is no PostgreSQL data directory: it has no PG_VERSION; move it away or restore it from a backup", data)
		}
		return 0, nil
	}
	if err != nil {
		return 0, sentence(CodeDataDir, "cannot read the database in %s: %w; start Berkas as the user it belongs to", data, err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || major <= 0 {
		return 0, sentence(CodeDataDir, "%s does not hold a version number; restore it from a backup", filepath.Join(data, "PG_VERSION"))
	}
	return major, nil
}

// initialise makes a data directory. It comes into being under its name only when it is whole, so that a run that was
// cut off leaves nothing to be mistaken for one. Each run has a draft of its own, because the initdb of a killed one may
// be about to clear its draft away.
func initialise(ctx context.Context, p programs, id identity, data string, fast bool) error {
	dir := filepath.Dir(data)
	draft, err := os.MkdirTemp(dir, draftPrefix)
	if err != nil {
		return dirFault(dir, err)
	}
	if err := id.give(draft); err != nil {
		return dirFault(dir, err)
	}
	args := []string{"-D", draft, "-U", OwnerRole, "--auth=trust", "--encoding=UTF8", "--locale=" + locale, "--no-instructions"}
	if fast {
		args = append(args, "--no-sync")
	} else {
		args = append(args, "--data-checksums")
	}
	var out strings.Builder
	c := id.command(ctx, dir, p.path("initdb"), args...)
	c.Stdout, c.Stderr = &out, &out
	if err := run(ctx, c); err != nil {
		removeDrafts(dir)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return initFault(dir, out.String(), err)
	}
	if err := errors.Join(os.Rename(draft, data), syncDir(dir)); err != nil {
		return dirFault(dir, err)
	}
	return nil
}

// initFault picks the line that says why out of initdb's talk.
func initFault(dir, out string, err error) error {
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); line != "" {
			err = errors.New(line) // its last words, for want of better ones
		}
		if _, why, ok := strings.Cut(line, "error: "); ok {
			err = errors.New(strings.TrimSpace(why))
			break
		}
	}
	if full(errors.New(out)) {
		return sentence(CodeDiskFull, "the disk that holds %s is full: initdb: %w", dir, err)
	}
	return sentence(CodeStart, "PostgreSQL's initdb failed in %s: %w", dir, err)
}

const draftPrefix = "pg.init-"

// removeDrafts clears away what runs left that were cut off. One that cannot be removed now can be the next time.
func removeDrafts(dir string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), draftPrefix) {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// settle deals with the postmaster.pid of a run that was killed. The lock is ours, so no other Berkas works here: a
// server that still runs is an orphan and is told to stop, and a number that means nothing, or by now another program,
// is cleared away, because PostgreSQL would take it for a server.
func settle(ctx context.Context, data string) error {
	file := filepath.Join(data, "postmaster.pid")
	for begin := time.Now(); ; {
		b, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return dirFault(data, err)
		}
		first, _, _ := strings.Cut(string(b), "\n")
		pid, err := strconv.Atoi(strings.TrimSpace(first))
		if err != nil || pid <= 0 || !strings.Contains(commandLine(pid)+" ", data+" ") {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return dirFault(data, err)
			}
			return nil
		}
		_ = syscall.Kill(pid, orphanSignal(time.Since(begin)))
		if time.Since(begin) > patience {
			return sentence(CodeInUse, "an earlier PostgreSQL (process %d) still runs on %s and does not stop", pid, data)
		}
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

// orphanSignal asks for a fast shutdown, and after a while for an immediate one.
func orphanSignal(waited time.Duration) syscall.Signal {
	if waited > patience/2 {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}
