package handlers

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/views"
)

const (
	slowTime    = 15 * time.Minute // a slowest phone's 15 MB, either way
	requestTime = 60 * time.Second // everything else
	drainTime   = 30 * time.Second
	drainBytes  = 256 << 20
)

// admit is what stands before every handler: time, session, permission, body limit. An error is answered here, while the
// request's time still runs: its page needs the database too.
func (h *handler) admit(r route) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit := requestTime
		if r.Limit == limitUpload || r.Kind == file {
			limit = h.slow
			setDeadlines(c, limit)
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), limit)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		if err := h.enter(c, r); err != nil {
			c.Error(err)
		}
		return nil
	}
}

func (h *handler) enter(c echo.Context, r route) error {
	if !legible(c.QueryParams()) {
		return fault.New(fault.NotFound, "not_found")
	}
	if err := h.whoIs(c, r); err != nil {
		return err
	}
	if stop, err := mustChange(c, r); stop {
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

// whoIs finds the person behind the session's cookie. A public route goes on without one.
func (h *handler) whoIs(c echo.Context, r route) error {
	if r.Kind == plain {
		return nil
	}
	// What a page asks or says by itself, while nobody may be sitting before it, does not keep a session from going idle.
	acts := r.Kind != pulse && c.Request().Header.Get("Berkas-Poll") == ""
	p, err := h.Gate.Who(c.Request().Context(), h.cookie(c, sessionCookie), acts)
	switch {
	case err == nil:
		c.Set(keyPerson, p)
		if p.Language != "" {
			speak(c, words.Lang(p.Language))
		}
		c.SetRequest(c.Request().WithContext(views.WithTheme(c.Request().Context(), p.Theme)))
		return nil
	case r.Permission == auth.Public:
		return nil
	case fault.Is(err, fault.Unauthenticated) && r.Kind == page && !wantsFragment(c):
		return errSignIn
	}
	return err
}

// legible reports whether values are text that the database and a page can hold: UTF-8 without NUL.
func legible(values url.Values) bool {
	for name, list := range values {
		for _, text := range append(list, name) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return false
			}
		}
	}
	return true
}

func limitBody(c echo.Context, limit int64) error {
	r := c.Request()
	if limit == limitNone {
		return nil
	}
	if r.ContentLength > limit {
		return fault.New(fault.TooLarge, "body_too_large", "max", limit)
	}
	r.Body = http.MaxBytesReader(c.Response().Writer, r.Body, limit)
	return nil
}

// bound gives every request an end, one that meets no route too, and keeps hold of its body for drain.
func (h *handler) bound(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		setDeadlines(c, requestTime)
		b := &body{ReadCloser: c.Request().Body}
		c.Set(keyBody, b)
		c.Request().Body = b
		return next(c)
	}
}

// setDeadlines lets the connection outlive the request's context a little, so that the answer still gets through.
func setDeadlines(c echo.Context, d time.Duration) {
	rc, now := http.NewResponseController(c.Response().Writer), time.Now()
	_ = rc.SetReadDeadline(now.Add(d + 5*time.Second))
	_ = rc.SetWriteDeadline(now.Add(d + 10*time.Second))
}

// body is a request's body, without any limit, that knows whether it was begun and how it ended.
type body struct {
	io.ReadCloser
	begun bool
	ended error
}

func (b *body) Read(p []byte) (n int, err error) {
	b.begun = true
	if b.ended == nil {
		n, b.ended = b.ReadCloser.Read(p)
	}
	return n, b.ended
}

// drain reads what is left of a body whose answer is known already: a browser shows no answer before it has sent all. A
// client that waits to be asked for its body is not asked.
func drain(c echo.Context) {
	b, ok := c.Get(keyBody).(*body)
	if !ok || b.ended != nil || !b.begun && c.Request().Header.Get("Expect") != "" {
		return
	}
	_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Now().Add(drainTime))
	_, _ = io.CopyN(io.Discard, b, drainBytes)
}
