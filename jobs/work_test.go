package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http/httptest"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/auth"
	"berkas/internal/blob"
	"berkas/internal/paper"
	"berkas/internal/pg"
	"berkas/internal/testdb"
	"berkas/internal/vault"
	"berkas/jobs"
	"berkas/models"
	"berkas/onboarding"
)

// bundle is a business with a real queue and a DOKU.
type bundle struct {
	*testing.T
	*onboarding.Service
	db      *pg.DB
	store   *models.Store
	sim     *dokusim.Simulator
	workers *jobs.Workers
	staff   models.Actor
}

func setup(t *testing.T) *bundle {
	t.Helper()
	t.Parallel()
	b := &bundle{T: t, db: testdb.New(t)}
	partner := dokusim.Partner{ClientID: "BRN-0001-1700000000000", SecretKey: "SK-OwnTestVector-0001"}
	var err error
	b.sim, err = dokusim.New(dokusim.Options{Partners: []dokusim.Partner{partner}})
	b.must(err)
	server := httptest.NewServer(b.sim)
	t.Cleanup(func() { b.sim.ClearFaults(); server.Close(); b.sim.Close() })
	v, err := vault.New(bytes.Repeat([]byte{3}, vault.KeySize))
	b.must(err)
	disk, err := blob.OpenDisk(t.TempDir())
	b.must(err)
	blobs := blob.New(disk, v)
	t.Cleanup(func() { blobs.Close() })
	papers, err := paper.NewInspector(paper.Options{})
	b.must(err)
	b.store = models.NewStore(b.db.Gorm, time.Now)
	log := slog.New(slog.DiscardHandler)
	health := onboarding.NewHealth(b.store, time.Now, log)
	client, err := doku.New(doku.Options{BaseURL: server.URL, SimulatorLinks: server.URL, ClientID: partner.ClientID, SecretKey: partner.SecretKey, Observe: health.Observe})
	b.must(err)
	inserter, err := jobs.NewInserter(b.db.Pool)
	b.must(err)
	b.Service = onboarding.New(onboarding.Parts{Store: b.store, DOKU: client, Blobs: blobs, Vault: v, Papers: papers, Queue: jobs.NewQueue(inserter),
		Watch: models.NewWatch(), Health: health, Now: time.Now, Log: log})
	b.workers, err = jobs.NewWorkers(b.db.Pool, b.Service, log)
	b.must(err)
	id, err := auth.NewGate(b.store, time.Now).AddPerson(t.Context(), models.CLI, auth.NewPerson{Email: "staff@berkas.test", Name: "Sari", Role: models.RoleStaff, Password: "x", Demo: true})
	b.must(err)
	b.staff = models.Actor{Kind: models.ActorUser, Person: id, Role: models.RoleStaff}
	return b
}

func (b *bundle) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) upload() models.DocumentID {
	b.Helper()
	m, err := b.CreateMerchant(b.Context(), b.staff, onboarding.MerchantForm{"name": "Warung", "business_type": "PERSONAL", "legal_entity": "PERSEORANGAN", "business_line": "RETAIL", "nationality": "ID"}, true)
	b.must(err)
	var photo bytes.Buffer
	b.must(jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 40, 40)), nil))
	done, err := b.Upload(b.Context(), b.staff, onboarding.UploadInput{Merchant: m, Category: "DOCUMENT", Code: "KTP", FileName: "ktp.jpg", Body: &photo})
	b.must(err)
	return done.Document
}

// work runs the workers until the test, or the returned function, ends them.
func (b *bundle) work() (stop func() error) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- b.workers.Run(ctx, 5*time.Second) }()
	ended := false
	stop = func() error {
		cancel()
		if ended {
			return nil
		}
		ended = true
		return <-done
	}
	b.Cleanup(func() { _ = stop() })
	return stop
}

func (b *bundle) until(what string, ready func() bool) {
	b.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for range 6000 {
		if ready() {
			return
		}
		<-tick.C
	}
	b.Fatal(what)
}

func (b *bundle) state(id models.DocumentID) models.DeliveryState {
	d, err := b.store.Document(b.Context(), id)
	b.must(err)
	return d.State
}

func (b *bundle) count(sql string, args ...any) (n int) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.Context(), sql, args...).Scan(&n))
	return n
}

func TestAJobGoesWithItsTransaction(t *testing.T) {
	b := setup(t)
	boom := errors.New("boom")
	for _, end := range []error{boom, nil} {
		err := b.store.Write(b.Context(), b.staff, func(tx *models.Tx) error {
			tx.Audit(models.SessionEnded, models.Somewhere("session"))
			for _, insert := range []func() error{
				func() error { return b.Queue.SendDocument(b.Context(), tx, 7) },
				func() error { return b.Queue.CheckOriginal(b.Context(), tx, 7) },
				func() error { return b.Queue.ReadRequirements(b.Context(), tx, 7) },
				func() error { return b.Queue.MakeEvidence(b.Context(), tx, 7) },
				func() error { return b.Queue.SendSubmission(b.Context(), tx, 7, time.Now()) },
				func() error { return b.Queue.WorkCallback(b.Context(), tx, 7) },
			} {
				if err := insert(); err != nil {
					return err
				}
			}
			return end
		})
		want := map[bool]int{true: 0, false: 6}[end != nil]
		if !errors.Is(err, end) || b.count("select count(*) from river_job") != want || b.count("select count(*) from audit where action = 'session.ended'") != want/6 {
			t.Errorf("%v: not %d jobs", err, want)
		}
	}
	if b.count(`select count(*) from river_job where kind = 'document.send' and queue = 'documents' and args = '{"document": 7}' and max_attempts = 1000`) != 1 {
		t.Error("the job is another")
	}
}

func TestAnUploadReachesDOKU(t *testing.T) {
	b := setup(t)
	b.must(b.sim.AddFault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 503, Times: 1}))
	stop := b.work()
	id := b.upload()
	b.until("it never arrives", func() bool { return b.state(id) == models.Delivered })
	b.until("the job does not end", func() bool {
		return b.count("select count(*) from river_job where kind = 'document.send' and state <> 'completed'") == 0
	})
	if n := b.count("select max(attempt) from river_job where kind = 'document.send'"); n > 1 {
		t.Errorf("the outage used %d tries up", n)
	}
	b.must(b.workers.Check(b.Context()))
	b.must(stop())
}

func TestWhatWasLeftBehindIsSwept(t *testing.T) {
	b := setup(t)
	id := b.upload()
	_, err := b.db.Pool.Exec(b.Context(), "delete from river_job")
	b.must(err)
	_, err = b.db.Pool.Exec(b.Context(), "update documents set next_attempt_at = now() - interval '1 minute'")
	b.must(err)
	stop := b.work()
	b.until("nobody sweeps", func() bool { return b.state(id) == models.Delivered })
	b.must(stop())
}

func TestStoppingGivesADeliveryBack(t *testing.T) {
	b := setup(t)
	b.must(b.sim.AddFault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultHold}))
	id := b.upload()
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error, 1)
	go func() { done <- b.workers.Run(ctx, 100*time.Millisecond) }()
	b.until("nothing is sent", func() bool { return b.sim.Requests()[doku.CallUpload] > 0 })
	cancel()
	<-done
	if s := b.state(id); s != models.Waiting {
		t.Errorf("it stays %s", s)
	}
}

func TestEvidenceIsMade(t *testing.T) {
	b := setup(t)
	d, err := b.store.Document(b.Context(), b.upload())
	b.must(err)
	stop := b.work()
	id, err := b.AskEvidence(b.Context(), b.staff, d.MerchantID, "id")
	b.must(err)
	b.until("it is never made", func() bool {
		bundle, err := b.store.Bundle(b.Context(), id)
		b.must(err)
		return bundle.State == models.BundleReady
	})
	b.until("the job does not end", func() bool {
		return b.count("select count(*) from river_job where kind = 'evidence.make' and state = 'completed'") == 1
	})
	b.must(stop())
}
