package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/views"
)

func (h *handler) showMe(c echo.Context) error {
	return h.drawMe(c, http.StatusOK, nil)
}

func (h *handler) drawMe(c echo.Context, status int, refused *fault.Error) error {
	ctx, p := c.Request().Context(), person(c)
	open, err := h.Gate.Sessions(ctx, actor(c), h.cookie(c, sessionCookie))
	if err != nil {
		return err
	}
	frame, err := h.page(c, words.T(ctx, "nav.me"), "me")
	if err != nil {
		return err
	}
	v := views.MePage{Page: frame, Person: personView(c, p), Password: passwordForm(p, "", refused), Language: string(words.From(ctx)), Theme: p.Theme}
	for _, s := range open {
		browser, system := agent(s.Agent)
		v.Sessions = append(v.Sessions, views.SessionView{ID: int64(s.ID), Browser: browser, System: system, Since: s.CreatedAt, Seen: s.SeenAt, This: s.This})
	}
	return render(c, status, views.Me(v))
}

func passwordForm(p models.Person, next string, refused *fault.Error) views.PasswordForm {
	v := views.PasswordForm{Email: p.Email, Next: next, Min: auth.MinPassword}
	if refused != nil {
		v.Errors = refusals(refused)
	}
	return v
}

// mustChange stops whoever signed in with a one-time password: pages lead to the change, everything else is refused
// until it is done. What is open to anyone, signing out and the language stay.
func mustChange(c echo.Context, r route) (stop bool, err error) {
	if !person(c).MustChangePassword || r.Permission == auth.Public {
		return false, nil
	}
	switch r.Path {
	case views.ChangePasswordURL(), views.LogoutURL():
		return false, nil
	}
	if r.Kind == page && !wantsFragment(c) {
		return true, see(c, views.ChangePasswordNextURL(here(c)))
	}
	return true, fault.New(fault.Forbidden, "password_must_change")
}

// showChangePassword is the page that stands before everything else; whoever need not change finds the form among
// their own things.
func (h *handler) showChangePassword(c echo.Context) error {
	if !person(c).MustChangePassword {
		return see(c, views.MeURL())
	}
	return h.drawChangePassword(c, http.StatusOK, c.QueryParam("next"), nil)
}

func (h *handler) drawChangePassword(c echo.Context, status int, next string, refused *fault.Error) error {
	next = safeNext(next)
	return render(c, status, views.ChangePassword(views.ChangePasswordPage{Form: passwordForm(person(c), next, refused), Name: person(c).Name,
		Here: views.ChangePasswordNextURL(next)}))
}

func (h *handler) changePassword(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	w := auth.PasswordChange{Old: f.Get("old"), New: f.Get("new"), Repeat: f.Get("repeat"), Token: h.cookie(c, sessionCookie)}
	if !f.Has("repeat") { // a script need not say it twice
		w.Repeat = w.New
	}
	token, err := h.Gate.ChangePassword(c.Request().Context(), actor(c), w)
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.RateLimited) {
		refused, status := asFault(err)
		if refused.RetryAfter > 0 {
			c.Response().Header().Set("Retry-After", seconds(refused.RetryAfter))
		}
		if person(c).MustChangePassword {
			return h.drawChangePassword(c, status, f.Get("next"), refused)
		}
		return h.drawMe(c, status, refused)
	}
	if err != nil {
		return err
	}
	h.setCookie(c, sessionCookie, token, auth.AbsoluteTimeout)
	h.flash(c, "good", "password_changed")
	if person(c).MustChangePassword {
		return see(c, safeNext(f.Get("next")))
	}
	return see(c, views.MeURL())
}

func (h *handler) endSession(c echo.Context) error {
	session, err := id[models.SessionID](c, "session")
	if err != nil {
		return err
	}
	if err := h.Gate.EndSession(c.Request().Context(), actor(c), session); err != nil {
		return err
	}
	h.flash(c, "good", "session_ended")
	return see(c, views.MeURL())
}

func (h *handler) endOtherSessions(c echo.Context) error {
	if err := h.Gate.EndOtherSessions(c.Request().Context(), actor(c), h.cookie(c, sessionCookie)); err != nil {
		return err
	}
	h.flash(c, "good", "sessions_ended")
	return see(c, views.MeURL())
}

// setTheme remembers a person's theme. Whoever is not signed in has none: the system decides.
func (h *handler) setTheme(c echo.Context, chosen string) error {
	if !slices.Contains([]string{"system", "light", "dark"}, chosen) {
		return fault.New(fault.Invalid, "unknown_choice")
	}
	if chosen == "system" {
		chosen = ""
	}
	if p := person(c); p.ID != 0 && p.Theme != chosen {
		return h.Gate.SetTheme(c.Request().Context(), actor(c), chosen)
	}
	return nil
}

// agent is the browser and the system that a User-Agent names, as people call them; "" for what is not known. The order
// matters: most browsers name the ones they are made from too.
func agent(header string) (browser, system string) {
	name := func(marks ...[2]string) string {
		for _, m := range marks {
			if strings.Contains(header, m[0]) {
				return m[1]
			}
		}
		return ""
	}
	browser = name([2]string{"Edg", "Edge"}, [2]string{"OPR/", "Opera"}, [2]string{"SamsungBrowser/", "Samsung Internet"}, [2]string{"Firefox/", "Firefox"},
		[2]string{"FxiOS/", "Firefox"}, [2]string{"CriOS/", "Chrome"}, [2]string{"HeadlessChrome/", "Chrome"}, [2]string{"Chrome/", "Chrome"},
		[2]string{"Safari/", "Safari"}, [2]string{"curl/", "curl"})
	system = name([2]string{"Android", "Android"}, [2]string{"iPhone", "iPhone"}, [2]string{"iPad", "iPad"}, [2]string{"Windows", "Windows"},
		[2]string{"CrOS", "ChromeOS"}, [2]string{"Mac OS X", "macOS"}, [2]string{"Linux", "Linux"})
	return browser, system
}
