package main

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"berkas/internal/config"
	"berkas/internal/pg"
	"berkas/internal/testdb"
	"berkas/models"
)

// growing are the tables that grow with the portfolio.
var growing = regexp.MustCompile(`Seq Scan on (merchants|merchant_keys|contacts|brands|slots|slot_fields|documents|decisions|transitions|messages|submissions|attachments|tallies|audit(_leaves|_seals|_rest|_\d+_\d+)?)\b`)

// Whatever a page asks, no table that grows with the portfolio is read from its beginning to its end. The pages are opened,
// and what they ask is explained. The tables stand on as many pages as ten times the merchants would fill, so that the
// planner has the choice it has when there are very many.
func TestNoPageReadsAPortfolioFromEndToEnd(t *testing.T) {
	t.Parallel()
	db := testdb.Create(t)
	e := onDatabase(t, db)
	owner := testdb.Open(t, db.OwnerDSN).Pool
	for _, table := range tables() {
		if _, err := owner.Exec(t.Context(), "alter table "+table+" set (fillfactor = 10)"); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, e, "seed", "--merchants", "1200", "--seed", "9")
	pages := traced(t, db, e)
	facts := (&scaleColumn{merchants: 1200}).facts(t, e)
	r := rand.New(rand.NewPCG(1, 2))
	for _, kind := range scaleKinds {
		v := pages.as(t, kind.role)
		for where, round := "", 0; round < 15; round++ {
			if where == "" {
				where = kind.next(r, facts)
			}
			where = pages.open(t, v, where)
		}
	}
	for role, list := range map[string][]string{
		"staff":    {"/", "/merchants/new", "/health", fmt.Sprint("/merchants/", facts.first+7, "/edit"), fmt.Sprint("/merchants/", facts.first+7, "/message")},
		"reviewer": {"/"},
		"manager":  {"/", "/insights/week"},
		"admin":    {"/", "/people", "/audit", "/audit?what=merchant.created", "/settings"},
	} {
		v := pages.as(t, role)
		for _, where := range list {
			pages.open(t, v, where)
		}
	}
}

// tracedPages are a portal's pages, and what they ask of the database.
type tracedPages struct {
	url       string
	pool      *pgxpool.Pool
	said      *statements
	explained map[string]int
}

// traced serves the pages within the test.
func traced(t *testing.T, db testdb.Database, e env) *tracedPages {
	t.Helper()
	said := &statements{}
	c, err := pgxpool.ParseConfig(db.DSN)
	if err == nil {
		c.ConnConfig.Tracer = said
		c.ConnConfig.RuntimeParams["timezone"] = "UTC"
	}
	pool, err2 := pgxpool.NewWithConfig(t.Context(), c)
	g, err3 := gorm.Open(postgres.New(postgres.Config{Conn: stdlib.OpenDBFromPool(pool)}), &gorm.Config{Logger: logger.Discard, SkipDefaultTransaction: true, DisableAutomaticPing: true})
	settings, err4 := config.Load(func(name string) string { return e[name] }, os.ReadFile)
	for _, err := range []error{err, err2, err3, err4} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(pool.Close)
	p := &portal{config: settings, in: &invocation{config: settings, stdout: &bytes.Buffer{}, log: slog.New(slog.DiscardHandler)}, db: &database{DB: &pg.DB{Pool: pool, Gorm: g}}}
	t.Cleanup(p.close)
	for _, step := range []func(context.Context) error{p.listen, p.openKeys, p.openFiles, p.openDOKU, func(ctx context.Context) error {
		p.store, p.watch = newStore(p.db, p.vault), models.NewWatch()
		return p.wire(ctx)
	}} {
		if err := step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(p.handler)
	t.Cleanup(server.Close)
	return &tracedPages{url: server.URL, pool: pool, said: said, explained: map[string]int{}}
}

func (p *tracedPages) as(t *testing.T, role string) *visitor {
	t.Helper()
	return demoVisitor(t, &process{url: p.url}, role)
}

// open asks for a page, explains each of its statements that is not known yet, and returns the address of the next page of
// a list.
func (p *tracedPages) open(t *testing.T, v *visitor, where string) (next string) {
	t.Helper()
	p.said.take()
	a := v.get(t, where)
	if a.status != 200 {
		t.Fatalf("%s was answered %d: %s", where, a.status, reason(a))
	}
	for _, s := range p.said.take() {
		if p.explained[s.sql] > 2 || !regexp.MustCompile(`(?i)^\s*(select|with)`).MatchString(s.sql) {
			continue
		}
		p.explained[s.sql]++ // with some of the values it is asked for
		rows, err := p.pool.Query(t.Context(), "explain "+s.sql, s.args...)
		if err != nil {
			t.Fatalf("%s: %v", s.sql, err)
		}
		plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatalf("%s: %v", s.sql, err)
		}
		if text := strings.Join(plan, "\n"); growing.MatchString(text) {
			t.Errorf("%s asks\n%s\n%v\n%s", where, s.sql, s.args, text)
		}
	}
	p.said.take()
	if m := nextPage.FindSubmatch(a.body); m != nil {
		return strings.ReplaceAll(string(m[1]), "&amp;", "&")
	}
	return ""
}

// statements keeps what a pool was asked.
type statements struct {
	mu   sync.Mutex
	list []statement
}

type statement struct {
	sql  string
	args []any
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, statement{q.SQL, q.Args})
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// take returns what was asked since the last time.
func (s *statements) take() (list []statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list, s.list = s.list, nil
	return list
}
