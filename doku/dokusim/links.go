package dokusim

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

const linkPrefix = "/sim/oss/"

// link signs a fresh link, in the form of the pre-signed storage URL on the page "Get Business Data API".
func (s *Simulator) link(f *file, r *http.Request) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.linkLocked(f, r)
}

func (s *Simulator) linkLocked(f *file, r *http.Request) string {
	base := s.baseURL
	if base == "" {
		base = "http://" + r.Host
		if r.TLS != nil {
			base = "https://" + r.Host
		}
	}
	where := linkPrefix + "UAT/" + f.ID + "." + f.Extension
	if f.Business != "" {
		where = linkPrefix + "UAT/" + f.Business + "/" + f.Category + "/" + f.ID + "." + f.Extension
	}
	expires := strconv.FormatInt(s.now().Add(s.linkTTL).Unix(), 10)
	return base + where + "?Expires=" + expires + "&OSSAccessKeyId=sim&Signature=" + url.QueryEscape(s.linkSignature(where, expires))
}

func (s *Simulator) linkSignature(where, expires string) string {
	mac := hmac.New(sha256.New, s.linkKey)
	io.WriteString(mac, where+"\n"+expires)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// followLink gives a file's bytes to whoever holds a good link, and 403 after Expires as the storage does.
func (s *Simulator) followLink(r *http.Request) answer {
	q := r.URL.Query()
	expires, signature := q.Get("Expires"), q.Get("Signature")
	if !hmac.Equal([]byte(s.linkSignature(r.URL.Path, expires)), []byte(signature)) {
		return storageError(http.StatusForbidden, "SignatureDoesNotMatch", "The request signature does not match.")
	}
	seconds, err := strconv.ParseInt(expires, 10, 64)
	name := path.Base(r.URL.Path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil || !s.now().Before(time.Unix(seconds, 0)) {
		return storageError(http.StatusForbidden, "AccessDenied", "Request has expired.")
	}
	f := s.state.files[strings.TrimSuffix(name, path.Ext(name))]
	if f == nil {
		return storageError(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
	}
	return answer{status: http.StatusOK, file: f}
}

func storageError(status int, code, message string) answer {
	return answer{
		status: status, contentType: "application/xml",
		body: []byte("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" + message + "</Message></Error>\n"),
	}
}

// stream sends a file, decrypted chunk by chunk.
func (s *Simulator) stream(w http.ResponseWriter, r *http.Request, a answer) {
	f := a.file
	body, err := s.vault.open(f.blob(), f.Size)
	if err != nil {
		s.log.Error("dokusim: a stored file cannot be opened", "id", f.ID, "err", err)
		http.Error(w, "the simulator has lost the file", http.StatusInternalServerError)
		return
	}
	defer body.Close()
	h := w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("ETag", `"`+f.SHA256[:32]+`"`)
	switch {
	case a.short:
		h.Set("Content-Length", strconv.FormatInt(f.Size/2, 10))
		_, _ = io.CopyN(w, body, f.Size/2)
	case a.cut:
		h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
		_, _ = io.CopyN(w, body, f.Size/2)
		abort(w)
	case a.corrupt:
		h.Set("Content-Length", strconv.FormatInt(f.Size, 10))
		_, _ = io.Copy(w, flipped{body})
	default:
		http.ServeContent(w, r, "", f.At, body)
	}
}

// flipped turns every bit around.
type flipped struct{ io.Reader }

func (f flipped) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	for i := range p[:n] {
		p[i] ^= 0xff
	}
	return n, err
}
