package doku

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseRequirementsDocumented(t *testing.T) {
	t.Parallel()
	got, err := ParseRequirements(fixture(t, "requirements_personal.json"))
	if err != nil {
		t.Fatal(err)
	}
	photo := []string{"png", "jpg", "jpeg"}
	want := []Requirement{
		{Path: "business.brand.photo_proof", Owner: "business.brand", Category: CategoryPhotoProof, Name: "Brand Photo Proof",
			Extensions: photo, MaxSize: 15},
		{Path: "business.contact.documents[0]", Owner: "business.contact", Category: CategoryDocument, Code: CodeKTP,
			Name: "Kartu Tanda Penduduk", Extensions: []string{"pdf", "jpg", "jpeg", "png"}, MaxSize: 15,
			Form: []FormField{{Code: "NO_KTP", Name: "No. KTP (NIK)", Caption: "Masukkan 16 digit nomor KTP Anda (NIK)",
				MinSize: 16, MaxSize: 16, Numeric: true}}},
		{Path: "business.contact.owner_liveness", Owner: "business.contact", Category: CategoryOwnerLiveness, Name: "Owner Liveness",
			Extensions: photo, MaxSize: 15},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseRequirementsOtherLayouts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ raw, want string }{
		"company documents": {
			`{"business":{"documents":[{"code":"NIB","extensions":["PDF"]},{"code":"NEW_CODE","extensions":[]}]}}`,
			"business.documents[0] business DOCUMENT NIB; business.documents[1] business DOCUMENT NEW_CODE",
		},
		"a list of photo proofs": {
			`{"business":{"brand":{"photo_proofs":[{"code":"PHOTO_PROOF","extensions":["PNG"]}]}}}`,
			"business.brand.photo_proofs[0] business.brand PHOTO_PROOF ",
		},
		"a single document": {
			`{"business":{"brand":{"nib":{"code":"NIB","extensions":["PNG"]}}}}`,
			"business.brand.nib business.brand DOCUMENT NIB",
		},
		"an unknown single node": {
			`{"business":{"signature":{"code":"SIGNATURE","extensions":["PNG"]}}}`,
			"business.signature business SIGNATURE ",
		},
		"several contacts": {
			`{"business":{"contacts":[{},{"documents":[{"code":"KTP","extensions":["PNG"]}]}]}}`,
			"business.contacts[1].documents[0] business.contacts[1] DOCUMENT KTP",
		},
		"a bare list": {`[{"code":"KTP","extensions":["PNG"]}]`, "[0]  DOCUMENT KTP"},
		"document order, unknown nodes, odd types": {
			`{"z":{"code":"LOGO","extensions":["png"]},"a":[1,null,{"code":5,"extensions":[]},{"code":"KTP"}],
			  "m":{"n":{"code":"OWNER_LIVENESS","extensions":"none"}}}`,
			"z  LOGO ; m.n m OWNER_LIVENESS ",
		},
		"nothing asked for": {`{"business":{}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			items, err := ParseRequirements([]byte(c.raw))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range items {
				got = append(got, strings.Join([]string{r.Path, r.Owner, r.Category, r.Code}, " "))
			}
			if s := strings.Join(got, "; "); s != c.want {
				t.Errorf("got  %q\nwant %q", s, c.want)
			}
		})
	}
}

func TestParseRequirementsValues(t *testing.T) {
	t.Parallel()
	items, err := ParseRequirements([]byte(`{"x":{"code":"KTP","extensions":[".PDF"," jpg","JPG",7,""],"max_size":"15",
		"form":[{"code":"A","min_size":"3","max_size":1e99,"numeric":"true"},"odd"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	r := items[0]
	if fmt.Sprint(r.Extensions) != "[pdf jpg]" || r.MaxSize != 15 || len(r.Form) != 1 || r.Form[0].MinSize != 3 ||
		r.Form[0].MaxSize != 0 || !r.Form[0].Numeric {
		t.Errorf("%+v", r)
	}
}

func TestParseRequirementsRefuses(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"no JSON":         `<html>`,
		"cut":             `{"business":`,
		"an error":        `{"message":["SUCCESS"]}`,
		"nothing":         ``,
		"too deep":        strings.Repeat("[", 40) + strings.Repeat("]", 40),
		"very deep":       strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000),
		"too many values": "[" + strings.Repeat("1,", 60_000) + "1]",
		"too many":        "[" + strings.Repeat(`{"code":"KTP","extensions":[]},`, 1000) + `{"code":"KTP","extensions":[]}]`,
	} {
		if items, err := ParseRequirements([]byte(raw)); err == nil {
			t.Errorf("%s: %d items", name, len(items))
		}
	}
}

func TestFormFieldAccepts(t *testing.T) {
	t.Parallel()
	nik := FormField{MinSize: 16, MaxSize: 16, Numeric: true}
	for _, c := range []struct {
		field FormField
		value string
		want  bool
	}{
		{nik, "3201234567890123", true}, {nik, "320123456789012", false}, {nik, "320123456789012a", false}, {nik, "", false},
		{nik, "３２０１２３４５６７８９０１２３", false},
		{FormField{Alpha: true}, "Budi Santoso", true}, {FormField{Alpha: true}, "Budi 2", false},
		{FormField{AlphaNumeric: true}, "Blok B 2", true}, {FormField{AlphaNumeric: true}, "B/2", false},
		{FormField{Alpha: true, Numeric: true}, "AB12", true}, {FormField{}, "B/2", true}, {FormField{}, "a\x00", false},
		{FormField{MaxSize: 2}, "éé", true},
	} {
		if got := c.field.Accepts(c.value); got != c.want {
			t.Errorf("%+v accepts %q: %v", c.field, c.value, got)
		}
	}
}

func FuzzParseRequirements(f *testing.F) {
	f.Add(fixture(f, "requirements_personal.json"))
	f.Add([]byte(`{"data":[{"category":"PHOTO_PROOF"}]}`))
	f.Add([]byte(`[[[{"code":"KTP","extensions":[{}],"form":[[]],"max_size":-1e400}]]]`))
	f.Add([]byte(`{"a.b":{"code":"x","extensions":null},"a.b":{"code":"y","extensions":[]}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		items, err := ParseRequirements(raw)
		again, _ := ParseRequirements(raw)
		if !reflect.DeepEqual(items, again) {
			t.Fatal("not deterministic")
		}
		for _, r := range items {
			if err != nil || r.Category == "" || r.MaxSize < 0 || !strings.HasPrefix(r.Path, r.Owner) {
				t.Fatalf("%+v, %v", r, err)
			}
		}
	})
}
