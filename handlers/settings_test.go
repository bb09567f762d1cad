package handlers

import (
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"berkas/models"
)

func TestSettingsOfTheReview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin := b.as(models.RoleAdmin)
	page := admin.get("/settings").is(200, "the settings").doc()
	if page.Find("[name=second_eyes][type=checkbox]").Length() != 36+5 || page.Find("[name=second_eyes][checked]").Length() != 0 {
		t.Errorf("%d documents are offered", page.Find("[name=second_eyes]").Length())
	}
	if attr(page.Find("[name=lease_minutes]"), "value") != "5" || attr(page.Find("[name=remind_days]"), "value") != "3, 7" {
		t.Error("the settings are not as they come")
	}
	for name, value := range map[string]string{"lease_minutes": "61", "within_hours": "0", "remind_days": "3, tujuh", "second_eyes": "SIM", "weekly_target": "banyak"} {
		a := admin.post("/settings", url.Values{name: {value}}).is(422, name)
		if a.doc().Find("#f-"+name+"-error").Length() != 1 {
			t.Errorf("nothing says what is wrong with %s", name)
		}
		if typed := a.doc().Find("#f-" + name); name != "second_eyes" && attr(typed, "value") != value {
			t.Errorf("%s is lost", name)
		}
	}
	admin.post("/settings", url.Values{"lease_minutes": {"10"}, "weekly_target": {"50"}, "remind_days": {"7, 2,7"}, "second_eyes": {"", "KTP", "LOGO"}}).is(303, "other settings")
	set, err := b.store.ReviewSettings(b.Context())
	b.must(err)
	if set.LeaseMinutes != 10 || set.WithinHours != 24 || len(set.RemindDays) != 2 || set.RemindDays[0] != 2 || strings.Join(set.SecondEyes, " ") != "KTP LOGO" {
		t.Errorf("%+v", set)
	}
	admin.post("/settings", url.Values{"within_hours": {"48"}}).is(303, "one setting")
	if page = admin.get("/settings").doc(); page.Find("[name=second_eyes][checked]").Length() != 2 {
		t.Error("what was not named has changed")
	}
	admin.post("/settings", url.Values{"second_eyes": {""}}).is(303, "none chosen")
	if page = admin.get("/settings").doc(); page.Find("[name=second_eyes][checked]").Length() != 0 {
		t.Error("some are chosen still")
	}
	if n := b.count("select count(*) from audit where action = 'settings.changed'"); n != 3 {
		t.Errorf("%d rows in the trail", n)
	}
}

func TestSettingsOfAReason(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admin, reviewer := b.as(models.RoleAdmin), b.as(models.RoleReviewer)
	_, document := b.as(models.RoleStaff).ready()
	path := "/settings/reasons/photocopy"
	admin.get("/settings/reasons/nothing").is(404, "no such reason")
	admin.post("/settings/reasons/nothing", nil).is(404, "no such reason")
	admin.post("/settings/reasons/other", url.Values{"off_for": {"*"}}).is(422, "what has to stay")
	for _, form := range []url.Values{{"text_id": {"Satu bahasa saja."}}, {"text_en": {"One language only."}}, {"off_for": {"SIM"}}, {"text_id": {strings.Repeat("a", 301)}, "text_en": {"Long."}}} {
		admin.post(path, form).is(422, form.Encode())
	}
	own := url.Values{"text_id": {"Foto kartu aslinya, ya."}, "text_en": {"Please send the card itself."}, "off_for": {"", "PASPOR"}}
	admin.post(path, own).is(303, "an own text")
	offered := func() *goquery.Selection { return reviewer.get(document).doc().Find("[name=reason][value=photocopy]") }
	if offered().Length() == 0 || !strings.Contains(reviewer.get(document).body, "Please send the card itself") {
		t.Error("the reviewer is not offered the own text")
	}
	admin.post(path, url.Values{"off_for": {"KTP", "PASPOR"}}).is(303, "off for this document")
	if offered().Length() != 0 {
		t.Error("the reason is offered still")
	}
	reviewer.post(document+"/refuse", with(reviewer.get(document).sight(), "reason", "photocopy")).is(422, "a reason that is off")
	admin.post(path, url.Values{"off_for": {"*", "KTP"}}).is(303, "off for all")
	page := admin.get(path).doc()
	if page.Find("[name=off_for][value='*'][checked]").Length() != 1 || page.Find("#f-text_en").Text() != "Please send the card itself." {
		t.Error("the reason is not shown as it is set")
	}
	if row := admin.get("/settings").doc().Find("[data-reason-code=photocopy]"); !strings.Contains(row.Text(), "switched off") {
		t.Error(row.Text())
	}
	admin.post(path, url.Values{"off_for": {""}, "text_id": {""}, "text_en": {""}}).is(303, "as it came")
	if offered().Length() == 0 {
		t.Error("the reason is not offered again")
	}
	if n := b.count("select count(*) from audit where action = 'settings.changed' and detail->>'reason' = 'photocopy' and detail::text !~ 'kartu'"); n != 4 {
		t.Errorf("%d rows in the trail", n)
	}
}
