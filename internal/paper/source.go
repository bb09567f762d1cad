package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"berkas/internal/fault"
)

// Source opens a file's bytes from the beginning.
type Source func() (io.ReadCloser, error)

// maxScans bounds the passes of a JPEG over its pixels. Cameras and encoders make 1 to 12; a hostile file can ask for a
// million in a few bytes each.
const maxScans = 200

// stream reads a source for a decoder and remembers why reading failed, so that a broken disk is never taken for a
// broken picture. It ends with its context.
type stream struct {
	ctx    context.Context
	body   io.ReadCloser
	failed error // anything but a clean end
	scans  int   // JPEG start-of-scan markers seen
	last   byte
}

func (s Source) stream(ctx context.Context) (*stream, error) {
	body, err := s()
	if err != nil {
		return nil, err
	}
	return &stream{ctx: ctx, body: body}, nil
}

func (s *stream) Close() error { return s.body.Close() }

func (s *stream) Read(p []byte) (int, error) {
	if s.failed == nil {
		s.failed = s.ctx.Err()
	}
	if s.failed != nil {
		return 0, s.failed
	}
	n, err := s.body.Read(p)
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

// countScans ends a read that has passed too many start-of-scan markers. Those in embedded previews count as well,
// which are few.
type countScans struct {
	*stream
}

func (c countScans) Read(p []byte) (int, error) {
	n, err := c.stream.Read(p)
	if n > 0 {
		if c.last == 0xff && p[0] == sos {
			c.scans++
		}
		c.scans += bytes.Count(p[:n], []byte{0xff, sos})
		c.last = p[n-1]
	}
	if c.scans > maxScans {
		return 0, errTooManyScans
	}
	return n, err
}

var errTooManyScans = errors.New("too many scans")

// verdict turns what a decoder said about the stream into what the caller shall know.
func (s *stream) verdict(err error) error {
	switch {
	case err == nil:
		return nil
	case s.failed != nil:
		return s.failed
	case fault.Code(err) != "":
		return err
	}
	return corrupt(err)
}

func corrupt(cause error) error { return fault.Wrap(cause, fault.Invalid, "file_corrupt") }

func corruptf(format string, a ...any) error { return corrupt(fmt.Errorf(format, a...)) }
