package handlers

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/views"
)

// errSignIn sends whoever asked for a page without a session to the sign-in.
var errSignIn = errors.New("handlers: sign in first")

// nowhere stands for the route of a request that met none.
var nowhere = route{Kind: page, Permission: auth.Public}

// statusGone is what the log says of a request whose sender did not wait for the answer.
const statusGone = 499

var statuses = map[fault.Kind]int{
	fault.Internal: 500, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404,
	fault.Conflict: 409, fault.TooLarge: 413, fault.RateLimited: 429, fault.Unavailable: 503,
}

// fail is the one place where an error becomes an answer: logged first, once, then a page or a fragment.
func (h *handler) fail(err error, c echo.Context) {
	ctx := c.Request().Context()
	if c.Response().Committed {
		h.Log.Warn("failed after the answer began", "id", requestID(c), "error", err)
		return
	}
	if errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled) {
		c.Response().Status = statusGone
		return
	}
	drain(c)
	if e, ok := errors.AsType[*echo.HTTPError](err); ok && e.Code != http.StatusMisdirectedRequest {
		_ = h.whoIs(c, nowhere) // who misses the route is still somebody, with a frame and a language
	}
	if errors.Is(err, errSignIn) {
		_ = see(c, views.LoginNextURL(here(c)))
		return
	}
	f, status := asFault(err)
	level := slog.LevelInfo
	if status >= 500 {
		level = slog.LevelError
	}
	h.Log.LogAttrs(ctx, level, "refused", slog.String("id", requestID(c)), slog.Int("status", status), slog.Any("error", err))
	if f.RetryAfter > 0 {
		c.Response().Header().Set("Retry-After", seconds(f.RetryAfter))
	}
	if err := h.showError(c, f, status); err != nil {
		h.Log.Error("the error page failed", "id", requestID(c), "error", err)
	}
}

// asFault gives every error a fault and a status; what the router and the server say is translated.
func asFault(err error) (*fault.Error, int) {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.Wrap(err, fault.TooLarge, "body_too_large", "max", e.Limit), http.StatusRequestEntityTooLarge
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch e.Code {
		case http.StatusNotFound:
			return fault.Wrap(err, fault.NotFound, "not_found"), e.Code
		case http.StatusMethodNotAllowed:
			return fault.Wrap(err, fault.NotFound, "method_not_allowed"), e.Code
		case http.StatusMisdirectedRequest:
			return fault.Wrap(err, fault.NotFound, "host_unknown"), e.Code
		}
	}
	if fault.Code(err) == "" && errors.Is(err, context.DeadlineExceeded) {
		err = fault.Wrap(err, fault.Unavailable, "busy")
	}
	f := fault.As(err)
	return f, statuses[f.Kind]
}

// showError needs no database: the frame is drawn when it can be, else a bare page.
func (h *handler) showError(c echo.Context, f *fault.Error, status int) error {
	v := views.ErrorPage{Status: status, Message: views.Message{Code: f.Code, Params: f.Params}, RequestID: requestID(c), Back: views.HomeURL(), Here: here(c),
		Retry: status == http.StatusTooManyRequests || status >= 500}
	if v.Retry || status == http.StatusUnauthorized || status == http.StatusConflict || !reading(c) {
		v.Back = here(c)
	}
	if wantsFragment(c) {
		head := c.Response().Header()
		head.Set("HX-Retarget", "#notices")
		head.Set("HX-Reswap", "innerHTML")
		head.Set("HX-Push-Url", "false") // what was refused does not become the page's address
		if status == http.StatusUnauthorized {
			head.Set("HX-Redirect", views.LoginNextURL(v.Back))
		}
		return render(c, status, views.ErrorFragment(v))
	}
	if person(c).ID != 0 && status < 500 {
		if p, err := h.page(c, errorTitle(c, status), ""); err == nil {
			v.Page = &p
		}
	}
	return render(c, status, views.Error(v))
}

func errorTitle(c echo.Context, status int) string {
	key := "error.title." + strconv.Itoa(status)
	if !words.Has(key) {
		key = "error.title.other"
	}
	return words.T(c.Request().Context(), key)
}

// wantsFragment reports whether htmx asked for a part of a page.
func wantsFragment(c echo.Context) bool {
	head := c.Request().Header
	return head.Get("HX-Request") == "true" && head.Get("HX-Boosted") != "true" && head.Get("HX-History-Restore-Request") != "true"
}

// seconds is a Retry-After: whole seconds, rounded up.
func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
