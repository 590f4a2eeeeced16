//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// usage is the processor time that this process took so far.
type usage struct {
	at     time.Time
	whole  time.Duration
	raster time.Duration // of the threads of Mesa's software rasteriser
	ui     time.Duration // of the UI goroutine's thread
}

// rasterThread is how Mesa calls its threads.
const rasterThread = "llvmpipe"

// readUsage reads it; ui is the number of the UI goroutine's thread.
func readUsage(ui int) (usage, error) {
	u := usage{at: time.Now()}
	var all syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &all); err != nil {
		return u, fmt.Errorf("read own processor time: %w", err)
	}
	u.whole = time.Duration(all.Utime.Nano() + all.Stime.Nano())
	tasks, err := filepath.Glob("/proc/self/task/[0-9]*")
	if err != nil {
		return u, fmt.Errorf("list own threads: %w", err)
	}
	for _, dir := range tasks {
		name, err := os.ReadFile(filepath.Join(dir, "comm"))
		if err != nil {
			continue // ended meanwhile
		}
		raster, mine := strings.HasPrefix(string(name), rasterThread), filepath.Base(dir) == strconv.Itoa(ui)
		if !raster && !mine {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, "schedstat"))
		if err != nil {
			return u, fmt.Errorf("read a thread's processor time: %w", err)
		}
		fields := strings.Fields(string(text))
		if len(fields) == 0 {
			return u, fmt.Errorf("%s/schedstat is empty", dir)
		}
		ns, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil {
			return u, fmt.Errorf("read a thread's processor time: %w", err)
		}
		if mine {
			u.ui += time.Duration(ns)
		} else {
			u.raster += time.Duration(ns)
		}
	}
	return u, nil
}

// share is which part of a core was used between two readings, in percent.
func share(from, to usage, of func(usage) time.Duration) float64 {
	return 100 * (of(to) - of(from)).Seconds() / to.at.Sub(from.at).Seconds()
}

func whole(u usage) time.Duration  { return u.whole }
func raster(u usage) time.Duration { return u.raster }
func ui(u usage) time.Duration     { return u.ui }
func own(u usage) time.Duration    { return u.whole - u.raster }

// threadTime is the processor time of the thread that calls.
func threadTime() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		panic(err) // every Linux has this clock
	}
	return time.Duration(t.Nano())
}

// resident is how many megabytes of this process are in memory.
func resident() (float64, error) {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("read own memory: %w", err)
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("/proc/self/statm says %q", text)
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read own memory: %w", err)
	}
	return float64(pages) * float64(os.Getpagesize()) / 1e6, nil
}

// live is how many megabytes of Go's memory are in use, after a collection.
func live() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / 1e6
}

// profiled runs f, with a profile of its processor time in path unless that is empty.
func profiled(path string, f func() error) (err error) {
	if path == "" {
		return f()
	}
	out, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("make profile: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := pprof.StartCPUProfile(out); err != nil {
		return fmt.Errorf("start profile: %w", err)
	}
	defer pprof.StopCPUProfile()
	return f()
}
