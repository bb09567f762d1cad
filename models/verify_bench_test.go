package models

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/testdb"
)

// longTrail is a store whose trail has n rows of a year, written and marked past Write, which takes one transaction each.
func longTrail(t testing.TB, n int) (*Store, *pgx.Conn) {
	t.Helper()
	d := testdb.Create(t)
	store := NewStore(testdb.Open(t, d.DSN).Gorm, time.Now).AuditKey([]byte("a key of the test's own"))
	conn, err := pgx.Connect(t.Context(), d.OwnerDSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(t.Context()) })
	now := time.Now().UTC().Truncate(time.Microsecond)
	for month := range 13 {
		if _, err := conn.Exec(t.Context(), `select audit_partition($1::date)`, now.AddDate(0, -month, 0)); err != nil {
			t.Fatal(err)
		}
	}
	step := 360 * 24 * time.Hour / time.Duration(n)
	i := 0
	rows := pgx.CopyFromFunc(func() ([]any, error) {
		if i++; i > n {
			return nil, nil
		}
		r := sealedRow{ID: int64(i), At: now.Add(-step * time.Duration(n-i)).Truncate(time.Microsecond), ActorKind: ActorSystem, Action: Actions[i%len(Actions)], SubjectKind: "merchant", Detail: fmt.Sprintf(`{"n": %d}`, i), RequestID: "A"}
		if i%3 == 0 {
			person := int64(i%7 + 1)
			r.ActorKind, r.ActorID, r.ActorRole = ActorUser, &person, RoleStaff
		}
		if i%5 != 0 {
			merchant := int64(i%2000 + 1)
			r.MerchantID, r.SubjectID = &merchant, &merchant
		}
		return []any{r.ID, r.At, r.ActorKind, r.ActorID, r.ActorRole, r.Action, r.SubjectKind, r.SubjectID, r.MerchantID, r.Detail, r.RequestID, r.mark(store.auditKey)}, nil
	})
	columns := []string{"id", "at", "actor_kind", "actor_id", "actor_role", "action", "subject_kind", "subject_id", "merchant_id", "detail", "request_id", "mac"}
	if _, err := conn.CopyFrom(t.Context(), pgx.Identifier{"audit"}, columns, rows); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `select setval('audit_id', $1)`, n); err != nil {
		t.Fatal(err)
	}
	for sealed := 0; sealed < n; {
		more, err := store.Keep().SealAudit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		sealed += more
	}
	for _, table := range []string{"audit", "audit_leaves", "audit_seals", "audit_pending"} {
		if _, err := conn.Exec(t.Context(), `vacuum analyze `+table); err != nil {
			t.Fatal(err)
		}
	}
	return store, conn
}

// go test -run - -bench AuditTrail -benchtime 1x ./models, with AUDIT_ROWS=1000000
func BenchmarkAuditTrail(b *testing.B) {
	n, _ := strconv.Atoi(os.Getenv("AUDIT_ROWS"))
	if n == 0 {
		n = 50_000
	}
	begin := time.Now()
	store, _ := longTrail(b, n)
	b.Logf("made and sealed in %v", time.Since(begin))
	for _, c := range []struct {
		name  string
		scope AuditScope
	}{{"whole", AuditScope{}}, {"merchant", AuditScope{Merchant: 7}}, {"since", AuditScope{Since: time.Now().Add(time.Hour)}}} {
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				r, err := store.VerifyAudit(b.Context(), c.scope)
				if err != nil || r.Flaw != nil {
					b.Fatal(r, err)
				}
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			b.ReportMetric(float64(m.HeapSys)/1e6, "MB-heap")
		})
	}
}
