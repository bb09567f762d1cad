package handlers

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/onboarding"
	"berkas/views"
)

const (
	exportCount = 2_000_000        // counted no further before an export
	exportStall = 30 * time.Second // a reader who takes no thousand rows within that has gone
)

// showExport says how many merchants an export of the list would hold, and offers it.
func (h *handler) showExport(c echo.Context) error {
	ctx, q := c.Request().Context(), readFilter(c)
	f, err := h.merchantFilter(ctx, q, person(c))
	if err != nil {
		return err
	}
	v := views.ExportPage{Filter: q}
	if v.Rows, err = h.Reader.CountMerchants(ctx, f, exportCount); err != nil {
		return err
	}
	if v.Page, err = h.page(c, words.T(ctx, "export.title"), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Export(v))
}

var exportTypes = map[string]string{"csv": "text/csv; charset=utf-8; header=present", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}

// exportMerchants is the whole list of a filter, written while it is read.
func (h *handler) exportMerchants(format string) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, q := c.Request().Context(), readFilter(c)
		if onboarding.LooksPersonal(q.Q) {
			return fault.New(fault.Invalid, "sixteen_digits")
		}
		h.usualOrder(c, &q)
		f, err := h.merchantFilter(ctx, q, person(c))
		if err != nil {
			return err
		}
		head := c.Response().Header()
		head.Set("Content-Type", exportTypes[format])
		head.Set("Content-Disposition", `attachment; filename="merchants-`+h.Now().In(words.WIB).Format("20060102-1504")+`.`+format+`"`)
		if c.Request().Method == http.MethodHead {
			return c.NoContent(http.StatusOK)
		}
		give, err := h.Service.TakeMerchants(ctx, actor(c), format, q.Names())
		if err != nil {
			head.Del("Content-Disposition")
			return err
		}
		defer give()
		c.Response().WriteHeader(http.StatusOK)
		rc := http.NewResponseController(c.Response().Writer)
		flush := func() error {
			_ = rc.SetWriteDeadline(time.Now().Add(exportStall))
			return rc.Flush()
		}
		_ = rc.SetWriteDeadline(time.Now().Add(exportStall))
		t, err := onboarding.NewTable(c.Response(), format, words.T(ctx, "merchants.title"))
		if err == nil {
			err = h.Service.ExportMerchants(ctx, actor(c), f, format, t, flush)
		}
		if err != nil {
			h.Log.Warn("an export broke off", "id", requestID(c), "error", err)
			panic(http.ErrAbortHandler) // the reader must see that it is not whole
		}
		return nil
	}
}
