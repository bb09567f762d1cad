package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

func (h *handler) showSettings(c echo.Context) error {
	set, err := h.Reader.ReviewSettings(c.Request().Context())
	if err != nil {
		return err
	}
	return h.drawSettings(c, http.StatusOK, set, written(set), nil)
}

// written is how the settings stand in the form.
func written(set models.ReviewSettings) map[string]string {
	return map[string]string{"lease_minutes": strconv.Itoa(set.LeaseMinutes), "within_hours": strconv.Itoa(set.WithinHours), "remind_days": join(set.RemindDays),
		"weekly_target": strconv.Itoa(set.WeeklyTarget)}
}

func join(numbers []int) string {
	var list []string
	for _, n := range numbers {
		list = append(list, strconv.Itoa(n))
	}
	return strings.Join(list, ", ")
}

func (h *handler) drawSettings(c echo.Context, status int, set models.ReviewSettings, typed map[string]string, refused *fault.Error) error {
	ctx := c.Request().Context()
	v := views.SettingsPage{Values: typed, Second: codeGroups(set.SecondEyes)}
	if refused != nil {
		v.Errors = refusals(refused)
	}
	registration, err := h.Reader.RegistrationSettings(ctx)
	if err != nil {
		return err
	}
	v.FourEyes, v.Replay = registration.FourEyes, registration.Replay
	reasons, err := h.Reader.ReasonSettings(ctx)
	if err != nil {
		return err
	}
	for _, r := range onboarding.Reasons {
		v.Reasons = append(v.Reasons, reasonRow(r, settingOf(reasons, r.Code)))
	}
	if v.Page, err = h.page(c, words.T(ctx, "settings.title"), "settings"); err != nil {
		return err
	}
	return render(c, status, views.Settings(v))
}

func settingOf(settings []models.ReasonSetting, code string) models.ReasonSetting {
	i := slices.IndexFunc(settings, func(s models.ReasonSetting) bool { return s.Code == code })
	if i < 0 {
		return models.ReasonSetting{Code: code, OffFor: []string{}}
	}
	return settings[i]
}

func reasonRow(r onboarding.Reason, set models.ReasonSetting) views.ReasonRow {
	v := views.ReasonRow{Code: r.Code, Gravity: r.Gravity.String(), Shareable: r.Shareable, Reviewer: r.Reviewer, Off: len(set.OffFor), Own: set.TextID != ""}
	v.Nowhere = slices.Contains(set.OffFor, onboarding.AllDocuments)
	return v
}

// codeGroups are all kinds of documents in the groups of a checklist.
func codeGroups(chosen []string) (groups []views.CodeGroup) {
	for _, key := range onboarding.SlotGroups {
		g := views.CodeGroup{Key: key}
		for _, name := range onboarding.DocumentCodes() {
			if onboarding.DocumentGroup(name) == key {
				g.Codes = append(g.Codes, views.CodeChoice{Code: name, Chosen: slices.Contains(chosen, name)})
			}
		}
		if len(g.Codes) > 0 {
			groups = append(groups, g)
		}
	}
	return groups
}

// changeSettings changes what the form names; a field that is absent stays.
func (h *handler) changeSettings(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	set, err := h.Reader.ReviewSettings(c.Request().Context())
	if err != nil {
		return err
	}
	typed := written(set)
	for name := range typed {
		if f.Has(name) {
			typed[name] = strings.TrimSpace(f.Get(name))
		}
	}
	set.LeaseMinutes, set.WithinHours, set.RemindDays = count(typed["lease_minutes"]), count(typed["within_hours"]), numbers(typed["remind_days"])
	set.WeeklyTarget = countOr(typed["weekly_target"], -1)
	if f.Has("second_eyes") {
		set.SecondEyes = named(f, "second_eyes")
	}
	if err := h.changeRegistration(c, f); err != nil {
		return err
	}
	err = h.Service.SetReview(c.Request().Context(), actor(c), set)
	if fault.Is(err, fault.Invalid) {
		return h.drawSettings(c, http.StatusUnprocessableEntity, set, typed, fault.As(err))
	}
	if err != nil {
		return err
	}
	h.flash(c, "good", "settings_saved")
	return see(c, views.SettingsURL())
}

// changeRegistration changes what the form names of registering. A box says off by what stands before it.
func (h *handler) changeRegistration(c echo.Context, f url.Values) error {
	if !f.Has("four_eyes") && !f.Has("replay") {
		return nil
	}
	set, err := h.Reader.RegistrationSettings(c.Request().Context())
	if err != nil {
		return err
	}
	for name, is := range map[string]*bool{"four_eyes": &set.FourEyes, "replay": &set.Replay} {
		if values := f[name]; len(values) > 0 {
			*is = values[len(values)-1] == "on"
		}
	}
	return h.Service.SetRegistration(c.Request().Context(), actor(c), set)
}

// count is 0 for what is none, which most settings refuse; countOr another number, for those that do not.
func count(s string) int { return countOr(s, 0) }

func countOr(s string, none int) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return none
	}
	return n
}

func numbers(s string) (list []int) {
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' || r == ';' }) {
		list = append(list, count(part))
	}
	return list
}

// named are the values of a form's name, but the empty one by which a form says that none is chosen.
func named(f url.Values, name string) []string {
	return slices.DeleteFunc(slices.Clone(f[name]), func(v string) bool { return v == "" })
}

// reasonAsked is the reason a path names.
func reasonAsked(c echo.Context) (onboarding.Reason, error) {
	r, ok := onboarding.ReasonOf(c.Param("code"))
	if !ok {
		return r, fault.New(fault.NotFound, "not_found")
	}
	return r, nil
}

func (h *handler) showReason(c echo.Context) error {
	r, err := reasonAsked(c)
	if err != nil {
		return err
	}
	settings, err := h.Reader.ReasonSettings(c.Request().Context())
	if err != nil {
		return err
	}
	return h.drawReason(c, http.StatusOK, r, settingOf(settings, r.Code), nil)
}

func (h *handler) drawReason(c echo.Context, status int, r onboarding.Reason, set models.ReasonSetting, refused *fault.Error) error {
	ctx := c.Request().Context()
	v := views.ReasonPage{Reason: reasonRow(r, set), Stays: r.Code == onboarding.OtherCode || !r.Reviewer, Values: map[string]string{"text_id": set.TextID, "text_en": set.TextEN},
		Off: codeGroups(set.OffFor)}
	if refused != nil {
		v.Errors = refusals(refused)
	}
	var err error
	if v.Page, err = h.page(c, words.T(ctx, "reason."+r.Code), "settings"); err != nil {
		return err
	}
	return render(c, status, views.ReasonSetting(v))
}

// changeReason changes what the form names; a field that is absent stays.
func (h *handler) changeReason(c echo.Context) error {
	r, err := reasonAsked(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	settings, err := h.Reader.ReasonSettings(c.Request().Context())
	if err != nil {
		return err
	}
	set := settingOf(settings, r.Code)
	if f.Has("off_for") {
		set.OffFor = named(f, "off_for")
	}
	if f.Has("text_id") {
		set.TextID = f.Get("text_id")
	}
	if f.Has("text_en") {
		set.TextEN = f.Get("text_en")
	}
	err = h.Service.SetReason(c.Request().Context(), actor(c), set)
	if fault.Is(err, fault.Invalid) {
		return h.drawReason(c, http.StatusUnprocessableEntity, r, set, fault.As(err))
	}
	if err != nil {
		return err
	}
	h.flash(c, "good", "settings_saved")
	return see(c, views.SettingsURL())
}
