package capture

import (
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/hands"
)

// said are all texts of a shot.
func said(t *testing.T, name, language string) []string {
	t.Helper()
	shots, err := choose([]string{name})
	if err != nil {
		t.Fatal(err)
	}
	st := newStage(Config{Size: fyne.NewSize(1440, 900), Scale: 1, Language: language}, "light", shots[0])
	defer st.close()
	st.play(shots[0])
	var all []string
	hands.Texts(st.window.Canvas(), func(t *canvas.Text) { all = append(all, t.Text) })
	return all
}

// Each of these pictures shows what it is for.
func TestPicturesShowWhatTheyAreFor(t *testing.T) {
	for name, text := range map[string]string{
		"connect-sign-in": "Sign in at Backup", "lost": "No contact with the daemon. This is how things were at 14:35:18; next try in 10 s.", "job-detached": "Follow · 160 new",
		"host-edit": "Edit db-04.prod-eu", "access-add-user": "Viewer: reads everything", "plan-schedule": "Next runs, by this computer's clock", "plan-viewer": "You may look at this, not change it", "restore": "Restore snapshot 7f29d65e",
		"repository-new": "New repository", "snapshots-no-match": "No snapshot matches", "toasts": "Backup succeeded", "palette": "Back up db-01.prod-eu now: databases", "overview-empty": "No hosts yet",
	} {
		if all := said(t, name, "en"); !slices.ContainsFunc(all, func(s string) bool { return strings.Contains(s, text) }) {
			t.Errorf("%s does not say %q but %q", name, text, all)
		}
	}
}

// What is to be done by hand for a picture is found in German too.
func TestPicturesSpeakGerman(t *testing.T) {
	for name, text := range map[string]string{"host-edit": "db-04.prod-eu bearbeiten", "repository-new": "Neues Repository", "jobs": "Sicherung von db-04.prod-eu"} {
		if all := said(t, name, "de"); !slices.Contains(all, text) {
			t.Errorf("%s does not say %q but %q", name, text, all)
		}
	}
}

func TestRunPaintsFiles(t *testing.T) {
	out, paths := filepath.Join(t.TempDir(), "new"), []string{}
	if err := Run(Config{Out: out, Shots: []string{"settings"}, Size: fyne.NewSize(600, 400), Scale: 2, Report: func(p string) { paths = append(paths, p) }}); err != nil {
		t.Fatal(err)
	}
	if len(paths) != 2 || filepath.Base(paths[0]) != "settings-light.png" || filepath.Base(paths[1]) != "settings-dark.png" {
		t.Fatal(paths)
	}
	f, err := os.Open(paths[1])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if c, err := png.DecodeConfig(f); err != nil || c.Width != 1200 || c.Height != 800 {
		t.Errorf("%+v, %v", c, err)
	}
	if err := Run(Config{Out: out, Shots: []string{"no-such-picture"}}); err == nil || !strings.Contains(err.Error(), "overview") {
		t.Errorf("a picture that there is not: %v", err)
	}
}

func TestPicturesHaveNamesOfTheirOwn(t *testing.T) {
	names := Names()
	slices.Sort(names)
	if len(slices.Compact(slices.Clone(names))) != len(names) || len(names) < 30 {
		t.Error(names)
	}
}
