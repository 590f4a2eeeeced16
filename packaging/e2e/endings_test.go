//go:build !windows

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// nobody is the account of Debian's "nobody": any account that is not root's does.
const nobody = 65534

func TestUnreadableFileIsAWarningThatNamesIt(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("needs root, to run the agent as another account")
	}
	f := newFleet(t, options{agentUID: nobody})
	src := filepath.Join(f.dir, "src")
	secretFile := filepath.Join(src, "private.txt")
	for _, err := range []error{os.Mkdir(src, 0o755), os.WriteFile(filepath.Join(src, "a.txt"), []byte("a"), 0o644), os.WriteFile(secretFile, []byte("b"), 0o600)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	f.localRepository("local", repositoryPassword)
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "local", Paths: []string{src}})
	done := f.await(job.ID)
	f.wantState(done, fleet.StateWarning)
	if !slices.Contains(done.Outcome.Unreadable, secretFile) || done.Outcome.Reason != fleet.ReasonSourceUnreadable {
		t.Fatalf("outcome does not name %s: %+v", secretFile, done.Outcome)
	}
	if *done.Outcome.ExitCode != 3 || done.Outcome.Summary.Backup.SnapshotID == "" {
		t.Fatalf("outcome %+v", done.Outcome)
	}
}

// localRepository makes and creates a repository in a folder of the agent's.
func (f *fleetOf) localRepository(name, password string) fleet.Repository {
	f.t.Helper()
	dir := filepath.Join(f.dir, "repositories")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		f.t.Fatal(err)
	}
	if f.opts.agentUID != 0 {
		if err := os.Chown(dir, int(f.opts.agentUID), int(f.opts.agentUID)); err != nil {
			f.t.Fatal(err)
		}
	}
	return f.repository(name, filepath.Join(dir, name), "", secret.Credentials{Password: secret.New(password)}, true)
}

func TestWrongPasswordSaysSo(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{})
	r := f.localRepository("local", repositoryPassword)
	f.putSecret(r.ID, secret.Credentials{Password: secret.New("not this one")})
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "local", Paths: []string{f.dir + "/repositories"}})
	done := f.await(job.ID)
	f.wantState(done, fleet.StateFailed)
	if done.Outcome.Reason != fleet.ReasonWrongPassword || *done.Outcome.ExitCode != 12 || !strings.Contains(strings.ToLower(done.Outcome.Message), "password") {
		t.Fatalf("outcome %+v", done.Outcome)
	}
	result, err := f.client.TestRepository(t.Context(), "local", f.host.ID)
	if err != nil || result.OK || result.Reason != fleet.ReasonWrongPassword {
		t.Fatalf("test of the repository: %+v, err %v", result, err)
	}
}

func TestNoRepositoryAndNoSecret(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{})
	f.repository("missing", filepath.Join(f.dir, "nowhere"), "", secret.Credentials{Password: secret.New(repositoryPassword)}, false)
	done := f.await(f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "missing", Paths: []string{f.dir}}).ID)
	if done.State != fleet.StateFailed || done.Outcome.Reason != fleet.ReasonNoRepository {
		t.Fatalf("outcome %+v", done.Outcome)
	}
	if _, err := f.client.AddRepository(t.Context(), api.RepositoryRequest{Name: "mute", URL: filepath.Join(f.dir, "mute")}); err != nil {
		t.Fatal(err)
	}
	done = f.await(f.run(api.JobRequest{Kind: fleet.KindInit, Repository: "mute"}).ID)
	if done.State != fleet.StateFailed || done.Outcome.Reason != fleet.ReasonNoSecret {
		t.Fatalf("outcome %+v", done.Outcome)
	}
}

func TestCancelInMidBackup(t *testing.T) {
	t.Parallel()
	server := sharedtest.StartRestServer(t)
	f := newFleet(t, options{})
	f.repository("nas", server.URL, server.CACert, secret.Credentials{Password: secret.New(repositoryPassword),
		REST: &secret.RESTCredentials{User: server.User, Password: secret.New(server.Password)}}, true)
	src := filepath.Join(f.dir, "big")
	if err := os.Mkdir(src, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if err := os.WriteFile(filepath.Join(src, fmt.Sprintf("%02d.bin", i)), pseudoRandom(uint64(i)+7, 16<<20), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "nas", Paths: []string{src}})
	f.awaitState(job.ID, time.Minute, func(s fleet.JobState) bool { return s == fleet.StateRunning })
	sharedtest.Eventually(t, time.Minute, "restic holds a lock", func() bool { return len(locks(t, server)) > 0 })
	asked, err := f.client.CancelJob(t.Context(), job.ID)
	if err != nil || !asked.CancelRequested {
		t.Fatalf("cancel: %+v, err %v", asked, err)
	}
	done := f.await(job.ID)
	f.wantState(done, fleet.StateCancelled)
	if done.Outcome.ExitCode == nil || *done.Outcome.ExitCode != 130 {
		t.Fatalf("restic's exit code is not kept: %+v", done.Outcome)
	}
	if left := locks(t, server); len(left) != 0 {
		t.Fatalf("locks are left: %v", left)
	}
	if _, err := f.client.CancelJob(t.Context(), job.ID); fault.CodeOf(err) != fault.JobEnded {
		t.Fatalf("cancel of an ended job: %v", err)
	}
	f.wantState(f.await(f.run(api.JobRequest{Kind: fleet.KindCheck, Repository: "nas"}).ID), fleet.StateSucceeded)
}

// locks are the files in the locks folder of a rest-server's one repository.
func locks(t testing.TB, server *sharedtest.RestServer) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(server.Dir, "locks", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCancelWhileTheAgentIsCutOff(t *testing.T) {
	t.Parallel()
	listen := freeAddress(t)
	cut := newCutter(t, listen)
	f, src := fakeFleetBehind(t, cut, listen, `{"lines":1000000,"lines_per_sec":500}`)
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
	f.awaitLines(job.ID, 50)
	cut.refuse(true)
	f.waitOnline(false)
	if _, err := f.client.CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	if j := f.job(job.ID); j.State.Ended() {
		t.Fatalf("a cut-off job is %s", j.State)
	}
	cut.refuse(false)
	f.wantState(f.await(job.ID), fleet.StateCancelled)
}

func TestCancelAfterTheAgentWasKilled(t *testing.T) {
	t.Parallel()
	f, src := fakeFleet(t, options{}, `{"lines":1000000,"lines_per_sec":500}`)
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
	f.awaitLines(job.ID, 50)
	f.agent.kill()
	if _, err := f.client.CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	f.startAgent()
	f.wantState(f.await(job.ID), fleet.StateCancelled)
}

func TestResticThatIgnoresSIGTERMIsKilledAfterItsGrace(t *testing.T) {
	t.Parallel()
	f, src := fakeFleet(t, options{agentEnv: nil, grace: "2s"}, `{"lines":1000000,"lines_per_sec":500,"ignore_sigterm":true}`)
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
	f.awaitLines(job.ID, 50)
	if _, err := f.client.CancelJob(t.Context(), job.ID); err != nil {
		t.Fatal(err)
	}
	f.wantState(f.await(job.ID), fleet.StateCancelled)
	for _, start := range backupStarts(t, f.opts.restic) {
		var began struct{ PID int }
		if err := json.Unmarshal([]byte(start), &began); err != nil || began.PID == 0 {
			t.Fatalf("line %q: %v", start, err)
		}
		if err := syscall.Kill(began.PID, 0); err == nil {
			t.Fatalf("restic %d still runs", began.PID)
		}
	}
}
