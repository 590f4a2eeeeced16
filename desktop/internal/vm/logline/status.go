package logline

import (
	"encoding/json"
	"math"
	"strings"
	"unicode/utf8"
)

// status is one verbose_status message: what became of one item, or the end of the scan.
type status struct {
	action, item string
	size         int64
	files        int64
	counted      bool // files was there
}

const statusStart = `{"message_type":"verbose_status","action":"`

// readStatus reads a verbose_status line in the exact form that restic 0.17 to 0.19 print, and false for every other line: that is
// for encoding/json, which is ten times slower.
func readStatus(text string) (status, bool) {
	rest, found := strings.CutPrefix(text, statusStart)
	if !found {
		return status{}, false
	}
	s := scanner{rest: rest}
	var m status
	m.action = s.str()
	s.skip(`,"item":"`)
	m.item = s.str()
	if s.has(`,"size":`) { // restore
		m.size = s.integer()
	} else {
		s.skip(`,"duration":`)
		s.number()
		s.skip(`,"data_size":`)
		m.size = s.integer()
		for _, key := range [...]string{`,"data_size_in_repo":`, `,"metadata_size":`, `,"metadata_size_in_repo":`} {
			s.skip(key)
			s.number()
		}
		s.skip(`,"total_files":`)
		m.files, m.counted = s.integer(), true
	}
	s.skip("}")
	if s.bad || s.rest != "" {
		return status{}, false
	}
	m.size = max(m.size, 0)
	return m, true
}

// scanner takes JSON from the front of rest; bad is set by the first thing that is not as expected.
type scanner struct {
	rest string
	bad  bool
}

func (s *scanner) has(prefix string) bool {
	rest, found := strings.CutPrefix(s.rest, prefix)
	if found && !s.bad {
		s.rest = rest
	}
	return found && !s.bad
}

func (s *scanner) skip(prefix string) {
	if !s.has(prefix) {
		s.bad = true
	}
}

// str takes a string whose opening quote is gone.
func (s *scanner) str() string {
	if s.bad {
		return ""
	}
	escaped := false
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			s.bad = true
			return ""
		case c == '"':
			text := s.rest[:i]
			s.rest = s.rest[i+1:]
			if !escaped && utf8.ValidString(text) {
				return text
			}
			return s.unquote(text)
		}
	}
	s.bad = true
	return ""
}

func (s *scanner) unquote(text string) string {
	var out string
	if json.Unmarshal([]byte(`"`+text+`"`), &out) != nil {
		s.bad = true
	}
	return out
}

// integer takes a whole number that fits an int64.
func (s *scanner) integer() int64 {
	n, digits := int64(0), 0
	for digits < len(s.rest) && s.rest[digits] >= '0' && s.rest[digits] <= '9' {
		d := int64(s.rest[digits] - '0')
		if n > (math.MaxInt64-d)/10 {
			s.bad = true
			return 0
		}
		n = n*10 + d
		digits++
	}
	if digits == 0 || digits > 1 && s.rest[0] == '0' {
		s.bad = true
		return 0
	}
	s.rest = s.rest[digits:]
	return n
}

// number passes any number that JSON allows.
func (s *scanner) number() {
	n := 0
	for n < len(s.rest) && strings.IndexByte("0123456789+-.eE", s.rest[n]) >= 0 {
		n++
	}
	if s.bad || !plainNumber(s.rest[:n]) && !json.Valid([]byte(s.rest[:n])) {
		s.bad = true
		return
	}
	s.rest = s.rest[n:]
}

// plainNumber tells whether s is digits, and digits behind a point: what almost every number of restic is.
func plainNumber(s string) bool {
	whole, part, point := strings.Cut(s, ".")
	return digitsOnly(whole) && (len(whole) == 1 || whole[0] != '0') && (!point || digitsOnly(part))
}

func digitsOnly(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
