package onboarding_test

import (
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/models"
	"berkas/onboarding"
)

// again has a registered merchant rejected for its KTP, mended and registered anew, and returns the brand id it had before.
func (b *bundle) again(m models.MerchantID) (before string) {
	b.Helper()
	before = b.get(m).BrandID
	b.says(m, "REJECTED", "", "Foto KTP buram")
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	slot := b.row(m, doku.CategoryDocument, doku.CodeKTP).ID
	b.must(b.Mend(b.ctx(), b.staff, onboarding.MendInput{Submission: *b.get(m).SubmissionID, Reasons: map[models.SlotID][]string{slot: {"image_blurry"}}}))
	b.approveAll(b.deliver(ktp(m, photo("a sharper ktp"))))
	b.wantsOutcome(b.drive(b.register(m)), models.Registered)
	return before
}

// earlierDifferences are those of businesses that do not count any more.
func (b *bundle) earlierDifferences() (list []models.Difference) {
	b.Helper()
	all, err := b.store.Differing(b.ctx(), 10)
	b.must(err)
	for _, d := range all {
		if d.SubmissionID != 0 {
			list = append(list, d.Differences...)
		}
	}
	return list
}

// Each brand id is asked about once a night, by one of the replicas, however often each comes round.
func TestEveryBrandIsComparedOnceANight(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	before := b.again(m)
	asked := b.sim.Requests()[doku.CallData]
	b.must(b.CompareDue(b.ctx()))
	if n := b.sim.Requests()[doku.CallData]; n != asked {
		t.Errorf("%d questions in the night both came to be", n-asked)
	}
	b.must(b.sim.SetStatus(before, dokusim.Status{Status: "ACTIVE"}))
	other := b.replica(b.Blobs)
	for night := range 2 {
		b.clock.Advance(24 * time.Hour)
		var group sync.WaitGroup
		for _, replica := range []*onboarding.Service{b.Service, other} {
			group.Go(func() {
				if err := replica.CompareDue(b.ctx()); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		b.must(b.CompareDue(b.ctx()))
		if n := b.sim.Requests()[doku.CallData]; n != asked+2*(night+1) {
			t.Errorf("%d questions after night %d", n-asked, night)
		}
	}
	if got := b.earlierDifferences(); len(got) != 1 || got[0] != (models.Difference{Code: "not_rejected", Says: "ACTIVE"}) {
		t.Errorf("%v", got)
	}
	b.must(b.sim.SetStatus(before, dokusim.Status{Status: "REJECTED"}))
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	if got := b.earlierDifferences(); len(got) != 0 {
		t.Errorf("it stays: %v", got)
	}
}

// A document that only a rejected business has is missed there, before somebody mended the rejection too.
func TestWhatARejectedBusinessLostIsShown(t *testing.T) {
	b := setup(t)
	m, docs := b.registered()
	b.exec(`update documents set purged_at = now(), blob_ref = '', data_key = null, thumbnail = null where id = $1`, docs[0])
	b.exec(`update attachments set place = place || '.elsewhere' where document_id in ($1, $2)`, docs[0], docs[1])
	b.says(m, "REJECTED", "", "Foto KTP buram")
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	b.clock.Advance(24 * time.Hour)
	b.must(b.CompareDue(b.ctx()))
	if got := b.earlierDifferences(); len(got) != 1 || got[0] != (models.Difference{Code: "not_shown", Document: docs[0]}) {
		t.Errorf("%v", got)
	}
}

// What DOKU says nothing readable about is shown, and keeps none of the others from being compared.
func TestABrandWithoutAReadableAnswerIsShown(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	b.again(m)
	b.clock.Advance(24 * time.Hour)
	b.fault(dokusim.Fault{Call: doku.CallData, Kind: dokusim.FaultStatus, Status: 418, Times: 2})
	_ = b.CompareDue(b.ctx())
	b.must(b.CompareDue(b.ctx()))
	if got := b.earlierDifferences(); len(got) != 1 || got[0].Code != "not_compared" || b.count("select count(*) from submissions where brand_id <> '' and compared_at is null") != 0 {
		t.Errorf("%v", got)
	}
	_, err := b.AskAllStatuses(b.ctx(), b.staff)
	b.must(err)
	b.must(b.CompareDue(b.ctx()))
	if got := b.earlierDifferences(); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// A document that DOKU lost is brought there again from its original; one whose original is gone too has to be handed in again.
func TestALostDocumentIsMended(t *testing.T) {
	b := setup(t)
	m, docs := b.registered()
	kept, purged := docs[1], docs[0]
	b.exec(`update attachments set place = place || '.elsewhere' where document_id in ($1, $2)`, kept, purged)
	b.exec(`update documents set purged_at = now(), blob_ref = '', data_key = null, thumbnail = null where id = $1`, purged)
	b.clock.Advance(time.Hour)
	_, err := b.Retry(b.ctx(), b.staff, kept)
	b.wants(err, "not_retryable")
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	before := b.doc(kept).FileID
	for _, id := range []models.DocumentID{kept, purged} {
		_, err := b.Retry(b.ctx(), b.staff, id)
		b.must(err)
	}
	b.must(b.SendDocument(b.ctx(), kept))
	if d := b.doc(kept); d.State != models.Delivered || d.FileID == before || d.FileID == "" || d.ReadBackAt != nil {
		t.Errorf("%s as %q", d.State, d.FileID)
	}
	if d := b.doc(purged); d.State != models.Refused || d.Problem != onboarding.LostAtDOKU {
		t.Errorf("%s for %q", d.State, d.Problem)
	}
	for range 2 { // at once, and once DOKU was asked again
		if p, err := b.store.Poll(b.ctx(), m); err != nil || len(p.Differences) != 0 {
			t.Errorf("%v %v", p.Differences, err)
		}
		b.must(b.AskStatus(b.ctx(), b.staff, m))
	}
	if newer := b.doc(b.deliver(ktp(m, photo("handed in again")))); newer.State != models.Delivered || newer.Version != 2 {
		t.Errorf("%s", newer.State)
	}
	if b.get(m).Registration != models.Registered {
		t.Error("it is not registered any more")
	}
}
