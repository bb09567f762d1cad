package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/config"
	"berkas/internal/pg"
	"berkas/internal/vault"
	"berkas/models"
	"berkas/onboarding"
)

// seedFlags are what portal seed is told.
type seedFlags struct {
	merchants    int
	seed         uint64
	today        string
	intoNonEmpty bool
}

func readSeedFlags(in *invocation) (f seedFlags, err error) {
	set := flag.NewFlagSet("seed", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.IntVar(&f.merchants, "merchants", 0, "")
	set.Uint64Var(&f.seed, "seed", 1, "")
	set.StringVar(&f.today, "today", "", "")
	set.BoolVar(&f.intoNonEmpty, "into-non-empty", false, "")
	switch err := set.Parse(in.args); {
	case err != nil:
		return f, fmt.Errorf("seed: %w; portal help shows what it takes", err)
	case set.NArg() > 0:
		return f, fmt.Errorf("seed takes flags only, and %q is none; portal help shows them", set.Arg(0))
	case f.merchants < 1 || f.merchants > 10_000_000:
		return f, errors.New("seed needs --merchants, a number from 1 to 10000000")
	case in.config.Mode != config.Simulator:
		return f, fmt.Errorf("seed invents merchants, and this database belongs to DOKU's mode %s: set DOKU_MODE=simulator and use a database of its own", in.config.Mode)
	}
	if _, err := time.Parse(time.DateOnly, f.today); err != nil && f.today != "" {
		return f, errors.New("--today takes a date such as 2026-11-22")
	}
	return f, nil
}

// seed fills a database with an invented portfolio.
func seed(ctx context.Context, in *invocation) error {
	f, err := readSeedFlags(in)
	if err != nil {
		return err
	}
	keys, err := openVault(in.config)
	if err != nil {
		return err
	}
	db, err := reachDatabase(ctx, in.config, pg.Borrow, slog.New(slog.DiscardHandler)) // statements over a million merchants are slow
	if err != nil {
		return err
	}
	defer db.close(in.log)
	owner, err := openOwner(ctx, db.owner)
	if err != nil {
		return err
	}
	defer owner.Close()
	store, began := newStore(db, keys), time.Now()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // much is made for a moment
	var line sync.Mutex                               // several writers tell how far they are
	p := &seeding{owner: owner, store: store, cast: &cast{seed: f.seed, merchants: f.merchants}, say: func(format string, args ...any) {
		line.Lock()
		defer line.Unlock()
		fmt.Fprintf(in.stdout, "%6.1f s  %s\n", time.Since(began).Seconds(), fmt.Sprintf(format, args...))
	}}
	if err := p.run(ctx, in, f, store, keys); err != nil {
		return err
	}
	p.say("%d merchants with %d documents", p.merchants, p.documents.Load())
	return nil
}

// openOwner connects as the role that owns the tables. What it writes need not outlive a crash before the end.
func openOwner(ctx context.Context, dsn string) (*pgxpool.Pool, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the address of the database cannot be understood")
	}
	c.MaxConns = seedWriters + 2
	for name, value := range map[string]string{"timezone": "UTC", "synchronous_commit": "off", "maintenance_work_mem": "256MB", "work_mem": "256MB", "max_parallel_maintenance_workers": "0"} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	var owns bool
	err = pool.QueryRow(ctx, `select pg_has_role(current_user, relowner, 'usage') from pg_class where oid = 'merchants'::regclass`).Scan(&owns)
	if err == nil && !owns {
		err = errors.New("seed takes indexes off and puts them back, which only the owning role may do: set MIGRATE_DATABASE_URL")
	}
	if err != nil {
		pool.Close()
		return nil, err
	}
	return pool, nil
}

func (p *seeding) run(ctx context.Context, in *invocation, f seedFlags, store *models.Store, keys *vault.Vault) error {
	there, err := store.CountAllMerchants(ctx, 1000)
	if err != nil {
		return err
	}
	broken := unfinished(ctx, p.owner)
	bare := there == 0 || broken != nil
	if !bare && !f.intoNonEmpty {
		return fmt.Errorf("the database has merchants already (%s): use an empty one, or say --into-non-empty to add %d invented ones to them", atMost1000(there), f.merchants)
	}
	if twin, err := p.there(ctx); err != nil || twin && !bare {
		return errors.Join(err, fmt.Errorf("the merchants of --seed %d are in the database already: choose another one", f.seed))
	}
	if err := store.Bind(ctx, (&portal{config: in.config}).counterpart(), in.config.ClientID); err != nil {
		return err
	}
	if err := p.prepare(ctx, in, f, store, keys); err != nil {
		return err
	}
	if bare {
		err = p.takeOff(ctx)
	}
	if err == nil {
		err = p.reserve(ctx)
	}
	if err == nil {
		err = p.fill(ctx)
	}
	if err == nil && bare {
		err = p.putBack(ctx)
	}
	if err == nil {
		err = p.settle(ctx)
	}
	if err == nil {
		err = p.finish(ctx, store)
	}
	return err
}

// there reports whether the first merchant of this seed exists.
func (p *seeding) there(ctx context.Context) (exists bool, err error) {
	l := &life{uids: p.uids(0)}
	err = p.owner.QueryRow(ctx, `select exists (select from merchants where uid = $1)`, l.uid()).Scan(&exists)
	return exists, err
}

func atMost1000(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return "1000 or more"
}

// errUnfinished is of a database that a seed has left half full.
var errUnfinished = errors.New("the database is being filled by portal seed, or that was broken off: wait for it, or run portal seed again, which begins anew")

// unfinished is errUnfinished while a seed has not put back what it took off.
func unfinished(ctx context.Context, db interface {
	QueryRow(context.Context, string, ...any) pgx.Row
}) error {
	var some bool
	if err := db.QueryRow(ctx, `select exists (select from seeding)`).Scan(&some); err != nil {
		return err
	}
	if some {
		return errUnfinished
	}
	return nil
}

// prepare makes what all merchants have in common: the date, people and combinations with what DOKU, here the simulator,
// asks for.
func (p *seeding) prepare(ctx context.Context, in *invocation, f seedFlags, store *models.Store, keys *vault.Vault) error {
	var err error
	if err = p.owner.QueryRow(ctx, `select coalesce(nullif($1, '')::date, current_date)::timestamptz`, f.today).Scan(&p.today); err != nil {
		return err
	}
	p.today = p.today.UTC()
	if err := p.hire(ctx); err != nil {
		return err
	}
	return withSimulator(ctx, in, keys, func(client *doku.Client) error {
		p.service = onboarding.New(onboarding.Parts{Store: store, DOKU: client, Vault: keys, Now: time.Now, Log: in.log})
		return p.askAround(ctx, store, f)
	})
}

// withSimulator runs a simulator of DOKU for as long as do takes.
func withSimulator(ctx context.Context, in *invocation, keys *vault.Vault, do func(*doku.Client) error) error {
	dir, err := os.MkdirTemp("", "berkas-seed-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer listener.Close()
	base, c, quiet := "http://"+listener.Addr().String(), in.config, slog.New(slog.DiscardHandler)
	simulator, err := dokusim.New(dokusim.Options{Partners: []dokusim.Partner{{ClientID: c.ClientID, SecretKey: c.SecretKey}}, Dir: dir, Key: keys.Derive("simulator"), BaseURL: base, Log: quiet})
	if err != nil {
		return err
	}
	defer simulator.Close()
	server := newServer(simulator)
	go func() { _ = server.serve(listener) }()
	defer func() { _ = server.stop(context.WithoutCancel(ctx)) }()
	client, err := doku.New(doku.Options{BaseURL: base, ClientID: c.ClientID, SecretKey: c.SecretKey, SimulatorLinks: base, Log: quiet})
	if err != nil {
		return err
	}
	return do(client)
}

// hire makes the people: a reviewer to three of the staff, some managers, an admin. Nobody can sign in as one of them.
func (p *seeding) hire(ctx context.Context) error {
	r := rand.New(rand.NewPCG(p.seed, 1))
	n := 8 + min(p.merchants/2000, 392)
	var emails, names, roles, groups []string
	for i := range n {
		role := []models.Role{models.RoleStaff, models.RoleStaff, models.RoleStaff, models.RoleReviewer}[i%4]
		switch i {
		case 4:
			role = models.RoleManager
		case 5:
			role = models.RoleAdmin
		}
		name := personName(r)
		emails = append(emails, fmt.Sprintf("%s.%d@berkas.example", strings.ToLower(strings.ReplaceAll(name, " ", ".")), i))
		names, roles, groups = append(names, name), append(roles, string(role)), append(groups, teams[i%len(teams)])
	}
	_, err := p.owner.Exec(ctx, `insert into people (email, name, role, team, password_hash, created_at) select u.*, '', $5 from unnest($1::text[], $2::text[], $3::text[], $4::text[]) u
		on conflict do nothing`, emails, names, roles, groups, p.today.Add(-seedSpan))
	if err != nil {
		return err
	}
	rows, err := p.owner.Query(ctx, `select id, role, team from people where email = any($1) order by array_position($1, email)`, emails)
	if err != nil {
		return err
	}
	var one models.Person
	_, err = pgx.ForEachRow(rows, []any{&one.ID, &one.Role, &one.Team}, func() error {
		switch one.Role {
		case models.RoleStaff:
			p.staff = append(p.staff, one)
		case models.RoleReviewer:
			p.reviewers = append(p.reviewers, one)
		}
		return nil
	})
	return err
}

// usual are the combinations of a portfolio, with how many of hundred thousand merchants are of each.
func usual() (list []askedOf) {
	add := func(weight int, kind, entity, line, nationality string) {
		list = append(list, askedOf{weight: weight, Combination: models.Combination{BusinessType: kind, LegalEntity: entity, BusinessLine: line, Nationality: nationality}})
	}
	add(56_000, doku.Personal, doku.Perseorangan, doku.Retail, doku.Indonesia)
	lines := doku.BusinessLines(doku.Corporate)
	for i, line := range lines {
		add(600+(i*397)%1900, doku.Corporate, "PT", line, doku.Indonesia)
	}
	for i, line := range []string{"RETAIL", "FOOD_AND_BEVERAGE", "MANUFACTURE", "LOGISTICS", "HOSPITALITY", "ONLINE_STORE"} {
		add(2400-300*i, doku.Corporate, "CV", line, doku.Indonesia)
	}
	for _, c := range []struct {
		weight       int
		entity, line string
	}{{2600, "UD", "RETAIL"}, {900, "UD", "AGRICULTURE"}, {1300, "KOPERASI", "FINANCIAL_SERVICE"}, {500, "KOPERASI", "AGRICULTURE"}, {900, "YAYASAN", "CHARITY"}, {1100, "YAYASAN", "EDUCATION"},
		{400, "FIRMA", "FINANCIAL_SERVICE"}, {300, "PP", "RETAIL"}, {200, "BUMN", "LOGISTICS"}, {150, "PTN_BH", "EDUCATION"}, {150, "BLU", "HOSPITALITY"}, {200, "PERKUMPULAN_BERBADAN_HUKUM", "EVENT_ORGANIZER"}} {
		add(c.weight, doku.Corporate, c.entity, c.line, doku.Indonesia)
	}
	for i, country := range []string{"SG", "JP", "MY"} {
		add(500-100*i, doku.Corporate, "PT", []string{"DIGITAL_AND_GAME", "MANUFACTURE", "RETAIL"}[i], country)
	}
	return list
}

// askAround has the combinations' checklists read, as for any merchant.
func (p *seeding) askAround(ctx context.Context, store *models.Store, f seedFlags) error {
	p.combinations = usual()
	p.combinations = p.combinations[:min(10+p.merchants/20, len(p.combinations))] // a small partner's merchants are of fewer kinds
	err := store.Write(ctx, models.CLI, func(tx *models.Tx) error {
		tx.Audit(models.PortfolioSeeded, models.Somewhere("deployment"), "merchants", f.merchants, "seed", f.seed)
		for i := range p.combinations {
			c, err := tx.EnsureCombination(p.combinations[i].Combination)
			if err != nil {
				return err
			}
			p.combinations[i].Combination = c
		}
		return nil
	})
	sum := 0
	for i := range p.combinations {
		c := &p.combinations[i]
		if err == nil && c.SetID == nil {
			if err = p.service.ReadRequirements(ctx, c.ID); err == nil {
				c.Combination, err = store.Combination(ctx, c.ID)
			}
		}
		if err == nil && c.SetID == nil {
			err = fmt.Errorf("the simulator asks for nothing of %s %s %s", c.LegalEntity, c.BusinessLine, c.Nationality)
		}
		if err == nil {
			c.items, err = p.items(ctx, *c.SetID)
		}
		if err != nil {
			return err
		}
		sum += c.weight
		c.weight = sum
	}
	return nil
}

func (p *seeding) items(ctx context.Context, set models.RequirementSetID) ([]models.Requirement, error) {
	rows, err := p.owner.Query(ctx, `select id, owner_path, category, code, position, form from requirements where set_id = $1 order by position`, set)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (q models.Requirement, err error) {
		return q, row.Scan(&q.ID, &q.OwnerPath, &q.Category, &q.Code, &q.Position, &q.Form)
	})
}

// reserve takes the ids of all rows that are to be, so that chunks can be made in any order.
func (p *seeding) reserve(ctx context.Context) error {
	return pgx.BeginFunc(ctx, p.owner, func(tx pgx.Tx) error {
		for _, r := range []struct {
			table string
			each  int
			first *int64
		}{{"merchants", 1, &p.first.merchant}, {"slots", slotsEach, &p.first.slot}, {"documents", documentsEach, &p.first.document}, {"decisions", documentsEach, &p.first.decision}, {"submissions", 1, &p.first.submission}} {
			if _, err := tx.Exec(ctx, "lock table "+r.table+" in exclusive mode"); err != nil {
				return err
			}
			err := tx.QueryRow(ctx, `select setval(s, f + $2) - $2 from (select s, nextval(s) as f from (select pg_get_serial_sequence($1, 'id')::regclass as s) q) n`, r.table, int64(p.merchants*r.each)-1).Scan(r.first)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// finish writes the audit trail's rows and lets portals serve, both or neither, and has the rows sealed.
func (p *seeding) finish(ctx context.Context, store *models.Store) error {
	acts := slices.DeleteFunc(p.acts, func(a act) bool { return a.merchant == 0 })
	slices.SortFunc(acts, func(a, b act) int { return a.at.Compare(b.at) })
	err := pgx.BeginFunc(ctx, p.owner, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `select audit_partition(d::date) from generate_series($1::timestamptz - interval '1 day', $2, interval '28 days') d`, acts[0].at, p.today); err != nil {
			return err
		}
		err := store.CopyAudit(ctx, tx, len(acts), func(i int) models.PastAct {
			a := acts[i]
			past := models.PastAct{At: a.at, Actor: models.System, Action: a.action, Subject: a.merchant.Ref(), Detail: "{}"}
			if a.by != 0 {
				past.Actor = models.Actor{Kind: models.ActorUser, Person: a.by, Role: models.RoleStaff}
				past.Detail = fmt.Sprintf(`{"legal_entity": %q, "business_line": %q, "business_type": %q}`, a.asked.LegalEntity, a.asked.BusinessLine, a.asked.BusinessType)
			}
			return past
		})
		if err == nil {
			_, err = tx.Exec(ctx, `delete from seeding`)
		}
		return err
	})
	if err != nil {
		return err
	}
	p.say("%d rows in the audit trail", len(acts))
	if err := p.seal(ctx, store); err != nil {
		return err
	}
	_, err = p.owner.Exec(ctx, "vacuum (analyze) audit_leaves, audit_pending")
	if err == nil && len(acts) > manyActs {
		_, err = p.owner.Exec(ctx, "analyze audit")
	}
	return err
}

// manyActs is how many make a proof of the trail that has to be planned by how large its tables are.
const manyActs = 10_000

// seal has all rows sealed. An older transaction, of any program of this PostgreSQL, holds them up while it lasts; what it holds
// up for half a minute is left to the portal.
func (p *seeding) seal(ctx context.Context, store *models.Store) error {
	for waits := 0; waits < 300; {
		n, err := store.Keep().SealAudit(ctx)
		left := n > 0
		if err == nil && !left {
			waits++
			err = p.owner.QueryRow(ctx, `select exists (select from audit_pending) and pg_sleep(.1) is not null`).Scan(&left)
		}
		if err != nil || !left {
			return err
		}
	}
	return nil
}
