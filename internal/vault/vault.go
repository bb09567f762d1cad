package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"berkas/internal/fault"
)

const (
	// KeySize is the length in bytes of the master key and of every key that comes out of a Vault.
	KeySize = 32

	version = 1 // of the master key; the first byte of everything sealed
)

// Vault holds the keys derived from one master key. It is safe for concurrent use.
type Vault struct {
	columns cipher.AEAD
	wraps   cipher.AEAD
	hashes  []byte
	derived []byte
}

// New derives a Vault from a master key of KeySize bytes. Each purpose has a key of its own, so that a value made for
// one never passes for another.
func New(master []byte) (*Vault, error) {
	if len(master) != KeySize {
		return nil, fmt.Errorf("vault: the master key has %d bytes, not %d", len(master), KeySize)
	}
	return &Vault{
		columns: aead(subkey(master, "berkas/columns")),
		wraps:   aead(subkey(master, "berkas/data keys")),
		hashes:  subkey(master, "berkas/hashes"),
		derived: subkey(master, "berkas/derived"),
	}, nil
}

// KeyVersion is the version of the master key in use, stored beside what it sealed so that a later rotation can find
// the rows that still wait for it.
func (v *Vault) KeyVersion() int16 { return version }

// Seal encrypts plain (AES-256-GCM, random nonce) for one place, such as "slot_field:123". The result is 29 bytes
// longer than plain and begins with the key version.
func (v *Vault) Seal(plain []byte, context string) []byte {
	return seal(v.columns, plain, context)
}

// Open decrypts what Seal made with the same context. Anything else is an Internal fault "cannot_decrypt".
func (v *Vault) Open(sealed []byte, context string) ([]byte, error) {
	return open(v.columns, sealed, context)
}

// SealString is Seal for text.
func (v *Vault) SealString(plain, context string) []byte { return v.Seal([]byte(plain), context) }

// OpenString is Open for text.
func (v *Vault) OpenString(sealed []byte, context string) (string, error) {
	plain, err := v.Open(sealed, context)
	return string(plain), err
}

// Hash is the keyed hash (HMAC-SHA-256, 32 bytes) under which a personal value is found again without being stored in
// clear. The caller normalises the value; kind ("nik", "npwp", "phone", "email") keeps equal digits of different kinds
// apart.
func (v *Vault) Hash(kind, value string) []byte {
	mac := hmac.New(sha256.New, v.hashes)
	var n [4]byte
	binary.BigEndian.PutUint32(n[:], uint32(len(kind)))
	mac.Write(n[:])
	mac.Write([]byte(kind))
	mac.Write([]byte(value))
	return mac.Sum(nil)
}

// NewDataKey makes a random key of KeySize bytes for one file, and its wrapped form that may be stored beside the row.
func (v *Vault) NewDataKey(context string) (key, wrapped []byte, err error) {
	key = make([]byte, KeySize)
	if _, err := rand.Read(key); err != nil {
		return nil, nil, err
	}
	return key, seal(v.wraps, key, context), nil
}

// Unwrap returns the data key that NewDataKey wrapped with the same context, else an Internal fault "cannot_decrypt".
func (v *Vault) Unwrap(wrapped []byte, context string) ([]byte, error) {
	return open(v.wraps, wrapped, context)
}

// Derive is a key of KeySize bytes for another part of the program, always the same for the same label.
func (v *Vault) Derive(label string) []byte { return subkey(v.derived, label) }

func seal(key cipher.AEAD, plain []byte, context string) []byte {
	out := make([]byte, 1, 1+len(plain)+key.Overhead())
	out[0] = version
	return key.Seal(out, nil, plain, associated(version, context))
}

func open(key cipher.AEAD, sealed []byte, context string) ([]byte, error) {
	if len(sealed) == 0 || sealed[0] != version {
		return nil, fault.Wrap(errors.New("vault: sealed by an unknown key version"), fault.Internal, "cannot_decrypt")
	}
	plain, err := key.Open(nil, nil, sealed[1:], associated(sealed[0], context))
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "cannot_decrypt")
	}
	return plain, nil
}

func associated(version byte, context string) []byte { return append([]byte{version}, context...) }

// subkey cannot fail: the length asked for is far below HKDF's limit.
func subkey(secret []byte, label string) []byte {
	key, err := hkdf.Key(sha256.New, secret, nil, label, KeySize)
	if err != nil {
		panic(err)
	}
	return key
}

// aead cannot fail: subkey gives AES-256 keys.
func aead(key []byte) cipher.AEAD {
	block, err := aes.NewCipher(key)
	if err != nil {
		panic(err)
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		panic(err)
	}
	return gcm
}
