package handlers

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// changeMerchants gives chosen merchants to somebody or sets when they are due. All that match a filter are said how many
// they are first, and changed when that is confirmed.
func (h *handler) changeMerchants(c echo.Context) error {
	typed, err := form(c)
	if err != nil {
		return err
	}
	ctx, q := c.Request().Context(), savedFilter(typed.Get("query"))
	change, err := bulkChange(typed)
	if err != nil {
		return err
	}
	var chosen []models.SeenMerchant
	if typed.Get("all") == "" {
		if chosen, err = seenMerchants(typed["merchant"]); err != nil {
			return err
		}
	} else {
		f, err := h.merchantFilter(ctx, q, person(c))
		if err != nil {
			return err
		}
		if typed.Get("confirm") == "" {
			return h.confirmChange(c, q, f, typed)
		}
		if chosen, err = h.Reader.SeenMerchants(ctx, f, onboarding.BulkLimit+1); err != nil {
			return err
		}
	}
	done, err := h.Service.ChangeMerchants(ctx, actor(c), chosen, change)
	if err != nil {
		return err
	}
	kind := "good"
	if done.Changed < len(chosen) {
		kind = "info"
	}
	h.flashCounts(c, kind, "merchants_changed", done.Changed, done.Archived, done.Other, done.Same)
	return see(c, q.URL(typed.Get("after")))
}

// confirmChange asks whether all that match are meant, and says how many they are.
func (h *handler) confirmChange(c echo.Context, q views.MerchantFilter, f models.MerchantFilter, typed url.Values) error {
	ctx := c.Request().Context()
	n, err := h.Reader.CountMerchants(ctx, f, onboarding.BulkLimit+1)
	if err != nil {
		return err
	}
	if n > onboarding.BulkLimit {
		return fault.New(fault.Invalid, "too_many_chosen", "max", onboarding.BulkLimit)
	}
	v := views.BulkPage{Filter: q, Count: n, Do: typed.Get("do"), Responsible: typed.Get("responsible"), DueOn: typed.Get("due_on")}
	people, err := h.colleagues(ctx)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.Value == v.Responsible {
			v.Colleague = p.Text
		}
	}
	if v.Page, err = h.page(c, words.T(ctx, "bulk.title"), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Bulk(v))
}

// bulkChange is what the form asks for: to give (do=assign, responsible 0 is nobody), to set a date (do=due), to have none (do=undue).
func bulkChange(typed url.Values) (c models.BulkChange, err error) {
	switch typed.Get("do") {
	case "assign":
		id, err := strconv.ParseInt(typed.Get("responsible"), 10, 64)
		if err != nil || id < 0 {
			return c, fault.New(fault.Invalid, "unknown_choice")
		}
		person := models.PersonID(id)
		c.Responsible = &person
	case "due":
		day, err := time.Parse(time.DateOnly, typed.Get("due_on"))
		if err != nil || day.Year() < 2000 || day.Year() > 2200 {
			return c, fault.New(fault.Invalid, "not_a_date")
		}
		c.Due, c.DueOn = true, &day
	case "undue":
		c.Due = true
	default:
		return c, fault.New(fault.Invalid, "unknown_choice")
	}
	return c, nil
}

// seenMerchants reads what the list's boxes hold: id, who was responsible, and the due date, as they were shown.
func seenMerchants(boxes []string) (seen []models.SeenMerchant, err error) {
	for _, box := range boxes {
		parts := strings.Split(box, "_")
		if len(parts) != 3 {
			return nil, fault.New(fault.Invalid, "unknown_choice")
		}
		id, err1 := strconv.ParseInt(parts[0], 10, 64)
		who, err2 := strconv.ParseInt(parts[1], 10, 64)
		due, ok := readDay(parts[2])
		if err1 != nil || err2 != nil || !ok {
			return nil, fault.New(fault.Invalid, "unknown_choice")
		}
		seen = append(seen, models.SeenMerchant{ID: models.MerchantID(id), ResponsibleID: models.PersonID(who), DueOn: due})
	}
	return seen, nil
}

// choose is what the box of a merchant in the list holds.
func choose(m models.MerchantRow) string {
	day := noDay
	if m.DueOn != nil {
		day = m.DueOn.Format(cursorDay)
	}
	return m.ID.String() + "_" + m.ResponsibleID.String() + "_" + day
}
