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
	exportCount = 2_000_000 // counted no further before an export
	exportList  = 10
	exportStall = 30 * time.Second // a reader who takes no thousand rows within that has gone
)

// showExport says how many merchants an export of the list would hold, offers it, and shows how far the reader's own are.
func (h *handler) showExport(c echo.Context) error {
	ctx, q := c.Request().Context(), readFilter(c)
	v := views.ExportPage{Filter: q}
	var err error
	if v.Exports, err = h.ownExports(c); err != nil {
		return err
	}
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.Exports(v))
	}
	f, err := h.merchantFilter(ctx, q, person(c))
	if err != nil {
		return err
	}
	if v.Rows, err = h.Reader.CountMerchants(ctx, f, exportCount+1); err != nil {
		return err
	}
	if v.Rows > exportCount {
		v.Rows, v.More = exportCount, true
	}
	if v.Page, err = h.page(c, words.T(ctx, "export.title"), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Export(v))
}

// ownExports are the last exports of whoever reads. One that fell silent was left by its process.
func (h *handler) ownExports(c echo.Context) (list []views.ExportView, err error) {
	rows, err := h.Reader.Exports(c.Request().Context(), person(c).ID, exportList)
	for _, e := range rows {
		v := views.ExportView{ID: int64(e.ID), Format: e.Format, BegunAt: e.BegunAt, Rows: e.Rows, State: "underway"}
		if e.Total > 0 { // more may have come since they were counted
			v.Total = max(e.Rows, e.Total)
		}
		switch {
		case e.EndedAt != nil && e.Problem == "":
			v.State = "done"
		case e.EndedAt != nil:
			v.State, v.Problem = "broken", e.Problem
		case h.Now().Sub(e.SeenAt) > onboarding.ExportSilence:
			v.State, v.Problem = "broken", "export_silent"
		}
		list = append(list, v)
	}
	return list, err
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
		export, err := h.Service.TakeMerchants(ctx, actor(c), f, format, q.Names())
		if err != nil {
			head.Del("Content-Disposition")
			return err
		}
		defer export.Close()
		c.Response().WriteHeader(http.StatusOK)
		rc := http.NewResponseController(c.Response().Writer)
		flush := func() error {
			_ = rc.SetWriteDeadline(time.Now().Add(exportStall))
			return rc.Flush()
		}
		_ = rc.SetWriteDeadline(time.Now().Add(exportStall))
		t, err := onboarding.NewTable(c.Response(), format, words.T(ctx, "merchants.title"))
		if err == nil {
			err = export.Write(ctx, t, flush)
		}
		if err != nil {
			h.Log.Warn("an export broke off", "id", requestID(c), "error", err)
			panic(http.ErrAbortHandler) // the reader must see that it is not whole
		}
		return nil
	}
}
