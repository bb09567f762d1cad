package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// refusedMerchant is a merchant whose KTP the reviewer refused.
func refusedMerchant(t testing.TB, name string) string {
	t.Helper()
	v := staff(t, shared.portal)
	merchant := v.newMerchant(t, name)
	v.mustUpload(t, merchant, ktp, photo())
	document := v.delivered(t, merchant, ktp, settleTime)
	reviewer := demoVisitor(t, shared.portal, "reviewer")
	seen := reviewer.get(t, document).page().Find("[data-version]")
	a := reviewer.must(t, "POST", document+"/refuse", url.Values{"version": {seen.AttrOr("data-version", "")}, "sha256": {seen.AttrOr("data-sha256", "")},
		"reason": {"image_blurry", "fraudulent"}, "note": {"Hanya untuk rekan kerja"}, "message": {"Foto di siang hari"}})
	if a.status != http.StatusSeeOther {
		t.Fatalf("refusing was answered %d", a.status)
	}
	return merchant
}

// sentMessage is the page of a message to a merchant.
func sentMessage(t testing.TB, merchant string) string {
	t.Helper()
	a := staff(t, shared.portal).must(t, "POST", merchant+"/messages", url.Values{"channel": {"whatsapp"}, "language": {"id"}, "text": {"Halo,\n\nmohon foto KTP lagi."}})
	if a.status != http.StatusSeeOther {
		t.Fatalf("the message was answered %d", a.status)
	}
	return a.header.Get("Location")
}

// What is changed in the text is what the link takes along and what is kept, without leaving the page.
func TestBrowserMessageToTheMerchant(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	merchant := refusedMerchant(t, "Warung Pesan")
	v := staff(t, shared.portal)
	if a := v.must(t, "POST", merchant, url.Values{"phone_number": {"81234567890"}}); a.status != http.StatusSeeOther {
		t.Fatalf("the phone number was answered %d", a.status)
	}
	b.signIn("staff")
	b.open(merchant)
	b.until("document.querySelector('[data-code=KTP] [data-reason]').textContent.includes('Hanya untuk rekan kerja')")
	b.leave("a[href$='/message']")
	b.until("document.querySelector('[name=text]').value.includes('Foto di siang hari') && !document.querySelector('[name=text]').value.includes('rekan kerja')")
	b.do(chromedp.SetValue(chromedp.CSS("[name=text]"), "Mohon foto KTP & NIK sekali lagi"))
	// The tab stays here: where the link leads to is no page of ours.
	eval[bool](b, "document.addEventListener('click', (e) => { if (e.target.closest('a[data-send]')) { window.went = e.target.closest('a').href; e.preventDefault(); } }) || true")
	b.click("a[data-send=whatsapp]")
	b.until("document.querySelectorAll('[data-message-sent]').length === 1")
	if went := eval[string](b, "window.went"); !strings.HasPrefix(went, "https://wa.me/6281234567890?text=Mohon%20foto%20KTP%20%26%20NIK") {
		t.Errorf("the link led to %s", went)
	}
	b.until("document.querySelector('#earlier').textContent.includes('KTP & NIK sekali lagi')")
	b.click("[data-send=copy]")
	b.until("document.querySelectorAll('[data-message-sent]').length === 2")
	b.open(merchant)
	b.do(chromedp.SendKeys(chromedp.CSS("#comment"), "Sudah ditelepon"))
	b.click("#comments form button")
	b.until("document.querySelectorAll('[data-comment]').length === 1 && document.querySelector('#comment').value === ''")
}

func TestBrowserSettingsAreSearched(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("admin")
	b.open("/settings")
	b.do(chromedp.SendKeys(chromedp.CSS("#second_eyes-search"), "npwp"))
	b.until("[...document.querySelectorAll('#second_eyes-codes li')].filter(e => !e.hidden).length === 2 && document.querySelectorAll('#second_eyes-codes [data-sought-group]:not([hidden])').length === 1")
	b.do(chromedp.SendKeys(chromedp.CSS("#reason-search"), "file_empty"))
	b.until("[...document.querySelectorAll('#reason-list tr[data-sought]')].filter(e => !e.hidden).length === 1 && document.querySelector('#reason-list details').open")
}
