package models_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/testdb"
	"berkas/models"
)

// trail is a store with a sealed audit trail of n rows, and a superuser's connection to its database.
func trail(t *testing.T, n int) (*models.Store, *pgx.Conn) {
	t.Helper()
	d := testdb.Create(t)
	store := models.NewStore(testdb.Open(t, d.DSN).Gorm, time.Now).AuditKey([]byte("a key of the test's own, 32 bytes"))
	for i := range n {
		say(t, store, i)
	}
	sealAll(t, store)
	conn, err := pgx.Connect(t.Context(), d.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(context.Background()) })
	return store, conn
}

func say(t *testing.T, store *models.Store, i int) {
	t.Helper()
	err := store.Write(t.Context(), models.System, func(tx *models.Tx) error {
		tx.Audit(models.MerchantViewed, models.Ref{Kind: "merchant", ID: int64(i%3 + 1), Merchant: models.MerchantID(i%3 + 1)}, "z", i, "a", "b")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// sealAll seals everything. A transaction of another test's database may still run and hold that up: then it waits.
func sealAll(t *testing.T, store *models.Store) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-time.After(5 * time.Millisecond) {
		if _, err := store.Keep().SealAudit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if waiting, err := store.UnsealedAudit(t.Context()); err != nil {
			t.Fatal(err)
		} else if waiting.Rows == 0 {
			return
		}
	}
	t.Fatal("the trail is still not sealed")
}

func verify(t *testing.T, store *models.Store, scope models.AuditScope) models.AuditReport {
	t.Helper()
	report, err := store.VerifyAudit(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func TestASealedTrailHolds(t *testing.T) {
	t.Parallel()
	store, _ := trail(t, 20)
	say(t, store, 20)
	if r := verify(t, store, models.AuditScope{}); r.Flaw != nil || r.Rows != 20 || r.Seals == 0 || r.Unsealed.Rows != 1 || r.Unsealed.Since == nil {
		t.Fatalf("the trail does not hold: %+v", r)
	}
	sealAll(t, store)
	if r := verify(t, store, models.AuditScope{Merchant: 2}); r.Flaw != nil || r.Rows != 7 || r.Unsealed.Rows != 0 {
		t.Fatalf("one merchant's rows do not hold: %+v", r)
	}
	if r := verify(t, store, models.AuditScope{Since: time.Now().Add(time.Hour)}); r.Flaw != nil || r.Rows != 0 || r.Seals == 0 {
		t.Fatalf("nothing was sealed since: %+v", r)
	}
}

// What a database superuser can do, who may switch triggers off, and what must be said of it.
var attacks = []struct{ name, sql, what string }{
	{"a changed detail", `update audit set detail = '{"a": "c"}' where id = $1`, "changed"},
	{"a changed time", `update audit set at = at + interval '1 second' where id = $1`, "missing"},
	{"another actor", `update audit set actor_kind = 'cli' where id = $1`, "changed"},
	{"a changed mark", `update audit set mac = 'x' where id = $1`, "changed"},
	{"a deleted row", `delete from audit where id = $1`, "missing"},
	{"a deleted row and its leaf", `with d as (delete from audit where id = $1 returning id) delete from audit_leaves l using d where l.audit_id = d.id`, "moved"},
	{"the last row of a seal and its leaf", `with l as (delete from audit_leaves where $1 > 0 and (seal_id, position) = (select seal_id, max(position) from audit_leaves where seal_id = 1 group by 1) returning audit_id) delete from audit a using l where a.id = l.audit_id`, "missing"},
	{"an inserted row, not pending", `with n as (insert into audit (at, actor_kind, action, subject_kind) select now(), 'system', 'merchant.viewed', 'merchant' from audit where id = $1 returning id) select 1 from n`, "inserted"},
	{"an inserted row with a leaf of no seal", `with n as (insert into audit (at, actor_kind, action, subject_kind) select now(), 'system', 'merchant.viewed', 'merchant' from audit where id = $1 returning id, at) insert into audit_leaves (seal_id, position, audit_id, at, row_hash) select 1000, 0, id, at, 'x' from n`, "inserted"},
	{"an inserted row with a leaf in a seal", `with n as (insert into audit (at, actor_kind, action, subject_kind) select now(), 'system', 'merchant.viewed', 'merchant' from audit where id = $1 returning id, at) insert into audit_leaves (seal_id, position, audit_id, at, row_hash) select l.seal_id, (select count(*) from audit_leaves x where x.seal_id = l.seal_id), n.id, n.at, 'x' from n, audit_leaves l where l.audit_id = $1`, "changed"},
	{"an inserted row that never had a mark", `with n as (insert into audit (at, actor_kind, action, subject_kind) select now(), 'system', 'merchant.viewed', 'merchant' from audit where id = $1 returning id, at, transaction) insert into audit_pending (audit_id, at, transaction) select id, at, transaction from n`, "forged"},
	{"a copy that waits for a second seal", `insert into audit_pending (audit_id, at, transaction) select id, at, transaction from audit where id = $1`, "inserted"},
	{"a row of somebody else's", `update audit set merchant_id = 99 where id = $1`, "changed"},
	{"a leaf of somebody else's", `update audit_leaves set merchant_id = 99 where audit_id = $1`, "changed"},
	{"a changed leaf", `update audit_leaves set row_hash = 'x' where audit_id = $1`, "changed"},
	{"two rows that changed places", `update audit a set detail = b.detail, merchant_id = b.merchant_id, subject_id = b.subject_id, mac = b.mac from audit b where a.id in ($1, $1 + 1) and b.id in ($1, $1 + 1) and a.id <> b.id`, "changed"},
	{"two places that were changed", `update audit_leaves a set position = -b.position - 1 from audit_leaves b where a.audit_id in ($1, $1 + 1) and b.audit_id in ($1, $1 + 1) and a.audit_id <> b.audit_id; update audit_leaves set position = -position - 1 where position < 0`, "moved"},
	{"two leaves that changed places", `update audit_leaves a set audit_id = -b.audit_id, row_hash = b.row_hash, at = b.at from audit_leaves b where a.audit_id in ($1, $1 + 1) and b.audit_id in ($1, $1 + 1) and a.audit_id <> b.audit_id`, ""},
	{"a changed seal", `update audit_seals set rows = rows + 1 where $1 > 0 and id = 1`, "seal"},
	{"a changed root", `update audit_seals set root = 'x' where $1 > 0 and id = 1`, "seal"},
	{"a deleted seal", `with d as (delete from audit_leaves where $1 > 0 and seal_id = 1) delete from audit_seals where id = 1`, "seal"},
}

// notTheVictim are the attacks in which another row, or a seal, is what does not hold.
var notTheVictim = map[string]bool{"the last row of a seal and its leaf": true, "an inserted row with a leaf in a seal": true}

func TestEveryAttackOfASuperuserIsFound(t *testing.T) {
	t.Parallel()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			store, super := trail(t, 12)
			say(t, store, 12)
			sealAll(t, store)
			var victim int64
			// In the middle, with the row behind it in the same seal: another test's transaction may have parted them.
			if err := super.QueryRow(t.Context(), `select l.audit_id from audit_leaves l join audit_leaves n on n.seal_id = l.seal_id and n.position = l.position + 1 and n.audit_id = l.audit_id + 1
				order by abs(l.audit_id - (select min(id) + 5 from audit)) limit 1`).Scan(&victim); err != nil {
				t.Fatal(err)
			}
			attack(t, super, a.sql, victim)
			r := verify(t, store, models.AuditScope{})
			if !found(r.Flaw, a.what) {
				t.Fatalf("found %+v, want %q", r.Flaw, a.what)
			}
			switch a.what {
			case "changed", "missing", "moved":
				if notTheVictim[a.name] || r.Flaw.Row == 0 {
					break
				}
				if r.Flaw.Row != victim && r.Flaw.Row != victim+1 {
					t.Errorf("named row %d, not %d", r.Flaw.Row, victim)
				}
			}
		})
	}
}

// A row that goes through the trigger waits for its seal like any other: its mark gives it away, before and after.
func TestARowWrittenPastTheProgramIsForged(t *testing.T) {
	t.Parallel()
	store, super := trail(t, 3)
	if _, err := super.Exec(t.Context(), `insert into audit (at, actor_kind, action, subject_kind, mac) values (now(), 'system', 'merchant.viewed', 'merchant', 'guess')`); err != nil {
		t.Fatal(err)
	}
	for range 2 { // waiting for its seal, and sealed
		if r := verify(t, store, models.AuditScope{}); r.Flaw == nil || r.Flaw.What != "forged" {
			t.Fatalf("found %+v, want a forged row", r.Flaw)
		}
		sealAll(t, store)
	}
}

func TestASealCannotBeMadeWithoutTheKey(t *testing.T) {
	t.Parallel()
	d := testdb.Create(t)
	db := testdb.Open(t, d.DSN)
	mine := models.NewStore(db.Gorm, time.Now).AuditKey([]byte("the key"))
	other := models.NewStore(db.Gorm, time.Now).AuditKey([]byte("a guess"))
	say(t, other, 1)
	sealAll(t, other)
	if r := verify(t, mine, models.AuditScope{}); r.Flaw == nil || r.Flaw.What != "seal" {
		t.Fatalf("found %+v, want the seal", r.Flaw)
	}
}

func TestSealsFollowTheOrderOfCommits(t *testing.T) {
	t.Parallel()
	store, _ := trail(t, 1)
	held, release := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- store.Write(t.Context(), models.System, func(tx *models.Tx) error {
			tx.Audit(models.MerchantViewed, models.Somewhere("merchant"))
			if _, err := tx.EnsureCombination(models.Combination{BusinessType: "PERSONAL"}); err != nil { // takes its number
				return err
			}
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	say(t, store, 2) // commits first although it began later
	if n, err := store.Keep().SealAudit(t.Context()); err != nil || n != 0 {
		t.Fatalf("sealed %d rows beside a running transaction: %v", n, err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sealAll(t, store)
	if r := verify(t, store, models.AuditScope{}); r.Flaw != nil || r.Rows != 3 {
		t.Fatalf("the trail does not hold: %+v", r)
	}
}

// attack runs statements as somebody who may switch every trigger off. $1 in them is the victim.
func attack(t *testing.T, super *pgx.Conn, sql string, victim int64) {
	t.Helper()
	sql = strings.ReplaceAll(sql, "$1", fmt.Sprint(victim))
	for _, s := range []string{`begin`, `set local session_replication_role = replica`, sql, `commit`} {
		if _, err := super.Exec(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
