package pg_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"berkas/internal/fault"
	"berkas/internal/pg"
)

// The tests kill Berkas, so they need one that is another process: this test program, started again as a helper that
// runs the server, says so, and closes it when told to by SIGTERM.
const helperEnv = "BERKAS_PG_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperEnv); dir != "" {
		os.Exit(helper(dir))
	}
	os.Exit(m.Run())
}

func helper(dir string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	mode := pg.Own
	if os.Getenv("BERKAS_PG_TEST_BORROW") != "" {
		mode = pg.Borrow
	}
	fmt.Println("starting")
	s, err := pg.Start(ctx, pg.Options{Dir: dir, Mode: mode})
	if err != nil {
		fmt.Println("error", fault.Code(err), fault.As(err).Err)
		return 1
	}
	fmt.Println("ready", s.DSN())
	select {
	case <-ctx.Done():
	case <-s.Done():
		fmt.Println("ended")
		return 1
	}
	if err := s.Close(); err != nil {
		fmt.Println("error", err)
		return 1
	}
	fmt.Println("closed")
	return 0
}

// berkas is a helper process.
type berkas struct {
	*exec.Cmd
	lines chan string
}

// start starts a helper on dir; as nobody when it says so and we are root.
func start(t *testing.T, dir string, asNobody bool, env ...string) *berkas {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(exe)
	c.Env = append(append(os.Environ(), helperEnv+"="+dir), env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if asNobody {
		c.Path = public(t, exe)
		c.Dir = "/"
		c.SysProcAttr.Credential = &syscall.Credential{Uid: nobody, Gid: nobody}
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	b := &berkas{c, make(chan string, 10)}
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			b.lines <- s.Text()
		}
		close(b.lines)
	}()
	t.Cleanup(func() { _ = b.Process.Kill(); _ = b.Wait() })
	if line := b.line(t); line != "starting" {
		t.Fatalf("the helper said %q", line)
	}
	return b
}

// public is a copy of the test program that everybody may run.
func public(t *testing.T, exe string) string {
	t.Helper()
	to := filepath.Join(nobodysDir(t, 0), "helper")
	in, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return to
}

const nobody = 65534

// nobodysDir is a directory that an ordinary user can reach, which t.TempDir is not when we are root.
func nobodysDir(t *testing.T, uid int) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berkas-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chown(dir, uid, uid)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func (b *berkas) line(t *testing.T) string {
	t.Helper()
	select {
	case l := <-b.lines:
		return l
	case <-time.After(time.Minute):
		t.Fatal("the helper says nothing")
		return ""
	}
}

// ready waits for the helper's server and returns its DSN.
func (b *berkas) ready(t *testing.T) string {
	t.Helper()
	word, dsn, _ := strings.Cut(b.line(t), " ")
	if word != "ready" {
		t.Fatalf("the helper did not start: %s", dsn)
	}
	return dsn
}

// kill is kill -9; it returns when the process is gone.
func (b *berkas) kill(t *testing.T) {
	t.Helper()
	if err := b.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = b.Wait()
}

func (b *berkas) terminate(t *testing.T) {
	t.Helper()
	if err := b.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line := b.line(t); line != "closed" {
		t.Fatalf("the helper said %q", line)
	}
	_ = b.Wait()
}

// postmaster is the process id of the server on dir.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "pg", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(first)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}
