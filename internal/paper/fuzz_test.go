package paper

import (
	"context"
	"encoding/binary"
	"testing"
	"time"

	"berkas/internal/fault"
)

// examined holds whatever a fuzzer made to what Inspect promises: facts in bounds, or a fault that says why not.
func examined(t *testing.T, contentType string, file []byte) {
	if len(file) > 1<<20 {
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	i := *inspector(t)
	i.pageLimit = 2 * time.Second
	facts, err := i.Inspect(ctx, int64(len(file)), contentType, from(file))
	if err != nil {
		if !fault.Is(err, fault.Invalid) {
			t.Fatalf("no refusal: %v", err)
		}
		return
	}
	if facts.Width*facts.Height > MaxPixels || facts.Width < 0 || facts.Height < 0 || facts.Pages < 0 {
		t.Fatalf("out of bounds: %+v", facts)
	}
	if facts.Orientation < 1 || facts.Orientation > 8 || facts.Sharpness < 0 {
		t.Fatalf("out of range: %+v", facts)
	}
	if facts.Measured != (facts.Thumbnail != nil) && contentType != typePDF {
		t.Fatalf("measured %v, thumbnail %d bytes", facts.Measured, len(facts.Thumbnail))
	}
	if facts.Thumbnail != nil {
		checkThumbnail(t, facts.Thumbnail, 0, 0)
	}
}

func FuzzInspectJPEG(f *testing.F) {
	file := encodeJPEG(f, card(40, 30, 10), 60)
	block := tiffBlock(binary.LittleEndian, 6, "2026:11:22 09:30:00", "+07:00")
	f.Add(file)
	f.Add(insert(file, 2, segment(app1, append([]byte("Exif\x00\x00"), block...)...)))
	f.Add(readTestdata(f, "progressive.jpg"))
	for _, frame := range []byte{sof0, sof1, sof2, 0xc3, 0xc9} {
		f.Add(graySquares(frame, 40, 24, 3, 0x22))
		f.Add(graySquares(frame, 40, 24, 1, 0x11))
	}
	f.Fuzz(func(t *testing.T, file []byte) { examined(t, typeJPEG, file) })
}

func FuzzInspectPNG(f *testing.F) {
	f.Add(encodePNG(f, card(40, 30, 10)))
	for _, kind := range kinds {
		f.Add(blankPNG(9, 7, kind[0], kind[1], 0))
		f.Add(blankPNG(9, 7, kind[0], kind[1], 1))
	}
	f.Fuzz(func(t *testing.T, file []byte) { examined(t, typePNG, file) })
}

// What the decoder takes, the walk takes as well: a picture must not be refused for being large.
func FuzzWalk(f *testing.F) {
	f.Add(encodePNG(f, card(20, 20, 10)))
	f.Add(blankPNG(9, 7, 16, 6, 1))
	f.Add(encodeJPEG(f, card(20, 20, 10), 60))
	f.Add(readTestdata(f, "progressive.jpg"))
	f.Fuzz(func(t *testing.T, file []byte) {
		look := map[string]examine{typeJPEG: examineJPEG, typePNG: examinePNG}[ContentType(file)]
		if look == nil || len(file) > 1<<20 {
			return
		}
		p, err := look(reader(file))
		if err != nil || p.width <= 0 || p.height <= 0 || p.width > 1<<20/p.height {
			return
		}
		s, _ := Source(from(file)).stream(t.Context())
		if _, err := p.decode(s); err != nil {
			return
		}
		if err := p.walk(reader(file)); err != nil {
			t.Fatal("decoded, but walked:", err)
		}
	})
}

func FuzzInspectPDF(f *testing.F) {
	f.Add(letter())
	f.Add(page("0 0 99 99", "", "q 1 0 0 RG 3 w 0 0 m 50 50 l S Q"))
	for _, name := range []string{"rc4.pdf", "aes256.pdf", "user.pdf", "xrefstream.pdf", "linearized.pdf"} {
		f.Add(readTestdata(f, name))
	}
	f.Fuzz(func(t *testing.T, file []byte) { examined(t, typePDF, file) })
}

func FuzzEXIF(f *testing.F) {
	f.Add(tiffBlock(binary.LittleEndian, 6, "2026:11:22 09:30:00", "+07:00"))
	f.Add(tiffBlock(binary.BigEndian, 1, "", ""))
	f.Fuzz(func(t *testing.T, block []byte) {
		if e := readEXIF(block); e.orientation < 1 || e.orientation > 8 {
			t.Fatal(e)
		}
	})
}
