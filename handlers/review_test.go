package handlers

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"berkas/models"
)

// reviewer is another reviewer than the bench's own.
func (b *bench) reviewer(name string) *visitor {
	b.Helper()
	hash, err := passwordHash()
	b.must(err)
	b.must(b.store.Write(b.Context(), models.System, func(tx *models.Tx) error {
		return tx.AddPerson(&models.Person{Email: name + "@berkas.test", Name: name, Role: models.RoleReviewer, PasswordHash: hash})
	}))
	v := b.nobody()
	v.post("/login", url.Values{"email": {name + "@berkas.test"}, "password": {password}}).is(303, "signing in")
	return v
}

// sight is what a script reads of a document's page and hands back.
func (a *answer) sight() url.Values {
	a.Helper()
	page := a.doc().Find("[data-version]")
	if page.Length() != 1 {
		a.Fatal("no document's page")
	}
	return url.Values{"version": {attr(page, "data-version")}, "sha256": {attr(page, "data-sha256")}, "facts": {attr(page, "data-facts")}}
}

func (a *answer) review() string { return attr(a.doc().Find("[data-version]"), "data-review") }

// ready is a merchant's KTP at DOKU with its NIK, waiting for a reviewer.
func (v *visitor) ready() (models.MerchantID, string) {
	v.Helper()
	id := v.merchant()
	a := v.upload(id, multi("category", "DOCUMENT", "code", "KTP", "form_NO_KTP", "3171234567890001").file("foto.jpg", photo(v)), "HX-Request", "true")
	document := "/documents/" + attr(a.slot("DOCUMENT", "KTP"), "data-document")
	v.await("the delivery", func() bool { return attr(v.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "data-state") == "delivered" })
	return id, document
}

func (b *bench) count(sql string) (n int) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.Context(), sql).Scan(&n))
	return n
}

func (b *bench) undecided() int {
	b.Helper()
	return b.count("select count(*) from documents where queued_at is not null")
}

func TestAReviewFromTheQueueToTheMerchant(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	id, document := staff.ready()
	if a := one.post("/review/next", nil).is(303, "next"); a.header.Get("Location") != document {
		t.Fatal(a.header.Get("Location"))
	}
	two := b.reviewer("rani")
	if a := two.post("/review/next", nil).is(303, "what another has"); a.header.Get("Location") != "/review" {
		t.Error(a.header.Get("Location"))
	}
	two.post(document+"/approve", two.get(document).sight()).is(409, "what another has open")

	one.post(document+"/refuse", one.get(document).sight()).is(422, "without a reason")
	one.post(document+"/refuse", with(one.get(document).sight(), "reason", "file_empty")).is(422, "a reason that is the portal's own")
	one.post(document+"/refuse", with(one.get(document).sight(), "reason", "other", "note", "pendek")).is(422, "other without a note")
	refusal := with(one.get(document).sight(), "message", "Foto KTP di siang hari", "note", "Nomor terakhir tidak terbaca")
	refusal["reason"] = []string{"image_blurry", "document_expired"}
	one.post(document+"/refuse", refusal).is(303, "refusing")
	if got := one.get(document).review(); got != "refused" || b.undecided() != 0 {
		t.Error(got)
	}
	one.post(document+"/approve", one.get(document).sight()).is(409, "a second decision that replaces none")

	page := staff.get(merchantPath(id))
	if s := page.slot("DOCUMENT", "KTP"); attr(s, "data-review") != "refused" || attr(s, "data-state") != "delivered" || attr(s.Find("[data-reason]"), "data-reason") != "document_expired" {
		t.Errorf("%s %s", attr(s, "data-review"), s.Text())
	}
	if b.next(id) != "staff" {
		t.Error(b.next(id))
	}

	one.post(document+"/undo", nil).is(303, "undoing")
	if got := one.get(document).review(); got != "undecided" || b.undecided() != 1 {
		t.Error(got)
	}
	one.post(document+"/approve", one.get(document).sight()).is(303, "approving")
	b.clock.advance(11 * time.Second)
	if a := one.post(document+"/undo", nil).is(409, "undoing late"); a.fault() != "undo_late" {
		t.Error(a.fault())
	}
	if got := attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "data-review"); got != "approved" {
		t.Error(got)
	}
	if n := b.count("select count(*) from audit where action in ('document.approved', 'document.rejected', 'document.undone')"); n != 3 {
		t.Errorf("%d rows in the trail", n)
	}
}

func (b *bench) next(id models.MerchantID) (who string) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.Context(), "select next_actor from merchants where id = $1", id).Scan(&who))
	return who
}

func TestNobodyDecidesOnTheirOwnUpload(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, admin := b.as(models.RoleStaff), b.as(models.RoleAdmin)
	_, document := staff.ready()
	var person string
	b.must(b.db.Pool.QueryRow(t.Context(), "select id::text from people where email = 'staff@berkas.test'").Scan(&person))
	admin.post("/people/"+person, url.Values{"name": {"Staf"}, "role": {"reviewer"}}).is(303, "another role")
	staff = b.as(models.RoleStaff)
	page := staff.get(document).is(200, "its page")
	staff.post(document+"/approve", page.sight()).is(403, "one's own upload")
	staff.post(document+"/refuse", with(page.sight(), "reason", "image_blurry")).is(403, "one's own upload")
	if a := staff.post("/review/next", nil).is(303, "next"); a.header.Get("Location") != "/review" {
		t.Error(a.header.Get("Location"))
	}
	if _, err := b.db.Pool.Exec(t.Context(), `insert into decisions (uid, document_id, merchant_id, version, outcome, standing, facts, uploaded_by, decided_by, decided_at)
		select gen_random_uuid(), id, merchant_id, version, 'approved', 'counts', '', uploaded_by, uploaded_by, now() from documents`); err == nil || !strings.Contains(err.Error(), "decisions_four_eyes") {
		t.Errorf("the database took it: %v", err)
	}
}

func TestADecisionIsAboutWhatWasSeen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	id, document := staff.ready()
	slot := strings.TrimPrefix(attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	seen := one.get(document)
	form := with(seen.sight(), "seen", attr(seen.doc().Find("form[data-approve] input[name=seen]"), "value"))

	staff.post(merchantPath(id)+"/slots/"+slot+"/fields", url.Values{"form_NO_KTP": {"3171234567890002"}}).is(303, "another NIK")
	a := one.post(document+"/approve", form).is(409, "a NIK that was not seen")
	if changed := a.doc().Find("[data-changed=form_NO_KTP]"); changed.Length() != 1 || !strings.Contains(changed.Text(), "0001") || !strings.Contains(changed.Text(), "0002") {
		t.Errorf("both are not side by side: %q", changed.Text())
	}
	if strings.Contains(a.body, "3171234567890") {
		t.Error("the NIK is shown unasked")
	}
	if one.get(document).review() != "undecided" || b.count("select count(*) from decisions") != 0 {
		t.Error("something was recorded")
	}

	one.post(document+"/approve", one.get(document).sight()).is(303, "approving")
	staff.post(merchantPath(id), url.Values{"bank_name": {"Bank Lain"}}).is(303, "what a KTP says nothing of")
	if got := one.get(document).review(); got != "approved" {
		t.Errorf("%s after another bank", got)
	}
	staff.post(merchantPath(id), url.Values{"name": {"Warung Lain"}}).is(303, "another name")
	if got := one.get(document).review(); got != "undecided" || b.undecided() != 1 {
		t.Errorf("%s after another name", got)
	}

	old := one.get(document).sight()
	staff.document(id, "DOCUMENT", "KTP")
	a = one.post(document+"/approve", old).is(409, "a version that counts no longer")
	if a.doc().Find("[data-seen]").Length() != 1 || a.doc().Find("[data-now]").Length() != 1 {
		t.Error("both versions are not side by side")
	}
	one.post(document+"/approve", with(old, "version", "2")).is(409, "another version")
	one.post(document+"/approve", url.Values{}).is(409, "nothing seen")
}

func TestPersonalNumbersAreAskedFor(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	_, document := staff.ready()
	if a := one.get(document); strings.Contains(a.body, "3171234567890001") || !strings.Contains(a.doc().Find("#typed").Text(), "0001") {
		t.Error("the NIK is not masked")
	}
	if a := one.post(document+"/facts", nil, "HX-Request", "true").is(200, "asking for it"); !strings.Contains(a.body, "3171234567890001") {
		t.Error(a.body)
	}
	if n := b.count("select count(*) from audit where action = 'document.facts_revealed' and detail->'facts' ? 'form_NO_KTP'"); n != 1 {
		t.Errorf("%d rows in the trail", n)
	}
	b.as(models.RoleManager).post(document+"/facts", nil).is(403, "a manager")
}

func TestTwoReviewersAtTheSameInstantGetTwoDocuments(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	for range 4 {
		staff.ready()
	}
	visitors := []*visitor{b.as(models.RoleReviewer), b.reviewer("rani"), b.reviewer("budi"), b.reviewer("sari")}
	got := make(chan string, len(visitors))
	for _, v := range visitors {
		go func() { got <- v.post("/review/next", nil).header.Get("Location") }()
	}
	seen := map[string]bool{}
	for range visitors {
		seen[<-got] = true
	}
	if len(seen) != len(visitors) || seen["/review"] {
		t.Errorf("%v", seen)
	}
	if a := visitors[0].get("/review").is(200, "the queue"); a.doc().Find("#review-list [data-document]").Length() != 4 {
		t.Error(a.doc().Find("#review-list").Text())
	}
}

func (b *bench) id(email string) (id string) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.Context(), "select id::text from people where email = $1", email).Scan(&id))
	return id
}

func (v *visitor) leaves(document string) {
	v.Helper()
	v.post(document+"/look", url.Values{"leaving": {"1"}}).is(204, "leaving")
}

func TestUndoingTheSecondReviewersRefusalKeepsTheFirstApproval(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one, two, admin := b.as(models.RoleStaff), b.as(models.RoleReviewer), b.reviewer("rani"), b.as(models.RoleAdmin)
	admin.post("/settings", url.Values{"second_eyes": {"KTP"}}).is(303, "two reviewers")
	id, document := staff.ready()
	seen := one.get(document).sight()
	one.post(document+"/approve", seen).is(303, "the first approval")
	if a := two.post(document+"/ask", url.Values{"colleague": {b.id("reviewer@berkas.test")}, "question": {"Yakin?"}}).is(422, "asking the first reviewer"); !strings.Contains(a.body, "approved the document already") {
		t.Error(a.doc().Text())
	}
	two.leaves(document)
	two.post(document+"/refuse", with(seen, "reason", "image_blurry")).is(303, "refusing")
	two.post(document+"/undo", nil).is(303, "undoing")
	two.post(document+"/approve", seen).is(303, "the second approval")
	if got := attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "data-review"); got != "approved" {
		t.Error(got)
	}
}

func TestAnUndoneChangeKeepsTheDocumentForNobody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one, two := b.as(models.RoleStaff), b.as(models.RoleReviewer), b.reviewer("rani")
	_, document := staff.ready()
	seen := one.get(document).sight()
	one.post(document+"/approve", seen).is(303, "approving")
	change := with(seen, "reason", "image_blurry", "note", "Ternyata buram sekali", "replaces", attr(one.get(document).doc().Find("input[name=replaces]").First(), "value"))
	one.post(document+"/refuse", change).is(303, "refusing after all")
	one.post(document+"/undo", nil).is(303, "undoing")
	if got := two.get(document).review(); got != "approved" {
		t.Error(got)
	}
	two.post(document+"/refuse", change).is(303, "another reviewer's change")
}

func TestAnUndoneChangeBringsNoApprovalOfOtherDataBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one := b.as(models.RoleStaff), b.as(models.RoleReviewer)
	id, document := staff.ready()
	seen := one.get(document).sight()
	one.post(document+"/approve", seen).is(303, "approving")
	replaces := attr(one.get(document).doc().Find("input[name=replaces]").First(), "value")
	one.post(document+"/refuse", with(seen, "reason", "image_blurry", "replaces", replaces, "note", "Ternyata buram sekali")).is(303, "refusing after all")
	staff.post(merchantPath(id), url.Values{"name": {"Warung Lain"}}).is(303, "another name")
	one.post(document+"/undo", nil).is(303, "undoing")
	if got := one.get(document).review(); got != "undecided" {
		t.Errorf("%s, of another name", got)
	}
}

func TestWhatAReviewerWasAskedAboutIsAnybodysWhenTheyLeave(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one, two, admin := b.as(models.RoleStaff), b.as(models.RoleReviewer), b.reviewer("rani"), b.as(models.RoleAdmin)
	b.reviewer("budi")
	for path, form := range map[string]url.Values{"/people/" + b.id("rani@berkas.test"): {"name": {"Rani"}, "role": {"manager"}}, "/people/" + b.id("budi@berkas.test") + "/disable": nil} {
		_, document := staff.ready()
		asked := strings.Split(path, "/")[2]
		one.post(document+"/ask", url.Values{"colleague": {asked}, "question": {"Sama?"}}).is(303, "asking")
		if a := one.post("/review/next", nil); a.header.Get("Location") != "/review" {
			t.Errorf("%s was asked of a colleague", a.header.Get("Location"))
		}
		admin.post(path, form).is(303, "no reviewer any more")
		if a := one.post("/review/next", nil); a.header.Get("Location") != document {
			t.Errorf("%s, not %s", a.header.Get("Location"), document)
		}
		one.post(document+"/approve", one.get(document).sight()).is(303, "approving")
	}
	two.get("/").is(303, "the session of another role")
}

func TestNothingToReadIsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one, admin := b.as(models.RoleStaff), b.as(models.RoleReviewer), b.as(models.RoleAdmin)
	b.reviewer("rani")
	id, document := staff.ready()
	unseen := strings.Repeat("\u200b\u2060", 10)
	refusal := with(one.get(document).sight(), "reason", "other", "note", unseen)
	one.post(document+"/refuse", refusal).is(422, "a note")
	one.post(document+"/ask", url.Values{"colleague": {b.id("rani@berkas.test")}, "question": {unseen}}).is(422, "a question")
	staff.post(merchantPath(id)+"/comments", url.Values{"text": {unseen}}).is(422, "a comment")
	staff.post(merchantPath(id)+"/messages", url.Values{"channel": {"copy"}, "language": {"id"}, "text": {unseen}}).is(422, "a message")
	admin.post("/settings/reasons/image_blurry", url.Values{"text_id": {unseen}, "text_en": {"Blurred."}}).is(422, "an own text")
	one.post("/documents/999999/look", url.Values{"look": {"1"}}).is(404, "a document that is not there")
}

func TestWhatIsWithheldCannotBePutInOtherPlaces(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff, one, admin := b.as(models.RoleStaff), b.as(models.RoleReviewer), b.as(models.RoleAdmin)
	id, document := staff.ready()
	refusal := with(one.get(document).sight(), "reason", "image_blurry", "message", "Maaf: dokumen tidak dapat diverifikasi!")
	if a := one.post(document+"/refuse", refusal, "HX-Request", "true").is(422, "a note to the merchant"); a.fault() != "not_shareable" {
		t.Error(a.fault())
	}
	message := url.Values{"channel": {"copy"}, "language": {"id"}, "text": {"Halo, KTP menunjukkan tanda manipulasi, mohon kirim ulang."}}
	staff.post(merchantPath(id)+"/messages", message).is(422, "the sentence as colleagues see it")
	own := url.Values{"text_id": {"Dokumen palsu."}, "text_en": {"Please send it again."}}
	admin.post("/settings/reasons/image_blurry", own).is(422, "an own text")
	admin.post("/settings/reasons/fraudulent", own).is(303, "the reason's own")
}

func TestAReviewerWhoAsksTwiceAtOnceGetsTheLastDocumentTwice(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one := b.as(models.RoleReviewer)
	_, document := b.as(models.RoleStaff).ready()
	for range 15 {
		got := make(chan string, 2)
		for range cap(got) {
			go func() { got <- one.post("/review/next", nil).header.Get("Location") }()
		}
		for range cap(got) {
			if to := <-got; to != document {
				t.Error(to)
			}
		}
	}
}
