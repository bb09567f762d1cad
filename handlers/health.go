package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/views"
)

// healthz says that the process answers.
func (h *handler) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether everything a request needs is there: database, queue, blob store.
func (h *handler) readyz(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		h.Log.Warn("not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// showGallery draws every component with sample data, where the data is samples anyway.
func (h *handler) showGallery(c echo.Context) error {
	if !h.Demo {
		return fault.New(fault.NotFound, "not_found")
	}
	return render(c, http.StatusOK, views.Gallery())
}
