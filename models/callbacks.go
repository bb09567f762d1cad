package models

import (
	"context"
	"time"
)

// CallbackID names a callback.
type CallbackID int64

// Callback is something DOKU posted to a submission's address. Body is sealed.
type Callback struct {
	ID           CallbackID
	SubmissionID SubmissionID
	MerchantID   MerchantID
	RequestID    string
	Body         []byte
	Signed       bool
	ReceivedAt   time.Time
	WorkedAt     *time.Time
	Outcome      string // asked, settled or ignored; "" before it was worked
}

// Callback by its id. fault.NotFound when there is none.
func (r Reader) Callback(ctx context.Context, id CallbackID) (Callback, error) {
	return take[Callback](r.db.WithContext(ctx).Where("id = ?", id))
}

// callbackGrace is for the job that works a callback; then the next poll does what it died of.
const callbackGrace = 10 * time.Second

// ReceiveCallback stores a callback, and has its merchant's turn come soon, for when its job is lost; whoever is asking just now
// cannot see the callback yet, but that an answer is wanted anew. fault.Conflict callback_known
// when the submission has one with this Request-Id.
func (tx *Tx) ReceiveCallback(c *Callback) error {
	c.ReceivedAt = tx.Now
	err := create(tx, c)
	if err == nil {
		err = translate(tx.g.Exec(`update polls set wanted_at = ?, next_at = least(next_at, ?) where merchant_id = ?`, tx.Now, tx.Now.Add(callbackGrace), c.MerchantID).Error)
	}
	tx.Audit(CallbackReceived, c.SubmissionID.Ref(c.MerchantID), "request_id", c.RequestID, "signed", c.Signed)
	delete(tx.touched, c.MerchantID) // nothing of it is shown yet
	return err
}

// WorkCallback keeps what came of a callback. One that was worked meanwhile stays as it is.
func (k Keep) WorkCallback(ctx context.Context, id CallbackID, outcome string) error {
	_, err := k.exec(ctx, `update callbacks set worked_at = ?, outcome = ? where id = ? and worked_at is null`, k.s.now(), outcome, id)
	return err
}
