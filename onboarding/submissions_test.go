package onboarding_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/models"
	"berkas/onboarding"
)

func withReplay(on bool) func(*bundle) {
	return func(b *bundle) {
		b.must(b.SetRegistration(b.ctx(), b.staff, models.RegistrationSettings{FourEyes: true, Replay: on}))
	}
}

func (b *bundle) submission(id models.SubmissionID) models.Submission {
	b.Helper()
	v, err := b.store.Submission(b.ctx(), id)
	b.must(err)
	return v
}

// drive sends a submission, and what it is waiting for, until it waits for nothing but a person. Time passes as it asks for.
func (b *bundle) drive(id models.SubmissionID) models.Submission {
	b.Helper()
	for range 2000 {
		err := b.SendSubmission(b.ctx(), id)
		wait, later := errors.AsType[onboarding.Later](err)
		if err != nil && !later {
			b.Fatal(err)
		}
		for _, row := range b.rows(b.submission(id).MerchantID) {
			if d := row.Newest(); d != nil && d.State == models.Waiting {
				b.must(b.SendDocument(b.ctx(), d.ID))
			}
		}
		if later {
			b.clock.Advance(wait.After)
			continue
		}
		v := b.submission(id)
		if m := b.get(v.MerchantID); *m.SubmissionID != id { // another one follows it
			id = *m.SubmissionID
			continue
		}
		return v
	}
	b.Fatal("it never ends")
	return models.Submission{}
}

// wantsOutcome fails the test unless a submission, and its merchant, stand so.
func (b *bundle) wantsOutcome(v models.Submission, want models.Registration) {
	b.Helper()
	if m := b.get(v.MerchantID); v.Outcome != want || m.Registration != want {
		b.Fatalf("%s (%s), the merchant %s, not %s", v.Outcome, v.Problem, m.Registration, want)
	}
}

// Everything that can go wrong on the way to DOKU and back.
var troubles = []dokusim.Fault{
	{Kind: dokusim.FaultDrop},
	{Kind: dokusim.FaultDrop, AfterCommit: true},
	{Kind: dokusim.FaultCutRequest},
	{Kind: dokusim.FaultCutResponse},
	{Kind: dokusim.FaultMalformed},
	{Kind: dokusim.FaultMalformed, AfterCommit: true},
	{Kind: dokusim.FaultEmpty, AfterCommit: true},
	{Kind: dokusim.FaultHTML, AfterCommit: true},
	{Kind: dokusim.FaultNoID},
	{Kind: dokusim.FaultStatus, Status: http.StatusUnauthorized},
	{Kind: dokusim.FaultStatus, Status: http.StatusTooManyRequests, RetryAfter: 7 * time.Second},
	{Kind: dokusim.FaultStatus, Status: http.StatusServiceUnavailable},
	{Kind: dokusim.FaultStatus, Status: http.StatusInternalServerError, AfterCommit: true},
	{Kind: dokusim.FaultStatus, Status: http.StatusGatewayTimeout, AfterCommit: true},
	{Kind: dokusim.FaultStatus, Status: http.StatusConflict, AfterCommit: true},
	{Kind: dokusim.FaultStatus, Status: http.StatusServiceUnavailable, Times: 15}, // about an hour
}

// registrations is how many the proof makes: all of them, or as many as there are troubles and a few.
func registrations() int {
	if os.Getenv("BERKAS_PROOF") == "full" {
		return 1000
	}
	return len(troubles) + 8
}

// Whatever goes wrong, once or several times in a row, with clocks that differ by ten minutes: each registration that was asked
// for is exactly one business at DOKU, and none is left without an answer.
func TestProofRegistrationsWithFaults(t *testing.T) {
	b := setup(t)
	first, _ := b.ready(personalForm())
	n := registrations()
	ids := b.copies(first, n)
	for i, id := range ids {
		b.must(b.sim.Advance([]time.Duration{0, 10 * time.Minute, -10 * time.Minute}[i%3]))
		b.fault(also(troubles[i%len(troubles)]))
		for range i / len(troubles) % 3 {
			b.fault(also(troubles[rand.N(len(troubles))]))
		}
		v := b.drive(b.register(id))
		b.wantsOutcome(v, models.Registered)
		b.sim.ClearFaults()
		b.must(b.sim.Reset())
	}
	b.oneEach(ids)
}

func also(f dokusim.Fault) dokusim.Fault {
	f.Call, f.Times = doku.CallBusiness, max(1, f.Times)
	return f
}

// copies are n merchants of other names with the documents of one, approved.
func (b *bundle) copies(of models.MerchantID, n int) (ids []models.MerchantID) {
	b.Helper()
	form, err := b.Typed(b.ctx(), of)
	b.must(err)
	for i := range n {
		f := with(form, "name", fmt.Sprint("Warung ", i))
		delete(f, "seen")
		id, err := b.CreateMerchant(b.ctx(), b.staff, f, true)
		b.must(err)
		ids = append(ids, id)
		b.exec(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, content_type, size, sha256, blob_ref, data_key, file_id, uploaded_by, uploaded_at, delivered_at, review, decided_at)
			select gen_random_uuid(), $2, s.id, 1, d.category, d.code, 'delivered', d.content_type, d.size, d.sha256, d.blob_ref, d.data_key, d.file_id, d.uploaded_by, now(), now(), 'approved', d.decided_at
			from slots s join slots o on o.merchant_id = $1 and (o.owner_path, o.category, o.code) = (s.owner_path, s.category, s.code) join documents d on d.id = o.document_id
			where s.merchant_id = $2`, of, id)
		b.exec(`update slots s set document_id = d.id from documents d where d.slot_id = s.id and s.merchant_id = $1`, id)
		b.must(b.SetFields(b.ctx(), b.staff, id, b.row(id, doku.CategoryDocument, doku.CodeKTP).ID, map[string]string{"NO_KTP": "3175012345678901"}))
	}
	return ids
}

// oneEach fails the test unless each merchant is one business at DOKU, which is the one it is known as here.
func (b *bundle) oneEach(ids []models.MerchantID) {
	b.Helper()
	there := map[string][]string{}
	for _, business := range b.sim.Businesses() {
		there[business.Name] = append(there[business.Name], business.ID)
	}
	if len(there) != len(ids) {
		b.Errorf("%d businesses of %d merchants", len(there), len(ids))
	}
	for _, id := range ids {
		if m := b.get(id); len(there[m.Name]) != 1 || there[m.Name][0] != m.BusinessID || m.BrandID == "" {
			b.Errorf("%s is %s here and %v at DOKU", m.Name, m.BusinessID, there[m.Name])
		}
	}
}

func TestPreflightNamesWhatIsMissing(t *testing.T) {
	b := setup(t)
	m, err := b.CreateMerchant(b.ctx(), b.staff, with(personalForm(), "email", "", "address_area", ""), true)
	b.must(err)
	b.upload(ktp(m, photo("ktp")))
	b.deliver(onboarding.UploadInput{Merchant: m, Category: doku.CategoryPhotoProof, FileName: "a.jpg", Body: strings.NewReader(string(photo("a")))})
	p, err := b.Preflight(b.ctx(), b.staff, m)
	b.must(err)
	var got []string
	for _, l := range p.Missing {
		got = append(got, strings.Join(slices.DeleteFunc([]string{l.Code, l.Category, l.DocCode, l.Field}, func(s string) bool { return s == "" }), " "))
	}
	slices.Sort(got)
	want := []string{"missing OWNER_LIVENESS", "typed_missing address_area", "typed_missing email", "undecided PHOTO_PROOF", "waiting DOCUMENT KTP"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	_, err = b.Register(b.ctx(), b.staff, m, "")
	b.wants(err, "not_ready")
	if b.count("select count(*) from submissions") != 0 || b.count("select count(*) from river_job where kind = 'submission.send'") != 0 {
		t.Error("something is asked for all the same")
	}
}

func TestPreviewIsWhatIsSent(t *testing.T) {
	b := setup(t)
	b.Callbacks = "https://berkas.test"
	for _, form := range []onboarding.MerchantForm{with(personalForm(), "instagram", "https://instagram.com/sari", "bank_id", "BCA"), company()} {
		m, docs := b.ready(form)
		p, err := b.Preflight(b.ctx(), b.staff, m)
		b.must(err)
		shown := map[string]onboarding.SentField{}
		for _, f := range p.Body {
			shown[f.Path] = f
			for _, secret := range []string{"sari@warung", "pt@maju", "81234567890", "1234567890", "3175012345678901", "@"} {
				if secret != "@" && strings.Contains(f.Value, secret) {
					t.Errorf("%s is shown in clear", f.Path)
				}
			}
		}
		corporate := form["business_type"] == doku.Corporate
		if shown["business.type"].Documented == corporate || shown["business.contacts[0].position"].Documented || shown["business.callback_url"].Value != "https://berkas.test/doku/callbacks/••••" {
			t.Errorf("%+v", shown)
		}
		if len(p.Documents) != len(docs) || len(p.Left) != 0 {
			t.Errorf("%d of %d documents", len(p.Documents), len(docs))
		}
		_, err = b.Register(b.ctx(), b.staff, m, "another")
		b.wants(err, "registration_changed")
		id, err := b.Register(b.ctx(), b.staff, m, p.Seen)
		b.must(err)
		b.wantsOutcome(b.drive(id), models.Registered)
		told, err := b.Submission(b.ctx(), b.get(m), id)
		b.must(err)
		if len(told.Body) != len(p.Body) {
			t.Errorf("%d values were shown, %d sent", len(p.Body), len(told.Body))
		}
		for _, f := range told.Body {
			if shown[f.Path] != f {
				t.Errorf("%s is sent, not %s", f.Value, shown[f.Path].Value)
			}
		}
	}
	for _, business := range b.sim.Businesses() {
		token := strings.TrimPrefix(business.CallbackURL, "https://berkas.test/doku/callbacks/")
		if v, err := b.store.SubmissionByCallback(b.ctx(), b.CallbackHash(token)); err != nil || len(token) < 20 || v.BusinessID != business.ID {
			t.Errorf("%s: %v", business.CallbackURL, err)
		}
	}
}

func TestFourEyesAtTheSubmission(t *testing.T) {
	b := setup(t)
	m, _ := b.ready(personalForm())
	approver := b.reviewer
	approver.Role = models.RoleStaff // since
	_, err := b.Register(b.ctx(), approver, m, "")
	b.wants(err, "own_approval_submitted")
	if p, err := b.Preflight(b.ctx(), approver, m); err != nil || !p.Own {
		t.Errorf("%v %v", p.Own, err)
	}
	if _, err := b.db.Pool.Exec(b.ctx(), `insert into submissions (uid, merchant_id, kind, request_id, body, business_type, legal_entity, business_line, nationality, created_at, four_eyes, approved_by, submitted_by)
		values (gen_random_uuid(), $1, 'registration', 'x', '', '', '', '', '', now(), true, $2, $2)`, m, approver.Person); err == nil || !strings.Contains(err.Error(), "submissions_four_eyes") {
		t.Errorf("the database lets it through: %v", err)
	}
	b.must(b.SetRegistration(b.ctx(), b.staff, models.RegistrationSettings{Replay: true}))
	_, err = b.Register(b.ctx(), approver, m, "")
	b.must(err)
}

func TestRegistrationWaitsOutTheUndo(t *testing.T) {
	b := setup(t)
	m, docs := b.ready(personalForm())
	b.exec(`update decisions set decided_at = decided_at + interval '58 seconds'`)
	id := b.register(m)
	if wait := b.later(b.SendSubmission(b.ctx(), id)); wait != 8*time.Second {
		t.Errorf("it waits %v", wait)
	}
	_, err := b.Register(b.ctx(), b.staff, m, "")
	b.wants(err, "registration_underway")
	b.must(b.Undo(b.ctx(), b.reviewer, docs[0]))
	if v, m := b.submission(id), b.get(m); v.Outcome != models.TakenBack || m.Locked || m.Registration != models.NotSubmitted || b.doc(docs[0]).QueuedAt == nil {
		t.Errorf("%s %q", v.Outcome, m.Registration)
	}
	b.clock.Advance(time.Minute)
	b.must(b.SendSubmission(b.ctx(), id))
	if n := len(b.sim.Businesses()); n != 0 {
		t.Errorf("%d businesses", n)
	}
	b.approveAll(docs[0])
	b.wantsOutcome(b.drive(b.register(m)), models.Registered)
}

func TestWhatWasSubmittedIsClosed(t *testing.T) {
	b := setup(t)
	m, docs := b.registered()
	_, err := b.Decide(b.ctx(), b.reviewer, seen(b.doc(docs[0]), models.Refuse))
	b.wants(err, "merchant_submitted")
	_, err = b.Withdraw(b.ctx(), b.staff, docs[0], "wrong")
	b.wants(err, "document_submitted")
	later := b.deliver(ktp(m, photo("another ktp")))
	if d := b.doc(later); d.QueuedAt != nil || b.get(m).ProgressState != models.ProgressRegistered {
		t.Error("a change after registration waits for a reviewer")
	}
	attached, err := b.store.Attachments(b.ctx(), m)
	b.must(err)
	if slices.ContainsFunc(attached, func(a models.AttachedDocument) bool { return a.DocumentID == later }) {
		t.Error("it belongs to the registration")
	}
	b.must(b.EditMerchant(b.ctx(), b.staff, m, onboarding.MerchantForm{"owner_name": "Sari D."}))
	if d := b.doc(docs[0]); d.Review != string(models.Approve) {
		t.Error("what DOKU holds is to be decided again")
	}
	_, err = b.Withdraw(b.ctx(), b.staff, later, "not needed")
	b.must(err)
}

// DOKU says no: its words are kept verbatim, a person says which documents they are about, and the dossier goes again.
func TestRefusedIsMendedAndGoesAgain(t *testing.T) {
	b := setup(t)
	m, docs := b.ready(personalForm())
	words := "the KTP 3175012345678901 of sari@warung.co.id is not readable"
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultStatus, Status: http.StatusBadRequest, Times: 1, Message: words})
	id := b.register(m)
	v := b.drive(id)
	b.wantsOutcome(v, models.Declined)
	told, err := b.Submission(b.ctx(), b.get(m), id)
	b.must(err)
	if told.Words != words || !told.Mendable || strings.Contains(string(v.Said), "sari@") {
		t.Errorf("%q", told.Words)
	}
	_, err = b.Register(b.ctx(), b.staff, m, "")
	b.wants(err, "not_ready")
	slot := b.row(m, doku.CategoryDocument, doku.CodeKTP).ID
	b.wants(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: id}), "note_too_short")
	b.wants(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: id, Reasons: map[models.SlotID][]string{slot: {"none"}}}), "reason_unknown")
	b.must(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: id, Reasons: map[models.SlotID][]string{slot: {"image_blurry"}}}))
	b.wants(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: id, Note: "once more, please"}), "submission_settled")
	if d := b.doc(docs[0]); d.State != models.Refused && b.doc(docs[1]).State != models.Refused {
		t.Errorf("no slot is open: %s", d.State)
	}
	if now := b.get(m); now.ProgressState != models.ProgressRefused || now.NextActor != models.NextStaff || now.Locked {
		t.Errorf("%+v", now.Progress)
	}
	_, err = b.Retry(b.ctx(), b.staff, *b.row(m, doku.CategoryDocument, doku.CodeKTP).DocumentID)
	b.wants(err, "not_retryable")
	b.approveAll(b.deliver(ktp(m, photo("a sharper ktp"))))
	again := b.drive(b.register(m))
	b.wantsOutcome(again, models.Registered)
	if again.RequestID == v.RequestID || again.ID == id {
		t.Error("it went under the same Request-Id")
	}
	b.oneEach([]models.MerchantID{m})
}

// DOKU does not know a file any more: it gets it again, and the submission that follows has another Request-Id.
func TestUnknownFileIsRedelivered(t *testing.T) {
	b := setup(t)
	m, docs := b.ready(personalForm())
	lost := b.doc(docs[0]).FileID
	b.must(b.sim.LoseFile(lost))
	id := b.register(m)
	v := b.drive(id)
	b.wantsOutcome(v, models.Registered)
	if first := b.submission(id); first.Outcome != models.Declined || v.Replaces == nil || *v.Replaces != id || v.RequestID == first.RequestID {
		t.Errorf("%+v", v)
	}
	if d := b.doc(docs[0]); d.FileID == lost || d.Review != string(models.Approve) {
		t.Errorf("%s %s", d.FileID, d.Review)
	}
	if d := b.doc(docs[1]); d.FileID == "" || b.sim.Requests()[doku.CallUpload] != len(docs)+1 {
		t.Error("the others went again too")
	}
	b.oneEach([]models.MerchantID{m})
}

// A process that dies while it sends leaves a request that DOKU may have carried out: the next one sends the same.
func TestADyingProcessRegistersOnce(t *testing.T) {
	b := setup(t)
	m, _ := b.ready(personalForm())
	id := b.register(m)
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultDrop, AfterCommit: true, Times: 1})
	dying, die := context.WithCancel(b.ctx())
	v, claimed, err := b.store.Keep().ClaimSubmission(dying, id, "dying", time.Minute)
	b.must(err)
	raw, err := b.vault.Open(v.Body, "submissions.body:"+v.UID)
	b.must(err)
	client, err := doku.New(doku.Options{BaseURL: b.server.URL, ClientID: partner.ClientID, SecretKey: partner.SecretKey})
	b.must(err)
	if _, err := client.RegisterBusiness(dying, v.RequestID, raw); err == nil || !claimed {
		t.Fatal("it was answered")
	}
	die()
	b.must(b.SendSubmission(b.ctx(), id)) // another process has it
	b.must(b.Recover(b.ctx()))
	b.wantsOutcome(b.drive(id), models.Registered)
	b.oneEach([]models.MerchantID{m})
}

// Where DOKU is not taken to honour a repeated Request-Id, or no longer, a person is asked, with the evidence.
func TestWithoutReplayAPersonSettlesIt(t *testing.T) {
	b := setup(t)
	withReplay(false)(b)
	exists, _ := b.ready(personalForm())
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultDrop, AfterCommit: true, Times: 1})
	v := b.drive(b.register(exists))
	b.wantsOutcome(v, models.Stuck)
	if m := b.get(exists); m.ProgressState != models.ProgressFailed || m.NextActor != models.NextStaff {
		t.Errorf("nobody is told: %+v", m.Progress)
	}
	brand := b.sim.Businesses()[0].Brands[0].ID
	found := onboarding.FoundInput{Submission: v.ID, Brand: brand, Note: "seen in the Back Office"}
	for code, in := range map[string]onboarding.FoundInput{
		"brand_unknown":  {Submission: v.ID, Brand: "BRN-0", Note: found.Note},
		"note_too_short": {Submission: v.ID, Brand: brand, Note: "seen"},
	} {
		b.wants(b.Found(b.ctx(), b.staff, in), code)
	}
	b.must(b.Found(b.ctx(), b.staff, found))
	b.wantsOutcome(b.submission(v.ID), models.Registered)
	b.wants(b.Found(b.ctx(), b.staff, found), "submission_settled")
	if key, err := b.SharedKey(b.ctx(), b.staff, exists); err != nil || !strings.HasPrefix(key, "SK-") {
		t.Errorf("%v", err)
	}

	other := b.copies(exists, 1)[0]
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultDrop, Times: 1})
	v = b.drive(b.register(other))
	b.wantsOutcome(v, models.Stuck)
	b.wants(b.Found(b.ctx(), b.staff, onboarding.FoundInput{Submission: v.ID, Brand: brand, Note: found.Note}), "brand_other_name")
	b.wants(b.Found(b.ctx(), b.staff, onboarding.FoundInput{Submission: v.ID, Brand: brand, Note: found.Note, Sure: true}), "brand_taken")
	b.must(b.NotFound(b.ctx(), b.staff, v.ID, "DOKU's support says that there is none"))
	if m := b.get(other); m.Locked || b.submission(v.ID).Outcome != models.Absent {
		t.Errorf("%q", m.Registration)
	}
	b.wantsOutcome(b.drive(b.register(other)), models.Registered)
	b.oneEach([]models.MerchantID{exists, other})
}

// A Request-Id that DOKU may have forgotten is not sent again.
func TestReplaysEndInTime(t *testing.T) {
	b := setup(t)
	m, _ := b.ready(personalForm())
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultDrop, AfterCommit: true})
	id := b.register(m)
	b.later(b.SendSubmission(b.ctx(), id))
	if v := b.submission(id); v.Outcome != models.Uncertain || v.MaybeSince == nil {
		t.Fatalf("%s", v.Outcome)
	}
	b.clock.Advance(24 * time.Hour)
	sent := b.sim.Requests()[doku.CallBusiness]
	b.must(b.SendSubmission(b.ctx(), id))
	b.wantsOutcome(b.submission(id), models.Stuck)
	if b.sim.Requests()[doku.CallBusiness] != sent {
		t.Error("it was sent again")
	}
}

func TestAnswersNobodyUnderstandsAskAPerson(t *testing.T) {
	b := setup(t)
	m, _ := b.ready(personalForm())
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultHTML})
	b.wantsOutcome(b.drive(b.register(m)), models.Stuck)
}

func TestInvitation(t *testing.T) {
	b := setup(t)
	m, err := b.CreateMerchant(b.ctx(), b.staff, with(personalForm(), "owner_email", "sari@dewi.id", "email", ""), true)
	b.must(err)
	_, err = b.Invite(b.ctx(), b.staff, m)
	b.wants(err, "not_ready")
	b.must(b.EditMerchant(b.ctx(), b.staff, m, onboarding.MerchantForm{"email": "warung@sari.id"}))
	b.fault(dokusim.Fault{Call: doku.CallLite, Kind: dokusim.FaultCutResponse, Times: 2})
	id, err := b.Invite(b.ctx(), b.staff, m)
	b.must(err)
	b.wantsOutcome(b.drive(id), models.Registered)
	all := b.sim.Businesses()
	if now := b.get(m); len(all) != 1 || !all[0].Lite || all[0].PartnerRefID != now.UID || now.BusinessID != all[0].ID || now.BrandID != all[0].Brands[0].ID || now.SharedKey != nil {
		t.Errorf("%+v", all)
	}
	_, err = b.Register(b.ctx(), b.staff, m, "")
	b.wants(err, "registration_underway")
}
