package main

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const settleTime = time.Minute // what a file that waits may need to reach DOKU

func TestStopsInOrder(t *testing.T) {
	t.Parallel()
	for _, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) {
			t.Parallel()
			e := home(t)
			p := start(t, e)
			v := staff(t, p)
			merchant, content := v.newMerchant(t, "Warung Berhenti"), photo()
			spare, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://")) // as browsers keep one
			if err != nil {
				t.Fatal(err)
			}
			defer spare.Close()
			v.mustUpload(t, merchant, selfie, content)
			p.stop(t, s)
			noneLeft(t, e)
			again := start(t, e)
			v.base = again.url
			v.delivered(t, merchant, selfie, settleTime)
		})
	}
}

func TestKilledAndStartedAgain(t *testing.T) {
	t.Parallel()
	e := home(t)
	p := start(t, e)
	v := staff(t, p)
	merchant, content := v.newMerchant(t, "Warung Bangkit"), photo()
	v.mustUpload(t, merchant, selfie, content)
	document := v.delivered(t, merchant, selfie, settleTime)
	p.kill()
	p = start(t, e)
	v.base = p.url
	opens(t, v, document, content, "original") // the simulator's links lead to the port of before
	p.stop(t, syscall.SIGINT)
	noneLeft(t, e)
}

// Without its own PostgreSQL the portal ends, and says why.
func TestTheDatabaseEnds(t *testing.T) {
	t.Parallel()
	e := home(t)
	p := start(t, e)
	for _, line := range running(e["DATA_DIR"]) {
		if strings.Contains(line, "postgres -D") || strings.Contains(line, "/postgres ") {
			pid, _, _ := strings.Cut(line, " ")
			n, _ := strconv.Atoi(pid)
			_ = syscall.Kill(n, syscall.SIGKILL)
		}
	}
	p.waitEnd(t, startTime)
	if code, says := p.cmd.ProcessState.ExitCode(), p.stderr.String(); code != 1 || !strings.Contains(says, "has ended") || strings.Count(says, "\n") != 1 {
		t.Errorf("it ended with code %d and said %q", code, says)
	}
	start(t, e).stop(t, syscall.SIGINT)
	noneLeft(t, e)
}

// running lists the processes whose command line names dir, each with its id before it.
func running(dir string) (list []string) {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte(dir)) {
			list = append(list, filepath.Base(filepath.Dir(path))+" "+string(bytes.ReplaceAll(b, []byte{0}, []byte{' '})))
		}
	}
	return list
}

// noneLeft expects that no process works on a data directory.
func noneLeft(t *testing.T, e env) {
	t.Helper()
	if runtime.GOOS != "linux" {
		return
	}
	if left := running(e["DATA_DIR"]); len(left) > 0 {
		t.Errorf("still running: %q", left)
	}
}

// An ordinary user needs nothing of root's. Root tries it in the name of nobody.
func TestAsAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Log("every test here is run by an ordinary user")
		return
	}
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		t.Fatal("this test needs setpriv, of the package util-linux:", err)
	}
	dir, err := os.MkdirTemp("", "berkas-nobody-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	e := env{"DATA_DIR": filepath.Join(dir, "data"), "LISTEN_ADDR": "127.0.0.1:0", "DEMO_MERCHANTS": "off", "HOME": dir, "TMPDIR": dir}
	p := &process{cmd: exec.Command(setpriv, "--reuid=65534", "--regid=65534", "--clear-groups", program), ended: make(chan struct{})}
	if err := p.launchIn(dir, e); err != nil {
		t.Fatal(err)
	}
	if err := p.up(startTime); err != nil {
		t.Fatal(err)
	}
	v := staff(t, p)
	merchant, content := v.newMerchant(t, "Warung Biasa"), photo()
	v.mustUpload(t, merchant, selfie, content)
	opens(t, v, v.delivered(t, merchant, selfie, settleTime), content, "doku")
	p.stop(t, syscall.SIGINT)
	noneLeft(t, e)
}

// The first page comes soon after the program was started, with nothing there yet and with everything there. How soon is
// measured by the benchmark; the limit is far above it, the machine may be busy.
func TestStartsQuickly(t *testing.T) {
	t.Parallel()
	e := home(t).with("DEMO_MERCHANTS", "on")
	for _, name := range []string{"cold", "warm"} {
		begin := time.Now()
		p := start(t, e)
		if a := newVisitor(p.url).get(t, "/login"); a.status != http.StatusOK {
			t.Fatalf("the first page was answered %d", a.status)
		}
		took := time.Since(begin)
		p.stop(t, syscall.SIGINT)
		t.Logf("%s: the first page after %v", name, took.Round(time.Millisecond))
		if took > startTime {
			t.Errorf("%s: the first page came after %v", name, took)
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint("127.0.0.1:", l.Addr().(*net.TCPAddr).Port)
}
