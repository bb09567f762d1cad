package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"berkas/internal/auth"
	"berkas/internal/pg"
	"berkas/models"
)

// personFlags are what the user subcommands are told.
type personFlags struct{ email, name, role, passwordFile string }

// readFlags reads the flags that a subcommand takes; needed ones must be there, and not empty.
func readFlags(in *invocation, name string, needed, possible []string) (personFlags, error) {
	var f personFlags
	all := map[string]*string{"email": &f.email, "name": &f.name, "role": &f.role, "password-file": &f.passwordFile}
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, flagName := range slices.Concat(needed, possible) {
		set.StringVar(all[flagName], flagName, "", "")
	}
	if err := set.Parse(in.args); err != nil {
		return f, fmt.Errorf("%s: %w; portal help shows what it takes", name, err)
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("%s takes flags only, and %q is none; portal help shows them", name, set.Arg(0))
	}
	for _, n := range needed {
		if *all[n] == "" {
			return f, fmt.Errorf("%s needs --%s", name, n)
		}
	}
	return f, nil
}

// atTheGate opens the database, beside a running portal or without one, and does something with the people in it.
func atTheGate(ctx context.Context, in *invocation, do func(*models.Store, *auth.Gate) error) error {
	keys, err := openVault(in.config)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, in.config, pg.Borrow, in.log)
	if err != nil {
		return err
	}
	defer db.close(in.log)
	store := newStore(db, keys)
	return do(store, auth.NewGate(store, time.Now))
}

// password reads a password from a file, from standard input with "-", or makes one.
func password(f personFlags) (string, error) {
	if f.passwordFile == "" {
		return rand.Text()[:16], nil
	}
	from := io.Reader(os.Stdin)
	if f.passwordFile != "-" {
		file, err := os.Open(f.passwordFile)
		if err != nil {
			return "", fmt.Errorf("--password-file cannot be read: %w", err)
		}
		defer file.Close()
		from = file
	}
	b, err := io.ReadAll(io.LimitReader(from, 4096))
	if err != nil {
		return "", fmt.Errorf("--password-file cannot be read: %w", err)
	}
	p := strings.TrimRight(string(b), "\r\n")
	if p == "" {
		return "", errors.New("--password-file holds no password")
	}
	return p, nil
}

// tell says what was done, and a password that was made for somebody.
func tell(w io.Writer, done string, f personFlags, secret string) error {
	if f.passwordFile == "" {
		done += fmt.Sprintf("The password is %s — it is shown this once.\n", secret)
	}
	_, err := io.WriteString(w, done)
	return err
}

func userAdd(ctx context.Context, in *invocation) error {
	f, err := readFlags(in, "user add", []string{"email", "name", "role"}, []string{"password-file"})
	if err != nil {
		return err
	}
	secret, err := password(f)
	if err != nil {
		return err
	}
	return atTheGate(ctx, in, func(_ *models.Store, gate *auth.Gate) error {
		_, err := gate.AddPerson(ctx, models.CLI, auth.NewPerson{Email: f.email, Name: f.name, Role: models.Role(f.role), Password: secret, MustChange: f.passwordFile == ""})
		if err != nil {
			return err
		}
		return tell(in.stdout, fmt.Sprintf("%s was added as %s.\n", f.email, f.role), f, secret)
	})
}

func userList(ctx context.Context, in *invocation) error {
	if _, err := readFlags(in, "user list", nil, nil); err != nil {
		return err
	}
	return atTheGate(ctx, in, func(store *models.Store, _ *auth.Gate) error {
		people, err := store.People(ctx)
		if err != nil {
			return err
		}
		w := tabwriter.NewWriter(in.stdout, 0, 4, 2, ' ', 0)
		fmt.Fprintln(w, "E-MAIL\tNAME\tROLE\tSTATE")
		for _, p := range people {
			state := "active"
			if p.DisabledAt != nil {
				state = "disabled"
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", p.Email, p.Name, p.Role, state)
		}
		return w.Flush()
	})
}

func userDisable(ctx context.Context, in *invocation) error {
	f, err := readFlags(in, "user disable", []string{"email"}, nil)
	if err != nil {
		return err
	}
	return atTheGate(ctx, in, func(_ *models.Store, gate *auth.Gate) error {
		if err := gate.DisablePerson(ctx, models.CLI, f.email); err != nil {
			return err
		}
		_, err := fmt.Fprintf(in.stdout, "%s can no longer sign in.\n", f.email)
		return err
	})
}

func userResetPassword(ctx context.Context, in *invocation) error {
	f, err := readFlags(in, "user reset-password", []string{"email"}, []string{"password-file"})
	if err != nil {
		return err
	}
	secret, err := password(f)
	if err != nil {
		return err
	}
	return atTheGate(ctx, in, func(_ *models.Store, gate *auth.Gate) error {
		if err := gate.ResetPassword(ctx, models.CLI, f.email, secret); err != nil {
			return err
		}
		return tell(in.stdout, fmt.Sprintf("%s has a new password, and all their sessions ended.\n", f.email), f, secret)
	})
}
