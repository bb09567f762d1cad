package handlers

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"berkas/internal/blob"
	"berkas/models"
)

// raw speaks HTTP by hand, for what a client library would not send.
func (v *visitor) raw(head string, body func(net.Conn)) (*http.Response, string) {
	v.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	v.must(err)
	defer conn.Close()
	v.must(conn.SetDeadline(time.Now().Add(time.Minute)))
	u, err := url.Parse(v.url)
	v.must(err)
	cookie := ""
	for _, c := range v.http.Jar.Cookies(u) {
		cookie += c.Name + "=" + c.Value + "; "
	}
	_, err = io.WriteString(conn, strings.ReplaceAll(head, "\n", "\r\n")+"\r\nHost: localhost\r\nCookie: "+cookie+"x=y\r\n\r\n")
	v.must(err)
	body(conn)
	r, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		v.Errorf("%s: no answer: %v", head, err)
		return &http.Response{}, ""
	}
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	v.must(err)
	return r, string(text)
}

func faultOf(html string) string {
	d, err := goquery.NewDocumentFromReader(strings.NewReader(html))
	if err != nil {
		return err.Error()
	}
	return attr(d.Find("[data-fault], [data-reason]").First(), "data-fault") + attr(d.Find("[data-reason]").First(), "data-reason")
}

// A client that has sent all it has to say reads the answer, whatever it was: it is not cut off while it sends.
func TestTheAnswerToTooMuchCanBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	send := func(conn net.Conn, n int) {
		chunk := bytes.Repeat([]byte{'x'}, 1<<20)
		for ; n > 0; n -= len(chunk) {
			if _, err := conn.Write(chunk[:min(n, len(chunk))]); err != nil {
				t.Errorf("cut off with %d to send: %v", n, err)
				return
			}
		}
	}
	for what, c := range map[string]struct {
		head, code string
		size       int
		status     int
		who        *visitor
	}{
		"above the route's limit": {"POST " + merchantPath(id) + "/documents HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\nContent-Length: 78643200", "body_too_large", 75 << 20, 413, staff},
		"a long form":             {"POST /merchants HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\nContent-Length: 4194304", "body_too_large", 4 << 20, 413, staff},
		"nobody's upload":         {"POST " + merchantPath(id) + "/documents HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\nContent-Length: 20971520", "signed_out", 20 << 20, 401, b.nobody()},
		"from another site":       {"POST " + merchantPath(id) + "/documents HTTP/1.1\nSec-Fetch-Site: cross-site\nContent-Length: 20971520", "cross_origin", 20 << 20, 403, staff},
		"to nowhere":              {"POST /nowhere HTTP/1.1\nContent-Length: 20971520", "not_found", 20 << 20, 404, staff},
	} {
		r, html := c.who.raw(c.head, func(conn net.Conn) { send(conn, c.size) })
		if r.StatusCode != c.status || faultOf(html) != c.code {
			t.Errorf("%s: %d %s", what, r.StatusCode, faultOf(html))
		}
	}

	begin := "--x\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nPHOTO_PROOF\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n" + string(photo(t))
	size := 40 << 20
	head := fmt.Sprintf("POST %s/documents HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\nContent-Length: %d", merchantPath(id), len(begin)+size)
	r, html := staff.raw(head, func(conn net.Conn) {
		_, _ = io.WriteString(conn, begin)
		send(conn, size)
	})
	if r.StatusCode != 422 || faultOf(html) != "file_too_large" {
		t.Errorf("40 MB: %d %s", r.StatusCode, faultOf(html))
	}

	r, html = staff.raw("POST "+merchantPath(id)+"/documents HTTP/1.1\nExpect: 100-continue\nContent-Type: multipart/form-data; boundary=x\nContent-Length: 99999999", func(net.Conn) {})
	if r.StatusCode != 413 || faultOf(html) != "body_too_large" {
		t.Errorf("asked first: %d %s", r.StatusCode, faultOf(html))
	}
}

// chunked is a body whose length nobody says.
type chunked struct{ io.Reader }

func TestUploadsOfUnknownLength(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	p := multi("category", "PHOTO_PROOF").file("a.jpg", photo(t))
	r := staff.request("POST", merchantPath(id)+"/documents", chunked{p.end()}, "Content-Type", p.w.FormDataContentType())
	if r.ContentLength > 0 {
		t.Fatal("the length is known")
	}
	staff.do(r).is(303, "chunked")

	big := multi("category", "PHOTO_PROOF").file("a.jpg", append(photo(t), make([]byte, 70<<20)...))
	r = staff.request("POST", merchantPath(id)+"/documents", chunked{big.end()}, "Content-Type", big.w.FormDataContentType())
	a := staff.do(r)
	if a.status != 422 || a.fault() != "file_too_large" {
		t.Errorf("70 MB chunked: %d %s", a.status, a.fault())
	}
	r = staff.request("POST", "/login", chunked{strings.NewReader(strings.Repeat("a=1&", 100<<10))}, "Content-Type", "application/x-www-form-urlencoded")
	staff.do(r).is(413, "a chunked form")
}

// A browser that goes away in the middle of a file leaves nothing.
func TestAClientThatDisconnectsLeavesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	body := "--x\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nPHOTO_PROOF\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\n\r\n" + string(photo(t))
	staff.brokenOff("POST "+merchantPath(id)+"/documents HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000000", body)
	staff.brokenOff("POST "+merchantPath(id)+"/documents HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nTransfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(body), body))
	b.await("both to be over", func() bool {
		return strings.Count(b.log.String(), "method=POST path="+merchantPath(id)+"/documents") == 2
	})
	if n := b.rows("select count(*) from documents"); n != 0 {
		t.Errorf("%d documents", n)
	}
	left := 0
	b.must(b.web.Service.Blobs.Walk(b.Context(), func(_ blob.Ref, _ int64, _ time.Time) error { left++; return nil }))
	if left != 0 {
		t.Errorf("%d files are left", left)
	}
	if strings.Contains(b.log.String(), "level=ERROR") {
		t.Error("it counts as an error of ours")
	}
}

// brokenOff sends the beginning of a request and hangs up.
func (v *visitor) brokenOff(head, body string) {
	v.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(v.url, "http://"))
	v.must(err)
	u, _ := url.Parse(v.url)
	cookie := v.http.Jar.Cookies(u)[0]
	_, err = io.WriteString(conn, head+"\r\nHost: localhost\r\nCookie: "+cookie.Name+"="+cookie.Value+"\r\n\r\n"+body)
	v.must(err)
	v.must(conn.Close())
}

// One who sends a byte now and then is not waited for for ever.
func TestSlowSendersAreBounded(t *testing.T) {
	t.Parallel()
	b := setup(t, func(h *handler) { h.slow = 200 * time.Millisecond })
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	begin := time.Now()
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	b.must(err)
	defer conn.Close()
	u, _ := url.Parse(b.url)
	cookie := staff.http.Jar.Cookies(u)[0]
	_, err = io.WriteString(conn, "POST "+merchantPath(id)+"/documents HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\nCookie: "+cookie.Name+"="+cookie.Value+"\r\n\r\n--x")
	b.must(err)
	_, _ = io.ReadAll(conn)
	if took := time.Since(begin); took > hang {
		t.Errorf("waited %v", took)
	}
}
