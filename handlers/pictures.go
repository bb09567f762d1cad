package handlers

import (
	"cmp"
	"context"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

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
	v.Decided, v.Queue = p.decided(v.From, ""), p.queue(v.From, time.Duration(set.WithinHours)*time.Hour)
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

// reviewed is the address of the merchants of whose documents a reviewer decided some, whoever is responsible for them; of all
// reviewers it is what waits for them.
func (p pictures) reviewed(id models.PersonID, from time.Time, until string) string {
	if id == 0 {
		return p.list("team", "", "who", "", "state", "undecided")
	}
	return p.list("team", "", "who", "", "decided", strconv.FormatInt(int64(id), 10), "from", from.Format(time.DateOnly), "until", until)
}

func (p pictures) decided(from time.Time, until string) views.Bars {
	var rows []views.Bar
	for _, id := range p.in.Busiest {
		r, who := p.in.Reviewed[id], strconv.FormatInt(int64(id), 10)
		name := p.name(id)
		if id == 0 { // of a kind of merchants
			who, name = "all", words.T(p.ctx, "insights.queue.all")
		}
		if n := r.Approved + r.Refused; n > 0 {
			decided := plainCount("decided:"+who, n)
			decided.URL = p.reviewed(id, from, until)
			rows = append(rows, views.Bar{Name: name, URL: decided.URL, Figure: decided, Cells: []views.Datum{shareOf("decided_refused:"+who, r.Refused, n)}})
		}
	}
	return views.BarsOf("decided", p.most, rows)
}

// queue is how long documents were in the queue, first of all reviewers; what is beyond the limit is marked.
func (p pictures) queue(from time.Time, limit time.Duration) views.Bars {
	var rows []views.Bar
	row := func(id models.PersonID, name, who string, d onboarding.Durations) {
		median, p90 := quantile("queue_median_seconds:"+who, d, .5), quantile("queue_p90_seconds:"+who, d, .9)
		for _, figure := range []*views.Datum{&median, &p90} {
			if figure.Value > limit.Seconds() {
				figure.Tone = "bad"
			}
		}
		if d.N() > 0 {
			median.URL = p.reviewed(id, from, "")
			rows = append(rows, views.Bar{Name: name, URL: median.URL, Figure: median, Reach: p90.Value, Cells: []views.Datum{p90}})
		}
	}
	row(0, words.T(p.ctx, "insights.queue.all"), "all", p.in.Queued)
	reviewers := slices.DeleteFunc(slices.Clone(p.in.Busiest), func(id models.PersonID) bool { return id == 0 }) // of a kind of merchants
	for _, id := range reviewers[:min(p.most-1, len(reviewers))] {
		row(id, p.name(id), strconv.FormatInt(int64(id), 10), p.in.Reviewed[id].Queued)
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
	v.Next, v.People, v.Decided, v.Expiring = p.next(), p.colleagues(), p.decided(v.From, v.Until.Format(time.DateOnly)), p.expiring()
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
