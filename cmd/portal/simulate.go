package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"berkas/doku/dokusim"
)

// simulate runs DOKU's simulator alone, for a portal elsewhere or anyone's client.
func simulate(ctx context.Context, in *invocation) error {
	c := in.config
	listener, err := listen(ctx, "SIMULATOR_ADDR", c.SimulatorAddr)
	if err != nil {
		return err
	}
	defer listener.Close()
	keys, err := openVault(c)
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
	fmt.Fprintf(in.stdout, "\n%s\n\nDOKU's simulator runs at http://%s, client id %s\nCtrl-C stops it.\n\n", strings.TrimSpace(simulator.Banner()), listener.Addr(), c.SimulatorClientID)
	server := newServer(simulator)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return server.serve(listener) })
	group.Go(func() error {
		<-ctx.Done()
		return server.stop(ctx)
	})
	return group.Wait()
}
