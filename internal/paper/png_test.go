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
				if facts, err := inspect(t, inspector(t), file); err != nil || !facts.Measured {
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
	for _, file := range [][]byte{encodePNG(t, card(200, 100, 20)), blankPNG(90, 70, 16, 6, 1)} {
		for name, i := range map[string]*Inspector{"measured": inspector(t), "walked": walker(t)} {
			if facts, err := inspect(t, i, file); err != nil || facts.Measured != (name == "measured") {
				t.Errorf("%s: %+v, %v", name, facts, err)
			}
			for _, n := range []int{8, 10, 30, 33, 40, 60, len(file) / 2, len(file) - 13, len(file) - 12, len(file) - 4, len(file) - 1} {
				refusedBy(t, i, name, file[:n], "file_corrupt")
			}
		}
	}
}

func TestDamagedPNG(t *testing.T) {
	t.Parallel()
	file := encodePNG(t, card(100, 50, 20))
	for name, i := range map[string]*Inspector{"measured": inspector(t), "walked": walker(t)} {
		for at := 8; at < len(file); at += 31 {
			damaged := bytes.Clone(file)
			damaged[at] ^= 0x40
			if facts, err := inspect(t, i, damaged); err == nil {
				t.Errorf("%s, byte %d: taken as %+v", name, at, facts)
			}
		}
	}
}

func TestPNGWithTooFewOrTooManyPixels(t *testing.T) {
	t.Parallel()
	announced := blankPNG(200, 100, 8, 6, 0)
	for name, rows := range map[string]int{"a row missing": 99, "a row too many": 101} {
		file := blankPNG(200, rows, 8, 6, 0)
		copy(file[8:33], announced[8:33]) // the header chunk
		refuse(t, name, file, "file_corrupt")
		refusedBy(t, walker(t), name+", walked", file, "file_corrupt")
	}
}

func TestPNGOfManyPixels(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{8001, 8000}, {1 << 30, 1 << 30}, {0, 5}, {5, 0}} {
		file := blankPNG(1, 1, 8, 0, 0)
		copy(file[8:33], headerChunk(size))
		refuse(t, size.String(), file, "file_dimensions_exceeded")
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
		if facts, err := inspect(t, inspector(t), odd); err != nil || !facts.Measured {
			t.Errorf("%s: %+v, %v", name, facts, err)
		}
	}
}
