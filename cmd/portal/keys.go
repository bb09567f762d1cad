package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"berkas/internal/config"
	"berkas/internal/vault"
)

// sealFile is a seal of the key in use, by which another key is told before it meets data it cannot open.
const (
	sealFile    = "key.seal"
	sealContext = "key.seal"
)

// openVault opens what the configured key, or the one kept in DATA_DIR, locks. A key other than DATA_DIR's is refused.
func openVault(c config.Config) (*vault.Vault, error) {
	key, err := encryptionKey(c)
	if err != nil {
		return nil, err
	}
	v, err := vault.New(key)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(c.DataDir, sealFile)
	sealed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return v, keepSeal(path, v.SealString(sealFile, sealContext))
	}
	if err != nil {
		return nil, err
	}
	if _, err := v.Open(sealed, sealContext); err != nil {
		return nil, fmt.Errorf("the encryption key is not the one that %s was made with: restore that key, or set DATA_DIR to another directory", c.DataDir)
	}
	return v, nil
}

// encryptionKey is the configured key, or the one kept in DATA_DIR.
func encryptionKey(c config.Config) ([]byte, error) {
	if c.Key == nil {
		return config.EnsureKey(c.DataDir)
	}
	return c.Key, os.MkdirAll(c.DataDir, 0o700)
}

// keepSeal brings the file into being whole; another process may be as quick, with the same key.
func keepSeal(path string, sealed []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), sealFile+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(sealed)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return os.Rename(f.Name(), path)
}
