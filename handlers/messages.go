package handlers

import (
	"context"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
	"berkas/views"
)

// writeMessage is the page with a ready message to a merchant.
func (h *handler) writeMessage(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	return h.drawMessage(c, http.StatusOK, id, messageLanguage(c.QueryParam("language")), nil)
}

// messageLanguage is the merchant's, not the reader's: Bahasa Indonesia unless English is chosen.
func messageLanguage(asked string) words.Lang {
	if words.Lang(asked) == words.EN {
		return words.EN
	}
	return words.ID
}

func (h *handler) drawMessage(c echo.Context, status int, id models.MerchantID, lang words.Lang, change func(*views.MessagePage)) error {
	ctx := c.Request().Context()
	m, to, err := h.reach(c, id)
	if err != nil {
		return err
	}
	if m.ArchivedAt != nil {
		return fault.New(fault.Conflict, "merchant_archived")
	}
	draft, err := h.Service.DraftMessage(ctx, m, lang, person(c).Name)
	if err != nil {
		return err
	}
	v := views.MessagePage{MerchantID: int64(id), Merchant: m.Name, Language: string(lang), Slots: draft.Slots, Text: draft.Text, To: to}
	if v.Earlier, err = h.earlierMessages(ctx, id); err != nil {
		return err
	}
	if change != nil {
		change(&v)
	}
	if v.Page, err = h.page(c, words.T(ctx, "message.title", "name", m.Name), "merchants"); err != nil {
		return err
	}
	return render(c, status, views.MerchantMessage(v))
}

// reach is a merchant and where to reach it, which counts as looking at the merchant.
func (h *handler) reach(c echo.Context, id models.MerchantID) (m models.Merchant, to []views.AddressView, err error) {
	ctx := c.Request().Context()
	page, err := h.Reader.MerchantPage(ctx, id, h.Now())
	if err != nil {
		return m, nil, err
	}
	addresses, err := h.Service.Addresses(page.Dossier)
	for _, a := range addresses {
		to = append(to, views.AddressView{Channel: string(a.Channel), Whose: a.Whose, To: a.To})
	}
	if err == nil {
		err = h.Service.Viewed(ctx, actor(c), id)
	}
	return page.Merchant, to, err
}

func (h *handler) earlierMessages(ctx context.Context, id models.MerchantID) (list []views.MessageView, err error) {
	sent, err := h.Service.Messages(ctx, id)
	for _, m := range sent {
		list = append(list, messageView(m))
	}
	return list, err
}

func messageView(m onboarding.Sent) views.MessageView {
	return views.MessageView{ID: int64(m.ID), Channel: string(m.Channel), Language: m.Language, Who: m.Sender, At: m.SentAt, Text: m.Text}
}

// recordMessage keeps what is sent to a merchant. A plain form is led to the message, from where the link sends it; the
// script has opened the link already and gets the list.
func (h *handler) recordMessage(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	in := onboarding.MessageInput{Merchant: id, Channel: models.Channel(f.Get("channel")), Language: words.Lang(f.Get("language")), Text: f.Get("text")}
	sent, err := h.Service.RecordMessage(ctx, actor(c), in)
	if refused := fault.As(err); fault.Is(err, fault.Invalid) && !wantsFragment(c) {
		return h.drawMessage(c, http.StatusUnprocessableEntity, id, messageLanguage(f.Get("language")), func(v *views.MessagePage) {
			v.Text, v.Errors = f.Get("text"), refusals(refused)
		})
	} else if fault.Is(err, fault.Invalid) && len(refused.Fields) > 0 {
		first := refused.Fields[0]
		return &fault.Error{Kind: fault.Invalid, Code: first.Code, Params: first.Params}
	}
	if err != nil {
		return err
	}
	if !wantsFragment(c) {
		return see(c, views.SentURL(int64(id), int64(sent)))
	}
	earlier, err := h.earlierMessages(ctx, id)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.EarlierMessages(earlier))
}

// showMessage shows a message that was kept, with the links of its channel.
func (h *handler) showMessage(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	m, to, err := h.reach(c, id)
	if err != nil {
		return err
	}
	sent, err := h.Service.Messages(ctx, id)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(sent, func(s onboarding.Sent) bool { return strconv.FormatInt(int64(s.ID), 10) == c.Param("message") })
	if i < 0 {
		return fault.New(fault.NotFound, "not_found")
	}
	v := views.SentPage{MerchantID: int64(id), Merchant: m.Name, Message: messageView(sent[i])}
	v.To = slices.DeleteFunc(to, func(a views.AddressView) bool { return a.Channel != v.Message.Channel })
	if v.Page, err = h.page(c, words.T(ctx, "message.title", "name", m.Name), "merchants"); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.MessageSent(v))
}

// addComment adds to what colleagues say about a merchant.
func (h *handler) addComment(c echo.Context) error {
	id, err := merchantID(c)
	if err != nil {
		return err
	}
	f, err := form(c)
	if err != nil {
		return err
	}
	err = h.Service.Comment(c.Request().Context(), actor(c), id, f.Get("text"))
	if err != nil && !fault.Is(err, fault.Invalid) {
		return err
	}
	refused := fault.As(err)
	if !wantsFragment(c) && refused == nil {
		h.flash(c, "good", "comment_added")
		return see(c, views.MerchantURL(int64(id))+"#comments")
	}
	typed := func(v *views.CommentsView) {
		if refused != nil {
			v.Typed, v.Error = f.Get("text"), &views.Message{Code: refused.Code, Params: refused.Params}
		}
	}
	status := http.StatusOK
	if refused != nil {
		status = http.StatusUnprocessableEntity
	}
	if !wantsFragment(c) {
		return h.drawMerchantWith(c, status, id, func(v *views.MerchantPage) { typed(&v.Comments) })
	}
	list, err := h.Service.Comments(c.Request().Context(), id)
	if err != nil {
		return err
	}
	v := commentsView(c, id, list)
	typed(&v)
	return render(c, status, views.Comments(v))
}

func commentsView(c echo.Context, id models.MerchantID, list []onboarding.Written) views.CommentsView {
	v := views.CommentsView{MerchantID: int64(id), CanAdd: can(c, auth.CommentMerchants), Max: onboarding.MaxComment}
	for _, w := range list {
		v.List = append(v.List, views.CommentView{Who: w.Writer, At: w.WrittenAt, Text: w.Text})
	}
	return v
}

// tellRefusals tells a slot all of why its document was refused, and the partner's own texts.
func (h *handler) tellRefusals(ctx context.Context, id models.MerchantID, rows []models.ChecklistRow) (func(*views.SlotView), error) {
	if !slices.ContainsFunc(rows, func(row models.ChecklistRow) bool {
		d := row.Newest()
		return d != nil && (d.State == models.Refused || d.Review == string(models.Refuse))
	}) {
		return func(*views.SlotView) {}, nil
	}
	settings, err := h.Reader.ReasonSettings(ctx)
	if err != nil {
		return nil, err
	}
	decisions, err := h.Service.DecisionsOfMerchant(ctx, id)
	if err != nil {
		return nil, err
	}
	return func(v *views.SlotView) {
		if v.Reason == nil || v.Document == nil {
			return
		}
		v.Reason.Own = onboarding.OwnText(settings, v.Reason.Code, words.From(ctx))
		for i := range v.Reason.More {
			v.Reason.More[i].Own = onboarding.OwnText(settings, v.Reason.More[i].Code, words.From(ctx))
		}
		i := slices.IndexFunc(decisions, func(d onboarding.Said) bool {
			return int64(d.DocumentID) == v.Document.ID && d.Outcome == models.Refuse
		})
		if v.Reason.Source == "reviewer" && i >= 0 {
			v.Refusal = refusalView(ctx, decisions[i], settings)
		}
	}, nil
}

func refusalView(ctx context.Context, d onboarding.Said, settings []models.ReasonSetting) *views.RefusalView {
	v := &views.RefusalView{Who: d.Decider, At: d.DecidedAt, Message: d.MessageText, Note: d.NoteText}
	for _, code := range d.Reasons {
		r, _ := onboarding.ReasonOf(code)
		v.Reasons = append(v.Reasons, views.RefusalReason{ReasonView: views.ReasonView{Code: code, Source: "reviewer", Own: onboarding.OwnText(settings, code, words.From(ctx))},
			Internal: !r.Shareable})
	}
	return v
}
