package shell

import (
	"strings"
	"unicode"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// news tells of jobs that ended while the console was open: a toast for each that a person should know of, and a notification of
// the system for failures. What ended before the console came, or while it was out of contact for long, is on the overview.
type news struct {
	s    *Shell
	told map[fleet.JobID]fleet.JobState
}

// maxNews bounds the toasts of one change; of more, their number is told.
const maxNews = 3

func newNews(s *Shell) *news { return &news{s: s, told: map[fleet.JobID]fleet.JobState{}} }

func (n *news) reset() { clear(n.told) }

func (n *news) update(c model.Change) {
	if c.All { // a whole list: what is in it is no news
		return
	}
	var worth []*fleet.Job
	for _, id := range c.Ended {
		j := n.s.fleet.Job(id)
		if j == nil || n.told[id] == j.State {
			continue
		}
		n.told[id] = j.State
		if n.s.route != (nav.Route{Page: nav.Job, ID: string(id)}) && worthAWord(j) {
			worth = append(worth, j)
		}
	}
	if len(worth) > maxNews {
		n.s.toast(widgets.Error, words.N("news.many", int64(len(worth))), words.T("news.many_text"))
		n.notify(words.N("news.many", int64(len(worth))), words.T("news.many_text"))
		return
	}
	for _, j := range worth {
		n.tell(j)
	}
}

// worthAWord: what went well is seen on the pages; what was asked for (a backup, a restore by hand) and what went wrong is told.
func worthAWord(j *fleet.Job) bool {
	switch j.State {
	case fleet.StateFailed, fleet.StateWarning, fleet.StateInterrupt, fleet.StateLost:
		return true
	case fleet.StateSucceeded:
		return j.Kind == fleet.KindBackup || j.Kind == fleet.KindRestore || j.Kind == fleet.KindCheck
	}
	return false
}

func (n *news) tell(j *fleet.Job) {
	title := words.T("news.title", "Kind", words.Kind(j.Kind), "State", strings.ToLower(words.State(j.State, false)))
	text := n.s.hostName(j.HostID)
	tone := widgets.Ok
	switch j.State {
	case fleet.StateFailed, fleet.StateInterrupt, fleet.StateLost:
		tone = widgets.Error
	case fleet.StateWarning:
		tone = widgets.Warn
	}
	if j.Outcome != nil {
		if why := words.Reason(j.Outcome.Reason); why != "" && tone != widgets.Ok {
			text = words.T("news.host_and_more", "Host", text, "More", why)
		} else if sum := j.Outcome.Summary; sum != nil && sum.Backup != nil {
			text = words.T("news.host_and_more", "Host", text, "More", words.T("news.added", "Size", words.Bytes(sum.Backup.DataAddedPacked)))
		}
	}
	n.s.toast(tone, title, text)
	if tone == widgets.Error {
		n.notify(title, text)
	}
}

// notify sends a notification of the system, unless the person wants none.
func (n *news) notify(title, text string) {
	if n.s.prefs.Get().Quiet {
		return
	}
	n.s.cfg.App.SendNotification(fyne.NewNotification(harmless(title), harmless(text)))
}

// harmless leaves nothing in a text that a notification service may take for more than text: Windows' goes through a script.
func harmless(s string) string {
	s = plaintext.Line(s)
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("$`\"'<>&\\", r) || unicode.IsControl(r) {
			return -1
		}
		return r
	}, s)
}

func (s *Shell) hostName(id fleet.HostID) string {
	if h := s.fleet.Host(id); h != nil {
		return h.Name
	}
	return string(id)
}
