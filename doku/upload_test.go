package doku

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"time"
)

// uploads answers tokens one by one and hands uploads to a handler.
func uploads(t *testing.T, handler http.HandlerFunc, change ...func(*Options)) (*Client, *atomic.Int32) {
	tokens := new(atomic.Int32)
	return server(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == Prefix+"/token" {
			io.WriteString(w, `{"token":"token-`+string('0'+rune(tokens.Add(1)))+`"}`)
			return
		}
		handler(w, r)
	}, change...), tokens
}

func photo(body io.Reader, size int64) Upload {
	return Upload{Category: CategoryPhotoProof, FileName: `shop "front".jpg`, Size: size, Body: body}
}

func TestUploadIsStreamedWithItsLength(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789"), 50_000)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c, _ := uploads(t, func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength <= int64(len(content)) || len(r.TransferEncoding) > 0 {
			t.Errorf("length %d, encoding %v", r.ContentLength, r.TransferEncoding)
		}
		if r.Header.Get("Authorization") != "Bearer token-1" || r.Header.Get(HeaderSignature) != "" {
			t.Errorf("headers %v", r.Header)
		}
		parts, err := r.MultipartReader()
		if err != nil {
			t.Error(err)
			return
		}
		var names []string
		for {
			p, err := parts.NextPart()
			if err != nil {
				break
			}
			b, _ := io.ReadAll(p)
			names = append(names, p.FormName())
			if p.FormName() == "file" && (!bytes.Equal(b, content) || p.FileName() != `shop "front".jpg` || p.Header.Get("Content-Type") != "image/jpeg") {
				t.Errorf("%d bytes, %v", len(b), p.Header)
			}
		}
		if strings.Join(names, " ") != "category file" {
			t.Errorf("parts %v", names)
		}
		io.WriteString(w, `{"id":"DCM-1","link":"https://doku.com/1?Expires=1767324245","category":"PHOTO_PROOF"}`)
	}, func(o *Options) { o.Now = func() time.Time { return at } })
	// not a Seeker, and giving little at a time
	got, err := c.UploadFile(background(), photo(iotest.HalfReader(bytes.NewReader(content)), int64(len(content))))
	if err != nil {
		t.Fatal(err)
	}
	want := File{ID: "DCM-1", Link: "https://doku.com/1?Expires=1767324245", Category: "PHOTO_PROOF", LinkExpiresAt: time.Unix(1767324245, 0).UTC()}
	if *got != want {
		t.Errorf("%+v", got)
	}
}

func TestUploadByURL(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	c, _ := uploads(t, func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("file_url") != "https://www.website.domain/logo.png" || r.FormValue("category") != "DOCUMENT" || r.FormValue("code") != "NIB" {
			t.Errorf("%v", r.Form)
		}
		w.Write(fixture(t, "upload_answer.json"))
	}, func(o *Options) { o.Now = func() time.Time { return at } })
	got, err := c.UploadFile(background(), Upload{Category: CategoryDocument, Code: CodeNIB, FileURL: "https://www.website.domain/logo.png"})
	if err != nil || got.ID != "CNT-0104-1676639713907" || got.LinkExpiresAt != at.Add(time.Hour) {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUploadRenewsARefusedTokenOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body            func() io.Reader
		good            string // the token that is taken
		uploads, tokens int32
		succeeds        bool
	}{
		"a seeker":        {func() io.Reader { return strings.NewReader("skipped\xff\xd8\xff") }, "token-2", 2, 2, true},
		"no seeker":       {func() io.Reader { return bytes.NewBufferString("skipped\xff\xd8\xff") }, "token-2", 1, 1, false},
		"no token helps":  {func() io.Reader { return strings.NewReader("skipped\xff\xd8\xff") }, "none", 2, 2, false},
		"first one taken": {func() io.Reader { return strings.NewReader("skipped\xff\xd8\xff") }, "token-1", 1, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var count atomic.Int32
			client, tokens := uploads(t, func(w http.ResponseWriter, r *http.Request) {
				count.Add(1)
				f, _, err := r.FormFile("file")
				if err != nil {
					t.Error(err)
					return
				}
				if b, _ := io.ReadAll(f); string(b) != "\xff\xd8\xff" {
					t.Errorf("%q", b)
				}
				if r.Header.Get("Authorization") != "Bearer "+c.good {
					w.WriteHeader(401)
					return
				}
				io.WriteString(w, `{"id":"DCM-1","link":"","category":"PHOTO_PROOF"}`)
			})
			body := c.body()
			io.CopyN(io.Discard, body, 7) // an upload starts where the reader stands
			_, err := client.UploadFile(background(), photo(body, 3))
			if (err == nil) != c.succeeds || count.Load() != c.uploads || tokens.Load() != c.tokens {
				t.Fatalf("%v; %d uploads, %d tokens", err, count.Load(), tokens.Load())
			}
			if err == nil {
				return
			}
			if e := asError(t, err); e.Status != 401 || !e.Temporary() {
				t.Error(e)
			}
			client.Token(background()) // the refused token must be gone
			if tokens.Load() != c.tokens+1 {
				t.Errorf("%d tokens", tokens.Load())
			}
		})
	}
}

func TestUploadOfABadReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("the disk is gone")
	for name, u := range map[string]Upload{
		"shorter": photo(strings.NewReader("abc"), 4),
		"longer":  photo(strings.NewReader("abcde"), 4),
		"broken":  photo(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(broken)), 4),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			observed := ""
			c, _ := uploads(t, func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.Copy(io.Discard, r.Body); err == nil {
					t.Error("the whole body arrived")
				}
			}, func(o *Options) { o.Observe = func(out Outcome) { observed += out.Call } })
			_, err := c.UploadFile(background(), u)
			if _, ours := errors.AsType[*Error](err); err == nil || ours {
				t.Errorf("%v", err)
			}
			if name == "broken" && !errors.Is(err, broken) {
				t.Errorf("%v", err)
			}
			if observed != CallToken {
				t.Errorf("observed %q: a bad reader says nothing about DOKU", observed)
			}
		})
	}
}

func TestUploadIsCheckedFirst(t *testing.T) {
	t.Parallel()
	c := server(t, func(http.ResponseWriter, *http.Request) { t.Error("something was sent") })
	for name, u := range map[string]Upload{
		"nothing":     {},
		"no source":   {Category: CategoryLogo},
		"two sources": {Category: CategoryLogo, FileURL: "https://example.com/a.png", Body: strings.NewReader("a"), Size: 1, FileName: "a.png"},
		"no size":     {Category: CategoryLogo, Body: strings.NewReader("a"), FileName: "a.png"},
		"no name":     {Category: CategoryLogo, Body: strings.NewReader("a"), Size: 1},
	} {
		if _, err := c.UploadFile(background(), u); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// guarded fails when it is read after UploadFile has returned.
type guarded struct {
	t        *testing.T
	returned atomic.Bool
}

func (g *guarded) Read(p []byte) (int, error) {
	if g.returned.Load() {
		g.t.Error("read after the end")
	}
	return len(p), nil
}

func TestUploadGivesTheReaderBack(t *testing.T) {
	t.Parallel()
	c, _ := uploads(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(400) }) // before the body has come
	g := &guarded{t: t}
	_, err := c.UploadFile(background(), photo(g, 1<<30))
	g.returned.Store(true)
	asError(t, err)
	c.http.CloseIdleConnections()
}

func TestUploadWithoutAnID(t *testing.T) {
	t.Parallel()
	c, _ := uploads(t, say(200, `{"link":"https://doku.com/1","category":"LOGO"}`))
	_, err := c.UploadFile(background(), photo(strings.NewReader("abc"), 3))
	if e := asError(t, err); e.Understood() {
		t.Error(e)
	}
}

func TestLookUpFile(t *testing.T) {
	t.Parallel()
	if _, err := server(t, say(200, "")).LookUpFile(background(), "x"); !errors.Is(err, ErrNoLookup) {
		t.Error(err)
	}
	lookup := func(o *Options) { o.FileLookup = "/file/{id}" }
	c := server(t, func(w http.ResponseWriter, r *http.Request) {
		s := Signed{ClientID: vectorClient, RequestID: r.Header.Get(HeaderRequestID), Timestamp: r.Header.Get(HeaderRequestTimestamp),
			Target: Prefix + "/file/a%2Fb"}
		if r.URL.EscapedPath() != s.Target || !s.Verify(vectorKey, r.Header.Get(HeaderSignature)) {
			t.Errorf("%s", r.URL.EscapedPath())
		}
		io.WriteString(w, `{"id":"a/b","link":"https://doku.com/1","category":"LOGO"}`)
	}, lookup)
	if f, err := c.LookUpFile(background(), "a/b"); err != nil || f.Link != "https://doku.com/1" {
		t.Errorf("%+v, %v", f, err)
	}
	_, err := server(t, say(200, `{"id":"x"}`), lookup).LookUpFile(background(), "x")
	asError(t, err)
}
