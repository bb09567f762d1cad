package paper

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"testing"
)

func TestJPEG(t *testing.T) {
	t.Parallel()
	file := encodeJPEG(t, card(1600, 1000, 20), 90)
	facts := mustInspect(t, file)
	if facts.ContentType != "image/jpeg" || facts.Width != 1600 || facts.Height != 1000 || !facts.Measured || facts.Orientation != 1 {
		t.Errorf("%+v", facts)
	}
	checkThumbnail(t, facts.Thumbnail, 240, 150)
}

func checkThumbnail(t testing.TB, thumbnail []byte, w, h int) image.Image {
	t.Helper()
	if len(thumbnail) == 0 || len(thumbnail) > 8192 {
		t.Fatalf("the thumbnail has %d bytes", len(thumbnail))
	}
	m, err := jpeg.Decode(bytes.NewReader(thumbnail))
	if err != nil {
		t.Fatal(err)
	}
	if w > 0 && (m.Bounds().Dx() != w || m.Bounds().Dy() != h) {
		t.Errorf("the thumbnail is %v, not %d×%d", m.Bounds(), w, h)
	}
	return m
}

func TestTruncatedJPEG(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"baseline":          encodeJPEG(t, card(400, 300, 20), 90),
		"gray":              encodeJPEG(t, image.NewGray(image.Rect(0, 0, 200, 100)), 90),
		"progressive":       readTestdata(t, "progressive.jpg"),
		"arithmetic":        graySquares(0xc9, 64, 64, 3, 0x22),
		"beyond the budget": graySquares(sof2, 7000, 7000, 3, 0x11),
	} {
		mustInspect(t, file)
		for _, n := range []int{2, 3, 20, 100, len(file) / 3, len(file) / 2, len(file) - 100, len(file) - 2, len(file) - 1} {
			if n > 0 && n < len(file) {
				refuse(t, name, file[:n], map[bool]string{true: "file_type_not_allowed", false: "file_corrupt"}[n < 3])
			}
		}
	}
}

func readTestdata(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDamagedJPEG(t *testing.T) {
	t.Parallel()
	file := encodeJPEG(t, card(200, 100, 0), 90)
	frame := bytes.Index(file, []byte{0xff, sof0})
	damaged := func(at int, b ...byte) []byte {
		d := bytes.Clone(file)
		copy(d[at:], b)
		return d
	}
	refuse(t, "only markers", []byte{0xff, soi, 0xff, eoi}, "file_corrupt")
	refuse(t, "zeros", append([]byte{0xff, soi, 0xff}, make([]byte, 1000)...), "file_corrupt")
	refuse(t, "no components", damaged(frame+9, 0), "file_corrupt")
	refuse(t, "sampling of zero", damaged(frame+11, 0), "file_corrupt")
	refuse(t, "frame cut short", damaged(frame+2, 0, 5), "file_corrupt")
	refuse(t, "no table", damaged(bytes.Index(file, []byte{0xff, dht})+1, 0xfe), "file_corrupt")
	refuse(t, "no frame", damaged(frame+1, 0xfe), "file_corrupt")
	refuse(t, "no width", damaged(frame+7, 0, 0), "file_dimensions_exceeded")
	refuse(t, "no height", damaged(frame+5, 0, 0), "file_dimensions_exceeded")
}

func TestJPEGOfManyPixels(t *testing.T) {
	t.Parallel()
	refuse(t, "a bomb", graySquares(sof0, 65000, 65000, 1, 0x11)[:1000], "file_dimensions_exceeded")
	refuse(t, "64,008,000", graySquares(sof0, 8001, 8000, 1, 0x11), "file_dimensions_exceeded")

	facts := mustInspect(t, graySquares(sof2, 8000, 8000, 3, 0x11))
	if facts.Measured || facts.Thumbnail != nil || facts.Width*facts.Height != MaxPixels {
		t.Errorf("64 megapixels of a progressive picture: %+v", facts)
	}
}

// What Go does not decode is taken when it is whole.
func TestRareJPEG(t *testing.T) {
	t.Parallel()
	twelveBits := graySquares(sof1, 64, 64, 1, 0x11)
	twelveBits[bytes.Index(twelveBits, []byte{0xff, sof1})+4] = 12
	for name, file := range map[string][]byte{
		"lossless":           graySquares(0xc3, 64, 64, 3, 0x11),
		"arithmetic":         graySquares(0xc9, 64, 64, 3, 0x22),
		"12 bits":            twelveBits,
		"two components":     graySquares(sof0, 64, 64, 2, 0x11),
		"CMYK without Adobe": graySquares(sof0, 64, 64, 4, 0x11),
		"odd subsampling":    graySquares(sof0, 64, 64, 3, 0x33),
	} {
		facts := mustInspect(t, file)
		if facts.Measured || facts.Width != 64 || facts.Thumbnail != nil {
			t.Errorf("%s: %+v", name, facts)
		}
	}
}

func TestUsualOdditiesOfJPEG(t *testing.T) {
	t.Parallel()
	file := encodeJPEG(t, card(400, 300, 10), 90)
	preview := encodeJPEG(t, card(80, 60, 0), 50)
	for name, odd := range map[string][]byte{
		"bytes after the end":  append(bytes.Clone(file), "appended by a maker"...),
		"a second picture":     append(bytes.Clone(file), file...),
		"a preview inside":     insert(file, 2, segment(app1, append([]byte("Exif\x00\x00"), preview...)...)),
		"fill bytes":           insert(file, 2, []byte{0xff, 0xff, 0xff}),
		"a comment":            insert(file, 2, segment(0xfe, []byte("hello")...)),
		"a large ICC profile":  insert(file, 2, segment(0xe2, make([]byte, 65000)...)),
		"a progressive one":    readTestdata(t, "progressive.jpg"),
		"CMYK":                 insert(graySquares(sof0, 64, 64, 4, 0x11), 2, segment(app14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)),
		"RGB":                  insert(graySquares(sof0, 64, 64, 3, 0x11), 2, segment(app14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...)),
		"4:1:1":                graySquares(sof0, 64, 64, 3, 0x41),
		"4:4:0":                graySquares(sof0, 64, 64, 3, 0x12),
		"gray with 2×2 blocks": graySquares(sof0, 64, 64, 1, 0x22),
		"one pixel":            encodeJPEG(t, card(1, 1, 0), 90),
		"one row":              encodeJPEG(t, card(3000, 1, 0), 90),
	} {
		facts, err := inspect(t, inspector(t), odd)
		if err != nil || !facts.Measured {
			t.Errorf("%s: %+v, %v", name, facts, err)
		}
	}
}

// Each scan costs a pass over all pixels, and a few bytes.
func TestManyScans(t *testing.T) {
	t.Parallel()
	file := graySquares(sof2, 640, 480, 1, 0x11)
	scan := file[bytes.Index(file, []byte{0xff, sos}) : len(file)-2]
	many := bytes.Join([][]byte{file[:len(file)-2], bytes.Repeat(scan, 300), {0xff, eoi}}, nil)
	refuse(t, "300 scans", many, "file_corrupt")
	many[bytes.Index(many, []byte{0xff, sof2})+1] = 0xca // arithmetic: only walked
	refuse(t, "300 scans, walked", many, "file_corrupt")
}
