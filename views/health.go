package views

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"berkas/internal/words"
)

// HealthView is how DOKU is doing and what waits for it. State: fine, down, unknown.
type HealthView struct {
	State   string
	Since   time.Time     // down since
	For     time.Duration // and for how long
	LastOK  time.Time     // last answer, zero: never
	Latency time.Duration
	Error   *CallErrorView // the last one, nil: never
	Next    time.Time      // when the next document has its turn, zero: none waits
	Waiting, Sending, Refused,
	GivenUp int // documents, each no more than Limit
	Limit  int
	Oldest *OldestView // of what waits or is being sent
}

// CallErrorView is a call that DOKU did not answer as it should; Status 0 is no answer at all.
type CallErrorView struct {
	Call   string
	Status int
	At     time.Time
}

// OldestView is the document that has waited for DOKU longest. Why: "", unreachable, limited, credential, unclear.
type OldestView struct {
	MerchantID     int64
	Merchant       string
	Category, Code string
	Since          time.Time
	Why            string
}

// HealthPage is DOKU's health. Part is what changes of it, for a page that is open.
type HealthPage struct {
	Page      Page
	Health    HealthView
	Hour, Day ChartView
	Calls     []CallView // of the last 24 hours
	CanRetry  bool
	Part      bool
	Poll      bool // an open page asks for what changed
}

// ChartView is how fast DOKU answered over a time, in equal steps. Key: hour, day.
type ChartView struct {
	Key  string
	From time.Time
	Step time.Duration
	Bars []BarView
}

// BarView is one step: the calls that DOKU answered and how fast, and those it did not.
type BarView struct {
	Answered, Failed int
	Average, Slowest time.Duration
}

// CallView is how one kind of call went.
type CallView struct {
	Call string
	BarView
}

// live marks what a partial update replaces wherever it stands.
func (v HealthPage) live() templ.Attributes {
	if v.Part {
		return templ.Attributes{"hx-swap-oob": "true"}
	}
	return nil
}

func (v HealthView) tone() string {
	switch v.State {
	case "fine":
		return "good"
	case "down":
		return "bad"
	}
	return "none"
}

// do is what the state means for whoever reads it.
func (v HealthView) do(ctx context.Context) string {
	switch {
	case v.State == "down" && v.Error != nil && v.Error.Call == "token" && v.Error.Status >= 400 && v.Error.Status < 500:
		return say(ctx, "health.down.credential")
	case v.State == "down":
		return say(ctx, "health.down.do")
	case v.State == "fine":
		return say(ctx, "health.fine.do")
	}
	return say(ctx, "health.unknown.do")
}

// counts are the queue's depth as figures.
func (v HealthView) counts() []Figure {
	figure := func(key string, n int, tone string) Figure {
		return Figure{Key: key, Value: min(n, v.Limit), More: n > v.Limit, Tone: tone}
	}
	return []Figure{figure("queued", v.Waiting, "wait"), figure("sending", v.Sending, "none"), figure("doku_refused", v.Refused, "bad"), figure("given_up", v.GivenUp, "bad")}
}

func (e CallErrorView) text(ctx context.Context) string {
	if e.Status == 0 {
		return say(ctx, "health.error.silent", "call", callName(ctx, e.Call))
	}
	return say(ctx, "health.error.status", "call", callName(ctx, e.Call), "status", strconv.Itoa(e.Status))
}

func callName(ctx context.Context, call string) string { return named(ctx, "health.call.", call) }

// span is a latency: thousandths of a second below one.
func span(ctx context.Context, d time.Duration) string {
	if d < time.Second {
		return say(ctx, "health.ms", "n", d.Milliseconds())
	}
	return words.Duration(ctx, d)
}

// total is all bars in one.
func (c ChartView) total() (t BarView) {
	var sum time.Duration
	for _, b := range c.Bars {
		sum += b.Average * time.Duration(b.Answered)
		t.Answered, t.Failed, t.Slowest = t.Answered+b.Answered, t.Failed+b.Failed, max(t.Slowest, b.Slowest)
	}
	if t.Answered > 0 {
		t.Average = sum / time.Duration(t.Answered)
	}
	return t
}

func (b BarView) calls() int { return b.Answered + b.Failed }

// summary is a chart in a sentence.
func (c ChartView) summary(ctx context.Context) string {
	t := c.total()
	switch {
	case t.calls() == 0:
		return say(ctx, "health.none")
	case t.Answered == 0:
		return say(ctx, "health.summary.failed", "n", t.Failed)
	}
	return say(ctx, "health.summary", "n", t.calls(), "average", span(ctx, t.Average), "slowest", span(ctx, t.Slowest), "failed", t.Failed)
}

func (c ChartView) at(i int) time.Time { return c.From.Add(time.Duration(i) * c.Step) }

// The picture is a grid of these units, stretched to its place. Below the bars is a strip for failures.
const (
	chartWidth  = 960
	chartHeight = 100
	stripTop    = 106
	stripHeight = 8
)

var chartTops = []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, 500 * time.Millisecond, time.Second, 2 * time.Second,
	5 * time.Second, 10 * time.Second, 20 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute}

// top is the value of the chart's upper edge: a round one not below the slowest call.
func (c ChartView) top() time.Duration {
	slowest := c.total().Slowest
	for _, t := range chartTops {
		if slowest <= t {
			return t
		}
	}
	return slowest
}

// path draws a bar of some height for every step that has one. Heights are of 100; from is the lower edge.
func (c ChartView) path(from float64, height func(BarView) float64) string {
	var p strings.Builder
	step := chartWidth / float64(len(c.Bars))
	gap := min(2, step/4)
	number := func(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
	for i, b := range c.Bars {
		h := height(b)
		if h <= 0 {
			continue
		}
		h = float64(int(max(h, 1)*10)) / 10
		p.WriteString("M" + number(float64(int(float64(i)*step*10+gap*5))/10) + " " + number(from) + "v-" + number(h) + "h" + number(float64(int((step-gap)*10))/10) + "v" + number(h) + "z")
	}
	return p.String()
}

func (c ChartView) slowest() string {
	return c.path(chartHeight, func(b BarView) float64 { return chartHeight * float64(b.Slowest) / float64(c.top()) })
}

func (c ChartView) average() string {
	return c.path(chartHeight, func(b BarView) float64 { return chartHeight * float64(b.Average) / float64(c.top()) })
}

func (c ChartView) failures() string {
	return c.path(stripTop+stripHeight, func(b BarView) float64 { return stripHeight * float64(min(b.Failed, 1)) })
}

// rows are the steps in which there were calls, newest first.
func (c ChartView) rows() (rows []int) {
	for i := len(c.Bars) - 1; i >= 0; i-- {
		if c.Bars[i].calls() > 0 {
			rows = append(rows, i)
		}
	}
	return rows
}

// ticks are the times below a chart.
func (c ChartView) ticks() []time.Time {
	n := len(c.Bars)
	return []time.Time{c.at(0), c.at(n / 4), c.at(n / 2), c.at(3 * n / 4), c.at(n)}
}
