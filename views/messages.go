package views

import (
	"context"
	"net/url"
	"strings"
	"time"
)

// MessagePage writes to a merchant what to send again.
type MessagePage struct {
	Page       Page
	MerchantID int64
	Merchant   string
	Language   string // of the message: id, en
	Slots      int    // how many the text names; 0: there is nothing to say
	Text       string
	Errors     map[string]Message
	To         []AddressView
	Earlier    []MessageView
}

// AddressView is where the merchant can be reached. Channel: whatsapp, email. Whose: business, owner.
type AddressView struct{ Channel, Whose, To string }

// MessageView is a message that was sent. Channel: whatsapp, email, copy, other.
type MessageView struct {
	ID       int64
	Channel  string
	Language string
	Who      string
	At       time.Time
	Text     string
}

// SentPage is a message just kept, with the links that send it.
type SentPage struct {
	Page       Page
	MerchantID int64
	Merchant   string
	Message    MessageView
	To         []AddressView // of its channel
}

// CommentsView is what colleagues wrote about a merchant, newest first, and the form to add to it.
type CommentsView struct {
	MerchantID int64
	List       []CommentView
	CanAdd     bool
	Max        int    // characters
	Typed      string // what was refused
	Error      *Message
}

// CommentView is one comment.
type CommentView struct {
	Who  string
	At   time.Time
	Text string
}

// url is the address that opens the message with its text. The text is its last parameter: the script puts there what was
// changed since.
func (a AddressView) url(ctx context.Context, merchant, text string) string {
	if a.Channel == "whatsapp" {
		return "https://wa.me/" + url.PathEscape(a.To) + "?text=" + escaped(text)
	}
	return "mailto:" + url.PathEscape(a.To) + "?subject=" + escaped(say(ctx, "message.subject", "name", merchant)) + "&body=" + escaped(strings.ReplaceAll(text, "\n", "\r\n"))
}

// escaped is a parameter as every reader understands it: spaces as %20, for mail programs take a plus for a plus.
func escaped(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }
