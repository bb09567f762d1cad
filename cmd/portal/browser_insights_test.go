package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// From a picture to its list, and from the list to the merchant.
func TestBrowserFromAPictureToTheMerchant(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	v := staff(t, shared.portal)
	v.newMerchant(t, "Warung Gambar")
	a := v.must(t, "POST", "/merchants", url.Values{"name": {"Yayasan Gambar"}, "business_type": {"CORPORATE"}, "legal_entity": {"YAYASAN"}, "business_line": {"CHARITY"}, "nationality": {"ID"}})
	if a.status != http.StatusSeeOther {
		t.Fatalf("a merchant was answered %d", a.status)
	}
	eventually(t, settleTime, "the checklist", func() bool {
		return v.get(t, a.header.Get("Location")).page().Find("[data-checklist=ready]").Length() == 1
	})
	b.signIn("manager")
	b.open("/insights")
	// Another filter swaps what is below it, and stands in the address.
	b.do(chromedp.SetValue(chromedp.CSS("#line"), "CHARITY"))
	b.until("document.querySelector('[data-figure=merchants_total]').dataset.value === '1' && location.search.includes('line=CHARITY')")
	// Every mark of every picture leads to a page that is there.
	marks := eval[[]string](b, "[...new Set([...document.querySelectorAll('#insights svg a')].map(a => a.getAttribute('href')))]")
	manager := demoVisitor(t, shared.portal, "manager")
	if home := manager.get(t, "/").page(); home.Find(`main a[href="/insights"]`).Length() == 0 || home.Find("[data-figure=merchants_total]").Length() != 1 {
		t.Error("the manager's desk does not lead to the insights")
	}
	for _, mark := range marks {
		if a := manager.get(t, mark); a.status != http.StatusOK {
			t.Errorf("%s is answered %d", mark, a.status)
		}
	}
	if len(marks) < 4 {
		t.Errorf("%d marks lead somewhere", len(marks))
	}
	document := eval[string](b, "document.querySelector('[data-chart=blocks] tbody [data-figure]').dataset.figure.replace('open:', '')")
	b.leave("[data-chart=blocks] tbody svg a rect")
	if got := eval[string](b, "decodeURIComponent(location.search)"); !strings.Contains(got, "doc="+document) || !strings.Contains(got, "CHARITY") || !strings.Contains(got, "slot=open") {
		t.Errorf("the picture of %s leads to %s", document, got)
	}
	b.until("document.querySelectorAll('[data-merchant]').length === 1")
	b.back()
	b.until("location.pathname === '/insights' && document.querySelector('[data-figure=merchants_total]').dataset.value === '1' && document.querySelector('#line').value === 'CHARITY'")
	b.leave("[data-chart=next] tbody svg a rect")
	b.until("document.querySelectorAll('[data-merchant]').length === 1")
	b.leave("[data-merchant] a.name")
	if got := eval[string](b, "document.querySelector('h1').textContent"); got != "Yayasan Gambar" {
		t.Errorf("the list leads to %s", got)
	}
}
