package onboarding_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"berkas/doku"
	"berkas/internal/fault"
	"berkas/models"
	"berkas/onboarding"
)

// header is a PNG that says to have these dimensions.
func header(w, h uint32) []byte {
	file := pngOf("header")
	binary.BigEndian.PutUint32(file[16:], w)
	binary.BigEndian.PutUint32(file[20:], h)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func testdata(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile("../internal/paper/testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestRefusedFilesLeaveNothing(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	jpg, pdf := photo("whole"), pdfOf("whole", 1)
	for _, c := range []struct {
		name, file string
		content    []byte
		code       string
	}{
		{"no type we know", "a.jpg", []byte("GIF89a and so on"), "file_type_not_allowed"},
		{"text", "a.txt", []byte("NIK 3175"), "file_type_not_allowed"},
		{"a picture named as another", "a.png", jpg, "file_content_mismatch"},
		{"a PDF named as a picture", "a.jpg", pdf, "file_content_mismatch"},
		{"one byte too much", "a.jpg", padded(jpg, 15_000_001), "file_too_large"},
		{"much too much", "a.jpg", append(padded(jpg, 15_000_000), make([]byte, 5_000_000)...), "file_too_large"},
		{"nothing", "a.jpg", nil, "file_empty"},
		{"half a JPEG", "a.jpg", jpg[:len(jpg)/2], "file_corrupt"},
		{"half a PNG", "a.png", pngOf("x")[:3000], "file_corrupt"},
		{"a picture without pixels", "a.png", header(0, 10), ""},
		{"65 megapixels", "a.png", header(10_000, 6_500), "file_dimensions_exceeded"},
		{"a locked PDF", "a.pdf", testdata(t, "user.pdf"), "file_password_protected"},
		{"half a PDF", "a.pdf", pdf[:len(pdf)/3], "file_corrupt"},
		{"a PDF in name only", "a.pdf", []byte("%PDF-1.7\nnothing more"), "file_corrupt"},
	} {
		in := ktp(m, c.content)
		in.FileName = c.file
		done, err := b.Upload(b.ctx(), b.staff, in)
		if !fault.Is(err, fault.Invalid) || c.code != "" && fault.Code(err) != c.code {
			t.Errorf("%s: %v, not %s", c.name, err, c.code)
		}
		if done.Slot == 0 || done.Document != 0 {
			t.Errorf("%s: %+v", c.name, done)
		}
	}
	if names := b.blobs(); len(names) != 0 || b.count("select count(*) from documents") != 0 || b.count("select count(*) from river_job where kind = 'document.send'") != 0 {
		t.Errorf("left behind: %v", names)
	}
	if n := b.sim.Requests()[doku.CallUpload]; n != 0 {
		t.Errorf("%d reached DOKU", n)
	}
}

func TestSlotTakesItsOwnExtensions(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	in := onboarding.UploadInput{Merchant: m, Category: doku.CategoryPhotoProof, Code: doku.CategoryPhotoProof, FileName: "toko.pdf", Body: bytes.NewReader(pdfOf("shop", 1))}
	_, err := b.Upload(b.ctx(), b.staff, in)
	b.wants(err, "file_type_not_allowed")
	in.FileName, in.Body = "TOKO.JPEG", bytes.NewReader(photo("shop"))
	if d := b.doc(b.upload(in)); d.Code != "" || d.ContentType != "image/jpeg" {
		t.Errorf("%+v", d)
	}
}

func TestLargestFileReachesDOKUUnaltered(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	content := padded(photo("large"), 15_000_000)
	d := b.doc(b.deliver(ktp(m, content)))
	files := b.sim.Files()
	if len(files) != 1 || files[0].SHA256 != sha(content) || files[0].ID != d.FileID || files[0].Size != 15_000_000 {
		t.Errorf("%+v", files)
	}
	if d.Size != 15_000_000 || sha(content) != hexOf(d.SHA256) || !d.Measured || d.Width != 96 || d.PerceptualHash == nil {
		t.Errorf("%+v", d)
	}
	link, err := b.vault.OpenString(d.Link, "documents.link:"+d.UID)
	if err != nil || !strings.HasPrefix(link, b.server.URL) || d.LinkExpiresAt.Sub(b.clock.Now()) != doku.LinkLifetime {
		t.Errorf("%q until %v, %v", link, d.LinkExpiresAt, err)
	}
	if d.Category != doku.CategoryDocument || d.Code != doku.CodeKTP {
		t.Errorf("%s %s", d.Category, d.Code)
	}
}

func TestOriginalLiesEncrypted(t *testing.T) {
	b := setup(t)
	content := photo("secret")
	b.upload(ktp(b.merchant(), content))
	names := b.blobs()
	if len(names) != 1 {
		t.Fatal(names)
	}
	stored, err := os.ReadFile(names[0])
	b.must(err)
	if bytes.Contains(stored, content[20:60]) || bytes.HasPrefix(stored, []byte{0xff, 0xd8}) {
		t.Error("in clear")
	}
}

func TestSameFileAgainIsRefused(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	b.upload(ktp(m, photo("one")))
	_, err := b.Upload(b.ctx(), b.staff, ktp(m, photo("one")))
	b.wants(err, "duplicate_file")
	b.upload(ktp(m, photo("two")))
	b.upload(ktp(m, photo("one"))) // no longer the current one
	if n := len(b.blobs()); n != 3 {
		t.Errorf("%d blobs", n)
	}
}

func TestSameFileFromTwoBrowsersIsTakenOnce(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	content := photo("same")
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { _, errs[i] = b.Upload(b.ctx(), b.staff, ktp(m, content)) })
	}
	wg.Wait()
	taken := 0
	for _, err := range errs {
		switch {
		case err == nil:
			taken++
		case fault.Code(err) != "duplicate_file":
			t.Error(err)
		}
	}
	if taken != 1 || b.count("select count(*) from documents") != 1 || len(b.blobs()) != 1 {
		t.Errorf("%d taken, %d blobs", taken, len(b.blobs()))
	}
}

func TestTwoFilesAtOnceAreTwoVersions(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	var wg sync.WaitGroup
	for _, seed := range []string{"one", "two", "three"} {
		wg.Go(func() { b.upload(ktp(m, photo(seed))) })
	}
	wg.Wait()
	row := b.row(m, "DOCUMENT", "KTP")
	if len(row.Documents) != 3 || row.Newest().Version != 3 || b.count("select count(distinct version) from documents") != 3 {
		t.Errorf("%d documents, the newest is %d", len(row.Documents), row.Newest().Version)
	}
}

func TestWrongNumberNeverCostsTheFile(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	in := ktp(m, photo("ktp"))
	in.Fields = map[string]string{"NO_KTP": "12345"}
	done, err := b.Upload(b.ctx(), b.staff, in)
	b.must(err)
	if len(done.Refused) != 1 || done.Refused[0].Name != "NO_KTP" || done.Refused[0].Code != "exactly" {
		t.Errorf("%+v", done.Refused)
	}
	b.must(b.SendDocument(b.ctx(), done.Document))
	if p := b.get(m).Progress; p.Parts[0].Code != "field" && p.Parts[1].Code != "field" && p.Parts[2].Code != "field" {
		t.Errorf("nobody asks for the field: %+v", p)
	}
	b.must(b.SetFields(b.ctx(), b.staff, m, done.Slot, map[string]string{"NO_KTP": "3175012345678901"}))
	if row := b.row(m, "DOCUMENT", "KTP"); len(row.Fields) != 1 || row.Fields[0].Masked != "••••••••••••8901" || len(onboarding.MissingFields(row)) != 0 {
		t.Errorf("%+v", row.Fields)
	}
	if b.count("select count(*) from slot_fields where position('3175012345678901'::bytea in value) > 0") != 0 {
		t.Error("the number is stored in clear")
	}
}

func TestUploadBeforeTheChecklist(t *testing.T) {
	b := setup(t)
	b.fault(fault503(doku.CallRequirements, 0))
	id, err := b.CreateMerchant(b.ctx(), b.staff, personalForm(), true)
	b.must(err)
	_, err = b.Upload(b.ctx(), b.staff, ktp(id, photo("x")))
	b.wants(err, "checklist_not_ready")
}

func TestUploadToWhatIsNotThere(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	in := ktp(m, photo("x"))
	in.Code = "NIB"
	_, err := b.Upload(b.ctx(), b.staff, in)
	b.wants(err, "slot_unknown")
	in = ktp(m+1, photo("x"))
	if _, err = b.Upload(b.ctx(), b.staff, in); !fault.Is(err, fault.NotFound) {
		t.Error(err)
	}
	b.must(b.ArchiveMerchant(b.ctx(), b.staff, m))
	_, err = b.Upload(b.ctx(), b.staff, ktp(m, photo("x")))
	b.wants(err, "merchant_archived")
}

func TestBrokenOffBodyLeavesNothing(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	content := photo("whole")
	for _, cut := range []int{10, 4000} {
		for _, cause := range []error{io.ErrUnexpectedEOF, errors.New("reset by peer")} {
			in := ktp(m, nil)
			in.Body = io.MultiReader(bytes.NewReader(content[:min(cut, len(content)-1)]), iotest.ErrReader(cause))
			_, err := b.Upload(b.ctx(), b.staff, in)
			b.wants(err, "upload_failed")
		}
	}
	if len(b.blobs()) != 0 {
		t.Error("bytes were kept")
	}
}

func TestAddressIsHandedOnAndItsBytesKept(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	for _, address := range []string{"http://cdn.example.com/a.jpg", "https://localhost/a.jpg", "https://10.0.0.1/a.jpg", "https://user@cdn.example.com/a.jpg", "not an address", "https://cdn.toko.co.id/a.gif"} {
		_, err := b.Upload(b.ctx(), b.staff, onboarding.UploadInput{Merchant: m, Category: "DOCUMENT", Code: "KTP", FileURL: address})
		if !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", address, err)
		}
	}
	id := b.deliver(onboarding.UploadInput{Merchant: m, Category: "DOCUMENT", Code: "KTP", FileURL: "https://cdn.toko.co.id/ktp.jpg?size=large"})
	d := b.doc(id)
	if d.FileName != "ktp.jpg" || d.BlobRef != "" || bytes.Contains(d.FileURL, []byte("toko")) {
		t.Errorf("%+v", d)
	}
	if n := b.count("select count(*) from river_job where kind = 'document.check'"); n != 1 {
		t.Errorf("%d jobs check the original", n)
	}
	before, source, err := b.read(id)
	if err != nil || source != onboarding.FromDOKU {
		t.Fatalf("%s, %v", source, err)
	}
	b.must(b.CheckOriginal(b.ctx(), id))
	b.must(b.CheckOriginal(b.ctx(), id)) // once is enough
	d = b.doc(id)
	if d.BlobRef == "" || hexOf(d.SHA256) != b.sim.Files()[0].SHA256 || d.Size != b.sim.Files()[0].Size || !d.HasThumbnail || d.Problem != "" || len(b.blobs()) != 1 {
		t.Errorf("%+v, %d blobs", d, len(b.blobs()))
	}
	b.server.CloseClientConnections()
	b.clock.Advance(2 * doku.LinkLifetime)
	if after, source, err := b.read(id); err != nil || source != onboarding.FromOriginal || !bytes.Equal(before, after) {
		t.Errorf("%s, %v", source, err)
	}
}

func TestAddressWhoseBytesDoNotPass(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	in := onboarding.UploadInput{Merchant: m, Category: "DOCUMENT", Code: "KTP", FileURL: "https://cdn.toko.co.id/ktp.jpg"}
	id := b.deliver(in)
	b.fault(linkFault("status", 503, 1))
	if wait := b.later(b.CheckOriginal(b.ctx(), id)); wait <= 0 {
		t.Error(wait)
	}
	b.fault(linkFault("cut_response", 0, 1))
	b.later(b.CheckOriginal(b.ctx(), id))
	if len(b.blobs()) != 0 {
		t.Error("half a file was kept")
	}
	b.fault(linkFault("corrupt_link", 0, 1))
	b.must(b.CheckOriginal(b.ctx(), id))
	if d := b.doc(id); d.Problem != "file_type_not_allowed" || d.State != models.Delivered || d.BlobRef != "" || len(b.blobs()) != 0 {
		t.Errorf("%+v", d)
	}
}

func TestThumbnailsAreSmall(t *testing.T) {
	b := setup(t)
	m := b.merchant()
	in := ktp(m, pdfOf("Akta", 3))
	in.FileName = "akta.pdf"
	pdf := b.upload(in)
	if d := b.doc(pdf); d.Pages != 3 || !d.HasThumbnail {
		t.Errorf("%d pages", d.Pages)
	}
	for _, id := range []models.DocumentID{pdf, b.upload(ktp(m, photo("noise")))} {
		small, err := b.OpenThumbnail(b.ctx(), id)
		if err != nil || len(small) == 0 || len(small) > 8192 || !bytes.HasPrefix(small, []byte{0xff, 0xd8}) {
			t.Errorf("%d bytes, %v", len(small), err)
		}
	}
	page, err := b.OpenPage(b.ctx(), b.staff, pdf, 3, 400)
	if err != nil || !bytes.HasPrefix(page, []byte{0xff, 0xd8}) {
		t.Error(err)
	}
	for _, n := range []int{0, -1, 4} {
		_, err = b.OpenPage(b.ctx(), b.staff, pdf, n, 400)
		b.wants(err, "page_unknown")
	}
}

func TestCleanName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"ktp.jpg":                          "ktp.jpg",
		`C:\Users\Sari\ktp.jpg`:            "ktp.jpg",
		"../../etc/passwd":                 "passwd",
		"a\r\nSet-Cookie: x.jpg":           "a Set-Cookie: x.jpg",
		"\u202egpj.exe":                    "gpj.exe",
		"  x.png  ":                        "x.png",
		"\xff.png":                         "�.png",
		strings.Repeat("é", 400) + ".jpeg": strings.Repeat("é", 250) + ".jpeg",
	} {
		if got := onboarding.CleanName(name); got != want {
			t.Errorf("%q is %q, not %q", name, got, want)
		}
	}
}
