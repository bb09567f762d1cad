package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"berkas/models"
	"berkas/onboarding"
)

type workCallback struct {
	Callback models.CallbackID `json:"callback"`
}

func (workCallback) Kind() string { return "callback.work" }

type callbackWorker struct {
	river.WorkerDefaults[workCallback]
	service *onboarding.Service
}

func (w *callbackWorker) Work(ctx context.Context, job *river.Job[workCallback]) error {
	return outcome(w.service.WorkCallback(ctx, job.Args.Callback))
}
