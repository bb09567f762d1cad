package handlers

import (
	"context"
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

const (
	uploadTime  = 15 * time.Minute // the slowest phone's 15 MB
	requestTime = 60 * time.Second // everything else
)

// What the middleware leaves for the handlers.
const (
	keyRequestID = "request id"
	keyPerson    = "person"
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

// record logs one line a request: the path without its query, which may hold a name.
func (h *handler) record(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		if err := next(c); err != nil {
			c.Error(err)
		}
		level := slog.LevelInfo
		if strings.HasPrefix(c.Path(), "/static/") || c.Path() == "/healthz" || c.Path() == "/readyz" {
			level = slog.LevelDebug
		}
		h.Log.LogAttrs(c.Request().Context(), level, "request", slog.String("id", requestID(c)), slog.String("method", c.Request().Method),
			slog.String("path", c.Request().URL.Path), slog.Int("status", c.Response().Status), slog.Int64("ms", time.Since(start).Milliseconds()),
			slog.Int64("person", int64(person(c).ID)))
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

const languageCookie = "berkas_language"

// language is the person's choice, else the browser's, else Bahasa Indonesia.
func (h *handler) language(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		chosen := ""
		if cookie, err := c.Cookie(languageCookie); err == nil {
			chosen = cookie.Value
		}
		h.speak(c, words.Pick(c.Request().Header.Get("Accept-Language"), chosen))
		return next(c)
	}
}

func (h *handler) speak(c echo.Context, lang words.Lang) {
	c.SetRequest(c.Request().WithContext(words.With(c.Request().Context(), lang)))
	c.Response().Header().Set("Content-Language", string(lang))
}

// admit is what stands before every handler: time, session, permission, body limit.
func (h *handler) admit(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit := requestTime
		if r.Limit == limitUpload {
			limit = uploadTime
		}
		cancel := h.limitTime(c, limit)
		defer cancel()
		if err := h.whoIs(c, r); err != nil {
			return err
		}
		if !can(c, r.Permission) {
			return fault.New(fault.Forbidden, "forbidden")
		}
		if err := limitBody(c, r.Limit); err != nil {
			return err
		}
		return r.Handle(c)
	}
}

func (h *handler) limitTime(c echo.Context, d time.Duration) context.CancelFunc {
	rc := http.NewResponseController(c.Response().Writer)
	_ = rc.SetReadDeadline(time.Now().Add(d))
	_ = rc.SetWriteDeadline(time.Now().Add(d + 10*time.Second))
	ctx, cancel := context.WithTimeout(c.Request().Context(), d)
	c.SetRequest(c.Request().WithContext(ctx))
	return cancel
}

// whoIs finds the person behind the session's cookie. A public route goes on without one.
func (h *handler) whoIs(c echo.Context, r route) error {
	if r.Kind == plain {
		return nil
	}
	p, err := h.Gate.Who(c.Request().Context(), h.sessionToken(c))
	switch {
	case err == nil:
		c.Set(keyPerson, p)
		if _, chose := c.Cookie(languageCookie); chose != nil && p.Language != "" {
			h.speak(c, words.Lang(p.Language))
		}
		return nil
	case r.Permission == auth.Public:
		return nil
	case fault.Is(err, fault.Unauthenticated) && r.Kind == page:
		return errSignIn
	}
	return err
}

func limitBody(c echo.Context, limit int64) error {
	r := c.Request()
	if limit == limitNone {
		return nil
	}
	if r.ContentLength > limit {
		c.Response().Header().Set("Connection", "close")
		return fault.New(fault.TooLarge, "body_too_large", "max", limit)
	}
	r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, limit)
	return nil
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
