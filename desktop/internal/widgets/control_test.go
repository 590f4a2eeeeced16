package widgets_test

import (
	"image"
	"slices"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/test"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/icons"
)

func TestButtonIsPressedByPointerAndKeyboard(t *testing.T) {
	use(t, theme.Light)
	pressed := 0
	b := widgets.NewButton(widgets.Primary, icons.Play, "Back up now", func() { pressed++ })
	c := show(t, fyne.NewSize(300, 80), widgets.HFlex(0, b))
	p := middle(b)
	tapAt(c, p.X, p.Y)
	c.FocusNext()
	if c.Focused() != fyne.Focusable(b) {
		t.Fatal("a button cannot be reached with the Tab key")
	}
	key(t, c, fyne.KeyReturn, fyne.KeyEnter, fyne.KeySpace, fyne.KeyA)
	if pressed != 4 {
		t.Errorf("pressed %d times, want 4", pressed)
	}
	b.SetEnabled(false)
	tapAt(c, p.X, p.Y)
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	b.SetEnabled(true)
	b.SetBusy(true)
	tapAt(c, p.X, p.Y)
	b.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if pressed != 4 {
		t.Error("a button that is disabled or busy was pressed")
	}
	b.SetBusy(false)
	tapAt(c, p.X, p.Y)
	if pressed != 5 {
		t.Error("a button that was busy cannot be pressed again")
	}
}

func TestDisabledButtonIsPassedOverByTheKeyboard(t *testing.T) {
	use(t, theme.Light)
	off, on := widgets.NewButton(widgets.Secondary, "", "Off", nil), widgets.NewButton(widgets.Secondary, "", "On", nil)
	off.SetEnabled(false)
	c := show(t, fyne.NewSize(300, 80), widgets.HFlex(4, off, on))
	c.FocusNext()
	if c.Focused() != fyne.Focusable(on) {
		t.Errorf("the Tab key leads to %T", c.Focused())
	}
}

func TestFocusAndHoverAreToBeSeen(t *testing.T) {
	use(t, theme.Light)
	group := map[string]fyne.Focusable{
		"button": widgets.NewButton(widgets.Secondary, "", "Browse", func() {}), "primary": widgets.NewButton(widgets.Primary, "", "Browse", func() {}),
		"danger": widgets.NewButton(widgets.Danger, "", "Cancel", func() {}), "ghost": widgets.NewButton(widgets.Ghost, "", "Log", func() {}),
		"link": widgets.NewButton(widgets.Link, "", "View all", func() {}), "icon": widgets.NewIconButton(icons.Copy, "Copy", func() {}),
		"pressable": widgets.NewPressable(widgets.NewLabel("entry", widgets.Body), 6, func() {}), "checkbox": widgets.NewCheckbox("Prune", true, nil),
		"radio": widgets.NewRadio([]string{"a", "b"}, 0, nil), "select": widgets.NewSelect("choose", []string{"a"}, 0, nil),
		"segmented": widgets.NewSegmented([]string{"All", "Some"}, 0, nil), "tabs": widgets.NewTabs([]string{"All", "Some"}, 0, nil),
	}
	for name, f := range group {
		o, ok := f.(fyne.CanvasObject)
		if !ok {
			t.Fatalf("%s is no object", name)
		}
		c := empty(t, fyne.NewSize(240, 80))
		c.SetContent(widgets.Center(o))
		c.Resize(fyne.NewSize(240, 80))
		quiet := c.Capture()
		c.Focus(f)
		if same(quiet, c.Capture()) {
			t.Errorf("%s looks the same with the keyboard on it", name)
		}
		c.Unfocus()
		if !same(quiet, c.Capture()) {
			t.Errorf("%s looks another when the keyboard has left it", name)
		}
		if h, ok := o.(desktop.Hoverable); ok {
			h.MouseIn(&desktop.MouseEvent{})
			if name != "checkbox" && same(quiet, c.Capture()) {
				t.Errorf("%s looks the same with the pointer on it", name)
			}
			h.MouseOut()
			if !same(quiet, c.Capture()) {
				t.Errorf("%s looks another when the pointer has left it", name)
			}
		}
	}
}

func same(a, b image.Image) bool {
	x, ok := a.(*image.NRGBA)
	y, ok2 := b.(*image.NRGBA)
	return ok && ok2 && x.Rect == y.Rect && slices.Equal(x.Pix, y.Pix)
}

func TestChoicesMoveWithTheArrows(t *testing.T) {
	type choice interface {
		fyne.Focusable
		fyne.CanvasObject
		Selected() int
		Select(int)
	}
	for name, make := range map[string]func([]string, int, func(int)) choice{
		"segmented": func(o []string, i int, f func(int)) choice { return widgets.NewSegmented(o, i, f) },
		"tabs":      func(o []string, i int, f func(int)) choice { return widgets.NewTabs(o, i, f) },
		"radio":     func(o []string, i int, f func(int)) choice { return widgets.NewRadio(o, i, f) },
	} {
		t.Run(name, func(t *testing.T) {
			var told []int
			use(t, theme.Light)
			w := make([]string{"one", "two", "three"}, 0, func(i int) { told = append(told, i) })
			c := empty(t, fyne.NewSize(400, 120))
			c.SetContent(widgets.VFlex(0, w))
			c.Resize(fyne.NewSize(400, 120))
			c.Focus(w)
			key(t, c, fyne.KeyRight, fyne.KeyRight, fyne.KeyRight, fyne.KeyLeft, fyne.KeyHome, fyne.KeyEnd)
			if want := []int{1, 2, 1, 0, 2}; !slices.Equal(told, want) {
				t.Errorf("told %v, want %v", told, want)
			}
			w.Select(1)
			if w.Selected() != 1 || len(told) != 5 {
				t.Error("Select tells what it was told")
			}
		})
	}
}

func TestSegmentedByPointer(t *testing.T) {
	use(t, theme.Light)
	chosen := -1
	s := widgets.NewSegmented([]string{"All", "Attention", "Running"}, 0, func(i int) { chosen = i })
	c := show(t, fyne.NewSize(300, 60), widgets.HFlex(0, s))
	p := absolute(s)
	tapAt(c, p.X+s.Size().Width-20, p.Y+s.Size().Height/2)
	if chosen != 2 || s.Selected() != 2 {
		t.Errorf("a click on the last chose %d", chosen)
	}
}

func TestCheckbox(t *testing.T) {
	use(t, theme.Light)
	var told []bool
	b := widgets.NewCheckbox("Prune after forget", false, func(on bool) { told = append(told, on) })
	c := show(t, fyne.NewSize(300, 60), widgets.HFlex(0, b))
	p := absolute(b)
	tapAt(c, p.X+60, p.Y+10)
	c.Focus(b)
	key(t, c, fyne.KeySpace)
	b.SetChecked(true)
	if !slices.Equal(told, []bool{true, false}) || !b.Checked() {
		t.Errorf("told %v, checked %v", told, b.Checked())
	}
}

func TestSelectOpensAListAndIsChosenFromWithTheKeyboard(t *testing.T) {
	use(t, theme.Light)
	chosen := -1
	s := widgets.NewSelect("Choose a repository", []string{"alpha", "beta", "gamma"}, -1, func(i int) { chosen = i })
	c := show(t, fyne.NewSize(400, 300), widgets.Center(s))
	if got := drawn(s); got != "Choose a repository" {
		t.Errorf("shows %q", got)
	}
	c.Focus(s)
	key(t, c, fyne.KeyDown)
	if c.Overlays().Top() == nil {
		t.Fatal("the down arrow opens no list")
	}
	key(t, c, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	if chosen != 1 || s.Selected() != 1 || drawn(s) != "beta" {
		t.Errorf("chose %d, shows %q", chosen, drawn(s))
	}
	if c.Overlays().Top() != nil || c.Focused() != fyne.Focusable(s) {
		t.Error("after a choice the list is still there, or the keyboard is elsewhere")
	}
	key(t, c, fyne.KeySpace, fyne.KeyEscape)
	if c.Overlays().Top() != nil || chosen != 1 {
		t.Error("Esc does not close the list, or chooses")
	}
	p := middle(s)
	tapAt(c, p.X, p.Y)
	tapAt(c, 5, 5)
	if c.Overlays().Top() != nil {
		t.Error("a click beside the list does not close it")
	}
}

func TestMenuPassesOverWhatCannotBeChosen(t *testing.T) {
	use(t, theme.Light)
	var did []string
	do := func(s string) func() { return func() { did = append(did, s) } }
	b := widgets.NewButton(widgets.Secondary, "", "More", nil)
	c := show(t, fyne.NewSize(400, 300), widgets.HFlex(0, b))
	open := func() {
		widgets.ShowMenu(b, []widgets.MenuItem{{Label: "Off", Disabled: true, OnTap: do("off")}, {Label: "Edit", OnTap: do("edit")}, {}, {Label: "Revoke", Danger: true, OnTap: do("revoke")}})
	}
	open()
	key(t, c, fyne.KeyDown, fyne.KeyReturn)
	open()
	key(t, c, fyne.KeyUp, fyne.KeyReturn)
	open()
	key(t, c, fyne.KeyDown, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
	if want := []string{"edit", "revoke", "edit"}; !slices.Equal(did, want) {
		t.Errorf("did %v, want %v", did, want)
	}
}

func TestMenuStaysInsideTheWindow(t *testing.T) {
	use(t, theme.Light)
	b := widgets.NewButton(widgets.Secondary, "", "More", nil)
	c := show(t, fyne.NewSize(400, 300), widgets.VFlex(0, widgets.Grow(widgets.Space(1), 1), widgets.HFlex(0, widgets.Spacer(), b)))
	chosen := ""
	items := []widgets.MenuItem{{Label: "first", OnTap: func() { chosen = "first" }}, {Label: "second"}, {Label: "third", OnTap: func() { chosen = "third" }}}
	widgets.ShowMenu(b, items)
	top := absolute(b).Y
	tapAt(c, 380-60, top-4-5-16) // the last item, just above the button
	if chosen != "third" {
		t.Errorf("a menu without room below is not above: %q", chosen)
	}
}

func TestPressableSaysThatItIsSelected(t *testing.T) {
	use(t, theme.Light)
	pressed := 0
	p := widgets.NewPressable(widgets.NewLabel("Hosts", widgets.BodyMedium), 7, func() { pressed++ })
	c := show(t, fyne.NewSize(200, 60), widgets.VFlex(0, p))
	before := c.Capture()
	p.SetSelected(true)
	if same(before, c.Capture()) {
		t.Error("a selected entry looks like the others")
	}
	test.Tap(p)
	if pressed != 1 {
		t.Error("not pressed")
	}
}
