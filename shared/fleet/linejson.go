package fleet

import (
	"encoding/base64"
	"encoding/binary"
	"math/bits"
	"slices"
	"time"
	"unicode/utf8"
)

const lineTime = "2006-01-02T15:04:05.000000Z"

// MarshalJSON writes {"t":RFC 3339 UTC,"s":stream,"m":text} or "b" instead of "m", and "c":true when the line goes on.
func (l LogLine) MarshalJSON() ([]byte, error) { return l.AppendJSON(nil), nil }

// AppendJSON appends the JSON form of l to dst.
func (l LogLine) AppendJSON(dst []byte) []byte {
	var e lineEncoder
	return e.append(dst, &l)
}

// AppendLines appends the JSON forms of lines to dst, with commas between them.
func AppendLines(dst []byte, lines []LogLine) []byte {
	var e lineEncoder
	for i := range lines {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.append(dst, &lines[i])
	}
	return dst
}

// lineEncoder remembers the second that the line before was read in: most lines share it with many others.
type lineEncoder struct {
	second int64
	at     int // its form in dst; 0: none yet
}

func (e *lineEncoder) append(dst []byte, l *LogLine) []byte {
	dst = append(dst, `{"t":"`...)
	dst = e.appendTime(dst, l.Time)
	dst = append(dst, `","s":"`...)
	dst = append(dst, l.Stream...)
	if utf8.ValidString(l.Text) {
		dst = append(dst, `","m":`...)
		dst = appendJSONString(dst, l.Text)
	} else {
		dst = append(dst, `","b":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, []byte(l.Text))
		dst = append(dst, '"')
	}
	if l.Cont {
		dst = append(dst, `,"c":true`...)
	}
	return append(dst, '}')
}

// appendTime appends t in the form lineTime.
func (e *lineEncoder) appendTime(dst []byte, t time.Time) []byte {
	const upToSecond = len("2006-01-02T15:04:05")
	second := t.Unix()
	if e.at > 0 && second == e.second {
		dst = append(dst, dst[e.at:e.at+upToSecond]...)
	} else {
		utc := t.UTC()
		if year := utc.Year(); year < 0 || year > 9999 {
			return utc.AppendFormat(dst, lineTime)
		}
		e.second, e.at = second, len(dst)
		dst = utc.AppendFormat(dst, lineTime[:upToSecond])
	}
	us := t.Nanosecond() / 1000
	return append(dst, '.', digit(us/100_000), digit(us/10_000), digit(us/1000), digit(us/100), digit(us/10), digit(us), 'Z')
}

func digit(n int) byte { return '0' + byte(n%10) }

const hexDigits = "0123456789abcdef"

// appendJSONString appends s, which is valid UTF-8, as a JSON string. Only what JSON demands is escaped. It moves eight bytes at a
// time, so that there must be room for as many behind what is left of s.
func appendJSONString(dst []byte, s string) []byte {
	const most = len(`\u0000`) + len(`"`) + 8
	dst = slices.Grow(dst, len(s)+most)
	dst = append(dst, '"')
	n, i := len(dst), 0
	dst = dst[:cap(dst)]
	for i < len(s) {
		if i+8 <= len(s) {
			copy(dst[n:n+8], s[i:i+8])
			plain := plainBytes(binary.LittleEndian.Uint64(dst[n:]))
			n, i = n+plain, i+plain
			if plain == 8 {
				continue
			}
		}
		if c := s[i]; c >= 0x20 && c != '"' && c != '\\' {
			dst[n] = c
			n, i = n+1, i+1
			continue
		}
		n = putEscaped(dst, n, s[i])
		i++
		if n+len(s)-i+most > len(dst) {
			dst = slices.Grow(dst[:n], 2*(len(s)-i)+most)
			dst = dst[:cap(dst)]
		}
	}
	dst[n] = '"'
	return dst[:n+1]
}

func putEscaped(dst []byte, n int, c byte) int {
	switch c {
	case '"', '\\':
		return n + copy(dst[n:], []byte{'\\', c})
	case '\t':
		return n + copy(dst[n:], `\t`)
	case '\r':
		return n + copy(dst[n:], `\r`)
	case '\n':
		return n + copy(dst[n:], `\n`)
	}
	return n + copy(dst[n:], []byte{'\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15]})
}

// plainBytes tells how many of eight bytes, the first the lowest of word, come before the first that a JSON string cannot hold as it
// is. Each term has the high bit of every byte set that is a quote, a backslash or a control character; above the lowest such byte
// it may be wrong.
func plainBytes(word uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, slash := word^ones*'"', word^ones*'\\'
	found := ((quote-ones)&^quote | (slash-ones)&^slash | (word-ones*0x20)&^word) & highs
	return bits.TrailingZeros64(found) / 8
}
