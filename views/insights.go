package views

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"berkas/internal/words"
)

// InsightsPage is the whole portfolio in pictures that lead to lists.
type InsightsPage struct {
	Page     Page
	Filter   InsightsFilter
	Choices  InsightsChoices
	AsOf     time.Time
	From     time.Time // the first day of the period
	Empty    bool      // no merchant matches
	Figures  []HeadFigure
	Funnel   Bars
	Standing Shares
	Pace     Columns
	Forecast ForecastView
	Blocks   Bars
	Reasons  Bars
	Yields   []Bars // per document, line of business, legal entity
	Next     Bars
	People   Bars
	Decided  Bars
	Queue    Bars
	Hours    int // within which a document should be decided
	Expiring Bars
	Expires  Bars // the documents that expire
	DOKU     Columns
	Calls    CallsView
}

// InsightsFilter is the question as it stands in the address. Period: weeks. Who: a person's id, mine, or nobody.
type InsightsFilter struct {
	Period                        int
	Team, Type, Entity, Line, Who string
}

// InsightsPeriods are the periods offered, in weeks.
var InsightsPeriods = []int{4, 12, 26, 52, 104}

// DefaultPeriod is left out of addresses.
const DefaultPeriod = 12

// InsightsChoices are what the filter offers.
type InsightsChoices struct {
	Teams, Types, Entities, Lines []string
	People                        []Option
}

// HeadFigure is one of the main figures. Note says what stands below it: "insights.note." + Code; figures in it are
// written as such.
type HeadFigure struct {
	Datum
	Note *Message
}

func (f HeadFigure) note(ctx context.Context) string {
	written := map[string]any{}
	for name, value := range f.Note.Params {
		if d, ok := value.(Datum); ok {
			value = d.text(ctx)
		}
		written[name] = value
	}
	return message(ctx, "insights.note.", Message{f.Note.Code, written})
}

// ForecastView is what the own pace promises. Weeks is how many whole weeks it was taken from, 0: too few for a word.
type ForecastView struct {
	Weeks           int
	Pace            Datum // a week
	Low, High       Datum // four of five weeks lie between
	Open            Datum // merchants to be registered
	Last            Datum // weeks until the last of them at this pace; None: never
	Soonest, Latest Datum
}

// CallsView is how DOKU took documents in the weeks of its picture.
type CallsView struct {
	Weeks            int
	Answered, Failed Datum
	Average, Slowest Datum
	URL              string
}

// WeekPage is one week on paper: what happened in it beside the week before, and what stands now.
type WeekPage struct {
	Page             Page
	Filter           InsightsFilter
	Who              string // the name behind Filter.Who
	AsOf             time.Time
	From, Until      time.Time // its Monday and its Sunday
	Running          bool      // it is not over yet
	Empty            bool
	PrevURL, NextURL string
	Figures          []HeadFigure
	Week             WeekTable
	Standing         Shares
	Forecast         ForecastView
	Blocks, Reasons  Bars
	Next, People     Bars
	Decided          Bars
	Expiring         Bars
}

// WeekTable are figures of one week beside those of others. Key: "insights.week." + each.
type WeekTable struct{ Rows []WeekRow }

// WeekRow is one figure in the week, in the week before, and as it is on average of the weeks before.
type WeekRow struct {
	Key                  string
	Now, Before, Average Datum
}

func (f InsightsFilter) query() url.Values {
	q := url.Values{}
	if f.Period != 0 && f.Period != DefaultPeriod {
		q.Set("period", strconv.Itoa(f.Period))
	}
	for name, value := range map[string]string{"team": f.Team, "type": f.Type, "entity": f.Entity, "line": f.Line, "who": f.Who} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q
}

// asks reports whether merchants are left out.
func (f InsightsFilter) asks() bool { return f != InsightsFilter{Period: f.Period} }

// InsightsURL is the page filtered; WeekURL the summary of the week that begins on a day, "" for the last one.
func InsightsURL(f InsightsFilter) string { return withValues("/insights", f.query()) }
func WeekURL(f InsightsFilter, monday string) string {
	f.Period = 0
	q := f.query()
	if monday != "" {
		q.Set("week", monday)
	}
	return withValues("/insights/week", q)
}

func withValues(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// filtered are the filter's values in words.
func (f InsightsFilter) filtered(ctx context.Context, who string) (list []string) {
	for _, v := range []struct{ prefix, value string }{{"", f.Team}, {"type.", f.Type}, {"legal.", f.Entity}, {"line.", f.Line}} {
		switch {
		case v.value == "":
		case v.prefix == "":
			list = append(list, say(ctx, "insights.team", "name", v.value))
		default:
			list = append(list, named(ctx, v.prefix, v.value))
		}
	}
	if f.Who != "" {
		list = append(list, who)
	}
	return list
}

// whoName is the colleague of the filter in words.
func (c InsightsChoices) whoName(ctx context.Context, who string) string {
	for _, p := range c.People {
		if p.Value == who {
			return p.Text
		}
	}
	return named(ctx, "merchants.who.", who)
}

func periodText(ctx context.Context, weeks int) string {
	return say(ctx, "insights.period", "n", weeks)
}

// over says of what time a part of the page speaks.
func (v InsightsPage) over(ctx context.Context, period bool) string {
	asOf := words.Moment(ctx, v.AsOf)
	if period {
		return say(ctx, "insights.over.period", "from", words.Date(ctx, v.From), "as_of", asOf)
	}
	return say(ctx, "insights.over.now", "as_of", asOf)
}

func (v WeekPage) now(ctx context.Context) string {
	return say(ctx, "insights.over.now", "as_of", words.Moment(ctx, v.AsOf))
}

func (v WeekPage) week(ctx context.Context) string {
	return say(ctx, "insights.over.week", "from", words.Day(ctx, v.From), "until", words.Date(ctx, v.Until))
}

// tables are what the page's tables are of, and their columns.
var tables = map[string]Bars{
	"funnel":          {Of: "stage", Columns: []string{"stage", "merchants", "of_created", "median_before"}},
	"blocks":          {Of: "document", Columns: []string{"document", "open", "age", "missing", "refused", "failed_slots", "waiting", "delivered"}},
	"reasons":         {Of: "reason", Columns: []string{"reason", "refusals", "together"}},
	"yield_documents": {Of: "document", Columns: []string{"document", "yield", "decided"}},
	"yield_lines":     {Of: "line", Columns: []string{"line", "yield", "decided"}},
	"yield_entities":  {Of: "legal", Columns: []string{"legal", "yield", "decided"}},
	"next":            {Of: "actor", Columns: []string{"actor", "merchants", "age"}},
	"people":          {Columns: []string{"person", "merchants", "staff", "age", "overdue"}},
	"decided":         {Columns: []string{"person", "decisions", "share_refused"}},
	"queue":           {Columns: []string{"person", "median", "p90"}},
	"expiring":        {Of: "window", Columns: []string{"window", "documents"}},
	"expires":         {Of: "document", Columns: []string{"document", "within_90", "within_30", "within_7", "expired"}},
}

// BarsOf is one of the page's tables with at most so many rows; the others are only counted.
func BarsOf(key string, most int, rows []Bar) Bars {
	b := tables[key]
	b.Key, b.More, b.Rows = key, max(0, len(rows)-most), rows[:min(most, len(rows))]
	return b
}
