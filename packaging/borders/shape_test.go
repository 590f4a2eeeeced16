package borders

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/sharedtest"
)

const (
	maxFileLines = 400
	maxFuncLines = 60
)

// TestFilesAndFunctionsStayShort: someone opens one file and knows its one job.
func TestFilesAndFunctionsStayShort(t *testing.T) {
	root, files := sharedtest.RepoRoot(t), 0
	err := filepath.WalkDir(root, func(path string, e os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := e.Name()
		if e.IsDir() && path != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" || name == "vendor") {
			return filepath.SkipDir
		}
		if e.IsDir() && filepath.Dir(path) == root && (name == "bin" || name == "run" || name == "dist" || name == "artifacts") {
			return filepath.SkipDir
		}
		if e.IsDir() || filepath.Ext(name) != ".go" {
			return nil
		}
		files++
		local, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return short(t, path, filepath.ToSlash(local))
	})
	if err != nil || files < 50 {
		t.Fatalf("%d files looked at, err %v", files, err)
	}
}

func short(t *testing.T, path, local string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if n := bytes.Count(text, []byte("\n")); n > maxFileLines {
		t.Errorf("%s has %d lines, %d are enough for one job: split it", local, n, maxFileLines)
	}
	if strings.HasSuffix(local, "_test.go") {
		return nil // tables and scenes are long
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		if n := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; n > maxFuncLines {
			t.Errorf("%s: %s has %d lines, %d are enough for one thought: split it", local, f.Name.Name, n, maxFuncLines)
		}
	}
	return nil
}

// TestEveryPackageSaysWhatItIsFor: on every system, in a doc comment of its own.
func TestEveryPackageSaysWhatItIsFor(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		for _, p := range list(t, goos) {
			onlyTests := p.Name == "" || strings.HasSuffix(p.Name, "_test") || len(p.Imports) == 0 && p.Doc == "" && strings.HasPrefix(p.local(), "packaging/e2e")
			want := "Package " + p.Name
			if p.Name == "main" {
				want = "" // a command's comment begins with its own name
			}
			if !onlyTests && (p.Doc == "" || !strings.HasPrefix(p.Doc, want)) {
				t.Errorf("%s (%s) has no comment %q", p.local(), goos, "// Package "+p.Name+" …")
			}
		}
	}
}
