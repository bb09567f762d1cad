package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"berkas/doku"
	"berkas/internal/config"
	"berkas/internal/paper"
)

const benchPatience = 5 * time.Minute // of one upload among many

// desk is a portal with people who upload to it, and a client that posts straight to its simulator.
type desk struct {
	portal    *process
	simulator *process // nil within the portal
	doku      *doku.Client
	senders   []*sender
}

// sender uploads to a merchant of its own.
type sender struct {
	*visitor
	merchant string
}

// newDesk starts a portal with its simulator inside, or apart so that each one's processor time can be told.
func newDesk(b *testing.B, e env, apart bool, senders int) *desk {
	b.Helper()
	d := &desk{}
	if apart {
		d.simulator = start(b, home(b).with("SIMULATOR_ADDR", "127.0.0.1:0"), "simulate")
		e = e.with("DOKU_BASE_URL", d.simulator.url)
	}
	d.portal = start(b, e)
	base := d.portal.url
	if apart {
		base = d.simulator.url
	}
	c, err := config.Load(func(string) string { return "" }, nil)
	if err == nil {
		d.doku, err = doku.New(doku.Options{BaseURL: base, ClientID: c.ClientID, SecretKey: c.SecretKey, SimulatorLinks: base})
	}
	if err != nil {
		b.Fatal(err)
	}
	first := benchStaff(b, d.portal)
	for i := range senders {
		v := benchVisitor(d.portal)
		v.client.Jar = first.client.Jar
		d.senders = append(d.senders, &sender{v, first.newMerchant(b, fmt.Sprint("Warung Takar ", marks.Add(1), " ", i))})
	}
	return d
}

func benchVisitor(p *process) *visitor {
	v := newVisitor(p.url)
	v.client.Timeout, v.client.Transport = benchPatience, &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}
	return v
}

func benchStaff(b *testing.B, p *process) *visitor {
	v := staff(b, p)
	v.client.Timeout, v.client.Transport = benchPatience, &http.Transport{MaxIdleConnsPerHost: 4, DisableCompression: true}
	return v
}

// straight posts a file to the simulator as the portal does.
func (d *desk) straight(ctx context.Context, s sheet) error {
	_, err := d.doku.UploadFile(ctx, doku.Upload{Category: doku.CategoryDocument, Code: "KTP", FileName: s.name, Size: s.size(), Body: s.copy()})
	return err
}

// through uploads a file to the portal and waits until its row shows DOKU's file id.
func (s *sender) through(f sheet) error {
	a, err := s.post(f)
	for err == nil && a.status == http.StatusAccepted {
		pause(100 * time.Millisecond)
		id := slotRow.FindSubmatch(a.body)
		if id == nil {
			return errors.New("the answer is no row")
		}
		if a, err = s.ask("GET", s.merchant+"/slots/"+string(id[1]), nil); err == nil && !bytes.Contains(a.body, []byte(`data-state="delivered"`)) {
			a.status = http.StatusAccepted
		}
	}
	if err == nil && (a.status != http.StatusOK || !bytes.Contains(a.body, []byte(`data-file-id="`))) {
		err = fmt.Errorf("an upload was answered %d %s", a.status, reason(a))
	}
	return err
}

var slotRow = regexp.MustCompile(`id="slot-(\d+)"`)

// post streams the file, as htmx would.
func (s *sender) post(f sheet) (answer, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	_ = w.WriteField("category", ktp.category)
	_ = w.WriteField("code", ktp.code)
	_, _ = w.CreateFormFile("file", f.name)
	head := bytes.Clone(form.Bytes())
	_ = w.Close()
	tail := form.Bytes()[len(head):]
	r, err := http.NewRequest("POST", s.base+s.merchant+"/documents", io.MultiReader(bytes.NewReader(head), f.copy(), bytes.NewReader(tail)))
	if err != nil {
		return answer{}, err
	}
	r.ContentLength = int64(len(head)) + f.size() + int64(len(tail))
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("HX-Request", "true")
	got, err := s.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	return answer{got.StatusCode, got.Header, body}, err
}

// A photo from the first byte of its upload until DOKU's file id is stored and shown, when DOKU takes 300 ms to answer.
func measureLatency(b *testing.B, t *table) {
	d := newDesk(b, home(b).with("SIMULATOR_CONTROL", "on"), false, 8)
	fault := `{"call":"*","kind":"delay","delay":"300ms"}`
	if a, err := d.senders[0].send("POST", "/_simulator/faults", "application/json", strings.NewReader(fault)); err != nil || a.status != http.StatusOK {
		b.Fatal(a.status, err)
	}
	photo := phonePhoto(b)
	for _, c := range []struct {
		clients, turns, rounds int
		limit                  float64
	}{{1, 30, 1, 1.5}, {8, 5, 4, 2.5}} {
		through := func(client int) error { return d.senders[client].through(photo) }
		straight := func(int) error { return d.straight(b.Context(), photo) }
		crowd(b, c.clients, rounds(1), through) // what is made once, a token, a connection, is made
		crowd(b, c.clients, rounds(1), straight)
		var portal, simulator times
		for range c.turns { // turn by turn, so that what else the machine does falls on both
			portal = append(portal, crowd(b, c.clients, rounds(c.rounds), through)...)
			simulator = append(simulator, crowd(b, c.clients, rounds(c.rounds), straight)...)
		}
		t.add(fmt.Sprintf("2 MB JPEG of 3 megapixels until its file id shows, DOKU answering after 300 ms, %s", clientsText(c.clients)), portal.String(),
			"straight to the simulator: "+simulator.String(), "p95 "+atMost(portal.quantile(.95)/simulator.quantile(.95), c.limit, " ×"))
	}
}

func clientsText(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprint(n, " clients")
}

// How many files a second reach DOKU when it takes no time, and what they cost.
func measureThroughput(b *testing.B, t *table) {
	const clients, spell, turns = 8, 1500 * time.Millisecond, 2
	d := newDesk(b, home(b), true, clients)
	papers := inspectorFor(b)
	for _, f := range []struct {
		name  string
		sheet sheet
		limit float64 // of the ratio; 0: none
	}{
		{"PDF, 200 KB", pdfOf(200_000), .3},
		{"PDF, 2 MB", pdfOf(2_000_000), .3},
		{"PDF, 15 MB", pdfOf(15_000_000), .3},
		{"JPEG, 200 KB, 1.2 megapixels", smallPhoto(b), 0},
		{"JPEG, 2 MB, 3 megapixels", phonePhoto(b), 0},
		{"JPEG, 15 MB, 12 megapixels", largePhoto(b), 0},
	} {
		through := func(client int) error { return d.senders[client].through(f.sheet) }
		straight := func(int) error { return d.straight(b.Context(), f.sheet) }
		crowd(b, clients, rounds(1), through)
		crowd(b, clients, rounds(1), straight)
		var portal, simulator pace
		var own, database float64
		for range turns {
			ownBefore, databaseBefore := cpu(b, d.portal.cmd.Process.Pid)
			portal.run(b, clients, spell, through)
			ownAfter, databaseAfter := cpu(b, d.portal.cmd.Process.Pid)
			own, database = own+ownAfter-ownBefore, database+databaseAfter-databaseBefore
			simulator.run(b, clients, spell, straight)
		}
		ratio := portal.perSecond() / simulator.perSecond()
		verdict := figure(ratio) + " ×"
		if f.limit > 0 {
			verdict = atLeast(ratio, f.limit, " ×")
		}
		thousand := 1000 / float64(portal.done)
		t.add(f.name+", 8 clients", fmt.Sprintf("%s/s; CPU seconds for 1,000: portal %s, PostgreSQL %s", figure(portal.perSecond()), figure(own*thousand), figure(database*thousand)),
			fmt.Sprintf("straight to the simulator: %s/s; checking and measuring the file alone: %s CPU seconds for 1,000", figure(simulator.perSecond()), figure(inspecting(b, papers, f.sheet))), verdict)
	}
}

// pace counts what was done in a time.
type pace struct {
	done int
	took time.Duration
}

func (p *pace) perSecond() float64 { return float64(p.done) / p.took.Seconds() }

func (p *pace) run(b *testing.B, clients int, spell time.Duration, do func(int) error) times {
	begin := time.Now()
	all := crowd(b, clients, during(spell), do)
	p.done, p.took = p.done+len(all), p.took+time.Since(begin)
	return all
}

func inspectorFor(b *testing.B) *paper.Inspector {
	i, err := paper.NewInspector(paper.Options{CacheDir: filepath.Join(b.TempDir(), "pdfium")})
	if err == nil {
		b.Cleanup(func() { i.Close() })
		err = i.Warm(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	return i
}

// inspecting is the processor time, in seconds for a thousand files, that checking and measuring takes by itself.
func inspecting(b *testing.B, i *paper.Inspector, f sheet) float64 {
	const times = 5
	begin := processorTime(b)
	for range times {
		open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.content)), nil }
		if _, err := i.Inspect(b.Context(), f.size(), paper.ContentType(f.content[:1024]), open); err != nil {
			b.Fatal(err)
		}
	}
	return (processorTime(b) - begin) * 1000 / times
}

// processorTime that this process has used, in seconds.
func processorTime(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// The most memory the portal holds, with the simulator in its process and the demonstration's merchants, as it comes.
func measureMemory(b *testing.B, t *table) {
	e := home(b).with("DEMO_MERCHANTS", "on")
	peak := func(clients int, f sheet) float64 {
		d := newDesk(b, e, false, clients)
		defer d.portal.stop(b, syscall.SIGTERM)
		if clients > 0 {
			crowd(b, clients, rounds(max(1, 48/clients)), func(client int) error { return d.senders[client].through(f) })
		}
		return peakMB(b, d.portal.cmd.Process.Pid)
	}
	photo := largePhoto(b)
	first := peak(0, photo)
	idle := peak(0, photo)
	sixteen := peak(16, photo)
	beside := fmt.Sprintf("a portal that only started: %s MB, the very first time %s MB", figure(idle), figure(first))
	t.add("peak memory, 16 clients with 15 MB JPEG of 12 megapixels", figure(sixteen)+" MB", beside, atMost(sixteen, 150, " MB"))
	many := peak(64, photo)
	t.add("the same, 64 clients", figure(many)+" MB", "16 clients: "+figure(sixteen)+" MB", atMost(many/sixteen, 1.5, " ×"))
	for _, f := range []struct {
		name  string
		sheet sheet
	}{
		{"progressive JPEG of 12 megapixels", flatJPEG(true, 4000, 3000, 15_000_000)},
		{"baseline JPEG of 48 megapixels", flatJPEG(false, 8000, 6000, 15_000_000)},
		{"progressive JPEG of 48 megapixels", flatJPEG(true, 8000, 6000, 15_000_000)},
		{"PDF", pdfOf(15_000_000)},
	} {
		mb := peak(16, f.sheet)
		t.add("the same, 16 clients with 15 MB "+f.name, figure(mb)+" MB", "baseline of 12 megapixels: "+figure(sixteen)+" MB", figure(mb/sixteen)+" ×")
	}
}
