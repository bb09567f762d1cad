package onboarding_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"berkas/doku"
	"berkas/models"
	"berkas/onboarding"
)

// failed is a merchant's document that was given up.
func (b *bundle) failed(m models.MerchantID, seed string) models.DocumentID {
	b.Helper()
	id := b.upload(ktp(m, photo(seed)))
	b.exec("update documents set state = 'failed', unclear = 7, attempts = 9, problem = 'upload_failed', next_attempt_at = null where id = $1", id)
	b.exec("update slots set state = 'failed' where document_id = $1", id)
	return id
}

func TestRetryAllTakesWhatCounts(t *testing.T) {
	b := setup(t)
	stuck, idle, archived := b.merchant(), b.merchant(), b.merchant()
	superseded := b.failed(stuck, "1")
	b.exec("update documents set problem = 'x' where id = $1", superseded)
	counts := b.failed(stuck, "2")
	withdrawn := b.failed(idle, "3")
	b.exec("update documents set withdrawn_at = now() where id = $1", withdrawn)
	kept := b.failed(archived, "4")
	b.must(b.ArchiveMerchant(b.ctx(), b.staff, archived))
	waits := b.upload(onboarding.UploadInput{Merchant: idle, Category: doku.CategoryPhotoProof, FileName: "a.jpg", Body: bytes.NewReader(photo("5"))})
	b.exec("update documents set next_attempt_at = $1, problem = 'limited', attempts = 3 where id = $2", b.clock.Now().Add(5*time.Minute), waits)
	before, err := b.store.Deliveries(b.ctx(), 100)
	b.must(err)
	if before.GivenUp != 1 || before.Waiting != 1 || before.Sending != 0 || before.Oldest == nil || *before.Oldest != waits || before.Merchant != idle || before.Name == "" {
		t.Errorf("%+v", before)
	}
	b.exec("update merchants set progress_state = 'failed', next_actor = 'staff' where id = $1", stuck)

	done, err := b.RetryAll(b.ctx(), b.staff)
	b.must(err)
	if done != (onboarding.Retried{GivenUp: 1, Waiting: 1}) {
		t.Errorf("%+v", done)
	}
	for id, state := range map[models.DocumentID]models.DeliveryState{superseded: models.Failed, counts: models.Waiting, withdrawn: models.Failed, kept: models.Failed, waits: models.Waiting} {
		if d := b.doc(id); d.State != state {
			t.Errorf("document %d: %s, not %s", id, d.State, state)
		}
	}
	if d := b.doc(counts); d.Unclear != 0 || d.Attempts != 0 || d.Problem != "" {
		t.Errorf("%+v", d)
	}
	if m := b.get(stuck); m.ProgressState != models.ProgressTodo || len(m.Progress.Parts) == 0 || m.Progress.Parts[0].Code == "failed" {
		t.Errorf("%s %+v", m.ProgressState, m.Progress)
	}
	if n := b.count("select count(*) from audit where action = 'document.retried' and subject_id = $1 and actor_id = $2 and merchant_id = $3", counts, b.staff.Person, stuck); n != 1 {
		t.Errorf("%d audit rows", n)
	}
	if n := b.count("select sum((detail->>'given_up')::int * 10 + (detail->>'waiting')::int) from audit where action = 'deliveries.retried'"); n != 11 {
		t.Errorf("the trail says %d", n)
	}
	if n := b.count("select count(*) from transitions where subject_kind = 'document' and subject_id = $1 and from_state = 'failed' and to_state = 'waiting' and actor_id = $2", counts, b.staff.Person); n != 1 {
		t.Errorf("%d transitions", n)
	}
	b.clock.Advance(time.Second)
	if n, err := b.Sweep(b.ctx()); n != 2 || err != nil {
		t.Errorf("%d are handed to the queue, %v", n, err)
	}
	for _, id := range []models.DocumentID{counts, waits} {
		b.must(b.SendDocument(b.ctx(), id))
		if d := b.doc(id); d.State != models.Delivered {
			t.Errorf("%s %s", d.State, d.Problem)
		}
	}
	again, err := b.RetryAll(b.ctx(), b.staff)
	if again != (onboarding.Retried{}) || err != nil {
		t.Errorf("%+v, %v", again, err)
	}
}

func TestRetryAllOfMoreThanOneBatch(t *testing.T) {
	b := setup(t)
	first := b.merchant()
	b.failed(first, "a")
	b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, progress_state, next_actor)
		select gen_random_uuid(), 'M ' || n, 'm ' || n, business_type, legal_entity, business_line, nationality, combination_id, set_id, 'failed', 'staff' from merchants, generate_series(1, 230) n`)
	b.exec(`insert into slots (merchant_id, owner_path, category, code, by_hand) select id, 'x', 'DOCUMENT', 'KTP', true from merchants where id <> $1`, first)
	b.exec(`insert into documents (uid, merchant_id, slot_id, version, category, code, state, uploaded_at, problem) select gen_random_uuid(), merchant_id, id, 1, category, code, 'failed', now(), 'upload_failed' from slots where owner_path = 'x'`)
	b.exec(`update slots s set document_id = d.id, state = 'failed' from documents d where d.slot_id = s.id and s.owner_path = 'x'`)
	done, err := b.RetryAll(b.ctx(), b.staff)
	if done.GivenUp != 231 || err != nil {
		t.Fatalf("%+v, %v", done, err)
	}
	if n := b.count("select count(*) from documents where state = 'failed'"); n != 0 {
		t.Errorf("%d are still given up", n)
	}
	if n := b.count("select count(*) from merchants where progress_state = 'failed'"); n != 0 {
		t.Errorf("%d merchants still look failed", n)
	}
	if n := b.count("select count(*) from merchants where progress_state = 'waiting' and id <> $1", first); n != 230 {
		t.Errorf("%d wait", n)
	}
}

func TestRetryAllLeavesNothingHalfDone(t *testing.T) {
	b := setup(t)
	id := b.failed(b.merchant(), "a")
	nobody := b.staff
	nobody.Kind = "nobody the trail knows"
	if _, err := b.RetryAll(b.ctx(), nobody); err == nil {
		t.Fatal("done without its trail")
	}
	if d := b.doc(id); d.State != models.Failed || b.count("select count(*) from audit where action = 'document.retried'") != 0 {
		t.Errorf("%s", d.State)
	}
}

func TestMinutesAreKeptInOneStatement(t *testing.T) {
	b := setup(t)
	health := onboarding.NewHealth(b.store, b.clock.Now, slog.New(slog.DiscardHandler))
	for i := range 100 {
		health.Observe(doku.Outcome{Call: doku.CallUpload, Status: 200, Duration: time.Duration(i) * time.Millisecond})
	}
	health.Observe(doku.Outcome{Call: doku.CallUpload, Status: 503, Duration: time.Hour, Err: &doku.Error{Call: doku.CallUpload, Status: 503}})
	health.Observe(doku.Outcome{Call: doku.CallUpload, Status: 422, Duration: 200 * time.Millisecond, Err: &doku.Error{Call: doku.CallUpload, Status: 422}})
	b.clock.Advance(time.Minute)
	health.Observe(doku.Outcome{Call: doku.CallToken, Duration: time.Second, Err: &doku.Error{Call: doku.CallToken, Err: io.EOF}})
	if n := b.count("select count(*) from doku_minutes"); n != 0 {
		t.Errorf("%d minutes were written while calls went", n)
	}
	b.must(health.Flush(b.ctx()))
	rows, err := b.store.DOKUMinutes(b.ctx(), b.clock.Now().Add(-time.Hour).Truncate(time.Minute), time.Minute)
	b.must(err)
	if len(rows) != 2 || rows[0].Answered != 101 || rows[0].Failed != 1 || rows[0].TotalMS != 4950+200 || rows[0].MaxMS != 200 || rows[1].Call != doku.CallToken || rows[1].Failed != 1 || rows[1].MaxMS != 0 {
		t.Errorf("%+v", rows)
	}
	b.must(health.Flush(b.ctx())) // nothing twice
	health.Observe(doku.Outcome{Call: doku.CallToken, Status: 200, Duration: time.Millisecond})
	gone, cancel := context.WithCancel(b.ctx())
	cancel()
	if err := health.Flush(gone); err == nil {
		t.Error("kept by nobody")
	}
	health.Close()
	if n := b.count("select sum(answered + failed) from doku_minutes"); n != 104 {
		t.Errorf("%d calls", n)
	}
	b.exec("update doku_minutes set minute = minute - interval '2 years 1 month' where call = 'upload'")
	b.must(b.Tidy(b.ctx()))
	if n := b.count("select count(*) from doku_minutes"); n != 1 {
		t.Errorf("%d minutes", n)
	}
}
