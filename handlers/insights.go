package handlers

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

const (
	tableRows  = onboarding.Ranked
	sheetRows  = 8 // what has room on paper
	dayWeeks   = 4 // so long a period is drawn by the day
	weekLength = 7 * 24 * time.Hour
)

// showInsights is the portfolio in pictures; a change of the filter asks for the part below it.
func (h *handler) showInsights(c echo.Context) error {
	ctx, q := c.Request().Context(), readInsights(c)
	set, err := h.Reader.ReviewSettings(ctx)
	if err != nil {
		return err
	}
	people, err := h.Reader.Roster(ctx)
	if err != nil {
		return err
	}
	from := onboarding.Monday(h.Now()).AddDate(0, 0, -7*(q.Period-1))
	in, err := h.Service.Insights(ctx, onboarding.InsightsQuestion{Of: tallyFilter(c, q), From: from})
	if err != nil {
		return err
	}
	v := views.InsightsPage{Filter: q, AsOf: in.AsOf, From: from, Empty: in.Merchants() == 0 && len(in.Reviewed) == 0, Hours: set.WithinHours}
	p := pictures{ctx: ctx, in: in, of: q, people: namesOf(people), most: tableRows}
	p.draw(&v, set)
	if err := h.drawDOKU(c, &v); err != nil {
		return err
	}
	v.Choices = insightsChoices(q, people)
	if wantsFragment(c) {
		return render(c, http.StatusOK, views.InsightsFragment(v))
	}
	if v.Choices.Lines, err = h.Reader.BusinessLines(ctx); err != nil {
		return err
	}
	if v.Page, err = h.page(c, "", "insights"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.Insights(v))
}

// mainFigures are those of all merchants, and of the usual period.
func (h *handler) mainFigures(ctx context.Context) ([]views.HeadFigure, error) {
	in, err := h.Service.HeadInsights(ctx, onboarding.InsightsQuestion{From: onboarding.Monday(h.Now()).AddDate(0, 0, -7*(views.DefaultPeriod-1))})
	if err != nil || in.Merchants() == 0 {
		return nil, err
	}
	return pictures{ctx: ctx, in: in}.headFigures(0), nil
}

// showWeek is one week on paper: the one that is named, or else the last whole one.
func (h *handler) showWeek(c echo.Context) error {
	ctx, q := c.Request().Context(), readInsights(c)
	this := onboarding.Monday(h.Now())
	monday, err := readWeek(c.QueryParam("week"), this)
	if err != nil {
		return err
	}
	people, err := h.Reader.Roster(ctx)
	if err != nil {
		return err
	}
	in, err := h.Service.Insights(ctx, onboarding.InsightsQuestion{Of: tallyFilter(c, q), From: monday, Until: monday.Add(weekLength)})
	if err != nil {
		return err
	}
	p := pictures{ctx: ctx, in: in, of: q, people: namesOf(people), most: sheetRows}
	v := views.WeekPage{Filter: q, Who: p.who(q.Who), AsOf: in.AsOf, From: monday, Until: monday.AddDate(0, 0, 6), Running: !monday.Before(this), Empty: in.Merchants() == 0 && len(in.Reviewed) == 0,
		PrevURL: views.WeekURL(q, monday.AddDate(0, 0, -7).Format(time.DateOnly))}
	if monday.Before(this) {
		v.NextURL = views.WeekURL(q, monday.AddDate(0, 0, 7).Format(time.DateOnly))
	}
	p.drawWeek(&v)
	title := words.T(ctx, "insights.week.title", "from", words.Date(ctx, v.From), "until", words.Date(ctx, v.Until))
	if v.Page, err = h.page(c, title, "insights"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.InsightsWeek(v))
}

// readWeek is the Monday of the week that a day stands in; none is the last whole week before this one. fault.Invalid for
// what is no day, or one still to come.
func readWeek(s string, this time.Time) (time.Time, error) {
	if s == "" {
		return this.AddDate(0, 0, -7), nil
	}
	day, err := time.ParseInLocation(time.DateOnly, s, words.WIB)
	if err != nil || day.Year() < 2000 || onboarding.Monday(day).After(this) {
		return this, fault.New(fault.Invalid, "date_invalid")
	}
	return onboarding.Monday(day), nil
}

// readInsights is what the address asks. What nobody could have chosen is left out.
func readInsights(c echo.Context) views.InsightsFilter {
	get := c.QueryParam
	q := views.InsightsFilter{Team: get("team"), Type: get("type"), Entity: get("entity"), Line: get("line"), Who: get("who")}
	if q.Period, _ = strconv.Atoi(get("period")); !slices.Contains(views.InsightsPeriods, q.Period) {
		q.Period = views.DefaultPeriod
	}
	if id, err := strconv.ParseInt(q.Who, 10, 64); q.Who != "mine" && q.Who != "nobody" && (err != nil || id < 1) {
		q.Who = ""
	}
	return q
}

func tallyFilter(c echo.Context, q views.InsightsFilter) models.TallyFilter {
	f := models.TallyFilter{BusinessType: q.Type, LegalEntity: q.Entity, BusinessLine: q.Line, Team: q.Team}
	switch q.Who {
	case "":
	case "mine":
		f.Responsible = person(c).ID
	case "nobody":
		f.Nobody = true
	default:
		id, _ := strconv.ParseInt(q.Who, 10, 64) // read before
		f.Responsible = models.PersonID(id)
	}
	return f
}

// insightsChoices are what the filter offers of people, teams and legal entities.
func insightsChoices(q views.InsightsFilter, people []models.Person) views.InsightsChoices {
	v := views.InsightsChoices{Types: onboarding.BusinessTypes()}
	for _, t := range v.Types {
		if q.Type == "" || q.Type == t {
			v.Entities = append(v.Entities, onboarding.LegalEntities(t)...)
		}
	}
	slices.Sort(v.Entities)
	v.Entities = slices.Compact(v.Entities)
	for _, p := range people {
		id := strconv.FormatInt(int64(p.ID), 10)
		if colleague := p.Role != models.RoleAdmin; colleague && p.DisabledAt == nil || id == q.Who {
			v.People = append(v.People, views.Option{Value: id, Text: p.Name})
		}
		if p.Team != "" {
			v.Teams = append(v.Teams, p.Team)
		}
	}
	slices.Sort(v.Teams)
	v.Teams = slices.Compact(v.Teams)
	return v
}

func namesOf(people []models.Person) map[models.PersonID]string {
	all := map[models.PersonID]string{}
	for _, p := range people {
		all[p.ID] = p.Name
	}
	return all
}

// docName is a kind of document as the list's filter names it.
func docName(category, code string) string {
	if code == "" {
		return category
	}
	return category + ":" + code
}

// drawDOKU is how long DOKU took for a document in the period, whoever's it was: by the day in a short one, else by the week.
func (h *handler) drawDOKU(c echo.Context, v *views.InsightsPage) error {
	v.DOKU = views.Columns{Key: "doku", Unit: views.Span, Days: 7, Bad: "failed"}
	if v.Filter.Period <= dayWeeks {
		v.DOKU.Days = 1
	}
	step := time.Duration(v.DOKU.Days) * 24 * time.Hour
	y, m, d := v.From.Date()
	from := time.Date(y, m, d, 0, 0, 0, 0, words.WIB)
	rows, err := h.Reader.DOKUMinutes(c.Request().Context(), from, step)
	if err != nil {
		return err
	}
	steps, all := make([]models.DOKUMinute, int(v.AsOf.Sub(from)/step)+1), models.DOKUMinute{}
	for _, row := range rows {
		if i := int(row.Minute.Sub(from) / step); row.Call == "upload" && i < len(steps) {
			addMinute(&steps[i], row)
			addMinute(&all, row)
		}
	}
	address := ""
	if can(c, auth.ViewHealth) {
		address = views.HealthURL()
	}
	for i, s := range steps {
		b, date := bar(s), from.AddDate(0, 0, i*v.DOKU.Days)
		v.DOKU.Steps = append(v.DOKU.Steps, views.Step{At: date, Part: i == len(steps)-1, Figure: lasting("doku_seconds:"+date.Format(time.DateOnly), b.Average, address).OrNone(b.Answered == 0),
			Bad: plainCount("doku_failed:"+date.Format(time.DateOnly), int64(b.Failed))})
	}
	b := bar(all)
	v.Calls = views.CallsView{Weeks: v.Filter.Period, URL: address, Answered: views.Datum{Name: "doku_sent", Value: float64(b.Answered)}, Failed: views.Datum{Name: "doku_failed", Value: float64(b.Failed)},
		Average: lasting("doku_seconds", b.Average, "").OrNone(b.Answered == 0), Slowest: lasting("doku_slowest_seconds", b.Slowest, "").OrNone(b.Answered == 0)}
	return nil
}
