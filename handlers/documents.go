package handlers

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// fileCSP lets a browser show bytes and nothing they may contain.
const fileCSP = "default-src 'none'; sandbox; frame-ancestors 'none'"

// pageWidth is how wide a PDF's page is drawn, in pixels.
const pageWidth = 1400

// showDocument is the viewer. With ?preload=1 it is only loaded ahead, for a reviewer who will see it next.
func (h *handler) showDocument(c echo.Context) error {
	id, err := documentID(c)
	if err != nil {
		return err
	}
	if wantsFragment(c) && c.Request().Header.Get("HX-Target") == views.AtDOKU {
		return h.drawAtDOKU(c, id)
	}
	if wantsFragment(c) {
		return h.drawStages(c, id)
	}
	return h.drawDocument(c, http.StatusOK, id, nil)
}

// drawAtDOKU draws where a document stands at DOKU, which looking at it has just changed. It is no look of its own.
func (h *handler) drawAtDOKU(c echo.Context, id models.DocumentID) error {
	ctx := c.Request().Context()
	d, err := h.Reader.Document(ctx, id)
	if err != nil {
		return err
	}
	m, err := h.Reader.Merchant(ctx, d.MerchantID)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.DocumentAtDOKU(h.documentFacts(c, d, m)))
}

// drawDocument draws a document's page; change, if any, says in it what was refused just now.
func (h *handler) drawDocument(c echo.Context, status int, id models.DocumentID, change func(*views.DocumentPage)) error {
	ctx := c.Request().Context()
	d, err := h.Reader.Document(ctx, id)
	if err != nil {
		return err
	}
	decides := can(c, auth.DecideDocuments)
	var look onboarding.Look
	if decides && c.QueryParam("preload") != "" {
		look, err = h.Service.PreloadDocument(ctx, actor(c), d)
	} else {
		look, err = h.Service.ViewedDocument(ctx, actor(c), d, decides)
	}
	if err != nil {
		return err
	}
	s, err := h.sight(ctx, actor(c), id)
	if err != nil {
		return err
	}
	v, err := h.documentPage(c, s, look, false)
	if err != nil {
		return err
	}
	if change != nil {
		change(&v)
	}
	return render(c, status, views.Document(v))
}

func (h *handler) documentPage(c echo.Context, s sight, look onboarding.Look, clear bool) (v views.DocumentPage, err error) {
	d, m := s.document, s.merchant.Merchant
	v = h.documentFacts(c, d, m)
	if v.Page, err = h.page(c, v.SlotName+" · "+m.Name, "merchants"); err != nil {
		return v, err
	}
	for _, other := range s.row.Documents {
		v.Versions = append(v.Versions, documentView(other, mayChange(c, m)))
	}
	looks, err := h.Reader.Looks(c.Request().Context(), d.ID, looksShown)
	if err != nil {
		return v, err
	}
	for _, l := range looks {
		v.Looks = append(v.Looks, views.LookView{Who: l.Who, At: l.OpenedAt, Open: time.Duration(l.OpenMS) * time.Millisecond})
	}
	if err := h.compare(c, s, &v); err != nil {
		return v, err
	}
	v.Review, err = h.reviewPanel(c, s, look, clear)
	return v, err
}

// looksShown is how many looks at a document its page tells of.
const looksShown = 50

// drawStages draws the document, and another one beside it where that is asked for, for a page that shows it already.
func (h *handler) drawStages(c echo.Context, id models.DocumentID) error {
	s, err := h.sight(c.Request().Context(), actor(c), id)
	if err != nil {
		return err
	}
	v := h.documentFacts(c, s.document, s.merchant.Merchant)
	v.Review.Filter = readReviewFilter(c.QueryParams())
	if err := h.compare(c, s, &v); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Stages(v))
}

// compare is what a document can be compared with, earlier versions first, and the one that stands beside it: looking at
// that is recorded too.
func (h *handler) compare(c echo.Context, s sight, v *views.DocumentPage) error {
	ctx, other := c.Request().Context(), c.QueryParam("compare")
	rows := append([]models.ChecklistRow{s.row}, slices.DeleteFunc(slices.Clone(s.rows), func(r models.ChecklistRow) bool { return r.ID == s.row.ID })...)
	for _, row := range rows {
		for _, d := range row.Documents {
			name := documentName(ctx, d.Category, d.Code)
			if d.ID == s.document.ID {
				continue
			}
			v.Comparable = append(v.Comparable, views.Option{Value: d.ID.String(), Text: words.T(ctx, "viewer.compare_option", "document", name, "n", d.Version)})
			if d.ID.String() != other {
				continue
			}
			look, err := h.Service.ViewedDocument(ctx, actor(c), d, false)
			if err != nil {
				return err
			}
			v.Beside = &views.StageView{Document: documentView(d, rights{}), Name: name, Rotation: d.Rotation,
				Source: h.source(d, s.merchant.Merchant, onboarding.LinkFresh(d, h.Now())), Look: int64(look.ID)}
		}
	}
	return nil
}

// documentFacts is what a document's page says of the document itself.
func (h *handler) documentFacts(c echo.Context, d models.Document, m models.Merchant) views.DocumentPage {
	name, may := documentName(c.Request().Context(), d.Category, d.Code), mayChange(c, m)
	v := views.DocumentPage{Document: documentView(d, may), SlotName: name, Category: d.Category, Code: d.Code, SlotID: int64(d.SlotID),
		MerchantID: int64(m.ID), MerchantName: m.Name, Rotation: d.Rotation, SHA256: shaText(d),
		Fresh: onboarding.LinkFresh(d, h.Now()), LinkUntil: at(d.LinkExpiresAt), RefreshedAt: at(d.LinkRefreshedAt),
		Sharpness: d.Sharpness, TakenAt: at(d.TakenAt), CanRotate: can(c, auth.ViewDocuments), CanUpload: may.upload && !may.archived}
	v.Source = h.source(d, m, v.Fresh)
	return v
}

// source is where the bytes will most likely come from: the page says so before they are fetched.
func (h *handler) source(d models.Document, m models.Merchant, fresh bool) string {
	switch {
	case d.PurgedAt != nil && d.FileID != "", d.State == models.Delivered && (fresh || m.BrandID != "" || h.Service.FileLookup):
		return onboarding.FromDOKU
	case d.BlobRef != "" && d.PurgedAt == nil:
		return onboarding.FromOriginal
	}
	return "none"
}

func (h *handler) openDocument(c echo.Context) error {
	id, err := documentID(c)
	if err != nil {
		return err
	}
	o, err := h.Service.OpenDocument(c.Request().Context(), actor(c), id)
	if err != nil {
		return err
	}
	defer o.Close()
	head := bytesHeader(c, o.ContentType)
	head.Set("Berkas-Source", o.Source)
	head.Set("Content-Disposition", disposition(c.QueryParam("download") != "", o.Document, o.ContentType))
	if o.Size >= 0 {
		head.Set("Content-Length", strconv.FormatInt(o.Size, 10))
	}
	head.Set("Accept-Ranges", "none")
	c.Response().WriteHeader(http.StatusOK)
	if c.Request().Method == http.MethodHead {
		return nil
	}
	if _, err := io.Copy(c.Response(), o); err != nil {
		h.Log.Warn("a document broke off", "id", requestID(c), "document", o.Document.ID, "error", err)
		panic(http.ErrAbortHandler) // the reader must see that it is not whole
	}
	return nil
}

// bytesHeader is what every answer that is somebody's bytes carries.
func bytesHeader(c echo.Context, contentType string) http.Header {
	head := c.Response().Header()
	head.Set("Content-Security-Policy", fileCSP)
	head.Set("Content-Type", contentType)
	return head
}

// disposition names a file as RFC 6266 says: a plain name for old readers, the true one in UTF-8.
func disposition(download bool, d models.Document, contentType string) string {
	name := d.FileName
	if name == "" {
		name = orElse(d.Code, d.Category)
	}
	if path.Ext(name) == "" {
		name += map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "application/pdf": ".pdf"}[contentType]
	}
	ascii := strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e || strings.ContainsRune(`"\%;`, r) {
			return '_'
		}
		return r
	}, name)
	kind := "inline"
	if download {
		kind = "attachment"
	}
	return fmt.Sprintf(`%s; filename="%s"; filename*=UTF-8''%s`, kind, ascii, strings.ReplaceAll(url.QueryEscape(name), "+", "%20"))
}

func (h *handler) openThumbnail(c echo.Context) error {
	id, err := documentID(c)
	if err != nil {
		return err
	}
	jpeg, err := h.Service.OpenThumbnail(c.Request().Context(), id)
	if err != nil {
		return err
	}
	return sendJPEG(c, jpeg)
}

func sendJPEG(c echo.Context, jpeg []byte) error {
	bytesHeader(c, "image/jpeg").Set("Content-Length", strconv.Itoa(len(jpeg)))
	return c.Blob(http.StatusOK, "image/jpeg", jpeg)
}

func (h *handler) openPage(c echo.Context) error {
	doc, err := documentID(c)
	if err != nil {
		return err
	}
	n, err := id[int64](c, "page")
	if err != nil {
		return err
	}
	jpeg, err := h.Service.OpenPage(c.Request().Context(), actor(c), doc, int(min(n, 1<<20)), pageWidth)
	if err != nil {
		return err
	}
	return sendJPEG(c, jpeg)
}

func (h *handler) retryDocument(c echo.Context) error {
	id, err := documentID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	d, err := h.Service.Retry(ctx, actor(c), id)
	if fault.Is(err, fault.Invalid) {
		return h.refuseSlot(c, d.MerchantID, d.SlotID, fault.As(err), nil)
	}
	if err == nil && d.Problem != onboarding.LostAtDOKU {
		h.awaitDelivery(ctx, d.MerchantID, id, d.Attempts)
	}
	if d.Problem == onboarding.LostAtDOKU {
		return h.changedDocument(c, "document_lost", d, err)
	}
	return h.changedDocument(c, "document_retried", d, err)
}

func (h *handler) withdrawDocument(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	id, err := documentID(c)
	if err != nil {
		return err
	}
	d, err := h.Service.Withdraw(c.Request().Context(), actor(c), id, f.Get("why"))
	if fault.Is(err, fault.Invalid) {
		refused := fault.As(err)
		keep := func(v *views.DocumentView) {
			v.Why, v.WhyError = f.Get("why"), &views.Message{Code: refused.Code, Params: refused.Params}
		}
		if !wantsFragment(c) {
			return h.drawDocument(c, http.StatusUnprocessableEntity, id, func(v *views.DocumentPage) { keep(&v.Document) })
		}
		return h.drawSlot(c, http.StatusUnprocessableEntity, d.MerchantID, d.SlotID, func(v *views.SlotView) {
			if v.Document != nil && v.Document.ID == int64(id) {
				v.Poll = false
				keep(v.Document)
			}
		})
	}
	return h.changedDocument(c, "document_withdrawn", d, err)
}

// changedDocument answers what was done to a document.
func (h *handler) changedDocument(c echo.Context, done string, d models.Document, err error) error {
	if err != nil {
		return err
	}
	if !wantsFragment(c) {
		h.flash(c, "good", done)
	}
	return h.answerSlot(c, d.MerchantID, d.SlotID)
}

func (h *handler) rotateDocument(c echo.Context) error {
	id, f, err := documentForm(c)
	if err != nil {
		return err
	}
	quarters, err := strconv.Atoi(f.Get("quarters"))
	if err != nil {
		return fault.New(fault.Invalid, "unknown_choice")
	}
	if err := h.Service.Rotate(c.Request().Context(), actor(c), id, quarters); err != nil {
		return err
	}
	if wantsFragment(c) {
		return c.NoContent(http.StatusNoContent)
	}
	return see(c, views.DocumentURL(int64(id)))
}
