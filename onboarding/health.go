package onboarding

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"berkas/doku"
	"berkas/models"
)

// Health watches how DOKU answers and keeps it where every replica sees it. It writes when something changed, and every
// five seconds at most while nothing does.
type Health struct {
	keep func() models.Keep
	log  *slog.Logger
	now  func() time.Time

	mu      sync.Mutex
	down    bool
	known   bool
	written time.Time
}

const healthInterval = 5 * time.Second

// NewHealth keeps its findings in store.
func NewHealth(store *models.Store, now func() time.Time, log *slog.Logger) *Health {
	return &Health{keep: store.Keep, now: now, log: log}
}

// Observe takes one call's outcome; it is the client's Options.Observe.
func (h *Health) Observe(o doku.Outcome) {
	down := unwell(o)
	if !h.news(down) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := h.record(ctx, o, down); err != nil {
		h.log.Warn("DOKU's health was not recorded", "error", err)
	}
}

func (h *Health) record(ctx context.Context, o doku.Outcome, down bool) error {
	if down {
		return h.keep().DOKUFailed(ctx, fmt.Sprintf("%s %d", o.Call, o.Status))
	}
	recovered, err := h.keep().DOKUAnswered(ctx, o.Duration)
	if err != nil || !recovered {
		return err
	}
	n, err := h.keep().WakeDeliveries(ctx)
	h.log.Info("DOKU answers again", "woken", n)
	return err
}

// news reports whether an outcome is worth writing down.
func (h *Health) news(down bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known && h.down == down && h.now().Sub(h.written) < healthInterval {
		return false
	}
	h.known, h.down, h.written = true, down, h.now()
	return true
}

// unwell tells an outage from an answer: a refusal of one file says that DOKU is there.
func unwell(o doku.Outcome) bool {
	e, ok := errors.AsType[*doku.Error](o.Err)
	return ok && e.Temporary()
}

// Probe asks DOKU for a token while it is down, so that what waits goes on as soon as it can.
func (s *Service) Probe(ctx context.Context) error {
	health, err := s.Store.Health(ctx)
	if err != nil || health.DownSince == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return s.DOKU.Probe(ctx)
}
