package models

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/gorm"

	"berkas/internal/fault"
)

// Store is the one door for writes. Reading goes through its Reader.
type Store struct {
	Reader
	now      func() time.Time
	auditKey []byte
}

// NewStore is a Store on a GORM handle that stands on a pgx pool (internal/pg.Open). now is the program's clock.
func NewStore(db *gorm.DB, now func() time.Time) *Store {
	return &Store{Reader: Reader{db: db}, now: now}
}

// Tx is one business change: everything done on it commits together with its audit rows, or not at all.
type Tx struct {
	ctx      context.Context
	g        *gorm.DB
	pgx      pgx.Tx
	Actor    Actor
	Now      time.Time
	audits   []sealedRow
	auditKey []byte
	touched  map[MerchantID]bool
}

// Write runs fn in one transaction for actor. It does not commit when fn fails or left no audit row.
// After the commit everyone watching a touched merchant is told.
func (s *Store) Write(ctx context.Context, actor Actor, fn func(*Tx) error) error {
	if actor.Kind == "" {
		return errors.New("models: a write without an actor")
	}
	var touched map[MerchantID]bool
	err := s.inTx(ctx, func(g *gorm.DB, ptx pgx.Tx) error {
		tx := s.tx(ctx, g, ptx, actor)
		if err := fn(tx); err != nil {
			return err
		}
		touched = tx.touched
		return tx.writeAudit()
	})
	if err != nil {
		return translate(err)
	}
	s.notify(ctx, touched)
	return nil
}

func (s *Store) tx(ctx context.Context, g *gorm.DB, ptx pgx.Tx, actor Actor) *Tx {
	return &Tx{ctx: ctx, g: g, pgx: ptx, Actor: actor, Now: s.now().UTC().Truncate(time.Microsecond), touched: map[MerchantID]bool{}, auditKey: s.auditKey}
}

// PGX is the transaction for the job queue, which adds its row to it. Only jobs may call it.
func (tx *Tx) PGX() pgx.Tx { return tx.pgx }

// Context is the context of the write.
func (tx *Tx) Context() context.Context { return tx.ctx }

// inTx begins on one connection that GORM and pgx share: GORM commits or rolls back, pgx only adds its statements.
func (s *Store) inTx(ctx context.Context, fn func(*gorm.DB, pgx.Tx) error) error {
	pool, err := s.db.DB()
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	g := s.db.Session(&gorm.Session{NewDB: true, Context: ctx})
	g.Statement.ConnPool = onConn{conn}
	return g.Transaction(func(tx *gorm.DB) error {
		var ptx pgx.Tx
		err := conn.Raw(func(driver any) error {
			c, ok := driver.(*stdlib.Conn)
			if !ok {
				return fmt.Errorf("models: the pool's driver is %T, not pgx", driver)
			}
			ptx = connTx{pgxConn: c.Conn()}
			return nil
		})
		if err != nil {
			return err
		}
		return fn(tx, ptx)
	})
}

// onConn lets GORM begin on this one connection. The transaction does not follow the context, its statements do:
// database/sql would roll back by itself when the context ends, while pgx still speaks on the connection.
type onConn struct{ *sql.Conn }

func (c onConn) BeginTx(ctx context.Context, o *sql.TxOptions) (*sql.Tx, error) {
	return c.Conn.BeginTx(context.WithoutCancel(ctx), o)
}

// connTx is the pgx.Tx of a transaction that database/sql began on the same connection.
type connTx struct {
	*pgxConn
	depth int
}

type pgxConn = pgx.Conn

var errOuter = errors.New("models: the outer transaction is GORM's to end")

func (t connTx) Begin(ctx context.Context) (pgx.Tx, error) {
	inner := connTx{t.pgxConn, t.depth + 1}
	_, err := t.Exec(ctx, fmt.Sprintf("savepoint inner_%d", inner.depth))
	return inner, err
}

func (t connTx) Commit(ctx context.Context) error { return t.end(ctx, "release savepoint inner_%d") }
func (t connTx) Rollback(ctx context.Context) error {
	return t.end(ctx, "rollback to savepoint inner_%d")
}

func (t connTx) end(ctx context.Context, statement string) error {
	if t.depth == 0 {
		return errOuter
	}
	_, err := t.Exec(ctx, fmt.Sprintf(statement, t.depth))
	return err
}

func (t connTx) LargeObjects() pgx.LargeObjects { return pgx.LargeObjects{} }
func (t connTx) Conn() *pgx.Conn                { return t.pgxConn }

// swapped is the error of a compare-and-set: nobody else may have moved the row meanwhile.
func swapped(r *gorm.DB) error {
	if r.Error != nil {
		return translate(r.Error)
	}
	if r.RowsAffected == 0 {
		return fault.New(fault.Conflict, "conflict")
	}
	return nil
}
