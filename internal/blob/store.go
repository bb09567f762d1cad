package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"time"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"berkas/internal/fault"
	"berkas/internal/vault"
)

// segment is the length in bytes of one sealed segment. A stream under way holds three buffers of it, so 64 uploads at
// once cost 6 MB; larger ones are hardly faster.
const segment = 32 << 10

// Stored is what the caller keeps to get a file back.
type Stored struct {
	Ref  Ref
	Size int64  // bytes, in clear
	Key  []byte // the file's data key, wrapped by the vault for this Ref
}

// Store keeps files in a backend, encrypted. It is safe for concurrent use.
type Store struct {
	backend Backend
	vault   *vault.Vault
}

// New is a Store over any backend.
func New(backend Backend, v *vault.Vault) *Store { return &Store{backend: backend, vault: v} }

// Open is the Store that a URL names: file:///var/lib/berkas/blobs, or the folder "blobs" of dataDir when it is empty.
// What crashed runs left half-written is swept away. Close it at the end.
func Open(location, dataDir string, v *vault.Vault) (*Store, error) {
	dir := filepath.Join(dataDir, "blobs")
	if location != "" {
		u, err := url.Parse(location)
		if err != nil || u.Scheme != "file" || u.Host != "" || !filepath.IsAbs(u.Path) {
			return nil, errors.New("blob: the location must be file:// and an absolute path, such as file:///var/lib/berkas/blobs")
		}
		dir = filepath.FromSlash(u.Path)
	}
	disk, err := OpenDisk(dir)
	if err != nil {
		return nil, err
	}
	return New(disk, v), nil
}

// Close lets go of the backend; what is being written or read must have ended.
func (s *Store) Close() error {
	if c, ok := s.backend.(io.Closer); ok {
		return c.Close()
	}
	return nil
}

// Put streams r into the store under a new reference; when it returns without an error the bytes are durable. An error
// of r comes back unchanged and a full disk is an Unavailable fault "storage_full"; either way nothing is left behind.
func (s *Store) Put(ctx context.Context, r io.Reader) (Stored, error) {
	ref := newRef()
	key, wrapped, err := s.vault.NewDataKey(ref.context())
	if err != nil {
		return Stored{}, err
	}
	var size int64
	err = s.backend.Put(ctx, ref, func(w io.Writer) error {
		size, err = encrypt(w, untilDone{ctx, r}, key, ref)
		return err
	})
	if err != nil {
		return Stored{}, err
	}
	return Stored{Ref: ref, Size: size, Key: wrapped}, nil
}

// Get streams a file back. Bytes come out only after their segment was authenticated, and io.EOF only when the file is
// whole. Faults: NotFound "blob_missing", Internal "cannot_decrypt" when key is not this file's, and from Read Internal
// "blob_damaged".
func (s *Store) Get(ctx context.Context, ref Ref, key []byte) (io.ReadCloser, error) {
	if !ref.valid() {
		return nil, missing(ref)
	}
	dataKey, err := s.vault.Unwrap(key, ref.context())
	if err != nil {
		return nil, err
	}
	stream, err := streamCipher(dataKey)
	if err != nil {
		return nil, err
	}
	sealed, err := s.backend.Open(ctx, ref)
	if err != nil {
		return nil, err
	}
	clear, err := stream.NewDecryptingReader(sealed, []byte(ref))
	if err != nil {
		sealed.Close()
		return nil, damaged(ref, err)
	}
	return &opened{Closer: sealed, clear: clear, ref: ref}, nil
}

// Delete removes a file. Removing what is not there is no error.
func (s *Store) Delete(ctx context.Context, ref Ref) error {
	if !ref.valid() {
		return nil
	}
	return s.backend.Delete(ctx, ref)
}

// Walk calls fn for every stored file with its encrypted size in bytes, in the order of references, until fn returns an
// error, which Walk returns. Files that are being written are not among them.
func (s *Store) Walk(ctx context.Context, fn func(ref Ref, size int64, modTime time.Time) error) error {
	return s.backend.Walk(ctx, fn)
}

// Check reports whether the store can take a file now: nil, or an Unavailable fault ("storage_full",
// "storage_unavailable").
func (s *Store) Check(ctx context.Context) error { return s.backend.Check(ctx) }

func encrypt(w io.Writer, r io.Reader, key []byte, ref Ref) (int64, error) {
	stream, err := streamCipher(key)
	if err != nil {
		return 0, err
	}
	sealing, err := stream.NewEncryptingWriter(w, []byte(ref))
	if err != nil {
		return 0, err
	}
	// The struct hides a WriterTo of r, which might hand over the whole file in one piece.
	size, err := io.CopyBuffer(sealing, struct{ io.Reader }{r}, make([]byte, segment))
	if err != nil {
		return 0, err
	}
	return size, sealing.Close()
}

func streamCipher(key []byte) (*subtle.AESGCMHKDF, error) {
	return subtle.NewAESGCMHKDF(key, "SHA256", vault.KeySize, segment, 0)
}

// opened is a file being read. The first failure stays: the decrypting reader below would report a clean end on the
// next call after a damaged last segment.
type opened struct {
	io.Closer
	clear io.Reader
	ref   Ref
	err   error
}

func (o *opened) Read(p []byte) (int, error) {
	if o.err != nil || len(p) == 0 {
		return 0, o.err
	}
	n, err := o.clear.Read(p)
	if err != nil && err != io.EOF {
		err = damaged(o.ref, err)
	}
	o.err = err
	return n, err
}

// untilDone is a reader that ends with its context.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}

// damaged hides the cause's type: a stored file that ends early must not look like the clean io.EOF of a reader.
func damaged(ref Ref, cause error) error {
	return fault.Wrap(fmt.Errorf("blob %s: %v", ref, cause), fault.Internal, "blob_damaged")
}

func missing(ref Ref) error {
	return fault.Wrap(fmt.Errorf("blob %s", ref), fault.NotFound, "blob_missing")
}
