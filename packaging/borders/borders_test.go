package borders

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/sharedtest"
)

const module = "github.com/backstay/backstay/"

// pkg is one package as the go command lists it.
type pkg struct {
	ImportPath, Name, Doc string
	Imports               []string
	TestImports           []string
	XTestImports          []string
	Error                 *struct{ Err string }
}

// local is the package's path below the module.
func (p pkg) local() string { return strings.TrimPrefix(p.ImportPath, module) }

// list reads the packages of the module as they are on goos, without cgo.
func list(t *testing.T, goos string) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Doc,Imports,TestImports,XTestImports,Error", "./...")
	cmd.Dir = sharedtest.RepoRoot(t)
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list for %s: %v\n%s", goos, err, stderr.String())
	}
	var pkgs []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 10 {
		t.Fatalf("go list for %s found %d packages", goos, len(pkgs))
	}
	return pkgs
}

func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "windows", "darwin"} {
		t.Run(goos, func(t *testing.T) {
			for _, p := range list(t, goos) {
				for _, complaint := range check(p) {
					t.Errorf("%s: %s", goos, complaint)
				}
			}
		})
	}
}

// check gives what package p does against the tables.
func check(p pkg) []string {
	var out []string
	say := func(imported, why string) {
		out = append(out, fmt.Sprintf("%s imports %s: %s", p.local(), imported, why))
	}
	all := slices.Concat(p.Imports, p.TestImports, p.XTestImports)
	for _, imp := range p.Imports {
		for _, b := range borders {
			if matches(b.imports, below(imp)) && !allowed(b, p.local()) && !matches(b.imports, p.local()) {
				say(below(imp), b.why)
			}
		}
		for _, b := range bans {
			if matches(b.packages, p.local()) && slices.Contains(b.not, imp) {
				say(imp, b.why)
			}
		}
		if strings.HasPrefix(p.local(), "shared/") && foreign(imp) && !earned(p.local(), imp) {
			say(imp, "shared is in every program; a row in thirdParty says why it may import this")
		}
	}
	for _, imp := range all {
		for _, l := range layers {
			if !matches(l.packages, p.local()) || !strings.HasPrefix(imp, module) {
				continue
			}
			if !slices.ContainsFunc(l.may, func(m string) bool { return matches(m, below(imp)) }) && !testPart(p, imp) {
				say(below(imp), l.why)
			}
		}
	}
	return out
}

// testPart tells whether p imports imp in its tests only, and imp is a part for tests or belongs to the same program: a test may
// set the real store beside what it tests.
func testPart(p pkg, imp string) bool {
	if slices.Contains(p.Imports, imp) {
		return false
	}
	program := strings.SplitN(p.local(), "/", 2)[0]
	return matches("shared/sharedtest", below(imp)) || matches(program, below(imp)) || imp == p.ImportPath
}

func below(imp string) string { return strings.TrimPrefix(imp, module) }

// foreign tells whether imp is neither ours nor the standard library's.
func foreign(imp string) bool {
	return !strings.HasPrefix(imp, module) && strings.Contains(strings.SplitN(imp, "/", 2)[0], ".")
}

func earned(local, imp string) bool {
	return slices.ContainsFunc(thirdParty, func(l layer) bool {
		return matches(l.packages, local) && slices.ContainsFunc(l.may, func(o string) bool { return matches(o, imp) })
	})
}

func allowed(b border, local string) bool {
	in := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, local) })
	}
	return in(b.only) && !in(b.except)
}

// matches tells whether name is what pattern names, or lies below it. Standard packages have nothing below: "log" is not
// "log/slog".
func matches(pattern, name string) bool {
	if pattern == name {
		return true
	}
	if slices.Contains([]string{"log", "net/http", "testing", "math/rand"}, pattern) {
		return false
	}
	elements := strings.Count(pattern, "/") + 1
	parts := strings.SplitN(name, "/", elements+1)
	if len(parts) < elements {
		return false
	}
	ok, err := path.Match(pattern, strings.Join(parts[:elements], "/"))
	return ok && err == nil
}

// A test of a table proves little if the tables match nothing: these packages break one row each.
func TestCheckSeesViolations(t *testing.T) {
	for _, c := range []struct {
		local, imports string
		want           bool
	}{
		{"daemon/internal/control", "net/http", true},
		{"daemon/internal/control", module + "daemon/internal/sqlite", true},
		{"daemon/internal/control", "database/sql", true},
		{"daemon/internal/control", module + "shared/fleet", false},
		{"daemon/internal/httpapi", "net/http", false},
		{"agent/internal/app", "net/http", false},
		{"agent/internal/runner", "os/exec", true},
		{"agent/internal/proc", "os/exec", false},
		{"agent/internal/spool", module + "agent/internal/runner", true},
		{"agent/internal/restic", module + "agent/internal/proc", true},
		{"desktop/internal/vm", "fyne.io/fyne/v2/widget", true},
		{"desktop/internal/pages", "fyne.io/fyne/v2/widget", false},
		{"desktop/internal/pages", "fyne.io/fyne/v2/app", true},
		{"shared/fleet", "os", true},
		{"shared/fleet", module + "shared/api", true},
		{"shared/api", module + "daemon/internal/control", true},
		{"shared/backoff", "github.com/google/uuid", true},
		{"shared/secret", "filippo.io/age/armor", false},
		{"daemon/internal/auth", "filippo.io/age", true},
		{"daemon/cmd/backstayd", module + "shared/keyring", true},
		{"daemon/cmd/backstay", module + "shared/keyring", false},
		{"agent/internal/runner", "log/slog", false},
		{"agent/internal/runner", "log", true},
		{"agent/internal/runner", module + "shared/sharedtest", true},
		{"agent/internal/runner", "math/rand/v2", false},
	} {
		got := check(pkg{ImportPath: module + c.local, Imports: []string{c.imports}})
		if (len(got) > 0) != c.want {
			t.Errorf("%s imports %s: complaints %q", c.local, c.imports, got)
		}
	}
	if got := check(pkg{ImportPath: module + "agent/internal/runner", XTestImports: []string{module + "shared/sharedtest", "net/http"}}); len(got) > 0 {
		t.Errorf("a test may not: %q", got)
	}
	if got := check(pkg{ImportPath: module + "shared/api", XTestImports: []string{module + "daemon/internal/control"}}); len(got) == 0 {
		t.Error("a test of shared may import the daemon")
	}
}
