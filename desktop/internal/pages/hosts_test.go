package pages

import (
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

func TestHostsAreFilteredByScopeAndWordsAndComeBackAsTheyWereLeft(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Hosts}, nil)
	b.says("anna-surface")
	b.page.Key(Key{Name: fyne.KeyF, Super: true})
	b.write("databases 17")
	b.says("db-17.prod-us")
	b.silent("anna-surface")
	state := b.page.State()
	b.open(nav.Route{Page: nav.Hosts}, state)
	b.says("db-17.prod-us")
	b.silent("anna-surface")
	b.page.Key(Key{Name: fyne.KeyF, Super: true})
	b.key(fyne.KeyEscape)
	b.says("anna-surface")
	b.write("no such thing")
	b.says("No host matches")
	b.tap("Show all hosts")
	b.says("anna-surface")
	b.tap("Revoked")
	b.says("old-web.prod-eu")
	b.silent("anna-surface")
}

func TestHostsAreOpenedByKeysAndSortedByTheirTitles(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Hosts}, nil)
	b.key(fyne.KeyHome, fyne.KeyDown, fyne.KeyReturn)
	if r := b.last(); r.Page != nav.Host || b.deps.Fleet.Host(fleet.HostID(r.ID)).Name != "archive-nas" {
		t.Errorf("the second row leads to %+v", b.last())
	}
	b.tap("Status")
	if text := b.texts(); strings.Index(text, "vpn-gw.office-wien") > strings.Index(text, "ci-09.edge") || strings.Index(text, "ci-09.edge") > strings.Index(text, "db-04.prod-eu") {
		t.Errorf("the worst is not first: %s", text)
	}
}

func TestHostsOfARouteWithAScope(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Hosts, Tab: "attention"}, nil)
	b.says("db-17.prod-us")
	b.silent("anna-surface")
}

// enrolled is the row of a host that has just come.
func enrolled(b *bench) api.Row {
	h := fleet.Host{ID: "H-new", Name: "web-77\x1b[31m", AgentID: "A-new", Hostname: "web-77", OS: "linux", Arch: "arm64", AgentVersion: "1.4.2", ResticVersion: "0.19.1", Online: true,
		SecretStore: fleet.SecretsSealedFile, EnrolledAt: b.d.Now()}
	return api.Row{Kind: "host", ID: string(h.ID), Rev: 1 << 40, Host: &h}
}

func TestAddingAHostGivesTheCommandAndWaitsForTheHost(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Hosts, Tab: addTab}, nil)
	b.says("Add a host")
	b.says("Waiting for the host")
	b.until("the command", func() bool { return strings.Contains(b.texts(), "backstay-agent enrol") })
	b.tap("Copy command")
	if !strings.HasPrefix(b.copied, "backstay-agent enrol ") {
		t.Errorf("copied %q", b.copied)
	}
	b.says("Copied")
	b.row(enrolled(b))
	b.says(`web-77\x1b[31m is here`)
	b.tap("Open host")
	if b.last() != (nav.Route{Page: nav.Host, ID: "H-new"}) {
		t.Errorf("led to %+v", b.last())
	}
	b.silent("Add a host")
}

func TestAddingAHostAfterTheCommandExpired(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Hosts}, nil)
	b.tap("Add host")
	b.until("the expiry", func() bool { return strings.Contains(b.texts(), "Works until") })
	b.later = 61 * time.Minute
	b.page.Tick(b.deps.Now())
	b.says("The command has expired")
	b.later = 0
	b.tap("New command")
	b.until("the expiry", func() bool { return strings.Contains(b.texts(), "Works until") })
	b.silent("The command has expired")
	b.key(fyne.KeyEscape)
	b.silent("Add a host")
}

func TestAddingAHostThatTheDaemonRefuses(t *testing.T) {
	d := sample.New(sample.Noon())
	b := newBench(t, d).listed()
	d.Cut()
	b.open(nav.Route{Page: nav.Hosts}, nil)
	b.tap("Add host")
	b.says("The daemon cannot be reached")
	d.Heal()
	b.tap("Try again")
	b.until("the expiry", func() bool { return strings.Contains(b.texts(), "Works until") })
}

func TestOnlyAdministratorsAddHosts(t *testing.T) {
	d := sample.New(sample.Noon())
	d.SetRole(fleet.RoleOperator)
	b := newBench(t, d).listed()
	b.open(nav.Route{Page: nav.Hosts, Tab: addTab}, nil)
	b.says("anna-surface")
	b.silent("Add host")
	b.silent("Add a host")
}
