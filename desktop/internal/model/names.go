package model

import (
	"cmp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// CompareNames orders names as people read them: case does not count, and web-2 stands before web-10.
func CompareNames(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if digit(x[0]) && digit(y[0]) {
			n, restX := number(x)
			m, restY := number(y)
			if c := compareNumbers(n, m); c != 0 {
				return c
			}
			x, y = restX, restY
			continue
		}
		r, n := utf8.DecodeRuneInString(x)
		s, m := utf8.DecodeRuneInString(y)
		if c := cmp.Compare(unicode.ToLower(r), unicode.ToLower(s)); c != 0 {
			return c
		}
		x, y = x[n:], y[m:]
	}
	if c := cmp.Compare(len(x), len(y)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

// compareNames is CompareNames, and the ids where the names are the same.
func compareNames(a, b, idA, idB string) int {
	if c := CompareNames(a, b); c != 0 {
		return c
	}
	return strings.Compare(idA, idB)
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// number cuts the digits that s begins with.
func number(s string) (digits, rest string) {
	i := 0
	for i < len(s) && digit(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func compareNumbers(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if c := cmp.Compare(len(a), len(b)); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}
