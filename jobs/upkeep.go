package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"berkas/onboarding"
)

type tidy struct{}

func (tidy) Kind() string { return "upkeep.tidy" }

type tidier struct {
	river.WorkerDefaults[tidy]
	service *onboarding.Service
}

func (w *tidier) Work(ctx context.Context, _ *river.Job[tidy]) error {
	return outcome(w.service.Tidy(ctx))
}

// Timeout leaves time to walk a large store of files; River takes a job for stuck after ten minutes.
func (w *tidier) Timeout(*river.Job[tidy]) time.Duration { return 9 * time.Minute }
