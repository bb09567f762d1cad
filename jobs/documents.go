package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"berkas/models"
	"berkas/onboarding"
)

type sendDocument struct {
	Document models.DocumentID `json:"document"`
}

func (sendDocument) Kind() string { return "document.send" }

type documentSender struct {
	river.WorkerDefaults[sendDocument]
	service *onboarding.Service
}

func (w *documentSender) Work(ctx context.Context, job *river.Job[sendDocument]) error {
	return outcome(w.service.SendDocument(ctx, job.Args.Document))
}

// Timeout is as long as the client waits for one upload, and a little.
func (w *documentSender) Timeout(*river.Job[sendDocument]) time.Duration { return 6 * time.Minute }

type checkOriginal struct {
	Document models.DocumentID `json:"document"`
}

func (checkOriginal) Kind() string { return "document.check" }

type originalChecker struct {
	river.WorkerDefaults[checkOriginal]
	service *onboarding.Service
}

func (w *originalChecker) Work(ctx context.Context, job *river.Job[checkOriginal]) error {
	return outcome(w.service.CheckOriginal(ctx, job.Args.Document))
}
