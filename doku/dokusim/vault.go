package dokusim

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
)

const (
	chunkSize  = 64 << 10
	saltSize   = 32
	tagSize    = 16
	unfinished = ".part"
)

// vault keeps the uploaded files: a random salt, then chunks of 64 KiB, each sealed with a key of the file's own. The
// chunk's number and whether it is the last one are its nonce, so that a swapped, missing or cut chunk does not open.
// One chunk per open file is all that is ever in memory.
type vault struct {
	dir     string
	key     []byte
	durable bool
}

func openVault(dir string, key []byte, durable bool) (*vault, error) {
	return &vault{dir: dir, key: key, durable: durable}, os.MkdirAll(dir, 0o700)
}

// sweep removes what a killed process left behind: unfinished files, and finished ones no change speaks of.
func (v *vault) sweep(known func(name string) bool) error {
	entries, err := os.ReadDir(v.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), unfinished) || !known(e.Name()) {
			if err := os.Remove(filepath.Join(v.dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

func nonceOf(chunk int64, last bool) []byte {
	n := make([]byte, 12)
	binary.BigEndian.PutUint64(n, uint64(chunk))
	if last {
		n[11] = 1
	}
	return n
}

// sealedWriter writes one file. Keep finishes it; Discard, harmless after Keep, removes it.
type sealedWriter struct {
	vault *vault
	file  *os.File
	seal  cipher.AEAD
	chunk int64
	buf   []byte
	kept  bool
}

func (v *vault) create() (*sealedWriter, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt)
	seal, err := newSeal(v.key, salt, "file")
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(v.dir, "*"+unfinished)
	if err != nil {
		return nil, err
	}
	if _, err := f.Write(salt); err != nil {
		f.Close()
		os.Remove(f.Name())
		return nil, err
	}
	return &sealedWriter{vault: v, file: f, seal: seal, buf: make([]byte, 0, chunkSize+tagSize)}, nil
}

func (w *sealedWriter) Write(p []byte) (int, error) {
	written := 0
	for len(p) > 0 {
		if len(w.buf) == chunkSize {
			if err := w.flush(false); err != nil {
				return written, err
			}
		}
		n := min(len(p), chunkSize-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p, written = p[n:], written+n
	}
	return written, nil
}

func (w *sealedWriter) flush(last bool) error {
	sealed := w.seal.Seal(w.buf[:0], nonceOf(w.chunk, last), w.buf, nil)
	_, err := w.file.Write(sealed)
	w.buf, w.chunk = w.buf[:0], w.chunk+1
	return err
}

// Keep makes the file durable under its name.
func (w *sealedWriter) Keep(name string) error {
	err := w.flush(true)
	if err == nil && w.vault.durable {
		err = w.file.Sync()
	}
	if closing := w.file.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = os.Rename(w.file.Name(), filepath.Join(w.vault.dir, name))
	}
	w.kept = err == nil
	if err == nil && w.vault.durable {
		err = syncDir(w.vault.dir)
	}
	return err
}

// Discard removes a file that was not kept.
func (w *sealedWriter) Discard() {
	if w != nil && !w.kept {
		w.file.Close()
		os.Remove(w.file.Name())
	}
}

// sealedReader reads one file from any place.
type sealedReader struct {
	file  *os.File
	seal  cipher.AEAD
	size  int64
	at    int64
	chunk int64 // the number of the chunk in clear, -1 at first
	clear []byte
	buf   []byte
}

func (v *vault) open(name string, size int64) (*sealedReader, error) {
	f, err := os.Open(filepath.Join(v.dir, name))
	if err != nil {
		return nil, err
	}
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(f, salt); err != nil {
		f.Close()
		return nil, err
	}
	seal, err := newSeal(v.key, salt, "file")
	if err != nil {
		f.Close()
		return nil, err
	}
	return &sealedReader{file: f, seal: seal, size: size, chunk: -1, buf: make([]byte, chunkSize+tagSize)}, nil
}

func (r *sealedReader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	if chunk := r.at / chunkSize; chunk != r.chunk {
		if err := r.load(chunk); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.clear[r.at%chunkSize:])
	r.at += int64(n)
	return n, nil
}

func (r *sealedReader) load(chunk int64) error {
	length := min(chunkSize, r.size-chunk*chunkSize) + tagSize
	sealed := r.buf[:length]
	if _, err := r.file.ReadAt(sealed, saltSize+chunk*(chunkSize+tagSize)); err != nil {
		return err
	}
	clear, err := r.seal.Open(sealed[:0], nonceOf(chunk, chunk == (r.size-1)/chunkSize), sealed, nil)
	if err != nil {
		return errors.New("dokusim: a stored file is damaged")
	}
	r.chunk, r.clear = chunk, clear
	return nil
}

func (r *sealedReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.at
	case io.SeekEnd:
		offset += r.size
	}
	if offset < 0 {
		return 0, errors.New("dokusim: seek before the start")
	}
	r.at = offset
	return offset, nil
}

func (r *sealedReader) Close() error { return r.file.Close() }
