package config_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"berkas/doku"
	"berkas/internal/config"
	"berkas/internal/fault"
)

var key = base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))

type env map[string]string

func (e env) load() (config.Config, error) {
	return config.Load(func(name string) string { return e[name] }, func(name string) ([]byte, error) {
		if content, ok := e["file "+name]; ok {
			return []byte(content), nil
		}
		return nil, fs.ErrNotExist
	})
}

func (e env) with(pairs ...string) env {
	more := env{}
	for k, v := range e {
		more[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		more[pairs[i]] = pairs[i+1]
	}
	return more
}

func must(t *testing.T, e env) config.Config {
	t.Helper()
	c, err := e.load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const database = "postgres://berkas:s3cret@db/berkas"

var server = env{"DATABASE_URL": database, "DOKU_MODE": "production", "DOKU_CLIENT_ID": "BRN-1", "DOKU_SECRET_KEY": "SK-topsecret", "ENCRYPTION_KEY": key}

func TestWithoutAnyConfiguration(t *testing.T) {
	c := must(t, env{})
	if !c.Embedded() || !c.OwnSimulator() || !c.Demo() || c.Secure() || c.LogJSON || c.SimulatorControl {
		t.Errorf("embedded %v, own simulator %v, demo %v, secure %v, json %v, control %v", c.Embedded(), c.OwnSimulator(), c.Demo(), c.Secure(), c.LogJSON, c.SimulatorControl)
	}
	if c.Listen != "127.0.0.1:8080" || c.PublicURL.String() != "http://127.0.0.1:8080" || c.DataDir != "data" || c.BlobDir != "data/blobs" || c.Key != nil ||
		c.DemoPassword != "demo" || c.SimulatorLinkTTL != time.Hour || c.SimulatorAddr != "127.0.0.1:8090" || c.ClientID != c.SimulatorClientID || c.SecretKey == "" {
		t.Errorf("%#v", []any{c.Listen, c.PublicURL, c.DataDir, c.BlobDir, c.Key, c.DemoPassword, c.SimulatorLinkTTL, c.SimulatorAddr, c.ClientID, c.SecretKey})
	}
	if !slices.Equal(c.LinkHosts, doku.DefaultLinkHosts()) {
		t.Errorf("link hosts %v, the client's are %v", c.LinkHosts, doku.DefaultLinkHosts())
	}
}

func TestAServer(t *testing.T) {
	c := must(t, server.with("LISTEN_ADDR", "0.0.0.0:80", "PUBLIC_URL", "https://berkas.example/", "TRUSTED_PROXIES", "10.1.2.3/8, 192.168.0.1",
		"MIGRATE_DATABASE_URL", "postgres://owner:s3cret@db/berkas", "LOG_FORMAT", "json", "BLOB_URL", "file:///var/lib/berkas", "DOKU_FILE_LOOKUP", "/file/{id}",
		"DOKU_LINK_HOSTS", ".Example.com"))
	if c.Embedded() || c.OwnSimulator() || c.Demo() || !c.Secure() || !c.LogJSON || c.Loopback() {
		t.Error("not a server's configuration")
	}
	got := fmt.Sprintln(c.PublicURL, c.TrustedProxies, c.BaseURL, c.BlobDir, c.FileLookup, c.LinkHosts, len(c.Key), c.ClientID, c.DatabaseURL == database, c.MigrateDatabaseURL != database)
	if want := "https://berkas.example [10.0.0.0/8 192.168.0.1/32] https://api.doku.com /var/lib/berkas /file/{id} [example.com] 32 BRN-1 true true\n"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if c := must(t, server); c.MigrateDatabaseURL != database {
		t.Error("the owning role is not the program's where there is one only")
	}
	if c := must(t, server.with("DOKU_MODE", "test")); c.BaseURL.String() != doku.TestURL {
		t.Error(c.BaseURL)
	}
	if c := must(t, server); c.BaseURL.String() != doku.ProductionURL {
		t.Error(c.BaseURL)
	}
}

func TestDemoAndLocalAddresses(t *testing.T) {
	for listen, want := range map[string]struct {
		demo bool
		url  string
	}{
		"localhost:8080":  {true, "http://localhost:8080"},
		"[::1]:8080":      {true, "http://[::1]:8080"},
		"127.1.2.3:80":    {true, "http://127.1.2.3"},
		":8080":           {false, "http://localhost:8080"},
		"0.0.0.0:8080":    {false, "http://localhost:8080"},
		"192.168.1.2:443": {false, "http://192.168.1.2:443"},
	} {
		c := must(t, env{"LISTEN_ADDR": listen})
		if c.Demo() != want.demo || c.PublicURL.String() != want.url {
			t.Errorf("%s: demo %v at %s", listen, c.Demo(), c.PublicURL)
		}
	}
	if must(t, server.with("DOKU_MODE", "test", "LISTEN_ADDR", "127.0.0.1:1")).Demo() {
		t.Error("demo people beside the real DOKU")
	}
	if !must(t, server.with("DOKU_MODE", "simulator")).Demo() {
		t.Error("no demo people on another database")
	}
	elsewhere := must(t, env{"DOKU_BASE_URL": "http://127.0.0.1:8090"})
	if elsewhere.OwnSimulator() || elsewhere.BaseURL.String() != "http://127.0.0.1:8090" || elsewhere.ClientID != elsewhere.SimulatorClientID {
		t.Error("a simulator elsewhere is not used")
	}
}

func TestRefused(t *testing.T) {
	for _, c := range []struct {
		env   env
		words string
	}{
		{env{"LISTEN_ADDR": "8080"}, "LISTEN_ADDR takes host:port"},
		{env{"LISTEN_ADDR": "localhost:99999"}, "LISTEN_ADDR takes host:port"},
		{env{"LISTEN_ADDR": "a b:1"}, "LISTEN_ADDR takes host:port"},
		{env{"PUBLIC_URL": "berkas.example"}, "PUBLIC_URL takes https://"},
		{env{"PUBLIC_URL": "https://berkas.example/path"}, "no path"},
		{env{"PUBLIC_URL": "https://u:p@berkas.example"}, "no user"},
		{env{"TRUSTED_PROXIES": "10.0.0.0/8,proxy"}, "TRUSTED_PROXIES takes addresses"},
		{env{"DATABASE_URL": "mysql://u:s3cret@db/x"}, "DATABASE_URL takes postgres://"},
		{env{"MIGRATE_DATABASE_URL": database}, "without DATABASE_URL"},
		{env{"DOKU_MODE": "sandbox"}, `DOKU_MODE takes simulator, test or production, not "sandbox"`},
		{env{"DOKU_MODE": "test"}, "DOKU_CLIENT_ID must be set"},
		{env{"DOKU_MODE": "test", "DOKU_CLIENT_ID": "x"}, "DOKU_SECRET_KEY must be set"},
		{env{"DOKU_CLIENT_ID": "a b"}, "DOKU_CLIENT_ID takes"},
		{env{"DOKU_BASE_URL": "ftp://x"}, "DOKU_BASE_URL takes https://"},
		{server.with("DOKU_BASE_URL", "http://api.doku.com"), "DOKU_BASE_URL takes an https://"},
		{server.with("DOKU_MODE", ""), "DOKU_MODE must be said"},
		{server.with("ENCRYPTION_KEY", ""), "ENCRYPTION_KEY must be set"},
		{server.with("ENCRYPTION_KEY", "c3VwZXJzM2NyZXQ="), "ENCRYPTION_KEY takes 32 bytes"},
		{server.with("ENCRYPTION_KEY", "s3cret!"), "ENCRYPTION_KEY takes 32 bytes"},
		{server.with("ENCRYPTION_KEY_FILE", "/run/key"), "ENCRYPTION_KEY and ENCRYPTION_KEY_FILE are both set"},
		{env{"DOKU_SECRET_KEY_FILE": "/run/none"}, "DOKU_SECRET_KEY_FILE takes a file that can be read"},
		{env{"DOKU_SECRET_KEY_FILE": "/run/empty", "file /run/empty": "\n"}, "DOKU_SECRET_KEY_FILE names an empty file"},
		{env{"DOKU_LINK_HOSTS": "https://doku.com"}, "DOKU_LINK_HOSTS takes host names"},
		{env{"DOKU_LINK_HOSTS": ","}, "DOKU_LINK_HOSTS takes host names"},
		{env{"DOKU_FILE_LOOKUP": "file/{id}"}, "DOKU_FILE_LOOKUP takes a path"},
		{env{"DOKU_FILE_LOOKUP": "/file"}, "DOKU_FILE_LOOKUP takes a path"},
		{env{"BLOB_URL": "s3://bucket"}, "BLOB_URL takes file:///"},
		{env{"BLOB_URL": "file:///"}, "BLOB_URL takes file:///"},
		{env{"SIMULATOR_LINK_TTL": "60"}, "SIMULATOR_LINK_TTL takes a duration"},
		{env{"SIMULATOR_LINK_TTL": "25h"}, "SIMULATOR_LINK_TTL takes a duration"},
		{env{"SIMULATOR_LINK_TTL": "1ms"}, "SIMULATOR_LINK_TTL takes a duration"},
		{env{"SIMULATOR_CONTROL": "yes"}, "SIMULATOR_CONTROL takes on or off"},
		{env{"SIMULATOR_ADDR": "x"}, "SIMULATOR_ADDR takes host:port"},
		{env{"LOG_FORMAT": "xml"}, "LOG_FORMAT takes text or json"},
	} {
		_, err := c.env.load()
		if fault.Code(err) != config.CodeInvalid {
			t.Errorf("%v: %v", c.env, err)
			continue
		}
		says := fault.As(err).Err.Error()
		if !strings.Contains(says, c.words) {
			t.Errorf("%q lacks %q", says, c.words)
		}
		for _, secret := range []string{"s3cret", "topsecret", "c3VwZXJzM2NyZXQ", key} {
			if strings.Contains(says, secret) {
				t.Errorf("%q shows a secret", says)
			}
		}
	}
}

func TestSecretsFromFiles(t *testing.T) {
	c := must(t, env{"DATABASE_URL_FILE": "/a", "file /a": database + "\n", "ENCRYPTION_KEY_FILE": "/b", "file /b": key + "\r\n",
		"DOKU_MODE": "test", "DOKU_CLIENT_ID": "x", "DOKU_SECRET_KEY_FILE": "/c", "file /c": "SK-1"})
	if c.DatabaseURL != database || len(c.Key) != 32 || c.SecretKey != "SK-1" {
		t.Error("not what the files hold")
	}
}

func TestPrintHidesSecrets(t *testing.T) {
	c := must(t, server.with("DEMO_PASSWORD", "hunter2"))
	var out bytes.Buffer
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"DATABASE_URL=(set)", "MIGRATE_DATABASE_URL=(not set)", "DOKU_MODE=production", "DOKU_CLIENT_ID=BRN-1", "DOKU_SECRET_KEY=(set)",
		"ENCRYPTION_KEY=(set)", "DEMO_PASSWORD=(set)", "SIMULATOR_SECRET_KEY=(default)", "LISTEN_ADDR=127.0.0.1:8080", "TRUSTED_PROXIES=(not set)"} {
		if !strings.Contains("\n"+out.String(), "\n"+line+"\n") {
			t.Errorf("no line %s in\n%s", line, out.String())
		}
	}
	all := out.String() + fmt.Sprintf("%v %+v %#v %s", c, c, c, c)
	for _, secret := range []string{"s3cret", "topsecret", "hunter2", key} {
		if strings.Contains(all, secret) {
			t.Errorf("%s is shown", secret)
		}
	}
}

func TestTheREADMEHasTheTable(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "<!-- config -->")
	table, _, closed := strings.Cut(rest, "<!-- /config -->")
	if !found || !closed {
		t.Fatal("README.md has no <!-- config --> … <!-- /config -->")
	}
	if strings.TrimSpace(table) != strings.TrimSpace(config.Table()) {
		t.Errorf("the README's table of variables is not this one; put it between the markers:\n%s", config.Table())
	}
}

func TestEnsureKey(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	var wg sync.WaitGroup
	keys := make([][]byte, 8)
	for i := range keys {
		wg.Go(func() {
			k, err := config.EnsureKey(dir)
			if err != nil {
				t.Error(err)
			}
			keys[i] = k
		})
	}
	wg.Wait()
	for _, k := range keys {
		if len(k) != 32 || !bytes.Equal(k, keys[0]) {
			t.Fatal("not one key for all")
		}
	}
	path := filepath.Join(dir, "encryption.key")
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%v is left over", left)
	}

	for name, change := range map[string]func() error{
		"others can read it": func() error { return os.Chmod(path, 0o644) },
		"it has 3 bytes":     func() error { return os.WriteFile(path, []byte("YWJj\n"), 0o600) },
		"is missing, but": func() error {
			return errors.Join(os.Remove(path), os.MkdirAll(filepath.Join(dir, "blobs", "x"), 0o700))
		},
	} {
		if err := errors.Join(os.WriteFile(path, []byte(key), 0o600), os.Chmod(path, 0o600), change()); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(path)
		_, err := config.EnsureKey(dir)
		if fault.Code(err) != config.CodeKey || !strings.Contains(fault.As(err).Err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the key was replaced", name)
		}
		_ = os.RemoveAll(filepath.Join(dir, "blobs"))
	}
}
