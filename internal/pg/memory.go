package pg

import (
	"bytes"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
)

const megabyte = 1 << 20

// buffersMB is in how many megabytes a server keeps its pages: a quarter of what its databases take on disk, since what is read
// time and again is no more, but no more than a quarter of the memory there is, and 64 at least. The system's own cache would
// do, were it not taken from a server that was idle for a while.
func buffersMB(databases, memory int64) int64 {
	return max(64, min(databases, memory)/4/megabyte)
}

// sizeOf is what the files below a directory take, in bytes. One that goes meanwhile does not count.
func sizeOf(dir string) (bytes int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil
		}
		if info, err := entry.Info(); err == nil {
			bytes += info.Size()
		}
		return nil
	})
	return bytes
}

// memory is how much the machine has, or less where the process may use less, in bytes; 0 where Linux does not say.
func memory() int64 {
	var kilobytes int64
	info, _ := os.ReadFile("/proc/meminfo")
	_, line, _ := bytes.Cut(info, []byte("MemTotal:"))
	if _, err := fmt.Sscan(string(line), &kilobytes); err != nil {
		return 0
	}
	limit, _ := os.ReadFile("/sys/fs/cgroup/memory.max")
	most, err := strconv.ParseInt(string(bytes.TrimSpace(limit)), 10, 64)
	if err != nil {
		most = math.MaxInt64
	}
	return min(kilobytes<<10, most)
}
