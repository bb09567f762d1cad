package paper

import (
	"bytes"
	"image"
	"image/color"
	"testing"
)

func TestPNG(t *testing.T) {
	t.Parallel()
	facts := mustInspect(t, encodePNG(t, card(800, 500, 0)))
	if facts.ContentType != "image/png" || facts.Width != 800 || facts.Height != 500 || !facts.Measured {
		t.Errorf("%+v", facts)
	}
	checkThumbnail(t, facts.Thumbnail, 240, 150)
}

func TestTransparentPNGIsDrawnOnWhite(t *testing.T) {
	t.Parallel()
	m := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	m.Set(1, 1, color.NRGBA{255, 0, 0, 10})
	thumbnail := checkThumbnail(t, mustInspect(t, encodePNG(t, m)).Thumbnail, 240, 240)
	if r, g, b, _ := thumbnail.At(100, 100).RGBA(); min(r, g, b) < 0xf000 {
		t.Errorf("drawn on %x %x %x", r, g, b)
	}
}

// kinds of PNG: depth, colour type.
var kinds = [][2]byte{{1, 0}, {2, 0}, {4, 0}, {8, 0}, {16, 0}, {8, 2}, {16, 2}, {1, 3}, {2, 3}, {4, 3}, {8, 3}, {8, 4}, {16, 4}, {8, 6}, {16, 6}}

// Every kind is measured, and found whole by the walk that larger ones get; cut short it is neither.
func TestKindsOfPNG(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for interlace := range byte(2) {
			for _, size := range []image.Point{{1, 1}, {3, 5}, {37, 21}} {
				file := blankPNG(size.X, size.Y, kind[0], kind[1], interlace)
				if facts, err := inspect(t, file); err != nil || !facts.Measured {
					t.Errorf("%v %d %v: %+v, %v", kind, interlace, size, facts, err)
				}
				if err := walkPNG(bytes.NewReader(file)); err != nil {
					t.Errorf("%v %d %v: walked: %v", kind, interlace, size, err)
				}
			}
		}
	}
}

func TestTruncatedPNG(t *testing.T) {
	t.Parallel()
	for name, file := range map[string][]byte{
		"measured": encodePNG(t, card(200, 100, 20)),
		"walked":   blankPNG(4000, 3200, 8, 6, 1),
	} {
		for _, n := range []int{8, 10, 30, 33, 40, 60, len(file) / 2, len(file) - 13, len(file) - 12, len(file) - 4, len(file) - 1} {
			refuse(t, name, file[:n], "file_corrupt")
		}
	}
}

func TestDamagedPNG(t *testing.T) {
	t.Parallel()
	small, large := encodePNG(t, card(200, 100, 20)), blankPNG(4000, 3200, 8, 6, 1)
	for at := 8; at < len(small); at += 97 {
		damaged := bytes.Clone(small)
		damaged[at] ^= 0x40
		if facts, err := inspect(t, damaged); err == nil {
			t.Errorf("byte %d: taken as %+v", at, facts)
		}
	}
	for _, at := range []int{8, 12, 40, 45, len(large) / 2, len(large) - 14, len(large) - 6} {
		damaged := bytes.Clone(large)
		damaged[at] ^= 0x40
		if facts, err := inspect(t, damaged); err == nil {
			t.Errorf("walked, byte %d: taken as %+v", at, facts)
		}
	}
}

func TestPNGWithTooFewOrTooManyPixels(t *testing.T) {
	t.Parallel()
	announce := func(rows, announced int) []byte {
		file := blankPNG(8000, rows, 8, 6, 0)
		other := blankPNG(8000, announced, 8, 6, 0)
		copy(file[8:33], other[8:33]) // the header chunk
		return file
	}
	mustInspect(t, announce(3200, 3200))
	refuse(t, "a row missing", announce(3199, 3200), "file_corrupt")
	refuse(t, "a row too many", announce(3201, 3200), "file_corrupt")
}

func TestPNGOfManyPixels(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{8001, 8000}, {1 << 30, 1 << 30}, {0, 5}, {5, 0}} {
		other := blankPNG(1, 1, 8, 0, 0)
		copy(other[8:33], headerChunk(size))
		refuse(t, size.String(), other, "file_dimensions_exceeded")
	}
	if facts := mustInspect(t, blankPNG(8000, 8000, 1, 3, 0)); !facts.Measured {
		t.Errorf("64 megapixels of two colours: %+v", facts)
	}
	if facts := mustInspect(t, blankPNG(8000, 8000, 8, 2, 0)); facts.Measured {
		t.Errorf("64 megapixels in full colour: %+v", facts)
	}
}

func headerChunk(size image.Point) []byte {
	be := func(n int) []byte { return []byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)} }
	return chunk("IHDR", append(append(be(size.X), be(size.Y)...), 8, 0, 0, 0, 0))
}

func TestUsualOdditiesOfPNG(t *testing.T) {
	t.Parallel()
	file := encodePNG(t, card(100, 60, 0))
	for name, odd := range map[string][]byte{
		"bytes after the end": append(bytes.Clone(file), "more"...),
		"an animation":        insert(file, 33, chunk("acTL", make([]byte, 8))),
		"text":                insert(file, 33, chunk("tEXt", []byte("Software\x00drawn"))),
		"unknown chunk":       insert(file, 33, chunk("abCd", make([]byte, 100_000))),
	} {
		if facts, err := inspect(t, odd); err != nil || !facts.Measured {
			t.Errorf("%s: %+v, %v", name, facts, err)
		}
	}
}
