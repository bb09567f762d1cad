package handlers

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"net/url"
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

// pictures draws figures: it knows whose they are, and so which lists they lead to.
type pictures struct {
	ctx    context.Context
	in     onboarding.Insights
	of     views.InsightsFilter
	people map[models.PersonID]string
	most   int // rows of a table
}

// list is the address of the merchants behind a figure: those of the filter, of whom something more is asked.
func (p pictures) list(pairs ...string) string {
	q := url.Values{}
	for name, value := range map[string]string{"team": p.of.Team, "type": p.of.Type, "entity": p.of.Entity, "line": p.of.Line, "who": p.of.Who} {
		q.Set(name, value)
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	return views.ReadMerchantFilter(q).URL("")
}

func (p pictures) count(name string, n int64, pairs ...string) views.Datum {
	return views.Datum{Name: name, Value: float64(n), URL: p.list(pairs...)}
}

func plainCount(name string, n int64) views.Datum {
	return views.Datum{Name: name, Value: float64(n)}
}

func shareOf(name string, n, of int64) views.Datum {
	if of == 0 {
		return views.Datum{Name: name, Unit: views.Share, None: true}
	}
	return views.Datum{Name: name, Value: float64(n) / float64(of), Unit: views.Share}
}

func lasting(name string, d time.Duration, address string) views.Datum {
	return views.Datum{Name: name, Value: d.Seconds(), Unit: views.Span, URL: address}
}

func quantile(name string, d onboarding.Durations, share float64) views.Datum {
	t, ok := d.Quantile(share)
	return lasting(name, t, "").OrNone(!ok)
}

func (p pictures) draw(v *views.InsightsPage, set models.ReviewSettings) {
	v.Figures = p.headFigures(p.of.Period)
	v.Funnel, v.Standing = p.funnel(v.From), p.standing()
	f := p.in.Forecast(onboarding.Monday(p.in.AsOf))
	v.Pace, v.Forecast = p.pace(v.From, set.WeeklyTarget, f), p.forecast(f)
	v.Blocks, v.Reasons, v.Yields = p.blocks(), p.reasons(), p.yields()
	v.Next, v.People = p.next(), p.colleagues()
	v.Decided, v.Queue = p.decided(), p.queue(time.Duration(set.WithinHours)*time.Hour)
	v.Expiring, v.Expires = p.expiring(), p.expires()
}

func note(code string, pairs ...any) *views.Message {
	m := views.Message{Code: code, Params: map[string]any{}}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.Params[pairs[i].(string)] = pairs[i+1]
	}
	return &m
}

// headFigures are the main figures; weeks is what period the merchants made are told of, 0 for none.
func (p pictures) headFigures(weeks int) []views.HeadFigure {
	in, total := p.in, p.in.Merchants()
	registered, complete := in.States[models.ProgressRegistered], in.States[models.ProgressComplete]
	undecided, refused, expiry, yield := in.Slots(string(models.Delivered)), in.Slots(string(models.Refused)), in.Expiry(), in.Yields.All
	figure := func(d views.Datum, tone string, n *views.Message) views.HeadFigure {
		d.Tone = tone
		return views.HeadFigure{Datum: d, Note: n}
	}
	list := []views.HeadFigure{
		figure(p.count("merchants_total", total), "none", nil),
		figure(p.count("merchants_registered", registered, "state", "registered"), "good", p.registeredNote(registered, total)),
		figure(p.count("merchants_complete", complete, "state", "complete"), "good", note("share", "share", shareOf("", complete, total))),
		figure(p.count("merchants_overdue", in.Overdue, "state", "overdue", "order", "due"), "bad", note("of_open", "share", shareOf("", in.Overdue, total-registered-complete))),
		figure(p.count("documents_undecided", undecided.N, "slot", "delivered"), "wait", p.waited(undecided)),
		figure(p.count("documents_refused", refused.N, "slot", "refused"), "bad", p.waited(refused)),
		figure(p.count("documents_expiring", expiry.Within30, "expiring", "30"), "wait", note("expired", "n", expiry.Expired)),
		figure(views.Datum{Name: "first_pass_yield", Value: yield.Share(), Unit: views.Share, None: yield.Decided == 0, URL: p.list("slot", "refused")}, "none", note("decided", "n", yield.Decided)),
	}
	if weeks > 0 && len(in.Funnel) > 0 {
		list[0].Note = note("created", "n", in.Funnel[0].N, "weeks", weeks)
	}
	if yield.Decided == 0 {
		list[7].Note = note("none_decided")
	}
	return list
}

func (p pictures) waited(f onboarding.Counted) *views.Message {
	if f.N == 0 {
		return nil
	}
	return note("waited", "age", lasting("", f.Age, ""))
}

// registeredNote is the share that is registered, and by how much it changed in four weeks.
func (p pictures) registeredNote(registered, total int64) *views.Message {
	share := shareOf("", registered, total)
	if len(p.in.Standing) < 2 {
		return note("share", "share", share)
	}
	before, all := p.in.Standing[1].N, int64(0)
	for _, n := range before {
		all += n
	}
	change := views.Datum{Value: share.Value - shareOf("", before["registered"], all).Value, Unit: views.Points}
	return note("registered", "share", share, "change", change)
}

func (p pictures) funnel(from time.Time) views.Bars {
	var rows []views.Bar
	since := from.Format(time.DateOnly)
	created := p.in.Funnel[0].N
	for _, s := range p.in.Funnel {
		stage := string(s.Stage)
		d := p.count("funnel:"+stage, s.N, "stage", stage, "since", since)
		took := quantile("funnel_median_seconds:"+stage, s.Took, .5)
		rows = append(rows, views.Bar{Name: stage, URL: d.URL, Figure: d, Cells: []views.Datum{shareOf("funnel_share:"+stage, s.N, created), took}})
	}
	if created == 0 {
		rows = nil
	}
	return views.BarsOf("funnel", p.most, rows)
}

// quarters are the parts of the merchants by how complete they are, as the cube and the list name them.
var quarters = []string{"0", "1", "2", "3", "4", "registered"}

func (p pictures) standing() views.Shares {
	s := views.Shares{Key: "standing", Of: "done", Parts: quarters}
	for _, then := range p.in.Standing {
		w := views.Whole{Name: views.Message{Code: "now"}}
		if then.Weeks > 0 {
			w.Name = *note("ago", "n", then.Weeks, "day", then.At)
		}
		for _, quarter := range quarters {
			name := "standing:" + quarter + ":" + strconv.Itoa(then.Weeks)
			if quarter == "registered" {
				w.Parts = append(w.Parts, p.count(name, then.N[quarter], "state", "registered"))
			} else {
				w.Parts = append(w.Parts, p.count(name, then.N[quarter], "done", quarter))
			}
		}
		s.Rows = append(s.Rows, w)
	}
	return s
}

func (p pictures) pace(from time.Time, target int, f onboarding.Forecast) views.Columns {
	c := views.Columns{Key: "pace", Days: 7, Target: float64(target)}
	this := onboarding.Monday(p.in.AsOf)
	for _, w := range p.in.Weeks {
		if !w.Monday.Before(from) {
			c.Steps = append(c.Steps, views.Step{At: w.Monday, Part: !w.Monday.Before(this), Figure: p.reached("registered_in_week:"+w.Monday.Format(time.DateOnly), w, models.StageRegistered)})
		}
	}
	if f.Weeks > 0 {
		c.Ahead = &views.Ahead{Steps: 4, Mid: f.Pace, Low: f.Low, High: f.High}
	}
	return c
}

// reached are the merchants that reached a stage in a week.
func (p pictures) reached(name string, w onboarding.WeekFigures, stage models.Stage) views.Datum {
	return p.count(name, w.Reached[stage], "stage", string(stage), "from", w.Monday.Format(time.DateOnly), "until", w.Monday.AddDate(0, 0, 6).Format(time.DateOnly))
}

func (p pictures) forecast(f onboarding.Forecast) views.ForecastView {
	weeks := func(name string, n int) views.Datum { return plainCount(name, int64(n)).OrNone(n == 0) }
	open := p.in.Merchants() - p.in.States[models.ProgressRegistered]
	last := weeks("forecast_weeks", f.Last)
	return views.ForecastView{Weeks: f.Weeks, Pace: views.Datum{Name: "pace_per_week", Value: f.Pace, Unit: views.Rate}, Low: views.Datum{Name: "forecast_low", Value: f.Low},
		High: views.Datum{Name: "forecast_high", Value: f.High}, Open: plainCount("merchants_not_registered", open), Last: last.OrNone(open == 0),
		Soonest: weeks("forecast_weeks_soonest", f.Soonest), Latest: weeks("forecast_weeks_latest", f.Latest)}
}

func (p pictures) blocks() views.Bars {
	var rows []views.Bar
	for _, k := range p.in.Kinds {
		doc := docName(k.Category, k.Code)
		open := p.count("open:"+doc, k.Open.N, "doc", doc, "slot", "open")
		row := views.Bar{Name: doc, URL: open.URL, Figure: open, Cells: []views.Datum{lasting("open_age_seconds:"+doc, k.Open.Age, "").OrNone(k.Open.N == 0)}}
		for _, state := range []string{"missing", "refused", "failed", "waiting", "delivered"} {
			row.Cells = append(row.Cells, p.count(state+":"+doc, k.States[state].N, "doc", doc, "slot", state))
		}
		rows = append(rows, row)
	}
	return views.BarsOf("blocks", p.most, rows)
}

func (p pictures) reasons() views.Bars {
	var rows []views.Bar
	sum, all := int64(0), int64(0)
	for _, r := range p.in.Reasons {
		all += r.N
	}
	for _, r := range p.in.Reasons {
		sum += r.N
		d := p.count("reason:"+r.Code, r.N, "reason", r.Code)
		rows = append(rows, views.Bar{Name: r.Code, URL: d.URL, Figure: d, Cells: []views.Datum{shareOf("reason_share:"+r.Code, sum, all)}})
	}
	return views.BarsOf("reasons", p.most, rows)
}

func (p pictures) yields() (list []views.Bars) {
	for _, of := range []struct {
		key, param string
		yields     []onboarding.Yield
	}{{"yield_documents", "doc", p.in.Yields.Documents}, {"yield_lines", "line", p.in.Yields.Lines}, {"yield_entities", "entity", p.in.Yields.Entities}} {
		var rows []views.Bar
		for _, y := range of.yields {
			d := shareOf(of.key+":"+y.Name, y.Approved, y.Decided)
			d.URL = p.list(of.param, y.Name, "slot", "refused")
			rows = append(rows, views.Bar{Name: y.Name, URL: d.URL, Figure: d, Cells: []views.Datum{plainCount(of.key+"_decided:"+y.Name, y.Decided)}})
		}
		list = append(list, views.BarsOf(of.key, p.most, rows))
	}
	return list
}

func (p pictures) next() views.Bars {
	var rows []views.Bar
	longest := func(a, b models.NextActor) int {
		return cmp.Or(cmp.Compare(p.in.Next[b].Age, p.in.Next[a].Age), cmp.Compare(a, b))
	}
	for _, actor := range slices.SortedFunc(maps.Keys(p.in.Next), longest) {
		if w := p.in.Next[actor]; w.N > 0 {
			d := p.count("next:"+string(actor), w.N, "state", string(actor))
			rows = append(rows, views.Bar{Name: string(actor), URL: d.URL, Figure: d, Cells: []views.Datum{lasting("next_age_seconds:"+string(actor), w.Age, "")}})
		}
	}
	return views.BarsOf("next", p.most, rows)
}

func (p pictures) colleagues() views.Bars {
	var rows []views.Bar
	for _, id := range p.in.Longest[:min(p.most, len(p.in.Longest))] {
		w, who := p.in.People[id], strconv.FormatInt(int64(id), 10)
		if id == 0 {
			who = "nobody"
		}
		d := p.count("work:"+who, w.Open, "who", who, "state", "open")
		rows = append(rows, views.Bar{Name: p.name(id), URL: d.URL, Figure: d, Cells: []views.Datum{p.count("work_staff:"+who, w.Staff.N, "who", who, "state", "staff"),
			lasting("work_age_seconds:"+who, w.Staff.Age, "").OrNone(w.Staff.N == 0), p.count("overdue:"+who, w.Overdue, "who", who, "state", "overdue", "order", "due")}})
	}
	b := views.BarsOf("people", p.most, rows)
	b.More = len(p.in.Longest) - len(rows)
	return b
}

func (p pictures) name(id models.PersonID) string {
	if id == 0 {
		return words.T(p.ctx, "merchants.who.nobody")
	}
	return p.people[id]
}

// who is the colleague of a filter.
func (p pictures) who(who string) string {
	if id, err := strconv.ParseInt(who, 10, 64); err == nil {
		return p.people[models.PersonID(id)]
	}
	if who == "" {
		return ""
	}
	return words.T(p.ctx, "merchants.who."+who)
}

func (p pictures) decided() views.Bars {
	var rows []views.Bar
	for _, id := range p.in.Busiest {
		r, who := p.in.Reviewed[id], strconv.FormatInt(int64(id), 10)
		name := p.name(id)
		if id == 0 { // of a kind of merchants
			who, name = "all", words.T(p.ctx, "insights.queue.all")
		}
		if n := r.Approved + r.Refused; n > 0 {
			rows = append(rows, views.Bar{Name: name, Figure: plainCount("decided:"+who, n), Cells: []views.Datum{shareOf("decided_refused:"+who, r.Refused, n)}})
		}
	}
	return views.BarsOf("decided", p.most, rows)
}

// queue is how long documents were in the queue, first of all reviewers; what is beyond the limit is marked.
func (p pictures) queue(limit time.Duration) views.Bars {
	var rows []views.Bar
	row := func(name, who string, d onboarding.Durations) {
		median, p90 := quantile("queue_median_seconds:"+who, d, .5), quantile("queue_p90_seconds:"+who, d, .9)
		for _, figure := range []*views.Datum{&median, &p90} {
			if figure.Value > limit.Seconds() {
				figure.Tone = "bad"
			}
		}
		if d.N() > 0 {
			rows = append(rows, views.Bar{Name: name, Figure: median, Reach: p90.Value, Cells: []views.Datum{p90}})
		}
	}
	row(words.T(p.ctx, "insights.queue.all"), "all", p.in.Queued)
	reviewers := slices.DeleteFunc(slices.Clone(p.in.Busiest), func(id models.PersonID) bool { return id == 0 }) // of a kind of merchants
	for _, id := range reviewers[:min(p.most-1, len(reviewers))] {
		row(p.name(id), strconv.FormatInt(int64(id), 10), p.in.Reviewed[id].Queued)
	}
	b := views.BarsOf("queue", p.most, rows)
	b.More = max(0, len(reviewers)-p.most+1)
	b.Limit = limit.Seconds()
	return b
}

func (p pictures) expiring() views.Bars {
	e := p.in.Expiry()
	var rows []views.Bar
	for _, window := range []struct {
		name string
		n    int64
	}{{"expired", e.Expired}, {"7", e.Within7}, {"30", e.Within30}, {"90", e.Within90}} {
		d := p.count("expiring:"+window.name, window.n, "expiring", window.name)
		rows = append(rows, views.Bar{Name: window.name, URL: d.URL, Figure: d})
	}
	if len(p.in.Expiring) == 0 {
		rows = nil
	}
	return views.BarsOf("expiring", p.most, rows)
}

func (p pictures) expires() views.Bars {
	var rows []views.Bar
	for _, k := range p.in.Expiring {
		doc := docName(k.Category, k.Code)
		cell := func(window string, n int64) views.Datum {
			return p.count("expiring:"+window+":"+doc, n, "doc", doc, "expiring", window)
		}
		d := cell("90", k.Within90)
		rows = append(rows, views.Bar{Name: doc, URL: d.URL, Figure: d, Cells: []views.Datum{cell("30", k.Within30), cell("7", k.Within7), cell("expired", k.Expired)}})
	}
	return views.BarsOf("expires", p.most, rows)
}

// drawWeek is what happened in the week and in those before it, and how it stands now.
func (p pictures) drawWeek(v *views.WeekPage) {
	v.Figures, v.Standing = p.headFigures(0), p.standing()
	v.Forecast = p.forecast(p.in.Forecast(v.From.AddDate(0, 0, 7)))
	v.Blocks, v.Reasons = p.blocks(), p.reasons()
	v.Next, v.People, v.Decided, v.Expiring = p.next(), p.colleagues(), p.decided(), p.expiring()
	n := len(p.in.Weeks)
	this, before, all := p.in.Weeks[n-1], p.in.Weeks[n-2], p.in.Weeks[:n-1]
	row := func(key string, of func(onboarding.WeekFigures) int64) *views.WeekRow {
		sum := int64(0)
		for _, w := range all {
			sum += of(w)
		}
		v.Week.Rows = append(v.Week.Rows, views.WeekRow{Key: key, Now: plainCount("week_"+key, of(this)), Before: plainCount("week_before_"+key, of(before)),
			Average: views.Datum{Name: "week_average_" + key, Value: float64(sum) / float64(len(all)), Unit: views.Rate}})
		return &v.Week.Rows[len(v.Week.Rows)-1]
	}
	for _, stage := range models.Stages {
		r := row(string(stage), func(w onboarding.WeekFigures) int64 { return w.Reached[stage] })
		r.Now.URL, r.Before.URL = p.reached("", this, stage).URL, p.reached("", before, stage).URL
	}
	row("documents_approved", func(w onboarding.WeekFigures) int64 { return w.Approved })
	row("documents_refused", func(w onboarding.WeekFigures) int64 { return w.Refused })
}
