//go:build !windows

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// role is what a measured process does.
type role string

const (
	roleRestic role = "restic"
	roleShim   role = "shim"
	roleAgent  role = "agent"
	roleDaemon role = "daemon"
)

var roles = [...]role{roleRestic, roleShim, roleAgent, roleDaemon}

// usage is what the processes of each role took.
type usage struct {
	cpu  map[role]time.Duration
	peak map[role]int64 // bytes of resident memory of the largest one
}

// total is the CPU time of all roles.
func (u usage) total() time.Duration {
	var sum time.Duration
	for _, d := range u.cpu {
		sum += d
	}
	return sum
}

// ours is the CPU time of all but restic.
func (u usage) ours() time.Duration { return u.total() - u.cpu[roleRestic] }

// add sums u up over several measurements.
func (u *usage) add(more usage) {
	if u.cpu == nil {
		u.cpu, u.peak = map[role]time.Duration{}, map[role]int64{}
	}
	for _, r := range roles {
		u.cpu[r] += more.cpu[r]
		u.peak[r] = max(u.peak[r], more.peak[r])
	}
}

func (u usage) peaks() string {
	return fmt.Sprintf("peak RSS daemon %.1f MB, agent %.1f MB, shim %.1f MB", mb(u.peak[roleDaemon]), mb(u.peak[roleAgent]), mb(u.peak[roleShim]))
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }

// meter adds up the CPU time of all processes of some programs by role, those that end meanwhile included (to 10 ms each). It takes
// about 1 % of a core, whatever the programs: both sides of a comparison pay the same.
type meter struct {
	roles  map[string]role // by program
	cancel context.CancelFunc
	wg     sync.WaitGroup
	known  map[string]*watched // by folder of /proc, the newest process of each
	ended  []*watched
	err    error
}

// watched is a process that a meter found.
type watched struct {
	role       role
	settled    bool     // it has been seen twice: between fork and exec a process looks like its parent
	stat       *os.File // stays that of this very process, whatever happens to its number
	base, last int64    // ticks
	peak       int64    // bytes
}

const (
	meterRead = 10 * time.Millisecond // between two looks at the known processes
	meterFind = 5                     // new ones are looked for at each so many looks
)

// meterFor measures the fleet's programs, and restic.
func meterFor(t testing.TB, restic string) *meter {
	t.Helper()
	programs := map[string]role{}
	for path, r := range map[string]role{restic: roleRestic, agentBin(t): roleAgent, daemonBin(t): roleDaemon} {
		real, err := filepath.EvalSymlinks(path) // as the kernel calls it
		if err != nil {
			t.Fatal(err)
		}
		programs[real] = r
	}
	return startMeter(programs)
}

func startMeter(programs map[string]role) *meter {
	ctx, cancel := context.WithCancel(context.Background())
	m := &meter{roles: programs, cancel: cancel, known: map[string]*watched{}}
	m.find(true)
	m.wg.Go(func() {
		t := time.NewTicker(meterRead)
		defer t.Stop()
		for n := 1; ; n++ {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			m.read()
			if n%meterFind == 0 {
				m.find(false)
			}
		}
	})
	return m
}

// stop gives what was used since the start.
func (m *meter) stop(t testing.TB) usage {
	t.Helper()
	m.cancel()
	m.wg.Wait()
	m.read()
	u := usage{cpu: map[role]time.Duration{}, peak: map[role]int64{}}
	for _, w := range m.known {
		m.drop(w)
	}
	for _, w := range m.ended {
		u.cpu[w.role] += time.Duration(w.last-w.base) * 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
		u.peak[w.role] = max(u.peak[w.role], w.peak)
	}
	if m.err != nil {
		t.Fatal(m.err)
	}
	return u
}

// find begins to watch the processes that it does not know yet. What they used before the first look does not count.
func (m *meter) find(first bool) {
	dirs, err := filepath.Glob("/proc/[0-9]*")
	m.err = errors.Join(m.err, err)
	for _, dir := range dirs {
		w := m.known[dir]
		if w != nil && w.settled {
			continue
		}
		r, wanted := m.roleOf(dir)
		switch {
		case !wanted:
		case w != nil:
			w.role, w.settled = r, true
		default:
			m.watch(dir, r, first)
		}
	}
}

// roleOf tells what the process of a folder of /proc does.
func (m *meter) roleOf(dir string) (role, bool) {
	exe, err := os.Readlink(filepath.Join(dir, "exe"))
	if err != nil {
		return "", false
	}
	r, wanted := m.roles[exe]
	if line, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && r == roleAgent && strings.Contains(string(line), "\x00run-job\x00") {
		r = roleShim
	}
	return r, wanted
}

func (m *meter) watch(dir string, r role, first bool) {
	stat, err := os.Open(filepath.Join(dir, "stat"))
	if err != nil {
		return // ended meanwhile
	}
	w := &watched{role: r, settled: first, stat: stat}
	m.known[dir] = w
	if w.look() && first {
		w.base = w.last
	}
}

// read looks at the known processes, and gives up those that have ended.
func (m *meter) read() {
	for dir, w := range m.known {
		if !w.look() {
			m.drop(w)
			delete(m.known, dir)
		}
	}
}

func (m *meter) drop(w *watched) {
	m.err = errors.Join(m.err, w.stat.Close())
	m.ended = append(m.ended, w)
}

// look notes what the process took so far; false when it has ended.
func (w *watched) look() bool {
	buf := make([]byte, 1024)
	n, _ := w.stat.ReadAt(buf, 0) // the end of the file is an error, too; a process that is gone gives nothing
	_, text, found := strings.Cut(string(buf[:n]), ") ")
	fields := strings.Fields(text)
	const user, system, resident = 11, 12, 21 // fields 14, 15 and 24 of the whole line
	if !found || len(fields) <= resident {
		return false
	}
	var got [3]int64
	for i, f := range []int{user, system, resident} {
		v, err := strconv.ParseInt(fields[f], 10, 64)
		if err != nil {
			return false
		}
		got[i] = v
	}
	w.last = got[0] + got[1]
	w.peak = max(w.peak, got[2]*int64(os.Getpagesize()))
	return true
}
