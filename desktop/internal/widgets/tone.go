package widgets

import (
	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/theme"
	"github.com/backstay/backstay/icons"
)

// Tone is how something stands. It is never said by colour alone: a word or an icon is beside it.
type Tone int

// Tones.
const (
	Muted Tone = iota // nothing to say yet: queued, never run, switched off
	Ok
	Warn
	Error
	Running
)

// Color is the tone's colour for text and icons.
func (t Tone) Color() fyne.ThemeColorName {
	return t.pick(theme.Muted, theme.Ok, theme.Warn, theme.Error, theme.Running)
}

// Soft is the ground below Color.
func (t Tone) Soft() fyne.ThemeColorName {
	return t.pick(theme.MutedSoft, theme.OkSoft, theme.WarnSoft, theme.ErrorSoft, theme.RunningSoft)
}

// Fill is the tone's colour for bars and dots.
func (t Tone) Fill() fyne.ThemeColorName {
	return t.pick(theme.MutedFill, theme.OkFill, theme.WarnFill, theme.ErrorFill, theme.RunningFill)
}

// Icon is the tone's icon.
func (t Tone) Icon() icons.Name {
	switch t {
	case Ok:
		return icons.CircleCheck
	case Warn:
		return icons.TriangleAlert
	case Error:
		return icons.CircleAlert
	case Running:
		return icons.Job
	default:
		return icons.Clock
	}
}

func (t Tone) pick(muted, ok, warn, failed, running fyne.ThemeColorName) fyne.ThemeColorName {
	switch t {
	case Ok:
		return ok
	case Warn:
		return warn
	case Error:
		return failed
	case Running:
		return running
	default:
		return muted
	}
}
