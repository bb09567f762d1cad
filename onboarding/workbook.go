package onboarding

import (
	"archive/zip"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"berkas/internal/words"
)

// workbook writes XLSX row by row: its parts go into the ZIP in one pass, with the text in the cells, so that nothing is
// kept but the row being written. A library would gather the sheet first, in memory or in clear in a temporary file.
type workbook struct {
	zip    *zip.Writer
	sheet  io.Writer
	title  string
	header []any
	rows   int // in this sheet
	sheets int
}

const (
	sheetRows = 1 << 20 // as many as a spreadsheet takes; more go on in a further sheet

	styleDay  = 1
	styleTime = 2
	styleText = 3 // a text that begins like a formula: spreadsheets take it for text however it is edited or stored
	styleHead = 4
)

func newWorkbook(w io.Writer, title string) (*workbook, error) {
	b := &workbook{zip: zip.NewWriter(w), title: title}
	for _, part := range []struct{ name, body string }{
		{"_rels/.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
		{"xl/styles.xml", `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><numFmts count="2"><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd"/><numFmt numFmtId="165" formatCode="yyyy\-mm\-dd\ hh:mm"/></numFmts><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="5"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="164" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="165" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/><xf numFmtId="49" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1" quotePrefix="1"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs></styleSheet>`},
	} {
		if err := b.part(part.name, part.body); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *workbook) part(name, body string) error {
	w, err := b.zip.Create(name)
	if err == nil {
		_, err = io.WriteString(w, xml.Header+body)
	}
	return err
}

// begin opens a further sheet, whose first row stays in sight.
func (b *workbook) begin() (err error) {
	b.sheets, b.rows = b.sheets+1, 0
	if b.sheet, err = b.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", b.sheets)); err != nil {
		return err
	}
	_, err = io.WriteString(b.sheet, xml.Header+`<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetData>`)
	return err
}

func (b *workbook) finish() error {
	_, err := io.WriteString(b.sheet, `</sheetData></worksheet>`)
	return err
}

// Row writes one row; the first is the header, which each sheet repeats.
func (b *workbook) Row(cells ...any) error {
	if b.header == nil {
		b.header = cells
		if err := b.begin(); err != nil {
			return err
		}
		return b.write(cells, styleHead)
	}
	if b.rows == sheetRows {
		if err := firstOf(b.finish, b.begin, func() error { return b.write(b.header, styleHead) }); err != nil {
			return err
		}
	}
	return b.write(cells, 0)
}

func (b *workbook) write(cells []any, style int) error {
	b.rows++
	var row strings.Builder
	fmt.Fprintf(&row, `<row r="%d">`, b.rows)
	for i, cell := range cells {
		writeCell(&row, column(i)+strconv.Itoa(b.rows), cell, style)
	}
	row.WriteString(`</row>`)
	_, err := io.WriteString(b.sheet, row.String())
	return err
}

func writeCell(row *strings.Builder, at string, cell any, style int) {
	number := func(style int, value string) { fmt.Fprintf(row, `<c r="%s" s="%d"><v>%s</v></c>`, at, style, value) }
	switch v := cell.(type) {
	case int:
		number(style, strconv.Itoa(v))
	case Day:
		if t := time.Time(v); !t.IsZero() {
			number(styleDay, strconv.Itoa(int(serial(t))))
		}
	case time.Time:
		if !v.IsZero() {
			_, offset := v.In(words.WIB).Zone()
			number(styleTime, strconv.FormatFloat(serial(v.UTC().Add(time.Duration(offset)*time.Second)), 'f', 6, 64))
		}
	case string:
		if v == "" {
			return
		}
		if plainCell(v) != v {
			style = styleText
		}
		fmt.Fprintf(row, `<c r="%s" s="%d" t="inlineStr"><is><t xml:space="preserve">`, at, style)
		_ = xml.EscapeText(row, []byte(v)) // a strings.Builder takes everything; what XML has no word for becomes U+FFFD
		row.WriteString(`</t></is></c>`)
	}
}

// serial is a time as spreadsheets count: days since the 30th of December 1899, which holds from March 1900 on.
func serial(t time.Time) float64 {
	return t.Sub(time.Date(1899, 12, 30, 0, 0, 0, 0, time.UTC)).Hours() / 24
}

// column is the letter of a column, of which there are 26 at most.
func column(i int) string { return string(rune('A' + i)) }

// End writes what names the sheets.
func (b *workbook) End() error {
	var sheets, targets, kinds strings.Builder
	for i := 1; i <= b.sheets; i++ {
		title := b.title
		if i > 1 {
			title += " " + strconv.Itoa(i)
		}
		var name strings.Builder
		_ = xml.EscapeText(&name, []byte(title))
		fmt.Fprintf(&sheets, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, name.String(), i, i)
		fmt.Fprintf(&targets, `<Relationship Id="rId%d" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet%d.xml"/>`, i, i)
		fmt.Fprintf(&kinds, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>`, i)
	}
	return firstOf(b.finish,
		func() error {
			return b.part("xl/workbook.xml", `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>`+sheets.String()+`</sheets></workbook>`)
		},
		func() error {
			return b.part("xl/_rels/workbook.xml.rels", `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">`+targets.String()+
				`<Relationship Id="rId0" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>`)
		},
		func() error {
			return b.part("[Content_Types].xml", `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>`+kinds.String()+`</Types>`)
		},
		b.zip.Close)
}

// firstOf does one thing after another until one fails.
func firstOf(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}
