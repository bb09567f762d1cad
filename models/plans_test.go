package models_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/models"
)

// fill makes a portfolio of some size: merchants with three slots and two documents each, people, audit rows.
func (b *bundle) fill(merchants int) {
	b.Helper()
	b.merchant("first")
	owner, err := pgx.Connect(b.ctx(), b.database.OwnerDSN)
	b.must(err)
	defer owner.Close(context.Background())
	for _, sql := range []string{
		`insert into people (email, name, role, password_hash) select 'p' || i || '@berkas.test', 'Person ' || i, 'staff', 'x' from generate_series(1, 300) i`,
		fmt.Sprintf(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, responsible_id, progress_state, next_actor, updated_at, archived_at, due_on)
			select gen_random_uuid(), 'Merchant ' || md5(i::text), 'merchant ' || md5(i::text), case when i %% 3 = 0 then 'CORPORATE' else 'PERSONAL' end, c.legal_entity, 'LINE_' || i %% 20, 'ID', c.id, c.set_id,
				(select min(id) + i %% 300 from people), (array['pending','todo','waiting','refused','failed','complete','registered'])[1 + i %% 7], (array['staff','doku','reviewer'])[1 + i %% 3],
				'2026-11-01'::timestamptz + i * interval '1 minute', case when i %% 10 = 0 then now() end, '2026-12-01'::date + i %% 60
			from generate_series(1, %d) i, combinations c`, merchants),
		`insert into slots (merchant_id, owner_path, category, code, ordinal, position, requirement_id) select m.id, 'business', 'DOCUMENT', 'X' || n, 0, n, null from merchants m, generate_series(1, 3) n`,
		`insert into slot_fields (slot_id, code, value, masked, set_at) select id, 'NO_KTP', '\x01', '•', now() from slots where position = 1`,
		`insert into documents (uid, merchant_id, slot_id, version, category, code, state, uploaded_at, delivered_at, next_attempt_at, blob_ref)
			select gen_random_uuid(), s.merchant_id, s.id, v, 'DOCUMENT', s.code, case when s.merchant_id % 50 = 0 then 'waiting' else 'delivered' end, now(), now(),
				case when s.merchant_id % 50 = 0 then '2026-11-22 11:00+00'::timestamptz + s.id * interval '1 second' end, 'b' || s.id || '-' || v
			from slots s, generate_series(1, 2) v where s.position < 3`,
		`update slots s set document_id = (select max(d.id) from documents d where d.slot_id = s.id)`,
		`insert into sessions (token_hash, person_id, created_at, seen_at, expires_at) select sha256(i::text::bytea), (select min(id) + i % 300 from people), now(), '2026-11-22 11:59+00', '2026-11-22 20:00+00' from generate_series(1, 3000) i`,
		`insert into audit (at, actor_kind, action, subject_kind, merchant_id) select now(), 'system', 'merchant.edited', 'merchant', m.id from merchants m, generate_series(1, 5)`,
		`insert into merchant_keys (merchant_id, source, kind, hash) select id, 'business', 'phone', sha256(id::text::bytea) from merchants`,
		`insert into submissions (uid, merchant_id, kind, request_id, body, business_type, legal_entity, business_line, nationality, outcome, created_at)
			select gen_random_uuid(), id, 'registration', 'r' || id, '', business_type, legal_entity, business_line, nationality, 'registered', now() from merchants where id % 7 = 0`,
		`update merchants m set submission_id = s.id, registration = 'registered' from submissions s where s.merchant_id = m.id`,
		`insert into attachments (submission_id, merchant_id, document_id, place) select m.submission_id, d.merchant_id, d.id, 'p' || d.id from documents d join merchants m on m.id = d.merchant_id where d.version = 2 and m.locked`,
		`update documents set review = 'approved' where id % 20 <> 0`,
		`update documents d set queued_at = d.delivered_at, review_due_on = '2026-12-01'::date + d.id::int % 60, business_line = 'LINE_' || d.merchant_id % 20, business_type = 'PERSONAL'
			from slots s where s.document_id = d.id and d.state = 'delivered' and d.review = 'undecided'`,
		`vacuum analyze`,
	} {
		if sql == `vacuum analyze` {
			b.fold()
		}
		if _, err := owner.Exec(b.ctx(), sql); err != nil {
			b.Fatalf("%s: %v", sql, err)
		}
	}
}

// large are the tables that grow with the portfolio: none of them is read from end to end for a page.
var large = regexp.MustCompile(`Seq Scan on (merchants|name_words|documents|slots|slot_fields|sessions|audit_` + time.Now().UTC().Format("2006_01") + `|merchant_keys|tallies|attachments|submissions)\b`)

func TestHotQueriesReadNoTableFromEndToEnd(t *testing.T) {
	b := setup(t)
	b.fill(6000)
	ctx := b.ctx()
	ask := func(name string, do func() error) {
		for _, s := range b.said.during(func() { b.must(do()) }) {
			if !regexp.MustCompile(`(?i)^\s*(select|with|update|insert)`).MatchString(s.sql) {
				continue
			}
			rows, err := b.db.Pool.Query(ctx, "explain "+s.sql, s.args...)
			b.must(err)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			b.must(err)
			if plan := strings.Join(lines, "\n"); large.MatchString(plan) {
				t.Errorf("%s:\n%s\n%s", name, s.sql, plan)
			}
		}
	}
	list := func(name string, f models.MerchantFilter) {
		f.Today = noon
		ask("merchants "+name, func() error {
			rows, err := b.Merchants(ctx, f, nil, 51)
			if err == nil && len(rows) > 0 {
				last := rows[len(rows)-1].Cursor()
				_, err = b.Merchants(ctx, f, &last, 51)
			}
			return err
		})
	}
	list("all", models.MerchantFilter{})
	list("of a state", models.MerchantFilter{State: "refused"})
	list("of a type", models.MerchantFilter{BusinessType: "CORPORATE"})
	list("of a line", models.MerchantFilter{BusinessLine: "LINE_7"})
	list("of a person", models.MerchantFilter{Responsible: b.person + 5})
	list("by name", models.MerchantFilter{Name: "a1b2"})
	list("with the merchant", models.MerchantFilter{State: "merchant"})
	list("to remind", models.MerchantFilter{State: "remind", Reminded: noon})
	for name, f := range map[string]models.TallyFilter{"of all": {}, "of a type": {BusinessType: "CORPORATE"}, "of a line": {BusinessLine: "RETAIL"}, "of a person": {Responsible: b.person + 5}, "of a team": {Team: "a"}, "of nobody": {Nobody: true}} {
		for _, m := range models.Measures {
			ask("figures "+name+": "+string(m), func() error {
				_, err := b.Tallies(ctx, f, []models.TallyQuestion{{Measure: m, From: noon.AddDate(0, 0, -84), Daily: true}})
				return err
			})
		}
		ask("figures "+name+" by person", func() error {
			_, err := b.Tallies(ctx, f, []models.TallyQuestion{{Measure: models.TallyNext, By: models.ByPerson}, {Measure: models.TallyFirstPass, By: models.ByLine, From: noon.AddDate(0, 0, -84)}})
			return err
		})
	}
	ask("messages", func() error { _, err := b.Messages(ctx, 70, 100); return err })
	ask("comments", func() error { _, err := b.Comments(ctx, 70); return err })
	ask("decisions of a merchant", func() error { _, err := b.DecisionsOfMerchant(ctx, 70); return err })
	ask("look-alikes", func() error {
		_, err := b.LookAlikes(ctx, 1, "merchant x", [][]byte{{1}, {2}})
		return err
	})
	ask("words of names", func() error {
		_, err := b.NameWords(ctx, []string{"merchxnt", "xyzzyx"})
		return err
	})
	ask("misspelt names", func() error {
		_, err := b.MerchantsNamedNearly(ctx, []models.WordsOfName{{{"merchant", "merchan"}, {"md5"}}, {{"first"}}}, false, 500)
		return err
	})
	ask("shell", func() error { _, err := b.Shell(ctx, b.person+5, 100); return err })
	ask("checklist", func() error { _, err := b.ChecklistRows(ctx, 70); return err })
	ask("checklist with versions", func() error { _, err := b.ChecklistVersions(ctx, 70); return err })
	ask("dossier", func() error { _, err := b.Dossier(ctx, 70); return err })
	ask("timeline", func() error { _, err := b.Timeline(ctx, 70, 60); return err })
	ask("session", func() error {
		_, _, _, err := b.SessionPerson(ctx, []byte("none"), noon, time.Hour)
		if err != nil {
			return nil
		}
		return err
	})
	ask("document", func() error { _, err := b.Document(ctx, 70); return err })
	ask("attachments", func() error { _, err := b.Attachments(ctx, 70); return err })
	ask("where it is attached", func() error { _, err := b.HolderOf(ctx, 70); return err })
	ask("submissions", func() error { _, err := b.Submissions(ctx, 70, 0, 100); return err })
	ask("brands to compare", func() error { _, err := b.ToCompare(ctx, noon, 20); return err })
	ask("brands of a merchant", func() error { _, err := b.Made(ctx, 70); return err })
	ask("differences", func() error { _, err := b.Differing(ctx, 200); return err })
	ask("whether it is lost", func() error { _, err := b.LostAtDOKU(ctx, models.Document{ID: 70, MerchantID: 35}); return err })
	ask("claim", func() error { _, err := b.Keep().ClaimDelivery(ctx, 70, "me", time.Second); return err })
	ask("wake", func() error { _, err := b.Keep().WakeDeliveries(ctx, 10); return err })
	ask("submissions due", func() error {
		_, err := b.Keep().SweepSubmissions(ctx, 30*time.Second, 10, func(*models.Tx, models.SubmissionID) error { return nil })
		return err
	})
	ask("evidence", func() error { _, err := b.Bundles(ctx, 70, 50); return err })
	ask("evidence's trail", func() error { _, err := b.AuditHistory(ctx, 70, noon, 0, 500); return err })
	ask("evidence's documents", func() error { _, err := b.EvidenceDocuments(ctx, 70, 0, 500); return err })
	ask("evidence's decisions", func() error { _, err := b.EvidenceDecisions(ctx, 70, 0, 500); return err })
	ask("evidence's looks", func() error { _, err := b.EvidenceLooks(ctx, 70, 0, 500); return err })
	ask("orphans", func() error { _, err := b.BlobsKnown(ctx, []string{"b1-1", "x"}); return err })
	ask("sweep", func() error {
		_, err := b.Keep().SweepDeliveries(ctx, 30*time.Second, 10, func(*models.Tx, models.DocumentID) error { return nil })
		return err
	})
}

func TestAMerchantsPageAsksAsOftenForManyDocuments(t *testing.T) {
	b := setup(t)
	m, slot := b.merchant("a")
	asked := func() int {
		return len(b.said.during(func() {
			_, err := b.Dossier(b.ctx(), m.ID)
			b.must(err)
			_, err = b.ChecklistVersions(b.ctx(), m.ID)
			b.must(err)
			_, err = b.Timeline(b.ctx(), m.ID, 60)
			b.must(err)
			_, err = b.Shell(b.ctx(), b.person, 100)
			b.must(err)
		}))
	}
	few := asked()
	for range 20 {
		b.document(m, slot)
	}
	if many := asked(); many != few || many > 8 {
		t.Errorf("%d statements, then %d", few, many)
	}
	rows, err := b.ChecklistRows(b.ctx(), m.ID)
	if err != nil || len(rows[0].Documents) != 1 || rows[0].Newest() == nil {
		t.Errorf("%v beside %d versions", err, len(rows[0].Documents))
	}
	b.exec("update slots set document_id = (select min(id) from documents where slot_id = $1) where id = $1", slot)
	rows, err = b.ChecklistVersions(b.ctx(), m.ID)
	if err != nil || len(rows[0].Documents) != 11 || rows[0].Newest() == nil {
		t.Errorf("of 20 versions %d and the one that counts: %v", len(rows[0].Documents), err)
	}
}

func TestPagesOfMerchantsMissNothing(t *testing.T) {
	b := setup(t)
	b.fill(400)
	b.exec("update merchants set updated_at = $1 where id % 3 = 0", noon) // ties
	for _, order := range append([]models.MerchantOrder{""}, models.MerchantOrders...) {
		seen := map[models.MerchantID]bool{}
		var after *models.MerchantCursor
		for {
			rows, err := b.Merchants(b.ctx(), models.MerchantFilter{Order: order}, after, 37)
			b.must(err)
			for _, row := range rows {
				if seen[row.ID] {
					t.Fatalf("%q: %d twice", order, row.ID)
				}
				seen[row.ID] = true
			}
			if len(rows) < 37 {
				break
			}
			last := rows[36].Cursor()
			after = &last
		}
		if want := b.count("select count(*) from merchants where archived_at is null"); len(seen) != want {
			t.Errorf("%q: %d of %d", order, len(seen), want)
		}
	}
}

func TestSearchTakesSignsForThemselves(t *testing.T) {
	b := setup(t)
	b.merchant("Seratus persen 100")
	for name, want := range map[string]int{"100": 1, "100%": 0, "1_0": 0, `\`: 0, "persen": 1} {
		rows, err := b.Merchants(b.ctx(), models.MerchantFilter{Name: name}, nil, 10)
		if err != nil || len(rows) != want {
			t.Errorf("%q finds %d, %v", name, len(rows), err)
		}
	}
}

func TestWatchHearsOfACommitAndConnectsAgain(t *testing.T) {
	b := setup(t)
	m, slot := b.merchant("a")
	w := models.NewWatch()
	ctx, stop := context.WithCancel(b.ctx())
	ended := make(chan struct{})
	changed, forget := w.Subscribe(m.ID)
	go func() { w.Run(ctx, b.db.Pool); close(ended) }()
	await := func(what string) {
		t.Helper()
		select {
		case <-changed:
		case <-time.After(time.Minute):
			t.Fatalf("nobody heard of %s", what)
		}
	}
	await("the beginning")
	b.document(m, slot)
	await("a document")
	other, otherSlot := b.merchant("b")
	b.document(other, otherSlot)
	if _, err := b.db.Pool.Exec(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like 'listen%'"); err != nil {
		t.Fatal(err)
	}
	await("the new connection")
	b.document(m, slot)
	await("another document")
	select {
	case <-changed:
		t.Error("heard of something else")
	default:
	}
	forget()
	stop()
	<-ended
}
