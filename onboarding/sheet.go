package onboarding

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"berkas/internal/words"
)

// Sheet writes CSV that a spreadsheet takes for text alone.
type Sheet struct{ csv *csv.Writer }

// NewSheet begins with the names of the columns.
func NewSheet(w io.Writer, columns []string) (*Sheet, error) {
	s := newCSV(w)
	return s, s.csv.Write(columns)
}

// Row writes one row.
func (s *Sheet) Row(cells []string) error {
	plain := make([]string, len(cells))
	for i, cell := range cells {
		plain[i] = plainCell(cell)
	}
	return s.csv.Write(plain)
}

// End writes what is still held.
func (s *Sheet) End() error {
	s.csv.Flush()
	return s.csv.Error()
}

// plainCell keeps a spreadsheet from taking a cell for a formula.
func plainCell(s string) string {
	first, _ := utf8.DecodeRuneInString(strings.TrimLeft(s, " \u00a0\u3000"))
	if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// csvTable is a Table as CSV: days as 2006-01-02, instants in Jakarta's time to the minute.
type csvTable struct{ *Sheet }

func newCSV(w io.Writer) *Sheet { return &Sheet{csv.NewWriter(w)} }

// Row writes one row.
func (t *csvTable) Row(cells ...any) error {
	text := make([]string, len(cells))
	for i, cell := range cells {
		switch v := cell.(type) {
		case int:
			text[i] = strconv.Itoa(v)
		case Day:
			if day := time.Time(v); !day.IsZero() {
				text[i] = day.Format(time.DateOnly)
			}
		case time.Time:
			if !v.IsZero() {
				text[i] = v.In(words.WIB).Format("2006-01-02 15:04")
			}
		case string:
			text[i] = v
		}
	}
	return t.Sheet.Row(text)
}

// cellTime is an instant in a cell, to the microsecond, with its zone.
func cellTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.In(words.WIB).Format("2006-01-02T15:04:05.000000-07:00")
}

// cellNumber writes an id, and nothing where there is none.
func cellNumber[N ~int64](n N) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(int64(n), 10)
}
