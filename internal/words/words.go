// Package words holds both languages of the portal: the sentences, and how each language writes numbers, sizes, dates
// and times. It imports nothing of ours. Whoever has something to say hands over a key and parameters; the sentence is
// made here, at the last moment, in the reader's language.
//
// A catalogue is a plain text file, one "key = sentence" a line. In a sentence
//
//	{name}            is the parameter, numbers written as the language does
//	{name:size}       is the parameter through a format: size, date, datetime, day, duration, exact
//	{name:document}   is the sentence "document." + parameter where the catalogue has it, else the parameter itself
//	{name?this}       is "this" when the parameter is missing
//	{n|one|other}     is "one" when n is 1, else "other"
//	[[ … ]]           is left out when a parameter inside it is missing or zero
package words

import (
	"context"
	_ "embed"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// Lang is a language of the portal.
type Lang string

// The two languages. Indonesian is the default.
const (
	ID Lang = "id"
	EN Lang = "en"
)

// Langs lists the languages in the order they are offered.
func Langs() []Lang { return []Lang{ID, EN} }

//go:embed id.txt
var idText string

//go:embed en.txt
var enText string

var catalogues = map[Lang]map[string]string{ID: read(idText), EN: read(enText)}

// read parses a catalogue. A key that stands twice is a mistake of ours and stops the program at start.
func read(text string) map[string]string {
	entries := map[string]string{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, sentence, found := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if _, twice := entries[key]; !found || twice {
			panic("words: bad or repeated entry: " + line)
		}
		entries[key] = strings.TrimSpace(sentence)
	}
	return entries
}

type contextKey struct{}

// With says in which language everything made from ctx speaks.
func With(ctx context.Context, lang Lang) context.Context {
	return context.WithValue(ctx, contextKey{}, lang)
}

// From is the language of ctx, Indonesian when none was set.
func From(ctx context.Context) Lang {
	if lang, ok := ctx.Value(contextKey{}).(Lang); ok {
		return lang
	}
	return ID
}

// Pick chooses a language: the one the person chose, else the first one the browser accepts that we speak, else
// Indonesian.
func Pick(acceptLanguage, chosen string) Lang {
	if lang := Lang(chosen); lang == ID || lang == EN {
		return lang
	}
	type wish struct {
		lang Lang
		q    float64
	}
	var wishes []wish
	for part := range strings.SplitSeq(acceptLanguage, ",") {
		tag, rest, _ := strings.Cut(strings.TrimSpace(part), ";")
		q := 1.0
		if value, ok := strings.CutPrefix(strings.TrimSpace(rest), "q="); ok {
			q, _ = strconv.ParseFloat(value, 64)
		}
		base, _, _ := strings.Cut(strings.ToLower(tag), "-")
		switch base {
		case "id", "in", "ms", "jv", "su":
			wishes = append(wishes, wish{ID, q})
		case "en":
			wishes = append(wishes, wish{EN, q})
		}
	}
	sort.SliceStable(wishes, func(i, j int) bool { return wishes[i].q > wishes[j].q })
	if len(wishes) > 0 && wishes[0].q > 0 {
		return wishes[0].lang
	}
	return ID
}

// Has says whether the catalogues have the key.
func Has(key string) bool {
	_, ok := catalogues[ID][key]
	return ok
}

// T is the sentence of key in the language of ctx; pairs are names and values of its parameters.
func T(ctx context.Context, key string, pairs ...any) string {
	var params map[string]any
	if len(pairs) > 0 {
		params = make(map[string]any, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			params[fmt.Sprint(pairs[i])] = pairs[i+1]
		}
	}
	return Say(From(ctx), key, params)
}

// Say is the sentence of key in lang. A key that the catalogue lacks is shown as it is; tests look for that.
func Say(lang Lang, key string, params map[string]any) string {
	sentence, ok := catalogues[lang][key]
	if !ok {
		return key
	}
	if !strings.ContainsAny(sentence, "{[") {
		return sentence
	}
	text, _ := fill(lang, sentence, params)
	return text
}

// fill puts params into sentence and says whether all were there.
func fill(lang Lang, sentence string, params map[string]any) (string, bool) {
	var b strings.Builder
	whole := true
	for sentence != "" {
		i := strings.IndexAny(sentence, "{[")
		if i < 0 {
			b.WriteString(sentence)
			break
		}
		b.WriteString(sentence[:i])
		sentence = sentence[i:]
		if rest, ok := strings.CutPrefix(sentence, "[["); ok {
			if inside, after, ok := strings.Cut(rest, "]]"); ok {
				if text, all := fill(lang, inside, params); all && !counts0(inside, params) {
					b.WriteString(text)
				}
				sentence = after
				continue
			}
		}
		end := strings.IndexByte(sentence, '}')
		if sentence[0] != '{' || end < 0 {
			b.WriteByte(sentence[0])
			sentence = sentence[1:]
			continue
		}
		text, ok := place(lang, sentence[1:end], params)
		b.WriteString(text)
		whole = whole && ok
		sentence = sentence[end+1:]
	}
	return b.String(), whole
}

// counts0 says whether one of the parameters in an optional part is the number 0: "0 changed" says nothing.
func counts0(inside string, params map[string]any) bool {
	for _, part := range strings.Split(inside, "{")[1:] {
		name := part[:strings.IndexAny(part+"}", ":?|}")]
		if n, isNumber := integer(params[name]); isNumber && n == 0 {
			return true
		}
	}
	return false
}

// place is the text of one placeholder, without its braces.
func place(lang Lang, spec string, params map[string]any) (string, bool) {
	if name, forms, ok := strings.Cut(spec, "|"); ok {
		one, other, _ := strings.Cut(forms, "|")
		if n, isNumber := integer(params[name]); isNumber && n == 1 {
			return one, true
		}
		return other, true
	}
	spec, fallback, hasFallback := strings.Cut(spec, "?")
	name, format, _ := strings.Cut(spec, ":")
	value, ok := params[name]
	if s, isString := value.(string); !ok || value == nil || isString && s == "" {
		if hasFallback {
			return fallback, true
		}
		return "{" + name + "}", false
	}
	switch format {
	case "":
		return write(lang, value), true
	case "size":
		if n, ok := integer(value); ok {
			return size(lang, n), true
		}
	case "duration":
		if d, ok := value.(time.Duration); ok {
			return duration(lang, d), true
		}
		if n, ok := integer(value); ok {
			return duration(lang, time.Duration(n)*time.Second), true
		}
	case "date", "datetime", "day", "exact":
		if t, ok := instant(value); ok {
			switch format {
			case "date":
				return date(lang, t), true
			case "day":
				return day(lang, t), true
			case "datetime":
				return date(lang, t) + " " + clock(lang, t), true
			}
			return Exact(t), true
		}
	default:
		key := format + "." + fmt.Sprint(value)
		if sentence, ok := catalogues[lang][key]; ok {
			text, _ := fill(lang, sentence, params)
			return text, true
		}
	}
	return write(lang, value), true
}

// write is a parameter as it stands in a sentence.
func write(lang Lang, value any) string {
	switch v := value.(type) {
	case string:
		return v
	case time.Time:
		return date(lang, v) + " " + clock(lang, v)
	case time.Duration:
		return duration(lang, v)
	case []string:
		return list(lang, v)
	case []any:
		items := make([]string, len(v))
		for i, item := range v {
			items[i] = write(lang, item)
		}
		return list(lang, items)
	case float64:
		if n := int64(v); float64(n) == v {
			return number(lang, n)
		}
		return decimal(lang, v, 1)
	}
	if n, ok := integer(value); ok {
		return number(lang, n)
	}
	return fmt.Sprint(value)
}

// list joins items as the language does: a, b and c.
func list(lang Lang, items []string) string {
	if len(items) < 2 {
		return strings.Join(items, "")
	}
	and := " dan "
	if lang == EN {
		and = " and "
	}
	return strings.Join(items[:len(items)-1], ", ") + and + items[len(items)-1]
}

func integer(value any) (int64, bool) {
	switch v := value.(type) {
	case int:
		return int64(v), true
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case uint32:
		return int64(v), true
	case uint64:
		return int64(v), true
	case float64:
		return int64(v), true
	case fmt.Stringer: // json.Number
		n, err := strconv.ParseInt(v.String(), 10, 64)
		return n, err == nil
	}
	return 0, false
}

func instant(value any) (time.Time, bool) {
	switch v := value.(type) {
	case time.Time:
		return v, true
	case string:
		t, err := time.Parse(time.RFC3339, v)
		return t, err == nil
	}
	return time.Time{}, false
}
