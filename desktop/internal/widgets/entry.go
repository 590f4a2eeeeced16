package widgets

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	stock "fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// entry is Fyne's, which tells about focus and hands on the keys that it has no use for.
type entry struct {
	widget.Entry
	changed func(focused bool)
	onKey   func(*fyne.KeyEvent) bool // true: the key was for the one around
}

// FocusGained implements fyne.Focusable.
func (e *entry) FocusGained() {
	e.Entry.FocusGained()
	e.changed(true)
}

// FocusLost implements fyne.Focusable.
func (e *entry) FocusLost() {
	e.Entry.FocusLost()
	e.changed(false)
}

// TypedKey implements fyne.Focusable.
func (e *entry) TypedKey(k *fyne.KeyEvent) {
	switch {
	case e.onKey != nil && e.onKey(k):
	case k.Name == fyne.KeyEscape:
		forward(e, k)
	default:
		e.Entry.TypedKey(k)
	}
}

// TypedShortcut implements fyne.Shortcutable.
func (e *entry) TypedShortcut(s fyne.Shortcut) {
	e.Entry.TypedShortcut(s)
	forwardShortcut(e, s)
}

// TextEntry is a field to write in: one line, a password, or an area of several lines.
type TextEntry struct {
	part
	entry   *entry
	box     fyne.CanvasObject // the entry, or what holds it
	ring    ring
	icon    *Icon
	right   fyne.CanvasObject // inside, at the right: a hint, an eye
	err     bool
	errLine *canvas.Rectangle // the frame, where it is another than Fyne's: something is wrong, or nobody may write
	rows    int
}

// NewEntry makes a field of one line.
func NewEntry(placeholder string, onChange func(string)) *TextEntry {
	return newTextEntry(placeholder, onChange, nil)
}

// NewPasswordEntry makes a field that hides what is written, with an eye to see it. The texts name the eye.
func NewPasswordEntry(placeholder, show, hide string, onChange func(string)) *TextEntry {
	var t *TextEntry
	var eye *IconButton
	eye = NewIconButton(icons.Eye, show, func() {
		t.entry.Password = !t.entry.Password
		if t.entry.Password {
			eye.SetIcon(icons.Eye)
			eye.SetTooltip(show)
		} else {
			eye.SetIcon(icons.EyeOff)
			eye.SetTooltip(hide)
		}
		t.entry.Refresh()
	})
	t = newTextEntry(placeholder, onChange, func(e *entry) {
		e.Password = true
		e.ActionItem = newBlank(fyne.NewSize(24, 0)) // Fyne's own eye cannot be reached with the keyboard
	})
	t.right = eye
	t.objects = append(t.objects, eye)
	return t
}

// NewTextArea makes a field of this many lines, more of them scroll.
func NewTextArea(placeholder string, rows int, onChange func(string)) *TextEntry {
	t := newTextEntry(placeholder, onChange, func(e *entry) {
		e.MultiLine = true
		e.Wrapping = fyne.TextWrapWord
		e.SetMinRowsVisible(rows)
	})
	t.rows = rows
	return t
}

func newTextEntry(placeholder string, onChange func(string), more func(*entry)) *TextEntry {
	t := &TextEntry{entry: &entry{}, ring: newRing(theme.RadiusControl), errLine: canvas.NewRectangle(theme.Color(theme.Transparent))}
	e := t.entry
	e.PlaceHolder, e.OnChanged = placeholder, onChange
	e.changed = func(focused bool) {
		t.ring.show(focused)
		t.ring.rect.Refresh()
	}
	if more != nil {
		more(e)
	}
	e.ExtendBaseWidget(e)
	t.errLine.CornerRadius, t.errLine.StrokeWidth = theme.RadiusControl, theme.Hairline
	t.errLine.Hide()
	t.box = e
	t.objects = []fyne.CanvasObject{e, t.errLine, t.ring.rect}
	t.layout = t.lay
	t.min = func() fyne.Size { return fyne.NewSize(80, t.height()) }
	t.paint = func() {
		t.errLine.StrokeColor = theme.Color(t.frameColor())
		t.ring.rect.StrokeColor = theme.Color(theme.FocusRing)
	}
	t.be(t)
	return t
}

// frame puts a rectangle where Fyne's entry draws its frame.
func frame(r *canvas.Rectangle, size fyne.Size) {
	r.Move(fyne.NewSquareOffsetPos(theme.Hairline / 2))
	r.Resize(size.SubtractWidthHeight(1.5*theme.Hairline, 1.5*theme.Hairline))
}

func (t *TextEntry) height() float32 {
	if t.rows > 0 {
		return float32(t.rows)*18 + 16
	}
	return theme.ControlH
}

func (t *TextEntry) lay(size fyne.Size) {
	t.box.Resize(size)
	frame(t.errLine, size)
	t.ring.layout(size)
	if t.icon != nil {
		t.icon.Move(fyne.NewPos(10, (size.Height-theme.IconSize)/2))
		t.icon.Resize(fyne.NewSquareSize(theme.IconSize))
	}
	if t.right != nil {
		want := naturalSize(t.right)
		if _, ok := t.right.(*IconButton); ok {
			want = fyne.NewSquareSize(size.Height - 4)
			t.right.Move(fyne.NewPos(size.Width-want.Width-2, 2))
		} else {
			t.right.Move(fyne.NewPos(size.Width-want.Width-8, (size.Height-want.Height)/2))
		}
		t.right.Resize(want)
	}
}

// NaturalSize is wide enough for some words.
func (t *TextEntry) NaturalSize() fyne.Size { return fyne.NewSize(240, t.height()) }

// Text is what was written.
func (t *TextEntry) Text() string { return t.entry.Text }

// SetText writes.
func (t *TextEntry) SetText(text string) {
	if text != t.entry.Text {
		t.entry.SetText(text)
	}
}

// SetPlaceholder shows another text where nothing is written.
func (t *TextEntry) SetPlaceholder(text string) {
	if text != t.entry.PlaceHolder {
		t.entry.SetPlaceHolder(text)
	}
}

// OnSubmit calls f at Enter (not in an area of several lines), and gives the field back.
func (t *TextEntry) OnSubmit(f func(string)) *TextEntry {
	t.entry.OnSubmitted = f
	return t
}

// OnKey lets f see keys first; true keeps a key from the field. It gives the field back.
func (t *TextEntry) OnKey(f func(*fyne.KeyEvent) bool) *TextEntry {
	t.entry.onKey = f
	return t
}

// Mono writes in the font of fixed width: tokens, fingerprints, paths. It gives the field back.
func (t *TextEntry) Mono() *TextEntry {
	t.entry.TextStyle = fyne.TextStyle{Monospace: true}
	if t.rows == 0 { // its lines are higher: the one there is must not scroll up and down
		t.entry.Wrapping, t.entry.Scroll = fyne.TextWrapOff, fyne.ScrollHorizontalOnly
	}
	return t
}

// SetEnabled lets people write or not.
func (t *TextEntry) SetEnabled(enabled bool) {
	switch {
	case enabled && t.entry.Disabled():
		t.entry.Enable()
	case !enabled && !t.entry.Disabled():
		t.entry.Disable()
	}
	t.frameAgain()
}

// frameColor is the colour of the frame that is not Fyne's.
func (t *TextEntry) frameColor() fyne.ThemeColorName {
	if t.err {
		return theme.Error
	}
	return theme.Border
}

func (t *TextEntry) frameAgain() {
	t.errLine.Hidden = !t.err && !t.entry.Disabled()
	t.errLine.StrokeColor = theme.Color(t.frameColor())
	t.errLine.Refresh()
}

// SetError frames the field in the error's colour.
func (t *TextEntry) SetError(wrong bool) {
	if wrong == t.err {
		return
	}
	t.err = wrong
	t.frameAgain()
}

// FocusIn gives the field of a canvas the keyboard, also before it was drawn for the first time.
func (t *TextEntry) FocusIn(c fyne.Canvas) { c.Focus(t.entry) }

// Focus gives the field the keyboard, once it was drawn.
func (t *TextEntry) Focus() {
	if c := fyne.CurrentApp().Driver().CanvasForObject(t); c != nil {
		c.Focus(t.entry)
	}
}

// roomy is the theme of now with room for an icon of ours inside an entry.
type roomy struct{}

var _ fyne.Theme = roomy{}

func now() fyne.Theme { return fyne.CurrentApp().Settings().Theme() }

func (roomy) Color(n fyne.ThemeColorName, v fyne.ThemeVariant) color.Color { return now().Color(n, v) }
func (roomy) Font(s fyne.TextStyle) fyne.Resource                          { return now().Font(s) }
func (roomy) Icon(n fyne.ThemeIconName) fyne.Resource                      { return now().Icon(n) }

func (roomy) Size(n fyne.ThemeSizeName) float32 {
	if n == stock.SizeNameInlineIcon {
		return 21
	}
	return now().Size(n)
}

// noIcon is an icon with nothing on it.
var noIcon = fyne.NewStaticResource("none.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24"></svg>`))

// NewSearchField makes a field with a magnifier and, where hint is not empty, the shortcut that leads to it.
func NewSearchField(placeholder, hint string, onChange func(string)) *TextEntry {
	t := newTextEntry(placeholder, onChange, func(e *entry) {
		e.Icon = noIcon // makes room; ours follows the theme
		if hint != "" {
			e.ActionItem = newBlank(fyne.NewSize(40, 0))
		}
	})
	t.box = container.NewThemeOverride(t.entry, roomy{})
	t.objects[0] = t.box
	t.icon = NewIcon(icons.Search, theme.Text3, 15)
	t.objects = append(t.objects, t.icon)
	if hint != "" {
		t.right = newKeyHint(hint)
		t.objects = append(t.objects, t.right)
	}
	return t
}

// newKeyHint is a shortcut's name on a key.
func newKeyHint(text string) *Badge {
	b := NewBadge(text)
	b.label.SetColor(theme.Text3)
	return b
}

// Field is a control with its name above it and a hint or an error below.
type Field struct {
	part
	label   *Label
	control fyne.CanvasObject
	hint    string
	below   *Paragraph
	whole   *fyne.Container
}

// NewField names a control. The hint may be empty.
func NewField(label string, control fyne.CanvasObject, hint string) *Field {
	f := &Field{label: NewLabel(label, CaptionMedium), control: control, hint: hint, below: NewParagraph(hint, Caption)}
	f.below.Hidden = hint == ""
	f.whole = VFlex(6, f.label, control, f.below)
	f.objects = []fyne.CanvasObject{f.whole}
	f.layout = f.whole.Resize
	f.min = f.whole.MinSize
	f.be(f)
	watch(f.whole, f.grew)
	return f
}

// NaturalSize is the control's with what is around it.
func (f *Field) NaturalSize() fyne.Size { return naturalSize(f.whole) }

func (f *Field) naturalIn(width float32) fyne.Size { return naturalIn(f.whole, width) }

// SetError says what is wrong in place of the hint; "" says that nothing is.
func (f *Field) SetError(text string) {
	shown, color := text, theme.Error
	if text == "" {
		shown, color = f.hint, theme.Text3
	}
	if e, ok := f.control.(*TextEntry); ok {
		e.SetError(text != "")
	}
	f.below.Hidden = shown == ""
	f.below.Colored(color)
	f.below.Set(shown)
	f.whole.Layout.Layout(f.whole.Objects, f.whole.Size())
	f.whole.Refresh()
	f.grew()
}
