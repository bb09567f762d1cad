package main

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// choose picks files in a row, as the file dialog does.
func (b *tab) choose(p place, files ...string) {
	b.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS(p.row()+" .pick input[type=file]:not([data-camera])"), files))
}

// arrives waits for a row to show DOKU's file id.
func (b *tab) arrives(p place) {
	b.Helper()
	b.until(p.js() + "?.dataset.state === 'delivered' && " + p.js() + ".dataset.fileId && " + p.js() + ".textContent.includes(" + p.js() + ".dataset.fileId)")
}

// The whole way: sign in, make a merchant, choose a photo, see it go and see the file id, without another page.
func TestBrowserUpload(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("staff")
	merchant := b.newMerchant("Warung Bu Tini")
	if n := eval[int](b, "document.querySelectorAll('.slot').length"); n != 3 {
		t.Errorf("the checklist has %d places", n)
	}
	eval[bool](b, `(window.seen = [], new MutationObserver(() => { const bar = document.querySelector('.slot progress'); if (bar) seen.push(bar.value); })
		.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true }), true)`)
	b.choose(premise, picture(t, "warung.jpg"))
	b.arrives(premise)
	if !eval[bool](b, "window.seen?.length > 0 && seen.includes(1)") {
		t.Error("no progress was shown, or the page was loaded anew")
	}
	b.until("document.querySelector('" + premise.row() + " .thumb img')?.naturalWidth > 0")

	before := eval[string](b, premise.js()+".dataset.fileId")
	b.do(chromedp.Reload())
	b.until(premise.js() + "?.dataset.fileId === '" + before + "'")
	b.leave(premise.row() + " a.view")
	b.until("location.pathname.startsWith('/documents/')")
	b.back()
	b.until("location.pathname === '" + merchant + "' && " + premise.js() + "?.dataset.fileId === '" + before + "'")
}

func TestBrowserWrongFile(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.allow("422")
	b.signIn("staff")
	b.newMerchant("Warung Salah Berkas")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=form_NO_KTP]"), nik[:9]))
	b.choose(selfie, paperFile(t, "selfie.jpg", []byte("this is no photo at all")))
	b.until("document.querySelector('" + selfie.row() + " [data-reason]')?.checkVisibility()")
	if state := eval[string](b, selfie.js()+".dataset.state"); state != "missing" {
		t.Errorf("the refused file's place is %s", state)
	}
	if typed := eval[string](b, "document.querySelector('input[name=form_NO_KTP]').value"); typed != nik[:9] {
		t.Errorf("what was typed elsewhere is %q now", typed)
	}
	b.choose(selfie, picture(t, "selfie.jpg"))
	b.arrives(selfie)
	if eval[bool](b, "Boolean(document.querySelector('"+selfie.row()+" [data-reason]'))") {
		t.Error("the reason stays beside the file that was taken")
	}
}

func TestBrowserSeveralAtOnce(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("staff")
	b.newMerchant("Warung Sekaligus")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=form_NO_KTP]"), nik))
	for _, p := range []place{ktp, premise, selfie} {
		b.choose(p, picture(t, "photo.jpg"))
	}
	for _, p := range []place{ktp, premise, selfie} {
		b.arrives(p)
	}
	b.until("document.querySelector('#progress').dataset.progress !== 'todo'")
}

// drop lets files fall onto an element.
func (b *tab) drop(onto string, files map[string][]byte) {
	b.Helper()
	var list []string
	for name, content := range files {
		list = append(list, fmt.Sprintf("new File([Uint8Array.from(atob(%q), c => c.charCodeAt(0))], %q, { type: 'image/jpeg' })", base64.StdEncoding.EncodeToString(content), name))
	}
	eval[bool](b, fmt.Sprintf(`(() => {
		const dataTransfer = new DataTransfer();
		for (const file of [%s]) dataTransfer.items.add(file);
		for (const type of ["dragenter", "dragover", "drop"]) document.querySelector(%q).dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer }));
		return true;
	})()`, strings.Join(list, ", "), onto))
}

func TestBrowserDrop(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("staff")
	b.newMerchant("Warung Jatuh")
	b.drop(selfie.row(), map[string][]byte{"selfie.jpg": photo()})
	b.arrives(selfie)
	b.drop("main", map[string][]byte{"warung.jpg": photo(), "ktp.jpg": photo()}) // beside the rows: it asks where to
	b.until("document.querySelector('#chooser[open] select')")
	b.click("#chooser button.primary")
	b.arrives(premise)
	b.arrives(ktp)
}

// A wrong number costs nobody the file.
func TestBrowserWrongNumberKeepsTheFile(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("staff")
	b.newMerchant("Warung Salah Ketik")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=form_NO_KTP]"), "12345"))
	b.choose(ktp, picture(t, "ktp.jpg"))
	b.arrives(ktp)
	field := ktp.row() + " form.fields input[name=form_NO_KTP]"
	b.until("document.querySelector('" + field + "')?.checkVisibility()")
	b.do(chromedp.SetValue(chromedp.CSS(field), nik))
	b.click(ktp.row() + " form.fields button")
	b.until(ktp.js() + ".textContent.includes('" + nik[12:] + "') && !document.querySelector('" + ktp.row() + " .acts ~ form.fields')")
	if html := eval[string](b, "document.documentElement.outerHTML"); strings.Contains(html, nik) {
		t.Error("the whole number is on the page")
	}
}

func TestBrowserViewer(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	v := staff(t, shared.portal)
	merchant := v.newMerchant(t, "Warung Penonton")
	v.mustUpload(t, merchant, premise, photo())
	document := v.delivered(t, merchant, premise, settleTime)
	b.signIn("staff")
	b.open(document)
	b.until("document.querySelector('[data-stage] img')?.naturalWidth > 0")
	zoomed := func() string { return eval[string](b, "document.querySelector('[data-zoomed]').textContent") }
	before := zoomed()
	b.do(chromedp.KeyEvent("+"))
	b.until("document.querySelector('[data-zoomed]').textContent !== '" + before + "'")
	b.do(chromedp.KeyEvent("0"))
	b.until("document.querySelector('[data-zoomed]').textContent === '" + before + "'")
	b.click("[data-zoom=in]")
	b.until("document.querySelector('[data-zoomed]').textContent !== '" + before + "'")
	b.click("[data-turn=turn]")
	b.until("document.querySelector('[data-sheet].turn-1')")
	b.until("performance.getEntriesByType('resource').some(r => r.name.endsWith('/rotate') && r.responseEnd > 0)")
	b.do(chromedp.Reload())
	b.until("document.querySelector('[data-viewer]')?.dataset.turns === '1'")
}

// Everything works as plain pages too.
func TestBrowserWithoutScript(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	browse(b, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	b.signIn("staff")
	merchant := b.newMerchant("Warung Tanpa Skrip")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=form_NO_KTP]"), nik))
	b.choose(ktp, picture(t, "ktp.jpg"))
	b.leave(ktp.row() + " .pick button")
	b.until("location.pathname === '" + merchant + "' && " + ktp.js())
	for range 20 { // a page without script is loaded anew
		if eval[string](b, ktp.js()+".dataset.state") == "delivered" {
			break
		}
		b.do(chromedp.Reload())
	}
	b.arrives(ktp)
	b.leave(ktp.row() + " a.view")
	b.until("document.querySelector('[data-stage] img')?.naturalWidth > 0")
	b.leave("[data-turn=turn]")
	b.until("document.querySelector('[data-viewer]')?.dataset.turns === '1'")
}

// From the sign-in to a sent file with the keyboard alone, the focus always in sight.
func TestBrowserKeyboardAlone(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	merchant := staff(t, shared.portal).newMerchant(t, "Warung Papan Ketik")
	b.open("/login?next=" + merchant)
	b.tabTo("document.activeElement.closest('form')?.querySelector('input[value=\"staff@berkas.test\"]') && document.activeElement.matches('button')")
	eval[bool](b, "(document.documentElement.dataset.left = 'soon', true)")
	b.do(chromedp.KeyEvent(kb.Enter))
	b.arrive()
	b.until("location.pathname === '" + merchant + "'")
	b.tabTo("document.activeElement.matches('" + selfie.row() + " input[type=file]')")
	b.sendChosen(picture(t, "selfie.jpg"))
	b.arrives(selfie)
}

// tabTo presses the tab key until the focus is where it is wanted, and expects to see it on the way.
func (b *tab) tabTo(there string) {
	b.Helper()
	for range 60 {
		b.do(chromedp.KeyEvent(kb.Tab))
		if hidden := eval[string](b, `(() => {
			const e = document.activeElement, shown = e.matches("input[type=file], input[type=radio]") ? e.closest("label") || e : e;
			const r = shown.getBoundingClientRect(), top = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
			if (e === document.body) return "";
			return r.bottom <= 0 || r.top >= innerHeight || !top || !(shown.contains(top) || top.contains(shown)) ? e.outerHTML.slice(0, 200) : "";
		})()`); hidden != "" {
			b.Errorf("the focus is out of sight at %s", hidden)
		}
		if eval[bool](b, "Boolean("+there+")") {
			return
		}
	}
	b.complain(fmt.Errorf("the tab key does not lead to %s", there))
}

// sendChosen presses the space bar on a file input, and answers the dialog that opens.
func (b *tab) sendChosen(path string) {
	b.Helper()
	browse(b, page.SetInterceptFileChooserDialog, page.SetInterceptFileChooserDialogParams{Enabled: true})
	opened := make(chan *page.EventFileChooserOpened, 1)
	if err := chromedp.Listen(b.ctx, func(ev any) {
		if e, ok := ev.(*page.EventFileChooserOpened); ok {
			opened <- e
		}
	}); err != nil {
		b.Fatal(err)
	}
	b.do(chromedp.KeyEvent(" "))
	select {
	case e := <-opened:
		browse(b, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: []string{path}, BackendNodeID: e.BackendNodeID})
	case <-b.Context().Done():
	}
}
