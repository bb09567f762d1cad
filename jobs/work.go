package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"berkas/internal/fault"
	"berkas/onboarding"
)

const (
	senders       = 8 // uploads to DOKU at once
	upkeepers     = 2
	retryWait     = 30 * time.Second
	sweepInterval = 2 * time.Second
	probeInterval = 5 * time.Second
	sealInterval  = time.Second
	foldInterval  = 2 * time.Second
	pollInterval  = 5 * time.Second  // of those that are due
	compareEvery  = time.Minute      // of those that were not compared this night
	readInterval  = 15 * time.Second // of those that are due: a day old, or still missing
)

// NewInserter is a client that only inserts; onboarding's Queue stands on it. Its cooldown is for how long it wakes the
// workers but once: by default so long that of documents uploaded together all but the first would wait for the next poll.
func NewInserter(pool *pgxpool.Pool) (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(pool), &river.Config{FetchCooldown: river.FetchCooldownMin})
}

// Workers works the jobs of one process.
type Workers struct {
	client  *river.Client[pgx.Tx]
	service *onboarding.Service
	log     *slog.Logger
}

// NewWorkers makes the workers of a service; Run starts them.
func NewWorkers(pool *pgxpool.Pool, service *onboarding.Service, log *slog.Logger) (*Workers, error) {
	set := river.NewWorkers()
	river.AddWorker(set, &documentSender{service: service})
	river.AddWorker(set, &submissionSender{service: service})
	river.AddWorker(set, &callbackWorker{service: service})
	river.AddWorker(set, &originalChecker{service: service})
	river.AddWorker(set, &requirementsReader{service: service})
	river.AddWorker(set, &tidier{service: service})
	river.AddWorker(set, &evidenceMaker{service: service})
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues: map[string]river.QueueConfig{
			queueDocuments: {MaxWorkers: senders, FetchCooldown: 5 * time.Millisecond, FetchPollInterval: 200 * time.Millisecond},
			queueUpkeep:    {MaxWorkers: upkeepers},
		},
		Workers:              set,
		PeriodicJobs:         schedule(),
		RescueStuckJobsAfter: 10 * time.Minute,
		Logger:               slog.New(warnings{log.Handler()}),
	})
	return &Workers{client, service, log}, err
}

// warnings lets through what River warns of: its running account of jobs would bury everything else.
type warnings struct{ slog.Handler }

func (w warnings) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelWarn && w.Handler.Enabled(ctx, l)
}

// schedule is what comes round by itself.
func schedule() []*river.PeriodicJob {
	every := func(d time.Duration, args river.JobArgs) *river.PeriodicJob {
		return river.NewPeriodicJob(river.PeriodicInterval(d), func() (river.JobArgs, *river.InsertOpts) {
			return args, &river.InsertOpts{Queue: queueUpkeep, UniqueOpts: river.UniqueOpts{ByPeriod: d}}
		}, &river.PeriodicJobOpts{RunOnStart: true})
	}
	return []*river.PeriodicJob{
		every(time.Hour, tidy{}),
	}
}

// Run works until ctx ends, then finishes what is under way, within grace. Beside River's own fetching it sweeps for
// deliveries that missed their turn, knocks at DOKU while it is down, seals the audit trail, folds the tallies and asks DOKU
// how businesses stand; none of them waits for another.
func (w *Workers) Run(ctx context.Context, grace time.Duration) error {
	if err := w.client.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	var rounds sync.WaitGroup
	for _, r := range []struct {
		every time.Duration
		doing string
		do    func(context.Context) error
	}{
		{sweepInterval, "sweeping", w.sweep},
		{probeInterval, "keeping DOKU's minutes", w.service.KeepMinutes},
		{probeInterval, "knocking at DOKU", w.service.Probe},
		{readInterval, "reading checklists", w.service.RefreshRequirements},
		{sealInterval, "sealing the audit trail", w.service.SealAudit},
		{foldInterval, "folding the tallies", w.service.FoldTallies},
		{pollInterval, "asking DOKU about businesses", w.service.PollDue},
		{compareEvery, "comparing with DOKU", w.service.CompareDue},
	} {
		rounds.Go(func() { w.round(ctx, r.every, r.doing, r.do) })
	}
	rounds.Wait()
	return w.stop(ctx, grace)
}

func (w *Workers) round(ctx context.Context, every time.Duration, doing string, do func(context.Context) error) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := do(ctx); err != nil && ctx.Err() == nil {
			w.log.Warn(doing+" failed", "error", err)
		}
	}
}

// sweep leaves the queue alone while its workers have not even begun with what is in it: then turns are late, not
// missed, and every sweep would add a job for what has one.
func (w *Workers) sweep(ctx context.Context) error {
	due := river.NewJobListParams().Queues(queueDocuments).States(rivertype.JobStateAvailable).Where("scheduled_at <= now()").First(1)
	backlog, err := w.client.JobList(ctx, due)
	if err != nil || len(backlog.Jobs) > 0 {
		return err
	}
	_, err = w.service.Sweep(ctx)
	return err
}

func (w *Workers) stop(ctx context.Context, grace time.Duration) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), grace)
	defer cancel()
	if err := w.client.Stop(ctx); err == nil {
		return nil
	}
	// What does not end in time is cancelled: a delivery gives its claim back and goes again at the next start.
	hard, cancelHard := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancelHard()
	return w.client.StopAndCancel(hard)
}

// outcome says to River what an error means: later and outages come back without using up a try, an input that cannot
// become right is over, anything else is tried again.
func outcome(err error) error {
	if later, ok := errors.AsType[onboarding.Later](err); ok {
		return river.JobSnooze(later.After)
	}
	switch {
	case fault.Is(err, fault.Unavailable):
		return river.JobSnooze(retryWait)
	case fault.Is(err, fault.Invalid), fault.Is(err, fault.NotFound):
		return river.JobCancel(err)
	}
	return err
}

// Check asks the queue's tables whether they are there.
func (w *Workers) Check(ctx context.Context) error {
	_, err := w.client.QueueList(ctx, river.NewQueueListParams().First(1))
	return err
}
