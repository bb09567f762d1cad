package main

import (
	"image"
	"image/color"
	"image/draw"
	"math"
	"sync"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	ximage "golang.org/x/image/draw"
)

// canvas is a picture being drawn. Lengths are pixels.
type canvas struct{ *image.RGBA }

func newCanvas(w, h int, paper color.Color) canvas {
	c := canvas{image.NewRGBA(image.Rect(0, 0, w, h))}
	draw.Draw(c.RGBA, c.Rect, image.NewUniform(paper), image.Point{}, draw.Src)
	return c
}

func (c canvas) width() float64  { return float64(c.Rect.Dx()) }
func (c canvas) height() float64 { return float64(c.Rect.Dy()) }

// ink is a colour written 0xRRGGBB, and how much of it covers what is below.
func ink(rgb uint32, opacity ...float64) color.Color {
	a := 1.0
	for _, o := range opacity {
		a = o
	}
	return color.NRGBA{uint8(rgb >> 16), uint8(rgb >> 8), uint8(rgb), uint8(255*a + .5)}
}

// blend is the colour at f, from 0 to 1, on the way from one to another.
func blend(from, to uint32, f float64) color.Color {
	mix := func(shift uint) uint32 {
		a, b := float64(from>>shift&0xff), float64(to>>shift&0xff)
		return uint32(a+(b-a)*f+.5) << shift
	}
	return ink(mix(16) | mix(8) | mix(0))
}

// slope fills a part of the canvas with colours from one to another, top to bottom.
func (c canvas) slope(x, y, w, h int, from, to uint32) {
	for i := range h {
		draw.Draw(c.RGBA, image.Rect(x, y+i, x+w, y+i+1), image.NewUniform(blend(from, to, float64(i)/float64(h))), image.Point{}, draw.Src)
	}
}

// pen draws the outline of one shape.
type pen struct {
	vector.Rasterizer
	x, y float64 // of the corner of the part of the canvas that the shape is in
}

func (p *pen) to(x, y float64) (float32, float32) { return float32(x - p.x), float32(y - p.y) }

func (p *pen) begin(x, y float64) { p.MoveTo(p.to(x, y)) }
func (p *pen) line(x, y float64)  { p.LineTo(p.to(x, y)) }

func (p *pen) curve(x1, y1, x2, y2, x3, y3 float64) {
	ax, ay := p.to(x1, y1)
	bx, by := p.to(x2, y2)
	cx, cy := p.to(x3, y3)
	p.CubeTo(ax, ay, bx, by, cx, cy)
}

// fill paints a shape that lies within a rectangle.
func (c canvas) fill(with color.Color, x, y, w, h float64, shape func(*pen)) {
	r := image.Rect(int(x)-1, int(y)-1, int(x+w)+2, int(y+h)+2).Intersect(c.Rect)
	if r.Empty() {
		return
	}
	p := &pen{x: float64(r.Min.X), y: float64(r.Min.Y)}
	p.Reset(r.Dx(), r.Dy())
	shape(p)
	p.Draw(c.RGBA, r, image.NewUniform(with), image.Point{})
}

func (c canvas) rect(with color.Color, x, y, w, h float64) {
	r := image.Rect(int(x), int(y), int(x+w), int(y+h))
	draw.Draw(c.RGBA, r, image.NewUniform(with), image.Point{}, draw.Over)
}

// frame is the border of a rectangle.
func (c canvas) frame(with color.Color, x, y, w, h, thick float64) {
	c.rect(with, x, y, w, thick)
	c.rect(with, x, y+h-thick, w, thick)
	c.rect(with, x, y+thick, thick, h-2*thick)
	c.rect(with, x+w-thick, y+thick, thick, h-2*thick)
}

func (c canvas) polygon(with color.Color, xy ...float64) {
	left, top, right, bottom := xy[0], xy[1], xy[0], xy[1]
	for i := 0; i < len(xy); i += 2 {
		left, top, right, bottom = min(left, xy[i]), min(top, xy[i+1]), max(right, xy[i]), max(bottom, xy[i+1])
	}
	c.fill(with, left, top, right-left, bottom-top, func(p *pen) {
		p.begin(xy[0], xy[1])
		for i := 2; i < len(xy); i += 2 {
			p.line(xy[i], xy[i+1])
		}
		p.ClosePath()
	})
}

func (c canvas) ellipse(with color.Color, x, y, rx, ry float64) {
	c.fill(with, x-rx, y-ry, 2*rx, 2*ry, func(p *pen) { p.oval(x, y, rx, ry) })
}

// ring is an ellipse's line.
func (c canvas) ring(with color.Color, x, y, rx, ry, thick float64) {
	c.fill(with, x-rx, y-ry, 2*rx, 2*ry, func(p *pen) {
		p.oval(x, y, rx, ry)
		p.oval(x, y, rx-thick, thick-ry) // the other way round: a hole
	})
}

// oval is an ellipse of four curves; with a negative height it turns the other way.
func (p *pen) oval(x, y, rx, ry float64) {
	const k = 0.5523
	arc := func(x1, y1, x2, y2, x3, y3 float64) { p.curve(x+x1*rx, y+y1*ry, x+x2*rx, y+y2*ry, x+x3*rx, y+y3*ry) }
	p.begin(x+rx, y)
	arc(1, k, k, 1, 0, 1)
	arc(-k, 1, -1, k, -1, 0)
	arc(-1, -k, -k, -1, 0, -1)
	arc(k, -1, 1, -k, 1, 0)
	p.ClosePath()
}

// rounded is a rectangle with round corners.
func (c canvas) rounded(with color.Color, x, y, w, h, r float64) {
	const k = 0.45 // of the radius, where a corner's curve bends
	c.fill(with, x, y, w, h, func(p *pen) {
		corner := func(cx, cy, dx, dy, ex, ey float64) { // from beside the corner, round it, to its other side
			p.line(cx+dx*r, cy+dy*r)
			p.curve(cx+dx*r*k, cy+dy*r*k, cx+ex*r*k, cy+ey*r*k, cx+ex*r, cy+ey*r)
		}
		p.begin(x+r, y)
		corner(x+w, y, -1, 0, 0, 1)
		corner(x+w, y+h, 0, -1, -1, 0)
		corner(x, y+h, 1, 0, 0, -1)
		corner(x, y, 0, 1, 1, 0)
		p.ClosePath()
	})
}

// wave is a line that swings, for paper that is hard to copy and for signatures.
func (c canvas) wave(with color.Color, x, y, w, swing, length, phase, thick float64) {
	const step = 5.0
	at := func(d float64) float64 { return y + swing*math.Sin((d/length+phase)*2*math.Pi) }
	c.fill(with, x, y-swing, w, 2*swing+thick, func(p *pen) {
		p.begin(x, at(0))
		for d := step; d <= w; d += step {
			p.line(x+d, at(d))
		}
		for d := w; d >= 0; d -= step {
			p.line(x+d, at(d)+thick)
		}
		p.ClosePath()
	})
}

// The type faces of samples.
const (
	plain = iota
	bold
	italic
	mono
)

var typefaces = sync.OnceValue(func() (fonts [4]*opentype.Font) {
	for i, ttf := range [][]byte{goregular.TTF, gobold.TTF, goitalic.TTF, gomono.TTF} {
		f, err := opentype.Parse(ttf)
		if err != nil {
			panic(err) // they are compiled in
		}
		fonts[i] = f
	}
	return fonts
})

// typed is a line of text in a face and a size.
func typed(style int, size float64) font.Face {
	face, err := opentype.NewFace(typefaces()[style], &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingNone})
	if err != nil {
		panic(err) // sizes are constants
	}
	return face
}

// text writes from x to the right, on the base line y.
func (c canvas) text(with color.Color, style int, size, x, y float64, s string) {
	write(c.RGBA, image.NewUniform(with), typed(style, size), x, y, s)
}

// centred writes around x, smaller where width is too little.
func (c canvas) centred(with color.Color, style int, size, x, y, width float64, s string) {
	face := typed(style, size)
	w := advance(face, s)
	if w > width {
		c.centred(with, style, size*width/w*0.99, x, y, width, s)
		return
	}
	write(c.RGBA, image.NewUniform(with), face, x-w/2, y, s)
}

func advance(face font.Face, s string) float64 { return float64(font.MeasureString(face, s)) / 64 }

func write(to draw.Image, with image.Image, face font.Face, x, y float64, s string) {
	d := font.Drawer{Dst: to, Src: with, Face: face, Dot: fixed.Point26_6{X: fixed.Int26_6(x * 64), Y: fixed.Int26_6(y * 64)}}
	d.DrawString(s)
}

const watermark = "CONTOH / SAMPLE"

// mark writes across the whole picture that it is a sample.
func (c canvas) mark(with uint32, opacity float64) {
	w, h := c.width(), c.height()
	angle := -math.Atan2(h, w)
	face := typed(bold, 100)
	long := advance(face, watermark)
	stamp := image.NewAlpha(image.Rect(0, 0, int(long)+2, 110))
	write(stamp, image.Opaque, face, 1, 84, watermark)
	tinted := image.NewNRGBA(stamp.Rect)
	draw.DrawMask(tinted, tinted.Rect, image.NewUniform(ink(with, opacity)), image.Point{}, stamp, image.Point{}, draw.Src)
	scale := 0.78 * math.Hypot(w, h) / long
	sin, cos := math.Sincos(angle)
	across := f64.Aff3{
		scale * cos, -scale * sin, w/2 - scale*(cos*long/2-sin*50),
		scale * sin, scale * cos, h/2 - scale*(sin*long/2+cos*50),
	}
	ximage.ApproxBiLinear.Transform(c.RGBA, across, tinted, tinted.Rect, draw.Over, nil)
}

// paste puts a picture on the canvas.
func (c canvas) paste(picture canvas, x, y int) {
	draw.Draw(c.RGBA, picture.Rect.Add(image.Pt(x, y)), picture.RGBA, image.Point{}, draw.Over)
}

// resize draws a picture over the whole of another.
func resize(to, from canvas) {
	ximage.BiLinear.Scale(to.RGBA, to.Rect, from.RGBA, from.Rect, draw.Src, nil)
}
