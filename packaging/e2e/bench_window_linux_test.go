package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"image"
	"os/exec"
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
	cmd := exec.Command(bin, scene)
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
}
