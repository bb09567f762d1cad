package handlers

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/models"
	"berkas/onboarding"
)

// Parts are what the web stands on.
type Parts struct {
	Reader    models.Reader
	Watch     *models.Watch
	Service   *onboarding.Service
	Gate      *auth.Gate
	Ready     func(context.Context) error // database, queue and blob store are there
	PublicURL *url.URL
	Proxies   []netip.Prefix // whose forwarded headers count
	Demo      bool           // demo people exist and sign in with one click
	Simulator bool           // the counterpart is a simulator
	Now       func() time.Time
	Log       *slog.Logger
}

type handler struct{ Parts }

// New is the portal's web: every route with its middleware.
func New(p Parts) http.Handler {
	h := &handler{p}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = h.fail
	e.IPExtractor = clientAddress(p.Proxies)
	e.Use(h.identify, h.record, h.recoverPanic, h.harden, h.knownHost, h.sameOrigin, h.language)
	for _, r := range h.routes() {
		e.Add(r.Method, r.Path, h.admit(r))
	}
	return e
}
