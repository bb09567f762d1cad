package jobs

import (
	"context"

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
