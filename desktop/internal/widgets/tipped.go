package widgets

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
)

// Tipped is content with a tooltip. It takes no clicks: what is around it does. In a cell of a table the line stays marked below the
// pointer.
type Tipped struct {
	part
	content fyne.CanvasObject
	text    string
	tip     tip
	hovered func(bool) // of the line around; nil: there is none
}

// NewTipped makes it. SetTooltip gives it the text.
func NewTipped(content fyne.CanvasObject) *Tipped {
	t := &Tipped{content: content}
	t.objects = []fyne.CanvasObject{content}
	t.layout = content.Resize
	t.min = content.MinSize
	t.be(t)
	watch(content, t.grew)
	return t
}

// SetTooltip says something else; "" says nothing.
func (t *Tipped) SetTooltip(text string) { t.text = text }

// NaturalSize is the content's.
func (t *Tipped) NaturalSize() fyne.Size { return naturalSize(t.content) }

func (t *Tipped) naturalIn(width float32) fyne.Size { return naturalIn(t.content, width) }

// MouseIn implements desktop.Hoverable.
func (t *Tipped) MouseIn(*desktop.MouseEvent) {
	t.tell(true)
	if t.text != "" {
		t.tip.wait(t, t.text)
	}
}

// MouseMoved implements desktop.Hoverable.
func (t *Tipped) MouseMoved(*desktop.MouseEvent) {}

// MouseOut implements desktop.Hoverable.
func (t *Tipped) MouseOut() {
	t.tell(false)
	t.tip.hide()
}

func (t *Tipped) tell(hovered bool) {
	if t.hovered != nil {
		t.hovered(hovered)
	}
}
