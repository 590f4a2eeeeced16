package pages

import (
	"math"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
)

// kpi is a card with one figure and how it came to be.
type kpi struct {
	root  fyne.CanvasObject
	head  *widgets.Headline
	spark *widgets.Spark
}

func newKPI(name string, color fyne.ThemeColorName) *kpi {
	k := &kpi{spark: widgets.NewSpark(color)}
	k.head = widgets.NewHeadline(name, "", "", "", k.spark)
	k.root = widgets.Card(k.head)
	return k
}

func (k *kpi) set(value, unit, below string, form []float64) {
	k.head.Set(value, unit, below)
	k.spark.Set(form)
}

// kpiCards are the four figures on top of the overview.
type kpiCards struct {
	root                              fyne.CanvasObject
	protected, success, data, running *kpi
}

func newKPICards() *kpiCards {
	c := &kpiCards{protected: newKPI(words.T("overview.protected"), theme.OkFill), success: newKPI(words.T("overview.success"), theme.OkFill),
		data: newKPI(words.T("overview.data"), theme.Accent), running: newKPI(words.T("overview.running"), theme.RunningFill)}
	c.root = widgets.Grid(4, theme.Gap, c.protected.root, c.success.root, c.data.root, c.running.root)
	return c
}

func (c *kpiCards) show(v *vm.Overview, now time.Time) {
	cards := v.Cards()
	t := cards.Totals
	face, _ := v.DaysFace()
	attention := words.T("overview.all_well")
	if t.Attention > 0 {
		attention = words.N("overview.need_attention", int64(t.Attention))
	}
	c.protected.set(words.Number(int64(t.Protected)), words.T("overview.of", "All", words.Number(int64(t.Hosts))), attention, whole(cards.SavedByDay))
	c.success.set(successText(cards, face))
	number, unit := words.BytesParts(t.Size)
	added := ""
	if face == vm.Full {
		added = words.T("overview.added", "Size", words.Bytes(cards.Added24h))
	}
	c.data.set(number, unit, added, summed(cards.AddedByDay))
	c.running.set(words.Number(int64(t.Running)), words.N("overview.jobs", int64(t.Running)), runningText(cards, v.Next(now), now), cards.Load)
}

// whole leaves out the day that has not ended: it would look as if things got worse.
func whole(days []float64) []float64 { return days[:max(len(days)-1, 0)] }

// summed adds up from day to day.
func summed(days []float64) []float64 {
	out, sum := make([]float64, len(days)), 0.0
	for i, v := range days {
		sum += v
		out[i] = sum
	}
	return out
}

// runningText says how fast all that runs reads, and what waits, or begins next.
func runningText(c vm.Cards, next vm.FleetNext, now time.Time) string {
	speed, queued := "", nextText(next, now)
	if c.Speed > 0 {
		speed = words.Speed(c.Speed)
	}
	if n := c.Totals.Queued; n > 0 {
		queued = words.N("overview.queued", int64(n))
	}
	switch {
	case speed != "" && queued != "":
		return words.T("hosts.two", "A", speed, "B", queued)
	case speed+queued != "":
		return speed + queued
	case c.Totals.Running > 0:
		return words.T("overview.starting")
	}
	return words.T("overview.idle")
}

// nextText says how many hosts begin next by themselves; "" when none does.
func nextText(next vm.FleetNext, now time.Time) string {
	n := words.Number(int64(next.Hosts))
	switch wait := next.At.Sub(now); {
	case next.At.IsZero():
		return ""
	case wait < 24*time.Hour:
		return words.T("overview.next", "N", n, "Time", next.At.Local().Format("15:04"))
	default:
		return words.T("overview.next_later", "N", n, "Span", words.Span(wait))
	}
}

// successText says how many backups went well, and what that is against the week before.
func successText(c vm.Cards, face vm.Face) (value, unit, below string, form []float64) {
	switch {
	case face == vm.Loading:
		return words.T("job.none"), "", words.T("overview.loading"), nil
	case face == vm.Failed:
		return words.T("job.none"), "", words.T("overview.unknown"), nil
	case !c.Last24h.Known:
		return words.T("job.none"), "", words.T("overview.none_today"), c.RateByDay
	}
	below = words.N("overview.backups", c.Last24h.Of)
	if c.WeekBefore.Known {
		points := math.Round((c.Last24h.Share-c.WeekBefore.Share)*1000) / 10
		switch {
		case points > 0:
			below = words.T("overview.better", "Points", words.Decimal(points, 1))
		case points < 0:
			below = words.T("overview.worse", "Points", words.Decimal(-points, 1))
		default:
			below = words.T("overview.same")
		}
	}
	digits := 1
	if c.Last24h.Share == 1 {
		digits = 0
	}
	number := words.Percent(c.Last24h.Share, digits)
	return number[:len(number)-len(percentSign)], percentSign[1:], below, c.RateByDay
}

// percentSign ends what words.Percent writes.
const percentSign = " %"
