package blob

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"berkas/internal/fault"
)

func openDisk(t *testing.T, dir string) *Disk {
	t.Helper()
	d, err := OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// files lists everything under dir but the lock.
func files(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && entry.Name() != ".lock" {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func writing(content []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}
}

func TestSyncedBeforeNamedBeforeDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDisk(t, dir)
	var steps []string
	d.fsync = func(f *os.File) error {
		name, _ := filepath.Rel(dir, f.Name())
		if strings.HasSuffix(name, ".part") {
			name = "file"
		}
		steps = append(steps, "sync "+name)
		return f.Sync()
	}
	d.rename = func(from, to string) error {
		steps = append(steps, "rename")
		return os.Rename(from, to)
	}
	for range 2 {
		if err := d.Put(t.Context(), "2026/11/ab/ab", writing([]byte("x"))); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{
		"sync file", "sync .", "sync 2026", "sync 2026/11", "rename", "sync 2026/11/ab",
		"sync file", "rename", "sync 2026/11/ab",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("got  %q\nwant %q", steps, want)
	}
}

func TestFailedStepsLeaveNothing(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	for name, sabotage := range map[string]func(*Disk){
		"sync of the file":   func(d *Disk) { d.fsync = func(*os.File) error { return broken } },
		"sync of the folder": func(d *Disk) { d.fsync = failsAfter(4, broken) },
		"rename":             func(d *Disk) { d.rename = func(string, string) error { return broken } },
	} {
		dir := t.TempDir()
		d := openDisk(t, dir)
		sabotage(d)
		err := d.Put(t.Context(), "2026/11/ab/ab", writing([]byte("x")))
		if !errors.Is(err, broken) || fault.Code(err) != "storage_unavailable" {
			t.Errorf("%s: %v", name, err)
		}
		if left := files(t, dir); len(left) != 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
}

func failsAfter(n int, err error) func(*os.File) error {
	return func(*os.File) error {
		if n--; n < 0 {
			return err
		}
		return nil
	}
}

func TestSweepsOnlyWhenAlone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := openDisk(t, dir)
	stale := filepath.Join(dir, half, "1.part")
	if err := os.WriteFile(stale, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	openDisk(t, dir).Close()
	if len(files(t, dir)) != 1 {
		t.Fatal("swept what a running process may be writing")
	}
	first.Close()
	openDisk(t, dir)
	if left := files(t, dir); len(left) != 0 {
		t.Fatalf("left %v", left)
	}
}

func TestForeignFilesAreNotWalked(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := openDisk(t, dir)
	os.MkdirAll(filepath.Join(dir, "2026/11/ab"), 0o700)
	os.WriteFile(filepath.Join(dir, "2026/11/ab/.DS_Store"), nil, 0o600)
	os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600)
	if err := d.Walk(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}

// The disk is filled in a process of its own, by the limit on a file's size: it needs no rights and no mount.
func TestFullDisk(t *testing.T) {
	if dir := os.Getenv("BLOB_TEST_FULL"); dir != "" {
		fullDisk(t, dir)
		return
	}
	t.Parallel()
	child := exec.Command(os.Args[0], "-test.run=^TestFullDisk$")
	child.Env = append(os.Environ(), "BLOB_TEST_FULL="+t.TempDir())
	if out, err := child.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fullDisk(t *testing.T, dir string) {
	s := New(openDisk(t, dir), newVault(t, 1))
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: 100_000, Max: 100_000}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 1<<20)))
	expectFull(t, err)
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if _, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 50_000))); err != nil {
		t.Errorf("what fits is not taken: %v", err)
	}
}

// The same on a file system that really has no room left: the test runs itself again, where it alone sees one of 256 KB.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("BLOB_FULL")
	if dir == "" {
		dir = t.TempDir()
		args := []string{"--mount", "sh", "-c", `mount -t tmpfs -o size=256k tmpfs "$0" && exec "$1" -test.run='^TestFullFileSystem$'`, dir, os.Args[0]}
		if os.Geteuid() != 0 {
			args = append([]string{"--map-root-user"}, args...)
		}
		again := exec.Command("unshare", args...)
		again.Env = append(os.Environ(), "BLOB_FULL="+dir)
		if out, err := again.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	d := openDisk(t, dir)
	defer d.Close()
	s := New(d, newVault(t, 1))
	_, err := s.Put(t.Context(), bytes.NewReader(make([]byte, 1<<20)))
	expectFull(t, err)
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 300_000), 0o600); err == nil {
		t.Error("the file system is not full")
	}
	expectFull(t, s.Check(t.Context()))
}

func expectFull(t *testing.T, err error) {
	t.Helper()
	if !fault.Is(err, fault.Unavailable) || fault.Code(err) != "storage_full" {
		t.Errorf("a full disk is %v", err)
	}
}
