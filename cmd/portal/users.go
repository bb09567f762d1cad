package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"berkas/internal/auth"
	"berkas/internal/pg"
	"berkas/models"
)

// personFlags are what the user subcommands are told.
type personFlags struct{ email, name, role, passwordFile string }

func readFlags(in *invocation, name string, wanted ...string) (personFlags, error) {
	var f personFlags
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.email, "email", "", "")
	set.StringVar(&f.name, "name", "", "")
	set.StringVar(&f.role, "role", "", "")
	set.StringVar(&f.passwordFile, "password-file", "", "")
	if err := set.Parse(in.args); err != nil || set.NArg() > 0 {
		return f, fmt.Errorf("%s does not take that\n\n%s", name, usage())
	}
	for _, w := range wanted {
		if set.Lookup(w).Value.String() == "" {
			return f, fmt.Errorf("%s needs --%s\n\n%s", name, w, usage())
		}
	}
	return f, nil
}

// atTheGate opens the database, beside a running portal or without one, and does something with the people in it.
func atTheGate(ctx context.Context, in *invocation, do func(*models.Store, *auth.Gate) error) error {
	db, err := openDatabase(ctx, in.config, pg.Borrow, in.log)
	if err != nil {
		return err
	}
	defer db.close(in.log)
	store := models.NewStore(db.Gorm, time.Now)
	return do(store, auth.NewGate(store, time.Now))
}

// password reads a password from a file, from standard input with "-", or makes one and tells it.
func password(f personFlags, stdout io.Writer) (string, error) {
	if f.passwordFile == "" {
		made := rand.Text()[:16]
		_, err := fmt.Fprintf(stdout, "The password of %s is %s — it is shown this once.\n", f.email, made)
		return made, err
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
		return "", err
	}
	p := strings.TrimRight(string(b), "\r\n")
	if p == "" {
		return "", errors.New("--password-file holds no password")
	}
	return p, nil
}

func userAdd(ctx context.Context, in *invocation) error {
	f, err := readFlags(in, "user add", "email", "name", "role")
	if err != nil {
		return err
	}
	return atTheGate(ctx, in, func(_ *models.Store, gate *auth.Gate) error {
		secret, err := password(f, in.stdout)
		if err != nil {
			return err
		}
		_, err = gate.AddPerson(ctx, models.CLI, auth.NewPerson{Email: f.email, Name: f.name, Role: models.Role(f.role), Password: secret, MustChange: f.passwordFile == ""})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(in.stdout, "%s was added as %s.\n", f.email, f.role)
		return err
	})
}

func userList(ctx context.Context, in *invocation) error {
	if _, err := readFlags(in, "user list"); err != nil {
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
	f, err := readFlags(in, "user disable", "email")
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
	f, err := readFlags(in, "user reset-password", "email")
	if err != nil {
		return err
	}
	return atTheGate(ctx, in, func(_ *models.Store, gate *auth.Gate) error {
		secret, err := password(f, in.stdout)
		if err != nil {
			return err
		}
		if err := gate.ResetPassword(ctx, models.CLI, f.email, secret); err != nil {
			return err
		}
		_, err = fmt.Fprintf(in.stdout, "%s has a new password, and all their sessions ended.\n", f.email)
		return err
	})
}
