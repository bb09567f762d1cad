package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/testdb"
)

func TestAuditVerifyTakesScopes(t *testing.T) {
	t.Parallel()
	e := home(t)
	for _, c := range [][2]string{
		{"--since takes a day such as 2026-11-01, or how long ago such as 24h", "--since tomorrow"}, {"--since takes", "--since -24h"}, {"--since takes", "--since 2026-02-30"},
		{"--merchant takes a merchant's number", "--merchant 0"}, {"invalid value", "--merchant Kopi"}, {"flag provided but not defined: -all", "--all"}, {`"now" is none`, "now"},
	} {
		refused(t, e, c[0], append([]string{"audit", "verify"}, strings.Fields(c[1])...)...)
	}
	refused(t, e, `there is no subcommand "audit prove"`, "audit", "prove")
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{"24h": "2026-11-27T12:00:00Z", "2026-11-01": "2026-10-31T17:00:00Z", "2026-11-01T08:00:00+07:00": "2026-11-01T01:00:00Z"} {
		if got, err := instant(in, now); err != nil || got.UTC().Format(time.RFC3339) != want {
			t.Errorf("%s is %v, %v", in, got, err)
		}
	}
}

var (
	newestSeal = regexp.MustCompile(`newest seal +(\d+) of 20\d\d-`)
	chain      = regexp.MustCompile(`chain +([0-9a-f]{64})\n`)
	sealedRows = regexp.MustCompile(`rows +(\d+)`)
)

func found(t *testing.T, re *regexp.Regexp, text string) string {
	t.Helper()
	m := re.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %v in\n%s", re, text)
	}
	return m[1]
}

// Beside a running portal and, after its stop, without one. At the stop all is sealed, and anchored.
func TestTheAuditTrailIsVerified(t *testing.T) {
	t.Parallel()
	e := home(t).with("DEMO_MERCHANTS", "off")
	p := start(t, e)
	merchant := staff(t, p).newMerchant(t, "Warung Jejak")
	path := filepath.Join(e["DATA_DIR"], anchorFile)
	eventually(t, startTime, "an anchor", func() bool { _, err := os.Stat(path); return err == nil })
	var beside string
	eventually(t, startTime, "all is sealed", func() bool {
		beside = ok(t, e, "", "audit", "verify")
		return strings.Contains(beside, "not sealed   0\n")
	})
	if !strings.HasPrefix(beside, "The audit trail holds.\n") || !regexp.MustCompile(`anchor +seal \d+, written .* WIB, is in it\n`).MatchString(beside) {
		t.Errorf("%s", beside)
	}
	found(t, chain, beside)
	one := ok(t, e, "", "audit", "verify", "--merchant", strings.TrimPrefix(merchant, "/merchants/"), "--since", "1h")
	if found(t, sealedRows, one) == found(t, sealedRows, beside) || found(t, sealedRows, one) == "0" {
		t.Errorf("one merchant's rows:\n%s", one)
	}
	if later := ok(t, e, "", "audit", "verify", "--since", "2100-01-01"); found(t, sealedRows, later) != "0" || found(t, chain, later) == "" {
		t.Errorf("sealed in the next century:\n%s", later)
	}
	staff(t, p)
	p.stop(t, syscall.SIGTERM)
	without := ok(t, e, "", "audit", "verify")
	a, err := readAnchor(e["DATA_DIR"])
	if err != nil || fmt.Sprint(a.Seal) != found(t, newestSeal, without) || fmt.Sprintf("%x", a.Chain) != found(t, chain, without) || !strings.Contains(without, "not sealed   0\n") {
		t.Errorf("at the stop not all was sealed and anchored: %+v %v\n%s", a, err, without)
	}
	noneLeft(t, e)
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, e, "anchor", "audit", "verify")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if out := ok(t, e, "", "audit", "verify"); !strings.Contains(out, "none in audit.anchor: a cut-off end would not show") {
		t.Errorf("%s", out)
	}
}

// What a superuser of the database does while the portal runs is named, and ends with a code.
func TestTheAuditTrailDoesNotHold(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db).with("DEMO_MERCHANTS", "off")
	p := start(t, e)
	eventually(t, startTime, "an anchor", func() bool { _, err := os.Stat(filepath.Join(e["DATA_DIR"], anchorFile)); return err == nil })
	super, err := pgx.Connect(t.Context(), db.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { super.Close(context.Background()) })
	run := func(statements ...string) {
		for _, sql := range append([]string{`begin`, `set local session_replication_role = replica`}, append(statements, `commit`)...) {
			if _, err := super.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	}
	ok(t, e, "", "audit", "verify")
	run(`update audit set actor_kind = 'doku' where id = 1`)
	refused(t, e, "the audit trail does not hold: row 1 of 20", "audit", "verify")
	refused(t, e, "(seal 1) was changed", "audit", "verify")
	if r := runProgram(t, e, "", "audit", "verify"); !regexp.MustCompile(`not sealed  \d+`).MatchString(r.stdout) {
		t.Errorf("the unsealed tail is not told: %q", r.stdout)
	}
	run(`update audit set actor_kind = 'system' where id = 1`)
	ok(t, e, "", "audit", "verify")
	run(`insert into audit (id, at, actor_kind, action, subject_kind) values (1000000, now(), 'cli', 'person.added', 'person')`)
	refused(t, e, "was inserted", "audit", "verify")
	run(`delete from audit where id = 1000000`)
	p.stop(t, syscall.SIGTERM)
	run(`delete from audit where id in (select audit_id from audit_leaves where seal_id = (select max(id) from audit_seals))`, `delete from audit_leaves where seal_id = (select max(id) from audit_seals)`,
		`delete from audit_seals where id = (select max(id) from audit_seals)`)
	refused(t, e, "the trail ends before the anchor", "audit", "verify")
	p = start(t, e) // goes on, and does not touch the proof
	staff(t, p)
	eventually(t, startTime, "the portal says it too", func() bool { return strings.Contains(p.stdout.String(), "does not contain the seal") })
	eventually(t, startTime, "another seal", func() bool {
		r := runProgram(t, e, "", "audit", "verify")
		return r.code == 1 && strings.Contains(r.stderr, "is not the one that was written to audit.anchor")
	})
	refused(t, e.with("ENCRYPTION_KEY", strings.Replace(someKey, "M", "N", 1), "DATA_DIR", filepath.Join(t.TempDir(), "other")), "ENCRYPTION_KEY is not the key", "audit", "verify")
}
