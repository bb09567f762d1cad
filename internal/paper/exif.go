package paper

import (
	"bytes"
	"encoding/binary"
	"strings"
	"time"
)

// exif is what we want of a picture's EXIF block. Everything else in it stays unread.
type exif struct {
	orientation int
	takenAt     time.Time
}

const (
	tagOrientation        = 0x0112
	tagExifDirectory      = 0x8769
	tagDateTimeOriginal   = 0x9003
	tagOffsetTimeOriginal = 0x9011

	maxTags = 512 // of a directory; cameras write some dozens
)

// readEXIF reads a TIFF block, as found in a JPEG's APP1 or a PNG's eXIf. A broken one says nothing.
func readEXIF(block []byte) exif {
	found := exif{orientation: 1}
	t, ok := openTIFF(block)
	if !ok {
		return found
	}
	first, _ := t.uint32(4)
	var camera uint32
	t.directory(first, func(tag uint16, field []byte) {
		switch tag {
		case tagOrientation:
			if o := int(t.order.Uint16(field[8:])); 1 <= o && o <= 8 {
				found.orientation = o
			}
		case tagExifDirectory:
			camera = t.order.Uint32(field[8:])
		}
	})
	var date, offset string
	t.directory(camera, func(tag uint16, field []byte) {
		switch tag {
		case tagDateTimeOriginal:
			date = t.text(field)
		case tagOffsetTimeOriginal:
			offset = t.text(field)
		}
	})
	found.takenAt = cameraTime(date, offset)
	return found
}

func cameraTime(date, offset string) time.Time {
	if t, err := time.Parse("2006:01:02 15:04:05-07:00", date+offset); err == nil {
		return t
	}
	t, _ := time.Parse("2006:01:02 15:04:05", date)
	return t
}

// tiff is a block of directories of 12-byte fields: tag, type, count, value or its place.
type tiff struct {
	block []byte
	order binary.ByteOrder
}

func openTIFF(block []byte) (tiff, bool) {
	switch {
	case bytes.HasPrefix(block, []byte("II*\x00")):
		return tiff{block, binary.LittleEndian}, true
	case bytes.HasPrefix(block, []byte("MM\x00*")):
		return tiff{block, binary.BigEndian}, true
	}
	return tiff{}, false
}

func (t tiff) at(offset, n uint32) ([]byte, bool) {
	end := uint64(offset) + uint64(n)
	if offset == 0 || end > uint64(len(t.block)) {
		return nil, false
	}
	return t.block[offset:end], true
}

func (t tiff) uint32(offset uint32) (uint32, bool) {
	b, ok := t.at(offset, 4)
	if !ok {
		return 0, false
	}
	return t.order.Uint32(b), true
}

// directory calls fn for the fields of the directory at offset. It follows no links, so there is nothing to run in
// circles.
func (t tiff) directory(offset uint32, fn func(tag uint16, field []byte)) {
	head, ok := t.at(offset, 2)
	if !ok {
		return
	}
	for i := range min(uint32(t.order.Uint16(head)), maxTags) {
		field, ok := t.at(offset+2+12*i, 12)
		if !ok {
			return
		}
		fn(t.order.Uint16(field), field)
	}
}

// text is an ASCII value, which lies elsewhere when it is longer than four bytes.
func (t tiff) text(field []byte) string {
	n := t.order.Uint32(field[4:])
	if n <= 4 {
		return strings.TrimRight(string(field[8:8+n]), " \x00")
	}
	b, ok := t.at(t.order.Uint32(field[8:]), min(n, 64))
	if !ok {
		return ""
	}
	return strings.TrimRight(string(b), " \x00")
}
