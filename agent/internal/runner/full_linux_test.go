package runner_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/agent/internal/runner"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

// TestFullDisk has the jobs folder on a disk that fills up under a running job: restic is not held up, the log says which lines are
// missing, and the end is known. (Package spool proves the same for every point of failure, and without root.)
func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a tmpfs needs root")
	}
	const n = 20_000
	h := fakeHost(t, behaviour.Behaviour{Lines: n, LineBytes: 217})
	disk := filepath.Join(h.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	h.change = func(c *runner.Config) { c.Dir = filepath.Join(disk, "jobs") }
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	end := a.ended("job").Outcome
	if end.State != fleet.StateSucceeded || end.Summary.Backup.SnapshotID != behaviour.SnapshotID {
		t.Fatalf("%+v", end)
	}
	log := a.log("job")
	next := wantGaps(t, log)
	if next != n+2 { // the summary is a line, too
		t.Fatalf("the log accounts for lines up to %d of %d", next-1, n+1)
	}
	// A restarted agent knows the end, and takes no further job until there is room.
	a.stop()
	if err := os.WriteFile(filepath.Join(disk, "filler"), make([]byte, 4<<20), 0o600); err == nil {
		t.Fatal("the disk is not full")
	}
	a = h.agent()
	if state := a.state("job"); state != fleet.StateSucceeded {
		t.Fatalf("state %s", state)
	}
	if _, err := a.Run(t.Context(), h.spec("next", fleet.KindBackup), time.Hour); fault.CodeOf(err) != fault.StorageFull {
		t.Fatalf("err %v", err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	h.behave(behaviour.Behaviour{Lines: 5})
	a.run(h.spec("next", fleet.KindBackup))
	if end := a.ended("next").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
}

// TestDiskThatFillsAndEmpties has room again while restic still writes: the log goes on after a gap.
func TestDiskThatFillsAndEmpties(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("mounting a tmpfs needs root")
	}
	gate := filepath.Join(t.TempDir(), "gate")
	const n = 6000
	h := fakeHost(t, behaviour.Behaviour{Lines: n, LineBytes: 217, LinesPerSec: 3000, WaitFor: gate})
	disk := filepath.Join(h.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(disk, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	h.change = func(c *runner.Config) { c.Dir = filepath.Join(disk, "jobs") }
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	h.startedTimes(1)
	filler := filepath.Join(disk, "filler")
	if err := os.WriteFile(filler, make([]byte, 8<<20), 0o600); err == nil { // all that is left
		t.Fatal("the disk is not full")
	}
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	last, same := int64(-1), 0
	sharedtest.Eventually(t, patience, "the log stands still", func() bool {
		seq := a.Held()[0].LastSeq
		if same++; seq != last {
			last, same = seq, 0
		}
		return same > 20
	})
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	if end := a.ended("job").Outcome; end.State != fleet.StateSucceeded {
		t.Fatalf("%+v", end)
	}
	log := a.log("job")
	if next := wantGaps(t, log); next != n+2 {
		t.Fatalf("the log accounts for lines up to %d of %d", next-1, n+1)
	}
	if last := log[len(log)-1]; !strings.Contains(last.Text, "summary") {
		t.Fatalf("the log does not go on after the gap; its last line is %q", last.Text)
	}
}

// wantGaps holds the log against the numbered lines, with at least one gap, and gives the number after the last.
func wantGaps(t *testing.T, log []fleet.LogLine) int64 {
	t.Helper()
	var next int64 = 1
	gaps := 0
	for _, l := range log {
		switch l.Stream {
		case fleet.StreamGap:
			var gap fleet.LogGap
			if err := json.Unmarshal([]byte(l.Text), &gap); err != nil || gap.From != next {
				t.Fatalf("gap %s where line %d must come, err %v", l.Text, next, err)
			}
			next = gap.To + 1
			gaps++
		case fleet.StreamOut:
			if strings.Contains(l.Text, "verbose_status") && l.Text != behaviour.Line(int(next), 217) {
				t.Fatalf("line %d is %q", next, l.Text)
			}
			next++
		}
	}
	if gaps == 0 {
		t.Fatal("no gap: the disk was not full")
	}
	return next
}
