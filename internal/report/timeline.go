package report

import (
	"io"
	"strings"
	"time"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
)

// Head is what stands above a timeline.
type Head struct {
	Title    string
	Facts    [][2]string // label and value
	Note     string      // "" for none
	Columns  [3]string   // when, who, what
	Language string      // of the text, as in HTML
	Made     time.Time
	Page     func(n int) string // the foot of page n, from 1
}

// Event is one entry of a timeline. Why says more about it, below it.
type Event struct {
	When, Who, What string
	Why             []string
}

// Timeline is a PDF of events on A4, held in memory until it is written: some hundred bytes an event.
type Timeline struct {
	pdf  *fpdf.Fpdf
	head Head
}

// In millimetres.
const (
	margin    = 15.0
	width     = 210 - 2*margin
	foot      = 297 - 18.0 // nothing but the foot below
	whenWidth = 41.0
	whoWidth  = 38.0
	whatWidth = width - whenWidth - whoWidth
	gap       = 3.0
	line      = 4.2
)

const face = "go"

// NewTimeline draws the head.
func NewTimeline(h Head) *Timeline {
	t := &Timeline{fpdf.New("P", "mm", "A4", ""), h}
	p := t.pdf
	p.SetCreationDate(h.Made)
	p.SetModificationDate(h.Made)
	p.SetCatalogSort(true)
	p.SetTitle(plain(h.Title), true)
	p.SetLang(h.Language)
	p.SetProducer("Berkas", true)
	p.AddUTF8FontFromBytes(face, "", goregular.TTF)
	p.AddUTF8FontFromBytes(face, "B", gobold.TTF)
	p.SetMargins(margin, margin, margin)
	p.SetAutoPageBreak(false, 0)
	p.SetFooterFunc(func() {
		t.style("", 8, true)
		p.SetXY(margin, foot+6)
		p.CellFormat(width, line, plain(h.Page(p.PageNo())), "", 0, "R", false, 0, "")
	})
	p.AddPage()
	t.style("B", 16, false)
	t.block(margin, width, 7.5, t.lines(h.Title, width))
	p.Ln(2)
	for _, fact := range h.Facts {
		t.fact(fact[0], fact[1])
	}
	if h.Note != "" {
		p.Ln(2)
		t.style("", 9, true)
		t.block(margin, width, line, t.lines(h.Note, width))
	}
	p.Ln(4)
	t.columns()
	return t
}

func (t *Timeline) fact(label, value string) {
	const labelWidth = 46.0
	t.style("", 9, false)
	rows := t.lines(value, width-labelWidth)
	y := t.pdf.GetY()
	t.block(margin+labelWidth, width-labelWidth, line+.4, rows)
	end := t.pdf.GetY()
	t.style("", 9, true)
	t.pdf.SetY(y)
	t.block(margin, labelWidth-gap, line+.4, t.lines(label, labelWidth-gap))
	t.pdf.SetY(max(end, t.pdf.GetY()))
}

func (t *Timeline) columns() {
	t.style("B", 8.5, false)
	y := t.pdf.GetY()
	for i, x := range []float64{margin, margin + whenWidth, margin + whenWidth + whoWidth} {
		t.pdf.SetXY(x, y)
		t.pdf.CellFormat(0, line, plain(t.head.Columns[i]), "", 0, "L", false, 0, "")
	}
	t.pdf.SetY(y + line + 1)
}

// Add draws one event below the last; an event is parted between two pages only when it fills more than one.
func (t *Timeline) Add(e Event) {
	p := t.pdf
	t.style("", 8.5, false)
	when, who, what := t.lines(e.When, whenWidth-gap), t.lines(e.Who, whoWidth-gap), t.lines(e.What, whatWidth)
	var why []string
	for _, reason := range e.Why {
		why = append(why, t.lines(reason, whatWidth-gap)...)
	}
	height := line*float64(max(len(when), len(who), len(what)+len(why))) + 2
	if p.GetY()+min(height, foot-margin-10) > foot {
		p.AddPage()
		t.columns()
		t.style("", 8.5, false)
	}
	y := p.GetY()
	p.SetDrawColor(210, 210, 210)
	p.Line(margin, y, margin+width, y)
	top, page := y+1, p.PageNo()
	for _, c := range []struct {
		x, w  float64
		lines []string
	}{{margin, whenWidth, when}, {margin + whenWidth, whoWidth, who}} {
		p.SetY(top)
		t.block(c.x, c.w, line, c.lines)
	}
	end := p.GetY()
	p.SetY(top)
	t.block(margin+whenWidth+whoWidth, whatWidth, line, what)
	t.style("", 8.5, true)
	t.block(margin+whenWidth+whoWidth+gap, whatWidth-gap, line, why)
	if p.PageNo() == page {
		p.SetY(max(end, p.GetY(), y+height-1))
	}
	p.Ln(1)
}

// Write ends the timeline.
func (t *Timeline) Write(w io.Writer) error { return t.pdf.Output(w) }

func (t *Timeline) style(weight string, points float64, soft bool) {
	t.pdf.SetFont(face, weight, points)
	if soft {
		t.pdf.SetTextColor(90, 90, 90)
	} else {
		t.pdf.SetTextColor(20, 20, 20)
	}
}

// lines breaks a text to a width in the font at hand.
func (t *Timeline) lines(text string, w float64) []string { return t.pdf.SplitText(plain(text), w) }

// block draws lines below each other, on the next page where this one ends.
func (t *Timeline) block(x, w, height float64, lines []string) {
	for _, text := range lines {
		if t.pdf.GetY()+height > foot {
			t.pdf.AddPage()
		}
		t.pdf.SetX(x)
		t.pdf.CellFormat(w, height, text, "", 2, "L", false, 0, "")
	}
}

// plain is a text that the PDF can hold: no control characters, and nothing beyond the plane its fonts are indexed by.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r):
			return -1
		case r > 0xffff:
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
