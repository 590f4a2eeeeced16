package capture

import (
	"fmt"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
)

// shot is one picture: what is on the screen.
type shot struct {
	name      string
	signedOut bool
	vacant    bool // a daemon without hosts
	show      func(*stage)
}

// shots lists all pictures.
func shots() []shot {
	return []shot{
		{name: "connect", signedOut: true},
		{name: "overview", show: page(nav.Route{Page: nav.Overview})},
		{name: "overview-empty", vacant: true, show: page(nav.Route{Page: nav.Overview})},
		{name: "hosts", show: page(nav.Route{Page: nav.Hosts})},
		{name: "hosts-attention", show: page(nav.Route{Page: nav.Hosts, Tab: "attention"})},
		{name: "hosts-add", show: page(nav.Route{Page: nav.Hosts, Tab: "add"})},
		{name: "host", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Host)) }},
		{name: "host-jobs", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Host, ID: string(st.daemon.Scene().Host), Tab: string(nav.Jobs)})
		}},
		{name: "host-offline", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Offline)) }},
		{name: "host-new", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().NeverBackedUp)) }},
		{name: "host-no-secret", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().NoSecret)) }},
		{name: "host-revoked", show: func(st *stage) { st.open(nav.Host, string(st.daemon.Scene().Revoked)) }},
		{name: "settings", show: page(nav.Route{Page: nav.Settings})},
		{name: "access", show: page(nav.Route{Page: nav.Access})},
		{name: "access-audit", show: page(nav.Route{Page: nav.Access, Tab: "audit"})},
		{name: "access-tokens", show: page(nav.Route{Page: nav.Access, Tab: "tokens"})},
		{name: "access-agents", show: page(nav.Route{Page: nav.Access, Tab: "agents"})},
		{name: "plans", show: page(nav.Route{Page: nav.Plans})},
		{name: "plan", show: func(st *stage) { st.open(nav.Plans, string(st.daemon.Scene().Plan)) }},
		{name: "plans-empty", vacant: true, show: page(nav.Route{Page: nav.Plans})},
		{name: "repositories", show: page(nav.Route{Page: nav.Repositories})},
		{name: "repository", show: func(st *stage) {
			st.shell.Navigate(nav.Route{Page: nav.Repositories, ID: string(st.daemon.Scene().Repository), Tab: "give-secret"})
		}},
		{name: "repositories-empty", vacant: true, show: page(nav.Route{Page: nav.Repositories})},
		{name: "snapshots", show: page(nav.Route{Page: nav.Snapshots})},
		{name: "snapshots-empty", vacant: true, show: page(nav.Route{Page: nav.Snapshots})},
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
