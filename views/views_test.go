package views

import (
	"bytes"
	"compress/gzip"
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/a-h/templ"

	"berkas/internal/words"
)

func draw(t *testing.T, lang words.Lang, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(words.With(context.Background(), lang), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func everything() []Sample {
	slot := sampleSlots()[7]
	progress := sampleProgress()[0]
	return append(GalleryPages(),
		Sample{"gallery", Gallery()},
		Sample{"fragment-audit", AuditList(sampleAudit())},
		Sample{"fragment-review", ReviewList(sampleReview())},
		Sample{"fragment-stages", Stages(sampleCompared())},
		Sample{"fragment-typed", TypedFacts(sampleInReview())},
		Sample{"fragment-list", MerchantList(sampleMerchants())},
		Sample{"fragment-checklist", ChecklistFragment(sampleChecklist(), progress)},
		Sample{"fragment-slot", SlotFragment(slot, progress)},
		Sample{"fragment-health", HealthFragment(part(sampleHealth("down")))},
		Sample{"fragment-error", ErrorFragment(sampleError(422, "file_corrupt", true))},
	)
}

// harmless are addresses that nothing loads: a link to WhatsApp, which a person follows, is the only way out.
var harmless = strings.NewReplacer("http://www.w3.org/", "", `placeholder="https://"`, "", `href="https://wa.me/`, "")

func part(v HealthPage) HealthPage {
	v.Part = true
	return v
}

var (
	key         = regexp.MustCompile(`^(?:app|audit|find|sought|nav|doku|role|actor|login|home|merchants?|views|bulk|export|state|progress|checklist|group|slot|chooser|viewer|event|flash|form|field|hint|data|choice|people|me|message|comment|settings|gravity|channel|review|keys|desk|type|legal|line|country|document|fault|error|reason|gallery|health|chart|insights)\.[\w.]+$`)
	texts       = regexp.MustCompile(`>([^<]+)<|(?:aria-label|title|alt|placeholder)="([^"]*)"`)
	forbidden   = regexp.MustCompile(`\sstyle=|\son[a-z]+="|hx-on|javascript:|<script>|https?://`)
	identified  = regexp.MustCompile(`\sid="([^"]+)"`)
	templates   = regexp.MustCompile(`(?s)<template.*?</template>`)
	wordsInMeta = regexp.MustCompile(`<meta name="berkas-words"[^>]*>`)
)

// Every page and part, in both languages: draws without a database, leaves no key and no placeholder unspoken, keeps to
// the content security policy and to the portal's own origin, and gives no id twice.
func TestEverythingDraws(t *testing.T) {
	for _, lang := range words.Langs() {
		for _, sample := range everything() {
			html := draw(t, lang, sample.Component)
			if hits := forbidden.FindAllString(harmless.Replace(html), -1); hits != nil {
				t.Errorf("%s/%s breaks the policy: %q", lang, sample.Name, hits)
			}
			for _, m := range texts.FindAllStringSubmatch(wordsInMeta.ReplaceAllString(html, ""), -1) {
				text := strings.TrimSpace(m[1] + m[2])
				if key.MatchString(text) || strings.ContainsAny(text, "{}") {
					t.Errorf("%s/%s leaves %q unspoken", lang, sample.Name, text)
				}
			}
			seen := map[string]bool{}
			for _, m := range identified.FindAllStringSubmatch(templates.ReplaceAllString(html, ""), -1) {
				if seen[m[1]] {
					t.Errorf("%s/%s gives the id %s twice", lang, sample.Name, m[1])
				}
				seen[m[1]] = true
			}
		}
	}
}

// The contract with scripts from outside.
func TestSlotsSayWhatTheyAre(t *testing.T) {
	html := draw(t, words.ID, SlotRow(sampleSlots()[7]))
	for _, want := range []string{`id="slot-8"`, `data-category="DOCUMENT"`, `data-code="KTP"`, `data-state="delivered"`, `data-review="undecided"`, `data-document="-8"`, `data-file-id="DCM-0131-1763791200412"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the row lacks %s", want)
		}
	}
	byHand := draw(t, words.ID, SlotRow(sampleSlots()[14]))
	if !strings.Contains(byHand, `data-code=""`) || strings.Contains(byHand, "data-document=") {
		t.Error("an empty row outside DOCUMENT has an empty code and no document")
	}
	if refused := draw(t, words.ID, SlotRow(sampleSlots()[2])); !strings.Contains(refused, `data-reason="file_password_protected"`) {
		t.Error("a refusal carries its code")
	}
	list := draw(t, words.ID, Checklist(sampleChecklist()))
	if !strings.Contains(list, `data-checklist="ready"`) || !strings.Contains(list, `data-assumed="true"`) {
		t.Error("the checklist says its state")
	}
	page := draw(t, words.ID, Merchant(sampleMerchant()))
	for _, want := range []string{`data-business-id="BSN-0104-1678960841263"`, `data-brand-id=`, `data-business-status="UPDATING"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}

// The fields come before the file in the document, and so in the request; only one input can send a file without the script.
func TestFieldsComeBeforeTheFile(t *testing.T) {
	html := draw(t, words.ID, SlotRow(sampleSlots()[1]))
	order := []string{`name="category"`, `name="code"`, `name="slot"`, `name="form_NO_KTP"`, `name="file"`}
	last := -1
	for _, part := range order {
		at := strings.Index(html, part)
		if at <= last {
			t.Errorf("%s is out of order", part)
		}
		last = at
	}
	if !regexp.MustCompile(`<input[^>]*capture="environment"[^>]*disabled`).MatchString(html) {
		t.Error("the camera's input is off until the script turns it on")
	}
}

func TestNoPermissionNoButton(t *testing.T) {
	slot := sampleSlots()[7]
	slot.CanUpload, slot.Document.CanWithdraw = false, false
	html := draw(t, words.ID, SlotRow(slot))
	for _, forbidden := range []string{"<form", "<input", "takes-files"} {
		if strings.Contains(html, forbidden) {
			t.Errorf("a row that takes nothing has %s", forbidden)
		}
	}
}

func TestProgressSharesClauses(t *testing.T) {
	ctx := words.With(context.Background(), words.EN)
	missing := func(name string) Message {
		return Message{Code: "missing", Params: map[string]any{"document": name}}
	}
	p := ProgressView{Parts: []Message{missing("KTP"), {Code: "refused", Params: map[string]any{"document": "NIB", "reason": "image_blurry"}}, missing("Deed"), missing("Passport"), missing("Logo")}}
	if got, want := p.parts(ctx, 0), "KTP, Deed, Passport and Logo are missing; NIB was refused by DOKU: the photo is too blurred."; got != want {
		t.Errorf("got %q", got)
	}
	if got, want := p.parts(ctx, 2), "KTP, Deed and 2 others are missing; NIB was refused by DOKU: the photo is too blurred."; got != want {
		t.Errorf("got %q", got)
	}
	if p.Parts[0].Params["n"] != nil {
		t.Error("the caller's parameters were changed")
	}
}

// A page's own share of the first page's budget.
func TestPagesAreLight(t *testing.T) {
	for _, sample := range GalleryPages() {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		w.Write([]byte(draw(t, words.ID, sample.Component)))
		w.Close()
		if b.Len() > 16_000 {
			t.Errorf("%s weighs %d bytes", sample.Name, b.Len())
		}
	}
}
