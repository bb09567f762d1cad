package onboarding_test

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"berkas/internal/auth"
	"berkas/internal/fault"
	"berkas/internal/words"
	"berkas/models"
	"berkas/onboarding"
)

// person is a colleague of a role.
func (b *bundle) person(name string, role models.Role) models.Actor {
	b.Helper()
	id, err := auth.NewGate(b.store, b.clock.Now).AddPerson(b.ctx(), models.CLI, auth.NewPerson{Email: strings.ToLower(name) + "@berkas.test", Name: name, Role: role, Password: "x", Demo: true})
	b.must(err)
	return models.Actor{Kind: models.ActorUser, Person: id, Role: role}
}

// Personal values as they are typed in these tests.
const (
	typedNIK     = "3175012345678901"
	typedNPWP    = "012345678901000"
	typedPhone   = "81298765432"
	typedAccount = "7001122334455"
	typedMail    = "pemilik@warung.test"
)

// told is a merchant about whom there is something to tell: a document seen, refused with a note, sent again and approved.
func (b *bundle) told() (models.MerchantID, models.Actor) {
	b.Helper()
	m, err := b.CreateMerchant(b.ctx(), b.staff, onboarding.MerchantForm{"name": "=Warung Bukti", "business_type": "PERSONAL", "legal_entity": "PERSEORANGAN", "business_line": "RETAIL", "nationality": "ID",
		"npwp": typedNPWP, "owner_phone_number": typedPhone, "bank_account_number": typedAccount, "owner_email": typedMail}, true)
	b.must(err)
	dewi := b.person("Dewi", models.RoleReviewer)
	for i, outcome := range []models.Outcome{models.Refuse, models.Approve} {
		in := ktp(m, photo(fmt.Sprint("bukti", i)))
		in.FileName = "KTP " + typedNIK + ".jpg"
		id := b.deliver(in)
		d := b.doc(id)
		look, err := b.ViewedDocument(b.ctx(), dewi, d, true)
		b.must(err)
		b.clock.Advance(7 * time.Second)
		_, err = b.StillLooking(b.ctx(), dewi, id, look.ID, 7*time.Second, true, false)
		b.must(err)
		v := onboarding.DecisionInput{Document: id, Version: d.Version, SHA256: hex.EncodeToString(d.SHA256), Outcome: outcome, Note: "=NIK " + typedNIK + ", telepon +62 812-9876-5432, " + typedMail, Screen: 7 * time.Second}
		if outcome == models.Refuse {
			v.Reasons = []string{"image_blurry"}
		}
		_, err = b.Decide(b.ctx(), dewi, v)
		b.must(err)
	}
	return m, dewi
}

// evidence asks for a bundle, makes it and takes it away.
func (b *bundle) evidence(m models.MerchantID, who models.Actor) (models.Bundle, []byte) {
	b.Helper()
	id, err := b.AskEvidence(b.ctx(), who, m, words.EN)
	b.must(err)
	b.must(b.MakeEvidence(b.ctx(), id))
	made, err := b.store.Bundle(b.ctx(), id)
	b.must(err)
	body, err := b.OpenEvidence(b.ctx(), who, made)
	b.must(err)
	defer body.Close()
	content, err := io.ReadAll(body)
	b.must(err)
	return made, content
}

func unzip(t *testing.T, content []byte) (names []string, files map[string][]byte) {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files = map[string][]byte{}
	for _, f := range archive.File {
		body, err := f.Open()
		if err == nil {
			files[f.Name], err = io.ReadAll(body)
		}
		if err != nil {
			t.Fatal(f.Name, err)
		}
		names = append(names, f.Name)
	}
	return names, files
}

// zipped is the ZIP of files, with the hashes made anew.
func zipped(t *testing.T, names []string, files map[string][]byte) []byte {
	t.Helper()
	var sums strings.Builder
	for _, name := range names {
		if name != "SHA256SUMS" {
			fmt.Fprintf(&sums, "%s  %s\n", sha(files[name]), name)
		}
	}
	files["SHA256SUMS"] = []byte(sums.String())
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, name := range names {
		w, err := archive.Create(name)
		if err == nil {
			_, err = w.Write(files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func check(t *testing.T, content []byte) onboarding.EvidenceReport {
	t.Helper()
	r, err := onboarding.CheckEvidence(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (b *bundle) sealed() {
	b.Helper()
	for range 1000 { // a transaction of another test's database may hold it up
		b.must(b.SealAudit(b.ctx()))
		if waiting, err := b.store.UnsealedAudit(b.ctx()); err != nil || waiting.Rows == 0 {
			b.must(err)
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	b.Fatal("the trail is not sealed")
}

func TestEvidenceProvesItself(t *testing.T) {
	b := setup(t)
	m, dewi := b.told()
	b.merchant()
	b.sealed()
	made, content := b.evidence(m, dewi)
	if made.State != models.BundleReady || made.Done != made.Total || made.Size != int64(len(content)) || hex.EncodeToString(made.SHA256) != sha(content) || made.ExpiresAt == nil {
		t.Fatalf("the bundle is %+v", made)
	}
	names, files := unzip(t, content)
	if want := "README.txt timeline.pdf timeline.csv documents.csv decisions.csv looks.csv submissions.csv proof.jsonl seals.json SHA256SUMS"; strings.Join(names, " ") != want {
		t.Errorf("it holds %v", names)
	}
	report := check(t, content)
	rows := b.count("select count(*) from audit where merchant_id = $1 and action not in ('evidence.made', 'evidence.downloaded')", m)
	if report.Flaw != nil || report.Rows+report.Unsealed != rows || report.Unsealed > 1 || report.Merchant != m || report.Files != 9 || report.Newest.Seal == 0 {
		t.Errorf("%d rows, %+v, %+v", rows, report, report.Flaw)
	}
	if b.count("select count(*) from audit where merchant_id = $1 and action = 'evidence.made' and actor_kind = 'system' and detail->>'sha256' = $2", m, sha(content)) != 1 ||
		b.count("select count(*) from audit where merchant_id = $1 and action = 'evidence.downloaded' and actor_id = $2", m, dewi.Person) != 1 {
		t.Error("making or taking it left no row")
	}
	cells := func(name string) [][]string {
		rows, err := csv.NewReader(bytes.NewReader(files[name])).ReadAll()
		b.must(err)
		return rows[1:]
	}
	documents, decisions, looks := cells("documents.csv"), cells("decisions.csv"), cells("looks.csv")
	d := b.doc(1)
	if len(documents) != 2 || documents[0][5] != "KTP ••••••••••••8901.jpg" || documents[0][8] != hex.EncodeToString(d.SHA256) || documents[0][9] != d.FileID || d.FileID == "" {
		t.Errorf("documents: %q", documents)
	}
	if len(decisions) != 2 || decisions[0][4] != "refused" || decisions[0][6] != "image_blurry" || decisions[0][10] != "Dewi" || decisions[0][14] != "7.0" || !strings.HasPrefix(decisions[0][8], "'=NIK ••••") {
		t.Errorf("decisions: %q", decisions)
	}
	if len(looks) != 2 || looks[0][2] != "Dewi" || looks[0][5] != "7.0" {
		t.Errorf("looks: %q", looks)
	}
	if timeline := cells("timeline.csv"); timeline[0][6] != "merchant.created" || timeline[0][12] != "'=Warung Bukti" || timeline[0][4] != "Sari" {
		t.Errorf("the timeline begins with %q", timeline[0])
	}
	for _, says := range []string{"EVIDENCE ABOUT =Warung Bukti", "portal audit proof " + onboarding.EvidenceName(made), "proof.jsonl     for each row"} {
		if !strings.Contains(string(files["README.txt"]), says) {
			t.Errorf("the README does not say %q:\n%s", says, files["README.txt"])
		}
	}
	drawn := pdfText(t, files["timeline.pdf"])
	for _, says := range []string{"=Warung Bukti", "Dewi (", "KTP refused by a reviewer", "The photo is too blurred.", words.Exact(b.clock.Now())} {
		if !bytes.Contains(drawn, utf16Text(says)) {
			t.Errorf("the PDF does not say %q", says)
		}
	}
	files["timeline.pdf"] = append(drawn, files["timeline.pdf"]...)
	for name, file := range files {
		for _, value := range []string{typedNIK, typedNPWP, typedPhone, "812-9876-5432", typedAccount, typedMail} {
			if bytes.Contains(file, []byte(value)) || bytes.Contains(file, utf16Text(value)) {
				t.Errorf("%s holds %s", name, value)
			}
		}
	}
}

// A bundle says what was sent to DOKU when, and what came of it, with neither the bodies nor the key that DOKU gave.
func TestEvidenceNamesSubmissions(t *testing.T) {
	b := setup(t)
	m, _ := b.registered()
	v := b.submission(*b.get(m).SubmissionID)
	b.says(m, "REJECTED", "", "Foto KTP buram: "+typedNIK)
	b.must(b.AskStatus(b.ctx(), b.staff, m))
	_, content := b.evidence(m, b.person("Dewi", models.RoleReviewer))
	_, files := unzip(t, content)
	rows, err := csv.NewReader(bytes.NewReader(files["submissions.csv"])).ReadAll()
	b.must(err)
	if len(rows) != 2 || rows[1][1] != "registration" || rows[1][2] != "Sari" || rows[1][4] == "" || rows[1][6] != v.RequestID || rows[1][7] != "rejected" ||
		rows[1][9] != "Foto KTP buram: ••••••••••••8901" || rows[1][11] != b.get(m).BrandID || rows[1][12] != "REJECTED" {
		t.Errorf("%q", rows)
	}
	key, err := b.SharedKey(b.ctx(), b.staff, m)
	b.must(err)
	for name, file := range files {
		if bytes.Contains(file, []byte(key)) || bytes.Contains(file, []byte(`"photo_proofs"`)) {
			t.Errorf("%s holds the key, or a body", name)
		}
	}
	if r := check(t, content); r.Flaw != nil {
		t.Errorf("%+v", r.Flaw)
	}
	names, files := unzip(t, content)
	names = slices.DeleteFunc(names, func(n string) bool { return n == "submissions.csv" })
	if r := check(t, zipped(t, names, files)); r.Flaw != nil {
		t.Errorf("a bundle of an earlier version: %+v", r.Flaw)
	}
}

// utf16Text is a text as it stands in a PDF's page, for characters that need no escape there.
func utf16Text(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u>>8), byte(u))
	}
	s = strings.NewReplacer("\x00(", "\x00\\(", "\x00)", "\x00\\)").Replace(string(out))
	return []byte(s)
}

// pdfText is what the streams of a PDF hold.
func pdfText(t *testing.T, pdf []byte) (text []byte) {
	t.Helper()
	for rest := pdf; ; {
		_, after, found := bytes.Cut(rest, []byte("stream\n"))
		if !found {
			break
		}
		if r, err := zlib.NewReader(bytes.NewReader(after)); err == nil {
			if plain, err := io.ReadAll(r); err == nil {
				text = append(text, plain...)
			}
		}
		rest = after
	}
	if len(text) == 0 {
		t.Fatal("the PDF holds nothing")
	}
	return text
}

// Whoever alters a bundle may well make its hashes anew.
func TestAnAlteredBundleIsFoundOut(t *testing.T) {
	b := setup(t)
	m, dewi := b.told()
	b.sealed()
	_, whole := b.evidence(m, dewi)
	alter := func(name, old, with string) func(map[string][]byte) {
		return func(files map[string][]byte) {
			if !bytes.Contains(files[name], []byte(old)) {
				t.Fatalf("%s does not hold %q", name, old)
			}
			files[name] = bytes.Replace(files[name], []byte(old), []byte(with), 1)
		}
	}
	for name, c := range map[string]struct {
		what, file string
		change     func(map[string][]byte)
	}{
		"the timeline's action":   {onboarding.FlawUnlike, "timeline.csv", alter("timeline.csv", "document.rejected", "document.approved")},
		"the timeline's time":     {onboarding.FlawUnlike, "timeline.csv", alter("timeline.csv", "+07:00", "+08:00")},
		"the timeline's detail":   {onboarding.FlawUnlike, "timeline.csv", alter("timeline.csv", "image_blurry", "image_glare")},
		"a line less":             {onboarding.FlawUnlike, "timeline.csv", func(f map[string][]byte) { f["timeline.csv"] = dropLine(f["timeline.csv"], 3) }},
		"a proof less":            {onboarding.FlawUnlike, "timeline.csv", func(f map[string][]byte) { f["proof.jsonl"] = dropLine(f["proof.jsonl"], 3) }},
		"the row itself":          {onboarding.FlawNotProved, "proof.jsonl", alter("proof.jsonl", `image_blurry`, `image_glare`)},
		"the row's mark":          {onboarding.FlawNotProved, "proof.jsonl", alter("proof.jsonl", `"mac":"`, `"mac":"00`)},
		"the row's transaction":   {onboarding.FlawNotProved, "proof.jsonl", alter("proof.jsonl", `"transaction":"`, `"transaction":"1`)},
		"the row's place":         {onboarding.FlawNotProved, "proof.jsonl", alter("proof.jsonl", `"position":`, `"position":1`)},
		"the root":                {onboarding.FlawNotProved, "proof.jsonl", func(f map[string][]byte) { f["seals.json"] = flipRoots(f["seals.json"]) }},
		"no seals":                {onboarding.FlawSealUnknown, "proof.jsonl", alter("seals.json", `"seals":[`, `"other":[`)},
		"another merchant's":      {onboarding.FlawStranger, "proof.jsonl", alter("seals.json", `"merchant":`, `"merchant":1`)},
		"a row twice":             {onboarding.FlawStranger, "proof.jsonl", func(f map[string][]byte) { f["proof.jsonl"] = append(firstLine(f["proof.jsonl"]), f["proof.jsonl"]...) }},
		"a file that is not ours": {onboarding.FlawFileMissing, "looks.csv", func(f map[string][]byte) { delete(f, "looks.csv") }},
	} {
		names, files := unzip(t, whole)
		c.change(files)
		names = slices.DeleteFunc(names, func(n string) bool { return files[n] == nil })
		r := check(t, zipped(t, names, files))
		if r.Flaw == nil || r.Flaw.What != c.what || r.Flaw.File != c.file {
			t.Errorf("%s: %+v", name, r.Flaw)
		}
	}
	names, files := unzip(t, whole)
	sums := files["SHA256SUMS"]
	files["documents.csv"] = append(files["documents.csv"], '\n')
	changed := zipped(t, names, files)
	_, again := unzip(t, changed)
	if r := check(t, changed); r.Flaw != nil {
		t.Errorf("hashes made anew: %+v", r.Flaw)
	}
	if bytes.Equal(again["SHA256SUMS"], sums) {
		t.Error("the hashes are the same")
	}
	if r := check(t, append(bytes.Clone(whole[:200]), flip(whole[200:])...)); r.Flaw == nil || r.Flaw.What != onboarding.FlawFileChanged {
		t.Errorf("a changed byte: %+v", r.Flaw)
	}
	if _, err := onboarding.CheckEvidence(bytes.NewReader(whole), int64(len(whole)/2)); err == nil {
		t.Error("half a bundle is taken for one")
	}
}

func flip(content []byte) []byte {
	content = bytes.Clone(content)
	content[0] ^= 1
	return content
}

func firstLine(content []byte) []byte { return bytes.SplitAfter(bytes.Clone(content), []byte("\n"))[0] }

func dropLine(content []byte, n int) []byte {
	lines := bytes.SplitAfter(content, []byte("\n"))
	return bytes.Join(slices.Delete(lines, n, n+1), nil)
}

func flipRoots(seals []byte) []byte {
	return bytes.ReplaceAll(seals, []byte(`"root":"`), []byte(`"root":"00`))
}

func TestEvidenceIsMadeOnceAndExpires(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	dewi := b.person("Dewi", models.RoleReviewer)
	id, err := b.AskEvidence(b.ctx(), dewi, m, words.ID)
	b.must(err)
	if _, err := b.AskEvidence(b.ctx(), dewi, m, words.ID); fault.Code(err) != "evidence_underway" {
		t.Errorf("a second one beside it: %v", err)
	}
	waiting, err := b.store.Bundle(b.ctx(), id)
	b.must(err)
	if _, err := b.OpenEvidence(b.ctx(), dewi, waiting); fault.Code(err) != "evidence_not_ready" {
		t.Error(err)
	}
	b.exec("update bundles set state = 'making', done = 3") // a worker died over it
	for range 2 {
		b.must(b.MakeEvidence(b.ctx(), id))
	}
	if len(b.blobs()) != 1 || b.count("select count(*) from audit where action = 'evidence.made'") != 1 {
		t.Error("it was made twice")
	}
	made, err := b.store.Bundle(b.ctx(), id)
	b.must(err)
	if report, err := b.CheckBlobs(b.ctx(), func(f onboarding.BlobFlaw) error { t.Errorf("%+v", f); return nil }); err != nil || report.Bundles != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	b.clock.Advance(onboarding.EvidenceLife - time.Second)
	b.must(b.Tidy(b.ctx()))
	if len(b.blobs()) != 1 {
		t.Error("its bytes are gone before its time")
	}
	b.clock.Advance(time.Second)
	if _, err := b.OpenEvidence(b.ctx(), dewi, made); fault.Code(err) != "evidence_expired" {
		t.Error(err)
	}
	b.must(b.Tidy(b.ctx()))
	if len(b.blobs()) != 0 || b.count("select count(*) from bundles where blob_ref = '' and sha256 is not null") != 1 {
		t.Error("its bytes outlive it, or its row does not")
	}
	if _, err := b.AskEvidence(b.ctx(), dewi, 999, words.ID); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
}

func TestEvidenceThatCannotBeMadeSaysSo(t *testing.T) {
	b := setup(t)
	m, dewi := b.told()
	b.exec("update decisions set note = 'x'")
	id, err := b.AskEvidence(b.ctx(), dewi, m, words.ID)
	b.must(err)
	files := len(b.blobs())
	b.must(b.MakeEvidence(b.ctx(), id))
	failed, err := b.store.Bundle(b.ctx(), id)
	b.must(err)
	if failed.State != models.BundleFailed || failed.Problem != "cannot_decrypt" || len(b.blobs()) != files {
		t.Errorf("it is %s: %s, and left %d files", failed.State, failed.Problem, len(b.blobs())-files)
	}
}
