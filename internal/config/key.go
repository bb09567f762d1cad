package config

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"berkas/internal/fault"
)

// CodeKey is the code of the fault EnsureKey returns; its Err is the sentence for the terminal.
const CodeKey = "config_key"

const keyFile = "encryption.key"

// EnsureKey returns the local run's encryption key, dir/encryption.key, which is made when there is none, readable by
// its owner only. It must be called before anything that is encrypted can come into being in dir: a key that is missing
// beside data is a fault, and so is one that cannot be used; neither is ever replaced.
func EnsureKey(dir string) ([]byte, error) {
	path, data := filepath.Join(dir, keyFile), sealedData(dir) // in this order: the key comes first, so data has one
	key, err := readKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if data != "" { // a new key would make it unreadable without a word
			return nil, keyFault("the encryption key %s is missing, but %s holds data that only it can open: restore it from a backup, "+
				"or set DATA_DIR to another directory", path, data)
		}
		if err := makeKey(dir, path); err != nil {
			return nil, keyFault("cannot make the encryption key %s: %w", path, err)
		}
		key, err = readKey(path) // ours, or that of another process that was quicker
	}
	if err != nil {
		return nil, keyFault("the encryption key %s cannot be used: %w", path, err)
	}
	return key, nil
}

func keyFault(format string, args ...any) error {
	return fault.Wrap(fmt.Errorf(format, args...), fault.Unavailable, CodeKey)
}

func readKey(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, errors.New("others can read it; run chmod 600 on it")
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	key, err := decodeKey(string(b))
	if err != nil {
		return nil, fmt.Errorf("%w instead of 32 bytes in base64; restore it from a backup", err)
	}
	return key, nil
}

// sealedData is a directory with data that was made after the key; empty when there is none.
func sealedData(dir string) string {
	for _, name := range []string{"pg", "blobs", "simulator"} {
		path := filepath.Join(dir, name)
		if entries, err := os.ReadDir(path); err == nil && len(entries) > 0 {
			return path
		}
	}
	return ""
}

// makeKey brings the key into being whole, on the disk, and never over another.
func makeKey(dir, path string) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.CreateTemp(dir, keyFile+".*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	key := make([]byte, keySize)
	rand.Read(key)
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(key) + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
