package paper

import (
	"bytes"
	"context"
	"runtime"
	"time"

	"golang.org/x/sync/semaphore"

	"berkas/internal/fault"
)

// MaxPixels is the most pixels, width times height, a picture may have.
const MaxPixels = 64_000_000

const (
	typeJPEG = "image/jpeg"
	typePNG  = "image/png"
	typePDF  = "application/pdf"
)

// Facts are what was found in a file that is whole.
type Facts struct {
	ContentType string

	Width, Height int // of a picture, in pixels as stored, before turning it upright
	Pages         int // of a PDF

	// Measured says that the picture was decoded. One that would need more memory than the whole budget, or that uses
	// a rare variety of JPEG, is only checked for being whole; PDFs are not measured either.
	Measured       bool
	Sharpness      float64 // variance of the Laplacian on luma at no more than 1000 pixels; a blurry photo is below ~100
	PerceptualHash uint64  // difference hash of the upright picture; alike pictures differ in few bits

	TakenAt     time.Time // EXIF DateTimeOriginal (UTC where the camera told no offset), else zero
	Orientation int       // EXIF, 1 to 8; 1 where nothing else is said

	Thumbnail []byte // JPEG, at most 240 pixels and 8192 bytes, upright; a PDF's first page; nil where there is none
}

// ContentType tells "image/jpeg", "image/png" or "application/pdf" by a file's first bytes (1024 are enough), or "".
func ContentType(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return typeJPEG
	case bytes.HasPrefix(head, []byte(pngSignature)):
		return typePNG
	case bytes.Contains(head[:min(len(head), 1024)], []byte("%PDF-")):
		return typePDF
	}
	return ""
}

// Extensions are the file name extensions of a content type, lower case and without the dot, the usual one first.
func Extensions(contentType string) []string {
	switch contentType {
	case typeJPEG:
		return []string{"jpg", "jpeg", "jpe", "jfif"}
	case typePNG:
		return []string{"png"}
	case typePDF:
		return []string{"pdf"}
	}
	return nil
}

// Options of an Inspector; the zero value is good.
type Options struct {
	Memory   int64  // bytes for everything under examination together; 96 MiB when zero, 64 MiB at least
	CacheDir string // where pdfium is kept compiled for this machine (15 MB); without it each process compiles anew

	// Compile runs before PDFs are first read. Compiling pdfium for an empty CacheDir takes 1.5 s and 110 MB: a program
	// that minds calls Compile of this package in a short process of its own here.
	Compile func(context.Context) error
}

// Inspector examines files. It is safe for concurrent use: examinations wait for memory and processor among themselves.
type Inspector struct {
	budget   *budget
	decoding *semaphore.Weighted // one per processor: more pictures at once are no faster, only larger
	pdfium   *pdfium

	pageLimit time.Duration
}

// NewInspector makes the one Inspector of a program. pdfium is compiled at the first PDF, or by Warm.
func NewInspector(o Options) (*Inspector, error) {
	if o.Memory == 0 {
		o.Memory = 96 << 20
	}
	o.Memory = max(o.Memory, 64<<20)
	return &Inspector{
		budget:   newBudget(o.Memory),
		decoding: semaphore.NewWeighted(int64(runtime.GOMAXPROCS(0))),
		pdfium:   newPDFium(o),

		pageLimit: pageLimit,
	}, nil
}

// Warm makes ready for PDFs, so that the first one does not wait.
func (i *Inspector) Warm(ctx context.Context) error { return i.pdfium.warm(ctx) }

// Close waits for the PDF under examination and lets go of pdfium.
func (i *Inspector) Close() error { return i.pdfium.close() }

// Inspect examines a file of this size in bytes, whose content type ContentType told. open may be called several
// times, one after the other.
//
// A file that cannot be taken is an Invalid fault: "file_empty", "file_corrupt" (truncated, damaged, not decodable),
// "file_dimensions_exceeded" (parameters width, height, max_pixels), "file_password_protected", "file_too_large" (a PDF
// beyond the memory budget; parameter max), "file_type_not_allowed" (another content type). Errors of the source and of
// the context come back unchanged.
func (i *Inspector) Inspect(ctx context.Context, size int64, contentType string, open Source) (Facts, error) {
	if size == 0 {
		return Facts{}, fault.New(fault.Invalid, "file_empty")
	}
	var facts Facts
	var err error
	switch contentType {
	case typeJPEG:
		facts, err = i.inspectPicture(ctx, open, examineJPEG)
	case typePNG:
		facts, err = i.inspectPicture(ctx, open, examinePNG)
	case typePDF:
		facts, err = i.inspectPDF(ctx, size, open)
	default:
		return Facts{}, fault.New(fault.Invalid, "file_type_not_allowed")
	}
	if err != nil {
		return Facts{}, err
	}
	facts.ContentType = contentType
	return facts, nil
}
