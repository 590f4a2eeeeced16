package control_test

import (
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

func (h *house) scheduled(host fleet.Host, repository fleet.Repository, s *api.ScheduleRequest) (fleet.Plan, error) {
	return h.AddPlan(h.ctx, h.admin, api.PlanRequest{Name: "daily", RepositoryID: repository.ID, Hosts: []fleet.HostID{host.ID},
		Backup: fleet.BackupSpec{Paths: []string{"/etc"}}, Schedule: s})
}

func TestASchedulesFillings(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	p := must(h.scheduled(host, repository, &api.ScheduleRequest{EveryMS: (6 * time.Hour).Milliseconds()}))(t)
	began := h.clock.Now().Truncate(time.Minute)
	if s := p.Schedule; s == nil || !s.Start.Equal(began) || s.Splay() != 10*time.Minute {
		t.Fatalf("%+v", p.Schedule)
	}
	config := must(h.HostConfig(h.ctx, host.ID))(t)
	if len(config.Plans) != 1 || config.Plans[0].Schedule == nil || !config.Plans[0].Schedule.Equal(*p.Schedule) {
		t.Fatalf("the host is told %+v", config.Plans)
	}

	h.clock.add(90 * time.Minute)
	req := api.PlanRequest{Name: "daily", RepositoryID: repository.ID, Hosts: p.Hosts, Backup: p.Backup, Schedule: &api.ScheduleRequest{EveryMS: p.Schedule.EveryMS}}
	if p = must(h.UpdatePlan(h.ctx, h.admin, "daily", req))(t); !p.Schedule.Start.Equal(began) {
		t.Fatalf("the same schedule begins anew: %+v", p.Schedule)
	}
	req.Schedule.EveryMS = time.Hour.Milliseconds()
	if p = must(h.UpdatePlan(h.ctx, h.admin, "daily", req))(t); p.Schedule.Start.Equal(began) || p.Schedule.Splay() != 6*time.Minute {
		t.Fatalf("another schedule keeps what belonged to the former: %+v", p.Schedule)
	}
	none := int64(0)
	req.Schedule = &api.ScheduleRequest{Cron: "@daily", SplayMS: &none}
	if p = must(h.UpdatePlan(h.ctx, h.admin, "daily", req))(t); p.Schedule.SplayMS != 0 || !p.Schedule.Start.IsZero() {
		t.Fatalf("%+v", p.Schedule)
	}
	req.Schedule.Cron = "61 * * * *"
	_, err := h.UpdatePlan(h.ctx, h.admin, "daily", req)
	h.refused(err, fault.InvalidInput)
	req.Schedule = nil
	if p = must(h.UpdatePlan(h.ctx, h.admin, "daily", req))(t); p.Schedule != nil {
		t.Fatalf("%+v", p.Schedule)
	}
}

func TestNextRunsAndAPause(t *testing.T) {
	h := newHouse(t)
	host, other, repository := h.enrol("web1"), h.enrol("web2"), h.repository("main")
	splay := (20 * time.Minute).Milliseconds()
	p := must(h.scheduled(host, repository, &api.ScheduleRequest{Cron: "30 2 * * *", TimeZone: "Europe/Berlin", SplayMS: &splay}))(t)
	runs := must(h.NextRuns(h.ctx, "daily", "", 0))(t)
	if len(runs) != 5 || !runs[0].Slot.After(h.clock.Now()) || !runs[0].At.Equal(runs[0].Slot) || runs[4].Slot.Sub(runs[0].Slot).Hours() < 95 {
		t.Fatalf("%+v", runs)
	}
	mine := must(h.NextRuns(h.ctx, string(p.ID), "web1", 2))(t)
	if late := mine[0].At.Sub(mine[0].Slot); len(mine) != 2 || late < 0 || late >= 20*time.Minute {
		t.Fatalf("%+v", mine)
	}
	_, err := h.NextRuns(h.ctx, "daily", other.Name, 2)
	h.refused(err, fault.InvalidInput)

	version := must(h.HostConfig(h.ctx, host.ID))(t).Version
	if p = must(h.PausePlan(h.ctx, h.admin, "daily"))(t); !p.Schedule.Paused {
		t.Fatal("not paused")
	}
	if config := must(h.HostConfig(h.ctx, host.ID))(t); config.Version == version || !config.Plans[0].Schedule.Paused {
		t.Fatalf("the host is not told: %+v", config)
	}
	rev := must(h.PausePlan(h.ctx, h.admin, "daily"))(t).Rev
	if rev != p.Rev || len(must(h.NextRuns(h.ctx, "daily", "", 0))(t)) != 0 {
		t.Fatal("paused twice changes something, or there are runs while it is")
	}
	if p = must(h.ResumePlan(h.ctx, h.admin, "daily"))(t); p.Schedule.Paused || len(must(h.NextRuns(h.ctx, "daily", "", 0))(t)) != 5 {
		t.Fatal("not resumed")
	}
	must(h.UpdatePlan(h.ctx, h.admin, "daily", api.PlanRequest{Name: "daily", RepositoryID: repository.ID, Hosts: p.Hosts, Backup: p.Backup}))(t)
	_, err = h.PausePlan(h.ctx, h.admin, "daily")
	h.refused(err, fault.Conflict)
}

func TestAJobThatAHostBeganIsTakenUp(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	p := must(h.scheduled(host, repository, &api.ScheduleRequest{Cron: "@hourly"}))(t)
	h.connect(host)
	slot := h.clock.Now().Truncate(time.Hour)
	spec := p.SlotSpec(repository.Spec(), host.ID, slot, h.clock.Now())
	held := agentwire.HeldJob{JobID: spec.JobID, State: fleet.StateRunning, Spec: &spec}
	for range 2 { // the answer may be lost
		w := must(h.JobScheduled(h.ctx, host.ID, held))(t)
		if w.JobID != spec.JobID || w.Desired != agentwire.DesireRun || w.DurableSeq != 0 {
			t.Fatalf("%+v", w)
		}
	}
	if j := h.job(spec.JobID); j.State != fleet.StateRunning || j.CreatedBy != "schedule" || j.PlanID != p.ID || j.Kind != fleet.KindBackup {
		t.Fatalf("%+v", j)
	}
	must(h.CancelJob(h.ctx, h.admin, spec.JobID))(t)
	if w := must(h.JobScheduled(h.ctx, host.ID, held))(t); w.Desired != agentwire.DesireCancel {
		t.Fatalf("%+v", w)
	}
	h.ok(h.JobFinished(h.ctx, host.ID, spec.JobID, h.finished(fleet.StateCancelled)))
	held.State, held.LastSeq = fleet.StateCancelled, 0
	if w := must(h.JobScheduled(h.ctx, host.ID, held))(t); w.Desired != agentwire.DesireForget {
		t.Fatalf("a slot that has run: %+v", w)
	}

	for name, id := range map[string]fleet.JobID{
		"of another host": fleet.SlotID(p.ID, "H9", slot), "no slot": "J1", "no instant": fleet.JobID("slot:" + string(p.ID) + ":" + string(host.ID) + ":soon"),
	} {
		s := spec
		s.JobID = id
		_, err := h.JobScheduled(h.ctx, host.ID, agentwire.HeldJob{JobID: id, State: fleet.StateRunning, Spec: &s})
		if fault.CodeOf(err) != fault.Protocol {
			t.Errorf("%s: %v", name, err)
		}
	}
}
