package restic

import (
	"encoding/json"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// rooted makes an absolute path of this system.
func rooted(p string) string {
	if runtime.GOOS == "windows" {
		return "C:" + p
	}
	return p
}

func jobSpec(kind fleet.JobKind) fleet.JobSpec {
	s := fleet.JobSpec{JobID: "01J", Kind: kind, Repository: fleet.RepositorySpec{ID: "r1", URL: "rest:https://h/x"}}
	switch kind {
	case fleet.KindBackup:
		s.Backup = &fleet.BackupSpec{Paths: []string{rooted("/srv")}}
	case fleet.KindRestore:
		s.Restore = &fleet.RestoreSpec{SnapshotID: "0123abcd"}
	case fleet.KindCheck:
		s.Check = &fleet.CheckSpec{}
	}
	return s
}

func TestCommands(t *testing.T) {
	full := jobSpec(fleet.KindBackup)
	full.PlanID = "p:1"
	full.Repository.Options = map[string]string{"rest.connections": "9"}
	full.Backup = &fleet.BackupSpec{Paths: []string{rooted("/-x"), rooted("/etc")}, Excludes: []string{"-y", "*.tmp"}, Tags: []string{"-z", "a b"},
		ExcludeCaches: true, OneFileSystem: true, Verbose: true}
	restore := jobSpec(fleet.KindRestore)
	restore.Restore.Includes = []string{"/etc", "/a[1]*?.txt"}
	s3 := jobSpec(fleet.KindInit)
	s3.Repository.URL, s3.Repository.Options = "s3:h/bucket", map[string]string{"s3.region": "eu", "s3.connections": "7", "s3.bucket-lookup": "path"}
	all, part := jobSpec(fleet.KindCheck), jobSpec(fleet.KindCheck)
	all.Check.ReadData, part.Check.ReadData = "all", "1/7"
	target, ca := rooted("/var/lib/restore/01J"), rooted("/var/lib/ca.pem")
	tests := []struct {
		name string
		in   CommandInput
		want []string
	}{
		{"init", CommandInput{Spec: jobSpec(fleet.KindInit), Step: StepJob}, []string{"init", "--json"}},
		{"backup", CommandInput{Spec: jobSpec(fleet.KindBackup), Step: StepJob}, []string{"backup", "--json", "--retry-lock=15s", "--tag=job:01J", "--", rooted("/srv")}},
		{"backup with all", CommandInput{Spec: full, Step: StepJob, CACertFile: ca}, []string{"backup", "--json", "--retry-lock=15s", "--tag=job:01J", "--tag=plan:p:1", "--tag=-z", "--tag=a b",
			"--exclude=-y", "--exclude=*.tmp", "--exclude-caches", "--one-file-system", "--verbose=2", "--option=rest.connections=9", "--cacert=" + ca, "--", rooted("/-x"), rooted("/etc")}},
		{"snapshots", CommandInput{Spec: jobSpec(fleet.KindSnapshots), Step: StepJob}, []string{"snapshots", "--json", "--retry-lock=15s"}},
		{"check", CommandInput{Spec: jobSpec(fleet.KindCheck), Step: StepJob}, []string{"check", "--retry-lock=15s", "--json"}},
		{"check all data", CommandInput{Spec: all, Step: StepJob}, []string{"check", "--retry-lock=15s", "--read-data"}},
		{"check a part", CommandInput{Spec: part, Step: StepJob}, []string{"check", "--retry-lock=15s", "--read-data-subset=1/7"}},
		{"unlock", CommandInput{Spec: jobSpec(fleet.KindUnlock), Step: StepJob}, []string{"unlock"}},
		{"restore", CommandInput{Spec: restore, Step: StepJob, Target: target}, []string{"restore", "--json", "--retry-lock=15s", "--target=" + target, "--overwrite=never",
			"--include=/etc", "--include=/a[[]1][*][?].txt", "--", "0123abcd"}},
		{"options in order", CommandInput{Spec: s3, Step: StepJob}, []string{"init", "--json", "--option=s3.bucket-lookup=path", "--option=s3.connections=7", "--option=s3.region=eu"}},
		{"unlock step", CommandInput{Spec: full, Step: StepUnlock, CACertFile: ca}, []string{"unlock", "--option=rest.connections=9", "--cacert=" + ca}},
		{"list locks", CommandInput{Spec: restore, Step: StepListLocks}, []string{"list", "locks", "--no-lock"}},
		{"saved", CommandInput{Spec: full, Step: StepSaved, CACertFile: ca}, []string{"snapshots", "--json", "--no-lock", "--tag=job:01J", "--option=rest.connections=9", "--cacert=" + ca}},
		{"test", CommandInput{Spec: fleet.JobSpec{Repository: full.Repository}, Step: StepTest}, []string{"cat", "config", "--json", "--no-lock", "--option=rest.connections=9"}},
	}
	for _, tt := range tests {
		got, err := Command(tt.in)
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %q, %v\nwant %q", tt.name, got, err, tt.want)
		}
		again, _ := Command(tt.in)
		if !slices.Equal(got, again) {
			t.Errorf("%s: another time %q", tt.name, again)
		}
	}
	if len(full.Backup.Paths) != 2 || full.Backup.Paths[0] != rooted("/-x") {
		t.Error("the specification was changed")
	}
}

func TestCommandRefuses(t *testing.T) {
	bad := func(kind fleet.JobKind, change func(*CommandInput)) CommandInput {
		in := CommandInput{Spec: jobSpec(kind), Step: StepJob}
		if kind == fleet.KindRestore {
			in.Target = rooted("/restore/x")
		}
		change(&in)
		return in
	}
	tests := []struct {
		name string
		in   CommandInput
		code fault.Code
	}{
		{"no step", bad(fleet.KindInit, func(in *CommandInput) { in.Step = "" }), fault.Internal},
		{"no kind", bad(fleet.KindInit, func(in *CommandInput) { in.Spec.Kind = "prune" }), fault.InvalidInput},
		{"bad URL", bad(fleet.KindInit, func(in *CommandInput) { in.Spec.Repository.URL = "rclone::x,y:z" }), fault.InvalidRepositoryURL},
		{"bad URL of a step", bad(fleet.KindInit, func(in *CommandInput) { in.Step, in.Spec.Repository.URL = StepUnlock, "sftp:-oX:/x" }), fault.InvalidRepositoryURL},
		{"no job to look for", bad(fleet.KindBackup, func(in *CommandInput) { in.Step, in.Spec.JobID = StepSaved, "x,y" }), fault.InvalidInput},
		{"program as option", bad(fleet.KindInit, func(in *CommandInput) {
			in.Step, in.Spec.Repository.URL, in.Spec.Repository.Options = StepTest, "sftp:h:x", map[string]string{"sftp.command": "touch x"}
		}), fault.InvalidInput},
		{"option by a comma", bad(fleet.KindInit, func(in *CommandInput) {
			in.Spec.Repository.URL, in.Spec.Repository.Options = "s3:h/bucket", map[string]string{"s3.region": "x,sftp.command=touch y"}
		}), fault.InvalidInput},
		{"relative path", bad(fleet.KindBackup, func(in *CommandInput) { in.Spec.Backup.Paths = []string{"--password-command=x"} }), fault.InvalidPath},
		{"forged tag", bad(fleet.KindBackup, func(in *CommandInput) { in.Spec.Backup.Tags = []string{"x,job:y"} }), fault.InvalidInput},
		{"latest", bad(fleet.KindRestore, func(in *CommandInput) { in.Spec.Restore.SnapshotID = "latest" }), fault.UnknownSnapshot},
		{"restore to nowhere", bad(fleet.KindRestore, func(in *CommandInput) { in.Target = "" }), fault.InvalidPath},
		{"restore to a relative folder", bad(fleet.KindRestore, func(in *CommandInput) { in.Target = "x" }), fault.InvalidPath},
		{"backup with a target", bad(fleet.KindBackup, func(in *CommandInput) { in.Target = rooted("/x") }), fault.InvalidPath},
		{"unlock with a target", bad(fleet.KindRestore, func(in *CommandInput) { in.Step = StepUnlock }), fault.InvalidPath},
		{"relative CA file", bad(fleet.KindInit, func(in *CommandInput) { in.CACertFile = "ca.pem" }), fault.InvalidPath},
		{"two CA files by a comma", bad(fleet.KindInit, func(in *CommandInput) { in.CACertFile = rooted("/x,/etc/passwd") }), fault.InvalidPath},
		{"CA file with a quote", bad(fleet.KindInit, func(in *CommandInput) { in.CACertFile = rooted(`/x"`) }), fault.InvalidPath},
	}
	for _, tt := range tests {
		argv, err := Command(tt.in)
		if argv != nil || fault.CodeOf(err) != tt.code {
			t.Errorf("%s: %q, %v, want code %s", tt.name, argv, err, tt.code)
		}
		if msg, ok := fault.Message(err); !ok || !strings.HasSuffix(msg, ".") {
			t.Errorf("%s: no sentence: %v", tt.name, err)
		}
	}
}

// The table itself: what must never be in it, and what it must refuse whatever the domain let through.
func TestFlagTable(t *testing.T) {
	for _, f := range flags {
		for _, part := range []string{"command", "exclude-file", "include-file", "-from", "password", "repo", "insecure", "key", "stdin", "delete", "remove-all", "tls-client", "limit", "profile"} {
			if strings.Contains(f.name, part) {
				t.Errorf("%s is in the table", f.name)
			}
		}
		if !regexp.MustCompile(`^--[a-z]+(-[a-z]+)*$`).MatchString(f.name) {
			t.Errorf("%q is no long flag", f.name)
		}
		if f.value != nil && (f.value("") || f.value("a\nb") || f.value("a\x00b")) {
			t.Errorf("%s takes nothing, a line break or a NUL", f.name)
		}
	}
	for _, s := range []string{"", "--", "-r", "--repo=/x", "--json=true", "--tag", "--tag=", "--tag=a,b", "--option=sftp.command=x", "--option=sftp.args=x", "--option=rclone.program=x",
		"--option=s3.region=a,b", "--option=s3.region", "--option=s3.region=", "--overwrite=always", "--target=x", "--cacert=x", "--include=x", "--retry-lock=1h", "--verbose=9", "--unknown=x", "json"} {
		if allowedFlag(s) {
			t.Errorf("%q is allowed", s)
		}
	}
}

// grammar is what may stand before "--", written apart from the table that makes it.
var grammar = regexp.MustCompile(`(?s)^(init|backup|snapshots|check|unlock|restore|list|locks|cat|config|--json|--no-lock|--exclude-caches|--one-file-system|--read-data|--verbose=2|--overwrite=never|--retry-lock=15s` +
	`|--read-data-subset=[0-9./%]+|--tag=[^,\x00-\x1f]+|--exclude=[^\x00\n]+|--include=/[^\x00\n]*|--target=(/|[A-Za-z]:).*|--cacert=(/|[A-Za-z]:)[^,"]*` +
	`|--option=(local|rest|s3|sftp|rclone)\.(connections|region|bucket-lookup|storage-class|list-objects-v1)=[A-Za-z0-9_-]+)$`)

func inGrammar(argv []string) string {
	i := slices.Index(argv, "--")
	if i < 0 {
		i = len(argv)
	}
	for _, a := range argv[:i] {
		if !grammar.MatchString(a) {
			return a
		}
	}
	if len(argv) == 0 || strings.HasPrefix(argv[0], "-") {
		return "(no command)"
	}
	return ""
}

func FuzzArgv(f *testing.F) {
	add := func(s fleet.JobSpec) {
		b, err := json.Marshal(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, rooted("/restore/x"), rooted("/ca.pem"))
	}
	for _, k := range fleet.JobKinds {
		add(jobSpec(k))
	}
	s := jobSpec(fleet.KindBackup)
	s.PlanID = "p1"
	s.Backup = &fleet.BackupSpec{Paths: []string{"/-x", "/etc"}, Excludes: []string{"--password-command=touch x"}, Tags: []string{"--repo=x"}, ExcludeCaches: true, OneFileSystem: true, Verbose: true}
	s.Repository = fleet.RepositorySpec{ID: "r", URL: "sftp:u@h:/x", Options: map[string]string{"sftp.connections": "3"}}
	add(s)
	s.Repository.Options = map[string]string{"sftp.command": "touch x"}
	add(s)
	s.Repository = fleet.RepositorySpec{ID: "r", URL: "s3:h/bucket", Options: map[string]string{"s3.region": "x,sftp.command=touch y"}}
	add(s)
	s = jobSpec(fleet.KindRestore)
	s.Restore.Includes = []string{"/a*[x]?", `/a\b`, "/--target=/"}
	add(s)
	f.Fuzz(func(t *testing.T, raw []byte, target, ca string) {
		var spec fleet.JobSpec
		if json.Unmarshal(raw, &spec) != nil {
			return
		}
		for _, step := range []Step{StepJob, StepUnlock, StepListLocks, StepTest, StepSaved} {
			in := CommandInput{Spec: spec, Step: step, CACertFile: ca}
			if step == StepJob && spec.Kind == fleet.KindRestore {
				in.Target = target
			}
			argv, err := Command(in)
			if err != nil {
				if code := fault.CodeOf(err); code == fault.Internal || argv != nil {
					t.Fatalf("%s: %q, %v", raw, argv, err)
				}
				continue
			}
			if out := inGrammar(argv); out != "" {
				t.Fatalf("%s: %q leaves the grammar in %q", raw, out, argv)
			}
			checkOperands(t, spec, step, argv)
		}
	})
}

func checkOperands(t *testing.T, spec fleet.JobSpec, step Step, argv []string) {
	var want []string
	if step == StepJob && spec.Kind == fleet.KindBackup {
		want = spec.Backup.Paths
	}
	if step == StepJob && spec.Kind == fleet.KindRestore {
		want = []string{string(spec.Restore.SnapshotID)}
	}
	var got []string
	if i := slices.Index(argv, "--"); i >= 0 {
		got = argv[i+1:]
	}
	if !slices.Equal(got, want) {
		t.Fatalf("operands %q, want %q", got, want)
	}
	for _, a := range got {
		if strings.HasPrefix(a, "-") {
			t.Fatalf("operand %q", a)
		}
	}
}
