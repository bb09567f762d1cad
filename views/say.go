package views

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"berkas/internal/words"
	"berkas/static"
)

// say is the sentence of key in the reader's language; pairs are names and values of its parameters.
func say(ctx context.Context, key string, pairs ...any) string { return words.T(ctx, key, pairs...) }

// message is m as a sentence of the given part of the catalogue.
func message(ctx context.Context, prefix string, m Message) string {
	return words.Say(words.From(ctx), prefix+m.Code, m.Params)
}

// faultText is a refusal as a sentence: codes of files live among the reasons.
func faultText(ctx context.Context, m Message) string {
	switch {
	case words.Has("fault." + m.Code):
		return message(ctx, "fault.", m)
	case words.Has("reason." + m.Code):
		return message(ctx, "reason.", m) + " " + words.Say(words.From(ctx), "reason."+m.Code+".do", m.Params)
	}
	return say(ctx, "fault.internal")
}

// flashText is what the last action did: a sentence of its own, else that of the event, else that of the fault.
func flashText(ctx context.Context, m Message) string {
	switch {
	case words.Has("flash." + m.Code):
		return message(ctx, "flash.", m)
	case words.Has("event." + m.Code):
		return message(ctx, "event.", m) + "."
	}
	return faultText(ctx, m)
}

// named is the catalogue's word for one of DOKU's values, or the value itself where DOKU knows more than we do.
func named(ctx context.Context, prefix, value string) string {
	if words.Has(prefix + value) {
		return words.T(ctx, prefix+value)
	}
	return value
}

// documentName is the catalogue's name of a document: by its code, outside DOCUMENT by its category.
func documentName(ctx context.Context, category, code string) string {
	if code != "" {
		return named(ctx, "document.", code)
	}
	return named(ctx, "document.", category)
}

func (s SlotView) name(ctx context.Context) string {
	name := s.Name
	if name == "" {
		name = documentName(ctx, s.Category, s.Code)
	}
	if s.Number > 0 {
		name = say(ctx, "slot.number", "name", name, "n", s.Number)
	}
	return name
}

func (d DocumentPage) name(ctx context.Context) string {
	if d.SlotName != "" {
		return d.SlotName
	}
	return documentName(ctx, d.Category, d.Code)
}

// turn is whose turn it is, and for how long it has been theirs: minutes are not worth a word.
func (p ProgressView) turn(ctx context.Context) string {
	actor := say(ctx, "actor."+p.NextActor)
	if p.NextSince.IsZero() || time.Since(p.NextSince) < time.Hour {
		return actor
	}
	return say(ctx, "actor.since", "actor", actor, "since", time.Since(p.NextSince))
}

// parts is what a merchant lacks, in words: the clauses after the leading sentence. Documents of which the same is to be
// said share a clause. With a limit, at most that many clauses, each with at most that many documents, and how many more.
func (p ProgressView) parts(ctx context.Context, limit int) string {
	type clause struct {
		code      string
		params    map[string]any
		documents []string
	}
	var clauses []*clause
	for _, part := range p.Parts {
		document := fmt.Sprint(part.Params["document"])
		_, reasoned := part.Params["reason"].(string)
		if i := slices.IndexFunc(clauses, func(c *clause) bool {
			return c.code == part.Code && !reasoned && c.params["reason"] == nil && part.Code != "field"
		}); i >= 0 {
			clauses[i].documents = append(clauses[i].documents, document)
			continue
		}
		params := maps.Clone(part.Params)
		if params == nil {
			params = map[string]any{}
		}
		if code, _ := params["reason"].(string); words.Has("reason."+code) && code != "refused_by_doku" {
			params["reason"] = lowerFirst(strings.TrimSuffix(reasonShort(ctx, code, params), "."))
		} else {
			delete(params, "reason") // the clause says already that DOKU refused it
		}
		clauses = append(clauses, &clause{part.Code, params, []string{document}})
	}
	if len(clauses) == 0 {
		return ""
	}
	var out []string
	for i, c := range clauses {
		if limit > 0 && i == limit {
			more := 0
			for _, rest := range clauses[i:] {
				more += len(rest.documents)
			}
			out = append(out, say(ctx, "app.and_more", "n", more))
			break
		}
		documents := c.documents
		if limit > 0 && len(documents) > limit+1 {
			documents = append(slices.Clone(documents[:limit]), say(ctx, "progress.part.others", "n", len(documents)-limit))
		}
		c.params["document"], c.params["n"] = documents, len(c.documents)
		out = append(out, words.Say(words.From(ctx), "progress.part."+c.code, c.params))
	}
	return strings.Join(out, "; ") + "."
}

// reasonShort is a reason without the name of the document, which the sentence around it says already.
func reasonShort(ctx context.Context, code string, params map[string]any) string {
	params = maps.Clone(params)
	delete(params, "document")
	return words.Say(words.From(ctx), "reason."+code, params)
}

func lowerFirst(s string) string {
	if len(s) > 1 && s[1] >= 'a' && s[1] <= 'z' || strings.HasPrefix(s, "A ") {
		return strings.ToLower(s[:1]) + s[1:]
	}
	return s
}

// reasonTitle says what is wrong, reasonDo what mends it; the partner's own text says both.
func (s SlotView) reasonTitle(ctx context.Context, r ReasonView) string {
	if r.Own != "" {
		return r.Own
	}
	return words.Say(words.From(ctx), "reason."+r.Code, s.reasonParams(ctx, r))
}

func (s SlotView) reasonDo(ctx context.Context, r ReasonView) string {
	if r.Own != "" {
		return ""
	}
	return words.Say(words.From(ctx), "reason."+r.Code+".do", s.reasonParams(ctx, r))
}

func (s SlotView) reasonParams(ctx context.Context, r ReasonView) map[string]any {
	params := map[string]any{"document": s.name(ctx), "max": s.MaxBytes, "allowed": listTypes(s.Extensions)}
	maps.Copy(params, r.Params)
	return params
}

// types are the extensions a slot takes, as people know them: JPEG is JPG.
func types(extensions []string) []string {
	var out []string
	seen := map[string]bool{}
	for _, extension := range extensions {
		extension = strings.ToUpper(extension)
		if extension == "JPEG" {
			extension = "JPG"
		}
		if !seen[extension] {
			seen[extension] = true
			out = append(out, extension)
		}
	}
	return out
}

func listTypes(extensions []string) string { return strings.Join(types(extensions), ", ") }

// accept is the value of a file input's accept attribute.
func accept(extensions []string) string {
	out := make([]string, len(extensions))
	for i, extension := range extensions {
		out[i] = "." + strings.ToLower(extension)
	}
	return strings.Join(out, ",")
}

// acceptPictures is accept without PDF: what a camera can make.
func acceptPictures(extensions []string) string {
	for _, extension := range extensions {
		switch strings.ToUpper(extension) {
		case "JPG", "JPEG", "PNG":
			return "image/jpeg,image/png"
		}
	}
	return ""
}

// takes says before the choice what a slot takes.
func (s SlotView) takes(ctx context.Context) string {
	text := say(ctx, "slot.takes", "types", listTypes(s.Extensions), "max", s.MaxBytes)
	var fields []string
	for _, f := range s.Fields {
		field := f.name(ctx)
		if length := f.length(ctx); length != "" {
			field += " (" + length + ")"
		}
		fields = append(fields, field)
	}
	if len(fields) > 0 {
		text += " · " + say(ctx, "slot.takes.with", "fields", fields)
	}
	return text
}

func (f FieldView) name(ctx context.Context) string {
	if f.Name != "" && !words.Has("field."+f.Code) {
		return f.Name
	}
	return named(ctx, "field.", f.Code)
}

func (f FieldView) length(ctx context.Context) string {
	switch {
	case f.MaxSize == 0:
		return ""
	case f.MinSize == f.MaxSize && f.Numeric:
		return say(ctx, "slot.field.digits", "n", f.MaxSize)
	}
	return say(ctx, "slot.field.length", "min", f.MinSize, "max", f.MaxSize)
}

func (f FieldView) pattern() string {
	class := "."
	if f.Numeric {
		class = "[0-9]"
	}
	if f.MaxSize == 0 {
		return class + "*"
	}
	return fmt.Sprintf("%s{%d,%d}", class, f.MinSize, f.MaxSize)
}

// missingFields are the fields DOKU wants and nobody typed yet, or typed wrongly.
func (s SlotView) missingFields() []FieldView {
	var out []FieldView
	for _, f := range s.Fields {
		if f.Masked == "" || f.Error != nil {
			out = append(out, f)
		}
	}
	return out
}

func (s SlotView) says(ctx context.Context) string {
	return s.name(ctx) + ": " + say(ctx, "slot.state."+s.State)
}

func (s SlotView) domID() string  { return "slot-" + strconv.FormatInt(s.ID, 10) }
func (s SlotView) target() string { return "#" + s.domID() }

// every is how often a row that is not final asks for itself: often while something moves, seldom while DOKU is away.
func (s SlotView) every() string {
	if s.State == "waiting" && s.Safe != nil && s.Safe.Why != "" {
		return "every 4s"
	}
	return "every 1s"
}

func stateIcon(state string) string {
	switch state {
	case "waiting":
		return "clock"
	case "sending":
		return "send"
	case "delivered":
		return "check"
	case "refused":
		return "refused"
	case "failed":
		return "alert"
	}
	return "empty"
}

func stateTone(state string) string {
	switch state {
	case "waiting":
		return "wait"
	case "sending":
		return "info"
	case "delivered":
		return "good"
	case "refused", "failed":
		return "bad"
	}
	return ""
}

func toneIcon(tone string) string {
	switch tone {
	case "good":
		return "check"
	case "wait":
		return "clock"
	case "bad":
		return "alert"
	}
	return "info"
}

func stamped(t time.Time) string { return t.In(words.WIB).Format(time.RFC3339) }

// share is how much of a ring of 100 is drawn.
func share(done, total int) string {
	if total <= 0 {
		return "0 100"
	}
	return strconv.Itoa(done*100/total) + " 100"
}

func id64(n int64) string { return strconv.FormatInt(n, 10) }

// thumbnail and picture are where images come from. Ids below zero belong to the gallery, which has one picture.
func thumbnail(d DocumentView) string {
	if d.ID < 0 {
		return static.URL("sample.svg")
	}
	return ThumbnailURL(d.ID)
}

func picture(d DocumentView, page int) string {
	switch {
	case d.ID < 0:
		return static.URL("sample.svg")
	case d.isPDF():
		return PageURL(d.ID, page)
	}
	return FileURL(d.ID)
}

func (d DocumentView) isPDF() bool { return d.ContentType == "application/pdf" }

func (d DocumentView) pageCount() int {
	if d.isPDF() && d.Pages > 1 {
		return d.Pages
	}
	return 1
}

// htmxConfig keeps htmx within the content security policy, keeps pages out of browser storage and lets answers of
// every status show themselves.
const htmxConfig = `{"includeIndicatorStyles":false,"allowEval":false,"allowScriptTags":false,"historyCacheSize":0,"refreshOnHistoryMiss":true,"selfRequestsOnly":true,"attributesToSettle":["class","width","height"],"responseHandling":[{"code":"204","swap":false},{"code":"[23]..","swap":true},{"code":"[45]..","swap":true,"error":true},{"code":"...","swap":false}]}`

// scriptWords are the sentences the script shows, with their placeholders left open.
func scriptWords(ctx context.Context) string {
	keys := map[string]string{
		"of":         say(ctx, "slot.sending.of"),
		"sending":    say(ctx, "slot.sending"),
		"check":      say(ctx, "slot.sending.check"),
		"abort":      say(ctx, "slot.abort.for"),
		"aborted":    say(ctx, "slot.aborted"),
		"lost":       say(ctx, "slot.lost"),
		"offlineRow": say(ctx, "slot.offline"),
		"tooBig":     say(ctx, "slot.too_big"),
		"leave":      say(ctx, "slot.leave"),
		"offline":    say(ctx, "error.offline"),
		"unexpected": say(ctx, "error.unexpected"),
		"copied":     say(ctx, "app.copied"),
		"skip":       say(ctx, "chooser.skip"),
		"chooserFor": say(ctx, "chooser.for"),
		"none":       say(ctx, "chooser.none"),
		"page":       say(ctx, "viewer.page_of"),
	}
	text, _ := json.Marshal(keys)
	return string(text)
}

func (s SlotView) moreText(ctx context.Context) string {
	if len(s.Earlier) > 0 {
		return say(ctx, "slot.more") + " · " + say(ctx, "slot.earlier", "n", len(s.Earlier))
	}
	return say(ctx, "slot.more")
}

func fieldNames(ctx context.Context, fields []FieldView) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.name(ctx)
	}
	return out
}

func personOr(ctx context.Context, who string) string {
	if who == "" {
		return say(ctx, "app.system")
	}
	return who
}

func (f FactView) name(ctx context.Context) string {
	code, own := strings.CutPrefix(f.Key, "form_")
	switch {
	case own && words.Has("field."+code):
		return say(ctx, "field."+code)
	case own:
		return f.Name
	}
	return say(ctx, "field."+f.Key)
}

func (r ReasonOption) text(ctx context.Context) string {
	if r.Text != "" {
		return r.Text
	}
	return reasonTitle(ctx, r.Code)
}
