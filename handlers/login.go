package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/views"
)

// DemoPeople are the people of a demonstration, one for each role.
var DemoPeople = []views.DemoPerson{
	{Email: "staff@berkas.test", Name: "Staf Contoh", Role: "staff"},
	{Email: "reviewer@berkas.test", Name: "Peninjau Contoh", Role: "reviewer"},
	{Email: "manager@berkas.test", Name: "Manajer Contoh", Role: "manager"},
	{Email: "admin@berkas.test", Name: "Admin Contoh", Role: "admin"},
}

func (h *handler) showLogin(c echo.Context) error {
	if person(c).ID != 0 {
		return see(c, safeNext(c.QueryParam("next")))
	}
	return h.drawLogin(c, http.StatusOK, "", c.QueryParam("next"), nil)
}

func (h *handler) drawLogin(c echo.Context, status int, email, next string, refused *fault.Error) error {
	next = safeNext(next)
	v := views.LoginPage{Email: email, Next: next, Simulator: h.Simulator, Here: views.LoginNextURL(next)}
	if refused != nil {
		v.Error = &views.Message{Code: refused.Code, Params: refused.Params}
	}
	if h.Demo && !h.fromAfar(c) {
		v.Demo = DemoPeople
	}
	return render(c, status, views.Login(v))
}

func (h *handler) login(c echo.Context) error { return h.signIn(c, false) }

func (h *handler) loginDemo(c echo.Context) error {
	if !h.Demo {
		return fault.New(fault.NotFound, "not_found")
	}
	return h.signIn(c, true)
}

func (h *handler) signIn(c echo.Context, demo bool) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	token, _, err := h.Gate.SignIn(c.Request().Context(), auth.Attempt{
		Email: f.Get("email"), Password: f.Get("password"), Demo: demo, NoDemo: !h.Demo || h.fromAfar(c),
		Address: c.RealIP(), Agent: c.Request().UserAgent(), RequestID: requestID(c),
	})
	if fault.Is(err, fault.Unauthenticated) || fault.Is(err, fault.RateLimited) || fault.Code(err) == "demo_forbidden" {
		refused, status := asFault(err)
		if refused.RetryAfter > 0 {
			c.Response().Header().Set("Retry-After", seconds(refused.RetryAfter))
		}
		return h.drawLogin(c, status, f.Get("email"), f.Get("next"), refused)
	}
	if err != nil {
		return err
	}
	if person(c).ID != 0 { // one browser, one session
		if err := h.Gate.SignOut(c.Request().Context(), actor(c), h.cookie(c, sessionCookie)); err != nil {
			return err
		}
	}
	h.setCookie(c, sessionCookie, token, auth.AbsoluteTimeout)
	return see(c, safeNext(f.Get("next")))
}

// fromAfar reports whether a request did not come straight from this machine: then nobody signs in as a demo person,
// whose password everyone knows.
func (h *handler) fromAfar(c echo.Context) bool {
	head := c.Request().Header
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "Via"} {
		if head.Get(name) != "" && len(h.Proxies) == 0 {
			return true
		}
	}
	return !loopback(c.RealIP())
}

func (h *handler) logout(c echo.Context) error {
	if err := h.Gate.SignOut(c.Request().Context(), actor(c), h.cookie(c, sessionCookie)); err != nil {
		return err
	}
	h.setCookie(c, sessionCookie, "", 0)
	return see(c, views.LoginURL())
}

// setPreferences remembers the language, for the person or, before the sign-in, for the browser; of a person the theme too.
func (h *handler) setPreferences(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	if f.Has("theme") {
		err = h.setTheme(c, f.Get("theme"))
	} else {
		err = h.setLanguage(c, f.Get("language"))
	}
	if err != nil {
		return err
	}
	return see(c, safeNext(f.Get("next")))
}

func (h *handler) setLanguage(c echo.Context, chosen string) error {
	if chosen != string(words.ID) && chosen != string(words.EN) {
		return fault.New(fault.Invalid, "unknown_choice")
	}
	if p := person(c); p.ID != 0 && p.Language != chosen {
		if err := h.Gate.SetLanguage(c.Request().Context(), actor(c), chosen); err != nil {
			return err
		}
	}
	h.setCookie(c, languageCookie, chosen, 365*24*time.Hour)
	return nil
}
