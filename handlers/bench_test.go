package handlers

import (
	"bytes"
	"context"
	"encoding/base64"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
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

const password = "kata sandi panjang"

// bench is the whole portal but for main: a database of its own, the simulator on a real port, River's workers, the web.
type bench struct {
	*testing.T
	web   *handler
	store *models.Store
	db    *pg.DB
	sim   *dokusim.Simulator
	clock *clock
	log   *logs
	url   string // of the portal
	owner string // connection string of the database's owner

	endWork func() // stops the workers, once
}

// setup starts a portal and ends it with the test. Each change alters the web's parts before it starts.
func setup(t *testing.T, changes ...func(*handler)) *bench {
	t.Helper()
	d := testdb.Create(t)
	b := &bench{T: t, clock: &clock{}, log: &logs{}, owner: d.OwnerDSN}
	log := slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	b.db, err = pg.Open(t.Context(), d.DSN, pg.PoolOptions{MaxConns: 8, Slow: 1, Log: slog.New(counting{})})
	b.must(err)
	t.Cleanup(b.db.Close)
	b.store = models.NewStore(b.db.Gorm, b.clock.now)

	b.sim, err = dokusim.New(dokusim.Options{Partners: []dokusim.Partner{{ClientID: "BRN-0001", SecretKey: "SK-secret"}}, Now: b.clock.now})
	b.must(err)
	t.Cleanup(func() { b.sim.Close() })
	simulator := httptest.NewServer(b.sim)
	t.Cleanup(simulator.Close)
	b.sim.SetBaseURL(simulator.URL)

	service, workers, blobs := b.wire(simulator.URL, log)
	b.web = &handler{slow: slowTime, Parts: Parts{Reader: b.store.Reader, Watch: service.Watch, Service: service, Gate: auth.NewGate(b.store, b.clock.now),
		Ready: func(ctx context.Context) error {
			if err := b.store.Ping(ctx); err != nil {
				return err
			}
			if err := workers.Check(ctx); err != nil {
				return err
			}
			return blobs.Check(ctx)
		},
		PublicURL: &url.URL{Scheme: "http", Host: "portal.test"}, Demo: true, Simulator: true, Now: b.clock.now, Log: log}}
	for _, change := range changes {
		change(b.web)
	}
	b.addPeople()
	b.serve()
	return b
}

// wire makes the service and its workers as cmd/portal does.
func (b *bench) wire(simulator string, log *slog.Logger) (*onboarding.Service, *jobs.Workers, *blob.Store) {
	v, err := vault.New(bytes.Repeat([]byte{7}, 32))
	b.must(err)
	disk, err := blob.OpenDisk(b.TempDir())
	b.must(err)
	blobs := blob.New(disk, v)
	b.Cleanup(func() { blobs.Close() })
	papers, err := inspector()
	b.must(err)
	health := onboarding.NewHealth(b.store, b.clock.now, log)
	client, err := doku.New(doku.Options{BaseURL: simulator, ClientID: "BRN-0001", SecretKey: "SK-secret", SimulatorLinks: simulator, Log: log, Now: b.clock.now, Observe: health.Observe})
	b.must(err)
	inserter, err := jobs.NewInserter(b.db.Pool)
	b.must(err)
	watch := models.NewWatch()
	service := onboarding.New(onboarding.Parts{Store: b.store, DOKU: client, Blobs: blobs, Vault: v, Papers: papers, Queue: jobs.NewQueue(inserter),
		Watch: watch, Health: health, Now: b.clock.now, Log: log})
	workers, err := jobs.NewWorkers(b.db.Pool, service, slog.New(slog.DiscardHandler))
	b.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { watch.Run(ctx, b.db.Pool) })
	running.Go(func() { _ = workers.Run(ctx, 5*time.Second) })
	b.endWork = sync.OnceFunc(func() { cancel(); b.sim.ClearFaults(); running.Wait() })
	b.Cleanup(b.endWork)
	return service, workers, blobs
}

func (b *bench) serve() {
	web := b.web.web()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := &atomic.Int32{}
		counters.Store(r.Header.Get("Test-Request"), n)
		web.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), counterKey{}, n)))
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.NewTextHandler(b.log, nil), slog.LevelError)
	server.Start()
	b.url = server.URL
	b.Cleanup(server.Close)
	b.Cleanup(func() { b.noLinks("the log", b.log.String()) })
}

// The people of a bench, by their role: role@berkas.test.
func (b *bench) addPeople() {
	hash, err := passwordHash()
	b.must(err)
	b.must(b.store.Write(b.Context(), models.System, func(tx *models.Tx) error {
		for i, role := range append(models.Roles, models.RoleStaff) { // the last is a spare one, number 5
			p := &models.Person{Email: string(role) + "@berkas.test", Name: "Orang " + string(role), Role: role, PasswordHash: hash, Demo: true}
			if i == len(models.Roles) {
				p.Email = "spare@berkas.test"
			}
			if err := tx.AddPerson(p); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (b *bench) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// noLinks looks for what must never leave the server: a link to DOKU's storage.
func (b *bench) noLinks(where, text string) {
	b.Helper()
	for _, secret := range []string{"/sim/oss", "Signature=", "OSSAccessKeyId"} {
		if i := strings.Index(text, secret); i >= 0 {
			b.Errorf("%s has a link: …%s…", where, text[max(0, i-100):min(len(text), i+50)])
		}
	}
}

// await waits for something that other goroutines do.
func (b *bench) await(what string, done func() bool) {
	b.Helper()
	deadline := time.Now().Add(time.Minute)
	for !done() {
		if time.Now().After(deadline) {
			b.Fatalf("waited in vain for %s\n%s", what, b.log.errors())
		}
		<-time.After(10 * time.Millisecond)
	}
}

var (
	passwordHash = sync.OnceValues(func() (string, error) { return auth.HashPassword(context.Background(), password) })

	// inspector is one for all tests, with pdfium compiled once for all runs.
	inspector = sync.OnceValues(func() (*paper.Inspector, error) {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, err
		}
		return paper.NewInspector(paper.Options{CacheDir: filepath.Join(cache, "berkas-test", "pdfium")})
	})
)

// clock is real time and what a test adds to it.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) advance(d time.Duration) { c.ahead.Add(int64(d)) }

// logs is a log that can be read.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// errors are the last lines of the log that complain.
func (l *logs) errors() string {
	var lines []string
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "level=ERROR") || strings.Contains(line, "level=WARN") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-5):], "")
}

// counting is the pool's log, in which every statement counts as slow: it counts those of each request.
type counting struct{}

type counterKey struct{}

var counters sync.Map // the requests' counters, by the header Test-Request

func (counting) Enabled(context.Context, slog.Level) bool { return true }
func (c counting) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c counting) WithGroup(string) slog.Handler          { return c }
func (counting) Handle(ctx context.Context, r slog.Record) error {
	n, ok := ctx.Value(counterKey{}).(*atomic.Int32)
	if !ok {
		return nil
	}
	r.Attrs(func(a slog.Attr) bool {
		sql := a.Value.String()
		if a.Key == "sql" && sql != "begin" && sql != "commit" && sql != "rollback" {
			n.Add(1)
		}
		return true
	})
	return nil
}

// photo is a JPEG no other has: noise over a plain ground.
func photo(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture(320, 200), nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func pngPhoto(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, picture(64, 40)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func picture(w, h int) image.Image {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.SetGray(x, y, color.Gray{uint8(120 + rand.IntN(80))})
		}
	}
	return m
}

// onePage is the smallest PDF that has a page.
func onePage(t testing.TB) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString("JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCjIgMCBvYmo8PC9UeXBlL1BhZ2VzL0tpZHNbMyAwIFJdL0NvdW50IDE+PmVuZG9iagozIDAgb2JqPDwvVHlwZS9QYWdlL1BhcmVudCAyIDAgUi9NZWRpYUJveFswIDAgMjAwIDIwMF0+PmVuZG9iagp4cmVmCjAgNAowMDAwMDAwMDAwIDY1NTM1IGYgCjAwMDAwMDAwMDkgMDAwMDAgbiAKMDAwMDAwMDA1MiAwMDAwMCBuIAowMDAwMDAwMTAxIDAwMDAwIG4gCnRyYWlsZXI8PC9TaXplIDQvUm9vdCAxIDAgUj4+CnN0YXJ0eHJlZgoxNjMKJSVFT0YK")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
