package pages

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
)

// daysCard shows how the backups of the last days ended.
type daysCard struct {
	root       fyne.CanvasObject
	room       *fyne.Container
	bars       *widgets.Bars
	ok, warn   *widgets.Legend
	failed     *widgets.Legend
	legends    *fyne.Container
	face       vm.Face
	retry      func()
	labelEvery int
}

func newDaysCard(_ *Deps, retry func()) *daysCard {
	c := &daysCard{room: widgets.VFlex(0), bars: widgets.NewBars(func(n int) string { return words.Number(int64(n)) }), retry: retry, labelEvery: 6,
		ok:     widgets.NewLegend(widgets.Ok, words.T("overview.succeeded"), ""),
		warn:   widgets.NewLegend(widgets.Warn, words.T("overview.warnings"), ""),
		failed: widgets.NewLegend(widgets.Error, words.T("overview.failed"), "")}
	c.legends = widgets.HFlex(14, c.ok, c.warn, c.failed)
	period := container.New(&whereRoom{}, widgets.NewLabel(words.T("overview.days", "N", words.Number(vm.OverviewDays)), widgets.Cell).Colored(theme.Text3))
	head := widgets.HFlex(theme.GapSmall, widgets.NewLabel(words.T("overview.backups_title"), widgets.CardTitle), widgets.Grow(period, 1), c.legends)
	c.root = widgets.Card(widgets.VFlex(10, head, widgets.Grow(c.room, 1)))
	return c
}

func (c *daysCard) show(v *vm.Overview) {
	face, err := v.DaysFace()
	if face == vm.Full {
		bars, sum := v.Bars()
		c.bars.Set(dayBars(bars, c.labelEvery))
		c.ok.Set(words.Number(sum.Succeeded))
		c.warn.Set(words.Number(sum.Warning))
		c.failed.Set(words.Number(sum.Failed))
	}
	if face == c.face && face != vm.Failed {
		return
	}
	c.face = face
	shown(c.legends, face == vm.Full)
	switch face {
	case vm.Failed:
		title, why := words.Error(err)
		widgets.SetChildren(c.room, widgets.Grow(widgets.Failure(title, why, widgets.NewButton(widgets.Secondary, icons.Refresh, words.T("overview.retry"), c.retry)), 1))
	case vm.Full:
		widgets.SetChildren(c.room, widgets.Grow(c.bars, 1))
	default:
		widgets.SetChildren(c.room, widgets.Grow(widgets.SkeletonLines(5), 1))
	}
}

// dayBars writes the names of some days below their bars, today's among them, and says each for the pointer.
func dayBars(days []vm.Bar, every int) []widgets.Bar {
	bars := make([]widgets.Bar, 0, len(days))
	for i, d := range days {
		b := widgets.Bar{Ok: int(d.Succeeded), Warn: int(d.Warning), Error: int(d.Failed), Tip: dayTip(d.Day, d.BackupCounts)}
		switch {
		case i == len(days)-1:
			b.Label = words.T("overview.today")
		case i%every == 0 && i < len(days)-3:
			b.Label = dayName(d.Day)
		}
		bars = append(bars, b)
	}
	return bars
}

// dayName names a day of UTC, whatever the zone here is.
func dayName(day time.Time) string {
	y, m, n := day.Date()
	return words.ShortDay(time.Date(y, m, n, 12, 0, 0, 0, time.Local))
}

func dayTip(day time.Time, c api.BackupCounts) string {
	return words.T("overview.day_tip", "Day", dayName(day), "Succeeded", words.Number(c.Succeeded), "Warnings", words.Number(c.Warning), "Failed", words.Number(c.Failed), "Size", words.Bytes(c.BytesAdded))
}

// whereRoom shows one label where all of it has room, else nothing.
type whereRoom struct{}

// MinSize implements fyne.Layout.
func (*whereRoom) MinSize(objects []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(0, objects[0].MinSize().Height)
}

// Layout implements fyne.Layout.
func (*whereRoom) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	objects[0].Resize(size)
	if l, ok := objects[0].(*widgets.Label); ok {
		shown(l, size.Width >= l.NaturalSize().Width)
	}
}
