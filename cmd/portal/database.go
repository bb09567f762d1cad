package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"berkas/internal/config"
	"berkas/internal/fault"
	"berkas/internal/pg"
	"berkas/internal/vault"
	"berkas/migrations"
	"berkas/models"
)

// answerTimeout is above the server's own limit for a statement, which ends a slow one with less harm.
const answerTimeout = 20 * time.Second

// database is an open, migrated database and, where it is Berkas' own, the server it runs on.
type database struct {
	*pg.DB
	server *pg.Server // nil with DATABASE_URL
	owner  string     // the owning role's connection string
}

// openDatabase is reachDatabase for whoever needs it whole: not while a seed fills it.
func openDatabase(ctx context.Context, c config.Config, mode pg.Mode, log *slog.Logger) (*database, error) {
	d, err := reachDatabase(ctx, c, mode, log)
	if err != nil {
		return nil, err
	}
	if err := unfinished(ctx, d.Pool); err != nil {
		d.close(log)
		return nil, err
	}
	return d, nil
}

// reachDatabase connects to the configured database, or to Berkas' own, which it starts when need be, and brings the
// schema up to date.
func reachDatabase(ctx context.Context, c config.Config, mode pg.Mode, log *slog.Logger) (*database, error) {
	d := &database{}
	dsn, owner := c.DatabaseURL, c.MigrateDatabaseURL
	if c.Embedded() {
		if _, err := openVault(c); err != nil { // the key comes before the data
			return nil, err
		}
		server, err := pg.Start(ctx, pg.Options{Dir: c.DataDir, Bin: c.PGBin, Mode: mode, Log: log})
		if err != nil {
			return nil, err
		}
		d.server, dsn, owner = server, server.DSN(), server.OwnerDSN()
	}
	d.owner = owner
	err := upToDate(ctx, dsn, owner)
	if err == nil {
		d.DB, err = pg.Open(ctx, dsn, poolOptions(mode, log))
	}
	if err != nil {
		d.close(log)
		return nil, err
	}
	return d, nil
}

// poolOptions give a portal's statements an end, because people wait for them; what subcommands ask may take its time.
func poolOptions(mode pg.Mode, log *slog.Logger) pg.PoolOptions {
	if mode == pg.Own {
		return pg.PoolOptions{Log: log, AnswerTimeout: answerTimeout}
	}
	return pg.PoolOptions{Log: log}
}

// upToDate migrates where something is pending. A program's role that may not migrate is fine as long as nothing is.
func upToDate(ctx context.Context, dsn, owner string) error {
	if dsn != owner {
		return migrateAs(ctx, dsn, owner)
	}
	db, err := pg.Open(ctx, dsn, pg.PoolOptions{MaxConns: 2})
	if err != nil {
		return err
	}
	pending := pg.Check(ctx, db, migrations.FS)
	db.Close()
	if fault.Code(pending) != pg.CodePending {
		return pending
	}
	if err := migrateAs(ctx, dsn, owner); err != nil {
		return errors.Join(pending, err)
	}
	return nil
}

// migrateAs migrates as the owning role and grants the program's role, where they are two, what it needs.
func migrateAs(ctx context.Context, dsn, owner string) error {
	program, err := pg.Role(dsn)
	if err != nil {
		return err
	}
	owns, err := pg.Role(owner)
	if err != nil {
		return err
	}
	if program == owns {
		program = ""
	}
	return pg.Migrate(ctx, owner, migrations.FS, program, migrateQueue)
}

// migrateQueue brings River's own tables up to date.
func migrateQueue(ctx context.Context, pool *pgxpool.Pool) error {
	m, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

func (d *database) close(log *slog.Logger) {
	if d.DB != nil {
		d.DB.Close()
	}
	if d.server == nil {
		return
	}
	if err := d.server.Close(); err != nil {
		log.Warn("PostgreSQL did not stop cleanly; it recovers at the next start", "error", err)
	}
}

// newStore is the store on a database, which marks its audit trail with the installation's key.
func newStore(d *database, keys *vault.Vault) *models.Store {
	return models.NewStore(d.Gorm, time.Now).AuditKey(keys.Derive("audit"))
}

func migrate(ctx context.Context, in *invocation) error {
	d, err := openDatabase(ctx, in.config, pg.Borrow, in.log)
	if err != nil {
		return err
	}
	d.close(in.log)
	_, err = in.stdout.Write([]byte("The schema is up to date.\n"))
	return err
}
