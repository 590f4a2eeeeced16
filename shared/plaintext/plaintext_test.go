package plaintext_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/backstay/backstay/shared/plaintext"
)

func TestEscapes(t *testing.T) {
	cases := []struct{ name, in, line, field string }{
		{"plain", `C:\Users\ä 日本 "x"`, `C:\Users\ä 日本 "x"`, `C:\Users\ä 日本 "x"`},
		{"tab", "a\tb", "a\tb", `a\tb`},
		{"line breaks", "a\r\nb", `a\r\nb`, `a\r\nb`},
		{"SGR", "\x1b[31mred", `\x1b[31mred`, `\x1b[31mred`},
		{"OSC 52 clipboard", "\x1b]52;c;cm0=\a", `\x1b]52;c;cm0=\x07`, `\x1b]52;c;cm0=\x07`},
		{"NUL and DEL", "\x00\x7f", `\x00\x7f`, `\x00\x7f`},
		{"C1 CSI", "\u009b31m", `\u009b31m`, `\u009b31m`},
		{"bidi override", "exe\u202egpj", `exe\u202egpj`, `exe\u202egpj`},
		{"isolates and marks", "\u2066\u2069\u200e\u061c", `\u2066\u2069\u200e\u061c`, `\u2066\u2069\u200e\u061c`},
		{"separators", "a\u2028b\u2029", `a\u2028b\u2029`, `a\u2028b\u2029`},
		{"zero width", "a\u200bb\ufeff\u00ad", `a\u200bb\ufeff\u00ad`, `a\u200bb\ufeff\u00ad`},
		{"tags", "a\U000e0041", `a\U000e0041`, `a\U000e0041`},
		{"fillers", "\u3164\uffa0", `\u3164\uffa0`, `\u3164\uffa0`},
		{"nonchar", "\ufffe\U0001ffff", `\ufffe\U0001ffff`, `\ufffe\U0001ffff`},
		{"joiners stay", "👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم", "👩\u200d💻 می\u200cخواهم"},
		{"not UTF-8", "a\xff\xc3(", `a\xff\xc3(`, `a\xff\xc3(`},
		{"lone surrogate", "x\xed\xa0\xbdy", `x\ud83dy`, `x\ud83dy`},
		{"cut surrogate", "\xed\xa0", `\xed\xa0`, `\xed\xa0`},
		{"replacement character", "\ufffd", "\ufffd", "\ufffd"},
		{"raw C1 byte", "\x9b31m", `\x9b31m`, `\x9b31m`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := plaintext.Line(c.in); got != c.line {
				t.Errorf("Line: %q, want %q", got, c.line)
			}
			if got := plaintext.Field(c.in); got != c.field {
				t.Errorf("Field: %q, want %q", got, c.field)
			}
			if got := string(plaintext.AppendLine([]byte("> "), c.in)); got != "> "+c.line {
				t.Errorf("AppendLine: %q", got)
			}
		})
	}
}

func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b]0;t\a", "\u202e", "\xed\xa0\x80", "\xff", "a\tb\nc"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out := plaintext.Line(in)
		if !utf8.ValidString(out) {
			t.Fatalf("not UTF-8: %q", out)
		}
		for _, r := range out {
			if r != '\t' && r != '\u200c' && r != '\u200d' && unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Cs) {
				t.Fatalf("%U is left in %q", r, out)
			}
		}
		if plaintext.Line(out) != out {
			t.Fatalf("not stable: %q", out)
		}
		if strings.ContainsRune(plaintext.Field(in), '\t') {
			t.Fatal("Field left a tab")
		}
		w := plaintext.Width(out)
		for _, limit := range []int{0, 1, 2, w / 2, w} {
			if got := plaintext.Width(plaintext.Truncate(out, limit)); got > limit {
				t.Fatalf("Truncate(%q, %d) is %d wide", out, limit, got)
			}
		}
		if plaintext.Truncate(out, w) != out {
			t.Fatalf("Truncate cut what fits: %q", out)
		}
	})
}

func TestWidth(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "日本": 4, "e\u0301": 1, "🙂": 2, "…": 1, "한글": 4} {
		if got := plaintext.Width(s); got != want {
			t.Errorf("Width(%q) = %d, want %d", s, got, want)
		}
	}
	if got := plaintext.Truncate("日本語", 5); got != "日本…" {
		t.Errorf("Truncate: %q", got)
	}
}
