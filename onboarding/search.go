package onboarding

import (
	"cmp"
	"context"
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
	similarEnough     = 0.5
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
	parts := nameParts(f.Name)
	if len(parts) == 0 {
		return nil, nil
	}
	names, err := s.Store.MerchantsNamedNearly(ctx, parts, similarCandidates)
	if err != nil {
		return nil, err
	}
	near := map[models.MerchantID]float64{}
	var ids []models.MerchantID
	for _, n := range names {
		if likeness := similarity(f.Name, n.NameNormal); likeness >= similarEnough && !strings.Contains(n.NameNormal, f.Name) {
			near[n.ID], ids = likeness, append(ids, n.ID)
		}
	}
	byLikeness := func(a, b models.MerchantID) int { return cmp.Or(cmp.Compare(near[b], near[a]), cmp.Compare(a, b)) }
	slices.SortFunc(ids, byLikeness)
	rows, err := s.Store.MerchantsAmong(ctx, f, ids[:min(len(ids), similarCandidates)], similarCandidates)
	slices.SortFunc(rows, func(a, b models.MerchantRow) int { return byLikeness(a.ID, b.ID) })
	return rows[:min(len(rows), similarShown)], err
}

// nameParts are both halves of each word of a name: one slip of the keys leaves one of them as it is.
func nameParts(name string) (parts [][2]string) {
	for _, word := range strings.Fields(name) {
		letters := []rune(word)
		if len(letters) < 4 {
			continue
		}
		half := max(3, len(letters)/2)
		parts = append(parts, [2]string{string(letters[:half]), string(letters[len(letters)-half:])})
	}
	return parts[:min(len(parts), 5)]
}

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
