package onboarding_test

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

func TestMerchantIsThereWhateverDOKUDoes(t *testing.T) {
	b := setup(t)
	b.fault(dokusim.Fault{Call: doku.CallRequirements, Kind: dokusim.FaultDrop})
	id, err := b.CreateMerchant(b.ctx(), b.staff, personalForm(), true)
	b.must(err)
	m := b.get(id)
	if m.SetID != nil || m.ProgressState != models.ProgressPending || m.Progress.Lead != "no_checklist" || m.NextActor != models.NextDOKU {
		t.Errorf("%+v", m)
	}
	if b.count("select count(*) from river_job where kind = 'requirements.read'") != 1 {
		t.Error("nobody will ask again")
	}
	if err := b.AwaitRequirements(b.ctx(), m.CombinationID); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	b.sim.ClearFaults()
	b.must(b.AwaitRequirements(b.ctx(), m.CombinationID))
	if m = b.get(id); m.SetID == nil || m.Progress.Total != 3 || m.Progress.Lead != "todo" || m.NextActor != models.NextStaff {
		t.Errorf("%+v", m)
	}
	asked := b.sim.Requests()[doku.CallRequirements]
	b.must(b.AwaitRequirements(b.ctx(), m.CombinationID))
	b.merchant()
	if n := b.sim.Requests()[doku.CallRequirements]; n != asked {
		t.Error("a checklist that is there is asked for again")
	}
}

func TestMerchantLeftBehindGetsItsChecklist(t *testing.T) {
	b := setup(t)
	m := b.get(b.merchant())
	b.exec("update merchants set set_id = null, progress_state = 'pending'") // its own wait was in vain while another's read came through
	b.exec("delete from slots")
	b.must(b.AwaitRequirements(b.ctx(), m.CombinationID))
	if m = b.get(m.ID); m.SetID == nil || m.Progress.Total != 3 {
		t.Errorf("%+v", m)
	}
}

func TestCreatingDoesNotWaitForASlowDOKU(t *testing.T) {
	b := setup(t)
	b.fault(dokusim.Fault{Call: doku.CallRequirements, Kind: dokusim.FaultHold})
	began := time.Now()
	id, err := b.CreateMerchant(b.ctx(), b.staff, personalForm(), true)
	b.must(err)
	if took := time.Since(began); took > 25*time.Second { // a call to DOKU ends after 30 s
		t.Errorf("took %v", took)
	}
	if b.get(id).SetID != nil {
		t.Error("a checklist from nowhere")
	}
}

func TestRefusedCombination(t *testing.T) {
	b := setup(t)
	id, err := b.CreateMerchant(b.ctx(), b.staff, with(company(), "business_line", "UNHEARD OF"), true)
	b.must(err)
	m := b.get(id)
	c, err := b.store.Combination(b.ctx(), m.CombinationID)
	b.must(err)
	if c.State != models.ChecklistRefused || c.DOKUSays == "" || m.Progress.Lead != "checklist_refused" || m.NextActor != models.NextStaff {
		t.Errorf("%+v %+v", c, m.Progress)
	}
	other, err := b.CreateMerchant(b.ctx(), b.staff, with(company(), "business_line", "UNHEARD OF", "name", "PT Lain"), true)
	b.must(err)
	if m := b.get(other); m.Progress.Lead != "checklist_refused" {
		t.Errorf("%+v", m.Progress)
	}
	touched := b.get(id).UpdatedAt
	b.clock.Advance(time.Hour)
	b.must(b.ReadRequirements(b.ctx(), c.ID))
	if !b.get(id).UpdatedAt.Equal(touched) {
		t.Error("an answer that changed nothing moved the merchant to the top of every list")
	}
	// DOKU learns of the line.
	b.sim.SetAssume(dokusim.Assumptions{Lines: []string{"UNHEARD_OF"}})
	b.must(b.ReadMerchantRequirements(b.ctx(), id))
	if m := b.get(other); m.SetID == nil || m.Progress.Total == 0 {
		t.Errorf("%+v", m.Progress)
	}
}

func requirement(code string, extensions ...string) map[string]any {
	return map[string]any{"code": code, "name": code, "extensions": extensions, "max_size": 15}
}

// answers has DOKU ask a personal business for these documents of its contact.
func (b *bundle) answers(documents ...map[string]any) {
	b.Helper()
	raw, err := json.Marshal(map[string]any{"business": map[string]any{"contact": map[string]any{"documents": documents}}})
	b.must(err)
	b.must(b.sim.SetRequirements(doku.Combination{BusinessType: "PERSONAL", LegalEntity: "PERSEORANGAN", BusinessLine: "RETAIL", Nationality: "ID"}, raw))
}

func TestChangedRequirementsTouchNoDeliveredFile(t *testing.T) {
	b := setup(t)
	b.answers(requirement("KTP", "jpg"), requirement("NIB", "pdf"), requirement("PASPOR", "jpg"))
	m := b.merchant()
	paspor := onboarding.UploadInput{Merchant: m, Category: "DOCUMENT", Code: "PASPOR", FileName: "a.jpg", Body: strings.NewReader(string(photo("paspor")))}
	doc := b.deliver(paspor)
	before := b.doc(doc)
	hand, err := b.AddSlot(b.ctx(), b.staff, m, "LOGO", "LOGO")
	b.must(err)
	again, err := b.AddSlot(b.ctx(), b.staff, m, "LOGO", "")
	if err != nil || again != hand {
		t.Errorf("a second click made a second place: %v", err)
	}
	b.answers(requirement("NPWP_ORANG_PRIBADI", "pdf"), requirement("KTP", "jpg", "png"))
	b.clock.Advance(25 * time.Hour)
	b.must(b.RefreshRequirements(b.ctx()))
	now := b.get(m)
	page, err := b.store.MerchantPage(b.ctx(), m, now.SetChangedAt.Add(-time.Second))
	b.must(err)
	var changes []string
	for _, c := range onboarding.Changes(page.Before, page.After) {
		changes = append(changes, c.Kind+" "+c.Code)
	}
	slices.Sort(changes)
	if strings.Join(changes, ", ") != "different KTP, gone NIB, gone PASPOR, new NPWP_ORANG_PRIBADI" {
		t.Error(changes)
	}
	if page, err = b.store.MerchantPage(b.ctx(), m, *now.SetChangedAt); err != nil || len(page.Before)+len(page.After) > 0 {
		t.Errorf("a change is told for ever: %v", err)
	}
	var slots []string
	for _, row := range b.rows(m) {
		state := "gone"
		if onboarding.Asked(row) {
			state = "asked"
		}
		slots = append(slots, row.Category+row.Code+" "+state)
	}
	slices.Sort(slots)
	if strings.Join(slots, ", ") != "DOCUMENTKTP asked, DOCUMENTNPWP_ORANG_PRIBADI asked, DOCUMENTPASPOR gone, LOGO asked" {
		t.Error(slots)
	}
	after := b.doc(doc)
	if after.FileID != before.FileID || after.State != models.Delivered || after.SlotID != before.SlotID {
		t.Errorf("%+v", after)
	}
	b.wantsBytes(doc, photo("paspor"), onboarding.FromOriginal)
	_, err = b.Upload(b.ctx(), b.staff, paspor)
	b.wants(err, "slot_gone")
	if b.count("select count(*) from audit where action = 'requirements.changed' and merchant_id = $1", m) != 1 {
		t.Error("the timeline does not say so")
	}
}

func TestSameAnswerInAnotherOrderIsNoChange(t *testing.T) {
	b := setup(t)
	b.answers(requirement("KTP", "jpg"), requirement("NIB", "pdf"))
	m := b.merchant()
	b.answers(requirement("NIB", "pdf"), requirement("KTP", "jpg"))
	b.must(b.ReadMerchantRequirements(b.ctx(), m))
	if n := b.count("select count(*) from requirement_sets"); n != 1 {
		t.Errorf("%d versions", n)
	}
	c, err := b.store.Combination(b.ctx(), b.get(m).CombinationID)
	if err != nil || !c.ReadAt.Equal(b.clock.Now()) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestManyMerchantsFollow(t *testing.T) {
	b := setup(t)
	m := b.get(b.merchant())
	b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id)
		select gen_random_uuid(), 'm' || i, 'm' || i, 'PERSONAL', 'PERSEORANGAN', 'RETAIL', 'ID', $1, $2 from generate_series(1, 230) i`, m.CombinationID, m.SetID)
	b.answers(requirement("NIB", "pdf"))
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { b.must(b.ReadRequirements(b.ctx(), m.CombinationID)) })
	}
	wg.Wait()
	if n := b.count("select count(*) from merchants where set_id is not distinct from $1", m.SetID); n != 0 {
		t.Errorf("%d were left behind", n)
	}
	if n := b.count("select count(*) from requirement_sets"); n != 2 {
		t.Errorf("%d versions", n)
	}
}

func TestRequirementsAreReadDaily(t *testing.T) {
	b := setup(t)
	b.merchant()
	b.must(b.RefreshRequirements(b.ctx()))
	if n := b.sim.Requests()[doku.CallRequirements]; n != 1 {
		t.Errorf("%d calls", n)
	}
	b.clock.Advance(24*time.Hour + time.Second)
	b.fault(fault503(doku.CallRequirements, 1))
	if err := b.RefreshRequirements(b.ctx()); !fault.Is(err, fault.Unavailable) {
		t.Error(err)
	}
	b.clock.Advance(2 * time.Minute)
	b.must(b.RefreshRequirements(b.ctx()))
	if n := b.sim.Requests()[doku.CallRequirements]; n != 3 {
		t.Errorf("%d calls", n)
	}
}

func TestChangedCombinationBringsItsChecklist(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	doc := b.deliver(ktp(m, photo("ktp")))
	b.fault(fault503(doku.CallRequirements, 1))
	b.must(b.EditMerchant(b.ctx(), b.staff, m, company()))
	now := b.get(m)
	if now.SetID != nil || now.Progress.Lead != "no_checklist" {
		t.Fatalf("the old checklist stays: %+v", now.Progress)
	}
	_, err := b.Upload(b.ctx(), b.staff, ktp(m, photo("2")))
	b.wants(err, "checklist_not_ready")
	b.must(b.AwaitRequirements(b.ctx(), now.CombinationID))
	if now = b.get(m); now.SetID == nil || now.PreviousSetID == nil || now.SetChangedAt == nil || now.Progress.Done != 1 {
		t.Errorf("%+v", now)
	}
	if row := b.row(m, "DOCUMENT", "KTP"); !onboarding.Asked(row) || row.Newest().ID != doc {
		t.Error("the document is gone")
	}
}

func TestSlotsByHand(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for _, c := range [][2]string{{"DOCUMENT", ""}, {"DOCUMENT", "NOTHING"}, {"NOTHING", ""}, {"DOCUMENT", "IZIN_PMB, IZIN_PUB"}} {
		_, err := b.AddSlot(b.ctx(), b.staff, m, c[0], c[1])
		b.wants(err, "slot_unknown")
	}
	slot, err := b.AddSlot(b.ctx(), b.staff, m, "DOCUMENT", "NIB")
	b.must(err)
	if b.get(m).Progress.Total != 4 {
		t.Error("it does not count")
	}
	b.must(b.RemoveSlot(b.ctx(), b.staff, m, slot))
	if b.get(m).Progress.Total != 3 {
		t.Error("it still counts")
	}
	if err := b.RemoveSlot(b.ctx(), b.staff, m, slot); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	asked := b.row(m, "DOCUMENT", "KTP")
	if err := b.RemoveSlot(b.ctx(), b.staff, m, asked.ID); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
}

func TestFieldsByDOKUsRules(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	slot := b.row(m, "DOCUMENT", "KTP").ID
	for typed, code := range map[string]string{"123": "exactly", "31750123456789AB": "not_numeric", "": "required", "٣١٧٥٠١٢٣٤٥٦٧٨٩٠١": "not_numeric"} {
		err := b.SetFields(b.ctx(), b.staff, m, slot, map[string]string{"NO_KTP": typed})
		if f := fault.As(err); f == nil || f.Kind != fault.Invalid || len(f.Fields) != 1 || f.Fields[0].Code != code {
			t.Errorf("%q: %v, not %s", typed, err, code)
		}
	}
	b.must(b.SetFields(b.ctx(), b.staff, m, slot, map[string]string{"NO_KTP": "3175.0123.4567.8901", "OTHER": "x"}))
	if b.count("select count(*) from slot_fields") != 1 || b.count("select count(*) from merchant_keys where kind = 'nik'") != 1 {
		t.Error("stored amiss")
	}
	// Nobody asks for the slot any longer: what was typed there can no longer be searched for either.
	b.answers(requirement("NIB", "pdf"))
	b.must(b.ReadMerchantRequirements(b.ctx(), m))
	if b.count("select count(*) from merchant_keys where kind = 'nik'") != 0 {
		t.Error("the hash outlives its field")
	}
}
