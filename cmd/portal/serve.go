package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/handlers"
	"berkas/internal/auth"
	"berkas/internal/blob"
	"berkas/internal/config"
	"berkas/internal/paper"
	"berkas/internal/pg"
	"berkas/internal/vault"
	"berkas/jobs"
	"berkas/models"
	"berkas/onboarding"
)

const (
	jobGrace      = 10 * time.Second // what is being sent to DOKU may finish
	databaseGrace = 2 * time.Second  // what a database that ended brings down may end too
)

// portal is the running program: its parts, made in the order they need each other.
type portal struct {
	config    config.Config
	in        *invocation
	listener  net.Listener
	db        *database
	vault     *vault.Vault
	blobs     *blob.Store
	papers    *paper.Inspector
	simulator *dokusim.Simulator // nil when DOKU, or a simulator elsewhere, is the counterpart
	store     *models.Store
	watch     *models.Watch
	service   *onboarding.Service
	gate      *auth.Gate
	workers   *jobs.Workers
	handler   http.Handler
	closers   []func()
}

// serve runs the portal until ctx ends, then stops in order: jobs, requests, files, database.
func serve(ctx context.Context, in *invocation) error {
	p := &portal{config: in.config, in: in}
	defer p.close()
	for _, step := range []func(context.Context) error{p.listen, p.openKeys, p.openDatabase, p.openFiles, p.openDOKU, p.wire} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil { // somebody stopped the start, and the step says what it lacks now
				return nil
			}
			return err
		}
	}
	return p.run(ctx)
}

// listen comes first: an occupied port should be known before anything is started.
func (p *portal) listen(ctx context.Context) (err error) {
	if p.listener, err = listen(ctx, "LISTEN_ADDR", p.config.Listen); err != nil {
		return err
	}
	p.closers = append(p.closers, func() { p.listener.Close() })
	if p.config.PublicURL.Port() == "0" {
		u := *p.config.PublicURL
		u.Host = net.JoinHostPort(u.Hostname(), p.port())
		p.config.PublicURL = &u
	}
	return nil
}

func (p *portal) port() string { return strconv.Itoa(p.listener.Addr().(*net.TCPAddr).Port) }

// local is how this process reaches itself.
func (p *portal) local() string {
	host := p.listener.Addr().(*net.TCPAddr).IP
	if host.IsUnspecified() {
		host = net.IPv4(127, 0, 0, 1)
	}
	return "http://" + net.JoinHostPort(host.String(), p.port())
}

func (p *portal) openKeys(context.Context) (err error) {
	p.vault, err = openVault(p.config)
	return err
}

func (p *portal) openDatabase(ctx context.Context) (err error) {
	if p.db, err = openDatabase(ctx, p.config, pg.Own, p.in.log); err != nil {
		return err
	}
	p.closers = append(p.closers, func() { p.db.close(p.in.log) })
	p.store, p.watch = newStore(p.db, p.vault), models.NewWatch()
	return p.store.Bind(ctx, p.counterpart(), p.config.ClientID)
}

// counterpart names the DOKU that the file ids in the database belong to.
func (p *portal) counterpart() string {
	if p.config.OwnSimulator() {
		return "simulator"
	}
	return p.config.BaseURL.Host
}

func (p *portal) openFiles(context.Context) error {
	disk, err := blob.OpenDisk(p.config.BlobDir)
	if err != nil {
		return err
	}
	p.blobs = blob.New(disk, p.vault)
	cache := filepath.Join(p.config.DataDir, "cache")
	p.papers, err = paper.NewInspector(paper.Options{CacheDir: cache, Compile: func(ctx context.Context) error { return compileInOwnProcess(ctx, cache) }})
	p.closers = append(p.closers, func() { p.papers.Close(); p.blobs.Close() })
	return err
}

// openDOKU makes the client and, where there is nothing else to talk to, the simulator, which answers on the portal's own
// address, so that the links it signs live across restarts.
func (p *portal) openDOKU(context.Context) (err error) {
	if !p.config.OwnSimulator() {
		return nil
	}
	p.simulator, err = dokusim.New(dokusim.Options{
		Partners: []dokusim.Partner{{ClientID: p.config.ClientID, SecretKey: p.config.SecretKey}},
		Dir:      filepath.Join(p.config.DataDir, "simulator"), Key: p.vault.Derive("simulator"), BaseURL: p.local(),
		LinkTTL: p.config.SimulatorLinkTTL, FileLookup: p.config.FileLookup != "", Control: p.config.SimulatorControl, Log: p.in.log,
	})
	if err == nil {
		p.closers = append(p.closers, func() { p.simulator.Close() })
	}
	return err
}

func (p *portal) newClient(health *onboarding.Health) (*doku.Client, error) {
	o := doku.Options{ClientID: p.config.ClientID, SecretKey: p.config.SecretKey, FileLookup: p.config.FileLookup,
		LinkHosts: p.config.LinkHosts, Log: p.in.log, Observe: health.Observe}
	if p.config.OwnSimulator() {
		o.BaseURL = p.local()
	} else {
		o.BaseURL = p.config.BaseURL.String()
	}
	if p.config.Mode == config.Simulator {
		o.SimulatorLinks = o.BaseURL
	}
	return doku.New(o)
}

// callbacks is where DOKU reaches this portal, "" when it cannot: without https only a simulator on this machine does.
func (p *portal) callbacks() string {
	switch {
	case p.config.PublicURL.Scheme == "https":
		return strings.TrimSuffix(p.config.PublicURL.String(), "/")
	case p.config.LocalSimulator():
		return p.local()
	}
	return ""
}

// wire makes the business and the web, without a circle: an inserting queue, the service on it, the workers on that.
func (p *portal) wire(ctx context.Context) error {
	health := onboarding.NewHealth(p.store, time.Now, p.in.log)
	p.closers = append(p.closers, health.Close)
	client, err := p.newClient(health)
	if err != nil {
		return err
	}
	inserter, err := jobs.NewInserter(p.db.Pool)
	if err != nil {
		return err
	}
	p.service = onboarding.New(onboarding.Parts{Store: p.store, DOKU: client, Blobs: p.blobs, Vault: p.vault, Papers: p.papers,
		Queue: jobs.NewQueue(inserter), Watch: p.watch, Health: health, FileLookup: p.config.FileLookup != "", Callbacks: p.callbacks(), UnsignedCallbacks: p.config.UnsignedCallbacks,
		Retention: onboarding.Retention{Purge: p.config.PurgeOriginals, After: p.config.RetainOriginals}, Now: time.Now, Log: p.in.log})
	if p.workers, err = jobs.NewWorkers(p.db.Pool, p.service, p.in.log); err != nil {
		return err
	}
	p.gate = auth.NewGate(p.store, time.Now)
	if p.config.Demo() {
		if err := p.addDemoPeople(ctx); err != nil {
			return err
		}
	}
	if p.config.Embedded() {
		if err := p.service.Recover(ctx); err != nil {
			return err
		}
	}
	p.handler = p.route(handlers.New(handlers.Parts{Reader: p.store.Reader, Watch: p.watch, Service: p.service, Gate: p.gate, Ready: p.ready,
		PublicURL: p.config.PublicURL, Proxies: p.config.TrustedProxies, Demo: p.config.Demo(), Simulator: p.config.Mode == config.Simulator,
		Now: time.Now, Log: p.in.log}))
	return nil
}

// route puts the own simulator's paths beside the portal's.
func (p *portal) route(web http.Handler) http.Handler {
	if p.simulator == nil {
		return web
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, prefix := range []string{doku.Prefix + "/", "/sim/", "/_simulator/"} {
			if strings.HasPrefix(r.URL.Path, prefix) {
				p.simulator.ServeHTTP(w, r)
				return
			}
		}
		web.ServeHTTP(w, r)
	})
}

// ready asks each part a request needs.
func (p *portal) ready(ctx context.Context) error {
	if err := p.store.Ping(ctx); err != nil {
		return err
	}
	if err := p.workers.Check(ctx); err != nil {
		return err
	}
	return p.blobs.Check(ctx)
}

func (p *portal) run(ctx context.Context) error {
	server := newServer(p.handler)
	working, stopWork := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWork()
	stopped := ctx
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.serve(p.listener) })
	group.Go(func() error { p.watch.Run(working, p.db.Pool); return nil })
	jobsDone := make(chan struct{})
	group.Go(func() error {
		defer close(jobsDone)
		return p.workers.Run(ctx, jobGrace)
	})
	group.Go(func() error {
		select {
		case <-p.databaseDone():
			return errors.New("the database has ended")
		case <-ctx.Done():
			return nil
		}
	})
	group.Go(func() error { // after the jobs, which may be talking to the simulator on this very server
		<-ctx.Done()
		<-jobsDone
		defer stopWork()
		defer p.lastSeal(working)
		return server.stop(ctx)
	})
	group.Go(func() error { p.keepAnchor(ctx); return nil })
	p.greet()
	if p.config.Demo() && p.config.DemoMerchants {
		group.Go(func() error { p.furnish(ctx); return nil })
	}
	return p.outcome(stopped, group)
}

// outcome waits for the end. Where Berkas' own PostgreSQL has ended, that is why, whoever noticed it first, and nobody
// waits long for those who cannot do without it.
func (p *portal) outcome(stopped context.Context, group *errgroup.Group) error {
	var err error
	ended := make(chan struct{})
	go func() { defer close(ended); err = group.Wait() }()
	select {
	case <-ended:
		if err == nil || stopped.Err() != nil && errors.Is(err, context.Canceled) {
			return nil
		}
	case <-p.databaseDone():
	}
	if !happens(p.databaseDone(), databaseGrace) {
		return err
	}
	happens(ended, databaseGrace)
	return fmt.Errorf("the PostgreSQL that Berkas runs for itself has ended; its last words are in %s", filepath.Join(p.config.DataDir, "postgres.log"))
}

func happens(c <-chan struct{}, within time.Duration) bool {
	select {
	case <-c:
		return true
	case <-time.After(within):
		return false
	}
}

// furnish adds the demonstration's merchants; the portal is there without them.
func (p *portal) furnish(ctx context.Context) {
	if err := p.addDemoMerchants(ctx); err != nil && ctx.Err() == nil {
		p.in.log.Warn("the demo merchants are not complete; they are at the next start", "error", err)
	}
}

// databaseDone is closed when Berkas' own PostgreSQL has ended; without one, never.
func (p *portal) databaseDone() <-chan struct{} {
	if p.db.server == nil {
		return nil
	}
	return p.db.server.Done()
}

// greet tells whoever started it where to go: that comes last, where it is seen.
func (p *portal) greet() {
	w := p.in.stdout
	if p.simulator != nil {
		fmt.Fprintf(w, "\n%s\n", strings.TrimSpace(p.simulator.Banner()))
	}
	fmt.Fprintf(w, "\nBerkas runs at %s\n", p.config.PublicURL)
	if p.config.Demo() {
		fmt.Fprintf(w, "Sign in as one of these with the password %q, or with one click on the sign-in page:\n", p.config.DemoPassword)
		for _, person := range handlers.DemoPeople {
			fmt.Fprintf(w, "  %-10s %s\n", person.Role, person.Email)
		}
	}
	fmt.Fprintf(w, "Ctrl-C stops it.\n\n")
}

// close undoes what was opened, last first.
func (p *portal) close() {
	for i := len(p.closers) - 1; i >= 0; i-- {
		p.closers[i]()
	}
}

// healthcheck asks a running portal on this machine whether it is ready.
func healthcheck(ctx context.Context, in *invocation) error {
	host, port, err := net.SplitHostPort(in.config.Listen)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	u := url.URL{Scheme: "http", Host: net.JoinHostPort(host, port), Path: "/readyz"}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("no portal answers at %s", u.Host)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the portal at %s is not ready", u.Host)
	}
	_, err = fmt.Fprintln(in.stdout, "ready")
	return err
}
