package jobs

import (
	"errors"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"berkas/internal/fault"
	"berkas/onboarding"
)

func TestOutcomes(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for name, c := range map[string]struct {
		err    error
		snooze time.Duration
		cancel bool
	}{
		"done":             {},
		"later":            {err: onboarding.Later{After: 3 * time.Second}, snooze: 3 * time.Second},
		"later, with more": {err: errors.Join(boom, onboarding.Later{After: time.Second}), snooze: time.Second},
		"an outage":        {err: fault.Wrap(boom, fault.Unavailable, "doku_unavailable"), snooze: retryWait},
		"cannot be right":  {err: fault.New(fault.Invalid, "x"), cancel: true},
		"gone":             {err: fault.New(fault.NotFound, "x"), cancel: true},
		"moved on":         {err: fault.New(fault.Conflict, "x")},
		"a defect":         {err: boom},
	} {
		got := outcome(c.err)
		snooze, snoozed := errors.AsType[*rivertype.JobSnoozeError](got)
		_, cancelled := errors.AsType[*river.JobCancelError](got)
		switch {
		case snoozed != (c.snooze > 0) || snoozed && snooze.Duration != c.snooze || cancelled != c.cancel:
			t.Errorf("%s: %v", name, got)
		case !snoozed && !cancelled && !errors.Is(got, c.err):
			t.Errorf("%s: %v", name, got)
		}
	}
}
