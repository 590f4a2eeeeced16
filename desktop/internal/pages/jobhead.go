package pages

import (
	"strings"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/fleet"
)

// jobTone is how a state of a job stands.
func jobTone(s fleet.JobState) widgets.Tone {
	switch s {
	case fleet.StateRunning:
		return widgets.Running
	case fleet.StateSucceeded:
		return widgets.Ok
	case fleet.StateWarning, fleet.StateUnknown:
		return widgets.Warn
	case fleet.StateFailed, fleet.StateLost, fleet.StateInterrupt:
		return widgets.Error
	}
	return widgets.Muted
}

// jobHead is the title of a job, its state, and what can be done.
type jobHead struct {
	p      *job
	root   *fyne.Container
	title  *widgets.Label
	pill   *widgets.Pill
	sub    *widgets.Label
	save   *widgets.Button
	cancel *widgets.Button
	again  *widgets.Button
}

func newJobHead(p *job) *jobHead {
	h := &jobHead{p: p, title: widgets.NewLabel("", widgets.Title), pill: widgets.NewPill(widgets.Muted, ""), sub: widgets.NewLabel("", widgets.Body2)}
	h.save = widgets.NewButton(widgets.Secondary, icons.Download, words.T("job.save_log"), p.saveLog)
	h.cancel = widgets.NewButton(widgets.Danger, icons.Ban, words.T("job.cancel"), p.cancel)
	h.again = widgets.NewButton(widgets.Primary, icons.Restore, words.T("job.run_again"), p.runAgain)
	names := widgets.VFlex(3, widgets.HFlex(10, h.title, h.pill), h.sub)
	h.root = widgets.HFlex(10, widgets.Grow(names, 1), h.save, h.cancel, h.again)
	return h
}

func (h *jobHead) show(now time.Time) {
	v := h.p.vm.Header()
	h.title.Set(words.T("job.title", "Kind", words.Kind(v.Kind), "Host", v.Host))
	h.pill.Set(jobTone(v.State), words.State(v.State, v.Stopping))
	h.sub.Set(jobLife(v, now))
	a := h.p.vm.Actions()
	may := h.p.d.Fleet.May(fleet.RoleOperator)
	shown(h.save, a.SaveLog)
	shown(h.cancel, a.Cancel && may)
	shown(h.again, a.RunAgain && may)
	h.root.Refresh()
}

// jobLife says when a job ran, of which plan, and who wanted it.
func jobLife(v vm.JobHeader, now time.Time) string {
	var parts []string
	switch {
	case !v.Started.IsZero() && !v.Ended.IsZero():
		parts = append(parts, words.T("job.from_to", "From", words.Moment(v.Started, now), "To", words.Clock(v.Ended)))
	case !v.Started.IsZero():
		parts = append(parts, words.T("job.started", "Time", words.Clock(v.Started)))
	case !v.Ended.IsZero():
		parts = append(parts, words.T("job.ended", "Time", words.Moment(v.Ended, now)))
	default:
		parts = append(parts, words.T("job.created", "Time", words.Clock(v.Created)))
	}
	if v.Plan != "" {
		parts = append(parts, words.T("job.plan", "Plan", v.Plan))
	}
	parts = append(parts, words.T("job.repository", "Repository", v.Repository), byWhom(v))
	return strings.Join(parts, " · ")
}

// byWhom says who, or that a schedule, began a job.
func byWhom(v vm.JobHeader) string {
	if v.Scheduled {
		return words.T("job.by_schedule")
	}
	return words.T("job.by", "Who", v.CreatedBy)
}

func shown(o fyne.CanvasObject, yes bool) {
	if yes {
		o.Show()
	} else {
		o.Hide()
	}
}
