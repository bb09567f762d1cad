package onboarding_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/blob"
	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

func (b *bundle) wantsBytes(id models.DocumentID, want []byte, source string) {
	b.Helper()
	content, from, err := b.read(id)
	if err != nil || from != source || !bytes.Equal(content, want) {
		b.Fatalf("%d bytes from %q: %v; want %d from %q", len(content), from, err, len(want), source)
	}
}

// forget deletes a document's original, as retention does.
func (b *bundle) forget(id models.DocumentID) {
	b.Helper()
	b.must(b.Blobs.Delete(b.ctx(), blob.Ref(b.doc(id).BlobRef)))
	b.exec("update documents set purged_at = $1 where id = $2", b.clock.Now(), id)
}

func TestFreshLinkLeadsToDOKU(t *testing.T) {
	b := setup(t)
	id := b.deliver(ktp(b.merchant(), photo("x")))
	b.wantsBytes(id, photo("x"), onboarding.FromDOKU)
	if n := b.count("select count(*) from audit where action = 'document.fetched' and subject_id = $1", id); n != 1 {
		t.Errorf("%d audit rows", n)
	}
}

func TestWaitingDocumentIsShownFromTheOriginal(t *testing.T) {
	b := setup(t)
	id := b.upload(ktp(b.merchant(), photo("x")))
	b.wantsBytes(id, photo("x"), onboarding.FromOriginal)
	if b.sim.Requests()[dokusim.CallLink] != 0 {
		t.Error("DOKU was asked")
	}
}

func TestExpiredLinkOfAnUnattachedDocument(t *testing.T) {
	b := setup(t)
	id := b.deliver(ktp(b.merchant(), photo("x")))
	b.clock.Advance(61 * time.Minute)
	b.wantsBytes(id, photo("x"), onboarding.FromOriginal)
	if r := b.sim.Requests(); r[doku.CallData] != 0 || r[doku.CallLookup] != 0 || r[dokusim.CallLink] != 0 {
		t.Errorf("%v", r)
	}
	b.forget(id)
	if _, _, err := b.read(id); fault.Code(err) != "link_unavailable" {
		t.Error(err)
	}
}

func TestFiftyReadersCauseOneRefresh(t *testing.T) {
	b := setup(t)
	_, docs := b.registered()
	b.clock.Advance(61 * time.Minute)
	b.fault(dokusim.Fault{Call: doku.CallData, Kind: dokusim.FaultDelay, Delay: 50 * time.Millisecond})
	other := b.replica(b.Blobs)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			s := []*onboarding.Service{b.Service, other}[i%2]
			content, source, err := readFrom(b.ctx(), s, b.staff, docs[i%len(docs)])
			if err != nil || source != onboarding.FromDOKU || len(content) == 0 {
				t.Errorf("%s, %v", source, err)
			}
		})
	}
	wg.Wait()
	if n := b.sim.Requests()[doku.CallData]; n != 1 {
		t.Errorf("%d calls", n)
	}
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
	for _, id := range docs {
		if d := b.doc(id); !onboarding.LinkFresh(d, b.clock.Now()) || d.ReadBackAt == nil || !d.LinkRefreshedAt.Equal(b.clock.Now()) {
			t.Errorf("%+v", d)
		}
	}
	if b.count("select count(*) from leases") != 0 || b.count("select count(*) from attachments where attached_id <> ''") != 3 {
		t.Error("a lease is left, or an attached id was not learnt")
	}
}

func TestLinkRefusedEarlyIsRefreshedOnce(t *testing.T) {
	b := setup(t)
	_, docs := b.registered()
	b.fault(linkFault("status", http.StatusForbidden, 1))
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
	if r := b.sim.Requests(); r[doku.CallData] != 1 || r[dokusim.CallLink] != 2 {
		t.Errorf("%v", r)
	}
	b.fault(linkFault("status", http.StatusForbidden, 0))
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromOriginal)
	if r := b.sim.Requests(); r[doku.CallData] != 2 || r[dokusim.CallLink] != 4 {
		t.Errorf("%v: not one refresh and one retry", r)
	}
}

func TestManyEarlyRefusalsCauseOneRefresh(t *testing.T) {
	b := setup(t)
	_, docs := b.registered()
	d := b.doc(docs[0])
	stale := b.vault.SealString(b.server.URL+"/sim/oss/UAT/none.jpg?Expires=1", "documents.link:"+d.UID)
	b.must(b.store.Keep().SaveLink(b.ctx(), d.ID, stale, b.clock.Now().Add(time.Hour)))
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, source, err := b.read(d.ID); err != nil || source != onboarding.FromDOKU {
				t.Errorf("%s, %v", source, err)
			}
		})
	}
	wg.Wait()
	if n := b.sim.Requests()[doku.CallData]; n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestBodyThatBreaksOffGoesOnFromTheOriginal(t *testing.T) {
	b := setup(t)
	content := padded(photo("x"), 300_000)
	id := b.deliver(ktp(b.merchant(), content))
	b.fault(linkFault("cut_response", 0, 1))
	b.wantsBytes(id, content, onboarding.FromDOKU)
	b.fault(linkFault("truncate_link", 0, 1)) // whole to HTTP, and shorter than what was accepted
	b.wantsBytes(id, content, onboarding.FromOriginal)
	b.forget(id)
	b.fault(linkFault("cut_response", 0, 1))
	if got, _, err := b.read(id); err == nil || len(got) >= len(content) {
		t.Errorf("%d bytes look whole", len(got))
	}
	b.wantsBytes(id, content, onboarding.FromDOKU)
}

func TestOtherBytesNeverLookWhole(t *testing.T) {
	b := setup(t)
	content := padded(photo("x"), 300_000)
	id := b.deliver(ktp(b.merchant(), content))
	b.fault(linkFault("corrupt_link", 0, 1))
	got, source, err := b.read(id)
	if err == nil || source != onboarding.FromDOKU || len(got) >= len(content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	small := b.deliver(ktp(b.merchant(), photo("small")))
	b.fault(linkFault("corrupt_link", 0, 1))
	if got, _, err := b.read(small); err == nil || len(got) != 0 {
		t.Errorf("%d bytes of something else were passed on: %v", len(got), err)
	}
}

func TestStorageThatHangsGivesWayToTheOriginal(t *testing.T) {
	b := setup(t)
	b.Patience(150 * time.Millisecond)
	id := b.deliver(ktp(b.merchant(), photo("x")))
	b.fault(linkFault("hold", 0, 1))
	b.wantsBytes(id, photo("x"), onboarding.FromOriginal)
}

func TestDOKUUnreachableShowsTheOriginal(t *testing.T) {
	b := setup(t)
	_, docs := b.registered()
	b.clock.Advance(61 * time.Minute)
	b.fault(dokusim.Fault{Call: "*", Kind: dokusim.FaultDrop})
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromOriginal)
	asked := b.sim.Requests()[doku.CallData]
	b.wantsBytes(docs[1], photo("PHOTO_PROOF"), onboarding.FromOriginal)
	if n := b.sim.Requests()[doku.CallData]; n != asked {
		t.Error("a reader waited for a DOKU that is known to be down")
	}
	b.sim.ClearFaults()
	b.must(b.Probe(b.ctx()))
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
}

func TestUnattachedDocumentOfARegisteredMerchantAsksNobody(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	id := b.deliver(ktp(m, photo("newer")))
	b.clock.Advance(61 * time.Minute)
	b.wantsBytes(id, photo("newer"), onboarding.FromOriginal)
	if n := b.sim.Requests()[doku.CallData]; n != 0 {
		t.Errorf("%d calls that cannot help", n)
	}
}

func TestFileLookup(t *testing.T) {
	b := setup(t, withLookup)
	m := b.merchant()
	one, two := b.deliver(ktp(m, photo("1"))), b.deliver(onboarding.UploadInput{Merchant: m, Category: "PHOTO_PROOF", FileName: "a.jpg", Body: bytes.NewReader(photo("2"))})
	b.clock.Advance(61 * time.Minute)
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { b.wantsBytes(one, photo("1"), onboarding.FromDOKU) })
		wg.Go(func() { b.wantsBytes(two, photo("2"), onboarding.FromDOKU) })
	}
	wg.Wait()
	if r := b.sim.Requests(); r[doku.CallLookup] != 2 || r[doku.CallData] != 0 {
		t.Errorf("%v", r)
	}
	b.clock.Advance(61 * time.Minute)
	b.fault(dokusim.Fault{Call: doku.CallLookup, Kind: dokusim.FaultStatus, Status: 404})
	b.wantsBytes(one, photo("1"), onboarding.FromOriginal)
}

func TestFileLookupFailingFallsBackToTheBusiness(t *testing.T) {
	b := setup(t, withLookup)
	_, docs := b.registered()
	b.clock.Advance(61 * time.Minute)
	b.fault(dokusim.Fault{Call: doku.CallLookup, Kind: dokusim.FaultStatus, Status: 404})
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
	if r := b.sim.Requests(); r[doku.CallData] != 1 {
		t.Errorf("%v", r)
	}
}

func TestShortLivedLinksAreUsedToo(t *testing.T) {
	b := setup(t, withLinkTTL(10*time.Second))
	_, docs := b.registered()
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
	b.clock.Advance(time.Minute)
	b.wantsBytes(docs[0], photo("ktp"), onboarding.FromDOKU)
	if n := b.sim.Requests()[doku.CallData]; n != 1 {
		t.Errorf("%d calls", n)
	}
}

func TestRegisterMatchesAttachmentsByPlace(t *testing.T) {
	b := setup(t)
	_, err := b.Register(b.ctx(), b.staff, b.merchant(), "")
	b.wants(err, "not_ready")
	m, docs := b.registered()
	places := map[models.DocumentID]string{}
	attached, err := b.store.Attachments(b.ctx(), m)
	b.must(err)
	for _, a := range attached {
		places[a.DocumentID] = a.Place
	}
	for i, want := range []string{"business.contacts[0].documents[0]", "business.brands[0].photo_proofs[0]", "business.contacts[0].owner_liveness"} {
		if places[docs[i]] != want {
			t.Errorf("%q, not %q", places[docs[i]], want)
		}
	}
	now := b.get(m)
	if now.ProgressState != models.ProgressRegistered || now.BrandID != b.sim.Businesses()[0].Brands[0].ID || bytes.HasPrefix(now.SharedKey, []byte("SK-")) {
		t.Errorf("%+v", now)
	}
	if key, err := b.vault.OpenString(now.SharedKey, "merchants.shared_key:"+now.UID); err != nil || key[:3] != "SK-" {
		t.Error(err)
	}
	b.clock.Advance(61 * time.Minute)
	b.forget(docs[2])
	b.wantsBytes(docs[2], photo("OWNER_LIVENESS"), onboarding.FromDOKU)
}

func TestPDFPagesFromDOKUWhenTheOriginalIsGone(t *testing.T) {
	b := setup(t)
	in := ktp(b.merchant(), pdfOf("Akta", 2))
	in.FileName = "akta.pdf"
	id := b.deliver(in)
	b.forget(id)
	page, err := b.OpenPage(b.ctx(), b.staff, id, 2, 300)
	if err != nil || !bytes.HasPrefix(page, []byte{0xff, 0xd8}) {
		t.Error(err)
	}
}

func TestOrphansAreSweptAfterADay(t *testing.T) {
	b := setup(t)
	kept := b.upload(ktp(b.merchant(), photo("kept")))
	for range 3 {
		_, err := b.Blobs.Put(b.ctx(), bytes.NewReader(photo("orphan")))
		b.must(err)
	}
	b.must(b.Tidy(b.ctx()))
	if n := len(b.blobs()); n != 4 {
		t.Fatalf("%d blobs: swept too early", n)
	}
	b.clock.Advance(25 * time.Hour)
	b.must(b.Tidy(b.ctx()))
	if names := b.blobs(); len(names) != 1 {
		t.Errorf("%d blobs", len(names))
	}
	b.wantsBytes(kept, photo("kept"), onboarding.FromOriginal)
}

func TestTidyForgetsWhatIsOver(t *testing.T) {
	b := setup(t)
	b.exec(`insert into sessions (token_hash, person_id, created_at, seen_at, expires_at) values ('\x01', $1, $2, $2, $3)`, b.staff.Person, b.clock.Now(), b.clock.Now().Add(12*time.Hour))
	_, _, err := b.store.Keep().CountAttempt(b.ctx(), []byte("x"), time.Minute)
	b.must(err)
	b.must(b.Tidy(b.ctx()))
	if b.count("select (select count(*) from sessions) + (select count(*) from sign_in_throttle)") != 2 {
		t.Error("too early")
	}
	b.clock.Advance(31 * time.Minute)
	b.must(b.Tidy(b.ctx()))
	if b.count("select (select count(*) from sessions) + (select count(*) from sign_in_throttle)") != 0 {
		t.Error("not forgotten")
	}
	month := b.clock.Now().AddDate(0, 1, 0).UTC().Format("2006_01")
	if b.count("select count(*) from pg_class where relname = $1", "audit_"+month) != 1 {
		t.Error("the next month has no partition")
	}
}

func TestReaderWhoGivesUpDisturbsNobody(t *testing.T) {
	b := setup(t)
	_, docs := b.registered()
	b.clock.Advance(61 * time.Minute)
	b.fault(dokusim.Fault{Call: doku.CallData, Kind: dokusim.FaultHold, Times: 1})
	impatient, cancel := context.WithCancel(b.ctx())
	first := make(chan error, 1)
	go func() {
		_, _, err := readFrom(impatient, b.Service, b.staff, docs[0])
		first <- err
	}()
	b.until(func() bool { return b.sim.Requests()[doku.CallData] == 1 })
	second := make(chan error, 1)
	go func() {
		o, err := b.OpenDocument(b.ctx(), b.staff, docs[0])
		if err == nil {
			_, err = io.Copy(io.Discard, o)
			o.Close()
		}
		second <- err
	}()
	cancel()
	if err := <-first; err == nil {
		t.Error("read on")
	}
	b.sim.ClearFaults()
	if err := <-second; err != nil {
		t.Error(err)
	}
	if n := b.sim.Requests()[doku.CallData]; n != 1 {
		t.Errorf("%d calls", n)
	}
}
