package paper

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func BenchmarkInspect(b *testing.B) {
	for name, file := range map[string][]byte{
		"JPEG-3MP":    encodeJPEG(b, card(2048, 1536, 12), 90),
		"JPEG-12MP":   encodeJPEG(b, card(4000, 3000, 12), 90),
		"PNG-3MP":     encodePNG(b, card(2048, 1536, 12)),
		"PDF-letter":  letter(),
		"walked-64MP": graySquares(sof2, 8000, 8000, 3, 0x11),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			for b.Loop() {
				mustInspect(b, file)
			}
		})
	}
}

// BenchmarkPeakMemory examines files with many clients at once, each from the disk, in a process of its own, and reports
// that process's peak of resident memory, and milliseconds for each file:
//
//	go test -run '^$' -bench PeakMemory -benchtime 1x ./internal/paper
func BenchmarkPeakMemory(b *testing.B) {
	if path := os.Getenv("PAPER_PEAK"); path != "" {
		inspectMany(b, path)
		return
	}
	if runtime.GOOS != "linux" {
		b.Skip("reads /proc")
	}
	warm := inspector(b)
	if err := warm.Warm(b.Context()); err != nil {
		b.Fatal(err)
	}
	baseline := encodeJPEG(b, card(4000, 3000, 60), 99)
	photo := encodeJPEG(b, card(4000, 3000, 10), 80)
	small := encodeJPEG(b, card(2048, 1536, 12), 90)
	for _, c := range []struct {
		name    string
		clients int
		file    []byte
	}{
		{"nothing", 1, nil},
		{"3MP", 8, small},
		{"12MP-baseline", 1, baseline},
		{"12MP-baseline", 16, baseline},
		{"12MP-baseline", 64, baseline},
		{"12MP-progressive", 16, graySquares(sof2, 4000, 3000, 3, 0x22)},
		{"48MP-baseline", 16, graySquares(sof0, 8000, 6000, 3, 0x22)},
		{"64MP-walked", 16, graySquares(sof2, 8000, 8000, 3, 0x11)},
		{"12MP-PNG", 16, blankPNG(4000, 3000, 8, 2, 0)},
		{"PDF", 16, letter()},
		{"PDF-of-12MP", 16, page("0 0 595 842", "/Resources<</XObject<</I 5 0 R>>>>", "595 0 0 842 0 0 cm /I Do",
			pdfStream("/Type/XObject/Subtype/Image/Width 4000/Height 3000/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/DCTDecode", string(photo)))},
	} {
		b.Run(fmt.Sprintf("%s/%d-clients", c.name, c.clients), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "file")
			if err := os.WriteFile(path, c.file, 0o600); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				peak, each := peakOf(b, path, c.clients)
				b.ReportMetric(peak, "MB-peak")
				b.ReportMetric(each, "ms/file")
			}
			b.ReportMetric(float64(len(c.file))/1e6, "MB-file")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func peakOf(b *testing.B, path string, clients int) (peak, each float64) {
	child := exec.Command(os.Args[0], "-test.run=^$", "-test.bench=^BenchmarkPeakMemory$", "-test.benchtime=1x")
	child.Env = append(os.Environ(), "PAPER_PEAK="+path, "PAPER_CLIENTS="+strconv.Itoa(clients))
	out, err := child.Output()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	_, said, _ := strings.Cut(string(out), "measured: ")
	if _, err := fmt.Sscanf(said, "peak %f each %f", &peak, &each); err != nil {
		b.Fatalf("%v in %s", err, out)
	}
	return peak, each
}

// inspectMany is the benchmark in the process that is measured.
func inspectMany(b *testing.B, path string) {
	clients, _ := strconv.Atoi(os.Getenv("PAPER_CLIENTS"))
	open := func() (io.ReadCloser, error) { return os.Open(path) }
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	head := make([]byte, 1024)
	f, _ := open()
	n, _ := io.ReadFull(f, head)
	f.Close()
	files := max(64, 2*clients)
	if info.Size() == 0 {
		files = 0
	}
	work := make(chan int, files)
	for n := range files {
		work <- n
	}
	close(work)
	began := time.Now()
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for range work {
				if _, err := inspector(b).Inspect(b.Context(), info.Size(), ContentType(head[:n]), open); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	fmt.Printf("measured: peak %.1f each %.1f\n", peakMB(b), float64(time.Since(began).Milliseconds())/float64(max(files, 1)))
}

func peakMB(b *testing.B) float64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if kb, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			n, _ := strconv.Atoi(strings.Fields(kb)[0])
			return float64(n) / 1024
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
