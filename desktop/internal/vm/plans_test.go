package vm_test

import (
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func TestPlansAreFilteredByWords(t *testing.T) {
	m := model.New()
	v := vm.NewPlans(m)
	if v.Face() != vm.Loading {
		t.Error(v.Face())
	}
	m.Apply(model.Batch{Connection: &model.Connection{Link: model.Lost, Err: fault.New(fault.Unavailable, "away")}})
	if v.Face() != vm.Failed {
		t.Error(v.Face())
	}
	m = signedIn(repoRow("r1", "Offsite"), planRow("p1", "h1"), api.Row{Kind: "plan", ID: "p2", Rev: 1, Plan: &fleet.Plan{ID: "p2", Name: "Mail", Backup: fleet.BackupSpec{Paths: []string{"/srv/Post", "/etc"}}, RepositoryID: "r1"}})
	v = vm.NewPlans(m)
	if len(v.IDs()) != 2 || v.Face() != vm.Full {
		t.Fatalf("%v, %s", v.IDs(), v.Face())
	}
	for _, text := range []string{"mail", "post", "/srv mail", "offsite mail"} {
		if v.SetText(text); !slices.Equal(v.IDs(), []string{"p2"}) {
			t.Errorf("%q leaves %v", text, v.IDs())
		}
	}
	if v.SetText("mail nothing"); len(v.IDs()) != 0 || v.Face() != vm.NoMatch {
		t.Errorf("%v, %s", v.IDs(), v.Face())
	}
}

// A plan stands as the newest backup of each of its hosts does; one that was cancelled, and a host that was revoked, do not count.
func TestAPlanStandsAsItsNewestBackups(t *testing.T) {
	ended := func(id string, host fleet.HostID, state fleet.JobState, at time.Duration) api.Row {
		return jobRow(aJob(id, state, func(j *fleet.Job) {
			when := t0.Add(at)
			j.HostID, j.PlanID, j.CreatedAt, j.FinishedAt, j.UpdatedAt = host, "p1", when.Add(-time.Minute), &when, when
		}))
	}
	plan := fleet.Plan{ID: "p1", Name: "servers", Hosts: []fleet.HostID{"h1", "h2", "h3", "h4"}}
	m := signedIn(hostRow("h1", "a"), hostRow("h2", "b"), hostRow("h3", "c"), hostRow("h4", "d"), api.Row{Kind: "plan", ID: "p1", Rev: 1, Plan: &plan},
		ended("j1", "h1", fleet.StateFailed, 0), ended("j2", "h1", fleet.StateSucceeded, time.Hour), ended("j3", "h1", fleet.StateCancelled, 2*time.Hour),
		ended("j4", "h2", fleet.StateWarning, time.Hour), ended("j5", "h3", fleet.StateLost, 3*time.Hour), ended("j6", "h4", fleet.StateFailed, 4*time.Hour))
	gone := *m.Host("h4")
	gone.RevokedAt, gone.Rev = &t0, 1<<40
	m.Apply(model.Batch{Rows: []api.Row{{Kind: "host", ID: "h4", Rev: gone.Rev, Host: &gone}}})
	got := vm.NewPlans(m).Standing(&plan)
	want := vm.PlanStanding{Hosts: 4, Failed: 1, Warned: 1, Good: 1, Newest: t0.Add(3 * time.Hour)}
	if got != want {
		t.Errorf("%+v, not %+v", got, want)
	}
}
