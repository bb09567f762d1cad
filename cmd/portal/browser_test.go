package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// What the browser tests share: one portal, one Chromium.
var shared struct {
	once    sync.Once
	dir     string
	portal  *process
	browser context.Context
	close   []context.CancelFunc
	err     error
}

func startShared() {
	if shared.dir, shared.err = os.MkdirTemp("", "berkas-browser-"); shared.err != nil {
		return
	}
	e := env{"DATA_DIR": filepath.Join(shared.dir, "data"), "LISTEN_ADDR": "127.0.0.1:0", "SIMULATOR_CONTROL": "on", "DEMO_MERCHANTS": "off"}
	if shared.portal, shared.err = launch(e); shared.err != nil {
		return
	}
	if shared.err = shared.portal.up(startTime); shared.err == nil {
		shared.err = startBrowser()
	}
}

// sharedPortal is a portal that several tests look at, and none stops.
func sharedPortal(t testing.TB) *process {
	t.Helper()
	shared.once.Do(startShared)
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.portal
}

// startBrowser starts a Chromium that asks nothing of anybody but of the portal.
func startBrowser() error {
	o := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("lang", "id-ID"))
	allocator, closeAllocator := chromedp.NewExecAllocator(context.Background(), o...)
	ctx, closeBrowser := chromedp.NewContext(allocator)
	shared.browser, shared.close = ctx, []context.CancelFunc{closeBrowser, closeAllocator}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		return fmt.Errorf("the browser tests need Chromium (make test installs it): %w", err)
	}
	return nil
}

// stopShared ends what was started; the portal's end is looked at by other tests.
func stopShared() {
	for _, c := range shared.close {
		c()
	}
	if p := shared.portal; p != nil {
		_ = p.cmd.Process.Signal(os.Interrupt)
		select {
		case <-p.ended:
		case <-time.After(startTime):
			p.kill()
		}
	}
	if shared.dir != "" {
		os.RemoveAll(shared.dir)
	}
}

// tab is a browser window of its own, with its own cookies. What goes wrong in it fails the test that opened it.
type tab struct {
	testing.TB
	ctx  context.Context
	base string

	mu       sync.Mutex
	requests map[network.RequestID]string
	bytes    float64
	trouble  []string
	allowed  []string // parts of console messages that are expected
}

const patience = time.Minute // for one step; far above what any takes, the machine may be busy

// openTab opens a window of 1440 pixels. Requests that leave the portal, errors on the console and refusals by the content
// security policy fail the test.
func openTab(t testing.TB) *tab {
	t.Helper()
	b := &tab{TB: t, base: sharedPortal(t).url, requests: map[network.RequestID]string{}}
	ctx, closeTab := chromedp.NewContext(shared.browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.hear))
	t.Cleanup(closeTab)
	b.ctx = ctx
	if err := chromedp.Do(ctx); err != nil { // without a time limit, which would close the tab
		t.Fatal(err)
	}
	browse(b, network.Enable, network.EnableParams{})
	browse(b, log.Enable, cdp.Empty{})
	b.size(1440, 900)
	t.Cleanup(b.judge)
	return b
}

func browse[P, R any](b *tab, c cdp.Command[P, R], params P) {
	b.Helper()
	if _, err := chromedp.Call(b.ctx, c, params); err != nil {
		b.Fatal(err)
	}
}

func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := ev.(type) {
	case *network.EventRequestWillBeSent:
		b.requests[e.RequestID] = e.Request.URL
		if u := e.Request.URL; !strings.HasPrefix(u, b.base+"/") && !strings.HasPrefix(u, "blob:"+b.base) && !strings.HasPrefix(u, "data:") && !strings.HasPrefix(u, "about:") {
			b.trouble = append(b.trouble, "a request leaves the portal: "+u)
		}
	case *network.EventLoadingFinished:
		b.bytes += e.EncodedDataLength
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning || e.Entry.Source == log.EntrySourceSecurity {
			b.trouble = append(b.trouble, "the console says: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		b.trouble = append(b.trouble, fmt.Sprint("the script failed: ", e.ExceptionDetails.Text, e.ExceptionDetails.Exception))
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" {
			for _, arg := range e.Args {
				b.trouble = append(b.trouble, "the console says: "+string(arg.Value)+arg.Description)
			}
		}
	}
}

func (b *tab) judge() {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.trouble {
		if !slices.ContainsFunc(b.allowed, func(part string) bool { return strings.Contains(what, part) }) {
			b.Error(what)
		}
	}
}

// allow expects a message on the console, such as the browser's own remark about an answer of 422.
func (b *tab) allow(part string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.allowed = append(b.allowed, part)
}

// always runs a script before those of every page that is opened from now on.
func (b *tab) always(script string) {
	b.Helper()
	browse(b, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: script})
}

// do runs steps within a time limit.
func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.complain(err)
	}
}

func (b *tab) open(path string) {
	b.Helper()
	b.do(chromedp.Navigate(b.base + path))
}

// eval is the value of an expression on the page.
func eval[T any](b *tab, expression string, o ...chromedp.EvaluateOption) T {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, o...))
	if err != nil {
		b.complain(fmt.Errorf("%.300s: %w", expression, err))
	}
	return v
}

// until waits for an expression to hold, whatever page is shown meanwhile.
func (b *tab) until(expression string) {
	b.Helper()
	var last error
	err := wait(patience, func() bool {
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		defer cancel()
		var holds bool
		holds, last = chromedp.Run(ctx, chromedp.Evaluate[bool]("Boolean("+expression+")"))
		return last == nil && holds
	})
	if err != nil {
		b.complain(fmt.Errorf("%s: %w", expression, errors.Join(err, last)))
	}
}

// complain ends the test with a picture of the page, where BERKAS_PICTURES names a directory for it.
func (b *tab) complain(err error) {
	b.Helper()
	where, _ := chromedp.Run(b.ctx, chromedp.Location())
	if dir := os.Getenv("BERKAS_PICTURES"); dir != "" {
		if png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot()); err == nil {
			_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(b.Name(), "/", "-")+".png"), png, 0o600)
		}
	}
	b.Fatalf("at %s: %v", where, err)
}

// back presses the back button.
func (b *tab) back() {
	b.Helper()
	eval[bool](b, "(history.back(), true)")
}

// click presses what a selector finds, where a person could.
func (b *tab) click(selector string) {
	b.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector), chromedp.NodeVisible))
}

// leave presses what leads to another page, and waits for that.
func (b *tab) leave(selector string) {
	b.Helper()
	eval[bool](b, "(document.documentElement.dataset.left = 'soon', true)")
	b.click(selector)
	b.arrive()
}

func (b *tab) arrive() {
	b.Helper()
	b.until("document.readyState === 'complete' && !document.documentElement.dataset.left && location.href !== 'about:blank'")
}

func (b *tab) size(width, height int64) {
	b.Helper()
	b.do(chromedp.EmulateViewport(width, height))
}

// prefer sets what the system prefers: the colour scheme, and no motion.
func (b *tab) prefer(scheme string) {
	b.Helper()
	browse(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}})
}

// signIn takes the one-click sign-in.
func (b *tab) signIn(role string) {
	b.Helper()
	b.open("/login")
	b.leave(fmt.Sprintf(`form:has(input[value="%s@berkas.test"]) button`, role))
	b.until("location.pathname === '/'")
}

// newMerchant fills in the form, and returns the new merchant's path.
func (b *tab) newMerchant(name string) string {
	b.Helper()
	b.open("/merchants/new")
	b.do(chromedp.SendKeys(chromedp.CSS("#f-name"), name))
	b.click("label:has([name=business_type][value=PERSONAL])")
	b.do(chromedp.SetValue(chromedp.CSS("#f-legal_entity"), "PERSEORANGAN"), chromedp.SetValue(chromedp.CSS("#f-business_line"), "RETAIL"))
	b.leave(".merchant-form button.primary")
	b.until("document.querySelector('[data-checklist=ready]')")
	path := eval[string](b, "location.pathname")
	if !strings.HasPrefix(path, "/merchants/") {
		b.Fatalf("the new merchant is at %s", path)
	}
	return path
}

// row is the selector of a place on the merchant's page.
func (p place) row() string {
	return fmt.Sprintf(`.slot[data-category="%s"][data-code="%s"]`, p.category, p.code)
}

// chooses is the expression that finds a row.
func (p place) js() string { return fmt.Sprintf("document.querySelector('%s')", p.row()) }

// picture writes a photo to a file.
func picture(t testing.TB, name string) string {
	t.Helper()
	return paperFile(t, name, photo())
}

func paperFile(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
