//go:build !windows

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// fakeFleet is a fleet whose agent runs the fake restic, with a repository "fake" and a folder to back up.
func fakeFleet(t testing.TB, opts options, behaviour string) (*fleetOf, string) {
	t.Helper()
	dir := shortTemp(t)
	opts.restic = sharedtest.FakeRestic(t, dir)
	setBehaviour(t, opts.restic, behaviour)
	f := newFleet(t, opts)
	f.repository("fake", filepath.Join(f.dir, "repository"), "", secret.Credentials{Password: secret.New(repositoryPassword)}, false)
	src := filepath.Join(f.dir, "src")
	if err := os.MkdirAll(src, 0o755); err != nil {
		t.Fatal(err)
	}
	return f, src
}

// setBehaviour writes the file that tells the fake restic what to do.
func setBehaviour(t testing.TB, bin, behaviour string) {
	t.Helper()
	if err := os.WriteFile(bin+".json", []byte(behaviour), 0o644); err != nil {
		t.Fatal(err)
	}
}

// backupStarts tells how many backups the fake restic was started for.
func backupStarts(t testing.TB, bin string) []string {
	t.Helper()
	b, err := os.ReadFile(bin + ".starts")
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var backups []string
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "backup") {
			backups = append(backups, strings.TrimSpace(line))
		}
	}
	return backups
}

// wantNumbered holds the stored log of a job against the lines 1..n that the fake restic printed.
func (f *fleetOf) wantNumbered(id fleet.JobID, n int) {
	f.t.Helper()
	text, err := f.logText(id)
	if err != nil {
		f.t.Fatal(err)
	}
	next := 1
	for line := range strings.Lines(text) {
		i := strings.Index(line, `"item":"/n/`)
		if i < 0 {
			continue
		}
		rest := line[i+len(`"item":"/n/`):]
		got, err := strconv.Atoi(rest[:strings.IndexByte(rest, '"')])
		if err != nil || got != next {
			f.t.Fatalf("line %q where %d was due (err %v)", strings.TrimSpace(line), next, err)
		}
		next++
	}
	if next != n+1 {
		f.t.Fatalf("%d numbered lines are stored, %d were printed", next-1, n)
	}
}

func (f *fleetOf) awaitLines(id fleet.JobID, n int64) {
	f.t.Helper()
	sharedtest.Eventually(f.t, time.Minute, fmt.Sprintf("%d lines are stored", n), func() bool {
		job, err := f.client.Job(f.t.Context(), id)
		return err == nil && job.Log.LastSeq >= n
	})
}

func TestAgentKilledInMidBackup(t *testing.T) {
	t.Parallel()
	const n = 100_000
	f, src := fakeFleet(t, options{}, fmt.Sprintf(`{"lines":%d,"lines_per_sec":20000}`, n))
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
	f.awaitLines(job.ID, 1000)
	f.agent.kill()
	f.waitOnline(false)
	f.startAgent()
	done := f.await(job.ID)
	f.wantState(done, fleet.StateSucceeded)
	if starts := backupStarts(t, f.opts.restic); len(starts) != 1 {
		t.Fatalf("restic was started %d times: %v", len(starts), starts)
	}
	if !done.LogSealed {
		t.Fatalf("log is not sealed: %+v", done)
	}
	f.wantNumbered(job.ID, n)
}

func TestDaemonKilledInMidBackup(t *testing.T) {
	t.Parallel()
	const n = 100_000
	f, src := fakeFleet(t, options{}, fmt.Sprintf(`{"lines":%d,"lines_per_sec":20000}`, n))
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
	f.awaitLines(job.ID, 1000)
	follower := make(chan *recorder, 1)
	go func() {
		r, err := f.follow(t.Context(), job.ID)
		if err != nil {
			t.Errorf("follower: %v", err)
		}
		follower <- r
	}()
	f.daemon.kill()
	f.startDaemon()
	done := f.await(job.ID)
	f.wantState(done, fleet.StateSucceeded)
	if starts := backupStarts(t, f.opts.restic); len(starts) != 1 {
		t.Fatalf("restic was started %d times: %v", len(starts), starts)
	}
	f.wantNumbered(job.ID, n)
	f.checkReaders(done, <-follower)
}

// TestRandomCuts runs rounds of everything that can go wrong between agent and daemon at once; BACKSTAY_FAULT_ROUNDS says how many
// (`make faults` runs 200), BACKSTAY_FAULT_SEED repeats a run.
func TestRandomCuts(t *testing.T) {
	t.Parallel()
	rounds := envInt(t, "BACKSTAY_FAULT_ROUNDS", 6)
	seed := uint64(envInt(t, "BACKSTAY_FAULT_SEED", int(time.Now().UnixNano()&0xffffff)))
	t.Logf("seed %d, %d rounds", seed, rounds)
	random := rand.New(rand.NewPCG(seed, 1))
	listen := freeAddress(t)
	cut := newCutter(t, listen)
	const n = 20_000
	f, src := fakeFleetBehind(t, cut, listen, fmt.Sprintf(`{"lines":%d,"lines_per_sec":8000,"stderr_every":997}`, n))
	for round := range rounds {
		job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
		f.spoil(cut, random, job.ID)
		done := f.await(job.ID)
		f.wantState(done, fleet.StateSucceeded)
		if !done.LogSealed {
			t.Fatalf("round %d: the log is not sealed: %+v", round, done)
		}
		f.wantNumbered(job.ID, n)
	}
	if starts := backupStarts(t, f.opts.restic); len(starts) != rounds {
		t.Fatalf("restic was started %d times in %d rounds", len(starts), rounds)
	}
}

func fakeFleetBehind(t testing.TB, cut *cutter, listen, behaviour string) (*fleetOf, string) {
	t.Helper()
	return fakeFleet(t, options{agentServer: cut.address(), listen: listen}, behaviour)
}

// spoil does three to six random bad things while a job runs.
func (f *fleetOf) spoil(cut *cutter, random *rand.Rand, id fleet.JobID) {
	f.t.Helper()
	for range 3 + random.IntN(4) {
		time.Sleep(time.Duration(random.IntN(600)) * time.Millisecond) // random times are what is tested
		switch random.IntN(6) {
		case 0, 1:
			cut.reset()
		case 2:
			cut.halfOpen()
		case 3:
			cut.setDelay(time.Duration(random.IntN(40)) * time.Millisecond)
		case 4:
			f.agent.kill()
			f.startAgent()
		case 5:
			f.daemon.kill()
			f.startDaemon()
		}
	}
	cut.setDelay(0)
}

func envInt(t testing.TB, name string, otherwise int) int {
	t.Helper()
	s := os.Getenv(name)
	if s == "" {
		return otherwise
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}
