package logview

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"
)

// maxCopy bounds what goes to the clipboard, in bytes; X11 ends a program that offers more than twice of it.
const maxCopy = 8 << 20

// Copied tells what a copy put on the clipboard.
type Copied struct {
	Lines int
	Bytes int
	Cut   bool // more was selected than a clipboard may hold: offer to save the log
}

// Copy puts the selection on the clipboard, as it is shown: text, or whole lines with time, level and source. With nothing selected
// it does nothing.
func (v *View) Copy() {
	if !v.sel.on {
		return
	}
	text, told := v.selected(maxCopy)
	fyne.CurrentApp().Clipboard().SetContent(text)
	if v.cfg.OnCopied != nil {
		v.cfg.OnCopied(told)
	}
}

// Selected gives the selected text as Copy would.
func (v *View) Selected() string {
	text, _ := v.selected(maxCopy)
	return text
}

func (v *View) selected(limit int) (string, Copied) {
	var b strings.Builder
	var told Copied
	a, end := v.sel.bounds()
	first, ok := v.store.Next(a.id - 1)
	for id := first; ok && v.sel.on && id <= end.id; id, ok = v.store.Next(id) {
		l := v.store.At(id)
		head := ""
		from, to := 0, len(l.Text)
		if v.sel.lines {
			head = time.UnixMilli(l.MS).In(v.cfg.Location).Format("2006-01-02 15:04:05.000") + " " + pad(levelWords[l.Level], levelCols) + " " + pad(string(l.Source), sourceCols) + "  "
		} else {
			from, to, _ = v.sel.span(id, len(l.Text))
		}
		if b.Len()+len(head)+to-from+1 > limit {
			told.Cut = true
			break
		}
		if told.Lines > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(head)
		b.Write(l.Text[from:to])
		told.Lines++
	}
	if v.sel.lines && told.Lines > 1 {
		b.WriteByte('\n')
	}
	told.Bytes = b.Len()
	return b.String(), told
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-len(s), 0)) }
