// Command portal is Berkas: the web portal, and the subcommands that look after it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"berkas/internal/fault"
)

func main() {
	// Go starts a child, once, to learn how it can watch children, and a Ctrl-C at that moment breaks its runtime. Asked
	// for a process, it does so here, while there is nothing yet that a Ctrl-C would have to stop in order.
	_, _ = os.FindProcess(os.Getpid())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C does not wait for anything
	if err := Run(ctx, os.Args[1:], os.Getenv, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "portal: "+sentence(err))
		os.Exit(1)
	}
}

// sentence is what a person at the terminal reads of an error, on one line.
func sentence(err error) string {
	return strings.Join(strings.Fields(cause(err)), " ")
}

// cause is an error in its own words, without kind and code.
func cause(err error) string {
	f := fault.As(err)
	if s, ok := sentences[f.Code]; ok {
		return s(f.Params)
	}
	if f.Err != nil {
		return f.Err.Error()
	}
	return f.Error()
}

// sentences are the faults that a subcommand's input brings about.
var sentences = map[string]func(fault.Params) string{
	"email_taken":    func(fault.Params) string { return "somebody has this e-mail address already" },
	"not_an_email":   func(fault.Params) string { return "--email takes an e-mail address" },
	"required":       func(fault.Params) string { return "--name takes a name" },
	"unknown_choice": func(fault.Params) string { return "--role takes staff, reviewer, manager or admin" },
	"not_found":      func(fault.Params) string { return "there is nobody with this e-mail address" },
	"conflict":       func(fault.Params) string { return "that is so already" },
	"too_short":      func(p fault.Params) string { return fmt.Sprintf("the password takes %v characters at least", p["min"]) },
	"too_long":       func(p fault.Params) string { return fmt.Sprintf("the password takes %v bytes at most", p["max"]) },
	"database_of_other_doku": func(p fault.Params) string {
		return fmt.Sprintf("this database belongs to DOKU at %v for client %v; another DOKU or client needs another database", p["host"], p["client"])
	},
	"database_unavailable": func(fault.Params) string { return "the database does not answer" },
}
