package pages

import (
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fleet"
)

// statusLook says how a host stands, as a pill does.
func statusLook(s model.Status) (widgets.Tone, string) {
	tone := widgets.Muted
	switch s {
	case model.StatusRunning:
		tone = widgets.Running
	case model.StatusFailed:
		tone = widgets.Error
	case model.StatusUnknown, model.StatusWarning:
		tone = widgets.Warn
	case model.StatusProtected:
		tone = widgets.Ok
	}
	return tone, words.T("hosts.status." + string(s))
}

// endTone is the tone of a backup's mark in a strip.
func endTone(s fleet.JobState) widgets.Tone {
	switch s {
	case fleet.StateSucceeded:
		return widgets.Ok
	case fleet.StateWarning, fleet.StateUnknown:
		return widgets.Warn
	case fleet.StateFailed, fleet.StateInterrupt, fleet.StateLost:
		return widgets.Error
	case fleet.StateCancelled:
		return widgets.Muted
	}
	return widgets.Running
}

// markTones gives the tones of a host's last backups, the newest last.
func markTones(marks []model.Mark) []widgets.Tone {
	tones := make([]widgets.Tone, 0, len(marks))
	for _, m := range marks {
		tones = append(tones, endTone(m.State))
	}
	return tones
}

// issueTone is how much an issue weighs.
func issueTone(i model.Issue) widgets.Tone {
	switch i.Severity {
	case model.Serious:
		return widgets.Error
	case model.Doubtful:
		return widgets.Warn
	}
	return widgets.Muted
}

// issueText says in a few words what is wrong with a host.
func issueText(i model.Issue) string {
	if i.Kind == model.IssueFailed && i.Reason != fleet.ReasonNone {
		return words.Reason(i.Reason)
	}
	return words.T("hosts.issue." + string(i.Kind))
}

// system names system and processor of a host.
func system(os, arch string) string {
	if arch == "" {
		return words.System(os)
	}
	return words.T("hosts.two", "A", words.System(os), "B", arch)
}

// agoOf is words.Ago for a time that is zero where there is none.
func agoOf(t, now time.Time) string { return words.Ago(&t, now) }
