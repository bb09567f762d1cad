//go:build !linux

package pg

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

// locale is what a new data directory sorts and folds by: the one every system has.
const locale = "C"

// childAttr puts a child in a process group of its own, so that the terminal's Ctrl-C reaches Berkas first. A server
// that outlives a killed Berkas is stopped by the next start.
func childAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// renamedRoot needs Linux.
func renamedRoot() (identity, bool) { return identity{}, false }

// commandLine is the command line of a process, empty when there is none.
func commandLine(pid int) string {
	out, err := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
