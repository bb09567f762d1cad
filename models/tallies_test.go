package models_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/models"
)

// agree fails the test when what is counted is another than the facts of all rows together.
func (b *bundle) agree(after string) {
	b.Helper()
	rows, err := b.db.Pool.Query(b.ctx(), `with facts as (
			select m.combination_id, f.* from merchants m cross join lateral merchant_facts(m) f
			union all select m.combination_id, f.* from slots s join merchants m on m.id = s.merchant_id cross join lateral slot_facts(s, m) f
			union all select m.combination_id, f.* from decisions v join merchants m on m.id = v.merchant_id cross join lateral decision_facts(v, m) f
			union all select combination_id, measure, day, key, person_id, -n, -total from tally_deltas),
		spans as (
			select f.*, false as months from facts f
			union all select f.combination_id, f.measure || '_month', f.day - extract(day from f.day)::integer + 1, f.key, f.person_id, f.n, f.total, true from facts f where f.measure not in ('merchants', 'next', 'slots')),
		scopes as (
			select t.v || '|' || e.v || '|' || l.v as kind, w.whose, f.* from spans f join combinations c on c.id = f.combination_id left join people p on p.id = f.person_id
				cross join lateral (values (true, '*'), (false, c.business_type)) t(any_of, v) cross join lateral (values (true, '*'), (false, c.legal_entity)) e(any_of, v) cross join lateral (values (true, '*'), (false, c.business_line)) l(any_of, v)
				cross join lateral (values ('all', ''), ('team', 'team:' || nullif(p.team, '')), ('who', 'who:' || f.person_id)) w(i, whose)
				where w.whose is not null and (t.any_of and e.any_of and l.any_of
					or w.i = 'all' or f.measure not like 'decided_by%' and f.measure not like 'queue_time%'
						and (w.i = 'team' or f.measure in ('merchants', 'next', 'slots') or not f.months and not (t.any_of or e.any_of or l.any_of)))),
		everything as (
			select kind, whose, measure, day, key, n, total from scopes union all select kind, whose, measure, day, key, -n, -total from tallies)
		select measure || ' ' || key || ' ' || day || ' (' || kind || ', ' || whose || '): ' || sum(n) || ', ' || sum(total)
			from everything group by kind, whose, measure, day, key having sum(n) <> 0 or sum(total) <> 0 order by 1 limit 10`)
	b.must(err)
	defer rows.Close()
	for rows.Next() {
		var line string
		b.must(rows.Scan(&line))
		b.Errorf("after %s: %s", after, line)
	}
	b.must(rows.Err())
	if b.Failed() {
		b.FailNow()
	}
}

// fold adds all changes to the tallies.
func (b *bundle) fold() {
	b.Helper()
	_, err := b.Keep().FoldTallies(b.ctx(), 1_000_000)
	b.must(err)
	if n := b.count("select count(*) from tally_deltas"); n != 0 {
		b.Fatalf("%d changes are left", n)
	}
}

func TestEveryChangeIsCounted(t *testing.T) {
	b := setup(t)
	colleague := b.add("tono@berkas.test")
	m, slot := b.merchant("a")
	_, otherSlot := b.merchant("b")
	b.merchant("c")
	d := b.document(m, slot)
	b.agree("some merchants")
	b.fold()
	b.agree("folding")
	b.exec("insert into combinations (business_type, legal_entity, business_line, nationality) values ('CORPORATE', 'PT', 'MINING', 'ID')")
	decision := `insert into decisions (uid, document_id, merchant_id, version, outcome, standing, reasons, facts, decided_by, decided_at, queued_at)
		values (gen_random_uuid(), $1, $2, 1, 'refused', 'counts', '["blurred", "cropped"]', '', $3, '2026-11-22 08:00+00', '2026-11-22 05:30+00')`
	for _, change := range []struct {
		what, sql string
		args      []any
	}{
		{"a slot's state", "update slots set state = 'delivered', state_since = '2026-11-20 03:00+00' where id = $1", []any{slot}},
		{"a refusal", "update slots set state = 'refused', refused_for = 'blurred' where id = $1", []any{slot}},
		{"an expiry date", "update slots set state = 'approved', refused_for = '', expires_on = '2027-01-31' where id = any($1)", []any{[]models.SlotID{slot, otherSlot}}},
		{"a decision", decision, []any{d, m.ID, colleague}},
		{"progress", "update merchants set progress_state = 'refused', next_actor = 'merchant', next_actor_since = '2026-11-21 00:00+00', due_on = '2026-12-01' where id = $1", []any{m.ID}},
		{"stages", "update merchants set first_document_at = created_at + interval '20 hours', at_doku_at = created_at + interval '20 hours 30 seconds', approved_at = created_at, registered_at = null where id = $1", []any{m.ID}},
		{"a course", `update merchants set quarter = '2', course = course || '[{"week": "2026-11-30", "quarter": "2"}, {"week": "2026-12-07", "quarter": "1"}]' where id = $1`, []any{m.ID}},
		{"whoever is responsible for several", "update merchants set responsible_id = $1", []any{colleague}},
		{"another combination", "update merchants set combination_id = (select max(id) from combinations) where id = $1", []any{m.ID}},
		{"an archived merchant", "update merchants set archived_at = now() where id = $1", []any{m.ID}},
		{"a change of an archived merchant", "update merchants set progress_state = 'todo', responsible_id = null where id = $1", []any{m.ID}},
		{"a slot of an archived merchant", "update slots set state = 'refused', refused_for = 'cropped' where id = $1", []any{slot}},
		{"a restored merchant", "update merchants set archived_at = null where id = $1", []any{m.ID}},
		{"a registered merchant", "update merchants set registered_at = '2026-11-25', progress_state = 'registered', next_actor = 'nobody', quarter = 'registered' where id = $1", []any{m.ID}},
		{"a slot of a registered merchant", "update slots set expires_on = '2027-03-31' where id = $1", []any{slot}},
		{"an active merchant", "update merchants set active_at = '2026-11-26', business_status = 'ACTIVE' where id = $1", []any{m.ID}},
		{"an undone decision", "update decisions set standing = 'undone', settled_at = now()", nil},
		{"a decision that counts again", "update decisions set standing = 'counts', settled_at = null", nil},
		{"a slot nobody asks for", "update slots set state = '', expires_on = null where id = $1", []any{slot}},
		{"slots that are gone", "delete from slots where id = $1", []any{otherSlot}},
		{"decisions that are gone", "delete from decisions", nil},
		{"a bare merchant", `insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id)
			select gen_random_uuid(), 'bare', 'bare', business_type, legal_entity, business_line, nationality, id from combinations`, nil},
		{"merchants that are gone", "delete from merchants where name = 'bare'", nil},
	} {
		before := b.count("select coalesce(max(id), 0) from tally_deltas")
		b.exec(change.sql, change.args...)
		if b.count("select coalesce(max(id), 0) from tally_deltas") == before && change.what != "a change of an archived merchant" && change.what != "a slot of an archived merchant" {
			t.Errorf("%s changes no figure", change.what)
		}
		b.agree(change.what)
	}
	b.fold()
	b.agree("folding")
	last := b.count("select count(*) from tally_deltas")
	b.exec("update merchants set notes = 'x', updated_at = now()")
	b.exec("update slots set position = position + 1")
	if n := b.count("select count(*) from tally_deltas"); n != last {
		t.Errorf("what counts nowhere leaves %d changes", n-last)
	}
}

func TestTalliesAnswerEveryFilter(t *testing.T) {
	b := setup(t)
	b.merchant("first")
	for i, team := range []string{"a", "a", "b"} {
		b.exec("update people set team = $1 where id = $2", team, b.add(string(rune('x'+i))+"@berkas.test"))
	}
	b.exec(`insert into combinations (business_type, legal_entity, business_line, nationality) values ('CORPORATE', 'PT', 'RETAIL', 'ID'), ('CORPORATE', 'CV', 'MINING', 'ID'), ('PERSONAL', 'PERSEORANGAN', 'MINING', 'ID')`)
	more := func(from, to int) {
		b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, responsible_id, progress_state, next_actor, due_on, quarter, course, created_at,
				first_document_at, at_doku_at, approved_at, registered_at)
			select gen_random_uuid(), 'm' || i, 'm' || i, c.business_type, c.legal_entity, c.business_line, c.nationality, c.id, (select id from people order by id offset i % 5 limit 1),
				(array['todo', 'refused', 'complete'])[1 + i % 3], (array['staff', 'merchant', 'reviewer'])[1 + i % 3], date '2026-11-01' + i % 40, (i % 5)::text, jsonb_build_array(jsonb_build_object('week', date '2026-11-02' + 7 * (i % 3), 'quarter', i % 5)),
				t.at, t.at + i % 7 * interval '5 hours', t.at + interval '3 days', t.at + interval '4 days', case when i % 6 = 0 then t.at + interval '5 days' end
			from generate_series($1::integer, $2) i cross join lateral (select timestamptz '2026-10-20 03:00+00' + i * interval '9 hours' as at) t join lateral (select * from combinations order by id offset i % 4 limit 1) c on true`, from, to)
		b.exec(`insert into slots (merchant_id, owner_path, category, code, ordinal, by_hand, state, refused_for, expires_on) select m.id, 'business', 'DOCUMENT', 'NIB', k, true, (array['missing', 'refused', 'approved'])[k],
				case k when 2 then 'blurred' else '' end, case k when 3 then date '2026-12-01' + m.id::integer % 50 end
			from merchants m, generate_series(1, 3) k where m.name like 'm%' and not exists (select 1 from slots s where s.merchant_id = m.id)`)
		b.exec(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, uploaded_at, expires_on) select gen_random_uuid(), merchant_id, id, 1, category, code, 'delivered', now(), expires_on from slots
			where by_hand and state <> 'missing' and document_id is null`)
		b.exec(`update slots s set document_id = d.id from documents d where d.slot_id = s.id`)
		b.exec(`insert into decisions (uid, document_id, merchant_id, version, outcome, standing, reasons, facts, decided_by, decided_at, queued_at)
			select gen_random_uuid(), d.id, d.merchant_id, 1 + d.id % 2, s.state, 'counts', case s.state when 'refused' then '["blurred", "cropped"]' else '[]' end::jsonb, '', (select max(id) from people),
				timestamptz '2026-11-03 05:00+00' + d.id % 18 * interval '1 day', timestamptz '2026-11-03 05:00+00' - d.id % 50 * interval '7 minutes'
			from documents d join slots s on s.document_id = d.id where not exists (select 1 from decisions v where v.document_id = d.id)`)
	}
	more(1, 60)
	b.fold()
	more(61, 90) // waits to be folded
	b.agree("a portfolio")
	other := b.add("w@berkas.test")
	b.exec("update people set team = 'a' where id = $1", other) // some facts of a person without a team, and one who changes to another
	b.agree("a change of team")
	b.exec("update people set team = 'b' where id = (select min(id) from people where team = 'a')")
	b.agree("another change of team")
	teamless := b.person
	filters := []struct {
		kinds, people string
		models.TallyFilter
	}{
		{}, {kinds: "c.business_type = 'PERSONAL'", TallyFilter: models.TallyFilter{BusinessType: "PERSONAL"}}, {kinds: "c.legal_entity = 'CV'", TallyFilter: models.TallyFilter{LegalEntity: "CV"}},
		{kinds: "c.business_line = 'RETAIL'", TallyFilter: models.TallyFilter{BusinessLine: "RETAIL"}},
		{kinds: "c.business_type = 'CORPORATE' and c.business_line = 'RETAIL'", TallyFilter: models.TallyFilter{BusinessType: "CORPORATE", BusinessLine: "RETAIL"}},
		{people: "p.team = 'a'", TallyFilter: models.TallyFilter{Team: "a"}}, {people: "f.person_id = 0", TallyFilter: models.TallyFilter{Nobody: true}},
		{people: fmt.Sprint("p.id = ", teamless), TallyFilter: models.TallyFilter{Responsible: teamless}},
		{people: fmt.Sprint("p.id = ", other), kinds: "c.business_line = 'MINING'", TallyFilter: models.TallyFilter{Responsible: other, BusinessLine: "MINING"}},
		{people: "p.team = 'b'", kinds: "c.business_line = 'MINING'", TallyFilter: models.TallyFilter{Team: "b", BusinessLine: "MINING"}},
		{people: fmt.Sprint("p.team = 'a' and p.id = ", teamless), TallyFilter: models.TallyFilter{Team: "a", Responsible: teamless}},
		{people: fmt.Sprint("p.team = 'a' and p.id = ", other), TallyFilter: models.TallyFilter{Team: "a", Responsible: other}},
		{people: "f.person_id = 0", kinds: "c.legal_entity = 'PT'", TallyFilter: models.TallyFilter{Nobody: true, LegalEntity: "PT"}},
	}
	from, until := noon.AddDate(0, 0, -20), noon.AddDate(0, 0, 10)
	for _, f := range filters {
		var questions []models.TallyQuestion
		for _, m := range models.Measures {
			questions = append(questions, models.TallyQuestion{Measure: m}, models.TallyQuestion{Measure: m, Daily: true, From: from, Until: until})
			for _, by := range []models.TallyBy{models.ByPerson, models.ByType, models.ByEntity, models.ByLine} {
				questions = append(questions, models.TallyQuestion{Measure: m, By: by, From: from})
			}
		}
		got := make([][]string, len(questions))
		answers, err := b.Tallies(b.ctx(), f.TallyFilter, questions)
		b.must(err)
		for _, a := range answers {
			day := ""
			if questions[a.Question].Daily {
				day = a.Day.Format(time.DateOnly)
			}
			got[a.Question] = append(got[a.Question], fmt.Sprint(a.Key, " ", day, " ", a.By, " ", a.N, " ", a.Total))
		}
		condition := func(sql string) string { return cmp.Or(sql, "true") }
		rows, err := b.db.Pool.Query(b.ctx(), `select f.measure, f.day, f.key, f.person_id::text, c.business_type, c.legal_entity, c.business_line, coalesce(`+condition(f.people)+`, false), sum(f.n)::bigint, sum(f.total)::bigint from (
				select m.combination_id, f.* from merchants m cross join lateral merchant_facts(m) f
				union all select m.combination_id, f.* from slots s join merchants m on m.id = s.merchant_id cross join lateral slot_facts(s, m) f
				union all select m.combination_id, f.* from decisions v join merchants m on m.id = v.merchant_id cross join lateral decision_facts(v, m) f) f
			join combinations c on c.id = f.combination_id left join people p on p.id = f.person_id where `+condition(f.kinds)+` group by 1, 2, 3, 4, 5, 6, 7, 8`)
		b.must(err)
		type fact struct {
			measure, key, who, kind, entity, line string
			day                                   time.Time
			whose                                 bool // theirs that the filter asks for
			n, total                              int64
		}
		facts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f fact, err error) {
			return f, row.Scan(&f.measure, &f.day, &f.key, &f.who, &f.kind, &f.entity, &f.line, &f.whose, &f.n, &f.total)
		})
		b.must(err)
		for i, q := range questions {
			sums := map[[3]string][2]int64{}
			together := (q.Measure == models.TallyDecidedBy || q.Measure == models.TallyQueueTime) && (f.kinds != "" || slices.Contains([]models.TallyBy{models.ByType, models.ByEntity, models.ByLine}, q.By))
			for _, f := range facts {
				if together {
					f.who, f.whose = "", true
				}
				if !f.whose || f.measure != string(q.Measure) || !q.From.IsZero() && f.day.Format(time.DateOnly) < q.From.Format(time.DateOnly) || !q.Until.IsZero() && f.day.Format(time.DateOnly) >= q.Until.Format(time.DateOnly) {
					continue
				}
				at := [3]string{f.key, "", map[models.TallyBy]string{models.ByPerson: f.who, models.ByType: f.kind, models.ByEntity: f.entity, models.ByLine: f.line}[q.By]}
				if q.Daily {
					at[1] = f.day.Format(time.DateOnly)
				}
				sums[at] = [2]int64{sums[at][0] + f.n, sums[at][1] + f.total}
			}
			var want []string
			for at, sum := range sums {
				if sum != [2]int64{} {
					want = append(want, fmt.Sprint(at[0], " ", at[1], " ", at[2], " ", sum[0], " ", sum[1]))
				}
			}
			slices.Sort(want)
			slices.Sort(got[i])
			if !slices.Equal(got[i], want) {
				t.Fatalf("%+v, %+v:\n%v\nnot\n%v", f, q, got[i], want)
			}
		}
	}
}
