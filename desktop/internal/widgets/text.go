package widgets

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"

	"github.com/backstay/backstay/desktop/internal/theme"
)

// Style is how a text looks: size, weight and, unless SetColor says otherwise, colour.
type Style int

// Styles.
const (
	Body          Style = iota // 13
	BodyMedium                 // 13, a little heavier: names
	BodyStrong                 // 13 semibold: figures, short answers
	Body3                      // 13, third in rank: units
	Body2                      // 13, second in rank
	Cell                       // 12.5, second in rank: a table's cells
	CellText                   // 12.5, first in rank: what a row is about
	CellMedium                 // 12.5 medium
	CellStrong                 // 12.5 semibold
	Caption                    // 11.5, third in rank: below a name, above a figure
	Caption2                   // 11.5, second in rank
	CaptionMedium              // 11.5 medium, second in rank
	CardTitle                  // 14 semibold
	DialogTitle                // 16 semibold
	Figure                     // 16 semibold: the figures of a job
	Title                      // 21 semibold, display
	KPI                        // 27 semibold, display
	Mono                       // 12, fixed width
	MonoSmall                  // 11.5, fixed width, second in rank
)

// face is what a style is made of. Regular and semibold text go without a font source: only then are Fyne's symbols and emoji
// behind it.
type face struct {
	size  float32
	style fyne.TextStyle
	font  fyne.Resource
	color fyne.ThemeColorName
}

func faceOf(s Style) face {
	bold, mono := fyne.TextStyle{Bold: true}, fyne.TextStyle{Monospace: true}
	switch s {
	case BodyMedium:
		return face{size: theme.TextBody, font: theme.FontMedium, color: theme.Text}
	case BodyStrong:
		return face{size: theme.TextBody, style: bold, color: theme.Text}
	case Body2:
		return face{size: theme.TextBody, color: theme.Text2}
	case Body3:
		return face{size: theme.TextBody, color: theme.Text3}
	case Cell:
		return face{size: theme.TextTable, color: theme.Text2}
	case CellText:
		return face{size: theme.TextTable, color: theme.Text}
	case CellMedium:
		return face{size: theme.TextTable, font: theme.FontMedium, color: theme.Text}
	case CellStrong:
		return face{size: theme.TextTable, style: bold, color: theme.Text}
	case Caption:
		return face{size: theme.TextCaption, color: theme.Text3}
	case Caption2:
		return face{size: theme.TextCaption, color: theme.Text2}
	case CaptionMedium:
		return face{size: theme.TextCaption, font: theme.FontMedium, color: theme.Text2}
	case CardTitle:
		return face{size: theme.TextCardTitle, style: bold, color: theme.Text}
	case Figure, DialogTitle:
		return face{size: 16, style: bold, color: theme.Text}
	case Title:
		return face{size: theme.TextTitle, font: theme.FontDisplay, color: theme.Text}
	case KPI:
		return face{size: theme.TextKPI, font: theme.FontDisplay, color: theme.Text}
	case Mono:
		return face{size: theme.TextMono, style: mono, color: theme.Text}
	case MonoSmall:
		return face{size: theme.TextCaption, style: mono, color: theme.Text2}
	default:
		return face{size: theme.TextBody, color: theme.Text}
	}
}

func (f face) text(s string) *canvas.Text {
	t := canvas.NewText(s, theme.Color(f.color))
	t.TextSize, t.TextStyle, t.FontSource = f.size, f.style, f.font
	return t
}

func (f face) measure(s string) fyne.Size {
	size, _ := fyne.CurrentApp().Driver().RenderedTextSize(s, f.size, f.style, f.font)
	return size
}

// baseline is how far below the top of the text its letters stand.
func (f face) baseline() float32 {
	_, base := fyne.CurrentApp().Driver().RenderedTextSize("x", f.size, f.style, f.font)
	return base
}

const ellipsis = "…"

// fit cuts s so that it is no wider than width, with an ellipsis where something was cut.
func (f face) fit(s string, width float32) string {
	if s == "" || f.measure(s).Width <= width+0.5 {
		return s
	}
	runes := []rune(s)
	low, high := 0, len(runes)-1 // low fits always: at worst there is the ellipsis alone
	for low < high {
		mid := (low + high + 1) / 2
		if f.measure(string(runes[:mid])+ellipsis).Width <= width+0.5 {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return strings.TrimRight(string(runes[:low]), " ") + ellipsis
}

// valid replaces what is no UTF-8: a file's name may be anything.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// oneLine makes a text of one line: what somebody else wrote may have any.
func oneLine(s string) string {
	s = valid(s)
	if !strings.ContainsAny(s, "\n\r\t") {
		return s
	}
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' || r == '\t' }), " ")
}
