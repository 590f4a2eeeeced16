//go:build !windows

package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

// history is what is known of jobs, to be held against what is known later.
type history map[fleet.JobID]remembered

type remembered struct {
	state  fleet.JobState
	log    fleet.LogPosition
	sealed bool
	text   string
}

func (f *fleetOf) history(ids ...fleet.JobID) history {
	f.t.Helper()
	all := history{}
	for _, id := range ids {
		job := f.await(id)
		text, err := f.logText(id)
		if err != nil {
			f.t.Fatal(err)
		}
		all[id] = remembered{job.State, job.Log, job.LogSealed, text}
	}
	return all
}

// regained waits until the daemon knows all of h again, and holds it against what was known before.
func (f *fleetOf) regained(h history) {
	f.t.Helper()
	for id, want := range h {
		sharedtest.Eventually(f.t, time.Minute, fmt.Sprintf("job %s is whole again", id), func() bool {
			job, err := f.client.Job(f.t.Context(), id)
			return err == nil && job.State.Final() && job.LogSealed
		})
		job := f.job(id)
		var text string
		sharedtest.Eventually(f.t, time.Minute, fmt.Sprintf("the log of job %s is whole again", id), func() bool {
			var err error
			text, err = f.logText(id)
			return err == nil && len(text) >= len(want.text)
		})
		if got := (remembered{job.State, job.Log, job.LogSealed, text}); got != want {
			f.t.Errorf("job %s is %s at %+v (sealed %v) with %d bytes of log, it was %s at %+v (sealed %v) with %d", id,
				got.state, got.log, got.sealed, len(got.text), want.state, want.log, want.sealed, len(want.text))
		}
	}
}

func (f *fleetOf) epoch() string {
	f.t.Helper()
	id, err := f.client.Identity(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	return id.Daemon.Epoch
}

// putBack replaces files of the daemon's folder by those of a copy of it: the names that match pattern.
func (f *fleetOf) putBack(kept, pattern string) {
	f.t.Helper()
	for _, dir := range []string{f.daemonDir(), kept} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(names) == 0 {
			f.t.Fatalf("%s in %s: %v, err %v", pattern, dir, names, err)
		}
		for _, name := range names {
			if dir == kept {
				err = exec.Command("cp", "-a", name, f.daemonDir()).Run()
			} else {
				err = os.RemoveAll(name)
			}
			if err != nil {
				f.t.Fatal(err)
			}
		}
	}
}

// TestADaemonRestoredFromACopyRegainsHistory: jobs are run, the folder is copied in the middle of one, more jobs are run, and the copy
// is put back: all of it, so that only the agent can tell; state.db alone, which the daemon notices; the logs alone, of which it is
// told by a command. Every job and every line of before is there again.
func TestADaemonRestoredFromACopyRegainsHistory(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pattern string
		command bool
		notices string // in the daemon's log
	}{
		"the whole folder": {pattern: "*", notices: "as an agent shows"},
		"state.db alone":   {pattern: "state.db", notices: "the store was put back from a copy"},
		"the logs alone":   {pattern: "logs-*.db", command: true},
	} {
		t.Run(name, func(t *testing.T) {
			f, src := fakeFleet(t, options{}, `{"lines":300,"lines_per_sec":150}`)
			backup := func() fleet.JobID {
				return f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}}).ID
			}
			first := backup()
			f.await(first)
			across := backup()
			f.awaitLines(across, 20)
			before := f.epoch()
			f.daemon.stop()
			kept := filepath.Join(shortTemp(t), "copy")
			if out, err := exec.Command("cp", "-a", f.daemonDir(), kept).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			f.startDaemon()
			f.waitOnline(true)
			f.await(across)
			ids := []fleet.JobID{first, across}
			for range 3 {
				id := backup()
				f.await(id)
				ids = append(ids, id)
			}
			known := f.history(ids...)
			if f.epoch() != before {
				t.Fatal("a stop and a start begin a new epoch")
			}
			lists := f.watchLists()
			<-lists
			f.daemon.stop()
			f.putBack(kept, c.pattern)
			if c.command {
				must(t, "", cleanEnv(f.dir), daemonBin(t), "restored", "--data", f.daemonDir())
			}
			f.startDaemon()
			f.regained(known)
			if f.epoch() == before {
				t.Error("the epoch is the same")
			}
			if !strings.Contains(f.daemon.output(), c.notices) {
				t.Errorf("the daemon did not say %q", c.notices)
			}
			select {
			case <-lists: // the console was sent back to the beginning
			case <-time.After(time.Minute):
				t.Error("a console that was connected was not told to begin anew")
			}
			if starts := backupStarts(t, f.opts.restic); len(starts) != len(ids) {
				t.Errorf("restic was started %d times for %d jobs", len(starts), len(ids))
			}
			// And all of it holds: nothing is asked for again, no further epoch.
			epoch := f.epoch()
			f.daemon.stop()
			f.startDaemon()
			f.waitOnline(true)
			f.regained(known)
			if f.epoch() != epoch {
				t.Error("the next start begins one more epoch")
			}
		})
	}
}

// watchLists follows the watch until the test ends; each list that begins anew is told.
func (f *fleetOf) watchLists() <-chan struct{} {
	ctx, cancel := context.WithCancel(context.Background())
	lists, done := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(done)
		_ = f.client.Watch(ctx, apiclient.WatchOptions{}, apiclient.WatchHandler{List: func([]api.Row, int64) { lists <- struct{}{} }}) // ends with ctx
	}()
	f.t.Cleanup(func() { cancel(); <-done })
	return lists
}
