package onboarding

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
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
	uploads seen
	others  seen

	minutes minutes
}

// seen is what was written down last of one kind of calls.
type seen struct {
	down bool
	at   time.Time
}

const (
	healthInterval = 5 * time.Second
	wakeAll        = 1 << 30
)

// NewHealth keeps its findings in store.
func NewHealth(store *models.Store, now func() time.Time, log *slog.Logger) *Health {
	return &Health{keep: store.Keep, now: now, log: log}
}

// Observe takes one call's outcome; it is the client's Options.Observe.
func (h *Health) Observe(o doku.Outcome) {
	down := unwell(o)
	h.count(o, down)
	if !h.news(o.Call == doku.CallUpload, down) {
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
		return h.keep().DOKUFailed(ctx, o.Call, o.Status)
	}
	recovered, err := h.keep().DOKUAnswered(ctx, o.Call == doku.CallUpload, o.Duration)
	if err != nil || !recovered {
		return err
	}
	n, err := h.keep().WakeDeliveries(ctx, wakeAll)
	if err == nil {
		err = h.keep().WakeSubmissions(ctx)
	}
	h.log.Info("DOKU answers again", "woken", n)
	return err
}

// news reports whether an outcome is worth writing down.
func (h *Health) news(upload, down bool) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	last := &h.others
	if upload {
		last = &h.uploads
	}
	if !last.at.IsZero() && last.down == down && h.now().Sub(last.at) < healthInterval {
		return false
	}
	*last = seen{down, h.now()}
	return true
}

// unwell tells an outage from an answer: a refusal of one file, or a wish to be asked less often, says that DOKU is
// there. Without a token nothing works.
func unwell(o doku.Outcome) bool {
	e, ok := errors.AsType[*doku.Error](o.Err)
	return ok && (e.Call == doku.CallToken || e.Temporary() && e.Status != http.StatusTooManyRequests)
}

// Probe knocks at DOKU while it is down, so that what waits goes on as soon as it can: it asks for a token, and when that
// comes lets one document try whether uploads get through too. The others follow when one did.
func (s *Service) Probe(ctx context.Context) error {
	health, err := s.Store.Health(ctx)
	if err != nil || health.DownSince == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	if err := s.DOKU.Probe(ctx); err != nil {
		return err
	}
	_, err = s.Store.Keep().WakeDeliveries(ctx, 1)
	return err
}
