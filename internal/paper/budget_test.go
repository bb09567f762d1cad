package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// The budget rests on estimates from the head of a file: they are held against what the decoders really allocate. This
// test is not parallel, so that it counts nobody else's allocations.
func TestEstimates(t *testing.T) {
	check := func(name string, file []byte, look examine) {
		p, err := look(bytes.NewReader(file))
		if err != nil {
			t.Fatal(name, err)
		}
		s, _ := Source(from(file)).stream(t.Context())
		before := allocated()
		if _, err := p.decode(s); err != nil {
			t.Fatal(name, err)
		}
		got := allocated() - before
		if slack := int64(200_000); got > p.need+slack || got < p.need*9/10-slack {
			t.Errorf("%s: estimated %d, allocated %d", name, p.need, got)
		}
	}
	for _, kind := range kinds {
		for interlace := range byte(2) {
			check(fmt.Sprint("PNG ", kind, interlace), blankPNG(1001, 701, kind[0], kind[1], interlace), examinePNG)
		}
	}
	adobe := func(file []byte) []byte {
		return insert(file, 2, segment(app14, []byte("Adobe\x00\x64\x00\x00\x00\x00\x00")...))
	}
	for _, frame := range []byte{sof0, sof2} {
		for _, sampling := range []byte{0x11, 0x22, 0x21, 0x12, 0x41} {
			check(fmt.Sprintf("JPEG %x %x", frame, sampling), graySquares(frame, 1001, 701, 3, sampling), examineJPEG)
		}
		check(fmt.Sprintf("JPEG %x gray", frame), graySquares(frame, 1001, 701, 1, 0x22), examineJPEG)
		check(fmt.Sprintf("JPEG %x RGB", frame), adobe(graySquares(frame, 1001, 701, 3, 0x11)), examineJPEG)
		check(fmt.Sprintf("JPEG %x CMYK", frame), adobe(graySquares(frame, 1001, 701, 4, 0x11)), examineJPEG)
	}
}

func allocated() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.TotalAlloc)
}

func TestBudgetIsKeptAndUsedUp(t *testing.T) {
	t.Parallel()
	b := newBudget(100)
	var held, most atomic.Int64
	var all sync.WaitGroup
	for n := range 200 {
		all.Go(func() {
			n := int64(n%100 + 1)
			if err := b.take(t.Context(), n); err != nil {
				t.Error(err)
				return
			}
			now := held.Add(n)
			for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
			}
			runtime.Gosched()
			held.Add(-n)
			if n%2 == 0 {
				b.drop(n)
			} else {
				b.give(n)
			}
		})
	}
	all.Wait() // nobody is forgotten
	if most.Load() > 100 {
		t.Errorf("%d bytes were held at once", most.Load())
	}
	if err := b.take(t.Context(), 100); err != nil {
		t.Error("the budget did not come back:", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.take(ended, 1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
