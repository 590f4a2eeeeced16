package pages

import (
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
)

// maxAttention is how many hosts the card lists; the rest is on the page of hosts.
const maxAttention = 20

// attentionCard lists the hosts that need a person.
type attentionCard struct {
	d     *Deps
	root  fyne.CanvasObject
	room  *fyne.Container
	all   *fyne.Container
	rows  []attentionLine
	drawn bool
}

// attentionLine is what one line of the card says.
type attentionLine struct {
	route            nav.Route
	tone             widgets.Tone
	icon             icons.Name
	host, what, when string
}

func newAttentionCard(d *Deps) *attentionCard {
	c := &attentionCard{d: d, room: widgets.VFlex(0)}
	c.all = widgets.HFlex(0, widgets.NewButton(widgets.Link, "", words.T("overview.view_all"), func() { d.Navigate(nav.Route{Page: nav.Hosts, Tab: string(vm.ScopeAttention)}) }))
	head := widgets.Pad(widgets.CardHead(words.T("overview.attention"), "", c.all), 0, 8, 0, 8)
	c.root = widgets.FlatCard(widgets.Pad(widgets.VFlex(4, head, widgets.Grow(c.room, 1)), 12, 8, 8, 8))
	return c
}

func (c *attentionCard) show(v *vm.Overview, now time.Time) {
	rows, count := v.Attention(maxAttention)
	lines := make([]attentionLine, 0, len(rows))
	for _, r := range rows {
		lines = append(lines, lineOf(r, now))
	}
	if c.drawn && slices.Equal(lines, c.rows) {
		return
	}
	c.drawn, c.rows = true, lines
	shown(c.all, count > 0)
	if count == 0 {
		well := widgets.VFlex(8, widgets.Center(widgets.NewToneTile(icons.CircleCheck, widgets.Ok)), widgets.NewLabel(words.T("overview.all_well"), widgets.BodyMedium).AlignCenter(),
			widgets.NewLabel(words.T("overview.all_well_text"), widgets.Caption2).AlignCenter())
		widgets.SetChildren(c.room, widgets.Grow(widgets.Center(well), 1))
		return
	}
	var out []fyne.CanvasObject
	for _, l := range lines {
		out = append(out, c.press(l))
	}
	widgets.SetChildren(c.room, widgets.Grow(widgets.NewScroll(widgets.VFlex(0, out...)), 1))
}

func (c *attentionCard) press(l attentionLine) fyne.CanvasObject {
	text := widgets.VFlex(1, widgets.NewLabel(l.host, widgets.BodyMedium), widgets.NewLabel(l.what, widgets.Caption2))
	row := widgets.HFlex(10, widgets.NewToneTile(l.icon, l.tone), widgets.Grow(text, 1), widgets.NewLabel(l.when, widgets.Caption))
	return widgets.NewPressable(widgets.Pad(row, 5, 8, 5, 8), theme.RadiusControl, func() { c.d.Navigate(l.route) })
}

func lineOf(r vm.AttentionRow, now time.Time) attentionLine {
	l := attentionLine{route: nav.Route{Page: nav.Host, ID: string(r.HostID)}, tone: issueTone(r.Issue), icon: issueIcon(r.Issue), host: r.Host, what: issueText(r.Issue)}
	if r.Issue.JobID != "" {
		l.route = nav.Route{Page: nav.Job, ID: string(r.Issue.JobID)}
	}
	switch {
	case r.Issue.Kind == model.IssueWarning && r.Items > 0:
		l.what = words.N("overview.unreadable", r.Items)
	case r.Issue.Kind == model.IssueNoSecret && r.Repository != "":
		l.what = words.T("overview.no_secret", "Repository", r.Repository)
	}
	if r.More > 0 {
		l.what = words.T("hosts.two", "A", l.what, "B", words.N("overview.more", int64(r.More)))
	}
	if !r.Issue.Since.IsZero() {
		l.when = words.Span(now.Sub(r.Issue.Since))
	}
	return l
}

func issueIcon(i model.Issue) icons.Name {
	switch i.Kind {
	case model.IssueOffline:
		return icons.WifiOff
	case model.IssueUnknown:
		return icons.Unplug
	case model.IssueNoSecret:
		return icons.Access
	case model.IssueNever:
		return icons.Clock
	}
	return issueTone(i).Icon()
}
