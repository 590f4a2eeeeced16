package words

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Number writes n with the language's thousands: 2,000.
func Number(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(T("format.thousands"))
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Decimal writes f with so many digits behind the point.
func Decimal(f float64, digits int) string {
	s := strconv.FormatFloat(f, 'f', digits, 64)
	whole, part, _ := strings.Cut(s, ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return s // larger than any number that is shown
	}
	out := Number(n)
	if n == 0 && f < 0 && strings.Trim(part, "0") != "" {
		out = "-0"
	}
	if part != "" {
		out += T("format.decimal") + part
	}
	return out
}

var units = [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}

// Bytes writes a size as restic does, with three significant digits: 842 GiB, 61.3 TiB, 4.10 GiB.
func Bytes(n int64) string {
	number, unit := BytesParts(n)
	return number + " " + unit
}

// BytesParts gives number and unit of a size apart, for a large number with a small unit.
func BytesParts(n int64) (number, unit string) {
	f, i := float64(n), 0
	for math.Abs(f) >= 1000 && i < len(units)-1 {
		f /= 1024
		i++
	}
	digits := 0
	switch a := math.Abs(f); {
	case i == 0 || a >= 99.95:
	case a >= 9.995:
		digits = 1
	default:
		digits = 2
	}
	return Decimal(f, digits), units[i]
}

// Speed writes bytes a second.
func Speed(perSecond float64) string {
	return T("format.per_second", "Size", Bytes(int64(perSecond)))
}

// Percent writes a share of 1 with so many digits: 63.4 %. A share below 1 is never rounded up to 100 %.
func Percent(share float64, digits int) string {
	p := share * 100
	if limit := 100 - math.Pow10(-digits); p < 100 && p > limit {
		p = limit
	}
	return Decimal(p, digits) + " %"
}

// Duration writes the two largest units of a duration: 5 min 18 s.
func Duration(d time.Duration) string {
	if d < 0 {
		d = 0
	}
	switch {
	case d < 10*time.Second:
		return T("format.seconds", "N", Decimal(d.Seconds(), 1))
	case d < time.Minute:
		return T("format.seconds", "N", Number(int64(d.Seconds())))
	case d < time.Hour:
		s := int64(d.Seconds())
		return pair("format.minutes", s/60, "format.seconds", s%60)
	case d < 24*time.Hour:
		m := int64(d.Minutes())
		return pair("format.hours", m/60, "format.minutes", m%60)
	}
	h := int64(d.Hours())
	return pair("format.days", h/24, "format.hours", h%24)
}

func pair(large string, a int64, small string, b int64) string {
	s := T(large, "N", Number(a))
	if b > 0 {
		s += " " + T(small, "N", Number(b))
	}
	return s
}

// Span writes the largest unit of a duration alone: 3 h.
func Span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return T("format.seconds", "N", Number(int64(max(d, 0).Seconds())))
	case d < time.Hour:
		return T("format.minutes", "N", Number(int64(d.Minutes())))
	case d < 48*time.Hour:
		return T("format.hours", "N", Number(int64(d.Hours())))
	}
	return T("format.days", "N", Number(int64(d.Hours()/24)))
}

// Ago writes how long before now t was: 6 h ago. A time that is not there is "never".
func Ago(t *time.Time, now time.Time) string {
	if t == nil || t.IsZero() {
		return T("format.never")
	}
	d := now.Sub(*t)
	if d < 5*time.Second {
		return T("format.just_now")
	}
	return T("format.ago", "Span", Span(d))
}

// Until writes how long after now t is: in 3 h.
func Until(t, now time.Time) string {
	d := t.Sub(now)
	if d < time.Minute {
		return T("format.soon")
	}
	return T("format.in", "Span", Span(d))
}

// Clock writes a time of day in the local zone, with seconds.
func Clock(t time.Time) string { return t.Local().Format("15:04:05") }

// Moment writes day and time in the local zone: today 21:15, tomorrow 02:30, Mon 23 Nov, 13:30; with the year when it is another one.
func Moment(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	clock := t.Format("15:04")
	switch days := dayNumber(now) - dayNumber(t); days {
	case 0:
		return T("format.today", "Time", clock)
	case 1:
		return T("format.yesterday", "Time", clock)
	case -1:
		return T("format.tomorrow", "Time", clock)
	}
	return T("format.moment", "Date", Day(t, now), "Time", clock)
}

// Day writes a date in the local zone: Mon 23 Nov; with the year instead of the weekday when it is another year.
func Day(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	day, month := strconv.Itoa(t.Day()), T("format.month."+strconv.Itoa(int(t.Month())))
	if t.Year() != now.Year() {
		return T("format.date_year", "Day", day, "Month", month, "Year", strconv.Itoa(t.Year()))
	}
	return T("format.date", "Weekday", T("format.weekday."+strconv.Itoa(int(t.Weekday()))), "Day", day, "Month", month)
}

// ShortDay writes day and month: 25 Oct.
func ShortDay(t time.Time) string {
	t = t.Local()
	return T("format.short_date", "Day", strconv.Itoa(t.Day()), "Month", T("format.month."+strconv.Itoa(int(t.Month()))))
}

// dayNumber counts days in the zone of t.
func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}
