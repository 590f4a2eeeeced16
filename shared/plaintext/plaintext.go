// Package plaintext makes hostile text safe to show to a person: log lines, file names, host names and messages come from
// machines that may be compromised, and a terminal or a label obeys what it is told. Every character that would not show as
// itself (C0 and C1 controls with ESC and OSC among them, bidirectional overrides, invisible format characters, line and
// paragraph separators, noncharacters, bytes that are not UTF-8, lone surrogates) becomes a visible escape such as \x1b or \u202e.
//
// The result is for eyes: a backslash stays as it is, so that Windows paths read well, and the escapes cannot be turned back.
// Whoever needs the bytes takes the raw log or --json. The package has no state, no I/O and starts no goroutine.
//
// Decisions. Zero-width joiner and non-joiner stay, because Persian, Indic scripts and emoji are wrong without them; all other
// characters of Unicode's class Cf go. Combining marks and variation selectors stay for the same reason.
package plaintext

import (
	"unicode"
	"unicode/utf8"
)

// Line makes one line of text safe. Tabs stay; a line break inside becomes \n, so the result is always one line.
func Line(s string) string { return escape(s, true) }

// Field makes text safe for a cell of a table or a place inside a sentence: as Line, and tabs become \t.
func Field(s string) string { return escape(s, false) }

// AppendLine appends Line(s) to dst.
func AppendLine(dst []byte, s string) []byte {
	return appendEscaped(dst, s, firstUnsafe(s, true), true)
}

func escape(s string, tabs bool) string {
	i := firstUnsafe(s, tabs)
	if i == len(s) {
		return s
	}
	return string(appendEscaped(make([]byte, 0, len(s)+16), s, i, tabs))
}

// firstUnsafe gives the offset of the first byte that needs an escape, or len(s).
func firstUnsafe(s string, tabs bool) int {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if unsafeASCII(c, tabs) {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || unsafeRune(r) {
			return i
		}
		i += n
	}
	return len(s)
}

func appendEscaped(dst []byte, s string, i int, tabs bool) []byte {
	dst = append(dst, s[:i]...)
	for i < len(s) {
		c := s[i]
		if c < utf8.RuneSelf {
			if unsafeASCII(c, tabs) {
				dst = appendControl(dst, c)
			} else {
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			if hi, ok := surrogate(s[i:]); ok {
				dst, n = appendRune(dst, hi), 3
			} else {
				dst = appendByte(dst, c)
			}
		case unsafeRune(r):
			dst = appendRune(dst, r)
		default:
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return dst
}

func unsafeASCII(c byte, tabs bool) bool { return c < ' ' && (c != '\t' || !tabs) || c == 0x7f }

func unsafeRune(r rune) bool {
	switch {
	case r < 0xa0: // C1
		return true
	case r == '\u200c' || r == '\u200d': // see Decisions
		return false
	case r&0xfffe == 0xfffe, r >= 0xfdd0 && r <= 0xfdef: // noncharacters
		return true
	case r >= 0xe0000 && r <= 0xe0fff: // tags: invisible text; and what is reserved beside them
		return r < 0xe0100 || r > 0xe01ef // ideographic variation selectors stay
	case r == '\u115f' || r == '\u1160' || r == '\u3164' || r == '\uffa0' || r == '\u034f': // fillers: letters that show nothing
		return true
	}
	return unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
}

// surrogate tells whether s begins with half a surrogate pair, as Windows file names may hold it: three bytes, not UTF-8.
func surrogate(s string) (rune, bool) {
	if len(s) < 3 || s[0] != 0xed || s[1] < 0xa0 || s[1] > 0xbf || s[2] < 0x80 || s[2] > 0xbf {
		return 0, false
	}
	return 0xd000 | rune(s[1]&0x3f)<<6 | rune(s[2]&0x3f), true
}

const hexDigits = "0123456789abcdef"

func appendControl(dst []byte, c byte) []byte {
	switch c {
	case '\t':
		return append(dst, '\\', 't')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	}
	return appendByte(dst, c)
}

func appendByte(dst []byte, c byte) []byte {
	return append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
}

func appendRune(dst []byte, r rune) []byte {
	digits, letter := 4, byte('u')
	if r > 0xffff {
		digits, letter = 8, 'U'
	}
	dst = append(dst, '\\', letter)
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		dst = append(dst, hexDigits[r>>shift&15])
	}
	return dst
}
