package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Empty says in the middle of the room that there is nothing yet: an icon, a title, one sentence and one button (nil for none).
func Empty(icon icons.Name, title, sentence string, button *Button) *fyne.Container {
	return middle(newTile(icon, theme.Text3, 48, 22), title, sentence, button)
}

// Failure says in the middle of the room that something cannot be shown: what, why, and a button to try again (nil for none).
func Failure(title, why string, retry *Button) *fyne.Container {
	t := newTile(icons.CircleAlert, theme.Error, 48, 22)
	t.soft = theme.ErrorSoft
	t.edge = theme.ErrorSoft
	t.paint()
	return middle(t, title, why, retry)
}

const sentenceWidth = 420

func middle(picture fyne.CanvasObject, title, sentence string, button *Button) *fyne.Container {
	children := []fyne.CanvasObject{
		Center(picture), Space(10),
		NewLabel(title, CardTitle).AlignCenter(),
		Center(NewParagraph(sentence, Cell).Centered().Wrapped(sentenceWidth)),
	}
	if button != nil {
		children = append(children, Space(10), Center(button))
	}
	return Center(Fix(VFlex(2, children...), fyne.NewSize(sentenceWidth, 0)))
}

// Tile is an icon on a small square.
type Tile struct {
	part
	bg   *canvas.Rectangle
	icon *Icon
	soft fyne.ThemeColorName
	edge fyne.ThemeColorName
}

// NewTile makes a tile with a frame, as a page's head has: 42 wide, the icon in the accent's colour.
func NewTile(icon icons.Name) *Tile {
	t := newTile(icon, theme.Accent, 42, 22)
	t.soft = theme.Surface
	t.paint()
	return t
}

// NewToneTile makes a small tile in a tone's colours, as lists of what needs attention have.
func NewToneTile(icon icons.Name, tone Tone) *Tile {
	t := newTile(icon, tone.Color(), 28, 16)
	t.bg.CornerRadius = 7
	t.soft, t.edge = tone.Soft(), tone.Soft()
	t.paint()
	return t
}

func newTile(icon icons.Name, color fyne.ThemeColorName, size, iconSize float32) *Tile {
	t := &Tile{bg: canvas.NewRectangle(theme.Color(theme.Raised)), icon: NewIcon(icon, color, iconSize), soft: theme.Raised, edge: theme.Border}
	t.bg.CornerRadius, t.bg.StrokeWidth = 10, theme.Hairline
	t.objects = []fyne.CanvasObject{t.bg, t.icon}
	t.layout = func(s fyne.Size) {
		t.bg.Resize(s)
		t.icon.Resize(s)
	}
	t.min = func() fyne.Size { return fyne.NewSquareSize(size) }
	t.paint = func() { t.bg.FillColor, t.bg.StrokeColor = theme.Color(t.soft), theme.Color(t.edge) }
	t.be(t)
	t.paint()
	return t
}

// Banner says on a tone's ground what happened and what it means, with something to do (nil for nothing).
type Banner struct {
	part
	tone   Tone
	bg     *canvas.Rectangle
	icon   *Icon
	title  *Label
	text   *Paragraph
	whole  *fyne.Container
	button *Button
}

// NewBanner makes a banner. The text may be empty.
func NewBanner(tone Tone, title, text string, button *Button) *Banner {
	b := &Banner{tone: tone, bg: canvas.NewRectangle(theme.Color(tone.Soft())), icon: NewIcon(tone.Icon(), tone.Color(), 18),
		title: NewLabel(title, BodyStrong), text: NewParagraph(text, Caption2), button: button}
	b.text.Hidden = text == ""
	b.bg.CornerRadius = 8
	children := []fyne.CanvasObject{b.icon, Grow(VFlex(1, b.title, b.text), 1)}
	if button != nil {
		children = append(children, button)
	}
	b.whole = Pad(HFlex(12, children...), 11, 12, 11, 14)
	b.objects = []fyne.CanvasObject{b.bg, b.whole}
	b.layout = func(s fyne.Size) {
		b.bg.Resize(s)
		b.whole.Resize(s)
	}
	b.min = func() fyne.Size { return b.whole.MinSize() }
	b.paint = func() { b.bg.FillColor = theme.Color(b.tone.Soft()) }
	b.be(b)
	watch(b.whole, b.grew)
	return b
}

// NaturalSize is what the texts and the button want.
func (b *Banner) NaturalSize() fyne.Size { return naturalSize(b.whole) }

func (b *Banner) naturalIn(width float32) fyne.Size { return naturalIn(b.whole, width) }

// Set says something else.
func (b *Banner) Set(tone Tone, title, text string) {
	if tone != b.tone {
		b.tone = tone
		b.icon.Set(tone.Icon(), tone.Color())
		b.bg.FillColor = theme.Color(tone.Soft())
		b.bg.Refresh()
	}
	b.title.Set(title)
	b.text.Hidden = text == ""
	b.text.Set(text)
}

// KV is one line of facts.
type KV struct {
	Key    string
	Value  string
	Object fyne.CanvasObject // in place of Value
}

// KeyValues are facts below each other: names at the left, values at the right of the widest name.
type KeyValues struct {
	part
	keys   []*Label
	values []fyne.CanvasObject
}

const (
	keyValueHeight = 27
	keyValueGap    = 22 // between the widest name and the values
)

// NewKeyValues makes the facts.
func NewKeyValues(rows ...KV) *KeyValues {
	k := &KeyValues{}
	for _, r := range rows {
		key := NewLabel(r.Key, Body).Colored(theme.Text3)
		value := r.Object
		if value == nil {
			value = NewLabel(r.Value, Body)
		}
		watch(value, func() { k.lay(k.Size()) })
		k.keys, k.values = append(k.keys, key), append(k.values, value)
		k.objects = append(k.objects, key, value)
	}
	k.layout = k.lay
	k.min = func() fyne.Size { return fyne.NewSize(k.keyWidth()+60, float32(len(k.keys))*keyValueHeight) }
	k.be(k)
	return k
}

// NaturalSize is what the widest value wants.
func (k *KeyValues) NaturalSize() fyne.Size {
	var widest float32
	for _, v := range k.values {
		widest = max(widest, naturalSize(v).Width)
	}
	return fyne.NewSize(k.keyWidth()+widest+1, float32(len(k.keys))*keyValueHeight)
}

// Set shows another value in a line that was made with one.
func (k *KeyValues) Set(i int, value string) {
	if l, ok := k.values[i].(*Label); ok {
		l.Set(value)
	}
}

func (k *KeyValues) keyWidth() float32 {
	var widest float32
	for _, l := range k.keys {
		widest = max(widest, l.NaturalSize().Width)
	}
	return widest + keyValueGap
}

func (k *KeyValues) lay(s fyne.Size) {
	left := k.keyWidth()
	if k.NaturalSize().Width > s.Width { // a narrow card: the values need the room more than the gap does
		left -= keyValueGap / 2
	}
	for i, l := range k.keys {
		y := float32(i) * keyValueHeight
		l.Move(fyne.NewPos(0, y))
		l.Resize(fyne.NewSize(left-4, keyValueHeight))
		v := k.values[i]
		want := naturalSize(v)
		height := min(want.Height, keyValueHeight)
		v.Move(fyne.NewPos(left, y+(keyValueHeight-height)/2))
		v.Resize(fyne.NewSize(max(min(want.Width+1, s.Width-left), 0), height))
	}
}
