package models_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/models"
)

// queue fills the reviewers' queue with n documents of n/10 merchants, behind as many that are decided.
func (b *bundle) queue(n int) {
	b.Helper()
	b.merchant("first")
	owner, err := pgx.Connect(b.ctx(), b.database.OwnerDSN)
	b.must(err)
	defer owner.Close(context.Background())
	for _, sql := range []string{
		`insert into people (email, name, role, password_hash) select 'p' || i || '@berkas.test', 'Person ' || i, 'reviewer', 'x' from generate_series(1, 40) i`,
		fmt.Sprintf(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, progress_state, next_actor, due_on)
			select gen_random_uuid(), 'Merchant ' || i, 'merchant ' || i, case when i %% 3 = 0 then 'CORPORATE' else 'PERSONAL' end, 'PT', 'LINE_' || i %% 20, 'ID', c.id, c.set_id, 'complete', 'reviewer',
				case when i %% 3 > 0 then '2026-11-01'::date + i %% 90 end from generate_series(1, %d) i, combinations c`, n/10),
		`insert into slots (merchant_id, owner_path, category, code, by_hand) select m.id, 'business', 'DOCUMENT', 'X' || k, true from merchants m, generate_series(1, 10) k`,
		fmt.Sprintf(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, sha256, uploaded_by, uploaded_at, delivered_at, review, queued_at, review_due_on, business_type, business_line, snoozed_until, assigned_to)
			select gen_random_uuid(), s.merchant_id, s.id, v, s.category, s.code, 'delivered', sha256(s.id::text::bytea), (select min(id) + s.id %% 40 from people), now(), '2026-11-01'::timestamptz + s.id * interval '1 second',
				case v when 1 then 'approved' else 'undecided' end, case v when 2 then '2026-11-01'::timestamptz + s.id * interval '1 second' end, m.due_on, m.business_type, m.business_line,
				case when s.id %% 50 = 0 then '2027-01-01'::timestamptz end, case when s.id %% %d = 0 then (select min(id) + 3 from people) end
			from slots s join merchants m on m.id = s.merchant_id, generate_series(1, 2) v where s.by_hand`, n/20+50),
		`update slots s set document_id = d.id from documents d where d.slot_id = s.id and d.version = 2`,
		`vacuum analyze`,
	} {
		if _, err := owner.Exec(b.ctx(), sql); err != nil {
			b.Fatalf("%s: %v", sql, err)
		}
	}
}

var reviewFilters = map[string]models.ReviewFilter{
	"all": {}, "of a line": {BusinessLine: "LINE_7"}, "of a line of none": {BusinessLine: "NONE"}, "of a type": {BusinessType: "CORPORATE"}, "of a kind": {Category: "DOCUMENT", Code: "X3"},
	"of a kind of none": {Category: "LOGO"}, "of a line and a kind": {BusinessLine: "LINE_7", Category: "DOCUMENT", Code: "X3"}, "old": {Before: time.Date(2026, 11, 1, 1, 0, 0, 0, time.UTC)},
	"older than any": {Before: time.Date(2026, 10, 1, 1, 0, 0, 0, time.UTC)}, "overdue": {Overdue: noon}, "snoozed": {Snoozed: true}, "snoozed of a line": {Snoozed: true, BusinessLine: "LINE_7"},
	"oldest": {Before: oldest}, "oldest of a type": {Before: oldest, BusinessType: "CORPORATE"}, "oldest of a line": {Before: oldest, BusinessLine: "LINE_7"},
	"oldest of a kind": {Before: oldest, Category: "DOCUMENT", Code: "X3"}, "oldest and overdue": {Before: oldest, Overdue: noon}, "oldest snoozed": {Before: oldest, Snoozed: true},
	"of a line and a type": {BusinessLine: "LINE_7", BusinessType: "CORPORATE"}, "overdue of a kind": {Overdue: noon, Category: "DOCUMENT", Code: "X3"},
}

// oldest are a few of any queue of a test.
var oldest = time.Date(2026, 11, 1, 0, 5, 0, 0, time.UTC)

// meets is what a filter asks of a document in the queue.
func meets(f models.ReviewFilter, d models.ReviewRow) bool {
	return (d.SnoozedUntil != nil && d.SnoozedUntil.After(noon)) == f.Snoozed &&
		(f.BusinessType == "" || d.BusinessType == f.BusinessType) && (f.BusinessLine == "" || d.BusinessLine == f.BusinessLine) &&
		(f.Category == "" || d.Category == f.Category && d.Code == f.Code) && (f.Before.IsZero() || d.QueuedAt.Before(f.Before)) &&
		(f.Overdue.IsZero() || d.ReviewDueOn != nil && d.ReviewDueOn.Format(time.DateOnly) < f.Overdue.Format(time.DateOnly)) &&
		(f.Mine == 0 || d.AssignedTo == f.Mine || d.LeasedBy == f.Mine)
}

func TestTheQueueMissesNothing(t *testing.T) {
	b := setup(t)
	b.queue(2000)
	me := b.person + 3
	b.exec("update documents set leased_by = $1, leased_until = $2 where id % 70 = 0 and queued_at is not null", me, noon.Add(time.Minute))
	b.exec("update documents set queued_at = date_trunc('minute', queued_at) where queued_at is not null") // ties
	queue, err := b.ReviewQueue(b.ctx(), models.ReviewFilter{}, noon, nil, 5000)
	b.must(err)
	snoozed, err := b.ReviewQueue(b.ctx(), models.ReviewFilter{Snoozed: true}, noon, nil, 5000)
	b.must(err)
	if all := b.count("select count(*) from documents where queued_at is not null"); len(queue)+len(snoozed) != all {
		t.Fatalf("%d and %d of %d", len(queue), len(snoozed), all)
	}
	filters := maps.Clone(reviewFilters)
	filters["mine"], filters["mine of a type"], filters["my oldest"] = models.ReviewFilter{Mine: me}, models.ReviewFilter{Mine: me, BusinessType: "CORPORATE"}, models.ReviewFilter{Mine: me, Before: oldest}
	for name, f := range filters {
		var got, want []models.DocumentID
		for _, row := range slices.Concat(queue, snoozed) {
			if meets(f, row) {
				want = append(want, row.ID)
			}
		}
		var after *models.ReviewCursor
		for {
			rows, err := b.ReviewQueue(b.ctx(), f, noon, after, 37)
			b.must(err)
			for _, row := range rows {
				got = append(got, row.ID)
			}
			if len(rows) < 37 {
				break
			}
			last := rows[36].Cursor()
			after = &last
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d in pages, %d at once", name, len(got), len(want))
		}
		if n, err := b.CountsOfReview(b.ctx(), []models.ReviewFilter{f}, noon, 5000); err != nil || n[0] != len(want) {
			t.Errorf("%s: %d counted, %d listed, %v", name, n, len(want), err)
		}
	}
	if kinds, err := b.KindsInReview(b.ctx()); err != nil || len(kinds) != 10 {
		t.Errorf("%v %v", kinds, err)
	}
}

var (
	scanned = regexp.MustCompile(`Scan.* on documents.*actual time=\S+ rows=([\d.]+) loops=(\d+)`)
	passed  = regexp.MustCompile(`Rows Removed by (?:Filter|Index Recheck): (\d+)`)
)

// documentsRead is how many documents, or entries of their indexes, the statement of a plan met.
func documentsRead(plan []string) (n float64) {
	loops := 0.0
	for _, line := range plan {
		if m := scanned.FindStringSubmatch(line); m != nil {
			rows, _ := strconv.ParseFloat(m[1], 64)
			loops, _ = strconv.ParseFloat(m[2], 64)
			n += rows * loops
		} else if m := passed.FindStringSubmatch(line); m != nil {
			rows, _ := strconv.ParseFloat(m[1], 64)
			n += rows * loops
		} else if strings.Contains(line, "->") {
			loops = 0
		}
	}
	return n
}

// The queue is read from its indexes, however much waits, and never more than a tenth of it: a million documents in the long
// proof.
func TestProofOfTheQueuesPlans(t *testing.T) {
	b := setup(t)
	n := 30_000
	if os.Getenv("BERKAS_PROOF") == "full" {
		n = 1_000_000
	}
	b.queue(n)
	me := b.person + 3
	scans := regexp.MustCompile(`Seq Scan on (documents|merchants|slots)\b`)
	ask := func(name string, do func() error) {
		for _, s := range b.said.during(func() { b.must(do()) }) {
			rows, err := b.db.Pool.Query(b.ctx(), "explain (analyze, buffers) "+s.sql, s.args...)
			b.must(err)
			lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
			b.must(err)
			plan := strings.Join(lines, "\n")
			if scans.MatchString(plan) {
				t.Errorf("%s:\n%s\n%s", name, s.sql, plan)
			}
			if read := documentsRead(lines); read > float64(n/10) {
				t.Errorf("%s reads %.0f documents of %d:\n%s\n%s", name, read, n, s.sql, plan)
			}
			t.Logf("%s of %d: %.0f read, %s", name, n, documentsRead(lines), lines[len(lines)-1])
		}
	}
	for name, f := range reviewFilters {
		ask("queue "+name, func() error {
			rows, err := b.ReviewQueue(b.ctx(), f, noon, nil, 51)
			if err == nil && len(rows) > 0 {
				last := rows[len(rows)-1].Cursor()
				_, err = b.ReviewQueue(b.ctx(), f, noon, &last, 51)
			}
			return err
		})
		ask("count "+name, func() error { _, err := b.CountsOfReview(b.ctx(), []models.ReviewFilter{f}, noon, 201); return err })
		ask("next "+name, func() error { _, err := b.Keep().LeaseNext(b.ctx(), me, f, nil, 0, time.Minute); return err })
	}
	ask("mine", func() error {
		_, err := b.ReviewQueue(b.ctx(), models.ReviewFilter{Mine: me}, noon, nil, 51)
		return err
	})
	ask("counts", func() error {
		_, err := b.CountsOfReview(b.ctx(), []models.ReviewFilter{{}, {Mine: me}, {Overdue: noon}, {Before: oldest}, {Snoozed: true}}, noon, 501)
		return err
	})
	ask("kinds", func() error { _, err := b.KindsInReview(b.ctx()); return err })
	ask("shell", func() error { _, err := b.Shell(b.ctx(), me, 100); return err })
	ask("decisions", func() error { _, err := b.Decisions(b.ctx(), 70); return err })
	ask("looks", func() error { _, err := b.Looks(b.ctx(), 70, 50); return err })
	ask("lease", func() error { _, err := b.Keep().LeaseDocument(b.ctx(), 70, me, time.Minute); return err })
}

func TestALeaseIsHeldByOne(t *testing.T) {
	b := setup(t)
	b.queue(100)
	one, two := b.person+1, b.person+2
	k := b.Keep()
	id, err := k.LeaseNext(b.ctx(), one, models.ReviewFilter{}, nil, 0, time.Minute)
	b.must(err)
	if again, err := k.LeaseNext(b.ctx(), one, models.ReviewFilter{}, nil, 0, time.Minute); err != nil || again != id {
		t.Errorf("%d, then %d %v: a lease is its holder's", id, again, err)
	}
	other, err := k.LeaseNext(b.ctx(), one, models.ReviewFilter{}, nil, id, time.Minute)
	b.must(err)
	if other == id || other == 0 {
		t.Errorf("%d after %d", other, id)
	}
	if held, err := k.LeaseDocument(b.ctx(), other, two, time.Minute); err != nil || held {
		t.Errorf("%v %v: another's lease", held, err)
	}
	b.must(k.ReleaseDocument(b.ctx(), id, one, 0))
	if held, err := k.LeaseDocument(b.ctx(), id, two, time.Minute); err != nil || !held {
		t.Errorf("%v %v: what was given back", held, err)
	}
	b.must(k.ReleaseDocument(b.ctx(), other, two, 0))
	if held, err := k.LeaseDocument(b.ctx(), other, two, time.Minute); err != nil || held {
		t.Errorf("%v %v: another gave it back", held, err)
	}
	b.exec("update documents set leased_until = $1 where id = $2", noon.Add(-time.Second), other)
	if held, err := k.LeaseDocument(b.ctx(), other, two, time.Minute); err != nil || !held {
		t.Errorf("%v %v: a lease that ended", held, err)
	}
	b.exec("update documents set uploaded_by = $1 where id = $2", two, id)
	b.exec("update documents set leased_by = null")
	if held, err := k.LeaseDocument(b.ctx(), id, two, time.Minute); err != nil || held {
		t.Errorf("%v %v: one's own upload", held, err)
	}
}
