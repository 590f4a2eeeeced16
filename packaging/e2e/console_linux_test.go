package e2e

import (
	"fmt"
	"image"
	"image/color"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// Places in a window of 1440 by 900, and colours of the light theme. What is where is seen in artifacts/console.
var (
	sidebarArea  = image.Rect(0, 0, 231, 900)
	pageArea     = image.Rect(240, 60, 1440, 900)
	progressArea = image.Rect(260, 140, 1410, 210)
	logArea      = image.Rect(540, 360, 1380, 800) // above the pill
	logMiddle    = image.Pt(960, 600)
	followPill   = image.Pt(967, 852)
	pillArea     = image.Rect(880, 835, 1055, 870)
	cancelArea   = image.Rect(1300, 80, 1420, 115)
	cancelButton = image.Pt(1362, 97)
	titleArea    = image.Rect(250, 70, 900, 100)

	accentBlue  = color.RGBA{0x32, 0x57, 0xE8, 0xFF}
	errorRed    = color.RGBA{0xC9, 0x2A, 0x3A, 0xFF}
	runningBlue = color.RGBA{0x3B, 0x82, 0xF6, 0xFF}
	mutedSoft   = color.RGBA{0xED, 0xF0, 0xF3, 0xFF}
)

// manyFiles is a tree that takes restic some time, and whose log has a line for each file.
func manyFiles(t testing.TB, dir string, folders, files int) {
	t.Helper()
	for d := range folders {
		folder := filepath.Join(dir, fmt.Sprintf("folder-%03d", d))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for f := range files {
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("file-%04d", f)), pseudoRandom(uint64(d*files+f+1), 300), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// planOfManyFiles is a plan over a tree of its own.
func (f *fleetOf) planOfManyFiles(name string, folders, files int) fleet.Plan {
	f.t.Helper()
	src := filepath.Join(f.dir, name)
	manyFiles(f.t, src, folders, files)
	plan, err := f.client.AddPlan(f.t.Context(), api.PlanRequest{Name: name, RepositoryID: f.repositoryID("local"), Hosts: []fleet.HostID{f.host.ID},
		Backup: fleet.BackupSpec{Paths: []string{src}, Verbose: true}})
	if err != nil {
		f.t.Fatal(err)
	}
	return plan
}

// startConsole starts the real console in a real window, in the light theme, with nothing known of any daemon.
func startConsole(t *testing.T, f *fleetOf, s *screen) *process {
	t.Helper()
	cmd := exec.Command(consoleBin(t), "--config", consoleConfig(t, f, "console", false))
	cmd.Env = cleanEnv(f.dir, s.env()...)
	p := start(t, cmd)
	s.awaitTheWayIn()
	s.focus(cmd.Process.Pid)
	return p
}

// consoleConfig makes a folder of preferences: the light theme, English, and nothing known of any daemon. Whoever signs in by hand is
// offered to be remembered in the keyring, or not.
func consoleConfig(t testing.TB, f *fleetOf, name string, remember bool) string {
	t.Helper()
	config := filepath.Join(f.dir, name)
	if err := os.MkdirAll(config, 0o700); err != nil {
		t.Fatal(err)
	}
	chosen := fmt.Sprintf(`{"theme":"light","language":"en","remember_login":%v}`, remember)
	if err := os.WriteFile(filepath.Join(config, "console.json"), []byte(chosen), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

func (s *screen) awaitTheWayIn() {
	s.t.Helper()
	s.await("the way in", func(img *image.RGBA) bool { return seen(img, image.Rect(700, 400, 1000, 700), accentBlue) > 500 })
}

func (s *screen) awaitOverview() {
	s.t.Helper()
	s.await("the overview", func(img *image.RGBA) bool { return seen(img, image.Rect(10, 60, 220, 100), accentBlue) > 5 })
	s.settle(sidebarArea)
}

// awaitHosts goes to the hosts by the keyboard.
func (s *screen) awaitHosts() {
	s.t.Helper()
	s.press("ctrl+2")
	s.await("the hosts", func(img *image.RGBA) bool { return seen(img, image.Rect(10, 100, 220, 135), accentBlue) > 5 })
}

func consoleBin(t testing.TB) string {
	return sharedtest.BuildWindow(t, "desktop/cmd/backstay-desktop")
}

// TestConsoleInARealWindow walks the console as a person does, with mouse and keyboard, against a real daemon, agent and restic: sign
// in, hosts, back up now, watch, scroll up, follow again, search, copy, cancel.
func TestConsoleInARealWindow(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{})
	f.repository("local", filepath.Join(f.dir, "repository"), "", secret.Credentials{Password: secret.New(repositoryPassword)}, true)
	plan := f.planOfManyFiles("everything", 300, 180)
	other := f.planOfManyFiles("another", 300, 120) // for the cancel
	s := newScreen(t, image.Pt(1440, 900))
	console := startConsole(t, f, s)
	s.keep("01-connect")
	f.signInByHand(s)
	s.keep("02-overview")

	s.awaitHosts()
	s.keep("03-hosts")
	job, restic := f.backUpByHand(s, plan)
	before := s.keep("04-started")
	s.await("progress", func(img *image.RGBA) bool {
		return seen(img, progressArea, runningBlue) > 50 && differ(before, img, progressArea) > 0
	})
	restic.crawl()
	s.keep("05-progress")

	f.readByHand(s, restic)
	f.await(job.ID)
	job, _ = f.backUpByHand(s, other)
	f.cancelByHand(s, job.ID)
	console.stop()
	if console.err != nil {
		t.Errorf("the console ended with %v", console.err)
	}
}

// signInByHand goes in by the keyboard alone: address, the pin that is compared, name, password.
func (f *fleetOf) signInByHand(s *screen) {
	f.t.Helper()
	s.write(f.listen)
	before := s.look()
	s.press("Return")
	s.await("the pin", func(img *image.RGBA) bool { return differ(before, img, pageArea) > 0.005 })
	s.settle(pageArea)
	s.keep("01-pin")
	before = s.look()
	s.press("Return")
	s.await("the question who signs in", func(img *image.RGBA) bool { return differ(before, img, pageArea) > 0.005 })
	s.settle(pageArea)
	s.write("admin")
	s.press("Return")
	s.write(f.password)
	s.press("Return")
	s.awaitOverview()
}

// backUpByHand starts the plan by the palette, which lands on the live page. Its restic walks on a leash.
func (f *fleetOf) backUpByHand(s *screen, plan fleet.Plan) (fleet.Job, *leash) {
	f.t.Helper()
	before := s.look()
	s.press("ctrl+k")
	s.await("the palette", func(img *image.RGBA) bool { return differ(before, img, pageArea) > 0.2 })
	s.write("back " + plan.Name)
	s.settle(pageArea)
	s.keep("03-palette")
	s.press("Return")
	var job fleet.Job
	sharedtest.Eventually(f.t, 30*time.Second, "the job is there", func() bool {
		page, err := f.client.Jobs(f.t.Context(), jobsOfPlan(plan.ID))
		if err != nil || len(page.Items) == 0 {
			return false
		}
		job = page.Items[0]
		return true
	})
	restic := f.holdBack(job.ID)
	s.await("the live page", func(img *image.RGBA) bool { return seen(img, cancelArea, errorRed) > 20 })
	f.awaitState(job.ID, time.Minute, func(state fleet.JobState) bool { return state == fleet.StateRunning })
	return job, restic
}

// readByHand reads the log while it grows: up, which stops following; the pill, which follows again; search; copy.
func (f *fleetOf) readByHand(s *screen, restic *leash) {
	f.t.Helper()
	s.wheel(logMiddle, -8)
	s.await("the pill", func(img *image.RGBA) bool { return seen(img, pillArea, accentBlue) > 300 })
	restic.halt()
	still := s.settle(logArea)
	s.keep("06-detached")
	restic.crawl()
	s.await("more lines below", func(img *image.RGBA) bool { return differ(still, img, pillArea) > 0 })
	if d := differ(still, s.look(), logArea); d != 0 {
		f.t.Errorf("the log moved under the reader: %.4f of it is different", d)
	}
	restic.halt()
	s.click(followPill)
	followed := s.await("following", func(img *image.RGBA) bool {
		return seen(img, pillArea, accentBlue) < 50 && differ(still, img, logArea) > 0.01
	})
	restic.crawl()
	s.await("lines that move by", func(img *image.RGBA) bool { return differ(followed, img, logArea) > 0.005 })
	s.keep("07-following")
	restic.halt()

	s.press("ctrl+f")
	s.write("file-0007")
	s.press("Return")
	hit := color.RGBA{0xF5, 0xB8, 0x3D, 0xFF}
	s.await("a hit", func(img *image.RGBA) bool {
		return seen(img, logArea, hit) > 30 || seen(img, logArea, color.RGBA{0xE8, 0xA3, 0x17, 0xFF}) > 30
	})
	s.keep("08-search")
	s.press("Escape")
	sharedtest.Eventually(f.t, 30*time.Second, "the clipboard has lines of the log", func() bool {
		s.drag(image.Pt(700, 500), image.Pt(1000, 560))
		s.press("ctrl+c")
		return strings.Contains(s.clipboard(), "folder-")
	})
	s.keep("09-copied")
	restic.walk()
}

// cancelByHand cancels the job, and confirms it.
func (f *fleetOf) cancelByHand(s *screen, id fleet.JobID) {
	f.t.Helper()
	before := s.look()
	s.click(cancelButton)
	s.await("the question", func(img *image.RGBA) bool { return differ(before, img, sidebarArea) > 0.5 })
	s.keep("10-confirm")
	s.press("Tab", "Tab", "Return")
	done := f.awaitState(id, time.Minute, fleet.JobState.Final)
	f.wantState(done, fleet.StateCancelled)
	s.await("the state", func(img *image.RGBA) bool {
		return seen(img, titleArea, mutedSoft) > 200 && seen(img, cancelArea, errorRed) == 0
	})
	s.keep("11-cancelled")
}

func jobsOfPlan(id fleet.PlanID) apiclient.JobFilter { return apiclient.JobFilter{Plan: string(id)} }

func (f *fleetOf) repositoryID(name string) fleet.RepositoryID {
	f.t.Helper()
	r, err := f.client.Repository(f.t.Context(), name)
	if err != nil {
		f.t.Fatal(err)
	}
	return r.ID
}

// leash holds a restic back: while it walks it runs a sixth of the time, while it crawls a fiftieth, while it is halted not at all. The way through the console
// takes as long as the machine makes it, and must find the backup where it was left.
type leash struct {
	mu      sync.Mutex
	turn    time.Duration // that it runs after each rest; 0: it is halted
	changed chan struct{} // holds one
}

func (l *leash) walk()  { l.set(20 * time.Millisecond) }
func (l *leash) crawl() { l.set(2 * time.Millisecond) }
func (l *leash) halt()  { l.set(0) }

func (l *leash) set(turn time.Duration) {
	l.mu.Lock()
	l.turn = turn
	l.mu.Unlock()
	select {
	case l.changed <- struct{}{}:
	default: // it looks anyway
	}
}

func (l *leash) runs() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.turn
}

// holdBack puts a job's restic on a leash, on which it walks at first.
func (f *fleetOf) holdBack(id fleet.JobID) *leash {
	f.t.Helper()
	var pid int
	sharedtest.Eventually(f.t, 30*time.Second, "restic runs", func() bool {
		pid = f.resticOf(id)
		return pid != 0
	})
	l := &leash{changed: make(chan struct{}, 1)}
	l.walk()
	stop, gone := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(gone)
		l.hold(pid, stop)
	}()
	f.t.Cleanup(func() {
		close(stop)
		<-gone
	})
	return l
}

// hold goes on until restic has ended, or until stop, which sets it free.
func (l *leash) hold(pid int, stop <-chan struct{}) {
	for syscall.Kill(pid, syscall.SIGSTOP) == nil {
		rest := time.After(100 * time.Millisecond)
		for {
			select {
			case <-rest:
			case <-l.changed:
			case <-stop:
				_ = syscall.Kill(pid, syscall.SIGCONT) // it may have ended just now
				return
			}
			if l.runs() > 0 {
				break
			}
		}
		if syscall.Kill(pid, syscall.SIGCONT) != nil {
			return
		}
		time.Sleep(l.runs()) // its turn
	}
}

// resticOf finds the restic of a job by its tag; 0 while there is none.
func (f *fleetOf) resticOf(id fleet.JobID) int {
	dirs, err1 := filepath.Glob("/proc/[0-9]*")
	restic, err2 := filepath.EvalSymlinks(f.opts.restic)
	if err1 != nil || err2 != nil {
		return 0
	}
	for _, dir := range dirs {
		line, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || !strings.Contains(string(line), "--tag=job:"+string(id)) {
			continue
		}
		if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil && exe == restic {
			pid, err := strconv.Atoi(filepath.Base(dir))
			if err == nil {
				return pid
			}
		}
	}
	return 0
}
