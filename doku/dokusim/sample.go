package dokusim

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"strings"
)

// drawSample makes the file that stands for a URL: marked SAMPLE, and the same bytes for the same URL. The extension,
// lower case with its dot, says what it is; nil for any other.
func drawSample(url, extension string) []byte {
	sum := sha256.Sum256([]byte(url))
	mark := strings.ToUpper(hex.EncodeToString(sum[:4]))
	var b bytes.Buffer
	switch extension {
	case ".png":
		fast := png.Encoder{CompressionLevel: png.BestSpeed}
		_ = fast.Encode(&b, samplePicture(sum[:], mark)) // into memory, of a plain picture: cannot fail
	case ".jpg", ".jpeg":
		_ = jpeg.Encode(&b, samplePicture(sum[:], mark), &jpeg.Options{Quality: 85})
	case ".pdf":
		return samplePDF(mark)
	default:
		return nil
	}
	return b.Bytes()
}

func samplePicture(sum []byte, mark string) image.Image {
	picture := image.NewRGBA(image.Rect(0, 0, 640, 400))
	paper := color.RGBA{200 + sum[0]%48, 200 + sum[1]%48, 200 + sum[2]%48, 255}
	ink := color.RGBA{40 + sum[3]%80, 40 + sum[4]%80, 40 + sum[5]%80, 255}
	draw.Draw(picture, picture.Bounds(), image.NewUniform(paper), image.Point{}, draw.Src)
	for i := range 8 { // stripes, so that two samples differ at a glance
		x := int(sum[8+i])*9/4 + 10
		draw.Draw(picture, image.Rect(x, 270, x+20, 380), image.NewUniform(ink), image.Point{}, draw.Src)
	}
	write(picture, ink, "SAMPLE", 50, 40, 15)
	write(picture, ink, mark, 50, 175, 8)
	return picture
}

// write sets a text in blocks of 5 by 7.
func write(picture draw.Image, ink color.Color, text string, x, y, block int) {
	for _, letter := range text {
		for row, bits := range glyphs[letter] {
			for column := range 5 {
				if bits>>(4-column)&1 == 1 {
					at := image.Rect(0, 0, block, block).Add(image.Pt(x+column*block, y+row*block))
					draw.Draw(picture, at, image.NewUniform(ink), image.Point{}, draw.Src)
				}
			}
		}
		x += 6 * block
	}
}

// glyphs has the letters of SAMPLE and the hexadecimal digits, seven rows of five bits each.
var glyphs = map[rune][7]byte{
	'0': {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e}, '1': {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
	'2': {0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f}, '3': {0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e},
	'4': {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02}, '5': {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
	'6': {0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e}, '7': {0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08},
	'8': {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e}, '9': {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c},
	'A': {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11}, 'B': {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e},
	'C': {0x0e, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0e}, 'D': {0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e},
	'E': {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f}, 'F': {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10},
	'L': {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f}, 'M': {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11},
	'P': {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10}, 'S': {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e},
}

// samplePDF is one page with the mark, its cross-references in order.
func samplePDF(mark string) []byte {
	text := fmt.Sprintf("BT /F1 64 Tf 90 420 Td (SAMPLE) Tj 0 -60 Td /F1 28 Tf (%s) Tj ET", mark)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R /Resources << /Font << /F1 4 0 R >> >> >>",
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(text), text),
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var offsets []int
	for i, o := range objects {
		offsets = append(offsets, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	start := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, o := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n \n", o)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, start)
	return b.Bytes()
}
