package main

import (
	"context"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/pg"
)

// Whatever moment the portal is killed at while it registers merchants: each that was asked for becomes exactly one business at
// DOKU, the one it is known as here, and none stays without an answer.
func TestProofKillsDuringRegistrations(t *testing.T) {
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
	v := staff(t, p)
	merchants := complete(t, e, v, 3*registrationKills())
	slow := `{"call":"business","kind":"delay","delay":"400ms"}`
	if a, err := v.send("POST", simulator.url+"/_simulator/faults", "application/json", strings.NewReader(slow)); err != nil || a.status != http.StatusOK {
		t.Fatalf("the simulator is not slowed: %d %v", a.status, err)
	}
	ctx, stop := context.WithCancel(t.Context())
	asked := make(chan []string)
	go func() { asked <- register(ctx, v, merchants) }()
	for n := range registrationKills() {
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
	onceEach(t, e, v, simulator.url, <-asked)
}

// registrationKills is how often the portal is killed while it registers: as in the other proof when it is full.
func registrationKills() int {
	if os.Getenv("BERKAS_PROOF") == "full" {
		return kills()
	}
	return 4
}

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

// register asks for one merchant after the other to be registered, until ctx ends, and returns those that were promised to be.
func register(ctx context.Context, v *visitor, merchants []string) (asked []string) {
	for _, merchant := range merchants {
		pause(time.Duration(mathrand.N(int64(100 * time.Millisecond))))
		for ctx.Err() == nil {
			a, err := v.ask("POST", merchant+"/register", nil)
			if err == nil && (a.status == http.StatusSeeOther && a.header.Get("Location") == merchant || a.status == http.StatusConflict) {
				asked = append(asked, merchant)
				break
			}
			pause(20 * time.Millisecond)
		}
	}
	return asked
}

// onceEach waits until all that was asked for is settled, and holds it against what DOKU has.
func onceEach(t *testing.T, e env, v *visitor, simulator string, asked []string) {
	t.Helper()
	eventually(t, 5*time.Minute, "everything is registered", func() (done bool) {
		inDatabase(t, e, func(c *pgx.Conn) {
			err := c.QueryRow(t.Context(), `select not exists (select from submissions where outcome <> 'registered') and count(*) >= $1 from merchants where registration = 'registered'`, len(asked)).Scan(&done)
			if err != nil {
				t.Fatal(err)
			}
		})
		return done
	})
	a, err := v.send("GET", simulator+"/_simulator/businesses", "", nil)
	var there []struct{ ID, Name string }
	if err == nil {
		err = json.Unmarshal(a.body, &there)
	}
	if err != nil {
		t.Fatal(err)
	}
	here := map[string]string{}
	replayed := 0
	inDatabase(t, e, func(c *pgx.Conn) {
		rows, err := c.Query(t.Context(), `select name, business_id from merchants where registration = 'registered'`)
		if err != nil {
			t.Fatal(err)
		}
		var name, id string
		if _, err := pgx.ForEachRow(rows, []any{&name, &id}, func() error { here[name] = id; return nil }); err != nil {
			t.Fatal(err)
		}
		if err := c.QueryRow(t.Context(), `select count(*) from submissions where attempts > 1`).Scan(&replayed); err != nil {
			t.Fatal(err)
		}
	})
	if len(there) != len(here) || len(here) < len(asked) {
		t.Errorf("%d businesses at DOKU, %d here, %d asked for", len(there), len(here), len(asked))
	}
	for _, b := range there {
		if here[b.Name] != b.ID {
			t.Errorf("%s is %s at DOKU and %q here", b.Name, b.ID, here[b.Name])
		}
	}
	t.Logf("%d registrations, %d of them sent more than once", len(there), replayed)
	if len(asked) < registrationKills()/2 {
		t.Errorf("only %d were asked for: that proves little", len(asked))
	}
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
