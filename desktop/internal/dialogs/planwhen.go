package dialogs

import (
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fleet"
)

// previewed is how many of the next runs the dialog shows.
const previewed = 5

var (
	rhythms = []vm.Rhythm{vm.ByHand, vm.Hourly, vm.Daily, vm.Weekly, vm.Interval, vm.ByCron}
	units   = []vm.Unit{vm.Minutes, vm.Hours, vm.Days}
)

// planWhen is the part of a plan's dialog that says when its backups begin by themselves.
type planWhen struct {
	former *fleet.Schedule
	zone   string // of this computer, "" where it cannot be told
	now    func() time.Time

	root    *fyne.Container
	rhythm  *widgets.Segmented
	details *fyne.Container
	spread  *fyne.Container
	splays  []time.Duration
	preview *widgets.Banner

	past, clock, count, cron, timeZone                               *widgets.TextEntry
	days                                                             []*widgets.Checkbox
	unit, splay                                                      *widgets.Select
	pastField, clockField, daysField, countField, cronField, inField *widgets.Field
	splayField                                                       *widgets.Field
}

// newPlanWhen makes the part for a plan's schedule, nil for none. A new plan is offered every night.
func newPlanWhen(former *fleet.Schedule, fresh bool, zone string, now func() time.Time) *planWhen {
	p := &planWhen{former: former, zone: zone, now: now, details: widgets.Slot(), spread: widgets.Slot(), preview: widgets.NewBanner(widgets.Muted, "", "", nil)}
	w := vm.WhenOf(former, zone)
	if fresh {
		w.Rhythm = vm.Daily
	}
	p.makeFields(w)
	p.root = widgets.VFlex(12, widgets.NewField(words.T("plan.when"), widgets.HFlex(0, p.rhythm, widgets.Spacer()), ""), p.details, p.preview, p.spread)
	p.showRhythm()
	return p
}

func (p *planWhen) makeFields(w vm.When) {
	entry := func(text string) *widgets.TextEntry {
		e := widgets.NewEntry("", func(string) { p.changed() })
		e.SetText(text)
		return e
	}
	names := make([]string, len(rhythms))
	for i, r := range rhythms {
		names[i] = words.T("plan.rhythm." + string(r))
	}
	p.rhythm = widgets.NewSegmented(names, slices.Index(rhythms, w.Rhythm), func(int) { p.showRhythm() })
	p.past, p.clock, p.count, p.cron, p.timeZone = entry(w.Past), entry(w.Clock), entry(w.Count), entry(w.Cron).Mono(), entry(w.Zone)
	var boxes []fyne.CanvasObject
	for _, d := range words.Week() {
		box := widgets.NewCheckbox(words.Weekday(d), w.Days[d], func(bool) { p.changed() })
		p.days = append(p.days, box)
		boxes = append(boxes, box)
	}
	unitNames := make([]string, len(units))
	for i, u := range units {
		unitNames[i] = words.T("plan.unit." + string(u))
	}
	p.unit = widgets.NewSelect("", unitNames, slices.Index(units, w.Unit), func(int) { p.changed() })
	p.splays = []time.Duration{vm.DefaultSplay, 0, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour}
	if !slices.Contains(p.splays, w.Splay) {
		p.splays = append(p.splays, w.Splay)
		slices.Sort(p.splays)
	}
	p.splay = widgets.NewSelect("", splayNames(p.splays), slices.Index(p.splays, w.Splay), func(int) { p.changed() })
	p.pastField = widgets.NewField(words.T("plan.past"), p.past, "")
	p.clockField = widgets.NewField(words.T("plan.clock"), p.clock, "")
	p.daysField = widgets.NewField(words.T("plan.days"), widgets.HFlex(16, boxes...), "")
	p.countField = widgets.NewField(words.T("plan.every"), widgets.HFlex(8, widgets.Fixed(p.count, 90), widgets.Fixed(p.unit, 140), widgets.Spacer()), "")
	p.cronField = widgets.NewField(words.T("plan.cron"), p.cron, words.T("plan.cron_help"))
	p.inField = widgets.NewField(words.T("plan.zone"), p.timeZone, "")
	p.splayField = widgets.NewField(words.T("plan.splay"), p.splay, words.T("plan.splay_help"))
}

func splayNames(splays []time.Duration) []string {
	names := make([]string, len(splays))
	for i, d := range splays {
		switch d {
		case vm.DefaultSplay:
			names[i] = words.T("plan.splay_default")
		case 0:
			names[i] = words.T("plan.splay_none")
		default:
			names[i] = words.Duration(d)
		}
	}
	return names
}

// when is what is filled in.
func (p *planWhen) when() vm.When {
	w := vm.When{Rhythm: rhythms[p.rhythm.Selected()], Past: p.past.Text(), Clock: p.clock.Text(), Count: p.count.Text(), Unit: units[p.unit.Selected()],
		Cron: p.cron.Text(), Zone: p.timeZone.Text(), Splay: p.splays[p.splay.Selected()]}
	for i, d := range words.Week() {
		w.Days[d] = p.days[i].Checked()
	}
	return w
}

// showRhythm shows the fields of the rhythm that is chosen.
func (p *planWhen) showRhythm() {
	var o fyne.CanvasObject
	zoned := func(f *widgets.Field) fyne.CanvasObject {
		return widgets.Columns(14, widgets.Grow(f, 1), widgets.Grow(p.inField, 1))
	}
	switch rhythms[p.rhythm.Selected()] {
	case vm.Hourly:
		o = zoned(p.pastField)
	case vm.Daily:
		o = zoned(p.clockField)
	case vm.Weekly:
		o = widgets.VFlex(12, p.daysField, zoned(p.clockField))
	case vm.Interval:
		o = p.countField
	case vm.ByCron:
		o = widgets.VFlex(12, p.cronField, p.inField)
	}
	widgets.FillSlot(p.details, o)
	if o != nil {
		o = p.splayField
	}
	widgets.FillSlot(p.spread, o)
	p.changed()
}

// changed says what follows from what is filled in.
func (p *planWhen) changed() {
	if p.root == nil {
		return // not yet made
	}
	for _, f := range []*widgets.Field{p.pastField, p.clockField, p.daysField, p.countField, p.cronField, p.inField} {
		f.SetError("")
	}
	p.preview.Set(p.said())
}

func (p *planWhen) said() (tone widgets.Tone, title, text string) {
	now := p.now()
	s, bad := p.when().Schedule(p.former, p.zone, now)
	if bad != "" {
		return widgets.Warn, words.T("plan.no_run"), words.T("plan.wrong." + string(bad))
	}
	return previewOf(s, now)
}

// previewOf says when a schedule runs next.
func previewOf(s *fleet.Schedule, now time.Time) (tone widgets.Tone, title, text string) {
	switch {
	case s == nil:
		return widgets.Muted, words.T("plan.by_hand"), words.T("plan.by_hand_text")
	case s.Paused:
		return widgets.Warn, words.T("plan.next_paused"), words.T("plan.next_paused_text")
	}
	var lines []string
	for _, at := range vm.NextRuns(s, now, previewed) {
		lines = append(lines, words.T("plan.run", "Time", words.Moment(at, now), "Until", words.Until(at, now)))
	}
	return widgets.Muted, words.T("plan.next_runs"), strings.Join(lines, "\n")
}

// schedule gives what is filled in; ok is false where something is wrong, and the field says so.
func (p *planWhen) schedule() (s *fleet.Schedule, ok bool) {
	s, bad := p.when().Schedule(p.former, p.zone, p.now())
	if bad == "" {
		return s, true
	}
	f := map[vm.WhenFault]*widgets.Field{vm.BadPast: p.pastField, vm.BadClock: p.clockField, vm.NoDays: p.daysField, vm.BadCount: p.countField, vm.BadCron: p.cronField, vm.BadZone: p.inField}[bad]
	f.SetError(words.T("plan.wrong." + string(bad)))
	return nil, false
}

// newPlanWhenView shows a schedule to those who may not change it.
func newPlanWhenView(s *fleet.Schedule, now time.Time) fyne.CanvasObject {
	said := widgets.NewParagraph(words.ScheduleIn(vm.WhenOf(s, "")), widgets.Body)
	tone, title, text := previewOf(s, now)
	return widgets.VFlex(12, widgets.NewField(words.T("plan.when"), said, ""), widgets.NewBanner(tone, title, text, nil))
}
