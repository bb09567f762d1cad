package paper

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"image/jpeg"
	"io"
)

// Markers of ITU-T T.81, table B.1.
const (
	tem   = 0x01
	sof0  = 0xc0 // baseline
	sof1  = 0xc1 // extended sequential
	sof2  = 0xc2 // progressive
	dht   = 0xc4
	jpg   = 0xc8
	dac   = 0xcc
	sof15 = 0xcf
	rst0  = 0xd0
	rst7  = 0xd7
	soi   = 0xd8
	eoi   = 0xd9
	sos   = 0xda
	app1  = 0xe1
	app14 = 0xee
)

// errUnsupported is a variety of JPEG that is in order but not known to the decoder.
var errUnsupported = errors.New("unsupported")

// frame is a JPEG's start of frame, and what else decides how its pixels are laid out.
type frame struct {
	marker        byte
	precision     int
	width, height int
	components    []component
	adobe         int // the transform of an Adobe segment, -1 without one
	jfif          bool
}

type component struct{ id, h, v byte }

func examineJPEG(r io.Reader) (picture, error) {
	m := &markers{r: bufio.NewReaderSize(r, 4<<10)}
	f, block, err := m.head()
	if err != nil {
		return picture{}, err
	}
	return picture{
		width: f.width, height: f.height,
		exif: readEXIF(block),
		need: f.need(),
		decode: func(s *stream) (image.Image, error) {
			img, err := jpeg.Decode(countScans{s})
			if _, rare := err.(jpeg.UnsupportedError); rare {
				err = errUnsupported
			}
			return img, err
		},
		walk: walkJPEG,
	}, nil
}

// need is what image/jpeg allocates: planes in whole blocks, four bytes for each coefficient of a progressive picture,
// and four for each pixel where the planes are converted. 0 is a variety that it does not decode.
func (f frame) need() int64 {
	if f.marker > sof2 || f.precision != 8 || len(f.components) == 2 || len(f.components) > 4 {
		return 0
	}
	c := f.components
	if len(c) == 1 {
		c = []component{{h: 1, v: 1}} // not subsampled, whatever it says
	}
	across, down := blocks(f.width, c[0].h), blocks(f.height, c[0].v)
	var samples int64
	for _, c := range c {
		samples += across * down * 64 * int64(c.h) * int64(c.v)
	}
	need := samples
	if f.marker == sof2 {
		need += 4 * samples
	}
	if len(c) == 4 || len(c) == 3 && f.rgb() {
		need += 4 * int64(f.width) * int64(f.height)
	}
	return need
}

func (f frame) rgb() bool {
	return !f.jfif && (f.adobe == 0 || f.components[0].id == 'R' && f.components[1].id == 'G' && f.components[2].id == 'B')
}

// blocks counts units of h blocks of eight pixels.
func blocks(pixels int, h byte) int64 {
	unit := 8 * int64(h)
	return (int64(pixels) + unit - 1) / unit
}

// walkJPEG follows the markers to the end of the image. What comes after it (a second picture, a maker's data) is the
// camera's business.
func walkJPEG(r io.Reader) error {
	m := &markers{r: bufio.NewReaderSize(r, 32<<10)}
	if _, _, err := m.head(); err != nil {
		return err
	}
	for scans := 1; ; scans++ {
		if scans > maxScans {
			return errTooManyScans
		}
		if _, err := m.segment(0); err != nil {
			return err
		}
		marker, err := m.entropy()
		if err != nil {
			return err
		}
		if marker, err = m.untilScan(marker); err != nil || marker == eoi {
			return err
		}
	}
}

// markers reads the structure of a JPEG.
type markers struct{ r *bufio.Reader }

// head reads up to and including the first start-of-scan marker. The EXIF block is at most 64 KB.
func (m *markers) head() (f frame, exif []byte, err error) {
	f.adobe = -1
	var start [2]byte
	if _, err := io.ReadFull(m.r, start[:]); err != nil || start != [2]byte{0xff, soi} {
		return f, nil, corruptf("no start of image: %v", err)
	}
	for {
		marker, err := m.next()
		switch {
		case err != nil:
			return f, nil, err
		case marker == sos && f.components != nil:
			return f, exif, nil
		case marker == sos || marker == eoi:
			return f, nil, corruptf("marker %#x before any frame", marker)
		case bare(marker):
			continue
		}
		keep := 0
		if isFrame(marker) || marker == app1 || marker == app14 || marker == 0xe0 {
			keep = 1 << 16
		}
		body, err := m.segment(keep)
		if err != nil {
			return f, nil, err
		}
		switch {
		case isFrame(marker):
			err = f.read(marker, body)
		case marker == 0xe0 && bytes.HasPrefix(body, []byte("JFIF\x00")):
			f.jfif = true
		case marker == app14 && bytes.HasPrefix(body, []byte("Adobe")) && len(body) >= 12:
			f.adobe = int(body[11])
		case marker == app1 && bytes.HasPrefix(body, []byte("Exif\x00")) && len(body) > 6 && exif == nil:
			exif = body[6:]
		}
		if err != nil {
			return f, nil, err
		}
	}
}

func (f *frame) read(marker byte, b []byte) error {
	if f.components != nil {
		return nil // of a hierarchical picture the first counts
	}
	if len(b) < 6 || len(b) != 6+3*int(b[5]) || b[5] == 0 {
		return corruptf("frame of %d bytes", len(b))
	}
	f.marker, f.precision = marker, int(b[0])
	f.height, f.width = int(binary.BigEndian.Uint16(b[1:])), int(binary.BigEndian.Uint16(b[3:]))
	for b := b[6:]; len(b) > 0; b = b[3:] {
		c := component{id: b[0], h: b[1] >> 4, v: b[1] & 15}
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 {
			return corruptf("sampling %d×%d", c.h, c.v)
		}
		f.components = append(f.components, c)
	}
	return nil
}

func isFrame(marker byte) bool {
	return marker >= sof0 && marker <= sof15 && marker != dht && marker != jpg && marker != dac
}

// bare markers have no segment.
func bare(marker byte) bool { return marker == tem || marker >= rst0 && marker <= soi }

// next finds the next marker, over fill bytes and stray ones, which decoders forgive too.
func (m *markers) next() (byte, error) {
	for {
		if err := m.skipTo(0xff); err != nil {
			return 0, err
		}
		b := byte(0xff)
		for b == 0xff {
			var err error
			if b, err = m.r.ReadByte(); err != nil {
				return 0, err
			}
		}
		if b != 0 {
			return b, nil
		}
	}
}

// segment reads a marker's segment: its first keep bytes, the rest is passed over.
func (m *markers) segment(keep int) ([]byte, error) {
	var size [2]byte
	if _, err := io.ReadFull(m.r, size[:]); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(size[:])) - 2
	if n < 0 {
		return nil, corruptf("segment of negative length")
	}
	body := make([]byte, min(n, keep))
	if _, err := io.ReadFull(m.r, body); err != nil {
		return nil, err
	}
	_, err := m.r.Discard(n - len(body))
	return body, err
}

// entropy passes over the coded data of a scan and returns the marker that ends it.
func (m *markers) entropy() (byte, error) {
	for {
		marker, err := m.next()
		if err != nil || marker < rst0 || marker > rst7 {
			return marker, err
		}
	}
}

// untilScan passes over segments from this marker on, to the next scan or the end of the image.
func (m *markers) untilScan(marker byte) (byte, error) {
	for marker != sos && marker != eoi {
		var err error
		if !bare(marker) {
			if _, err = m.segment(0); err != nil {
				return 0, err
			}
		}
		if marker, err = m.next(); err != nil {
			return 0, err
		}
	}
	return marker, nil
}

// skipTo passes over everything up to and including b, a buffer at a time.
func (m *markers) skipTo(b byte) error {
	for {
		_, err := m.r.ReadSlice(b)
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}
