package paper

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// budget bounds the bytes that all examinations hold together. Memory that was let go of stays charged until the
// garbage collector has really taken it back: left to its own pace the collector lets the heap double first, and the
// peak would be twice the budget. So a collection is made when somebody waits, or when a quarter of the budget is
// garbage: with pictures of 20 MB that is a few milliseconds after every second one.
type budget struct {
	size    int64
	free    *semaphore.Weighted
	waiting atomic.Int32

	mu   sync.Mutex
	dead int64 // let go of, not yet collected
}

func newBudget(size int64) *budget {
	return &budget{size: size, free: semaphore.NewWeighted(size)}
}

// take waits until n bytes are free; n is at most the budget's size.
func (b *budget) take(ctx context.Context, n int64) error {
	if b.free.TryAcquire(n) {
		return nil
	}
	b.waiting.Add(1)
	defer b.waiting.Add(-1)
	b.collect()
	return b.free.Acquire(ctx, n)
}

// drop ends the use of n bytes that are garbage now.
func (b *budget) drop(n int64) {
	b.mu.Lock()
	b.dead += n
	due := b.dead >= b.size/4
	b.mu.Unlock()
	if due || b.waiting.Load() > 0 {
		b.collect()
	}
}

// give ends the use of n bytes that were returned to the system already.
func (b *budget) give(n int64) { b.free.Release(n) }

func (b *budget) collect() {
	b.mu.Lock()
	n := b.dead
	b.dead = 0
	b.mu.Unlock()
	if n > 0 {
		runtime.GC()
		b.free.Release(n)
	}
}
