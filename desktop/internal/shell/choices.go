package shell

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/widgets"
	"github.com/backstay/backstay/desktop/internal/words"
	"github.com/backstay/backstay/icons"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// choices lists what fits what was typed, the best first; without a text, the pages.
func (s *Shell) choices(text string) []choice {
	all := s.places()
	if strings.TrimSpace(text) != "" {
		all = append(all, s.things()...)
	}
	type found struct {
		choice
		score int
	}
	var fit []found
	for _, c := range all {
		if score, ok := fits(text, c.label+" "+c.detail); ok {
			fit = append(fit, found{c, score})
		}
	}
	slices.SortStableFunc(fit, func(a, b found) int { return cmp.Compare(b.score, a.score) })
	out := make([]choice, len(fit))
	for i, f := range fit {
		out[i] = f.choice
	}
	return out
}

var pageIcons = map[nav.Name]icons.Name{nav.Overview: icons.Overview, nav.Hosts: icons.Host, nav.Jobs: icons.Job, nav.Snapshots: icons.Snapshot, nav.Plans: icons.Clock,
	nav.Repositories: icons.Repository, nav.Access: icons.Access, nav.Settings: icons.Settings}

// places are the pages, and what can be done from everywhere.
func (s *Shell) places() []choice {
	var out []choice
	for _, p := range sections {
		out = append(out, choice{icon: pageIcons[p], label: words.T("page." + string(p)), detail: words.T("palette.pages"), do: func() { s.Navigate(nav.Route{Page: p}) }})
	}
	actions := words.T("palette.actions")
	if s.fleet.May(fleet.RoleAdmin) {
		out = append(out, choice{icon: icons.Plus, label: words.T("palette.add_host"), detail: actions, do: func() { s.Navigate(nav.Route{Page: nav.Hosts, Tab: "add"}) }})
	}
	return append(out, choice{icon: icons.Moon, label: words.T("palette.other_theme"), detail: actions, do: s.frame.sidebar.otherTheme},
		choice{icon: icons.LogOut, label: words.T("palette.sign_out"), detail: actions, do: gate{s}.SignOut})
}

// maxJobs bounds the jobs that are searched: the newest.
const maxJobs = 300

// things are what the fleet has.
func (s *Shell) things() []choice {
	var out []choice
	for _, h := range s.fleet.Hosts() {
		out = append(out, choice{icon: icons.Host, label: plaintext.Field(h.Name), detail: words.T("palette.hosts"), do: func() { s.Navigate(nav.Route{Page: nav.Host, ID: string(h.ID)}) }})
		if !s.fleet.May(fleet.RoleOperator) || h.RevokedAt != nil {
			continue
		}
		for _, p := range s.fleet.PlansOf(h.ID) {
			out = append(out, choice{icon: icons.Play, label: words.T("palette.back_up", "Host", plaintext.Field(h.Name), "Plan", plaintext.Field(p.Name)), detail: words.T("palette.actions"), do: func() { s.backUp(h.ID, p.ID) }})
		}
	}
	for _, p := range s.fleet.Plans() {
		out = append(out, choice{icon: icons.Clock, label: plaintext.Field(p.Name), detail: words.T("palette.plans"), do: func() { s.Navigate(nav.Route{Page: nav.Plans, ID: string(p.ID)}) }})
	}
	for _, r := range s.fleet.Repositories() {
		out = append(out, choice{icon: icons.Repository, label: plaintext.Field(r.Name), detail: words.T("palette.repositories"), do: func() { s.Navigate(nav.Route{Page: nav.Repositories, ID: string(r.ID)}) }})
	}
	n := 0
	for j := range s.fleet.Jobs() {
		if n++; n > maxJobs {
			break
		}
		label := words.T("palette.job", "Kind", words.Kind(j.Kind), "Host", plaintext.Field(s.hostName(j.HostID)), "Time", words.Moment(j.CreatedAt, s.cfg.Now()))
		out = append(out, choice{icon: icons.Job, label: label, detail: words.State(j.State, j.CancelRequested), do: func() { s.Navigate(nav.Route{Page: nav.Job, ID: string(j.ID)}) }})
	}
	return out
}

// backUp starts a backup and lands on its page.
func (s *Shell) backUp(host fleet.HostID, plan fleet.PlanID) {
	if s.session == nil {
		return
	}
	d := s.daemon
	feed.Call(context.Background(), s.session.Calls, func(ctx context.Context) (fleet.Job, error) {
		return d.StartJob(ctx, string(host), api.JobRequest{Kind: fleet.KindBackup, Plan: string(plan)}, "")
	}, func(j fleet.Job, err error) {
		if err != nil {
			title, text := words.Error(err)
			s.toast(widgets.Error, title, text)
			return
		}
		s.Navigate(nav.Route{Page: nav.Job, ID: string(j.ID)})
	})
}

// fits tells whether all words of what was typed are in a text, in any order, or its letters in their order; more is better.
func fits(typed, text string) (score int, ok bool) {
	typed, text = strings.ToLower(strings.TrimSpace(typed)), strings.ToLower(text)
	for _, w := range strings.Fields(typed) {
		switch i := strings.Index(text, w); {
		case i == 0:
			score += 4
		case i > 0 && !letter(text[i-1]):
			score += 3
		case i > 0:
			score += 2
		case inOrder(w, text):
		default:
			return 0, false
		}
	}
	return score, true
}

func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c >= 0x80 }

func inOrder(letters, text string) bool {
	rest := []rune(letters)
	for _, r := range text {
		if len(rest) > 0 && r == rest[0] {
			rest = rest[1:]
		}
	}
	return len(rest) == 0 && len([]rune(letters)) > 2
}
