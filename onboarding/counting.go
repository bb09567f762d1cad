package onboarding

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"berkas/models"
)

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
	if longest := first(c.in.Longest); len(longest) > 0 {
		c.ask(models.TallyQuestion{Measure: models.TallyDue, Until: today(c.in.AsOf), By: models.ByPerson, Of: longest}, func(t models.Tally) { at(c.people, personOf(t.By)).Overdue += t.N })
	}
	busiest := first(c.in.Busiest)
	if len(busiest) == 0 || busiest[0] == 0 { // of a kind of merchants all reviewers are counted together, which is Queued
		return
	}
	c.ask(models.TallyQuestion{Measure: models.TallyQueueTime, From: q.From, Until: q.Until, By: models.ByPerson, Of: busiest}, func(t models.Tally) {
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
