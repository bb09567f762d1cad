package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
)

// visitor is somebody's browser without a screen: it keeps cookies and follows nothing by itself.
type visitor struct {
	base     string
	client   *http.Client
	fragment bool // asks for parts of pages, as htmx does
}

func newVisitor(base string) *visitor {
	jar, _ := cookiejar.New(nil)
	return &visitor{base: base, client: &http.Client{Jar: jar, Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// staff is a visitor who signed in with one click, as one of the staff.
func staff(t testing.TB, p *process) *visitor {
	t.Helper()
	return demoVisitor(t, p, "staff")
}

func demoVisitor(t testing.TB, p *process, role string) *visitor {
	t.Helper()
	v := newVisitor(p.url)
	if a := v.must(t, "POST", "/login/demo", url.Values{"email": {role + "@berkas.test"}}); a.status != http.StatusSeeOther {
		t.Fatalf("the demo sign-in was answered %d", a.status)
	}
	return v
}

// signIn tries a password.
func (v *visitor) signIn(t testing.TB, email, password string) int {
	t.Helper()
	return v.must(t, "POST", "/login", url.Values{"email": {email}, "password": {password}}).status
}

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) page() *goquery.Document {
	d, err := goquery.NewDocumentFromReader(bytes.NewReader(a.body))
	if err != nil {
		panic(err) // of bytes in memory: cannot fail
	}
	return d
}

func (v *visitor) send(method, where, contentType string, body io.Reader) (answer, error) {
	if !strings.HasPrefix(where, "http") {
		where = v.base + where
	}
	r, err := http.NewRequest(method, where, body)
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if v.fragment {
		r.Header.Set("HX-Request", "true")
	}
	got, err := v.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	b, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, b}, err
}

func (v *visitor) ask(method, where string, form url.Values) (answer, error) {
	if form == nil {
		return v.send(method, where, "", nil)
	}
	return v.send(method, where, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

func (v *visitor) must(t testing.TB, method, where string, form url.Values) answer {
	t.Helper()
	a, err := v.ask(method, where, form)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (v *visitor) get(t testing.TB, where string) answer {
	t.Helper()
	return v.must(t, "GET", where, nil)
}

// newMerchant makes a person's shop and returns its address; its checklist has three places.
func (v *visitor) newMerchant(t testing.TB, name string) string {
	t.Helper()
	a := v.must(t, "POST", "/merchants", url.Values{"name": {name}, "business_type": {"PERSONAL"}, "legal_entity": {"PERSEORANGAN"}, "business_line": {"RETAIL"}, "nationality": {"ID"}})
	if a.status != http.StatusSeeOther {
		t.Fatalf("the new merchant was answered %d:\n%s", a.status, a.body)
	}
	merchant := path.Clean(a.header.Get("Location"))
	eventually(t, settleTime, "the checklist", func() bool {
		return v.get(t, merchant).page().Find("[data-checklist=ready]").Length() == 1
	})
	return merchant
}

// place is where a document belongs.
type place struct{ category, code string }

var (
	ktp     = place{"DOCUMENT", "KTP"}
	premise = place{"PHOTO_PROOF", ""}
	selfie  = place{"OWNER_LIVENESS", ""}
)

const nik = "3171234567890123"

// upload posts one file as a script would.
func (v *visitor) upload(merchant string, to place, name string, content []byte, fields ...string) (answer, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fields = append([]string{"category", to.category, "code", to.code}, fields...)
	for i := 0; i < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	part, _ := w.CreateFormFile("file", name)
	_, _ = part.Write(content)
	_ = w.Close()
	return v.send("POST", merchant+"/documents", w.FormDataContentType(), &b)
}

func (v *visitor) mustUpload(t testing.TB, merchant string, to place, content []byte, fields ...string) {
	t.Helper()
	a, err := v.upload(merchant, to, "photo.jpg", content, fields...)
	if err != nil || a.status != http.StatusSeeOther {
		t.Fatalf("the upload was answered %d, %v: %s\n%.2000s", a.status, err, reason(a), a.body)
	}
}

var reasonAttribute = regexp.MustCompile(`data-(?:reason|fault)="([^"]*)"`)

// reason is why an upload was refused.
func reason(a answer) string {
	if m := reasonAttribute.FindSubmatch(a.body); m != nil {
		return string(m[1])
	}
	return ""
}

// slot is what a merchant's page says of one place.
func (v *visitor) slot(where string, p place) (state, document, fileID string, err error) {
	a, err := v.ask("GET", where, nil)
	if err != nil || a.status != http.StatusOK {
		return "", "", "", errors.Join(err, fmt.Errorf("the merchant's page was answered %d", a.status))
	}
	s := a.page().Find(fmt.Sprintf("[data-category=%q][data-code=%q]", p.category, p.code))
	return s.AttrOr("data-state", ""), s.AttrOr("data-document", ""), s.AttrOr("data-file-id", ""), nil
}

// delivered waits until a place's file has its id, and returns the document's address.
func (v *visitor) delivered(t testing.TB, merchant string, p place, within time.Duration) string {
	t.Helper()
	var state, document, fileID string
	var err error
	if late := wait(within, func() bool {
		state, document, fileID, err = v.slot(merchant, p)
		return err == nil && state == "delivered"
	}); late != nil || fileID == "" {
		t.Fatalf("%v: state %q, document %q, file id %q: %v, %v", p, state, document, fileID, late, err)
	}
	return "/documents/" + document
}

// photo is a small picture unlike any other.
func photo() []byte {
	var noise [48]byte
	_, _ = rand.Read(noise[:])
	img := image.NewRGBA(image.Rect(0, 0, 160, 120))
	for i := range 16 {
		shade := color.RGBA{noise[3*i], noise[3*i+1], noise[3*i+2], 255}
		for y := range 30 {
			for x := range 40 {
				img.Set(i%4*40+x, i/4*30+y, shade)
			}
		}
	}
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil) // into memory: cannot fail
	return b.Bytes()
}
