package paper

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"math/bits"
	"testing"
	"time"

	"golang.org/x/image/draw"
)

func TestSharpnessFallsWithBlur(t *testing.T) {
	t.Parallel()
	sharp := card(900, 600, 0)
	soft, softer := blurred(sharp, 4), blurred(sharp, 16)
	a := mustInspect(t, encodeJPEG(t, sharp, 90)).Sharpness
	b := mustInspect(t, encodeJPEG(t, soft, 90)).Sharpness
	c := mustInspect(t, encodeJPEG(t, softer, 90)).Sharpness
	if !(a > 3*b && b > 3*c && c >= 0) {
		t.Errorf("sharp %.1f, soft %.1f, softer %.1f", a, b, c)
	}
	if flat := mustInspect(t, encodePNG(t, image.NewGray(image.Rect(0, 0, 50, 50)))).Sharpness; flat != 0 {
		t.Errorf("a flat picture has %.1f", flat)
	}
}

// blurred goes through a copy n times smaller.
func blurred(m *image.RGBA, n int) *image.RGBA {
	small := image.NewRGBA(image.Rect(0, 0, m.Rect.Dx()/n, m.Rect.Dy()/n))
	draw.BiLinear.Scale(small, small.Rect, m, m.Rect, draw.Src, nil)
	large := image.NewRGBA(m.Rect)
	draw.BiLinear.Scale(large, large.Rect, small, small.Rect, draw.Src, nil)
	return large
}

func TestPerceptualHash(t *testing.T) {
	t.Parallel()
	hash := func(file []byte) uint64 { return mustInspect(t, file).PerceptualHash }
	original := hash(encodeJPEG(t, card(800, 500, 10), 92))
	for name, alike := range map[string]uint64{
		"smaller":    hash(encodeJPEG(t, card(400, 250, 0), 92)),
		"compressed": hash(encodeJPEG(t, card(800, 500, 10), 30)),
		"as PNG":     hash(encodePNG(t, card(800, 500, 10))),
		"soft":       hash(encodeJPEG(t, blurred(card(800, 500, 0), 8), 92)),
	} {
		if d := bits.OnesCount64(original ^ alike); d > 8 {
			t.Errorf("%s: %d bits differ", name, d)
		}
	}
	other := image.NewRGBA(image.Rect(0, 0, 800, 500))
	draw.Draw(other, image.Rect(200, 150, 800, 450), image.White, image.Point{}, draw.Src)
	if d := bits.OnesCount64(original ^ hash(encodeJPEG(t, other, 90))); d < 12 {
		t.Errorf("another picture: only %d bits differ", d)
	}
}

// tiffBlock is an EXIF block with an orientation, and a date where there is one.
func tiffBlock(order binary.AppendByteOrder, orientation uint16, date, offset string) []byte {
	mark := map[binary.AppendByteOrder]string{binary.LittleEndian: "II*\x00", binary.BigEndian: "MM\x00*"}[order]
	b := order.AppendUint32([]byte(mark), 8)
	field := func(tag, kind uint16, n uint32) {
		b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), n)
	}
	b = order.AppendUint16(b, 2)
	field(tagOrientation, 3, 1)
	b = order.AppendUint16(order.AppendUint16(b, orientation), 0)
	field(tagExifDirectory, 4, 1)
	b = order.AppendUint32(b, 38)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 2)
	field(tagDateTimeOriginal, 2, uint32(len(date)+1))
	b = order.AppendUint32(b, 68)
	field(tagOffsetTimeOriginal, 2, uint32(len(offset)+1))
	b = order.AppendUint32(b, uint32(68+len(date)+1))
	b = order.AppendUint32(b, 0)
	return append(b, date+"\x00"+offset+"\x00"...)
}

func TestEXIF(t *testing.T) {
	t.Parallel()
	picture, drawn := encodeJPEG(t, card(400, 300, 0), 90), encodePNG(t, card(400, 300, 0))
	local := time.Date(2026, 11, 22, 9, 30, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		block []byte
		want  exif
	}{
		"little-endian": {tiffBlock(binary.LittleEndian, 6, "2026:11:22 09:30:00", ""), exif{6, local}},
		"big-endian":    {tiffBlock(binary.BigEndian, 8, "2026:11:22 09:30:00", ""), exif{8, local}},
		"with offset":   {tiffBlock(binary.BigEndian, 1, "2026:11:22 09:30:00", "+07:00"), exif{1, local.Add(-7 * time.Hour)}},
		"camera unset":  {tiffBlock(binary.LittleEndian, 1, "0000:00:00 00:00:00", ""), exif{1, time.Time{}}},
		"nonsense":      {tiffBlock(binary.LittleEndian, 77, "yesterday", "x"), exif{1, time.Time{}}},
		"cut short":     {tiffBlock(binary.LittleEndian, 3, "2026:11:22 09:30:00", "")[:50], exif{3, time.Time{}}},
		"no block":      {[]byte("II*\x00"), exif{1, time.Time{}}},
	} {
		for _, file := range [][]byte{
			insert(picture, 2, segment(app1, append([]byte("Exif\x00\x00"), c.block...)...)),
			insert(drawn, 33, chunk("eXIf", c.block)),
		} {
			facts := mustInspect(t, file)
			if facts.Orientation != c.want.orientation || !facts.TakenAt.Equal(c.want.takenAt) {
				t.Errorf("%s: %d, %v", name, facts.Orientation, facts.TakenAt)
			}
		}
	}
}

// A picture with a red corner at the top left, stored in all eight ways, gives upright thumbnails and one hash.
func TestUpright(t *testing.T) {
	t.Parallel()
	upright := card(320, 200, 0)
	draw.Draw(upright, image.Rect(0, 0, 60, 60), image.NewUniform(color.RGBA{255, 0, 0, 255}), image.Point{}, draw.Src)
	want := mustInspect(t, encodePNG(t, upright))
	undo := [...]int{1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
	for orientation := 1; orientation <= 8; orientation++ {
		stored := encodePNG(t, turn(upright, undo[orientation]))
		facts := mustInspect(t, insert(stored, 33, chunk("eXIf", tiffBlock(binary.LittleEndian, uint16(orientation), "", ""))))
		if w := [2]int{facts.Width, facts.Height}; (orientation < 5) != (w == [2]int{320, 200}) {
			t.Errorf("%d: stored as %v", orientation, w)
		}
		m := checkThumbnail(t, facts.Thumbnail, 240, 150)
		if r, g, b, _ := m.At(15, 15).RGBA(); r < 0xc000 || g > 0x4000 || b > 0x4000 {
			t.Errorf("%d: the corner is %x %x %x", orientation, r, g, b)
		}
		if d := bits.OnesCount64(facts.PerceptualHash ^ want.PerceptualHash); d > 2 {
			t.Errorf("%d: %d bits of the hash differ", orientation, d)
		}
	}
}

func TestThumbnailsAlwaysFit(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {240, 240}, {500, 500}, {5000, 3}, {3, 5000}} {
		file := encodePNG(t, card(size.X, size.Y, 255)) // noise: as hard to compress as it gets
		m := checkThumbnail(t, mustInspect(t, file).Thumbnail, 0, 0)
		if longest := max(m.Bounds().Dx(), m.Bounds().Dy()); longest > 240 {
			t.Errorf("%v: a thumbnail of %d pixels", size, longest)
		}
	}
	if b, _ := thumbnail(card(240, 240, 255)); bytes.Equal(b, nil) {
		t.Error("no thumbnail")
	}
}

// A photo shrunk in whole steps keeps its brightness, whatever its size and however its colours are sampled.
func TestShrunkPhotosKeepTheirBrightness(t *testing.T) {
	for _, ratio := range []image.YCbCrSubsampleRatio{image.YCbCrSubsampleRatio444, image.YCbCrSubsampleRatio422, image.YCbCrSubsampleRatio420, image.YCbCrSubsampleRatio440, image.YCbCrSubsampleRatio411, image.YCbCrSubsampleRatio410} {
		for _, size := range [][2]int{{2048, 1536}, {2047, 1}, {1, 2049}, {1001, 999}, {3001, 2003}, {5, 4321}} {
			m := image.NewYCbCr(image.Rect(0, 0, size[0], size[1]), ratio)
			for i := range m.Y {
				m.Y[i] = uint8(60 + 80*(i%2))
			}
			for i := range m.Cb {
				m.Cb[i], m.Cr[i] = 128, 128
			}
			small := averaged(m, (max(size[0], size[1])+smallSide-1)/smallSide)
			if longest := max(small.Rect.Dx(), small.Rect.Dy()); longest > smallSide || longest < smallSide/2 {
				t.Errorf("%v %v became %v", ratio, size, small.Rect)
			}
			var sum, n float64
			brightness, _, _ := luma(small)
			for _, y := range brightness {
				sum, n = sum+float64(y), n+1
			}
			if mean := sum / n; size[0] > 1 && size[1] > 1 && (mean < 95 || mean > 105) {
				t.Errorf("%v %v: mean %.1f", ratio, size, mean)
			}
		}
	}
}
