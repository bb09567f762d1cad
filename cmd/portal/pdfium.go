package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"

	"berkas/internal/paper"
)

// pdfiumCommand compiles pdfium for this machine in a process of its own, because it takes memory that the portal's
// process would keep. Nobody needs to call it by hand.
const pdfiumCommand = "compile-pdfium"

func compilePDFium(ctx context.Context, in *invocation) error {
	if len(in.args) != 1 {
		return errors.New(pdfiumCommand + " takes the folder to keep the result in")
	}
	go func() { // its input ends with the portal, however that ends
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	return paper.Compile(ctx, in.args[0])
}

func compileInOwnProcess(ctx context.Context, dir string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := exec.CommandContext(ctx, self, pdfiumCommand, dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the terminal's Ctrl-C reaches the portal first, which may be done with it
	if _, err := c.StdinPipe(); err != nil {            // held open as long as this process lives
		return err
	}
	return c.Run()
}
