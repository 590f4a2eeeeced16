//go:build !windows

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

// Run these with -benchtime 1x: each is one comparison, side by side in one run, and prints its own figures.

// BenchmarkStart measures from POST to the start of restic.
func BenchmarkStart(b *testing.B) {
	for range b.N {
		f, src := fakeFleet(b, options{}, `{"lines":1}`)
		var took []time.Duration
		for range 50 {
			began := time.Now()
			done := f.await(f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}}).ID)
			took = append(took, done.StartedAt.Sub(began))
		}
		report(b, "POST to restic started", took)
	}
}

func report(b *testing.B, what string, list []time.Duration) {
	b.Helper()
	slices.Sort(list)
	p50, p99 := list[len(list)/2], list[len(list)*99/100]
	fmt.Printf("\n%s: p50 %v, p99 %v, max %v (%d)\n", what, p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond), list[len(list)-1].Round(10*time.Microsecond), len(list))
	b.ReportMetric(float64(p50.Microseconds()), "p50-us")
	b.ReportMetric(float64(p99.Microseconds()), "p99-us")
}

// BenchmarkLineToReader measures from the printing of a line as long as those of a verbose backup by restic's stand-in to a
// follower's hand, and what the programs beside it take.
func BenchmarkLineToReader(b *testing.B) {
	for _, rate := range []int{1000, 3000, 10_000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			for range b.N {
				f, src := fakeFleet(b, options{}, "{}")
				if err := behaviour.Write(f.opts.restic, behaviour.Behaviour{Lines: 10 * rate, LinesPerSec: rate, LineBytes: 217, Stamp: true}); err != nil {
					b.Fatal(err)
				}
				job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
				var took []time.Duration
				m, began := meterFor(b, f.opts.restic), time.Now()
				err := f.client.Follow(b.Context(), job.ID, apiclient.FollowOptions{}, apiclient.FollowHandler{Lines: func(_ int64, lines []fleet.LogLine) {
					now := time.Now()
					for _, l := range lines {
						if at, ok := stamp(l.Text); ok {
							took = append(took, now.Sub(at))
						}
					}
				}})
				percent := 100 / time.Since(began).Seconds()
				u := m.stop(b)
				if err != nil || len(took) != 10*rate {
					b.Fatalf("%d lines, err %v", len(took), err)
				}
				report(b, fmt.Sprintf("line to reader at %d lines/s", rate), took)
				beside := (u.cpu[roleShim] + u.cpu[roleAgent]).Seconds() * percent
				fmt.Printf("  of a core: shim %.1f %% + agent %.1f %% = %.1f %%, daemon %.1f %%; %s\n", u.cpu[roleShim].Seconds()*percent,
					u.cpu[roleAgent].Seconds()*percent, beside, u.cpu[roleDaemon].Seconds()*percent, u.peaks())
				b.ReportMetric(beside, "shim+agent-%cpu")
				b.ReportMetric(mb(u.peak[roleShim]+u.peak[roleAgent]), "shim+agent-MB")
			}
		})
	}
}

// BenchmarkCancel measures from the click on cancel to the SIGTERM in restic's hands: while restic says nothing, and in the midst of
// its lines.
func BenchmarkCancel(b *testing.B) {
	for _, rate := range []int{0, 1000} {
		b.Run(fmt.Sprintf("%d lines a second", rate), func(b *testing.B) {
			for range b.N {
				const jobs = 40
				f, src := fakeFleet(b, options{}, "{}")
				if err := behaviour.Write(f.opts.restic, behaviour.Behaviour{Lines: 600 * rate, LinesPerSec: rate, LineBytes: 217, HangMS: 600_000, Stamp: true}); err != nil {
					b.Fatal(err)
				}
				var took []time.Duration
				for i := range jobs {
					job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
					f.awaitState(job.ID, time.Minute, func(s fleet.JobState) bool { return s == fleet.StateRunning })
					time.Sleep(200*time.Millisecond + time.Duration(i)*7*time.Millisecond) // at any point between two looks of any program
					took = append(took, f.cancelled(job.ID))
				}
				report(b, fmt.Sprintf("cancel to SIGTERM at %d lines/s", rate), took)
			}
		})
	}
}

// cancelled cancels a job and tells how long it took until restic's stand-in had SIGTERM.
func (f *fleetOf) cancelled(id fleet.JobID) time.Duration {
	f.t.Helper()
	began := time.Now()
	if _, err := f.client.CancelJob(f.t.Context(), id); err != nil {
		f.t.Fatal(err)
	}
	f.wantState(f.await(id), fleet.StateCancelled)
	text, err := f.logText(id)
	if err != nil {
		f.t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		_, line, _ = strings.Cut(line, `{"message_type":"signal"`)
		if at, ok := stamp(`{"message_type":"signal"` + strings.TrimSpace(line)); ok {
			return at.Sub(began)
		}
	}
	f.t.Fatalf("restic's stand-in did not say when SIGTERM came\n%s", text)
	return 0
}

func stamp(text string) (time.Time, bool) {
	if !strings.Contains(text, `"stamp"`) {
		return time.Time{}, false
	}
	var m struct{ Stamp int64 }
	if json.Unmarshal([]byte(text), &m) != nil || m.Stamp == 0 {
		return time.Time{}, false
	}
	return time.Unix(0, m.Stamp), true
}

// BenchmarkTwentyReaders measures how many lines a second are stored durably and shown to 20 followers, with all programs and all
// followers on this one machine. Package joblog's BenchmarkRawChunks, in the same `make bench`, is the raw limit.
func BenchmarkTwentyReaders(b *testing.B) {
	const n, readers = 400_000, 20
	for range b.N {
		f, src := fakeFleet(b, options{}, fmt.Sprintf(`{"lines":%d,"line_bytes":150,"burst":100,"wait_for":%q}`, n, filepath.Join(os.TempDir(), "never")))
		gate := filepath.Join(f.dir, "gate")
		if err := behaviour.Write(f.opts.restic, behaviour.Behaviour{Lines: n, LineBytes: 150, Burst: 100, WaitFor: gate}); err != nil {
			b.Fatal(err)
		}
		job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
		var wg sync.WaitGroup
		for range readers {
			wg.Go(func() {
				lines := 0
				err := f.client.Follow(b.Context(), job.ID, apiclient.FollowOptions{}, apiclient.FollowHandler{Lines: func(_ int64, l []fleet.LogLine) { lines += len(l) }})
				if err != nil || lines < n {
					b.Errorf("a follower saw %d lines, err %v", lines, err)
				}
			})
		}
		f.awaitState(job.ID, time.Minute, func(s fleet.JobState) bool { return s == fleet.StateRunning })
		m := meterFor(b, f.opts.restic)
		began := time.Now()
		if err := os.WriteFile(gate, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		wg.Wait()
		took := time.Since(began)
		u := m.stop(b)
		fmt.Printf("\n%d lines stored and shown to %d readers in %v: %.0f lines/s; CPU of restic's stand-in %v, shim %v, agent %v, daemon %v; %s\n",
			n, readers, took.Round(time.Millisecond), n/took.Seconds(), u.cpu[roleRestic], u.cpu[roleShim], u.cpu[roleAgent], u.cpu[roleDaemon], u.peaks())
		b.ReportMetric(n/took.Seconds(), "lines/s")
	}
}

// BenchmarkIdle tells the resident memory of an idle daemon and agent.
func BenchmarkIdle(b *testing.B) {
	for range b.N {
		f := newFleet(b, options{})
		time.Sleep(5 * time.Second) // idle is what is measured
		fmt.Printf("\nidle: daemon %.1f MB, agent %.1f MB resident\n", mb(rss(b, f.daemon)), mb(rss(b, f.agent)))
	}
}
