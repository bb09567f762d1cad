package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// listReview is the reviewers' queue: what is due first, of that what waits longest.
func (h *handler) listReview(c echo.Context) error {
	ctx, p := c.Request().Context(), person(c)
	q := readReviewFilter(c.QueryParams())
	after := readReviewCursor(c.QueryParam("after"))
	settings, err := h.Reader.ReviewSettings(ctx)
	if err != nil {
		return err
	}
	rows, err := h.Reader.ReviewQueue(ctx, h.reviewFilter(q, p, settings), h.Now(), after, pageRows+1)
	if err != nil {
		return err
	}
	v := views.ReviewPage{Filter: q}
	if after != nil {
		v.After = writeReviewCursor(*after)
	}
	if len(rows) > pageRows {
		rows = rows[:pageRows]
		v.NextURL = views.ReviewPageURL(q, writeReviewCursor(rows[pageRows-1].Cursor()))
	}
	if after != nil {
		v.FirstURL = views.ReviewPageURL(q, "")
	}
	for _, row := range rows {
		v.Rows = append(v.Rows, reviewRow(row, p.ID, h.Now(), within(settings)))
	}
	if err := h.reviewCounts(ctx, &v, p, settings); err != nil {
		return err
	}
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.ReviewList(v))
	}
	kinds, err := h.Reader.KindsInReview(ctx)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		v.Kinds = append(v.Kinds, views.Option{Value: onboarding.DocumentCode(k.Category, k.Code), Text: documentName(ctx, k.Category, k.Code)})
	}
	if v.Lines, err = h.Reader.BusinessLines(ctx); err != nil {
		return err
	}
	if v.Page, err = h.page(c, "", "review"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Review(v))
}

func (h *handler) reviewCounts(ctx context.Context, v *views.ReviewPage, p models.Person, settings models.ReviewSettings) error {
	filters := make([]models.ReviewFilter, len(views.ReviewShows))
	for i, show := range views.ReviewShows {
		q := v.Filter
		q.Show = show
		filters[i] = h.reviewFilter(q, p, settings)
	}
	counts, err := h.Reader.CountsOfReview(ctx, filters, h.Now(), countLimit+1)
	v.Counts, v.More = map[string]int{}, map[string]bool{}
	for i, n := range counts {
		v.Counts[views.ReviewShows[i]], v.More[views.ReviewShows[i]] = min(n, countLimit), n > countLimit
	}
	return err
}

func readReviewFilter(get url.Values) views.ReviewFilter {
	age, _ := strconv.Atoi(get.Get("age"))
	q := views.ReviewFilter{BusinessType: orElse(get.Get("type"), get.Get("business_type")), BusinessLine: orElse(get.Get("line"), get.Get("business_line")),
		Document: orElse(get.Get("document"), get.Get("code")), Age: max(0, min(age, 3650)), Show: get.Get("show")}
	if q.Show == "" && get.Get("mine") != "" {
		q.Show = "mine"
	}
	if !slices.Contains(views.ReviewShows, q.Show) {
		q.Show = ""
	}
	return q
}

func (h *handler) reviewFilter(q views.ReviewFilter, p models.Person, settings models.ReviewSettings) models.ReviewFilter {
	f := models.ReviewFilter{BusinessType: q.BusinessType, BusinessLine: q.BusinessLine}
	if q.Document != "" {
		f.Category, f.Code = onboarding.KindOf(q.Document)
	}
	if q.Age > 0 {
		f.Before = h.Now().AddDate(0, 0, -q.Age)
	}
	switch q.Show {
	case "mine":
		f.Mine = p.ID
	case "overdue":
		f.Overdue = h.Now().In(words.WIB)
	case "snoozed":
		f.Snoozed = true
	case "late":
		if late := h.Now().Add(-within(settings)); f.Before.IsZero() || late.Before(f.Before) {
			f.Before = late
		}
	}
	return f
}

// within is how long a document may wait for a reviewer before it is late.
func within(settings models.ReviewSettings) time.Duration {
	return time.Duration(settings.WithinHours) * time.Hour
}

func reviewRow(row models.ReviewRow, me models.PersonID, now time.Time, within time.Duration) views.ReviewRow {
	v := views.ReviewRow{ID: int64(row.ID), HasThumbnail: row.HasThumbnail, MerchantID: int64(row.MerchantID), Merchant: row.Merchant, Category: row.Category, Code: row.Code,
		Version: row.Version, BusinessType: row.BusinessType, BusinessLine: row.BusinessLine, Due: at(row.ReviewDueOn), Since: row.QueuedAt, Late: now.Sub(row.QueuedAt) > within,
		Uploader: row.Uploader, Own: row.UploadedBy == me, Leaser: row.Leaser, Mine: row.LeasedBy == me, Assigned: row.Assigned, First: row.FirstApproved, Snoozed: at(row.SnoozedUntil)}
	v.Overdue = overdue(row.ReviewDueOn, now)
	return v
}

func overdue(due *time.Time, now time.Time) bool {
	return due != nil && inDays(now, 0) > due.Format(time.DateOnly)
}

// A cursor is written as due day, microseconds and id.
func writeReviewCursor(k models.ReviewCursor) string {
	day := ""
	if k.DueOn != nil {
		day = k.DueOn.Format(time.DateOnly)
	}
	return day + "." + strconv.FormatInt(k.QueuedAt.UnixMicro(), 10) + "." + strconv.FormatInt(int64(k.ID), 10)
}

// readReviewCursor is nil for what the queue did not write itself: it begins at the start then.
func readReviewCursor(s string) *models.ReviewCursor {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return nil
	}
	micros, err1 := strconv.ParseInt(parts[1], 10, 64)
	id, err2 := strconv.ParseInt(parts[2], 10, 64)
	if err1 != nil || err2 != nil || micros < 0 || micros > farFuture || id < 1 {
		return nil
	}
	k := &models.ReviewCursor{QueuedAt: time.UnixMicro(micros), ID: models.DocumentID(id)}
	if parts[0] != "" {
		day, err := time.Parse(time.DateOnly, parts[0])
		if err != nil || day.Year() < 1 {
			return nil
		}
		k.DueOn = &day
	}
	return k
}

// nextReview leases the next document and leads to it, or to the queue when there is none. from is the one that the
// reader leaves, after its place in the queue. With preload the next one is only loaded ahead: 204 when there is none.
func (h *handler) nextReview(c echo.Context) error {
	f, err := form(c)
	if err != nil {
		return err
	}
	from, _ := strconv.ParseInt(f.Get("from"), 10, 64)
	return h.leadToNext(c, f, models.DocumentID(from))
}

func (h *handler) leadToNext(c echo.Context, f url.Values, from models.DocumentID) error {
	ctx, q := c.Request().Context(), readReviewFilter(f)
	settings, err := h.Reader.ReviewSettings(ctx)
	if err != nil {
		return err
	}
	in := onboarding.NextInput{Filter: h.reviewFilter(q, person(c), settings), From: from, Behind: readReviewCursor(f.Get("after")), Ahead: f.Get("preload") != ""}
	id, err := h.Service.NextToReview(ctx, actor(c), in)
	switch {
	case err != nil:
		return err
	case in.Ahead && id == 0:
		return c.NoContent(http.StatusNoContent)
	case in.Ahead:
		return see(c, views.AheadURL(int64(id), q))
	case id == 0:
		if q != (views.ReviewFilter{}) {
			h.flash(c, "info", "review_done_here")
		} else {
			h.flash(c, "good", "review_done")
		}
		return see(c, views.ReviewPageURL(q, ""))
	}
	return see(c, views.InReviewURL(int64(id), q))
}
