package words

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func use(t *testing.T, language string) {
	t.Helper()
	if err := Use(language); err != nil {
		t.Fatal(err)
	}
}

var place = regexp.MustCompile(`\{\{\.[A-Za-z]+\}\}`)

// texts reads all texts of a language: key to its form or forms.
func texts(t *testing.T, language string) map[string][]string {
	t.Helper()
	all := map[string][]string{}
	names, err := fs.Glob(files, "translation/*."+language+".json")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]any
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for key, v := range m {
			if _, twice := all[key]; twice {
				t.Errorf("%s: %s is there twice", language, key)
			}
			switch v := v.(type) {
			case string:
				all[key] = []string{v}
			case map[string]any:
				one, ok1 := v["one"].(string)
				other, ok2 := v["other"].(string)
				if !ok1 || !ok2 {
					t.Errorf("%s: %s wants one and other", language, key)
				}
				all[key] = []string{one, other}
			}
		}
	}
	return all
}

// TestLanguagesSayTheSame wants the same keys, forms and places in every language, and no empty text.
func TestLanguagesSayTheSame(t *testing.T) {
	en := texts(t, "en")
	for _, language := range languages[1:] {
		other := texts(t, language)
		for key, forms := range en {
			got := other[key]
			if len(got) != len(forms) {
				t.Errorf("%s: %s has %d forms, want %d", language, key, len(got), len(forms))
				continue
			}
			a, b := place.FindAllString(forms[len(forms)-1], -1), place.FindAllString(got[len(got)-1], -1)
			slices.Sort(a)
			slices.Sort(b)
			if !slices.Equal(a, b) {
				t.Errorf("%s: %s has the places %v, want %v", language, key, b, a)
			}
			for _, s := range append(forms, got...) {
				if strings.TrimSpace(s) == "" {
					t.Errorf("%s: %s is empty", language, key)
				}
			}
		}
		for key := range other {
			if en[key] == nil {
				t.Errorf("%s alone has %s", language, key)
			}
		}
	}
}

// TestEveryKeyHasAText walks the console's source: a constant first argument of words.T and words.N is a key that is there, as
// one text for T and in plural forms for N, and each place in the text is given by name.
func TestEveryKeyHasAText(t *testing.T) {
	all := texts(t, "en")
	used := map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			name := callee(call)
			key, constant := text(call.Args[0])
			if name == "" || !constant || strings.HasSuffix(key, ".") {
				return true
			}
			forms := all[key]
			used[key] = true
			switch {
			case forms == nil:
				t.Errorf("%s: no text for %q", path, key)
			case name == "N" && len(forms) != 2 || name == "T" && len(forms) != 1:
				t.Errorf("%s: %q has %d forms and is used with %s", path, key, len(forms), name)
			case call.Ellipsis == token.NoPos:
				checkPlaces(t, path, key, forms[len(forms)-1], call)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(used) < 20 {
		t.Fatalf("only %d keys found in the source; does the walk still see it?", len(used))
	}
}

func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok && x.Name == "words" && (f.Sel.Name == "T" || f.Sel.Name == "N") {
			return f.Sel.Name
		}
	case *ast.Ident:
		if f.Name == "T" || f.Name == "N" {
			return f.Name
		}
	}
	return ""
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

func checkPlaces(t *testing.T, path, key, form string, call *ast.CallExpr) {
	t.Helper()
	given := map[string]bool{"Count": callee(call) == "N"}
	for _, a := range call.Args[1:] {
		if s, ok := text(a); ok {
			given[s] = true
		}
	}
	for _, p := range place.FindAllString(form, -1) {
		if name := strings.Trim(p, "{}."); !given[name] {
			t.Errorf("%s: %q has the place %s, which is not given", path, key, name)
		}
	}
}

func TestEveryWordOfTheFleetIsKnown(t *testing.T) {
	for _, language := range languages {
		use(t, language)
		for _, s := range fleet.JobStates {
			if !Has("state." + string(s)) {
				t.Errorf("%s: state %s", language, s)
			}
		}
		for _, k := range fleet.JobKinds {
			if !Has("kind." + string(k)) {
				t.Errorf("%s: kind %s", language, k)
			}
		}
		for _, r := range []fleet.Role{fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin} {
			if !Has("role." + string(r)) {
				t.Errorf("%s: role %s", language, r)
			}
		}
	}
}

func TestFormats(t *testing.T) {
	now := time.Date(2026, 11, 24, 15, 0, 0, 0, time.Local)
	cases := []struct{ got, en, de func() string }{}
	add := func(f func() string, en, de string) {
		cases = append(cases, struct{ got, en, de func() string }{f, func() string { return en }, func() string { return de }})
	}
	add(func() string { return Number(1234567) }, "1,234,567", "1.234.567")
	add(func() string { return Number(-1000) }, "-1,000", "-1.000")
	add(func() string { return Bytes(0) }, "0 B", "0 B")
	add(func() string { return Bytes(999) }, "999 B", "999 B")
	add(func() string { return Bytes(1023) }, "1.00 KiB", "1,00 KiB")
	add(func() string { return Bytes(843 << 30) }, "843 GiB", "843 GiB")
	add(func() string { return Bytes(67_400_000_000_000) }, "61.3 TiB", "61,3 TiB")
	add(func() string { return Percent(0.634, 1) }, "63.4 %", "63,4 %")
	add(func() string { return Percent(0.99999, 1) }, "99.9 %", "99,9 %")
	add(func() string { return Percent(1, 0) }, "100 %", "100 %")
	add(func() string { return Duration(318 * time.Second) }, "5 min 18 s", "5 min 18 s")
	add(func() string { return Duration(400 * time.Millisecond) }, "0.4 s", "0,4 s")
	add(func() string { return Duration(26 * time.Hour) }, "1 d 2 h", "1 T 2 h")
	add(func() string { at := now.Add(-6 * time.Hour); return Ago(&at, now) }, "6 h ago", "vor 6 h")
	add(func() string { return Ago(nil, now) }, "never", "nie")
	add(func() string { return Moment(now.Add(-time.Hour), now) }, "today 14:00", "heute 14:00")
	add(func() string { return Moment(now.AddDate(0, 0, -8), now) }, "Mon 16 Nov, 15:00", "Mo 16. Nov., 15:00")
	add(func() string { return Moment(now.AddDate(-1, 0, 0), now) }, "24 Nov 2025, 15:00", "24. Nov. 2025, 15:00")
	for _, c := range cases {
		use(t, "en")
		if c.got() != c.en() {
			t.Errorf("en: %q, want %q", c.got(), c.en())
		}
		use(t, "de")
		if c.got() != c.de() {
			t.Errorf("de: %q, want %q", c.got(), c.de())
		}
	}
}

func TestErrorsKeepTheirWords(t *testing.T) {
	use(t, "en")
	title, text := Error(fault.New(fault.Unavailable, "The daemon does not answer. Check that it runs."))
	if title != "The daemon cannot be reached" || text != "The daemon does not answer. Check that it runs." {
		t.Errorf("%q, %q", title, text)
	}
	if _, text := Error(errors.New("secret detail")); strings.Contains(text, "secret detail") {
		t.Errorf("an uncoded error shows itself: %q", text)
	}
	if err := Use("fr"); err == nil {
		t.Error("French was taken")
	}
}
