package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"strings"

	"berkas/doku"
)

// sampleFile is a drawn document. Trace stands at its beginning, so that the simulator can tell this one upload.
type sampleFile struct {
	name, trace string
	bytes       []byte
}

// drawPaper draws a merchant's document of a category and code. Versions look different, and so do merchants.
func drawPaper(m *demoMerchant, p demoPaper, version int) sampleFile {
	trace := fmt.Sprintf("Sample drawn by Berkas: %s, %s, version %d", m.form["name"], p.title(), version)
	hue := palettes[sum(m.form["name"])%len(palettes)]
	var c canvas
	switch {
	case p.category == doku.CategoryPhotoProof:
		c = drawShop(m, hue, p.variant+version-1)
	case p.category == doku.CategoryOwnerLiveness:
		c = drawPortrait(hue, sum(m.form["owner_name"]))
	case p.category == doku.CategoryLogo:
		return pngFile("logo-contoh.png", trace, drawLogo(m.form["name"], hue))
	case p.code == doku.CodeKTP:
		c = drawCard(m, p, hue)
	case p.code == "AKTA_PENDIRIAN_PERUSAHAAN":
		return sampleFile{"akta-contoh.pdf", trace, drawDeed(m, trace)}
	case p.code == "SK_KEMENKUMHAM":
		return sampleFile{"sk-contoh.pdf", trace, drawDecree(m, trace)}
	case strings.HasPrefix(p.code, "NPWP"):
		return pngFile("npwp-contoh.png", trace, drawTaxCard(m, hue))
	default:
		c = drawCertificate(m, p, hue, version)
	}
	if p.blurred {
		c = blurred(c)
	}
	return jpegFile(fmt.Sprintf("%s-contoh-%d.jpg", strings.ReplaceAll(strings.ToLower(p.title()), "_", "-"), version), trace, c)
}

// palette is a merchant's colours: its sign, its wall, its dark and its light.
type palette struct{ sign, wall, deep, pale uint32 }

var palettes = []palette{
	{0xb4472e, 0xf1dfc4, 0x5b2417, 0xfaf1e4},
	{0x1f6f78, 0xe3eceb, 0x0f3a40, 0xeef6f5},
	{0x7a4f9a, 0xece4f0, 0x3c2650, 0xf6f1f9},
	{0x2f6b3c, 0xe8ecd9, 0x17391f, 0xf3f7ec},
	{0xc0872b, 0xf4ead2, 0x5c3f11, 0xfbf6e9},
	{0x2c5a9c, 0xe2e8f1, 0x142c50, 0xeff4fa},
}

func sum(s string) (n int) {
	for _, r := range s {
		n = (n*31 + int(r)) & 0xffff
	}
	return n
}

func jpegFile(name, trace string, c canvas) sampleFile {
	var b bytes.Buffer
	must(jpeg.Encode(&b, c.RGBA, &jpeg.Options{Quality: 78}))
	comment := binary.BigEndian.AppendUint16([]byte{0xff, 0xfe}, uint16(len(trace)+2))
	return sampleFile{name, trace, bytes.Join([][]byte{b.Bytes()[:2], comment, []byte(trace), b.Bytes()[2:]}, nil)}
}

func pngFile(name, trace string, c canvas) sampleFile {
	var b bytes.Buffer
	must((&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, c.RGBA))
	return sampleFile{name, trace, b.Bytes()}
}

// must is for writing to memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// blurred is a picture as a trembling hand takes it.
func blurred(c canvas) canvas {
	small := newCanvas(c.Rect.Dx()/16, c.Rect.Dy()/16, color.White)
	resize(small, c)
	out := newCanvas(c.Rect.Dx(), c.Rect.Dy(), color.White)
	resize(out, small)
	out.mark(0x8a1c1c, 0.5)
	return out
}

// drawShop is a shop's front in the street, under its sign.
func drawShop(m *demoMerchant, p palette, variant int) canvas {
	c := newCanvas(880, 640, ink(p.wall))
	c.slope(0, 0, 880, 300, 0xa9cbe3, 0xeaf2f5)
	c.ellipse(ink(0xffffff, 0.8), 150+90*float64(variant), 70, 90, 22)
	c.ellipse(ink(0xffffff, 0.8), 215+90*float64(variant), 58, 70, 26)
	c.street(variant, p)
	c.slope(0, 545, 880, 95, 0xb9b4aa, 0x8f8b84)
	for x := 0.0; x < 880; x += 110 {
		c.rect(ink(0x000000, 0.12), x, 545, 2, 95)
	}
	c.rect(ink(p.deep, 0.18), 92, 118, 708, 432) // its shadow
	c.rect(ink(p.wall), 80, 110, 700, 440)
	c.rect(ink(p.deep), 80, 100, 700, 14)
	c.rounded(ink(p.sign), 120, 134, 620, 92, 10)
	c.rounded(ink(0xffffff, 0.16), 126, 140, 608, 80, 8)
	c.centred(color.White, bold, 46, 430, 196, 580, m.form["name"])
	c.window(130, 330, 210, 190, p)
	c.window(365, 330, 180, 190, p)
	c.door(575, 318, 140, 232, p)
	for i := range 20 { // the awning
		x, shade := 110+float64(i)*32, ink(p.sign)
		if i%2 == 1 {
			shade = ink(0xfdfaf3)
		}
		c.polygon(shade, x+8, 246, x+40, 246, x+32, 306, x, 306)
		c.ellipse(shade, x+16, 306, 16, 11)
	}
	c.goods(variant, p)
	c.plant(104, 548, p)
	c.plant(748, 548, p)
	c.centred(ink(0xffffff, 0.9), plain, 17, 440, 612, 700, "Foto contoh, digambar oleh program. Sample picture, drawn by the program.")
	c.mark(0xffffff, 0.42)
	return c
}

// street is what stands to both sides and behind.
func (c canvas) street(variant int, p palette) {
	for i := range 6 {
		x, top := float64(i)*160-60*float64(variant%3), 250+float64((i*67+variant*31)%90)
		c.rect(blend(p.wall, 0x8fa3ad, 0.45+0.1*float64(i%3)), x, top, 160, 545-top)
		c.polygon(blend(p.sign, 0x7d8b92, 0.6), x-8, top, x+80, top-56, x+168, top)
		for j := range 2 {
			c.rect(ink(0xffffff, 0.4), x+28+float64(j)*70, top+40, 34, 44)
		}
	}
}

func (c canvas) window(x, y, w, h float64, p palette) {
	c.rect(ink(p.deep), x-6, y-6, w+12, h+12)
	c.slope(int(x), int(y), int(w), int(h), 0xd7e8ee, 0x9fbccb)
	c.polygon(ink(0xffffff, 0.35), x+w*0.15, y, x+w*0.4, y, x+w*0.15, y+h, x, y+h, x, y+h*0.6)
	c.rect(ink(p.deep), x+w/2-2, y, 4, h)
}

func (c canvas) door(x, y, w, h float64, p palette) {
	c.rect(ink(p.deep), x, y, w, h)
	c.slope(int(x)+10, int(y)+10, int(w)-20, int(h)-10, 0x7d97a3, 0x54717f)
	c.rounded(ink(0xfdfaf3), x+34, y+66, w-68, 34, 4)
	c.centred(ink(p.sign), bold, 19, x+w/2, y+90, w-74, "BUKA")
	c.rounded(ink(0xd9c17a), x+w-30, y+116, 7, 34, 3)
}

// goods are what stands in the windows.
func (c canvas) goods(variant int, p palette) {
	shades := []uint32{p.sign, 0xd9a441, 0x6a8f58, 0xb9573d, 0x4f7d93}
	for i := range 8 {
		x := 146 + float64(i)*46
		if i >= 4 {
			x += 44
		}
		tall := 34 + float64((i*37+variant*53)%46)
		shade := ink(shades[(i+variant)%len(shades)])
		if (i+variant)%3 == 0 {
			c.ellipse(shade, x+16, 500, 17, 20)
			continue
		}
		c.rounded(shade, x, 520-tall, 32, tall, 5)
		c.rect(ink(0xffffff, 0.55), x+5, 520-tall*0.6, 22, 9)
	}
}

func (c canvas) plant(x, y float64, p palette) {
	for i := range 7 {
		a := math.Pi * (0.12 + 0.127*float64(i))
		c.ellipse(ink(0x4d7a45), x+34*math.Cos(a), y-52-40*math.Sin(a)*0.8, 13, 17)
	}
	c.polygon(ink(p.sign), x-26, y-44, x+26, y-44, x+19, y+8, x-19, y+8)
}

// drawPortrait is somebody's face before a wall: nobody's.
func drawPortrait(p palette, who int) canvas {
	c := newCanvas(600, 760, ink(p.pale))
	c.slope(0, 0, 600, 760, p.pale, p.wall)
	c.figure(300, 330, 1, p, who)
	c.ring(ink(0xffffff, 0.85), 300, 322, 196, 250, 5)
	c.rounded(ink(0x000000, 0.45), 110, 28, 380, 40, 20)
	c.centred(color.White, plain, 18, 300, 54, 350, "Wajah di dalam bingkai · contoh")
	c.mark(0x7a1f1f, 0.30)
	return c
}

// figure is a drawn person from the shoulders up; x and y are the middle of the face.
func (c canvas) figure(x, y, scale float64, p palette, who int) {
	skin := []uint32{0xd9a47c, 0xc68a5f, 0xe2b48f}[who%3]
	shade := blend(skin, 0x5a2d14, 0.25)
	hair := []uint32{0x23191a, 0x2e211d, 0x3b2b26}[who/3%3]
	at := func(with color.Color, dx, dy, rx, ry float64) {
		c.ellipse(with, x+dx*scale, y+dy*scale, rx*scale, ry*scale)
	}
	if who%2 == 0 { // a head scarf
		at(ink(p.sign), 0, -12, 142, 172)
		at(ink(p.sign), 0, 190, 150, 110)
	} else {
		at(ink(hair), 0, -52, 124, 134)
	}
	at(ink(p.deep), 0, 400, 250, 190)
	at(shade, 0, 158, 62, 70)
	if who%2 == 0 {
		at(ink(p.sign), 0, 196, 120, 66)
	} else {
		at(shade, -112, 8, 18, 30)
		at(shade, 112, 8, 18, 30)
	}
	at(ink(skin), 0, 4, 108, 136)
	if who%2 == 1 {
		at(ink(hair), 0, -112, 104, 50)
	}
	for _, side := range []float64{-1, 1} {
		at(ink(0xffffff), side*42, -8, 17, 11)
		at(ink(0x2a1a14), side*42, -8, 8, 9)
		at(ink(hair), side*43, -36, 24, 5)
	}
	at(shade, 0, 34, 13, 9)
	at(ink(0x9a4b42), 0, 72, 34, 10)
	at(ink(skin), 0, 66, 34, 9)
}

// drawCard is an identity card of no country: the fields of a KTP under a heading that none has.
func drawCard(m *demoMerchant, p demoPaper, hue palette) canvas {
	c := newCanvas(856, 540, color.White)
	c.slope(0, 0, 856, 540, 0xcfe3ef, 0xa7c9dd)
	for i := range 26 {
		c.wave(ink(0x5f9bbd, 0.30), 0, float64(i)*22, 856, 9, 170, float64(i)*0.13, 1.4)
	}
	c.centred(ink(0x12303f), bold, 27, 428, 48, 800, "PROVINSI CONTOH")
	c.centred(ink(0x12303f), bold, 23, 428, 80, 800, "KOTA SAMPEL")
	c.text(ink(0x12303f), bold, 27, 34, 134, "NIK")
	c.text(ink(0x12303f), mono, 32, 150, 135, ": "+orSample(p.nik))
	who := strings.ToUpper(m.form["owner_name"])
	for i, f := range [][2]string{{"Nama", who}, {"Tempat/Tgl Lahir", "SAMPEL, 01-01-1990"}, {"Jenis Kelamin", "—"}, {"Alamat", "JL. CONTOH NO. 1"},
		{"  RT/RW", "000/000"}, {"  Kecamatan", "SAMPEL"}, {"Pekerjaan", "WIRASWASTA"}, {"Kewarganegaraan", "CONTOH"}, {"Berlaku Hingga", "BUKAN DOKUMEN ASLI"}} {
		y := 184 + float64(i)*38
		c.text(ink(0x12303f), plain, 20, 34, y, f[0])
		c.text(ink(0x12303f), bold, 20, 222, y, ": "+f[1])
	}
	photo := newCanvas(206, 264, ink(0xb5332c))
	photo.figure(103, 120, 0.62, hue, sum(m.form["owner_name"]))
	c.paste(photo, 616, 120)
	c.frame(ink(0x12303f, 0.5), 616, 120, 206, 264, 2)
	c.centred(ink(0x12303f), plain, 17, 719, 414, 200, "KOTA SAMPEL")
	c.wave(ink(0x1c2b6b), 656, 454, 130, 15, 36, 0.2, 2.5)
	c.mark(0xa01818, 0.42)
	return c
}

func orSample(nik string) string {
	if nik == "" {
		return "9900 0000 0000 0000"
	}
	return nik
}

// drawTaxCard is a tax card.
func drawTaxCard(m *demoMerchant, p palette) canvas {
	c := newCanvas(760, 480, ink(0xf7f5ec))
	c.rect(ink(0x1d3f72), 0, 0, 760, 86)
	c.rect(ink(0xd8a92f), 0, 86, 760, 7)
	c.emblem(54, 43, 30, 0xd8a92f, 0x1d3f72)
	c.text(color.White, bold, 26, 104, 42, "KARTU NPWP CONTOH")
	c.text(ink(0xcdd9ea), plain, 16, 104, 68, "Direktorat Sampel · bukan dokumen asli")
	c.text(ink(0x1d3f72), mono, 38, 40, 176, "NPWP "+grouped(m.form["npwp"]))
	c.text(ink(0x222222), bold, 27, 40, 236, strings.ToUpper(m.form["name"]))
	c.text(ink(0x444444), plain, 20, 40, 276, m.form["address_street"])
	c.text(ink(0x444444), plain, 20, 40, 306, m.form["address_area"])
	c.text(ink(0x444444), plain, 18, 40, 426, "Tanggal terdaftar 01-01-2020 · Sample, not a real card")
	for i := range 14 { // a bar code
		c.rect(ink(0x222222), 560+float64(i*11), 380, float64(2+i*7%6), 60)
	}
	c.mark(0xa01818, 0.30)
	return c
}

// grouped writes digits in fours.
func grouped(digits string) string {
	var b strings.Builder
	for i, r := range digits {
		if i > 0 && i%4 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// emblem is a star in a disc, the sign of nothing.
func (c canvas) emblem(x, y, r float64, disc, star uint32) {
	c.ellipse(ink(disc), x, y, r, r)
	c.ring(ink(star, 0.6), x, y, r*0.86, r*0.86, r*0.06)
	var xy []float64
	for i := range 10 {
		long := r * 0.66
		if i%2 == 1 {
			long = r * 0.28
		}
		sin, cos := math.Sincos(float64(i)*math.Pi/5 - math.Pi/2)
		xy = append(xy, x+long*cos, y+long*sin)
	}
	c.polygon(ink(star), xy...)
}

// drawCertificate is a licence on paper with a border, a seal and a signature.
func drawCertificate(m *demoMerchant, p demoPaper, hue palette, version int) canvas {
	c := newCanvas(720, 1000, ink(0xfdfcf7))
	for i := range 44 {
		c.wave(ink(hue.sign, 0.10), 40, 50+float64(i)*21, 640, 8, 130, float64(i)*0.17, 1.2)
	}
	c.frame(ink(hue.deep), 22, 22, 676, 956, 6)
	c.frame(ink(hue.sign), 34, 34, 652, 932, 2)
	for _, x := range []float64{34, 686} {
		for _, y := range []float64{34, 966} {
			c.ellipse(ink(hue.sign), x, y, 13, 13)
			c.ellipse(ink(0xfdfcf7), x, y, 6, 6)
		}
	}
	c.emblem(360, 120, 54, hue.sign, 0xfdfcf7)
	c.centred(ink(0x333333), plain, 18, 360, 208, 600, "LEMBAGA CONTOH · SAMPLE AUTHORITY")
	c.centred(ink(hue.deep), bold, 36, 360, 272, 590, strings.ToUpper(p.heading()))
	c.centred(ink(0x555555), mono, 19, 360, 308, 590, fmt.Sprintf("Nomor: CONTOH/%04d/%d", sum(p.code)%10000, version))
	c.rect(ink(hue.sign), 230, 330, 260, 2)
	c.centred(ink(0x333333), plain, 20, 360, 386, 590, "diberikan kepada")
	c.centred(ink(0x111111), bold, 34, 360, 438, 580, m.form["name"])
	for i, f := range [][2]string{{"Alamat", m.form["address_street"]}, {"Wilayah", m.form["address_area"]}, {"Penanggung jawab", m.form["owner_name"]},
		{"Bidang usaha", readable(m.form["business_line"])}, {"Berlaku sampai", "31-12-2099"}} {
		y := 502 + float64(i)*40
		c.text(ink(0x666666), plain, 19, 96, y, f[0])
		c.text(ink(0x222222), bold, 19, 290, y, f[1])
	}
	c.centred(ink(0x666666), italic, 17, 360, 724, 590, "Dokumen ini digambar oleh program untuk peragaan dan tidak berlaku.")
	c.centred(ink(0x666666), italic, 17, 360, 750, 590, "Drawn by the program for demonstration; it certifies nothing.")
	c.ring(ink(0x9c2b2b, 0.75), 230, 862, 66, 66, 5)
	c.ring(ink(0x9c2b2b, 0.75), 230, 862, 54, 54, 2)
	c.centred(ink(0x9c2b2b, 0.85), bold, 24, 230, 870, 96, "CONTOH")
	c.wave(ink(0x1c2b6b), 432, 850, 170, 19, 44, 0.1, 2.5)
	c.rect(ink(0x333333), 410, 886, 210, 2)
	c.centred(ink(0x333333), plain, 17, 515, 912, 220, "Pejabat Contoh")
	c.mark(0xa01818, 0.26)
	return c
}

// readable is an enumeration's value as one reads it.
func readable(value string) string {
	s := strings.ToLower(strings.ReplaceAll(value, "_", " "))
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// drawLogo is a disc with a merchant's initials.
func drawLogo(name string, p palette) canvas {
	c := newCanvas(480, 480, ink(p.pale))
	c.ellipse(ink(p.sign), 240, 240, 200, 200)
	c.ring(ink(p.pale), 240, 240, 182, 182, 6)
	initials := ""
	for _, w := range strings.Fields(name) {
		initials += w[:1]
	}
	c.centred(ink(p.pale), bold, 140, 240, 288, 300, initials)
	c.mark(0x000000, 0.16)
	return c
}

// drawDeed is a deed of four pages.
func drawDeed(m *demoMerchant, comment string) []byte {
	articles := []string{"NAMA DAN TEMPAT KEDUDUKAN", "MAKSUD DAN TUJUAN", "JANGKA WAKTU", "MODAL", "PENGURUS", "TAHUN BUKU", "PENUTUP"}
	cover := &pdfPage{}
	cover.colour(0.12, 0.18, 0.3)
	cover.frame(36, 3)
	cover.frame(44, 0.8)
	cover.centred(pdfSerif, 13, 150, "NOTARIS CONTOH")
	cover.centred(pdfSerifBold, 24, 270, "AKTA PENDIRIAN")
	cover.centred(pdfSerifBold, 20, 320, strings.ToUpper(m.form["name"]))
	cover.centred(pdfSerif, 12, 360, "Nomor 00 - Tanggal 1 Januari 2020")
	cover.centred(pdfSerif, 11, 720, "Digambar oleh program untuk peragaan. Bukan dokumen asli.")
	cover.centred(pdfSerif, 11, 738, "Drawn by the program for demonstration. Not a real deed.")
	cover.mark()
	pages := []*pdfPage{cover}
	for n := range 3 {
		p := &pdfPage{}
		p.colour(0.1, 0.1, 0.1)
		p.centred(pdfSerif, 10, 60, fmt.Sprintf("- %d -", n+2))
		y := 100.0
		for i := n * 2; i < min(n*2+3, len(articles)); i++ {
			p.centred(pdfSerifBold, 12, y, fmt.Sprintf("PASAL %d", i+1))
			p.centred(pdfSerifBold, 12, y+17, articles[i])
			y = paragraph(p, y+44, m.form["name"])
		}
		p.mark()
		pages = append(pages, p)
	}
	return writePDF(comment, pages)
}

// paragraph writes a sample of what deeds say and returns where it ends.
func paragraph(p *pdfPage, y float64, name string) float64 {
	for i, line := range []string{
		"(1) Badan usaha ini bernama " + name + ", selanjutnya disebut Perseroan contoh,",
		"     yang berkedudukan di Kota Sampel dan hanya ada di dalam peragaan ini.",
		"(2) Kalimat ini mengisi halaman supaya terlihat seperti akta. Tidak satu pun pasal di sini",
		"     mempunyai akibat hukum, karena seluruh isinya ditulis oleh program sebagai contoh.",
		"(3) Para pihak dalam akta ini tidak pernah ada. Nama, tanggal, dan nomor di dalamnya adalah",
		"     contoh belaka dan tidak menunjuk kepada siapa pun.",
	} {
		p.line(pdfSerif, 11.5, 72, y+float64(i)*18, line)
	}
	return y + 6*18 + 34
}

// drawDecree is a decree of one page.
func drawDecree(m *demoMerchant, comment string) []byte {
	p := &pdfPage{}
	p.colour(0.1, 0.14, 0.24)
	p.frame(30, 1)
	p.centred(pdfSansBold, 15, 110, "KEMENTERIAN CONTOH")
	p.centred(pdfSerifBold, 14, 170, "KEPUTUSAN NOMOR CONTOH-00.00.01 TAHUN 2020")
	p.centred(pdfSerif, 13, 200, "TENTANG PENGESAHAN BADAN USAHA CONTOH")
	p.centred(pdfSerifBold, 15, 236, strings.ToUpper(m.form["name"]))
	y := paragraph(p, 300, m.form["name"])
	paragraph(p, y, m.form["name"])
	p.line(pdfSerif, 12, 360, 640, "Kota Sampel, 1 Januari 2020")
	p.line(pdfSerifBold, 12, 360, 720, "PEJABAT CONTOH")
	p.mark()
	return writePDF(comment, []*pdfPage{p})
}

// isPDF says which papers are drawn as PDF.
func (p demoPaper) isPDF() bool {
	return p.code == "AKTA_PENDIRIAN_PERUSAHAAN" || p.code == "SK_KEMENKUMHAM"
}
