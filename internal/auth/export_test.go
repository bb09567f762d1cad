package auth

import "runtime"

// Occupy takes every place at which passwords are hashed, until it is undone.
func Occupy() (undo func()) {
	n := int64(max(2, runtime.GOMAXPROCS(0)))
	if !hashing.TryAcquire(n) {
		panic("somebody hashes a password")
	}
	return func() { hashing.Release(n) }
}
