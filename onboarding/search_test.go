package onboarding_test

import (
	"strings"
	"testing"

	"berkas/models"
	"berkas/onboarding"
)

// named adds merchants.
func (b *bundle) named(names ...string) {
	b.Helper()
	if b.count("select count(*) from merchants") == 0 {
		b.merchant()
	}
	for _, name := range names {
		b.exec(`insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id)
			select gen_random_uuid(), $1, $2, m.business_type, m.legal_entity, m.business_line, m.nationality, m.combination_id from merchants m limit 1`, name, onboarding.NormalName(name))
	}
}

// nearest is the first of the merchants that are offered for what was typed.
func (b *bundle) nearest(typed string) string {
	b.Helper()
	rows, err := b.SimilarMerchants(b.ctx(), models.MerchantFilter{Name: onboarding.NormalName(typed), Today: b.clock.Now()})
	b.must(err)
	if len(rows) == 0 {
		return ""
	}
	return rows[0].Name
}

// slips are what may come of a word by one slip of the keys.
func slips(word string) (list []string) {
	for i := range word {
		list = append(list, word[:i]+"x"+word[i+1:], word[:i]+"x"+word[i:], word[:i]+word[i+1:])
		if i > 0 {
			list = append(list, word[:i-1]+word[i:i+1]+word[i-1:i]+word[i+1:])
		}
	}
	return append(list, word+"x")
}

func TestEverySlipOfTheKeysFindsTheName(t *testing.T) {
	b := setup(t)
	const name = "Kopi Senja Nusantara Indah"
	b.named(name, "Kapal Senang Nusa", "Toko Kota Indonesia", "Bengkel Sejati")
	for _, word := range []string{"kopi", "senja", "nusantara"} {
		for _, slip := range slips(word) {
			whole := strings.Replace("kopi senja nusantara indah", word, slip, 1)
			if got := b.nearest(whole); got != name && !strings.Contains(strings.ToLower(name), whole) {
				t.Errorf("%s is like %q", whole, got)
			}
			if got := b.nearest(slip); got != name && len(slip) >= 4 && !strings.Contains(word, slip) {
				t.Errorf("%s is like %q", slip, got)
			}
		}
	}
}

func TestNearestNames(t *testing.T) {
	b := setup(t)
	b.named("PT Lintas Utama Logistik", "PT Utama Lintas Logistik", "PT Utama Lintas Media", "Toko Kue Anggrek 33", "Toko Kue Anggrek 34", "Warung Sejahtera Abadi", "Kios Anggrekk", "Travel Bambang", "Katering Bulan Purnama")
	b.exec("update merchants set archived_at = now() where name = 'Katering Bulan Purnama'")
	for typed, want := range map[string]string{
		"pt utama lintas lovistik":     "PT Utama Lintas Logistik",
		"cv lintas utama logistk":      "PT Lintas Utama Logistik", // another form and order
		"pt utama lintaslogistik":      "PT Utama Lintas Logistik", // no space between two words
		"pt utama lintas logi stik":    "PT Utama Lintas Logistik", // one within a word
		"pt utama lintas logistik bro": "PT Utama Lintas Logistik", // a word too many
		"pt utama bambang logistik":    "PT Utama Lintas Logistik", // words that stand in no name together
		"lintas logistik xyzzyx":       "PT Utama Lintas Logistik", // one that stands in none
		"toko kue anggmek 33":          "Toko Kue Anggrek 33",
		"toko kua anggrek 34":          "Toko Kue Anggrek 34",
		"travel btmbang":               "Travel Bambang",
		"toko kue anggrekk 33":         "Toko Kue Anggrek 33",    // misspelt as somebody's name is
		"sejatrra":                     "Warung Sejahtera Abadi", // two slips
		"warng sejaht":                 "Warung Sejahtera Abadi", // not typed to its end
		"katering bulan purnma":        "",                       // archived
		"travel bambang":               "",                       // as it is
		"xyzzyx":                       "",
		"ab cd":                        "",
		"100% _'\\ | {}":               "",
	} {
		if got := b.nearest(typed); got != want {
			t.Errorf("%s is like %q, not %q", typed, got, want)
		}
	}
}

func TestNamesAreLearntAsTheyAreGiven(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for _, name := range []string{"Kedai Kelapa Muda", "Kedai Rambutan"} {
		b.must(b.EditMerchant(b.ctx(), b.staff, m, onboarding.MerchantForm{"name": name}))
		if got := b.nearest(strings.Replace(name, "Kedai", "Kedei", 1)); got != name {
			t.Errorf("%s is like %q", name, got)
		}
	}
	if got := b.nearest("Kedai Kelepa Muda"); got != "" {
		t.Errorf("a name that was is like %q", got)
	}
	words := b.count("select count(*) from name_words")
	b.named("Kedai Rambutan Kelapa", "Kedai "+strings.Repeat("panjang", 30))
	b.exec("update merchants set name_normal = name_normal")
	if n := b.count("select count(*) from name_words"); n != words {
		t.Errorf("%d words became %d by names of known ones", words, n)
	}
	b.exec("insert into merchants (uid, name, name_normal, business_type, legal_entity, business_line, nationality, combination_id) select gen_random_uuid(), n, lower(n), business_type, legal_entity, business_line, nationality, combination_id from (select * from merchants limit 1) m, unnest(array['Satu Nangka', 'Dua Salak', 'Dua Nangka']) n")
	if n := b.count("select count(*) from name_words where word in ('satu', 'dua', 'nangka', 'salak')"); n != 4 {
		t.Errorf("%d of four words of several names are known", n)
	}
}
