package pages

import (
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestOverviewShowsFiguresDaysAttentionAndHosts(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon()))
	b.open(nav.Route{Page: nav.Overview}, nil)
	b.silent("Protected hosts") // loading
	b.says("Protected hosts")
	for _, text := range []string{"of 31", "TiB", "30 days", "Succeeded", "today", "Needs attention", "db-17.prod-us", "anna-surface", "Last 14 backups", "Add host"} {
		b.says(text)
	}
	b.tap("The repository refused the credentials")
	if b.last() != (nav.Route{Page: nav.Job, ID: string(b.d.Scene().Failed)}) {
		t.Errorf("attention leads to %+v", b.last())
	}
	b.tap("View all")
	if b.last() != (nav.Route{Page: nav.Hosts, Tab: "attention"}) {
		t.Errorf("View all leads to %+v", b.last())
	}
	b.tapFirst("Running")
	b.silent("anna-surface")
	b.says("db-04.prod-eu")
	b.tap("db-04.prod-eu")
	if b.last() != (nav.Route{Page: nav.Host, ID: string(b.d.Scene().Host)}) {
		t.Errorf("a row leads to %+v", b.last())
	}
}

func TestOverviewOfAVacantDaemonOffersAHost(t *testing.T) {
	b := newBench(t, sample.Vacant(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Overview}, nil)
	b.says("No hosts yet")
	b.silent("Protected hosts")
	b.tap("Add host")
	b.says("Add a host")
}

func TestOverviewForAViewerOffersNoHost(t *testing.T) {
	d := sample.Vacant(sample.Noon())
	d.SetRole(fleet.RoleViewer)
	b := newBench(t, d).listed()
	b.open(nav.Route{Page: nav.Overview}, nil)
	b.says("No hosts yet")
	b.silent("Add host")
}

func TestOverviewWithoutTheDaemonSaysSoAndTriesAgain(t *testing.T) {
	d := sample.New(sample.Noon())
	d.Cut()
	b := newBench(t, d)
	b.open(nav.Route{Page: nav.Overview}, nil)
	b.says("The daemon cannot be reached")
	d.Heal()
	b.tap("Try now")
	b.says("Protected hosts")
}

func TestOverviewDaysThatDoNotComeCanBeAskedForAgain(t *testing.T) {
	d := sample.New(sample.Noon())
	b := newBench(t, d).listed()
	d.Fail(fault.New(fault.Unavailable, "The daemon is starting. Try again in a minute."))
	b.open(nav.Route{Page: nav.Overview}, nil)
	b.says("The daemon is starting. Try again in a minute.")
	b.says("Not known just now")
	b.says("anna-surface") // the rest is there
	d.Fail(nil)
	b.tap("Try again")
	b.says("Succeeded")
}

func TestOverviewFollowsWhatRuns(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(nav.Route{Page: nav.Overview}, nil)
	b.tapFirst("Running")
	b.says("63 %")
	b.until("another figure", func() bool {
		b.advance(5 * time.Second)
		return b.find("63 %") == nil && b.find("db-04.prod-eu") != nil
	})
}
