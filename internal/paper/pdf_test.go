package paper

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"strings"
	"testing"
	"time"

	"berkas/internal/fault"
)

func TestPDF(t *testing.T) {
	t.Parallel()
	facts := mustInspect(t, letter())
	if facts.ContentType != "application/pdf" || facts.Pages != 1 || facts.Measured || facts.Orientation != 1 {
		t.Errorf("%+v", facts)
	}
	m := checkThumbnail(t, facts.Thumbnail, 169, 240)
	if r, g, _, _ := m.At(45, 180).RGBA(); r < 0xc000 || g > 0x4000 {
		t.Error("the red square is not where it should be")
	}
}

func TestPDFOfAPhoto(t *testing.T) {
	t.Parallel()
	photo := encodeJPEG(t, card(1200, 800, 10), 85)
	file := page("0 0 600 400", "/Resources<</XObject<</I 5 0 R>>>>", "600 0 0 400 0 0 cm /I Do",
		pdfStream("/Type/XObject/Subtype/Image/Width 1200/Height 800/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/DCTDecode", string(photo)))
	m := checkThumbnail(t, mustInspect(t, file).Thumbnail, 240, 160)
	if r, g, _, _ := m.At(190, 80).RGBA(); r < 0x9000 || g > 0x6000 {
		t.Error("the photo is not drawn")
	}
}

func TestRenderPage(t *testing.T) {
	t.Parallel()
	two := pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
		"<</Type/Page/Parent 2 0 R/MediaBox[0 0 842 595]/Rotate 90/Contents 5 0 R>>",
		pdfStream("", "0 0 1 rg 0 0 842 595 re f"))
	render := func(file []byte, number, width int) (image.Image, error) {
		b, pages, err := inspector(t).RenderPage(t.Context(), int64(len(file)), from(file), number, width)
		if err != nil {
			return nil, err
		}
		if number == 2 && pages != 2 {
			t.Errorf("%d pages", pages)
		}
		return jpeg.Decode(bytes.NewReader(b))
	}
	m, err := render(two, 2, 1000)
	if err != nil || m.Bounds().Dx() != 1000 || m.Bounds().Dy() != 1415 {
		t.Fatal(m.Bounds(), err)
	}
	if _, _, b, _ := m.At(500, 700).RGBA(); b < 0xc000 {
		t.Error("the second page is not blue")
	}
	for _, number := range []int{-1, 0, 3} {
		if _, err := render(two, number, 1000); !fault.Is(err, fault.NotFound) || fault.Code(err) != "page_missing" {
			t.Errorf("page %d: %v", number, err)
		}
	}
	for _, box := range []string{"0 0 595 842", "0 0 1 100000", "0 0 100000 1", "0 0 100000 100000", "0 0 .001 .001"} {
		m, err := render(page(box, "", ""), 1, 100_000)
		if err != nil {
			t.Errorf("%s: %v", box, err)
			continue
		}
		if w, h := m.Bounds().Dx(), m.Bounds().Dy(); w > 2400 || h > 6000 || w*h > 8_400_000 {
			t.Errorf("%s: %d×%d", box, w, h)
		}
	}
}

// The testdata were encrypted by qpdf; all but user.pdf open without a password.
func TestEncryptedPDF(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"rc4.pdf", "aes128.pdf", "aes256.pdf", "user.pdf"} {
		refuse(t, name, readTestdata(t, name), "file_password_protected")
	}
	foreign := bytes.Replace(letter(), []byte("/Root 1 0 R"), []byte("/Root 1 0 R/Encrypt<</Filter/Acme/V 1>>"), 1)
	refuse(t, "an unknown handler", foreign, "file_password_protected")
}

func TestBrokenPDF(t *testing.T) {
	t.Parallel()
	file := letter()
	for _, n := range []int{8, 100, len(file) / 2, len(file) - 20, len(file) - 7} {
		refuse(t, fmt.Sprint("cut after ", n), file[:n], "file_corrupt")
	}
	startxref := bytes.LastIndex(file, []byte("startxref"))
	refuse(t, "points to nowhere", append(bytes.Clone(file[:startxref]), "startxref\n99999999\n%%EOF\n"...), "file_corrupt")
	refuse(t, "points to a page", append(bytes.Clone(file[:startxref]), "startxref\n20\n%%EOF\n"...), "file_corrupt")
	refuse(t, "points out of numbers", append(bytes.Clone(file[:startxref]), "startxref\n99999999999999999999\n%%EOF\n"...), "file_corrupt")
	refuse(t, "no pages", pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[]/Count 0>>"), "file_corrupt")
	refuse(t, "no catalog", pdf("<</Type/Nothing>>"), "file_corrupt")
	refuse(t, "a first page that is none", pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[9 0 R]/Count 1>>"), "file_corrupt")
	refuse(t, "a web page", []byte("%PDF-1.4 <html>not really</html>"), "file_corrupt")
}

func TestUsualOdditiesOfPDF(t *testing.T) {
	t.Parallel()
	file := letter()
	for name, odd := range map[string][]byte{
		"bytes before":  append([]byte("\xef\xbb\xbf"), file...),
		"bytes after":   append(bytes.Clone(file), bytes.Repeat([]byte{0}, 500)...),
		"xref stream":   readTestdata(t, "xrefstream.pdf"),
		"linearized":    readTestdata(t, "linearized.pdf"),
		"CR line ends":  bytes.Replace(file, []byte("startxref\n"), []byte("startxref\r"), 1),
		"with scripts":  bytes.Replace(file, []byte("<</Type/Catalog/"), []byte("<</OpenAction<</S/JavaScript/JS(while(1){})>>/Type/Catalog/"), 1),
		"a form of XFA": bytes.Replace(file, []byte("<</Type/Catalog/"), []byte("<</AcroForm<</XFA(x)/Fields[]>>/Type/Catalog/"), 1),
	} {
		if name == "with scripts" || name == "a form of XFA" {
			odd = moveXref(odd)
		}
		if facts, err := inspect(t, inspector(t), odd); err != nil || facts.Pages != 1 || facts.Thumbnail == nil {
			t.Errorf("%s: %+v, %v", name, facts, err)
		}
	}
}

// moveXref points startxref to where the table is now.
func moveXref(file []byte) []byte {
	table, end := bytes.LastIndex(file, []byte("\nxref"))+1, bytes.LastIndex(file, []byte("startxref"))
	return append(bytes.Clone(file[:end]), fmt.Sprintf("startxref\n%d\n%%%%EOF\n", table)...)
}

func deflate(data []byte) string {
	var b bytes.Buffer
	z := zlib.NewWriter(&b)
	z.Write(data)
	z.Close()
	return b.String()
}

// Whatever they are judged to be, hostile documents end soon, and the next one is read as if nothing had been.
func TestHostilePDF(t *testing.T) {
	t.Parallel()
	i := *inspector(t)
	i.pageLimit = 2 * time.Second
	bomb := []byte(deflate(bytes.Repeat([]byte("q 1 0 0 1 0 0 cm "), 4_000_000)))
	tiles := "/Resources<</Pattern<</P 5 0 R>>>>"
	tile := pdfStream("/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep .0001/YStep .0001/Resources<<>>", "0 0 1 1 re f")
	for name, file := range map[string][]byte{
		"huge page":           page("0 0 1e30 1e30", "", ""),
		"page of no size":     page("0 0 0 0", "", ""),
		"page of letters":     page("a b c d", "", ""),
		"page tree in a loop": pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[2 0 R 2 0 R]/Count 99999>>"),
		"many pages":          pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 2147483647>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"),
		"deep arrays":         pdf("<</Type/Catalog/Pages 2 0 R/X "+strings.Repeat("[", 200_000)+">>", "<</Type/Pages/Kids[]/Count 0>>"),
		"deep content":        page("0 0 99 99", "", strings.Repeat("[", 200_000)),
		"deep dictionaries":   page("0 0 99 99", "", strings.Repeat("<</A ", 100_000)),
		"contents bomb":       pdf("<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R>>", pdfStream("/Filter/FlateDecode", string(bomb))),
		"form in itself":      page("0 0 99 99", "/Resources<</XObject<</X 5 0 R>>>>", "/X Do", pdfStream("/Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</X 5 0 R>>>>", "/X Do /X Do")),
		"huge picture":        page("0 0 99 99", "/Resources<</XObject<</X 5 0 R>>>>", "99 0 0 99 0 0 cm /X Do", pdfStream("/Type/XObject/Subtype/Image/Width 60000/Height 60000/BitsPerComponent 8/ColorSpace/DeviceRGB/Filter/FlateDecode", string(bomb))),
		"tiny tiles":          page("0 0 9999 9999", tiles, "/Pattern cs /P scn 0 0 9999 9999 re f", tile),
	} {
		began := time.Now()
		facts, err := i.Inspect(t.Context(), int64(len(file)), typePDF, from(file))
		if err != nil && fault.Code(err) != "file_corrupt" {
			t.Errorf("%s: %v", name, err)
		}
		t.Logf("%-20s %4d ms, %d pages, thumbnail of %d bytes, %v", name, time.Since(began).Milliseconds(), facts.Pages, len(facts.Thumbnail), err)
	}
	mustInspect(t, letter())
}

// slow is a page that takes minutes.
func slow() []byte {
	return page("0 0 600 600", "", strings.Repeat(strings.Repeat("0 0 m 600 600 l 0 600 l 600 0 l h ", 3000)+"f* ", 60))
}

func TestSlowPDFIsStopped(t *testing.T) {
	t.Parallel()
	base := inspector(t)
	i := *base
	i.pageLimit = 300 * time.Millisecond
	file := slow()
	began := time.Now()
	_, err := i.Inspect(t.Context(), int64(len(file)), typePDF, from(file))
	if fault.Code(err) != "file_corrupt" {
		t.Errorf("after %v: %v", time.Since(began), err)
	}
	_, pages, err := i.RenderPage(t.Context(), int64(len(file)), from(file), 1, 2000)
	if fault.Code(err) != "page_not_drawn" || pages != 1 {
		t.Errorf("%d pages, %v", pages, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := base.Inspect(ctx, int64(len(file)), typePDF, from(file)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a caller who left gets %v", err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestPDFBeyondTheBudget(t *testing.T) {
	t.Parallel()
	if _, err := inspector(t).Inspect(t.Context(), 90<<20, typePDF, from(letter())); fault.Code(err) != "file_too_large" {
		t.Error(err)
	}
}
