package onboarding

import (
	"context"
	"math"
	"time"

	"berkas/internal/words"
	"berkas/models"
)

// InsightsQuestion asks for figures of some merchants, and for what happened in some weeks. Days are midnights in UTC.
type InsightsQuestion struct {
	Of    models.TallyFilter
	From  time.Time // the Monday of the first week
	Until time.Time // the Monday after the last one; zero: up to now
}

// Insights are figures of the portfolio: how it stands, and what happened in the weeks that were asked for.
type Insights struct {
	AsOf     time.Time
	States   map[models.ProgressState]int64 // merchants
	Next     map[models.NextActor]Counted
	People   map[models.PersonID]Workload // by who is responsible, 0 for nobody
	Longest  []models.PersonID            // those of People whose work waits longest first
	Overdue  int64
	Kinds    []KindFigures // what is not there or not approved, the most open first
	Expiring []KindExpiry  // what expires within 90 days or has, the most first
	Standing []Completion  // now, and 4, 8 and 12 weeks ago
	Funnel   []StageFigures
	Weeks    []WeekFigures // all of the period and those the forecast is taken from, without a gap
	Reasons  []ReasonCount // the most frequent first
	Yields   Yields
	Reviewed map[models.PersonID]Reviewed
	Busiest  []models.PersonID // those of Reviewed who decided most first
	Queued   Durations         // until any of them decided
}

// Counted are merchants or documents: how many, and for how long on average they have been as they are.
type Counted struct {
	N     int64
	Age   time.Duration
	since int64
}

// Workload is what somebody is responsible for: merchants neither complete nor registered, those that the staff must
// act for, and those past their due day, which are counted of the first Ranked alone.
type Workload struct {
	Open    int64
	Staff   Counted
	Overdue int64
}

// KindFigures are the documents of a kind that are not approved, of merchants that are not registered.
type KindFigures struct {
	Category, Code string
	States         map[string]Counted // missing, waiting, delivered, refused, failed
	Open           Counted            // but those delivered, which a reviewer has to decide
}

// KindExpiry is how many documents of a kind have expired or will, within so many days: each number holds the shorter ones.
type KindExpiry struct {
	Category, Code                       string
	Expired, Within7, Within30, Within90 int64
}

// Completion is how many merchants were in which quarter of their checklist when a week began; of the zero time, now.
type Completion struct {
	Weeks int // ago
	At    time.Time
	N     map[string]int64 // 0..4, registered
}

// StageFigures are the merchants made in the period that have reached a stage, and their time from the stage before.
type StageFigures struct {
	Stage models.Stage
	N     int64
	Took  Durations
}

// WeekFigures are how many merchants reached each stage in a week, and how many documents were decided.
type WeekFigures struct {
	Monday            time.Time
	Reached           map[models.Stage]int64
	Approved, Refused int64
}

// ReasonCount is how often a reason was given.
type ReasonCount struct {
	Code string
	N    int64
}

// Yield is how many first versions were approved, of those decided.
type Yield struct {
	Name     string // category:code or category, line of business, legal entity
	Approved int64
	Decided  int64
}

// Share is the part approved; of nothing decided it is nothing.
func (y Yield) Share() float64 {
	if y.Decided == 0 {
		return 0
	}
	return float64(y.Approved) / float64(y.Decided)
}

// Yields are the first-pass yield of all, and told apart, the lowest first.
type Yields struct {
	All                        Yield
	Documents, Lines, Entities []Yield
}

// Reviewed is what a reviewer decided, and how long that had been in the queue, which is counted of the first Ranked alone.
type Reviewed struct {
	Approved, Refused int64
	Queued            Durations
}

// Durations are counted by the buckets of models.BucketOf.
type Durations [models.Buckets]int64

// N is how many there are.
func (d Durations) N() (n int64) {
	for _, of := range d {
		n += of
	}
	return n
}

// Quantile is the time that a share of the durations does not exceed, evenly spread within its bucket. Not ok when there are none.
func (d Durations) Quantile(share float64) (time.Duration, bool) {
	rank, below := share*float64(d.N()), 0.0
	for i, n := range d {
		if n > 0 && below+float64(n) >= rank {
			from, to := models.BucketOf(i)
			if to == 0 {
				return from, true
			}
			return from + time.Duration(float64(to-from)*(rank-below)/float64(n)), true
		}
		below += float64(n)
	}
	return 0, false
}

const delivered = string(models.Delivered)

// Ranked is of how many people everything is counted: those whose work waits longest, those who decided most.
const Ranked = 12

const (
	forecastWeeks = 8
	fewestWeeks   = 4
	fewDecided    = 10
	fourOfFive    = 1.28 // standard deviations on both sides of the average hold four of five
)

// Forecast is what the weeks before promise. The zero Forecast promises nothing.
type Forecast struct {
	Weeks           int // whole weeks it was taken from
	Pace            float64
	Low, High       float64 // four of five weeks lie between
	Last            int     // weeks until all are registered at this pace, 0: never
	Soonest, Latest int     // and within the band of the average; Latest 0: perhaps never
}

// Forecast is taken from up to eight whole weeks before the one of a day, since the first registration in them.
func (in Insights) Forecast(before time.Time) (f Forecast) {
	var paces []float64
	for _, w := range in.Weeks {
		n := float64(w.Reached[models.StageRegistered])
		if w.Monday.Before(before) && !w.Monday.Before(before.AddDate(0, 0, -7*forecastWeeks)) && (n > 0 || len(paces) > 0) {
			paces = append(paces, n)
		}
	}
	if len(paces) < fewestWeeks {
		return f
	}
	f.Weeks = len(paces)
	for _, n := range paces {
		f.Pace += n / float64(len(paces))
	}
	spread := 0.0
	for _, n := range paces {
		spread += (n - f.Pace) * (n - f.Pace) / float64(len(paces)-1)
	}
	band := fourOfFive * max(math.Sqrt(spread), math.Sqrt(f.Pace))
	f.Low, f.High = math.Round(max(0, f.Pace-band)), math.Round(f.Pace+band)
	open, narrow := float64(in.Merchants()-in.States[models.ProgressRegistered]), band/math.Sqrt(float64(len(paces)))
	f.Last, f.Soonest, f.Latest = weeksFor(open, f.Pace), weeksFor(open, f.Pace+narrow), weeksFor(open, f.Pace-narrow)
	return f
}

func weeksFor(open, pace float64) int {
	if pace <= 0 {
		return 0
	}
	return int(math.Ceil(open / pace))
}

// Merchants is how many there are.
func (in Insights) Merchants() (n int64) {
	for _, of := range in.States {
		n += of
	}
	return n
}

// Slots are the documents of all kinds in a state.
func (in Insights) Slots(state string) (sum Counted) {
	for _, k := range in.Kinds {
		sum = sum.and(k.States[state])
	}
	return sum.aged(in.AsOf)
}

// Expiry is the sum of all kinds.
func (in Insights) Expiry() (sum KindExpiry) {
	for _, k := range in.Expiring {
		sum.Expired, sum.Within7, sum.Within30, sum.Within90 = sum.Expired+k.Expired, sum.Within7+k.Within7, sum.Within30+k.Within30, sum.Within90+k.Within90
	}
	return sum
}

// Monday is the first day of a time's week in Jakarta.
func Monday(t time.Time) time.Time {
	day, _ := time.Parse(time.DateOnly, models.WeekOf(t)) // written just so
	return day
}

// today is the day it is in Jakarta.
func today(now time.Time) time.Time {
	y, m, d := now.In(words.WIB).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Insights answers a question.
func (s *Service) Insights(ctx context.Context, q InsightsQuestion) (Insights, error) {
	c := newCounting(s.Now())
	c.stands()
	c.work()
	c.standings()
	c.happened(q)
	if err := c.count(ctx, s.Store.Reader, q.Of); err != nil {
		return c.in, err
	}
	c.rank()
	c.closer(q)
	err := c.count(ctx, s.Store.Reader, q.Of)
	return c.answer(), err
}

// HeadInsights are the figures of now alone, and the first-pass yield of the period.
func (s *Service) HeadInsights(ctx context.Context, q InsightsQuestion) (Insights, error) {
	c := newCounting(s.Now())
	c.stands()
	c.yieldsBy(q, models.ByNothing, c.all)
	err := c.count(ctx, s.Store.Reader, q.Of)
	return c.answer(), err
}
