package theme

import (
	"fyne.io/fyne/v2"
	stock "fyne.io/fyne/v2/theme"
)

// Text sizes.
const (
	TextBody      float32 = 13
	TextTable     float32 = 12.5
	TextCaption   float32 = 11.5
	TextBadge     float32 = 11
	TextCardTitle float32 = 14
	TextTitle     float32 = 21
	TextKPI       float32 = 27
	TextMono      float32 = 12
)

// Sizes on a grid of four.
const (
	PagePadX    float32 = 24
	PagePadY    float32 = 18
	CardPad     float32 = 16
	Gap         float32 = 14
	GapSmall    float32 = 8
	GapTiny     float32 = 4
	SidebarW    float32 = 232
	TopBarH     float32 = 56
	NavItemH    float32 = 34
	ControlH    float32 = 32
	RowH        float32 = 50
	RowCompactH float32 = 40
	RowSingleH  float32 = 39 // a row with one line of text
	HeaderH     float32 = 36
	IconSize    float32 = 16
	Hairline    float32 = 1
)

// Corner radii.
const (
	RadiusCard    float32 = 10
	RadiusControl float32 = 7
	RadiusPill    float32 = 10
	RadiusDialog  float32 = 14
)

// CardBlur is how far a card's shadow reaches.
const CardBlur float32 = 6

// RowHeight is a table row's height in the density of now.
func RowHeight() float32 {
	if CurrentDensity() == Compact {
		return RowCompactH
	}
	return RowH
}

// Size implements fyne.Theme.
func (t *Theme) Size(name fyne.ThemeSizeName) float32 {
	if v, ok := sizes[name]; ok {
		return v
	}
	return stock.DefaultTheme().Size(name)
}

var sizes = map[fyne.ThemeSizeName]float32{
	stock.SizeNameText:               TextBody,
	stock.SizeNameCaptionText:        TextCaption,
	stock.SizeNameHeadingText:        TextTitle,
	stock.SizeNameSubHeadingText:     TextCardTitle,
	stock.SizeNamePadding:            4,
	stock.SizeNameInnerPadding:       8,
	stock.SizeNameInlineIcon:         IconSize,
	stock.SizeNameLineSpacing:        4,
	stock.SizeNameScrollBar:          10,
	stock.SizeNameScrollBarSmall:     4,
	stock.SizeNameScrollBarRadius:    2,
	stock.SizeNameSeparatorThickness: Hairline,
	stock.SizeNameInputBorder:        Hairline,
	stock.SizeNameInputRadius:        RadiusControl,
	stock.SizeNameSelectionRadius:    5,
	stock.SizeNameModalBlurRadius:    0, // without a GPU a blurred window costs a repaint of half a second
}
