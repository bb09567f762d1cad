package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"berkas/internal/fault"
	"berkas/views"
)

// showGalleryPage draws one whole page with sample data, where the data is samples anyway.
func (h *handler) showGalleryPage(c echo.Context) error {
	sample, ok := views.GalleryPage(c.Param("sample"))
	if !h.Demo || !ok {
		return fault.New(fault.NotFound, "not_found")
	}
	return render(c, http.StatusOK, sample)
}
