package pg_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"berkas/internal/pg"
	"berkas/internal/testdb"
)

func TestOpenSentences(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ dsn, code, word string }{
		"nonsense":       {"postgres://me:secret@host:port/db", pg.CodeBadDSN, "postgres://user:password@host:port/name"},
		"nobody listens": {"postgres://me:secret@127.0.0.1:1/db", pg.CodeUnreachable, "does not answer"},
		"no such host":   {"postgres://me:secret@no-such-host.invalid/db", pg.CodeUnreachable, "does not answer"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := pg.Open(t.Context(), c.dsn, pg.PoolOptions{ConnectTimeout: time.Second})
			if err == nil || strings.Contains(err.Error(), "secret") {
				t.Fatal("the password is shown, or there was no error:", err)
			}
			if says := fmt.Sprint(err); !strings.Contains(says, c.code) || !strings.Contains(says, c.word) {
				t.Error(says)
			}
		})
	}
	d := testdb.CreateEmpty(t)
	_, err := pg.Open(t.Context(), strings.Replace(d.DSN, d.Name, "no_such_database", 1), pg.PoolOptions{})
	wantFault(t, err, pg.CodeUnreachable, "the database is not")
}

func TestPoolLimits(t *testing.T) {
	t.Parallel()
	d := testdb.CreateEmpty(t)
	db := testdb.Open(t, d.DSN)
	for name, want := range map[string]string{"statement_timeout": "15s", "lock_timeout": "5s",
		"idle_in_transaction_session_timeout": "30s", "application_name": "berkas", "timezone": "UTC"} {
		var got string
		if err := db.Gorm.Raw("select current_setting(?)", name).Scan(&got).Error; err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	if got := query(t, db.DSN(), "select current_database()::text"); got != d.Name {
		t.Error("the DSN leads to", got)
	}
	short, err := pg.Open(t.Context(), d.DSN, pg.PoolOptions{StatementTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer short.Close()
	if _, err := short.Pool.Exec(t.Context(), "select pg_sleep(5)"); err == nil {
		t.Error("a statement may take for ever")
	}
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	t.Parallel()
	db, err := pg.Open(t.Context(), testdb.CreateEmpty(t).DSN, pg.PoolOptions{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := db.Pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	done := make(chan struct{})
	go func() { db.Close(); close(done) }()
	select {
	case <-done:
	case <-time.After(time.Minute):
		t.Error("Close hangs on a connection in use")
	}
}

// No value of a person may reach the log: neither through a statement's parameters nor through the server's message.
func TestTheLogHasNoValues(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	db, err := pg.Open(t.Context(), testdb.CreateEmpty(t).OwnerDSN, pg.PoolOptions{Log: log, Slow: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const nik = "3171234567890001"
	db.Gorm.Exec("create table people (nik text unique)")
	for range 2 {
		db.Gorm.Exec("insert into people values (?)", nik)
	}
	db.Gorm.Exec("select ?::text::date", nik)
	db.Gorm.Raw("select count(*) from people where nik = ?", nik).Scan(new(int))
	db.Gorm.Raw("select nowhere from people where nik = ?", nik).Scan(new(int))
	for _, want := range []string{"slow statement", "statement failed", "insert into people values ($1)", "SQLSTATE 22", "SQLSTATE 42703"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if strings.Contains(out.String(), nik) {
		t.Errorf("the log shows a value:\n%s", out.String())
	}
}
