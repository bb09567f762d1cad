package config

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// variable is one line of the table.
type variable struct {
	name     string
	standard string // the value when it is not set; empty: none
	takes    string // what it takes, after the word "takes"
	means    string
	secret   bool // never shown; can be read from the file that NAME_FILE names
	set      func(c *Config, value string) error
}

var variables = []variable{
	{name: "LISTEN_ADDR", standard: "127.0.0.1:8080", takes: "host:port", means: "where the portal listens",
		set: func(c *Config, v string) error { return address(&c.Listen, v) }},
	{name: "PUBLIC_URL", takes: "https://host or http://host:port", means: "the address people use; `http://` and LISTEN_ADDR when not set. " +
		"Other hosts than this and loopback names are answered 421; cookies are `Secure` and `__Host-` exactly when it is https",
		set: func(c *Config, v string) (err error) { c.PublicURL, err = origin(v); return err }},
	{name: "TRUSTED_PROXIES", takes: "addresses or networks such as 10.0.0.0/8, set apart by commas",
		means: "whose forwarded headers count; with none they are ignored",
		set:   func(c *Config, v string) (err error) { c.TrustedProxies, err = prefixes(v); return err }},
	{name: "DATA_DIR", standard: "./data", takes: "a directory", means: "everything Berkas keeps on this machine",
		set: func(c *Config, v string) error { c.DataDir = filepath.Clean(v); return nil }},
	{name: "DATABASE_URL", secret: true, takes: "postgres://user:password@host:port/name",
		means: "the program's role on a PostgreSQL that runs elsewhere; without it Berkas runs its own under DATA_DIR",
		set:   func(c *Config, v string) error { return database(&c.DatabaseURL, v) }},
	{name: "MIGRATE_DATABASE_URL", secret: true, takes: "postgres://owner:password@host:port/name",
		means: "the owning role, which migrates; DATABASE_URL when not set",
		set:   func(c *Config, v string) error { return database(&c.MigrateDatabaseURL, v) }},
	{name: "BERKAS_PG_BIN", takes: "a directory", means: "where the server programs of Berkas' own PostgreSQL are; the usual places when not set",
		set: func(c *Config, v string) error { c.PGBin = v; return nil }},
	{name: "DOKU_MODE", standard: "simulator", takes: "simulator, test or production", means: "which DOKU; must be said when DATABASE_URL is set",
		set: func(c *Config, v string) error {
			c.Mode = Mode(v)
			return oneOf(v, string(Simulator), string(Test), string(Production))
		}},
	{name: "DOKU_BASE_URL", takes: "https://host, with a path where there is one", means: "instead of the documented host; in simulator mode a simulator " +
		"that runs elsewhere, instead of an own one", set: func(c *Config, v string) (err error) { c.BaseURL, err = base(v); return err }},
	{name: "DOKU_CLIENT_ID", takes: "the Brand ID from the DOKU Back Office", means: "required in the modes test and production",
		set: func(c *Config, v string) error { c.ClientID = v; return printable(v) }},
	{name: "DOKU_SECRET_KEY", secret: true, takes: "the secret key from the DOKU Back Office", means: "required in the modes test and production",
		set: func(c *Config, v string) error { c.SecretKey = v; return printable(v) }},
	{name: "DOKU_LINK_HOSTS", standard: "doku.com,oss-ap-southeast-5.aliyuncs.com", takes: "host names, set apart by commas",
		means: "where links to files may lead: these hosts and those below them",
		set:   func(c *Config, v string) (err error) { c.LinkHosts, err = hostNames(v); return err }},
	{name: "DOKU_FILE_LOOKUP", takes: "a path such as /file/{id}", means: "a lookup by file id, where DOKU offers one; none is documented",
		set: func(c *Config, v string) error { c.FileLookup = v; return lookup(v) }},
	{name: "DOKU_CALLBACK_SIGNATURE", standard: "required", takes: "required or off", means: "whether what DOKU posts to `/doku/callbacks/` must be signed like its other " +
		"notifications, which is assumed; nothing that is posted there is believed either way",
		set: func(c *Config, v string) error { c.UnsignedCallbacks = v == "off"; return oneOf(v, "required", "off") }},
	{name: "ENCRYPTION_KEY", secret: true, takes: "32 bytes in base64, as from `openssl rand -base64 32`",
		means: "encrypts files and personal columns; made in DATA_DIR for a local run, required with DATABASE_URL",
		set:   func(c *Config, v string) (err error) { c.Key, err = decodeKey(v); return err }},
	{name: "BLOB_URL", takes: "file:///directory", means: "where encrypted originals go; DATA_DIR/blobs when not set",
		set: func(c *Config, v string) (err error) { c.BlobDir, err = blobs(v); return err }},
	{name: "RETAIN_ORIGINALS", standard: "30", takes: "until-readable, a number of days such as 30, or always",
		means: "how long originals stay of documents that a registered merchant has at DOKU: until they were read there once through a refreshed link, so " +
			"many days longer, or for ever",
		set: func(c *Config, v string) error { return retention(c, v) }},
	{name: "DEMO_PASSWORD", standard: "demo", secret: true, takes: "a password", means: "of the demo people, who exist only in simulator mode on a loopback address",
		set: func(c *Config, v string) error { c.DemoPassword = v; return nil }},
	{name: "DEMO_MERCHANTS", standard: "on", takes: "on or off", means: "whether the demo people find merchants in every state, with drawn documents",
		set: func(c *Config, v string) error { c.DemoMerchants = v == "on"; return oneOf(v, "on", "off") }},
	{name: "LOG_FORMAT", standard: "text", takes: "text or json", means: "how the log is written",
		set: func(c *Config, v string) error { c.LogJSON = v == "json"; return oneOf(v, "text", "json") }},
	{name: "SIMULATOR_LINK_TTL", standard: "60m", takes: "a duration from 1s to 24h", means: "how long the simulator's links live",
		set: func(c *Config, v string) error { return duration(&c.SimulatorLinkTTL, v, time.Second, 24*time.Hour) }},
	{name: "SIMULATOR_CONTROL", standard: "off", takes: "on or off", means: "opens the simulator's control interface, `/_simulator/`",
		set: func(c *Config, v string) error { c.SimulatorControl = v == "on"; return oneOf(v, "on", "off") }},
	{name: "SIMULATOR_ADDR", standard: "127.0.0.1:8090", takes: "host:port", means: "where `portal simulate` listens",
		set: func(c *Config, v string) error { return address(&c.SimulatorAddr, v) }},
	{name: "SIMULATOR_CLIENT_ID", standard: "BRN-0000-0000000000000", takes: "a Brand ID", means: "whom the simulator knows",
		set: func(c *Config, v string) error { c.SimulatorClientID = v; return printable(v) }},
	{name: "SIMULATOR_SECRET_KEY", standard: "SK-simulator", secret: true, takes: "a secret key", means: "by which the simulator checks signatures",
		set: func(c *Config, v string) error { c.SimulatorSecretKey = v; return printable(v) }},
}

// read takes the variable, or for a secret the file that NAME_FILE names.
func (v variable) read(getenv func(string) string, readFile func(string) ([]byte, error)) (string, error) {
	value := getenv(v.name)
	if !v.secret {
		return strings.TrimSpace(value), nil
	}
	file := getenv(v.name + "_FILE")
	switch {
	case file == "":
		return value, nil
	case value != "":
		return "", fmt.Errorf("%s and %[1]s_FILE are both set: set one of them", v.name)
	}
	b, err := readFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE takes a file that can be read: %w", v.name, err)
	}
	if b = bytes.TrimRight(b, "\r\n"); len(b) == 0 {
		return "", fmt.Errorf("%s_FILE names an empty file: it should hold %s", v.name, v.takes)
	}
	return string(b), nil
}

// refusal is the sentence about a wrong value.
func (v variable) refusal(value string, err error) error {
	if v.secret {
		return fmt.Errorf("%s takes %s: %w", v.name, v.takes, err)
	}
	return fmt.Errorf("%s takes %s, not %q: %w", v.name, v.takes, value, err)
}

func (v variable) show(value string) string {
	switch {
	case value == "" && v.secret && v.standard != "":
		return "(default)"
	case value == "" && v.standard != "":
		return v.standard
	case value == "":
		return "(not set)"
	case v.secret:
		return "(set)"
	default:
		return value
	}
}

// Print writes every variable with its value, secrets aside.
func (c Config) Print(w io.Writer) error {
	for _, v := range variables {
		if _, err := fmt.Fprintf(w, "%s=%s\n", v.name, c.shown[v.name]); err != nil {
			return err
		}
	}
	return nil
}

// Table is the README's table of variables, in Markdown.
func Table() string {
	var b strings.Builder
	b.WriteString("| variable | default | takes | means |\n| --- | --- | --- | --- |\n")
	for _, v := range variables {
		name, standard := "`"+v.name+"`", "–"
		if v.secret {
			name += ", `" + v.name + "_FILE`"
		}
		if v.standard != "" {
			standard = "`" + v.standard + "`"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, standard, v.takes, v.means)
	}
	return b.String()
}

func oneOf(v string, allowed ...string) error {
	for _, a := range allowed {
		if v == a {
			return nil
		}
	}
	return errors.New("there is no other choice")
}

func address(to *string, v string) error {
	*to = v
	host, port, err := net.SplitHostPort(v)
	if err != nil {
		return errors.New("it needs a port after a colon")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return errors.New("a port is a number up to 65535")
	}
	if host != "" && !hostName(host) {
		return errors.New("the host is no name or address")
	}
	return nil
}

// base is an http or https address, without anything that does not belong into one.
func base(v string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(v, "/"))
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || !hostName(u.Hostname()):
		return nil, errors.New("it is no address on the web")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("it must have no user, query or fragment")
	}
	return u, nil
}

// origin is a base without a path.
func origin(v string) (*url.URL, error) {
	u, err := base(v)
	if err == nil && u.Path != "" {
		return nil, errors.New("it must have no path")
	}
	return u, err
}

func prefixes(v string) (list []netip.Prefix, err error) {
	for _, item := range items(v) {
		p, err := netip.ParsePrefix(item)
		if addr, err2 := netip.ParseAddr(item); err2 == nil {
			p, err = netip.PrefixFrom(addr, addr.BitLen()), nil
		}
		if err != nil {
			return nil, fmt.Errorf("%q is neither", item)
		}
		list = append(list, p.Masked())
	}
	return list, nil
}

// database does not repeat what it is given, since that holds a password.
func database(to *string, v string) error {
	*to = v
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errors.New("it is no such address")
	}
	return nil
}

func hostNames(v string) ([]string, error) {
	list := items(strings.ToLower(v))
	for i, item := range list {
		list[i] = strings.TrimPrefix(item, ".")
		if !hostName(list[i]) {
			return nil, fmt.Errorf("%q is no host name", item)
		}
	}
	if len(list) == 0 {
		return nil, errors.New("it names none")
	}
	return list, nil
}

func hostName(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return s != "" && strings.Trim(strings.ToLower(s), "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

func lookup(v string) error {
	if !strings.HasPrefix(v, "/") || strings.Count(v, "{id}") != 1 || strings.ContainsAny(v, "?# ") {
		return errors.New("it needs to begin with / and to hold {id} once")
	}
	return nil
}

func printable(v string) error {
	for _, r := range v {
		if r <= ' ' || r > '~' {
			return errors.New("it goes into a header and takes printable ASCII without spaces")
		}
	}
	return nil
}

func blobs(v string) (string, error) {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "file" || u.Host != "" || len(u.Path) < 2 || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("only directories of this machine can be used now")
	}
	return filepath.Clean(u.Path), nil
}

const maxRetention = 36500 // days

func retention(c *Config, v string) error {
	c.PurgeOriginals, c.RetainOriginals = true, 0
	switch v {
	case "until-readable":
		return nil
	case "always":
		c.PurgeOriginals = false
		return nil
	}
	days, err := strconv.Atoi(v)
	if err != nil || days < 0 || days > maxRetention {
		return errors.New("it is none of these")
	}
	c.RetainOriginals = time.Duration(days) * 24 * time.Hour
	return nil
}

func duration(to *time.Duration, v string, least, most time.Duration) (err error) {
	*to, err = time.ParseDuration(v)
	if err != nil {
		return errors.New("it needs a number with a unit, such as 90s or 60m")
	}
	if *to < least || *to > most {
		return errors.New("it is out of these bounds")
	}
	return nil
}

const keySize = 32 // bytes

func decodeKey(v string) ([]byte, error) {
	v = strings.TrimRight(strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimSpace(v)), "=")
	key, err := base64.RawStdEncoding.DecodeString(v)
	if err != nil {
		return nil, errors.New("it is not base64")
	}
	if len(key) != keySize {
		return nil, fmt.Errorf("it has %d bytes", len(key))
	}
	return key, nil
}

func items(v string) (list []string) {
	for item := range strings.SplitSeq(v, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}
