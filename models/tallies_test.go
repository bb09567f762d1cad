package models_test

import (
	"testing"

	"berkas/models"
)

// agree fails the test when what is counted is another than the facts of all rows together.
func (b *bundle) agree(after string) {
	b.Helper()
	rows, err := b.db.Pool.Query(b.ctx(), `with facts as (
			select m.combination_id, coalesce(m.responsible_id, 0) as responsible_id, f.* from merchants m cross join lateral merchant_facts(m) f
			union all select m.combination_id, coalesce(m.responsible_id, 0), f.* from slots s join merchants m on m.id = s.merchant_id cross join lateral slot_facts(s, m) f
			union all select m.combination_id, coalesce(m.responsible_id, 0), f.* from decisions v join merchants m on m.id = v.merchant_id cross join lateral decision_facts(v, m) f),
		unfolded as (select combination_id, responsible_id, measure, day, key, n, total from tally_deltas),
		everything as (
			select coalesce(combination_id, -1) as combination_id, coalesce(responsible_id, -1) as responsible_id, measure, day, key, sum(n) as n, sum(total) as total
				from (select combination_id, responsible_id, measure, day, key, n, total from facts union all select combination_id, responsible_id, measure, day, key, -n, -total from unfolded) f
				group by measure, day, key, cube (combination_id, responsible_id)
			union all select combination_id, responsible_id, measure, day, key, -n, -total from tallies)
		select measure || ' ' || key || ' ' || day || ' (' || combination_id || ', ' || responsible_id || '): ' || sum(n) || ', ' || sum(total)
			from everything group by combination_id, responsible_id, measure, day, key having sum(n) <> 0 or sum(total) <> 0 order by 1 limit 10`)
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
	_, err := b.Keep().FoldTallies(b.ctx(), 100_000)
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
