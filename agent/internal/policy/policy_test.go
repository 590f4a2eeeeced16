package policy_test

import (
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/agent/internal/policy"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func load(t *testing.T, text string) (policy.Policy, error) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "policy.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return policy.Load(path, dir)
}

func backup(paths ...string) fleet.JobSpec {
	return fleet.JobSpec{JobID: "J1", Kind: fleet.KindBackup, Backup: &fleet.BackupSpec{Paths: paths}}
}

func restore(job fleet.JobID, folder string) fleet.JobSpec {
	return fleet.JobSpec{JobID: job, Kind: fleet.KindRestore, Restore: &fleet.RestoreSpec{SnapshotID: "abcdef12", Folder: folder}}
}

func TestDefaultFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), `odd "dir`)
	if runtime.GOOS == "windows" {
		dir = t.TempDir()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "policy.toml")
	if written, err := policy.WriteDefault(path, dir); err != nil || !written {
		t.Fatalf("written %v, err %v", written, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Load(path, dir)
	if err != nil || !reflect.DeepEqual(p, policy.Default(dir)) {
		t.Fatalf("the default file means %+v, err %v", p, err)
	}
	// Every commented setting, taken into use, means the same.
	used := strings.NewReplacer("# allowed", "allowed", "# source_roots", "source_roots", "# restore_roots", "restore_roots", "# max_p", "max_p").Replace(string(b))
	if err := os.WriteFile(path, []byte(used), 0o600); err != nil {
		t.Fatal(err)
	}
	if p, err = policy.Load(path, dir); err != nil || !reflect.DeepEqual(p, policy.Default(dir)) {
		t.Fatalf("its comments mean %+v, err %v", p, err)
	}
	if written, err := policy.WriteDefault(path, dir); err != nil || written {
		t.Fatalf("an existing policy was overwritten: %v, err %v", written, err)
	}
	if b, err = os.ReadFile(path); err != nil || string(b) != used {
		t.Fatalf("an existing policy was changed, err %v", err)
	}
	if p, err = policy.Load(filepath.Join(dir, "none.toml"), dir); err != nil || !reflect.DeepEqual(p, policy.Default(dir)) {
		t.Fatalf("no file means %+v, err %v", p, err)
	}
}

func TestABrokenPolicyAllowsNothing(t *testing.T) {
	for name, text := range map[string]string{
		"not TOML":           "allowed_kinds = [",
		"unknown setting":    `kinds = ["backup"]`,
		"wrong type":         `allowed_kinds = "backup"`,
		"unknown kind":       `allowed_kinds = ["backup", "prune"]`,
		"relative source":    `source_roots = ["home"]`,
		"everywhere and one": `source_roots = ["*", "/home"]`,
		"relative restore":   `restore_roots = ["r"]`,
		"restore to root":    `restore_roots = ["/"]`,
		"no restore root":    `restore_roots = []`,
		"no jobs":            `max_parallel_jobs = 0`,
		"too many jobs":      `max_parallel_jobs = 1000`,
	} {
		t.Run(name, func(t *testing.T) {
			p, err := load(t, text)
			if fault.CodeOf(err) != fault.PolicyDenied {
				t.Fatalf("err %v", err)
			}
			for _, kind := range fleet.JobKinds {
				if p.Check(fleet.JobSpec{Kind: kind}) == nil {
					t.Errorf("%s is allowed", kind)
				}
			}
		})
	}
}

func TestOthersMayNotWriteIt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no permission bits on Windows")
	}
	path := filepath.Join(t.TempDir(), "policy.toml")
	if err := os.WriteFile(path, []byte(`max_parallel_jobs = 1`), 0o600); err != nil {
		t.Fatal(err)
	}
	for mode, want := range map[os.FileMode]fault.Code{0o644: "", 0o664: fault.PolicyDenied, 0o606: fault.PolicyDenied} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := policy.Load(path, "/d"); fault.CodeOf(err) != want {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
}

func TestKinds(t *testing.T) {
	p, err := load(t, `allowed_kinds = ["backup", "check"]`)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range append(slices.Clone(fleet.JobKinds[:]), "prune", "") {
		spec := backup("/x")
		spec.Kind = kind
		want := fault.PolicyDenied
		if kind == fleet.KindBackup || kind == fleet.KindCheck {
			want = ""
		}
		if err := p.Check(spec); fault.CodeOf(err) != want {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if err := p.Check(fleet.JobSpec{Kind: fleet.KindBackup}); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("backup without paths: %v", err)
	}
}

func TestSourceRoots(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := func(parts ...string) string { return filepath.Join(append([]string{base}, parts...)...) }
	for _, dir := range []string{"allowed/sub", "allowed-not", "secret"} {
		if err := os.MkdirAll(at(dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	links := map[string]string{at("allowed", "out"): at("secret"), at("allowed", "in"): at("allowed", "sub"), at("link"): at("allowed"),
		at("allowed", "nowhere"): at("secret", "later"), at("secret", "back"): at("allowed")}
	for name, to := range links {
		if err := os.Symlink(to, name); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	p := policy.Default(base)
	p.SourceRoots = []string{at("allowed")}
	linked := p
	linked.SourceRoots = []string{at("link")}
	ok := []string{at("allowed"), at("allowed", "sub"), at("allowed", "sub") + "/", at("allowed", "not-there", "x"), at("allowed", "in"),
		at("allowed", "in", "new"), at("allowed", ".", "sub", "..", "sub")}
	denied := []string{base, "/", at("allowed-not"), at("secret"), at("allowed", "out"), at("allowed", "out", "new"), at("allowed") + "/../secret",
		at("allowed", "nowhere"), at("secret", "back"), "allowed", "", "."}
	for _, path := range ok {
		if err := p.Check(backup(path)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range denied {
		if err := p.Check(backup(path)); fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := p.Check(backup(at("allowed"), at("secret"))); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("one of two: %v", err)
	}
	for _, path := range []string{at("link"), at("link", "sub"), at("allowed", "sub")} {
		if err := linked.Check(backup(path)); err != nil {
			t.Errorf("root is a link, %s: %v", path, err)
		}
	}
	p.SourceRoots = nil
	if err := p.Check(backup(at("allowed"))); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("no root: %v", err)
	}
	all := policy.Default(base)
	if err := all.Check(backup(at("secret"))); err != nil {
		t.Errorf("everywhere: %v", err)
	}
	if err := all.Check(backup("secret")); fault.CodeOf(err) != fault.PolicyDenied {
		t.Errorf("everywhere, relative: %v", err)
	}
}

func TestRestoreTarget(t *testing.T) {
	p := policy.Default("/data")
	p.RestoreRoots = []string{filepath.Join(t.TempDir(), "r"), "/other"}
	root := p.RestoreRoot()
	for spec, want := range map[[2]string]string{{"J1", ""}: "J1", {"slot:p:h:2026-01-01", ""}: "slot_p_h_2026-01-01", {"J1", "my.files-2"}: "my.files-2"} {
		got, err := p.RestoreTarget(restore(fleet.JobID(spec[0]), spec[1]))
		if err != nil || got != filepath.Join(root, want) {
			t.Errorf("%v: %s, %v", spec, got, err)
		}
	}
	for _, folder := range []string{"..", ".", "a/b", "../x", "/etc", `a\b`, "C:", "a:b", "-x", "x.", "", "a b", "a\x00"} {
		spec := restore("J1", folder)
		if folder == "" {
			spec.JobID = "../x"
		}
		if got, err := p.RestoreTarget(spec); fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("%q: %s, %v", folder, got, err)
		}
		if err := p.Check(spec); fault.CodeOf(err) != fault.PolicyDenied {
			t.Errorf("%q checked: %v", folder, err)
		}
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(`allowed_kinds = ["backup"]`)
	f.Add("source_roots = [\"/a\"]\nmax_parallel_jobs = 3")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := load(t, text)
		if err != nil && len(p.Kinds)+len(p.SourceRoots)+len(p.RestoreRoots) > 0 {
			t.Fatalf("refused and not empty: %+v", p)
		}
		if err == nil && (p.MaxParallelJobs < 1 || p.MaxParallelJobs > 64) {
			t.Fatalf("%+v", p)
		}
	})
}
