// Package static owns the files the browser loads beside the pages: one style sheet, htmx, the script of every page
// and those of single pages, one text face, the icons. They are embedded, and each address carries a hash of the contents, so that a browser may keep them for
// ever. It knows no page and imports nothing of ours.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
)

// Prefix is where Handler expects to be mounted.
const Prefix = "/static/"

//go:embed berkas.css *.js inter.woff2 favicon.svg sample.svg icons.svg licences/*.txt
var files embed.FS

var contentTypes = map[string]string{
	".css":   "text/css; charset=utf-8",
	".js":    "text/javascript; charset=utf-8",
	".woff2": "font/woff2",
	".svg":   "image/svg+xml",
}

type asset struct {
	url         string
	contentType string
	body        []byte
	zipped      []byte // nil when compressing gains nothing
}

type index struct {
	byName map[string]*asset
	byURL  map[string]*asset
}

// load reads the embedded files once. The style sheet comes last: it names the text face by its hashed address.
var load = sync.OnceValue(func() index {
	all := index{byName: map[string]*asset{}, byURL: map[string]*asset{}}
	for _, name := range []string{"inter.woff2", "favicon.svg", "sample.svg", "htmx.js", "berkas.js", "slots.js", "form.js", "viewer.js", "desk.js", "queue.js", "lists.js", "messages.js", "settings.js", "berkas.css"} {
		body, err := files.ReadFile(name)
		if err != nil {
			panic("static: " + err.Error()) // cannot happen: the list above is what is embedded
		}
		extension := path.Ext(name)
		if extension == ".css" {
			for other, a := range all.byName {
				body = bytes.ReplaceAll(body, []byte(`url("`+other+`")`), []byte(`url("`+a.url+`")`))
			}
		}
		sum := sha256.Sum256(body)
		a := &asset{
			url:         Prefix + strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension,
			contentType: contentTypes[extension],
			body:        body,
		}
		if extension != ".woff2" {
			var b bytes.Buffer
			w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
			w.Write(body)
			w.Close()
			a.zipped = b.Bytes()
		}
		all.byName[name], all.byURL[a.url] = a, a
	}
	return all
})

// Icons is the sprite, to stand once in each page: a page's icons then need no request of their own.
var Icons = sync.OnceValue(func() string {
	body, err := files.ReadFile("icons.svg")
	if err != nil {
		panic("static: " + err.Error())
	}
	return strings.ReplaceAll(string(body), "\n", "")
})

// URL is the address of a file, with its hash in it. A name that is not shipped is a mistake of ours and panics; a test
// draws every page.
func URL(name string) string {
	a, ok := load().byName[name]
	if !ok {
		panic("static: no file " + name)
	}
	return a.url
}

// Handler serves the files under Prefix, for ever cacheable, compressed where the browser takes it, and nothing else.
func Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, ok := load().byURL[r.URL.Path]
		switch {
		case !ok:
			http.Error(w, "not found", http.StatusNotFound)
			return
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
			return
		}
		h := w.Header()
		h.Set("Content-Type", a.contentType)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		body := a.body
		if a.zipped != nil {
			h.Set("Vary", "Accept-Encoding")
			if takesGzip(r.Header.Get("Accept-Encoding")) {
				h.Set("Content-Encoding", "gzip")
				body = a.zipped
			}
		}
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if r.Method == http.MethodGet {
			w.Write(body)
		}
	})
}

func takesGzip(acceptEncoding string) bool {
	for part := range strings.SplitSeq(acceptEncoding, ",") {
		coding, params, _ := strings.Cut(strings.TrimSpace(part), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			q := strings.ReplaceAll(params, " ", "")
			return q != "q=0" && !strings.HasPrefix(q, "q=0.0")
		}
	}
	return false
}
