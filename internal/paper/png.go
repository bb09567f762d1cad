package paper

import (
	"bufio"
	"compress/zlib"
	"encoding/binary"
	"hash"
	"hash/crc32"
	"image"
	"image/png"
	"io"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// ihdr is a PNG's header chunk.
type ihdr struct {
	width, height int
	depth, color  byte
	interlaced    bool
	transparent   bool // has a tRNS chunk
}

// channels by colour type; the others do not exist.
var channels = map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}

func examinePNG(r io.Reader) (picture, error) {
	c, err := openChunks(r, 4<<10)
	if err != nil {
		return picture{}, err
	}
	h, block, err := c.head()
	if err != nil {
		return picture{}, err
	}
	return picture{
		width: h.width, height: h.height,
		exif:   readEXIF(block),
		need:   h.need(),
		decode: func(s *stream) (image.Image, error) { return png.Decode(s) },
		walk:   walkPNG,
	}, nil
}

// need is what image/png allocates: the picture in the layout it chooses, the passes of an interlaced one, two rows.
func (h ihdr) need() int64 {
	pixel := int64(1)
	switch {
	case h.color == 3:
	case h.color == 0 && !h.transparent:
		pixel = (int64(h.depth) + 7) / 8
	default:
		pixel = 4 * ((int64(h.depth) + 7) / 8)
	}
	need := int64(h.width) * int64(h.height) * pixel
	if h.interlaced {
		need *= 2
	}
	return need + 2*h.row(h.width)
}

// row is the length in bytes of a row of so many pixels, with its filter byte.
func (h ihdr) row(pixels int) int64 {
	return 1 + (int64(pixels)*int64(channels[h.color])*int64(h.depth)+7)/8
}

// walkPNG checks every chunk and inflates the pixels to their full length.
func walkPNG(r io.Reader) error {
	c, err := openChunks(r, 32<<10)
	if err != nil {
		return err
	}
	h, _, err := c.head()
	if err != nil {
		return err
	}
	pixels, err := zlib.NewReader(&idat{chunks: c})
	if err != nil {
		return err
	}
	if err := h.rows(pixels); err != nil {
		return err
	}
	return c.untilEnd()
}

// rows reads all rows of all passes and checks that each begins with a filter that exists, and that nothing follows.
func (h ihdr) rows(pixels io.Reader) error {
	buffered := bufio.NewReaderSize(pixels, 32<<10)
	for _, pass := range h.passes() {
		if pass.X == 0 {
			continue
		}
		for range pass.Y {
			filter, err := buffered.ReadByte()
			if err != nil {
				return err
			}
			if filter > 4 {
				return corruptf("filter %d", filter)
			}
			if _, err := io.CopyN(io.Discard, buffered, h.row(pass.X)-1); err != nil {
				return err
			}
		}
	}
	if _, err := buffered.ReadByte(); err != io.EOF {
		return corruptf("more pixels than announced: %v", err)
	}
	return nil
}

// passes are the sizes of the pictures that make up the picture: one, or the seven of Adam7.
func (h ihdr) passes() []image.Point {
	if !h.interlaced {
		return []image.Point{{X: h.width, Y: h.height}}
	}
	var sizes []image.Point
	for _, p := range [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}} {
		sizes = append(sizes, image.Pt((h.width-p[0]+p[2]-1)/p[2], (h.height-p[1]+p[3]-1)/p[3]))
	}
	return sizes
}

// chunks reads the structure of a PNG.
type chunks struct {
	r    *bufio.Reader
	name string
	left uint32 // of the chunk's data
	sum  hash.Hash32
}

func openChunks(r io.Reader, buffer int) (*chunks, error) {
	c := &chunks{r: bufio.NewReaderSize(r, buffer), sum: crc32.NewIEEE()}
	signature := make([]byte, len(pngSignature))
	if _, err := io.ReadFull(c.r, signature); err != nil || string(signature) != pngSignature {
		return nil, corruptf("no signature: %v", err)
	}
	return c, nil
}

// next begins a chunk.
func (c *chunks) next() error {
	var head [8]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		return err
	}
	c.left, c.name = binary.BigEndian.Uint32(head[:]), string(head[4:])
	if c.left > 1<<31-1 {
		return corruptf("chunk of %d bytes", c.left)
	}
	c.sum.Reset()
	c.sum.Write(head[4:])
	return nil
}

// Read reads the chunk's data.
func (c *chunks) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.EOF
	}
	n, err := c.r.Read(p[:min(len(p), int(c.left))])
	c.sum.Write(p[:n])
	c.left -= uint32(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// end passes over what is left of the chunk and checks its sum.
func (c *chunks) end() error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	var want [4]byte
	if _, err := io.ReadFull(c.r, want[:]); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(want[:]) != c.sum.Sum32() {
		return corruptf("chunk %q has a wrong checksum", c.name)
	}
	return nil
}

// head reads up to the beginning of the first IDAT chunk. Of an EXIF block the first 64 KB are kept.
func (c *chunks) head() (h ihdr, exif []byte, err error) {
	if err := c.next(); err != nil {
		return h, nil, err
	}
	if h, err = c.header(); err != nil {
		return h, nil, err
	}
	for {
		if err := c.next(); err != nil {
			return h, nil, err
		}
		switch c.name {
		case "IDAT":
			return h, exif, nil
		case "IEND":
			return h, nil, corruptf("no pixels")
		case "tRNS":
			h.transparent = true
		case "eXIf":
			if exif, err = io.ReadAll(io.LimitReader(c, 1<<16)); err != nil {
				return h, nil, err
			}
		}
		if err := c.end(); err != nil {
			return h, nil, err
		}
	}
}

func (c *chunks) header() (ihdr, error) {
	var b [13]byte
	if c.name != "IHDR" || c.left != uint32(len(b)) {
		return ihdr{}, corruptf("chunk %q where the header should be", c.name)
	}
	if _, err := io.ReadFull(c, b[:]); err != nil {
		return ihdr{}, err
	}
	if err := c.end(); err != nil {
		return ihdr{}, err
	}
	h := ihdr{
		width: int(binary.BigEndian.Uint32(b[0:])), height: int(binary.BigEndian.Uint32(b[4:])),
		depth: b[8], color: b[9], interlaced: b[12] == 1,
	}
	if channels[h.color] == 0 || !validDepth(h.depth, h.color) || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return ihdr{}, corruptf("header % x", b)
	}
	return h, nil
}

func validDepth(depth, color byte) bool {
	switch depth {
	case 1, 2, 4:
		return color == 0 || color == 3
	case 8:
		return true
	case 16:
		return color != 3
	}
	return false
}

// untilEnd follows the chunks to the end of the image.
func (c *chunks) untilEnd() error {
	for c.name != "IEND" {
		if err := c.end(); err != nil {
			return err
		}
		if err := c.next(); err != nil {
			return err
		}
	}
	return c.end()
}

// idat reads the data of consecutive IDAT chunks as one stream.
type idat struct{ *chunks }

func (d *idat) Read(p []byte) (int, error) {
	for d.name == "IDAT" && d.left == 0 {
		if err := d.end(); err != nil {
			return 0, err
		}
		if err := d.next(); err != nil {
			return 0, err
		}
	}
	if d.name != "IDAT" {
		return 0, io.EOF
	}
	return d.chunks.Read(p)
}
