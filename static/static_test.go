package static

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, method, url, encoding string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, url, nil)
	if encoding != "" {
		r.Header.Set("Accept-Encoding", encoding)
	}
	w := httptest.NewRecorder()
	Handler().ServeHTTP(w, r)
	return w.Result()
}

func TestHandler(t *testing.T) {
	for name, contentType := range map[string]string{
		"berkas.css": "text/css; charset=utf-8", "berkas.js": "text/javascript; charset=utf-8", "htmx.js": "text/javascript; charset=utf-8", "slots.js": "text/javascript; charset=utf-8",
		"inter.woff2": "font/woff2", "favicon.svg": "image/svg+xml", "sample.svg": "image/svg+xml",
	} {
		url := URL(name)
		if !regexp.MustCompile(`^/static/\w+\.[0-9a-f]{12}\.\w+$`).MatchString(url) {
			t.Errorf("%s is at %s", name, url)
		}
		plain := get(t, "GET", url, "")
		body, _ := io.ReadAll(plain.Body)
		if plain.StatusCode != 200 || plain.Header.Get("Content-Type") != contentType || plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: %d %v", name, plain.StatusCode, plain.Header)
		}
		if plain.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || plain.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %v", name, plain.Header)
		}
		if name != "inter.woff2" {
			zipped := get(t, "GET", url, "br, gzip")
			if zipped.Header.Get("Content-Encoding") != "gzip" || zipped.Header.Get("Vary") != "Accept-Encoding" {
				t.Fatalf("%s: %v", name, zipped.Header)
			}
			r, err := gzip.NewReader(zipped.Body)
			if err != nil {
				t.Fatal(err)
			}
			if same, err := io.ReadAll(r); err != nil || !bytes.Equal(same, body) {
				t.Errorf("%s differs when compressed", name)
			}
			if refused := get(t, "GET", url, "gzip;q=0"); refused.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s was compressed against the browser's wish", name)
			}
		}
		if head := get(t, "HEAD", url, ""); head.StatusCode != 200 || head.Header.Get("Content-Length") == "0" {
			t.Errorf("HEAD %s: %v", name, head.Header)
		}
		if post := get(t, "POST", url, ""); post.StatusCode != 405 {
			t.Errorf("POST %s: %d", name, post.StatusCode)
		}
	}
	for _, url := range []string{"/static/", "/static/berkas.css", "/static/berkas.000000000000.css", "/static/licences/htmx.txt", "/static/../static.go"} {
		if r := get(t, "GET", url, ""); r.StatusCode != 404 {
			t.Errorf("GET %s: %d", url, r.StatusCode)
		}
	}
}

// Each icon of the sprite is drawn somewhere, and each icon that is drawn is in the sprite.
func TestIcons(t *testing.T) {
	shipped := map[string]bool{}
	for _, m := range regexp.MustCompile(`id="i-(\w+)"`).FindAllStringSubmatch(Icons(), -1) {
		shipped[m[1]] = true
	}
	files, err := filepath.Glob("../views/*")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "berkas.js", "slots.js", "form.js", "viewer.js", "desk.js", "queue.js")
	var sources strings.Builder
	for _, file := range files {
		if strings.HasSuffix(file, "_templ.go") || strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(text)
	}
	text := sources.String()
	for name := range shipped {
		if !strings.Contains(text, `"`+name+`"`) && !strings.Contains(text, "#i-"+name) {
			t.Errorf("icon %s is shipped and never drawn", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?:@icon\(|emptyState\(|chip\([^,\n]*, )"(\w+)"`).FindAllStringSubmatch(text, -1) {
		if !shipped[m[1]] {
			t.Errorf("icon %s is drawn and not shipped", m[1])
		}
	}
}

// What every page loads stays within the budget: 100 KB over the wire, of which pages and their own scripts may use 40.
func TestWeight(t *testing.T) {
	total := 0
	for _, name := range []string{"berkas.css", "berkas.js", "htmx.js", "inter.woff2", "favicon.svg"} {
		a := load().byName[name]
		n := len(a.body)
		if a.zipped != nil {
			n = len(a.zipped)
		}
		t.Logf("%s %d", name, n)
		total += n
	}
	if total > 60_000 {
		t.Errorf("the files of a first page weigh %d bytes", total)
	}
}

func TestNothingLeavesTheOrigin(t *testing.T) {
	for name, a := range load().byName {
		if name == "htmx.js" || strings.HasSuffix(name, ".woff2") {
			continue
		}
		body := strings.ReplaceAll(string(a.body), "http://www.w3.org/", "")
		if strings.Contains(body, "http://") || strings.Contains(body, "https://") || strings.Contains(body, `url("inter`) {
			t.Errorf("%s names another origin, or a file without its hash", name)
		}
	}
}
