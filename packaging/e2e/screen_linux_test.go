package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/sharedtest"
)

// screen is an X server of the test's own, with hands and eyes: xdotool and import.
type screen struct {
	t       testing.TB
	display string
	shots   string // folder of the pictures, kept as build artefacts
	size    image.Point
	origin  image.Point // where the console's window begins: what stands around it is not looked at
}

// newScreen starts an X server without a window manager, where a window of that size is the whole screen.
func newScreen(t testing.TB, size image.Point) *screen {
	t.Helper()
	return newFramedScreen(t, size, image.Point{}, "console")
}

// newFramedScreen is newScreen with room for a frame around the window: origin is how wide it is at the left and at the top. The
// pictures go to a folder below artifacts.
func newFramedScreen(t testing.TB, size, origin image.Point, shots string) *screen {
	t.Helper()
	outer := size.Add(origin).Add(image.Pt(origin.X, origin.X))
	for _, tool := range []string{"Xvfb", "xdotool", "import", "xclip"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is missing: run `make deps` (%v)", tool, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", outer.X, outer.Y), "-ac", "-nolisten", "tcp", "+extension", "GLX", "-noreset")
	cmd.ExtraFiles = []*os.File{w}
	start(t, cmd)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Fatalf("Xvfb did not come up: %v", err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, display: ":" + strings.TrimSpace(line), size: size, origin: origin, shots: filepath.Join(sharedtest.RepoRoot(t), "artifacts", shots)}
	if err := os.MkdirAll(s.shots, 0o755); err != nil {
		t.Fatal(err)
	}
	return s
}

// env is what a program needs to open its window here, drawn without a GPU.
func (s *screen) env() []string {
	return []string{"DISPLAY=" + s.display, "LIBGL_ALWAYS_SOFTWARE=1", "FYNE_SCALE=1", "FYNE_PLATFORM=x11"}
}

func (s *screen) tool(name string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute) // xdotool waits for a window without end
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// look takes a picture of the window.
func (s *screen) look() *image.RGBA {
	s.t.Helper()
	cmd := exec.Command("import", "-silent", "-window", "root", "png:-")
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		s.t.Fatalf("import: %v\n%s", err, said.String())
	}
	img, err := png.Decode(&out)
	if err != nil {
		s.t.Fatal(err)
	}
	flat := image.NewRGBA(image.Rectangle{Max: s.size})
	draw.Draw(flat, flat.Bounds(), img, s.origin, draw.Src)
	return flat
}

// keep takes a picture and keeps it under a name.
func (s *screen) keep(name string) *image.RGBA {
	s.t.Helper()
	img := s.look()
	f, err := os.Create(filepath.Join(s.shots, name+".png"))
	if err != nil {
		s.t.Fatal(err)
	}
	fast := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := fast.Encode(f, img); err != nil {
		s.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		s.t.Fatal(err)
	}
	return img
}

func (s *screen) move(at image.Point) {
	s.t.Helper()
	at = at.Add(s.origin)
	s.tool("xdotool", "mousemove", strconv.Itoa(at.X), strconv.Itoa(at.Y))
}

func (s *screen) click(at image.Point) {
	s.t.Helper()
	s.move(at)
	s.tool("xdotool", "click", "1")
}

// wheel turns the wheel over a place: up for negative steps.
func (s *screen) wheel(at image.Point, steps int) {
	s.t.Helper()
	s.move(at)
	button := "5"
	if steps < 0 {
		button, steps = "4", -steps
	}
	s.tool("xdotool", "click", "--repeat", strconv.Itoa(steps), "--delay", "30", button)
}

// drag selects from one place to another.
func (s *screen) drag(from, to image.Point) {
	s.t.Helper()
	s.move(from)
	s.tool("xdotool", "mousedown", "1")
	s.move(from.Add(to.Sub(from).Div(2)))
	s.move(to)
	s.tool("xdotool", "mouseup", "1")
}

func (s *screen) write(text string) {
	s.t.Helper()
	s.tool("xdotool", "type", "--delay", "30", "--", text)
}

func (s *screen) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		s.tool("xdotool", "key", "--delay", "60", k)
	}
}

// clipboard is what lies on the clipboard; "" when nobody has put anything there.
func (s *screen) clipboard() string {
	cmd := exec.Command("xclip", "-o", "-selection", "clipboard")
	cmd.Env = append(os.Environ(), "DISPLAY="+s.display)
	out, err := cmd.Output()
	if err != nil {
		return ""
	}
	return string(out)
}

// differ is the share of the pixels of an area that two pictures show differently.
func differ(a, b *image.RGBA, area image.Rectangle) float64 {
	n := 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if a.RGBAAt(x, y) != b.RGBAAt(x, y) {
				n++
			}
		}
	}
	return float64(n) / float64(area.Dx()*area.Dy())
}

// seen counts the pixels of an area that have a colour, or nearly.
func seen(img *image.RGBA, area image.Rectangle, want color.RGBA) int {
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 6 }
	n := 0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			if c := img.RGBAAt(x, y); near(c.R, want.R) && near(c.G, want.G) && near(c.B, want.B) {
				n++
			}
		}
	}
	return n
}

// await looks until what is seen fulfils want.
func (s *screen) await(what string, want func(*image.RGBA) bool) *image.RGBA {
	s.t.Helper()
	var img *image.RGBA
	err := sharedtest.Await(30*time.Second, func() bool {
		img = s.look()
		return want(img)
	})
	if err != nil {
		s.keep("not-seen")
		s.t.Fatalf("not seen: %s; the screen as it was is not-seen.png", what)
	}
	return img
}

// settle looks until an area stays as it is, and gives that.
func (s *screen) settle(area image.Rectangle) *image.RGBA {
	s.t.Helper()
	last := s.look()
	return s.await("a screen that stands still", func(img *image.RGBA) bool {
		same := differ(last, img, area) == 0
		last = img
		return same
	})
}

// focus gives the keyboard to the window of a program: there is no window manager to do it.
func (s *screen) focus(pid int) { s.focusOn("--pid", strconv.Itoa(pid)) }

// focusOn gives the keyboard to the window that xdotool finds by this.
func (s *screen) focusOn(how, what string) {
	s.t.Helper()
	window := strings.Fields(s.tool("xdotool", "search", "--sync", "--onlyvisible", how, what))
	if len(window) == 0 {
		s.t.Fatalf("there is no window with %s %s", how, what)
	}
	s.tool("xdotool", "windowfocus", "--sync", window[len(window)-1])
}
