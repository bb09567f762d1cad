package paper

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"berkas/internal/fault"
)

func TestContentType(t *testing.T) {
	t.Parallel()
	far := make([]byte, 1100)
	copy(far[1020:], "%PDF-1.4")
	for head, want := range map[string]string{
		"\xff\xd8\xff\xe0":           "image/jpeg",
		pngSignature + "...":         "image/png",
		"%PDF-1.4\n":                 "application/pdf",
		"\xef\xbb\xbf junk %PDF-2.0": "application/pdf",
		string(far):                  "",
		"":                           "",
		"\xff\xd8":                   "",
		"GIF89a":                     "",
		"RIFF....WEBP":               "",
		"<html>":                     "",
		"MZ":                         "",
	} {
		if got := ContentType([]byte(head)); got != want {
			t.Errorf("%.12q is %q, not %q", head, got, want)
		}
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	for contentType, usual := range map[string]string{"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"} {
		if e := Extensions(contentType); len(e) == 0 || e[0] != usual {
			t.Errorf("%s: %v", contentType, e)
		}
	}
	if !slices.Contains(Extensions("image/jpeg"), "jpeg") || Extensions("image/gif") != nil {
		t.Error("jpeg is missing, or gif is not")
	}
}

func TestEmptyAndForeign(t *testing.T) {
	t.Parallel()
	for _, contentType := range []string{"image/jpeg", "image/png", "application/pdf", ""} {
		if _, err := inspector(t).Inspect(t.Context(), 0, contentType, from(nil)); fault.Code(err) != "file_empty" {
			t.Errorf("%s: %v", contentType, err)
		}
	}
	refuse(t, "a GIF", []byte("GIF89a"), "file_type_not_allowed")
}

// A disk that fails is no fault of the file.
func TestSourceErrorsPassUnchanged(t *testing.T) {
	t.Parallel()
	broken := fault.New(fault.Internal, "blob_damaged")
	for name, c := range map[string]struct {
		i    *Inspector
		file []byte
	}{
		"jpeg":         {inspector(t), encodeJPEG(t, card(300, 200, 20), 90)},
		"png":          {inspector(t), encodePNG(t, card(300, 200, 0))},
		"jpeg, walked": {walker(t), encodeJPEG(t, card(300, 200, 20), 90)},
		"png, walked":  {walker(t), encodePNG(t, card(300, 200, 20))},
		"pdf":          {inspector(t), letter()},
	} {
		size, contentType := int64(len(c.file)), ContentType(c.file)
		for _, after := range []int{0, 10, len(c.file) / 2, len(c.file) - 1} {
			source := func() (io.ReadCloser, error) {
				return io.NopCloser(io.MultiReader(reader(c.file[:after]), iotest.ErrReader(broken))), nil
			}
			if _, err := c.i.Inspect(t.Context(), size, contentType, source); err != broken {
				t.Errorf("%s, broken after %d bytes: %v", name, after, err)
			}
		}
		unopened := func() (io.ReadCloser, error) { return nil, broken }
		if _, err := c.i.Inspect(t.Context(), size, contentType, unopened); err != broken {
			t.Errorf("%s, not opened: %v", name, err)
		}
	}
}

func reader(b []byte) io.Reader {
	r, _ := from(b)()
	return r
}

func TestContextEndsIt(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, file := range [][]byte{encodeJPEG(t, card(30, 20, 0), 90), encodePNG(t, card(30, 20, 0)), letter()} {
		if _, err := inspector(t).Inspect(ctx, int64(len(file)), ContentType(file), from(file)); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", ContentType(file), err)
		}
	}
}
