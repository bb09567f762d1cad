package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"berkas/internal/pg"
	"berkas/internal/testdb"
)

const (
	scaleCrowd = 50              // people browsing
	scaleEvery = 2 * time.Second // each opens a page
)

// BenchmarkScale seeds portfolios of growing size and measures each page of a portal on them:
//
//	make bench-scale                                            10,000, 100,000 and a million merchants, into the README
//	BERKAS_SCALE=50000 go test ./cmd/portal -run '^$' -bench Scale -benchtime 1x -timeout 2h    up to another size, printed
//
// BERKAS_SCALE_DATA names a DATA_DIR that was seeded with the largest size before.
func BenchmarkScale(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("reads /proc")
	}
	most, _ := strconv.Atoi(cmp.Or(os.Getenv("BERKAS_SCALE"), "1000000"))
	spell, _ := time.ParseDuration(cmp.Or(os.Getenv("BERKAS_SCALE_SPELL"), "60s"))
	var curve []scaleColumn
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		if n > most {
			continue
		}
		e := home(b)
		if data := os.Getenv("BERKAS_SCALE_DATA"); data != "" && n == most {
			e = e.with("DATA_DIR", data)
		}
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			curve = append(curve, scaleOn(b, e, n, spell, smallPhoto(b)))
			b.ReportMetric(0, "ns/op")
		})
	}
	if len(curve) == 0 || b.Failed() {
		return
	}
	text := scaleTable(curve)
	fmt.Printf("\n%s\n", text)
	if file := os.Getenv("BERKAS_BENCH"); file != "" {
		if err := writeBetween(file, "<!-- scale -->", "<!-- /scale -->", text); err != nil {
			b.Fatal(err)
		}
	}
}

// A portfolio of two hundred is enough to see that all of this works.
func TestScaleIsMeasured(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	picture := photo()
	column := scaleOn(t, onDatabase(t, db), 200, 0, sheet{name: "photo.jpg", content: append(picture, make([]byte, markSize)...), mark: len(picture)})
	table := scaleTable([]scaleColumn{column, column})
	for _, kind := range scaleKinds {
		if len(column.took[kind.name]) == 0 || !strings.Contains(table, kind.name) {
			t.Errorf("%s was not measured", kind.name)
		}
	}
	if column.documents < 1000 || column.size == 0 || len(column.alone) == 0 || len(column.beside) == 0 {
		t.Errorf("%d documents in %d bytes, %d uploads alone and %d beside", column.documents, column.size, len(column.alone), len(column.beside))
	}
}

// scaleColumn is what was measured on a portfolio of one size.
type scaleColumn struct {
	merchants     int
	documents     int64
	seeded        time.Duration
	size          int64 // bytes, of the whole database
	took          map[string]times
	alone, beside times // uploads
	trailRows     int64
	trailSize     int64
	verified      time.Duration
	refused       int // pages that the portal did not answer with 200
}

// scaleKind is one kind of page: which address somebody opens next, and how long that may take at most.
type scaleKind struct {
	name   string
	weight int
	limit  float64 // ms, 95 of 100
	role   string  // whose page it is
	next   func(r *rand.Rand, p *portfolioFacts) string
}

// portfolioFacts are what addresses are made of.
type portfolioFacts struct {
	first, last int64
	names       []string
	people      []int64
	teams       []string
	combos      [][3]string
}

func either(r *rand.Rand, all ...string) string { return all[r.IntN(len(all))] }

var scaleKinds = []scaleKind{
	{"merchants list, any filter, sort and page", 40, 50, "staff", func(r *rand.Rand, p *portfolioFacts) string {
		q := url.Values{"sort": {either(r, "action", "recent", "name", "due")}}
		combo := p.combos[r.IntN(len(p.combos))]
		for range r.IntN(3) {
			switch r.IntN(8) {
			case 0, 1:
				q.Set("state", either(r, "todo", "waiting", "refused", "failed", "complete", "registered", "pending", "staff", "merchant", "reviewer", "doku", "remind", "open", "overdue", "undecided", "archived"))
			case 2:
				q.Set("type", combo[0])
			case 3:
				q.Set("line", combo[2])
			case 4:
				q.Set("entity", combo[1])
			case 5:
				q.Set("who", either(r, "mine", "others", "nobody", fmt.Sprint(p.people[r.IntN(len(p.people))])))
			case 6:
				q.Set("team", p.teams[r.IntN(len(p.teams))])
			default:
				q.Set("doc", either(r, "DOCUMENT:KTP", "PHOTO_PROOF", "DOCUMENT:NIB", "DOCUMENT:AKTA_PENDIRIAN_PERUSAHAAN", "BANK_ACCOUNT"))
				q.Set("slot", either(r, "missing", "waiting", "delivered", "approved", "refused", "failed", "open"))
			}
		}
		return "/merchants?" + q.Encode()
	}},
	{"search while typing", 15, 50, "staff", func(r *rand.Rand, p *portfolioFacts) string {
		name := p.names[r.IntN(len(p.names))]
		from := r.IntN(max(1, len(name)-8))
		return "/merchants?q=" + url.QueryEscape(strings.TrimSpace(name[from:min(len(name), from+3+r.IntN(10))]))
	}},
	{"search with misspellings", 10, 200, "staff", func(r *rand.Rand, p *portfolioFacts) string {
		name := []byte(p.names[r.IntN(len(p.names))])
		at := len(name)/2 + r.IntN(max(1, len(name)/2-1))
		name[at] = "abcdefghijklmnopqrstuvwxyz"[r.IntN(26)]
		return "/merchants?q=" + url.QueryEscape(string(name))
	}},
	{"a merchant's page", 25, 30, "staff", func(r *rand.Rand, p *portfolioFacts) string {
		return fmt.Sprint("/merchants/", p.first+r.Int64N(p.last-p.first+1))
	}},
	{"insights, any filter", 15, 100, "manager", func(r *rand.Rand, p *portfolioFacts) string {
		q := url.Values{"period": {either(r, "4", "12", "26", "52", "104")}}
		combo := p.combos[r.IntN(len(p.combos))]
		for range r.IntN(3) {
			switch r.IntN(5) {
			case 0:
				q.Set("type", combo[0])
			case 1:
				q.Set("line", combo[2])
			case 2:
				q.Set("entity", combo[1])
			case 3:
				q.Set("who", fmt.Sprint(p.people[r.IntN(len(p.people))]))
			default:
				q.Set("team", p.teams[r.IntN(len(p.teams))])
			}
		}
		return "/insights?" + q.Encode()
	}},
	{"review queue, any filter", 15, 50, "reviewer", func(r *rand.Rand, p *portfolioFacts) string {
		q, combo := url.Values{}, p.combos[r.IntN(len(p.combos))]
		switch r.IntN(5) {
		case 0:
			q.Set("type", combo[0])
		case 1:
			q.Set("line", combo[2])
		case 2:
			q.Set("document", either(r, "KTP", "PHOTO_PROOF", "NIB", "BANK_ACCOUNT", "LOGO"))
		case 3:
			q.Set("age", either(r, "1", "3", "7"))
		}
		return "/review?" + q.Encode()
	}},
}

// scaleOn seeds a portfolio where there is none yet, and measures a portal on it. With no spell each page is asked for a few
// times and nobody waits.
func scaleOn(t testing.TB, e env, merchants int, spell time.Duration, photo sheet) scaleColumn {
	t.Helper()
	c := scaleColumn{merchants: merchants, took: map[string]times{}}
	if _, err := os.Stat(filepath.Join(e["DATA_DIR"], "pg")); err != nil {
		began := time.Now()
		if r := launchAndWait(t, e, "seed", "--merchants", strconv.Itoa(merchants)); r != "" {
			t.Fatal(r)
		}
		c.seeded = time.Since(began)
	}
	began := time.Now()
	if r := launchAndWait(t, e, "audit", "verify"); r != "" {
		t.Fatal(r)
	}
	c.verified = time.Since(began)
	p := start(t, e)
	facts := c.facts(t, e)
	crowd := newScaleCrowd(t, e, p)
	sender := &sender{crowd["staff"][0], crowd["staff"][0].newMerchant(t, fmt.Sprint("Warung Takar ", began.UnixMicro()))}
	c.browse(t, crowd, facts, spell) // what is made once is made, and what is read time and again is read
	c.took, c.refused = map[string]times{}, 0
	c.alone = append(c.alone, sender.evenly(t, photo, spell/2)...)
	uploaded := make(chan times, 1)
	go func() { uploaded <- sender.evenly(t, photo, spell) }()
	c.browse(t, crowd, facts, spell)
	c.beside = <-uploaded
	c.alone = append(c.alone, sender.evenly(t, photo, spell/2)...)
	return c
}

// launchAndWait runs a subcommand that may take long, and returns what it said when it failed.
func launchAndWait(t testing.TB, e env, args ...string) string {
	t.Helper()
	p, err := launch(e, args...)
	if err != nil {
		t.Fatal(err)
	}
	<-p.ended
	if p.cmd.ProcessState.ExitCode() != 0 {
		return fmt.Sprintf("portal %s: %s%s", strings.Join(args, " "), tail(p.stdout.String()), p.stderr.String())
	}
	return ""
}

// facts asks the database for what addresses are made of, and how large it is.
func (c *scaleColumn) facts(t testing.TB, e env) *portfolioFacts {
	t.Helper()
	dsn := e["MIGRATE_DATABASE_URL"]
	if dsn == "" {
		dsn = pg.SocketDSN(e["DATA_DIR"])
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	f := &portfolioFacts{}
	var combos []string
	err = errors.Join(
		conn.QueryRow(t.Context(), `select min(id), max(id), pg_database_size(current_database()) from merchants`).Scan(&f.first, &f.last, &c.size),
		conn.QueryRow(t.Context(), `select count(*) from documents`).Scan(&c.documents),
		conn.QueryRow(t.Context(), `select array_agg(name_normal) from (select name_normal from merchants where id % greatest($1 / 500, 1) = 0 limit 500) m`, c.merchants).Scan(&f.names),
		conn.QueryRow(t.Context(), `select array_agg(id), array_agg(distinct team) filter (where team <> '') from people where role = 'staff' and email like '%.example'`).Scan(&f.people, &f.teams),
		conn.QueryRow(t.Context(), `select array_agg(business_type || '|' || legal_entity || '|' || business_line) from combinations`).Scan(&combos),
		conn.QueryRow(t.Context(), `select (select count(*) from audit_leaves), pg_total_relation_size('audit_leaves') + pg_total_relation_size('audit_pending') + sum(pg_total_relation_size(inhrelid)) from pg_inherits where inhparent = 'audit'::regclass`).Scan(&c.trailRows, &c.trailSize))
	if err == nil { // people who can sign in as the demonstration's can
		_, err = conn.Exec(t.Context(), `insert into people (email, name, role, password_hash) select role || i || '@berkas.test', 'Rekan ' || i, role, password_hash from people, generate_series(1, 50) i where demo on conflict do nothing`)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, combo := range combos {
		f.combos = append(f.combos, [3]string(strings.SplitN(combo, "|", 3)))
	}
	return f
}

// newScaleCrowd signs people in, by role.
func newScaleCrowd(t testing.TB, e env, p *process) map[string][]*visitor {
	t.Helper()
	crowd := map[string][]*visitor{}
	for role, n := range map[string]int{"staff": 30, "reviewer": 10, "manager": 10} {
		if e["DATABASE_URL"] != "" { // a few will do
			n = 1
		}
		for i := range n {
			v := newVisitor(p.url)
			v.client.Timeout, v.client.Transport = time.Minute, &http.Transport{MaxIdleConnsPerHost: 2, DisableCompression: true}
			if status := v.signIn(t, fmt.Sprintf("%s%d@berkas.test", role, i+1), "demo"); status != http.StatusSeeOther {
				t.Fatalf("a sign-in was answered %d", status)
			}
			crowd[role] = append(crowd[role], v)
		}
	}
	return crowd
}

var nextPage = regexp.MustCompile(`rel="next" href="([^"]+)"`)

// browse has everybody open a page every two seconds for a spell. Whoever reads a list goes on to its next page as often as
// not.
func (c *scaleColumn) browse(t testing.TB, crowd map[string][]*visitor, facts *portfolioFacts, spell time.Duration) {
	t.Helper()
	var mu sync.Mutex
	var wrong []error
	var people sync.WaitGroup
	end, who := time.Now().Add(spell), uint64(0)
	for role, visitors := range crowd {
		var kinds []scaleKind
		for _, k := range scaleKinds {
			if k.role == role {
				kinds = append(kinds, k)
			}
		}
		for _, v := range visitors {
			who++
			r := rand.New(rand.NewPCG(7, who))
			people.Go(func() {
				if spell > 0 {
					pause(time.Duration(r.Int64N(int64(scaleEvery))))
				}
				follow := map[string]string{}
				for round := 0; spell == 0 && round < 2*len(kinds) || time.Now().Before(end); round++ {
					kind := kinds[round%len(kinds)]
					if spell > 0 {
						kind = weighted(r, kinds)
					}
					where := follow[kind.name]
					if where == "" || r.IntN(2) == 0 {
						where = kind.next(r, facts)
					}
					began := time.Now()
					a, err := v.ask("GET", where, nil)
					took := time.Since(began)
					follow[kind.name] = ""
					if next := nextPage.FindSubmatch(a.body); next != nil {
						follow[kind.name] = html.UnescapeString(string(next[1]))
					}
					mu.Lock()
					c.took[kind.name] = append(c.took[kind.name], took)
					if err != nil || a.status != http.StatusOK {
						wrong = append(wrong, fmt.Errorf("%s was answered %d, %v", where, a.status, err))
					}
					if took > 400*time.Millisecond && os.Getenv("BERKAS_SCALE_SLOW") != "" {
						fmt.Println("slow:", took.Round(time.Millisecond), where)
					}
					mu.Unlock()
					if spell > 0 {
						pause(scaleEvery - took)
					}
				}
			})
		}
	}
	people.Wait()
	if c.refused += len(wrong); len(wrong) > 0 && spell == 0 {
		t.Error(errors.Join(wrong[:min(5, len(wrong))]...))
	}
}

func weighted(r *rand.Rand, kinds []scaleKind) scaleKind {
	sum := 0
	for _, k := range kinds {
		sum += k.weight
	}
	n := r.IntN(sum)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			return k
		}
	}
	return kinds[0]
}

// evenly uploads a photo each second of a spell, one at least, each until its file id shows.
func (s *sender) evenly(t testing.TB, photo sheet, spell time.Duration) (took times) {
	t.Helper()
	for end := time.Now().Add(spell); len(took) == 0 || time.Now().Before(end); {
		began := time.Now()
		if err := s.through(photo); err != nil {
			t.Error(err)
			return took
		}
		took = append(took, time.Since(began))
		if spell > 0 {
			pause(time.Second - time.Since(began))
		}
	}
	return took
}

// scaleTable writes the curve as Markdown, the largest portfolio's figures held against their limits.
func scaleTable(curve []scaleColumn) string {
	last, first := curve[len(curve)-1], curve[0]
	var lines []string
	add := func(cells ...string) { lines = append(lines, "| "+strings.Join(cells, " | ")+" |") }
	head, rule := []string{"p50 / p95 in ms, merchants:"}, []string{"---"}
	for _, c := range curve {
		head, rule = append(head, thousands(c.merchants)), append(rule, "--:")
	}
	add(append(head, "limit", "growth of p50; log N")...)
	add(append(rule, "---", "---")...)
	grown := math.Log(float64(last.merchants)) / math.Log(float64(first.merchants))
	for _, k := range scaleKinds {
		cells := []string{k.name}
		for _, c := range curve {
			cells = append(cells, pair(c.took[k.name]))
		}
		add(append(cells, "p95 "+atMost(last.took[k.name].quantile(.95), k.limit, ""), fmt.Sprintf("%s ×; %s ×", figure(last.took[k.name].quantile(.5)/first.took[k.name].quantile(.5)), figure(grown)))...)
	}
	alone, beside := []string{"an upload of 200 KB a second, alone"}, []string{"the same, while 50 people browse"}
	for _, c := range curve {
		alone, beside = append(alone, pair(c.alone)), append(beside, pair(c.beside))
	}
	add(append(alone, "–", "–")...)
	add(append(beside, "p95 "+atMost(last.beside.quantile(.95)/last.alone.quantile(.95), 1.2, " ×")+", p50 "+figure(last.beside.quantile(.5)/last.alone.quantile(.5))+" ×", "–")...)
	for _, row := range []struct {
		name string
		of   func(scaleColumn) string
	}{
		{"seeding", func(c scaleColumn) string {
			if c.seeded == 0 {
				return "before"
			}
			return c.seeded.Round(time.Second).String()
		}},
		{"pages not answered in time", func(c scaleColumn) string { return thousands(c.refused) }},
		{"documents", func(c scaleColumn) string { return thousands(int(c.documents)) }},
		{"database, for each merchant", func(c scaleColumn) string { return figure(float64(c.size)/float64(c.merchants)/1000) + " KB" }},
		{"audit trail, bytes for each row, seals and indexes included", func(c scaleColumn) string { return figure(float64(c.trailSize) / float64(max(1, c.trailRows))) }},
		{"`portal audit verify`, seconds for a million rows", func(c scaleColumn) string { return figure(c.verified.Seconds() / float64(max(1, c.trailRows)) * 1e6) }},
	} {
		cells := []string{row.name}
		for _, c := range curve {
			cells = append(cells, row.of(c))
		}
		add(append(cells, "–", "–")...)
	}
	return strings.Join(lines, "\n") + fmt.Sprintf("\n\n%d processors (%s), shared with the people who browse and with whatever else ran, %s.", runtime.NumCPU(), processor(), runtime.Version())
}

func pair(t times) string {
	if len(t) == 0 {
		return "–"
	}
	return figure(t.quantile(.5)) + " / " + figure(t.quantile(.95))
}

func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// writeBetween puts a text between two marks of a file.
func writeBetween(file, begin, end, text string) error {
	old, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(old), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		return fmt.Errorf("%s has no place for it: %s … %s", file, begin, end)
	}
	return os.WriteFile(file, []byte(before+begin+"\n"+text+"\n"+end+after), 0o644)
}
