package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"berkas/doku/dokusim"
	"berkas/internal/vault"
)

// simulate runs DOKU's simulator alone, for a portal elsewhere or anyone's client.
func simulate(ctx context.Context, in *invocation) error {
	c := in.config
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", c.SimulatorAddr)
	if err != nil {
		return fmt.Errorf("SIMULATOR_ADDR %s cannot be used: %w", c.SimulatorAddr, err)
	}
	defer listener.Close()
	key, err := encryptionKey(c)
	if err != nil {
		return err
	}
	keys, err := vault.New(key)
	if err != nil {
		return err
	}
	simulator, err := dokusim.New(dokusim.Options{
		Partners: []dokusim.Partner{{ClientID: c.SimulatorClientID, SecretKey: c.SimulatorSecretKey}},
		Dir:      filepath.Join(c.DataDir, "simulator-alone"), Key: keys.Derive("simulator"),
		LinkTTL: c.SimulatorLinkTTL, FileLookup: c.FileLookup != "", Control: c.SimulatorControl, Log: in.log,
	})
	if err != nil {
		return err
	}
	defer simulator.Close()
	fmt.Fprintf(in.stdout, "\nDOKU's simulator runs at http://%s, client id %s\n%s\nCtrl-C stops it.\n", listener.Addr(), c.SimulatorClientID, simulator.Banner())
	server := &http.Server{Handler: simulator, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err = <-ended:
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestGrace)
		defer cancel()
		if err = server.Shutdown(stop); err != nil {
			err = server.Close()
		}
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}
