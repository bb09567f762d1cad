package paper

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"berkas/internal/fault"
)

// shared is one Inspector for all tests, with a compile cache that outlives them.
var shared = sync.OnceValues(func() (*Inspector, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return NewInspector(Options{CacheDir: filepath.Join(cache, "berkas-test", "pdfium")})
})

func inspector(t testing.TB) *Inspector {
	t.Helper()
	i, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// walker is an Inspector with so small a budget that it only walks through pictures.
func walker(t testing.TB) *Inspector {
	i := *inspector(t)
	i.budget = newBudget(1)
	return &i
}

func inspect(t testing.TB, i *Inspector, file []byte) (Facts, error) {
	t.Helper()
	return i.Inspect(t.Context(), int64(len(file)), ContentType(file), from(file))
}

func mustInspect(t testing.TB, file []byte) Facts {
	t.Helper()
	facts, err := inspect(t, inspector(t), file)
	if err != nil {
		t.Fatal(err)
	}
	return facts
}

func refuse(t testing.TB, what string, file []byte, code string) {
	t.Helper()
	refusedBy(t, inspector(t), what, file, code)
}

func refusedBy(t testing.TB, i *Inspector, what string, file []byte, code string) {
	t.Helper()
	facts, err := inspect(t, i, file)
	if !fault.Is(err, fault.Invalid) || fault.Code(err) != code {
		t.Errorf("%s: %v, not %s", what, err, code)
	}
	if facts.ContentType != "" || facts.Thumbnail != nil {
		t.Errorf("%s: has facts beside its fault", what)
	}
}

func from(file []byte) Source {
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(file)), nil }
}

// card draws something like an identity card: lines and a face, dark at the left top, with grain like a photo's.
func card(w, h int, grain int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.Draw(m, m.Rect, image.NewUniform(color.RGBA{0xb8, 0xd8, 0xf0, 255}), image.Point{}, draw.Src)
	ink := image.NewUniform(color.RGBA{0x20, 0x20, 0x40, 255})
	for line := range 8 {
		y := h/6 + line*h/10
		draw.Draw(m, image.Rect(w/20, y, w/20+(line%3+2)*w/10, y+h/40), ink, image.Point{}, draw.Src)
	}
	draw.Draw(m, image.Rect(w*7/10, h/4, w*9/10, h*3/4), image.NewUniform(color.RGBA{0xc0, 0x30, 0x30, 255}), image.Point{}, draw.Src)
	draw.Draw(m, image.Rect(0, 0, w/8, h/8), image.Black, image.Point{}, draw.Src)
	if grain > 0 {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range m.Pix {
			if i%4 != 3 {
				m.Pix[i] = uint8(min(255, max(0, int(m.Pix[i])+r.IntN(2*grain)-grain)))
			}
		}
	}
	return m
}

func encodeJPEG(t testing.TB, m image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encodePNG(t testing.TB, m image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// segment is a JPEG segment.
func segment(marker byte, body ...byte) []byte {
	return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
}

// insert puts b into file at a place.
func insert(file []byte, at int, b []byte) []byte {
	return append(append(bytes.Clone(file[:at]), b...), file[at:]...)
}

// graySquares is a JPEG written by hand, of any kind of frame: one bit for each block, all of them gray.
func graySquares(frame byte, w, h int, components, sampling byte) []byte {
	file := []byte{0xff, soi}
	file = append(file, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	sof := []byte{8, byte(h >> 8), byte(h), byte(w >> 8), byte(w), components}
	sosHead := []byte{components}
	for c := range components {
		hv := byte(0x11)
		if c == 0 {
			hv = sampling
		}
		sof = append(sof, c+1, hv, 0)
		sosHead = append(sosHead, c+1, 0)
	}
	file = append(file, segment(frame, sof...)...)
	for class := range byte(2) { // one code of one bit, for 0: no difference, end of block
		file = append(file, segment(dht, append([]byte{class << 4, 1}, make([]byte, 16)...)...)...)
	}
	last, bits := byte(63), int64(2)
	if frame == sof2 {
		last, bits = 0, 1
	}
	file = append(file, segment(sos, append(sosHead, 0, last, 0)...)...)
	hs, vs := sampling>>4, sampling&15
	if components == 1 {
		hs, vs = 1, 1
	}
	units := blocks(w, hs) * blocks(h, vs) * (int64(hs)*int64(vs) + int64(components) - 1)
	file = append(file, make([]byte, (units*bits+7)/8+1)...)
	return append(file, 0xff, eoi)
}

// chunk is a PNG chunk.
func chunk(name string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, name...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// blankPNG is a PNG written by hand: all zero, of any depth and colour type, interlaced or not.
func blankPNG(w, h int, depth, color, interlace byte) []byte {
	head := binary.BigEndian.AppendUint32(nil, uint32(w))
	head = append(binary.BigEndian.AppendUint32(head, uint32(h)), depth, color, 0, 0, interlace)
	parsed := ihdr{width: w, height: h, depth: depth, color: color, interlaced: interlace == 1}
	var pixels bytes.Buffer
	z, _ := zlib.NewWriterLevel(&pixels, zlib.BestSpeed)
	for _, pass := range parsed.passes() {
		if pass.X > 0 {
			io.CopyN(z, zeros{}, int64(pass.Y)*parsed.row(pass.X))
		}
	}
	z.Close()
	file := append([]byte(pngSignature), chunk("IHDR", head)...)
	if color == 3 {
		file = append(file, chunk("PLTE", make([]byte, 3))...)
	}
	return append(append(file, chunk("IDAT", pixels.Bytes())...), chunk("IEND", nil)...)
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// pdf is a PDF written by hand from the bodies of its objects, of which the first is the catalog.
func pdf(objects ...string) []byte {
	var b bytes.Buffer
	b.WriteString("%PDF-1.7\n")
	places := make([]int, len(objects))
	for i, body := range objects {
		places[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, body)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range places {
		fmt.Fprintf(&b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&b, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

func pdfStream(dictionary, data string) string {
	return fmt.Sprintf("<<%s/Length %d>>stream\n%s\nendstream", dictionary, len(data), data)
}

// page is a PDF of one page: its box, the rest of its dictionary, what is drawn on it, and further objects from 5 on.
func page(box, more, content string, objects ...string) []byte {
	return pdf(append([]string{
		"<</Type/Catalog/Pages 2 0 R>>",
		"<</Type/Pages/Kids[3 0 R]/Count 1>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[" + box + "]/Contents 4 0 R" + more + ">>",
		pdfStream("", content),
	}, objects...)...)
}

// letter is an ordinary page of A4: a text, a line and a red square.
func letter() []byte {
	return page("0 0 595 842", "/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>",
		"BT /F 48 Tf 60 700 Td (Akta Pendirian) Tj ET 60 680 400 4 re f 1 0 0 rg 60 100 200 200 re f")
}
