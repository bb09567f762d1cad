package onboarding

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
)

const (
	maxMessage    = 4000 // characters
	messagesShown = 100
)

// Draft is a ready message that tells a merchant what to send again. Text is empty when there is nothing that may be said.
type Draft struct {
	Text  string
	Slots int // how many it names
}

// Address is where a merchant can be reached, by WhatsApp in the international form, digits only, or by e-mail.
type Address struct {
	Channel models.Channel
	Whose   string // business, owner
	To      string
}

// Addresses of a merchant, none twice.
func (s *Service) Addresses(m models.Dossier) ([]Address, error) {
	f, err := s.typed(m)
	if err != nil {
		return nil, err
	}
	all := []Address{{models.WhatsApp, "business", wholePhone(f["phone_calling_code"], f["phone_number"])},
		{models.WhatsApp, "owner", wholePhone(f["owner_phone_calling_code"], f["owner_phone_number"])}, {models.Email, "business", f["email"]}, {models.Email, "owner", f["owner_email"]}}
	var list []Address
	for _, a := range all {
		if a.To != "" && !slices.ContainsFunc(list, func(known Address) bool { return known.To == a.To }) {
			list = append(list, a)
		}
	}
	return list, nil
}

// Refused is a slot whose document has to be sent again.
type Refused struct {
	Row     models.ChecklistRow
	Reasons []string // codes, the gravest first
	Message string   // what the reviewer has to say to the merchant
}

// DraftMessage writes to a merchant in a language, in the name of whoever sends it: the slots to mend, each with those of
// its reasons that the merchant may know and the reviewer's note to the merchant. A slot without such a reason is left out.
func (s *Service) DraftMessage(ctx context.Context, m models.Merchant, lang words.Lang, sender string) (d Draft, err error) {
	rows, err := s.Store.ChecklistRows(ctx, m.ID)
	if err != nil {
		return d, err
	}
	decisions, err := s.DecisionsOfMerchant(ctx, m.ID)
	if err != nil {
		return d, err
	}
	settings, err := s.Store.ReasonSettings(ctx)
	d.Text, d.Slots = MessageText(lang, m.Name, sender, rows, toMend(rows, decisions), settings)
	return d, err
}

// toMend are the slots whose document a reviewer or DOKU refused.
func toMend(rows []models.ChecklistRow, decisions []Said) (list []Refused) {
	for _, row := range rows {
		d := row.Newest()
		if d == nil || !Asked(row) {
			continue
		}
		r := Refused{Row: row, Reasons: refusedFor(*d)}
		if i := slices.IndexFunc(decisions, func(v Said) bool { return v.DocumentID == d.ID && v.Outcome == models.Refuse }); i >= 0 {
			r.Message = decisions[i].MessageText
		}
		if len(r.Reasons) > 0 {
			list = append(list, r)
		}
	}
	return list
}

// refusedFor are the reasons for which a reviewer, or DOKU, refused a document; none when it was not.
func refusedFor(d models.Document) []string {
	switch {
	case d.State == models.Refused && len(d.Reasons) > 0: // read out of DOKU's words
		return d.Reasons
	case d.State == models.Refused:
		return []string{d.Problem}
	case d.State == models.Delivered && d.Review == string(models.Refuse):
		return d.Reasons
	}
	return nil
}

// shareable are those codes that the merchant may know.
func shareable(codes []string) []string {
	return slices.DeleteFunc(slices.Clone(codes), func(code string) bool {
		r, known := ReasonOf(code)
		return !known || !r.Shareable
	})
}

// MessageText is the text of a message, and how many slots it names: "" and 0 when none may be named.
func MessageText(lang words.Lang, merchant, sender string, rows []models.ChecklistRow, refused []Refused, settings []models.ReasonSetting) (string, int) {
	say := func(key string, pairs ...any) string { return words.Say(lang, key, fault.Pairs(pairs...)) }
	var slots []string
	for _, r := range refused {
		codes := shareable(r.Reasons)
		if len(codes) == 0 {
			continue
		}
		lines := []string{strconv.Itoa(len(slots)+1) + ". " + slotName(lang, r.Row, rows)}
		for _, code := range codes {
			lines = append(lines, "- "+merchantText(lang, code, settings))
		}
		if r.Message != "" {
			lines = append(lines, say("message.text.note", "note", r.Message))
		}
		slots = append(slots, strings.Join(lines, "\n"))
	}
	if len(slots) == 0 {
		return "", 0
	}
	parts := append([]string{say("message.text.hello", "name", merchant), say("message.text.lead", "n", len(slots))}, slots...)
	return strings.Join(append(parts, say("message.text.close"), say("message.text.from", "who", sender)), "\n\n"), len(slots)
}

func slotName(lang words.Lang, row models.ChecklistRow, rows []models.ChecklistRow) string {
	name := DocumentCode(row.Category, row.Code)
	if words.Has("document." + name) {
		name = words.Say(lang, "document."+name, nil)
	}
	if n := SlotNumber(row, rows); n > 0 {
		name = words.Say(lang, "slot.number", map[string]any{"name": name, "n": n})
	}
	return name
}

// merchantText says to the merchant what is wrong and what mends it: the partner's own text, else the catalogue's for the
// merchant where the staff's would not do.
func merchantText(lang words.Lang, code string, settings []models.ReasonSetting) string {
	key := "reason." + code
	switch own := OwnText(settings, code, lang); {
	case own != "":
		return own
	case words.Has(key + ".merchant"):
		return words.Say(lang, key+".merchant", nil)
	}
	return words.Say(lang, key, nil) + " " + words.Say(lang, key+".do", nil)
}

// OwnText is the partner's own text of a reason, "" for the program's.
func OwnText(settings []models.ReasonSetting, code string, lang words.Lang) string {
	i := slices.IndexFunc(settings, func(s models.ReasonSetting) bool { return s.Code == code })
	switch {
	case i < 0:
		return ""
	case lang == words.EN:
		return settings[i].TextEN
	}
	return settings[i].TextID
}

// SlotNumber counts slots that share category and code, from 1; 0 for one that stands alone.
func SlotNumber(row models.ChecklistRow, rows []models.ChecklistRow) (n int) {
	same := 0
	for _, other := range rows {
		if other.Category == row.Category && other.Code == row.Code {
			same++
			if other.ID == row.ID {
				n = same
			}
		}
	}
	if same < 2 {
		return 0
	}
	return n
}

// MessageInput is what was sent to a merchant.
type MessageInput struct {
	Merchant models.MerchantID
	Channel  models.Channel
	Language words.Lang
	Text     string
}

// RecordMessage keeps what was sent to a merchant, whose turn it is from then on. fault.Invalid names what is wrong, also
// where the text says what no merchant may know.
func (s *Service) RecordMessage(ctx context.Context, actor models.Actor, in MessageInput) (models.MessageID, error) {
	in.Text = manyLines(in.Text)
	settings, err := s.Store.ReasonSettings(ctx)
	if err != nil {
		return 0, err
	}
	if err := checkMessage(in, settings); err != nil {
		return 0, err
	}
	v := models.Message{UID: newUID(), MerchantID: in.Merchant, Channel: in.Channel, Language: string(in.Language)}
	v.Body = s.Vault.SealString(in.Text, bodySeal("messages", v.UID))
	err = s.Store.Write(ctx, actor, func(tx *models.Tx) error {
		m, err := open(tx, in.Merchant)
		if err != nil {
			return err
		}
		if err := tx.RecordMessage(&v); err != nil {
			return err
		}
		m.MessagedAt = &tx.Now
		return s.keepProgress(tx, m)
	})
	return v.ID, err
}

func checkMessage(in MessageInput, settings []models.ReasonSetting) error {
	var refused []fault.Field
	refuse := func(name, code string, pairs ...any) {
		refused = append(refused, fault.Field{Name: name, Code: code, Params: fault.Pairs(pairs...)})
	}
	if !slices.Contains(models.Channels, in.Channel) {
		refuse("channel", "unknown_choice")
	}
	if !slices.Contains(words.Langs(), in.Language) {
		refuse("language", "unknown_choice")
	}
	switch {
	case in.Text == "":
		refuse("text", "required")
	case utf8.RuneCountInString(in.Text) > maxMessage:
		refuse("text", "too_long", "max", maxMessage)
	case saysTooMuch(in.Text, settings):
		refuse("text", "not_shareable")
	}
	return fault.Refused(refused)
}

// saysTooMuch finds the sentence of a reason that is not the merchant's to know, in either language.
func saysTooMuch(text string, settings []models.ReasonSetting) bool {
	text = NormalName(text)
	says := func(sentence string) bool { return sentence != "" && strings.Contains(text, sentence) }
	return text != "" && (slices.ContainsFunc(withheld(), says) || slices.ContainsFunc(settings, func(set models.ReasonSetting) bool {
		r, known := ReasonOf(set.Code)
		return known && !r.Shareable && (says(NormalName(set.TextID)) || says(NormalName(set.TextEN)))
	}))
}

// withheld are the program's own sentences that no merchant may read, with the name of each kind of document, as colleagues
// see them, and without.
var withheld = sync.OnceValue(func() (sentences []string) {
	for _, lang := range words.Langs() {
		named := []map[string]any{nil}
		for _, name := range DocumentCodes() {
			if words.Has("document." + name) {
				name = words.Say(lang, "document."+name, nil)
			}
			named = append(named, map[string]any{"document": name})
		}
		for _, r := range Reasons {
			for _, key := range []string{"reason." + r.Code, "reason." + r.Code + ".merchant"} {
				if r.Shareable || !words.Has(key) {
					continue
				}
				for _, params := range named {
					sentences = append(sentences, NormalName(words.Say(lang, key, params)))
				}
			}
		}
	}
	slices.Sort(sentences)
	return slices.Compact(sentences)
})

// Sent is a message with its text opened.
type Sent struct {
	models.Message
	Text string
}

// Messages to a merchant, newest first.
func (s *Service) Messages(ctx context.Context, id models.MerchantID) (list []Sent, err error) {
	rows, err := s.Store.Messages(ctx, id, messagesShown)
	for _, v := range rows {
		text, err := s.Vault.OpenString(v.Body, bodySeal("messages", v.UID))
		if err != nil {
			return nil, err
		}
		list = append(list, Sent{v, text})
	}
	return list, err
}

// DecisionsOfMerchant are those that count of the documents that count, with their notes, the newest first.
func (s *Service) DecisionsOfMerchant(ctx context.Context, id models.MerchantID) ([]Said, error) {
	rows, err := s.Store.DecisionsOfMerchant(ctx, id)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b models.Decision) int { return cmp.Compare(b.ID, a.ID) })
	return s.said(rows)
}

func bodySeal(table, uid string) string { return table + ".body:" + uid }
