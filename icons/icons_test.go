package icons_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/backstay/backstay/icons"
)

func TestEveryIconIsALineDrawing(t *testing.T) {
	seen := map[icons.Name]bool{}
	for _, name := range icons.All() {
		if seen[name] {
			t.Errorf("%s is listed twice", name)
		}
		seen[name] = true
		text := icons.SVG(name)
		for _, want := range []string{`viewBox="0 0 24 24"`, `stroke="currentColor"`, `stroke-width="1.75"`, `fill="none"`} {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s has no %s", name, want)
			}
		}
		wellFormed(t, string(name), text)
	}
	files, err := os.ReadDir("svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if name, ok := strings.CutSuffix(f.Name(), ".svg"); ok && !seen[icons.Name(name)] {
			t.Errorf("svg/%s is embedded and has no name", f.Name())
		}
	}
}

func TestColoredLeavesNoCurrentColor(t *testing.T) {
	for _, name := range icons.All() {
		text := icons.Colored(name, "#123456")
		if bytes.Contains(text, []byte("currentColor")) || !bytes.Contains(text, []byte(`stroke="#123456"`)) {
			t.Errorf("%s is not in the colour asked for: %s", name, text)
		}
	}
}

func TestUnknownNameIsAProgrammersMistake(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("an unknown name was answered")
		}
	}()
	icons.SVG("../icons")
}

func wellFormed(t *testing.T, name string, text []byte) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
	}
}

func TestAppIcon(t *testing.T) {
	wellFormed(t, "app", icons.App())
	img, err := png.Decode(bytes.NewReader(icons.AppPNG()))
	if err != nil {
		t.Fatal(err)
	}
	if b := img.Bounds(); b.Dx() != 256 || b.Dy() != 256 {
		t.Errorf("the icon is %v", b)
	}
	if _, _, _, a := img.At(0, 0).RGBA(); a != 0 {
		t.Error("the icon has no round corner")
	}
}
