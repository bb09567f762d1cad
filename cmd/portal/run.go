package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
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
		{"audit", "verify [--since 2026-11-01|24h] [--merchant N] [--bundle FILE]", "proves that no row of the audit trail was changed, or names the first", auditVerify},
		{"audit", "proof FILE", "checks a bundle of evidence, without database and key", auditProof},
		{"blobs", "check", "holds the stored files against the database: missing, damaged, other and left-over ones", blobsCheck},
		{"recount", "[--repair]", "computes anew what is kept of merchants and figures, and says what differs; with --repair mends it", recount},
		{"seed", "--merchants N [--seed S] [--today 2026-11-22] [--into-non-empty]", "fills an empty database with an invented portfolio, for measuring and looking", seed},
		{"simulate", "", "DOKU's simulator alone, on SIMULATOR_ADDR", simulate},
		{"healthcheck", "", "asks a running portal whether it is ready", healthcheck},
		{"help", "", "prints this", help},
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
	c, rest, err := find(args)
	if err != nil {
		return err
	}
	in.args = rest
	if c.name == "help" {
		return help(ctx, in)
	}
	if in.config, err = config.Load(getenv, os.ReadFile); err != nil {
		return err
	}
	in.log = newLog(stdout, in.config.LogJSON)
	return c.run(ctx, in)
}

// find picks the subcommand and what is left for it to read.
func find(args []string) (command, []string, error) {
	name, rest := args[0], args[1:]
	if slices.Contains([]string{"-h", "-help", "--help"}, name) {
		name = "help"
	}
	for _, c := range commands {
		verb, _, _ := strings.Cut(c.args, " ")
		switch {
		case c.name != name:
		case verb == "" && len(rest) > 0:
			return c, nil, fmt.Errorf("%s takes no arguments, and %q is one; portal help shows what there is", name, rest[0])
		case verb == "":
			return c, nil, nil
		case strings.HasPrefix(strings.TrimPrefix(verb, "["), "--"):
			return c, rest, nil
		case len(rest) > 0 && rest[0] == verb:
			return c, rest[1:], nil
		}
	}
	return command{}, nil, fmt.Errorf("there is no subcommand %q; portal help shows what there is", strings.Join(args[:min(2, len(args))], " "))
}

func help(_ context.Context, in *invocation) error {
	_, err := io.WriteString(in.stdout, usage())
	return err
}

func usage() string {
	var b strings.Builder
	b.WriteString("portal runs Berkas. Its subcommands:\n")
	for _, c := range commands {
		fmt.Fprintf(&b, "  %-62s %s\n", strings.TrimSpace(c.name+" "+c.args), c.does)
	}
	b.WriteString("It is configured by its environment; portal config shows how.\n")
	return b.String()
}

func newLog(w io.Writer, asJSON bool) *slog.Logger {
	if asJSON {
		return slog.New(slog.NewJSONHandler(w, nil))
	}
	return slog.New(slog.NewTextHandler(w, nil))
}

func printConfig(_ context.Context, in *invocation) error { return in.config.Print(in.stdout) }
