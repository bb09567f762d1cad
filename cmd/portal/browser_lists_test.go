package main

import (
	"testing"

	"github.com/chromedp/chromedp"
)

// What is chosen in the list is given to a colleague; the list as it is filtered is kept under a name and found again.
func TestBrowserSeveralMerchantsAndAView(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("staff")
	b.newMerchant("Gerai Bersama Satu")
	b.newMerchant("Gerai Bersama Dua")
	b.open("/merchants?q=gerai+bersama&sort=name")
	b.until("document.querySelectorAll('[name=merchant]').length === 2 && !document.querySelector('#bulk').checkVisibility()")
	b.click("[data-choose-all]")
	b.until("document.querySelector('#bulk').checkVisibility() && document.querySelector('.chosen').textContent.startsWith('2 ')")
	b.do(chromedp.SetValue(chromedp.CSS("#bulk-responsible"), eval[string](b, "[...document.querySelectorAll('#bulk-responsible option')].find(o => o.text === 'Manajer Contoh').value")))
	b.leave("#bulk button[value=assign]")
	b.until("document.querySelector('.notice[role=status]').textContent.includes('2') && [...document.querySelectorAll('[data-merchant]')].filter(row => row.textContent.includes('Manajer Contoh')).length === 2")
	b.click(".save-view summary")
	b.do(chromedp.SendKeys(chromedp.CSS("#view-name"), "Gerai kita"))
	b.leave(".save-view button.primary")
	b.until("document.querySelector('.saved a[aria-current]').textContent.includes('Gerai kita')")
	b.open("/merchants")
	b.leave(".saved a")
	b.until("document.querySelector('#q').value === 'gerai bersama' && document.querySelectorAll('[data-merchant]').length === 2")
}
