package models_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/testdb"
	"berkas/models"
)

var trailKey = []byte("a key of the test's own, 32 bytes")

// One merchant's rows are proved alone: what is done to them is found, what is done to another's content is not looked at.
func TestOneMerchantsRowsAreProvedAlone(t *testing.T) {
	t.Parallel()
	for _, a := range []struct{ name, sql, what string }{
		{"changed", `update audit set detail = '{}' where id = $1`, "changed"},
		{"deleted", `delete from audit where id = $1`, "missing"},
		{"given to another", `update audit set merchant_id = 99 where id = $1`, "changed"},
		{"given to another, with its leaf", `with a as (update audit set merchant_id = 99 where id = $1) update audit_leaves set merchant_id = 99 where audit_id = $1`, "moved"},
		{"deleted with its leaf", `with a as (delete from audit where id = $1) delete from audit_leaves where audit_id = $1`, "moved"},
		{"inserted", `insert into audit (at, actor_kind, action, subject_kind, merchant_id) select now(), 'system', 'merchant.viewed', 'merchant', 3 from audit where id = $1`, "inserted"},
		{"inserted, waiting", `with n as (insert into audit (at, actor_kind, action, subject_kind, merchant_id) select now(), 'system', 'merchant.viewed', 'merchant', 3 from audit where id = $1 returning id, at, transaction)
			insert into audit_pending (audit_id, at, transaction) select id, at, transaction from n`, "forged"},
	} {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			store, super := trail(t, 12)
			victim := rowOf(t, super, 3)
			attack(t, super, a.sql, victim)
			r := verify(t, store, models.AuditScope{Merchant: 3})
			if !found(r.Flaw, a.what) {
				t.Fatalf("found %+v, want %q", r.Flaw, a.what)
			}
			if (a.what == "changed" || a.what == "missing") && r.Flaw.Row != victim {
				t.Errorf("named row %d, not %d", r.Flaw.Row, victim)
			}
		})
	}
	store, super := trail(t, 12)
	attack(t, super, `update audit set detail = '{}' where id = $1`, rowOf(t, super, 2))
	if r := verify(t, store, models.AuditScope{Merchant: 3}); r.Flaw != nil || r.Rows != 4 {
		t.Errorf("another merchant's row was read: %+v", r.Flaw)
	}
	if r := verify(t, store, models.AuditScope{}); r.Flaw == nil {
		t.Error("the whole trail holds although a row was changed")
	}
}

// found says whether a flaw is the wanted one. Where another test's transaction had the trail sealed in two runs, a row may
// have been the last of its seal: then it is missing, and no other moved.
func found(flaw *models.AuditFlaw, what string) bool {
	return flaw != nil && (what == "" || flaw.What == what || what == models.FlawMoved && flaw.What == models.FlawMissing && flaw.Row == 0)
}

// rowOf is one of a merchant's rows.
func rowOf(t *testing.T, super *pgx.Conn, merchant int) (id int64) {
	t.Helper()
	if err := super.QueryRow(t.Context(), `select id from audit where merchant_id = $1 order by id offset 1 limit 1`, merchant).Scan(&id); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWhatWasSealedSince(t *testing.T) {
	t.Parallel()
	store, super := trail(t, 6)
	first := verify(t, store, models.AuditScope{}).Last
	say(t, store, 6)
	sealAll(t, store)
	last := verify(t, store, models.AuditScope{}).Last
	attack(t, super, `update audit set detail = '{}' where id = $1`, 6)
	if r := verify(t, store, models.AuditScope{Since: first.SealedAt.Add(time.Microsecond)}); r.Flaw != nil || r.Rows != 1 || r.Last.ID != last.ID {
		t.Errorf("what was sealed since does not hold: %+v", r)
	}
	if r := verify(t, store, models.AuditScope{Since: first.SealedAt}); r.Flaw == nil || r.Flaw.Row != 6 {
		t.Errorf("the first seal in scope was not looked at: %+v", r.Flaw)
	}
}

// A month that was moved out leaves the rest provable; put back, it is proved with it.
func TestAMonthThatIsMovedOut(t *testing.T) {
	t.Parallel()
	store, super := trail(t, 1)
	do := func(sql string) {
		t.Helper()
		if _, err := super.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	do(`select audit_partition('2025-01-01')`)
	past := models.PastAct{At: time.Date(2025, 1, 10, 3, 0, 0, 0, time.UTC), Actor: models.System, Action: models.MerchantViewed, Subject: models.MerchantID(1).Ref(), Detail: "{}"}
	err := pgx.BeginFunc(t.Context(), super, func(tx pgx.Tx) error {
		return store.CopyAudit(t.Context(), tx, 3, func(int) models.PastAct { return past })
	})
	if err != nil {
		t.Fatal(err)
	}
	sealAll(t, store)
	old := verify(t, store, models.AuditScope{}).Last
	say(t, store, 1)
	sealAll(t, store)
	later := models.AuditScope{Since: old.SealedAt.Add(time.Microsecond)}
	do(`alter table audit detach partition audit_2025_01`)
	if r := verify(t, store, later); r.Flaw != nil || r.Rows != 1 {
		t.Errorf("what came later does not hold: %+v", r)
	}
	if r := verify(t, store, models.AuditScope{}); r.Flaw == nil || r.Flaw.What != models.FlawMissing {
		t.Errorf("found %+v, want a missing row", r.Flaw)
	}
	attach := `alter table audit attach partition audit_2025_01 for values from ('2025-01-01') to ('2025-02-01')`
	do(attach)
	if r := verify(t, store, models.AuditScope{}); r.Flaw != nil || r.Rows != 5 {
		t.Errorf("the whole trail does not hold: %+v", r)
	}
	do(`alter table audit detach partition audit_2025_01`)
	attack(t, super, `update audit_2025_01 set detail = '{"a": "b"}'`, 0)
	do(attach)
	if r := verify(t, store, models.AuditScope{}); r.Flaw == nil || r.Flaw.What != models.FlawChanged {
		t.Errorf("found %+v, want a changed row", r.Flaw)
	}
}

// A row that waits for its seal can be deleted too, as long as its place in the queue remains.
func TestAWaitingRowThatIsGone(t *testing.T) {
	t.Parallel()
	store, super := trail(t, 3)
	say(t, store, 3)
	attack(t, super, `delete from audit where id = (select audit_id from audit_pending) and $1 = $1`, 0)
	for range 2 {
		if r := verify(t, store, models.AuditScope{}); r.Flaw == nil || r.Flaw.What != models.FlawMissing {
			t.Fatalf("found %+v, want a missing row", r.Flaw)
		}
		if _, err := store.Keep().SealAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// What has a leaf already must not keep the rows behind it from their seals.
func TestACopyInTheQueueDoesNotStopTheSealing(t *testing.T) {
	t.Parallel()
	store, super := trail(t, 3)
	attack(t, super, `insert into audit_pending (audit_id, at, transaction) select id, at, transaction from audit where id = $1`, 2)
	say(t, store, 3)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) { // another test's long transaction holds it up
		n, err := store.Keep().SealAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n == 1 {
			return
		}
	}
	t.Fatal("the row behind it is not sealed")
}

// A cut-off end can be seen only from outside of the database: by a seal that was written down.
func TestAnAnchorShowsACutEnd(t *testing.T) {
	t.Parallel()
	const cut = `with s as (delete from audit_leaves where seal_id > $1 returning audit_id), a as (delete from audit using s where id = s.audit_id) delete from audit_seals where id > $1`
	store, super := trail(t, 6)
	before := verify(t, store, models.AuditScope{}).Last
	say(t, store, 6)
	sealAll(t, store)
	anchor, err := store.NewestSeal(t.Context())
	if err != nil || anchor.ID != before.ID+1 {
		t.Fatal(anchor, err)
	}
	if r := verify(t, store, models.AuditScope{Anchor: anchor}); r.Flaw != nil {
		t.Fatalf("found %+v", r.Flaw)
	}
	attack(t, super, cut, before.ID)
	if r := verify(t, store, models.AuditScope{}); r.Flaw != nil {
		t.Fatalf("found %+v without an anchor", r.Flaw)
	}
	if r := verify(t, store, models.AuditScope{Anchor: anchor}); r.Flaw == nil || r.Flaw.What != models.FlawCut || r.Flaw.Seal != before.ID {
		t.Fatalf("found %+v, want the cut", r.Flaw)
	}
	say(t, store, 7) // the portal goes on, and another seal takes the number
	sealAll(t, store)
	if r := verify(t, store, models.AuditScope{Anchor: anchor}); r.Flaw == nil || r.Flaw.What != models.FlawAnchor || r.Flaw.Seal != anchor.ID {
		t.Fatalf("found %+v, want another seal", r.Flaw)
	}
}

// A dump that is restored on a server whose transactions have lower numbers keeps holding, and is sealed further. pg_dump
// is PostgreSQL's own; the numbers are raised far above those of this server.
func TestARestoredTrailHoldsAndIsSealed(t *testing.T) {
	t.Parallel()
	d, restored := testdb.Create(t), testdb.CreateEmpty(t)
	store := models.NewStore(testdb.Open(t, d.DSN).Gorm, time.Now).AuditKey(trailKey)
	for i := range 5 {
		say(t, store, i)
	}
	super, err := pgx.Connect(t.Context(), d.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { super.Close(context.Background()) })
	raise := `update %s set transaction = (transaction::text::numeric + 1e12)::text::xid8 where $1 = $1`
	attack(t, super, strings.Replace(raise, "%s", "audit", 1), 0)
	attack(t, super, strings.Replace(raise, "%s", "audit_pending", 1), 0)
	sealAll(t, store)
	say(t, store, 5)
	say(t, store, 6) // these two wait while the dump is made
	attack(t, super, strings.Replace(raise, "%s", "audit", 1)+` and id > 5`, 0)
	attack(t, super, strings.Replace(raise, "%s", "audit_pending", 1), 0)
	copyDatabase(t, d.OwnerDSN, restored.OwnerDSN)
	again := models.NewStore(testdb.Open(t, restored.DSN).Gorm, time.Now).AuditKey(trailKey)
	if r := verify(t, again, models.AuditScope{}); r.Flaw != nil || r.Rows != 5 || r.Unsealed.Rows != 2 {
		t.Fatalf("the restored trail does not hold: %+v %+v", r, r.Flaw)
	}
	say(t, again, 7)
	sealAll(t, again)
	say(t, again, 8)
	sealAll(t, again)
	if r := verify(t, again, models.AuditScope{}); r.Flaw != nil || r.Rows != 9 || r.Unsealed.Rows != 0 {
		t.Fatalf("the restored trail does not hold after more was written: %+v %+v", r, r.Flaw)
	}
	if r := verify(t, again, models.AuditScope{Merchant: 2}); r.Flaw != nil || r.Rows != 3 {
		t.Fatalf("one merchant's rows do not hold: %+v %+v", r, r.Flaw)
	}
}

// copyDatabase is pg_dump into psql, as the README has it done.
func copyDatabase(t *testing.T, from, to string) {
	t.Helper()
	bin := binaries(t)
	var dumped, restored bytes.Buffer
	dump, restore := exec.Command(filepath.Join(bin, "pg_dump"), "--dbname", libpq(t, from)), exec.Command(filepath.Join(bin, "psql"), "-qX", "-v", "ON_ERROR_STOP=1", "--dbname", libpq(t, to), "-o", os.DevNull)
	dump.Stderr, restore.Stderr = &dumped, &restored
	var err error
	if restore.Stdin, err = dump.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := restore.Start(); err != nil {
		t.Fatal(err)
	}
	if err := dump.Run(); err != nil {
		t.Fatal(err, dumped.String())
	}
	if err := restore.Wait(); err != nil {
		t.Fatal(err, restored.String())
	}
}

// libpq is a DSN without what only pgx understands.
func libpq(t *testing.T, dsn string) string {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{}
	for _, name := range []string{"host", "port", "sslmode", "user"} {
		if v := u.Query().Get(name); v != "" {
			q.Set(name, v)
		}
	}
	u.RawQuery = q.Encode()
	return u.String()
}

// binaries is where PostgreSQL's programs are, the newest where there are several: it dumps older servers too.
func binaries(t *testing.T) string {
	t.Helper()
	if dir := os.Getenv("BERKAS_PG_BIN"); dir != "" {
		return dir
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_dump")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	path, err := exec.LookPath("pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}
