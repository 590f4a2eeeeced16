package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

func (f *fake) lockFile() string { return f.binary + ".lock" }

func (f *fake) release() error {
	if f.KeepLock {
		return nil
	}
	err := os.Remove(f.lockFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *fake) backup() error {
	if err := os.WriteFile(f.lockFile(), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		return err
	}
	if err := f.before(); err != nil {
		return err
	}
	if f.HelperMS > 0 {
		if err := leaveHelper(f.binary, ms(f.HelperMS)); err != nil {
			return err
		}
	}
	started := time.Now()
	if f.OutputFile != "" {
		text, err := os.ReadFile(f.OutputFile)
		if err == nil {
			_, err = os.Stdout.Write(text)
		}
		if err != nil {
			return err
		}
	} else if err := f.lines(); err != nil {
		return err
	}
	if err := f.pause(ms(f.HangMS)); err != nil {
		return err
	}
	return f.finish(started)
}

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

// before is all that happens before the first line.
func (f *fake) before() error {
	for range f.RetryLines {
		fmt.Fprintf(os.Stderr, "Load(<config/0000000000>, 0, 0) returned error, retrying after %dms: dial tcp 127.0.0.1:1: connect: connection refused\n", f.RetryEvery)
		if err := f.pause(ms(f.RetryEvery)); err != nil {
			return err
		}
	}
	if err := f.pause(ms(f.HangAtStartMS)); err != nil {
		return err
	}
	return f.await(f.WaitFor)
}

// await waits until the file is there, if one is named.
func (f *fake) await(path string) error {
	for path != "" {
		if _, err := os.Stat(path); err == nil {
			return nil
		}
		if err := f.pause(5 * time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// lines prints the numbered lines at their pace, counted from the beginning so that a late wake-up is made good.
func (f *fake) lines() error {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	burst := max(f.Burst, 1)
	started := time.Now()
	for i := 1; i <= f.Lines; i++ {
		if f.Stamp {
			fmt.Fprintln(out, behaviour.StampedLine(i, f.LineBytes, time.Now()))
		} else {
			fmt.Fprintln(out, behaviour.Line(i, f.LineBytes))
		}
		if f.StatusEvery > 0 && i%f.StatusEvery == 0 {
			fmt.Fprintf(out, `{"message_type":"status","seconds_elapsed":1,"percent_done":%g,"total_files":%d,"files_done":%d,"total_bytes":%d,"bytes_done":%d,"current_files":["/n/%06d"]}`+"\n",
				float64(i)/float64(f.Lines), f.Lines, i, f.Lines, i, i)
		}
		if f.StderrEvery > 0 && i%f.StderrEvery == 0 {
			if _, err := fmt.Fprintln(os.Stderr, behaviour.StderrLine(i/f.StderrEvery)); err != nil {
				return err
			}
		}
		if i%burst != 0 {
			continue
		}
		if err := out.Flush(); err != nil {
			return err
		}
		var wait time.Duration
		if f.LinesPerSec > 0 {
			wait = time.Until(started.Add(time.Duration(i) * time.Second / time.Duration(f.LinesPerSec)))
		}
		if err := f.pace(wait); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (f *fake) pace(wait time.Duration) error {
	if wait > 0 {
		return f.pause(wait)
	}
	select {
	case <-f.term:
		return f.cancelled()
	default:
		return nil
	}
}

func (f *fake) finish(started time.Time) error {
	if err := f.release(); err != nil {
		return err
	}
	if f.ExitCode != 0 && f.ExitCode != 3 {
		line, err := json.Marshal(map[string]any{"message_type": "exit_error", "code": f.ExitCode, "message": f.ExitMessage})
		if err != nil {
			return err
		}
		fmt.Fprintln(os.Stderr, string(line))
		return exit(f.ExitCode)
	}
	if f.OutputFile == "" {
		err := print(fmt.Sprintf(`{"message_type":"summary","files_new":%d,"files_changed":0,"files_unmodified":0,"dirs_new":1,"dirs_changed":0,"dirs_unmodified":0,"data_blobs":%d,"tree_blobs":1,"data_added":%d,"data_added_packed":%d,"total_files_processed":%d,"total_bytes_processed":%d,"total_duration":%g,"backup_start":%q,"backup_end":%q,"snapshot_id":%q}`,
			f.Lines, f.Lines, f.Lines, f.Lines, f.Lines, f.Lines, time.Since(started).Seconds(), started.Format(time.RFC3339Nano), time.Now().Format(time.RFC3339Nano), behaviour.SnapshotID))
		if err != nil {
			return err
		}
	}
	if _, err := os.Stdout.WriteString(f.Final); err != nil {
		return err
	}
	if f.ExitCode != 0 {
		return exit(f.ExitCode)
	}
	return nil
}

// unlock removes the lock of a process that is gone. As with restic, a zombie is not gone.
func (f *fake) unlock() error {
	if err := f.pause(ms(f.UnlockHangMS)); err != nil {
		return err
	}
	if f.UnlockCode != 0 {
		return exit(f.UnlockCode)
	}
	holder, err := os.ReadFile(f.lockFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(holder)))
	if err != nil {
		return err
	}
	if exists(pid) {
		return nil
	}
	if err := os.Remove(f.lockFile()); err != nil {
		return err
	}
	return print("successfully removed 1 locks")
}

func (f *fake) listLocks() error {
	_, err := os.Stat(f.lockFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return print(strings.Repeat("ab", 32))
}
