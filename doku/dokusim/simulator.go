package dokusim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"berkas/doku"
)

// Partner is who may call.
type Partner struct{ ClientID, SecretKey string }

// Options configure a Simulator. At least one partner is required, and a key with a Dir.
type Options struct {
	Partners []Partner
	Dir      string // where state and files are kept, encrypted; "" keeps them in a temporary folder until Close
	Key      []byte // 32 bytes

	BaseURL    string        // scheme://host[:port] of links; "" takes the host each call was made to. See SetBaseURL
	LinkTTL    time.Duration // default doku.LinkLifetime
	FileLookup bool          // serve GET /file/{id}, which DOKU does not document
	Control    bool          // serve /_simulator/
	Assume     Assumptions

	CallbackDelays []time.Duration // from the first attempt to each repetition; default 30 min, 6 h, 12 h as DOKU documents

	Now func() time.Time // default time.Now
	Log *slog.Logger     // default none
}

// Simulator speaks DOKU's Partner API. It is safe for concurrent use.
type Simulator struct {
	partners map[string]Partner
	dir      string
	scratch  bool // dir is removed by Close
	lock     *os.File
	linkTTL  time.Duration
	lookup   bool
	control  bool
	delays   []time.Duration
	realNow  func() time.Time
	log      *slog.Logger
	mux      *http.ServeMux
	matrix   *matrix
	vault    *vault
	linkKey  []byte

	callbacks sync.WaitGroup
	closing   context.Context
	stop      context.CancelFunc

	mu      sync.Mutex // all below
	state   *state
	journal *journal
	baseURL string
	assume  Assumptions
	faults  []*activeFault
	tally   map[string]int
}

// New opens or makes a simulator. Only one process at a time can use a folder.
func New(o Options) (*Simulator, error) {
	s := &Simulator{
		partners: map[string]Partner{}, dir: o.Dir, linkTTL: o.LinkTTL, lookup: o.FileLookup, control: o.Control,
		delays: o.CallbackDelays, realNow: o.Now, log: o.Log, state: newState(), baseURL: strings.TrimSuffix(o.BaseURL, "/"),
		assume: o.Assume, tally: map[string]int{},
	}
	if len(o.Partners) == 0 {
		return nil, errors.New("dokusim: at least one partner is needed")
	}
	for _, p := range o.Partners {
		if p.ClientID == "" || p.SecretKey == "" {
			return nil, errors.New("dokusim: a partner needs a client id and a secret key")
		}
		s.partners[p.ClientID] = p
	}
	s.defaults()
	var err error
	if s.matrix, err = loadMatrix(); err != nil {
		return nil, err
	}
	if err := s.open(o.Key); err != nil {
		s.release()
		return nil, err
	}
	s.closing, s.stop = context.WithCancel(context.Background())
	s.mux = s.routes()
	return s, nil
}

func (s *Simulator) defaults() {
	if s.linkTTL <= 0 {
		s.linkTTL = doku.LinkLifetime
	}
	if s.delays == nil {
		s.delays = []time.Duration{30 * time.Minute, 6 * time.Hour, 12 * time.Hour}
	}
	if s.realNow == nil {
		s.realNow = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
}

func (s *Simulator) open(key []byte) (err error) {
	if s.dir == "" {
		s.scratch, key = true, make([]byte, 32)
		_, _ = rand.Read(key)
		if s.dir, err = os.MkdirTemp("", "dokusim-"); err != nil {
			return err
		}
	}
	if len(key) != 32 {
		return errors.New("dokusim: the key must have 32 bytes")
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	if err := s.lockDir(); err != nil {
		return err
	}
	if s.linkKey, err = deriveKey(key, nil, "links"); err != nil {
		return err
	}
	path := filepath.Join(s.dir, "journal")
	if s.journal, err = openJournal(path, key, !s.scratch, s.state.apply); err != nil {
		return err
	}
	if err := s.compact(path, key); err != nil {
		return err
	}
	if s.vault, err = openVault(filepath.Join(s.dir, "files"), key, !s.scratch); err != nil {
		return err
	}
	return s.vault.sweep(func(name string) bool { return s.state.files[name] != nil })
}

// lockDir keeps a second process out; the kernel lets go when this one dies, however it dies.
func (s *Simulator) lockDir() error {
	f, err := os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return fmt.Errorf("dokusim: %s is in use by another simulator", s.dir)
	}
	s.lock = f
	return nil
}

// compact writes the journal anew when most of it is history.
func (s *Simulator) compact(path string, key []byte) error {
	changes := s.state.compact(s.now())
	if s.state.changes < 2*len(changes)+100 {
		return nil
	}
	j, err := rewriteJournal(path, key, !s.scratch, changes)
	if err != nil {
		return err
	}
	s.journal.file.Close()
	s.journal = j
	return nil
}

// commit makes a change durable, then true. The caller holds mu.
func (s *Simulator) commit(c change) error {
	if s.journal == nil {
		return errors.New("dokusim: closed")
	}
	if err := s.journal.append(c); err != nil {
		s.log.Error("dokusim: the journal cannot be written", "err", err)
		return err
	}
	s.state.apply(c)
	return nil
}

// Close stops callbacks and lets go of the folder; a folder of its own is removed.
func (s *Simulator) Close() error {
	s.stop()
	s.callbacks.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clearFaults()
	return s.release()
}

func (s *Simulator) release() (err error) {
	if s.journal != nil {
		err = s.journal.file.Close()
		s.journal = nil
	}
	if s.lock != nil {
		s.lock.Close()
		s.lock = nil
	}
	if s.scratch && s.dir != "" {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	return err
}

// SetBaseURL says where links lead, once the address of the listener is known.
func (s *Simulator) SetBaseURL(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.baseURL = strings.TrimSuffix(base, "/")
}

// Now is the simulator's clock, which governs tokens, links, ids and everything else.
func (s *Simulator) Now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now()
}

// now is Now for callers that hold mu.
func (s *Simulator) now() time.Time { return s.realNow().Add(s.state.offset).UTC() }

// SetClock sets the clock, which runs on from there. The zero time brings it back to real time. It survives a restart.
func (s *Simulator) SetClock(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var offset time.Duration
	if !t.IsZero() {
		offset = t.Sub(s.realNow())
	}
	return s.commit(change{Offset: &offset})
}

// Advance moves the clock, back if d is negative.
func (s *Simulator) Advance(d time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	offset := s.state.offset + d
	return s.commit(change{Offset: &offset})
}
