package doku

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
)

func opener(t *testing.T, simulator string) *linkOpener {
	t.Helper()
	l, err := newLinkOpener(append(DefaultLinkHosts(), ".Example.ORG "), simulator)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLinkRoutes(t *testing.T) {
	t.Parallel()
	l := opener(t, "http://127.0.0.1:8090")
	for link, want := range map[string]http.RoundTripper{
		"https://doku.com/12345566":  l.public,
		"https://CDN.doku.com:443/x": l.public,
		"https://doku.com./x":        l.public,
		"https://cdn-dev.oss-ap-southeast-5.aliyuncs.com/a?Signature=b": l.public,
		"https://a.example.org/x":                   l.public,
		"http://127.0.0.1:8090/sim/oss/x":           l.local,
		"http://doku.com/12345566":                  nil,
		"https://evil-doku.com/x":                   nil,
		"https://doku.com.evil.net/x":               nil,
		"https://doku.com@evil.net/x":               nil,
		"https://user:password@doku.com/x":          nil,
		"https://evil.net/doku.com":                 nil,
		"https://evil.net/?doku.com":                nil,
		"https://oss-ap-southeast-1.aliyuncs.com/x": nil,
		"https://127.0.0.1/x":                       nil,
		"http://127.0.0.1:8091/x":                   nil,
		"https://127.0.0.1:8090/x":                  nil,
		"http://127.0.0.1:8090@evil.net/x":          nil,
		"http://x@127.0.0.1:8090/x":                 nil,
		"http://localhost:8090/x":                   nil,
		"ftp://doku.com/x":                          nil,
		"//doku.com/x":                              nil,
		"file:///etc/passwd":                        nil,
		"https:doku.com":                            nil,
		"":                                          nil,
	} {
		u, err := url.Parse(link)
		if err != nil {
			t.Fatal(err)
		}
		if got := l.route(u); got != want {
			t.Errorf("%s: %v", link, got != nil)
		}
	}
}

func TestLinkNeverReachesThisMachine(t *testing.T) {
	t.Parallel()
	inside := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was reached") }))
	t.Cleanup(inside.Close)
	// a permitted name may resolve to anything, so the address itself must stop the call
	l := opener(t, "")
	l.suffixes = append(l.suffixes, "127.0.0.1", "localhost")
	c := &Client{links: l}
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	for _, host := range []string{"127.0.0.1", "localhost"} {
		if _, err := c.OpenLink(background(), "https://"+host+port+"/secret"); !errors.Is(err, ErrLinkNotAllowed) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestOpenLink(t *testing.T) {
	t.Parallel()
	storage := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, name := range []string{"Authorization", "Cookie", HeaderSignature, HeaderClientID, "Accept-Encoding"} {
			if r.Header.Get(name) != "" {
				t.Errorf("%s is sent", name)
			}
		}
		switch r.URL.Path {
		case "/good":
			w.Header().Set("Content-Type", "image/png")
			w.Header().Set("Set-Cookie", "a=b")
			io.WriteString(w, "picture")
		case "/away":
			http.Redirect(w, r, "/good", http.StatusFound)
		case "/cut":
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
			http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		case "/chunked":
			http.NewResponseController(w).Flush()
			io.WriteString(w, "x")
		case "/expired":
			w.WriteHeader(http.StatusForbidden)
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	c := &Client{links: opener(t, storage.URL)}
	body, err := c.OpenLink(background(), storage.URL+"/good?Signature=abc")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, _ := io.ReadAll(body); string(b) != "picture" || body.Size != 7 || body.ContentType != "image/png" {
		t.Errorf("%q, %+v", b, body)
	}
	for path, want := range map[string]struct {
		status  int
		expired bool
	}{"/away": {302, false}, "/expired": {403, true}, "/gone": {404, true}} {
		_, err := c.OpenLink(background(), storage.URL+path+"?Signature=abc")
		e, ok := errors.AsType[*LinkError](err)
		if !ok || e.Status != want.status || e.Expired() != want.expired || strings.Contains(e.Error(), "abc") {
			t.Errorf("%s: %v", path, err)
		}
	}
	cut, err := c.OpenLink(background(), storage.URL+"/cut")
	if err != nil {
		t.Fatal(err)
	}
	defer cut.Close()
	if _, err := io.ReadAll(cut); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a cut body: %v", err)
	}
	chunked, err := c.OpenLink(background(), storage.URL+"/chunked")
	if err != nil {
		t.Fatal(err)
	}
	defer chunked.Close()
	if chunked.Size != -1 {
		t.Errorf("size %d", chunked.Size)
	}
	storage.Close()
	_, err = c.OpenLink(background(), storage.URL+"/good?Signature=abc")
	if e, ok := errors.AsType[*LinkError](err); !ok || e.Status != 0 || e.Expired() || strings.Contains(err.Error(), "abc") {
		t.Errorf("%v", err)
	}
}

func TestPublicAddr(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"8.8.8.8": true, "149.129.200.1": true, "2606:4700::1111": true, "::ffff:8.8.8.8": true,
		"127.0.0.1": false, "127.9.9.9": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.2.1": false,
		"::1": false, "::": false, "fe80::1": false, "fe80::1%eth0": false, "fc00::1": false, "fd12::1": false, "ff02::1": false,
		"::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false, "64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001::1": false,
		"2001:db8::1": false,
	} {
		if got := PublicAddr(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %v", address, got)
		}
	}
	if PublicAddr(netip.Addr{}) {
		t.Error("the zero address is public")
	}
}

func TestPublicHost(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"www.website.domain": true, "doku.com": true, "DOKU.com.": true, "8.8.8.8": true, "xn--bcher-kva.id": true, "a_b.doku.com": true,
		"": false, "localhost": false, "portal": false, "x.localhost": false, "db.internal": false, "printer.local": false,
		"127.0.0.1": false, "10.1.2.3": false, "169.254.169.254": false, "[::1]": false, "::1": false, "[2606:4700::1111]": true,
		"2130706433": false, "127.1": false, "0x7f.1": false, "0177.0.0.1": false, "1.0x7f": false, "a..b": false, "-a.com": false,
		"a b.com": false, "a.com/x": false, "router.home.arpa": false,
	} {
		if got := PublicHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
