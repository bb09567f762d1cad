package blob

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"io"
	"regexp"
	"time"
)

// Backend keeps sealed bytes under references. Package blobtest holds every implementation to this contract.
type Backend interface {
	// Put calls write once and keeps what it wrote: all of it, durably, or, when write or anything else fails, nothing.
	// An error of write comes back unchanged; no room is an Unavailable fault "storage_full".
	Put(ctx context.Context, ref Ref, write func(io.Writer) error) error
	// Open reads a file from its beginning, or is a NotFound fault "blob_missing".
	Open(ctx context.Context, ref Ref) (io.ReadCloser, error)
	// Delete removes a file; what is not there is no error.
	Delete(ctx context.Context, ref Ref) error
	// Walk visits every kept file in the order of references and stops at fn's first error.
	Walk(ctx context.Context, fn func(ref Ref, size int64, modTime time.Time) error) error
	// Check is nil when a Put could work now, else an Unavailable fault.
	Check(ctx context.Context) error
}

// Ref names a stored file, such as "2026/11/ab/abcdef…": the month it came in, for the eye and for backups, and 128
// random bits. It is made here and never from a name.
type Ref string

var refShape = regexp.MustCompile(`^\d{4}/\d{2}/([0-9a-f]{2})/([0-9a-f]{32})$`)

func newRef() Ref {
	var id [16]byte
	rand.Read(id[:]) // never fails
	name := hex.EncodeToString(id[:])
	return Ref(time.Now().UTC().Format("2006/01/") + name[:2] + "/" + name)
}

// valid also keeps a reference from naming anything outside of a backend's folder.
func (r Ref) valid() bool {
	m := refShape.FindStringSubmatch(string(r))
	return m != nil && m[2][:2] == m[1]
}

// context is what the vault binds a file's data key to.
func (r Ref) context() string { return "blob:" + string(r) }
