package capture

import (
	"fmt"
	"slices"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/shared/fleet"
)

// shot is one picture: what is on the screen.
type shot struct {
	name      string
	signedOut bool
	vacant    bool       // a daemon without hosts
	early     bool       // the daemon has told nothing yet
	role      fleet.Role // of who is signed in; "" is an administrator
	show      func(*stage)
}

// shots lists all pictures.
func shots() []shot {
	return slices.Concat(fleetShots(), keptShots(), jobShots())
}

// fleetShots are of the way in, of hosts and of who may do what.
func fleetShots() []shot {
	return []shot{
		{name: "connect", signedOut: true},
		{name: "connect-sign-in", show: func(st *stage) { st.shell.Gate().SignOut() }},
		{name: "overview", show: page(nav.Route{Page: nav.Overview})},
		{name: "overview-empty", vacant: true, show: page(nav.Route{Page: nav.Overview})},
		{name: "hosts", show: page(nav.Route{Page: nav.Hosts})},
		{name: "hosts-loading", early: true, show: page(nav.Route{Page: nav.Hosts})},
		{name: "hosts-attention", show: page(nav.Route{Page: nav.Hosts, Tab: "attention"})},
		{name: "hosts-add", show: page(nav.Route{Page: nav.Hosts, Tab: "add"})},
		{name: "host", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Host)) }},
		{name: "host-jobs", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Host, ID: string(st.daemon.Scene().Host), Tab: string(nav.Jobs)})
		}},
		{name: "host-edit", show: func(st *stage) {
			st.open(nav.Host, string(st.daemon.Scene().Host))
			st.settle()
			st.tap(fyne.NewPos(st.window.Canvas().Size().Width-40, 97)) // the menu
			st.tapText("host.edit")
		}},
		{name: "host-viewer", role: fleet.RoleViewer, show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Host)) }},
		{name: "host-offline", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Offline)) }},
		{name: "host-new", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().NeverBackedUp)) }},
		{name: "host-no-secret", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().NoSecret)) }},
		{name: "host-revoked", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Revoked)) }},
		{name: "settings", show: page(nav.Route{Page: nav.Settings})},
		{name: "access", show: page(nav.Route{Page: nav.Access})},
		{name: "access-viewer", role: fleet.RoleViewer, show: page(nav.Route{Page: nav.Access})},
		{name: "access-add-user", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Access})
			st.settle()
			st.tapText("access.add.users")
		}},
		{name: "access-enrolment", show: page(nav.Route{Page: nav.Access, Tab: "enrolment"})},
		{name: "access-audit", show: page(nav.Route{Page: nav.Access, Tab: "audit"})},
		{name: "access-tokens", show: page(nav.Route{Page: nav.Access, Tab: "tokens"})},
		{name: "access-agents", show: page(nav.Route{Page: nav.Access, Tab: "agents"})},
	}
}

// keptShots are of plans, repositories and snapshots.
func keptShots() []shot {
	return []shot{
		{name: "plans", show: page(nav.Route{Page: nav.Plans})},
		{name: "plan", show: func(st *stage) { st.open(nav.Plans, string(st.daemon.Scene().Plan)) }},
		{name: "plan-schedule", show: func(st *stage) {
			st.open(nav.Plans, string(st.daemon.Scene().Plan))
			st.settle()
			st.tapText("plan.rhythm.weekly")
			st.wheel(fyne.NewPos(720, 223), -480)
		}},
		{name: "plan-viewer", role: fleet.RoleViewer, show: func(st *stage) { st.open(nav.Plans, string(st.daemon.Scene().Plan)) }},
		{name: "plans-empty", vacant: true, show: page(nav.Route{Page: nav.Plans})},
		{name: "repositories", show: page(nav.Route{Page: nav.Repositories})},
		{name: "repository", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Repositories, ID: string(st.daemon.Scene().Repository), Tab: "give-secret"})
		}},
		{name: "repository-new", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Repositories})
			st.settle()
			st.tapText("repositories.add")
		}},
		{name: "repositories-empty", vacant: true, show: page(nav.Route{Page: nav.Repositories})},
		{name: "snapshots", show: page(nav.Route{Page: nav.Snapshots})},
		{name: "snapshots-no-match", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Snapshots, ID: string(st.daemon.Scene().NeverBackedUp)})
		}},
		{name: "restore", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Snapshots})
			st.settle()
			st.press(fyne.KeyHome, fyne.KeyReturn)
		}},
		{name: "snapshots-empty", vacant: true, show: page(nav.Route{Page: nav.Snapshots})},
	}
}

// jobShots are of jobs, and of what lies over a page.
func jobShots() []shot {
	return []shot{
		{name: "jobs", show: page(nav.Route{Page: nav.Jobs})},
		{name: "jobs-empty", vacant: true, show: page(nav.Route{Page: nav.Jobs})},
		{name: "job", show: func(st *stage) {
			st.open(nav.Job, string(st.daemon.Scene().Running))
			st.run(40) // of throughput
		}},
		{name: "job-detached", show: func(st *stage) {
			st.open(nav.Job, string(st.daemon.Scene().Running))
			st.settle()
			st.wheel(fyne.NewPos(900, 650), 60)
			st.run(4) // new lines come below
		}},
		{name: "job-warned", show: func(st *stage) { st.open(nav.Job, string(st.daemon.Scene().Warned)) }},
		{name: "job-failed", show: func(st *stage) { st.open(nav.Job, string(st.daemon.Scene().Failed)) }},
		{name: "job-succeeded", show: func(st *stage) { st.open(nav.Job, string(st.daemon.Scene().Succeeded)) }},
		{name: "job-queued", show: func(st *stage) { st.open(nav.Job, string(st.daemon.Scene().Queued)) }},
		{name: "palette", show: func(st *stage) {
			st.shell.Palette()
			st.write("back db")
		}},
		{name: "toasts", show: func(st *stage) {
			st.settle()
			st.daemon.Advance(8 * time.Minute) // what runs ends
		}},
		{name: "lost", show: func(st *stage) { st.daemon.Cut() }},
	}
}

func page(r nav.Route) func(*stage) { return func(st *stage) { st.shell.Navigate(r) } }

func (st *stage) open(p nav.Name, id string) { st.shell.Navigate(nav.Route{Page: p, ID: id}) }

// Names lists the names of all pictures.
func Names() []string {
	var names []string
	for _, s := range shots() {
		names = append(names, s.name)
	}
	return names
}

func choose(names []string) ([]shot, error) {
	all := shots()
	if len(names) == 0 {
		return all, nil
	}
	var out []shot
next:
	for _, n := range names {
		for _, s := range all {
			if s.name == n {
				out = append(out, s)
				continue next
			}
		}
		return nil, fmt.Errorf("there is no picture %q; there are %v", n, Names())
	}
	return out, nil
}
