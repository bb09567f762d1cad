package models_test

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/models"
)

// portfolio is many merchants of all kinds, with documents of which every eighth is undecided.
func (b *bundle) portfolio(n int) {
	b.Helper()
	b.merchant("first")
	owner, err := pgx.Connect(b.ctx(), b.database.OwnerDSN)
	b.must(err)
	defer owner.Close(context.Background())
	var bits models.KindsOfSlots
	bits.Add(models.Slot{Category: "DOCUMENT", Code: "X", State: models.SlotMissing})
	for _, sql := range []string{
		`insert into people (email, name, role, password_hash) select 'p' || i || '@berkas.test', 'Person ' || i, 'staff', 'x' from generate_series(1, 100) i`,
		fmt.Sprintf(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, responsible_id, progress_state, next_actor, updated_at, archived_at, due_on, registered_at, description)
			select gen_random_uuid(), 'Merchant ' || md5((i / 2)::text), 'merchant ' || md5((i / 2)::text), case when i %% 3 = 0 then 'CORPORATE' else 'PERSONAL' end, c.legal_entity, 'LINE_' || i %% 20, 'ID', c.id, c.set_id,
				case when i %% 11 > 0 then (select min(id) + i %% 100 from people) end, s.state, case when s.state in ('todo', 'refused', 'failed') then 'staff' when s.state in ('waiting', 'pending') then 'doku' else 'reviewer' end,
				'2026-11-01'::timestamptz + (i / 2) * interval '1 minute', case when i %% 10 = 0 then now() end, case when i %% 4 > 0 then '2026-10-01'::date + i %% 90 end, case when s.state = 'registered' then now() end, repeat('x', 300)
			from generate_series(1, %d) i, lateral (select (array['pending','todo','waiting','refused','failed','complete','registered'])[1 + i %% 7] as state) s, combinations c`, n),
		`insert into slots (merchant_id, owner_path, category, code) select m.id, 'business', 'DOCUMENT', 'X' from merchants m where m.id % 2 = 0`,
		`insert into documents (uid, merchant_id, slot_id, version, category, code, state, uploaded_at, delivered_at, review)
			select gen_random_uuid(), s.merchant_id, s.id, 1, 'DOCUMENT', s.code, 'delivered', now(), '2026-11-01'::timestamptz - s.id * interval '1 minute', case when s.id % 8 = 0 then 'undecided' else 'approved' end from slots s where s.code = 'X'`,
		`update slots s set document_id = (select max(d.id) from documents d where d.slot_id = s.id)`,
		`update slots set state = (array['missing','waiting','delivered','approved','refused','failed'])[1 + merchant_id % 6], state_since = now(),
			refused_for = case when merchant_id % 6 = 4 then 'image_blurry' else '' end, expires_on = case when id % 5 = 0 then '2026-11-22'::date + (merchant_id % 200)::integer - 50 end where code = 'X'`,
		`update merchants set quarter = case when registered_at is not null then 'registered' else (id % 5)::text end, first_document_at = created_at, at_doku_at = case when id % 2 = 0 then '2026-10-01'::timestamptz + id * interval '1 minute' end`,
		fmt.Sprintf(`update merchants m set slots_missing = case s.state when 'missing' then %[1]d else 0 end, slots_approved = case s.state when 'approved' then %[1]d else 0 end, slots_refused = case s.state when 'refused' then %[1]d else 0 end,
			slots_other = case when s.state in ('waiting', 'delivered', 'failed') then %[1]d else 0 end from slots s where s.merchant_id = m.id`, bits.SlotsMissing),
		`update people set team = 'Team ' || id % 10`,
		`update documents d set queued_at = d.delivered_at from merchants m where m.id = d.merchant_id and d.review = 'undecided' and m.archived_at is null and m.registered_at is null`,
		`vacuum analyze`,
	} {
		if _, err := owner.Exec(b.ctx(), sql); err != nil {
			b.Fatalf("%s: %v", sql, err)
		}
	}
}

var (
	filters = map[string]models.MerchantFilter{
		"all": {}, "of a type": {BusinessType: "CORPORATE"}, "of a line": {BusinessLine: "LINE_7"}, "of a line of no one": {BusinessLine: "NONE"}, "by name": {Name: "a1b2"}, "by a short name": {Name: "a1"},
		"for the staff": {State: "staff"}, "open": {State: "open"}, "overdue": {State: "overdue"}, "undecided": {State: "undecided"}, "sent back": {State: "sent_back"}, "unsettled": {State: "unsettled"}, "archived": {State: "archived"}, "refused": {State: "refused"},
		"complete": {State: "complete"}, "of a state that is none": {State: "none"}, "nobody's": {Nobody: true}, "nobody's open": {Nobody: true, State: "open"},
		"for reviewers": {State: "reviewer"}, "of an entity": {LegalEntity: "PT"}, "of an entity of no one": {LegalEntity: "FIRMA"}, "of a team": {Team: "Team 3"}, "of a team of no one": {Team: "None"},
		"with a document missing": {Slot: models.SlotFilter{Category: "DOCUMENT", Code: "X", State: "missing"}}, "with something open": {Slot: models.SlotFilter{State: "open"}},
		"with a document approved": {Slot: models.SlotFilter{Category: "DOCUMENT", Code: "X", State: "approved"}}, "with a document nobody has": {Slot: models.SlotFilter{Category: "DOCUMENT", Code: "NIB", State: "missing"}},
		"blurred": {Slot: models.SlotFilter{Reason: "image_blurry"}}, "expired": {Slot: models.SlotFilter{Expires: "expired"}}, "expiring": {Slot: models.SlotFilter{Category: "DOCUMENT", Code: "X", Expires: "30"}},
		"half done": {Quarter: "2"}, "all at DOKU": {Stage: models.StageAtDOKU}, "all at DOKU in a week": {Stage: models.StageAtDOKU, From: noon.AddDate(0, 0, -40), Until: noon.AddDate(0, 0, -33)},
		"registered lately": {Stage: models.StageRegistered, From: noon}, "by a DOKU id": {DOKUID: "BRN-0000-0000000000001"}, "several at once": {Team: "Team 3", State: "todo", Slot: models.SlotFilter{State: "refused"}, LegalEntity: "PERSEORANGAN"},
	}
	wholeTable = regexp.MustCompile(`Seq Scan on (merchants|documents|slots)\b`)
)

func (b *bundle) plans(name string, do func() error) {
	b.Helper()
	for _, s := range b.said.during(func() { b.must(do()) }) {
		rows, err := b.db.Pool.Query(b.ctx(), "explain "+s.sql, s.args...)
		b.must(err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		b.must(err)
		if plan := strings.Join(lines, "\n"); wholeTable.MatchString(plan) {
			b.Errorf("%s:\n%s\n%s", name, s.sql, plan)
		}
	}
}

func TestNoOrderReadsAllMerchants(t *testing.T) {
	b := setup(t)
	b.portfolio(20_000)
	mine := map[string]models.MerchantFilter{"mine": {Responsible: b.person + 5}, "mine to do": {Responsible: b.person + 5, State: "staff"}, "others'": {Others: b.person + 5, State: "staff"}}
	for name, f := range mine {
		filters[name] = f
	}
	for name, f := range filters {
		f.Today = noon
		for _, f.Order = range models.MerchantOrders {
			var last *models.MerchantCursor
			for page := range 2 {
				b.plans(fmt.Sprintf("%s by %s, page %d", name, f.Order, page), func() error {
					rows, err := b.Merchants(b.ctx(), f, last, 51)
					if len(rows) > 0 {
						c := rows[len(rows)-1].Cursor()
						last = &c
					}
					return err
				})
				if last == nil {
					break
				}
			}
		}
	}
	b.plans("to decide", func() error { _, err := b.MerchantsToDecide(b.ctx(), 8); return err })
	b.plans("deliveries", func() error { _, err := b.Deliveries(b.ctx(), 1000); return err })
}

// Every order gives every merchant of a filter once, in that order, whatever the size of its pages.
func TestPagesOfEveryOrder(t *testing.T) {
	b := setup(t)
	b.portfolio(700)
	orders := map[models.MerchantOrder]string{
		models.OrderRecent: "updated_at desc, id desc", models.OrderName: "name_normal, id", models.OrderDue: "due_on nulls last, id",
		models.OrderAction: "array_position(array['failed','refused','todo','pending','waiting','complete','registered'], progress_state), due_on nulls last, id",
	}
	for order, sql := range orders {
		rows, err := b.db.Pool.Query(b.ctx(), "select id from merchants where archived_at is null order by "+sql)
		b.must(err)
		want, err := pgx.CollectRows(rows, pgx.RowTo[models.MerchantID])
		b.must(err)
		var got []models.MerchantID
		for after := (*models.MerchantCursor)(nil); ; {
			page, err := b.Merchants(b.ctx(), models.MerchantFilter{Order: order}, after, 37)
			b.must(err)
			for _, m := range page {
				got = append(got, m.ID)
			}
			if len(page) < 37 {
				break
			}
			c := page[36].Cursor()
			after = &c
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d merchants, not the %d in their order", order, len(got), len(want))
		}
	}
}

func TestCountsAreThoseOfTheLists(t *testing.T) {
	b := setup(t)
	b.portfolio(700)
	var names []string
	var list []models.MerchantFilter
	for name, f := range filters {
		f.Today = noon
		names, list = append(names, name), append(list, f)
	}
	counts, err := b.CountsOfMerchants(b.ctx(), list, 10_000)
	b.must(err)
	for i, f := range list {
		rows, err := b.Merchants(b.ctx(), f, nil, 10_000)
		b.must(err)
		if one, err := b.CountMerchants(b.ctx(), f, 10_000); err != nil || counts[i] != len(rows) || one != len(rows) {
			t.Errorf("%s: %d listed, %d and %d counted", names[i], len(rows), counts[i], one)
		}
	}
	if capped, err := b.CountsOfMerchants(b.ctx(), list[:1], 1); err != nil || capped[0] > 1 {
		t.Errorf("%v %v", capped, err)
	}
}

func TestMerchantsToDecideTheOldestFirst(t *testing.T) {
	b := setup(t)
	b.portfolio(700)
	got, err := b.MerchantsToDecide(b.ctx(), 8)
	b.must(err)
	rows, err := b.db.Pool.Query(b.ctx(), `select m.id from merchants m join documents d on d.merchant_id = m.id where m.archived_at is null and m.registered_at is null and d.review = 'undecided' group by m.id order by min(d.delivered_at), m.id limit 8`)
	b.must(err)
	want, err := pgx.CollectRows(rows, pgx.RowTo[models.MerchantID])
	b.must(err)
	if len(want) != 8 || len(got) != 8 {
		t.Fatalf("%d and %d", len(want), len(got))
	}
	for i, m := range got {
		if m.ID != want[i] || m.Undecided != 1 || m.Since.IsZero() || m.Name == "" {
			t.Errorf("%d. %+v, not %d", i, m, want[i])
		}
	}
}

func TestAnOrderIsRemembered(t *testing.T) {
	b := setup(t)
	b.must(b.Keep().KeepMerchantOrder(b.ctx(), b.person, models.OrderDue))
	if p, err := b.Person(b.ctx(), b.person); err != nil || p.MerchantOrder != models.OrderDue {
		t.Errorf("%q %v", p.MerchantOrder, err)
	}
	if err := b.Keep().KeepMerchantOrder(b.ctx(), b.person, "none"); err == nil {
		t.Error("an order that is none was kept")
	}
}

var minute = noon.Truncate(time.Minute)

func TestMinutesAddUp(t *testing.T) {
	b := setup(t)
	keep := b.Keep()
	b.must(keep.KeepMinutes(b.ctx(), nil))
	b.must(keep.KeepMinutes(b.ctx(), []models.DOKUMinute{{Minute: minute, Call: "upload", Answered: 2, Failed: 1, TotalMS: 300, MaxMS: 200}, {Minute: minute.Add(-time.Minute), Call: "token", Answered: 1, TotalMS: 10, MaxMS: 10}}))
	b.must(keep.KeepMinutes(b.ctx(), []models.DOKUMinute{{Minute: minute, Call: "upload", Answered: 1, TotalMS: 50, MaxMS: 50}, {Minute: minute.Add(-8 * 24 * time.Hour), Call: "upload", Answered: 9, TotalMS: 1, MaxMS: 1}}))
	rows, err := b.DOKUMinutes(b.ctx(), minute.Add(-59*time.Minute), time.Minute)
	b.must(err)
	if len(rows) != 2 || !rows[1].Minute.Equal(minute) || rows[1].Answered != 3 || rows[1].Failed != 1 || rows[1].TotalMS != 350 || rows[1].MaxMS != 200 {
		t.Errorf("%+v", rows)
	}
	from := minute.Add(-2 * time.Hour)
	if rows, err = b.DOKUMinutes(b.ctx(), from, 90*time.Minute); err != nil || len(rows) != 2 || !rows[0].Minute.Equal(from.Add(90*time.Minute)) {
		t.Errorf("%+v %v", rows, err)
	}
	b.must(keep.SweepMinutes(b.ctx(), 7*24*time.Hour))
	if n := b.count("select count(*) from doku_minutes"); n != 2 {
		t.Errorf("%d minutes are left", n)
	}
}

// Days that are over are a row each, however often they are folded and whatever is added to them late; a day not long over
// keeps its minutes.
func TestMinutesAreFoldedByDay(t *testing.T) {
	b := setup(t)
	keep, day := b.Keep(), time.Date(2026, 11, 19, 17, 0, 0, 0, time.UTC) // midnight in Jakarta
	row := func(at time.Time) models.DOKUMinute {
		return models.DOKUMinute{Minute: at, Call: "upload", Answered: 2, Failed: 1, TotalMS: 300, MaxMS: int(at.Sub(day).Minutes())}
	}
	for range 2 {
		b.must(keep.KeepMinutes(b.ctx(), []models.DOKUMinute{row(day), row(day.Add(time.Minute)), row(day.Add(24*time.Hour - time.Minute)), row(day.Add(24 * time.Hour)), row(minute)}))
		b.must(keep.FoldMinutes(b.ctx(), 24*time.Hour))
	}
	rows, err := b.DOKUMinutes(b.ctx(), day, time.Minute)
	b.must(err)
	if len(rows) != 3 || !rows[0].Minute.Equal(day) || rows[0].Answered != 12 || rows[0].Failed != 6 || rows[0].TotalMS != 1800 || rows[0].MaxMS != 24*60-1 || rows[1].Answered != 4 || rows[2].Answered != 4 {
		t.Errorf("%+v", rows)
	}
}
