package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"berkas/internal/pg"
)

const portfolio = 10_000

// The merchants' pages of a large portfolio.
func measurePages(b *testing.B, t *table) {
	const spell = 3 * time.Second
	e := home(b)
	p := start(b, e)
	v := benchStaff(b, p)
	v.client.Transport.(*http.Transport).MaxIdleConnsPerHost = 50
	merchant := v.newMerchant(b, "Warung Pertama")
	fillPortfolio(b, e)
	for _, page := range []struct{ name, path string }{
		{"merchants list", "/merchants"},
		{"its search", "/merchants?q=warung+9"},
		{"a merchant's page", merchant},
		{"a merchant's page with 500 versions of a document", fmt.Sprint("/merchants/", portfolio/2)},
	} {
		for _, connections := range []int{1, 50} {
			ask := func(path string) func(int) error { return func(int) error { return v.shown(path) } }
			crowd(b, connections, rounds(1), ask(page.path))
			var pages, probe pace
			took := pages.run(b, connections, spell, ask(page.path))
			reference := probe.run(b, connections, spell/2, ask("/healthz"))
			t.add(fmt.Sprintf("%s, 10,000 merchants, %s", page.name, connectionsText(connections)), fmt.Sprintf("%s pages/s, %s", figure(pages.perSecond()), took),
				fmt.Sprintf("/healthz: %s/s, %s", figure(probe.perSecond()), reference), figure(pages.perSecond()/probe.perSecond())+" ×")
		}
	}
}

func connectionsText(n int) string {
	if n == 1 {
		return "1 connection"
	}
	return fmt.Sprint(n, " connections")
}

// shown asks for a page and reads it to its end.
func (v *visitor) shown(path string) error {
	got, err := v.client.Get(v.base + path)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	if _, err = io.Copy(io.Discard, got.Body); err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s was answered %d", path, got.StatusCode)
	}
	return err
}

// fillPortfolio makes merchants like the first, each with its places, most of them with a document at DOKU, and one of
// them with very many versions.
func fillPortfolio(b *testing.B, e env) {
	b.Helper()
	for _, sql := range []string{
		`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id, set_id, responsible_id, progress_state, next_actor, updated_at, due_on)
			select gen_random_uuid(), 'Warung ' || i, 'warung ' || i, m.business_type, m.legal_entity, m.business_line, m.nationality, m.combination_id, m.set_id,
				(select min(id) from people), (array['todo','waiting','refused','failed','complete'])[1 + i % 5], (array['staff','doku','staff','staff','reviewer'])[1 + i % 5],
				now() - i * interval '1 minute', current_date + i % 60
			from generate_series(2, ` + fmt.Sprint(portfolio) + `) i, merchants m where m.id = 1`,
		`insert into slots (merchant_id, owner_path, category, code, ordinal, position, requirement_id)
			select m.id, s.owner_path, s.category, s.code, s.ordinal, s.position, s.requirement_id from merchants m, slots s where s.merchant_id = 1 and m.id <> 1`,
		`insert into documents (uid, merchant_id, slot_id, version, category, code, state, file_name, content_type, size, file_id, blob_ref, uploaded_at, delivered_at)
			select gen_random_uuid(), s.merchant_id, s.id, v, s.category, s.code, 'delivered', 'foto.jpg', 'image/jpeg', 2000000, 'DCM-' || s.id || '-' || v, 'b' || s.id || '-' || v, now(), now()
			from slots s, generate_series(1, case s.merchant_id when ` + fmt.Sprint(portfolio/2) + ` then 500 else 2 end) v where s.merchant_id <> 1 and s.id % 3 > 0`,
		`update slots s set document_id = d.newest from (select slot_id, max(id) as newest from documents group by slot_id) d where d.slot_id = s.id`,
		`vacuum analyze`,
	} {
		ownerExec(b, e, sql)
	}
}

// ownerExec does something in the database of a running portal, as its owner.
func ownerExec(b *testing.B, e env, sql string) {
	b.Helper()
	server, err := pg.Start(b.Context(), pg.Options{Dir: e["DATA_DIR"], Bin: os.Getenv("BERKAS_PG_BIN"), Mode: pg.Borrow})
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	owner, err := pgx.Connect(b.Context(), server.OwnerDSN())
	if err != nil {
		b.Fatal(err)
	}
	defer owner.Close(context.Background())
	if _, err := owner.Exec(b.Context(), sql); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

// What people do, until the browser shows what came of it.
func measureBrowser(b *testing.B, t *table) {
	const tries = 20
	tab := openTab(b)
	tab.allow("/favicon.ico") // of /healthz, which names no icon
	tab.open("/login")
	tab.until("document.readyState === 'complete' && document.fonts.status === 'loaded'")
	tab.mu.Lock()
	requests, bytes := len(tab.requests), tab.bytes
	tab.mu.Unlock()
	t.add("a first visit", fmt.Sprintf("%s KB in %d requests", figure(bytes/1000), requests), "–", atMost(bytes/1000, 100, " KB")+", "+atMost(float64(requests), 10, " requests"))

	tab.signIn("staff")
	merchant := tab.newMerchant("Warung Lekas")
	photo := smallPhoto(b)
	for _, action := range []struct {
		name, on string
		do       func(try int) (js string)
		shown    string
	}{
		{"a photo of 200 KB dropped, until its file id shows", merchant, func(int) string {
			content, _ := io.ReadAll(photo.copy())
			return fmt.Sprintf(`const bytes = Uint8Array.from(atob(%q), c => c.charCodeAt(0)), dataTransfer = new DataTransfer(), row = %s, before = row.dataset.fileId;
				dataTransfer.items.add(new File([bytes], "foto.jpg", { type: "image/jpeg" }));
				const act = () => { for (const type of ["dragenter", "dragover", "drop"]) row.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer })); }`,
				base64.StdEncoding.EncodeToString(content), premise.js())
		}, premise.js() + "?.dataset.state === 'delivered' && " + premise.js() + ".dataset.fileId !== before"},
		{"a letter typed into the search, until the list shows, of which 200 ms wait for more letters", "/merchants", func(try int) string {
			return fmt.Sprintf(`const q = document.querySelector("#q"); let settled = false;
				document.body.addEventListener("htmx:afterSettle", () => settled = true, { once: true });
				const act = () => { q.value = %q; q.dispatchEvent(new Event("input", { bubbles: true })); }`, "warung"[:1+try%6])
		}, "settled"},
	} {
		var took, reference times
		tab.open(action.on)
		tab.until("document.readyState === 'complete'")
		for try := range tries {
			took = append(took, tab.clock(action.do(try), action.shown))
			reference = append(reference, tab.clock(`let shown = false; const act = () => fetch("/healthz").then(() => shown = true)`, "shown"))
		}
		t.add(action.name, took.String(), "a fetch of /healthz: "+reference.String(), "p95 "+atMost(took.quantile(.95), 400, " ms"))
	}
	var page, reference times
	for range tries {
		page = append(page, tab.painted(merchant))
		reference = append(reference, tab.painted("/healthz"))
	}
	t.add("a merchant's page opened, until it shows", page.String(), "/healthz opened: "+reference.String(), "p95 "+atMost(page.quantile(.95), 400, " ms"))
}

// painted is the time from leaving for a page until something of it is drawn.
func (b *tab) painted(path string) time.Duration {
	b.Helper()
	b.open(path)
	ms := eval[float64](b, `(async () => { let paint;
		while (!(paint = performance.getEntriesByName("first-contentful-paint")[0])) await new Promise(done => setTimeout(done, 5));
		return paint.startTime; })()`, chromedp.EvalAwaitPromise)
	return time.Duration(ms * float64(time.Millisecond))
}

// clock is the time from an action on the page until the frame in which its result is drawn. prepare defines act.
func (b *tab) clock(prepare, shown string) time.Duration {
	b.Helper()
	ms := eval[float64](b, fmt.Sprintf(`(async () => { %s
		const frame = () => new Promise(done => requestAnimationFrame(done)), begin = performance.now();
		act();
		while (!(%s)) { await frame(); if (performance.now() - begin > 10000) throw new Error("not shown") }
		await frame();
		return performance.now() - begin; })()`, prepare, shown), chromedp.EvalAwaitPromise)
	return time.Duration(ms * float64(time.Millisecond))
}
