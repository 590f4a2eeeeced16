package pages

import (
	"context"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/prefs"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/widgets/logview"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// olderLines is how many lines are fetched when a person scrolls up to what is not there yet.
const olderLines = 5000

// jobLog is the card of a job's log: the lines, and what helps to read them.
type jobLog struct {
	p      *job
	root   fyne.CanvasObject
	view   *logview.View
	format *logline.Formatter
	buffer []logline.Line
	over   bool // the log's last line has come

	nothing *widgets.Paragraph // in place of lines
	none    *fyne.Container    // holds it

	count   *widgets.Label
	counted time.Time // when count was written
	search  *widgets.TextEntry
	hits    *widgets.Label
	next    *widgets.IconButton
	prev    *widgets.IconButton
	wrap    *widgets.IconButton
}

var logLevels = [...]logline.Level{logline.Debug, logline.Info, logline.Warn, logline.Error}

func newJobLog(p *job) *jobLog {
	l := &jobLog{p: p, format: logline.New(logWords()), count: widgets.NewLabel("", widgets.Caption), hits: widgets.NewLabel("", widgets.Caption)}
	l.view = logview.New(logview.Config{Fonts: p.d.LogFonts, Location: time.Local, Post: p.d.Post, FollowText: followWords, OnSearch: l.searched, OnCopied: l.copied,
		OnFind: func() { l.search.Focus() }, OnEscape: l.escape, OnOlder: l.older, OnNewer: l.newer, OnTail: l.tail})
	l.search = widgets.NewSearchField(words.T("log.search"), words.Shortcut("F"), l.view.Search)
	l.search.OnSubmit(func(string) { l.view.NextHit() })
	l.search.OnKey(l.searchKey)
	l.prev = widgets.NewIconButton(icons.ChevronUp, words.T("log.previous"), l.view.PrevHit)
	l.next = widgets.NewIconButton(icons.ChevronDown, words.T("log.next"), l.view.NextHit)
	labels := make([]string, len(logLevels))
	for i, key := range [...]string{"all", "info", "warn", "error"} {
		labels[i] = words.T("log." + key)
	}
	levels := widgets.NewSegmented(labels, 0, func(i int) { l.view.SetLevel(logLevels[i]) })
	l.wrap = widgets.NewIconButton(icons.Wrap, words.T("log.wrap"), func() { l.setWrap(!l.view.Wrapped()) })
	copyAll := widgets.NewIconButton(icons.Copy, words.T("log.copy"), l.copyAll)
	save := widgets.NewIconButton(icons.Download, words.T("log.save"), p.saveLog)
	l.setWrap(p.d.Prefs.Get().WrapLog)
	l.showHits(logview.SearchState{})
	head := widgets.HFlex(8, widgets.NewLabel(words.T("job.log"), widgets.CardTitle), l.count, widgets.Spacer(), l.hits, l.prev, l.next, widgets.Fixed(l.search, 220), levels, l.wrap, copyAll, save)
	l.nothing = widgets.NewParagraph("", widgets.Caption).Centered().Wrapped(320)
	l.none = widgets.Center(l.nothing)
	l.root = widgets.FlatCard(widgets.VFlex(0, widgets.Pad(head, 9, 10, 9, theme.CardPad), widgets.Divider(), widgets.Grow(widgets.Stack(l.view, l.none), 1)))
	return l
}

// logWords are the sentences of log lines.
func logWords() logline.Words {
	return logline.Words{Bytes: words.Bytes,
		Scanned: func(files, bytes int64) string {
			return words.N("log.scanned", files, "Size", words.Bytes(bytes))
		},
		Summary: summaryWords,
		Gap: func(g fleet.LogGap) string {
			if g.From == 0 {
				return words.T("log.gap_unknown")
			}
			return words.T("log.gap", "From", words.Number(g.From), "To", words.Number(g.To))
		},
		Cut: func(bytes int64) string { return words.T("log.cut", "Size", words.Bytes(bytes)) }}
}

func summaryWords(s fleet.Summary) string {
	switch {
	case s.Backup != nil:
		b := s.Backup
		return words.T("log.summary_backup", "Files", words.Number(b.TotalFilesProcessed), "Size", words.Bytes(b.TotalBytesProcessed), "Added", words.Bytes(b.DataAddedPacked), "Snapshot", short(b.SnapshotID))
	case s.Restore != nil:
		return words.T("log.summary_restore", "Files", words.Number(s.Restore.FilesRestored), "Size", words.Bytes(s.Restore.BytesRestored))
	case s.Check != nil:
		return words.N("log.summary_check", s.Check.Errors)
	case s.Init != nil:
		return words.T("log.summary_init")
	}
	return words.N("log.summary_snapshots", s.Snapshots)
}

func followWords(n int) string {
	if n == 0 {
		return words.T("log.follow_none")
	}
	return words.N("log.follow", int64(n))
}

// take shows lines that came.
func (l *jobLog) take(b model.JobBatch) {
	lines := l.buffer[:0]
	for i, line := range b.Lines {
		lines = l.format.Append(lines, b.First+int64(i), line)
	}
	if b.EOF && !l.over {
		l.over = true
		lines = l.format.Rest(lines)
	}
	l.view.Append(lines)
	l.buffer = lines[:0]
}

// countEvery is how often the number of lines is written anew while they come: it is beside much that moves with its width.
const countEvery = 900 * time.Millisecond

// show tells how long the log is, and whether more will come.
func (l *jobLog) show() {
	facts, now := l.p.vm.Log(), l.p.d.Now()
	if facts.EOF || now.Sub(l.counted) >= countEvery {
		l.counted = now
		l.count.Set(words.N("job.log_lines", max(facts.Last, l.view.LastSeq())))
	}
	l.view.SetLive(!facts.EOF)
	l.nothing.Set(l.silence(facts.EOF))
	shown(l.none, l.view.LastSeq() == 0)
}

// silence says why there is no line.
func (l *jobLog) silence(over bool) string {
	switch {
	case l.p.vm.Life() == vm.LifeQueued:
		return words.T("log.not_begun")
	case over:
		return words.T("log.none_written")
	}
	return words.T("log.none_yet")
}

func (l *jobLog) setWrap(wrap bool) {
	l.view.SetWrap(wrap)
	l.wrap.SetOn(wrap)
	l.p.d.Prefs.Change(func(d *prefs.Data) { d.WrapLog = wrap })
}

func (l *jobLog) searched(s logview.SearchState) { l.showHits(s) }

func (l *jobLog) showHits(s logview.SearchState) {
	text := ""
	switch {
	case s.Text == "":
	case s.Current > 0:
		text = words.T("log.hit_of", "At", words.Number(s.Current), "All", words.Number(s.Hits))
	default:
		text = words.N("log.hits", s.Hits)
	}
	l.hits.Set(text)
	shown(l.prev, s.Text != "")
	shown(l.next, s.Text != "")
	l.next.SetEnabled(s.Hits > 0)
	l.prev.SetEnabled(s.Hits > 0)
}

// searchKey takes the keys of the search field that are not its text's.
func (l *jobLog) searchKey(e *fyne.KeyEvent) bool {
	switch e.Name {
	case fyne.KeyEscape:
		l.endSearch()
		l.p.d.Window.Canvas().Focus(l.view)
	case fyne.KeyDown:
		l.view.NextHit()
	case fyne.KeyUp:
		l.view.PrevHit()
	default:
		return false
	}
	return true
}

func (l *jobLog) endSearch() {
	l.search.SetText("")
	l.view.Search("")
}

func (l *jobLog) escape() {
	if l.search.Text() != "" {
		l.endSearch()
		return
	}
	l.p.d.Back()
}

func (l *jobLog) copyAll() {
	if !l.view.HasSelection() {
		l.view.SelectAll()
	}
	l.view.Copy()
}

func (l *jobLog) copied(c logview.Copied) {
	if c.Cut {
		l.p.d.Toast(widgets.Warn, words.T("log.too_much"), words.T("log.too_much_text"))
		return
	}
	l.p.d.Toast(widgets.Ok, words.T("log.copied"), words.N("job.log_lines", int64(c.Lines)))
}

// older fetches what lies before the first line that is held.
func (l *jobLog) older(before int64) {
	l.p.feed.Older(l.p.ctx, before, olderLines, func(first int64, lines []fleet.LogLine, err error) {
		if err != nil {
			l.p.complain(err)
			l.view.Prepend(nil, true)
			return
		}
		l.view.Prepend(l.formatted(first, lines), first > 1)
	})
}

// newer fetches what follows on the last line that is held, where the view let newer ones go.
func (l *jobLog) newer(after int64) {
	l.fetch(after, func(lines []logline.Line, more bool) { l.view.Continue(lines, more) })
}

// tail begins anew at the end.
func (l *jobLog) tail() {
	l.view.Reset()
	l.fetch(max(0, l.p.vm.Log().Last-olderLines), func(lines []logline.Line, _ bool) { l.view.Append(lines) })
}

// fetch reads a page of the stored log after a line.
func (l *jobLog) fetch(after int64, done func(lines []logline.Line, more bool)) {
	d, id := l.p.d.Daemon, l.p.id
	feed.Call(l.p.ctx, l.p.d.Calls, func(ctx context.Context) ([]fleet.LogLine, error) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var lines []fleet.LogLine
		err := d.LogLines(ctx, id, after, func(_ int64, line fleet.LogLine) error {
			if lines = append(lines, line); len(lines) >= olderLines {
				stop()
			}
			return nil
		})
		if len(lines) >= olderLines {
			err = nil // it was we who stopped
		}
		return lines, err
	}, func(lines []fleet.LogLine, err error) {
		l.p.complain(err)
		done(l.formatted(after+1, lines), len(lines) >= olderLines || err != nil)
	})
}

func (l *jobLog) formatted(first int64, lines []fleet.LogLine) []logline.Line {
	f := logline.New(logWords())
	var out []logline.Line
	for i, line := range lines {
		out = f.Append(out, first+int64(i), line)
	}
	return f.Rest(out)
}

// key takes the page's keys.
func (l *jobLog) key(k Key) bool {
	switch {
	case k.Super && k.Name == fyne.KeyF:
		l.search.Focus()
	case k.Super && k.Name == fyne.KeyS:
		l.p.saveLog()
	case k.Super && k.Name == fyne.KeyC && l.view.HasSelection():
		l.view.Copy()
	case k.Super && k.Name == fyne.KeyA:
		l.view.SelectAll()
	case k.Name == fyne.KeyEnd:
		l.view.Follow()
	default:
		return false
	}
	return true
}

func (l *jobLog) close() { l.view.Close() }
