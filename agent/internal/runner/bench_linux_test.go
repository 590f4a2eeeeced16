package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/backstay/backstay/agent/internal/proc"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

// BenchmarkShim runs a fake restic at a fixed pace for a few seconds and reports, for one job: the shim's and this agent's CPU in
// percent of a core, the shim's peak memory, and how long after its time stamp a line is read from the spool by a listener.
func BenchmarkShim(b *testing.B) {
	for _, rate := range []int{100, 1000, 3000, 10_000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			for b.Loop() {
				shimAtRate(b, rate)
			}
		})
	}
}

func shimAtRate(b *testing.B, rate int) {
	const seconds = 4
	gate := filepath.Join(b.TempDir(), "gate")
	h := fakeHost(b, behaviour.Behaviour{Lines: rate * seconds, LinesPerSec: rate, LineBytes: 217, StatusEvery: rate / 4, WaitFor: gate, HangMS: 500})
	a := h.agent()
	a.run(h.spec("job", fleet.KindBackup))
	shimID, _ := h.processes("job")
	h.startedTimes(1)
	j := a.open("job")
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		b.Fatal(err)
	}
	shimBefore, selfBefore, began := cpuOf(b, shimID), ownCPU(b), time.Now()
	var delays []time.Duration
	for seq := int64(0); seq < int64(rate*seconds); {
		bell := j.Bell()
		lines, err := j.ReadFrom(seq, 128<<10)
		if err != nil {
			b.Fatal(err)
		}
		now := time.Now()
		for _, l := range lines {
			delays = append(delays, now.Sub(l.Time))
		}
		seq += int64(len(lines))
		if len(lines) == 0 {
			<-bell
		}
	}
	took := time.Since(began)
	percent := func(d time.Duration) float64 { return 100 * d.Seconds() / took.Seconds() }
	b.ReportMetric(percent(cpuOf(b, shimID)-shimBefore), "shim-%cpu")
	b.ReportMetric(percent(ownCPU(b)-selfBefore), "agent-%cpu")
	b.ReportMetric(float64(peakRSS(b, shimID))/1024, "shim-MiB")
	slices.Sort(delays)
	b.ReportMetric(float64(delays[len(delays)/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(delays[len(delays)*99/100].Microseconds()), "p99-µs")
	a.ended("job")
	a.stop()
}

// BenchmarkStart is the time between the call of Run and the start of restic: journal on disk, secrets, shim. It includes the start
// of this test binary as the shim.
func BenchmarkStart(b *testing.B) {
	h := fakeHost(b, behaviour.Behaviour{Lines: 1})
	a := h.agent()
	var took []time.Duration
	for i := 0; b.Loop(); i++ {
		id := fleet.JobID(fmt.Sprint("job", i))
		began := time.Now()
		a.run(h.spec(id, fleet.KindBackup))
		took = append(took, a.ended(id).Outcome.StartedAt.Sub(began))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms-to-restic")
	b.ReportMetric(float64(took[len(took)*9/10].Microseconds())/1000, "p90-ms-to-restic")
}

// cpuOf is the user and system time of a process so far.
func cpuOf(b *testing.B, id proc.Identity) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/schedstat", id.PID))
	if err != nil {
		b.Fatal(err)
	}
	var sum time.Duration
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", id.PID))
	if err != nil || len(tasks) == 0 {
		b.Fatal(err, string(text))
	}
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err != nil {
			b.Fatal(err)
		}
		ns, err := strconv.ParseInt(strings.Fields(string(text))[0], 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peakRSS is a process's peak memory in KiB.
func peakRSS(b *testing.B, id proc.Identity) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", id.PID))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return kib
		}
	}
	b.Fatal("no VmHWM")
	return 0
}
