package handlers

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"

	"berkas/internal/fault"
)

const (
	maxParts = 64
	maxPart  = 64 << 10 // bytes of one text field
)

func isMultipart(r *http.Request) bool {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return mediaType == "multipart/form-data"
}

// readFields reads text fields up to the file, which it returns to be read; nil when the form ends without one.
func readFields(parts *multipart.Reader, take func(name, value string)) (*filePart, error) {
	for range maxParts {
		p, err := parts.NextPart()
		if err == io.EOF { // bare only behind the closing boundary
			return nil, nil
		}
		if err != nil {
			return nil, brokenUpload(err)
		}
		if p.FormName() == "file" {
			f, err := openPart(p, parts)
			if f != nil || err != nil {
				return f, err
			}
			continue
		}
		value, err := io.ReadAll(io.LimitReader(p, maxPart+1))
		if err != nil {
			return nil, brokenUpload(err)
		}
		if len(value) > maxPart || !legible(url.Values{p.FormName(): {string(value)}}) {
			return nil, fault.New(fault.Invalid, "form_invalid")
		}
		take(p.FormName(), string(value))
	}
	return nil, fault.New(fault.Invalid, "form_invalid")
}

// filePart is a file, and the end of its form: what a field behind the bytes says would come after the decision.
type filePart struct {
	io.Reader
	name  string
	parts *multipart.Reader
	over  bool
}

// openPart begins a file. A browser sends an empty part without a name for an input nobody used: that is none.
func openPart(p *multipart.Part, parts *multipart.Reader) (*filePart, error) {
	first := make([]byte, 1)
	n, err := io.ReadFull(p, first)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, brokenUpload(err)
	}
	name := rawFileName(p)
	if n == 0 && name == "" {
		return nil, nil
	}
	return &filePart{Reader: io.MultiReader(bytes.NewReader(first[:n]), p), name: name, parts: parts}, nil
}

// rawFileName is the file's name as the browser sent it; the standard library's keeps only what it takes for the base.
func rawFileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil || params["filename"] == "" {
		return p.FileName()
	}
	return params["filename"]
}

func (f *filePart) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == nil || f.over {
		return n, err
	}
	if !errors.Is(err, io.EOF) {
		return n, brokenUpload(err)
	}
	f.over = true
	return n, f.nothingFollows()
}

func (f *filePart) nothingFollows() error {
	for range maxParts {
		p, err := f.parts.NextPart()
		if err == io.EOF {
			return io.EOF
		}
		if err != nil {
			return brokenUpload(err)
		}
		if n, _ := io.ReadFull(p, make([]byte, 1)); n > 0 {
			return fault.New(fault.Invalid, "fields_before_file")
		}
	}
	return fault.New(fault.Invalid, "form_invalid")
}

// brokenUpload is a body that broke off, or went over the route's limit.
func brokenUpload(err error) error {
	if f, _ := asFault(err); f.Kind == fault.TooLarge {
		return f
	}
	return fault.Wrap(err, fault.Invalid, "upload_failed")
}
