package dokusim_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
)

var (
	pngHead = []byte("\x89PNG\r\n\x1a\nrest")
	pdfHead = []byte("%PDF-1.7\nrest")
)

func TestUploadsAreTakenAndRefused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		category, code, name string
		content              []byte
		want                 int
	}{
		{doku.CategoryPhotoProof, "", "a.jpg", picture(""), 200},
		{doku.CategoryPhotoProof, "", "a.JPEG", picture(""), 200},
		{doku.CategoryPhotoProof, "KTP", "a.png", pngHead, 200},
		{doku.CategoryDocument, "KTP", "ktp depan.pdf", pdfHead, 200},
		{doku.CategoryDocument, "IZIN_PMB", "a.pdf", pdfHead, 200},
		{doku.CategoryServiceAgreement, "", "a.pdf", pdfHead, 200},
		{doku.CategoryBankAccount, "", "a.pdf", pdfHead, 200},
		{doku.CategoryPhotoProof, "", "a.pdf", pdfHead, 400},
		{doku.CategoryLogo, "", "a.pdf", pdfHead, 400},
		{doku.CategoryOwnerLiveness, "", "a.pdf", pdfHead, 400},
		{doku.CategoryPhotoProof, "", "a.gif", []byte("GIF89a"), 400},
		{doku.CategoryPhotoProof, "", "a.png", picture(""), 400},
		{doku.CategoryPhotoProof, "", "a.jpg", []byte("hello"), 400},
		{doku.CategoryPhotoProof, "", "jpg", picture(""), 400},
		{doku.CategoryPhotoProof, "", "a.jpg.exe", picture(""), 400},
		{doku.CategoryPhotoProof, "", strings.Repeat("a", 252) + ".jpg", picture(""), 400},
		{doku.CategoryPhotoProof, "", "a\x01.jpg", picture(""), 400},
		{"SELFIE", "", "a.jpg", picture(""), 400},
		{doku.CategoryDocument, "", "a.jpg", picture(""), 400},
		{doku.CategoryDocument, "SIM", "a.jpg", picture(""), 400},
		{doku.CategoryDocument, "IZIN_EDAR_ALAT_KESEHATAN, IZIN_KERAMAIAN", "a.jpg", picture(""), 400},
		{doku.CategoryPhotoProof, "", "a.jpg", append(picture(""), make([]byte, dokusim.MaxFileSize)...), 413},
	} {
		f, err := b.client.UploadFile(ctx(), upload(c.category, c.code, c.name, c.content))
		got := 200
		if err != nil {
			got = status(err)
		}
		if got != c.want {
			t.Errorf("%s %s %.20q: %v", c.category, c.code, c.name, err)
		}
		if err == nil && (f.Category != c.category || f.LinkExpiresAt != start.Add(time.Hour)) {
			t.Errorf("%+v", f)
		}
	}
	largest := append(picture(""), make([]byte, dokusim.MaxFileSize-len(picture("")))...)
	f := b.upload(doku.CategoryLogo, "", largest)
	if got, _ := b.open(f.Link); !bytes.Equal(got, largest) {
		t.Error("the largest file came back different")
	}
	if err := b.as(us).Probe(ctx()); err != nil {
		t.Error(err)
	}
}

// post sends a multipart body made by hand.
func (b *bench) post(contentType string, body []byte) (int, map[string]any) {
	b.Helper()
	req, _ := http.NewRequest("POST", b.server.URL+doku.Prefix+"/file", bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+b.token())
	req.Header.Set("Content-Type", contentType)
	code, text := b.raw(req)
	var m map[string]any
	json.Unmarshal([]byte(text), &m)
	return code, m
}

func (b *bench) token() string {
	b.Helper()
	body := []byte(`{"grant_type":"client_credentials"}`)
	req, _ := http.NewRequest("POST", b.server.URL+doku.Prefix+"/token", bytes.NewReader(body))
	s := doku.Signed{ClientID: us.ClientID, RequestID: doku.NewRequestID(), Timestamp: doku.Timestamp(start), Target: doku.Prefix + "/token", Body: body}
	req.Header.Set("Client-Id", s.ClientID)
	req.Header.Set("Request-Id", s.RequestID)
	req.Header.Set("Request-Timestamp", s.Timestamp)
	req.Header.Set("Signature", s.Signature(us.SecretKey))
	_, text := b.raw(req)
	var answer struct{ Token string }
	json.Unmarshal([]byte(text), &answer)
	return answer.Token
}

// parts makes a multipart body of "name=value" and "file=name" parts, the latter with a picture.
func parts(list ...string) (string, []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for _, item := range list {
		name, value, _ := strings.Cut(item, "=")
		if name == "file" {
			p, _ := w.CreateFormFile("file", value)
			if value != "" {
				p.Write(picture(""))
			}
			continue
		}
		w.WriteField(name, value)
	}
	w.Close()
	return w.FormDataContentType(), b.Bytes()
}

func TestUploadPartsInAnyOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for want, lists := range map[int][][]string{
		200: {
			{"category=LOGO", "file=a.jpg"}, {"file=a.jpg", "category=LOGO"}, {"file=a.jpg", "code=KTP", "category=DOCUMENT"},
			{"other=1", "category=LOGO", "file=a.jpg", "more=2"}, {"category=LOGO", "file=", "file_url=https://www.website.domain/a.png"},
			{"category=LOGO", "file=a.jpg", "file_url="},
		},
		400: {
			{}, {"category=LOGO"}, {"file=a.jpg"}, {"category=LOGO", "file=a.jpg", "file_url=https://www.website.domain/a.png"},
			{"category=LOGO", "category=LOGO", "file=a.jpg"}, {"category=LOGO", "file=a.jpg", "file=b.jpg"}, {"category=LOGO", "file="},
			{"category=" + strings.Repeat("x", 5000), "file=a.jpg"}, strings.Split(strings.Repeat("x=1 ", 40)+"category=LOGO", " "),
		},
	} {
		for _, list := range lists {
			code, answer := b.post(parts(list...))
			if code != want || code == 200 && (len(answer) != 3 || answer["id"] == "" || answer["link"] == "" || answer["category"] == "") {
				t.Errorf("%.80q: %d %v", list, code, answer)
			}
		}
	}
	kind, whole := parts("category=LOGO", "file=a.jpg")
	if code, _ := b.post(kind, whole[:len(whole)/2]); code != 400 {
		t.Errorf("an incomplete body: %d", code)
	}
	for _, kind := range []string{"application/json", "multipart/form-data", "multipart/mixed; boundary=x", ""} {
		if code, _ := b.post(kind, whole); code != 415 {
			t.Errorf("%q: %d", kind, code)
		}
	}
}

func TestLinksDieAndFilesLive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	body := b.registration()
	content := picture("looked at")
	f := b.upload(doku.CategoryLogo, "", content)
	for _, step := range []struct {
		advance time.Duration
		want    int
	}{{0, 200}, {59*time.Minute + 59*time.Second, 200}, {time.Second, 403}, {-time.Hour, 200}, {2 * time.Hour, 403}} {
		if err := b.sim.Advance(step.advance); err != nil {
			t.Fatal(err)
		}
		got, code := b.open(f.Link)
		if code != step.want || code == 200 && !bytes.Equal(got, content) {
			t.Errorf("after %s: %d", step.advance, code)
		}
	}
	// two hours on, the ids of files whose links are dead still register
	if _, err := b.client.RegisterBusiness(ctx(), doku.NewRequestID(), marshal(body)); err != nil {
		t.Error(err)
	}
}

func TestLinksCannotBeForged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.upload(doku.CategoryLogo, "", picture("1")), b.upload(doku.CategoryLogo, "", picture("2"))
	for name, link := range map[string]string{
		"another file":  strings.Replace(one.Link, one.ID, two.ID, 1),
		"a longer life": strings.Replace(one.Link, "Expires=", "Expires=9", 1),
		"no signature":  one.Link[:strings.Index(one.Link, "&Signature")],
		"nothing":       one.Link[:strings.Index(one.Link, "?")],
	} {
		if _, code := b.open(link); code != 403 {
			t.Errorf("%s: %d", name, code)
		}
	}
}

func TestLinksTakeRangesAndHead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	content := picture(strings.Repeat("0123456789", 30_000))
	f := b.upload(doku.CategoryLogo, "", content)
	req, _ := http.NewRequest("GET", f.Link, nil)
	req.Header.Set("Range", "bytes=65530-131080")
	if code, got := b.raw(req); code != 206 || got != string(content[65530:131081]) {
		t.Errorf("%d, %d bytes", code, len(got))
	}
	res, err := http.Head(f.Link)
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	if res.StatusCode != 200 || res.ContentLength != int64(len(content)) || res.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
}

func TestBaseURLOfLinks(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *dokusim.Options) { o.BaseURL = "https://sim.example/"; o.LinkTTL = time.Minute })
	f := b.upload(doku.CategoryLogo, "", picture(""))
	if !strings.HasPrefix(f.Link, "https://sim.example/sim/oss/UAT/") || f.LinkExpiresAt != start.Add(time.Minute) {
		t.Errorf("%+v", f)
	}
	b.sim.SetBaseURL(b.server.URL)
	if _, code := b.open(b.upload(doku.CategoryLogo, "", picture("")).Link); code != 200 {
		t.Errorf("%d", code)
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *dokusim.Options) { o.FileLookup = true })
	f := b.upload(doku.CategoryLogo, "", picture("x"))
	b.sim.Advance(2 * time.Hour)
	again, err := b.client.LookUpFile(ctx(), f.ID)
	if err != nil || again.ID != f.ID || again.Link == f.Link {
		t.Fatalf("%+v, %v", again, err)
	}
	if _, code := b.open(again.Link); code != 200 {
		t.Errorf("%d", code)
	}
	for name, c := range map[string]*doku.Client{"another partner": b.as(them), "unknown": b.client} {
		id := map[string]string{"another partner": f.ID, "unknown": "DCM-1"}[name]
		if _, err := c.LookUpFile(ctx(), id); status(err) != 404 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := setup(t).client.LookUpFile(ctx(), f.ID); status(err) != 404 {
		t.Errorf("switched off: %v", err)
	}
}
