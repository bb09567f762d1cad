package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

var (
	program      string // the program, built once
	raceDetector bool   // the program is built as the tests are
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := buildProgram()
	defer os.RemoveAll(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer stopShared()
	_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))) // most wait for another process; a flag given comes later
	return m.Run()
}

func buildProgram() (string, error) {
	dir, err := os.MkdirTemp("", "berkas-portal-")
	if err != nil {
		return dir, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // other users run it too
		return dir, err
	}
	program = filepath.Join(dir, "portal")
	args := []string{"build", "-o", program}
	if raceDetector {
		args = append(args, "-race")
	}
	out, err := exec.Command("go", append(args, ".")...).CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
}

// env is what a program is started with, beside what it needs to find other programs.
type env map[string]string

func (e env) with(pairs ...string) env {
	more := env{}
	for k, v := range e {
		more[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		more[pairs[i]] = pairs[i+1]
	}
	return more
}

func (e env) list() []string {
	all := env{}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "BERKAS_PG_BIN"} {
		if v, set := os.LookupEnv(name); set {
			all[name] = v
		}
	}
	var list []string
	for k, v := range all.with() {
		if _, ours := e[k]; !ours {
			list = append(list, k+"="+v)
		}
	}
	for k, v := range e {
		list = append(list, k+"="+v)
	}
	return list
}

// home is a fresh DATA_DIR and a port of the system's choosing, without the demonstration's merchants.
func home(t testing.TB) env {
	t.Helper()
	return env{"DATA_DIR": filepath.Join(t.TempDir(), "data"), "LISTEN_ADDR": "127.0.0.1:0", "DEMO_MERCHANTS": "off"}
}

// output is what a process has written so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// process is a running program, in a process group of its own as under a shell.
type process struct {
	cmd            *exec.Cmd
	url            string // where it serves
	stdout, stderr output
	ended          chan struct{}
}

// launch starts the program.
func launch(e env, args ...string) (*process, error) {
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	return p, p.launchIn(filepath.Dir(program), e)
}

func (p *process) launchIn(dir string, e env) error {
	p.cmd.Env, p.cmd.Dir = e.list(), dir
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
	}()
	return nil
}

var runsAt = regexp.MustCompile(`runs at (http://[^\s,]+)`)

// up waits until the program says where it serves.
func (p *process) up(within time.Duration) error {
	err := wait(within, func() bool {
		if m := runsAt.FindStringSubmatch(p.stdout.String()); m != nil {
			p.url = m[1]
		}
		select {
		case <-p.ended:
			return true
		default:
			return p.url != ""
		}
	})
	if err != nil || p.url == "" {
		return fmt.Errorf("it does not serve: %v\n%s%s", err, p.stdout.String(), p.stderr.String())
	}
	return nil
}

const startTime = time.Minute // far above what a start or an end takes; the machine may be busy

// start runs the program until the test ends, which stops it and looks whether it was quiet.
func start(t testing.TB, e env, args ...string) *process {
	t.Helper()
	p, err := launch(e, args...)
	if err == nil {
		err = p.up(startTime)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		select {
		case <-p.ended:
		default:
			p.stop(t, syscall.SIGTERM)
		}
		if t.Failed() {
			t.Logf("the portal's last words:\n%s", tail(p.stdout.String()))
		}
	})
	return p
}

func tail(s string) string { return s[max(0, len(s)-4000):] }

// stop ends the program with a signal to its process group, as Ctrl-C does, and expects a clean end.
func (p *process) stop(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil {
		t.Fatal(err)
	}
	p.waitEnd(t, startTime)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 || p.stderr.String() != "" {
		t.Errorf("after %v it ended with code %d and said %q", s, code, p.stderr.String())
	}
}

func (p *process) waitEnd(t testing.TB, within time.Duration) {
	t.Helper()
	select {
	case <-p.ended:
	case <-time.After(within):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGQUIT)
		t.Fatalf("it did not end within %v:\n%s", within, tail(p.stdout.String()))
	}
}

// kill is kill -9 of the program alone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// result is what a program that ended did.
type result struct {
	stdout, stderr string
	code           int
}

// runProgram runs a subcommand to its end, with input on its standard input.
func runProgram(t testing.TB, e env, input string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, program, args...)
	c.Env, c.Dir, c.Stdin = e.list(), filepath.Dir(program), strings.NewReader(input)
	var stdout, stderr bytes.Buffer
	c.Stdout, c.Stderr = &stdout, &stderr
	_ = c.Run()
	if ctx.Err() != nil {
		t.Fatalf("portal %v did not end\n%s%s", args, tail(stdout.String()), stderr.String())
	}
	return result{stdout.String(), stderr.String(), c.ProcessState.ExitCode()}
}

// ok runs a subcommand that must work and say nothing on the side.
func ok(t testing.TB, e env, input string, args ...string) string {
	t.Helper()
	r := runProgram(t, e, input, args...)
	if r.code != 0 || r.stderr != "" {
		t.Fatalf("portal %s ended with code %d: %s", strings.Join(args, " "), r.code, r.stderr)
	}
	return r.stdout
}

// refused runs a subcommand that must end with one sentence that holds the words, and nothing else.
func refused(t testing.TB, e env, words string, args ...string) {
	t.Helper()
	r := runProgram(t, e, "", args...)
	name := "portal " + strings.Join(args, " ")
	if r.code != 1 {
		t.Errorf("%s ended with code %d: %s", name, r.code, r.stderr)
	}
	line, more, _ := strings.Cut(r.stderr, "\n")
	if !strings.HasPrefix(line, "portal: ") || more != "" || len(line) > 400 {
		t.Errorf("%s: not one sentence: %q", name, r.stderr)
	}
	if !strings.Contains(line, words) {
		t.Errorf("%s says %q, without %q", name, line, words)
	}
	if strings.Contains(r.stdout, "runs at") {
		t.Errorf("%s said that it runs: %s", name, r.stdout)
	}
}

// wait looks every few milliseconds whether something holds.
func wait(within time.Duration, holds func() bool) error {
	end, tick := time.After(within), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-end:
			return fmt.Errorf("not within %v", within)
		case <-tick.C:
		}
	}
	return nil
}

func eventually(t testing.TB, within time.Duration, what string, holds func() bool) {
	t.Helper()
	if err := wait(within, holds); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}
