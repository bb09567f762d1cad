package pg

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// furnish makes the role and the database that a new server lacks. It is asked at every start, so that one cut off in
// between is made up for.
func furnish(ctx context.Context, ownerDSN string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, ownerDSN)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	var role, database bool
	err = c.QueryRow(ctx, `select exists (select from pg_roles where rolname = $1), exists (select from pg_database where datname = $2)`,
		AppRole, Database).Scan(&role, &database)
	if err == nil && !role {
		_, err = c.Exec(ctx, "create role "+AppRole+" login")
	}
	if err == nil && !database {
		_, err = c.Exec(ctx, "create database "+Database)
	}
	return err
}

// startingUp reports whether an attempt to connect failed as it does while a server comes up.
func startingUp(err error) bool {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pe.Code == "57P03" // cannot_connect_now: replaying its log
	}
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, context.DeadlineExceeded)
}
