package agentwire

import (
	"bytes"
	"encoding/base64"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fleet"
)

// DecodeLogStream reads a whole frame in exactly the form that AppendLogStream writes, many times faster than Decode and
// Payload, and with the texts of all lines in one piece of memory. ok is false for any other frame, valid or not: decode that
// with Decode and Payload. What it accepts it reads as they do.
func DecodeLogStream(frame []byte) (job fleet.JobID, m LogStream, ok bool) {
	s := scan{b: frame}
	if !s.skip(`{"v":1,"type":"log.stream","job_id":"`) {
		return "", LogStream{}, false
	}
	job = fleet.JobID(s.until('"'))
	if !fleet.ValidID(string(job)) || !s.skip(`","payload":{"first_seq":`) || !s.number(&m.FirstSeq) || !s.skip(`,"lines":[`) {
		return "", LogStream{}, false
	}
	m.Lines, ok = s.lines()
	if !ok || string(s.b) != "]}}" {
		return "", LogStream{}, false
	}
	return job, m, true
}

// scan walks over a frame; b is what is left of it.
type scan struct {
	b    []byte
	text []byte // of all lines
}

func (s *scan) skip(want string) bool {
	if len(s.b) < len(want) || string(s.b[:len(want)]) != want {
		return false
	}
	s.b = s.b[len(want):]
	return true
}

// until gives what lies before the next end byte, or nothing.
func (s *scan) until(end byte) []byte {
	i := bytes.IndexByte(s.b, end)
	if i < 0 {
		return nil
	}
	v := s.b[:i]
	s.b = s.b[i:]
	return v
}

// number reads up to 18 digits without a leading zero.
func (s *scan) number(v *int64) bool {
	n := 0
	for n < len(s.b) && n < 18 && s.b[n] >= '0' && s.b[n] <= '9' {
		*v = *v*10 + int64(s.b[n]-'0')
		n++
	}
	if n == 0 || n > 1 && s.b[0] == '0' {
		return false
	}
	s.b = s.b[n:]
	return true
}

// lineSize is what a line without text takes in a frame, at least.
const lineSize = len(`{"t":"2006-01-02T15:04:05.000000Z","s":"out","m":""},`)

func (s *scan) lines() ([]fleet.LogLine, bool) {
	s.text = make([]byte, 0, len(s.b))
	lines := make([]fleet.LogLine, 0, min(len(s.b)/lineSize+1, len(s.b)/128+16))
	var ends []int
	for len(s.b) > 0 && s.b[0] != ']' {
		if len(lines) > 0 && !s.skip(",") {
			return nil, false
		}
		l, ok := s.line()
		if !ok {
			return nil, false
		}
		lines, ends = append(lines, l), append(ends, len(s.text))
	}
	all, from := string(s.text), 0
	for i, end := range ends {
		lines[i].Text = all[from:end]
		from = end
	}
	return lines, true
}

// line reads one line but its text, which it appends to s.text.
func (s *scan) line() (l fleet.LogLine, ok bool) {
	if !s.skip(`{"t":"`) || !s.time(&l.Time) || !s.skip(`","s":"`) {
		return l, false
	}
	switch { // in the order of frequency; constants, so that no line holds on to the frame
	case s.skip(string(fleet.StreamOut) + `",`):
		l.Stream = fleet.StreamOut
	case s.skip(string(fleet.StreamErr) + `",`):
		l.Stream = fleet.StreamErr
	case s.skip(string(fleet.StreamNote) + `",`):
		l.Stream = fleet.StreamNote
	case s.skip(string(fleet.StreamGap) + `",`):
		l.Stream = fleet.StreamGap
	default:
		return l, false
	}
	from := len(s.text)
	switch {
	case s.skip(`"m":"`):
		ok = s.plain()
	case s.skip(`"b":"`):
		ok = s.base64()
	}
	if !ok || len(s.text)-from > fleet.MaxLineText {
		return l, false
	}
	l.Cont = s.skip(`,"c":true`)
	return l, s.skip("}")
}

// plain reads a JSON string with the escapes that AppendLogStream makes, and its closing quote.
func (s *scan) plain() bool {
	from := len(s.text)
	for {
		n := 0
		for n < len(s.b) && s.b[n] != '"' && s.b[n] != '\\' && s.b[n] >= 0x20 {
			n++
		}
		s.text = append(s.text, s.b[:n]...)
		s.b = s.b[n:]
		if s.skip(`"`) {
			return utf8.Valid(s.text[from:]) // else encoding/json would put something else in its place
		}
		if !s.escape() {
			return false
		}
	}
}

func (s *scan) escape() bool {
	if len(s.b) < 2 || s.b[0] != '\\' {
		return false
	}
	if i := strings.IndexByte(`"\trn`, s.b[1]); i >= 0 {
		s.text = append(s.text, "\"\\\t\r\n"[i])
		s.b = s.b[2:]
		return true
	}
	if len(s.b) < 6 || string(s.b[1:5]) != "u000" && string(s.b[1:5]) != "u001" {
		return false
	}
	low := strings.IndexByte("0123456789abcdef", s.b[5])
	if low < 0 {
		return false
	}
	s.text = append(s.text, (s.b[4]-'0')<<4|byte(low))
	s.b = s.b[6:]
	return true
}

// base64 reads bytes that are no text, and the closing quote.
func (s *scan) base64() bool {
	v := s.until('"')
	if bytes.ContainsAny(v, "\\\r\n") { // base64 skips line ends, JSON may escape anything
		return false
	}
	var err error
	s.text, err = base64.StdEncoding.AppendDecode(s.text, v)
	return err == nil && s.skip(`"`)
}

// time reads the 27 bytes of a line's time.
func (s *scan) time(t *time.Time) bool {
	const form = "0000-00-00T00:00:00.000000Z"
	if len(s.b) < len(form) {
		return false
	}
	for i := range len(form) {
		c := s.b[i]
		if form[i] != '0' && c != form[i] || form[i] == '0' && (c < '0' || c > '9') {
			return false
		}
	}
	at := func(from, to int) (v int) {
		for _, c := range s.b[from:to] {
			v = v*10 + int(c-'0')
		}
		return v
	}
	year, month, day, hour, minute, second := at(0, 4), at(5, 7), at(8, 10), at(11, 13), at(14, 16), at(17, 19)
	if month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return false
	}
	*t = time.Date(year, time.Month(month), day, hour, minute, second, at(20, 26)*1000, time.UTC)
	s.b = s.b[len(form):]
	return true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
