package handlers

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// openView leads to the address that a view saved.
func (h *handler) openView(c echo.Context, id string) error {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "not_found")
	}
	v, err := h.Reader.View(c.Request().Context(), models.ViewID(n), person(c).ID)
	if err != nil {
		return err
	}
	return see(c, savedFilter(v.Query).URL(""))
}

// savedFilter is the filter of a saved query.
func savedFilter(query string) views.MerchantFilter {
	q, _ := url.ParseQuery(query) // what cannot be read is not there
	return views.ReadMerchantFilter(q)
}

// savedViews are what the reader may open, above the list.
func (h *handler) savedViews(c echo.Context, here views.MerchantFilter) ([]views.SavedView, error) {
	list, err := h.Reader.Views(c.Request().Context(), person(c).ID)
	var saved []views.SavedView
	for _, v := range list {
		f := savedFilter(v.Query)
		saved = append(saved, views.SavedView{ID: int64(v.ID), Name: v.Name, URL: f.URL(""), Own: v.PersonID == person(c).ID, Owner: v.Owner, Shared: v.Shared, Here: f == here})
	}
	return saved, err
}

func (h *handler) listViews(c echo.Context) error { return h.drawViews(c, http.StatusOK, 0, nil) }

// drawViews is the page where a person looks after their views; refused is what was wrong with one of them.
func (h *handler) drawViews(c echo.Context, status int, id models.ViewID, refused *fault.Error) error {
	saved, err := h.savedViews(c, views.MerchantFilter{})
	if err != nil {
		return err
	}
	v := views.ViewsPage{Saved: saved, CanShare: can(c, auth.ShareViews), Wrong: int64(id)}
	if refused != nil {
		v.Error = &views.Message{Code: refused.Code, Params: refused.Params}
	}
	if v.Page, err = h.page(c, words.T(c.Request().Context(), "views.title"), "merchants"); err != nil {
		return err
	}
	return render(c, status, views.Views(v))
}

// saveView keeps the filter of the form under a name and shows its list.
func (h *handler) saveView(c echo.Context) error {
	typed, err := form(c)
	if err != nil {
		return err
	}
	q := savedFilter(typed.Get("query"))
	if onboarding.LooksPersonal(q.Q) {
		return fault.New(fault.Invalid, "sixteen_digits")
	}
	_, err = h.Service.SaveView(c.Request().Context(), actor(c), typed.Get("name"), q.Query().Encode(), typed.Get("shared") != "")
	if err != nil {
		return err
	}
	h.flash(c, "good", "view_saved")
	return see(c, q.URL(""))
}

func (h *handler) changeView(c echo.Context) error {
	v, err := id[models.ViewID](c, "view")
	if err != nil {
		return err
	}
	typed, err := form(c)
	if err != nil {
		return err
	}
	err = h.Service.ChangeView(c.Request().Context(), actor(c), v, typed.Get("name"), typed.Get("shared") != "")
	if err != nil && (fault.Is(err, fault.Invalid) || fault.Code(err) == "view_name_taken") {
		refused, status := asFault(err)
		return h.drawViews(c, status, v, refused)
	}
	if err != nil {
		return err
	}
	h.flash(c, "good", "view_changed")
	return see(c, views.ViewsURL())
}

func (h *handler) deleteView(c echo.Context) error {
	v, err := id[models.ViewID](c, "view")
	if err != nil {
		return err
	}
	if err := h.Service.DeleteView(c.Request().Context(), actor(c), v); err != nil {
		return err
	}
	h.flash(c, "good", "view_deleted")
	return see(c, views.ViewsURL())
}
