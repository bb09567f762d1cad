package views

import (
	"context"

	"berkas/internal/words"
)

// SettingsPage is how documents are reviewed, for admins.
type SettingsPage struct {
	Page    Page
	Values  map[string]string // lease_minutes, within_hours, remind_days, weekly_target
	Errors  map[string]Message
	Second  []CodeGroup // the documents that two reviewers must approve are chosen
	Reasons []ReasonRow
	// FourEyes: whoever approved the last document may not register. Replay: what got no readable answer goes again.
	FourEyes, Replay bool
}

// CodeGroup is a part of the kinds of documents. Key: owner, business, brand, agreement, licence ("group." + Key).
type CodeGroup struct {
	Key   string
	Codes []CodeChoice
}

// CodeChoice is a kind of document: its code, outside DOCUMENT its category.
type CodeChoice struct {
	Code   string
	Chosen bool
}

// ReasonRow is one reason as it is set.
type ReasonRow struct {
	Code      string
	Gravity   string
	Shareable bool
	Reviewer  bool // reviewers choose it; the others are the portal's own
	Nowhere   bool // switched off for every document
	Off       int  // kinds of documents it is switched off for
	Own       bool // in the partner's own words
}

// ReasonPage sets one reason.
type ReasonPage struct {
	Page   Page
	Reason ReasonRow
	Stays  bool              // it cannot be switched off
	Values map[string]string // text_id, text_en
	Errors map[string]Message
	Off    []CodeGroup
}

func chosen(groups []CodeGroup) (n int) {
	for _, g := range groups {
		for _, c := range g.Codes {
			if c.Chosen {
				n++
			}
		}
	}
	return n
}

func (r ReasonRow) title(lang words.Lang) string {
	return words.Say(lang, "reason."+r.Code, nil)
}

func (r ReasonRow) ours(lang words.Lang) string {
	return r.title(lang) + " " + words.Say(lang, "reason."+r.Code+".do", nil)
}

// toMerchant is our text to the merchant where it is another than the staff's.
func (r ReasonRow) toMerchant(lang words.Lang) string {
	if key := "reason." + r.Code + ".merchant"; r.Shareable && words.Has(key) {
		return words.Say(lang, key, nil)
	}
	return ""
}

func (r ReasonRow) offered(ctx context.Context) string {
	switch {
	case !r.Reviewer:
		return say(ctx, "settings.reason.portal")
	case r.Nowhere:
		return say(ctx, "settings.reason.nowhere")
	case r.Off > 0:
		return say(ctx, "settings.reason.but", "n", r.Off)
	}
	return say(ctx, "settings.reason.everywhere")
}
