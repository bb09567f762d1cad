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

func (h *handler) home(c echo.Context) error {
	ctx, p := c.Request().Context(), person(c)
	frame, err := h.page(c, words.T(ctx, "nav.home"), "home")
	if err != nil {
		return err
	}
	v := views.HomePage{Page: frame, Role: string(p.Role), CanAdd: can(c, auth.EditMerchants)}
	mine := models.PersonID(0)
	if p.Role == models.RoleStaff {
		mine = p.ID
	}
	if v.Figures, err = h.figures(ctx, mine); err != nil {
		return err
	}
	for _, g := range homeGroups[p.Role] {
		f := g.filter
		if g.mine {
			f.Responsible = p.ID
		}
		rows, err := h.Reader.Merchants(ctx, f, nil, homeRows)
		if err != nil {
			return err
		}
		group := views.HomeGroup{Key: g.key, MoreURL: merchantsURL(f, g.mine, "")}
		for _, row := range rows {
			group.Merchants = append(group.Merchants, merchantRow(ctx, row, h.Now()))
		}
		v.Groups = append(v.Groups, group)
	}
	return render(c, http.StatusOK, views.Home(v))
}

// homeGroups is what each role sees first.
var homeGroups = map[models.Role][]struct {
	key    string
	filter models.MerchantFilter
	mine   bool
}{
	models.RoleStaff:    {{"mine", models.MerchantFilter{State: "staff"}, true}, {"todo", models.MerchantFilter{State: "staff"}, false}},
	models.RoleReviewer: {{"complete", models.MerchantFilter{State: "complete"}, false}, {"recent", models.MerchantFilter{}, false}},
	models.RoleManager:  {{"todo", models.MerchantFilter{State: "staff"}, false}, {"complete", models.MerchantFilter{State: "complete"}, false}},
	models.RoleAdmin:    {{"failed", models.MerchantFilter{State: "failed"}, false}, {"recent", models.MerchantFilter{}, false}},
}

func (h *handler) figures(ctx context.Context, mine models.PersonID) ([]views.Figure, error) {
	n, err := h.Reader.MerchantFigures(ctx, mine)
	if err != nil {
		return nil, err
	}
	figure := func(key string, value int, tone string) views.Figure {
		return views.Figure{Key: key, Value: value, Tone: tone, URL: merchantsURL(models.MerchantFilter{State: key}, mine != 0, "")}
	}
	return []views.Figure{
		figure("todo", n.Todo, "wait"), figure("refused", n.Refused, "bad"), figure("failed", n.Failed, "bad"),
		figure("waiting", n.Waiting, "none"), figure("complete", n.Complete, "good"), figure("registered", n.Registered, "good"),
	}, nil
}
