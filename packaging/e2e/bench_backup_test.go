//go:build !windows

package e2e

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// BenchmarkLargeBackup backs the same tree up into fresh repositories, by hand and through Backstay in turn.
func BenchmarkLargeBackup(b *testing.B) {
	for range b.N {
		compareBackups(b, comparison{pairs: envInt(b, "BACKSTAY_BENCH_PAIRS", 8), files: envInt(b, "BACKSTAY_BENCH_FILES", 600), size: 2 << 20, fresh: true})
	}
}

// BenchmarkTinyBackup backs an unchanged tree of 2,000 small files up again and again: the fixed cost of a job.
func BenchmarkTinyBackup(b *testing.B) {
	for range b.N {
		compareBackups(b, comparison{pairs: 3 * envInt(b, "BACKSTAY_BENCH_PAIRS", 8), files: 2000, size: 300})
	}
}

// comparison is one tree backed up by hand and through Backstay, in pairs.
type comparison struct {
	pairs, files, size int
	fresh              bool // each backup goes into an empty repository of its own; otherwise each side goes on with its own
}

// sample is one backup.
type sample struct {
	wall time.Duration
	usage
	begin, end time.Duration // through Backstay: from POST to restic's start, and from its end to the follower's
}

// side is all backups of one side.
type side struct {
	usage
	list []sample
}

func (s *side) add(one sample) {
	s.list = append(s.list, one)
	s.usage.add(one.usage)
}

func (s *side) mean(of func(sample) time.Duration) time.Duration {
	var sum time.Duration
	for _, one := range s.list {
		sum += of(one)
	}
	return (sum / time.Duration(len(s.list))).Round(100 * time.Microsecond)
}

// ratio is the geometric mean of ours/hand over the pairs, with its standard error.
func ratio(hand, ours side, of func(sample) time.Duration) (mean, deviation float64) {
	n := float64(len(hand.list))
	var sum, squares float64
	for i := range hand.list {
		l := math.Log(float64(of(ours.list[i])) / float64(of(hand.list[i])))
		sum += l
		squares += l * l
	}
	mean = math.Exp(sum / n)
	return mean, mean * math.Sqrt(max(squares/n-sum*sum/n/n, 0)/max(n-1, 1))
}

func wall(s sample) time.Duration { return s.wall }
func cpu(s sample) time.Duration  { return s.total() }

func compareBackups(b *testing.B, c comparison) {
	b.Helper()
	restic := sharedtest.Restic(b)
	f := newFleet(b, options{})
	room := memoryFolder(b, 3*int64(c.files*c.size))
	src := filepath.Join(room, "source")
	if err := os.Mkdir(src, 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range c.files {
		if err := os.WriteFile(filepath.Join(src, fmt.Sprintf("%05d", i)), pseudoRandom(uint64(i)+1, c.size), 0o644); err != nil {
			b.Fatal(err)
		}
	}
	var hand, ours side
	for i := range c.pairs + 1 {
		name := "same"
		if c.fresh {
			name = fmt.Sprint(i)
		}
		backups := [...]func(){
			func() { hand.add(f.byHand(restic, filepath.Join(room, "hand-"+name), src, c.fresh)) },
			func() { ours.add(f.throughBackstay(restic, filepath.Join(room, "ours-"+name), src, c.fresh)) },
		}
		backups[i%2]() // who goes first takes turns
		backups[1-i%2]()
		if i == 0 { // warms the disk's cache and, for the unchanged tree, makes the first snapshot
			hand, ours = side{}, side{}
		}
	}
	c.report(b, hand, ours)
}

func (c comparison) report(b *testing.B, hand, ours side) {
	wallRatio, wallError := ratio(hand, ours, wall)
	cpuRatio, cpuError := ratio(hand, ours, cpu)
	b.ReportMetric(wallRatio, "wall-ratio")
	b.ReportMetric(cpuRatio, "cpu-ratio")
	n := time.Duration(len(ours.list))
	fmt.Printf("\n%s: %d pairs of %.0f MB\n  by hand           wall %v  CPU %v\n  through Backstay  wall %v  CPU %v: restic %v, shim %v, agent %v, daemon %v\n",
		b.Name(), c.pairs, mb(int64(c.files*c.size)), hand.mean(wall), hand.mean(cpu), ours.mean(wall), ours.mean(cpu),
		ours.cpu[roleRestic]/n, ours.cpu[roleShim]/n, ours.cpu[roleAgent]/n, ours.cpu[roleDaemon]/n)
	fmt.Printf("  ratio             wall %.3f ± %.3f  CPU %.3f ± %.3f; restic's own %.3f, ours beside it %.2f %%\n  from POST to restic %v, from restic's end to the follower's %v; %s\n", wallRatio, wallError, cpuRatio, cpuError,
		float64(ours.cpu[roleRestic])/float64(hand.cpu[roleRestic]), 100*float64(ours.ours())/float64(ours.cpu[roleRestic]),
		ours.mean(func(s sample) time.Duration { return s.begin }), ours.mean(func(s sample) time.Duration { return s.end }), ours.peaks())
}

// memoryFolder is a folder in memory where the system has one with room for size bytes, otherwise on disk. A disk's moods differ by more
// from one backup to the next than all that is measured here, and they hide costs: restic waits for the disk while others work.
// Only source and repositories lie there; the daemon and the agent keep to the disk.
func memoryFolder(b *testing.B, size int64) string {
	b.Helper()
	const memory = "/dev/shm"
	var fs syscall.Statfs_t
	parent := ""
	if err := syscall.Statfs(memory, &fs); err == nil && fs.Bavail*uint64(fs.Bsize) > uint64(size) && available(b) > 2*size {
		parent = memory
	}
	dir, err := os.MkdirTemp(parent, "bst-")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	return dir
}

// available is the memory that programs can still have; 0 where the system does not tell.
func available(b *testing.B) (bytes int64) {
	b.Helper()
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	_, rest, found := strings.Cut(string(text), "MemAvailable:")
	if _, err := fmt.Sscan(rest, &bytes); err != nil || !found {
		return 0
	}
	return bytes * 1024
}

// settle waits until all that was written before is on the disk, so that no backup pays for another.
func settle() { syscall.Sync() }

func (f *fleetOf) byHand(restic, repository, src string, fresh bool) sample {
	f.t.Helper()
	env := cleanEnv(f.dir, "RESTIC_PASSWORD="+repositoryPassword, "RESTIC_REPOSITORY="+repository, "RESTIC_CACHE_DIR="+filepath.Join(f.dir, "hand-cache"), "RESTIC_PROGRESS_FPS=4")
	if _, err := os.Stat(repository); err != nil {
		must(f.t, "", env, restic, "init", "--json")
	}
	settle()
	m := meterFor(f.t, restic)
	began := time.Now()
	must(f.t, "", env, restic, "backup", "--json", "--", src)
	s := sample{wall: time.Since(began), usage: m.stop(f.t)}
	clear := s.cpu // the idle fleet beside it is not part of a backup by hand
	for _, r := range []role{roleShim, roleAgent, roleDaemon} {
		delete(clear, r)
	}
	f.forgetRepository(repository, fresh)
	return s
}

func (f *fleetOf) throughBackstay(restic, repository, src string, fresh bool) sample {
	f.t.Helper()
	name := filepath.Base(repository)
	if _, err := os.Stat(repository); err != nil {
		f.repository(name, repository, "", secret.Credentials{Password: secret.New(repositoryPassword)}, true)
	}
	settle()
	m := meterFor(f.t, restic)
	began := time.Now()
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: name, Paths: []string{src}})
	r, err := f.follow(f.t.Context(), job.ID)
	ended := time.Now()
	s := sample{wall: ended.Sub(began), usage: m.stop(f.t)}
	if err != nil || r.finished == nil || r.finished.State != fleet.StateSucceeded {
		f.t.Fatalf("backup: %+v, err %v", r.finished, err)
	}
	s.begin, s.end = r.finished.StartedAt.Sub(began), ended.Sub(*r.finished.FinishedAt)
	f.forgetRepository(repository, fresh)
	return s
}

// forgetRepository frees the disk.
func (f *fleetOf) forgetRepository(path string, fresh bool) {
	f.t.Helper()
	if !fresh {
		return
	}
	if err := os.RemoveAll(path); err != nil {
		f.t.Fatal(err)
	}
}
