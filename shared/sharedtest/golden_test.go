package sharedtest_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/sharedtest"
)

// listener is a test that may complain without failing this one.
type listener struct {
	testing.TB
	said []string
}

func (l *listener) Helper() {}
func (l *listener) Errorf(format string, a ...any) {
	l.said = append(l.said, fmt.Sprintf(format, a...))
}

type form struct {
	Text  string
	Inner *inner
	List  []inner
	Map   map[string]inner
	At    time.Time
}

type inner struct{ Number int }

func TestGoldenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "testdata", "form.json")
	l := &listener{TB: t}
	kept := sharedtest.GoldenJSON(l, true, path, []byte(`{"a":1}`), "")
	if string(kept) != "{\n  \"a\": 1\n}\n" || len(l.said) != 0 {
		t.Fatalf("%q, %q", kept, l.said)
	}
	sharedtest.GoldenJSON(l, false, path, []byte(`{ "a" : 1 }`), "")
	sharedtest.OnlyGolden(l, filepath.Dir(path), map[string]bool{"form": true})
	if len(l.said) != 0 {
		t.Fatalf("%q", l.said)
	}
	sharedtest.GoldenJSON(l, false, path, []byte(`{"b":1}`), "Add, never change.")
	sharedtest.OnlyGolden(l, filepath.Dir(path), nil)
	if len(l.said) != 2 || !strings.Contains(l.said[0], "Add, never change.") || !strings.Contains(l.said[1], "form.json") {
		t.Fatalf("%q", l.said)
	}
}

func TestFilled(t *testing.T) {
	whole := form{Text: "x", Inner: &inner{1}, List: []inner{{1}}, Map: map[string]inner{"a": {1}}, At: time.Unix(1, 0)}
	for name, spoil := range map[string]func(*form){
		"":                  func(*form) {},
		"form.Text":         func(f *form) { f.Text = "" },
		"form.Inner":        func(f *form) { f.Inner = nil },
		"form.Inner.Number": func(f *form) { f.Inner = &inner{} },
		"form.List":         func(f *form) { f.List = []inner{} },
		"form.List.Number":  func(f *form) { f.List = []inner{{1}, {}} },
		"form.Map.Number":   func(f *form) { f.Map = map[string]inner{"a": {}} },
		"form.At":           func(f *form) { f.At = time.Time{} },
	} {
		v := whole
		spoil(&v)
		l := &listener{TB: t}
		sharedtest.Filled(l, v, "form")
		if name == "" && len(l.said) > 0 || name != "" && (len(l.said) == 0 || !strings.HasPrefix(l.said[0], name+" ")) {
			t.Errorf("%q: %q", name, l.said)
		}
	}
}
