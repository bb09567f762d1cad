package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const requestGrace = 10 * time.Second

// listen takes the address that a variable names.
func listen(ctx context.Context, variable, address string) (net.Listener, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(ctx, "tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s %s is taken by another program: stop that one, or set %s to another port", variable, address, variable)
	}
	if err != nil {
		return nil, fmt.Errorf("%s %s cannot be used: %w", variable, address, err)
	}
	return l, nil
}

// server is an HTTP server that stops without waiting for connections on which nothing was ever asked, such as the
// spare ones that browsers keep.
type server struct {
	http.Server
	mu    sync.Mutex
	spare map[net.Conn]bool
}

func newServer(h http.Handler) *server {
	s := &server{Server: http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10}, spare: map[net.Conn]bool{}}
	s.ConnState = s.note
	s.RegisterOnShutdown(s.closeSpare)
	return s
}

func (s *server) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if state == http.StateNew {
		s.spare[c] = true
	} else {
		delete(s.spare, c)
	}
}

func (s *server) closeSpare() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.spare {
		c.Close()
	}
}

// serve answers until stop is called.
func (s *server) serve(l net.Listener) error {
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// stop lets requests under way finish, within requestGrace.
func (s *server) stop(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestGrace)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		return s.Close()
	}
	return nil
}
