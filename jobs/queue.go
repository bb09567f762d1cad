package jobs

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"

	"berkas/models"
)

// The queues: deliveries must not wait behind upkeep.
const (
	queueDocuments = "documents"
	queueUpkeep    = river.QueueDefault

	attempts = 1000 // a job is done when onboarding says so; this bound only keeps a defect from running for ever

	// Whoever creates a merchant waits this long for its checklist; the job is for when that was in vain.
	requirementsGrace = 6 * time.Second
)

// Queue hands work to River within the transaction that makes it necessary. It implements onboarding.Queue.
type Queue struct{ client *river.Client[pgx.Tx] }

// NewQueue inserts through a client, which need not work jobs itself.
func NewQueue(client *river.Client[pgx.Tx]) *Queue { return &Queue{client} }

// SendDocument has a document brought to DOKU.
func (q *Queue) SendDocument(ctx context.Context, tx *models.Tx, id models.DocumentID) error {
	return q.insert(ctx, tx, sendDocument{Document: id}, river.InsertOpts{Queue: queueDocuments})
}

// CheckOriginal has the bytes of a document that was delivered by address fetched and checked.
func (q *Queue) CheckOriginal(ctx context.Context, tx *models.Tx, id models.DocumentID) error {
	return q.insert(ctx, tx, checkOriginal{Document: id}, river.InsertOpts{Queue: queueDocuments})
}

// ReadRequirements has DOKU asked for a combination's checklist.
func (q *Queue) ReadRequirements(ctx context.Context, tx *models.Tx, id models.CombinationID) error {
	return q.insert(ctx, tx, readRequirements{Combination: id}, river.InsertOpts{Queue: queueUpkeep, ScheduledAt: time.Now().Add(requirementsGrace)})
}

// MakeEvidence has a bundle of evidence be made.
func (q *Queue) MakeEvidence(ctx context.Context, tx *models.Tx, id models.BundleID) error {
	return q.insert(ctx, tx, makeEvidence{Bundle: id}, river.InsertOpts{Queue: queueUpkeep})
}

// SendSubmission has a submission sent to DOKU, not before a time.
func (q *Queue) SendSubmission(ctx context.Context, tx *models.Tx, id models.SubmissionID, at time.Time) error {
	o := river.InsertOpts{Queue: queueDocuments}
	if at.After(time.Now()) { // a job with a time, even one that has passed, waits for River's next look at the clock
		o.ScheduledAt = at
	}
	return q.insert(ctx, tx, sendSubmission{Submission: id}, o)
}

// WorkCallback has done what a callback of DOKU asks for.
func (q *Queue) WorkCallback(ctx context.Context, tx *models.Tx, id models.CallbackID) error {
	return q.insert(ctx, tx, workCallback{Callback: id}, river.InsertOpts{Queue: queueDocuments})
}

func (q *Queue) insert(ctx context.Context, tx *models.Tx, args river.JobArgs, o river.InsertOpts) error {
	o.MaxAttempts = attempts
	_, err := q.client.InsertTx(ctx, tx.PGX(), args, &o)
	return err
}
