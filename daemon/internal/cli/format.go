package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// size writes bytes in binary units, as restic does: "1.2 MiB".
func size(n int64) string {
	if n < 0 {
		return "-" + size(-n)
	}
	if n < 1024 {
		return strconv.FormatInt(n, 10) + " B"
	}
	units := [...]string{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	v, unit := float64(n)/1024, 0
	for v >= 1023.95 && unit < len(units)-1 {
		v, unit = v/1024, unit+1
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + units[unit]
}

// count writes a number with separators: "1,234,567".
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	var b strings.Builder
	for i, d := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// items writes a number of things.
func items(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return count(n) + " " + many
}

// span writes a duration: "0.4 s", "12 s", "3:07", "1:02:03".
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0 s"
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + " s"
	case d < time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	}
	return clock(d)
}

// clock writes a duration as on a stopwatch: "0:07", "3:07", "1:02:03".
func clock(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// ago writes a time in relation to now, and as a date when it is more than two days away.
func (c *cli) ago(t time.Time) string {
	d := c.env.Now().Sub(t)
	future := d < 0
	if future {
		d = -d
	}
	var text string
	switch {
	case t.IsZero():
		return "-"
	case d >= 48*time.Hour:
		return c.at(t)
	case d >= 2*time.Hour:
		text = fmt.Sprintf("%d h", int(d.Hours()))
	case d >= time.Minute:
		text = fmt.Sprintf("%d min", int(d.Minutes()))
	case d >= time.Second:
		text = fmt.Sprintf("%d s", int(d.Seconds()))
	default:
		return "now"
	}
	if future {
		return "in " + text
	}
	return text + " ago"
}

// agoOr is ago for a time that may not be there.
func (c *cli) agoOr(t *time.Time, without string) string {
	if t == nil {
		return without
	}
	return c.ago(*t)
}

// at writes a time as date and time of the person's zone.
func (c *cli) at(t time.Time) string { return t.In(c.env.Zone).Format("2006-01-02 15:04") }

// both writes a time as date and in relation to now.
func (c *cli) both(t time.Time) string {
	date, relative := t.In(c.env.Zone).Format("2006-01-02 15:04:05"), c.ago(t)
	if relative == c.at(t) {
		return date
	}
	return date + " (" + relative + ")"
}

func percent(p float64) string {
	return strconv.FormatFloat(min(max(p, 0), 1)*100, 'f', 1, 64) + "%"
}
