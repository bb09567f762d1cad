package onboarding

import (
	"context"
	"sync"
	"time"

	"berkas/doku"
	"berkas/models"
)

const (
	maxMinutes  = 1000                     // unkept figures at most: what a database away for hours leaves
	foldMinutes = 24 * time.Hour           // what the page about DOKU's health shows by the minute
	keepDays    = 106 * 7 * 24 * time.Hour // the longest period of insights, and more
	lastFlush   = 2 * time.Second
)

// minutes gathers how DOKU's calls went, so that what is kept of them is one statement every few seconds.
type minutes struct {
	mu   sync.Mutex
	rows map[minuteOf]models.DOKUMinute
}

type minuteOf struct {
	minute time.Time
	call   string
}

// count adds one call to its minute. Only calls that DOKU answered say how fast it is.
func (h *Health) count(o doku.Outcome, down bool) {
	m := models.DOKUMinute{Minute: h.now().UTC().Truncate(time.Minute), Call: o.Call}
	if down {
		m.Failed = 1
	} else {
		m.Answered, m.TotalMS, m.MaxMS = 1, o.Duration.Milliseconds(), int(o.Duration.Milliseconds())
	}
	h.minutes.add(m)
}

// CallCallback stands among the kinds of DOKU's calls for what is posted to us.
const CallCallback = "callback"

// countCallback adds what DOKU, or somebody who is not DOKU, posted to its minute.
func (h *Health) countCallback(taken bool) {
	m := models.DOKUMinute{Minute: h.now().UTC().Truncate(time.Minute), Call: CallCallback, Answered: 1}
	if !taken {
		m.Answered, m.Failed = 0, 1
	}
	h.minutes.add(m)
}

func (m *minutes) add(row models.DOKUMinute) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := minuteOf{row.Minute, row.Call}
	sum, known := m.rows[key]
	if !known && len(m.rows) >= maxMinutes {
		return
	}
	if m.rows == nil {
		m.rows = map[minuteOf]models.DOKUMinute{}
	}
	sum.Minute, sum.Call = row.Minute, row.Call
	sum.Answered, sum.Failed, sum.TotalMS = sum.Answered+row.Answered, sum.Failed+row.Failed, sum.TotalMS+row.TotalMS
	sum.MaxMS = max(sum.MaxMS, row.MaxMS)
	m.rows[key] = sum
}

func (m *minutes) take() (rows []models.DOKUMinute) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, row := range m.rows {
		rows = append(rows, row)
	}
	m.rows = nil
	return rows
}

// Flush keeps what was gathered since the last time. What cannot be kept is gathered further.
func (h *Health) Flush(ctx context.Context) error {
	rows := h.minutes.take()
	err := h.keep().KeepMinutes(ctx, rows)
	if err != nil {
		for _, row := range rows {
			h.minutes.add(row)
		}
	}
	return err
}

// Close keeps what was gathered last. Nothing is lost that matters when it cannot.
func (h *Health) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), lastFlush)
	defer cancel()
	if err := h.Flush(ctx); err != nil {
		h.log.Warn("DOKU's last minutes were not kept", "error", err)
	}
}

// KeepMinutes keeps what this process saw of DOKU's calls since the last time.
func (s *Service) KeepMinutes(ctx context.Context) error { return s.Health.Flush(ctx) }
