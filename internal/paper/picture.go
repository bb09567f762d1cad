package paper

import (
	"context"
	"image"
	"io"

	"berkas/internal/fault"
)

// examine reads a picture's head from r, which stands at its first byte.
type examine func(r io.Reader) (picture, error)

// picture is what the head of a picture promises.
type picture struct {
	width, height int
	exif          exif

	need   int64                              // bytes that decoding allocates; 0 when there is no decoder for it
	decode func(*stream) (image.Image, error) // from the first byte
	walk   func(io.Reader) error              // from the first byte to the last, in constant memory; is it whole?
}

func (i *Inspector) inspectPicture(ctx context.Context, open Source, look examine) (Facts, error) {
	p, err := openPicture(ctx, open, look)
	if err != nil {
		return Facts{}, err
	}
	facts := Facts{Width: p.width, Height: p.height, TakenAt: p.exif.takenAt, Orientation: p.exif.orientation}
	if err := i.decoding.Acquire(ctx, 1); err != nil {
		return Facts{}, err
	}
	defer i.decoding.Release(1)

	if p.need > 0 && p.need+smallNeed <= i.budget.size {
		supported, err := i.measure(ctx, open, p, &facts)
		if supported || err != nil {
			return facts, err
		}
	}
	return facts, walk(ctx, open, p)
}

// openPicture reads the head and judges the dimensions, before anything is allocated for them.
func openPicture(ctx context.Context, open Source, look examine) (picture, error) {
	s, err := open.stream(ctx)
	if err != nil {
		return picture{}, err
	}
	defer s.Close()
	p, err := look(s)
	if err != nil {
		return picture{}, s.verdict(err)
	}
	if p.width <= 0 || p.height <= 0 || p.width > MaxPixels/p.height {
		return picture{}, fault.New(fault.Invalid, "file_dimensions_exceeded",
			"width", p.width, "height", p.height, "max_pixels", MaxPixels)
	}
	return p, nil
}

// measure decodes the picture and adds what can be seen. It reports false for a variety that the decoder does not know.
func (i *Inspector) measure(ctx context.Context, open Source, p picture, facts *Facts) (supported bool, err error) {
	need := p.need + smallNeed
	if err := i.budget.take(ctx, need); err != nil {
		return false, err
	}
	defer i.budget.drop(need)

	small, err := decodeSmall(ctx, open, p)
	if err == errUnsupported {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	facts.Measured = true
	facts.Sharpness = sharpness(small)
	upright := turn(shrink(small, thumbnailSide), facts.Orientation)
	facts.PerceptualHash = differenceHash(upright)
	facts.Thumbnail, err = thumbnail(upright)
	return true, err
}

// decodeSmall keeps the full picture no longer than it takes to shrink it. A photo stays in its own colours: what is
// measured on it is its brightness.
func decodeSmall(ctx context.Context, open Source, p picture) (image.Image, error) {
	s, err := open.stream(ctx)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	full, err := p.decode(s)
	if err == errUnsupported && s.failed == nil {
		return nil, err
	}
	if err != nil {
		return nil, s.verdict(err)
	}
	if photo, ok := full.(*image.YCbCr); ok {
		return averaged(photo, (max(p.width, p.height)+smallSide-1)/smallSide), nil
	}
	return shrink(full, smallSide), nil
}

func walk(ctx context.Context, open Source, p picture) error {
	s, err := open.stream(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.verdict(p.walk(s))
}
