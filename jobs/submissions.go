package jobs

import (
	"context"

	"github.com/riverqueue/river"

	"berkas/models"
	"berkas/onboarding"
)

type sendSubmission struct {
	Submission models.SubmissionID `json:"submission"`
}

func (sendSubmission) Kind() string { return "submission.send" }

type submissionSender struct {
	river.WorkerDefaults[sendSubmission]
	service *onboarding.Service
}

func (w *submissionSender) Work(ctx context.Context, job *river.Job[sendSubmission]) error {
	return outcome(w.service.SendSubmission(ctx, job.Args.Submission))
}
