package paper

import (
	"syscall"

	"github.com/tetratelabs/wazero/experimental"
)

// room is the memory that one instance of pdfium may fill: address space set aside at once, of which the system gives
// pages as they are touched and takes all back the moment the instance ends. The garbage collector never sees it.
type room struct {
	max     int64
	space   []byte
	refused bool // the instance asked for more
}

// Allocate implements experimental.MemoryAllocator.
func (r *room) Allocate(_, _ uint64) experimental.LinearMemory {
	space, err := syscall.Mmap(-1, 0, int(r.max), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err == nil {
		r.space = space
	}
	return r
}

// Reallocate implements experimental.LinearMemory. The memory never moves.
func (r *room) Reallocate(size uint64) []byte {
	if size > uint64(len(r.space)) {
		r.refused = true
		return nil
	}
	return r.space[:size]
}

// Free implements experimental.LinearMemory.
func (r *room) Free() {
	if r.space != nil {
		syscall.Munmap(r.space)
		r.space = nil
	}
}
