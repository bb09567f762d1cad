package paper

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"io"
	"math"
	"regexp"
	"strconv"
	"time"

	"berkas/internal/fault"
)

const (
	// pageLimit is how long reading a document and drawing one page may take; ordinary pages take 5 to 700 ms.
	pageLimit = 10 * time.Second

	maxPageWidth  = 2400 // pixels
	maxPageHeight = 6000
	maxPagePixels = 8_400_000 // a page of A4 at maxPageWidth
	pageQuality   = 82        // of the JPEG

	// headroom is what most documents need beside their bytes and the drawn page: a photo of 12 megapixels on it.
	headroom = 48 << 20
)

// Answers of FPDF_GetLastError.
const (
	pdfErrPassword = 4
	pdfErrSecurity = 5 // encrypted in a way that pdfium does not know
)

// Flags of FPDF_RenderPageBitmap.
const (
	pdfAnnotations = 0x01
	pdfRGBA        = 0x10
)

func (i *Inspector) inspectPDF(ctx context.Context, size int64, open Source) (Facts, error) {
	facts := Facts{Orientation: 1}
	pages, err := i.draw(ctx, size, open, drawing{
		page: 1, width: thumbnailSide, height: thumbnailSide,
		use: func(page *image.RGBA) (err error) {
			facts.Thumbnail, err = thumbnail(page)
			return err
		},
	})
	facts.Pages = pages
	if err == errNoRoom && pages > 0 {
		facts.Thumbnail = nil
		err = nil // a document whose first page needs more than the budget: taken, without a thumbnail
	}
	return facts, refused(err)
}

// RenderPage draws a page of a PDF (the first is 1) as a JPEG of this width in pixels, at most 2400 and less where the
// page would exceed 6000 pixels in height or 8.4 megapixels; it tells how many pages there are. Faults: those of
// Inspect, NotFound "page_missing", and Invalid "page_not_drawn" for a page that is broken or needs more time or memory
// than it gets.
func (i *Inspector) RenderPage(ctx context.Context, size int64, open Source, page, width int) (jpegBytes []byte, pages int, err error) {
	var out bytes.Buffer
	pages, err = i.draw(ctx, size, open, drawing{
		page: page, width: min(max(width, 1), maxPageWidth), height: maxPageHeight,
		use: func(page *image.RGBA) error {
			return jpeg.Encode(&out, page, &jpeg.Options{Quality: pageQuality})
		},
	})
	if pages > 0 && (err == errNoRoom || fault.Code(err) == "file_corrupt") {
		err = fault.Wrap(err, fault.Invalid, "page_not_drawn", "page", page)
	}
	if err != nil {
		return nil, pages, refused(err)
	}
	return out.Bytes(), pages, nil
}

// refused: a document that does not even open within the whole budget is made to do harm.
func refused(err error) error {
	if err == errNoRoom {
		return corrupt(err)
	}
	return err
}

// drawing is a page to be drawn within a box of pixels, and what to do with it while it lies in pdfium's memory.
type drawing struct {
	page          int
	width, height int
	use           func(*image.RGBA) error
}

// draw opens the document and draws one page of it. The page count is known even where drawing fails. A document is
// given room for what most need, and when that is too little the whole budget.
func (i *Inspector) draw(ctx context.Context, size int64, open Source, d drawing) (pages int, err error) {
	if most := i.budget.size - wasmBase - 8<<20; size > most {
		return 0, fault.New(fault.Invalid, "file_too_large", "max", most)
	}
	if err := i.pdfium.lock(ctx); err != nil {
		return 0, err
	}
	defer i.pdfium.unlock()
	if err := i.pdfium.start(ctx); err != nil {
		return 0, err
	}
	usual := wasmBase + size + headroom + 4*int64(min(d.width*d.height, maxPagePixels))
	for _, space := range []int64{min(usual, i.budget.size), i.budget.size} {
		pages, err = i.drawWithin(ctx, space, size, open, d)
		if err != errNoRoom {
			break
		}
	}
	return pages, err
}

func (i *Inspector) drawWithin(ctx context.Context, space, size int64, open Source, d drawing) (pages int, err error) {
	if err := i.budget.take(ctx, space); err != nil {
		return 0, err
	}
	defer i.budget.give(space)
	s, err := open.stream(ctx)
	if err != nil {
		return 0, err
	}
	defer s.Close()

	limited, cancel := context.WithTimeout(ctx, i.pageLimit)
	defer cancel()
	r := &room{max: space}
	err = i.pdfium.engine.run(limited, r, func(in *instance) {
		document := in.load(s, size)
		pages = in.callInt("FPDF_GetPageCount", document)
		in.draw(document, pages, d)
	})
	switch {
	case ctx.Err() != nil:
		return pages, ctx.Err()
	case r.refused && s.failed == nil && fault.Code(err) != "file_password_protected":
		return pages, errNoRoom // whatever it says then: pdfium leaves out of a page what does not fit
	}
	return pages, s.verdict(err)
}

// load reads the document into the instance's memory and opens it there.
func (i *instance) load(s *stream, size int64) (document uint64) {
	at := i.alloc(uint64(size))
	space := i.view(at, uint64(size))
	if i.err != nil {
		return 0
	}
	n, err := io.ReadFull(s, space)
	if err != nil && err != io.ErrUnexpectedEOF {
		i.fail(err)
		return 0
	}
	i.fail(checkPDF(space[:n]))
	document = i.call("FPDF_LoadMemDocument", at, uint64(n), 0)
	locked := false
	if document == 0 {
		reason := i.call("FPDF_GetLastError")
		locked = reason == pdfErrPassword || reason == pdfErrSecurity
	} else {
		locked = i.callInt("FPDF_GetSecurityHandlerRevision", document) != -1
	}
	switch {
	case i.err != nil:
	case locked:
		i.fail(fault.New(fault.Invalid, "file_password_protected"))
	case document == 0:
		i.fail(corruptf("pdfium cannot open it"))
	}
	return document
}

func (i *instance) draw(document uint64, pages int, d drawing) {
	switch {
	case i.err != nil:
		return
	case pages < 1:
		i.fail(corruptf("no pages"))
		return
	case d.page < 1 || d.page > pages:
		i.fail(fault.New(fault.NotFound, "page_missing", "page", d.page, "pages", pages))
		return
	}
	page := i.call("FPDF_LoadPage", document, uint64(d.page-1))
	if page == 0 {
		i.fail(corruptf("page %d does not load", d.page))
		return
	}
	w, h, ok := fit(i.callFloat("FPDF_GetPageWidthF", page), i.callFloat("FPDF_GetPageHeightF", page), d)
	if !ok {
		i.fail(corruptf("page %d has no size", d.page))
		return
	}
	if drawn := i.bitmap(page, w, h); i.err == nil {
		i.fail(d.use(drawn))
	}
}

// bitmap draws a page on white. The picture lies in the instance's memory.
func (i *instance) bitmap(page, w, h uint64) *image.RGBA {
	bitmap := i.call("FPDFBitmap_Create", w, h, 0)
	if bitmap == 0 {
		i.fail(errNoRoom)
	}
	i.call("FPDFBitmap_FillRect", bitmap, 0, 0, w, h, 0xffffffff)
	i.call("FPDF_RenderPageBitmap", bitmap, page, 0, 0, w, h, 0, pdfAnnotations|pdfRGBA)
	stride := i.call("FPDFBitmap_GetStride", bitmap)
	pixels := i.view(i.call("FPDFBitmap_GetBuffer", bitmap), stride*h)
	for a := 3; a < len(pixels); a += 4 {
		pixels[a] = 0xff // pdfium leaves this byte to chance
	}
	return &image.RGBA{Pix: pixels, Stride: int(stride), Rect: image.Rect(0, 0, int(w), int(h))}
}

// fit is the largest size in pixels, in the proportions of a page of w by h points, within the box of d.
func fit(w, h float64, d drawing) (width, height uint64, ok bool) {
	if !(w > 0 && h > 0 && w < 1e9 && h < 1e9) { // nor NaN
		return 0, 0, false
	}
	f := min(float64(d.width)/w, float64(d.height)/h, math.Sqrt(maxPagePixels/(w*h)))
	return uint64(max(1, w*f)), uint64(max(1, h*f)), true
}

var (
	startxref = regexp.MustCompile(`startxref\s+(\d{1,10})\s+$`)
	xref      = regexp.MustCompile(`^\s{0,8}(xref\s|\d{1,10}\s+\d{1,5}\s+obj)`)
)

// checkPDF looks at what pdfium would silently mend: a PDF whose end is missing, or whose end points to nowhere, was
// cut or damaged on its way, and DOKU's people should not have to find out.
func checkPDF(b []byte) error {
	head := bytes.Index(b[:min(len(b), 1024)], []byte("%PDF-"))
	if head < 0 {
		return corruptf("no %%PDF- at the beginning")
	}
	last := max(0, len(b)-1024)
	end := bytes.LastIndex(b[last:], []byte("%%EOF"))
	if end < 0 {
		return corruptf("no %%%%EOF at the end")
	}
	end += last
	m := startxref.FindSubmatch(b[max(0, end-64):end])
	if m == nil {
		return corruptf("no startxref")
	}
	offset, err := strconv.Atoi(string(m[1]))
	if err != nil {
		return corrupt(err)
	}
	// Offsets count from the header, but where something precedes it many programs count from the first byte.
	for _, at := range []int{head + offset, offset} {
		if at < len(b) && xref.Match(b[at:min(len(b), at+64)]) {
			return nil
		}
	}
	return corruptf("startxref %d points to no table", offset)
}
