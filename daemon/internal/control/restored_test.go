package control_test

import (
	"os"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// close ends the store as a daemon's stop does.
func (h *house) close() {
	h.t.Helper()
	h.ok(h.store.Mark(h.ctx))
	h.ok(h.store.Close())
}

// keep copies the store, which is closed, and gives what puts the copy back: the mark, too, when all of the folder is.
func (h *house) keep(all bool) (putBack func()) {
	h.t.Helper()
	names := []string{h.path}
	if all {
		names = append(names, h.path+".mark")
	}
	kept := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		h.ok(err)
		kept[name] = b
	}
	return func() {
		h.t.Helper()
		for name, b := range kept {
			h.ok(os.WriteFile(name, b, 0o600))
		}
		for _, name := range []string{h.path + "-wal", h.path + "-shm"} {
			if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
				h.t.Fatal(err)
			}
		}
	}
}

// hello is connect with the epoch that the agent knows.
func (h *house) hello(host fleet.Host, epoch string, held ...agentwire.HeldJob) []agentwire.WelcomeJob {
	h.t.Helper()
	h.dispatch.setOnline(host.ID, true)
	_, welcome, _, err := h.AgentHello(h.ctx, host.AgentID, agentwire.Hello{AgentID: host.AgentID, Epoch: epoch, Facts: facts(host.Hostname), Jobs: held}, h.clock.Now())
	h.ok(err)
	return welcome
}

func (h *house) ran(host fleet.Host, repository fleet.Repository) agentwire.HeldJob {
	h.t.Helper()
	j := h.backup(host, repository)
	h.takeTo(j, fleet.StateRunning)
	h.ok(h.JobFinished(h.ctx, host.ID, j.ID, h.finished(fleet.StateSucceeded)))
	spec := j.Spec
	return agentwire.HeldJob{JobID: j.ID, State: fleet.StateSucceeded, Acked: true, Spec: &spec}
}

// TestAnAgentShowsThatTheFolderWasPutBack: all of the data folder is a copy, so nothing in it tells. The first agent that was told
// more does, whatever it is that it was told.
func TestAnAgentShowsThatTheFolderWasPutBack(t *testing.T) {
	for name, after := range map[string]func(h *house, host fleet.Host, repository fleet.Repository, open fleet.Job) agentwire.HeldJob{
		"a job came": func(h *house, host fleet.Host, repository fleet.Repository, _ fleet.Job) agentwire.HeldJob {
			held := h.ran(host, repository)
			held.Acked = false // even when its end was not acknowledged
			return held
		},
		"a job ended": func(h *house, host fleet.Host, _ fleet.Repository, open fleet.Job) agentwire.HeldJob {
			h.ok(h.JobFinished(h.ctx, host.ID, open.ID, h.finished(fleet.StateFailed)))
			return agentwire.HeldJob{JobID: open.ID, State: fleet.StateFailed, Acked: true}
		},
		"lines came": func(_ *house, _ fleet.Host, _ fleet.Repository, open fleet.Job) agentwire.HeldJob {
			return agentwire.HeldJob{JobID: open.ID, State: fleet.StateRunning, LastSeq: 500, AckedSeq: 400}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t)
			host, repository := h.enrol("web1"), h.repository("main")
			other := h.enrol("web2")
			h.connect(host)
			open := h.backup(host, repository)
			h.takeTo(open, fleet.StateRunning)
			first := h.Epoch()
			h.close()
			putBack := h.keep(true)
			h.open(h.path)
			h.hello(host, first, agentwire.HeldJob{JobID: open.ID, State: fleet.StateRunning, LastSeq: 3})
			held := after(h, host, repository, open)
			if h.Epoch() != first {
				t.Fatal("a stop and a start begin a new epoch")
			}
			h.close()
			putBack()
			h.open(h.path)
			if h.Epoch() != first {
				t.Fatal("the copy tells by itself: this test looks at nothing")
			}
			welcome := h.hello(host, first, held)
			second := h.Epoch()
			if second == first || second == "" {
				t.Fatal("no new epoch")
			}
			h.answers(welcome, held.JobID, agentwire.DesireRun, 0)
			if held.State.Ended() {
				h.ok(h.JobFinished(h.ctx, host.ID, held.JobID, h.finished(held.State)))
			}
			h.is(held.JobID, held.State)
			// The others only learn of it, and an agent that goes on finding things, or makes them up, changes no more.
			h.hello(other, first)
			forged := h.backup(other, repository).Spec
			forged.JobID = "FORGED"
			h.hello(other, second, agentwire.HeldJob{JobID: "FORGED", State: fleet.StateFailed, Acked: true, Spec: &forged})
			if h.Epoch() != second {
				t.Fatal("one more epoch")
			}
		})
	}
}

// TestAgentsFindNothingWhereNothingIsWrong: whatever a host may hold in a life without a copy, the epoch stays.
func TestAgentsFindNothingWhereNothingIsWrong(t *testing.T) {
	h := newHouse(t)
	host, other, repository := h.enrol("web1"), h.enrol("web2"), h.repository("main")
	h.connect(host)
	epoch := h.Epoch()
	spec := func(id fleet.JobID) *fleet.JobSpec {
		return &fleet.JobSpec{JobID: id, Kind: fleet.KindBackup, Repository: repository.Spec(), Backup: &fleet.BackupSpec{Paths: []string{"/home"}}, CreatedAt: h.clock.Now()}
	}
	unsafe := spec("UNSAFE")
	unsafe.Repository.URL = "rclone::sh"
	slot := fleet.JobID("slot:P1:" + string(host.ID) + ":2026-03-01T03:00:00Z")
	theirs, done := h.ran(other, repository), h.ran(host, repository)
	running := h.backup(host, repository)
	h.takeTo(running, fleet.StateRunning)
	h.logs.set(running.ID, fleet.LogPosition{LastSeq: 40})
	h.hello(host, epoch,
		agentwire.HeldJob{JobID: slot, State: fleet.StateSucceeded, Spec: spec(slot)}, // run while the daemon was away
		agentwire.HeldJob{JobID: "UNSAFE", State: fleet.StateFailed, Acked: true, Spec: unsafe},
		agentwire.HeldJob{JobID: "BARE", State: fleet.StateFailed, Acked: true},
		theirs, done,
		agentwire.HeldJob{JobID: running.ID, State: fleet.StateRunning, LastSeq: 50, AckedSeq: 40},
	)
	h.hello(other, "another daemon's", agentwire.HeldJob{JobID: "MOVED", State: fleet.StateSucceeded, Acked: true, Spec: spec("MOVED")})
	h.hello(other, "", agentwire.HeldJob{JobID: "OLD", State: fleet.StateSucceeded, Acked: true, Spec: spec("OLD")}) // an older agent
	if h.Epoch() != epoch {
		t.Fatal("a new epoch")
	}
}

// TestTheLogsAloneWerePutBack: the rows say that the logs are whole. Under another epoch than the agent's they are not believed.
func TestTheLogsAloneWerePutBack(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	h.connect(host)
	ten := fleet.LogPosition{LastSeq: 10, CRC32C: 1}
	end := func(j fleet.Job) error {
		m := h.finished(fleet.StateSucceeded)
		m.Log = ten
		return h.JobFinished(h.ctx, host.ID, j.ID, m)
	}
	short, whole := h.backup(host, repository), h.backup(host, repository)
	for _, j := range []fleet.Job{short, whole} {
		h.takeTo(j, fleet.StateRunning)
		h.logs.set(j.ID, ten)
		h.ok(end(j))
	}
	held := []agentwire.HeldJob{{JobID: short.ID, State: fleet.StateSucceeded, LastSeq: 10, Acked: true}, {JobID: whole.ID, State: fleet.StateSucceeded, LastSeq: 10, Acked: true}}
	first := h.Epoch()
	h.logs.set(short.ID, fleet.LogPosition{LastSeq: 4})
	if welcome := h.hello(host, first, held...); len(welcome) != 0 {
		t.Fatalf("%v", welcome) // nobody said that something was put back
	}
	h.ok(h.store.Renew(h.ctx, h.clock.Now()))
	welcome := h.hello(host, first, held...)
	h.answers(welcome, short.ID, agentwire.DesireRun, 4)
	h.answers(welcome, whole.ID, agentwire.DesireForget, 10)
	if err := end(short); err == nil {
		t.Fatal("an end is taken while lines are missing")
	}
	h.logs.set(short.ID, ten)
	h.ok(end(short))
	h.is(short.ID, fleet.StateSucceeded)
}

// TestJobsQueuedInACopyDoNotExpireAtOnce: they were delivered and ran long ago, as their agents will tell.
func TestJobsQueuedInACopyDoNotExpireAtOnce(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	ran, waits := h.backup(host, repository), h.backup(host, repository)
	h.close()
	putBack := h.keep(false)
	h.open(h.path)
	h.takeTo(ran, fleet.StateRunning)
	h.ok(h.JobFinished(h.ctx, host.ID, ran.ID, h.finished(fleet.StateSucceeded)))
	h.close()
	h.clock.add(30 * time.Hour)
	putBack()
	h.open(h.path)
	h.ok(h.Sweep(h.ctx))
	h.clock.add(3 * time.Hour)
	h.ok(h.Sweep(h.ctx))
	h.is(waits.ID, fleet.StateQueued)
	h.is(ran.ID, fleet.StateQueued)
	h.hello(host, "", agentwire.HeldJob{JobID: ran.ID, State: fleet.StateSucceeded})
	h.ok(h.JobFinished(h.ctx, host.ID, ran.ID, h.finished(fleet.StateSucceeded)))
	h.is(ran.ID, fleet.StateSucceeded)
	h.disconnect(host)
	h.clock.add(25 * time.Hour)
	h.ok(h.Sweep(h.ctx))
	h.is(waits.ID, fleet.StateFailed)
}

// TestNothingExpiresRightAfterTheStart: where nothing in the folder tells of a copy, the agents get their time to.
func TestNothingExpiresRightAfterTheStart(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	waits := h.backup(host, repository)
	h.close()
	h.clock.add(30 * time.Hour)
	h.open(h.path)
	h.ok(h.Sweep(h.ctx))
	h.is(waits.ID, fleet.StateQueued)
	h.clock.add(3 * time.Minute)
	h.ok(h.Sweep(h.ctx))
	h.is(waits.ID, fleet.StateFailed)
}
