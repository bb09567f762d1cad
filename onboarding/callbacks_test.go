package onboarding_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
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

// calls has submissions be given an address to call back.
func (b *bundle) calls() { b.Callbacks = "https://berkas.test" }

// token ends the address that DOKU was given for a merchant.
func (b *bundle) token(m models.MerchantID) string {
	b.Helper()
	name := b.get(m).Name
	for _, business := range b.sim.Businesses() {
		if business.Name == name {
			_, token, _ := strings.Cut(business.CallbackURL, "/doku/callbacks/")
			return token
		}
	}
	b.Fatal("DOKU was given no address")
	return ""
}

// callback is one that DOKU signed.
func (b *bundle) callback(token, body string) onboarding.CallbackInput {
	in := onboarding.CallbackInput{Token: token, Target: "/doku/callbacks/" + token, Header: http.Header{}, Body: []byte(body)}
	signed := doku.Signed{ClientID: partner.ClientID, RequestID: doku.NewRequestID(), Timestamp: doku.Timestamp(b.clock.Now()), Target: in.Target, Body: in.Body}
	in.Header.Set(doku.HeaderClientID, signed.ClientID)
	in.Header.Set(doku.HeaderRequestID, signed.RequestID)
	in.Header.Set(doku.HeaderRequestTimestamp, signed.Timestamp)
	in.Header.Set(doku.HeaderSignature, signed.Signature(partner.SecretKey))
	return in
}

// workCallbacks works all that came, in some order, until none is left.
func (b *bundle) workCallbacks() {
	b.Helper()
	for range 1000 {
		rows, err := b.db.Pool.Query(b.ctx(), "select id from callbacks where worked_at is null order by random()")
		b.must(err)
		var ids []models.CallbackID
		for rows.Next() {
			var id models.CallbackID
			b.must(rows.Scan(&id))
			ids = append(ids, id)
		}
		if len(ids) == 0 {
			return
		}
		for _, id := range ids {
			err := b.WorkCallback(b.ctx(), id)
			if wait, later := errors.AsType[onboarding.Later](err); later {
				b.clock.Advance(wait.After)
			} else {
				b.must(err)
			}
		}
	}
	b.Fatal("callbacks are never worked")
}

func (b *bundle) says(m models.MerchantID, status, brand, words string) {
	b.Helper()
	b.must(b.sim.SetStatus(b.get(m).BrandID, dokusim.Status{Status: status, BrandStatus: brand, RejectionReason: words}))
}

// poll has DOKU asked about all merchants whose turn it is.
func (b *bundle) poll() {
	b.Helper()
	b.must(b.PollDue(b.ctx()))
}

func TestStatusByPolling(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	b.poll()
	if b.sim.Requests()[doku.CallData] != 0 {
		t.Error("DOKU is asked before there can be news")
	}
	for _, c := range []struct {
		business, brand string
		active          bool
	}{{"ON_HOLD_42", "", false}, {"ACTIVE", "UPDATING", false}, {"UPDATING", "ACTIVE", false}, {"active", "Active", true}, {"SUSPENDED", "", true}} {
		b.says(m, c.business, c.brand, "")
		b.clock.Advance(24 * time.Hour)
		b.poll()
		brand := c.brand
		if brand == "" {
			brand = c.business
		}
		now := b.get(m)
		if now.BusinessStatus != c.business || now.BrandStatus != brand || (now.ActiveAt != nil) != c.active || now.Registration != models.Registered {
			t.Errorf("%v: %s, %s, %v", c, now.BusinessStatus, now.BrandStatus, now.ActiveAt)
		}
	}
	if p, err := b.store.Poll(b.ctx(), m); err != nil || len(p.Differences) != 1 || p.Differences[0].Code != "not_active" {
		t.Errorf("%+v %v", p, err)
	}
	if n := b.count("select count(*) from audit where action = 'merchant.status_changed'"); n != 5 {
		t.Errorf("%d changes in the trail", n)
	}
}

// The questions become rarer, from minutes to a day; one that is not answered is asked again.
func TestPollingBacksOff(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	var waits []time.Duration
	for range 13 {
		p, err := b.store.Poll(b.ctx(), m)
		b.must(err)
		waits = append(waits, p.NextAt.Sub(b.clock.Now()))
		b.clock.Advance(waits[len(waits)-1])
		b.poll()
	}
	if waits[0] > 5*time.Minute || waits[12] != 24*time.Hour {
		t.Errorf("%v", waits)
	}
	b.clock.Advance(24 * time.Hour)
	b.fault(dokusim.Fault{Call: doku.CallData, Kind: dokusim.FaultMalformed, Times: 1})
	if err := b.PollDue(b.ctx()); err == nil {
		t.Error("nobody hears of it")
	}
	if p, err := b.store.Poll(b.ctx(), m); err != nil || p.Problem == "" || p.ClaimedBy != "" || !p.NextAt.After(b.clock.Now()) {
		t.Errorf("%+v %v", p, err)
	}
}

func TestOnePollerForAllReplicas(t *testing.T) {
	b := setup(t)
	_, _ = b.registered()
	b.clock.Advance(time.Hour)
	other := b.replica(b.Blobs)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := []*onboarding.Service{b.Service, other}[i%2].PollDue(b.ctx()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := b.sim.Requests()[doku.CallData]; n != 1 {
		t.Errorf("%d questions", n)
	}
}

// A rejection's words are kept verbatim; a person says which documents they are about, and the dossier goes again.
func TestRejectedIsMendedAndGoesAgain(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	first := *b.get(m).SubmissionID
	b.says(m, "DECLINED", "", "Foto KTP buram: 3175012345678901")
	b.clock.Advance(time.Hour)
	b.poll()
	v := b.submission(first)
	b.wantsOutcome(v, models.Rejected)
	told, err := b.Submission(b.ctx(), b.get(m), first)
	if err != nil || told.Words != "Foto KTP buram: 3175012345678901" || !told.Mendable || strings.Contains(string(v.Said), "KTP") {
		t.Errorf("%q %v", told.Words, err)
	}
	if now := b.get(m); now.NextActor != models.NextStaff || now.ProgressState != models.ProgressRefused || now.BusinessStatus != "DECLINED" {
		t.Errorf("%s %s", now.NextActor, now.ProgressState)
	}
	b.says(m, "UPDATING", "", "") // DOKU thinks better of it
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	b.wantsOutcome(b.submission(first), models.Registered)
	b.says(m, "REJECTED", "", "Foto KTP buram")
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	slot := b.row(m, doku.CategoryDocument, doku.CodeKTP).ID
	b.must(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: first, Reasons: map[models.SlotID][]string{slot: {"image_blurry"}}}))
	if p, err := b.store.Poll(b.ctx(), m); err != nil || p.MerchantID != 0 {
		t.Errorf("what was rejected is asked about: %+v %v", p, err)
	}
	b.approveAll(b.deliver(ktp(m, photo("a sharper ktp"))))
	again := b.drive(b.register(m))
	b.wantsOutcome(again, models.Registered)
	if again.RequestID == v.RequestID || b.get(m).BusinessStatus != "UPDATING" {
		t.Error("it is the business that was rejected")
	}
}

func TestACallbackIsAHint(t *testing.T) {
	b := setup(t)
	b.calls()
	m, _ := b.registered()
	token := b.token(m)
	lie := b.callback(token, `{"business":{"id":"x","status":"ACTIVE","brands":[{"id":"BRN-9","status":"ACTIVE"}]}}`)
	for range 3 { // one Request-Id
		b.must(b.ReceiveCallback(b.ctx(), lie))
	}
	if n := b.count("select count(*) from river_job where kind = 'callback.work'"); n != 1 {
		t.Errorf("%d jobs", n)
	}
	b.workCallbacks()
	if now := b.get(m); now.ActiveAt != nil || b.sim.Requests()[doku.CallData] != 1 {
		t.Errorf("the payload is believed: %s", now.BusinessStatus)
	}
	b.says(m, "ACTIVE", "", "")
	late := b.callback(token, `{}`)
	b.clock.Advance(12 * time.Hour)
	b.must(b.ReceiveCallback(b.ctx(), late))
	b.workCallbacks()
	if b.get(m).ActiveAt == nil {
		t.Error("a late one does not count")
	}
	for what, in := range map[string]onboarding.CallbackInput{
		"another body": func() onboarding.CallbackInput { c := b.callback(token, `{}`); c.Body = []byte(`{"a":1}`); return c }(),
		"another address": func() onboarding.CallbackInput {
			c := b.callback("x", `{}`)
			c.Token, c.Target = token, "/doku/callbacks/"+token
			return c
		}(),
		"no signature": {Token: token, Target: "/doku/callbacks/" + token, Header: http.Header{}, Body: []byte(`{}`)},
	} {
		if err := b.ReceiveCallback(b.ctx(), in); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := b.ReceiveCallback(b.ctx(), b.callback("nobodys", `{}`)); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	b.UnsignedCallbacks = true
	b.must(b.ReceiveCallback(b.ctx(), onboarding.CallbackInput{Token: token, Header: http.Header{}, Body: []byte(`{}`)}))
	if n := b.count("select count(*) from callbacks where not signed"); n != 1 {
		t.Errorf("%d unsigned ones", n)
	}
	if n := b.count("select count(*) from audit where detail::text like '%' || $1 || '%'", token); n != 0 {
		t.Error("the address is in the trail")
	}
}

// A callback whose job died with its process is worked by the next poll, which it makes come soon.
func TestACallbackOutlivesItsJob(t *testing.T) {
	b := setup(t)
	b.calls()
	m, _ := b.registered()
	b.clock.Advance(time.Hour)
	b.poll()
	b.says(m, "ACTIVE", "", "")
	b.must(b.ReceiveCallback(b.ctx(), b.callback(b.token(m), `{}`)))
	b.clock.Advance(10 * time.Second)
	b.poll()
	if n := b.count("select count(*) from callbacks where worked_at is null"); n != 0 || b.get(m).ActiveAt == nil {
		t.Errorf("%d callbacks wait, it is %s", n, b.get(m).BusinessStatus)
	}
}

// A question whose asker died over it is asked again when its lease is over, however far off the merchant's turn was.
func TestAQuestionOutlivesItsAsker(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	b.says(m, "ACTIVE", "", "")
	b.clock.Advance(time.Hour)
	b.poll() // the next in a day
	b.says(m, "SUSPENDED", "", "")
	lease := 45 * time.Second
	if claimed, err := b.store.Keep().ClaimPoll(b.ctx(), m, "the dead", lease); err != nil || len(claimed) != 1 {
		t.Fatal(claimed, err)
	}
	b.clock.Advance(lease - time.Second)
	b.poll()
	if now := b.get(m); now.BusinessStatus != "ACTIVE" {
		t.Errorf("two ask at once: %s", now.BusinessStatus)
	}
	b.clock.Advance(2 * time.Second)
	b.poll()
	if now := b.get(m); now.BusinessStatus != "SUSPENDED" {
		t.Errorf("nobody asks again: %s", now.BusinessStatus)
	}
}

// A callback that is committed while an older answer is being kept has its merchant asked again at once: that statement began
// before it could see the callback.
func TestACallbackInTheMomentOfAnAnswer(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	asked, err := b.store.Keep().ClaimPoll(b.ctx(), m, "us", time.Minute)
	if err != nil || len(asked) != 1 {
		t.Fatal(asked, err)
	}
	began := b.clock.Now()
	b.clock.Advance(time.Second)
	kept := make(chan error)
	b.must(b.store.Write(b.ctx(), models.DOKU, func(tx *models.Tx) error {
		if err := tx.ReceiveCallback(&models.Callback{SubmissionID: *b.get(m).SubmissionID, MerchantID: m, RequestID: "R-1", Body: []byte("{}")}); err != nil {
			return err
		}
		go func() {
			kept <- b.store.Keep().KeepPoll(b.ctx(), asked[0], began, models.Polled{Next: b.clock.Now().Add(24 * time.Hour)})
		}()
		b.until(func() bool { // the answer waits for the callback
			return b.count("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'") == 1
		})
		return nil
	}))
	b.must(<-kept)
	if p, err := b.store.Poll(b.ctx(), m); err != nil || p.NextAt.After(b.clock.Now()) {
		t.Errorf("asked again only %v from now, %v", p.NextAt.Sub(b.clock.Now()), err)
	}
}

// A callback on the address of a submission without an answer settles it, when DOKU confirms the brand it names.
func TestACallbackSettlesAnUncertainSubmission(t *testing.T) {
	b := setup(t)
	b.calls()
	withReplay(false)(b)
	first, _ := b.ready(personalForm())
	ids := b.copies(first, 2)
	b.wantsOutcome(b.drive(b.register(ids[0])), models.Registered)
	other := b.get(ids[0]).BrandID
	b.fault(dokusim.Fault{Call: doku.CallBusiness, Kind: dokusim.FaultDrop, AfterCommit: true, Times: 1})
	v := b.drive(b.register(ids[1]))
	b.wantsOutcome(v, models.Stuck)
	business := b.sim.Businesses()[1]
	token := b.token(ids[1])
	for _, brand := range []string{"BRN-0-none", other, `\u0000`} {
		b.must(b.ReceiveCallback(b.ctx(), b.callback(token, fmt.Sprintf(`{"brand":%q}`, brand))))
		b.workCallbacks()
		b.wantsOutcome(b.submission(v.ID), models.Stuck)
	}
	b.must(b.ReceiveCallback(b.ctx(), b.callback(token, fmt.Sprintf(`{"business":{"brands":[{"id":%q}]}}`, business.Brands[0].ID))))
	b.workCallbacks()
	b.wantsOutcome(b.submission(v.ID), models.Registered)
	b.oneEach(ids)
}

// callbacksProved is how many the proof sends: all of them, or enough to see each kind.
func callbacksProved() (businesses, callbacks int) {
	if os.Getenv("BERKAS_PROOF") == "full" {
		return 300, 10_000
	}
	return 5, 200
}

// However many callbacks come, twice, forged, late and in any order, the states are in the end those Get Business Data tells.
func TestProofCallbacks(t *testing.T) {
	b := setup(t)
	b.calls()
	first, _ := b.ready(personalForm())
	n, total := callbacksProved()
	ids := b.copies(first, n)
	var tokens []string
	for _, id := range ids {
		b.wantsOutcome(b.drive(b.register(id)), models.Registered)
		tokens = append(tokens, b.token(id))
	}
	statuses := []string{"UPDATING", "ON_PROCESS", "ACTIVE", "SUSPENDED", "REJECTED"}
	var sent []onboarding.CallbackInput
	forged := 0
	for i := range total {
		who := rand.N(n)
		switch {
		case i%10 == 3:
			in := b.callback(tokens[who], `{"business":{"status":"ACTIVE"}}`)
			in.Header.Set(doku.HeaderSignature, "HMACSHA256=AAAA")
			if err := b.ReceiveCallback(b.ctx(), in); !fault.Is(err, fault.Unauthenticated) {
				t.Fatalf("a forged one is taken: %v", err)
			}
			forged++
			continue
		case i%10 < 3 && len(sent) > 0:
			b.must(b.ReceiveCallback(b.ctx(), sent[rand.N(len(sent))]))
			continue
		}
		status := statuses[rand.N(len(statuses))]
		b.says(ids[who], status, "", "")
		in := b.callback(tokens[who], fmt.Sprintf(`{"business":{"status":%q}}`, statuses[rand.N(len(statuses))]))
		b.must(b.ReceiveCallback(b.ctx(), in))
		sent = append(sent, in)
		if i%25 == 24 {
			b.workCallbacks()
		}
	}
	b.workCallbacks()
	truth := map[string]string{}
	for _, business := range b.sim.Businesses() {
		truth[business.ID] = business.Status
	}
	for _, id := range ids {
		m := b.get(id)
		if m.BusinessStatus != truth[m.BusinessID] || (m.Registration == models.Rejected) != (m.BusinessStatus == "REJECTED") {
			t.Errorf("%s is %s (%s) here and %s at DOKU", m.Name, m.BusinessStatus, m.Registration, truth[m.BusinessID])
		}
	}
	if kept := b.count("select count(*) from callbacks"); kept != len(sent) || forged == 0 {
		t.Errorf("%d kept of %d", kept, len(sent))
	}
}

// Two hours after the registration every link has expired: one question brings all of them back.
func TestTwoHoursLaterAllDocumentsOpen(t *testing.T) {
	b := setup(t)
	_, docs := b.registered()
	b.clock.Advance(2 * time.Hour)
	for i, seed := range []string{"ktp", "PHOTO_PROOF", "OWNER_LIVENESS"} {
		b.wantsBytes(docs[i], photo(seed), onboarding.FromDOKU)
	}
	if n := b.sim.Requests()[doku.CallData]; n != 1 {
		t.Errorf("%d questions", n)
	}
}
