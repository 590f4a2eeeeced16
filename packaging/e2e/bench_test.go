//go:build !windows

package e2e

import (
	"encoding/json"
	"fmt"
	"math"
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
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
	"github.com/backstay/backstay/shared/sharedtest/fakerestic/behaviour"
)

// Run these with -benchtime 1x: each is one comparison, side by side in one run, and prints its own figures.

// ratio is the geometric mean of b/a over pairs.
func ratio(a, b []time.Duration) float64 {
	sum := 0.0
	for i := range a {
		sum += math.Log(float64(b[i]) / float64(a[i]))
	}
	return math.Exp(sum / float64(len(a)))
}

func mean(list []time.Duration) time.Duration {
	var sum time.Duration
	for _, d := range list {
		sum += d
	}
	return sum / time.Duration(len(list))
}

// BenchmarkLargeBackup backs the same tree up into fresh repositories, by hand and through Backstay in turn.
func BenchmarkLargeBackup(b *testing.B) {
	for range b.N {
		compareBackups(b, envInt(b, "BACKSTAY_BENCH_PAIRS", 5), 400, 2<<20, false)
	}
}

// BenchmarkTinyBackup backs an unchanged tree of 2,000 small files up again and again: the fixed cost of a job.
func BenchmarkTinyBackup(b *testing.B) {
	for range b.N {
		compareBackups(b, 2*envInt(b, "BACKSTAY_BENCH_PAIRS", 5), 2000, 300, true)
	}
}

func compareBackups(b *testing.B, pairs, files, size int, unchanged bool) {
	b.Helper()
	restic := sharedtest.Restic(b)
	f := newFleet(b, options{})
	src := filepath.Join(f.dir, "source")
	if err := os.Mkdir(src, 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range files {
		if err := os.WriteFile(filepath.Join(src, fmt.Sprintf("%05d", i)), pseudoRandom(uint64(i)+1, size), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	var handWall, ourWall, handCPU, ourCPU []time.Duration
	peak := map[string]int64{}
	round := func(i int, count bool) {
		hand := filepath.Join(f.dir, fmt.Sprintf("hand-%d", i))
		ours := fmt.Sprintf("ours-%d", i)
		if unchanged {
			hand, ours = filepath.Join(f.dir, "hand"), "ours"
		}
		wall, cpu := f.byHand(restic, hand, src)
		wall2, cpu2, mem := f.throughBackstay(restic, ours, src)
		if !count {
			return
		}
		handWall, handCPU, ourWall, ourCPU = append(handWall, wall), append(handCPU, cpu), append(ourWall, wall2), append(ourCPU, cpu2)
		for role, bytes := range mem {
			peak[role] = max(peak[role], bytes)
		}
	}
	round(-1, false) // warms the disk's cache and, for the unchanged tree, makes the first snapshot
	for i := range pairs {
		round(i, true)
	}
	b.ReportMetric(ratio(handWall, ourWall), "wall-ratio")
	b.ReportMetric(ratio(handCPU, ourCPU), "cpu-ratio")
	fmt.Printf("\n%s: %d pairs\n  by hand           wall %v  CPU %v\n  through Backstay  wall %v  CPU %v (restic, shim, agent and daemon)\n  ratio             wall %.3f  CPU %.3f\n  peak RSS          daemon %.1f MB, agent %.1f MB, shim %.1f MB\n", b.Name(), pairs,
		mean(handWall).Round(time.Millisecond), mean(handCPU), mean(ourWall).Round(time.Millisecond), mean(ourCPU), ratio(handWall, ourWall), ratio(handCPU, ourCPU),
		mb(peak["backstayd"]), mb(peak["backstay-agent"]), mb(peak["shim"]))
}

func mb(bytes int64) float64 { return float64(bytes) / 1e6 }

func (f *fleetOf) byHand(restic, repository, src string) (wall, cpu time.Duration) {
	f.t.Helper()
	env := cleanEnv(f.dir, "RESTIC_PASSWORD="+repositoryPassword, "RESTIC_REPOSITORY="+repository, "RESTIC_CACHE_DIR="+filepath.Join(f.dir, "hand-cache"), "RESTIC_PROGRESS_FPS=4")
	if _, err := os.Stat(repository); err != nil {
		must(f.t, "", env, restic, "init", "--json")
	}
	m := startMeter(restic)
	began := time.Now()
	must(f.t, "", env, restic, "backup", "--json", "--", src)
	return time.Since(began), m.stop()
}

func (f *fleetOf) throughBackstay(restic, name, src string) (wall, cpu time.Duration, peak map[string]int64) {
	f.t.Helper()
	path := filepath.Join(f.dir, "r-"+name)
	if _, err := os.Stat(path); err != nil {
		f.repository(name, path, "", secret.Credentials{Password: secret.New(repositoryPassword)}, true)
	}
	m := startMeter(restic, agentBin(f.t), daemonBin(f.t))
	began := time.Now()
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: name, Paths: []string{src}})
	r, err := f.follow(f.t.Context(), job.ID)
	wall = time.Since(began)
	cpu = m.stop()
	if err != nil || r.finished == nil || r.finished.State != fleet.StateSucceeded {
		f.t.Fatalf("backup: %+v, err %v", r.finished, err)
	}
	return wall, cpu, m.peak
}

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

// BenchmarkLineToReader measures from the printing of a line by restic's stand-in to a follower's hand.
func BenchmarkLineToReader(b *testing.B) {
	for _, rate := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(rate), func(b *testing.B) {
			for range b.N {
				f, src := fakeFleet(b, options{}, "{}")
				if err := behaviour.Write(f.opts.restic, behaviour.Behaviour{Lines: 10 * rate, LinesPerSec: rate, Stamp: true}); err != nil {
					b.Fatal(err)
				}
				job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}})
				var took []time.Duration
				m := startMeter(agentBin(b), daemonBin(b))
				err := f.client.Follow(b.Context(), job.ID, apiclient.FollowOptions{}, apiclient.FollowHandler{Lines: func(_ int64, lines []fleet.LogLine) {
					now := time.Now()
					for _, l := range lines {
						if at, ok := stamp(l.Text); ok {
							took = append(took, now.Sub(at))
						}
					}
				}})
				cpu := m.stop()
				if err != nil || len(took) != 10*rate {
					b.Fatalf("%d lines, err %v", len(took), err)
				}
				report(b, fmt.Sprintf("line to reader at %d lines/s", rate), took)
				fmt.Printf("  agent, shim and daemon took %v of CPU in 10 s\n", cpu)
			}
		})
	}
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
		m := startMeter(agentBin(b), daemonBin(b), f.opts.restic)
		began := time.Now()
		if err := os.WriteFile(gate, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		wg.Wait()
		took := time.Since(began)
		cpu := m.stop()
		fmt.Printf("\n%d lines stored and shown to %d readers in %v: %.0f lines/s; restic's stand-in, shim, agent and daemon took %v of CPU; peak RSS daemon %.1f MB, agent %.1f MB, shim %.1f MB\n",
			n, readers, took.Round(time.Millisecond), n/took.Seconds(), cpu, mb(m.peak["backstayd"]), mb(m.peak["backstay-agent"]), mb(m.peak["shim"]))
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
