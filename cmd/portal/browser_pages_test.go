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
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestBrowserFirstPageIsLight(t *testing.T) {
	t.Parallel()
	b := openTab(t)
	b.open("/login")
	b.until("document.readyState === 'complete' && document.fonts.status === 'loaded'")
	b.mu.Lock()
	defer b.mu.Unlock()
	t.Logf("%d requests, %.0f bytes", len(b.requests), b.bytes)
	if len(b.requests) > 10 || b.bytes > 85_000 || b.bytes == 0 {
		t.Errorf("the first page takes %d requests and %.0f bytes", len(b.requests), b.bytes)
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
