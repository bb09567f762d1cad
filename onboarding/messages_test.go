package onboarding_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

// vocabulary is the table of reasons that the portal, its reviewers and DOKU share.
const vocabulary = `image_blurry image_glare image_too_dark image_low_resolution image_cropped image_obscured image_black_and_white photocopy screenshot
	missing_front missing_back same_side_twice missing_page incomplete_data not_signed stamp_missing issue_or_expiry_date_missing company_name_missing
	id_number_missing address_missing document_expired document_too_old wrong_document not_ektp country_not_supported document_damaged needs_translation
	name_mismatch id_number_mismatch address_mismatch dob_mismatch directors_mismatch business_activity_mismatch bank_account_mismatch photo_mismatch
	signature_page_owner_unclear owners_missing directors_missing additional_document_required duplicate_file used_by_other_merchant file_empty file_corrupt
	file_password_protected file_too_large file_too_small file_type_not_allowed file_content_mismatch file_dimensions_exceeded file_malware upload_failed
	registry_unavailable suspected_manipulation fraudulent policy_rejected other file_url_not_allowed form_field_invalid`

// Internal codes are those whose texts never reach a merchant.
const internalCodes = `used_by_other_merchant upload_failed registry_unavailable suspected_manipulation fraudulent policy_rejected`

func TestEveryReasonIsWhole(t *testing.T) {
	t.Parallel()
	actions := strings.Fields(`retake original add_page sign other_document renew newer replace fix_data additional review reupload unlock retry wait escalate none contact`)
	known := map[string]bool{}
	for _, r := range onboarding.Reasons {
		if known[r.Code] {
			t.Errorf("%s stands twice", r.Code)
		}
		known[r.Code] = true
		if !slices.Contains(actions, r.Action) {
			t.Errorf("%s: action %q", r.Code, r.Action)
		}
		if internal := slices.Contains(strings.Fields(internalCodes), r.Code); r.Shareable == internal {
			t.Errorf("%s: shareable %t", r.Code, r.Shareable)
		}
		for _, key := range []string{"reason." + r.Code, "reason." + r.Code + ".do"} {
			id, en := words.Say(words.ID, key, nil), words.Say(words.EN, key, nil)
			if id == key || en == key || id == en {
				t.Errorf("%s: %q and %q", key, id, en)
			}
		}
	}
	for _, code := range strings.Fields(vocabulary) {
		if !known[code] {
			t.Errorf("the vocabulary lacks %s", code)
		}
		delete(known, code)
	}
	delete(known, onboarding.LostAtDOKU)
	if delete(known, onboarding.RefusedByDOKU); len(known) > 0 {
		t.Errorf("%v stand in no table", known)
	}
}

func TestGravestReasonFirst(t *testing.T) {
	t.Parallel()
	order := []string{"fraud", "expired", "wrong_type", "unreadable", "incomplete", "mismatch", "other"}
	for i, name := range order {
		if got := onboarding.Gravity(i).String(); got != name {
			t.Errorf("%d is %s, not %s", i, got, name)
		}
	}
	codes := []string{"other", "name_mismatch", "not_signed", "image_blurry", "photocopy", "document_expired", "fraudulent", "image_blurry"}
	want := []string{"fraudulent", "document_expired", "photocopy", "image_blurry", "not_signed", "name_mismatch", "other"}
	if got := onboarding.Gravest(codes); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%v", got)
	}
}

// leaks finds what no merchant may read: the sentences of internal reasons, ours and the partner's own.
func leaks(text string) (found []string) {
	for _, code := range strings.Fields(internalCodes) {
		for _, lang := range words.Langs() {
			for _, key := range []string{"reason." + code, "reason." + code + ".do"} {
				if strings.Contains(text, words.Say(lang, key, nil)) {
					found = append(found, key)
				}
			}
		}
		if strings.Contains(text, own(code)) {
			found = append(found, "own text of "+code)
		}
	}
	return found
}

// own is a text of the partner's own for a reason, by which it can be told from all others.
func own(code string) string { return "Teks sendiri " + code + "." }

// Every code, alone and beside each other one: what the merchant may know is in the message, nothing else is, and the
// message may be sent.
func TestAMessageSaysOnlyWhatMayBeShared(t *testing.T) {
	t.Parallel()
	row := models.ChecklistRow{Slot: models.Slot{ID: 1, Category: doku.CategoryDocument, Code: doku.CodeKTP}}
	rows := []models.ChecklistRow{row}
	var settings []models.ReasonSetting
	for _, r := range onboarding.Reasons {
		settings = append(settings, models.ReasonSetting{Code: r.Code, TextID: own(r.Code), TextEN: own(r.Code)})
	}
	for _, lang := range words.Langs() {
		for _, a := range onboarding.Reasons {
			for _, b := range onboarding.Reasons {
				refused := []onboarding.Refused{{Row: row, Reasons: []string{a.Code, b.Code}}}
				for _, set := range [][]models.ReasonSetting{nil, settings} {
					text, n := onboarding.MessageText(lang, "Warung", "Sari", rows, refused, set)
					if may := a.Shareable || b.Shareable; may != (text != "") || may != (n == 1) {
						t.Fatalf("%s and %s in %s: %d slots, %q", a.Code, b.Code, lang, n, text)
					}
					if found := leaks(text); found != nil {
						t.Fatalf("%s and %s in %s give away %v:\n%s", a.Code, b.Code, lang, found, text)
					}
					if a.Code == b.Code && onboarding.SaysTooMuch(text, set) {
						t.Errorf("%s and %s in %s: the ready message would be refused:\n%s", a.Code, b.Code, lang, text)
					}
					for _, r := range []onboarding.Reason{a, b} {
						if set != nil && r.Shareable && !strings.Contains(text, own(r.Code)) {
							t.Errorf("%s is not in the message:\n%s", r.Code, text)
						}
					}
				}
			}
		}
	}
}

// colleague is another person.
func (b *bundle) colleague(role models.Role) models.Actor {
	b.Helper()
	id, err := auth.NewGate(b.store, b.clock.Now).AddPerson(b.ctx(), models.CLI, auth.NewPerson{Email: string(role) + "@berkas.test", Name: "Rani", Role: role, Password: "x", Demo: true})
	b.must(err)
	return models.Actor{Kind: models.ActorUser, Person: id, Role: role}
}

// refuse decides on a document again and again: each decision replaces the one before.
func (b *bundle) refuse(reviewer models.Actor, id models.DocumentID, reasons []string, note, message string) {
	b.Helper()
	d := b.doc(id)
	in := onboarding.DecisionInput{Document: id, Version: d.Version, SHA256: hexOf(d.SHA256), Outcome: models.Refuse, Reasons: reasons, Note: note, Message: message}
	if said, err := b.DecisionsOfMerchant(b.ctx(), d.MerchantID); err == nil {
		for _, v := range said {
			if v.DocumentID == id {
				in.Replaces = v.ID
			}
		}
	}
	_, err := b.Decide(b.ctx(), reviewer, in)
	b.must(err)
}

func TestNoInternalNoteReachesTheMerchant(t *testing.T) {
	b := setup(t)
	reviewer := b.colleague(models.RoleReviewer)
	m := b.merchant()
	document := b.deliver(ktp(m, photo("ktp")))
	const note, message = "Catatan yang hanya untuk rekan kerja", "Tolong foto di luar ruangan"
	for _, r := range onboarding.Reasons {
		if !r.Reviewer {
			continue
		}
		b.refuse(reviewer, document, []string{r.Code}, note, message)
		for _, lang := range words.Langs() {
			d, err := b.DraftMessage(b.ctx(), b.get(m), lang, "Sari")
			b.must(err)
			if strings.Contains(d.Text, note) || leaks(d.Text) != nil {
				t.Fatalf("%s:\n%s", r.Code, d.Text)
			}
			if strings.Contains(d.Text, message) != r.Shareable || (d.Slots == 1) != r.Shareable {
				t.Errorf("%s: %d slots:\n%s", r.Code, d.Slots, d.Text)
			}
		}
	}
}

func TestAMessagePassesTheTurn(t *testing.T) {
	b := setup(t)
	reviewer := b.colleague(models.RoleReviewer)
	m := b.merchant()
	document := b.deliver(ktp(m, photo("ktp")))
	b.refuse(reviewer, document, []string{"image_blurry"}, "", "")
	if got := b.get(m); got.NextActor != models.NextStaff || got.ProgressState != models.ProgressRefused {
		t.Fatalf("%s %s", got.NextActor, got.ProgressState)
	}
	in := onboarding.MessageInput{Merchant: m, Channel: models.WhatsApp, Language: words.ID, Text: "Mohon foto KTP sekali lagi"}
	for name, change := range map[string]func(*onboarding.MessageInput){
		"text":     func(in *onboarding.MessageInput) { in.Text = " \n " },
		"channel":  func(in *onboarding.MessageInput) { in.Channel = "fax" },
		"language": func(in *onboarding.MessageInput) { in.Language = "de" },
	} {
		wrong := in
		change(&wrong)
		_, err := b.RecordMessage(b.ctx(), b.staff, wrong)
		if f := fault.As(err); f == nil || len(f.Fields) != 1 || f.Fields[0].Name != name {
			t.Errorf("a wrong %s: %v", name, err)
		}
	}
	for _, text := range []string{"Maaf. DOKUMEN tidak dapat  diverifikasi!", strings.Repeat("a", 4001)} {
		wrong := in
		wrong.Text = text
		if _, err := b.RecordMessage(b.ctx(), b.staff, wrong); !fault.Is(err, fault.Invalid) {
			t.Errorf("%.30s: %v", text, err)
		}
	}
	if n := b.count("select count(*) from messages"); n != 0 {
		t.Fatalf("%d messages were kept", n)
	}

	b.clock.Advance(time.Second)
	_, err := b.RecordMessage(b.ctx(), b.staff, in)
	b.must(err)
	if got := b.get(m); got.NextActor != models.NextMerchant || got.MessagedAt == nil {
		t.Errorf("%s %v", got.NextActor, got.MessagedAt)
	}
	b.wants(b.Undo(b.ctx(), reviewer, document), "undo_acted")
	sent, err := b.Messages(b.ctx(), m)
	b.must(err)
	if len(sent) != 1 || sent[0].Text != in.Text || sent[0].Sender != "Sari" || sent[0].Channel != models.WhatsApp {
		t.Errorf("%+v", sent)
	}
	if n := b.count(`select count(*) from messages where position('KTP' in encode(body, 'escape')) > 0`); n != 0 {
		t.Error("the text is stored in clear")
	}
	if n := b.count(`select count(*) from audit where action = 'merchant.messaged' and detail ->> 'channel' = 'whatsapp' and detail::text not like '%foto%'`); n != 1 {
		t.Errorf("%d rows in the trail", n)
	}

	b.clock.Advance(time.Second)
	b.deliver(ktp(m, photo("again")))
	if got := b.get(m); got.NextActor != models.NextStaff {
		t.Errorf("after a new version: %s", got.NextActor)
	}
	b.clock.Advance(time.Second)
	b.refuse(reviewer, *b.row(m, doku.CategoryDocument, doku.CodeKTP).DocumentID, []string{"fraudulent"}, "", "")
	b.clock.Advance(time.Second)
	_, err = b.RecordMessage(b.ctx(), b.staff, in)
	b.must(err)
	if got := b.get(m); got.NextActor != models.NextMerchant || got.Progress.Parts[0].Code == "asked" && got.Progress.Parts[0].Reason == "fraudulent" {
		t.Errorf("%s %+v", got.NextActor, got.Progress)
	}
}

func TestWhatDOKURefusedIsInTheMessageToo(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	b.fault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 422, Message: "secret words", Times: 1})
	id := b.upload(ktp(m, photo("ktp")))
	b.must(b.SendDocument(b.ctx(), id))
	d, err := b.DraftMessage(b.ctx(), b.get(m), words.EN, "Sari")
	b.must(err)
	if d.Slots != 1 || !strings.Contains(d.Text, "1. KTP\n- The document could not be accepted yet") || strings.Contains(d.Text, "secret words") {
		t.Errorf("%d:\n%s", d.Slots, d.Text)
	}
	dossier, err := b.store.Dossier(b.ctx(), m)
	b.must(err)
	to, err := b.Addresses(dossier)
	b.must(err)
	want := []onboarding.Address{{models.WhatsApp, "business", "6281234567890"}, {models.WhatsApp, "owner", "6281298765432"}, {models.Email, "business", "sari@warung.co.id"}}
	if !slices.Equal(to, want) {
		t.Errorf("%v", to)
	}
	b.clock.Advance(time.Second)
	_, err = b.RecordMessage(b.ctx(), b.staff, onboarding.MessageInput{Merchant: m, Channel: models.Email, Language: words.EN, Text: d.Text})
	b.must(err)
	if got := b.get(m); got.NextActor != models.NextMerchant {
		t.Errorf("%s", got.NextActor)
	}
}

func TestCommentsAreForColleagues(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	b.wants(b.Comment(b.ctx(), b.staff, m, " \r\n"), "comment_required")
	b.wants(b.Comment(b.ctx(), b.staff, m, strings.Repeat("é", 2001)), "too_long")
	b.wants(b.Comment(b.ctx(), b.staff, m+99, "halo"), "not_found")
	b.must(b.Comment(b.ctx(), b.staff, m, strings.Repeat("é", 2000)))
	b.must(b.Comment(b.ctx(), b.staff, m, "Pemilik dihubungi sore\r\nlewat telepon"))
	list, err := b.Comments(b.ctx(), m)
	b.must(err)
	if len(list) != 2 || list[0].Text != "Pemilik dihubungi sore\nlewat telepon" || list[0].Writer != "Sari" {
		t.Errorf("%+v", list)
	}
	if n := b.count(`select count(*) from audit where action = 'merchant.commented' and detail::text not like '%telepon%' and merchant_id = $1`, m); n != 2 {
		t.Errorf("%d rows in the trail", n)
	}
	if n := b.count(`select count(*) from comments where position('telepon' in encode(body, 'escape')) > 0`); n != 0 {
		t.Error("a comment is stored in clear")
	}
}
