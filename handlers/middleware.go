package handlers

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
)

// What the middleware leaves for the handlers.
const (
	keyRequestID = "request id"
	keyPerson    = "person"
	keyBody      = "body"
)

func requestID(c echo.Context) string {
	id, _ := c.Get(keyRequestID).(string)
	return id
}

// person is who is signed in; the zero Person when nobody is.
func person(c echo.Context) models.Person {
	p, _ := c.Get(keyPerson).(models.Person)
	return p
}

func actor(c echo.Context) models.Actor { return person(c).Actor(requestID(c)) }

func can(c echo.Context, p auth.Permission) bool { return auth.Can(actor(c), p) }

func (h *handler) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := rand.Text()[:16]
		c.Set(keyRequestID, id)
		c.Response().Header().Set("Request-Id", id)
		return next(c)
	}
}

// record logs one line a request, one that was broken off too: the path without its query, which may hold a name.
func (h *handler) record(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		defer func() {
			level := slog.LevelInfo
			if strings.HasPrefix(c.Path(), "/static/") || c.Path() == "/healthz" || c.Path() == "/readyz" {
				level = slog.LevelDebug
			}
			h.Log.LogAttrs(c.Request().Context(), level, "request", slog.String("id", requestID(c)), slog.String("method", c.Request().Method),
				slog.String("path", shownPath(c.Request().URL.Path)), slog.Int("status", c.Response().Status), slog.Int64("ms", time.Since(start).Milliseconds()),
				slog.Int64("person", int64(person(c).ID)))
		}()
		if err := next(c); err != nil {
			c.Error(err)
		}
		return nil
	}
}

func (h *handler) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if r := recover(); r != nil {
				if r == http.ErrAbortHandler {
					panic(r)
				}
				err = fault.Wrap(fmt.Errorf("panic: %v\n%s", r, debug.Stack()), fault.Internal, "internal")
			}
		}()
		return next(c)
	}
}

// pageCSP allows what the portal ships and nothing else: no inline script or style, no other origin.
const pageCSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (h *handler) harden(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		head := c.Response().Header()
		head.Set("Content-Security-Policy", pageCSP)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("X-Frame-Options", "DENY")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(self), geolocation=(), microphone=(), payment=(), usb=()")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cache-Control", "no-store")
		if h.secure() {
			head.Set("Strict-Transport-Security", "max-age=63072000; includeSubDomains")
		}
		return next(c)
	}
}

func (h *handler) secure() bool { return h.PublicURL.Scheme == "https" }

// knownHost turns requests for other hosts away, so that a foreign name that resolves here finds nothing.
func (h *handler) knownHost(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		host := c.Request().Host
		if name, _, err := net.SplitHostPort(host); err == nil {
			host = name
		}
		host = strings.ToLower(strings.Trim(host, "[]"))
		if host == strings.ToLower(h.PublicURL.Hostname()) || host == "localhost" || strings.HasSuffix(host, ".localhost") || loopback(host) {
			return next(c)
		}
		return echo.NewHTTPError(http.StatusMisdirectedRequest, "host_unknown")
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// sameOrigin refuses what another site's page sends. It looks at headers only: form tokens would have the whole upload
// parsed, and spilled in clear to a temporary folder, before the handler runs.
func (h *handler) sameOrigin(next echo.HandlerFunc) echo.HandlerFunc {
	protection := http.NewCrossOriginProtection()
	return func(c echo.Context) error {
		if err := protection.Check(c.Request()); err != nil {
			return fault.Wrap(err, fault.Forbidden, "cross_origin")
		}
		return next(c)
	}
}

// language is the browser's: what was chosen in it, else what it accepts, else Bahasa Indonesia. A person's own choice
// comes before it once we know who it is.
func (h *handler) language(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		speak(c, words.Pick(c.Request().Header.Get("Accept-Language"), h.cookie(c, languageCookie)))
		return next(c)
	}
}

func speak(c echo.Context, lang words.Lang) {
	c.SetRequest(c.Request().WithContext(words.With(c.Request().Context(), lang)))
}

// clientAddress is whom a request came from: the peer, or what trusted proxies say before it.
func clientAddress(proxies []netip.Prefix) echo.IPExtractor {
	if len(proxies) == 0 {
		return echo.ExtractIPDirect()
	}
	trust := []echo.TrustOption{echo.TrustLoopback(false), echo.TrustLinkLocal(false), echo.TrustPrivateNet(false)}
	for _, p := range proxies {
		trust = append(trust, echo.TrustIPRange(&net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}))
	}
	return echo.ExtractIPFromXFFHeader(trust...)
}
