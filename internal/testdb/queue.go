package testdb

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// migrateQueue brings River's own tables, as cmd/portal does for a real database.
func migrateQueue(ctx context.Context, pool *pgxpool.Pool) error {
	m, err := rivermigrate.New(riverpgxv5.New(pool), quiet)
	if err != nil {
		return err
	}
	_, err = m.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

var quiet = &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)}

// queueFingerprint changes with River's schema.
func queueFingerprint() (string, error) {
	m, err := rivermigrate.New(riverpgxv5.New(nil), quiet)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, v := range m.AllVersions() {
		fmt.Fprintln(h, v.Version, v.SQLUp)
	}
	return fmt.Sprintf("%x", h.Sum(nil)), nil
}
