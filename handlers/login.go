package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/views"
)

// DemoPeople are the people of a demonstration, one for each role.
var DemoPeople = []views.DemoPerson{
	{Email: "staff@berkas.test", Name: "Staf Contoh", Role: "staff"},
	{Email: "reviewer@berkas.test", Name: "Peninjau Contoh", Role: "reviewer"},
	{Email: "manager@berkas.test", Name: "Manajer Contoh", Role: "manager"},
	{Email: "admin@berkas.test", Name: "Admin Contoh", Role: "admin"},
}

func (h *handler) sessionCookie() string {
	if h.secure() {
		return "__Host-berkas_session"
	}
	return "berkas_session"
}

func (h *handler) sessionToken(c echo.Context) string {
	cookie, err := c.Cookie(h.sessionCookie())
	if err != nil {
		return ""
	}
	return cookie.Value
}

func (h *handler) setSession(c echo.Context, token string, maxAge int) {
	c.SetCookie(&http.Cookie{Name: h.sessionCookie(), Value: token, Path: "/", MaxAge: maxAge, HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode})
}

func (h *handler) showLogin(c echo.Context) error {
	if person(c).ID != 0 {
		return see(c, safeNext(c.QueryParam("next")))
	}
	return h.drawLogin(c, http.StatusOK, "", c.QueryParam("next"), nil)
}

func (h *handler) drawLogin(c echo.Context, status int, email, next string, refused *fault.Error) error {
	v := views.LoginPage{Email: email, Next: safeNext(next), Simulator: h.Simulator, Here: c.Request().URL.RequestURI()}
	if refused != nil {
		v.Error = &views.Message{Code: refused.Code, Params: refused.Params}
		v.Here = views.LoginURL()
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
	h.setSession(c, token, int(auth.AbsoluteTimeout.Seconds()))
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
	if err := h.Gate.SignOut(c.Request().Context(), actor(c), h.sessionToken(c)); err != nil {
		return err
	}
	h.setSession(c, "", -1)
	flash(c, "info", "signed_out")
	return see(c, views.LoginURL())
}

// setPreferences remembers the language, for the person or, before the sign-in, for the browser.
func (h *handler) setPreferences(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	chosen := f.Get("language")
	if chosen != string(words.ID) && chosen != string(words.EN) {
		return fault.New(fault.Invalid, "unknown_choice")
	}
	if p := person(c); p.ID != models.PersonID(0) && p.Language != chosen {
		if err := h.Gate.SetLanguage(c.Request().Context(), actor(c), chosen); err != nil {
			return err
		}
	}
	c.SetCookie(&http.Cookie{Name: languageCookie, Value: chosen, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode})
	return see(c, safeNext(f.Get("next")))
}
