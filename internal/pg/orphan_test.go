package pg

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A server that outlived its Berkas without being told to stop, as where the kernel does not tell it.
func TestAnOrphanIsStopped(t *testing.T) {
	dir, err := os.MkdirTemp("", "berkas-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	o := Options{Dir: dir, Fast: true}
	first, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	run := first.run
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	p, err := findPrograms(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	id, err := chooseIdentity(t.Context(), p, dir)
	if err != nil {
		t.Fatal(err)
	}
	c := id.command(t.Context(), dir, p.path("postgres"), "-D", filepath.Join(dir, "pg"), "-k", run, "-c", "listen_addresses=")
	done, err := start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); ping(t.Context(), SocketDSN(dir)) != nil; {
		if time.Since(begin) > time.Minute {
			t.Fatal("the orphan does not start")
		}
		_ = rest(t.Context())
	}
	second, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	select {
	case <-done:
	default:
		t.Error("the orphan still runs")
	}
}

// A Ctrl-C that a child died of is known to whoever asks why it failed, also when it is told a little later.
func TestAnInterruptedChildIsAnInterruptedStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(200*time.Millisecond, cancel)
	if err := run(ctx, exec.Command("sh", "-c", "kill -INT $$")); err == nil || ctx.Err() == nil {
		t.Errorf("the child: %v, the start: %v", err, ctx.Err())
	}
}

func TestPlaces(t *testing.T) {
	bin := t.TempDir()
	if got := places(bin); len(got) != 1 || got[0] != bin {
		t.Errorf("an override is not the only place: %v", got)
	}
	seen := map[string]bool{}
	for _, d := range places("") {
		if seen[d] {
			t.Errorf("%s twice", d)
		}
		seen[d] = true
	}
}

func TestReasonOfAJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "postgres.log")
	if err := os.WriteFile(path, []byte("x FATAL:  of an earlier run\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := openJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if got := j.reason().Error(); !strings.Contains(got, "no reason") {
		t.Error(got)
	}
	if _, err := j.WriteString("x FATAL:  could not write lock file \"postmaster.pid\": No space left on device\n"); err != nil {
		t.Fatal(err)
	}
	if got := j.reason().Error(); !strings.Contains(got, CodeDiskFull) || !strings.Contains(got, "postmaster.pid") {
		t.Error(got)
	}
}
