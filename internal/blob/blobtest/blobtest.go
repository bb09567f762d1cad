// Package blobtest is the conformance suite of blob backends: every implementation passes the same tests.
package blobtest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"time"

	"berkas/internal/blob"
	"berkas/internal/fault"
)

// Run holds a backend to the contract of blob.Backend. empty makes a new one without files.
func Run(t *testing.T, empty func(*testing.T) blob.Backend) {
	for name, test := range map[string]func(*testing.T, blob.Backend){
		"KeepsWhatWasWritten":     keepsWhatWasWritten,
		"KeepsNothingOnError":     keepsNothingOnError,
		"MissingIsNotFound":       missingIsNotFound,
		"DeleteIsIdempotent":      deleteIsIdempotent,
		"WalkIsOrderedAndStops":   walkIsOrderedAndStops,
		"HiddenWhileBeingWritten": hiddenWhileBeingWritten,
		"ManyAtOnce":              manyAtOnce,
		"Check":                   check,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, empty(t))
		})
	}
}

func ref(n int) blob.Ref { return blob.Ref(fmt.Sprintf("2026/%02d/ab/ab%030x", n%12+1, n)) }

func put(t *testing.T, b blob.Backend, r blob.Ref, content []byte) {
	t.Helper()
	err := b.Put(t.Context(), r, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	if err != nil {
		t.Error("put:", err)
	}
}

func get(t *testing.T, b blob.Backend, r blob.Ref) []byte {
	t.Helper()
	f, err := b.Open(t.Context(), r)
	if err != nil {
		t.Error("open:", err)
		return nil
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		t.Error("read:", err)
	}
	return content
}

func refs(t *testing.T, b blob.Backend) (all []blob.Ref) {
	t.Helper()
	err := b.Walk(t.Context(), func(r blob.Ref, _ int64, _ time.Time) error {
		all = append(all, r)
		return nil
	})
	if err != nil {
		t.Error("walk:", err)
	}
	return all
}

func keepsWhatWasWritten(t *testing.T, b blob.Backend) {
	for n, content := range [][]byte{nil, []byte("x"), bytes.Repeat([]byte("berkas"), 100_000)} {
		put(t, b, ref(n), content)
		if got := get(t, b, ref(n)); !bytes.Equal(got, content) {
			t.Errorf("wrote %d bytes, read %d", len(content), len(got))
		}
	}
}

func keepsNothingOnError(t *testing.T, b blob.Backend) {
	mine := errors.New("the browser went away")
	err := b.Put(t.Context(), ref(1), func(w io.Writer) error {
		w.Write(make([]byte, 1<<20))
		return mine
	})
	if err != mine {
		t.Errorf("the error came back as %v", err)
	}
	if all := refs(t, b); len(all) != 0 {
		t.Errorf("kept %v", all)
	}
	if _, err := b.Open(t.Context(), ref(1)); !fault.Is(err, fault.NotFound) {
		t.Errorf("opens: %v", err)
	}
}

func missingIsNotFound(t *testing.T, b blob.Backend) {
	if _, err := b.Open(t.Context(), ref(1)); !fault.Is(err, fault.NotFound) || fault.Code(err) != "blob_missing" {
		t.Error(err)
	}
}

func deleteIsIdempotent(t *testing.T, b blob.Backend) {
	put(t, b, ref(1), []byte("x"))
	for range 2 {
		if err := b.Delete(t.Context(), ref(1)); err != nil {
			t.Error(err)
		}
	}
	if all := refs(t, b); len(all) != 0 {
		t.Errorf("still there: %v", all)
	}
}

func walkIsOrderedAndStops(t *testing.T, b blob.Backend) {
	for n := range 30 {
		put(t, b, ref(n), make([]byte, n))
	}
	all := refs(t, b)
	if len(all) != 30 || !slices.IsSorted(all) {
		t.Errorf("walked %v", all)
	}
	enough, seen := errors.New("enough"), 0
	err := b.Walk(t.Context(), func(r blob.Ref, size int64, modTime time.Time) error {
		if age := time.Since(modTime); age > time.Hour || age < -time.Hour {
			t.Errorf("%s is %v old", r, age)
		}
		if r == ref(7) && size != 7 {
			t.Errorf("%s has %d bytes", r, size)
		}
		if seen++; seen == 20 {
			return enough
		}
		return nil
	})
	if err != enough || seen != 20 {
		t.Errorf("stopped after %d with %v", seen, err)
	}
}

func hiddenWhileBeingWritten(t *testing.T, b blob.Backend) {
	err := b.Put(t.Context(), ref(1), func(w io.Writer) error {
		w.Write(make([]byte, 1<<20))
		if all := refs(t, b); len(all) != 0 {
			t.Errorf("walked into half a file: %v", all)
		}
		if _, err := b.Open(t.Context(), ref(1)); !fault.Is(err, fault.NotFound) {
			t.Errorf("half a file opens: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func manyAtOnce(t *testing.T, b blob.Backend) {
	var all sync.WaitGroup
	for n := range 64 {
		all.Go(func() {
			content := bytes.Repeat([]byte{byte(n)}, 10_000+n)
			put(t, b, ref(n), content)
			if !bytes.Equal(get(t, b, ref(n)), content) {
				t.Errorf("file %d came back different", n)
			}
			if n%2 == 0 {
				b.Delete(t.Context(), ref(n))
			}
		})
	}
	all.Wait()
	if left := refs(t, b); len(left) != 32 {
		t.Errorf("%d files left", len(left))
	}
}

func check(t *testing.T, b blob.Backend) {
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if all := refs(t, b); len(all) != 0 {
		t.Errorf("left %v", all)
	}
}
