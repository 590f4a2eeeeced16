package theme

import (
	"fmt"
	"image/color"

	"fyne.io/fyne/v2"
	stock "fyne.io/fyne/v2/theme"

	"github.com/backstay/backstay/icons"
)

type iconKey struct {
	name  icons.Name
	color color.NRGBA
}

// Icon gives an icon in a colour as the application shows it now. The colour does not follow the theme: ask again on Refresh.
func Icon(name icons.Name, role fyne.ThemeColorName) fyne.Resource {
	key := iconKey{name: name, color: nrgba(Color(role))}
	t, _ := current()
	if t == nil {
		return newIcon(key)
	}
	return t.icon(key)
}

func (t *Theme) icon(key iconKey) fyne.Resource {
	if res, ok := t.icons.Load(key); ok {
		if r, ok := res.(fyne.Resource); ok {
			return r
		}
	}
	res := newIcon(key)
	t.icons.Store(key, res)
	return res
}

// newIcon draws the colour into the icon and into its name, because Fyne keeps painted icons by name.
func newIcon(key iconKey) fyne.Resource {
	c := key.color
	hex := fmt.Sprintf("%02x%02x%02x", c.R, c.G, c.B)
	return fyne.NewStaticResource(string(key.name)+"-"+hex+".svg", icons.Colored(key.name, "#"+hex))
}

func nrgba(c color.Color) color.NRGBA {
	if n, ok := color.NRGBAModel.Convert(c).(color.NRGBA); ok {
		return n
	}
	return color.NRGBA{}
}

// Icon implements fyne.Theme: the few icons that Fyne's own widgets show are ours, the rest are Fyne's.
func (t *Theme) Icon(name fyne.ThemeIconName) fyne.Resource {
	ours, ok := stockIcons[name]
	if !ok {
		return stock.DefaultTheme().Icon(name)
	}
	variant := t.variant(fyne.CurrentApp().Settings().ThemeVariant())
	return t.icon(iconKey{name: ours, color: nrgba(t.Color(Text2, variant))})
}

var stockIcons = map[fyne.ThemeIconName]icons.Name{
	stock.IconNameCancel:        icons.X,
	stock.IconNameConfirm:       icons.Check,
	stock.IconNameSearch:        icons.Search,
	stock.IconNameMenuExpand:    icons.ChevronRight,
	stock.IconNameArrowDropDown: icons.ChevronDown,
	stock.IconNameArrowDropUp:   icons.ChevronUp,
	stock.IconNameContentCopy:   icons.Copy,
	stock.IconNameVisibility:    icons.Eye,
	stock.IconNameVisibilityOff: icons.EyeOff,
	stock.IconNameInfo:          icons.Info,
	stock.IconNameWarning:       icons.TriangleAlert,
	stock.IconNameError:         icons.CircleAlert,
}

// AppIcon is the product's own icon, for windows and the tray.
func AppIcon() fyne.Resource { return fyne.NewStaticResource("backstay.png", icons.AppPNG()) }
