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
)

// tracer reports slow and failed statements to slog. It sits at the connection and not in GORM, whose logger would
// write the values into the statement, and the values are people; here statement and values are still apart.
type tracer struct {
	log  *slog.Logger
	slow time.Duration
}

type traced struct {
	sql   string
	begin time.Time
}

type tracedKey struct{}

func (t *tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return context.WithValue(ctx, tracedKey{}, traced{data.SQL, time.Now()})
}

// TraceQueryEnd is called after every statement. A constraint that did its work is an answer and not a failure.
func (t *tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	q, _ := ctx.Value(tracedKey{}).(traced)
	took := time.Since(q.begin)
	attrs := []any{"sql", strings.Join(strings.Fields(q.sql), " "), "ms", took.Milliseconds()}
	switch err := data.Err; {
	case err != nil && !errors.Is(err, context.Canceled) && !constraint(err):
		t.log.ErrorContext(ctx, "statement failed", append(attrs, "err", bare(err))...)
	case took >= t.slow:
		t.log.WarnContext(ctx, "slow statement", attrs...)
	}
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
