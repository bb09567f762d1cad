package views

import (
	"math"
	"time"
)

func sampleBars(key string, rows ...Bar) Bars { return BarsOf(key, 10, rows) }

func sampleCount(n float64) Datum   { return Datum{Value: n, URL: MerchantsURL()} }
func sampleShare(x float64) Datum   { return Datum{Value: x, Unit: Share} }
func sampleSpan(days float64) Datum { return Datum{Value: days * 86400, Unit: Span} }
func sampleBar(name string, n float64, cells ...Datum) Bar {
	return Bar{Name: name, URL: MerchantsURL() + "?doc=" + name, Figure: sampleCount(n), Cells: cells}
}

// sampleWeeks are registrations of n weeks, the last of which is not over.
func sampleWeeks(n int, scale float64) Columns {
	monday := sampleTime(0).AddDate(0, 0, -7*(n-1)-2)
	c := Columns{Key: "pace", Days: 7, Target: math.Round(50 * scale), Ahead: &Ahead{Steps: 4, Mid: 46 * scale, Low: 33 * scale, High: 59 * scale}}
	for i := range n {
		c.Steps = append(c.Steps, Step{At: monday.AddDate(0, 0, 7*i), Part: i == n-1,
			Figure: sampleCount(math.Round(scale * (24 + 26*float64(i)/float64(n) + float64(i*37%11))))})
	}
	c.Steps[n-1].Figure.Value = math.Round(12 * scale)
	return c
}

func sampleDays(failed float64) Columns {
	c := Columns{Key: "doku", Days: 1, Unit: Span, Bad: "failed"}
	for i := range 7 {
		c.Steps = append(c.Steps, Step{At: sampleTime(time.Duration(6-i) * day), Figure: Datum{Value: .3 + float64(i*3%5)/10, Unit: Span, URL: HealthURL()}})
	}
	c.Steps[4].Bad.Value = failed
	return c
}

var sampleDone = []string{"0", "1", "2", "3", "4", "registered"}

func sampleStanding(rows ...[]float64) Shares {
	s := Shares{Key: "standing", Of: "done", Parts: sampleDone}
	for i, row := range rows {
		w := Whole{Name: Message{Code: "now"}}
		if i > 0 {
			w.Name = Message{Code: "ago", Params: map[string]any{"n": 4 * i, "day": sampleTime(time.Duration(28*i) * day)}}
		}
		for _, n := range row {
			w.Parts = append(w.Parts, sampleCount(n))
		}
		s.Rows = append(s.Rows, w)
	}
	return s
}

// sampleInsights is a portfolio of a certain size.
func sampleInsights(scale float64) InsightsPage {
	page := samplePage("Wawasan", "insights")
	page.User = UserView{Name: "Manajer Contoh", Role: "manager"}
	page.Nav = append(page.Nav, NavItem{Key: "insights", URL: InsightsURL(InsightsFilter{})})
	n := func(x float64) float64 { return math.Round(x * scale) }
	yield := func(name string, share, of float64) Bar {
		return Bar{Name: name, URL: MerchantsURL(), Figure: sampleShare(share), Cells: []Datum{{Value: n(of)}}}
	}
	late := sampleSpan(1.4)
	late.Tone = "bad"
	queue := func(name string, median, p90 float64) Bar {
		return Bar{Name: name, URL: MerchantsURL(), Figure: sampleSpan(median), Reach: p90 * 86400, Cells: []Datum{sampleSpan(p90)}}
	}
	head := func(name string, value float64, unit Unit, tone, note string, params map[string]any) HeadFigure {
		f := HeadFigure{Datum: Datum{Name: name, Value: value, Unit: unit, Tone: tone, URL: MerchantsURL()}}
		if note != "" {
			f.Note = &Message{Code: note, Params: params}
		}
		return f
	}
	v := InsightsPage{Page: page, Filter: InsightsFilter{Period: DefaultPeriod}, AsOf: sampleTime(0), From: sampleTime(11 * 7 * day), Hours: 24,
		Choices: InsightsChoices{Teams: []string{"Jakarta", "Surabaya"}, Types: []string{"PERSONAL", "CORPORATE"}, Entities: []string{"PERSEORANGAN", "PT", "CV", "YAYASAN"},
			Lines: []string{"RETAIL", "MINING"}, People: []Option{{Value: "1", Text: "Staf Contoh"}, {Value: "2", Text: "Raden Ajeng Kusumawardhani Prawirodirdjo-Sosrokartono"}}},
		Figures: []HeadFigure{
			head("merchants_total", n(1284), Count, "none", "created", map[string]any{"n": n(211), "weeks": 12}),
			head("merchants_registered", n(655), Count, "good", "registered", map[string]any{"share": sampleShare(.51), "change": Datum{Value: .061, Unit: Points}}),
			head("merchants_complete", n(47), Count, "wait", "share", map[string]any{"share": sampleShare(.037)}),
			head("merchants_overdue", n(23), Count, "bad", "of_open", map[string]any{"share": sampleShare(.04)}),
			head("documents_undecided", n(318), Count, "wait", "waited", map[string]any{"age": sampleSpan(.3)}),
			head("documents_refused", n(96), Count, "bad", "waited", map[string]any{"age": sampleSpan(3.1)}),
			head("documents_expiring", n(12), Count, "wait", "expired", map[string]any{"n": 3}),
			head("first_pass_yield", .81, Share, "none", "decided", map[string]any{"n": n(2104)}),
		},
		Funnel: sampleBars("funnel", Bar{Name: "created", URL: MerchantsURL(), Figure: sampleCount(n(1284)), Cells: []Datum{sampleShare(1), {None: true, Unit: Span}}},
			sampleBar("first_document", n(1190), sampleShare(.927), sampleSpan(.2)), sampleBar("at_doku", n(861), sampleShare(.67), sampleSpan(4.1)),
			sampleBar("approved", n(702), sampleShare(.547), sampleSpan(1.2)), sampleBar("registered", n(655), sampleShare(.51), sampleSpan(.9)), sampleBar("active", n(598), sampleShare(.466), sampleSpan(2.6))),
		Standing: sampleStanding([]float64{n(108), n(141), n(166), n(167), n(47), n(655)}, []float64{n(120), n(133), n(180), n(150), n(61), n(540)},
			[]float64{n(131), n(120), n(150), n(141), n(40), n(420)}, []float64{n(140), n(111), n(120), n(90), n(22), n(310)}),
		Pace: sampleWeeks(12, scale), Forecast: ForecastView{Weeks: 8, Pace: Datum{Name: "pace_per_week", Value: 46 * scale, Unit: Rate}, Low: Datum{Value: n(33)}, High: Datum{Value: n(59)},
			Open: Datum{Value: n(629)}, Last: Datum{Value: 14}, Soonest: Datum{Value: 11}, Latest: Datum{Value: 19}},
		Blocks: sampleBars("blocks", sampleBar("DOCUMENT:KTP", n(211), sampleSpan(3.1), sampleCount(n(60)), sampleCount(n(90)), sampleCount(0), sampleCount(n(8)), sampleCount(n(53))),
			sampleBar("DOCUMENT:AKTA_PENDIRIAN_PERUSAHAAN", n(148), sampleSpan(8.7), sampleCount(n(140)), sampleCount(n(8)), sampleCount(0), sampleCount(0), sampleCount(0)),
			sampleBar("DOCUMENT:IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH", n(96), sampleSpan(12.4), sampleCount(n(41)), sampleCount(n(20)), sampleCount(n(5)), sampleCount(0), sampleCount(n(30))),
			sampleBar("OWNER_LIVENESS", n(41), sampleSpan(.4), sampleCount(n(41)), sampleCount(0), sampleCount(0), sampleCount(0), sampleCount(0))),
		Reasons: sampleBars("reasons", sampleBar("image_blurry", n(140), sampleShare(.46)), sampleBar("image_cropped", n(71), sampleShare(.69)),
			sampleBar("directors_mismatch", n(40), sampleShare(.82)), sampleBar("business_activity_mismatch", n(33), sampleShare(.93)), sampleBar("document_expired", n(20), sampleShare(1))),
		Yields: []Bars{
			sampleBars("yield_documents", yield("DOCUMENT:KTP", .72, 800), yield("DOCUMENT:NPWP_BADAN", .81, 300), yield("PHOTO_PROOF", .996, 411)),
			sampleBars("yield_lines", yield("RETAIL", .79, 1200), yield("MINING", .9, 20)),
			sampleBars("yield_entities", yield("PERSEORANGAN", .77, 900), yield("PT", .84, 600), yield("PERKUMPULAN_BERBADAN_HUKUM", .5, 2)),
		},
		Next: sampleBars("next", sampleBar("merchant", n(180), sampleSpan(6.2)), sampleBar("staff", n(290), sampleSpan(3.8)),
			sampleBar("reviewer", n(90), sampleSpan(.4)), sampleBar("doku", n(22), sampleSpan(.01))),
		People: sampleBars("people", sampleBar("Raden Ajeng Kusumawardhani Prawirodirdjo-Sosrokartono", n(301), sampleCount(n(180)), sampleSpan(5.5), sampleCount(n(20))),
			sampleBar("Staf Contoh", n(120), sampleCount(n(44)), sampleSpan(2.2), sampleCount(n(3)))),
		Decided:  sampleBars("decided", sampleBar("Peninjau Contoh", n(1402), sampleShare(.19)), sampleBar("Peninjau Dua", n(702), sampleShare(.11))),
		Queue:    sampleBars("queue", queue("Peninjau Contoh", .2, .7), queue("Peninjau Dua", .5, 1.4)),
		Expiring: sampleBars("expiring", sampleBar("expired", 3), sampleBar("7", n(2)), sampleBar("30", n(12)), sampleBar("90", n(41))),
		Expires: sampleBars("expires", sampleBar("DOCUMENT:PASPOR", n(22), sampleCount(n(8)), sampleCount(1), sampleCount(2)),
			sampleBar("DOCUMENT:IZIN_PENYELENGGARAAN_IBADAH_HAJI_DAN_UMRAH", n(19), sampleCount(n(4)), sampleCount(1), sampleCount(1))),
		DOKU:  sampleDays(4),
		Calls: CallsView{Weeks: 12, Answered: Datum{Value: n(2201)}, Failed: Datum{Value: 4}, Average: Datum{Value: .412, Unit: Span}, Slowest: Datum{Value: 9.1, Unit: Span}, URL: HealthURL()},
	}
	v.Queue.Limit, v.Queue.Rows[1].Cells[0] = 86400, late
	return v
}

// sampleSingle is a portfolio of one merchant, in which most things have not happened.
func sampleSingle() InsightsPage {
	v := sampleInsights(1)
	zero := func(b *Bars) { b.Rows = nil }
	for _, b := range []*Bars{&v.Reasons, &v.Decided, &v.Queue, &v.Expiring, &v.Expires, &v.Yields[0], &v.Yields[1], &v.Yields[2]} {
		zero(b)
	}
	for i := range v.Figures {
		v.Figures[i].Value, v.Figures[i].Note = 0, nil
	}
	v.Figures[0].Value, v.Figures[7].None, v.Figures[7].Note = 1, true, &Message{Code: "none_decided"}
	v.Funnel.Rows = v.Funnel.Rows[:2]
	for i := range v.Funnel.Rows {
		v.Funnel.Rows[i].Figure.Value = float64(1 - i)
		v.Funnel.Rows[i].Cells = []Datum{sampleShare(float64(1 - i)), {None: true}}
	}
	v.Standing = sampleStanding([]float64{1, 0, 0, 0, 0, 0}, make([]float64, 6), make([]float64, 6), make([]float64, 6))
	v.Pace = sampleWeeks(12, 0)
	v.Pace.Ahead, v.Forecast = nil, ForecastView{}
	v.Blocks.Rows = []Bar{sampleBar("DOCUMENT:KTP", 1, sampleSpan(0), sampleCount(1), sampleCount(0), sampleCount(0), sampleCount(0), sampleCount(0))}
	v.Next.Rows = []Bar{sampleBar("staff", 1, sampleSpan(0))}
	v.People.Rows = []Bar{sampleBar("Staf Contoh", 1, sampleCount(1), sampleSpan(0), sampleCount(0))}
	for i := range v.DOKU.Steps {
		v.DOKU.Steps[i].Figure.Value, v.DOKU.Steps[i].Bad.Value = 0, 0
	}
	v.Calls.Answered.Value, v.Calls.Failed.Value, v.Calls.Average.None, v.Calls.Slowest.None = 0, 0, true, true
	return v
}

func sampleWeek() WeekPage {
	v := sampleInsights(1)
	row := func(key string, now, before, average float64) WeekRow {
		return WeekRow{key, sampleCount(now), Datum{Value: before}, Datum{Value: average, Unit: Rate}}
	}
	return WeekPage{Page: v.Page, Filter: InsightsFilter{Team: "Jakarta"}, AsOf: v.AsOf, From: sampleTime(9 * day), Until: sampleTime(3 * day), PrevURL: WeekURL(InsightsFilter{}, "2026-11-09"),
		NextURL: WeekURL(InsightsFilter{}, "2026-11-23"), Figures: v.Figures, Standing: v.Standing, Forecast: v.Forecast, Blocks: v.Blocks, Reasons: v.Reasons, Next: v.Next, People: v.People, Decided: v.Decided,
		Expiring: v.Expiring, Week: WeekTable{[]WeekRow{row("created", 31, 28, 26.5), row("first_document", 30, 27, 24.1), row("at_doku", 22, 25, 20), row("approved", 19, 21, 18.4),
			row("registered", 51, 47, 44.6), row("active", 40, 44, 38), row("documents_approved", 412, 380, 366), row("documents_refused", 61, 70, 72.5)}}}
}

func insightsSamples() []Sample {
	empty := sampleInsights(0)
	empty.Empty = true
	filtered := sampleInsights(1)
	filtered.Filter = InsightsFilter{Period: 104, Team: "Surabaya", Type: "CORPORATE", Entity: "YAYASAN", Line: "MINING", Who: "2"}
	filtered.Pace = sampleWeeks(104, 1)
	none := filtered
	none.Empty = true
	return []Sample{
		{"insights", Insights(sampleInsights(1))},
		{"insights-filtered", Insights(filtered)},
		{"insights-million", Insights(sampleInsights(1117))},
		{"insights-single", Insights(sampleSingle())},
		{"insights-empty", Insights(empty)},
		{"insights-nothing", Insights(none)},
		{"insights-week", InsightsWeek(sampleWeek())},
	}
}
