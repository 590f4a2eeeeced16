//go:build !windows

package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// meter adds up the CPU time of all processes that run one of some programs, those that end meanwhile included (to 10 ms each).
type meter struct {
	programs []string
	cancel   context.CancelFunc
	wg       sync.WaitGroup

	mu   sync.Mutex
	base map[string]int64 // ticks at the beginning, by pid and start time
	last map[string]int64
	peak map[string]int64 // bytes of resident memory, by program's name and role
}

func startMeter(programs ...string) *meter {
	ctx, cancel := context.WithCancel(context.Background())
	m := &meter{programs: programs, cancel: cancel, base: map[string]int64{}, last: map[string]int64{}, peak: map[string]int64{}}
	m.look(true)
	m.wg.Go(func() {
		t := time.NewTicker(10 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				m.look(false)
			}
		}
	})
	return m
}

// stop gives the CPU time that was used since the start.
func (m *meter) stop() time.Duration {
	m.look(false)
	m.cancel()
	m.wg.Wait()
	var ticks int64
	for key, n := range m.last {
		ticks += n - m.base[key]
	}
	return time.Duration(ticks) * 10 * time.Millisecond // USER_HZ is 100 on every Linux that Go runs on
}

func (m *meter) look(first bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return
	}
	for _, dir := range dirs {
		exe, err := os.Readlink(filepath.Join(dir, "exe"))
		if err != nil || !m.wants(exe) {
			continue
		}
		stat, err := os.ReadFile(filepath.Join(dir, "stat"))
		if err != nil {
			continue
		}
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+2:]))
		user, err1 := strconv.ParseInt(fields[11], 10, 64)
		system, err2 := strconv.ParseInt(fields[12], 10, 64)
		if err1 != nil || err2 != nil {
			continue
		}
		key := dir + "@" + fields[19]
		m.last[key] = user + system
		if first {
			m.base[key] = user + system
		}
		m.remember(dir, exe)
	}
}

func (m *meter) wants(exe string) bool {
	for _, p := range m.programs {
		if exe == p {
			return true
		}
	}
	return false
}

// remember keeps the largest resident memory of each role.
func (m *meter) remember(dir, exe string) {
	statm, err := os.ReadFile(filepath.Join(dir, "statm"))
	if err != nil {
		return
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return
	}
	role := filepath.Base(exe)
	if line, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && strings.Contains(string(line), "run-job") {
		role = "shim"
	}
	m.peak[role] = max(m.peak[role], resident*int64(os.Getpagesize()))
}
