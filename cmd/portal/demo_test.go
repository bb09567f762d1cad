package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	_ "image/jpeg"
	_ "image/png"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"berkas/internal/paper"
)

// A portal that runs within the test compiles pdfium in a process of its own, which is the test's program then: it must
// compile, and not test.
func init() {
	if len(os.Args) == 3 && os.Args[1] == pdfiumCommand {
		if err := Run(context.Background(), os.Args[1:], os.Getenv, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
}

const demoTime = 5 * time.Minute // far above the seconds that the demonstration takes; the machine may be busy

func TestSamplesAreDrawnSmallAndAlike(t *testing.T) {
	t.Parallel()
	drawn := map[string]bool{}
	for _, m := range demoMerchants() {
		for _, p := range m.papers {
			kind := p.category + p.code
			if drawn[kind] && p.fate == "" { // drawing is slow under the race detector: one of each kind
				continue
			}
			file := drawPaper(&m, p, 1)
			name := m.form["name"] + ": " + file.name
			if len(file.bytes) > 150_000 {
				t.Errorf("%s has %d bytes", name, len(file.bytes))
			}
			if !drawn[kind] && !bytes.Equal(file.bytes, drawPaper(&m, p, 1).bytes) {
				t.Errorf("%s is another each time", name)
			}
			drawn[kind] = true
			if strings.HasSuffix(file.name, ".pdf") {
				continue
			}
			if _, _, err := image.Decode(bytes.NewReader(file.bytes)); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if p.fate != "" && !bytes.Contains(file.bytes[:1024], []byte(file.trace)) {
				t.Errorf("%s cannot be told from other uploads by its beginning", name)
			}
		}
	}
}

func TestSamplePDFsHaveTheirPages(t *testing.T) {
	t.Parallel()
	m := demoMerchants()[11]
	for code, pages := range map[string]int{"AKTA_PENDIRIAN_PERUSAHAAN": 4, "SK_KEMENKUMHAM": 1} {
		file := drawPaper(&m, document(code), 1)
		if got := paper.ContentType(file.bytes); got != "application/pdf" {
			t.Errorf("%s is %q", code, got)
		}
		if got := bytes.Count(file.bytes, []byte("/Type /Page ")); got != pages {
			t.Errorf("%s has %d pages", code, got)
		}
	}
}

// The demonstration shows every state a merchant can be in. Killed while it is made it goes on, and once made it is left
// alone.
func TestDemonstration(t *testing.T) {
	t.Parallel()
	e := home(t).with("DEMO_MERCHANTS", "on")
	for made := range 3 {
		p := start(t, e)
		v := staff(t, p)
		eventually(t, demoTime, "the demonstration goes on", func() bool { return len(demoList(t, v)) > 3*made })
		p.kill()
	}
	p := start(t, e)
	v := staff(t, p)
	demoMade(t, p)
	list := demoList(t, v)
	if len(list) != len(demoMerchants()) {
		t.Fatalf("there are %d merchants", len(list))
	}
	for name, want := range demoStates {
		page := v.get(t, "/merchants/"+list[name]).page()
		for _, selector := range want {
			if page.Find(selector).Length() == 0 {
				t.Errorf("%s shows no %s", name, selector)
			}
		}
	}
	demoLinks(t, v, list["Warung Contoh Satu"])
	demoLeftAlone(t, e, p, v, list)
}

// demoStates is what the merchants' pages show.
var demoStates = map[string][]string{
	"Toko Contoh Lama":          {`[data-category=PHOTO_PROOF]`},
	"PT Contoh Niaga Samudra":   {`[data-checklist=ready]`, `[data-code=PASPOR][data-state=missing]`},
	"Katering Contoh Rasa":      {`[data-checklist=refused]`},
	"Laundry Contoh Bersih":     {`[data-code=KTP][data-state=delivered] [name=form_NO_KTP]`},
	"Kedai Contoh Senja":        {`[data-code=KTP][data-state=refused]`},
	"UD Contoh Makmur":          {`[data-code=NIB][data-state=waiting]`, `[data-review=refused] [data-code=suspected_manipulation]`},
	"Warung Contoh Satu":        {`[data-code=KTP][data-state=delivered]`},
	"Universitas Contoh Bangsa": {`[data-code=SK_KEMENDIKBUDRISTEK][data-review=approved]`, `[data-code=NPWP_BADAN][data-review=refused] [data-reason=document_expired]`, `[data-comment]`},
	"CV Contoh Kirim Cepat":     {`[data-category=LOGO][data-state=delivered]`, `[data-category=PHOTO_PROOF] ~ [data-category=PHOTO_PROOF]`, `[data-progress=approved]`},
	"Koperasi Contoh Sejahtera": {`[data-code=NIB][data-state=delivered]`, `[data-state=missing]`, `[data-code=NPWP_BADAN][data-review=refused]`, `[data-comment]`},
	"Yayasan Contoh Peduli":     {`[data-code=IZIN_PUB][data-state=failed]`},
	"PT Contoh Kopi Nusantara":  {`[data-code=SERTIFIKAT_HALAL_MUI][data-state=delivered]`},
}

// demoMade waits until the demonstration is complete.
func demoMade(t *testing.T, p *process) {
	t.Helper()
	eventually(t, demoTime, "the demonstration is complete", func() bool { return strings.Contains(p.stdout.String(), "the demo merchants are there") })
}

// demoList is every merchant's id by its name, archived ones too.
func demoList(t *testing.T, v *visitor) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, where := range []string{"/merchants", "/merchants?state=archived"} {
		v.get(t, where).page().Find("[data-merchant]").Each(func(_ int, row *goquery.Selection) {
			name, id := strings.TrimSpace(row.Find("a.name").First().Text()), row.AttrOr("data-merchant", "")
			if known := list[name]; known != "" && known != id { // the same one may be archived between two looks
				t.Errorf("%q is there twice", name)
			}
			list[name] = id
		})
	}
	return list
}

// demoLinks looks at a registered merchant's documents: their links have ended, and fresh ones come from DOKU.
func demoLinks(t *testing.T, v *visitor, merchant string) {
	t.Helper()
	eventually(t, demoTime, "it is registered", func() bool {
		return v.get(t, "/merchants/"+merchant).page().Find("[data-brand-id][data-business-status=UPDATING]").Length() == 1
	})
	slots := v.get(t, "/merchants/"+merchant).page().Find("[data-document]")
	ids := slots.Map(func(_ int, s *goquery.Selection) string { return s.AttrOr("data-document", "") })
	if len(slices.Compact(slices.Sorted(slices.Values(ids)))) < 3 {
		t.Fatalf("the registered merchant has documents %v", ids)
	}
	a := v.get(t, "/documents/"+ids[0]+"/file")
	if a.status != http.StatusOK || a.header.Get("Berkas-Source") != "doku" {
		t.Errorf("document %s: %d from %q", ids[0], a.status, a.header.Get("Berkas-Source"))
	}
}

// demoLeftAlone archives a demo merchant, starts again, and expects that nothing is made anew.
func demoLeftAlone(t *testing.T, e env, p *process, v *visitor, list map[string]string) {
	t.Helper()
	if a := v.must(t, "POST", "/merchants/"+list["Laundry Contoh Bersih"]+"/archive", nil); a.status != http.StatusSeeOther {
		t.Fatalf("archiving was answered %d", a.status)
	}
	p.kill()
	again := start(t, e)
	for range 20 { // whoever would make merchants has begun by then
		if now := demoList(t, staff(t, again)); fmt.Sprint(now) != fmt.Sprint(list) {
			t.Fatalf("after another start there is %v, not %v", now, list)
		}
	}
	if strings.Contains(again.stdout.String(), "the demo merchants are there") {
		t.Error("the demonstration was made twice")
	}
}
