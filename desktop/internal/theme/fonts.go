package theme

import (
	_ "embed"

	"fyne.io/fyne/v2"
	stock "fyne.io/fyne/v2/theme"
)

//go:embed fonts/Inter-Regular.otf
var interRegular []byte

//go:embed fonts/Inter-Medium.otf
var interMedium []byte

//go:embed fonts/Inter-SemiBold.otf
var interSemiBold []byte

//go:embed fonts/Inter-Italic.otf
var interItalic []byte

//go:embed fonts/InterDisplay-SemiBold.otf
var interDisplay []byte

//go:embed fonts/JetBrainsMono-Regular.ttf
var monoRegular []byte

//go:embed fonts/JetBrainsMono-SemiBold.ttf
var monoSemiBold []byte

// Fonts, for canvas.Text.FontSource. Text that people may write in any script is better drawn without a FontSource, in a
// TextStyle: only then are Fyne's symbols and emoji behind it.
var (
	FontRegular  fyne.Resource = fyne.NewStaticResource("Inter-Regular.otf", interRegular)
	FontMedium   fyne.Resource = fyne.NewStaticResource("Inter-Medium.otf", interMedium)
	FontSemiBold fyne.Resource = fyne.NewStaticResource("Inter-SemiBold.otf", interSemiBold)
	FontItalic   fyne.Resource = fyne.NewStaticResource("Inter-Italic.otf", interItalic)
	FontDisplay  fyne.Resource = fyne.NewStaticResource("InterDisplay-SemiBold.otf", interDisplay)
	FontMono     fyne.Resource = fyne.NewStaticResource("JetBrainsMono-Regular.ttf", monoRegular)
	FontMonoBold fyne.Resource = fyne.NewStaticResource("JetBrainsMono-SemiBold.ttf", monoSemiBold)
)

// Font implements fyne.Theme. Bold is semibold: the look has no heavier weight.
func (t *Theme) Font(style fyne.TextStyle) fyne.Resource {
	switch {
	case style.Symbol:
		return stock.DefaultTheme().Font(style)
	case style.Monospace && style.Bold:
		return FontMonoBold
	case style.Monospace:
		return FontMono
	case style.Bold:
		return FontSemiBold
	case style.Italic:
		return FontItalic
	default:
		return FontRegular
	}
}
