package theme_test

import (
	"bytes"
	"image/color"
	"math"
	"reflect"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	stock "fyne.io/fyne/v2/theme"
	"golang.org/x/image/font/opentype"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

var roles = []fyne.ThemeColorName{theme.Bg, theme.Sidebar, theme.Surface, theme.Raised, theme.Border, theme.BorderStrong, theme.Text, theme.Text2, theme.Text3,
	theme.Accent, theme.AccentHover, theme.AccentSoft, theme.OnAccent, theme.Ok, theme.OkSoft, theme.OkFill, theme.Warn, theme.WarnSoft, theme.WarnFill,
	theme.Error, theme.ErrorSoft, theme.ErrorFill, theme.ErrorLine, theme.Running, theme.RunningSoft, theme.RunningFill, theme.Muted, theme.MutedSoft, theme.MutedFill,
	theme.Hover, theme.Selected, theme.Segment, theme.Thumb, theme.FocusRing, theme.Shadow, theme.ShadowDeep, theme.Scrim, theme.ScrollThumb, theme.TooltipBg, theme.OnTooltip}

func TestEveryRoleHasAColourInBothModes(t *testing.T) {
	light, dark := theme.New(theme.Light, theme.Comfortable), theme.New(theme.Dark, theme.Comfortable)
	fallback := stock.DefaultTheme()
	for _, role := range roles {
		l, d := light.Color(role, stock.VariantDark), dark.Color(role, stock.VariantLight)
		if l == fallback.Color(role, stock.VariantLight) && role != theme.Transparent {
			t.Errorf("%s is not ours in the light mode", role)
		}
		if l == d && role != theme.OnAccent {
			t.Errorf("%s is the same in both modes: %v", role, l)
		}
	}
}

func TestSystemModeFollowsTheSystem(t *testing.T) {
	th := theme.New(theme.System, theme.Comfortable)
	if th.Color(theme.Bg, stock.VariantLight) == th.Color(theme.Bg, stock.VariantDark) {
		t.Error("the mode of the system changes nothing")
	}
}

// TestWidgetsOfFyneAreInOurColours: each name that Fyne asks for is a role of ours.
func TestWidgetsOfFyneAreInOurColours(t *testing.T) {
	ours := map[color.Color]bool{}
	th := theme.New(theme.Light, theme.Comfortable)
	for _, role := range append(roles, theme.Transparent) {
		ours[th.Color(role, stock.VariantLight)] = true
	}
	for _, name := range []fyne.ThemeColorName{stock.ColorNameBackground, stock.ColorNameButton, stock.ColorNameDisabledButton, stock.ColorNameDisabled, stock.ColorNameError,
		stock.ColorNameFocus, stock.ColorNameForeground, stock.ColorNameForegroundOnPrimary, stock.ColorNameHeaderBackground, stock.ColorNameHover, stock.ColorNameHyperlink,
		stock.ColorNameInputBackground, stock.ColorNameInputBorder, stock.ColorNameMenuBackground, stock.ColorNameOverlayBackground, stock.ColorNamePlaceHolder, stock.ColorNamePressed,
		stock.ColorNamePrimary, stock.ColorNameScrollBar, stock.ColorNameScrollBarBackground, stock.ColorNameSelection, stock.ColorNameSeparator, stock.ColorNameShadow, stock.ColorNameSuccess, stock.ColorNameWarning} {
		if !ours[th.Color(name, stock.VariantLight)] {
			t.Errorf("%s is a colour of Fyne's own", name)
		}
	}
}

// TestTextCanBeRead: WCAG's 4.5 for text, 3 for what is said twice (third in rank, large, or beside an icon).
func TestTextCanBeRead(t *testing.T) {
	pairs := []struct {
		text, ground fyne.ThemeColorName
		least        float64
	}{
		{theme.Text, theme.Surface, 7}, {theme.Text, theme.Bg, 7}, {theme.Text2, theme.Surface, 4.5}, {theme.Text2, theme.Raised, 4.5}, {theme.Text3, theme.Surface, 3}, {theme.Text3, theme.Bg, 3},
		{theme.OnAccent, theme.Accent, 3}, {theme.Accent, theme.Surface, 4.5}, {theme.Accent, theme.AccentSoft, 4.5},
		{theme.Ok, theme.OkSoft, 4.3}, {theme.Warn, theme.WarnSoft, 4.5}, {theme.Error, theme.ErrorSoft, 4.5}, {theme.Running, theme.RunningSoft, 4.5}, {theme.Muted, theme.MutedSoft, 4},
		{theme.Text2, theme.ErrorSoft, 4.5}, {theme.Text2, theme.WarnSoft, 4.5}, {theme.OnTooltip, theme.TooltipBg, 7},
	}
	for _, mode := range []theme.Mode{theme.Light, theme.Dark} {
		th := theme.New(mode, theme.Comfortable)
		for _, p := range pairs {
			if got := contrast(th.Color(p.text, 0), th.Color(p.ground, 0)); got < p.least {
				t.Errorf("%s: %s on %s has a contrast of %.2f, want %v", mode, p.text, p.ground, got, p.least)
			}
		}
	}
}

func contrast(a, b color.Color) float64 {
	x, y := luminance(a), luminance(b)
	return (math.Max(x, y) + 0.05) / (math.Min(x, y) + 0.05)
}

func luminance(c color.Color) float64 {
	r, g, b, _ := c.RGBA()
	linear := func(v uint32) float64 {
		s := float64(v) / 0xffff
		if s <= 0.04045 {
			return s / 12.92
		}
		return math.Pow((s+0.055)/1.055, 2.4)
	}
	return 0.2126*linear(r) + 0.7152*linear(g) + 0.0722*linear(b)
}

func TestFontsAreWhole(t *testing.T) {
	th := theme.New(theme.Light, theme.Comfortable)
	for _, style := range []fyne.TextStyle{{}, {Bold: true}, {Italic: true}, {Monospace: true}, {Monospace: true, Bold: true}} {
		if _, err := opentype.Parse(th.Font(style).Content()); err != nil {
			t.Errorf("%+v: %v", style, err)
		}
	}
	if th.Font(fyne.TextStyle{Bold: true}) != theme.FontSemiBold || th.Font(fyne.TextStyle{Symbol: true}) == theme.FontRegular {
		t.Error("a style has another style's font")
	}
	for _, f := range []fyne.Resource{theme.FontMedium, theme.FontDisplay, theme.FontMono} {
		if _, err := opentype.Parse(f.Content()); err != nil {
			t.Errorf("%s: %v", f.Name(), err)
		}
	}
}

func TestIconsHaveTheColourInTheirName(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light, theme.Comfortable))
	light := theme.Icon(icons.Host, theme.Accent)
	if light != theme.Icon(icons.Host, theme.Accent) {
		t.Error("an icon is drawn into a new resource each time")
	}
	if other := theme.Icon(icons.Host, theme.Error); other.Name() == light.Name() {
		t.Error("two colours share a name, and Fyne would show the first for both")
	}
	app.Settings().SetTheme(theme.New(theme.Dark, theme.Comfortable))
	if dark := theme.Icon(icons.Host, theme.Accent); dark.Name() == light.Name() || !bytes.Contains(dark.Content(), []byte("#5b82ff")) {
		t.Errorf("in the dark theme the icon is %s", dark.Name())
	}
}

func TestWithoutOurThemeNothingBreaks(t *testing.T) {
	test.NewTempApp(t)
	if theme.Color(theme.Accent) == nil || theme.Icon(icons.Host, theme.Accent) == nil || theme.CurrentDensity() != theme.Comfortable {
		t.Error("a widget in a foreign theme has no colours")
	}
}

func TestDensity(t *testing.T) {
	app := test.NewTempApp(t)
	app.Settings().SetTheme(theme.New(theme.Light, theme.Comfortable))
	before := theme.RowHeight()
	app.Settings().SetTheme(theme.New(theme.Light, theme.Compact))
	if theme.RowHeight() >= before || theme.CurrentDensity() != theme.Compact {
		t.Errorf("compact rows are %v high, comfortable ones %v", theme.RowHeight(), before)
	}
}

// TestFyneShowsOurIcons: what the stock entry, select and menu show.
func TestFyneShowsOurIcons(t *testing.T) {
	test.NewTempApp(t)
	th := theme.New(theme.Light, theme.Comfortable)
	got := th.Icon(stock.IconNameArrowDropDown)
	if reflect.DeepEqual(got, stock.DefaultTheme().Icon(stock.IconNameArrowDropDown)) {
		t.Error("the arrow is Fyne's")
	}
	if th.Icon(stock.IconNameHome) == nil {
		t.Error("an icon that we do not have is missing")
	}
}
