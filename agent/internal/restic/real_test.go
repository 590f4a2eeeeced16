package restic

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// lab runs the pinned restic with what Command and Env make.
type lab struct {
	t            *testing.T
	dir, program string
}

func newLab(t *testing.T) lab {
	t.Helper()
	l := lab{t: t, dir: t.TempDir(), program: sharedtest.Restic(t)}
	l.write("password", "secret password")
	l.write("repository", l.path("repo"))
	return l
}

func (l lab) path(parts ...string) string {
	return filepath.Join(append([]string{l.dir}, parts...)...)
}

func (l lab) write(name, text string) {
	l.t.Helper()
	path := l.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		l.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l lab) spec(kind fleet.JobKind) fleet.JobSpec {
	s := jobSpec(kind)
	s.Repository.URL = l.path("repo")
	return s
}

// run does a step and gives its outcome and standard output.
func (l lab) run(in CommandInput) (fleet.Outcome, []byte) {
	l.t.Helper()
	if in.Step == "" {
		in.Step = StepJob
	}
	args, err := Command(in)
	if err != nil {
		l.t.Fatal(err)
	}
	env := Env(EnvInput{Home: l.dir, CacheDir: l.path("cache"), TempDir: l.dir, Path: os.Getenv("PATH"), PasswordFile: l.path("password"), RepositoryFile: l.path("repository"), ProgressFPS: 10})
	ctx, cancel := context.WithTimeout(l.t.Context(), time.Minute)
	defer cancel()
	res, err := proc.Run(ctx, proc.Command{Path: l.program, Args: args, Env: env, Dir: l.dir}, proc.RunOptions{})
	if err != nil {
		l.t.Fatal(err)
	}
	kind := in.Spec.Kind
	if in.Step == StepTest {
		kind = KindTest
	}
	d := NewDecoder(kind, time.Now)
	for stream, text := range map[fleet.LogStream][]byte{fleet.StreamOut: res.Stdout, fleet.StreamErr: res.Stderr} {
		for line := range strings.Lines(string(text)) {
			d.Line(stream, strings.TrimSuffix(line, "\n"))
		}
	}
	o := d.Outcome(Exit{Code: res.Exit.Code, Signal: res.Exit.Signal})
	if o.State != fleet.StateSucceeded {
		l.t.Logf("restic %q: %s: %s\n%s%s", args, o.State, o.Message, res.Stdout, res.Stderr)
	}
	return o, res.Stdout
}

func (l lab) want(what string, o fleet.Outcome, state fleet.JobState, reason fleet.Reason) {
	l.t.Helper()
	if o.State != state || o.Reason != reason {
		l.t.Errorf("%s: %s %q %s, want %s %q", what, o.State, o.Reason, o.Message, state, reason)
	}
}

// TestRealRestic takes every kind of job through the pinned restic: it accepts each flag and says what the decoder expects.
func TestRealRestic(t *testing.T) {
	l := newLab(t)
	path, version, err := Find(t.Context(), l.program, nil, func(ctx context.Context, path string, args ...string) ([]byte, error) {
		res, err := proc.Run(ctx, proc.Command{Path: path, Args: args}, proc.RunOptions{})
		return res.Stdout, err
	})
	if err != nil || path != l.program || older(version, Minimum) {
		t.Fatalf("%s, %s, %v", path, version, err)
	}

	o, _ := l.run(CommandInput{Spec: l.spec(fleet.KindSnapshots)})
	l.want("before init", o, fleet.StateFailed, fleet.ReasonNoRepository)
	o, _ = l.run(CommandInput{Spec: l.spec(fleet.KindInit)})
	l.want("init", o, fleet.StateSucceeded, "")
	resticID := o.Summary.Init.ResticID
	o, _ = l.run(CommandInput{Spec: l.spec(fleet.KindInit)})
	l.want("init again", o, fleet.StateFailed, fleet.ReasonRepositoryExists)
	o, _ = l.run(CommandInput{Spec: l.spec(fleet.KindInit), Step: StepTest})
	l.want("test", o, fleet.StateSucceeded, "")
	if o.Summary == nil || o.Summary.Init.ResticID != resticID || !hexID(resticID) {
		t.Errorf("test tells %s, init %s", asJSON(o.Summary), resticID)
	}

	snapshot := l.backup()
	l.restore(snapshot)

	for _, share := range []string{"", "50%"} {
		s := l.spec(fleet.KindCheck)
		s.Check.ReadData = share
		o, _ = l.run(CommandInput{Spec: s})
		l.want("check "+share, o, fleet.StateSucceeded, "")
	}
	o, _ = l.run(CommandInput{Spec: l.spec(fleet.KindUnlock)})
	l.want("unlock", o, fleet.StateSucceeded, "")
	o, out := l.run(CommandInput{Spec: l.spec(fleet.KindUnlock), Step: StepListLocks})
	l.want("list locks", o, fleet.StateSucceeded, "")
	if len(bytes.TrimSpace(out)) != 0 {
		t.Errorf("locks: %s", out)
	}

	l.write("password", "another one")
	o, _ = l.run(CommandInput{Spec: l.spec(fleet.KindSnapshots)})
	l.want("wrong password", o, fleet.StateFailed, fleet.ReasonWrongPassword)
}

func (l lab) backup() fleet.SnapshotID {
	for _, name := range []string{"a[1]*?.txt", "a1x.txt", "a[1].txt", "plain.txt", "skip.tmp", `back\slash.txt`, "sub/-dash"} {
		if runtime.GOOS == "windows" && strings.ContainsAny(name, `*?\`) {
			continue
		}
		l.write(filepath.Join("src", filepath.FromSlash(name)), "content of "+name)
	}
	s := l.spec(fleet.KindBackup)
	s.PlanID = "p1"
	s.Backup = &fleet.BackupSpec{Paths: []string{l.path("src"), l.path("missing")}, Excludes: []string{"*.tmp", "-x"}, Tags: []string{"a b", "-t"}, ExcludeCaches: true, OneFileSystem: true, Verbose: true}
	o, out := l.run(CommandInput{Spec: s})
	l.want("backup with a missing path", o, fleet.StateWarning, fleet.ReasonSourceUnreadable)
	if !slices.Equal(o.Unreadable, []string{l.path("missing")}) || !bytes.Contains(out, []byte(`"action":"new"`)) || bytes.Contains(out, []byte("skip.tmp")) {
		l.t.Errorf("unreadable %q, output\n%s", o.Unreadable, out)
	}
	s.Backup.Paths = s.Backup.Paths[:1]
	o, _ = l.run(CommandInput{Spec: s})
	l.want("backup", o, fleet.StateSucceeded, "")
	o2, out := l.run(CommandInput{Spec: l.spec(fleet.KindSnapshots)})
	l.want("snapshots", o2, fleet.StateSucceeded, "")
	list, err := ParseSnapshots(bytes.NewReader(out), "r1")
	if err != nil || len(list) != 2 || o2.Summary.Snapshots != 2 {
		l.t.Fatalf("%v, %v, %s", list, err, asJSON(o2.Summary))
	}
	last := list[1]
	if last.ID != o.Summary.Backup.SnapshotID || last.JobID != "01J" || !slices.Equal(last.Tags, []string{"job:01J", "plan:p1", "a b", "-t"}) || !slices.Equal(last.Paths, []string{l.path("src")}) ||
		last.FilesProcessed != o.Summary.Backup.TotalFilesProcessed {
		l.t.Errorf("got %s, backup said %s", asJSON(last), asJSON(o.Summary))
	}
	return last.ID
}

// inSnapshot gives the path that restic stores a file of this system under.
func inSnapshot(path string) string {
	if vol := filepath.VolumeName(path); vol != "" {
		path = "/" + strings.TrimSuffix(vol, ":") + path[len(vol):]
	}
	return filepath.ToSlash(path)
}

func (l lab) restore(id fleet.SnapshotID) {
	names := []string{"a[1].txt"}
	if runtime.GOOS != "windows" {
		names = append(names, "a[1]*?.txt", `back\slash.txt`)
	}
	s := l.spec(fleet.KindRestore)
	s.Restore.SnapshotID = id[:8]
	for _, name := range names {
		s.Restore.Includes = append(s.Restore.Includes, inSnapshot(l.path("src"))+"/"+name)
	}
	target := l.path("out")
	o, _ := l.run(CommandInput{Spec: s, Target: target})
	l.want("restore", o, fleet.StateSucceeded, "")
	entries, err := os.ReadDir(filepath.Join(target, filepath.FromSlash(inSnapshot(l.path("src")))))
	if err != nil {
		l.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	slices.Sort(names)
	if !slices.Equal(got, names) {
		l.t.Errorf("an include is a path and no pattern: restored %q, want %q", got, names)
	}

	s.Restore.Includes = []string{inSnapshot(l.path("src")) + "/not there"}
	o, _ = l.run(CommandInput{Spec: s, Target: l.path("out1")})
	l.want("restore of a path that the snapshot does not hold", o, fleet.StateFailed, fleet.ReasonSourceMissing)

	s.Restore.SnapshotID = "00000000"
	o, _ = l.run(CommandInput{Spec: s, Target: l.path("out2")})
	l.want("restore of nothing", o, fleet.StateFailed, fleet.ReasonUnknownSnapshot)

	// Should the folder not be empty after all, nothing in it is touched.
	s.Restore.SnapshotID, s.Restore.Includes = id, nil
	l.write(filepath.Join("full", filepath.FromSlash(strings.TrimPrefix(inSnapshot(l.path("src")), "/")), "plain.txt"), "mine")
	o, _ = l.run(CommandInput{Spec: s, Target: l.path("full")})
	l.want("restore over a file", o, fleet.StateSucceeded, "")
	b, err := os.ReadFile(filepath.Join(l.path("full"), filepath.FromSlash(inSnapshot(l.path("src"))), "plain.txt"))
	if err != nil || string(b) != "mine" {
		l.t.Errorf("a file that was there is now %q, %v", b, err)
	}
	if r := o.Summary.Restore; r.FilesSkipped == 0 || r.FilesRestored == 0 {
		l.t.Errorf("got %s", asJSON(r))
	}
}

// An include on Windows may not have a backslash: there restic takes it for a separator.
func TestRestoreIncludeWithBackslash(t *testing.T) {
	s := jobSpec(fleet.KindRestore)
	s.Restore.Includes = []string{`/a\b`}
	_, err := Command(CommandInput{Spec: s, Step: StepJob, Target: rooted("/x")})
	want := fault.Code("")
	if runtime.GOOS == "windows" {
		want = fault.InvalidPath
	}
	if fault.CodeOf(err) != want {
		t.Errorf("%v, want %q", err, want)
	}
}
