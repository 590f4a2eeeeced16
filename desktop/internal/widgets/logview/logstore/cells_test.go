package logstore_test

import (
	"testing"
	"unicode/utf8"

	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets/logview/logstore"
	"github.com/backstay/backstay/shared/plaintext"
)

func cellsOf(text string) (all []logstore.Cell) {
	cells := logstore.CellsOf([]byte(text))
	for c, ok := cells.Next(); ok; c, ok = cells.Next() {
		all = append(all, c)
	}
	return all
}

func TestCells(t *testing.T) {
	for text, want := range map[string][]int{ // the columns of each cell
		"":                        nil,
		"ab":                      {1, 1},
		"文档a":                     {2, 2, 1},
		"e\u0301x":                {1, 1},
		"\u0301x":                 {1, 1},
		"a\tb\t":                  {1, 7, 1, 7},
		"👩\u200d💻!":               {2, 1},
		"👍🏽👍":                     {2, 2},
		"🇩🇪🇫🇷🇩":                   {2, 2, 1},
		"❤\ufe0f❤":                {2, 1},
		"1\ufe0f\u20e3":           {2},
		"ملف/x":                   {3, 1, 1},
		"ملف 12":                  {3, 1, 1, 1},
		"٣٤":                      {1, 1},
		"हिन्दी":                  {5},
		"한국":                      {2, 2},
		"a" + "\u0301" + "\u0301": {1},
	} {
		var got []int
		for _, c := range cellsOf(text) {
			got = append(got, c.Cols)
		}
		if len(got) != len(want) {
			t.Errorf("%q: cells of %v columns, want %v", text, got, want)
			continue
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%q: cells of %v columns, want %v", text, got, want)
				break
			}
		}
	}
}

// FuzzCells: cells cover the text without holes, begin at characters, and add up to what the store says.
func FuzzCells(f *testing.F) {
	for _, text := range texts {
		f.Add(text, 3)
	}
	f.Add("👩\u200d💻🇩🇪मणि\u0301ملف", 7)
	f.Fuzz(func(t *testing.T, text string, from int) {
		safe := plaintext.Line(text)
		off, col, starts := 0, 0, map[int]int{}
		for _, c := range cellsOf(safe) {
			if c.Off != off || c.Col != col || c.Size < 1 || c.Cols < 1 || !utf8.RuneStart(safe[off]) {
				t.Fatalf("cell %+v at byte %d, column %d of %q", c, off, col, safe)
			}
			starts[off] = col
			off, col = off+c.Size, col+c.Cols
		}
		if off != len(safe) {
			t.Fatalf("cells end at byte %d of %q", off, safe)
		}
		s := logstore.New(logstore.DefaultLimits)
		s.Append([]logline.Line{{Seq: 1, Text: text}})
		l := s.At(0)
		if string(l.Text) != safe || l.Cols != col || l.ASCII && l.Cols != len(safe) {
			t.Fatalf("held %+v %q, %d columns", l, l.Text, col)
		}
		for at, want := range starts {
			cells := logstore.CellsFrom([]byte(safe), at, want)
			c, _ := cells.Next()
			if c.Off != at || at+c.Size < len(safe) && starts[at+c.Size] != want+c.Cols {
				t.Fatalf("from byte %d of %q: %+v", at, safe, c)
			}
		}
	})
}
