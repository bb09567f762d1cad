package handlers

import (
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/views"
)

// errSignIn sends whoever asked for a page without a session to the sign-in.
var errSignIn = errors.New("handlers: sign in first")

var statuses = map[fault.Kind]int{
	fault.Internal: 500, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404,
	fault.Conflict: 409, fault.TooLarge: 413, fault.RateLimited: 429, fault.Unavailable: 503,
}

// fail is the one place where an error becomes an answer: logged first, once, then a page or a fragment.
func (h *handler) fail(err error, c echo.Context) {
	if c.Response().Committed {
		h.Log.Error("failed after the answer began", "id", requestID(c), "error", err)
		return
	}
	if errors.Is(err, errSignIn) {
		_ = c.Redirect(http.StatusSeeOther, views.LoginNextURL(c.Request().URL.RequestURI()))
		return
	}
	f, status := asFault(err)
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	h.Log.LogAttrs(c.Request().Context(), level, "refused", slog.String("id", requestID(c)), slog.Int("status", status), slog.Any("error", err))
	if f.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", seconds(f.RetryAfter))
	}
	h.showError(c, f, status)
}

// asFault gives every error a fault and a status; what the router and the server say is translated.
func asFault(err error) (*fault.Error, int) {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.TooLarge, "body_too_large", "max", e.Limit), http.StatusRequestEntityTooLarge
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch e.Code {
		case http.StatusNotFound:
			return fault.New(fault.NotFound, "not_found"), e.Code
		case http.StatusMethodNotAllowed:
			return fault.New(fault.NotFound, "method_not_allowed"), e.Code
		case http.StatusMisdirectedRequest:
			return fault.New(fault.NotFound, "host_unknown"), e.Code
		}
	}
	f := fault.As(err)
	return f, statuses[f.Kind]
}

// showError needs no database: the frame is drawn when it can be, else a bare page.
func (h *handler) showError(c echo.Context, f *fault.Error, status int) {
	v := views.ErrorPage{Status: status, Message: views.Message{Code: f.Code, Params: f.Params}, RequestID: requestID(c), Back: views.HomeURL(),
		Retry: status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests || status >= 500}
	var err error
	if wantsFragment(c) {
		if status == http.StatusUnauthorized {
			c.Response().Header().Set("HX-Redirect", views.LoginURL())
		}
		c.Response().Header().Set("HX-Retarget", "#notices")
		c.Response().Header().Set("HX-Reswap", "innerHTML")
		err = render(c, status, views.ErrorFragment(v))
	} else {
		if person(c).ID != 0 && status < 500 {
			if p, perr := h.page(c, "", ""); perr == nil {
				v.Page = &p
			}
		}
		err = render(c, status, views.Error(v))
	}
	if err != nil {
		h.Log.Error("the error page failed", "id", requestID(c), "error", err)
	}
}

// wantsFragment reports whether htmx asked for a part of a page.
func wantsFragment(c echo.Context) bool {
	head := c.Request().Header
	return head.Get("HX-Request") == "true" && head.Get("HX-Boosted") != "true" && head.Get("HX-History-Restore-Request") != "true"
}

// seconds is a Retry-After: whole seconds, rounded up.
func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
