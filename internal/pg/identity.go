package pg

import (
	"context"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// identity is who the server programs run as. The zero uid means root's files, reached through renamedRoot.
type identity struct {
	name     string
	uid, gid int
	attr     func() *syscall.SysProcAttr
}

// chooseIdentity finds one that can work in dir: ourselves, or, as root, the first of a list that can.
func chooseIdentity(ctx context.Context, p programs, dir string) (identity, error) {
	if uid := os.Geteuid(); uid != 0 {
		return identity{uid: uid, gid: os.Getegid(), attr: childAttr}, nil
	}
	var tried []string
	for _, id := range rootsChoices(dir) {
		if id.enters(ctx, p, dir) {
			return id, nil
		}
		tried = append(tried, id.name)
	}
	return identity{}, sentence(CodeDataDir, "PostgreSQL does not run as root, and none of these can enter %s in its place: %s; "+
		"set DATA_DIR to a directory that others may enter, such as /var/lib/berkas, or start Berkas as an ordinary user",
		dir, strings.Join(tried, ", "))
}

// rootsChoices are the identities root may lend the server, best first. A data directory keeps the owner it has.
func rootsChoices(dir string) []identity {
	var ids []identity
	ofOwner := func(path string) {
		if uid, gid, ok := ownerOf(path); ok && uid != 0 {
			ids = append(ids, asUser("user "+strconv.Itoa(uid), uid, gid))
		}
	}
	ofOwner(filepath.Join(dir, "pg"))
	if id, ok := renamedRoot(); ok {
		ids = append(ids, id)
	}
	ofOwner(dir)
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			ids = append(ids, asUser("user "+name, uid, gid))
		}
	}
	return ids
}

func asUser(name string, uid, gid int) identity {
	return identity{name: name, uid: uid, gid: gid, attr: func() *syscall.SysProcAttr {
		a := childAttr()
		a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		return a
	}}
}

func ownerOf(path string) (uid, gid int, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(st.Uid), int(st.Gid), true
}

// enters reports whether the identity can run the programs with dir as its working directory.
func (id identity) enters(ctx context.Context, p programs, dir string) bool {
	if uid, _, ok := ownerOf(dir); ok && id.uid != 0 && uid != id.uid {
		if info, err := os.Stat(dir); err == nil { // ours to open, and what lies in it has modes of its own
			_ = os.Chmod(dir, info.Mode().Perm()|0o001)
		}
	}
	return run(ctx, id.command(ctx, dir, p.path("postgres"), "--version")) == nil
}

func (id identity) command(ctx context.Context, dir, program string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Dir, c.SysProcAttr = dir, id.attr()
	c.Env = environment()
	return c
}

// environment is ours without the variables by which PostgreSQL's programs could be led elsewhere.
func environment() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "PG") && !strings.HasPrefix(kv, "LC_") && !strings.HasPrefix(kv, "LANG") {
			env = append(env, kv)
		}
	}
	return append(env, "LC_ALL=C")
}

// start starts c and returns where its end will be reported. The starting thread is kept until then, because the
// kernel's signal to orphans is tied to the thread and not to the process.
func start(ctx context.Context, c *exec.Cmd) (<-chan error, error) {
	started, done := make(chan error, 1), make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.Start()
		started <- err
		if err == nil {
			err = c.Wait()
			awaitInterrupt(ctx, c.ProcessState)
			done <- err
		}
	}()
	return done, <-started
}

// run starts c and waits for its end.
func run(ctx context.Context, c *exec.Cmd) error {
	done, err := start(ctx, c)
	if err != nil {
		return err
	}
	return <-done
}

// awaitInterrupt gives ctx a moment to end when a child was ended by an interrupt: the terminal's Ctrl-C reaches a
// child, too, that was born just now and has no process group of its own yet. Ours is under way then, and whoever asks
// ctx why the child failed should not ask too early.
func awaitInterrupt(ctx context.Context, child *os.ProcessState) {
	status, ok := child.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGINT {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(2 * time.Second):
	}
}

// give hands path and all below it to the identity; a tree that is its already is left alone.
func (id identity) give(path string) error {
	uid, _, ok := ownerOf(path)
	if os.Geteuid() != 0 || ok && uid == id.uid {
		return nil
	}
	return filepath.WalkDir(path, func(p string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(p, id.uid, id.gid)
	})
}
