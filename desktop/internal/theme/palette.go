package theme

import (
	"image/color"

	"fyne.io/fyne/v2"
)

// Colours by their role.
const (
	Bg           fyne.ThemeColorName = "backstay.bg"      // the window behind the cards
	Sidebar      fyne.ThemeColorName = "backstay.sidebar" // the navigation's ground
	Surface      fyne.ThemeColorName = "backstay.surface" // cards, entries, menus
	Raised       fyne.ThemeColorName = "backstay.raised"  // badges, segmented grounds, what lies on a surface
	Border       fyne.ThemeColorName = "backstay.border"
	BorderStrong fyne.ThemeColorName = "backstay.borderStrong" // entries and buttons
	Text         fyne.ThemeColorName = "backstay.text"
	Text2        fyne.ThemeColorName = "backstay.text2"
	Text3        fyne.ThemeColorName = "backstay.text3"

	Accent      fyne.ThemeColorName = "backstay.accent"
	AccentHover fyne.ThemeColorName = "backstay.accentHover"
	AccentSoft  fyne.ThemeColorName = "backstay.accentSoft"
	OnAccent    fyne.ThemeColorName = "backstay.onAccent"

	Ok          fyne.ThemeColorName = "backstay.ok" // text and icons; Soft is the ground below them, Fill is for bars and dots
	OkSoft      fyne.ThemeColorName = "backstay.okSoft"
	OkFill      fyne.ThemeColorName = "backstay.okFill"
	Warn        fyne.ThemeColorName = "backstay.warn"
	WarnSoft    fyne.ThemeColorName = "backstay.warnSoft"
	WarnFill    fyne.ThemeColorName = "backstay.warnFill"
	Error       fyne.ThemeColorName = "backstay.error"
	ErrorSoft   fyne.ThemeColorName = "backstay.errorSoft"
	ErrorFill   fyne.ThemeColorName = "backstay.errorFill"
	ErrorLine   fyne.ThemeColorName = "backstay.errorLine" // the frame of what loses something
	Running     fyne.ThemeColorName = "backstay.running"
	RunningSoft fyne.ThemeColorName = "backstay.runningSoft"
	RunningFill fyne.ThemeColorName = "backstay.runningFill"
	Muted       fyne.ThemeColorName = "backstay.muted"
	MutedSoft   fyne.ThemeColorName = "backstay.mutedSoft"
	MutedFill   fyne.ThemeColorName = "backstay.mutedFill"

	Hover       fyne.ThemeColorName = "backstay.hover"       // over what is under the pointer, on any ground
	Selected    fyne.ThemeColorName = "backstay.selected"    // a table's selected row
	Segment     fyne.ThemeColorName = "backstay.segment"     // the ground of a segmented control
	Thumb       fyne.ThemeColorName = "backstay.thumb"       // the chosen part of a segmented control
	FocusRing   fyne.ThemeColorName = "backstay.focusRing"   // around what has the keyboard
	Shadow      fyne.ThemeColorName = "backstay.shadow"      // below cards
	ShadowDeep  fyne.ThemeColorName = "backstay.shadowDeep"  // below dialogs, menus and toasts
	Scrim       fyne.ThemeColorName = "backstay.scrim"       // over the window below a dialog
	Veil        fyne.ThemeColorName = "backstay.veil"        // over a page that shows how things were
	ScrollThumb fyne.ThemeColorName = "backstay.scrollThumb" // the bar of a scrolled list
	TooltipBg   fyne.ThemeColorName = "backstay.tooltip"
	OnTooltip   fyne.ThemeColorName = "backstay.onTooltip"
	Transparent fyne.ThemeColorName = "backstay.transparent"
)

// pair is a colour in the light and in the dark variant.
type pair struct{ light, dark color.NRGBA }

func rgb(v uint32) color.NRGBA { return rgba(v, 0xff) }

func rgba(v uint32, alpha uint8) color.NRGBA {
	return color.NRGBA{R: uint8(v >> 16), G: uint8(v >> 8), B: uint8(v), A: alpha}
}

var palette = map[fyne.ThemeColorName]pair{
	Bg:           {rgb(0xF5F6F8), rgb(0x0C0E12)},
	Sidebar:      {rgb(0xFBFBFC), rgb(0x0F1217)},
	Surface:      {rgb(0xFFFFFF), rgb(0x14181F)},
	Raised:       {rgb(0xF2F4F7), rgb(0x1B2029)},
	Border:       {rgb(0xE4E7EC), rgb(0x222933)},
	BorderStrong: {rgb(0xD0D6DE), rgb(0x323B48)},
	Text:         {rgb(0x12161C), rgb(0xE9ECF1)},
	Text2:        {rgb(0x515B69), rgb(0xA7B0BD)},
	Text3:        {rgb(0x7F8998), rgb(0x6F7A89)},

	Accent:      {rgb(0x3257E8), rgb(0x5B82FF)},
	AccentHover: {rgb(0x2747CC), rgb(0x7396FF)},
	AccentSoft:  {rgb(0xE9EEFE), rgb(0x18223F)},
	OnAccent:    {rgb(0xFFFFFF), rgb(0xFFFFFF)},

	Ok:          {rgb(0x14804F), rgb(0x3CCB7F)},
	OkSoft:      {rgb(0xE2F5EB), rgb(0x11291F)},
	OkFill:      {rgb(0x22A368), rgb(0x3CCB7F)},
	Warn:        {rgb(0xA15C07), rgb(0xF5B83D)},
	WarnSoft:    {rgb(0xFEF2D8), rgb(0x2D2411)},
	WarnFill:    {rgb(0xE8A317), rgb(0xF5B83D)},
	Error:       {rgb(0xC92A3A), rgb(0xF4707A)},
	ErrorSoft:   {rgb(0xFDE8EA), rgb(0x31181C)},
	ErrorFill:   {rgb(0xE5484D), rgb(0xF4707A)},
	ErrorLine:   {rgba(0xC92A3A, 0x73), rgba(0xF4707A, 0x73)},
	Running:     {rgb(0x1D62D1), rgb(0x62A8FF)},
	RunningSoft: {rgb(0xE3EDFC), rgb(0x12243C)},
	RunningFill: {rgb(0x3B82F6), rgb(0x62A8FF)},
	Muted:       {rgb(0x667180), rgb(0x8B95A4)},
	MutedSoft:   {rgb(0xEDF0F3), rgb(0x1E242D)},
	MutedFill:   {rgb(0x667180), rgb(0x8B95A4)},

	Hover:       {rgba(0x12161C, 0x0B), rgba(0xE9ECF1, 0x0D)},
	Selected:    {rgb(0xF3F6FF), rgb(0x171F33)},
	Segment:     {rgb(0xF2F4F7), rgb(0x1B2029)},
	Thumb:       {rgb(0xFFFFFF), rgb(0x323B48)},
	FocusRing:   {rgba(0x3257E8, 0x59), rgba(0x5B82FF, 0x73)},
	Shadow:      {rgba(0x101828, 0x12), rgba(0x000000, 0x40)},
	ShadowDeep:  {rgba(0x101828, 0x28), rgba(0x000000, 0x99)},
	Scrim:       {rgba(0x0C0E12, 0x59), rgba(0x000000, 0x8C)},
	Veil:        {rgba(0xF5F6F8, 0x99), rgba(0x0C0E12, 0x99)},
	ScrollThumb: {rgba(0x7F8998, 0x66), rgba(0x6F7A89, 0x80)},
	TooltipBg:   {rgb(0x1B2029), rgb(0x323B48)},
	OnTooltip:   {rgb(0xFFFFFF), rgb(0xE9ECF1)},
	Transparent: {rgba(0, 0), rgba(0, 0)},
}
