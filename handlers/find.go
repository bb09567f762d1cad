package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/views"
)

// findMerchants looks for merchants by a personal value, which stands in the body alone: one that is found is where it
// leads, several are the answer itself, so that no address holds or stands for the value.
func (h *handler) findMerchants(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	typed := views.FindForm{Kind: f.Get("kind"), Value: f.Get("value")}
	rows, err := h.Service.FindMerchants(ctx, actor(c), typed.Kind, typed.Value)
	if fault.Is(err, fault.Invalid) && !wantsFragment(c) {
		refused := fault.As(err)
		typed.Error = &views.Message{Code: refused.Code, Params: refused.Params}
		return h.drawMerchants(c, http.StatusUnprocessableEntity, typed)
	}
	if err != nil {
		return err
	}
	if len(rows) == 1 {
		return see(c, views.MerchantURL(int64(rows[0].ID)))
	}
	v := views.FoundPage{}
	for _, row := range rows {
		v.Rows = append(v.Rows, merchantRow(ctx, row, h.Now()))
	}
	if v.Page, err = h.page(c, words.T(ctx, "find.found"), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Found(v))
}
