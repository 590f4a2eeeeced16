package restic

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fault"
)

func TestFind(t *testing.T) {
	dir := t.TempDir()
	says := map[string]string{}
	place := func(name, version string) string {
		folder := filepath.Join(dir, name)
		path := filepath.Join(folder, programName())
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o700); err != nil {
			t.Fatal(err)
		}
		says[path] = version
		return folder
	}
	asJSON := func(v string) string {
		return fmt.Sprintf(`{"message_type":"version","version":%q,"go_version":"go1.26.8"}`+"\n", v)
	}
	old, older := place("old", asJSON("0.17.0")), place("older", "restic 0.14.0 compiled with go1.19.8 on linux/amd64\n")
	least, current, odd := place("least", asJSON("0.17.1")), place("current", asJSON("0.19.1-dev")), place("odd", "hello")
	empty := filepath.Join(dir, "empty")
	isFolder := filepath.Join(dir, "folder")
	if err := os.MkdirAll(filepath.Join(isFolder, programName()), 0o700); err != nil {
		t.Fatal(err)
	}
	var asked []string
	run := func(ctx context.Context, path string, args ...string) ([]byte, error) {
		if _, limited := ctx.Deadline(); !limited || !slices.Equal(args, []string{"version", "--json"}) {
			t.Errorf("%s %q without a deadline or with other arguments", path, args)
		}
		asked = append(asked, path)
		v, ok := says[path]
		if !ok {
			return nil, &os.PathError{Op: "exec", Path: path, Err: os.ErrNotExist}
		}
		if v == "hello" {
			return nil, errors.New("exit status 1")
		}
		return []byte(v), nil
	}
	in := func(folder string) string { return filepath.Join(folder, programName()) }
	tests := []struct {
		name, explicit string
		folders        []string
		path, version  string
		code           fault.Code
	}{
		{"first of PATH that is new enough", "", []string{".", "bin", empty, isFolder, odd, old, least, current}, in(least), "0.17.1", ""},
		{"development version", "", []string{current}, in(current), "0.19.1-dev", ""},
		{"explicit", in(least), []string{current}, in(least), "0.17.1", ""},
		{"explicit and too old", in(old), []string{current}, "", "", fault.ResticTooOld},
		{"explicit and not there", in(empty), []string{current}, "", "", fault.ResticMissing},
		{"explicit and not restic", in(odd), []string{current}, "", "", fault.ResticMissing},
		{"explicit and relative", "bin/restic", []string{current}, "", "", fault.ResticMissing},
		{"none", "", []string{empty, ""}, "", "", fault.ResticMissing},
		{"none but relative", "", []string{"."}, "", "", fault.ResticMissing},
		{"too old ones only", "", []string{older, odd, old}, "", "", fault.ResticTooOld},
	}
	for _, tt := range tests {
		asked = nil
		path, version, err := Find(t.Context(), tt.explicit, tt.folders, run)
		if fault.CodeOf(err) != tt.code || err == nil && (path != tt.path || version != tt.version) {
			t.Errorf("%s: %q, %q, %v", tt.name, path, version, err)
		}
		if msg, _ := fault.Message(err); err != nil && !strings.HasSuffix(msg, ".") {
			t.Errorf("%s: %q", tt.name, msg)
		}
		for _, p := range asked {
			if !filepath.IsAbs(p) {
				t.Errorf("%s: the relative path %s was run", tt.name, p)
			}
		}
	}
	if _, _, err := Find(t.Context(), "", []string{older}, run); !strings.Contains(err.Error(), "0.14.0") || !strings.Contains(err.Error(), Minimum) {
		t.Errorf("too old: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	stopped := func(ctx context.Context, _ string, _ ...string) ([]byte, error) { return nil, ctx.Err() }
	if _, _, err := Find(ctx, "", []string{current}, stopped); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestVersions(t *testing.T) {
	for out, want := range map[string]string{
		`{"version":"0.19.1"}`:                    "0.19.1",
		"restic 0.18.0 compiled with go1.24\n":    "0.18.0",
		"restic 0.18.1-dev (compiled manually) x": "0.18.1-dev",
		`{"version":""}`:                          "", `{"version":"x"}`: "", "": "", "restic": "", "restic x": "", "rustic 0.9.0": "", `{"version":"1"}`: "", `{"version":"0.99999999.1"}`: "",
		`{"version":"0.19.1-` + strings.Repeat("x", 50) + `"}`: "",
	} {
		if got := parseVersion(out); got != want {
			t.Errorf("%q: %q, want %q", out, got, want)
		}
	}
	order := []string{"0.9.6", "0.16.5", "0.17", "0.17.1", "0.18.0", "0.19.1", "0.100.0", "1.0"}
	for i, a := range order {
		for j, b := range order {
			if older(a, b) != (i < j) {
				t.Errorf("older(%s, %s) = %v", a, b, older(a, b))
			}
		}
	}
	if older("0.17.1-dev", Minimum) {
		t.Error("a development version counts as older")
	}
}
