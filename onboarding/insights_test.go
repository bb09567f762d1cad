package onboarding_test

import (
	"testing"
	"time"

	"berkas/models"
	"berkas/onboarding"
)

func TestQuantilesOfDurations(t *testing.T) {
	t.Parallel()
	var none onboarding.Durations
	if _, ok := none.Quantile(.5); ok {
		t.Error("nothing has a median")
	}
	var d onboarding.Durations
	d[1], d[3], d[models.Buckets-1] = 2, 2, 1 // 1–2 min, 4–8 min, and endless
	for _, c := range []struct {
		share float64
		want  time.Duration
	}{{.2, 90 * time.Second}, {.4, 2 * time.Minute}, {.5, 5 * time.Minute}, {.8, 8 * time.Minute}, {.9, time.Minute << (models.Buckets - 2)}} {
		if got, ok := d.Quantile(c.share); !ok || got != c.want {
			t.Errorf("%v of them take up to %v, not %v", c.share, got, c.want)
		}
	}
	if d.N() != 5 {
		t.Errorf("%d durations", d.N())
	}
}

func TestForecastFromTheOwnPace(t *testing.T) {
	t.Parallel()
	monday := time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)
	of := func(open int64, registered ...int64) onboarding.Forecast {
		in := onboarding.Insights{States: map[models.ProgressState]int64{models.ProgressTodo: open, models.ProgressRegistered: 100}}
		for i, n := range registered {
			in.Weeks = append(in.Weeks, onboarding.WeekFigures{Monday: monday.AddDate(0, 0, -7*(len(registered)-i)), Reached: map[models.Stage]int64{models.StageRegistered: n}})
		}
		in.Weeks = append(in.Weeks, onboarding.WeekFigures{Monday: monday, Reached: map[models.Stage]int64{models.StageRegistered: 1000}}) // not over yet
		return in.Forecast(monday)
	}
	if f := of(10, 0, 0, 0, 0, 0, 4, 4, 4); f != (onboarding.Forecast{}) {
		t.Errorf("three weeks promise %+v", f)
	}
	if f := of(100, 9, 9, 900, 16, 16, 16, 16, 16, 16, 16, 16); f.Weeks != 8 || f.Pace != 16 || f.Low != 11 || f.High != 21 || f.Last != 7 || f.Soonest != 6 || f.Latest != 8 {
		t.Errorf("an even pace promises %+v", f) // chance alone: 16 ± 1.28 × 4
	}
	if f := of(100, 0, 40, 0, 0, 0); f.Weeks != 4 || f.Pace != 10 || f.Low != 0 || f.High != 36 || f.Last != 10 || f.Latest != 0 {
		t.Errorf("one week of many promises %+v", f)
	}
	if f := of(0, 5, 5, 5, 5); f.Last != 0 || f.Soonest != 0 {
		t.Errorf("nothing is left, and takes %+v", f)
	}
}
