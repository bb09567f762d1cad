package doku

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// LinkLifetime is how long a link is good, as noted on the page "Upload File API". The file id lives on.
const LinkLifetime = time.Hour

// Upload is one file for DOKU: either Body with its Size, or FileURL.
type Upload struct {
	Category    Category
	Code        Code // only with CategoryDocument
	FileName    string
	ContentType string // "" takes it from FileName
	Size        int64  // bytes; Body must hold exactly as many
	Body        io.Reader
	FileURL     string // handed to DOKU as it is
}

// File is an uploaded file. Its answer tells neither the code nor the size: the caller remembers which upload it was.
type File struct {
	ID            string
	Link          string // a secret: whoever has it needs no sign-in
	Category      Category
	LinkExpiresAt time.Time // 60 minutes after the answer, or earlier when the link itself says so
}

// UploadFile sends one file, as on the page "Upload File API". The body is streamed with a known length and is not
// touched after UploadFile returned. A refused token is renewed and the upload repeated once, provided that the body is
// an io.Seeker or a FileURL; otherwise the *Error with status 401 comes back and the next call starts with a new token.
//
// The call is not idempotent: an upload whose answer is lost leaves an unused file id at DOKU, which is harmless. A body
// that fails, or is shorter or longer than Size, gives an error that is no *Error.
func (c *Client) UploadFile(ctx context.Context, u Upload) (*File, error) {
	form, err := newForm(u)
	if err != nil {
		return nil, err
	}
	rewind := rewinder(u.Body)
	file, err := c.uploadOnce(ctx, form)
	if !tokenRefused(err) || rewind == nil {
		return file, err
	}
	if err := rewind(); err != nil {
		return nil, fmt.Errorf("doku: upload: rewinding the file: %w", err)
	}
	return c.uploadOnce(ctx, form)
}

func (c *Client) uploadOnce(ctx context.Context, form *form) (*File, error) {
	token, err := c.token(ctx, false)
	if err != nil {
		return nil, err
	}
	file, err := c.upload(ctx, token, form)
	if tokenRefused(err) {
		c.tokens.drop(token)
	}
	return file, err
}

func (c *Client) upload(ctx context.Context, token string, form *form) (*File, error) {
	body := &lease{from: form.body, left: form.size}
	defer body.end()
	r := &request{
		call: CallUpload, id: NewRequestID(), method: http.MethodPost, target: Prefix + "/file",
		header: http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {form.contentType}},
		body:   io.MultiReader(bytes.NewReader(form.head), body, bytes.NewReader(form.tail)),
		source: body, length: form.length(), timeout: uploadTimeout,
	}
	var file *File
	err := c.do(ctx, r, func(a *answer) (err error) {
		file, err = readFile(a)
		return err
	})
	if err != nil {
		return nil, err
	}
	if file.Category == "" {
		file.Category = form.category
	}
	return file, nil
}

func tokenRefused(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Call == CallUpload && e.Status == http.StatusUnauthorized
}

// rewinder returns the way back to where the body stands now; nil when there is none.
func rewinder(body io.Reader) func() error {
	if body == nil {
		return func() error { return nil }
	}
	seeker, ok := body.(io.Seeker)
	if !ok {
		return nil
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil
	}
	return func() error {
		_, err := seeker.Seek(start, io.SeekStart)
		return err
	}
}

// form is the multipart body around a file: everything but the file is made beforehand, which gives the length.
type form struct {
	category    string
	contentType string
	head, tail  []byte
	body        io.Reader
	size        int64
}

func (f *form) length() int64 { return int64(len(f.head)) + f.size + int64(len(f.tail)) }

func newForm(u Upload) (*form, error) {
	switch {
	case u.Category == "":
		return nil, errors.New("doku: upload: Category must be set")
	case (u.Body == nil) == (u.FileURL == ""):
		return nil, errors.New("doku: upload: give either Body or FileURL")
	case u.Body != nil && (u.Size <= 0 || u.FileName == ""):
		return nil, errors.New("doku: upload: Body needs FileName and a positive Size")
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b) // writing to memory cannot fail
	_ = w.WriteField("category", u.Category)
	if u.Code != "" {
		_ = w.WriteField("code", u.Code)
	}
	f := &form{category: u.Category, contentType: w.FormDataContentType()}
	if u.FileURL != "" {
		_ = w.WriteField("file_url", u.FileURL)
	} else {
		_, _ = w.CreatePart(textproto.MIMEHeader{
			"Content-Disposition": {multipart.FileContentDisposition("file", u.FileName)},
			"Content-Type":        {contentType(u)},
		})
		f.body, f.size = u.Body, u.Size
	}
	at := b.Len()
	_ = w.Close()
	f.head, f.tail = b.Bytes()[:at], b.Bytes()[at:]
	return f, nil
}

func contentType(u Upload) string {
	if u.ContentType != "" {
		return u.ContentType
	}
	if t := mime.TypeByExtension(strings.ToLower(path.Ext(u.FileName))); t != "" {
		return t
	}
	return "application/octet-stream"
}

// lease lends the caller's reader to net/http, which may go on reading after it has answered, and takes it back. It also
// holds the reader to its announced length and keeps the reader's own failure apart from the network's.
type lease struct {
	mu     sync.Mutex
	from   io.Reader
	left   int64
	ended  bool
	broken error
}

var errLeaseEnded = errors.New("the file was taken back")

func (l *lease) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.ended:
		return 0, errLeaseEnded
	case l.broken != nil:
		return 0, l.broken
	case l.from == nil:
		return 0, io.EOF
	case l.left == 0:
		return 0, l.expectEnd()
	}
	n, err := l.from.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	switch {
	case err == io.EOF && l.left > 0:
		l.broken = errors.New("it is shorter than its size")
	case err != nil && err != io.EOF:
		l.broken = err
	}
	return n, l.broken
}

func (l *lease) expectEnd() error {
	var one [1]byte
	for range 100 {
		n, err := l.from.Read(one[:])
		switch {
		case n > 0:
			l.broken = errors.New("it is longer than its size")
			return l.broken
		case err == io.EOF:
			return io.EOF
		case err != nil:
			l.broken = err
			return err
		}
	}
	l.broken = io.ErrNoProgress
	return l.broken
}

// end takes the reader back.
func (l *lease) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
}

// failure is what was wrong with the reader itself. It takes a nil lease.
func (l *lease) failure() error {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// LookUpFile asks for a new link of a file by its id. DOKU documents no such call: path and answer are assumed, and the
// call exists only where Options.FileLookup names it. Otherwise it returns ErrNoLookup.
func (c *Client) LookUpFile(ctx context.Context, fileID string) (*File, error) {
	if c.lookup == "" {
		return nil, ErrNoLookup
	}
	where := strings.ReplaceAll(c.lookup, "{id}", url.PathEscape(fileID))
	r := c.signed(CallLookup, NewRequestID(), http.MethodGet, where, "", nil)
	var file *File
	err := c.do(ctx, r, func(a *answer) (err error) {
		if file, err = readFile(a); err == nil && file.Link == "" {
			err = errors.New("the answer holds no link")
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return file, nil
}

// ErrNoLookup says that no lookup by file id is configured.
var ErrNoLookup = errors.New("doku: no lookup by file id is configured")

func readFile(a *answer) (*File, error) {
	root, err := parseTree(a.body)
	if err != nil {
		return nil, err
	}
	f := &File{ID: root.get("id").str(), Link: root.get("link").str(), Category: root.get("category").value()}
	if f.ID == "" {
		return nil, errors.New("the answer holds no file id")
	}
	if f.Link != "" {
		f.LinkExpiresAt = linkExpiry(f.Link, a.at)
	}
	return f, nil
}

// linkExpiry is when a link received at a given time dies: after 60 minutes, or when its own Expires (Unix seconds, as in
// the sample on "Get Business Data API") says so, whichever is earlier.
func linkExpiry(link string, at time.Time) time.Time {
	expiry := at.Add(LinkLifetime)
	u, err := url.Parse(link)
	if err != nil {
		return expiry
	}
	seconds, err := strconv.ParseInt(u.Query().Get("Expires"), 10, 64)
	if own := time.Unix(seconds, 0).UTC(); err == nil && seconds > 0 && own.Before(expiry) {
		return own
	}
	return expiry
}
