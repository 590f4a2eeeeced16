package joblog_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/shared/fleet"
)

// childDir is the environment variable that makes the test binary a daemon's stand-in: it appends to the jobs named in childJobs,
// prints what is acknowledged, seals what is complete, and is killed in the middle of it.
const (
	childDir   = "BACKSTAY_TEST_JOBLOG_DIR"
	childJobs  = "BACKSTAY_TEST_JOBLOG_JOBS"
	childLines = 40_000
)

func childMain() bool {
	dir := os.Getenv(childDir)
	if dir == "" {
		return false
	}
	if err := child(dir, strings.Split(os.Getenv(childJobs), " ")); err != nil {
		fmt.Println("error", err)
	}
	return true
}

func child(dir string, jobs []string) error {
	s, err := joblog.Open(joblog.Config{Dir: dir, Gather: time.Millisecond})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, len(jobs))
	for i, job := range jobs {
		wg.Go(func() { errs[i] = childJob(s, fleet.JobID(job)) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	fmt.Println("done")
	return s.Close()
}

func childJob(s *joblog.Store, job fleet.JobID) error {
	pos, sealed, err := s.Position(background(), job)
	if err != nil || sealed {
		return err
	}
	credit := make(chan struct{}, 8)
	for next := pos.LastSeq + 1; next <= childLines; {
		credit <- struct{}{}
		next, err = s.Append(job, next, numbered(next, min(97, childLines-int(next)+1)), func(seq int64) {
			fmt.Printf("ack %s %d\n", job, seq)
			<-credit
		})
		if err != nil {
			return err
		}
	}
	if ok, err := s.Seal(background(), job, position(numbered(1, childLines))); err != nil || !ok {
		return fmt.Errorf("seal: %v, %w", ok, err)
	}
	fmt.Printf("sealed %s %d\n", job, childLines)
	return nil
}

// Whatever moment the daemon dies at, all that it acknowledged is there, and the log goes on from where it ends.
func TestKilledDaemonKeepsEveryAckedLine(t *testing.T) {
	dir := t.TempDir()
	jobs := []string{string(newJob()), string(newJob()), "slot:p:h:2026-01-02T03:04:05Z"}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for round := 0; ; round++ {
		cmd := exec.Command(self, "-test.run=^$")
		cmd.Env = append(os.Environ(), childDir+"="+dir, childJobs+"="+strings.Join(jobs, " "))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acked, sealed, done := listen(t, bufio.NewScanner(out), 20+round*70, func() {
			if err := cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		})
		if err := cmd.Wait(); done && err != nil {
			t.Fatalf("round %d: the child ended with %v", round, err)
		}
		checkCopy(t, dir, jobs, acked, sealed)
		if done {
			t.Logf("%d rounds", round+1)
			return
		}
		if round > 40 {
			t.Fatal("the child makes no headway")
		}
	}
}

// listen reads what the child prints and kills it after so many lines; what it printed until then was acknowledged.
func listen(t *testing.T, out *bufio.Scanner, lines int, kill func()) (acked map[string]int64, sealed map[string]bool, done bool) {
	t.Helper()
	acked, sealed = map[string]int64{}, map[string]bool{}
	for n := 1; out.Scan(); n++ {
		var what, job string
		var seq int64
		if out.Text() == "done" {
			done = true
		} else if k, _ := fmt.Sscan(out.Text(), &what, &job, &seq); k != 3 {
			t.Fatalf("the child says %q", out.Text())
		}
		switch {
		case what == "sealed":
			sealed[job] = true
		case seq > 0 && seq < acked[job]:
			t.Errorf("ack %d after %d", seq, acked[job])
		case seq > 0:
			acked[job] = seq
		}
		if n == lines {
			kill()
		}
	}
	return acked, sealed, done
}

// checkCopy reads a copy of the store, so that the next child finds what the killed one left and nothing else.
func checkCopy(t *testing.T, dir string, jobs []string, acked map[string]int64, sealed map[string]bool) {
	t.Helper()
	copied := copyStore(t, dir)
	s, err := joblog.Open(joblog.Config{Dir: copied})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		pos, isSealed, err := s.Position(t.Context(), fleet.JobID(job))
		if err != nil || pos.LastSeq < acked[job] || sealed[job] && !isSealed {
			t.Errorf("%s: on disk up to %d, acknowledged %d, sealed %v %v, %v", job, pos.LastSeq, acked[job], sealed[job], isSealed, err)
		}
		want := numbered(1, int(pos.LastSeq))
		same(t, readAll(t, s, fleet.JobID(job), 5000), want)
		if pos != position(want) {
			t.Errorf("%s: position %+v", job, pos)
		}
	}
	if st := s.Stats(); st.Damaged > 0 {
		t.Errorf("%d damaged chunks", st.Damaged)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// copyStore copies the files that survive a crash: -shm is made anew. All of them are of one moment: when one changed meanwhile,
// it starts again.
func copyStore(t testing.TB, dir string) string {
	t.Helper()
	for range 1000 {
		to := t.TempDir()
		before := listing(t, dir)
		err := os.CopyFS(to, os.DirFS(dir))
		if err == nil && listing(t, dir) == before {
			shm, err := filepath.Glob(filepath.Join(to, "*-shm"))
			if err != nil {
				t.Fatal(err)
			}
			for _, path := range shm {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			return to
		}
	}
	t.Fatal("the store never stands still")
	return ""
}

func listing(t testing.TB, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		if st, err := e.Info(); err == nil && !strings.HasSuffix(e.Name(), "-shm") {
			fmt.Fprintln(&b, e.Name(), st.Size(), st.ModTime())
		}
	}
	return b.String()
}

// An ack means on disk: a copy of the files made inside the callback holds the lines.
func TestAckMeansOnDisk(t *testing.T) {
	dir := t.TempDir()
	s := open(t, joblog.Config{Dir: dir})
	job := newJob()
	for next := int64(1); next < 200; {
		copied := make(chan string, 1)
		n := 1 + int(next%40)
		expect, err := s.Append(job, next, numbered(next, n), func(int64) { copied <- copyStore(t, dir) })
		if err != nil {
			t.Fatal(err)
		}
		at := <-copied
		c, err := joblog.Open(joblog.Config{Dir: at})
		if err != nil {
			t.Fatal(err)
		}
		same(t, readAll(t, c, job, 1000), numbered(1, int(expect-1)))
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		next = expect
	}
}
