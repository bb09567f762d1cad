package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/doku"
	"berkas/internal/pg"
)

// Whatever moment the portal is killed at while it registers merchants and DOKU calls back about them: each that was asked for
// becomes exactly one business at DOKU, the one it is known as here and standing as it does there; no submission stays without an
// answer, and no callback that was taken unworked.
func TestProofKillsDuringRegistrationsAndCallbacks(t *testing.T) {
	t.Parallel()
	simulator := start(t, home(t).with("SIMULATOR_ADDR", freePort(t), "SIMULATOR_CONTROL", "on"), "simulate")
	e := home(t).with("LISTEN_ADDR", freePort(t), "DOKU_BASE_URL", simulator.url)
	p, err := launch(e)
	if err == nil {
		err = p.up(startTime)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t, syscall.SIGTERM) }) // the last one
	v := staff(t, p)
	merchants := complete(t, e, v, 3*registrationKills())
	d := verifier{visitor: v, simulator: simulator.url + "/_simulator/"}
	for call, delay := range map[string]string{doku.CallBusiness: "400ms", doku.CallData: "100ms"} {
		if err := d.call("POST", "faults", map[string]any{"call": call, "kind": "delay", "delay": delay}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	var asked atomic.Int64
	called := make(chan error)
	var registering sync.WaitGroup
	registering.Go(func() { register(ctx, v, merchants, &asked) })
	go func() { called <- d.decide(ctx) }()
	few := func() bool { return asked.Load() < enough() || d.sent.Load() < enough() }
	for n := 0; n < registrationKills() || few() && n < 10*registrationKills(); n++ { // a slow machine does little between two kills
		pause(time.Duration(mathrand.N(int64(600 * time.Millisecond))))
		p.kill()
		if p, err = launch(e); err == nil {
			err = p.up(startTime)
		}
		if err != nil {
			t.Fatalf("after kill %d: %v", n+1, err)
		}
	}
	stop()
	registering.Wait()
	if err := <-called; err != nil {
		t.Fatal(err)
	}
	onceEach(t, e, &d, int(asked.Load()))
}

// registrationKills is how often the portal is killed while it registers: as in the other proof when it is full.
func registrationKills() int {
	if os.Getenv("BERKAS_PROOF") == "full" {
		return kills()
	}
	return 4
}

// enough is how many registrations and how many callbacks at least there must have been for the kills to prove something.
func enough() int64 { return int64(registrationKills() / 2) }

// complete makes merchants of which nothing is missing: their documents are those of the first one.
func complete(t *testing.T, e env, v *visitor, n int) (merchants []string) {
	t.Helper()
	for i := range n + 1 {
		a := v.must(t, "POST", "/merchants", url.Values{"name": {fmt.Sprint("Warung Sekali ", i)}, "business_type": {"PERSONAL"}, "legal_entity": {"PERSEORANGAN"},
			"business_line": {"RETAIL"}, "nationality": {"ID"}, "email": {"sekali@contoh.id"}, "phone_number": {"081234567890"}, "owner_name": {"Sari"}, "confirm": {"yes"},
			"address_area": {"17133 - Kali Baru - Medan Satria - Bekasi - Jawa Barat"}, "address_street": {"Jalan Contoh 1"}})
		if a.status != http.StatusSeeOther {
			t.Fatalf("a merchant was answered %d:\n%s", a.status, a.body)
		}
		merchant := path.Clean(a.header.Get("Location"))
		eventually(t, settleTime, "the checklist", func() bool { return v.get(t, merchant).page().Find("[data-checklist=ready]").Length() == 1 })
		slot := strings.TrimPrefix(v.get(t, merchant).page().Find("[data-code=KTP]").AttrOr("id", ""), "slot-")
		if a := v.must(t, "POST", merchant+"/slots/"+slot+"/fields", url.Values{"form_NO_KTP": {nik}}); a.status != http.StatusSeeOther {
			t.Fatalf("the NIK was answered %d", a.status)
		}
		merchants = append(merchants, merchant)
	}
	for _, p := range []place{ktp, premise, selfie} {
		v.mustUpload(t, merchants[0], p, photo())
		v.delivered(t, merchants[0], p, settleTime)
	}
	inDatabase(t, e, func(c *pgx.Conn) {
		for _, sql := range []string{
			`insert into documents (uid, merchant_id, slot_id, version, category, code, state, content_type, size, sha256, blob_ref, data_key, file_id, uploaded_by, uploaded_at, delivered_at, review, decided_at)
				select gen_random_uuid(), s.merchant_id, s.id, 1, d.category, d.code, 'delivered', d.content_type, d.size, d.sha256, d.blob_ref, d.data_key, d.file_id, d.uploaded_by, now(), now(), 'approved', now()
				from documents d join slots o on o.document_id = d.id join slots s on (s.owner_path, s.category, s.code) = (o.owner_path, o.category, o.code) and s.document_id is null`,
			`update slots s set document_id = d.id from documents d where d.slot_id = s.id and s.document_id is null`,
		} {
			if _, err := c.Exec(t.Context(), sql); err != nil {
				t.Fatal(err)
			}
		}
	})
	return merchants[1:]
}

// register asks for one merchant after the other to be registered, until ctx ends, and counts those that were promised to be.
func register(ctx context.Context, v *visitor, merchants []string, asked *atomic.Int64) {
	for _, merchant := range merchants {
		pause(time.Duration(mathrand.N(int64(100 * time.Millisecond))))
		for ctx.Err() == nil {
			a, err := v.ask("POST", merchant+"/register", nil)
			if err == nil && (a.status == http.StatusSeeOther && a.header.Get("Location") == merchant || a.status == http.StatusConflict) {
				asked.Add(1)
				break
			}
			pause(20 * time.Millisecond)
		}
	}
}

// verifier decides at DOKU about businesses, and calls back until that is taken.
type verifier struct {
	visitor   *visitor
	simulator string // the address of its control interface
	open      []map[string]any
	sent      atomic.Int64 // callbacks, each counted once
	again     int          // those that were not taken at once
}

// business is one at DOKU.
type business struct{ ID, Name, Status string }

// call uses the control interface; of an answer other than 200 it is an error.
func (d *verifier) call(method, where string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	a, err := d.visitor.send(method, d.simulator+where, "application/json", bytes.NewReader(body))
	switch {
	case err != nil:
		return err
	case a.status != http.StatusOK:
		return fmt.Errorf("the simulator answered %d: %s", a.status, a.body)
	case out == nil:
		return nil
	}
	return json.Unmarshal(a.body, out)
}

// decide changes how businesses stand, one after the other, and calls back about each: once, twice or forged, with the truth or
// with something that is not true any more. What is not taken comes again under its Request-Id, in any order, until it is.
func (d *verifier) decide(ctx context.Context) error {
	for ctx.Err() == nil {
		pause(time.Duration(mathrand.N(int64(60 * time.Millisecond))))
		var there []business
		if err := d.call("GET", "businesses", nil, &there); err != nil {
			return err
		}
		if len(there) == 0 {
			continue
		}
		b := there[mathrand.N(len(there))]
		if err := d.call("PUT", "businesses/"+b.ID, map[string]any{"status": statuses[mathrand.N(len(statuses))], "rejection_reason": "Foto KTP buram"}, nil); err != nil {
			return err
		}
		note := map[string]any{"business": b.ID, "status": append(statuses, "")[mathrand.N(len(statuses)+1)], "request_id": doku.NewRequestID(), "times": 1 + mathrand.N(3)}
		if d.open = append(d.open, note); d.sent.Add(1)%10 == 1 {
			d.open = append(d.open, map[string]any{"business": b.ID, "status": "ACTIVE", "forged": true})
		}
		if err := d.callBack(); err != nil {
			return err
		}
		d.again += len(d.open)
	}
	for len(d.open) > 0 {
		if err := d.callBack(); err != nil {
			return err
		}
		pause(50 * time.Millisecond)
	}
	return nil
}

var statuses = []string{"UPDATING", "ON_PROCESS", "ACTIVE", "SUSPENDED", "REJECTED"}

// callBack tries each callback that is open once, and keeps those that were not answered; a forged one must be refused.
func (d *verifier) callBack() error {
	mathrand.Shuffle(len(d.open), func(i, j int) { d.open[i], d.open[j] = d.open[j], d.open[i] })
	var open []map[string]any
	for _, note := range d.open {
		var got struct{ Answers []int }
		if err := d.call("POST", "callbacks", note, &got); err != nil {
			return err
		}
		want := http.StatusOK
		if note["forged"] == true {
			want = http.StatusUnauthorized
		}
		for _, status := range got.Answers {
			if status != want && status != 0 && status < http.StatusInternalServerError {
				return fmt.Errorf("a callback was answered %d: %v", status, note)
			}
		}
		if !slices.Contains(got.Answers, want) {
			open = append(open, note)
		}
	}
	d.open = open
	return nil
}

// onceEach waits until all that was asked for is settled as it is at DOKU, and all that was called back is worked.
func onceEach(t *testing.T, e env, d *verifier, asked int) {
	t.Helper()
	var there []business
	var wrong []string
	if err := wait(5*time.Minute, func() bool {
		if err := d.call("GET", "businesses", nil, &there); err != nil { // one more may come of what is settled yet
			t.Fatal(err)
		}
		inDatabase(t, e, func(c *pgx.Conn) { wrong = unlike(t, c, there, asked) })
		return len(wrong) == 0
	}); err != nil {
		t.Error(strings.Join(wrong, "\n"))
	}
	replayed, kept := 0, 0
	inDatabase(t, e, func(c *pgx.Conn) {
		if err := c.QueryRow(t.Context(), `select (select count(*) from submissions where attempts > 1), (select count(*) from callbacks)`).Scan(&replayed, &kept); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d registrations, %d of them sent more than once; %d callbacks, %d waits for the portal", len(there), replayed, kept, d.again)
	if sent := int(d.sent.Load()); kept != sent {
		t.Errorf("%d callbacks are kept of %d", kept, sent)
	}
	if least := int(enough()); asked < least || kept < least {
		t.Errorf("only %d were asked for, and %d callbacks came: that proves little", asked, kept)
	}
}

// unlike is what is not here as it is at DOKU, or is not done yet.
func unlike(t *testing.T, c *pgx.Conn, there []business, asked int) (wrong []string) {
	t.Helper()
	here := map[string]business{}
	rows, err := c.Query(t.Context(), `select name, business_id, business_status, registration from merchants where registration <> ''`)
	if err != nil {
		t.Fatal(err)
	}
	var b business
	var stands string
	if _, err := pgx.ForEachRow(rows, []any{&b.Name, &b.ID, &b.Status, &stands}, func() error {
		want := "registered"
		if b.Status == "REJECTED" {
			want = "rejected"
		}
		if here[b.Name] = b; stands != want {
			wrong = append(wrong, fmt.Sprintf("%s is %s, its submission %s", b.Name, b.Status, stands))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(there) != len(here) || len(here) < asked {
		wrong = append(wrong, fmt.Sprintf("%d businesses at DOKU, %d here, %d asked for", len(there), len(here), asked))
	}
	for _, b := range there {
		if here[b.Name] != b {
			wrong = append(wrong, fmt.Sprintf("%v at DOKU is %v here", b, here[b.Name]))
		}
	}
	waiting := 0
	if err := c.QueryRow(t.Context(), `select count(*) from callbacks where worked_at is null`).Scan(&waiting); err != nil {
		t.Fatal(err)
	}
	if waiting > 0 {
		wrong = append(wrong, fmt.Sprintf("%d callbacks are not worked", waiting))
	}
	return wrong
}

// inDatabase lends a connection to the portal's own PostgreSQL.
func inDatabase(t *testing.T, e env, use func(*pgx.Conn)) {
	t.Helper()
	server, err := pg.Start(t.Context(), pg.Options{Dir: e["DATA_DIR"], Bin: os.Getenv("BERKAS_PG_BIN"), Mode: pg.Borrow})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	c, err := pgx.Connect(t.Context(), server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(t.Context())
	use(c)
}
