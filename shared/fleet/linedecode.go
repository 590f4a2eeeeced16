package fleet

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// LineDecoder reads lines in exactly the form that AppendLines writes, many times faster than encoding/json and with the texts of
// all lines in one piece of memory. It keeps memory of its own from one call to the next; the zero value is ready.
type LineDecoder struct {
	text []byte // what the lines are in the log: their texts, each with a newline unless it goes on
	ends []int  // of each line in text
}

// Decode reads lines from b, which must be valid UTF-8, up to where they end, which is n. ok is false for any other form, valid
// or not: read that with encoding/json. What Decode takes it reads as encoding/json does. The lines are the caller's.
func (d *LineDecoder) Decode(b []byte) (lines []LogLine, n int, ok bool) {
	count := min(bytes.Count(b, lineBegin), len(b)/lineSize+1) // no text holds lineBegin: its quotes are escaped there
	lines = make([]LogLine, 0, count)
	if cap(d.text) < len(b)+8 {
		d.text = make([]byte, 0, len(b)+8)
	}
	s := lineScan{b: b, text: d.text[:cap(d.text)]}
	d.ends = d.ends[:0]
	at := 0
	for more := len(b) > 0 && b[0] == '{'; more; {
		if len(lines) == count {
			return nil, 0, false
		}
		lines = lines[:len(lines)+1]
		if at = s.line(at, &lines[len(lines)-1]); at < 0 {
			return nil, 0, false
		}
		d.ends = append(d.ends, s.end)
		if more = at < len(b) && b[at] == ','; more {
			at++
		}
	}
	d.text = s.text[:s.end]
	all, from := string(d.text), 0
	for i, end := range d.ends {
		l := &lines[i]
		if l.Text = all[from:end]; !l.Cont {
			l.Text = l.Text[:len(l.Text)-1]
		}
		from = end
	}
	return lines, at, true
}

// After gives the position after the lines of the last Decode, of which the first known do not count: what adding them one by one
// to p would give.
func (d *LineDecoder) After(p LogPosition, known int) LogPosition {
	from := 0
	if known > 0 {
		from = d.ends[known-1]
	}
	return p.AddBytes(int64(len(d.ends)-known), d.text[from:])
}

var lineBegin = []byte(`{"t":"`)

// lineSize is what a line without text takes, at least.
const lineSize = len(`{"t":"2006-01-02T15:04:05.000000Z","s":"out","m":""},`)

// lineScan reads one line after another. Its methods take the place in b to read from and give the place behind what they read,
// or -1. Places and not slices, because those would cost the garbage collector's attention at every step.
type lineScan struct {
	b    []byte
	text []byte // has room for all of b and eight bytes more
	end  int    // of what is in text

	second   int64 // of the line before
	secondAt int   // where b has it; 0: nowhere
}

// sees tells whether want lies at a place.
func (s *lineScan) sees(at int, want string) bool {
	return len(s.b)-at >= len(want) && string(s.b[at:at+len(want)]) == want
}

func (s *lineScan) line(at int, l *LogLine) int {
	if !s.sees(at, `{"t":"`) {
		return -1
	}
	if at = s.time(at+len(`{"t":"`), &l.Time); at < 0 || !s.sees(at, `","s":"`) {
		return -1
	}
	at += len(`","s":"`)
	switch { // in the order of frequency; constants, so that no line holds on to b
	case s.sees(at, string(StreamOut)+`",`):
		l.Stream = StreamOut
	case s.sees(at, string(StreamErr)+`",`):
		l.Stream = StreamErr
	case s.sees(at, string(StreamNote)+`",`):
		l.Stream = StreamNote
	case s.sees(at, string(StreamGap)+`",`):
		l.Stream = StreamGap
	default:
		return -1
	}
	at += len(l.Stream) + len(`",`)
	from := s.end
	switch {
	case s.sees(at, `"m":"`):
		at = s.plain(at + len(`"m":"`))
	case s.sees(at, `"b":"`):
		at = s.base64(at + len(`"b":"`))
	default:
		return -1
	}
	if at < 0 || s.end-from > MaxLineText {
		return -1
	}
	if s.sees(at, `,"c":true`) {
		l.Cont = true
		at += len(`,"c":true`)
	} else {
		s.text[s.end] = '\n'
		s.end++
	}
	if !s.sees(at, "}") {
		return -1
	}
	return at + 1
}

// plain reads a JSON string with the escapes that AppendLines makes, and its closing quote. What it reads is never longer than
// what it stands for, so that text has room for eight bytes at a time.
func (s *lineScan) plain(at int) int {
	b, text, end := s.b, s.text, s.end
	for at < len(b) {
		if at+8 <= len(b) {
			word := binary.LittleEndian.Uint64(b[at:])
			binary.LittleEndian.PutUint64(text[end:], word)
			n := plainBytes(word)
			at, end = at+n, end+n
			if n == 8 {
				continue
			}
		}
		switch c := b[at]; {
		case c == '"':
			s.end = end
			return at + 1
		case c < 0x20:
			return -1
		case c != '\\':
			text[end] = c
			at, end = at+1, end+1
		default:
			c, n := unescape(b[at:])
			if n == 0 {
				return -1
			}
			text[end] = c
			at, end = at+n, end+1
		}
	}
	return -1
}

// unescape reads one escape that AppendLines makes; n is its length, or 0.
func unescape(b []byte) (c byte, n int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch c := b[1]; c {
	case '"', '\\':
		return c, 2
	case 't':
		return '\t', 2
	case 'r':
		return '\r', 2
	case 'n':
		return '\n', 2
	}
	if len(b) < 6 || string(b[1:5]) != "u000" && string(b[1:5]) != "u001" {
		return 0, 0
	}
	switch low := b[5]; {
	case low >= '0' && low <= '9':
		return (b[4]-'0')<<4 | (low - '0'), 6
	case low >= 'a' && low <= 'f':
		return (b[4]-'0')<<4 | (low - 'a' + 10), 6
	}
	return 0, 0
}

// base64 reads bytes that are no text, and the closing quote.
func (s *lineScan) base64(at int) int {
	n := bytes.IndexByte(s.b[at:], '"')
	if n < 0 || bytes.ContainsAny(s.b[at:at+n], "\\\r\n") { // base64 skips line ends, JSON may escape anything
		return -1
	}
	w, err := base64.StdEncoding.Decode(s.text[s.end:], s.b[at:at+n])
	if err != nil {
		return -1
	}
	s.end += w
	return at + n + 1
}

// time reads the 27 bytes of a line's time.
func (s *lineScan) time(at int, t *time.Time) int {
	const upToSecond, size = len("2006-01-02T15:04:05"), len(lineTime)
	if len(s.b)-at < size {
		return -1
	}
	b := s.b[at : at+size]
	if s.secondAt == 0 || string(s.b[s.secondAt:s.secondAt+upToSecond]) != string(b[:upToSecond]) {
		second, ok := readSecond(b[:upToSecond])
		if !ok {
			return -1
		}
		s.second, s.secondAt = second, at
	}
	us, ok := number(b[upToSecond+1 : size-1])
	if !ok || b[upToSecond] != '.' || b[size-1] != 'Z' {
		return -1
	}
	*t = time.Unix(s.second, int64(us)*1000).UTC()
	return at + size
}

// readSecond reads 2006-01-02T15:04:05 as Unix time.
func readSecond(b []byte) (unix int64, ok bool) {
	year, ok1 := number(b[0:4])
	month, ok2 := number(b[5:7])
	day, ok3 := number(b[8:10])
	hour, ok4 := number(b[11:13])
	minute, ok5 := number(b[14:16])
	second, ok6 := number(b[17:19])
	digits := ok1 && ok2 && ok3 && ok4 && ok5 && ok6
	if !digits || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	if month < 1 || month > 12 || day < 1 || day > 28 && day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	return time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC).Unix(), true
}

func number(digits []byte) (v int, ok bool) {
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	return v, true
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
