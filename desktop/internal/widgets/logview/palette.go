package logview

import (
	"image/color"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm/logline"
)

const levels = int(logline.Error) + 1

// palette is the theme's colours as the painter uses them.
type palette struct {
	ground         rgb
	number, time   rgb
	source         rgb
	word           [levels]rgb // the level's name
	good           rgb         // its name in a line that tells of a success
	text           [levels]rgb
	row            [levels]rgb // ground of the whole row
	edge           [levels]rgb // bar at its left
	marked         [levels]bool
	selected       rgb
	picked         rgb // text of a selected line that is faint otherwise
	hit, hitNow    rgb
	onHitNow       rgb
	track, thumb   rgb
	warn, err, hot rgb // marks on the scroll bar
}

func solid(name fyne.ThemeColorName) rgb {
	c, ok := color.NRGBAModel.Convert(theme.Color(name)).(color.NRGBA)
	if !ok {
		return rgb{}
	}
	return rgb{c.R, c.G, c.B}
}

func readPalette() palette {
	ground, text, faint := solid(theme.Surface), solid(theme.Text), solid(theme.Text3)
	if theme.IsDark() {
		ground = solid(theme.Sidebar)
	}
	warn, fail := solid(theme.Warn), solid(theme.Error)
	p := palette{
		ground: ground, number: mix(ground, faint, 0.5), time: faint, source: faint,
		word: [levels]rgb{faint, solid(theme.Running), warn, fail}, good: solid(theme.Ok),
		text:   [levels]rgb{faint, text, mix(warn, text, 0.3), mix(fail, text, 0.3)},
		row:    [levels]rgb{ground, ground, solid(theme.WarnSoft), solid(theme.ErrorSoft)},
		edge:   [levels]rgb{ground, ground, solid(theme.WarnFill), solid(theme.Error)},
		marked: [levels]bool{false, false, true, true},
		track:  mix(ground, solid(theme.Raised), 0.8), thumb: faint,
		warn: mix(ground, warn, 0.55), err: solid(theme.Error), hot: solid(theme.Accent),
	}
	p.selected, p.picked = mix(ground, solid(theme.Accent), 0.28), mix(faint, text, 0.5)
	p.hit, p.hitNow, p.onHitNow = mix(ground, solid(theme.WarnFill), 0.38), solid(theme.WarnFill), rgb{0x12, 0x16, 0x1c}
	return p
}
