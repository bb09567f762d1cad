package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// tracer reports slow and failed statements to slog. It sits at the connection and not in GORM, whose logger would
// write the values into the statement, and the values are people; here statement and values are still apart.
//
// It also ends what gets no answer: a server that is silently gone cannot keep its own limits.
type tracer struct {
	log     *slog.Logger
	slow    time.Duration
	acquire time.Duration // for a connection
	answer  time.Duration // for a statement; 0: none
}

type traced struct {
	sql   string
	begin time.Time
	end   context.CancelFunc
}

// limited is a context that ends after d, and with d 0 the same one.
func limited(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

type acquiredKey struct{}

func (t *tracer) TraceAcquireStart(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	ctx, end := limited(ctx, t.acquire)
	return context.WithValue(ctx, acquiredKey{}, end)
}

func (t *tracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, _ pgxpool.TraceAcquireEndData) {
	if end, ok := ctx.Value(acquiredKey{}).(context.CancelFunc); ok {
		end()
	}
}

type tracedKey struct{}

func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	ctx, end := limited(ctx, t.answer)
	return context.WithValue(ctx, tracedKey{}, traced{data.SQL, time.Now(), end})
}

// TraceQueryEnd is called after every statement. A constraint that did its work is an answer and not a failure.
func (t *tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	q, ok := ctx.Value(tracedKey{}).(traced)
	if ok {
		q.end()
	}
	t.report(ctx, q.sql, time.Since(q.begin), data.Err)
}

// TraceBatchStart is called before several statements that are sent together, and have the time of one.
func (t *tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	ctx, end := limited(ctx, t.answer)
	return context.WithValue(ctx, tracedKey{}, traced{begin: time.Now(), end: end})
}

// TraceBatchQuery is called after each of them; what it took cannot be told from what those before it did.
func (t *tracer) TraceBatchQuery(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchQueryData) {
	q, _ := ctx.Value(tracedKey{}).(traced)
	t.report(ctx, data.SQL, time.Since(q.begin), data.Err)
}

func (t *tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchEndData) {
	if q, ok := ctx.Value(tracedKey{}).(traced); ok {
		q.end()
	}
}

// report puts a statement together for the log only when it is written there.
func (t *tracer) report(ctx context.Context, sql string, took time.Duration, err error) {
	failed := err != nil && !errors.Is(err, context.Canceled) && !constraint(err)
	if !failed && took < t.slow {
		return
	}
	attrs := []any{"sql", strings.Join(strings.Fields(sql), " "), "ms", took.Milliseconds()}
	if failed {
		t.log.ErrorContext(ctx, "statement failed", append(attrs, "err", bare(err))...)
		return
	}
	t.log.WarnContext(ctx, "slow statement", attrs...)
}

func constraint(err error) bool {
	pe, ok := errors.AsType[*pgconn.PgError](err)
	return ok && strings.HasPrefix(pe.Code, "23")
}

// bare is a database error without its message, which may repeat a value ("invalid input syntax for type date: …").
func bare(err error) string {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.TrimSpace(fmt.Sprintf("SQLSTATE %s %s %s", pe.Code, pe.TableName, pe.ConstraintName))
	}
	return err.Error()
}
