package paper

import (
	"bytes"
	"image"
	"image/jpeg"
	"math"

	"golang.org/x/image/draw"
)

const (
	smallSide     = 1000 // longest side in pixels of the copy that everything is measured on
	thumbnailSide = 240
	thumbnailSize = 8192 // bytes

	// smallNeed is what measuring allocates beside the decoded picture: the small copy, its luma, the halves.
	smallNeed = smallSide * smallSide * 7
)

// shrink draws src on white with its longest side at most side pixels, never larger. A photo is averaged in whole steps
// and a copy of moderate size halved until the last step is less than a half, so that every pixel has its say; any other
// is sampled once, for halving it would cost another half of its memory.
func shrink(src image.Image, side int) *image.RGBA {
	w, h := src.Bounds().Dx(), src.Bounds().Dy()
	longest := max(w, h)
	if longest <= side {
		return scaled(src, w, h)
	}
	f := float64(side) / float64(longest)
	width, height := max(1, int(math.Round(float64(w)*f))), max(1, int(math.Round(float64(h)*f)))
	if photo, ok := src.(*image.YCbCr); ok {
		return scaled(averaged(photo, longest/side), width, height)
	}
	for longest <= smallSide && longest >= 2*side {
		w, h, longest = (w+1)/2, (h+1)/2, (longest+1)/2
		src = scaled(src, w, h)
	}
	return scaled(src, width, height)
}

// averaged is a photo k times smaller.
func averaged(m *image.YCbCr, k int) *image.YCbCr {
	w, h := m.Rect.Dx(), m.Rect.Dy()
	small := image.NewYCbCr(image.Rect(0, 0, (w+k-1)/k, (h+k-1)/k), m.SubsampleRatio)
	averagePlane(small.Y, small.YStride, m.Y[m.YOffset(m.Rect.Min.X, m.Rect.Min.Y):], m.YStride, w, h, k)
	first := m.COffset(m.Rect.Min.X, m.Rect.Min.Y)
	cw := m.COffset(m.Rect.Max.X-1, m.Rect.Min.Y) - first + 1
	ch := (m.COffset(m.Rect.Min.X, m.Rect.Max.Y-1)-first)/m.CStride + 1
	averagePlane(small.Cb, small.CStride, m.Cb[first:], m.CStride, cw, ch, k)
	averagePlane(small.Cr, small.CStride, m.Cr[first:], m.CStride, cw, ch, k)
	return small
}

// averagePlane writes the means of fields of k by k samples, smaller ones at the right and at the bottom.
func averagePlane(dst []uint8, dstStride int, src []uint8, srcStride, w, h, k int) {
	columns := make([]uint32, w)
	for top := 0; top < h; top += k {
		rows := min(k, h-top)
		clear(columns)
		for y := top; y < top+rows; y++ {
			for x, v := range src[y*srcStride : y*srcStride+w] {
				columns[x] += uint32(v)
			}
		}
		out := dst[top/k*dstStride:]
		for x := 0; x < w; x += k {
			field := columns[x:min(x+k, w)]
			var sum uint32
			for _, v := range field {
				sum += v
			}
			n := uint32(rows * len(field))
			out[x/k] = uint8((sum + n/2) / n)
		}
	}
}

// scaled draws src on white. ApproxBiLinear reads YCbCr planes directly and needs no working memory.
func scaled(src image.Image, w, h int) *image.RGBA {
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	op := draw.Src
	if o, ok := src.(interface{ Opaque() bool }); !ok || !o.Opaque() {
		draw.Draw(dst, dst.Rect, image.White, image.Point{}, draw.Src)
		op = draw.Over
	}
	if src.Bounds().Dx() == w && src.Bounds().Dy() == h {
		draw.Draw(dst, dst.Rect, src, src.Bounds().Min, op)
	} else {
		draw.ApproxBiLinear.Scale(dst, dst.Rect, src, src.Bounds(), op, nil)
	}
	return dst
}

// luma is the brightness of each pixel, 0 to 255.
func luma(m image.Image) (y []uint8, w, h int) {
	w, h = m.Bounds().Dx(), m.Bounds().Dy()
	y = make([]uint8, w*h)
	switch m := m.(type) {
	case *image.YCbCr:
		for row := range h {
			copy(y[row*w:(row+1)*w], m.Y[row*m.YStride:])
		}
	case *image.RGBA:
		for i := range y {
			p := m.Pix[4*i : 4*i+3 : 4*i+3]
			y[i] = uint8((299*int(p[0]) + 587*int(p[1]) + 114*int(p[2]) + 500) / 1000)
		}
	}
	return y, w, h
}

// sharpness is the variance of the Laplacian on luma: edges make it large, blur makes it small.
func sharpness(m image.Image) float64 {
	y, w, h := luma(m)
	if w < 3 || h < 3 {
		return 0
	}
	var sum, squares int64
	for row := 1; row < h-1; row++ {
		up, here, down := y[(row-1)*w:row*w], y[row*w:(row+1)*w], y[(row+1)*w:(row+2)*w]
		for x := 1; x < w-1; x++ {
			d := int64(up[x]) + int64(down[x]) + int64(here[x-1]) + int64(here[x+1]) - 4*int64(here[x])
			sum += d
			squares += d * d
		}
	}
	n := float64(w-2) * float64(h-2)
	mean := float64(sum) / n
	return float64(squares)/n - mean*mean
}

// differenceHash has a bit for each of 8×8 fields: is it clearly darker than its right neighbour? Without "clearly" the
// grain of a photo would decide on the bits of even areas.
func differenceHash(m *image.RGBA) (hash uint64) {
	const columns, rows = 9, 8
	y, w, h := luma(m)
	for row := range rows {
		var left float64
		for column := range columns {
			field := image.Rect(column*w/columns, row*h/rows, (column+1)*w/columns, (row+1)*h/rows)
			right := mean(y, w, h, field)
			if column > 0 {
				hash <<= 1
				if right-left > 2 {
					hash |= 1
				}
			}
			left = right
		}
	}
	return hash
}

// mean brightness of a field, which is at least the pixel it begins at.
func mean(y []uint8, w, h int, field image.Rectangle) float64 {
	sum, n := 0, 0
	for row := field.Min.Y; row < min(h, max(field.Max.Y, field.Min.Y+1)); row++ {
		for x := field.Min.X; x < min(w, max(field.Max.X, field.Min.X+1)); x++ {
			sum += int(y[row*w+x])
			n++
		}
	}
	return float64(sum) / float64(max(n, 1))
}

// turn makes a picture upright by its EXIF orientation.
func turn(m *image.RGBA, orientation int) *image.RGBA {
	if orientation < 2 || orientation > 8 {
		return m
	}
	w, h := m.Rect.Dx(), m.Rect.Dy()
	from := [...]func(x, y int) (int, int){
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - 1 - x },
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y int) (int, int) { return w - 1 - y, x },
	}[orientation]
	size := image.Rect(0, 0, w, h)
	if orientation >= 5 {
		size = image.Rect(0, 0, h, w)
	}
	dst := image.NewRGBA(size)
	for y := range size.Dy() {
		for x := range size.Dx() {
			dst.SetRGBA(x, y, m.RGBAAt(from(x, y)))
		}
	}
	return dst
}

// thumbnail encodes a picture of at most thumbnailSide within thumbnailSize bytes: worse first, then smaller.
func thumbnail(m *image.RGBA) ([]byte, error) {
	for {
		for _, quality := range []int{78, 60, 42} {
			var out bytes.Buffer
			if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: quality}); err != nil {
				return nil, err
			}
			if out.Len() <= thumbnailSize {
				return out.Bytes(), nil
			}
		}
		m = shrink(m, max(m.Rect.Dx(), m.Rect.Dy())*3/4)
	}
}
