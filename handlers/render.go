package handlers

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"
	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/models"
	"berkas/views"
)

const flashCookie = "berkas_flash"

// render draws a component into memory first: one that fails is a 500, not half a 200.
func render(c echo.Context, status int, component templ.Component) error {
	var b bytes.Buffer
	if err := component.Render(c.Request().Context(), &b); err != nil {
		return err
	}
	c.Response().Header().Add("Vary", "HX-Request")
	return c.HTMLBlob(status, b.Bytes())
}

// page is the frame around a signed-in page: one statement.
func (h *handler) page(c echo.Context, title, current string) (views.Page, error) {
	p := person(c)
	shell, err := h.Reader.Shell(c.Request().Context(), p.ID)
	if err != nil {
		return views.Page{}, err
	}
	v := views.Page{
		Title: title, Current: current, User: views.UserView{Name: p.Name, Role: string(p.Role)},
		Nav:   []views.NavItem{{Key: "home", URL: views.HomeURL(), Count: shell.Mine}, {Key: "merchants", URL: views.MerchantsURL()}},
		DOKU:  views.DOKUView{State: "unknown", Simulator: h.Simulator},
		Flash: takeFlash(c), Here: c.Request().URL.RequestURI(), Demo: h.Demo,
	}
	switch {
	case shell.DownSince != nil:
		v.DOKU.State, v.DOKU.Since = "down", *shell.DownSince
	case shell.LastOKAt != nil:
		v.DOKU.State, v.DOKU.Latency = "fine", time.Duration(shell.LatencyMS)*time.Millisecond
	}
	return v, nil
}

// flash has the next page say what the action did. Only a code travels: the cookie holds nothing personal.
func flash(c echo.Context, kind, code string) {
	c.SetCookie(&http.Cookie{Name: flashCookie, Value: kind + "." + code, Path: "/", MaxAge: 60, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

func takeFlash(c echo.Context) *views.Flash {
	cookie, err := c.Cookie(flashCookie)
	if err != nil {
		return nil
	}
	c.SetCookie(&http.Cookie{Name: flashCookie, Path: "/", MaxAge: -1, HttpOnly: true, SameSite: http.SameSiteLaxMode})
	kind, code, ok := strings.Cut(cookie.Value, ".")
	if !ok || strings.Trim(code, "abcdefghijklmnopqrstuvwxyz_") != "" {
		return nil
	}
	return &views.Flash{Kind: kind, Message: views.Message{Code: code}}
}

// see leads to another page after something was done.
func see(c echo.Context, to string) error { return c.Redirect(http.StatusSeeOther, to) }

// safeNext is where to go after a sign-in: a path of ours, never another host.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return views.HomeURL()
	}
	return next
}

// id reads a path parameter. What is no id names nothing.
func id[T ~int64](c echo.Context, name string) (T, error) {
	n, err := strconv.ParseInt(c.Param(name), 10, 64)
	if err != nil || n < 1 {
		return 0, fault.New(fault.NotFound, "not_found")
	}
	return T(n), nil
}

func merchantID(c echo.Context) (models.MerchantID, error) {
	return id[models.MerchantID](c, "merchant")
}
func documentID(c echo.Context) (models.DocumentID, error) {
	return id[models.DocumentID](c, "document")
}
func slotID(c echo.Context) (models.SlotID, error) { return id[models.SlotID](c, "slot") }

// form parses a small form. A body that is none is refused.
func form(c echo.Context) (url.Values, error) {
	if err := c.Request().ParseForm(); err != nil {
		if f, _ := asFault(err); f.Kind == fault.TooLarge {
			return nil, f
		}
		return nil, fault.Wrap(err, fault.Invalid, "form_invalid")
	}
	return c.Request().PostForm, nil
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
