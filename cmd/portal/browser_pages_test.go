package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// pages are the main pages, the merchant's and the document's with something on them.
func pages(b *tab) []string {
	b.Helper()
	v := staff(b.TB, shared.portal)
	merchant := v.newMerchant(b.TB, "Toko Kelontong Sumber Rejeki Abadi Jaya Cabang Tanjung Priok "+b.Name())
	v.mustUpload(b.TB, merchant, ktp, photo())
	document := v.delivered(b.TB, merchant, ktp, settleTime)
	return []string{"/", "/merchants", "/merchants/new", merchant, merchant + "/edit", document}
}

func TestBrowserFirstPageIsLight(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/login")
	b.until("document.readyState === 'complete' && document.fonts.status === 'loaded'")
	b.mu.Lock()
	defer b.mu.Unlock()
	t.Logf("%d requests, %.0f bytes", len(b.requests), b.bytes)
	if len(b.requests) > 10 || b.bytes > 100_000 || b.bytes == 0 {
		t.Errorf("the first page takes %d requests and %.0f bytes", len(b.requests), b.bytes)
	}
}

func TestBrowserPagesFitTheScreen(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.prefer("light")
	b.open("/login")
	b.fits("/login")
	b.signIn("staff")
	for _, path := range append(pages(b), "/_gallery") {
		b.open(path)
		b.fits(path)
	}
}

// fits expects that nothing makes the page scroll sideways, on a phone and on a desk.
func (b *tab) fits(path string) {
	b.Helper()
	for _, width := range []int64{360, 1440} {
		b.size(width, 800)
		b.until(fmt.Sprintf("innerWidth === %d", width))
		if got := eval[int64](b, "document.documentElement.scrollWidth"); got > width {
			b.Errorf("%s is %d pixels wide on a screen of %d", path, got, width)
		}
	}
}

func TestBrowserAxeFindsNothing(t *testing.T) {
	t.Parallel()
	script, err := axe()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scheme, language string
		width            int64
	}{{"light", "id", 1440}, {"dark", "en", 360}} {
		t.Run(c.scheme+" "+c.language, func(t *testing.T) {
			t.Parallel()
			b := openTab(t)
			b.prefer(c.scheme)
			b.size(c.width, 900)
			b.open("/login")
			b.leave(fmt.Sprintf("[name=language][value=%s]", c.language))
			b.until(fmt.Sprintf("document.documentElement.lang === '%s'", c.language))
			b.examine("/login", script)
			b.signIn("staff")
			for _, path := range append(pages(b), "/merchants/999999999") {
				if strings.HasSuffix(path, "999") {
					b.allow("404")
				}
				b.open(path)
				b.examine(path, script)
			}
		})
	}
}

func (b *tab) examine(path, script string) {
	b.Helper()
	eval[bool](b, script+"\n;true")
	found := eval[[]string](b, `axe.run().then(r => r.violations.map(v => v.id + ": " + v.nodes.map(n => n.target.join(" ")).slice(0, 3).join(", ")))`, chromedp.EvalAwaitPromise)
	for _, what := range found {
		b.Errorf("%s: axe says %s", path, what)
	}
}

const (
	axeVersion = "4.14.1"
	axeHash    = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c" // of axe.min.js
)

// axe is axe-core, which npm brings once into the user's cache. It is no part of the program.
var axe = sync.OnceValues(func() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "berkas")
	path := filepath.Join(dir, "axe-core-"+axeVersion+".min.js")
	script, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if script, err = fetchAxe(dir); err == nil {
			err = os.WriteFile(path, script, 0o600)
		}
	}
	if err != nil {
		return "", fmt.Errorf("these tests need axe-core %s, which npm fetches: %w", axeVersion, err)
	}
	if sum := sha256.Sum256(script); hex.EncodeToString(sum[:]) != axeHash {
		return "", fmt.Errorf("%s is not axe-core %s: remove it", path, axeVersion)
	}
	return string(script), nil
})

func fetchAxe(dir string) ([]byte, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	c := exec.Command("npm", "pack", "--silent", "axe-core@"+axeVersion)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("npm pack: %w\n%s", err, out)
	}
	archive := filepath.Join(dir, "axe-core-"+axeVersion+".tgz")
	defer os.Remove(archive)
	f, err := os.Open(archive)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if err != nil {
			return nil, fmt.Errorf("no axe.min.js in the package: %w", err)
		}
		if h.Name == "package/axe.min.js" {
			return io.ReadAll(files)
		}
	}
}

func TestBrowserLanguageIsRemembered(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/login")
	for _, language := range []string{"en", "id"} {
		b.leave(fmt.Sprintf("[name=language][value=%s]", language))
		b.until(fmt.Sprintf("document.documentElement.lang === '%s' && location.pathname === '/login'", language))
		b.do(chromedp.Reload())
		b.until(fmt.Sprintf("document.documentElement.lang === '%s'", language))
	}
}

func TestBrowserThemesDiffer(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	ground := map[string]string{}
	for _, scheme := range []string{"light", "dark"} {
		b.prefer(scheme)
		b.open("/login")
		ground[scheme] = eval[string](b, "getComputedStyle(document.body).backgroundColor + getComputedStyle(document.documentElement).backgroundColor")
	}
	if ground["light"] == ground["dark"] {
		t.Errorf("both themes have the ground %s", ground["light"])
	}
}

// Search narrows the list while typing; the address says so, and the back button undoes it.
func TestBrowserSearchLivesInTheAddress(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.signIn("staff")
	merchant := b.newMerchant("Depot Aneh Sekali")
	b.open("/merchants")
	all := eval[int](b, "document.querySelectorAll('[data-merchant]').length")
	b.do(chromedp.SendKeys(chromedp.CSS("#q"), "Depot Aneh"))
	b.until("location.search.includes('q=Depot') && document.querySelectorAll('[data-merchant]').length === 1")
	b.do(chromedp.Reload())
	b.until("document.querySelectorAll('[data-merchant]').length === 1 && document.querySelector('#q').value === 'Depot Aneh'")
	b.leave("[data-merchant] a.name")
	b.until(fmt.Sprintf("location.pathname === '%s'", merchant))
	b.back()
	b.until("document.querySelector('#q')?.value === 'Depot Aneh' && document.querySelectorAll('[data-merchant]').length === 1")
	b.back()
	b.until(fmt.Sprintf("location.search === '' && document.querySelectorAll('[data-merchant]').length >= %d", min(all, 2)))
}
