package blob

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"berkas/internal/fault"
	"berkas/internal/vault"
)

func newVault(t testing.TB, seed byte) *vault.Vault {
	t.Helper()
	v, err := vault.New(bytes.Repeat([]byte{seed}, vault.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// setup is a store and the folder it keeps its files in.
func setup(t *testing.T) (*Store, string) {
	t.Helper()
	t.Parallel()
	dir := t.TempDir()
	s, err := Open("", dir, newVault(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, filepath.Join(dir, "blobs")
}

func put(t *testing.T, s *Store, content []byte) Stored {
	t.Helper()
	stored, err := s.Put(t.Context(), bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func get(s *Store, ref Ref, key []byte) ([]byte, error) {
	f, err := s.Get(context.Background(), ref, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		// A reader that goes on after an error must not be told that all is well.
		if _, again := f.Read(make([]byte, 1)); again != err {
			return nil, errors.New("the second read after a failure says " + again.Error())
		}
	}
	return content, err
}

func TestRoundTrip(t *testing.T) {
	s, _ := setup(t)
	for _, size := range []int{0, 1, segment - 57, segment - 56, segment - 55, segment, 3*segment + 7, 15_000_000} {
		content := bytes.Repeat([]byte("berkas!"), size/7+1)[:size]
		stored := put(t, s, content)
		if stored.Size != int64(size) || !stored.Ref.valid() {
			t.Errorf("%d bytes were stored as %+v", size, stored)
		}
		if got, err := get(s, stored.Ref, stored.Key); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes came back as %d, %v", size, len(got), err)
		}
	}
}

func TestNothingClearTouchesTheDisk(t *testing.T) {
	s, dir := setup(t)
	secret := []byte("NIK 3171234567890123 ")
	looked := 0
	look := func() {
		for _, path := range files(t, dir) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(raw, secret) {
				t.Fatalf("%s holds clear text", path)
			}
			looked++
		}
	}
	content := bytes.Repeat(secret, 20_000)
	// Looks while the upload is half way, too.
	halfway := io.MultiReader(bytes.NewReader(content[:len(content)/2]), readerFunc(func([]byte) (int, error) {
		look()
		return 0, io.EOF
	}), bytes.NewReader(content[len(content)/2:]))
	if _, err := s.Put(t.Context(), halfway); err != nil {
		t.Fatal(err)
	}
	look()
	if looked != 2 {
		t.Fatalf("saw %d files", looked)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestReaderErrorsPassUnchanged(t *testing.T) {
	s, dir := setup(t)
	tooLarge := fault.New(fault.Invalid, "file_too_large")
	_, err := s.Put(t.Context(), io.MultiReader(bytes.NewReader(make([]byte, 1<<20)), iotest.ErrReader(tooLarge)))
	if err != tooLarge {
		t.Errorf("came back as %v", err)
	}
	if left := files(t, dir); len(left) != 0 {
		t.Errorf("left %v", left)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Put(gone, bytes.NewReader(nil)); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context gives %v", err)
	}
}

func TestDamageIsFound(t *testing.T) {
	s, dir := setup(t)
	content := bytes.Repeat([]byte("x"), 3*segment)
	for name, damage := range map[string]func([]byte) []byte{
		"emptied":               func(b []byte) []byte { return nil },
		"half a header":         func(b []byte) []byte { return b[:20] },
		"only a header":         func(b []byte) []byte { return b[:40] },
		"cut at a segment":      func(b []byte) []byte { return b[:2*segment] },
		"cut by a byte":         func(b []byte) []byte { return b[:len(b)-1] },
		"longer":                func(b []byte) []byte { return append(b, 0) },
		"a bit in the header":   func(b []byte) []byte { b[5] ^= 1; return b },
		"a bit in the middle":   func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"a bit at the end":      func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		"segments changed over": swapSegments,
	} {
		stored := put(t, s, content)
		path := filepath.Join(dir, string(stored.Ref))
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, damage(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := get(s, stored.Ref, stored.Key); !fault.Is(err, fault.Internal) || fault.Code(err) != "blob_damaged" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func swapSegments(b []byte) []byte {
	second := bytes.Clone(b[segment : 2*segment])
	copy(b[segment:], b[2*segment:3*segment])
	copy(b[2*segment:], second)
	return b
}

func TestSwappedFilesAndKeys(t *testing.T) {
	s, dir := setup(t)
	a, b := put(t, s, []byte("a")), put(t, s, []byte("b"))

	if _, err := get(s, a.Ref, b.Key); fault.Code(err) != "cannot_decrypt" {
		t.Errorf("another file's key: %v", err)
	}
	if _, err := get(New(s.backend, newVault(t, 2)), a.Ref, a.Key); fault.Code(err) != "cannot_decrypt" {
		t.Errorf("another master key: %v", err)
	}
	if err := os.Rename(filepath.Join(dir, string(a.Ref)), filepath.Join(dir, string(b.Ref))); err != nil {
		t.Fatal(err)
	}
	if _, err := get(s, b.Ref, b.Key); fault.Code(err) != "blob_damaged" {
		t.Errorf("another file's bytes: %v", err)
	}
	if _, err := get(s, a.Ref, a.Key); fault.Code(err) != "blob_missing" {
		t.Errorf("no bytes: %v", err)
	}
}

func TestReferencesStayInside(t *testing.T) {
	s, _ := setup(t)
	stored := put(t, s, nil)
	for _, ref := range []Ref{"", "/etc/passwd", "../vault", "2026/11/ab/../../../x", stored.Ref + "/", "2026/11/cd/" + stored.Ref[len(stored.Ref)-32:] + "x"} {
		if _, err := s.Get(t.Context(), ref, stored.Key); fault.Code(err) != "blob_missing" {
			t.Errorf("%q: %v", ref, err)
		}
		if err := s.Delete(t.Context(), ref); err != nil {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

func TestWalkAndDelete(t *testing.T) {
	s, _ := setup(t)
	stored := put(t, s, []byte("x"))
	if month := time.Now().UTC().Format("2006/01/"); !strings.HasPrefix(string(stored.Ref), month) {
		t.Errorf("%s is not of %s", stored.Ref, month)
	}
	count := func() (n int) {
		s.Walk(t.Context(), func(Ref, int64, time.Time) error { n++; return nil })
		return n
	}
	if count() != 1 {
		t.Error("the file is not walked")
	}
	for range 2 {
		if err := s.Delete(t.Context(), stored.Ref); err != nil {
			t.Error(err)
		}
	}
	if count() != 0 {
		t.Error("the file is still there")
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLocations(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Open("file://"+dir+"/elsewhere", "unused", newVault(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	put(t, s, nil)
	if len(files(t, dir)) != 1 {
		t.Error("not stored where the URL says")
	}
	for _, location := range []string{"s3://bucket", "file://relative/path", "file:relative", "/no/scheme", "://"} {
		if _, err := Open(location, dir, newVault(t, 1)); err == nil {
			t.Errorf("%q was taken", location)
		}
	}
}

func BenchmarkPut15MB(b *testing.B) {
	d, err := OpenDisk(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	s := New(d, newVault(b, 1))
	content := make([]byte, 15_000_000)
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Put(b.Context(), bytes.NewReader(content)); err != nil {
			b.Fatal(err)
		}
	}
}
