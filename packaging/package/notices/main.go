// Command notices writes the licences of everything that programs are made of: `notices [-extra NAME=FILE]… PROGRAM…`. What the Go
// programs are made of is what they say of themselves; its licences are those in the module cache. A module without one is an error.
package main

import (
	"bufio"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// own is what needs no notice: the programs' own module.
const own = "github.com/backstay/backstay"

func main() {
	var extra []string
	flag.Func("extra", "`NAME=FILE` of a licence that no module has", func(s string) error { extra = append(extra, s); return nil })
	flag.Parse()
	if err := run(os.Stdout, flag.Args(), extra); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

// run writes each licence once, below the names of what it is for.
func run(w io.Writer, programs, extra []string) error {
	texts := make(map[string][]string) // a licence's text → what it is for
	add := func(name, text string) {
		if !slices.Contains(texts[text], name) {
			texts[text] = append(texts[text], name)
		}
	}
	root, err := goEnv("GOROOT")
	if err != nil {
		return err
	}
	extra = append(slices.Clone(extra), "Go="+filepath.Join(root, "LICENSE"))
	for _, e := range extra {
		name, file, _ := strings.Cut(e, "=")
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read licence of %s: %w", name, err)
		}
		add(name, string(text))
	}
	cache, err := goEnv("GOMODCACHE")
	if err != nil {
		return err
	}
	for _, program := range programs {
		if err := modules(program, cache, add); err != nil {
			return err
		}
	}
	return write(w, texts)
}

func goEnv(name string) (string, error) {
	out, err := exec.Command("go", "env", name).Output()
	if err != nil {
		return "", fmt.Errorf("ask go for %s: %w", name, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// modules adds the licences of the modules in program.
func modules(program, cache string, add func(name, text string)) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("read what %s is made of: %w", program, err)
	}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if strings.HasPrefix(m.Path, own) {
			continue
		}
		name := m.Path + " " + m.Version
		found, err := licences(filepath.Join(cache, escaped(m.Path)+"@"+escaped(m.Version)))
		if err != nil {
			return fmt.Errorf("licence of %s: %w", name, err)
		}
		for _, text := range found {
			add(name, text)
		}
	}
	return nil
}

// escaped is how the module cache writes capital letters.
func escaped(path string) string {
	var b strings.Builder
	for _, r := range path {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

var errNone = errors.New("there is none in the module's folder")

// licences gives the texts in dir that say on what terms it may be passed on.
func licences(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() && path != dir && (e.Name() == "testdata" || strings.HasPrefix(e.Name(), "_") || strings.HasPrefix(e.Name(), ".")) {
			return filepath.SkipDir
		}
		base := strings.ToUpper(strings.TrimSuffix(strings.TrimSuffix(e.Name(), ".md"), ".txt"))
		if !e.Type().IsRegular() || !slices.ContainsFunc([]string{"LICENSE", "LICENCE", "COPYING", "NOTICE", "PATENTS", "UNLICENSE"},
			func(word string) bool {
				return base == word || strings.HasPrefix(base, word+"-") || strings.HasPrefix(base, word+".")
			}) {
			return nil
		}
		if ext := filepath.Ext(base); ext == ".GO" || ext == ".HTML" || ext == ".DOCS" {
			return nil
		}
		text, err := os.ReadFile(path)
		out = append(out, string(text))
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, errNone
	}
	return out, nil
}

// write sorts, so that the same programs give the same bytes.
func write(w io.Writer, texts map[string][]string) error {
	var keys []string
	for text, names := range texts {
		slices.Sort(names)
		keys = append(keys, text)
	}
	slices.SortFunc(keys, func(a, b string) int {
		return strings.Compare(strings.Join(texts[a], "\n")+a, strings.Join(texts[b], "\n")+b)
	})
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "What the programs of this package are made of, beside Backstay itself, and on what terms.")
	for _, text := range keys {
		fmt.Fprintf(out, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 78), strings.Join(texts[text], "\n"), strings.TrimSpace(text))
	}
	return out.Flush()
}
