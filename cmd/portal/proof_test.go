package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/blob"
	"berkas/internal/config"
	"berkas/internal/pg"
	"berkas/internal/vault"
)

// kills is how often the portal is killed: the full proof, or a twentieth of it.
func kills() int {
	if os.Getenv("BERKAS_PROOF") == "full" {
		return 200
	}
	return 10
}

// Whatever moment the portal is killed at, an upload that was accepted is there once and reaches DOKU, and one that was
// not answered is there once or not at all.
func TestProofKillsDuringUploads(t *testing.T) {
	t.Parallel()
	e := home(t).with("LISTEN_ADDR", freePort(t))
	p, err := launch(e)
	if err == nil {
		err = p.up(startTime)
	}
	if err != nil {
		t.Fatal(err)
	}
	v := staff(t, p)
	var crowd []*uploader
	var posted atomic.Int64
	for i := range 6 {
		crowd = append(crowd, &uploader{visitor: v, merchant: v.newMerchant(t, fmt.Sprint("Warung Tahan ", i)), answers: map[string]int{}, posted: &posted})
	}
	ctx, stop := context.WithCancel(t.Context())
	var posting sync.WaitGroup
	for _, u := range crowd {
		posting.Go(func() { u.post(ctx) })
	}
	begin := time.Now()
	for n := range kills() {
		if before := posted.Load(); n%2 == 1 { // now and then something must have been accepted before
			_ = wait(settleTime, func() bool { return posted.Load() > before })
		}
		pause(time.Duration(mathrand.N(int64(900 * time.Millisecond))))
		p.kill()
		if p, err = launch(e); err == nil {
			err = p.up(startTime)
		}
		if err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
	}
	pause(200 * time.Millisecond)
	stop()
	posting.Wait()
	t.Logf("%d kills in %v", kills(), time.Since(begin).Round(time.Millisecond))
	settled(t, e, crowd)
	p.stop(t, syscall.SIGTERM)
	checkOriginals(t, e, crowd)
	noneLeft(t, e)
}

// pause lets others go on for a while.
func pause(d time.Duration) { <-time.After(d) }

// uploader posts one new photo after the other, and repeats one that got no answer.
type uploader struct {
	visitor  *visitor
	merchant string
	answers  map[string]int // by the photo's hash, the last status; 0: never answered
	posted   *atomic.Int64
	wrong    []string
}

func (u *uploader) post(ctx context.Context) {
	for ctx.Err() == nil {
		content := photo()
		sum := sha256.Sum256(content)
		hash := hex.EncodeToString(sum[:])
		u.answers[hash] = 0
		for again := false; ; again = true {
			a, err := u.visitor.upload(u.merchant, selfie, "photo.jpg", content)
			switch {
			case err != nil && ctx.Err() != nil:
				return
			case err != nil:
				pause(20 * time.Millisecond)
				continue
			case a.status == http.StatusSeeOther, a.status == http.StatusUnprocessableEntity && again && reason(a) == "duplicate_file":
				u.answers[hash] = http.StatusSeeOther
				u.posted.Add(1)
			default:
				u.answers[hash] = a.status
				if a.status < 500 {
					u.wrong = append(u.wrong, fmt.Sprintf("%d %s", a.status, reason(a)))
				}
			}
			break
		}
	}
}

// kept is one row of the documents table.
type kept struct {
	Sha256   []byte
	State    string
	FileID   string
	BlobRef  string
	DataKey  []byte
	Versions int
}

// documentRows reads a merchant's documents straight from the database.
func documentRows(t *testing.T, e env, merchant string) []kept {
	t.Helper()
	server, err := pg.Start(t.Context(), pg.Options{Dir: e["DATA_DIR"], Bin: os.Getenv("BERKAS_PG_BIN"), Mode: pg.Borrow})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	return documentRowsIn(t, server.DSN(), merchant)
}

func documentRowsIn(t *testing.T, dsn, merchant string) []kept {
	t.Helper()
	c, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	rows, err := c.Query(t.Context(), `select sha256, state, file_id, blob_ref, data_key, count(*) over (partition by file_id)::int versions
		from documents where '/merchants/' || merchant_id = $1`, merchant)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[kept])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// settled waits until everything reached DOKU, and holds it against the answers.
func settled(t *testing.T, e env, crowd []*uploader) {
	t.Helper()
	accepted, found := 0, 0
	for _, u := range crowd {
		var list []kept
		eventually(t, time.Minute, "everything reaches DOKU", func() bool {
			list = documentRows(t, e, u.merchant)
			return !slices.ContainsFunc(list, func(d kept) bool { return d.State != "delivered" })
		})
		there := map[string]int{}
		for _, d := range list {
			there[hex.EncodeToString(d.Sha256)]++
			if d.FileID == "" || d.Versions != 1 {
				t.Errorf("a document has the file id %q, as %d have", d.FileID, d.Versions)
			}
		}
		for hash, n := range there {
			if _, known := u.answers[hash]; !known || n != 1 {
				t.Errorf("%s… is there %d times, known %v", hash[:8], n, known)
			}
		}
		for hash, status := range u.answers {
			if status == http.StatusSeeOther {
				accepted++
				if there[hash] != 1 {
					t.Errorf("%s… was accepted and is there %d times", hash[:8], there[hash])
				}
			}
		}
		found += len(list)
		for _, what := range u.wrong {
			t.Errorf("an upload was answered %s", what)
		}
	}
	t.Logf("%d uploads accepted, %d there", accepted, found)
	if accepted < kills()/2 {
		t.Errorf("only %d uploads were accepted: that proves little", accepted)
	}
}

// checkOriginals opens every original with the key on the disk.
func checkOriginals(t *testing.T, e env, crowd []*uploader) {
	t.Helper()
	blobs := openBlobs(t, e)
	for _, u := range crowd {
		for _, d := range documentRows(t, e, u.merchant) {
			hash := sha256.New()
			r, err := blobs.Get(t.Context(), blob.Ref(d.BlobRef), d.DataKey)
			if err == nil {
				_, err = io.Copy(hash, r)
				err = errors.Join(err, r.Close())
			}
			if err != nil || !bytes.Equal(hash.Sum(nil), d.Sha256) {
				t.Errorf("an original is not what was uploaded: %v", err)
			}
		}
	}
}

func openBlobs(t *testing.T, e env) *blob.Store {
	t.Helper()
	key, err := config.EnsureKey(e["DATA_DIR"])
	if err != nil {
		t.Fatal(err)
	}
	v, err := vault.New(key)
	if err != nil {
		t.Fatal(err)
	}
	disk, err := blob.OpenDisk(filepath.Join(e["DATA_DIR"], "blobs"))
	if err != nil {
		t.Fatal(err)
	}
	s := blob.New(disk, v)
	t.Cleanup(func() { s.Close() })
	return s
}

// DOKU goes away while files come in, for longer than any one attempt, and comes back: everything reaches it, and nobody
// touched the portal.
func TestProofOutage(t *testing.T) {
	t.Parallel()
	doku := home(t).with("SIMULATOR_ADDR", freePort(t))
	simulator := start(t, doku, "simulate")
	e := home(t).with("DOKU_BASE_URL", simulator.url)
	p := start(t, e)
	v := staff(t, p)
	merchants := map[string][]byte{}
	for i := range 3 {
		merchants[v.newMerchant(t, fmt.Sprint("Warung Sabar ", i))] = photo()
	}
	first := slices.Sorted(maps.Keys(merchants))[0]
	v.mustUpload(t, first, premise, photo())
	v.delivered(t, first, premise, settleTime)

	simulator.kill()
	for merchant, content := range merchants {
		v.mustUpload(t, merchant, selfie, content)
		if state, _, _, err := v.slot(merchant, selfie); err != nil || state != "waiting" && state != "sending" {
			t.Errorf("without DOKU a file is %s: %v", state, err)
		}
	}
	p.kill() // and the portal too, once
	p = start(t, e)
	v.base = p.url
	if a := v.get(t, "/readyz"); a.status != http.StatusOK {
		t.Errorf("without DOKU the portal is not ready: %d", a.status)
	}
	oneDayLater(t, e, slices.Collect(maps.Keys(merchants)))

	start(t, doku, "simulate")
	begin := time.Now()
	for merchant, content := range merchants {
		opens(t, v, v.delivered(t, merchant, selfie, settleTime), content, "doku")
	}
	t.Logf("everything was at DOKU %v after it came back", time.Since(begin).Round(time.Millisecond))
	if took := time.Since(begin); took > settleTime {
		t.Errorf("it took %v", took)
	}
}

// oneDayLater makes the next attempts as late as they are after a day of failures.
func oneDayLater(t *testing.T, e env, merchants []string) {
	t.Helper()
	server, err := pg.Start(t.Context(), pg.Options{Dir: e["DATA_DIR"], Bin: os.Getenv("BERKAS_PG_BIN"), Mode: pg.Borrow})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	eventually(t, 2*settleTime, "a failed attempt", func() bool {
		c, err := pgx.Connect(t.Context(), server.DSN())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close(t.Context())
		done, err := c.Exec(t.Context(), `update documents set attempts = 300, next_attempt_at = now() + interval '5 minutes'
			where state = 'waiting' and attempts > 0 and '/merchants/' || merchant_id = any($1) and exists (select from doku_health where down_since is not null)`, merchants)
		if err != nil {
			t.Fatal(err)
		}
		return done.RowsAffected() == int64(len(merchants))
	})
	execute(t, server.OwnerDSN(), `update doku_health set down_since = now() - interval '1 day'`)
}
