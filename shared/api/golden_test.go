package api_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/sharedtest"
)

var update = flag.Bool("update", false, "write the golden files of testdata anew")

func TestGolden(t *testing.T) {
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			raw, err := json.Marshal(f.value)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.back(golden(t, f.name, raw))
			if err != nil || !reflect.DeepEqual(got, f.value) {
				t.Errorf("read back:\n got %+v, %v\nwant %+v", got, err, f.value)
			}
			sharedtest.Filled(t, f.value, f.name)
		})
	}
}

// golden compares a form with its file and gives the file's content.
func golden(t *testing.T, name string, raw []byte) []byte {
	t.Helper()
	return sharedtest.GoldenJSON(t, *update, filepath.Join("testdata", name+".json"), raw, "Scripts and consoles read the old form: add, never change.")
}

// Every exported struct of the contract is in one of the files, and every file is somebody's.
func TestEveryFormHasAGoldenFile(t *testing.T) {
	have, seen := map[string]bool{}, map[string]bool{}
	for _, f := range forms() {
		if have[f.name] {
			t.Errorf("two forms are called %s", f.name)
		}
		have[f.name] = true
		collect(reflect.TypeOf(f.value), seen)
	}
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	types := 0
	for _, source := range sources {
		if strings.HasSuffix(source, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), source, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok {
				return true
			}
			if _, isStruct := spec.Type.(*ast.StructType); isStruct && spec.Name.IsExported() {
				types++
				if !seen[spec.Name.Name] {
					t.Errorf("%s has no sample", spec.Name.Name)
				}
			}
			return true
		})
	}
	if types < 25 {
		t.Errorf("found %d types only", types)
	}
	sharedtest.OnlyGolden(t, "testdata", have)
}

func collect(t reflect.Type, seen map[string]bool) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		collect(t.Elem(), seen)
	case reflect.Struct:
		name, _, _ := strings.Cut(t.Name(), "[") // Page of anything
		if seen[name] && !strings.Contains(t.Name(), "[") {
			return
		}
		seen[name] = true
		for i := range t.NumField() {
			collect(t.Field(i).Type, seen)
		}
	}
}

func FuzzForms(f *testing.F) {
	all := forms()
	for i, form := range all {
		raw, err := json.Marshal(form.value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw, uint8(i))
	}
	f.Fuzz(func(t *testing.T, raw []byte, which uint8) {
		form := all[int(which)%len(all)]
		v, err := form.back(raw)
		if err != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s from %q: %v", form.name, raw, err)
		}
		second, err := form.back(again)
		if err != nil {
			t.Fatalf("%s: %s cannot be read back: %v", form.name, again, err)
		}
		third, err := json.Marshal(second)
		if err != nil || !bytes.Equal(again, third) {
			t.Fatalf("%s: %s became %s, %v", form.name, again, third, err)
		}
	})
}
