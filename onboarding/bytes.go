package onboarding

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"time"

	"berkas/doku"
)

const heldBack = 32 << 10 // bytes kept until the whole of a body was checked

// verified passes a body on while it hashes it, and holds the end back until the whole is what was accepted. A body that
// breaks off is continued from the original when what came so far is its beginning. Its first error stays.
type verified struct {
	body     io.ReadCloser
	hash     hash.Hash
	want     []byte
	size     int64
	read     int64 // taken from body and hashed
	pending  bytes.Buffer
	buf      []byte
	checked  bool
	err      error
	original func() (io.ReadCloser, error) // nil when it is gone
	whole    func()                        // called when all of it came from body and is what was accepted; may be nil
}

var errNotAccepted = errors.New("onboarding: DOKU's bytes are not the accepted ones")

func (v *verified) Read(p []byte) (int, error) {
	for {
		if n := v.ready(); n > 0 {
			return v.pending.Read(p[:min(len(p), n)])
		}
		if v.checked {
			return 0, io.EOF
		}
		if v.err == nil {
			v.err = v.fill()
		}
		if v.err != nil {
			return 0, v.err
		}
	}
}

// ready is how much of what was read may go out: everything once checked, all but the end before.
func (v *verified) ready() int {
	if v.checked {
		return v.pending.Len()
	}
	return v.pending.Len() - heldBack
}

func (v *verified) fill() error {
	if v.buf == nil {
		v.buf = make([]byte, heldBack)
	}
	n, err := v.body.Read(v.buf)
	v.hash.Write(v.buf[:n])
	v.read += int64(n)
	v.pending.Write(v.buf[:n])
	switch {
	case v.read > v.size:
		return errNotAccepted
	case err == nil:
		return nil
	case v.read < v.size:
		return v.goOn(err)
	case !bytes.Equal(v.hash.Sum(nil), v.want):
		return errNotAccepted
	}
	v.checked = true
	if v.whole != nil {
		v.whole()
	}
	return nil
}

// goOn replaces a body that broke off by the rest of the original.
func (v *verified) goOn(cause error) error {
	if v.original == nil {
		return errors.Join(io.ErrUnexpectedEOF, cause)
	}
	r, err := v.original()
	if err != nil {
		return errors.Join(cause, err)
	}
	same := sha256.New()
	if _, err := io.CopyN(same, r, v.read); err != nil {
		r.Close()
		return errors.Join(cause, err)
	}
	if !bytes.Equal(same.Sum(nil), v.hash.Sum(nil)) {
		r.Close()
		return errNotAccepted
	}
	v.body.Close()
	v.body, v.original, v.whole = r, nil, nil
	return nil
}

func (v *verified) Close() error { return v.body.Close() }

// patient ends a body from which nothing comes for a while, so that nobody waits for a storage that hangs.
type patient struct {
	io.ReadCloser
	patience time.Duration
	timer    *time.Timer
	cancel   context.CancelFunc
}

// openPatiently opens a body whose context ends when nothing comes for as long as patience.
func openPatiently(ctx context.Context, patience time.Duration, open func(context.Context) (*doku.LinkBody, error)) (*doku.LinkBody, error) {
	ctx, cancel := context.WithCancel(ctx)
	timer := time.AfterFunc(patience, cancel)
	body, err := open(ctx)
	timer.Stop()
	if err != nil {
		cancel()
		return nil, err
	}
	body.ReadCloser = &patient{body.ReadCloser, patience, timer, cancel}
	return body, nil
}

func (b *patient) Read(p []byte) (int, error) {
	b.timer.Reset(b.patience)
	defer b.timer.Stop()
	return b.ReadCloser.Read(p)
}

func (b *patient) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}
