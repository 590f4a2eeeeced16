package shell

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/dialog"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fault"
)

// saveFile asks where to, and writes.
func (s *Shell) saveFile(ctx context.Context, name string, write func(ctx context.Context, path string) error) {
	d := dialog.NewFileSave(func(w fyne.URIWriteCloser, err error) {
		if w == nil || err != nil {
			return // the person thought better of it
		}
		path := w.URI().Path()
		feed.Do(ctx, s.calls, func(ctx context.Context) error {
			if err := w.Close(); err != nil {
				return cannotWrite(path, err)
			}
			return write(ctx, path)
		}, func(err error) { s.saved(path, err) })
	}, s.cfg.Window)
	d.SetFileName(name)
	d.Resize(fyne.NewSize(760, 520))
	d.Show()
}

func cannotWrite(path string, err error) error {
	return fault.Wrap(fault.InvalidPath, err, "%s cannot be written. Check the folder and free space, or choose another place.", path)
}

func (s *Shell) saved(path string, err error) {
	if err != nil {
		title, text := words.Error(err)
		s.toast(widgets.Error, title, text)
		return
	}
	s.layers.Toasts().Push(widgets.Toast{Tone: widgets.Ok, Title: words.T("shell.saved"), Text: words.T("shell.saved_text", "File", filepath.Base(path)),
		Close: words.T("dialog.close"), OnTap: func() { s.showFolder(filepath.Dir(path)) }})
}

// showFolder opens a folder in the system's own file manager.
func (s *Shell) showFolder(dir string) {
	feed.Do(context.Background(), s.calls, func(context.Context) error {
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return cannotWrite(dir, err)
		}
		program := "xdg-open"
		switch runtime.GOOS {
		case "windows":
			program = "explorer.exe"
		case "darwin":
			program = "open"
		}
		cmd := exec.Command(program, dir)
		if err := cmd.Start(); err != nil {
			return fault.Wrap(fault.InvalidPath, err, "No file manager was found to show %s.", dir)
		}
		return cmd.Process.Release()
	}, func(err error) {
		if err != nil {
			_, text := words.Error(err)
			s.toast(widgets.Warn, words.T("shell.folder_trouble"), text)
		}
	})
}
