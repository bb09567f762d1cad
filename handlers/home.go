package handlers

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/words"
	"berkas/models"
	"berkas/views"
)

const homeRows = 8

// asked is a list of merchants as its address names it.
type asked struct{ key, state, who, order, tone string }

// homes is what each role sees first: figures, and below them lists, each of which names the address of all of its
// merchants. A merchant stands in the first list it belongs to.
var homes = map[models.Role]struct{ figures, groups []asked }{
	models.RoleStaff: {
		figures: []asked{{"sent_back", "sent_back", "mine", "action", "bad"}, {"unsettled", "unsettled", "mine", "action", "wait"}, {"todo", "todo", "mine", "action", "wait"}, {"refused", "refused", "mine", "action", "bad"}, {"failed", "failed", "mine", "action", "bad"},
			{"overdue", "overdue", "mine", "due", "bad"}, {"remind", "remind", "mine", "due", "wait"}, {"waiting", "waiting", "mine", "action", "none"},
			{"complete", "complete", "mine", "recent", "good"}},
		groups: []asked{{"mine", "staff", "mine", "action", ""}, {"remind", "remind", "mine", "due", ""}, {"others", "staff", "others", "action", ""}},
	},
	models.RoleReviewer: {
		figures: []asked{{"complete", "complete", "", "recent", "good"}, {"registered", "registered", "", "recent", "good"}},
		groups:  []asked{{"undecided", "undecided", "", "recent", ""}},
	},
	models.RoleManager: {
		figures: []asked{{"sent_back", "sent_back", "", "action", "bad"}, {"unsettled", "unsettled", "", "action", "wait"}, {"open", "open", "", "action", "none"}, {"unassigned", "open", "nobody", "action", "wait"}},
		groups:  []asked{{"overdue", "overdue", "", "due", ""}, {"unassigned", "open", "nobody", "action", ""}, {"others", "staff", "", "action", ""}},
	},
	models.RoleAdmin: {
		figures: []asked{{"failed", "failed", "", "action", "bad"}, {"waiting", "waiting", "", "action", "none"}, {"unassigned", "open", "nobody", "action", "wait"},
			{"total", "", "", "recent", "none"}},
		groups: []asked{{"failed", "failed", "", "action", ""}, {"waiting", "waiting", "", "action", ""}},
	},
}

// home is what waits for the person who signed in; the part of it that asks for itself gets that part.
func (h *handler) home(c echo.Context) error {
	ctx, p := c.Request().Context(), person(c)
	v, err := h.whatWaits(c)
	if err != nil {
		return err
	}
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.HomeWaits(v))
	}
	if v.Page, err = h.page(c, words.T(ctx, "nav.home"), "home"); err != nil {
		return err
	}
	if can(c, auth.ViewHealth) && (p.Role == models.RoleAdmin || v.Page.DOKU.State == "down") {
		if v.Health, err = h.healthBand(ctx); err != nil {
			return err
		}
	}
	return render(c, http.StatusOK, views.Home(v))
}

// whatWaits are the figures and lists of the reader's role.
func (h *handler) whatWaits(c echo.Context) (v views.HomePage, err error) {
	ctx, p := c.Request().Context(), person(c)
	v.Role, v.CanAdd = string(p.Role), can(c, auth.EditMerchants)
	if v.Figures, err = h.figures(ctx, p, homes[p.Role].figures); err != nil {
		return v, err
	}
	if p.Role == models.RoleManager {
		if v.Main, err = h.mainFigures(ctx); err != nil {
			return v, err
		}
	}
	if can(c, auth.AdministerPeople) {
		n, err := h.Reader.NeverSignedIn(ctx)
		if err != nil {
			return v, err
		}
		v.Figures = append(v.Figures, views.Figure{Key: "never_signed_in", Value: n, URL: views.NeverSignedInURL(), Tone: "wait"})
	}
	if can(c, auth.DecideDocuments) {
		review, err := h.reviewFigures(ctx, p)
		if err != nil {
			return v, err
		}
		v.Figures = append(review, v.Figures...)
	}
	shown := map[models.MerchantID]bool{}
	for _, g := range homes[p.Role].groups {
		group, err := h.homeGroup(ctx, p, g, shown)
		if err != nil {
			return v, err
		}
		v.Groups = append(v.Groups, group)
	}
	return v, nil
}

// filter is the question of a list, and its address.
func (h *handler) filter(ctx context.Context, p models.Person, a asked) (models.MerchantFilter, string, error) {
	q := views.MerchantFilter{State: a.state, Who: a.who, Order: a.order}
	f, err := h.merchantFilter(ctx, q, p)
	return f, q.URL(""), err
}

func (h *handler) homeGroup(ctx context.Context, p models.Person, a asked, shown map[models.MerchantID]bool) (views.HomeGroup, error) {
	f, address, err := h.filter(ctx, p, a)
	group := views.HomeGroup{Key: a.key, MoreURL: address}
	if err != nil {
		return group, err
	}
	var rows []models.ToDecide
	if a.state == "undecided" {
		rows, err = h.Reader.MerchantsToDecide(ctx, homeRows)
	} else {
		var plain []models.MerchantRow
		plain, err = h.Reader.Merchants(ctx, f, nil, homeRows+len(shown))
		for _, row := range plain {
			rows = append(rows, models.ToDecide{MerchantRow: row})
		}
	}
	for _, row := range rows {
		if shown[row.ID] || len(group.Merchants) == homeRows {
			continue
		}
		shown[row.ID] = true
		r := merchantRow(ctx, row.MerchantRow, h.Now())
		r.Undecided, r.UndecidedSince = row.Undecided, row.Since
		group.Merchants = append(group.Merchants, r)
	}
	return group, err
}

// figures are counted as the lists they lead to count themselves.
func (h *handler) figures(ctx context.Context, p models.Person, list []asked) (figures []views.Figure, err error) {
	filters := make([]models.MerchantFilter, len(list))
	for i, a := range list {
		var address string
		if filters[i], address, err = h.filter(ctx, p, a); err != nil {
			return nil, err
		}
		figures = append(figures, views.Figure{Key: a.key, URL: address, Tone: a.tone})
	}
	counts, err := h.Reader.CountsOfMerchants(ctx, filters, countLimit+1)
	for i, n := range counts {
		figures[i].Value, figures[i].More = min(n, countLimit), n > countLimit
	}
	return figures, err
}

// reviewFigures are the parts of the reviewers' queue, each of which leads to it.
func (h *handler) reviewFigures(ctx context.Context, p models.Person) (figures []views.Figure, err error) {
	settings, err := h.Reader.ReviewSettings(ctx)
	if err != nil {
		return nil, err
	}
	var filters []models.ReviewFilter
	for _, a := range []struct{ key, show, tone string }{{"to_review", "", "wait"}, {"my_review", "mine", "wait"}, {"review_overdue", "overdue", "bad"}, {"review_late", "late", "bad"}} {
		q := views.ReviewFilter{Show: a.show}
		filters = append(filters, h.reviewFilter(q, p, settings))
		figures = append(figures, views.Figure{Key: a.key, URL: views.ReviewPageURL(q, ""), Tone: a.tone})
	}
	counts, err := h.Reader.CountsOfReview(ctx, filters, h.Now(), countLimit+1)
	for i, n := range counts {
		figures[i].Value, figures[i].More = min(n, countLimit), n > countLimit
	}
	return figures, err
}
