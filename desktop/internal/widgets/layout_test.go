package widgets_test

import (
	"image/color"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
)

const long = "a host with a name that is longer than every column that anybody would give it.example.net"

func TestLabelEndsInAnEllipsisAndIsNarrowAtLeast(t *testing.T) {
	use(t, theme.Light)
	l := widgets.NewLabel(long, widgets.Body)
	c := show(t, fyne.NewSize(200, 40), widgets.HFlex(0, l))
	if w := c.Content().MinSize().Width; w > 40 {
		t.Errorf("a long text keeps the window from being narrower than %v", w)
	}
	if l.Size().Width > 200 {
		t.Errorf("the text is %v wide in 200", l.Size().Width)
	}
	shown := drawn(l)
	if !strings.HasSuffix(shown, "…") || len(shown) < 15 || !strings.HasPrefix(long, strings.TrimSuffix(shown, "…")) {
		t.Errorf("drawn: %q", shown)
	}
	if l.Text() != long {
		t.Errorf("the label forgot what it says: %q", l.Text())
	}
	l.Set("short")
	if got := drawn(l); got != "short" {
		t.Errorf("drawn: %q", got)
	}
	l.Set("two\nlines\tand a tab")
	if got := l.Text(); got != "two lines and a tab" {
		t.Errorf("one line of text has %q", got)
	}
}

func TestTextOfAnyScriptIsDrawn(t *testing.T) {
	use(t, theme.Dark)
	for _, s := range []string{"李雷 /文档 /report-final.pdf", "Ελλάδα – данные", "שלום", "🗄️ backups 👩‍👩‍👧", "\u202e rtl", "a\x00b", "", "\xff\xfe"} {
		for _, style := range []widgets.Style{widgets.Body, widgets.BodyMedium, widgets.BodyStrong, widgets.Title, widgets.Mono} {
			c := empty(t, fyne.NewSize(60, 30))
			c.SetContent(widgets.HFlex(0, widgets.NewLabel(s, style)))
			c.Capture()
			c.SetContent(widgets.NewParagraph(s+s+s, style))
			c.Capture()
		}
	}
}

func TestFlexSharesTheRoom(t *testing.T) {
	use(t, theme.Light)
	a, b, d := widgets.NewProgress(8), widgets.NewProgress(8), widgets.NewProgress(8)
	row := widgets.HFlex(10, widgets.Grow(a, 1), widgets.Fixed(b, 100), widgets.Grow(d, 3))
	row.Resize(fyne.NewSize(520, 20))
	if a.Size().Width != 100 || b.Size().Width != 100 || d.Size().Width != 300 {
		t.Errorf("widths %v %v %v, want 100 100 300", a.Size().Width, b.Size().Width, d.Size().Width)
	}
	if b.Position().X != 110 || d.Position().X != 220 {
		t.Errorf("at %v and %v, want 110 and 220", b.Position().X, d.Position().X)
	}
	if a.Size().Height != 8 || a.Position().Y != 6 {
		t.Errorf("the bar is not in the middle: %v at %v", a.Size().Height, a.Position().Y)
	}
	b.Hide()
	row.Refresh()
	if w := a.Size().Width + d.Size().Width; w != 510 {
		t.Errorf("a hidden child keeps room: %v", w)
	}
}

func TestFlexShrinksTextOnly(t *testing.T) {
	use(t, theme.Light)
	text, button := widgets.NewLabel(long, widgets.Body), widgets.NewButton(widgets.Secondary, "", "Browse", nil)
	row := widgets.HFlex(8, text, widgets.Spacer(), button)
	row.Resize(fyne.NewSize(260, 40))
	if button.Size().Width < button.MinSize().Width {
		t.Error("a button was made narrower than its label")
	}
	if end := button.Position().X + button.Size().Width; end > 260.5 {
		t.Errorf("the row ends at %v of 260", end)
	}
	if w := text.Size().Width; w < 100 {
		t.Errorf("the text has %v, though there is more room", w)
	}
}

func TestEqualWeightsAreEquallyWide(t *testing.T) {
	use(t, theme.Light)
	wide := widgets.Fix(widgets.NewProgress(4), fyne.NewSize(300, 4))
	a, b := widgets.NewProgress(4), widgets.NewProgress(4)
	row := widgets.HFlex(0, widgets.Grow(wide, 1), widgets.Grow(a, 1), widgets.Grow(b, 1))
	row.Resize(fyne.NewSize(900, 10))
	if wide.Size().Width != 300 || a.Size().Width != 300 {
		t.Errorf("widths %v %v", wide.Size().Width, a.Size().Width)
	}
	row.Resize(fyne.NewSize(500, 10))
	if wide.Size().Width != 300 || a.Size().Width != 100 || b.Size().Width != 100 {
		t.Errorf("with one that needs more: %v %v %v", wide.Size().Width, a.Size().Width, b.Size().Width)
	}
}

func TestGrowthReachesTheLayoutsAround(t *testing.T) {
	use(t, theme.Light)
	state := widgets.NewPill(widgets.Ok, "Ok")
	name := widgets.NewLabel("x", widgets.Body)
	after := widgets.NewBadge("7")
	show(t, fyne.NewSize(500, 100), widgets.Card(widgets.HFlex(8, widgets.Pad(widgets.HFlex(4, name, state), 1, 2, 3, 4), after)))
	x := absolute(after).X
	state.Set(widgets.Warn, "Succeeded with warnings")
	if got := absolute(after).X; got < x+60 {
		t.Errorf("what stands behind a pill that grew is at %v, was at %v", got, x)
	}
	x = absolute(after).X
	name.Set("mail-02.office-lyon")
	if got := absolute(after).X; got < x+60 {
		t.Errorf("what stands behind a label that grew is at %v, was at %v", got, x)
	}
	if drawn(name) != "mail-02.office-lyon" {
		t.Errorf("the label that grew shows %q", drawn(name))
	}
}

func TestParagraphsPushDownWhatIsBelow(t *testing.T) {
	use(t, theme.Light)
	text := widgets.NewParagraph("short", widgets.Body)
	below := widgets.NewLabel("below", widgets.Body)
	c := show(t, fyne.NewSize(300, 400), widgets.NewScroll(widgets.Pad(widgets.VFlex(4, text, below), 10, 10, 10, 10)))
	y := absolute(below).Y
	text.Set(strings.Repeat("words that wrap ", 20))
	if got := absolute(below).Y; got < y+80 {
		t.Errorf("below is at %v, was at %v", got, y)
	}
	wide := absolute(below).Y
	c.(interface{ Resize(fyne.Size) }).Resize(fyne.NewSize(900, 400))
	if got := absolute(below).Y; got >= wide {
		t.Errorf("in a wider window below is at %v, was at %v", got, wide)
	}
}

func TestScrollReachesTheEndOfWrappedText(t *testing.T) {
	use(t, theme.Light)
	text := widgets.NewParagraph(strings.Repeat("words that wrap ", 300), widgets.Body)
	last := widgets.NewLabel("the end", widgets.Body)
	s := widgets.NewScroll(widgets.VFlex(4, text, last))
	show(t, fyne.NewSize(300, 200), s)
	s.SetOffset(1e6)
	if bottom := absolute(last).Y + last.Size().Height; bottom < 190 || bottom > 201 {
		t.Errorf("scrolled to the end, the last line ends at %v of 200", bottom)
	}
}

func TestSetChildren(t *testing.T) {
	use(t, theme.Light)
	row := widgets.HFlex(10, widgets.NewBadge("1"))
	row.Resize(fyne.NewSize(400, 30))
	a, b := widgets.NewBadge("2"), widgets.NewProgress(4)
	widgets.SetChildren(row, a, widgets.Grow(b, 1))
	if len(row.Objects) != 2 || b.Size().Width < 300 {
		t.Errorf("%d children, the one that grows is %v wide", len(row.Objects), b.Size().Width)
	}
	a.Set("a longer badge")
	if a.Size().Width < 80 || b.Position().X < 80 {
		t.Errorf("a new child grew to %v, the next is at %v", a.Size().Width, b.Position().X)
	}
}

func TestColumnsAreEquallyHigh(t *testing.T) {
	use(t, theme.Light)
	a, b := widgets.Card(widgets.Space(100)), widgets.Card(widgets.Space(20))
	row := widgets.Columns(14, widgets.Grow(a, 1), widgets.Grow(b, 1))
	page := widgets.VFlex(0, row)
	page.Resize(fyne.NewSize(600, 400))
	if a.Size() != b.Size() || a.Size().Height < 130 || a.Size().Height > 140 {
		t.Errorf("sizes %v and %v", a.Size(), b.Size())
	}
}

func TestGridAndMaxWidth(t *testing.T) {
	use(t, theme.Light)
	a, b, d := widgets.NewProgress(10), widgets.NewProgress(20), widgets.NewProgress(30)
	g := widgets.Grid(2, 10, a, b, d)
	g.Resize(fyne.NewSize(210, 60))
	if a.Size() != fyne.NewSize(100, 20) || b.Position() != fyne.NewPos(110, 0) || d.Position() != fyne.NewPos(0, 30) {
		t.Errorf("a %v, b at %v, d at %v", a.Size(), b.Position(), d.Position())
	}
	m := widgets.MaxWidth(widgets.NewProgress(4), 120)
	m.Resize(fyne.NewSize(500, 10))
	if w := m.Objects[0].Size().Width; w != 120 {
		t.Errorf("MaxWidth 120 is %v wide", w)
	}
}

// picture counts how often it is made anew.
type picture struct {
	widget.BaseWidget
	made int
}

func newPicture() *picture {
	p := &picture{}
	p.ExtendBaseWidget(p)
	return p
}

func (p *picture) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(canvas.NewRectangle(color.Black))
}

func (p *picture) Refresh() { p.made++ }

// A figure that grows moves what is beside it, and has no picture beside it made anew: most of what a frame costs would be that.
func TestWhatMovesIsNotMadeAnew(t *testing.T) {
	use(t, theme.Light)
	count, beside := widgets.NewLabel("9", widgets.Body), newPicture()
	show(t, fyne.NewSize(400, 40), widgets.VFlex(0, widgets.HFlex(4, count, widgets.Fixed(beside, 20), widgets.Spacer())))
	at, made := beside.Position().X, beside.made
	count.Set("1,000,000 lines")
	if beside.Position().X <= at {
		t.Errorf("the picture stays at %v", at)
	}
	if beside.made != made {
		t.Errorf("the picture was made anew %d times", beside.made-made)
	}
}

// What is shown deeper down gets its room when something around it is laid out again.
func TestWhatIsShownDeeperGetsItsRoom(t *testing.T) {
	use(t, theme.Light)
	legend := widgets.HFlex(0, widgets.NewLabel("a legend", widgets.Body))
	head, figure := widgets.HFlex(0, widgets.Spacer(), legend), widgets.NewLabel("9", widgets.Body)
	legend.Hide()
	show(t, fyne.NewSize(400, 80), widgets.VFlex(0, head, widgets.HFlex(0, figure)))
	legend.Show()
	figure.Set("a figure that is longer")
	if at, size := legend.Position().X, legend.Size(); at+size.Width < 399 || size.Width < 20 {
		t.Errorf("the legend is %v wide at %v of 400", size.Width, at)
	}
}
