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

type handler struct {
	Parts
	slow       time.Duration // what an upload or a download may take
	turnedAway turnedAway    // callbacks that are not DOKU's
}

// New is the portal's web: every route with its middleware.
func New(p Parts) http.Handler {
	h := &handler{Parts: p, slow: slowTime}
	return h.web()
}

func (h *handler) web() http.Handler {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = h.fail
	e.IPExtractor = clientAddress(h.Proxies)
	e.Use(h.identify, h.record, h.recoverPanic, h.bound, h.harden, h.language, h.knownHost, h.sameOrigin)
	for _, r := range h.routes() {
		e.Add(r.Method, r.Path, h.admit(r))
		if r.Method == http.MethodGet { // the server keeps the body of the answer to itself
			e.Add(http.MethodHead, r.Path, h.admit(r))
		}
	}
	return e
}
