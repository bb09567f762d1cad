package vault_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"berkas/internal/fault"
	"berkas/internal/vault"
)

func setup(t *testing.T) *vault.Vault {
	t.Helper()
	t.Parallel()
	return of(t, 7)
}

func of(t *testing.T, seed byte) *vault.Vault {
	t.Helper()
	v, err := vault.New(bytes.Repeat([]byte{seed}, vault.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestSealedOpensOnlyInItsPlace(t *testing.T) {
	v := setup(t)
	sealed := v.SealString("3171234567890123", "slot_field:1")

	if plain, err := v.OpenString(sealed, "slot_field:1"); err != nil || plain != "3171234567890123" {
		t.Fatalf("got %q, %v", plain, err)
	}
	if bytes.Contains(sealed, []byte("3171234567890123")) {
		t.Fatal("the plain value shows")
	}
	if sealed[0] != byte(v.KeyVersion()) {
		t.Fatalf("first byte is %d", sealed[0])
	}
	for name, open := range map[string]func() ([]byte, error){
		"another context": func() ([]byte, error) { return v.Open(sealed, "slot_field:2") },
		"another vault":   func() ([]byte, error) { return of(t, 8).Open(sealed, "slot_field:1") },
		"as a data key":   func() ([]byte, error) { return v.Unwrap(sealed, "slot_field:1") },
		"nothing":         func() ([]byte, error) { return v.Open(nil, "slot_field:1") },
		"only a version":  func() ([]byte, error) { return v.Open(sealed[:1], "slot_field:1") },
	} {
		if plain, err := open(); fault.Code(err) != "cannot_decrypt" || plain != nil {
			t.Errorf("%s: got %q, %v", name, plain, err)
		}
	}
}

func TestEveryChangedByteIsFound(t *testing.T) {
	v := setup(t)
	sealed := v.Seal([]byte("x"), "c")
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := v.Open(changed, "c"); !fault.Is(err, fault.Internal) {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestSealingTwiceDiffers(t *testing.T) {
	v := setup(t)
	if bytes.Equal(v.Seal(nil, "c"), v.Seal(nil, "c")) {
		t.Fatal("the nonce repeats")
	}
	if plain, err := v.Open(v.Seal(nil, "c"), "c"); err != nil || len(plain) != 0 {
		t.Fatalf("got %q, %v", plain, err)
	}
}

func TestHash(t *testing.T) {
	v := setup(t)
	h := v.Hash("nik", "3171234567890123")
	if len(h) != 32 || !bytes.Equal(h, v.Hash("nik", "3171234567890123")) {
		t.Fatal("not a stable 32-byte hash")
	}
	for name, other := range map[string][]byte{
		"value": v.Hash("nik", "3171234567890124"),
		"kind":  v.Hash("npwp", "3171234567890123"),
		"split": v.Hash("nik3", "171234567890123"),
		"vault": of(t, 8).Hash("nik", "3171234567890123"),
	} {
		if bytes.Equal(h, other) {
			t.Errorf("another %s gives the same hash", name)
		}
	}
}

func TestDataKeys(t *testing.T) {
	v := setup(t)
	key, wrapped, err := v.NewDataKey("blob:a")
	if err != nil || len(key) != vault.KeySize {
		t.Fatal(len(key), err)
	}
	if got, err := v.Unwrap(wrapped, "blob:a"); err != nil || !bytes.Equal(got, key) {
		t.Fatal("does not unwrap:", err)
	}
	if _, err := v.Unwrap(wrapped, "blob:b"); fault.Code(err) != "cannot_decrypt" {
		t.Fatal("unwraps elsewhere:", err)
	}
	if other, _, _ := v.NewDataKey("blob:a"); bytes.Equal(other, key) {
		t.Fatal("two files share a key")
	}
}

// What is stored must open after an upgrade: the derivations of version 1 may never change.
func TestVersionOneStaysAsItIs(t *testing.T) {
	v := setup(t)
	bytesOf := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	sealed := bytesOf("017b27eaa867d9f29d8b078e17d28adece0f5b38c0cbbe3f6de6848655144db5447f59")
	if plain, err := v.OpenString(sealed, "c"); err != nil || plain != "berkas" {
		t.Errorf("column: %q, %v", plain, err)
	}
	wrapped := bytesOf("018fdcab32a4e597131e1c684cd82f86d8b148172c54eb6b4b44b85610264a7ffc76f59b3c56630dcfa00d3dbf40678cd4e31cc11076cdc2a11afada7f")
	if _, err := v.Unwrap(wrapped, "blob:a"); err != nil {
		t.Error("data key:", err)
	}
	if !bytes.Equal(v.Hash("nik", "1"), bytesOf("13382131df0d63c09037898d98132ac0056889ec9bab0a1131a230348f2be3b3")) {
		t.Error("the hash changed")
	}
	if !bytes.Equal(v.Derive("simulator"), bytesOf("6cc91f1b30d93f91f6ba0d216cab26a429e36e1b621799e0f686be6d2814dddc")) {
		t.Error("the derived key changed")
	}
}

func TestMasterKeyLength(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 33} {
		if _, err := vault.New(make([]byte, n)); err == nil {
			t.Errorf("%d bytes were taken", n)
		}
	}
}
