package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"berkas/models"
	"berkas/onboarding"
)

type readRequirements struct {
	Combination models.CombinationID `json:"combination"`
}

func (readRequirements) Kind() string { return "requirements.read" }

type requirementsReader struct {
	river.WorkerDefaults[readRequirements]
	service *onboarding.Service
}

func (w *requirementsReader) Work(ctx context.Context, job *river.Job[readRequirements]) error {
	return outcome(w.service.AwaitRequirements(ctx, job.Args.Combination))
}
