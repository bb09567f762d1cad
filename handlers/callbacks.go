package handlers

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/onboarding"
)

// callbackPath begins the addresses that DOKU posts to. What follows is known to DOKU alone and stands in no log.
const callbackPath = "/doku/callbacks/"

const (
	limitCallback     = 64 << 10
	strangersAnswered = 600 // callbacks a minute that are not DOKU's before they are told to wait
)

// takeCallback takes what DOKU posts: it is stored when this answers, and looked at later.
func (h *handler) takeCallback(c echo.Context) error {
	body, err := io.ReadAll(c.Request().Body)
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return c.NoContent(http.StatusRequestEntityTooLarge)
	}
	if err != nil {
		return c.NoContent(http.StatusBadRequest)
	}
	began := h.Now()
	err = h.Service.ReceiveCallback(c.Request().Context(), onboarding.CallbackInput{Token: c.Param("callback"), Target: c.Request().URL.RequestURI(), Header: c.Request().Header, Body: body})
	switch {
	case err == nil:
		return c.NoContent(http.StatusOK)
	case !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.NotFound):
		return err
	}
	if wait := h.turnedAway.add(began); wait > 0 {
		c.Response().Header().Set("Retry-After", seconds(wait))
		return c.NoContent(http.StatusTooManyRequests)
	}
	if fault.Is(err, fault.NotFound) {
		return c.NoContent(http.StatusNotFound)
	}
	return c.NoContent(http.StatusUnauthorized)
}

// shownPath is a request's path as it may be logged.
func shownPath(path string) string {
	if strings.HasPrefix(path, callbackPath) {
		return callbackPath + "…"
	}
	return path
}

// turnedAway counts what was turned away in this minute.
type turnedAway struct {
	mu    sync.Mutex
	began time.Time
	n     int
}

// add counts one more, and says how long to wait when there were too many.
func (r *turnedAway) add(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.began) >= time.Minute {
		r.began, r.n = now, 0
	}
	if r.n++; r.n <= strangersAnswered {
		return 0
	}
	return r.began.Add(time.Minute).Sub(now)
}
