package handlers

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/words"
	"berkas/models"
	"berkas/views"
)

const (
	sessionCookie  = "berkas_session"
	languageCookie = "berkas_language"
	flashCookie    = "berkas_flash"
	typedCookie    = "berkas_typed"
)

// flashNumbers are what the numbers of a flash are called in its sentence.
var flashNumbers = []string{"n", "archived", "other", "same"}

// cookieName binds a cookie to the host where the browser can promise that: over https.
func (h *handler) cookieName(name string) string {
	if h.secure() {
		return "__Host-" + name
	}
	return name
}

func (h *handler) cookie(c echo.Context, name string) string {
	cookie, err := c.Cookie(h.cookieName(name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie keeps value for age; one of no age at all is forgotten.
func (h *handler) setCookie(c echo.Context, name, value string, age time.Duration) {
	seconds := int(age.Seconds())
	if seconds == 0 {
		seconds = -1
	}
	c.SetCookie(&http.Cookie{Name: h.cookieName(name), Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, Secure: h.secure(), SameSite: http.SameSiteLaxMode})
}

// flash has the next page say what the action did. Only a code travels: the cookie holds nothing personal.
func (h *handler) flash(c echo.Context, kind, code string) {
	h.setCookie(c, flashCookie, kind+"."+code, time.Minute)
}

// flashCount is flash with how many.
func (h *handler) flashCount(c echo.Context, kind, code string, n int) {
	h.flash(c, kind, code+"."+strconv.Itoa(n))
}

// flashCounts is flash with several numbers: n, archived, other and same.
func (h *handler) flashCounts(c echo.Context, kind, code string, counts ...int) {
	var text []string
	for _, n := range counts {
		text = append(text, strconv.Itoa(n))
	}
	h.flash(c, kind, code+"."+strings.Join(text, "-"))
}

func (h *handler) takeFlash(c echo.Context) *views.Flash {
	value := h.cookie(c, flashCookie)
	if value == "" {
		return nil
	}
	h.setCookie(c, flashCookie, "", 0)
	kind, code, _ := strings.Cut(value, ".")
	code, count, counted := strings.Cut(code, ".")
	if !words.Has("flash." + code) { // nobody else puts words on our pages
		return nil
	}
	m := views.Message{Code: code}
	for i, text := range strings.SplitN(count, "-", len(flashNumbers)) {
		if n, err := strconv.Atoi(text); counted && err == nil {
			if m.Params == nil {
				m.Params = map[string]any{}
			}
			m.Params[flashNumbers[i]] = n
		}
	}
	return &views.Flash{Kind: kind, Message: m}
}

// keepTyped has the next page of this merchant show what was typed in a slot and refused. It travels sealed.
func (h *handler) keepTyped(c echo.Context, slot models.SlotID, typed map[string]string) {
	if sealed := h.Service.SealTyped(person(c).ID, slot, typed); sealed != "" {
		h.setCookie(c, typedCookie, sealed, time.Minute)
	}
}

// takeTyped is what keepTyped kept, as a change of the slot it belongs to; nil when nothing was.
func (h *handler) takeTyped(c echo.Context, id models.MerchantID) func(*views.SlotView) {
	sealed := h.cookie(c, typedCookie)
	if sealed == "" {
		return nil
	}
	h.setCookie(c, typedCookie, "", 0)
	slot, typed, refused := h.Service.OpenTyped(c.Request().Context(), person(c).ID, id, sealed)
	return func(v *views.SlotView) {
		if v.ID == int64(slot) {
			showTyped(v, refused, typed)
		}
	}
}
