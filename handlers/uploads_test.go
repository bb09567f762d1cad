package handlers

import (
	"bytes"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"berkas/doku"
	"berkas/doku/dokusim"
	"berkas/models"
)

// fault makes DOKU answer a call with a status until the faults are cleared.
func (b *bench) fault(call string, status int) {
	b.Helper()
	b.must(b.sim.AddFault(dokusim.Fault{Call: call, Kind: dokusim.FaultStatus, Status: status}))
}

func (b *bench) rows(sql string, args ...any) (n int) {
	b.Helper()
	b.must(b.db.Pool.QueryRow(b.Context(), sql, args...).Scan(&n))
	return n
}

func TestUploadingAFile(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	a := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP", "form_NO_KTP", "3171234567890123").file("ktp.jpg", photo(t))).is(303, "a plain form")
	slot := staff.get(merchantPath(id)).slot("DOCUMENT", "KTP")
	if want := merchantPath(id) + "#" + attr(slot, "id"); a.header.Get("Location") != want {
		t.Errorf("leads to %s, not %s", a.header.Get("Location"), want)
	}
	if attr(slot, "data-state") != "delivered" || attr(slot, "data-document") == "" || !strings.HasPrefix(attr(slot, "data-file-id"), "DCM-") {
		t.Errorf("%s %s %s", attr(slot, "data-state"), attr(slot, "data-document"), attr(slot, "data-file-id"))
	}
	if got := staff.get(merchantPath(id)).body; strings.Contains(got, "3171234567890123") || !strings.Contains(got, "••••••••••••0123") {
		t.Error("the NIK is not masked")
	}

	row := staff.upload(id, multi("category", "PHOTO_PROOF").file("toko.png", pngPhoto(t)), "HX-Request", "true").is(200, "htmx, delivered at once")
	if row.doc().Find("main").Length() != 0 || row.doc().Find("[hx-swap-oob]").Length() != 1 {
		t.Error("the answer is not the row and the sentence")
	}
	if s := row.slot("PHOTO_PROOF", ""); attr(s, "data-state") != "delivered" || attr(s, "hx-get") != "" {
		t.Errorf("%s, asks %s", attr(s, "data-state"), attr(s, "hx-get"))
	}

	b.fault(doku.CallUpload, 503)
	row = staff.upload(id, multi("category", "OWNER_LIVENESS").file("wajah.jpg", photo(t)), "HX-Request", "true").is(202, "htmx, while DOKU is away")
	s := row.slot("OWNER_LIVENESS", "")
	if attr(s, "data-state") != "waiting" || attr(s, "hx-get") == "" {
		t.Errorf("%s, asks %q", attr(s, "data-state"), attr(s, "hx-get"))
	}
	poll := staff.get(attr(s, "hx-get"), "HX-Request", "true").is(200, "the row, asked for")
	if poll.doc().Find("[hx-swap-oob]").Length() != 1 || attr(poll.slot("OWNER_LIVENESS", ""), "data-state") != "waiting" {
		t.Error("the row answers without itself or the sentence")
	}
	b.sim.ClearFaults()
	b.must(b.sim.AddFault(dokusim.Fault{Call: doku.CallUpload, Kind: dokusim.FaultStatus, Status: 400, Message: "Gambar tidak terbaca"}))
	row = staff.upload(id, multi("category", "PHOTO_PROOF").file("toko.jpg", photo(t)), "HX-Request", "true").is(202, "refused by DOKU")
	if s := row.slot("PHOTO_PROOF", ""); attr(s, "data-state") != "refused" || row.fault() != "refused_by_doku" || !strings.Contains(s.Text(), "Gambar tidak terbaca") {
		t.Errorf("%s %s", attr(s, "data-state"), row.fault())
	}
}

// Outside DOCUMENT a code that is absent, empty or the category itself says the same.
func TestCodeOutsideDocument(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	for i, pairs := range [][]string{{"category", "PHOTO_PROOF"}, {"category", "PHOTO_PROOF", "code", ""}, {"category", "PHOTO_PROOF", "code", "PHOTO_PROOF"}, {"category", " PHOTO_PROOF ", "code", " "}} {
		staff.upload(id, multi(pairs...).file("a.jpg", photo(t))).is(303, fmt.Sprint(pairs))
		if n := b.rows("select count(*) from documents where category = 'PHOTO_PROOF' and code = ''"); n != i+1 {
			t.Errorf("%v: %d documents", pairs, n)
		}
	}
	staff.upload(id, multi("category", "PHOTO_PROOF", "code", "KTP").file("a.jpg", photo(t))).is(422, "another's code")
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	same := photo(t)
	staff.upload(id, multi("category", "OWNER_LIVENESS").file("sama.jpg", same)).is(303, "the first")
	large := append(photo(t), make([]byte, 15_000_000)...)
	ktp := []string{"category", "DOCUMENT", "code", "KTP", "form_NO_KTP", "317123456789"}
	for reason, p := range map[string]func() *parts{
		"file_type_not_allowed": func() *parts { return multi(ktp...).file("a.gif", []byte("GIF89a,,,,,,,,,,,,,,,,")) },
		"file_content_mismatch": func() *parts { return multi(ktp...).file("a.png", photo(t)) },
		"file_too_large":        func() *parts { return multi(ktp...).file("a.jpg", large) },
		"file_empty":            func() *parts { return multi(ktp...).file("a.jpg", nil) },
		"file_corrupt":          func() *parts { return multi(ktp...).file("a.jpg", photo(t)[:600]) },
		"file_url_not_allowed":  func() *parts { return multi(append(ktp, "file_url", "https://localhost/a.jpg")...) },
	} {
		plain := staff.upload(id, p()).is(422, reason)
		d := plain.doc()
		if d.Find("main .slot").Length() != 3 || d.Find("[data-reason]").Length() != 1 || attr(plain.slot("DOCUMENT", "KTP").Find("[data-reason][role=alert]"), "data-reason") != reason {
			t.Errorf("%s: the page says %q", reason, plain.fault())
		}
		if got := attr(plain.slot("DOCUMENT", "KTP").Find("[name=form_NO_KTP]"), "value"); got != "317123456789" {
			t.Errorf("%s: the NIK typed is %q", reason, got)
		}
		if here := attr(d.Find("form[action='/preferences'] [name=next]").First(), "value"); strings.Contains(here, "documents") {
			t.Errorf("%s: another language leads to %s", reason, here)
		}
		row := staff.upload(id, p(), "HX-Request", "true").is(422, reason+", htmx")
		if s := row.slot("DOCUMENT", "KTP"); row.fault() != reason || row.doc().Find(".slot").Length() != 1 || attr(s, "hx-get") != "" || attr(s, "data-state") != "missing" {
			t.Errorf("%s: the row says %q", reason, row.fault())
		}
	}
	if a := staff.upload(id, multi("category", "OWNER_LIVENESS").file("lain.jpg", same)).is(422, "the same file"); a.fault() != "duplicate_file" {
		t.Error(a.fault())
	}
	if n := b.rows("select count(*) from documents"); n != 1 {
		t.Errorf("%d documents are kept", n)
	}
}

// What cannot be said in a slot is said all the same.
func TestRefusedForms(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	ktp := []string{"category", "DOCUMENT", "code", "KTP"}
	jpg := func() []byte { return photo(t) }
	for what, c := range map[string]struct {
		parts *parts
		code  string
	}{
		"all fields after the file": {multi().file("a.jpg", jpg()).field("category", "DOCUMENT").field("code", "KTP"), "fields_before_file"},
		"a field after the file":    {multi(ktp...).file("a.jpg", jpg()).field("form_NO_KTP", "3171234567890123"), "fields_before_file"},
		"a second file":             {multi(ktp...).file("a.jpg", jpg()).file("b.jpg", jpg()), "fields_before_file"},
		"a file and an address":     {multi(append(ktp, "file_url", "https://example.com/a.jpg")...).file("a.jpg", jpg()), "file_or_url"},
		"neither":                   {multi(ktp...), "file_missing"},
		"an empty address":          {multi(append(ktp, "file_url", " ")...), "file_missing"},
		"nothing at all":            {multi(), "slot_unknown"},
		"an unknown category":       {multi("category", "PIZZA").file("a.jpg", jpg()), "slot_unknown"},
		"an unknown code":           {multi("category", "DOCUMENT", "code", "PIZZA").file("a.jpg", jpg()), "slot_unknown"},
		"DOCUMENT without a code":   {multi("category", "DOCUMENT").file("a.jpg", jpg()), "slot_unknown"},
		"a slot of another":         {multi(append(ktp, "slot", "999")...).file("a.jpg", jpg()), "slot_unknown"},
		"a slot that is no id":      {multi(append(ktp, "slot", "abc")...).file("a.jpg", jpg()), "slot_unknown"},
		"a slot below zero":         {multi(append(ktp, "slot", "-1")...).file("a.jpg", jpg()), "slot_unknown"},
		"a field of 65 KiB":         {multi(append(ktp, "form_NO_KTP", strings.Repeat("1", 65<<10))...).file("a.jpg", jpg()), "form_invalid"},
		"a hundred parts":           {hundred(multi(ktp...)).file("a.jpg", jpg()), "form_invalid"},
		"a hundred empty parts":     {hundredEmpty(multi(ktp...).file("a.jpg", jpg())), "form_invalid"},
	} {
		body, contentType := c.parts.end().(*bytes.Buffer).Bytes(), c.parts.w.FormDataContentType()
		for _, htmx := range []string{"", "true"} {
			r := staff.request("POST", merchantPath(id)+"/documents", bytes.NewReader(body), "HX-Request", htmx, "Content-Type", contentType)
			a := staff.do(r).is(422, what)
			if a.fault() != c.code || len(a.doc().Find("[data-sentence], .lead, [role=alert]").Text()) < 20 {
				t.Errorf("%s: %s", what, a.fault())
			}
		}
	}
	for what, raw := range map[string]string{
		"no closing boundary": "--x\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nDOCUMENT\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc",
		"another boundary":    "--y\r\nContent-Disposition: form-data; name=\"category\"\r\n\r\nDOCUMENT\r\n--y--\r\n",
		"no headers":          "--x\r\n\r\nabc\r\n--x--\r\n", "garbage": "\x00\xff garbage", "empty": "", "a long header": "--x\r\nA: " + strings.Repeat("a", 1<<20),
	} {
		r := staff.request("POST", merchantPath(id)+"/documents", strings.NewReader(raw), "Content-Type", "multipart/form-data; boundary=x")
		staff.do(r).is(422, what)
	}
	for _, contentType := range []string{"", "application/json", "multipart/form-data", "multipart/mixed; boundary=x", "text/plain;;"} {
		r := staff.request("POST", merchantPath(id)+"/documents", strings.NewReader("x"))
		r.Header.Set("Content-Type", contentType)
		staff.do(r).is(422, contentType)
	}
	staff.post(merchantPath(id)+"/documents", url.Values{"category": {"DOCUMENT"}, "code": {"KTP"}, "file": {"text"}}).is(422, "a form without parts")
	if n := b.rows("select count(*) from documents"); n != 0 {
		t.Errorf("%d documents", n)
	}
	staff.upload(9999, multi(ktp...).file("a.jpg", jpg())).is(404, "a merchant that is none")
}

func hundred(p *parts) *parts {
	for i := range 100 {
		p.field("x"+strconv.Itoa(i), "y")
	}
	return p
}

func hundredEmpty(p *parts) *parts {
	for range 100 {
		p.part(`form-data; name="file"; filename=""`, nil)
	}
	return p
}

func TestInputsNobodyUsedArePassedOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	empty := `form-data; name="file"; filename=""`
	staff.upload(id, multi("category", "PHOTO_PROOF").part(empty, nil).file("a.jpg", photo(t))).is(303, "an empty part before")
	staff.upload(id, multi("category", "PHOTO_PROOF").file("a.jpg", photo(t)).part(empty, nil)).is(303, "an empty part behind")
	staff.upload(id, multi("category", "PHOTO_PROOF").file("a.jpg", photo(t)).field("form_X", "")).is(303, "an empty field behind")
	if a := staff.upload(id, multi("category", "PHOTO_PROOF").part(empty, nil).part(empty, nil)).is(422, "only empty parts"); a.fault() != "file_missing" {
		t.Error(a.fault())
	}
}

// Two slots that share category and code are told apart by their id.
func TestSlotsThatShareAKind(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	staff.post(merchantPath(id)+"/slots", url.Values{"document": {"LOGO"}}).is(303, "one")
	staff.post(merchantPath(id)+"/slots", url.Values{"document": {"LOGO"}}).is(303, "one that is there")
	staff.upload(id, multi("category", "LOGO").file("a.png", pngPhoto(t))).is(303, "the only one")
	staff.post(merchantPath(id)+"/slots", url.Values{"category": {"LOGO"}, "code": {"LOGO"}}).is(303, "another")
	var ids []string
	for _, s := range staff.get(merchantPath(id)).doc().Find(`[data-category="LOGO"]`).EachIter() {
		ids = append(ids, strings.TrimPrefix(attr(s, "id"), "slot-"))
	}
	if len(ids) != 2 {
		t.Fatal(ids)
	}
	for _, slot := range ids {
		staff.upload(id, multi("category", "LOGO", "slot", slot).file("a.png", pngPhoto(t))).is(303, "slot "+slot)
	}
	if a := staff.upload(id, multi("category", "LOGO").file("a.png", pngPhoto(t))).is(422, "which of two"); a.fault() != "slot_ambiguous" {
		t.Error(a.fault())
	}
	if n := b.rows("select count(distinct slot_id) from documents where category = 'LOGO'"); n != 2 {
		t.Errorf("%d slots have one", n)
	}
	staff.post(merchantPath(id)+"/slots/"+ids[0]+"/remove", nil).is(409, "removing a slot with a document")
	staff.post(merchantPath(id)+"/slots", url.Values{"document": {"DOCUMENT/NIB"}}).is(303, "a code")
	added := strings.TrimPrefix(attr(staff.get(merchantPath(id)).slot("DOCUMENT", "NIB"), "id"), "slot-")
	staff.post(merchantPath(id)+"/slots/"+added+"/remove", nil).is(303, "removing an empty one")
	staff.post(merchantPath(id)+"/slots/"+added+"/remove", nil).is(404, "removing it twice")
	for _, kind := range []url.Values{{}, {"document": {""}}, {"document": {"PIZZA"}}, {"document": {"DOCUMENT"}}, {"document": {"DOCUMENT/PIZZA"}}, {"category": {"DOCUMENT"}}} {
		if a := staff.post(merchantPath(id)+"/slots", kind).is(422, kind.Encode()); a.fault() != "slot_unknown" {
			t.Error(a.fault())
		}
	}
	asked := strings.TrimPrefix(attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "id"), "slot-")
	staff.post(merchantPath(id)+"/slots/"+asked+"/remove", nil).is(409, "removing what DOKU asks for")
	other := staff.merchant()
	staff.get(merchantPath(other)+"/slots/"+asked).is(404, "a slot of another merchant")
	staff.post(merchantPath(other)+"/slots/"+asked+"/fields", url.Values{"form_NO_KTP": {"3171234567890123"}}).is(404, "fields of another merchant's slot")
	staff.post(merchantPath(other)+"/slots/"+asked+"/remove", nil).is(404, "removing another merchant's slot")
	staff.upload(other, multi("category", "DOCUMENT", "code", "KTP", "slot", asked).file("a.jpg", photo(t))).is(422, "uploading to another merchant's slot")
}

// A wrong field never costs the file.
func TestFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	b.fault(doku.CallUpload, 503)
	row := staff.upload(id, multi("category", "DOCUMENT", "code", "KTP", "form_NO_KTP", "31712").file("a.jpg", photo(t)), "HX-Request", "true").is(202, "a short NIK")
	s := row.slot("DOCUMENT", "KTP")
	input := s.Find("[name=form_NO_KTP]")
	if attr(input, "value") != "31712" || attr(input, "aria-invalid") != "true" || attr(s, "hx-get") != "" {
		t.Errorf("the row loses what was typed: %q, asks %q", attr(input, "value"), attr(s, "hx-get"))
	}
	path := merchantPath(id) + "/slots/" + strings.TrimPrefix(attr(s, "id"), "slot-") + "/fields"
	for what, typed := range map[string]string{"letters": "317123456789012X", "nothing": "", "too long": "31712345678901234"} {
		for _, htmx := range []string{"", "true"} {
			a := staff.post(path, url.Values{"form_NO_KTP": {typed}}, "HX-Request", htmx).is(422, what)
			s := a.slot("DOCUMENT", "KTP")
			if attr(s.Find("[name=form_NO_KTP]"), "value") != typed || s.Find(".error").Length() != 1 || attr(s, "hx-get") != "" {
				t.Errorf("%s: typed values are lost or nothing is said", what)
			}
		}
	}
	a := staff.post(path, url.Values{"form_NO_KTP": {"3171 2345 6789 0123"}}, "HX-Request", "true").is(200, "a NIK")
	if s := a.slot("DOCUMENT", "KTP"); !strings.Contains(s.Text(), "••••••••••••0123") || attr(s, "hx-get") == "" {
		t.Error("not stored, or the row no longer asks")
	}
	plain := staff.post(path, url.Values{"form_NO_KTP": {"3171234567890129"}}).is(303, "a NIK by a plain form")
	if staff.get(plain.header.Get("Location")).doc().Find(".notice[role=status]").Length() != 1 {
		t.Error("nothing says that it was stored")
	}
	b.sim.ClearFaults()
	a = staff.upload(id, multi("category", "DOCUMENT", "code", "KTP", "form_NO_KTP", "31712").file("b.jpg", photo(t))).is(303, "a plain form with a wrong field")
	if strings.Contains(fmt.Sprint(a.header), "31712") {
		t.Errorf("what was typed travels in clear: %v", a.header)
	}
	for _, want := range []string{"31712", ""} { // the next page only
		page := staff.get(a.header.Get("Location"))
		if said := page.doc().Find(".notice.bad[role=status]").Length() == 1; said != (want != "") {
			t.Errorf("says that the field was refused: %t", said)
		}
		if input := page.slot("DOCUMENT", "KTP").Find("[name=form_NO_KTP]"); attr(input, "value") != want || (attr(input, "aria-invalid") == "true") != (want != "") {
			t.Errorf("the field holds %q, not %q", attr(input, "value"), want)
		}
	}
}

func TestByAddress(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	staff.post(merchantPath(id)+"/documents", url.Values{"category": {"DOCUMENT"}, "code": {"KTP"}, "file_url": {"https://files.example.com/ktp.jpg"}}).is(303, "a form")
	b.await("the delivery", func() bool {
		return attr(staff.get(merchantPath(id)).slot("DOCUMENT", "KTP"), "data-state") == "delivered"
	})
	row := staff.upload(id, multi("category", "PHOTO_PROOF", "file_url", "https://files.example.com/toko.png"), "HX-Request", "true")
	if row.status != 200 && row.status != 202 {
		t.Errorf("%d %s", row.status, row.fault())
	}
	for _, address := range []string{"http://example.com/a.jpg", "https://127.0.0.1/a.jpg", "https://[::1]/a.jpg", "https://u:p@example.com/a.jpg", "ftp://example.com/a.jpg", "https://intern/a.jpg", "https://example.com/" + strings.Repeat("a", 2100), "x"} {
		if a := staff.upload(id, multi("category", "PHOTO_PROOF", "file_url", address)).is(422, address[:min(len(address), 40)]); a.fault() != "file_url_not_allowed" {
			t.Error(a.fault())
		}
	}
	if strings.Contains(b.log.String(), "files.example.com") {
		t.Error("the address is in the log")
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	b := setup(t)
	staff := b.as(models.RoleStaff)
	id := staff.merchant()
	for raw, want := range map[string]string{
		`form-data; name="file"; filename="KTP \"asli\".jpg"`: `KTP "asli".jpg`, `form-data; name="file"; filename="C:\\Foto\\ktp.jpg"`: "ktp.jpg",
		`form-data; name="file"; filename="../../etc/ktp.jpg"`: "ktp.jpg", `form-data; name="file"; filename="身份证 ü.jpg"`: "身份证 ü.jpg",
		"form-data; name=\"file\"; filename=\"ktp\u202egpj.jpg\"":                      "ktpgpj.jpg",
		`form-data; name="file"; filename*=UTF-8''%E2%82%AC%20kwitansi.jpg`:            "€ kwitansi.jpg",
		`form-data; name="file"; filename="` + strings.Repeat("panjang", 60) + `.jpg"`: strings.Repeat("panjang", 60)[:251] + ".jpg",
		`form-data; name="file"; filename="a;b=c%22%0d%0a.jpg"`:                        "a;b=c%22%0d%0a.jpg",
		`form-data; name="file"`: "", `form-data; name="file"; filename="tanpa akhiran"`: "tanpa akhiran",
		"form-data; name=\"file\"; filename=\"\xff\xfe.jpg\"": "\ufffd.jpg", `form-data; name="file"; filename="<script>alert(1)</script>.jpg"`: "script>.jpg",
	} {
		a := staff.upload(id, multi("category", "PHOTO_PROOF").part(raw, photo(t)), "HX-Request", "true")
		if a.status != 200 && a.status != 202 {
			t.Errorf("%s: %d %s", raw, a.status, a.fault())
			continue
		}
		s := a.slot("PHOTO_PROOF", "")
		if got := s.Find(".body .file-name").Text(); got != want {
			t.Errorf("%.60s is called %q, not %q", raw, got, want)
		}
		disposition := staff.get("/documents/" + attr(s, "data-document") + "/file?download=1").header.Get("Content-Disposition")
		if strings.ContainsAny(disposition, "\r\n\x00") || !strings.HasPrefix(disposition, `attachment; filename="`) || !strings.Contains(disposition, "; filename*=UTF-8''") {
			t.Errorf("%.60s: %s", raw, disposition)
		}
		if strings.Contains(a.body, "<script>alert") {
			t.Error("a name is not escaped")
		}
	}
}
