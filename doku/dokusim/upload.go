package dokusim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode"

	"berkas/doku"
)

const (
	// MaxFileSize is the largest upload: DOKU's max_size of 15 in the larger of the two readings of a megabyte (assumed).
	MaxFileSize = 15 << 20

	maxText  = 4 << 10
	maxParts = 20
)

// incoming is an upload while it is being read. The file goes to the vault as it comes; nothing holds all of it.
type incoming struct {
	category, code, fileURL string
	fileName                string
	body                    *sealedWriter
	size                    int64
	head                    []byte // the first bytes, by which the content is known
	sum                     hash.Hash
	seen                    map[string]bool
}

// problem is why an upload is refused.
type problem struct {
	status  int
	message string
}

func (p *problem) Error() string { return p.message }

func bad(message string) error { return &problem{http.StatusBadRequest, message} }

// upload answers Upload File. (page "Upload File API")
func (s *Simulator) upload(r *http.Request) answer {
	partner, ok := s.bearer(r)
	if !ok {
		return refuse(http.StatusUnauthorized, "the token is missing, expired or not ours")
	}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return refuse(http.StatusUnsupportedMediaType, "the body must be multipart/form-data")
	}
	in := &incoming{sum: sha256.New(), seen: map[string]bool{}}
	defer func() { in.body.Discard() }()
	err = s.receive(in, multipart.NewReader(r.Body, params["boundary"]))
	if err == nil {
		err = s.examine(in)
	}
	var f *file
	if err == nil {
		f, err = s.keep(in, partner)
	}
	var p *problem
	switch {
	case errors.As(err, &p):
		return refuse(p.status, p.message)
	case err != nil:
		s.log.Error("dokusim: an upload cannot be stored", "err", err)
		return refuse(http.StatusInternalServerError, "the simulator cannot store the file")
	}
	return s.fileAnswer(f, r)
}

// fileAnswer has exactly the three documented fields.
func (s *Simulator) fileAnswer(f *file, r *http.Request) answer {
	return okay(struct {
		ID       string `json:"id"`
		Link     string `json:"link"`
		Category string `json:"category"`
	}{f.ID, s.link(f, r), f.Category})
}

// receive reads the parts in whatever order they come.
func (s *Simulator) receive(in *incoming, parts *multipart.Reader) error {
	for range maxParts {
		part, err := parts.NextPart()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return bad("the request is incomplete")
		}
		if err := s.receivePart(in, part); err != nil {
			return err
		}
	}
	return bad("the request has too many parts")
}

func (s *Simulator) receivePart(in *incoming, part *multipart.Part) error {
	name := part.FormName()
	texts := map[string]*string{"category": &in.category, "code": &in.code, "file_url": &in.fileURL}
	to := texts[name]
	if to == nil && name != "file" {
		return nil // NextPart skips it
	}
	if in.seen[name] {
		return bad(name + " is given twice")
	}
	in.seen[name] = true
	if to == nil {
		return s.receiveFile(in, part)
	}
	text, err := io.ReadAll(io.LimitReader(part, maxText+1))
	switch {
	case err != nil:
		return bad("the request is incomplete")
	case len(text) > maxText:
		return bad(name + " is too long")
	}
	*to = string(text)
	return nil
}

func (s *Simulator) receiveFile(in *incoming, part *multipart.Part) error {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return bad("file has a malformed header")
	}
	in.fileName = params["filename"]
	body := io.LimitReader(part, MaxFileSize+1)
	if in.fileName == "" {
		return emptyPart(in, body)
	}
	if in.body, err = s.vault.create(); err != nil {
		return err
	}
	_, err = io.Copy(in, body)
	switch {
	case in.size > MaxFileSize:
		return &problem{http.StatusRequestEntityTooLarge, "file is larger than 15 MB"}
	case errors.Is(err, errVault):
		return err
	case err != nil:
		return bad("the request is incomplete")
	}
	return nil
}

// emptyPart is how a web form sends a file that was not chosen: without a name and without bytes.
func emptyPart(in *incoming, body io.Reader) error {
	in.seen["file"] = false
	if n, _ := io.CopyN(io.Discard, body, 1); n > 0 {
		return bad("file needs a file name")
	}
	return nil
}

var errVault = errors.New("dokusim: the vault cannot be written")

// Write takes the file's bytes.
func (in *incoming) Write(p []byte) (int, error) {
	if missing := 16 - len(in.head); missing > 0 {
		in.head = append(in.head, p[:min(missing, len(p))]...)
	}
	in.size += int64(len(p))
	in.sum.Write(p)
	n, err := in.body.Write(p)
	if err != nil {
		err = errors.Join(errVault, err)
	}
	return n, err
}

// examine checks what can be checked only when all parts are there. What happens to both or neither of file and
// file_url, and to unknown values, is assumed.
func (s *Simulator) examine(in *incoming) error {
	switch {
	case in.category == "":
		return bad("category must be given")
	case !slices.Contains(doku.Categories(), in.category):
		return bad("category is unknown")
	case in.category == doku.CategoryDocument && in.code == "":
		return bad("code must be given with category DOCUMENT")
	case in.category == doku.CategoryDocument && !slices.Contains(doku.Codes(), in.code):
		return bad("code is unknown")
	case in.seen["file"] == (in.fileURL != ""):
		return bad("give either file or file_url")
	case in.seen["file"] && in.size == 0:
		return bad("file is empty")
	}
	if in.category != doku.CategoryDocument {
		in.code = ""
	}
	if in.fileURL != "" {
		if err := s.receiveURL(in); err != nil {
			return err
		}
	}
	return s.examineName(in)
}

func (s *Simulator) examineName(in *incoming) error {
	extension := strings.ToLower(strings.TrimPrefix(path.Ext(in.fileName), "."))
	s.mu.Lock()
	allowed := s.matrix.allowed(in.category, in.code, s.state.overridden())
	s.mu.Unlock()
	switch {
	case len(in.fileName) > 255 || strings.ContainsFunc(in.fileName, unicode.IsControl):
		return bad("the file name is not acceptable")
	case !slices.Contains(allowed, extension):
		return bad("the file must be one of " + strings.ToUpper(strings.Join(unique(allowed), ", ")))
	case contentOf(in.head) != contentTypes[extension]:
		return bad("the file's content does not fit its extension")
	}
	return nil
}

func unique(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

var contentTypes = map[string]string{
	"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "pdf": "application/pdf",
}

// contentOf knows a file by its first bytes.
func contentOf(head []byte) string {
	for magic, kind := range map[string]string{
		"\x89PNG\r\n\x1a\n": "image/png", "\xff\xd8\xff": "image/jpeg", "%PDF-": "application/pdf",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return kind
		}
	}
	return "unknown"
}

// receiveURL takes a file_url for a file. The simulator never fetches it: a call from outside must not make this machine
// fetch anything. The URL only has to look like one DOKU could fetch, and its file is a sample picture drawn here,
// always the same for the same URL, of the kind the URL's extension says.
func (s *Simulator) receiveURL(in *incoming) (err error) {
	u, err := url.Parse(in.fileURL)
	if err != nil || u.Scheme != "https" || u.User != nil || !doku.PublicHost(u.Hostname()) {
		return bad("file_url must be an https URL of a public host")
	}
	in.fileName = path.Base(u.Path)
	sample := drawSample(in.fileURL, strings.ToLower(path.Ext(in.fileName)))
	if sample == nil {
		return bad("file_url must lead to a picture or a PDF")
	}
	if in.body, err = s.vault.create(); err != nil {
		return err
	}
	_, err = io.Copy(in, bytes.NewReader(sample))
	return err
}

// keep gives the file an id. Its bytes are durable before its record is, and its record before the answer.
func (s *Simulator) keep(in *incoming, partner Partner) (*file, error) {
	s.mu.Lock()
	f := &file{
		ID: s.state.newID(idPrefix(in.category), s.now()), Partner: partner.ClientID, Category: in.category, Code: in.code,
		Extension: strings.ToLower(strings.TrimPrefix(path.Ext(in.fileName), ".")), ContentType: contentOf(in.head),
		Size: in.size, SHA256: hex.EncodeToString(in.sum.Sum(nil)), At: s.now(),
	}
	s.mu.Unlock()
	if err := in.body.Keep(f.ID); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return f, s.commit(change{Files: []*file{f}})
}

// idPrefix: DOKU's samples show CNT for OWNER_LIVENESS and DCM for other uploads.
func idPrefix(category string) string {
	if category == doku.CategoryOwnerLiveness {
		return "CNT"
	}
	return "DCM"
}
