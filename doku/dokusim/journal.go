package dokusim

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

const maxFrame = 16 << 20

// journal is an append-only file of encrypted changes: 4 bytes of length, a nonce, a sealed JSON text. A change is on
// the disk before its call is answered, and start-up is one sequential read. A frame that a killed process left
// unfinished at the end is cut off; damage anywhere else is an error, for forgetting silently would be worse.
type journal struct {
	file    *os.File
	seal    cipher.AEAD
	size    int64 // of the good part
	durable bool
}

// openJournal replays every change and leaves the journal ready for more.
func openJournal(path string, key []byte, durable bool, replay func(change)) (*journal, error) {
	seal, err := newSeal(key, nil, "journal")
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &journal{file: f, seal: seal, durable: durable}
	if err := j.load(replay); err != nil {
		f.Close()
		return nil, fmt.Errorf("dokusim: %s: %w", filepath.Base(path), err)
	}
	return j, nil
}

func (j *journal) load(replay func(change)) error {
	all, err := io.ReadAll(j.file)
	if err != nil {
		return err
	}
	for rest := all; ; {
		payload, after := cutFrame(rest)
		if payload == nil {
			break
		}
		var c change
		if err := j.open(payload, &c); err != nil {
			if len(after) == 0 && j.size > 0 {
				break // torn by a power cut
			}
			return errors.New("the key does not open it, or it is damaged")
		}
		replay(c)
		j.size += int64(len(rest) - len(after))
		rest = after
	}
	if err := j.file.Truncate(j.size); err != nil {
		return err
	}
	_, err = j.file.Seek(j.size, io.SeekStart)
	return err
}

// cutFrame returns nil when no whole frame is left.
func cutFrame(b []byte) (payload, rest []byte) {
	if len(b) < 4 {
		return nil, nil
	}
	n := binary.BigEndian.Uint32(b)
	if n == 0 || n > maxFrame || int(n) > len(b)-4 {
		return nil, nil
	}
	return b[4 : 4+n], b[4+n:]
}

func (j *journal) open(payload []byte, c *change) error {
	n := j.seal.NonceSize()
	if len(payload) < n {
		return errors.New("short frame")
	}
	clear, err := j.seal.Open(nil, payload[:n], payload[n:], nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(clear, c)
}

// append writes one change whole or not at all.
func (j *journal) append(c change) error {
	clear, err := json.Marshal(c)
	if err != nil {
		return err
	}
	frame := make([]byte, 4, 4+j.seal.NonceSize()+len(clear)+j.seal.Overhead())
	nonce := make([]byte, j.seal.NonceSize())
	_, _ = rand.Read(nonce)
	frame = append(frame, nonce...)
	frame = j.seal.Seal(frame, nonce, clear, nil)
	if len(frame) > maxFrame {
		return errors.New("dokusim: the change is too large")
	}
	binary.BigEndian.PutUint32(frame, uint32(len(frame)-4))
	if err := j.write(frame); err != nil {
		_ = j.file.Truncate(j.size)
		_, _ = j.file.Seek(j.size, io.SeekStart)
		return err
	}
	j.size += int64(len(frame))
	return nil
}

func (j *journal) write(frame []byte) error {
	if _, err := io.Copy(j.file, bytes.NewReader(frame)); err != nil {
		return err
	}
	if !j.durable {
		return nil
	}
	return j.file.Sync()
}

// rewriteJournal puts a new journal in the place of an old one, in one step.
func rewriteJournal(path string, key []byte, durable bool, changes []change) (*journal, error) {
	next := path + ".next"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	j, err := openJournal(next, key, false, func(change) {})
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if err := j.append(c); err != nil {
			j.file.Close()
			return nil, err
		}
	}
	j.durable = durable
	if durable {
		err = j.file.Sync()
	}
	if err == nil {
		err = os.Rename(next, path)
	}
	if err == nil && durable {
		err = syncDir(filepath.Dir(path))
	}
	if err != nil {
		j.file.Close()
		return nil, err
	}
	return j, nil
}

// newSeal derives a key of its own for each use, so that no nonce can meet another use's.
func newSeal(key, salt []byte, use string) (cipher.AEAD, error) {
	derived, err := deriveKey(key, salt, use)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func deriveKey(key, salt []byte, use string) ([]byte, error) {
	return hkdf.Key(sha256.New, key, salt, "berkas dokusim "+use, 32)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
