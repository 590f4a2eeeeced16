package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/sharedtest"
)

// BenchmarkWindow measures the console's real window: a log of a million lines that grows by 5,000 a second, 2,000 hosts that are
// scrolled, 10,000 jobs that are opened, and each page while nothing happens. See desktop/cmd/backstay-bench.
func BenchmarkWindow(b *testing.B) {
	for _, scene := range []string{"log", "hosts", "jobs", "idle"} {
		for _, scale := range []int{1, 2} {
			if scene == "idle" && scale > 1 {
				continue
			}
			b.Run(fmt.Sprintf("%s/scale=%d", scene, scale), func(b *testing.B) {
				for range b.N {
					measureWindow(b, scene, scale)
				}
			})
		}
	}
}

func measureWindow(b *testing.B, scene string, scale int) {
	bin := sharedtest.BuildWindow(b, "desktop/cmd/backstay-bench")
	s := newScreen(b, image.Pt(1440*scale, 900*scale))
	home := shortTemp(b)
	profile := filepath.Join(home, "profile")
	cmd := exec.Command(bin, scene, "--profile", profile)
	cmd.Env = cleanEnv(home, append(s.env(), fmt.Sprintf("FYNE_SCALE=%d", scale), "XDG_CONFIG_HOME="+home, "XDG_CACHE_HOME="+home)...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		b.Fatalf("backstay-bench: %v\n%s", err, said.String())
	}
	page := ""
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		metric, text, _ := strings.Cut(lines.Text(), " ")
		if metric == "page" {
			page = text + "-"
			continue
		}
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			b.Fatalf("backstay-bench said %q", lines.Text())
		}
		b.ReportMetric(value, page+metric)
	}
	if _, err := os.Stat(profile); err == nil {
		b.ReportMetric(glShare(b, bin, profile), "gl-percent-of-ui")
	}
}

// glShare is which part of the UI goroutine's processor time, in percent, is spent in C: calls into OpenGL, which draws here without a
// graphics card, and the handing of the picture to the X server. The rest is Backstay's and fyne's own.
func glShare(b *testing.B, bin, profile string) float64 {
	out := must(b, "", os.Environ(), "go", "tool", "pprof", "-top", "-unit=ms", "-nodefraction=0", "-nodecount=2000", "-focus=runGL", bin, profile)
	of := func(name string, column int) float64 {
		for _, line := range strings.Split(out, "\n") {
			fields := strings.Fields(line)
			if len(fields) < 6 || fields[5] != name {
				continue
			}
			value, err := strconv.ParseFloat(strings.TrimSuffix(fields[column], "ms"), 64)
			if err != nil {
				b.Fatalf("pprof said %q", line)
			}
			return value
		}
		return 0
	}
	whole := of("fyne.io/fyne/v2/internal/driver/glfw.(*gLDriver).runGL", 3)
	if whole == 0 {
		b.Fatalf("pprof does not know the UI's loop:\n%s", out)
	}
	return 100 * of("runtime.cgocall", 3) / whole
}
