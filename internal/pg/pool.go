package pg

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// PoolOptions of Open. A zero value takes the default; a limit that the connection string sets itself stays.
type PoolOptions struct {
	MaxConns         int32         // 20
	ConnectTimeout   time.Duration // 5 s
	StatementTimeout time.Duration // 15 s, for one statement
	LockTimeout      time.Duration // 5 s, waiting for a lock
	IdleTransaction  time.Duration // 30 s, a transaction that waits for the program
	AcquireTimeout   time.Duration // 10 s, until a connection is there
	AnswerTimeout    time.Duration // none; until all of a statement's answer is there, for a server that is silently gone
	Slow             time.Duration // 200 ms; slower statements are logged
	Name             string        // application_name; "berkas"
	Log              *slog.Logger  // nothing is logged when nil
}

// DB is one pool of connections: as pgx, and as GORM on top of the same connections.
type DB struct {
	Pool *pgxpool.Pool
	Gorm *gorm.DB
}

// DSN is the connection string the pool was opened with. It may hold a password.
func (db *DB) DSN() string { return db.Pool.Config().ConnString() }

// Close ends all connections. Those in use are waited for, though not for ever: at most 10 s.
func (db *DB) Close() {
	done := make(chan struct{})
	go func() {
		db.Pool.Close()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
	}
}

// Open connects to the database and proves that it answers. Faults: CodeBadDSN, CodeUnreachable; neither repeats the
// connection string.
func Open(ctx context.Context, dsn string, o PoolOptions) (*DB, error) {
	pool, err := openPool(ctx, dsn, o)
	if err != nil {
		return nil, err
	}
	g, err := gorm.Open(postgres.New(postgres.Config{Conn: stdlib.OpenDBFromPool(pool)}), &gorm.Config{
		Logger:                 logger.Discard,                                                          // the pool's tracer reports
		NowFunc:                func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }, // what a timestamptz keeps
		SkipDefaultTransaction: true,
		DisableAutomaticPing:   true,
	})
	if err != nil {
		pool.Close()
		return nil, unreachable(err)
	}
	return &DB{Pool: pool, Gorm: g}, nil
}

func openPool(ctx context.Context, dsn string, o PoolOptions) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil { // its text could hold the password
		return nil, sentence(CodeBadDSN, "the address of the database cannot be understood: it takes postgres://user:password@host:port/name")
	}
	c.ConnConfig.Tracer = &tracer{log: cmp.Or(o.Log, slog.New(slog.DiscardHandler)), slow: cmp.Or(o.Slow, 200*time.Millisecond),
		acquire: cmp.Or(o.AcquireTimeout, 10*time.Second), answer: o.AnswerTimeout}
	c.MaxConns = cmp.Or(o.MaxConns, 20)
	c.ConnConfig.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	c.PingTimeout = c.ConnConfig.ConnectTimeout // of a connection that was idle, before it is used again
	c.MaxConnIdleTime, c.MaxConnLifetimeJitter = 5*time.Minute, 5*time.Minute
	limit := func(name, value string) {
		if _, said := c.ConnConfig.RuntimeParams[name]; !said {
			c.ConnConfig.RuntimeParams[name] = value
		}
	}
	milliseconds := func(d, otherwise time.Duration) string {
		return strconv.FormatInt(cmp.Or(d, otherwise).Milliseconds(), 10)
	}
	limit("application_name", cmp.Or(o.Name, "berkas"))
	limit("statement_timeout", milliseconds(o.StatementTimeout, 15*time.Second))
	limit("lock_timeout", milliseconds(o.LockTimeout, 5*time.Second))
	limit("idle_in_transaction_session_timeout", milliseconds(o.IdleTransaction, 30*time.Second))
	limit("timezone", "UTC")
	limit("max_parallel_workers_per_gather", "0") // many people ask for pages at once: no page is worth several processes
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, unreachable(err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, unreachable(err)
	}
	return pool, nil
}

// Role is the user that a connection string names.
func Role(dsn string) (string, error) {
	c, err := pgconn.ParseConfig(dsn)
	if err != nil {
		return "", sentence(CodeBadDSN, "the address of the database cannot be understood: it takes postgres://user:password@host:port/name")
	}
	return c.User, nil
}

// unreachable says in one sentence why there is no connection. The driver's own text is kept: it never has passwords.
func unreachable(err error) error {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pe.Code {
		case "28P01", "28000":
			return sentence(CodeUnreachable, "the database refuses the user or the password: %w", err)
		case "3D000":
			return sentence(CodeUnreachable, "the server is there, but the database is not: %w", err)
		case "53300":
			return sentence(CodeUnreachable, "the database has no connection left for us: %w", err)
		}
	}
	return sentence(CodeUnreachable, "the database does not answer: %w", err)
}
