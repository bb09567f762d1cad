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

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// render draws a component into memory first: one that fails is a 500, not half a 200.
func render(c echo.Context, status int, component templ.Component) error {
	ctx := c.Request().Context()
	var b bytes.Buffer
	if err := component.Render(ctx, &b); err != nil {
		return err
	}
	head := c.Response().Header()
	head.Set("Content-Language", string(words.From(ctx)))
	head.Set("Vary", "Accept-Language, Cookie, HX-Request")
	return c.HTMLBlob(status, b.Bytes())
}

// page is the frame around a signed-in page: one statement.
func (h *handler) page(c echo.Context, title, current string) (views.Page, error) {
	if title == "" && current != "" {
		title = words.T(c.Request().Context(), "nav."+current)
	}
	p := person(c)
	shell, err := h.Reader.Shell(c.Request().Context(), p.ID, navLimit+1)
	if err != nil {
		return views.Page{}, err
	}
	v := views.Page{
		Title: title, Current: current, User: views.UserView{Name: p.Name, Role: string(p.Role)},
		Nav:   []views.NavItem{navCount("home", views.HomeURL(), shell.Mine), {Key: "merchants", URL: views.MerchantsURL()}},
		DOKU:  views.DOKUView{State: "unknown", Simulator: h.Simulator},
		Flash: h.takeFlash(c), Here: here(c), Demo: h.Demo,
	}
	if can(c, auth.DecideDocuments) {
		v.Nav = append(v.Nav, navCount("review", views.ReviewURL(), shell.Undecided))
	}
	if can(c, auth.ViewInsights) {
		v.Nav = append(v.Nav, views.NavItem{Key: "insights", URL: views.InsightsURL(views.InsightsFilter{})})
	}
	if can(c, auth.AdministerPeople) {
		v.Nav = append(v.Nav, views.NavItem{Key: "people", URL: views.PeopleURL()})
	}
	if can(c, auth.ChangeSettings) {
		v.Nav = append(v.Nav, views.NavItem{Key: "settings", URL: views.SettingsURL()})
	}
	if can(c, auth.ReadAudit) {
		v.Nav = append(v.Nav, views.NavItem{Key: "audit", URL: views.AuditURL()})
	}
	if can(c, auth.ViewHealth) {
		v.DOKU.URL = views.HealthURL()
		v.Nav = append(v.Nav, views.NavItem{Key: "health", URL: views.HealthURL()})
	}
	switch {
	case shell.DownSince != nil:
		v.DOKU.State, v.DOKU.Since = "down", *shell.DownSince
	case shell.LastOKAt != nil:
		v.DOKU.State, v.DOKU.Latency = "fine", time.Duration(shell.LatencyMS)*time.Millisecond
	}
	return v, nil
}

// navLimit is as far as the rail counts: every page has it.
const navLimit = 99

func navCount(key, address string, n int) views.NavItem {
	return views.NavItem{Key: key, URL: address, Count: min(n, navLimit), More: n > navLimit}
}

// reading reports whether a request only asks for something.
func reading(c echo.Context) bool {
	return c.Request().Method == http.MethodGet || c.Request().Method == http.MethodHead
}

// here is the page the reader is on, where a sign-in or another language comes back to: this address, or after a form or
// a partial update the page that sent it.
func here(c echo.Context) string {
	r := c.Request()
	from := r.Header.Get("HX-Current-URL")
	if from == "" && reading(c) {
		return safeNext(r.URL.RequestURI())
	}
	if from == "" {
		from = r.Referer()
	}
	u, err := url.Parse(from)
	if err != nil || u.Host != r.Host {
		return views.HomeURL()
	}
	return safeNext(u.RequestURI())
}

// see leads to another page after something was done.
func see(c echo.Context, to string) error { return c.Redirect(http.StatusSeeOther, to) }

// safeNext is where to go after a sign-in: a path of ours, never another host. A personal value that was searched for like
// a name goes no further.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsAny(next, "\\\r\n\t") {
		return views.HomeURL()
	}
	if onboarding.LooksPersonal(u.Query().Get("q")) {
		return u.Path
	}
	return next
}

// id reads a path parameter. What is not written as an id is names nothing.
func id[T ~int64](c echo.Context, name string) (T, error) {
	n, err := strconv.ParseInt(c.Param(name), 10, 64)
	if err != nil || n < 1 || strconv.FormatInt(n, 10) != c.Param(name) {
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

// form reads a small form, however it is encoded. A body that is none is refused.
func form(c echo.Context) (url.Values, error) {
	values, err := formValues(c.Request())
	if err != nil {
		if f, _ := asFault(err); f.Kind == fault.TooLarge {
			return nil, f
		}
		return nil, fault.Wrap(err, fault.Invalid, "form_invalid")
	}
	if !legible(values) {
		return nil, fault.New(fault.Invalid, "form_invalid")
	}
	return values, nil
}

func formValues(r *http.Request) (url.Values, error) {
	if !isMultipart(r) {
		err := r.ParseForm()
		return r.PostForm, err
	}
	values := url.Values{}
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, err
	}
	_, err = readFields(parts, func(name, value string) { values.Add(name, value) })
	return values, err
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
