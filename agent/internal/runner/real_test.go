package runner_test

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// byHand runs restic as a person would, beside Backstay.
func (h *host) byHand(args ...string) string {
	h.t.Helper()
	cmd := exec.Command(h.restic, args...)
	cmd.Env = []string{"RESTIC_PASSWORD=" + password, "RESTIC_REPOSITORY=" + h.url, "HOME=" + h.dir, "RESTIC_CACHE_DIR=" + filepath.Join(h.dir, "cache")}
	out, err := cmd.CombinedOutput()
	if err != nil {
		h.t.Fatalf("restic %v: %v\n%s", args, err, out)
	}
	return string(out)
}

func (a *agent) succeed(spec fleet.JobSpec) fleet.Outcome {
	a.t.Helper()
	a.run(spec)
	end := a.ended(spec.JobID).Outcome
	if end.State != fleet.StateSucceeded {
		a.t.Fatalf("%s: %+v\n%v", spec.JobID, end, a.log(spec.JobID))
	}
	return end
}

func TestEveryKindWithRestic(t *testing.T) {
	h := realHost(t)
	a := h.agent()
	if end := a.succeed(h.spec("init", fleet.KindInit)); end.Summary == nil || end.Summary.Init == nil || end.Summary.Init.ResticID == "" {
		t.Fatalf("%+v", end)
	}
	end := a.succeed(h.spec("backup", fleet.KindBackup))
	if end.Summary == nil || end.Summary.Backup == nil || end.Summary.Backup.SnapshotID == "" {
		t.Fatalf("%+v", end)
	}
	id := end.Summary.Backup.SnapshotID
	if out := h.byHand("snapshots", "--tag", "job:backup", "--json"); !strings.Contains(out, string(id)) {
		t.Fatalf("the snapshot is not tagged with its job: %s", out)
	}
	a.succeed(h.spec("snapshots", fleet.KindSnapshots))
	list, ok, err := a.open("snapshots").Snapshots()
	if err != nil || !ok || len(list) != 1 || list[0].ID != id || list[0].JobID != "backup" {
		t.Fatalf("%+v %v %v", list, ok, err)
	}
	if _, ok, err := a.open("backup").Snapshots(); ok || err != nil {
		t.Fatal("a backup lists snapshots", err)
	}
	a.succeed(h.spec("check", fleet.KindCheck))
	if said := notes(a.log("check")); !strings.Contains(said, "restic unlock") {
		t.Fatalf("a check without an unlock before: %s", said)
	}
	a.succeed(h.spec("unlock", fleet.KindUnlock))

	restore := h.spec("restore", fleet.KindRestore)
	restore.Restore = &fleet.RestoreSpec{SnapshotID: id, Folder: "fresh"}
	end = a.succeed(restore)
	target := filepath.Join(h.dir, "restore", "fresh")
	if end.Summary == nil || end.Summary.Restore == nil || end.Summary.Restore.Target != target {
		t.Fatalf("%+v", end.Summary)
	}
	got, err := os.ReadFile(filepath.Join(target, h.source(), "file"))
	if err != nil || string(got) != "content" {
		t.Fatalf("%q, err %v", got, err)
	}
	// Nothing is ever overwritten: the same folder again is refused, and stays as it is.
	restore.JobID = "restore-again"
	a.run(restore)
	if end := a.ended(restore.JobID).Outcome; end.State != fleet.StateFailed || end.Reason != fleet.ReasonInvalidJob || !strings.Contains(end.Message, "fresh") {
		t.Fatalf("%+v", end)
	}
}

// TestRestoreOfPathsThatTheSnapshotDoesNotHold: restic is silent about them; the outcome names them.
func TestRestoreOfPathsThatTheSnapshotDoesNotHold(t *testing.T) {
	h := realHost(t)
	src := h.source()
	if err := os.Symlink(src, filepath.Join(src, "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(src, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	a := h.agent()
	a.succeed(h.spec("init", fleet.KindInit))
	id := a.succeed(h.spec("backup", fleet.KindBackup)).Summary.Backup.SnapshotID
	for name, c := range map[string]struct {
		includes, lost []string
		state          fleet.JobState
		reason         fleet.Reason
		say            string
	}{
		"there":   {[]string{src + "/file", src + "/empty", src + "/link"}, nil, fleet.StateSucceeded, "", ""},
		"some":    {[]string{src + "/file", src + "/gone", src + "/file/below", src + "/link/file", src + "/gone"}, []string{src + "/gone", src + "/file/below", src + "/link/file"}, fleet.StateWarning, fleet.ReasonSourceMissing, "All was restored but 3 paths"},
		"one":     {[]string{src, "/nowhere"}, []string{"/nowhere"}, fleet.StateWarning, fleet.ReasonSourceMissing, "All was restored but 1 path that the snapshot does not hold (/nowhere). Give"},
		"through": {[]string{src + "/link", src + "/link/file"}, []string{src + "/link/file"}, fleet.StateWarning, fleet.ReasonSourceMissing, "(" + src + "/link/file)"},
		"none":    {[]string{"/nowhere", src + "/gone"}, []string{"/nowhere", src + "/gone"}, fleet.StateFailed, fleet.ReasonSourceMissing, "Nothing was restored: the snapshot holds none of the paths that were asked for (/nowhere, " + src + "/gone)."},
	} {
		spec := h.spec(fleet.JobID(name), fleet.KindRestore)
		spec.Restore = &fleet.RestoreSpec{SnapshotID: id, Folder: name, Includes: c.includes}
		a.run(spec)
		end := a.ended(spec.JobID).Outcome
		if end.State != c.state || end.Reason != c.reason || !slices.Equal(end.Unreadable, c.lost) || end.Errors != int64(len(c.lost)) || !strings.Contains(end.Message, c.say) {
			t.Errorf("%s: %+v\n%v", name, end, a.log(spec.JobID))
		}
	}
}

func TestRestoreIntoALinkIsRefused(t *testing.T) {
	h := realHost(t)
	a := h.agent()
	elsewhere := t.TempDir()
	if err := os.MkdirAll(filepath.Join(h.dir, "restore"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(h.dir, "restore", "link")); err != nil {
		t.Fatal(err)
	}
	s := h.spec("job", fleet.KindRestore)
	s.Restore = &fleet.RestoreSpec{SnapshotID: fleet.SnapshotID(strings.Repeat("a", 64)), Folder: "link"}
	a.run(s)
	if end := a.ended("job").Outcome; end.State != fleet.StateFailed || end.Reason != fleet.ReasonInvalidJob {
		t.Fatalf("%+v", end)
	}
}

// TestCancelledBackupLeavesNoLock cancels a real backup over a real rest-server in its middle.
func TestCancelledBackupLeavesNoLock(t *testing.T) {
	server := sharedtest.StartRestServer(t)
	h := realHost(t)
	h.url, h.caCert = server.URL, server.CACert
	h.creds.REST = &secret.RESTCredentials{User: server.User, Password: secret.New(server.Password)}
	a := h.agent()
	a.succeed(h.spec("init", fleet.KindInit))
	big := make([]byte, 300<<20)
	if _, err := rand.Read(big); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(h.source(), "big"), big, 0o600); err != nil {
		t.Fatal(err)
	}
	a.run(h.spec("job", fleet.KindBackup))
	j := a.open("job")
	a.await(j, "bytes are read", func() bool {
		p, ok := j.Progress()
		_, ended := j.Finished()
		return ended || ok && p.BytesDone > 0
	})
	locks := filepath.Join(server.Dir, "locks")
	if names, err := os.ReadDir(locks); err != nil || len(names) == 0 {
		t.Fatalf("no lock while it runs: %v %v", names, err)
	}
	a.cancel("job")
	end := a.ended("job").Outcome
	wantCancelled(t, end)
	if names, err := os.ReadDir(locks); err != nil || len(names) != 0 {
		t.Fatalf("locks left: %v %v\n%s", names, err, notes(a.log("job")))
	}
	a.succeed(h.spec("check", fleet.KindCheck))
}

func TestFailuresOfRestic(t *testing.T) {
	h := realHost(t)
	a := h.agent()
	fails := func(id fleet.JobID, reason fleet.Reason) {
		t.Helper()
		a.run(h.spec(id, fleet.KindBackup))
		if end := a.ended(id).Outcome; end.State != fleet.StateFailed || end.Reason != reason || end.Message == "" {
			t.Fatalf("%+v", end)
		}
	}
	fails("no-repository", fleet.ReasonNoRepository)
	a.succeed(h.spec("init", fleet.KindInit))
	h.creds.Password = secret.New("another")
	fails("wrong-password", fleet.ReasonWrongPassword)
}

func TestTestOfARepository(t *testing.T) {
	h := realHost(t)
	a := h.agent()
	test := func() fleet.Outcome {
		t.Helper()
		o, err := a.Test(t.Context(), h.repository("repo"))
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	if o := test(); o.State != fleet.StateFailed || o.Reason != fleet.ReasonNoRepository {
		t.Fatalf("%+v", o)
	}
	a.succeed(h.spec("init", fleet.KindInit))
	if o := test(); o.State != fleet.StateSucceeded || o.Summary == nil || o.Summary.Init == nil || o.Summary.Init.ResticID == "" {
		t.Fatalf("%+v", o)
	}
	h.creds.Password = secret.New("another")
	if o := test(); o.State != fleet.StateFailed || o.Reason != fleet.ReasonWrongPassword {
		t.Fatalf("%+v", o)
	}
	names, err := os.ReadDir(h.jobsDir())
	if err != nil || slices.ContainsFunc(names, func(d os.DirEntry) bool { return strings.HasPrefix(d.Name(), ".") }) {
		t.Fatalf("left behind: %v %v", names, err)
	}
}
