package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"berkas/models"
	"berkas/onboarding"
)

type makeEvidence struct {
	Bundle models.BundleID `json:"bundle"`
}

func (makeEvidence) Kind() string { return "evidence.make" }

type evidenceMaker struct {
	river.WorkerDefaults[makeEvidence]
	service *onboarding.Service
}

func (w *evidenceMaker) Work(ctx context.Context, job *river.Job[makeEvidence]) error {
	return outcome(w.service.MakeEvidence(ctx, job.Args.Bundle))
}

// Timeout leaves time for a merchant with a long history; River takes a job for stuck after ten minutes.
func (w *evidenceMaker) Timeout(*river.Job[makeEvidence]) time.Duration { return 9 * time.Minute }
