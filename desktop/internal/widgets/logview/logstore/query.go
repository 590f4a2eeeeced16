package logstore

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Query is what is searched for: a text in any case. It does not change.
type Query struct {
	text  string
	folds [][]byte // the first character in all its cases
	rest  []rune   // the others, folded
}

// NewQuery makes a Query of text.
func NewQuery(text string) *Query {
	q := &Query{text: text}
	for i, r := range text {
		if i > 0 {
			q.rest = append(q.rest, fold(r))
			continue
		}
		for c := r; ; {
			q.folds = append(q.folds, utf8.AppendRune(nil, c))
			if c = unicode.SimpleFold(c); c == r {
				break
			}
		}
	}
	return q
}

// Text is what the query was made of.
func (q *Query) Text() string {
	if q == nil {
		return ""
	}
	return q.text
}

// Empty tells whether there is nothing to look for; an empty query is found nowhere.
func (q *Query) Empty() bool { return q == nil || q.text == "" }

// Find gives the first place of the query in text at or after from, -1 when there is none.
func (q *Query) Find(text []byte, from int) (start, end int) {
	if q.Empty() {
		return -1, -1
	}
	for from < len(text) {
		at, size := q.first(text[from:])
		if at < 0 {
			break
		}
		if end, ok := q.follows(text, from+at+size); ok {
			return from + at, end
		}
		from += at + size
	}
	return -1, -1
}

// In tells whether the query is found in text.
func (q *Query) In(text []byte) bool {
	start, _ := q.Find(text, 0)
	return start >= 0
}

// first finds the first character of the query, in any case.
func (q *Query) first(text []byte) (at, size int) {
	at = -1
	for _, f := range q.folds {
		if i := index(text, f); i >= 0 {
			at, size, text = i, len(f), text[:i+len(f)-1] // a better one begins before
		}
	}
	return at, size
}

func index(text, what []byte) int {
	if len(what) == 1 {
		return bytes.IndexByte(text, what[0])
	}
	return bytes.Index(text, what)
}

// follows tells whether the rest of the query stands at offset at.
func (q *Query) follows(text []byte, at int) (end int, ok bool) {
	for _, want := range q.rest {
		if at >= len(text) {
			return 0, false
		}
		c, n := rune(text[at]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRune(text[at:])
		}
		if c != want && fold(c) != want {
			return 0, false
		}
		at += n
	}
	return at, true
}

// fold gives the same rune for all cases of r.
func fold(r rune) rune {
	if r < utf8.RuneSelf && r != 'k' && r != 'K' && r != 's' && r != 'S' { // those two have relatives beyond ASCII
		if r >= 'a' && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	least := r
	for c := unicode.SimpleFold(r); c != r; c = unicode.SimpleFold(c) {
		least = min(least, c)
	}
	return least
}
