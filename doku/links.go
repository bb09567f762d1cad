package doku

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"
)

// DefaultLinkHosts are the host suffixes seen in DOKU's samples.
func DefaultLinkHosts() []string { return []string{"doku.com", "oss-ap-southeast-5.aliyuncs.com"} }

// ErrLinkNotAllowed says that a link breaks the rules of OpenLink and was not followed.
var ErrLinkNotAllowed = errors.New("doku: the link leads to a place that is not allowed")

// LinkError is a link that did not bring a file. It never holds the link.
type LinkError struct {
	Status int // HTTP status; 0 when no answer came
	Err    error
}

// Error says what happened.
func (e *LinkError) Error() string {
	if e.Err != nil {
		return redact("doku: link: " + e.Err.Error())
	}
	return fmt.Sprintf("doku: link: %d %s", e.Status, http.StatusText(e.Status))
}

// Unwrap returns the cause.
func (e *LinkError) Unwrap() error { return e.Err }

// Expired reports that the storage no longer takes the link (403 or 404): the remedy is a fresh one.
func (e *LinkError) Expired() bool {
	return e.Status == http.StatusForbidden || e.Status == http.StatusNotFound
}

// LinkBody is a file behind a link; the caller closes it. An end before Size bytes is io.ErrUnexpectedEOF.
type LinkBody struct {
	io.ReadCloser
	Size        int64  // bytes, -1 when the storage does not say
	ContentType string // the storage's claim: do not trust it
}

// OpenLink fetches what a link leads to. A link comes from outside, so it is followed only to https, to a host within
// Options.LinkHosts, to a public address (checked on the very address that is dialled), without redirects, and without
// any credential. The base URL in Options.SimulatorLinks is excepted. It returns ErrLinkNotAllowed or a *LinkError; ctx
// governs the body too.
func (c *Client) OpenLink(ctx context.Context, link string) (*LinkBody, error) {
	return c.links.open(ctx, link)
}

type linkOpener struct {
	suffixes  []string
	simulator *url.URL
	public    http.RoundTripper
	local     http.RoundTripper // for the simulator alone
}

func newLinkOpener(hosts []string, simulator string) (*linkOpener, error) {
	l := &linkOpener{public: linkTransport(refusePrivate), local: linkTransport(nil)}
	for _, h := range hosts {
		h = strings.Trim(strings.ToLower(strings.TrimPrefix(strings.TrimSpace(h), "*")), ".")
		if h == "" || strings.ContainsAny(h, "/:@ ") {
			return nil, errors.New("doku: LinkHosts must be host names")
		}
		l.suffixes = append(l.suffixes, h)
	}
	if simulator != "" {
		base, err := baseURL(simulator)
		if err != nil {
			return nil, fmt.Errorf("doku: SimulatorLinks: %w", err)
		}
		l.simulator, _ = url.Parse(base)
	}
	return l, nil
}

// linkTransport ignores proxies of the environment: behind one, the dialled address would say nothing.
func linkTransport(control func(network, address string, c syscall.RawConn) error) *http.Transport {
	d := &net.Dialer{Timeout: 10 * time.Second, Control: control}
	return &http.Transport{
		DialContext:           d.DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 20 * time.Second,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true,
		ForceAttemptHTTP2:     true,
	}
}

func (l *linkOpener) open(ctx context.Context, link string) (*LinkBody, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, ErrLinkNotAllowed
	}
	transport := l.route(u)
	if transport == nil {
		return nil, ErrLinkNotAllowed
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, ErrLinkNotAllowed
	}
	res, err := transport.RoundTrip(req) // no client: no redirects, no cookies
	if errors.Is(err, ErrLinkNotAllowed) {
		return nil, ErrLinkNotAllowed
	}
	if err != nil {
		return nil, &LinkError{Err: err}
	}
	if res.StatusCode != http.StatusOK {
		res.Body.Close()
		return nil, &LinkError{Status: res.StatusCode}
	}
	return &LinkBody{ReadCloser: res.Body, Size: res.ContentLength, ContentType: res.Header.Get("Content-Type")}, nil
}

// route picks the transport for a link, nil when it must not be followed.
func (l *linkOpener) route(u *url.URL) http.RoundTripper {
	switch {
	case u.User != nil || u.Host == "":
		return nil
	case l.simulator != nil && u.Scheme == l.simulator.Scheme && strings.EqualFold(u.Host, l.simulator.Host):
		return l.local
	case u.Scheme == "https" && l.allowed(u.Hostname()):
		return l.public
	}
	return nil
}

func (l *linkOpener) allowed(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(l.suffixes, func(s string) bool { return host == s || strings.HasSuffix(host, "."+s) })
}

// refusePrivate runs after name resolution, on the address that is about to be dialled.
func refusePrivate(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !PublicAddr(ap.Addr()) {
		return ErrLinkNotAllowed
	}
	return nil
}

// reserved are ranges of the special-purpose registries that netip has no word for.
var reserved = func() (list []netip.Prefix) {
	for _, s := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24",
		"203.0.113.0/24", "240.0.0.0/4", "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32",
		"2002::/16", "3fff::/20", "fec0::/10",
	} {
		list = append(list, netip.MustParsePrefix(s))
	}
	return list
}()

// PublicAddr reports whether an address belongs to the public internet: not private, loopback, link-local, multicast,
// reserved, or a form of IPv6 that wraps an IPv4 address.
func PublicAddr(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(a) })
}

// PublicHost reports whether a host name could lead to the public internet: a name of several labels that is none of the
// reserved ones, or a public address. It resolves nothing.
func PublicHost(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return PublicAddr(a)
	}
	labels := strings.Split(host, ".")
	last := labels[len(labels)-1]
	if len(labels) < 2 || len(host) > 253 || last == "" || strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x") {
		return false // the last two: other ways to write an IPv4 address
	}
	switch last {
	case "localhost", "local", "internal", "lan", "home", "intranet", "corp", "invalid", "test", "example", "onion":
		return false
	}
	return !slices.ContainsFunc(labels, badLabel) && !strings.HasSuffix(host, ".home.arpa")
}

func badLabel(label string) bool {
	return label == "" || len(label) > 63 || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") ||
		strings.ContainsFunc(label, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_' && r < 0x80
		})
}
