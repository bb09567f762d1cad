package pg

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

// gormLog takes GORM's reports to slog: slow and failed statements, with placeholders and never with values, for the
// values are people.
type gormLog struct {
	log  *slog.Logger
	slow time.Duration
}

var _ gorm.ParamsFilter = (*gormLog)(nil)

// ParamsFilter keeps the values from ever being written into the statement.
func (l *gormLog) ParamsFilter(_ context.Context, sql string, _ ...any) (string, []any) {
	return sql, nil
}

// LogMode changes nothing: what is shown is slog's to decide.
func (l *gormLog) LogMode(logger.LogLevel) logger.Interface { return l }

func (l *gormLog) Info(ctx context.Context, format string, args ...any) {
	l.log.DebugContext(ctx, "gorm: "+fmt.Sprintf(format, args...))
}

func (l *gormLog) Warn(ctx context.Context, format string, args ...any) {
	l.log.WarnContext(ctx, "gorm: "+fmt.Sprintf(format, args...))
}

func (l *gormLog) Error(ctx context.Context, format string, args ...any) {
	l.log.ErrorContext(ctx, "gorm: "+fmt.Sprintf(format, args...))
}

// Trace is called after every statement. A row that is not there is an answer, not a failure, and neither is a
// constraint that did its work.
func (l *gormLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), err error) {
	took := time.Since(begin)
	failed := err != nil && !errors.Is(err, gorm.ErrRecordNotFound) && !errors.Is(err, context.Canceled) && !constraint(err)
	if !failed && took < l.slow {
		return
	}
	sql, rows := statement()
	attrs := []any{"sql", sql, "rows", rows, "ms", took.Milliseconds()}
	if failed {
		l.log.ErrorContext(ctx, "statement failed", append(attrs, "err", bare(err))...)
		return
	}
	l.log.WarnContext(ctx, "slow statement", attrs...)
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
