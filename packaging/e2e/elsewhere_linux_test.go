package e2e

import (
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// The console where it is not at home here: the program for Windows under Wine, and a Wayland compositor that shows its screen in a
// window of the X server. `make test-wine` and `make test-wayland` run these.

// wanted skips a test that was not asked for, and tells what a wanted one lacks.
func wanted(t *testing.T, env, how string, tools ...string) {
	t.Helper()
	if os.Getenv(env) == "" {
		t.Skipf("not asked for: %s does", how)
	}
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is missing here: %s installs it", tool, how)
		}
	}
}

// backedUpFleet is a fleet with a repository and a plan that takes some seconds.
func backedUpFleet(t *testing.T) (*fleetOf, fleet.Plan) {
	t.Helper()
	f := newFleet(t, options{})
	f.repository("local", filepath.Join(f.dir, "repository"), "", secret.Credentials{Password: secret.New(repositoryPassword)}, true)
	return f, f.planOfManyFiles("everything", 300, 60)
}

// walk goes from the overview to a backup that runs, and to its end.
func (f *fleetOf) walk(s *screen, plan fleet.Plan) {
	f.t.Helper()
	s.keep("02-overview")
	s.awaitHosts()
	s.keep("03-hosts")
	job, _ := f.backUpByHand(s, plan)
	s.await("progress", func(img *image.RGBA) bool { return seen(img, progressArea, runningBlue) > 50 })
	s.keep("04-job")
	f.wantState(f.await(job.ID), fleet.StateSucceeded)
	s.await("the end", func(img *image.RGBA) bool { return seen(img, cancelArea, errorRed) == 0 })
	s.keep("05-ended")
}

// TestConsoleUnderWine shows that the program for Windows opens, signs in by its flags and by hand, shows a job that runs, and keeps
// the session in the Credential Manager.
func TestConsoleUnderWine(t *testing.T) {
	wanted(t, "BACKSTAY_TEST_WINE", "make test-wine", "wine", "wineserver", "x86_64-w64-mingw32-gcc")
	program := filepath.Join(sharedtest.RepoRoot(t), "bin", "backstay-desktop.exe")
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v: run `make desktop-windows`", err)
	}
	f, plan := backedUpFleet(t)
	s := newFramedScreen(t, image.Pt(1440, 900), image.Pt(4, 23), "wine")
	w := newWine(t, f, s)

	console := w.start("flags", f.password, program, "--connect", f.address, "--pin", f.pin, "--user", "admin", "--password-stdin")
	s.awaitOverview()
	s.focusOn("--name", "^Backstay$")
	f.walk(s, plan)
	console.kill()

	console = w.start("hand", "", program)
	s.awaitTheWayIn()
	s.focusOn("--name", "^Backstay$")
	s.keep("01-connect")
	f.signInByHand(s)
	s.keep("06-signed-in")
	console.kill()

	w.start("hand", "", program) // goes in by itself
	s.awaitOverview()
	s.keep("07-remembered")
}

// wine is a Wine prefix of the test's own.
type wine struct {
	f   *fleetOf
	env []string
}

func newWine(t *testing.T, f *fleetOf, s *screen) *wine {
	t.Helper()
	prefix := filepath.Join(f.dir, "wine")
	w := &wine{f: f, env: cleanEnv(f.dir, append(s.env(), "WINEPREFIX="+prefix, "WINEARCH=win64", "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")...)}
	t.Cleanup(func() { // ends all that runs in the prefix
		cmd := exec.Command("wineserver", "-k", "-w")
		cmd.Env = w.env
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Logf("wineserver: %v\n%s", err, out)
		}
	})
	must(t, "", w.env, "wine", "wineboot", "-i")
	dll := filepath.Join(prefix, "drive_c", "windows", "system32", "bcryptprimitives.dll")
	if _, err := os.Stat(dll); err != nil { // newer ones have it
		must(t, "", w.env, "x86_64-w64-mingw32-gcc", "-shared", "-s", "-o", dll, filepath.Join(sharedtest.RepoRoot(t), "packaging", "test", "wine", "bcryptprimitives.c"), "-ladvapi32")
	}
	return w
}

// start starts the console with a folder of preferences.
func (w *wine) start(config, stdin, program string, args ...string) *process {
	w.f.t.Helper()
	folder := filepath.Join(w.f.dir, config)
	if _, err := os.Stat(folder); err != nil {
		consoleConfig(w.f.t, w.f, config, true)
	}
	cmd := exec.Command("wine", append([]string{program, "--config", `Z:` + strings.ReplaceAll(folder, "/", `\`)}, args...)...)
	cmd.Env = w.env
	if stdin != "" {
		cmd.Stdin = strings.NewReader(stdin + "\n")
	}
	return start(w.f.t, cmd)
}

// TestConsoleOnWayland shows that the console opens as a Wayland client, is signed in by hand and shows a job that runs.
func TestConsoleOnWayland(t *testing.T) {
	wanted(t, "BACKSTAY_TEST_WAYLAND", "make test-wayland", "weston")
	f, plan := backedUpFleet(t)
	s := newFramedScreen(t, image.Pt(1440, 900), image.Point{}, "wayland")
	runtime := filepath.Join(f.dir, "runtime")
	if err := os.MkdirAll(runtime, 0o700); err != nil {
		t.Fatal(err)
	}
	ini := filepath.Join(runtime, "weston.ini") // a window as large as the screen has only one place there; its frame is outside
	if err := os.WriteFile(ini, []byte("[shell]\npanel-position=none\n[keyboard]\nnumlock-on=false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const display = "backstay-test"
	compositor := exec.Command("weston", "--backend=x11-backend.so", "--use-pixman", "--width=1440", "--height=900", "--socket="+display, "--idle-time=0", "--config="+ini)
	compositor.Env = cleanEnv(f.dir, "DISPLAY="+s.display, "XDG_RUNTIME_DIR="+runtime)
	start(t, compositor)
	sharedtest.Eventually(t, 30*time.Second, "weston listens", func() bool {
		_, err := os.Stat(filepath.Join(runtime, display))
		return err == nil
	})
	cmd := exec.Command(consoleBin(t), "--config", consoleConfig(t, f, "console", false))
	cmd.Env = cleanEnv(f.dir, "WAYLAND_DISPLAY="+display, "XDG_RUNTIME_DIR="+runtime, "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_SCALE=1", "FYNE_PLATFORM=wayland")
	start(t, cmd)
	s.awaitTheWayIn()
	s.focusOn("--class", "weston")
	s.click(image.Pt(720, 467)) // into the address: the compositor gives its keyboard, too, to where a click was
	s.keep("01-connect")
	f.signInByHand(s)
	f.walk(s, plan)
}
