package models_test

import (
	"fmt"
	"testing"

	"berkas/models"
)

// Each filter finds the merchants that a statement of its own finds, however few or many they are.
func TestFiltersFindWhatTheySay(t *testing.T) {
	b := setup(t)
	b.portfolio(700)
	b.exec("update merchants set business_id = 'BSN-0000-0000000000001', brand_id = 'BRN-0000-0000000000001' where id = 72")
	slot := func(where string) string {
		return "archived_at is null and exists (select from slots s where s.merchant_id = merchants.id and s.state <> '' and " + where + ")"
	}
	const live, open = "archived_at is null and ", "progress_state <> 'registered' and "
	for _, c := range []struct {
		filter models.MerchantFilter
		where  string
	}{
		{models.MerchantFilter{State: "reviewer"}, live + open + "next_actor = 'reviewer'"},
		{models.MerchantFilter{BusinessType: "PERSONAL", LegalEntity: "PERSEORANGAN"}, live + "combination_id in (select id from combinations where business_type = 'PERSONAL' and legal_entity = 'PERSEORANGAN')"},
		{models.MerchantFilter{LegalEntity: "FIRMA"}, "false"},
		{models.MerchantFilter{Team: "Team 3"}, live + "responsible_id in (select id from people where team = 'Team 3')"},
		{models.MerchantFilter{Team: "None"}, "false"},
		{models.MerchantFilter{Quarter: "2"}, live + "quarter = '2'"},
		{models.MerchantFilter{Slot: models.SlotFilter{Code: "X", State: "missing"}}, open + slot("s.code = 'X' and s.state = 'missing'")},
		{models.MerchantFilter{Slot: models.SlotFilter{State: "open"}}, open + slot("s.state in ('missing', 'waiting', 'refused', 'failed')")},
		{models.MerchantFilter{Slot: models.SlotFilter{State: "approved"}}, open + slot("s.state = 'approved'")},
		{models.MerchantFilter{Slot: models.SlotFilter{Reason: "image_blurry"}}, open + slot("s.refused_for = 'image_blurry'")},
		{models.MerchantFilter{Slot: models.SlotFilter{Expires: "expired"}}, slot("s.expires_on < '2026-11-22'")},
		{models.MerchantFilter{Slot: models.SlotFilter{Expires: "30"}}, slot("s.expires_on between '2026-11-22' and '2026-12-22'")},
		{models.MerchantFilter{Stage: models.StageAtDOKU}, live + "at_doku_at is not null"},
		{models.MerchantFilter{Stage: models.StageAtDOKU, From: noon.AddDate(0, 0, -52), Until: noon.AddDate(0, 0, -51)}, live + "at_doku_at >= '2026-10-01 12:00+00' and at_doku_at < '2026-10-02 12:00+00'"},
		{models.MerchantFilter{Stage: "no-such"}, live + "true"},
		{models.MerchantFilter{DOKUID: "BRN-0000-0000000000001"}, "id = 72"},
		{models.MerchantFilter{DOKUID: "BSN-0000-0000000000001"}, "id = 72"},
		{models.MerchantFilter{DOKUID: "BSN-0000-0000000000002"}, "false"},
		{models.MerchantFilter{Name: "merchant"}, live + "name_normal like '%merchant%'"},
		{models.MerchantFilter{Name: "me"}, live + "name_normal like 'me%'"},
		{models.MerchantFilter{Name: "er"}, "false"},
		{models.MerchantFilter{Name: "a1b", State: "archived"}, "archived_at is not null and name_normal like '%a1b%'"},
	} {
		c.filter.Today = noon
		want := b.count("select count(*) from merchants where " + c.where)
		for _, c.filter.Order = range models.MerchantOrders {
			rows, err := b.Merchants(b.ctx(), c.filter, nil, 10_000)
			b.must(err)
			if len(rows) != want {
				t.Errorf("%+v by %s: %d merchants, not %d", c.filter, c.filter.Order, len(rows), want)
			}
		}
		if n, err := b.CountMerchants(b.ctx(), c.filter, 10_000); err != nil || n != want {
			t.Errorf("%+v: counted %d, not %d: %v", c.filter, n, want, err)
		}
	}
}

// An export is what the list is, in one instant: what changes meanwhile does not change it.
func TestEachMerchantOnceAsTheyWere(t *testing.T) {
	b := setup(t)
	b.portfolio(300)
	for _, f := range []models.MerchantFilter{{}, {Order: models.OrderAction}, {Slot: models.SlotFilter{State: "refused"}}} {
		want, err := b.CountMerchants(b.ctx(), f, 1000)
		b.must(err)
		seen, batches := map[models.MerchantID]bool{}, 0
		b.must(b.EachMerchant(b.ctx(), f, 20, func(rows []models.MerchantRow) (bool, error) {
			for _, m := range rows {
				if seen[m.ID] {
					t.Errorf("%+v: %d twice", f, m.ID)
				}
				seen[m.ID] = true
			}
			batches++
			b.exec("update merchants set updated_at = now(), due_on = null where id % 7 = 0")
			b.merchant(fmt.Sprint("new ", batches))
			return true, nil
		}))
		if len(seen) != want {
			t.Errorf("%+v: %d merchants, not %d", f, len(seen), want)
		}
	}
}

func TestChangingMany(t *testing.T) {
	b := setup(t)
	b.portfolio(60)
	seen, err := b.SeenMerchants(b.ctx(), models.MerchantFilter{}, 40)
	b.must(err)
	if len(seen) != 40 {
		t.Fatal(len(seen))
	}
	to := b.add("baru@berkas.test")
	b.exec("update merchants set archived_at = now() where id = $1", seen[0].ID)
	b.exec("update merchants set responsible_id = $1 where id = any($2)", b.person, []int64{int64(seen[1].ID), int64(seen[2].ID)})
	b.exec("update merchants set responsible_id = $1 where id = $2", to, seen[3].ID)
	change := func(c models.BulkChange) (res models.BulkResult) {
		b.must(b.Write(b.ctx(), b.actor(), func(tx *models.Tx) (err error) {
			res, err = tx.ChangeMerchants(seen, c)
			return err
		}))
		return res
	}
	if res := change(models.BulkChange{Responsible: &to}); res != (models.BulkResult{Changed: 36, Archived: 1, Other: 2, Same: 1}) {
		t.Errorf("%+v", res)
	}
	if n := b.count("select count(*) from merchants where responsible_id = $1", to); n != 37 {
		t.Errorf("%d are given", n)
	}
	if n := b.count(`select count(distinct merchant_id) from audit where action = 'merchant.edited' and detail @> '{"many": true, "fields": ["responsible"]}'`); n != 36 {
		t.Errorf("%d of 36 stand in the trail", n)
	}
	due := noon.AddDate(0, 0, 3)
	if res := change(models.BulkChange{Due: true, DueOn: &due}); res.Changed+res.Same != 39 || res.Archived != 1 {
		t.Errorf("%+v", res)
	}
	if n := b.count("select count(*) from documents d join merchants m on m.id = d.merchant_id where m.due_on = '2026-11-25' and d.queued_at is not null and d.review_due_on is distinct from m.due_on"); n != 0 {
		t.Errorf("%d documents in the queue have another due date than their merchants", n)
	}
}

func TestFiftyViewsAPerson(t *testing.T) {
	b := setup(t)
	save := func(name string) error {
		return b.Write(b.ctx(), b.actor(), func(tx *models.Tx) error { return tx.AddView(&models.View{Name: name, Query: "state=open"}) })
	}
	for i := range models.ViewLimit {
		b.must(save(fmt.Sprint("view ", i)))
	}
	if err := save("one more"); err == nil {
		t.Error("more than the limit are saved")
	}
}
