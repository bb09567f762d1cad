package handlers

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"berkas/models"
)

// refused is a merchant whose KTP a reviewer refused.
func (b *bench) refused(reasons ...string) (models.MerchantID, string) {
	b.Helper()
	id, document := b.as(models.RoleStaff).ready()
	reviewer := b.as(models.RoleReviewer)
	form := with(reviewer.get(document).sight(), "note", "Nomor terakhir hanya kira-kira", "message", "Foto di siang hari")
	form["reason"] = reasons
	reviewer.post(document+"/refuse", form).is(303, "refusing")
	return id, document
}

func TestARefusalReopensTheSlot(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, admin := b.as(models.RoleStaff), b.as(models.RoleAdmin)
	id, _ := b.refused("image_blurry", "suspected_manipulation", "document_expired")
	slot := staff.get(merchantPath(id)).slot("DOCUMENT", "KTP")
	if attr(slot.Find("[data-reason]"), "data-reason") != "suspected_manipulation" || slot.Find("[data-code]").Length() != 3 {
		t.Errorf("the reasons: %s", slot.Find(".why").Text())
	}
	for _, want := range []string{"too blurred", "hold the camera still", "has expired", "Not for the merchant", "Foto di siang hari", "Nomor terakhir hanya kira-kira", "Refused by"} {
		if !strings.Contains(slot.Text(), want) {
			t.Errorf("the slot lacks %q: %s", want, slot.Find(".why").Text())
		}
	}
	if slot.Find(".pick input[type=file]").Length() == 0 || slot.Find(".more .pick").Length() != 0 {
		t.Error("the slot does not ask for another file")
	}
	if row := staff.get("/").doc().Find(".todo li").First(); !strings.Contains(row.Text(), "refused by a reviewer") {
		t.Errorf("the staff's home: %s", row.Text())
	}
	live := staff.get("/", "HX-Request", "true").is(200, "the home that asks for itself")
	if home := live.doc().Find("#home[data-poll]"); strings.Contains(live.body, "<html") || !strings.Contains(home.Text(), "refused by a reviewer") {
		t.Error(live.body)
	}
	if n := staff.get("/merchants?state=refused").doc().Find("[data-merchant]").Length(); n != 1 {
		t.Errorf("%d refused merchants", n)
	}
	admin.post("/settings/reasons/image_blurry", url.Values{"text_id": {"Kurang tajam. Foto lagi ya."}, "text_en": {"Not sharp. Please take it again."}}).is(303, "an own text")
	if text := staff.get(merchantPath(id)).slot("DOCUMENT", "KTP").Find(".why").Text(); !strings.Contains(text, "Not sharp. Please take it again.") || strings.Contains(text, "too blurred") {
		t.Errorf("the own text: %s", text)
	}
	staff.document(id, "DOCUMENT", "KTP")
	if slot := staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"); slot.Find("[data-reason]").Length() != 0 || attr(slot, "data-review") != "undecided" {
		t.Error("a new version keeps the reasons of the old one")
	}
}

func TestAMessageToTheMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id, _ := b.refused("image_blurry", "fraudulent")
	staff.post(merchantPath(id), url.Values{"phone_number": {"0812-3456-7890"}, "email": {"warung@contoh.test"}}).is(303, "how to reach the merchant")
	b.clock.advance(time.Minute)

	page := staff.get(merchantPath(id)+"/message").is(200, "the message")
	text := page.doc().Find("textarea[name=text]").Text()
	for _, want := range []string{"1. KTP", "Foto terlalu buram.", "Catatan: Foto di siang hari"} {
		if !strings.Contains(text, want) {
			t.Errorf("the message lacks %q:\n%s", want, text)
		}
	}
	if strings.Contains(page.body, "diverifikasi") || strings.Contains(page.body, "kira-kira") {
		t.Errorf("the message says too much:\n%s", text)
	}
	link := attr(page.doc().Find("a[data-send=whatsapp]"), "href")
	if u, err := url.Parse(link); err != nil || u.Scheme != "https" || u.Host != "wa.me" || u.Path != "/6281234567890" || u.Query().Get("text") != text {
		t.Errorf("%v %s", err, link)
	}
	if mail := attr(page.doc().Find("a[data-send=email]"), "href"); !strings.HasPrefix(mail, "mailto:warung@contoh.test?subject=") || strings.Contains(mail, "+") {
		t.Error(mail)
	}
	english := staff.get(merchantPath(id) + "/message?language=en").doc().Find("textarea[name=text]").Text()
	if !strings.Contains(english, "The photo is too blurred.") || strings.Contains(english, "verified") {
		t.Error(english)
	}

	messages := merchantPath(id) + "/messages"
	form := url.Values{"channel": {"whatsapp"}, "language": {"id"}, "text": {text + "\nSampai jumpa"}}
	staff.post(messages, with(form, "text", "")).is(422, "nothing to say")
	staff.post(messages, with(form, "text", "", "channel", "fax"), "HX-Request", "true").is(422, "nothing to say")
	if a := staff.post(messages, with(form, "text", "Maaf, dokumen tidak dapat diverifikasi.")).is(422, "what is not to be told"); !strings.Contains(a.doc().Find("textarea").Text(), "diverifikasi") {
		t.Error("what was typed is lost")
	}
	if b.next(id) != "staff" {
		t.Error(b.next(id))
	}
	sent := staff.post(messages, form).is(303, "a message").header.Get("Location")
	if !strings.HasPrefix(sent, messages+"/") || b.next(id) != "merchant" {
		t.Errorf("%s %s", sent, b.next(id))
	}
	if href := attr(staff.get(sent).is(200, "the message kept").doc().Find("a[href^='https://wa.me/']"), "href"); !strings.Contains(href, "Sampai%20jumpa") {
		t.Error(href)
	}
	if a := staff.post(messages, with(form, "channel", "copy"), "HX-Request", "true").is(200, "by the script"); a.doc().Find("[data-message-sent]").Length() != 2 {
		t.Error(a.body)
	}
	if strings.Contains(b.log.String(), "6281234567890") || strings.Contains(b.log.String(), "wa.me") || strings.Contains(b.log.String(), "jumpa") {
		t.Error("the log knows the number or the text")
	}
	if n := b.count("select count(*) from audit where action = 'merchant.messaged' and detail::text !~ 'KTP|6281|jumpa'"); n != 2 {
		t.Errorf("%d rows in the trail", n)
	}
	for _, role := range []models.Role{models.RoleReviewer, models.RoleManager, models.RoleAdmin} {
		b.as(role).post(messages, form).is(403, string(role))
	}
	staff.get(messages+"/999").is(404, "no such message")

	if n := staff.get("/merchants?state=merchant").doc().Find("[data-merchant]").Length(); n != 1 {
		t.Errorf("%d merchants with the merchant", n)
	}
	if n := staff.get("/merchants?state=remind").doc().Find("[data-merchant]").Length(); n != 0 {
		t.Errorf("%d merchants to remind at once", n)
	}
	b.clock.advance(3*24*time.Hour + time.Minute)
	staff = b.as(models.RoleStaff)
	home := staff.get("/").doc()
	if n := staff.get("/merchants?state=remind").doc().Find("[data-merchant]").Length(); n != 1 || home.Find("#group-remind").Length() != 1 {
		t.Errorf("%d merchants to remind after three days", n)
	}
}

func TestCommentsOnAMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id := b.as(models.RoleStaff).merchant()
	comments := merchantPath(id) + "/comments"
	for _, role := range []models.Role{models.RoleStaff, models.RoleReviewer, models.RoleManager} {
		b.as(role).post(comments, url.Values{"text": {"Kata " + string(role)}}).is(303, string(role))
	}
	admin := b.as(models.RoleAdmin)
	admin.post(comments, url.Values{"text": {"Kata"}}).is(403, "an admin")
	staff := b.as(models.RoleStaff)
	long := strings.Repeat("a", 2001)
	if a := staff.post(comments, url.Values{"text": {long}}).is(422, "too long"); a.doc().Find("#comments textarea").Text() != long {
		t.Error("what was typed is lost")
	}
	if a := staff.post(comments, url.Values{"text": {" "}}, "HX-Request", "true").is(422, "nothing"); a.doc().Find("#comments [data-fault=comment_required]").Length() != 1 {
		t.Error(a.body)
	}
	a := staff.post(comments, url.Values{"text": {"<b>Tebal</b>"}}, "HX-Request", "true").is(200, "for htmx")
	if strings.Contains(a.body, "<html") || strings.Contains(a.body, "<b>Tebal") || a.doc().Find("[data-comment]").Length() != 4 {
		t.Error(a.body)
	}
	page := admin.get(merchantPath(id)).doc()
	if page.Find("[data-comment]").Length() != 4 || page.Find("#comments form").Length() != 0 || !strings.Contains(page.Find(".timeline").Text(), "Comment written") {
		t.Error(page.Find("#comments").Text())
	}
}

func TestReviewersSeeTheQueueAtHome(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.as(models.RoleStaff).ready()
	b.clock.advance(25 * time.Hour)
	figures := b.as(models.RoleReviewer).get("/").is(200, "home").doc().Find(".figures a")
	for href, want := range map[string]string{"/review": "1", "/review?show=mine": "0", "/review?show=overdue": "0", "/review?show=late": "1"} {
		if got := figures.Filter("[href='" + href + "']").Find("b").Text(); got != want {
			t.Errorf("%s says %q", href, got)
		}
	}
	if n := b.as(models.RoleReviewer).get("/review?show=late").doc().Find("#review-list [data-document]").Length(); n != 1 {
		t.Errorf("%d documents wait too long", n)
	}
}
