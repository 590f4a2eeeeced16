package pages

import (
	"math"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fleet"
)

// runsCard shows how the last backups ended, and the figures of the newest that saved something.
type runsCard struct {
	root  fyne.CanvasObject
	rate  *widgets.Label
	strip *widgets.Strip
	first *widgets.Label
	now   *widgets.Label
	stats [3]*widgets.Stat
}

func newRunsCard() *runsCard {
	c := &runsCard{rate: widgets.NewLabel("", widgets.Cell), strip: widgets.NewWideStrip(vm.HostRuns, 34), first: widgets.NewLabel("", widgets.Caption), now: widgets.NewLabel("", widgets.Caption)}
	for i, name := range []string{words.T("host.last_backup"), words.T("host.took"), words.T("host.added")} {
		c.stats[i] = widgets.NewStat(name, words.T("job.none"), "")
	}
	span := widgets.HFlex(8, widgets.Grow(c.first, 1), c.now)
	c.root = widgets.CardWith(words.T("host.runs"), "", c.rate, widgets.VFlex(6, c.strip, span, widgets.Space(2), widgets.Grid(len(c.stats), 12, c.stats[0], c.stats[1], c.stats[2])))
	return c
}

func (c *runsCard) show(v *vm.Host, now time.Time) {
	marks := v.Runs()
	c.strip.Set(markTones(marks))
	first, last, rate := "", "", words.T("host.no_runs")
	if len(marks) > 0 {
		first, last = words.Moment(marks[0].At, now), words.T("host.now")
	}
	if r := v.RunsRate(); r.Known {
		digits := 1
		if r.Share == 1 {
			digits = 0
		}
		rate = words.T("host.rate", "Percent", words.Percent(r.Share, digits))
	}
	c.first.Set(first)
	c.now.Set(last)
	c.rate.Set(rate)
	for i := len(marks) - 1; i >= 0; i-- {
		m := marks[i]
		if !m.Saved() {
			continue
		}
		took, files := words.T("job.none"), ""
		if !m.Started.IsZero() {
			took = words.Duration(m.At.Sub(m.Started))
		}
		if m.Files > 0 {
			files = words.N("host.files", m.Files)
		}
		c.stats[0].Set(words.Span(now.Sub(m.At)), words.Moment(m.At, now))
		c.stats[1].Set(took, files)
		c.stats[2].Set(sizeOrNone(m.Added), words.T("host.of_size", "Size", words.Bytes(m.Bytes)))
		return
	}
}

func leftSnapshot(s fleet.JobState) bool { return s == fleet.StateSucceeded || s == fleet.StateWarning }

// sizeCard shows how what the backups read has grown.
type sizeCard struct {
	root   fyne.CanvasObject
	value  *widgets.Label
	change *widgets.Label
	area   *widgets.Area
	none   *fyne.Container // in the area's place while there is nothing to draw
	points []sizePoint
	now    time.Time
}

type sizePoint struct {
	at    time.Time
	bytes int64
}

func newSizeCard() *sizeCard {
	c := &sizeCard{value: widgets.NewLabel("", widgets.CellMedium), change: widgets.NewLabel("", widgets.Caption), area: widgets.NewArea(theme.Accent, 4),
		none: widgets.Center(widgets.NewParagraph(words.T("host.no_size"), widgets.Caption).Centered().Wrapped(190))}
	c.area.OnHover(func(i int) string {
		if i < 0 || i >= len(c.points) {
			return ""
		}
		return words.T("hosts.two", "A", words.Moment(c.points[i].at, c.now), "B", words.Bytes(c.points[i].bytes))
	})
	c.root = widgets.CardWith(words.T("host.size"), "", c.value, widgets.VFlex(6, widgets.Grow(widgets.Stack(c.area, c.none), 1), c.change))
	return c
}

func (c *sizeCard) show(backups []vm.JobRow, now time.Time) {
	c.points, c.now = sizes(backups), now
	values := make([]float64, len(c.points))
	for i, p := range c.points {
		values[i] = float64(p.bytes)
	}
	shown(c.area, len(values) > 0)
	shown(c.none, len(values) == 0)
	if len(values) == 0 {
		c.value.Set(words.T("job.none"))
		c.change.Set("")
		c.area.Set(nil, 0)
		return
	}
	top := niceBytes(slices.Max(values))
	c.area.Set(values, top)
	c.area.SetScale(words.Bytes(int64(top)))
	first, last := c.points[0], c.points[len(c.points)-1]
	c.value.Set(words.Bytes(last.bytes))
	change := ""
	if days := int(last.at.Sub(first.at).Hours() / 24); days > 0 && first.bytes > 0 {
		change = words.T("host.growth", "Percent", signed(float64(last.bytes)/float64(first.bytes)-1), "Days", words.N("host.days", int64(days)))
	}
	c.change.Set(change)
}

// signed writes a share with its sign.
func signed(share float64) string {
	if math.Abs(share) < 0.0005 {
		share = 0
	}
	if share < 0 {
		return words.T("host.minus", "Percent", words.Percent(-share, 1))
	}
	return words.T("host.plus", "Percent", words.Percent(share, 1))
}

// niceBytes is a round size that is not less than n, in n's unit.
func niceBytes(n float64) float64 {
	unit := 1.0
	for n/unit >= 1000 {
		unit *= 1024
	}
	if nice := widgets.NiceTop(n / unit); nice < 1000 {
		return nice * unit
	}
	return 1024 * unit
}

// sizes gives what the newest backups of all plans read together, after each backup that saved a snapshot. Before every plan has had
// one the sum would jump, so that time is left out.
func sizes(backups []vm.JobRow) []sizePoint {
	plans := map[fleet.PlanID]bool{}
	for _, r := range backups {
		if leftSnapshot(r.State) && r.Bytes > 0 {
			plans[r.PlanID] = true
		}
	}
	newest, sum := map[fleet.PlanID]int64{}, int64(0)
	var out []sizePoint
	for _, r := range backups {
		if !leftSnapshot(r.State) || r.Bytes <= 0 {
			continue
		}
		sum += r.Bytes - newest[r.PlanID]
		newest[r.PlanID] = r.Bytes
		if len(newest) == len(plans) {
			out = append(out, sizePoint{r.Ended, sum})
		}
	}
	return out
}
