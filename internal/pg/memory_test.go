package pg

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestBuffersGrowWithTheDatabases(t *testing.T) {
	t.Parallel()
	const gigabyte = 1 << 30
	for _, c := range []struct{ databases, memory, want int64 }{
		{0, 8 * gigabyte, 64}, {200 << 20, 8 * gigabyte, 64}, {2 * gigabyte, 8 * gigabyte, 512}, {100 * gigabyte, 8 * gigabyte, 2048}, {100 * gigabyte, 0, 64},
	} {
		if got := buffersMB(c.databases, c.memory); got != c.want {
			t.Errorf("%d bytes on disk and %d of memory: %d MB, not %d", c.databases, c.memory, got, c.want)
		}
	}
	dir := t.TempDir()
	for name, size := range map[string]int{"a": 1000, "b/c": 234} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := sizeOf(dir); got != 1234 {
		t.Errorf("the files take %d bytes", got)
	}
	if got := memory(); runtime.GOOS == "linux" && got < 64*megabyte {
		t.Errorf("there are %d bytes of memory", got)
	}
}
