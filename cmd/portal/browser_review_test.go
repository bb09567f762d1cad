package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Twenty documents decided without touching the mouse: every second one refused with a reason, one decision taken back
// from the next document. The trail is then asked what was decided, shown and loaded.
func TestBrowserTwentyDocumentsByKeyboard(t *testing.T) {
	t.Parallel()
	p := start(t, home(t))
	b := openTab(t)
	b.base = p.url
	v := staff(t, p)
	queue := func(n int) {
		merchant := v.newMerchant(t, fmt.Sprintf("Warung Antre %d", n))
		for _, to := range []place{ktp, premise, selfie} {
			v.mustUpload(t, merchant, to, photo())
		}
		for _, to := range []place{ktp, premise, selfie} {
			v.delivered(t, merchant, to, settleTime)
		}
	}
	for n := range 6 {
		queue(n + 1)
	}
	b.open("/login")
	b.leave("[name=language][value=id]")
	b.signIn("reviewer")
	b.open("/review")
	b.until("document.querySelectorAll('#review-list [data-row]').length === 18")
	b.do(chromedp.KeyEvent("jj"))
	at := eval[string](b, "document.activeElement.id")
	queue(7) // appears by itself, and takes nobody's place
	b.until("document.querySelectorAll('#review-list [data-row]').length === 21")
	if now := eval[string](b, "document.activeElement.id"); now != at || !strings.HasPrefix(at, "row-") {
		t.Errorf("the focus went from %q to %q", at, now)
	}
	b.do(chromedp.KeyEvent("n"))

	decided := map[string]string{}
	for i := range 20 {
		id := b.nextToDecide("")
		outcome := b.decideByKey(i)
		if i == 7 { // taken back from the next one, and decided again
			next := b.nextToDecide(id)
			b.do(chromedp.KeyEvent("z"))
			if back := b.nextToDecide(next); back != id {
				t.Fatalf("undo leads to %s instead of %s", back, id)
			}
			outcome = b.decideByKey(i)
		}
		decided[id] = outcome
		b.nextToDecide(id)
		if says := eval[string](b, "document.querySelector('#status').textContent"); !strings.Contains(says, "Sekarang:") {
			t.Errorf("after the decision the page says %q", says)
		}
	}
	if len(decided) != 20 {
		t.Errorf("%d documents were decided", len(decided))
	}
	trail := readTrail(t, demoVisitor(t, p, "admin"))
	for _, want := range []struct {
		action string
		n      int
	}{{"document.approved", 10}, {"document.rejected", 11}, {"document.undone", 1}} {
		if got := len(trail[want.action]); got != want.n {
			t.Errorf("%d rows of %s, not %d", got, want.action, want.n)
		}
	}
	// Each of the 21 was shown once, the one taken back and the one after it twice.
	if got := len(trail["document.viewed"]); got != 23 {
		t.Errorf("%d documents were shown", got)
	}
	for id, outcome := range decided {
		if !slices.Contains(trail["document.viewed"], id) || !slices.Contains(trail["document.fetched"], id) {
			t.Errorf("%s was %s without having been shown", id, outcome)
		}
	}
	waited := eval[[]float64](b, "performance.getEntriesByName('next document').map(e => e.duration)")
	slices.Sort(waited)
	if len(waited) != 21 {
		t.Fatalf("%d times the next document was shown by the page itself", len(waited))
	}
	t.Logf("from the decision to the next document on the screen: median %.0f ms, p95 %.0f ms", waited[len(waited)/2], waited[len(waited)*95/100])
	b.open("/review") // what is left is given back
	b.until("document.querySelectorAll('#review-list [data-row]').length === 1 && !document.querySelector('.standing .chip')")
}

// nextToDecide waits until another document than the one named is ready for a decision, and returns its id.
func (b *tab) nextToDecide(but string) string {
	b.Helper()
	b.until(fmt.Sprintf("document.querySelector('[data-desk][data-ready] main[data-leased]') && document.querySelector('main').dataset.document !== '%s'", but))
	return eval[string](b, "document.querySelector('main').dataset.document")
}

func (b *tab) decideByKey(i int) string {
	b.Helper()
	if i%2 == 0 {
		b.do(chromedp.KeyEvent("a"))
		return "approved"
	}
	b.do(chromedp.KeyEvent("r"))
	b.until("document.activeElement.matches('[data-filter]')")
	b.do(chromedp.KeyEvent("buram"), chromedp.KeyEvent(kb.Enter))
	b.until("document.querySelector('[name=reason][value=image_blurry]').checked")
	b.do(chromedp.KeyEvent(kb.Enter))
	return "refused"
}

// readTrail are the documents named in the audit trail, by action.
func readTrail(t *testing.T, admin *visitor) map[string][]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(admin.get(t, "/audit.csv").body)).ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	action, subject := slices.Index(rows[0], "action"), slices.Index(rows[0], "subject_id")
	trail := map[string][]string{}
	for _, row := range rows[1:] {
		trail[row[action]] = append(trail[row[action]], row[subject])
	}
	return trail
}

// What a reviewer does beside deciding: looking closely, comparing, asking which keys there are, typing without deciding.
func TestBrowserReviewerLooksClosely(t *testing.T) {
	t.Parallel()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	b := openTab(t)
	v := staff(t, shared.portal)
	merchant := v.newMerchant(t, "Warung Teliti")
	v.mustUpload(t, merchant, premise, photo())
	v.mustUpload(t, merchant, selfie, photo())
	v.delivered(t, merchant, selfie, settleTime)
	document := v.delivered(t, merchant, premise, settleTime)
	b.signIn("reviewer")
	b.open(document)
	b.until("document.querySelector('[data-desk][data-ready]')")
	if eval[bool](b, "document.documentElement.scrollHeight > innerHeight") {
		t.Error("the page scrolls at 1440 × 900")
	}
	b.do(chromedp.KeyEvent("c"))
	b.until("document.querySelectorAll('.two [data-stage] img').length === 2")
	for range 3 {
		b.do(chromedp.KeyEvent("+"))
	}
	shares := "[...document.querySelectorAll('[data-stage]')].map(s => Math.round(s.scrollWidth / s.clientWidth * 10))"
	b.until("new Set(" + shares + ").size === 1 && " + shares + "[0] > 10")
	b.do(chromedp.KeyEvent("c"))
	b.until("document.querySelectorAll('[data-stage]').length === 1")

	b.do(chromedp.KeyEvent("q"))
	b.until("document.activeElement.closest('.pop')")
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.querySelector('.pop[open]')")
	b.do(chromedp.KeyEvent("r"))
	b.until("document.activeElement.matches('[data-filter]')")
	b.do(chromedp.KeyEvent("azjk"))
	b.until("document.activeElement.value === 'azjk'")
	b.do(chromedp.KeyEvent(kb.Escape), chromedp.KeyEvent("?"))
	b.until("document.querySelector('#keys').open")
	eval[bool](b, script+"\n;true")
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		for _, width := range []int64{360, 1440} {
			b.size(width, 900)
			b.examine(fmt.Sprintf("the keys, %s, %d", scheme, width))
		}
	}
	b.do(chromedp.KeyEvent("a")) // acts on nothing behind a dialog
	b.do(chromedp.KeyEvent(kb.Escape))
	b.until("!document.querySelector('#keys').open")
	if got := eval[string](b, "document.querySelector('main').dataset.review + location.pathname"); got != "undecided"+document {
		t.Errorf("typing and looking led to %s", got)
	}
	id, err := strconv.Atoi(strings.TrimPrefix(document, "/documents/"))
	if err != nil {
		t.Fatal(err)
	}
	b.until(fmt.Sprintf("document.querySelector('main').dataset.document === '%d' && Number(document.querySelector('main').dataset.lookId) > 0", id))
}
