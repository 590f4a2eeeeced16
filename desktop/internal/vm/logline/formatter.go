package logline

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

const (
	// MaxText bounds what of a line is shown, in bytes of the log.
	MaxText = fleet.MaxLineText

	// maxJoined bounds JSON that came in pieces, in bytes. restic's own messages are far shorter, except the list of snapshots.
	maxJoined = 1 << 20
)

// Summary and GapInfo are what Words puts into sentences.
type (
	Summary = fleet.Summary
	GapInfo = fleet.LogGap // all zero when the log does not say which lines are missing
)

// Formatter makes Lines of one job's log, in the log's order. The zero value is not usable.
type Formatter struct {
	words Words
	open  []piece // JSON that goes on, at most one for each stream
	stack bool    // inside a goroutine's stack on standard error
}

// piece is the beginning of a JSON line.
type piece struct {
	last fleet.LogLine // the newest piece, without its text
	seq  int64
	text string
}

// New makes a Formatter. Each run of lines that does not follow on the one before (an older page) takes its own.
func New(w Words) *Formatter { return &Formatter{words: w} }

// Append appends what line l, number seq of the log, completes: one line, or none while JSON goes on.
func (f *Formatter) Append(dst []Line, seq int64, l fleet.LogLine) []Line {
	text := l.Text
	open := f.begun(l.Stream)
	if open != nil {
		text = open.text + text
	}
	if l.Cont && len(text) < maxJoined && (l.Stream == fleet.StreamOut || l.Stream == fleet.StreamErr) && isJSON(text) {
		if open == nil {
			f.open = append(f.open, piece{})
			open = &f.open[len(f.open)-1]
		}
		l.Text = ""
		*open = piece{last: l, seq: seq, text: text}
		return dst
	}
	if open != nil {
		f.drop(l.Stream)
	}
	return append(dst, f.line(seq, l, text))
}

// Rest appends lines whose end never came: the log was cut there.
func (f *Formatter) Rest(dst []Line) []Line {
	for _, p := range f.open {
		dst = append(dst, f.line(p.seq, p.last, p.text))
	}
	f.open = f.open[:0]
	return dst
}

func (f *Formatter) begun(s fleet.LogStream) *piece {
	for i := range f.open {
		if f.open[i].last.Stream == s {
			return &f.open[i]
		}
	}
	return nil
}

func (f *Formatter) drop(s fleet.LogStream) {
	for i := range f.open {
		if f.open[i].last.Stream == s {
			f.open = append(f.open[:i], f.open[i+1:]...)
			return
		}
	}
}

func isJSON(text string) bool { return text != "" && (text[0] == '{' || text[0] == '[') }

func (f *Formatter) line(seq int64, l fleet.LogLine, text string) Line {
	out := Line{Seq: seq, Time: l.Time, Level: Info, Source: Restic}
	switch l.Stream {
	case fleet.StreamNote:
		out.Source, out.Text = Agent, f.shown(text)
		return out
	case fleet.StreamGap:
		out.Source, out.Level, out.Text = Agent, Warn, plaintext.Line(f.words.Gap(gap(text)))
		return out
	}
	if isJSON(text) {
		if s, ok := f.words.restic(text); ok {
			out.Level, out.Good, out.Text = s.level, s.good, s.text
			f.stack = false
			return out
		}
	}
	out.Level, out.Text = f.plainLevel(text, l.Stream == fleet.StreamErr), f.shown(text)
	return out
}

func gap(text string) fleet.LogGap {
	var g fleet.LogGap
	if json.Unmarshal([]byte(text), &g) != nil {
		return fleet.LogGap{}
	}
	return g
}

// shown escapes text and cuts what is too long to look at.
func (f *Formatter) shown(text string) string {
	if len(text) <= MaxText {
		return plaintext.Line(text)
	}
	end := MaxText
	for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return plaintext.Line(text[:end]) + plaintext.Line(f.words.Cut(int64(len(text)-end)))
}

// plainLevel tells the level of a line that is not JSON. restic's standard error holds warnings; what it printed for an operator
// is worth no mark.
func (f *Formatter) plainLevel(text string, isErr bool) Level {
	if isErr && f.inStack(text) {
		return Debug
	}
	switch {
	case hasWord(text, "fatal"), hasWord(text, "error"), hasWord(text, "panic"):
		return Error
	case hasWord(text, "warning"):
		return Warn
	case strings.TrimSpace(text) == "":
		return Info
	case isErr && !strings.Contains(text, " operation successful after "):
		return Warn
	}
	return Info
}

// inStack tells whether text belongs to a goroutine's stack, which Go prints by the hundred lines when restic is stopped hard.
func (f *Formatter) inStack(text string) bool {
	if rest, found := strings.CutPrefix(text, "goroutine "); found && rest != "" && rest[0] >= '0' && rest[0] <= '9' && strings.HasSuffix(rest, "]:") {
		f.stack = true
	} else if text == "" {
		f.stack = false
	}
	return f.stack
}

// hasWord tells whether text begins with word, which is lower case, in any case, and goes on with no letter.
func hasWord(text, word string) bool {
	if len(text) < len(word) || !strings.EqualFold(text[:len(word)], word) {
		return false
	}
	return len(text) == len(word) || text[len(word)]|0x20 < 'a' || text[len(word)]|0x20 > 'z'
}
