package views

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"berkas/internal/words"
)

// Datum is one figure: as it is for scripts (data-figure, data-value), in words for people.
type Datum struct {
	Name  string // for scripts, "" for one that they do not need
	Value float64
	Unit  Unit
	URL   string // the list behind it
	Tone  string // good, wait, bad or none
	None  bool   // there is nothing to tell a figure from
}

// Unit says how a figure is written.
type Unit string

const (
	Count  Unit = ""       // of things
	Share  Unit = "share"  // of 1, written in percent
	Span   Unit = "span"   // seconds
	Rate   Unit = "rate"   // of things in a week, with a decimal
	Points Unit = "points" // a change of a share, of 1, with its sign
)

const valueDigits = 1e4

// OrNone is the figure, or none.
func (d Datum) OrNone(none bool) Datum {
	d.None = d.None || none
	return d
}

// value is the figure for scripts, with at most four decimals and never grouped.
func (d Datum) value() string {
	if d.None {
		return ""
	}
	return strconv.FormatFloat(math.Round(d.Value*valueDigits)/valueDigits, 'f', -1, 64)
}

// data is the figure for scripts.
func (d Datum) data() templ.Attributes {
	if d.Name == "" {
		return nil
	}
	return templ.Attributes{"data-figure": d.Name, "data-value": d.value()}
}

// nothing is a count of none: there is no list behind it.
func (d Datum) nothing() bool { return d.Unit == Count && d.Value == 0 }

func toneClass(tone string) string {
	if tone == "" || tone == "none" {
		return ""
	}
	return "tone-" + tone
}

func (d Datum) text(ctx context.Context) string {
	switch {
	case d.None:
		return "–"
	case d.Unit == Share:
		return say(ctx, "chart.percent", "n", percent(ctx, d.Value))
	case d.Unit == Points:
		return say(ctx, "chart.points", "n", signed(ctx, 100*d.Value))
	case d.Unit == Span:
		return longSpan(ctx, d.Value)
	case d.Unit == Rate:
		return words.Decimal(ctx, d.Value, 1)
	}
	return words.Number(ctx, int64(d.Value))
}

// percent is a share of 1; only all is 100 and only nothing is 0.
func percent(ctx context.Context, share float64) string {
	p := math.Round(share*1000) / 10
	switch {
	case share > 0 && p == 0:
		p = 0.1
	case share < 1 && p >= 100:
		p = 99.9
	}
	return words.Decimal(ctx, p, 1)
}

func signed(ctx context.Context, x float64) string {
	text := words.Decimal(ctx, math.Abs(x), 1)
	switch {
	case text == "0":
		return "±0"
	case x < 0:
		return "−" + text
	}
	return "+" + text
}

// longSpan is a time in seconds, with a decimal of a day where words.Duration has whole ones.
func longSpan(ctx context.Context, seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if days := d.Hours() / 24; d >= 47*time.Hour {
		if days >= 10 {
			days = math.Round(days)
		}
		return say(ctx, "chart.days", "n", words.Decimal(ctx, days, 1))
	}
	return words.Duration(ctx, d)
}

// Bars is a table each row of which carries a bar: the picture and the table behind it in one.
type Bars struct {
	Key     string   // names it: "insights." + Key
	Of      string   // what its names are: document, reason, line, legal, stage, actor, window, week; "" for names of people and teams
	Columns []string // "insights.column." + each: of the names, of the bars, of each cell
	Rows    []Bar
	Limit   float64 // a line across all bars, 0: none
	More    int     // rows left out
}

// Bar is one row. Name is a code of what the table is of, or a name.
type Bar struct {
	Name   string
	URL    string
	Figure Datum   // what the bar shows
	Reach  float64 // a thin line as far as this, beyond the bar: 0 for none
	Cells  []Datum
	Why    *Message // "insights.why." + Code, in a cell of its own behind the others
}

// name is a code in words.
func (b Bars) name(ctx context.Context, name string) string { return nameOf(ctx, b.Of, name) }

func nameOf(ctx context.Context, of, name string) string {
	switch of {
	case "":
		return name
	case "document":
		category, code, _ := strings.Cut(name, ":")
		return documentName(ctx, category, code)
	case "reason":
		return reasonTitle(ctx, name)
	case "line", "legal", "type":
		if name == "" {
			return say(ctx, "chart.unnamed")
		}
		return named(ctx, of+".", name)
	}
	return named(ctx, "insights."+of+".", name)
}

// top is the value at the right end of all bars.
func (b Bars) top() float64 {
	top := b.Limit
	for _, row := range b.Rows {
		if !row.Figure.None {
			top = max(top, row.Figure.Value, row.Reach)
		}
		if row.Figure.Unit == Share {
			top = 1
		}
	}
	return top
}

// The pictures are grids of these units, stretched to their places.
const (
	barWidth  = 1000
	barHeight = 10
	thinnest  = 4 // what is not nothing can be seen
)

// across is a value's place on a bar.
func (b Bars) across(value float64) string {
	top := b.top()
	if value <= 0 || top <= 0 {
		return "0"
	}
	return units(max(thinnest, barWidth*value/top))
}

func (b Bars) whisker(row Bar) string {
	from, to := b.across(row.Figure.Value), b.across(row.Reach)
	return "M" + from + " 5H" + to + "M" + to + " 2V8"
}

func (b Bars) line() string { return "M" + b.across(b.Limit) + " 0V10" }

// units writes a coordinate.
func units(x float64) string { return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64) }

// Columns is a picture of weeks or days: a column each, a line across for a target, a band for what is expected. A table
// behind it says the same.
type Columns struct {
	Key    string // names it: "insights." + Key
	Steps  []Step // oldest first
	Unit   Unit
	Days   int     // of a step
	Target float64 // 0: none
	Ahead  *Ahead
	Bad    string // what Step.Bad counts: "insights.column." + Bad; "" for nothing
}

// Step is one column.
type Step struct {
	At     time.Time // its first day
	Figure Datum
	Part   bool // it is not over yet
	Bad    Datum
}

// Ahead is what is expected of each of the steps that follow.
type Ahead struct {
	Steps          int
	Mid, Low, High float64
}

func (c Columns) steps() int {
	if c.Ahead == nil {
		return len(c.Steps)
	}
	return len(c.Steps) + c.Ahead.Steps
}

func (c Columns) at(i int) time.Time { return c.Steps[0].At.AddDate(0, 0, i*c.Days) }

// top is the value of the picture's upper edge: a round one not below anything in it.
func (c Columns) top() float64 {
	highest := max(c.Target, 1)
	if c.Unit == Span {
		highest = 0.05
	}
	for _, s := range c.Steps {
		highest = max(highest, s.Figure.Value)
	}
	if c.Ahead != nil {
		highest = max(highest, c.Ahead.High)
	}
	power := math.Pow(10, math.Floor(math.Log10(highest)))
	for _, round := range []float64{1, 2, 4, 5, 8, 10} {
		if highest <= round*power {
			highest = round * power
			break
		}
	}
	if c.Unit == Count && highest < 2 {
		return 2
	}
	return highest
}

func (c Columns) datum(value float64) Datum { return Datum{Value: value, Unit: c.Unit} }

// middle is the value half way up.
func (c Columns) middle() Datum {
	d := c.datum(c.top() / 2)
	if c.Unit == Count && d.Value != math.Trunc(d.Value) {
		d.Unit = Rate
	}
	return d
}

func (c Columns) width() float64 { return chartWidth / float64(c.steps()) }

func (c Columns) left(i int) string { return units(float64(i) * c.width()) }

// columnLeft and columnWidth leave a gap on both sides.
func (c Columns) columnLeft(i int) string { return units((float64(i) + .15) * c.width()) }
func (c Columns) columnWidth() string     { return units(.7 * c.width()) }

func (c Columns) height(value float64) float64 {
	if value <= 0 {
		return 0
	}
	return max(1, chartHeight*value/c.top())
}

func (c Columns) targetLine() string {
	return "M0 " + units(chartHeight-c.height(c.Target)) + "H" + strconv.Itoa(chartWidth)
}

func (c Columns) expected() string {
	return "M" + c.left(len(c.Steps)) + " " + units(chartHeight-c.height(c.Ahead.Mid)) + "H" + strconv.Itoa(chartWidth)
}

func (c Columns) band() string {
	low, high := units(chartHeight-c.height(c.Ahead.Low)), units(chartHeight-c.height(c.Ahead.High))
	return "M" + c.left(len(c.Steps)) + " " + low + "V" + high + "H" + strconv.Itoa(chartWidth) + "V" + low + "z"
}

// marks are the days below the picture, evenly spread.
func (c Columns) marks() []time.Time {
	n := c.steps()
	if n < 4 {
		return []time.Time{c.at(0), c.at(n)}
	}
	return []time.Time{c.at(0), c.at(n / 4), c.at(n / 2), c.at(3 * n / 4), c.at(n)}
}

// newest are the steps' places, newest first.
func (c Columns) newest() []int {
	list := make([]int, len(c.Steps))
	for i := range list {
		list[i] = len(list) - 1 - i
	}
	return list
}

// stepName is a step in words: a day, or the week that begins with it.
func (c Columns) stepName(ctx context.Context, i int) string {
	key := "chart.week"
	switch {
	case c.Days == 1:
		return words.Date(ctx, c.at(i))
	case i < len(c.Steps) && c.Steps[i].Part:
		key = "chart.week.part"
	}
	return say(ctx, key, "day", words.Date(ctx, c.at(i)))
}

// title is a mark in words.
func (c Columns) title(ctx context.Context, i int) string {
	text := c.stepName(ctx, i) + ": " + c.Steps[i].Figure.text(ctx)
	if bad := c.Steps[i].Bad; bad.Value > 0 {
		text += ", " + say(ctx, "insights.column."+c.Bad) + " " + bad.text(ctx)
	}
	return text
}

// over is what the steps are: "insights.column." + over.
func (c Columns) over() string {
	if c.Days == 1 {
		return "day"
	}
	return "week"
}

func (c Columns) nothing() bool {
	return !slices.ContainsFunc(c.Steps, func(s Step) bool { return s.Figure.Value > 0 || s.Bad.Value > 0 })
}

// Shares is a picture of wholes and their parts, one below the other, and the table behind it.
type Shares struct {
	Key   string   // names it: "insights." + Key
	Of    string   // what its parts are
	Parts []string // codes
	Rows  []Whole
}

// Whole is one row: its parts in the order of Shares.Parts. Name is the sentence "insights." + Key + "." + Name.
type Whole struct {
	Name  Message
	Parts []Datum
}

func (w Whole) total() (sum float64) {
	for _, p := range w.Parts {
		sum += p.Value
	}
	return sum
}

// piece is where a part of a whole lies: its left edge and width.
func (w Whole) piece(i int) (left, width string) {
	before := 0.0
	for _, p := range w.Parts[:i] {
		before += p.Value
	}
	return units(barWidth * before / w.total()), units(max(thinnest/2, barWidth*w.Parts[i].Value/w.total()))
}

func (s Shares) title(ctx context.Context, w Whole, i int) string {
	d := w.Parts[i]
	return message(ctx, "insights."+s.Key+".", w.Name) + ", " + nameOf(ctx, s.Of, s.Parts[i]) + ": " + d.text(ctx) + " (" +
		Datum{Value: d.Value / w.total(), Unit: Share}.text(ctx) + ")"
}

// step is the shade of a part.
func step(i int) string { return "step-" + strconv.Itoa(i) }
