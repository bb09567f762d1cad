package handlers

import (
	"bytes"
	"crypto/rand"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/PuerkitoBio/goquery"

	"berkas/models"
)

// visitor is one browser, or script, that keeps its cookies and follows no redirect.
type visitor struct {
	*bench
	http *http.Client
}

// nobody is a visitor who is not signed in.
func (b *bench) nobody() *visitor {
	jar, err := cookiejar.New(nil)
	b.must(err)
	return &visitor{b, &http.Client{Jar: jar, Transport: &http.Transport{}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// as is a visitor signed in as the bench's person of a role.
func (b *bench) as(role models.Role) *visitor {
	b.Helper()
	v := b.nobody()
	a := v.post("/login/demo", url.Values{"email": {string(role) + "@berkas.test"}})
	if a.status != http.StatusSeeOther {
		b.Fatalf("signing in as %s: %d %s", role, a.status, a.fault())
	}
	return v
}

// answer is what came back, read whole.
type answer struct {
	*bench
	status     int
	header     http.Header
	body       string
	statements int
}

func (v *visitor) request(method, path string, body io.Reader, headers ...string) *http.Request {
	v.Helper()
	r, err := http.NewRequestWithContext(v.Context(), method, v.url+path, body)
	v.must(err)
	r.Header.Set("Accept-Language", "en")
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Set(headers[i], headers[i+1])
	}
	return r
}

// do sends a request and holds the answer against what is true of every answer.
func (v *visitor) do(r *http.Request) *answer {
	v.Helper()
	id := rand.Text()
	r.Header.Set("Test-Request", id)
	got, err := v.http.Do(r)
	v.must(err)
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	v.must(err)
	a := &answer{bench: v.bench, status: got.StatusCode, header: got.Header, body: string(body)}
	if n, ok := counters.LoadAndDelete(id); ok {
		a.statements = int(n.(*atomic.Int32).Load())
	}
	if a.status >= 500 && a.status != http.StatusServiceUnavailable {
		v.Errorf("%s %s: %d\n%s", r.Method, r.URL.Path, a.status, v.log.errors())
	}
	for name, values := range a.header {
		v.noLinks(name, strings.Join(values, " "))
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		v.noLinks(r.URL.Path, a.body)
		if key := wordless.FindString(a.doc().Text()); key != "" && !strings.HasPrefix(r.URL.Path, "/_gallery") {
			v.Errorf("%s %s shows the key %q instead of a sentence", r.Method, r.URL.Path, key)
		}
	}
	return a
}

// wordless is a catalogue's key that stands where its sentence should.
var wordless = regexp.MustCompile(`\b(fault|reason|flash|event|error|slot|form|progress|merchants?|checklist|viewer|document|field|state)\.[a-z_]+\b`)

func (v *visitor) get(path string, headers ...string) *answer {
	v.Helper()
	return v.do(v.request(http.MethodGet, path, nil, headers...))
}

func (v *visitor) post(path string, form url.Values, headers ...string) *answer {
	v.Helper()
	r := v.request(http.MethodPost, path, strings.NewReader(form.Encode()), headers...)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return v.do(r)
}

// parts is a multipart form in the order it is written.
type parts struct {
	bytes.Buffer
	w *multipart.Writer
}

func multi(pairs ...string) *parts {
	p := &parts{}
	p.w = multipart.NewWriter(&p.Buffer)
	for i := 0; i+1 < len(pairs); i += 2 {
		_ = p.w.WriteField(pairs[i], pairs[i+1])
	}
	return p
}

func (p *parts) field(name, value string) *parts {
	_ = p.w.WriteField(name, value)
	return p
}

func (p *parts) file(name string, content []byte) *parts {
	w, _ := p.w.CreateFormFile("file", name)
	_, _ = w.Write(content)
	return p
}

// part writes a part with the disposition as it is given.
func (p *parts) part(disposition string, content []byte) *parts {
	w, _ := p.w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {disposition}})
	_, _ = w.Write(content)
	return p
}

func (p *parts) end() io.Reader {
	_ = p.w.Close()
	return &p.Buffer
}

func (v *visitor) upload(merchant models.MerchantID, p *parts, headers ...string) *answer {
	v.Helper()
	r := v.request(http.MethodPost, merchantPath(merchant)+"/documents", p.end(), headers...)
	r.Header.Set("Content-Type", p.w.FormDataContentType())
	return v.do(r)
}

func merchantPath(id models.MerchantID) string { return "/merchants/" + id.String() }

var shop = url.Values{"name": {"Warung Uji"}, "business_type": {"PERSONAL"}, "legal_entity": {"PERSEORANGAN"}, "business_line": {"RETAIL"}, "nationality": {"ID"}}

// with is a form with other values.
func with(form url.Values, pairs ...string) url.Values {
	other := url.Values{}
	for name, values := range form {
		other[name] = values
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		other.Set(pairs[i], pairs[i+1])
	}
	return other
}

// merchant makes one with DOKU's documented checklist: a photo, a KTP with its NIK, a portrait.
func (v *visitor) merchant(pairs ...string) models.MerchantID {
	v.Helper()
	a := v.post("/merchants", with(with(shop, "name", "Warung "+rand.Text()), pairs...))
	id, err := strconv.ParseInt(strings.TrimPrefix(a.header.Get("Location"), "/merchants/"), 10, 64)
	if a.status != http.StatusSeeOther || err != nil {
		v.Fatalf("no merchant: %d %s", a.status, a.fault())
	}
	return models.MerchantID(id)
}

func (a *answer) doc() *goquery.Document {
	a.Helper()
	d, err := goquery.NewDocumentFromReader(strings.NewReader(a.body))
	a.must(err)
	return d
}

// is holds an answer's status against the wanted one.
func (a *answer) is(status int, what string) *answer {
	a.Helper()
	if a.status != status {
		a.Errorf("%s: %d, not %d %s%s", what, a.status, status, a.fault(), a.header.Get("Location"))
	}
	return a
}

// fault is the code of what was refused, wherever the page says it.
func (a *answer) fault() string {
	d := a.doc()
	if reason, ok := d.Find("[data-reason]").Attr("data-reason"); ok {
		return reason
	}
	code, _ := d.Find("[data-fault]").Attr("data-fault")
	return code
}

// slot is a row of the checklist by its category and code.
func (a *answer) slot(category, code string) *goquery.Selection {
	a.Helper()
	s := a.doc().Find(`[data-category="` + category + `"][data-code="` + code + `"]`)
	if s.Length() == 0 {
		a.Fatalf("no slot %s %s", category, code)
	}
	return s.First()
}

func attr(s *goquery.Selection, name string) string {
	value, _ := s.Attr(name)
	return value
}

// document uploads a photo and returns the document's path.
func (v *visitor) document(merchant models.MerchantID, category, code string) string {
	v.Helper()
	a := v.upload(merchant, multi("category", category, "code", code).file("foto.jpg", photo(v)), "HX-Request", "true")
	if a.status != http.StatusOK && a.status != http.StatusAccepted {
		v.Fatalf("no document: %d %s", a.status, a.fault())
	}
	return "/documents/" + attr(a.slot(category, code), "data-document")
}
