package main

import (
	"bytes"
	"fmt"
	"strings"
)

// A page of A4 in points.
const (
	pdfWidth  = 595
	pdfHeight = 842
)

// pdfPage is what stands on a page: PDF's own drawing language.
type pdfPage struct{ strings.Builder }

// The faces every reader of PDF has.
const (
	pdfSerif     = "F1"
	pdfSerifBold = "F2"
	pdfSansBold  = "F3"
)

var pdfFaces = []string{"Times-Roman", "Times-Bold", "Helvetica-Bold"}

// line writes on the base line y, counted from the top, from x to the right.
func (p *pdfPage) line(face string, size, x, y float64, s string) {
	fmt.Fprintf(p, "BT /%s %g Tf %g %g Td (%s) Tj ET\n", face, size, x, pdfHeight-y, pdfText.Replace(s))
}

// centred writes in the middle of the page.
func (p *pdfPage) centred(face string, size, y float64, s string) {
	p.line(face, size, (pdfWidth-pdfAdvance(s)*size)/2, y, s)
}

// pdfAdvance is about how wide a text is at size 1; the faces' own tables are the reader's.
func pdfAdvance(s string) (width float64) {
	for _, r := range s {
		switch {
		case r == ' ' || strings.ContainsRune(".,:;'-()|iIjlt", r):
			width += 0.28
		case r >= 'A' && r <= 'Z':
			width += 0.7
		default:
			width += 0.48
		}
	}
	return width
}

var pdfText = strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`)

func (p *pdfPage) colour(r, g, b float64) {
	fmt.Fprintf(p, "%g %g %g rg %g %g %g RG\n", r, g, b, r, g, b)
}

// frame is the border of a rectangle whose corners are as far from the page's.
func (p *pdfPage) frame(inset, thick float64) {
	fmt.Fprintf(p, "%g w %g %g %g %g re S\n", thick, inset, inset, pdfWidth-2*inset, pdfHeight-2*inset)
}

// mark writes across the page that it is a sample.
func (p *pdfPage) mark() {
	p.WriteString("q /G gs 0.75 0.1 0.1 rg BT /F3 62 Tf 0.5736 0.8192 -0.8192 0.5736 150 205 Tm (" + watermark + ") Tj ET Q\n")
}

// writePDF is a PDF of these pages, with a comment by which the simulator knows it.
func writePDF(comment string, pages []*pdfPage) []byte {
	w := &pdfWriter{}
	w.WriteString("%PDF-1.4\n% " + comment + "\n")
	kids := make([]string, len(pages))
	for i := range pages {
		kids[i] = fmt.Sprintf("%d 0 R", 4+2*i)
	}
	fonts := ""
	for i, name := range pdfFaces {
		fonts += fmt.Sprintf("/F%d << /Type /Font /Subtype /Type1 /BaseFont /%s >> ", i+1, name)
	}
	w.object("<< /Type /Catalog /Pages 2 0 R >>")
	w.object(fmt.Sprintf("<< /Type /Pages /Count %d /Kids [%s] /MediaBox [0 0 %d %d] >>", len(pages), strings.Join(kids, " "), pdfWidth, pdfHeight))
	w.object("<< /Font << " + fonts + ">> /ExtGState << /G << /Type /ExtGState /ca 0.22 >> >> >>")
	for i, p := range pages {
		w.object(fmt.Sprintf("<< /Type /Page /Parent 2 0 R /Resources 3 0 R /Contents %d 0 R >>", 5+2*i))
		w.object(fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", p.Len(), p.String()))
	}
	return w.end()
}

// pdfWriter notes where each object begins, which a PDF's end tells.
type pdfWriter struct {
	bytes.Buffer
	at []int
}

func (w *pdfWriter) object(body string) {
	w.at = append(w.at, w.Len())
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", len(w.at), body)
}

func (w *pdfWriter) end() []byte {
	table := w.Len()
	fmt.Fprintf(w, "xref\n0 %d\n0000000000 65535 f \n", len(w.at)+1)
	for _, at := range w.at {
		fmt.Fprintf(w, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(w, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(w.at)+1, table)
	return w.Bytes()
}
