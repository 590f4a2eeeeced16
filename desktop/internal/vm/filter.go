package vm

import (
	"slices"
	"strings"
)

// terms cuts what a person types into words; a row passes when each of them is somewhere in it. Case does not count.
type terms []string

func parseTerms(text string) terms { return strings.Fields(strings.ToLower(text)) }

// match tells whether every term is in one of the texts, which the caller gives in lower case.
func (t terms) match(lower ...string) bool {
	for _, term := range t {
		if !slices.ContainsFunc(lower, func(s string) bool { return strings.Contains(s, term) }) {
			return false
		}
	}
	return true
}
