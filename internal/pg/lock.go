package pg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	patience = 30 * time.Second      // how long the holder of the lock is waited for
	pause    = 20 * time.Millisecond // between two looks
	doubt    = 3 * time.Second       // how long a holder that seems dead may be a record not yet written
)

// holder is what the owner of a data directory writes into its lock file.
type holder struct {
	pid  int
	mode Mode
	run  string // the directory of its socket
}

func (h holder) alive() bool {
	return h.pid > 0 && !errors.Is(syscall.Kill(h.pid, 0), syscall.ESRCH)
}

func (h holder) String() string { return fmt.Sprintf("%d %d %s\n", h.pid, h.mode, h.run) }

func readHolder(path string) (h holder) {
	b, err := os.ReadFile(path)
	if err != nil {
		return holder{}
	}
	line, whole := strings.CutSuffix(string(b), "\n")
	parts := strings.SplitN(line, " ", 3)
	if !whole || len(parts) != 3 {
		return holder{}
	}
	if _, err := fmt.Sscan(parts[0]+" "+parts[1], &h.pid, &h.mode); err != nil {
		return holder{}
	}
	h.run = parts[2]
	return h
}

// tryLock takes the lock file for this process's lifetime, or returns nil while somebody has it. The kernel gives it
// back however the process ends.
func tryLock(path string, me holder) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, nil
		}
		return nil, err
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.WriteString(me.String()); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// acquire makes this process the owner of dir, or, for a borrower, returns the owner that serves already. A borrower
// in the way is waited for: it will be gone in a moment, and its server with it.
func acquire(ctx context.Context, dir, path string, me holder, answers func(run string) bool) (*os.File, holder, error) {
	begin := time.Now()
	for {
		f, err := tryLock(path, me)
		if f != nil {
			return f, me, nil
		}
		if err != nil {
			return nil, holder{}, dirFault(dir, err)
		}
		h, waited := readHolder(path), time.Since(begin)
		known := h.alive() || waited > doubt
		switch {
		case known && h.mode == Own && me.mode == Own, me.mode == Own && waited > patience:
			return nil, h, sentence(CodeInUse, "another Berkas (process %d) already runs on %s", h.pid, dir)
		case known && h.mode == Own && answers(h.run):
			return nil, h, nil
		case waited > patience:
			return nil, h, sentence(CodeInUse, "another Berkas (process %d) holds %s, and its database does not answer", h.pid, dir)
		}
		if err := rest(ctx); err != nil {
			return nil, h, err
		}
	}
}

// rest is one pause, cut short when ctx ends.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}
