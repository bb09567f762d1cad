package onboarding

import (
	"context"
	"crypto/rand"
	"log/slog"
	"time"

	"golang.org/x/sync/singleflight"

	"berkas/doku"
	"berkas/internal/blob"
	"berkas/internal/paper"
	"berkas/internal/vault"
	"berkas/models"
)

// Queue takes work that must happen after, and only after, the transaction it was handed in commits.
type Queue interface {
	SendDocument(ctx context.Context, tx *models.Tx, id models.DocumentID) error
	ReadRequirements(ctx context.Context, tx *models.Tx, id models.CombinationID) error
	CheckOriginal(ctx context.Context, tx *models.Tx, id models.DocumentID) error
	MakeEvidence(ctx context.Context, tx *models.Tx, id models.BundleID) error
	SendSubmission(ctx context.Context, tx *models.Tx, id models.SubmissionID, at time.Time) error
	WorkCallback(ctx context.Context, tx *models.Tx, id models.CallbackID) error
}

// Parts are what a Service stands on.
type Parts struct {
	Store  *models.Store
	DOKU   *doku.Client
	Blobs  *blob.Store
	Vault  *vault.Vault
	Papers *paper.Inspector
	Queue  Queue
	Watch  *models.Watch
	Health *Health
	// FileLookup says that DOKU offers this partner a lookup by file id. None is documented.
	FileLookup bool
	// Callbacks is where DOKU reaches this portal, without a slash at its end; "" when it cannot, as without https.
	Callbacks string
	// UnsignedCallbacks says that DOKU does not sign what it posts there.
	UnsignedCallbacks bool
	Retention         Retention
	Now               func() time.Time
	Log               *slog.Logger
}

// Service carries out the use cases. It is safe for concurrent use.
type Service struct {
	Parts
	holder    string // names this process in leases
	patience  time.Duration
	refreshes singleflight.Group
	exports   chan struct{} // holds one for each export of merchants under way
}

// New makes a Service of its parts.
func New(p Parts) *Service {
	return &Service{Parts: p, holder: rand.Text(), patience: linkPatience, exports: make(chan struct{}, exportsAtOnce)}
}

// within is a context for what must be finished although the caller has gone: bounded, but not cancelled with it.
func within(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), d)
}
