package handlers

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/views"
)

func (h *handler) listPeople(c echo.Context) error {
	people, err := h.Reader.People(c.Request().Context())
	if err != nil {
		return err
	}
	frame, err := h.page(c, words.T(c.Request().Context(), "people.title"), "people")
	if err != nil {
		return err
	}
	v := views.PeoplePage{Page: frame, NeverSignedIn: c.QueryParam("signed_in") == "never"}
	for _, p := range people {
		if v.NeverSignedIn && (p.SignedInAt != nil || p.DisabledAt != nil) {
			continue
		}
		v.People = append(v.People, personView(c, p))
	}
	return render(c, http.StatusOK, views.People(v))
}

func personView(c echo.Context, p models.Person) views.PersonView {
	return views.PersonView{ID: int64(p.ID), Name: p.Name, Email: p.Email, Role: string(p.Role), Team: p.Team, DisabledAt: at(p.DisabledAt),
		SignedInAt: at(p.SignedInAt), AddedAt: p.CreatedAt, OneTime: p.MustChangePassword, Demo: p.Demo, You: p.ID == person(c).ID}
}

func personID(c echo.Context) (models.PersonID, error) { return id[models.PersonID](c, "person") }

func (h *handler) newPerson(c echo.Context) error {
	return h.drawPerson(c, http.StatusOK, models.Person{}, map[string]string{"role": string(models.RoleStaff)}, nil)
}

// createPerson answers with the page that shows the one-time password. There is no redirect: the password would have to
// travel in an address or a cookie, or be kept in clear until the next request. Here it exists in this answer alone, which
// no cache keeps; loading the page again sends the form again, which is refused because the address is taken.
func (h *handler) createPerson(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx, password := c.Request().Context(), auth.OneTimePassword()
	id, err := h.Gate.AddPerson(ctx, actor(c), auth.NewPerson{Email: f.Get("email"), Name: f.Get("name"), Role: models.Role(f.Get("role")),
		Team: f.Get("team"), Password: password, MustChange: true})
	if fault.Is(err, fault.Invalid) || fault.Code(err) == "email_taken" {
		return h.drawPerson(c, 0, models.Person{}, typedPerson(f), fault.As(err))
	}
	if err != nil {
		return err
	}
	return h.showPassword(c, http.StatusCreated, id, password)
}

func typedPerson(f url.Values) map[string]string {
	return map[string]string{"name": f.Get("name"), "email": f.Get("email"), "role": f.Get("role"), "team": f.Get("team")}
}

func (h *handler) showPerson(c echo.Context) error {
	p, err := h.whom(c)
	if err != nil {
		return err
	}
	return h.drawPerson(c, http.StatusOK, p, storedPerson(p), nil)
}

func (h *handler) whom(c echo.Context) (models.Person, error) {
	id, err := personID(c)
	if err != nil {
		return models.Person{}, err
	}
	return h.Reader.Person(c.Request().Context(), id)
}

func storedPerson(p models.Person) map[string]string {
	return map[string]string{"name": p.Name, "role": string(p.Role), "team": p.Team}
}

// updatePerson changes what the form names; a field that is absent stays.
func (h *handler) updatePerson(c echo.Context) error {
	p, err := h.whom(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	typed := storedPerson(p)
	for name := range typed {
		if f.Has(name) {
			typed[name] = f.Get(name)
		}
	}
	err = h.Gate.ChangePerson(c.Request().Context(), actor(c), p.ID, auth.Standing{Name: typed["name"], Role: models.Role(typed["role"]), Team: typed["team"]})
	if fault.Code(err) == "last_admin" {
		typed["role"] = string(p.Role)
	}
	if fault.Is(err, fault.Invalid) || fault.Code(err) == "last_admin" {
		return h.drawPerson(c, 0, p, typed, fault.As(err))
	}
	if err != nil {
		return err
	}
	if string(p.Role) != typed["role"] {
		h.flash(c, "good", "person_role_changed")
	} else {
		h.flash(c, "good", "person_changed")
	}
	return see(c, views.PersonURL(int64(p.ID)))
}

func (h *handler) disablePerson(c echo.Context) error {
	p, err := h.whom(c)
	if err != nil {
		return err
	}
	err = h.Gate.Disable(c.Request().Context(), actor(c), p.ID)
	if fault.Code(err) == "last_admin" {
		return h.drawPerson(c, 0, p, storedPerson(p), fault.As(err))
	}
	if err != nil {
		return err
	}
	h.flash(c, "good", "person_disabled")
	return see(c, views.PersonURL(int64(p.ID)))
}

func (h *handler) enablePerson(c echo.Context) error {
	id, err := personID(c)
	if err != nil {
		return err
	}
	if err := h.Gate.Enable(c.Request().Context(), actor(c), id); err != nil {
		return err
	}
	h.flash(c, "good", "person_enabled")
	return see(c, views.PersonURL(int64(id)))
}

// resetPassword answers with the one-time password itself, for the reason createPerson gives; loading the page again
// makes another one.
func (h *handler) resetPassword(c echo.Context) error {
	id, err := personID(c)
	if err != nil {
		return err
	}
	password, err := h.Gate.GiveOneTimePassword(c.Request().Context(), actor(c), id)
	if err != nil {
		return err
	}
	return h.showPassword(c, http.StatusOK, id, password)
}

func (h *handler) showPassword(c echo.Context, status int, id models.PersonID, password string) error {
	ctx := c.Request().Context()
	p, err := h.Reader.Person(ctx, id)
	if err != nil {
		return err
	}
	frame, err := h.page(c, words.T(ctx, "people.password.title"), "people")
	if err != nil {
		return err
	}
	frame.Here = views.PersonURL(int64(id)) // this page cannot be come back to
	return render(c, status, views.OneTimePassword(views.OneTimePasswordPage{Page: frame, Person: personView(c, p), Password: password, Added: status == http.StatusCreated}))
}

// drawPerson draws the form of a person, or of a new one. What was refused says its own status.
func (h *handler) drawPerson(c echo.Context, status int, p models.Person, typed map[string]string, refused *fault.Error) error {
	ctx := c.Request().Context()
	title := p.Name
	if p.ID == 0 {
		title = words.T(ctx, "people.add")
	}
	frame, err := h.page(c, title, "people")
	if err != nil {
		return err
	}
	v := views.PersonPage{Page: frame, Person: personView(c, p), Values: typed, Errors: map[string]views.Message{}}
	if v.Teams, err = h.Reader.Teams(ctx); err != nil {
		return err
	}
	if p.ID != 0 && p.Role == models.RoleAdmin && p.DisabledAt == nil {
		if v.LastAdmin, err = h.Reader.LastAdmin(ctx, p.ID); err != nil {
			return err
		}
	}
	if refused != nil {
		_, status = asFault(refused)
		v.Errors = refusals(refused)
		if refused.Code == "email_taken" {
			v.Errors = map[string]views.Message{"email": {Code: refused.Code}}
		}
	}
	return render(c, status, views.Person(v))
}

// refusals are the refused fields of a form; "" is what was refused of all of it.
func refusals(f *fault.Error) map[string]views.Message {
	list := map[string]views.Message{}
	for _, field := range f.Fields {
		list[field.Name] = views.Message{Code: field.Code, Params: field.Params}
	}
	if len(f.Fields) == 0 {
		list[""] = views.Message{Code: f.Code, Params: f.Params}
	}
	return list
}
