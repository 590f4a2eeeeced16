package vm

import (
	"unicode"
)

// fuzzy tells how well a query matches a text: each of its letters has to be there, in order; case and spaces do not count. Letters at
// the beginning of a word and in a row are worth more, a short text is worth more than a long one. hits are the places of the letters
// in the text's runes.
func fuzzy(query []rune, text string) (score int, hits []int, ok bool) {
	if len(query) == 0 {
		return 0, nil, true
	}
	runes := []rune(text)
	best := -1
	for from := range runes { // each place to begin at, for the best one
		if unicode.ToLower(runes[from]) != query[0] {
			continue
		}
		s, h, found := fuzzyFrom(query, runes, from)
		if !found {
			break // later beginnings have less to match
		}
		if s > best {
			best, hits = s, h
		}
	}
	if best < 0 {
		return 0, nil, false
	}
	return best*4 - len(runes), hits, true
}

func fuzzyFrom(query, runes []rune, from int) (score int, hits []int, ok bool) {
	last := -2
	i := from
	for _, q := range query {
		for i < len(runes) && unicode.ToLower(runes[i]) != q {
			i++
		}
		if i == len(runes) {
			return 0, nil, false
		}
		switch {
		case i == 0:
			score += 12
		case wordStart(runes, i):
			score += 8
		case i == last+1:
			score += 6
		default:
			score++
		}
		if i == last+1 {
			score += 2
		}
		last = i
		hits = append(hits, i)
		i++
	}
	return score, hits, true
}

// wordStart tells whether a word, or a number, begins at i.
func wordStart(runes []rune, i int) bool {
	before, here := runes[i-1], runes[i]
	switch {
	case !unicode.IsLetter(before) && !unicode.IsDigit(before):
		return unicode.IsLetter(here) || unicode.IsDigit(here)
	case unicode.IsDigit(here) != unicode.IsDigit(before):
		return true
	}
	return unicode.IsUpper(here) && unicode.IsLower(before)
}

// letters gives what a query looks for.
func letters(query string) []rune {
	var out []rune
	for _, r := range query {
		if !unicode.IsSpace(r) {
			out = append(out, unicode.ToLower(r))
		}
	}
	return out
}
