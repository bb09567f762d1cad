package onboarding

import (
	"cmp"
	"context"
	"maps"
	"regexp"
	"slices"
	"strings"

	"berkas/models"
)

const (
	// FewFound is below how many merchants similar names are offered too.
	FewFound = 5

	similarShown      = 10
	similarCandidates = 500
	similarFirst      = 50 // of them mostly suffice
	similarEnough     = 0.5
	similarMeant      = 5  // words that are meant by one
	similarWords      = 8  // of a name, further ones are not looked at
	similarLetters    = 40 // of a word
)

var dokuID = regexp.MustCompile(`(?i)^[a-z]{3}-\d{4}-\d{13}$`)

// DOKUID is a text that has the form of DOKU's ids, as DOKU writes it; "" when it has not.
func DOKUID(text string) string {
	if text = strings.TrimSpace(text); dokuID.MatchString(text) {
		return strings.ToUpper(text)
	}
	return ""
}

// SimilarMerchants are merchants of a filter whose names are nearly the one it asks for, the most similar first; none when
// the name is too short to be misspelt.
func (s *Service) SimilarMerchants(ctx context.Context, f models.MerchantFilter) ([]models.MerchantRow, error) {
	words, err := s.typedWords(ctx, f.Name)
	if err != nil {
		return nil, err
	}
	var names []models.NamedMerchant
	for _, meant := range meantNames(words) {
		if names, err = s.Store.MerchantsNamedNearly(ctx, meant, f.State == "archived", similarCandidates); err != nil || len(names) > 0 {
			break
		}
	}
	if len(names) == 0 {
		return nil, err
	}
	near := map[models.MerchantID]float64{}
	var ids []models.MerchantID
	for _, n := range names {
		likeness := similarity(asSpelt(words, n.NameNormal), n.NameNormal)
		if likeness >= similarEnough && !strings.Contains(n.NameNormal, f.Name) {
			near[n.ID], ids = likeness+similarity(inOrder(f.Name), inOrder(n.NameNormal)), append(ids, n.ID)
		}
	}
	byLikeness := func(a, b models.MerchantID) int { return cmp.Or(cmp.Compare(near[b], near[a]), cmp.Compare(a, b)) }
	slices.SortFunc(ids, byLikeness)
	var rows []models.MerchantRow
	first := min(len(ids), similarFirst)
	for _, some := range [][]models.MerchantID{ids[:first], ids[first:]} {
		if err == nil && len(some) > 0 && len(rows) < similarShown {
			var more []models.MerchantRow
			more, err = s.Store.MerchantsAmong(ctx, f, some, similarCandidates)
			rows = append(rows, more...)
		}
	}
	slices.SortFunc(rows, func(a, b models.MerchantRow) int { return byLikeness(a.ID, b.ID) })
	return rows[:min(len(rows), similarShown)], err
}

// typedWord is a word of a name that is searched. Short ones are taken as they are.
type typedWord struct {
	text  string
	long  bool
	near  []string // the words of merchants' names that are nearest, itself too
	meant []string // itself when it stands in a name, else the nearest
}

// typedWords are the words of a name, with those of merchants' names that may be meant by them.
func (s *Service) typedWords(ctx context.Context, name string) (words []typedWord, err error) {
	var long []string
	fields := strings.Fields(name)
	for _, text := range fields[:min(len(fields), similarWords)] {
		w := typedWord{text: text, meant: []string{text}}
		if letters := len([]rune(text)); letters >= 4 && letters <= similarLetters {
			w.long, long = true, append(long, text)
		}
		words = append(words, w)
	}
	if len(long) == 0 {
		return nil, nil
	}
	known, err := s.Store.NameWords(ctx, long)
	for i := range words {
		if words[i].long {
			words[i].choose(known)
		}
	}
	return words, err
}

// choose takes the words that are meant by a long one from those that may be: what it is a part of too, and what is a part of
// it, as of two that were typed without a space.
func (w *typedWord) choose(known []models.NameWord) {
	near := map[string]float64{}
	for _, k := range known {
		likeness := max(similarity(w.text, k.Word), similarity(k.Word, w.text))
		if k.Typed == w.text && (k.Slip || likeness >= similarEnough) {
			near[k.Word] = likeness
		}
	}
	w.near = slices.SortedFunc(maps.Keys(near), func(a, b string) int { return cmp.Or(cmp.Compare(near[b], near[a]), cmp.Compare(a, b)) })
	w.near = w.near[:min(len(w.near), similarMeant)]
	if !slices.Contains(w.near, w.text) {
		w.meant = w.near
	}
}

// meantNames are the names that may be meant, to be searched one after another until a merchant has one: of the words that are
// meant, of all that are near the long ones, of the long ones without one of them as long as half of the name is left. Words
// of one or two letters stand in very many names.
func meantNames(words []typedWord) (searches [][]models.WordsOfName) {
	search := func(names ...models.WordsOfName) {
		names = slices.DeleteFunc(names, func(n models.WordsOfName) bool {
			return len(n) == 0 || slices.ContainsFunc(n, func(group []string) bool { return len(group) == 0 })
		})
		if len(names) > 0 {
			searches = append(searches, names)
		}
	}
	var all, near models.WordsOfName
	var without []models.WordsOfName
	for i, w := range words {
		if len([]rune(w.text)) >= 3 {
			all = append(all, w.meant)
		}
		if w.long {
			near = append(near, w.near)
			without = append(without, others(words, i))
		}
	}
	search(all)
	search(near)
	search(without...)
	return searches
}

// others are the long words but one, none when they are less than half of all.
func others(words []typedWord, but int) (name models.WordsOfName) {
	var all, left []string
	for i, w := range words {
		if all = append(all, w.text); i != but {
			left = append(left, w.text)
			if w.long {
				name = append(name, w.meant)
			}
		}
	}
	if similarity(strings.Join(all, " "), strings.Join(left, " ")) < similarEnough {
		return nil
	}
	return name
}

// asSpelt are typed words as a name spells them.
func asSpelt(words []typedWord, name string) string {
	var spelt []string
	in := strings.Fields(name)
	for _, w := range words {
		there := slices.DeleteFunc(slices.Clone(w.near), func(word string) bool { return !slices.Contains(in, word) })
		if len(there) == 0 {
			there = []string{w.text}
		}
		spelt = append(spelt, there...)
	}
	return strings.Join(spelt, " ")
}

// inOrder is a name as one word, so that the order of its words is a part of its likeness.
func inOrder(name string) string { return strings.ReplaceAll(name, " ", "-") }

// similarity is how many of a wanted text's groups of three letters a name has, from 0 to 1. Of two names that have as many the
// shorter one is nearer.
func similarity(wanted, name string) float64 {
	in, there := trigrams(wanted), trigrams(name)
	shared := 0
	for t := range in {
		if there[t] {
			shared++
		}
	}
	return float64(shared)/float64(max(1, len(in))) - float64(len(there))/10_000
}

func trigrams(text string) map[string]bool {
	set := map[string]bool{}
	for _, word := range strings.Fields(text) {
		letters := []rune("  " + word + " ")
		for i := range len(letters) - 2 {
			set[string(letters[i:i+3])] = true
		}
	}
	return set
}
