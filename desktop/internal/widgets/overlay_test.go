package widgets_test

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

// clock is time that passes when the test says so.
type clock struct {
	now    time.Duration
	timers map[int]timer
	next   int
}

type timer struct {
	at time.Duration
	f  func()
}

func (c *clock) after(d time.Duration, f func()) (stop func()) {
	if c.timers == nil {
		c.timers = map[int]timer{}
	}
	id := c.next
	c.next++
	c.timers[id] = timer{c.now + d, f}
	return func() { delete(c.timers, id) }
}

func (c *clock) pass(d time.Duration) {
	c.now += d
	for id, t := range c.timers {
		if t.at <= c.now {
			delete(c.timers, id)
			t.f()
		}
	}
}

func TestDialogKeepsTheKeyboardAndTheWindowOut(t *testing.T) {
	use(t, theme.Light)
	below := 0
	page := widgets.NewButton(widgets.Primary, "", "Below", func() { below++ })
	c := show(t, fyne.NewSize(800, 600), widgets.VFlex(0, widgets.HFlex(0, page)))
	done, closed := 0, 0
	name := widgets.NewEntry("name", nil)
	var d *widgets.Dialog
	cancel := widgets.NewButton(widgets.Secondary, "", "Cancel", func() { d.Close() })
	ok := widgets.NewButton(widgets.Primary, "", "Create", func() { done++ })
	d = widgets.NewDialog(widgets.DialogConfig{Title: "New plan", Body: widgets.VFlex(8, widgets.NewField("Name", name, "")), Buttons: []*widgets.Button{cancel, ok}, Focus: name, OnClose: func() { closed++ }})
	d.Open(c)
	test.Type(c.Focused(), "nightly")
	if name.Text() != "nightly" {
		t.Errorf("the field that should have the keyboard has %q", name.Text())
	}
	for range 7 {
		c.FocusNext()
		if c.Focused() == fyne.Focusable(page) {
			t.Fatal("the Tab key leads out of a dialog")
		}
	}
	p := middle(page)
	tapAt(c, p.X, p.Y)
	if below != 0 {
		t.Error("a click beside a dialog reaches the page")
	}
	p = middle(ok)
	tapAt(c, p.X, p.Y)
	if done != 1 {
		t.Error("a button of a dialog cannot be pressed")
	}
	if !d.IsOpen() {
		t.Fatal("a dialog closed itself")
	}
	name.Focus()
	key(t, c, fyne.KeyEscape)
	if d.IsOpen() || closed != 1 || c.Overlays().Top() != nil {
		t.Errorf("Esc in a field leaves the dialog open, or closes it %d times", closed)
	}
	d.Close()
	if closed != 1 {
		t.Error("a closed dialog closes again")
	}
}

func TestFixedDialogIgnoresEscape(t *testing.T) {
	use(t, theme.Light)
	c := show(t, fyne.NewSize(800, 600), widgets.Space(1))
	d := widgets.NewDialog(widgets.DialogConfig{Title: "Restoring", Body: widgets.NewProgress(8)})
	d.Open(c)
	d.SetFixed(true)
	key(t, c, fyne.KeyEscape)
	if !d.IsOpen() {
		t.Error("Esc closes a dialog in which something goes on")
	}
	d.SetFixed(false)
	if !widgets.Escape(c) || d.IsOpen() || widgets.Escape(c) {
		t.Error("Escape closes nothing, or finds something where nothing is")
	}
}

func TestConfirmAsksAndEnterDoesNotAnswer(t *testing.T) {
	use(t, theme.Light)
	c := show(t, fyne.NewSize(800, 600), widgets.Space(1))
	yes := 0
	ask := func() *widgets.Dialog {
		return widgets.Confirm(c, widgets.ConfirmConfig{Title: "Forget 12 snapshots?", Text: "They cannot be restored any more.", Cancel: "Cancel", Action: "Forget", Kind: widgets.Danger, OnYes: func() { yes++ }})
	}
	ask()
	key(t, c, fyne.KeyReturn)
	if yes != 0 {
		t.Fatal("Enter alone answered")
	}
	c.FocusNext()
	key(t, c, fyne.KeyReturn) // cancel comes first
	if yes != 0 || c.Overlays().Top() != nil {
		t.Fatal("the first button is not the one that cancels")
	}
	ask()
	c.FocusNext()
	c.FocusNext()
	key(t, c, fyne.KeyReturn)
	if yes != 1 || c.Overlays().Top() != nil {
		t.Errorf("answered %d times", yes)
	}
}

func TestDialogScrollsWhatIsTooHigh(t *testing.T) {
	use(t, theme.Light)
	c := show(t, fyne.NewSize(800, 400), widgets.Space(1))
	last := widgets.NewButton(widgets.Primary, "", "Do", func() {})
	d := widgets.NewDialog(widgets.DialogConfig{Title: "Much", Body: widgets.Fix(widgets.Space(1), fyne.NewSize(100, 2000)), Buttons: []*widgets.Button{last}})
	d.Open(c)
	if bottom := absolute(last).Y + last.Size().Height; bottom > 400 {
		t.Errorf("the buttons end at %v of 400", bottom)
	}
}

func TestToastsGoAwayAndAreFew(t *testing.T) {
	use(t, theme.Light)
	k := &clock{}
	root := widgets.NewRoot(widgets.Space(1), k.after)
	c := show(t, fyne.NewSize(900, 600), root)
	toasts := root.Toasts()
	opened := 0
	toasts.Push(widgets.Toast{Tone: widgets.Ok, Title: "Backup finished", Close: "Close", OnTap: func() { opened++ }})
	toasts.Push(widgets.Toast{Tone: widgets.Error, Title: "Backup failed", Text: "the repository is locked", Close: "Close"})
	k.pass(7 * time.Second)
	if toasts.Len() != 1 {
		t.Errorf("after 7 s there are %d, want the failure alone", toasts.Len())
	}
	k.pass(6 * time.Second)
	if toasts.Len() != 0 {
		t.Error("a failure never goes away")
	}
	for range 6 {
		toasts.Push(widgets.Toast{Tone: widgets.Ok, Title: "Backup finished", Close: "Close", OnTap: func() { opened++ }})
	}
	if toasts.Len() != 4 || len(k.timers) != 4 {
		t.Errorf("%d toasts and %d timers, want 4", toasts.Len(), len(k.timers))
	}
	tapAt(c, 900-20-100, 600-20-20) // the newest
	if opened != 1 || toasts.Len() != 3 {
		t.Errorf("a click opened %d, %d are left", opened, toasts.Len())
	}
	tapAt(c, 900-20-20, 600-20-25) // the cross of the next
	if opened != 1 || toasts.Len() != 2 {
		t.Errorf("the cross opened %d, %d are left", opened, toasts.Len())
	}
	hide := toasts.Push(widgets.Toast{Title: "x", Close: "Close"})
	hide()
	hide()
	if toasts.Len() != 2 {
		t.Error("hiding twice takes another away")
	}
}

func TestToastsDoNotCoverThePage(t *testing.T) {
	use(t, theme.Light)
	pressed := 0
	root := widgets.NewRoot(widgets.VFlex(0, widgets.HFlex(0, widgets.NewButton(widgets.Primary, "", "Below", func() { pressed++ }))), nil)
	c := show(t, fyne.NewSize(900, 600), root)
	root.Toasts().Push(widgets.Toast{Title: "x", Close: "Close"})
	tapAt(c, 20, 15)
	if pressed != 1 {
		t.Error("the layer of toasts takes the clicks")
	}
}

func TestTooltipWaits(t *testing.T) {
	use(t, theme.Light)
	k := &clock{}
	b := widgets.NewIconButton(icons.Copy, "Copy the id", func() {})
	root := widgets.NewRoot(widgets.VFlex(0, widgets.HFlex(0, widgets.Spacer(), b)), k.after)
	c := show(t, fyne.NewSize(300, 100), root)
	quiet := c.Capture()
	hover := func() { b.MouseIn(&desktop.MouseEvent{}) }
	hover()
	k.pass(300 * time.Millisecond)
	b.MouseOut()
	k.pass(time.Second)
	if !same(quiet, c.Capture()) {
		t.Error("a pointer that went on has a tooltip")
	}
	hover()
	hovered := c.Capture()
	k.pass(600 * time.Millisecond)
	if same(hovered, c.Capture()) {
		t.Error("a pointer that rests has no tooltip")
	}
	b.MouseOut()
	if !same(quiet, c.Capture()) {
		t.Error("the tooltip stays")
	}
	hover()
	test.Tap(b)
	k.pass(time.Second)
	b.MouseOut()
	if !same(quiet, c.Capture()) {
		t.Error("the tooltip comes after a click")
	}
}

func TestTooltipInADialogIsAboveIt(t *testing.T) {
	use(t, theme.Light)
	k := &clock{}
	c := show(t, fyne.NewSize(700, 500), widgets.NewRoot(widgets.Space(1), k.after))
	b := widgets.NewIconButton(icons.Copy, "Copy the token", func() {})
	d := widgets.NewDialog(widgets.DialogConfig{Title: "Token", Body: widgets.HFlex(0, b)})
	d.Open(c)
	b.MouseIn(&desktop.MouseEvent{})
	before := c.Capture()
	k.pass(time.Second)
	if same(before, c.Capture()) {
		t.Error("no tooltip in a dialog")
	}
}

func TestEntryHandsOnWhatItDoesNotKnow(t *testing.T) {
	use(t, theme.Light)
	e := widgets.NewSearchField("Search", "Ctrl K", nil)
	c := show(t, fyne.NewSize(400, 80), widgets.VFlex(0, e))
	var keys []fyne.KeyName
	c.SetOnTypedKey(func(k *fyne.KeyEvent) { keys = append(keys, k.Name) })
	e.Focus()
	test.Type(c.Focused(), "db-04")
	if e.Text() != "db-04" {
		t.Errorf("wrote %q", e.Text())
	}
	key(t, c, fyne.KeyEscape, fyne.KeyLeft)
	if len(keys) != 1 || keys[0] != fyne.KeyEscape {
		t.Errorf("the window got %v, want Esc", keys)
	}
	kept := 0
	e.OnKey(func(k *fyne.KeyEvent) bool { kept++; return k.Name == fyne.KeyBackspace })
	key(t, c, fyne.KeyBackspace, fyne.KeyHome)
	if kept != 2 || e.Text() != "db-04" {
		t.Errorf("the one around saw %d keys, the text is %q", kept, e.Text())
	}
}

func TestPasswordIsHiddenUntilTheEyeIsPressed(t *testing.T) {
	use(t, theme.Light)
	e := widgets.NewPasswordEntry("", "Show", "Hide", nil)
	c := show(t, fyne.NewSize(300, 60), widgets.VFlex(0, e))
	e.SetText("secret")
	hidden := c.Capture()
	p := absolute(e)
	tapAt(c, p.X+e.Size().Width-16, p.Y+16)
	if same(hidden, c.Capture()) {
		t.Error("the eye shows nothing")
	}
	if e.Text() != "secret" {
		t.Errorf("the text is %q", e.Text())
	}
	c.Unfocus()
	c.FocusNext()
	c.FocusNext()
	key(t, c, fyne.KeySpace)
	c.Unfocus()
	if !same(hidden, c.Capture()) {
		t.Error("the eye cannot be pressed with the keyboard, or does not hide again")
	}
}

func TestFieldSaysWhatIsWrong(t *testing.T) {
	use(t, theme.Light)
	e := widgets.NewEntry("host:port", nil)
	f := widgets.NewField("Address", e, "")
	below := widgets.NewLabel("below", widgets.Body)
	c := show(t, fyne.NewSize(300, 200), widgets.VFlex(4, f, below))
	quiet, y := c.Capture(), absolute(below).Y
	f.SetError("Nothing answers there. Check the address and whether the daemon runs.")
	if got := absolute(below).Y; got < y+20 {
		t.Errorf("what is below is at %v, was at %v", got, y)
	}
	f.SetError("")
	if !same(quiet, c.Capture()) {
		t.Error("an error that is gone leaves a trace")
	}
}
