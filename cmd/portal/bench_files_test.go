package main

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"
	mathrand "math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// sheet is a file to upload, with a place for what makes each copy unlike any other.
type sheet struct {
	name    string
	content []byte
	mark    int // where the sixteen bytes of the mark begin
}

const markSize = 16

var marks atomic.Int64

// copy is the file's bytes with a mark of their own.
func (s sheet) copy() io.Reader {
	mark := fmt.Sprintf("%0*d", markSize, marks.Add(1))
	return io.MultiReader(bytes.NewReader(s.content[:s.mark]), bytes.NewReader([]byte(mark)), bytes.NewReader(s.content[s.mark+markSize:]))
}

func (s sheet) size() int64 { return int64(len(s.content)) }

// jpegOf is a photo of some size in bytes, never more and hardly less: grain makes it as large as it should be.
func jpegOf(b *testing.B, width, height, size int) sheet {
	b.Helper()
	img := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	noise := make([]int8, len(img.Y))
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = int8(r.IntN(256) - 128)
	}
	encode := func(quality int, grain float64) []byte {
		for i := range img.Y {
			ground := 128 + 60*math.Sin(float64(i%width)/97) // so that blocks are not all alike
			img.Y[i] = uint8(min(255, max(0, ground+grain*float64(noise[i])/128)))
		}
		for i := range img.Cb {
			img.Cb[i], img.Cr[i] = uint8(128+grain*float64(noise[i])/512), uint8(128-grain*float64(noise[i])/512)
		}
		var out bytes.Buffer
		if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
			b.Fatal(err)
		}
		return out.Bytes()
	}
	quality := 90
	if size > width*height {
		quality = 97
	}
	var best []byte
	for low, high, n := 0.0, 127.0, 0; n < 7; n++ {
		grain := (low + high) / 2
		if out := encode(quality, grain); len(out) > size-100 {
			high = grain
		} else {
			low, best = grain, out
		}
	}
	if len(best) < size*8/10 {
		b.Fatalf("a photo of %d×%d does not reach %d bytes: %d", width, height, size, len(best))
	}
	return marked("photo.jpg", best)
}

// marked puts a comment with the mark behind a JPEG's first marker.
func marked(name string, content []byte) sheet {
	comment := append([]byte{0xff, 0xfe, 0, markSize + 2}, make([]byte, markSize)...)
	return sheet{name, append(append(bytes.Clone(content[:2]), comment...), content[2:]...), 6}
}

// flatJPEG is one colour, of any number of pixels and bytes; a decoder needs as much memory for it as for any other.
func flatJPEG(progressive bool, width, height, size int) sheet {
	segment := func(marker byte, body ...byte) []byte {
		return append([]byte{0xff, marker, byte((len(body) + 2) >> 8), byte(len(body) + 2)}, body...)
	}
	frame, last, bits := byte(0xc0), byte(63), 2
	if progressive {
		frame, last, bits = 0xc2, 0, 1 // a first scan of the averages alone
	}
	head := append([]byte{0xff, 0xd8}, segment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...)...)
	head = append(head, segment(frame, 8, byte(height>>8), byte(height), byte(width>>8), byte(width), 3, 1, 0x22, 0, 2, 0x11, 0, 3, 0x11, 0)...)
	for class := range byte(2) { // one code, of one bit: no difference, end of block
		head = append(head, segment(0xc4, append([]byte{class << 4, 1}, make([]byte, 16)...)...)...)
	}
	scan := append(segment(0xda, 3, 1, 0, 2, 0, 3, 0, 0, last, 0), make([]byte, (width/16+1)*(height/16+1)*6*bits/8+1)...)
	for filler := size - len(head) - len(scan) - 100; filler > 0; filler -= 60_000 {
		head = append(head, segment(0xfe, make([]byte, max(0, min(filler, 60_000)-4))...)...)
	}
	return marked("photo.jpg", append(append(head, scan...), 0xff, 0xd9))
}

// pdfOf is one page of text, with as many bytes of an attachment nobody draws as make it that large: a scanned paper
// without the work of drawing it, which differs from scanner to scanner.
func pdfOf(size int) sheet {
	var out bytes.Buffer
	var places []int
	object := func(dictionary string, stream []byte) {
		places = append(places, out.Len())
		fmt.Fprintf(&out, "%d 0 obj\n<<%s", len(places), dictionary)
		if stream != nil {
			fmt.Fprintf(&out, "/Length %d>>stream\n%s\nendstream\nendobj\n", len(stream), stream)
			return
		}
		out.WriteString(">>\nendobj\n")
	}
	fmt.Fprintf(&out, "%%PDF-1.7\n%%%0*d\n", markSize, 0)
	object("/Type/Catalog/Pages 2 0 R", nil)
	object("/Type/Pages/Kids[3 0 R]/Count 1", nil)
	object("/Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>", nil)
	object("", []byte("BT /F 48 Tf 60 700 Td (Akta Pendirian) Tj ET 60 680 400 4 re f 1 0 0 rg 60 100 200 200 re f"))
	filler := make([]byte, size-out.Len()-500)
	r := mathrand.NewChaCha8([32]byte{1})
	_, _ = r.Read(filler)
	object("/Type/EmbeddedFile", filler)
	table := out.Len()
	fmt.Fprintf(&out, "xref\n0 %d\n0000000000 65535 f \n", len(places)+1)
	for _, at := range places {
		fmt.Fprintf(&out, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(&out, "trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(places)+1, table)
	return sheet{"akta.pdf", out.Bytes(), len("%PDF-1.7\n%")}
}

// The sheets of every measure, made once.
var sheets = struct {
	sync.Mutex
	made map[string]sheet
}{made: map[string]sheet{}}

func made(name string, make func() sheet) sheet {
	sheets.Lock()
	defer sheets.Unlock()
	if _, there := sheets.made[name]; !there {
		sheets.made[name] = make()
	}
	return sheets.made[name]
}

func phonePhoto(b *testing.B) sheet {
	return made("2 MB", func() sheet { return jpegOf(b, 2048, 1536, 2_000_000) })
}

func smallPhoto(b *testing.B) sheet {
	return made("200 KB", func() sheet { return jpegOf(b, 1280, 960, 200_000) })
}

func largePhoto(b *testing.B) sheet {
	return made("15 MB", func() sheet { return jpegOf(b, 4000, 3000, 15_000_000) })
}
