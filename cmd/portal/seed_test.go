package main

import (
	"bytes"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"berkas/internal/testdb"
)

// runWithin runs a subcommand within the test and returns what it printed.
func runWithin(t *testing.T, e env, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := Run(t.Context(), args, func(name string) string { return e[name] }, &out)
	return out.String(), err
}

func mustRun(t *testing.T, e env, args ...string) string {
	t.Helper()
	out, err := runWithin(t, e, args...)
	if err != nil {
		t.Fatalf("portal %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// A seeded database is whole: its trail and its files hold, the figures are those of its rows, however they came about.
func TestASeededDatabaseIsWhole(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	mustRun(t, e, "seed", "--merchants", "250", "--seed", "7", "--today", "2026-11-20")
	if out := mustRun(t, e, "audit", "verify"); !strings.Contains(out, "The audit trail holds.") || !strings.Contains(out, "not sealed   0") {
		t.Error(out)
	}
	if out := mustRun(t, e, "blobs", "check"); !strings.Contains(out, "Every document has its bytes") {
		t.Error(out)
	}
	if _, err := runWithin(t, e, "seed", "--merchants", "10", "--seed", "8"); err == nil || !strings.Contains(err.Error(), "the database has merchants already (250)") {
		t.Errorf("seeded twice: %v", err)
	}
	if _, err := runWithin(t, e, "seed", "--merchants", "10", "--seed", "7", "--into-non-empty"); err == nil || !strings.Contains(err.Error(), "choose another one") {
		t.Errorf("the same twice: %v", err)
	}
	mustRun(t, e, "recount")
	mustRun(t, e, "seed", "--merchants", "40", "--seed", "8", "--today", "2026-11-20", "--into-non-empty")
	mustRun(t, e, "recount")
	pool := testdb.Open(t, db.DSN).Pool
	for what, sql := range map[string]string{
		"merchants":                             `select abs(count(*) - 290) from merchants`,
		"slots of a merchant":                   `select count(*) from (select merchant_id from slots group by 1 having count(*) <> 12) s`,
		"a document after today":                `select count(*) from documents where uploaded_at > '2026-11-20' or decided_at > '2026-11-20' or delivered_at > '2026-11-20'`,
		"a reviewer's own document":             `select count(*) from decisions where decided_by = uploaded_by`,
		"the queue":                             `select count(*) from documents d join slots s on s.document_id = d.id join merchants m on m.id = d.merchant_id where (d.queued_at is not null) <> (d.state = 'delivered' and d.review = 'undecided' and m.archived_at is null and m.registered_at is null)`,
		"a registration without its submission": `select count(*) from merchants m where (m.registered_at is not null) <> (m.locked and exists (select from submissions s where s.id = m.submission_id and s.merchant_id = m.id))`,
		"who can sign in":                       `select count(*) from people where password_hash <> ''`,
		"a stage before the last":               `select count(*) from merchants where first_document_at < created_at or at_doku_at < first_document_at or approved_at < at_doku_at or registered_at < approved_at or active_at < registered_at`,
		"words of names":                        `select count(*) from (select distinct unnest(string_to_array(name_normal, ' ')) from merchants) m(word) full join name_words n on n.word = m.word where length(m.word) > 2 and n.word is null or m.word is null`,
		"states of nobody":                      `select count(*) from unnest(array['todo', 'refused', 'complete', 'registered']) s(state) where not exists (select from merchants where progress_state = state)`,
	} {
		var wrong int
		if err := pool.QueryRow(t.Context(), sql).Scan(&wrong); err != nil || wrong != 0 {
			t.Errorf("%s: %d, %v", what, wrong, err)
		}
	}
}

// The same seed makes the same portfolio, and what has no file says so.
func TestTheSameSeedMakesTheSamePortfolio(t *testing.T) {
	t.Parallel()
	var prints []string
	for range 2 {
		db := testdb.Create(t)
		e := onDatabase(t, db)
		mustRun(t, e, "seed", "--merchants", "40", "--seed", "3", "--today", "2026-11-20")
		var print string
		err := testdb.Open(t, db.DSN).Pool.QueryRow(t.Context(), `select md5(
				(select string_agg(concat_ws('|', id, uid, name, legal_entity, business_line, responsible_id, due_on, progress, next_actor_since, course, registered_at, created_at, updated_at), ';' order by id) from merchants) ||
				(select string_agg(concat_ws('|', id, uid, slot_id, version, state, size, uploaded_at, delivered_at, queued_at, expires_on), ';' order by id) from documents) ||
				(select string_agg(concat_ws('|', uid, outcome, reasons, encode(facts, 'hex'), decided_by, decided_at), ';' order by id) from decisions) ||
				(select string_agg(concat_ws('|', at, merchant_id, from_state, to_state), ';' order by at, merchant_id, subject_id, to_state) from transitions))`).Scan(&print)
		if err != nil {
			t.Fatal(err)
		}
		prints = append(prints, print)
	}
	if prints[0] != prints[1] {
		t.Error("two portfolios of one seed differ")
	}
}

// What a seed that was broken off leaves is not served, and the next seed begins anew.
func TestABrokenSeedIsNotServed(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	owner := testdb.Open(t, db.OwnerDSN).Pool
	mustRun(t, e, "seed", "--merchants", "20", "--seed", "5")
	schema := schemaOf(t, db)
	p := &seeding{owner: owner, say: func(string, ...any) {}}
	if err := p.takeOff(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := runWithin(t, e, "serve"); err == nil || !strings.Contains(err.Error(), "being filled by portal seed, or that was broken off") {
		t.Fatalf("it serves: %v", err)
	}
	mustRun(t, e, "seed", "--merchants", "30", "--seed", "6")
	if after := schemaOf(t, db); after != schema {
		t.Errorf("the schema is another one:\n%s\nit was\n%s", after, schema)
	}
	v := staff(t, start(t, e))
	list := v.get(t, "/merchants?sort=name").page()
	if n := list.Find(`a[href^="/merchants/"]`).Length(); n < 20 {
		t.Errorf("the list shows %d links", n)
	}
	var document int64
	if err := owner.QueryRow(t.Context(), `select min(id) from documents where state = 'delivered'`).Scan(&document); err != nil {
		t.Fatal(err)
	}
	a := v.get(t, fmt.Sprintf("/documents/%d/file", document))
	if a.status != http.StatusNotFound || !regexp.MustCompile(`dibuat-buat|invented`).Match(a.body) {
		t.Errorf("an invented document is answered %d: %s", a.status, a.body)
	}
}

// schemaOf is all indexes, constraints and triggers.
func schemaOf(t *testing.T, db testdb.Database) (schema string) {
	t.Helper()
	err := testdb.Open(t, db.OwnerDSN).Pool.QueryRow(t.Context(), `select string_agg(line, e'\n' order by line) from (
		select pg_get_indexdef(indexrelid) from pg_index where indrelid::regclass::text !~ '^(pg_|audit_2|river)'
		union all select conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) || convalidated from pg_constraint where conrelid::regclass::text !~ '^(pg_|audit_2|river)'
		union all select tgrelid::regclass || ' ' || tgname || tgenabled::text from pg_trigger where not tgisinternal and tgrelid::regclass::text !~ 'audit_2') s(line)`).Scan(&schema)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}
