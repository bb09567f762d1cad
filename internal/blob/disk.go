package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"berkas/internal/fault"
)

// half is the folder for what is being written; it lies beside the years, on the same file system.
const half = "half"

// Disk is a Backend of files under one folder.
type Disk struct {
	dir  string
	lock *os.File
	made sync.Map // folders known to be durable

	// The two steps durability rests on; tests watch their order and make them fail.
	fsync  func(*os.File) error
	rename func(from, to string) error
}

// OpenDisk makes the folder when it is missing and sweeps half-written files of crashed runs, unless another process
// has the folder open too: those might be its own.
func OpenDisk(dir string) (*Disk, error) {
	if err := os.MkdirAll(filepath.Join(dir, half), 0o700); err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, half, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	d := &Disk{dir: dir, lock: lock, fsync: (*os.File).Sync, rename: os.Rename}
	if err := d.claim(); err != nil {
		lock.Close()
		return nil, fmt.Errorf("blob: %w", err)
	}
	return d, nil
}

// claim takes the shared lock that every process with this folder holds, and sweeps when it could have had it alone.
func (d *Disk) claim() error {
	alone := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
	if alone {
		if err := d.sweep(); err != nil {
			return err
		}
	}
	return syscall.Flock(int(d.lock.Fd()), syscall.LOCK_SH)
}

func (d *Disk) sweep() error {
	stale, err := filepath.Glob(filepath.Join(d.dir, half, "*.part"))
	if err != nil {
		return err
	}
	for _, path := range stale {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Close lets other processes sweep.
func (d *Disk) Close() error { return d.lock.Close() }

// Put implements Backend: the file is synced before it gets its name, and the name before Put returns.
func (d *Disk) Put(_ context.Context, ref Ref, write func(io.Writer) error) (err error) {
	part, err := os.CreateTemp(filepath.Join(d.dir, half), "*.part")
	if err != nil {
		return unwritable(err)
	}
	defer func() {
		part.Close()
		if err != nil {
			os.Remove(part.Name())
		}
	}()
	if err := write(writer{part}); err != nil {
		return err
	}
	if err := d.fsync(part); err != nil {
		return unwritable(err)
	}
	return d.name(part.Name(), d.path(ref))
}

// name moves a synced file to its place and makes that durable; when it cannot, the place stays empty.
func (d *Disk) name(from, to string) error {
	if err := d.makeDir(filepath.Dir(to)); err != nil {
		return unwritable(err)
	}
	if err := d.rename(from, to); err != nil {
		return unwritable(err)
	}
	if err := d.syncDir(filepath.Dir(to)); err != nil {
		os.Remove(to)
		return unwritable(err)
	}
	return nil
}

// makeDir is MkdirAll that outlives a power cut. A folder that is there already is trusted only once this process has
// synced the one above it: another Put may have made it a moment ago, or a crashed run.
func (d *Disk) makeDir(dir string) error {
	if _, known := d.made.Load(dir); known || dir == d.dir {
		return nil
	}
	above := filepath.Dir(dir)
	if err := d.makeDir(above); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := d.syncDir(above); err != nil {
		return err
	}
	d.made.Store(dir, true)
	return nil
}

func (d *Disk) syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return d.fsync(dir)
}

// Open implements Backend.
func (d *Disk) Open(_ context.Context, ref Ref) (io.ReadCloser, error) {
	f, err := os.Open(d.path(ref))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(ref)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "storage_unavailable")
	}
	return f, nil
}

// Delete implements Backend.
func (d *Disk) Delete(_ context.Context, ref Ref) error {
	path := d.path(ref)
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = d.syncDir(filepath.Dir(path))
	}
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "storage_unavailable")
	}
	return nil
}

// Walk implements Backend. Files that are not ours are passed over.
func (d *Disk) Walk(ctx context.Context, fn func(Ref, int64, time.Time) error) error {
	return fs.WalkDir(os.DirFS(d.dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) { // deleted since its folder was listed
			return nil
		}
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		ref := Ref(path)
		if entry.IsDir() || !ref.valid() {
			return nil
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return fn(ref, info.Size(), info.ModTime())
	})
}

// Check implements Backend by writing a small file and removing it.
func (d *Disk) Check(context.Context) error {
	probe, err := os.CreateTemp(filepath.Join(d.dir, half), "*.part")
	if err != nil {
		return unwritable(err)
	}
	defer os.Remove(probe.Name())
	defer probe.Close()
	if _, err := probe.Write(make([]byte, segment)); err != nil {
		return unwritable(err)
	}
	return nil
}

func (d *Disk) path(ref Ref) string { return filepath.Join(d.dir, filepath.FromSlash(string(ref))) }

// writer tells what went wrong on the way down, so that whatever else comes up from a Put is its reader's error.
type writer struct{ f *os.File }

func (w writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		err = unwritable(err)
	}
	return n, err
}

// unwritable sorts the errors of writing: a limit of the process or of the file system is as good as a full disk.
func unwritable(err error) error {
	for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG} {
		if errors.Is(err, full) {
			return fault.Wrap(err, fault.Unavailable, "storage_full")
		}
	}
	return fault.Wrap(err, fault.Unavailable, "storage_unavailable")
}
