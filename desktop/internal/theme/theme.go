package theme

import (
	"image/color"
	"sync"

	"fyne.io/fyne/v2"
	stock "fyne.io/fyne/v2/theme"
)

// Mode says whether the console is light or dark, or as the system is.
type Mode string

// Modes.
const (
	System Mode = "system"
	Light  Mode = "light"
	Dark   Mode = "dark"
)

// Density says how much air rows have.
type Density string

// Densities.
const (
	Comfortable Density = "comfortable"
	Compact     Density = "compact"
)

// Theme is the console's look in one mode and density.
type Theme struct {
	mode    Mode
	density Density
	icons   sync.Map // iconKey → fyne.Resource
}

var _ fyne.Theme = (*Theme)(nil)

// New gives the look. A mode or density that is not a constant of this package counts as System and Comfortable.
func New(mode Mode, density Density) *Theme { return &Theme{mode: mode, density: density} }

// Mode tells what New was given.
func (t *Theme) Mode() Mode { return t.mode }

// Density tells what New was given.
func (t *Theme) Density() Density { return t.density }

// Color implements fyne.Theme.
func (t *Theme) Color(name fyne.ThemeColorName, variant fyne.ThemeVariant) color.Color {
	variant = t.variant(variant)
	if c, ok := lookUp(name, variant); ok {
		return c
	}
	return stock.DefaultTheme().Color(name, variant)
}

// variant is the one to show where the system prefers the one given.
func (t *Theme) variant(preferred fyne.ThemeVariant) fyne.ThemeVariant {
	switch t.mode {
	case Light:
		return stock.VariantLight
	case Dark:
		return stock.VariantDark
	default:
		return preferred
	}
}

// lookUp finds the colour of a role, or of a name of Fyne's own that stands for one.
func lookUp(name fyne.ThemeColorName, variant fyne.ThemeVariant) (color.NRGBA, bool) {
	p, ok := palette[name]
	if !ok {
		if p, ok = palette[roles[name]]; !ok {
			return color.NRGBA{}, false
		}
	}
	if variant == stock.VariantLight {
		return p.light, true
	}
	return p.dark, true
}

// roles maps the names that Fyne's own widgets use.
var roles = map[fyne.ThemeColorName]fyne.ThemeColorName{
	stock.ColorNameBackground:          Bg,
	stock.ColorNameButton:              Surface,
	stock.ColorNameDisabledButton:      Raised,
	stock.ColorNameDisabled:            Text3,
	stock.ColorNameError:               Error,
	stock.ColorNameFocus:               FocusRing,
	stock.ColorNameForeground:          Text,
	stock.ColorNameForegroundOnError:   OnAccent,
	stock.ColorNameForegroundOnPrimary: OnAccent,
	stock.ColorNameForegroundOnSuccess: OnAccent,
	stock.ColorNameForegroundOnWarning: OnAccent,
	stock.ColorNameHeaderBackground:    Surface,
	stock.ColorNameHover:               Hover,
	stock.ColorNameHyperlink:           Accent,
	stock.ColorNameInputBackground:     Surface,
	stock.ColorNameInputBorder:         BorderStrong,
	stock.ColorNameMenuBackground:      Surface,
	stock.ColorNameOverlayBackground:   Surface,
	stock.ColorNamePlaceHolder:         Text3,
	stock.ColorNamePressed:             Hover,
	stock.ColorNamePrimary:             Accent,
	stock.ColorNameScrollBar:           ScrollThumb,
	stock.ColorNameScrollBarBackground: Transparent,
	stock.ColorNameSelection:           FocusRing,
	stock.ColorNameSeparator:           Border,
	stock.ColorNameShadow:              Shadow,
	stock.ColorNameSuccess:             Ok,
	stock.ColorNameWarning:             Warn,
}

// current is the application's theme if it is one of ours, and the variant to show.
func current() (*Theme, fyne.ThemeVariant) {
	settings := fyne.CurrentApp().Settings()
	t, ok := settings.Theme().(*Theme)
	if !ok {
		return nil, settings.ThemeVariant()
	}
	return t, t.variant(settings.ThemeVariant())
}

// Color gives a colour as the application shows it now. A name that neither we nor Fyne know is black, or white on dark.
func Color(name fyne.ThemeColorName) color.Color {
	_, variant := current()
	if c, ok := lookUp(name, variant); ok {
		return c
	}
	return stock.DefaultTheme().Color(name, variant)
}

// IsDark tells whether the application shows the dark variant now.
func IsDark() bool {
	_, variant := current()
	return variant == stock.VariantDark
}

// CurrentDensity is the application's density now.
func CurrentDensity() Density {
	if t, _ := current(); t != nil && t.density == Compact {
		return Compact
	}
	return Comfortable
}
