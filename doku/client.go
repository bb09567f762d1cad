package doku

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The documented hosts, and the prefix of every call.
const (
	TestURL       = "https://api-uat.doku.com"
	ProductionURL = "https://api.doku.com"
	Prefix        = "/adv-core-api/partner/v1.0"
)

// Names of the calls, as in Error, Outcome and the request log.
const (
	CallRequirements = "requirements"
	CallToken        = "token"
	CallUpload       = "upload"
	CallBusiness     = "business"
	CallLite         = "lite"
	CallData         = "data"
	CallLookup       = "lookup" // assumed: DOKU documents no such call
)

const (
	callTimeout   = 30 * time.Second
	uploadTimeout = 5 * time.Minute
	maxAnswer     = 1 << 20
)

// Options configure a Client. BaseURL, ClientID and SecretKey are required.
type Options struct {
	BaseURL             string // scheme://host[:port], without the prefix: TestURL, ProductionURL or a simulator's
	ClientID, SecretKey string // the partner's Brand ID and its secret key from the DOKU Back Office

	HTTP *http.Client     // for API calls, never for links; redirects are not followed whatever it says
	Now  func() time.Time // default time.Now
	Log  *slog.Logger     // the request log: request id, call, status, milliseconds; default none

	SignQuery       bool   // include the query in the signed Request-Target; DOKU's pages do not say (assumed: no)
	StrictResponses bool   // refuse an answer whose signature, when it carries one, is wrong
	FileLookup      string // e.g. "/file/{id}", relative to Prefix; DOKU documents no lookup, "" switches it off

	LinkHosts      []string // host suffixes that links may be followed to, see DefaultLinkHosts
	SimulatorLinks string   // base URL of a simulator, whose links are excepted from the link rules

	Observe func(Outcome) // called after each API call that the caller did not cancel; must be quick
}

// Outcome is how one API call went; link fetches are no API calls.
type Outcome struct {
	Call     string
	Status   int // 0 when no answer came
	Duration time.Duration
	Err      error // an *Error, or nil
}

// Client calls the Partner API as one partner. It is safe for concurrent use and should be shared: it holds the token.
type Client struct {
	base, clientID, secret string
	http                   *http.Client
	now                    func() time.Time
	log                    *slog.Logger
	signQuery, strict      bool
	lookup                 string
	links                  *linkOpener
	observe                func(Outcome)
	tokens                 tokens
}

// New checks the options and makes a client. It does not touch the network.
func New(o Options) (*Client, error) {
	base, err := baseURL(o.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("doku: BaseURL: %w", err)
	}
	if o.ClientID == "" || o.SecretKey == "" {
		return nil, errors.New("doku: ClientID and SecretKey must be set")
	}
	if o.FileLookup != "" && (!strings.HasPrefix(o.FileLookup, "/") || !strings.Contains(o.FileLookup, "{id}")) {
		return nil, errors.New(`doku: FileLookup must look like "/file/{id}"`)
	}
	links, err := newLinkOpener(o.LinkHosts, o.SimulatorLinks)
	if err != nil {
		return nil, err
	}
	c := &Client{
		base: base, clientID: o.ClientID, secret: o.SecretKey, http: apiClient(o.HTTP),
		now: o.Now, log: o.Log, signQuery: o.SignQuery, strict: o.StrictResponses,
		lookup: o.FileLookup, links: links, observe: o.Observe,
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func baseURL(s string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
		return "", errors.New("must be scheme://host[:port]")
	}
	return u.String(), nil
}

// apiClient never follows redirects: a signature is made for one path, and a token belongs to one host.
func apiClient(given *http.Client) *http.Client {
	c := http.Client{}
	if given != nil {
		c = *given
	}
	if c.Transport == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.ResponseHeaderTimeout = time.Minute
		t.MaxIdleConnsPerHost = 16
		c.Transport = t
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}

// request is one API call before it is sent.
type request struct {
	call, id     string
	method       string
	target       string // escaped path with the prefix, and the query
	signedTarget string
	header       http.Header
	body         io.Reader
	length       int64
	source       *lease // the caller's reader within body, if any
	timeout      time.Duration
	replay       bool // a 409 may repeat an earlier success
}

// answer is what came back. cut is set when the connection ended before the body did.
type answer struct {
	status int
	header http.Header
	body   []byte
	at     time.Time
	cut    error
}

// signed prepares a call with signature headers, as on the page "Signature Component from Request Header". The path is
// escaped and stands after the prefix; body is nil for GET.
func (c *Client) signed(call, id, method, path, query string, body []byte) *request {
	r := &request{
		call: call, id: id, method: method, target: Prefix + path, signedTarget: Prefix + path,
		header: http.Header{}, timeout: callTimeout, replay: body != nil,
	}
	if query != "" {
		r.target += "?" + query
	}
	if c.signQuery {
		r.signedTarget = r.target
	}
	if body != nil {
		r.body, r.length = bytes.NewReader(body), int64(len(body))
		r.header.Set("Content-Type", "application/json")
	}
	s := Signed{ClientID: c.clientID, RequestID: id, Timestamp: Timestamp(c.now()), Target: r.signedTarget, Body: body}
	r.header.Set(HeaderClientID, s.ClientID)
	r.header.Set(HeaderRequestID, s.RequestID)
	r.header.Set(HeaderRequestTimestamp, s.Timestamp)
	r.header.Set(HeaderSignature, s.Signature(c.secret))
	return r
}

// do sends a request and hands the answer to decode when it is a success. It returns an *Error, or a plain error when
// the request could not be made.
func (c *Client) do(ctx context.Context, r *request, decode func(*answer) error) error {
	began := time.Now()
	a, err := c.exchange(ctx, r)
	if err == nil {
		err = c.judge(r, a, decode)
	}
	if _, ours := errors.AsType[*Error](err); err == nil || ours {
		c.report(ctx, r, a, time.Since(began), err)
	}
	return err
}

func (c *Client) exchange(ctx context.Context, r *request) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.target, r.body)
	if err != nil {
		return nil, fmt.Errorf("doku: %s: the request cannot be made", r.call)
	}
	req.Header = r.header
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "berkas")
	req.ContentLength = r.length
	res, err := c.http.Do(req)
	if err != nil {
		return nil, r.unanswered(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	return &answer{status: res.StatusCode, header: res.Header, body: body, at: c.now(), cut: err}, nil
}

// judge sorts answers into success and the kinds of Error. DOKU answers a repeated Request-Id with 409 and the first
// answer's body ("Idempotency Request"): such a 409 is the success it repeats.
func (c *Client) judge(r *request, a *answer, decode func(*answer) error) error {
	success := a.status >= 200 && a.status < 300
	switch {
	case !success && !(r.replay && a.status == http.StatusConflict):
		return c.failure(r, a)
	case a.cut != nil:
		return c.strange(r, a, a.cut)
	case len(a.body) > maxAnswer:
		return c.strange(r, a, errors.New("the answer is longer than 1 MiB"))
	}
	err := decode(a)
	if err == nil {
		err = c.verifyResponse(r, a)
	}
	switch {
	case err == nil:
		return nil
	case success:
		return c.strange(r, a, err)
	}
	return c.failure(r, a)
}

func (c *Client) report(ctx context.Context, r *request, a *answer, took time.Duration, err error) {
	status := 0
	if a != nil {
		status = a.status
	}
	level := slog.LevelInfo
	if err != nil {
		level = slog.LevelWarn
	}
	c.log.LogAttrs(ctx, level, "doku", slog.String("request_id", r.id), slog.String("call", r.call),
		slog.Int("status", status), slog.Int64("ms", took.Milliseconds()))
	if c.observe != nil && !canceled(ctx) {
		c.observe(Outcome{Call: r.call, Status: status, Duration: took, Err: err})
	}
}
