package handlers

import (
	"context"
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

// deliveryWait is what a quick delivery may take: it shows at once, a slow one when it is done.
const deliveryWait = 1200 * time.Millisecond

// createDocument takes one file, part by part: the text fields, then the file, which goes straight to where it is kept.
// It uses neither c.FormFile nor c.Bind: those would spill the file in clear to a temporary folder.
func (h *handler) createDocument(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	in, err := readUpload(c.Request(), id)
	if err != nil {
		return err
	}
	done, err := h.Service.Upload(ctx, actor(c), in)
	if fault.Is(err, fault.Invalid) && done.Slot != 0 {
		drain(c)
		return h.refuseSlot(c, id, done.Slot, fault.As(err), in.Fields)
	}
	if err != nil {
		return err
	}
	state := h.awaitDelivery(ctx, id, done.Document, 0)
	if wantsFragment(c) {
		status := http.StatusAccepted
		if state == models.Delivered {
			status = http.StatusOK
		}
		return h.drawSlot(c, status, id, done.Slot, func(v *views.SlotView) {
			if len(done.Refused) > 0 {
				showTyped(v, done.Refused, in.Fields)
			}
		})
	}
	if len(done.Refused) > 0 {
		h.flash(c, "bad", "field_refused")
		h.keepTyped(c, done.Slot, in.Fields)
	}
	return see(c, slotAnchor(id, done.Slot))
}

// slotAnchor is a slot's row on its merchant's page.
func slotAnchor(id models.MerchantID, slot models.SlotID) string {
	return views.MerchantURL(int64(id)) + "#slot-" + strconv.FormatInt(int64(slot), 10)
}

// readUpload reads the text fields and stops at the file, which is left to be read as Body.
func readUpload(r *http.Request, id models.MerchantID) (onboarding.UploadInput, error) {
	in := onboarding.UploadInput{Merchant: id, Fields: map[string]string{}}
	if !isMultipart(r) {
		return in, plainUpload(r, &in)
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return in, fault.Wrap(err, fault.Invalid, "form_invalid")
	}
	f, err := readFields(parts, func(name, value string) { setField(&in, name, value) })
	switch {
	case err != nil || f == nil:
		return in, err
	case in.Category == "":
		return in, fault.New(fault.Invalid, "fields_before_file")
	case in.FileURL != "": // said when the slot was found, so that it can be said there
		in.FileURL, in.Body = "", refused{fault.New(fault.Invalid, "file_or_url")}
		return in, nil
	}
	in.FileName, in.Body = f.name, f
	return in, nil
}

// refused is a body that is none.
type refused struct{ why error }

func (r refused) Read([]byte) (int, error) { return 0, r.why }

// plainUpload is a form without a file: only an address can be in it.
func plainUpload(r *http.Request, in *onboarding.UploadInput) error {
	r.Body = http.MaxBytesReader(nil, r.Body, limitForm)
	if err := r.ParseForm(); err != nil || !legible(r.PostForm) {
		return fault.Wrap(err, fault.Invalid, "form_invalid")
	}
	for name := range r.PostForm {
		setField(in, name, r.PostForm.Get(name))
	}
	return nil
}

func setField(in *onboarding.UploadInput, name, value string) {
	switch name {
	case "category":
		in.Category = strings.TrimSpace(value)
	case "code":
		in.Code = strings.TrimSpace(value)
	case "slot":
		in.Slot = slotNamed(value)
	case "file_url":
		in.FileURL = strings.TrimSpace(value)
	default:
		if code, ok := strings.CutPrefix(name, "form_"); ok {
			in.Fields[code] = value
		}
	}
}

// slotNamed is the slot a form names: 0 when it leaves that open, one that never is when it is no id.
func slotNamed(value string) models.SlotID {
	if value = strings.TrimSpace(value); value == "" {
		return 0
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < 1 {
		return -1
	}
	return models.SlotID(n)
}

// awaitDelivery gives a document that was tried so many times before a moment to reach DOKU, and says where it stands
// then.
func (h *handler) awaitDelivery(ctx context.Context, id models.MerchantID, doc models.DocumentID, attempts int) models.DeliveryState {
	ctx, cancel := context.WithTimeout(ctx, deliveryWait)
	defer cancel()
	changed, stop := h.Watch.Subscribe(id)
	defer stop()
	for {
		state, tried, err := h.Reader.Underway(ctx, doc)
		if err != nil {
			return models.Waiting
		}
		underway := state == models.Sending || state == models.Waiting && tried <= attempts
		if !underway {
			return state
		}
		select {
		case <-ctx.Done():
			return state
		case <-changed:
		}
	}
}
