package pg

import (
	"bytes"
	"fmt"
	"os"
	"syscall"
)

// locale is what a new data directory sorts and folds by: the same on every machine.
const locale = "C.UTF-8"

// childAttr puts a child in a process group of its own, so that the terminal's Ctrl-C reaches Berkas first, and asks
// the kernel for a fast shutdown of the child should Berkas die without one.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGINT}
}

// renamedRoot is root under another name: in a namespace where our uid 0 is called 1000. PostgreSQL refuses uid 0, and
// this way files stay root's and no directory has to change hands.
func renamedRoot() (identity, bool) {
	return identity{name: "a user namespace", attr: func() *syscall.SysProcAttr {
		a := childAttr()
		a.Cloneflags = syscall.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 1000, HostID: 0, Size: 1}}
		return a
	}}, true
}

// commandLine is the command line of a process, its arguments set apart by spaces; empty when there is none, as with a
// zombie.
func commandLine(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return string(bytes.ReplaceAll(b, []byte{0}, []byte{' '}))
}
