package handlers

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// healthz says that the process answers.
func (h *handler) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether everything a request needs is there: database, queue, blob store.
func (h *handler) readyz(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	if err := h.Ready(ctx); err != nil {
		h.Log.Warn("not ready", "error", err)
		return c.String(http.StatusServiceUnavailable, "not ready\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// showGallery draws every component with sample data, where the data is samples anyway.
func (h *handler) showGallery(c echo.Context) error {
	if !h.Demo {
		return fault.New(fault.NotFound, "not_found")
	}
	return render(c, http.StatusOK, views.Gallery())
}

const (
	deliveriesLimit = 999
	chartMinutes    = 60
	chartQuarters   = 24 * 4
	quarter         = 15 * time.Minute
)

// showHealth shows how DOKU is doing; a page that is open asks for what changed.
func (h *handler) showHealth(c echo.Context) error {
	ctx, now := c.Request().Context(), h.Now().UTC()
	health, err := h.healthBand(ctx)
	if err != nil {
		return err
	}
	v := views.HealthPage{Health: *health, CanRetry: can(c, auth.RetryDeliveries), Part: wantsFragment(c), Poll: true}
	v.Hour, _, err = h.chart(ctx, "hour", now.Truncate(time.Minute), time.Minute, chartMinutes)
	if err != nil {
		return err
	}
	v.Day, v.Calls, err = h.chart(ctx, "day", now.Truncate(quarter), quarter, chartQuarters)
	if err != nil {
		return err
	}
	if v.Part {
		return render(c, http.StatusOK, views.HealthFragment(v))
	}
	if v.Page, err = h.page(c, words.T(ctx, "health.title"), "health"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Health(v))
}

// healthBand is DOKU's state and the queue for it.
func (h *handler) healthBand(ctx context.Context) (*views.HealthView, error) {
	health, err := h.Reader.Health(ctx)
	if err != nil {
		return nil, err
	}
	d, err := h.Reader.Deliveries(ctx, deliveriesLimit+1)
	if err != nil {
		return nil, err
	}
	v := &views.HealthView{State: "unknown", LastOK: at(health.LastOKAt), Latency: time.Duration(health.LatencyMS) * time.Millisecond,
		Next: at(d.Next), Waiting: d.Waiting, Sending: d.Sending, Refused: d.Refused, GivenUp: d.GivenUp, Limit: deliveriesLimit}
	switch {
	case health.DownSince != nil:
		v.State, v.Since, v.For = "down", *health.DownSince, h.Now().Sub(*health.DownSince)
	case health.LastOKAt != nil:
		v.State = "fine"
	}
	if health.LastErrorAt != nil {
		call, status, _ := strings.Cut(health.LastError, " ")
		n, _ := strconv.Atoi(status)
		v.Error = &views.CallErrorView{Call: call, Status: n, At: *health.LastErrorAt}
	}
	if d.Oldest != nil {
		v.Oldest = &views.OldestView{MerchantID: int64(d.Merchant), Merchant: d.Name, Category: d.Category, Code: d.Code, Since: d.Since, Why: d.Problem}
	}
	return v, nil
}

// chart is n steps of DOKU's calls, the last of which begins at last, and the calls of all of them by kind.
func (h *handler) chart(ctx context.Context, key string, last time.Time, step time.Duration, n int) (views.ChartView, []views.CallView, error) {
	v := views.ChartView{Key: key, From: last.Add(-time.Duration(n-1) * step), Step: step}
	rows, err := h.Reader.DOKUMinutes(ctx, v.From, step)
	if err != nil {
		return v, nil, err
	}
	bars, calls := make([]models.DOKUMinute, n), map[string]*models.DOKUMinute{}
	for _, row := range rows {
		if i := int(row.Minute.Sub(v.From) / step); i >= 0 && i < n && row.Call != onboarding.CallCallback { // those DOKU does not answer, it sends
			addMinute(&bars[i], row)
		}
		if calls[row.Call] == nil {
			calls[row.Call] = &models.DOKUMinute{}
		}
		addMinute(calls[row.Call], row)
	}
	for _, b := range bars {
		v.Bars = append(v.Bars, bar(b))
	}
	var kinds []views.CallView
	for _, call := range slices.Sorted(maps.Keys(calls)) {
		kinds = append(kinds, views.CallView{Call: call, BarView: bar(*calls[call])})
	}
	slices.SortStableFunc(kinds, func(a, b views.CallView) int { return b.Answered + b.Failed - a.Answered - a.Failed })
	return v, kinds, nil
}

func addMinute(sum *models.DOKUMinute, m models.DOKUMinute) {
	sum.Answered, sum.Failed, sum.TotalMS, sum.MaxMS = sum.Answered+m.Answered, sum.Failed+m.Failed, sum.TotalMS+m.TotalMS, max(sum.MaxMS, m.MaxMS)
}

func bar(m models.DOKUMinute) views.BarView {
	b := views.BarView{Answered: m.Answered, Failed: m.Failed, Slowest: time.Duration(m.MaxMS) * time.Millisecond}
	if m.Answered > 0 {
		b.Average = time.Duration(m.TotalMS) * time.Millisecond / time.Duration(m.Answered)
	}
	return b
}

// retryAll puts everything that does not get on back on its way.
func (h *handler) retryAll(c echo.Context) error {
	done, err := h.Service.RetryAll(c.Request().Context(), actor(c))
	if err != nil {
		return err
	}
	if n := done.GivenUp + done.Waiting; n > 0 {
		h.flashCount(c, "good", "deliveries_retried", n)
	} else {
		h.flash(c, "info", "deliveries_none")
	}
	return see(c, views.HealthURL())
}
