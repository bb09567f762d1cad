package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"berkas/internal/config"
)

// command is one subcommand.
type command struct {
	name, args, does string
	run              func(context.Context, *invocation) error
}

// invocation is what a subcommand is run with.
type invocation struct {
	args   []string
	getenv func(string) string
	stdout io.Writer
	config config.Config
	log    *slog.Logger
}

var commands []command

func init() {
	commands = []command{
		{"serve", "", "the portal (the default)", serve},
		{"config", "", "prints the configuration, secrets redacted", printConfig},
		{"migrate", "", "brings the database's schema up to date", migrate},
		{"user", "add --email E --name N --role R [--password-file F|-]", "adds a person; without a file prints a password made for them", userAdd},
		{"user", "list", "lists the people", userList},
		{"user", "disable --email E", "takes away somebody's right to sign in", userDisable},
		{"user", "reset-password --email E [--password-file F|-]", "gives somebody a new password", userResetPassword},
		{"simulate", "", "DOKU's simulator alone, on SIMULATOR_ADDR", simulate},
		{"healthcheck", "", "asks a running portal whether it is ready", healthcheck},
	}
}

// Run runs one subcommand until it is done or ctx ends. Its environment comes from getenv, what it prints goes to stdout.
func Run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	in := &invocation{getenv: getenv, stdout: stdout}
	if len(args) == 0 {
		args = []string{"serve"}
	}
	if args[0] == pdfiumCommand {
		in.args = args[1:]
		return compilePDFium(ctx, in)
	}
	run, rest, err := find(args)
	if err != nil {
		return err
	}
	if in.config, err = config.Load(getenv, os.ReadFile); err != nil {
		return err
	}
	in.args, in.log = rest, newLog(stdout, in.config.LogJSON)
	return run(ctx, in)
}

func find(args []string) (func(context.Context, *invocation) error, []string, error) {
	for _, c := range commands {
		verb, _, _ := strings.Cut(c.args, " ")
		if args[0] != c.name {
			continue
		}
		if c.name != "user" {
			if len(args) > 1 {
				return nil, nil, fmt.Errorf("%s takes no arguments\n\n%s", c.name, usage())
			}
			return c.run, nil, nil
		}
		if len(args) > 1 && args[1] == verb {
			return c.run, args[2:], nil
		}
	}
	return nil, nil, errors.New("there is no such subcommand\n\n" + usage())
}

func usage() string {
	var b strings.Builder
	b.WriteString("portal runs Berkas. Its subcommands:\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-70s %s\n", strings.TrimSpace(c.name+" "+c.args), c.does)
	}
	b.WriteString("It is configured by its environment; portal config shows how.")
	return b.String()
}

func newLog(w io.Writer, asJSON bool) *slog.Logger {
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

func printConfig(_ context.Context, in *invocation) error { return in.config.Print(in.stdout) }
