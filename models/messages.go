package models

import (
	"context"
	"time"
)

// Channel is how a message went to a merchant.
type Channel string

const (
	WhatsApp     Channel = "whatsapp"
	Email        Channel = "email"
	Copied       Channel = "copy"
	OtherChannel Channel = "other"
)

// Channels are all of them, in the order they are offered.
var Channels = []Channel{WhatsApp, Email, Copied, OtherChannel}

// Message is what was sent to a merchant. Body is sealed.
type Message struct {
	ID         MessageID
	UID        string `gorm:"column:uid"`
	MerchantID MerchantID
	Channel    Channel
	Language   string
	Body       []byte
	SentBy     PersonID
	Sender     string `gorm:"->;-:migration"`
	SentAt     time.Time
}

// MessageID names a message.
type MessageID int64

const messageFacts = `messages.*, (select name from people where people.id = sent_by) as sender`

// Messages to a merchant, newest first.
func (r Reader) Messages(ctx context.Context, id MerchantID, limit int) ([]Message, error) {
	return scan[Message](ctx, r, `select `+messageFacts+` from messages where merchant_id = ? order by id desc limit ?`, id, limit)
}

// RecordMessage stores what was sent to a merchant and from when it is the merchant's turn.
func (tx *Tx) RecordMessage(v *Message) error {
	v.SentBy, v.SentAt = tx.Actor.Person, tx.Now
	if err := create(tx, v); err != nil {
		return err
	}
	tx.Audit(MessageRecorded, v.MerchantID.Ref(), "message", v.ID, "channel", v.Channel, "language", v.Language)
	return translate(tx.g.Exec(`update merchants set messaged_at = ? where id = ?`, tx.Now, v.MerchantID).Error)
}

// Comment is what a colleague wrote about a merchant. Body is sealed.
type Comment struct {
	ID         CommentID
	UID        string `gorm:"column:uid"`
	MerchantID MerchantID
	Body       []byte
	WrittenBy  PersonID
	Writer     string `gorm:"->;-:migration"`
	WrittenAt  time.Time
}

// CommentID names a comment.
type CommentID int64

// commentsShown is how many comments a merchant's page has.
const commentsShown = "200"

// Comments on a merchant, the newest ones, newest first.
func (r Reader) Comments(ctx context.Context, id MerchantID) ([]Comment, error) {
	return scan[Comment](ctx, r, `select comments.*, (select name from people where people.id = written_by) as writer from comments where merchant_id = ?
		order by id desc limit `+commentsShown, id)
}

// AddComment stores what a colleague wrote about a merchant.
func (tx *Tx) AddComment(v *Comment) error {
	v.WrittenBy, v.WrittenAt = tx.Actor.Person, tx.Now
	if err := create(tx, v); err != nil {
		return err
	}
	tx.Audit(CommentAdded, v.MerchantID.Ref(), "comment", v.ID)
	return nil
}
