package words

import (
	"context"
	"math"
	"strconv"
	"strings"
	"time"
)

// WIB is the portal's zone: Asia/Jakarta, which knows no summer time.
var WIB = time.FixedZone("WIB", 7*60*60)

var months = map[Lang][]string{
	ID: {"Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov", "Des"},
	EN: {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"},
}

// Whole is any of the integers a page counts with.
type Whole interface {
	~int | ~int32 | ~int64
}

// Number writes n with the language's thousands separator: 1.284 or 1,284.
func Number[N Whole](ctx context.Context, n N) string { return number(From(ctx), int64(n)) }

// Decimal writes x with at most places decimals: 0,4 or 0.4.
func Decimal(ctx context.Context, x float64, places int) string { return decimal(From(ctx), x, places) }

// Size writes a number of bytes in decimal units: 15 MB, 3,1 MB or 3.1 MB.
func Size(ctx context.Context, bytes int64) string { return size(From(ctx), bytes) }

// Date is a calendar day with its year: 19 Nov 2026.
func Date(ctx context.Context, t time.Time) string { return date(From(ctx), t) }

// Day is a calendar day without its year: 19 Nov.
func Day(ctx context.Context, t time.Time) string { return day(From(ctx), t) }

// Time is the time of day: 14.02 or 14:02.
func Time(ctx context.Context, t time.Time) string { return clock(From(ctx), t) }

// DateTime is day, year and time of day: 19 Nov 2026 14.02.
func DateTime(ctx context.Context, t time.Time) string {
	return date(From(ctx), t) + " " + clock(From(ctx), t)
}

// Moment is t as short as it can be read: the time of day when it is today, without the year when it is this year.
func Moment(ctx context.Context, t time.Time) string { return moment(From(ctx), t, time.Now()) }

// Until is a due day: without the year when it is this year.
func Until(ctx context.Context, t time.Time) string {
	if t.In(WIB).Year() == time.Now().In(WIB).Year() {
		return day(From(ctx), t)
	}
	return date(From(ctx), t)
}

// Duration is a span in its largest sensible unit: 40 dtk, 3 mnt, 2 jam, 3 hari or 40 s, 3 min, 2 h, 3 days.
func Duration(ctx context.Context, d time.Duration) string { return duration(From(ctx), d) }

// Exact is the instant to the second, the same in both languages, for hovering.
func Exact(t time.Time) string { return t.In(WIB).Format("2006-01-02 15:04:05 WIB") }

func moment(lang Lang, t, now time.Time) string {
	t, now = t.In(WIB), now.In(WIB)
	switch {
	case t.Year() == now.Year() && t.YearDay() == now.YearDay():
		return clock(lang, t)
	case t.Year() == now.Year():
		return day(lang, t) + " " + clock(lang, t)
	}
	return date(lang, t) + " " + clock(lang, t)
}

func day(lang Lang, t time.Time) string {
	t = t.In(WIB)
	return strconv.Itoa(t.Day()) + " " + months[lang][t.Month()-1]
}

func date(lang Lang, t time.Time) string {
	return day(lang, t) + " " + strconv.Itoa(t.In(WIB).Year())
}

func clock(lang Lang, t time.Time) string {
	if lang == ID {
		return t.In(WIB).Format("15.04")
	}
	return t.In(WIB).Format("15:04")
}

func number(lang Lang, n int64) string {
	separator := "."
	if lang == EN {
		separator = ","
	}
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return sign + digits
}

func decimal(lang Lang, x float64, places int) string {
	power := math.Pow(10, float64(places))
	x = math.Round(x*power) / power
	whole, fraction := math.Modf(x)
	text := number(lang, int64(whole))
	if whole == 0 && x < 0 {
		text = "-0"
	}
	digits := strings.TrimRight(strconv.FormatInt(int64(math.Round((1+math.Abs(fraction))*power)), 10)[1:], "0")
	if digits == "" {
		return text
	}
	if lang == EN {
		return text + "." + digits
	}
	return text + "," + digits
}

func size(lang Lang, bytes int64) string {
	switch {
	case bytes < 1000:
		return number(lang, bytes) + " B"
	case bytes < 999_500:
		return decimal(lang, float64(bytes)/1000, 0) + " kB"
	case bytes < 999_950_000:
		return decimal(lang, float64(bytes)/1_000_000, 1) + " MB"
	}
	return decimal(lang, float64(bytes)/1_000_000_000, 1) + " GB"
}

func duration(lang Lang, d time.Duration) string {
	units := [...]string{"dtk", "mnt", "jam", "hari"}
	if lang == EN {
		units = [...]string{"s", "min", "h", "days"}
	}
	switch {
	case d < 10*time.Second:
		return decimal(lang, d.Seconds(), 1) + " " + units[0]
	case d < 100*time.Second:
		return number(lang, int64(d.Round(time.Second)/time.Second)) + " " + units[0]
	case d < 100*time.Minute:
		return number(lang, int64(d.Round(time.Minute)/time.Minute)) + " " + units[1]
	case d < 47*time.Hour:
		return number(lang, int64(d.Round(time.Hour)/time.Hour)) + " " + units[2]
	}
	return number(lang, int64(d/(24*time.Hour))) + " " + units[3]
}
