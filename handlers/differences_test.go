package handlers

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"berkas/models"
)

func TestDifferences(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	merchant := staff.merchant()
	staff.document(merchant, "DOCUMENT", "KTP")
	b.endWork()
	parts := func() string {
		var all []string
		d := staff.get("/differences").is(http.StatusOK, "differences").doc()
		for _, key := range []string{"doku", "sent", "rules"} {
			all = append(all, attr(d.Find("[data-part="+key+"]"), "data-n"))
		}
		return strings.Join(all, " ")
	}
	if got := parts(); got != "0 0 0" {
		t.Errorf("%s", got)
	}
	b.exec(`update merchants set previous_set_id = set_id, set_changed_at = now()`)
	b.exec(`update documents set state = 'failed', problem = 'unclear'`)
	b.exec("update slots set state = 'failed' where document_id is not null")
	b.exec(`insert into polls (merchant_id, next_at, differences) select id, now() + interval '1 day', jsonb_build_array(jsonb_build_object('code', 'brand_unknown'),
		jsonb_build_object('code', 'not_shown', 'document', (select min(id) from documents))) from merchants where id = $1`, merchant)
	if got := parts(); got != "1 1 1" {
		t.Errorf("%s", got)
	}
	if forms := staff.get("/differences").doc().Find("[data-difference=not_shown] form[action$='/retry']"); forms.Length() != 1 || b.as(models.RoleManager).get("/differences").is(http.StatusOK, "for a manager").doc().Find("[data-difference] form").Length() != 0 {
		t.Error("what mends a lost document is not offered, or to everybody")
	}
	staff.post("/differences", nil).is(http.StatusSeeOther, "comparing all")
	if n := b.count(`select count(*) from polls where next_at <= now()`); n != 1 {
		t.Errorf("%d are asked", n)
	}
	b.exec(`update documents set state = 'delivered', problem = '', purged_at = now(), blob_ref = '', data_key = null, thumbnail = null`)
	mend := attr(staff.get("/differences").doc().Find("[data-difference=not_shown] form"), "action")
	staff.post(mend, nil).is(http.StatusSeeOther, "opening the slot of what is gone everywhere")
	if slot := staff.get(merchantPath(merchant)).slot("DOCUMENT", "KTP"); slot.Find("[data-reason=lost_at_doku]").Length() != 1 || slot.Find("input[type=file]").Length() == 0 {
		t.Error("the slot is not open, or does not say why")
	}
	if n := staff.get("/differences").doc().Find("[data-difference=not_shown]").Length(); n != 0 {
		t.Error("it differs still")
	}
	staff.post(merchantPath(merchant)+"/status", nil).is(http.StatusConflict, "asking before the registration")
}

func TestLegalHold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	merchant := merchantPath(b.as(models.RoleStaff).merchant())
	manager := b.as(models.RoleManager)
	manager.post(merchant+"/hold", url.Values{"hold": {"on"}}).is(http.StatusSeeOther, "holding")
	manager.post(merchant+"/hold", url.Values{"hold": {"on"}}).is(http.StatusConflict, "holding twice")
	if manager.get(merchant).doc().Find(`#business-status [value=off]`).Length() != 1 || b.as(models.RoleStaff).get(merchant).doc().Find(`#business-status form`).Length() != 0 {
		t.Error("the hold is not shown, or offered to staff")
	}
	manager.post(merchant+"/hold", url.Values{"hold": {"off"}}).is(http.StatusSeeOther, "letting go")
	if n := b.count(`select count(*) from audit where action = 'merchant.hold_changed'`); n != 2 {
		t.Errorf("%d in the trail", n)
	}
}
