package sharedtest

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Golden compares got with the file at path and gives the file's content. update (the test's own -update flag) writes the file anew.
// why says what a difference means to whoever reads the old form.
func Golden(t testing.TB, update bool, path string, got []byte, why string) []byte {
	t.Helper()
	if update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if !bytes.Equal(kept, got) {
		t.Errorf("%s differs. %s\n--- got\n%s\n--- want (go test -update writes it anew)\n%s", path, why, got, kept)
	}
	return kept
}

// GoldenJSON is Golden for one JSON value: the file is indented, to be read in review.
func GoldenJSON(t testing.TB, update bool, path string, raw []byte, why string) []byte {
	t.Helper()
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	return Golden(t, update, path, pretty.Bytes(), why)
}

// OnlyGolden complains of JSON files in dir that none of the names has.
func OnlyGolden(t testing.TB, dir string, names map[string]bool) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !names[strings.TrimSuffix(filepath.Base(f), ".json")] {
			t.Errorf("%s belongs to nothing", f)
		}
	}
}

// Filled demands that every field of v is set, however deep: a golden file without a field does not hold its name.
func Filled(t testing.TB, v any, path string) {
	t.Helper()
	filled(t, reflect.ValueOf(v), path)
}

func filled(t testing.TB, v reflect.Value, path string) {
	t.Helper()
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			filled(t, v.Elem(), path)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[fleet.LogLine]() {
			return
		}
		for i := range v.NumField() {
			name := path + "." + v.Type().Field(i).Name
			if v.Field(i).IsZero() {
				t.Errorf("%s is not set", name)
			}
			filled(t, v.Field(i), name)
		}
	case reflect.Slice:
		if v.Len() == 0 {
			t.Errorf("%s is empty", path)
		}
		for i := range v.Len() {
			filled(t, v.Index(i), path)
		}
	case reflect.Map:
		for _, k := range v.MapKeys() {
			filled(t, v.MapIndex(k), path)
		}
	}
}
