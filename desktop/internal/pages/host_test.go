package pages

import (
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/nav"
	"github.com/backstay/backstay/desktop/internal/sample"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

func hostRoute(id fleet.HostID) nav.Route { return nav.Route{Page: nav.Host, ID: string(id)} }

func TestHostShowsRunsSnapshotsFactsAndWhatRuns(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon()))
	b.open(hostRoute(b.d.Scene().Host), nil)
	b.silent("Snapshots") // loading
	for _, text := range []string{"Backup in progress", "63 %", "Last backups", "843 GiB", "Sealed file", "eu-central", "databases", "233,871", "Linux · amd64 · agent 1.4.2 · restic 0.19.1 · online"} {
		b.says(text)
	}
	b.silent("Clock")
	b.tap("Open log")
	if b.last() != (nav.Route{Page: nav.Job, ID: string(b.d.Scene().Running)}) {
		t.Errorf("the log is at %+v", b.last())
	}
	b.tap("Jobs")
	b.says("Succeeded")
	b.silent("Last backups")
	b.open(hostRoute(b.d.Scene().Host), b.page.State())
	b.says("Succeeded")
	b.until("the end of the backup", func() bool {
		b.advance(30 * time.Second)
		return b.find("Backup in progress") == nil && b.find("Protected") != nil
	})
}

func TestBackingUpAHostLandsOnTheJob(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	id := b.d.Scene().NeverBackedUp
	b.open(hostRoute(id), nil)
	b.says("Never backed up")
	b.tap("Back up now")
	b.until("the job", func() bool { return b.last().Page == nav.Job })
	j, err := b.d.Job(t.Context(), fleet.JobID(b.last().ID))
	if err != nil || j.HostID != id || j.Kind != fleet.KindBackup || j.PlanID == "" {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestBackingUpAHostWithSeveralPlansAsksWhich(t *testing.T) {
	d := sample.New(sample.Noon())
	id := d.Scene().NeverBackedUp
	p, err := d.AddPlan(t.Context(), api.PlanRequest{Name: "a second one", RepositoryID: d.Scene().Repository, Hosts: []fleet.HostID{id}, Backup: fleet.BackupSpec{Paths: []string{"/srv"}}})
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, d).listed()
	b.open(hostRoute(id), nil)
	b.tap("Back up now")
	b.says("test-vm-12 has several plans. Which one is to run?")
	b.tap("a second one  →  eu-central")
	b.tap("Back up now") // the dialog's
	b.until("the job", func() bool { return b.last().Page == nav.Job })
	if j, err := d.Job(t.Context(), fleet.JobID(b.last().ID)); err != nil || j.PlanID != p.ID {
		t.Errorf("%+v, %v", j, err)
	}
}

func TestABackupThatIsRefusedIsSaid(t *testing.T) {
	d := sample.New(sample.Noon())
	b := newBench(t, d).listed()
	b.open(hostRoute(d.Scene().NeverBackedUp), nil)
	d.Cut()
	b.tap("Back up now")
	b.until("the toast", func() bool { return slices.Contains(b.toasts, "The daemon cannot be reached") })
	if len(b.went) > 0 {
		t.Errorf("led to %+v", b.last())
	}
}

func TestRevokingAHostSaysWhatHappensFirst(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	id := b.d.Scene().Offline
	b.open(hostRoute(id), nil)
	p, ok := b.page.(*host)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	items := p.acts.menu()
	items[len(items)-1].OnTap()
	b.says("Revoke lei-macbook?")
	b.tap("Cancel")
	b.silent("Revoke lei-macbook?")
	if b.deps.Fleet.Host(id).RevokedAt != nil {
		t.Fatal("revoked without a yes")
	}
	items[len(items)-1].OnTap()
	b.tap("Revoke host")
	b.says("Revoked")
	b.until("the toast", func() bool { return slices.Contains(b.toasts, "lei-macbook is revoked") })
	b.silent("Back up now")
}

func TestHostForAViewerOffersNothing(t *testing.T) {
	d := sample.New(sample.Noon())
	d.SetRole(fleet.RoleViewer)
	b := newBench(t, d).listed()
	b.open(hostRoute(d.Scene().Host), nil)
	b.says("Last backups")
	b.silent("Back up now")
	p, ok := b.page.(*host)
	if !ok {
		t.Fatalf("%T", b.page)
	}
	if items := p.acts.menu(); len(items) != 1 {
		t.Errorf("%d entries", len(items))
	}
}

func TestHostsInTroubleSayWhatHelps(t *testing.T) {
	d := sample.New(sample.Noon())
	b := newBench(t, d).listed()
	for id, title := range map[fleet.HostID]string{d.Scene().NoSecret: "A repository password is missing", d.Scene().NoRestic: "restic is missing", d.Scene().Revoked: "Revoked"} {
		b.open(hostRoute(id), nil)
		b.says(title)
	}
	b.open(hostRoute(d.Scene().NoSecret), nil)
	b.tap("Open repository")
	if r := b.last(); r.Page != nav.Repositories || r.ID != string(d.Scene().Repository) {
		t.Errorf("led to %+v", r)
	}
	h := *b.deps.Fleet.Host(d.Scene().NoSecret)
	h.ClockSkewMS, h.Rev = -2500, 1<<40
	b.row(api.Row{Kind: "host", ID: string(h.ID), Rev: h.Rev, Host: &h})
	b.says("2.5 s behind")
}

func TestAHostThatIsNotThere(t *testing.T) {
	b := newBench(t, sample.New(sample.Noon())).listed()
	b.open(hostRoute("nobody"), nil)
	b.says("There is no such host")
	b.tap("All hosts")
	if b.last() != (nav.Route{Page: nav.Hosts}) {
		t.Errorf("led to %+v", b.last())
	}
}

// A host with several plans has one size: the newest of each, together.
func TestSizesOfSeveralPlansAddUp(t *testing.T) {
	day := func(n int, plan fleet.PlanID, state fleet.JobState, bytes int64) vm.JobRow {
		return vm.JobRow{JobHeader: vm.JobHeader{PlanID: plan, State: state, Ended: time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)}, Bytes: bytes}
	}
	got := sizes([]vm.JobRow{day(1, "a", fleet.StateSucceeded, 10), day(2, "b", fleet.StateWarning, 5), day(3, "a", fleet.StateFailed, 0), day(4, "a", fleet.StateSucceeded, 12)})
	if len(got) != 2 || got[0].bytes != 15 || got[1].bytes != 17 {
		t.Errorf("%+v", got)
	}
}
