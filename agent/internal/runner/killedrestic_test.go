//go:build !windows

package runner_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/shared/fleet"
)

// The memory killer takes the largest process: restic. Its lock would stop the next check and prune of every other host.
func TestKilledResticLeavesNoLock(t *testing.T) {
	b := endless
	b.KeepLock = true
	h := fakeHost(t, b)
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	_, resticID := h.processes("job")
	j := a.open("job")
	a.await(j, "lines", func() bool { lines, err := j.ReadFrom(9, 1000); return err == nil && len(lines) > 0 })
	if err := unix.Kill(resticID.PID, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	end := a.ended("job").Outcome
	if end.State != fleet.StateFailed || end.Reason != fleet.ReasonResticCrashed {
		t.Fatalf("%+v", end)
	}
	log := a.log("job")
	if h.locked() {
		t.Fatalf("the lock is still there:\n%s", notes(log))
	}
	if want := "No lock is left"; !strings.Contains(notes(log), want) {
		t.Errorf("%q is not in the notes:\n%s", want, notes(log))
	}
}
