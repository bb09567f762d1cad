package onboarding

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
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

// counting gathers the answers of many questions, each taken by a function of its own, into Insights.
type counting struct {
	in                              Insights
	asked                           []models.TallyQuestion
	take                            []func(models.Tally)
	people                          map[models.PersonID]*Workload
	kinds                           map[string]*KindFigures
	expiring                        map[string]*KindExpiry
	took                            map[models.Stage]*Durations
	reached                         map[models.Stage]int64
	weeks                           map[time.Time]*WeekFigures
	reasons                         map[string]int64
	all, documents, lines, entities map[string]*Yield
}

func newCounting(now time.Time) *counting {
	return &counting{in: Insights{AsOf: now, States: map[models.ProgressState]int64{}, Next: map[models.NextActor]Counted{}, People: map[models.PersonID]Workload{},
		Reviewed: map[models.PersonID]Reviewed{}}, people: map[models.PersonID]*Workload{}, kinds: map[string]*KindFigures{}, expiring: map[string]*KindExpiry{}, took: map[models.Stage]*Durations{},
		reached: map[models.Stage]int64{}, weeks: map[time.Time]*WeekFigures{}, reasons: map[string]int64{},
		all: map[string]*Yield{}, documents: map[string]*Yield{}, lines: map[string]*Yield{}, entities: map[string]*Yield{}}
}

func (c *counting) ask(q models.TallyQuestion, take func(models.Tally)) {
	c.asked, c.take = append(c.asked, q), append(c.take, take)
}

// stands asks how it is now.
func (c *counting) stands() {
	c.ask(models.TallyQuestion{Measure: models.TallyMerchants}, func(t models.Tally) { c.in.States[models.ProgressState(t.Key)] += t.N })
	c.ask(models.TallyQuestion{Measure: models.TallyNext}, func(t models.Tally) {
		actor := models.NextActor(t.Key)
		c.in.Next[actor] = c.in.Next[actor].and(Counted{N: t.N, since: t.Total})
	})
	day := today(c.in.AsOf)
	c.ask(models.TallyQuestion{Measure: models.TallyDue, Until: day}, func(t models.Tally) { c.in.Overdue += t.N })
	c.ask(models.TallyQuestion{Measure: models.TallySlots}, func(t models.Tally) {
		category, code, state := parted(t.Key)
		if state == "approved" {
			return
		}
		k := at(c.kinds, category+":"+code)
		if k.States == nil {
			*k = KindFigures{Category: category, Code: code, States: map[string]Counted{}}
		}
		now := Counted{N: t.N, since: t.Total}
		k.States[state] = k.States[state].and(now)
		if state != delivered {
			k.Open = k.Open.and(now)
		}
	})
	c.expires(models.TallyQuestion{Until: day}, func(k *KindExpiry, n int64) { k.Expired += n })
	c.expires(models.TallyQuestion{From: day, Until: day.AddDate(0, 0, 8)}, func(k *KindExpiry, n int64) {
		k.Within7, k.Within30, k.Within90 = k.Within7+n, k.Within30+n, k.Within90+n
	})
	c.expires(models.TallyQuestion{From: day.AddDate(0, 0, 8), Until: day.AddDate(0, 0, 31)}, func(k *KindExpiry, n int64) { k.Within30, k.Within90 = k.Within30+n, k.Within90+n })
	c.expires(models.TallyQuestion{From: day.AddDate(0, 0, 31), Until: day.AddDate(0, 0, 91)}, func(k *KindExpiry, n int64) { k.Within90 += n })
}

// work asks what those who are responsible have to do.
func (c *counting) work() {
	open := []string{string(models.ProgressPending), string(models.ProgressTodo), string(models.ProgressWaiting), string(models.ProgressRefused), string(models.ProgressFailed)}
	c.ask(models.TallyQuestion{Measure: models.TallyMerchants, Keys: open, By: models.ByPerson}, func(t models.Tally) { at(c.people, personOf(t.By)).Open += t.N })
	c.ask(models.TallyQuestion{Measure: models.TallyNext, Keys: []string{string(models.NextStaff)}, By: models.ByPerson}, func(t models.Tally) {
		at(c.people, personOf(t.By)).Staff = Counted{N: t.N, since: t.Total}
	})
}

func (c *counting) expires(q models.TallyQuestion, add func(*KindExpiry, int64)) {
	q.Measure = models.TallyExpires
	c.ask(q, func(t models.Tally) {
		k := at(c.expiring, t.Key)
		k.Category, k.Code, _ = parted(t.Key)
		add(k, t.N)
	})
}

// standings asks how complete the merchants are and were. The changes up to a week say how it stood when the next one began.
func (c *counting) standings() {
	monday := Monday(c.in.AsOf)
	c.in.Standing = []Completion{{}, {Weeks: 4}, {Weeks: 8}, {Weeks: 12}}
	for i := range c.in.Standing {
		then := &c.in.Standing[i]
		then.N = map[string]int64{}
		if then.Weeks > 0 {
			then.At = monday.AddDate(0, 0, -7*then.Weeks)
		}
		c.ask(models.TallyQuestion{Measure: models.TallyCompleteness, Until: then.At}, func(t models.Tally) { then.N[t.Key] += t.N })
	}
}

// happened asks what was done in the weeks of a question, and at which pace before.
func (c *counting) happened(q InsightsQuestion) {
	within := models.TallyQuestion{From: q.From, Until: q.Until}
	c.ask(of(within, models.TallyFunnel), func(t models.Tally) { c.reached[models.Stage(t.Key)] += t.N })
	c.ask(of(within, models.TallyTook), func(t models.Tally) {
		stage, bucket, _ := parted(t.Key)
		at(c.took, models.Stage(stage)).add(bucket, t.N)
	})
	c.pace(q)
	c.ask(of(within, models.TallyReason), func(t models.Tally) {
		c.reasons[t.Key] += t.N
	})
	c.yields(q)
	c.yieldsBy(q, models.ByNothing, c.all)
	c.yieldsBy(q, models.ByLine, c.lines)
	c.yieldsBy(q, models.ByEntity, c.entities)
	c.ask(of(within, models.TallyQueueTime), func(t models.Tally) { c.in.Queued.add(t.Key, t.N) })
	within.By = models.ByPerson
	c.ask(of(within, models.TallyDecidedBy), func(t models.Tally) {
		r := c.in.Reviewed[personOf(t.By)]
		if t.Key == string(models.Approve) {
			r.Approved += t.N
		} else {
			r.Refused += t.N
		}
		c.in.Reviewed[personOf(t.By)] = r
	})
}

// rank puts people in their order.
func (c *counting) rank() {
	for person, w := range c.people {
		w.Staff = w.Staff.aged(c.in.AsOf)
		if w.Open+w.Staff.N > 0 {
			c.in.Longest = append(c.in.Longest, person)
		}
	}
	slices.SortFunc(c.in.Longest, func(a, b models.PersonID) int {
		v, w := c.people[a], c.people[b]
		return cmp.Or(cmp.Compare(w.Staff.Age, v.Staff.Age), cmp.Compare(w.Open, v.Open), cmp.Compare(a, b))
	})
	decided := func(id models.PersonID) int64 { return c.in.Reviewed[id].Approved + c.in.Reviewed[id].Refused }
	c.in.Busiest = slices.SortedFunc(maps.Keys(c.in.Reviewed), func(a, b models.PersonID) int { return cmp.Or(cmp.Compare(decided(b), decided(a)), cmp.Compare(a, b)) })
}

// closer asks of the first of them what takes long to count of all.
func (c *counting) closer(q InsightsQuestion) {
	c.ask(models.TallyQuestion{Measure: models.TallyDue, Until: today(c.in.AsOf), By: models.ByPerson, Of: first(c.in.Longest)}, func(t models.Tally) { at(c.people, personOf(t.By)).Overdue += t.N })
	c.ask(models.TallyQuestion{Measure: models.TallyQueueTime, From: q.From, Until: q.Until, By: models.ByPerson, Of: first(c.in.Busiest)}, func(t models.Tally) {
		r := c.in.Reviewed[personOf(t.By)]
		r.Queued.add(t.Key, t.N)
		c.in.Reviewed[personOf(t.By)] = r
	})
}

func first(people []models.PersonID) []models.PersonID { return people[:min(Ranked, len(people))] }

// pace asks what was reached and decided in the weeks of a question and in those that a forecast is taken from.
func (c *counting) pace(q InsightsQuestion) {
	last := q.Until
	if last.IsZero() {
		last = Monday(c.in.AsOf).AddDate(0, 0, 7)
	}
	first := last.AddDate(0, 0, -7*(forecastWeeks+1))
	if q.From.Before(first) {
		first = q.From
	}
	for day := first; day.Before(last); day = day.AddDate(0, 0, 7) {
		c.weeks[day] = &WeekFigures{Monday: day, Reached: map[models.Stage]int64{}}
	}
	c.ask(models.TallyQuestion{Measure: models.TallyPace, From: first, Until: last, Daily: true}, func(t models.Tally) {
		if week := c.weeks[today(t.Day)]; week != nil {
			week.Reached[models.Stage(t.Key)] += t.N
		}
	})
	c.ask(models.TallyQuestion{Measure: models.TallyDecided, From: first, Until: last, Daily: true}, func(t models.Tally) {
		week := c.weeks[today(t.Day)]
		if outcome, _, _ := parted(t.Key); week != nil && outcome == string(models.Approve) {
			week.Approved += t.N
		} else if week != nil {
			week.Refused += t.N
		}
	})
}

// yields asks how many first versions of each kind of document were approved; yieldsBy, of all of them, told apart by something or not.
func (c *counting) yields(q InsightsQuestion) {
	c.ask(models.TallyQuestion{Measure: models.TallyFirstPass, From: q.From, Until: q.Until}, func(t models.Tally) {
		outcome, kind, _ := strings.Cut(t.Key, "|")
		name := strings.TrimSuffix(strings.Replace(kind, "|", ":", 1), ":")
		at(c.documents, name).add(name, outcome, t.N)
	})
}

func (c *counting) yieldsBy(q InsightsQuestion, by models.TallyBy, into map[string]*Yield) {
	c.ask(models.TallyQuestion{Measure: models.TallyDecided, From: q.From, Until: q.Until, By: by}, func(t models.Tally) {
		if outcome, version, _ := parted(t.Key); version == "first" {
			at(into, t.By).add(t.By, outcome, t.N)
		}
	})
}

func (y *Yield) add(name, outcome string, n int64) {
	y.Name, y.Decided = name, y.Decided+n
	if outcome == string(models.Approve) {
		y.Approved += n
	}
}

// count asks all questions at once.
func (c *counting) count(ctx context.Context, r models.Reader, f models.TallyFilter) error {
	tallies, err := r.Tallies(ctx, f, c.asked)
	for _, t := range tallies {
		c.take[t.Question](t)
	}
	c.asked, c.take = nil, nil
	return err
}

// answer puts the answers in their order.
func (c *counting) answer() Insights {
	in, now := &c.in, c.in.AsOf
	for actor, w := range in.Next {
		in.Next[actor] = w.aged(now)
	}
	for person, w := range c.people {
		in.People[person] = *w
	}
	for _, k := range c.kinds {
		k.Open = k.Open.aged(now)
		in.Kinds = append(in.Kinds, *k)
	}
	slices.SortFunc(in.Kinds, func(a, b KindFigures) int {
		return cmp.Or(cmp.Compare(b.Open.N, a.Open.N), cmp.Compare(b.States[delivered].N, a.States[delivered].N), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Code, b.Code))
	})
	for _, k := range c.expiring {
		in.Expiring = append(in.Expiring, *k)
	}
	slices.SortFunc(in.Expiring, func(a, b KindExpiry) int {
		return cmp.Or(cmp.Compare(b.Within90+b.Expired, a.Within90+a.Expired), cmp.Compare(a.Category, b.Category), cmp.Compare(a.Code, b.Code))
	})
	for _, stage := range models.Stages {
		in.Funnel = append(in.Funnel, StageFigures{Stage: stage, N: c.reached[stage], Took: *at(c.took, stage)})
	}
	for _, day := range slices.SortedFunc(maps.Keys(c.weeks), time.Time.Compare) {
		in.Weeks = append(in.Weeks, *c.weeks[day])
	}
	for code, n := range c.reasons {
		in.Reasons = append(in.Reasons, ReasonCount{code, n})
	}
	slices.SortFunc(in.Reasons, func(a, b ReasonCount) int { return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Code, b.Code)) })
	in.Yields.All = *at(c.all, "")
	in.Yields.Documents, in.Yields.Lines, in.Yields.Entities = lowestFirst(c.documents), lowestFirst(c.lines), lowestFirst(c.entities)
	return *in
}

// lowestFirst orders yields, but of what was decided too seldom to say much comes last.
func lowestFirst(of map[string]*Yield) (list []Yield) {
	for _, y := range of {
		list = append(list, *y)
	}
	slices.SortFunc(list, func(a, b Yield) int {
		return cmp.Or(cmp.Compare(min(b.Decided, fewDecided), min(a.Decided, fewDecided)), cmp.Compare(a.Share(), b.Share()), cmp.Compare(b.Decided, a.Decided), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// and puts two counts together, aged says how old they are.
func (f Counted) and(g Counted) Counted {
	return Counted{N: f.N + g.N, since: f.since + g.since}
}

func (f Counted) aged(now time.Time) Counted {
	f.Age = meanAge(now, f.N, f.since)
	return f
}

// meanAge is how long ago n instants were on average, whose seconds since 1970 sum up to since.
func meanAge(now time.Time, n, since int64) time.Duration {
	if n == 0 {
		return 0
	}
	return max(0, time.Duration(float64(now.Unix())-float64(since)/float64(n))*time.Second)
}

func (d *Durations) add(bucket string, n int64) {
	if i, err := strconv.Atoi(bucket); err == nil && i >= 0 && i < len(d) {
		d[i] += n
	}
}

// of is a question asked of another measure.
func of(q models.TallyQuestion, m models.Measure) models.TallyQuestion {
	q.Measure = m
	return q
}

// at is what a map holds, made when it holds nothing.
func at[K comparable, V any](m map[K]*V, key K) *V {
	if m[key] == nil {
		m[key] = new(V)
	}
	return m[key]
}

// parted are the parts of a tally's key.
func parted(key string) (a, b, c string) {
	a, rest, _ := strings.Cut(key, "|")
	b, c, _ = strings.Cut(rest, "|")
	return a, b, c
}

func personOf(id string) models.PersonID {
	n, _ := strconv.ParseInt(id, 10, 64)
	return models.PersonID(n)
}
