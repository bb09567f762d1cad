package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"berkas/internal/fault"
)

// Mode says which DOKU the portal speaks to.
type Mode string

const (
	Simulator  Mode = "simulator"
	Test       Mode = "test"
	Production Mode = "production"
)

// CodeInvalid is the code of the fault Load returns; its Err is the sentence for the terminal.
const CodeInvalid = "config_invalid"

// Config is the whole configuration, checked.
type Config struct {
	Listen         string         // host:port
	PublicURL      *url.URL       // scheme and host only; with a LISTEN_ADDR of port 0 its port is 0 too
	TrustedProxies []netip.Prefix // whose forwarded headers count

	DataDir            string // as given; relative to the working directory
	DatabaseURL        string // empty: see Embedded
	MigrateDatabaseURL string // the owning role's; DatabaseURL when it was not set
	PGBin              string // where the embedded PostgreSQL's programs are; empty: the usual places

	Mode         Mode
	BaseURL      *url.URL // of DOKU, or of a simulator elsewhere; nil when OwnSimulator
	ClientID     string   // in simulator mode the simulator's, unless set
	SecretKey    string
	LinkHosts    []string // suffixes of the hosts that links may lead to
	FileLookup   string   // path with {id}, such as /file/{id}; empty: no such call
	Key          []byte   // 32 bytes; nil when EnsureKey is to keep one in DataDir
	BlobDir      string   // where originals go
	DemoPassword string

	UnsignedCallbacks bool // DOKU's callbacks need no signature

	PurgeOriginals  bool          // once DOKU was seen to have the same bytes
	RetainOriginals time.Duration // since then

	DemoMerchants bool // beside the demo people; see Demo
	LogJSON       bool

	SimulatorLinkTTL   time.Duration
	SimulatorControl   bool // the control interface is open
	SimulatorAddr      string
	SimulatorClientID  string
	SimulatorSecretKey string

	shown map[string]string // what Print shows, by name
}

// Embedded reports whether the program runs its own PostgreSQL under DataDir.
func (c Config) Embedded() bool { return c.DatabaseURL == "" }

// OwnSimulator reports whether the DOKU simulator runs in the portal's process.
func (c Config) OwnSimulator() bool { return c.BaseURL == nil }

// LocalSimulator reports whether DOKU is a simulator on this machine, in the portal's process or beside it.
func (c Config) LocalSimulator() bool {
	return c.Mode == Simulator && (c.BaseURL == nil || loopback(c.BaseURL.Hostname()))
}

// Demo reports whether demo people exist: in simulator mode on a loopback address only.
func (c Config) Demo() bool { return c.Mode == Simulator && c.Loopback() }

// Loopback reports whether only this machine can reach the portal.
func (c Config) Loopback() bool {
	host, _, err := net.SplitHostPort(c.Listen)
	return err == nil && loopback(host)
}

// Secure reports whether cookies are Secure and named __Host-.
func (c Config) Secure() bool { return c.PublicURL.Scheme == "https" }

// String hides everything: a Config holds secrets. Print shows what may be shown.
func (c Config) String() string { return "config" }

// GoString hides everything too.
func (c Config) GoString() string { return "config" }

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// Load reads the environment, and with readFile the files that *_FILE variables name. A variable that is empty is as
// good as not set. The fault's sentence names one variable and what it takes.
func Load(getenv func(string) string, readFile func(string) ([]byte, error)) (Config, error) {
	c := Config{shown: map[string]string{}}
	given := map[string]bool{}
	for _, v := range variables {
		value, err := v.read(getenv, readFile)
		if err != nil {
			return Config{}, refuse(err)
		}
		given[v.name] = value != ""
		c.shown[v.name] = v.show(value)
		if value = cmp.Or(value, v.standard); value == "" {
			continue
		}
		if err := v.set(&c, value); err != nil {
			return Config{}, refuse(v.refusal(value, err))
		}
	}
	if err := c.complete(given); err != nil {
		return Config{}, refuse(err)
	}
	return c, nil
}

func refuse(err error) error { return fault.Wrap(err, fault.Invalid, CodeInvalid) }

// complete holds the variables against each other and fills in what follows from them.
func (c *Config) complete(given map[string]bool) error {
	switch {
	case given["MIGRATE_DATABASE_URL"] && c.Embedded():
		return errors.New("MIGRATE_DATABASE_URL is set without DATABASE_URL: set both, or none to use Berkas' own PostgreSQL")
	case !c.Embedded() && !given["DOKU_MODE"]:
		return errors.New("DOKU_MODE must be said when DATABASE_URL is set: it takes simulator, test or production")
	case !c.Embedded() && c.Key == nil:
		return errors.New("ENCRYPTION_KEY must be set when DATABASE_URL is: it takes 32 bytes in base64, as from: openssl rand -base64 32")
	case c.Mode != Simulator && !given["DOKU_CLIENT_ID"]:
		return fmt.Errorf("DOKU_CLIENT_ID must be set with DOKU_MODE=%s: it takes the Brand ID from the DOKU Back Office", c.Mode)
	case c.Mode != Simulator && !given["DOKU_SECRET_KEY"]:
		return fmt.Errorf("DOKU_SECRET_KEY must be set with DOKU_MODE=%s: it takes the secret key from the DOKU Back Office", c.Mode)
	case c.Mode == Production && c.BaseURL != nil && c.BaseURL.Scheme != "https":
		return errors.New("DOKU_BASE_URL takes an https:// address with DOKU_MODE=production")
	}
	c.MigrateDatabaseURL = cmp.Or(c.MigrateDatabaseURL, c.DatabaseURL)
	c.PublicURL = cmp.Or(c.PublicURL, localURL(c.Listen))
	c.BaseURL = cmp.Or(c.BaseURL, hosts[c.Mode])
	if c.Mode == Simulator {
		c.ClientID = cmp.Or(c.ClientID, c.SimulatorClientID)
		c.SecretKey = cmp.Or(c.SecretKey, c.SimulatorSecretKey)
	}
	c.BlobDir = cmp.Or(c.BlobDir, c.DataDir+"/blobs")
	return nil
}

// The documented hosts of the Partner API.
var hosts = map[Mode]*url.URL{
	Test:       {Scheme: "https", Host: "api-uat.doku.com"},
	Production: {Scheme: "https", Host: "api.doku.com"},
}

// localURL is how this machine's browser reaches a listener.
func localURL(listen string) *url.URL {
	host, port, _ := net.SplitHostPort(listen)
	if addr, err := netip.ParseAddr(host); host == "" || err == nil && addr.IsUnspecified() {
		host = "localhost"
	}
	u := &url.URL{Scheme: "http", Host: net.JoinHostPort(host, port)}
	if port == "80" {
		u.Host = strings.TrimSuffix(u.Host, ":80")
	}
	return u
}
