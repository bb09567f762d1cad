package onboarding_test

import (
	"bytes"
	"encoding/hex"
	"net/http"
	"strings"
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

func hexOf(sum []byte) string { return hex.EncodeToString(sum) }

func fault503(call string, times int) dokusim.Fault {
	return dokusim.Fault{Call: call, Kind: dokusim.FaultStatus, Status: http.StatusServiceUnavailable, Times: times}
}

func linkFault(kind string, status, times int) dokusim.Fault {
	return dokusim.Fault{Call: dokusim.CallLink, Kind: dokusim.FaultKind(kind), Status: status, Times: times}
}

// tryOnce sends a document when its turn has come.
func (b *bundle) tryOnce(id models.DocumentID) error {
	if d := b.doc(id); d.NextAttemptAt != nil {
		b.clock.Advance(max(0, d.NextAttemptAt.Sub(b.clock.Now())))
	}
	return b.SendDocument(b.ctx(), id)
}

func TestOutagesNeverUseUpATry(t *testing.T) {
	b := setup(t)
	for _, c := range []struct {
		fault   dokusim.Fault
		problem string
	}{
		{fault503(doku.CallUpload, 0), "unreachable"},
		{dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultDrop}, "unreachable"},
		{dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultCutResponse}, "unreachable"},
		{dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 401}, "credential"},
		{dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 403}, "credential"},
		{dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 429}, "limited"},
		{dokusim.Fault{Call: doku.CallToken, Kind: dokusim.FaultStatus, Status: 400}, "credential"},
		{dokusim.Fault{Call: doku.CallToken, Kind: dokusim.FaultHTML}, "unreachable"},
	} {
		b.sim.ClearFaults()
		id := b.upload(ktp(b.merchant(), photo(c.problem)))
		if c.fault.Call == doku.CallToken {
			b.clock.Advance(7 * time.Hour) // the token of before is over
		}
		b.fault(c.fault)
		for range 12 {
			if wait := b.later(b.tryOnce(id)); wait > 5*time.Minute {
				t.Fatalf("waits %v", wait)
			}
		}
		d := b.doc(id)
		if d.State != models.Waiting || d.Problem != c.problem || d.Attempts != 12 || d.Unclear != 0 {
			t.Errorf("%+v: %s %s after %d", c.fault, d.State, d.Problem, d.Attempts)
		}
		b.sim.ClearFaults()
		b.must(b.tryOnce(id))
		if d := b.doc(id); d.State != models.Delivered || d.Problem != "" {
			t.Errorf("%+v: %s", c.fault, d.State)
		}
	}
}

func TestHundredsOfOutagesChangeNothing(t *testing.T) {
	b := setup(t)
	id := b.upload(ktp(b.merchant(), photo("x")))
	b.exec("update documents set attempts = 700")
	b.fault(fault503(doku.CallUpload, 1))
	if wait := b.later(b.tryOnce(id)); wait < 4*time.Minute || wait > 5*time.Minute {
		t.Error(wait)
	}
	b.must(b.tryOnce(id))
}

func TestRetryAfterIsHonoured(t *testing.T) {
	b := setup(t)
	for _, c := range []struct{ asked, want time.Duration }{{90 * time.Second, 90 * time.Second}, {time.Hour, 5 * time.Minute}} {
		b.sim.ClearFaults()
		id := b.upload(ktp(b.merchant(), photo(c.asked.String())))
		b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 429, RetryAfter: c.asked, Times: 1})
		if wait := b.later(b.tryOnce(id)); wait != c.want {
			t.Errorf("%v, not %v", wait, c.want)
		}
		uploads := b.sim.Requests()[doku.CallUpload]
		b.clock.Advance(c.want - 2*time.Second)
		b.must(b.SendDocument(b.ctx(), id)) // a job that comes too early
		other := b.deliver(ktp(b.merchant(), photo("other"+c.asked.String())))
		if d := b.doc(id); d.State != models.Waiting || b.sim.Requests()[doku.CallUpload] != uploads+1 || b.doc(other).State != models.Delivered {
			t.Errorf("%s: sent before its turn", d.State)
		}
		if n, err := b.Sweep(b.ctx()); n != 0 || err != nil {
			t.Errorf("%d swept, %v", n, err)
		}
		b.must(b.tryOnce(id))
	}
}

func TestRefusedByDOKUVerbatim(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for status, problem := range map[int]string{400: "refused_by_doku", 413: "file_too_large", 415: "file_type_not_allowed", 422: "refused_by_doku"} {
		id := b.upload(ktp(m, photo(http.StatusText(status))))
		b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: status, Message: "Dokumen tidak terbaca (kode 7)", Times: 1})
		b.must(b.SendDocument(b.ctx(), id))
		d := b.doc(id)
		if d.State != models.Refused || d.Problem != problem || d.DOKUSays != "Dokumen tidak terbaca (kode 7)" {
			t.Errorf("%d: %s %s %q", status, d.State, d.Problem, d.DOKUSays)
		}
		if now := b.get(m); now.ProgressState != models.ProgressRefused || now.NextActor != models.NextStaff {
			t.Errorf("%s, next %s", now.ProgressState, now.NextActor)
		}
	}
}

func TestGivenUpAfterEightAnswersNobodyUnderstands(t *testing.T) {
	b := setup(t)
	kinds := []dokusim.FaultKind{dokusim.FaultMalformed, dokusim.FaultHTML, dokusim.FaultEmpty, dokusim.FaultNoID}
	id := b.upload(ktp(b.merchant(), photo("x")))
	for i := range 8 {
		b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: kinds[i%len(kinds)], Times: 1})
		if i == 4 { // an outage between is none of them
			b.sim.ClearFaults()
			b.fault(fault503(doku.CallUpload, 1))
			b.later(b.tryOnce(id))
			b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: kinds[i%len(kinds)], Times: 1})
		}
		if i < 7 {
			b.later(b.tryOnce(id))
			continue
		}
		b.must(b.tryOnce(id))
	}
	if d := b.doc(id); d.State != models.Failed || d.Problem != "upload_failed" || d.Unclear != 7 {
		t.Fatalf("%s %s %d", d.State, d.Problem, d.Unclear)
	}
	if _, err := b.Retry(b.ctx(), b.staff, id); err != nil {
		t.Fatal(err)
	}
	if d := b.doc(id); d.State != models.Waiting || d.Attempts != 0 || d.Unclear != 0 {
		t.Errorf("%+v", d)
	}
	b.must(b.SendDocument(b.ctx(), id))
	if d := b.doc(id); d.State != models.Delivered {
		t.Errorf("%s %s", d.State, d.Problem)
	}
	_, err := b.Retry(b.ctx(), b.staff, id)
	b.wants(err, "not_retryable")
}

func TestLostAnswersShowOneDocument(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	id := b.upload(ktp(m, photo("x")))
	b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultDrop, AfterCommit: true, Times: 2})
	b.later(b.tryOnce(id))
	b.later(b.tryOnce(id))
	b.must(b.tryOnce(id))
	files := b.sim.Files()
	row := b.row(m, "DOCUMENT", "KTP")
	if len(files) != 3 || len(row.Documents) != 1 || row.Newest().FileID != files[2].ID {
		t.Errorf("%d files at DOKU, %d documents", len(files), len(row.Documents))
	}
	for _, f := range files {
		if f.SHA256 != sha(photo("x")) {
			t.Error("altered")
		}
	}
}

func TestOnlyOneOfManyWorkersSends(t *testing.T) {
	b := setup(t)
	id := b.upload(ktp(b.merchant(), photo("x")))
	other := b.replica(b.Blobs)
	b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultDelay, Delay: 50 * time.Millisecond})
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() { b.must([]*onboarding.Service{b.Service, other}[i%2].SendDocument(b.ctx(), id)) })
	}
	wg.Wait()
	if n := len(b.sim.Files()); n != 1 || b.doc(id).State != models.Delivered {
		t.Errorf("sent %d times", n)
	}
}

// whileSending does something while DOKU has the bytes and has not answered.
func (b *bundle) whileSending(id models.DocumentID, do func()) error {
	b.Helper()
	b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultHold, Times: 1})
	before := b.sim.Requests()[doku.CallUpload]
	done := make(chan error, 1)
	go func() { done <- b.SendDocument(b.ctx(), id) }()
	b.until(func() bool { return b.sim.Requests()[doku.CallUpload] > before })
	do()
	b.sim.ClearFaults()
	return <-done
}

func (b *bundle) until(ready func() bool) {
	b.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for range 5000 {
		if ready() {
			return
		}
		<-tick.C
	}
	b.Fatal("it never came to it")
}

func TestWithdrawnWhileSendingStaysWithdrawn(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	id := b.upload(ktp(m, photo("x")))
	b.must(b.whileSending(id, func() {
		_, err := b.Withdraw(b.ctx(), b.staff, id, "salah orang")
		b.must(err)
	}))
	d := b.doc(id)
	if d.FileID != "" || d.WithdrawnAt == nil || b.row(m, "DOCUMENT", "KTP").Newest() != nil {
		t.Errorf("%+v", d)
	}
	b.clock.Advance(time.Hour)
	if n, err := b.Sweep(b.ctx()); n != 0 || err != nil {
		t.Errorf("%d swept, %v", n, err)
	}
	b.must(b.SendDocument(b.ctx(), id))
	if n := b.count("select count(*) from transitions where to_state = 'withdrawn' and from_state = 'sending'"); n != 1 {
		t.Error("the history does not say from which state")
	}
}

func TestLostClaimLeavesTheDocumentToTheOther(t *testing.T) {
	b := setup(t)
	id := b.upload(ktp(b.merchant(), photo("x")))
	b.must(b.whileSending(id, func() {
		b.clock.Advance(time.Minute) // the claim is over: this process was taken for dead
		other := b.replica(b.Blobs)
		b.must(other.SendDocument(b.ctx(), id))
	}))
	if d := b.doc(id); d.State != models.Delivered || d.FileID != b.sim.Files()[0].ID || b.count("select count(*) from audit where action = 'document.delivered'") != 1 {
		t.Errorf("%s %s, %v", d.State, d.FileID, b.sim.Files())
	}
}

func TestCrashBetweenTheTwoCommits(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	id := b.upload(ktp(m, photo("x")))
	// DOKU has the file, and the process died before it knew.
	b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultDrop, AfterCommit: true, Times: 1})
	b.later(b.SendDocument(b.ctx(), id))
	b.exec("update documents set state = 'sending', claimed_by = 'the dead', claimed_until = $1, next_attempt_at = $2", b.clock.Now().Add(15*time.Second), b.clock.Now())
	b.exec("delete from river_job")
	b.must(b.Recover(b.ctx())) // its own database: the next run knows that nobody else is there
	for _, want := range []int{1, 0} {
		if n, err := b.Sweep(b.ctx()); n != want || err != nil {
			t.Fatalf("%d swept, not %d: %v", n, want, err)
		}
	}
	if b.count("select count(*) from river_job where kind = 'document.send'") != 1 {
		t.Error("no job")
	}
	b.must(b.SendDocument(b.ctx(), id))
	if row := b.row(m, "DOCUMENT", "KTP"); len(row.Documents) != 1 || row.Newest().State != models.Delivered || len(b.sim.Files()) != 2 {
		t.Errorf("%d documents, %d files", len(row.Documents), len(b.sim.Files()))
	}
}

func TestCrashOfAnotherReplica(t *testing.T) {
	b := setup(t)
	id := b.upload(ktp(b.merchant(), photo("x")))
	b.exec("update documents set state = 'sending', claimed_by = 'the dead', claimed_until = $1", b.clock.Now().Add(15*time.Second))
	b.must(b.SendDocument(b.ctx(), id)) // it may still be alive
	if len(b.sim.Files()) != 0 {
		t.Fatal("sent twice")
	}
	b.clock.Advance(35 * time.Second)
	if n, err := b.Sweep(b.ctx()); n != 1 || err != nil {
		t.Fatalf("%d swept, %v", n, err)
	}
	b.must(b.SendDocument(b.ctx(), id))
	if b.doc(id).State != models.Delivered {
		t.Error(b.doc(id).State)
	}
}

func TestLostOriginalIsSaid(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	id := b.upload(ktp(m, photo("x")))
	b.must(b.Blobs.Delete(b.ctx(), blob.Ref(b.doc(id).BlobRef)))
	b.must(b.SendDocument(b.ctx(), id))
	if d := b.doc(id); d.State != models.Failed || d.Problem != "bytes_gone" {
		t.Errorf("%s %s", d.State, d.Problem)
	}
}

func TestWakesWhenDOKUAnswersAgain(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	b.clock.Advance(time.Minute)
	b.fault(fault503("*", 0))
	var ids []models.DocumentID
	for _, seed := range []string{"a", "b", "c"} {
		id := b.upload(ktp(m, photo(seed)))
		for range 9 {
			b.later(b.tryOnce(id))
		}
		ids = append(ids, id)
	}
	b.exec("update documents set next_attempt_at = $1", b.clock.Now().Add(4*time.Minute))
	health, err := b.store.Health(b.ctx())
	if err != nil || health.DownSince == nil || !strings.HasSuffix(health.LastError, " 503") {
		t.Fatalf("%+v, %v", health, err)
	}
	if err := b.Probe(b.ctx()); err == nil {
		t.Error("the probe got through")
	}
	if n, _ := b.Sweep(b.ctx()); n != 0 {
		t.Errorf("%d swept while DOKU is down", n)
	}
	// Tokens come again, uploads do not yet: one document finds that out, the others wait.
	b.sim.ClearFaults()
	b.fault(fault503(doku.CallUpload, 0))
	b.clock.Advance(10 * time.Second)
	b.exec("update documents set next_attempt_at = $1 where id = $2", b.clock.Now(), ids[0])
	b.later(b.SendDocument(b.ctx(), ids[0]))
	b.must(b.Probe(b.ctx()))
	if n, _ := b.Sweep(b.ctx()); n != 1 {
		t.Errorf("%d swept, not one", n)
	}
	b.sim.ClearFaults()
	b.clock.Advance(10 * time.Second)
	b.must(b.Probe(b.ctx()))
	b.Sweep(b.ctx())
	for _, id := range ids {
		b.must(b.SendDocument(b.ctx(), id))
	}
	if n := b.count("select count(*) from documents where state = 'delivered'"); n == 0 {
		t.Fatal("nobody found out")
	}
	if health, _ = b.store.Health(b.ctx()); health.DownSince != nil {
		t.Errorf("%+v", health)
	}
	b.Sweep(b.ctx())
	for _, id := range ids {
		b.must(b.SendDocument(b.ctx(), id))
		if d := b.doc(id); d.State != models.Delivered {
			t.Errorf("%s still waits until %v", d.State, d.NextAttemptAt)
		}
	}
}

func TestProbeEndsAnOutageWithoutDocuments(t *testing.T) {
	b := setup(t)
	b.must(b.store.Keep().DOKUFailed(b.ctx(), doku.CallUpload, 503))
	b.must(b.Probe(b.ctx()))
	if health, err := b.store.Health(b.ctx()); err != nil || health.DownSince != nil {
		t.Errorf("%+v, %v", health, err)
	}
}

func TestWithdrawMakesTheVersionBeforeCount(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	first, second := b.deliver(ktp(m, photo("1"))), b.deliver(ktp(m, photo("2")))
	_, err := b.Withdraw(b.ctx(), b.staff, second, " \n ")
	b.wants(err, "note_required")
	_, err = b.Withdraw(b.ctx(), b.staff, second, strings.Repeat("x", 501))
	b.wants(err, "too_long")
	_, err = b.Withdraw(b.ctx(), b.staff, second, "salah\x00 orang")
	b.must(err)
	_, err = b.Withdraw(b.ctx(), b.staff, second, "salah")
	b.wants(err, "already_withdrawn")
	row := b.row(m, "DOCUMENT", "KTP")
	if row.Newest().ID != first || len(row.Documents) != 2 || row.Documents[0].WithdrawnWhy != "salah orang" || row.Documents[0].Withdrawer != "Sari" {
		t.Errorf("%+v", row.Documents[0])
	}
	if content, _, err := b.read(first); err != nil || !bytes.Equal(content, photo("1")) {
		t.Error(err)
	}
	_, err = b.Withdraw(b.ctx(), b.staff, first, "juga salah")
	b.must(err)
	if onboarding.SlotState(b.row(m, "DOCUMENT", "KTP")) != "missing" {
		t.Error("the slot is not empty")
	}
	b.must(b.ArchiveMerchant(b.ctx(), b.staff, m))
	if _, err = b.Withdraw(b.ctx(), b.staff, first, "x"); !fault.Is(err, fault.Conflict) {
		t.Error(err)
	}
}

func TestBackoffStaysWithinFiveMinutes(t *testing.T) {
	t.Parallel()
	for n := range 100 {
		for range 20 {
			if d := onboarding.Backoff(n, 0); d <= 0 || d > 5*time.Minute || n > 9 && d < 4*time.Minute {
				t.Fatalf("%d: %v", n, d)
			}
		}
	}
}
