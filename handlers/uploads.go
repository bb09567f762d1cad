package handlers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

const (
	maxParts     = 64
	maxPart      = 64 << 10                // bytes of one text field
	deliveryWait = 1200 * time.Millisecond // a quick delivery shows at once, a slow one when it is done
	drainTime    = 30 * time.Second
)

// createDocument takes one file, part by part: the text fields, then the file, which goes straight to where it is kept.
// It uses neither c.FormFile nor c.Bind: those would spill the file in clear to a temporary folder.
func (h *handler) createDocument(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	in, err := readUpload(c.Request(), id)
	var done onboarding.Uploaded
	if err == nil {
		done, err = h.Service.Upload(c.Request().Context(), actor(c), in)
	}
	drain(c)
	if fault.Is(err, fault.Invalid) && done.Slot != 0 {
		return h.refuseSlot(c, id, done.Slot, fault.As(err), in.Fields)
	}
	if err != nil {
		return err
	}
	state := h.awaitDelivery(c.Request().Context(), id, done.Document)
	if wantsFragment(c) {
		status := http.StatusAccepted
		if state == models.Delivered {
			status = http.StatusOK
		}
		return h.drawSlot(c, status, id, done.Slot, func(v *views.SlotView) { showTyped(v, done.Refused, in.Fields) })
	}
	if len(done.Refused) > 0 {
		flash(c, "bad", "field_refused")
	}
	return see(c, views.MerchantURL(int64(id))+"#slot-"+formatID(done.Slot))
}

func formatID(id models.SlotID) string { return strconv.FormatInt(int64(id), 10) }

// readUpload reads the text fields and stops at the file, which is left to be read as Body.
func readUpload(r *http.Request, id models.MerchantID) (onboarding.UploadInput, error) {
	in := onboarding.UploadInput{Merchant: id, Fields: map[string]string{}}
	if mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); mediaType != "multipart/form-data" {
		return in, plainUpload(r, &in)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return in, fault.Wrap(err, fault.Invalid, "upload_failed")
	}
	for range maxParts {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		if err != nil {
			return in, brokenUpload(err)
		}
		if p.FormName() != "file" {
			if err := takeField(&in, p); err != nil {
				return in, err
			}
			continue
		}
		found, err := takeFile(&in, p, parts)
		if found || err != nil {
			return in, err
		}
	}
	return in, fault.New(fault.Invalid, "form_invalid")
}

// plainUpload is a form without a file: only an address can be in it.
func plainUpload(r *http.Request, in *onboarding.UploadInput) error {
	r.Body = http.MaxBytesReader(nil, r.Body, limitForm)
	if err := r.ParseForm(); err != nil {
		return fault.Wrap(err, fault.Invalid, "form_invalid")
	}
	for name := range r.PostForm {
		setField(in, name, r.PostForm.Get(name))
	}
	return nil
}

func takeField(in *onboarding.UploadInput, p *multipart.Part) error {
	value, err := io.ReadAll(io.LimitReader(p, maxPart+1))
	if err != nil {
		return brokenUpload(err)
	}
	if len(value) > maxPart {
		return fault.New(fault.Invalid, "form_invalid")
	}
	setField(in, p.FormName(), string(value))
	return nil
}

func setField(in *onboarding.UploadInput, name, value string) {
	switch name {
	case "category":
		in.Category = strings.TrimSpace(value)
	case "code":
		in.Code = strings.TrimSpace(value)
	case "slot":
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			in.Slot = models.SlotID(n)
		}
	case "file_url":
		in.FileURL = strings.TrimSpace(value)
	default:
		if code, ok := strings.CutPrefix(name, "form_"); ok {
			in.Fields[code] = value
		}
	}
}

// takeFile makes a file part the body of the upload. A browser sends an empty part for an input nobody used: that one is
// passed over.
func takeFile(in *onboarding.UploadInput, p *multipart.Part, parts *multipart.Reader) (bool, error) {
	first := make([]byte, 1)
	n, err := io.ReadFull(p, first)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, brokenUpload(err)
	}
	if n == 0 && p.FileName() == "" {
		return false, nil
	}
	if in.Category == "" {
		return true, fault.New(fault.Invalid, "fields_before_file")
	}
	if in.FileURL != "" {
		return true, fault.New(fault.Invalid, "file_or_url")
	}
	in.FileName = rawFileName(p)
	in.Body = &lastPart{Reader: io.MultiReader(bytes.NewReader(first[:n]), p), parts: parts}
	return true, nil
}

// rawFileName is the file's name as the browser sent it; the standard library's keeps only what it takes for the base.
func rawFileName(p *multipart.Part) string {
	_, params, err := mime.ParseMediaType(p.Header.Get("Content-Disposition"))
	if err != nil || params["filename"] == "" {
		return p.FileName()
	}
	return params["filename"]
}

// lastPart is a file after which no field may come: what comes after the bytes would come after the decision.
type lastPart struct {
	io.Reader
	parts *multipart.Reader
	over  bool
}

func (l *lastPart) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if err == nil || l.over {
		return n, err
	}
	if !errors.Is(err, io.EOF) {
		return n, brokenUpload(err)
	}
	l.over = true
	return n, l.nothingFollows()
}

func (l *lastPart) nothingFollows() error {
	for range maxParts {
		p, err := l.parts.NextPart()
		if errors.Is(err, io.EOF) {
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

// drain reads what is left of a refused body, within the route's limit: a browser shows no answer before it has sent all.
func drain(c echo.Context) {
	_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.Copy(io.Discard, c.Request().Body)
}

// awaitDelivery gives a fresh document a moment to reach DOKU, and says where it stands then.
func (h *handler) awaitDelivery(ctx context.Context, id models.MerchantID, doc models.DocumentID) models.DeliveryState {
	ctx, cancel := context.WithTimeout(ctx, deliveryWait)
	defer cancel()
	changed, stop := h.Watch.Subscribe(id)
	defer stop()
	for {
		d, err := h.Reader.Document(ctx, doc)
		if err != nil {
			return models.Waiting
		}
		if d.State != models.Waiting && d.State != models.Sending || d.State == models.Waiting && d.Attempts > 0 {
			return d.State
		}
		select {
		case <-ctx.Done():
			return d.State
		case <-changed:
		}
	}
}
