package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// measures are what make bench measures, in the order of the README's table. Each adds its rows.
var measures = []struct {
	name string
	run  func(*testing.B, *table)
}{
	{"latency", measureLatency},
	{"throughput", measureThroughput},
	{"memory", measureMemory},
	{"pages", measurePages},
	{"review", measureReview},
	{"browser", measureBrowser},
}

// BenchmarkPortal measures the running program, each figure beside its reference in the same run:
//
//	make bench                                                               everything, into the README
//	go test ./cmd/portal -run '^$' -bench Portal/memory -benchtime 1x        one measure, printed
func BenchmarkPortal(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("reads /proc")
	}
	all := &table{}
	for _, m := range measures {
		b.Run(m.name, func(b *testing.B) {
			m.run(b, all)
			b.ReportMetric(0, "ns/op")
		})
	}
	fmt.Printf("\n%s\n", all)
	if file := os.Getenv("BERKAS_BENCH"); file != "" && !b.Failed() {
		if err := all.writeInto(file); err != nil {
			b.Fatal(err)
		}
	}
}

// table is what was measured, as Markdown.
type table struct{ rows []string }

func (t *table) add(what, measured, beside, verdict string) {
	t.rows = append(t.rows, "| "+strings.Join([]string{what, measured, beside, verdict}, " | ")+" |")
}

func (t *table) String() string {
	return "| what | measured | beside it | ratio or target |\n| --- | --- | --- | --- |\n" + strings.Join(t.rows, "\n")
}

const benchBegin, benchEnd = "<!-- bench -->", "<!-- /bench -->"

// writeInto puts the table between the marks of a file.
func (t *table) writeInto(file string) error {
	return writeBetween(file, benchBegin, benchEnd, fmt.Sprintf("%s\n\n%d processors (%s), %s.", t, runtime.NumCPU(), processor(), runtime.Version()))
}

func processor() string {
	info, _ := os.ReadFile("/proc/cpuinfo")
	_, after, _ := strings.Cut(string(info), "model name")
	name, _, _ := strings.Cut(strings.TrimLeft(after, "\t :"), "\n")
	return name
}

// atMost holds a figure against its upper bound, atLeast against its lower one.
func atMost(got, limit float64, unit string) string {
	return verdict(got <= limit, got, "≤", limit, unit)
}

func atLeast(got, limit float64, unit string) string {
	return verdict(got >= limit, got, "≥", limit, unit)
}

func verdict(holds bool, got float64, sign string, limit float64, unit string) string {
	mark := "✓"
	if !holds {
		mark = "✗"
	}
	return fmt.Sprintf("%s %s%s (%s %s)", mark, figure(got), unit, sign, figure(limit))
}

// figure writes three digits.
func figure(v float64) string {
	switch {
	case v >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}

// times are how long each of several tries took.
type times []time.Duration

// quantile of the times, in milliseconds: the smallest that so many were no longer than.
func (t times) quantile(q float64) float64 {
	sorted := slices.Sorted(slices.Values(t))
	i := min(int(q*float64(len(sorted))), len(sorted)-1)
	return sorted[i].Seconds() * 1000
}

func (t times) String() string {
	return fmt.Sprintf("p50 %s ms, p95 %s ms", figure(t.quantile(.5)), figure(t.quantile(.95)))
}

// crowd has each of so many clients do something over and over, all at once, while more holds.
func crowd(b *testing.B, clients int, more func(client, round int) bool, do func(client int) error) (all times) {
	b.Helper()
	var mu sync.Mutex
	var errs []error
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			for round := 0; more(client, round); round++ {
				begin := time.Now()
				err := do(client)
				took := time.Since(begin)
				mu.Lock()
				if all = append(all, took); err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	running.Wait()
	if err := errors.Join(errs...); err != nil {
		b.Fatal(err)
	}
	return all
}

func rounds(n int) func(client, round int) bool {
	return func(_, round int) bool { return round < n }
}

func during(d time.Duration) func(client, round int) bool {
	end := time.Now().Add(d)
	return func(int, int) bool { return time.Now().Before(end) }
}

// peakMB is the most memory a process has held, in megabytes of 1024².
func peakMB(b *testing.B, pid int) float64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	kb, err := strconv.ParseFloat(strings.Fields(after)[0], 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// cpu is the processor time in seconds that a process has used, and its descendants.
func cpu(b *testing.B, pid int) (own, children float64) {
	all := map[int]procStat{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		if s, err := readStat(file); err == nil { // else it has ended meanwhile
			all[s.pid] = s
		}
	}
	me, there := all[pid]
	if !there {
		b.Fatalf("process %d has ended", pid)
	}
	for _, s := range all {
		if s.descends(pid, all) {
			children += s.own + s.ended
		}
	}
	return me.own, children
}

// procStat is a process and what it used, in seconds: itself, and its children that ended.
type procStat struct {
	pid, parent int
	own, ended  float64
}

func (s procStat) descends(from int, all map[int]procStat) bool {
	for s.parent != 0 {
		if s.parent == from {
			return true
		}
		s = all[s.parent]
	}
	return false
}

const ticks = 100 // per second, in /proc on every Linux

func readStat(file string) (s procStat, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return s, err
	}
	_, after, _ := strings.Cut(string(text), ") ") // the name before may hold anything
	var state string
	var skip, user, system, endedUser, endedSystem int64
	s.pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(file)))
	_, err = fmt.Sscan(after, &state, &s.parent, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &skip, &user, &system, &endedUser, &endedSystem)
	s.own, s.ended = float64(user+system)/ticks, float64(endedUser+endedSystem)/ticks
	return s, err
}
