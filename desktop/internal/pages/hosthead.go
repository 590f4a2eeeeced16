package pages

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// hostHead says which host this is and how it stands, and holds what can be done with it.
type hostHead struct {
	p      *host
	root   *fyne.Container
	name   *widgets.Label
	facts  *widgets.Label
	pill   *widgets.Pill
	backUp *widgets.Button
	more   *widgets.IconButton
}

func newHostHead(p *host) *hostHead {
	h := &hostHead{p: p, name: widgets.NewLabel("", widgets.Title), facts: widgets.NewLabel("", widgets.Body2), pill: widgets.NewPill(widgets.Muted, "")}
	browse := widgets.NewButton(widgets.Secondary, icons.FolderOpen, words.T("page.snapshots"), func() { p.d.Navigate(nav.Route{Page: nav.Snapshots, ID: string(p.id)}) })
	h.backUp = widgets.NewButton(widgets.Primary, icons.Play, words.T("backup.now"), func() { p.acts.backUp(h.backUp.SetBusy) })
	h.more = widgets.NewIconButton(icons.Ellipsis, words.T("host.more"), func() { widgets.ShowMenu(h.more, p.acts.menu()) }).Framed()
	names := widgets.VFlex(3, widgets.HFlex(10, h.name, h.pill), h.facts)
	h.root = widgets.HFlex(10, widgets.Grow(widgets.HFlex(14, widgets.NewTile(icons.Host), widgets.Grow(names, 1)), 1), browse, h.backUp, h.more)
	return h
}

func (h *hostHead) show() {
	r := h.p.vm.Row()
	h.name.Set(r.Name)
	h.pill.Set(statusLook(r.Status))
	h.facts.Set(hostFacts(r, h.p.d.Now()))
	visible := h.p.d.Fleet.May(fleet.RoleOperator) && r.Revoked.IsZero() // disabled without a plan: the tooltip says why
	if visible != h.backUp.Visible() {
		shown(h.backUp, visible)
		h.root.Refresh()
	}
	h.backUp.SetEnabled(h.p.vm.Actions().BackUp)
	tip := ""
	if len(r.Plans) == 0 {
		tip = words.T("host.no_plan_tip")
	}
	h.backUp.Tooltip(tip)
}

// hostFacts is the line below the name.
func hostFacts(r vm.HostRow, now time.Time) string {
	restic := words.T("host.no_restic")
	if r.ResticVersion != "" {
		restic = words.T("host.restic_version", "Version", r.ResticVersion)
	}
	seen := words.T("host.online")
	switch {
	case r.Online:
	case r.LastSeen.IsZero():
		seen = words.T("host.never_seen")
	default:
		seen = words.T("host.seen", "Ago", agoOf(r.LastSeen, now))
	}
	return strings.Join([]string{system(r.OS, r.Arch), words.T("host.agent_version", "Version", r.AgentVersion), restic, seen}, " · ")
}

// hostLive says what runs on the host, else what is wrong with it, else nothing.
type hostLive struct {
	p    *host
	root *fyne.Container

	card    fyne.CanvasObject
	title   *widgets.Label
	sub     *widgets.Label
	percent *widgets.Label
	left    *widgets.Label
	bar     *widgets.Progress
	job     fleet.JobID

	trouble string // what the banner says; "": there is none
}

func newHostLive(p *host) *hostLive {
	l := &hostLive{p: p, root: widgets.VFlex(0), title: widgets.NewLabel("", widgets.BodyStrong), sub: widgets.NewLabel("", widgets.Cell).Colored(theme.Text3),
		percent: widgets.NewLabel("", widgets.BodyStrong), left: widgets.NewLabel("", widgets.Cell).Colored(theme.Text3), bar: widgets.NewProgress(6)}
	log := widgets.NewButton(widgets.Ghost, icons.Terminal, words.T("host.open_log"), func() { p.d.Navigate(nav.Route{Page: nav.Job, ID: string(l.job)}) })
	line := widgets.HFlex(10, widgets.NewIcon(icons.Job, theme.Running, theme.IconSize), l.title, widgets.Grow(l.sub, 1), l.percent, l.left, log)
	l.card = widgets.FlatCard(widgets.Pad(widgets.VFlex(8, line, l.bar), 8, 16, 14, 16))
	l.root.Hide()
	return l
}

func (l *hostLive) show() {
	if j := openJobOf(l.p.d.Fleet, l.p.id); j != nil {
		l.showJob(j)
		return
	}
	l.job = ""
	l.showTrouble()
}

// openJobOf gives the job that a host is busy with, else one that waits, else nil.
func openJobOf(m *model.Fleet, id fleet.HostID) *fleet.Job {
	if j := m.Active(id); j != nil {
		return j
	}
	var oldest *fleet.Job
	for j := range m.OpenJobs() {
		if j.HostID == id && j.State != fleet.StateUnknown {
			oldest = j // newest first: the last one is the next to run
		}
	}
	return oldest
}

func (l *hostLive) showJob(j *fleet.Job) {
	if l.job == "" {
		l.trouble = ""
		l.fill(l.card)
	}
	l.job = j.ID
	r, ok := l.p.vm.Jobs.Row(string(j.ID))
	if !ok {
		return
	}
	now := l.p.d.Now()
	l.title.Set(liveTitle(j))
	at, key := r.Created, "host.asked_by"
	if !r.Started.IsZero() {
		at, key = r.Started, "host.started_by"
	}
	if r.Scheduled {
		key += "_schedule"
	}
	sub := words.T(key, "Time", words.Moment(at, now), "Who", r.CreatedBy)
	if r.Plan != "" {
		sub = words.T("hosts.two", "A", r.Plan, "B", sub)
	}
	l.sub.Set(sub)
	percent, left, share := "", "", 0.0
	if line := r.Line; line != nil {
		switch {
		case line.Counted && j.State == fleet.StateRunning:
			percent, share = words.Percent(line.Percent, 0), line.Percent
			if line.Remaining > 0 {
				left = words.T("host.left", "Span", words.Span(max(line.Remaining, time.Second)))
			}
		case line.Phase != "":
			left = words.Phase(line.Phase)
		}
	}
	l.percent.Set(percent)
	l.left.Set(left)
	l.bar.Set(share)
	if running := j.State == fleet.StateRunning; running != l.bar.Visible() {
		shown(l.bar, running)
		l.root.Refresh()
	}
}

// liveTitle says what a job that has not ended does.
func liveTitle(j *fleet.Job) string {
	kind := words.Kind(j.Kind)
	switch {
	case j.CancelRequested:
		return words.T("host.live.cancelling", "Kind", kind)
	case j.State == fleet.StateRunning:
		return words.T("host.live.running", "Kind", kind)
	case j.State == fleet.StateAccepted:
		return words.T("host.live.accepted", "Kind", kind)
	}
	return words.T("host.live.queued", "Kind", kind)
}

func (l *hostLive) fill(o fyne.CanvasObject) {
	if o == nil {
		widgets.SetChildren(l.root)
		l.root.Hide()
	} else {
		l.root.Show()
		widgets.SetChildren(l.root, o)
	}
	l.p.root.Refresh()
	if len(l.p.root.Objects) > 0 {
		l.p.root.Objects[0].Refresh()
	}
}

// showTrouble says the worst of what is wrong, and what helps.
func (l *hostLive) showTrouble() {
	tone, title, text, button := l.worst()
	if key := title + "\n" + text; title == "" || key != l.trouble {
		l.trouble = ""
		if title == "" {
			if l.root.Visible() {
				l.fill(nil)
			}
			return
		}
		l.trouble = key
		l.fill(widgets.NewBanner(tone, title, text, button))
	}
}

func (l *hostLive) worst() (tone widgets.Tone, title, text string, button *widgets.Button) {
	p, m := l.p, l.p.d.Fleet
	r := p.vm.Row()
	switch {
	case !r.Revoked.IsZero():
		if p.vm.Actions().EnrolAnew {
			button = widgets.NewButton(widgets.Secondary, "", words.T("host.enrol_again"), p.acts.enrolAgain)
		}
		return widgets.Muted, words.T("host.revoked", "Time", words.Moment(r.Revoked, p.d.Now())), words.T("host.revoked_text"), button
	case r.Issue == nil:
		return
	}
	i := *r.Issue
	title, text = issueText(i), issueHelp(m, i)
	switch {
	case i.JobID != "":
		button = widgets.NewButton(widgets.Secondary, "", words.T("host.open_job"), func() { p.d.Navigate(nav.Route{Page: nav.Job, ID: string(i.JobID)}) })
	case i.Kind == model.IssueNoSecret:
		button = widgets.NewButton(widgets.Secondary, "", words.T("host.open_repository"), func() { p.d.Navigate(nav.Route{Page: nav.Repositories, ID: string(i.RepositoryID)}) })
	}
	return issueTone(i), title, text, button
}

// issueHelp says what an issue means and what helps: the agent's own words where a job has some.
func issueHelp(m *model.Fleet, i model.Issue) string {
	if j := m.Job(i.JobID); j != nil && j.Outcome != nil && j.Outcome.Message != "" {
		return plaintext.Field(j.Outcome.Message)
	}
	if i.Kind == model.IssueNoSecret {
		return words.T("host.help_no_secret", "Repository", repositoryName(m, i.RepositoryID))
	}
	if i.Kind == model.IssueNever && !m.May(fleet.RoleOperator) {
		return words.T("host.help_never_ask")
	}
	return words.T("host.help." + string(i.Kind))
}

// repositoryName is a repository's name, safe for a label; its id when it is gone.
func repositoryName(m *model.Fleet, id fleet.RepositoryID) string {
	if r := m.Repository(id); r != nil {
		return plaintext.Field(r.Name)
	}
	return plaintext.Field(string(id))
}
