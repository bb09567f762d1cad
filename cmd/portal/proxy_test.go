package main

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// line is how a proxy's connections do.
type line int

const (
	lineUp      line = iota
	lineCut          // every connection ends, and a new one at once
	lineStalled      // nothing comes through, and nothing ends
	lineSlow         // a little at a time
	lineHalf         // of each answer half comes through, then the connection ends
)

// proxy passes connections on to a server, as well or as badly as it is told.
type proxy struct {
	net.Listener
	network, server string
	mu              sync.Mutex
	changed         *sync.Cond
	line            line
	conns           map[net.Conn]bool
}

// newProxy stands before a server until the test ends.
func newProxy(t *testing.T, network, server string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, network: network, server: server, conns: map[net.Conn]bool{}}
	p.changed = sync.NewCond(&p.mu)
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { p.serve(c) })
		}
	})
	t.Cleanup(func() { l.Close(); p.set(lineCut); serving.Wait() })
	return p
}

// set changes the line, for the connections that are there too.
func (p *proxy) set(to line) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.line = to
	if to == lineCut {
		for c := range p.conns {
			c.Close()
		}
	}
	p.changed.Broadcast()
}

// now is the line, once it is not stalled.
func (p *proxy) now() line {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.line == lineStalled {
		p.changed.Wait()
	}
	return p.line
}

// hold keeps a connection where a cut finds it; false when it has come already.
func (p *proxy) hold(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[c] = true
	return p.line != lineCut
}

func (p *proxy) drop(c net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, c)
	c.Close()
}

func (p *proxy) serve(client net.Conn) {
	defer p.drop(client)
	if !p.hold(client) || p.now() == lineCut {
		return
	}
	server, err := net.Dial(p.network, p.server)
	if err != nil {
		return
	}
	defer p.drop(server)
	if !p.hold(server) {
		return
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(server, client, false) })
	both.Go(func() { p.pass(client, server, true) })
	both.Wait()
}

// pass copies one direction. When it ends, so does the other.
func (p *proxy) pass(to, from net.Conn, answers bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 16<<10)
	for {
		n, err := from.Read(b)
		rest := b[:n]
		switch p.now() {
		case lineCut:
			return
		case lineHalf:
			if answers {
				_, _ = to.Write(rest[:n/2])
				return
			}
		case lineSlow:
			for ; len(rest) > 512; rest = rest[512:] {
				pause(2 * time.Millisecond)
				if _, err := to.Write(rest[:512]); err != nil {
					return
				}
			}
			pause(20 * time.Millisecond)
		}
		if _, werr := to.Write(rest); err != nil || werr != nil {
			return
		}
	}
}

// databaseProxy stands before a database, and returns how that is reached through it.
func databaseProxy(t *testing.T, dsn string) (*proxy, string) {
	t.Helper()
	c, err := pgconn.ParseConfig(dsn)
	if err != nil {
		t.Fatal(err)
	}
	network, address := pgconn.NetworkAddress(c.Host, c.Port)
	p := newProxy(t, network, address)
	through := url.URL{Scheme: "postgres", User: url.UserPassword(c.User, c.Password), Host: p.Addr().String(), Path: "/" + c.Database, RawQuery: "sslmode=disable"}
	return p, through.String()
}

// A proxy that passed everything on would prove nothing.
func TestTheProxyDoesWhatItIsTold(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go func() { defer c.Close(); _, _ = io.Copy(c, c) }()
		}
	}()
	p := newProxy(t, "tcp", l.Addr().String())
	said := strings.Repeat("halo ", 200)
	echo := func(within time.Duration) (string, net.Error) {
		c, err := net.Dial("tcp", p.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(within))
		_, _ = io.WriteString(c, said)
		b := make([]byte, len(said))
		n, err := io.ReadFull(c, b)
		timeout, _ := err.(net.Error)
		return string(b[:n]), timeout
	}
	for _, c := range []struct {
		line   line
		want   int
		within time.Duration
	}{{lineUp, len(said), patience}, {lineHalf, len(said) / 2, patience}, {lineCut, 0, patience}, {lineStalled, 0, 100 * time.Millisecond}, {lineSlow, len(said), patience}, {lineUp, len(said), patience}} {
		p.set(c.line)
		got, late := echo(c.within)
		if len(got) != c.want || (c.line == lineStalled) != (late != nil && late.Timeout()) {
			t.Errorf("line %d: %d bytes came back, %v", c.line, len(got), late)
		}
	}
}
