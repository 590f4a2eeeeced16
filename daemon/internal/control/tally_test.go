package control_test

import (
	"slices"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// ended runs a backup to an end that the agent reports.
func (h *house) ended(host fleet.Host, repository fleet.Repository, state fleet.JobState) fleet.Job {
	h.t.Helper()
	job := h.backup(host, repository)
	h.takeTo(job, fleet.StateRunning)
	m := h.finished(state)
	if state == fleet.StateSucceeded || state == fleet.StateWarning {
		m.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{TotalBytesProcessed: 1000, DataAdded: 20, DataAddedPacked: 10}}
	}
	h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	return h.job(job.ID)
}

func (h *house) host(name string) fleet.Host {
	h.t.Helper()
	return must(h.Host(h.ctx, name))(h.t)
}

func (h *house) overview(days int) api.Overview {
	h.t.Helper()
	return must(h.Overview(h.ctx, days))(h.t)
}

func states(marks []fleet.BackupMark) (out []fleet.JobState) {
	for _, m := range marks {
		out = append(out, m.State)
	}
	return out
}

func TestAHostKnowsItsLastBackups(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	if got := h.host("web1"); got.Backups == nil || len(got.Backups) != 0 || got.LastBackup != nil {
		t.Fatalf("%+v", got)
	}
	good := h.ended(host, repository, fleet.StateSucceeded)
	check := must(h.StartJob(h.ctx, h.admin, "web1", api.JobRequest{Kind: fleet.KindCheck, Repository: "main"}, ""))(t)
	h.ok(h.JobFinished(h.ctx, host.ID, check.ID, h.finished(fleet.StateFailed)))
	h.clock.add(time.Hour)
	h.feed.take()
	bad := h.ended(host, repository, fleet.StateFailed)
	rows := h.feed.take()
	published := rows[len(rows)-1].Host
	if published == nil || published.Rev != h.host("web1").Rev || len(published.Backups) != 2 {
		t.Fatalf("published %+v", rows[len(rows)-1])
	}
	want := []fleet.BackupMark{{JobID: good.ID, State: fleet.StateSucceeded, At: *good.FinishedAt, Bytes: 1000, Added: 10},
		{JobID: bad.ID, State: fleet.StateFailed, At: *bad.FinishedAt}}
	got := h.host("web1")
	if !slices.Equal(got.Backups, want) || got.LastBackup == nil || *got.LastBackup != want[0] || !slices.Equal(published.Backups, want) {
		t.Fatalf("%+v\nwant %+v", got.Backups, want)
	}
	for range 20 {
		h.clock.add(time.Minute)
		h.ended(host, repository, fleet.StateWarning)
	}
	cancelled := h.backup(host, repository)
	must(h.CancelJob(h.ctx, h.admin, cancelled.ID))(t)
	h.restart()
	got = h.host("web1")
	if len(got.Backups) != fleet.MaxBackupMarks || got.Backups[13].JobID != cancelled.ID || got.LastBackup.JobID != got.Backups[12].JobID {
		t.Fatalf("%+v", got)
	}
	h.connect(host) // what else changes a host leaves its marks
	h.ok(h.RevokeHost(h.ctx, h.admin, host.ID))
	if now := h.host("web1"); !slices.Equal(now.Backups, got.Backups) || *now.LastBackup != *got.LastBackup {
		t.Fatalf("%+v, was %+v", now, got)
	}
}

// G11: the truth about a lost job replaces what was said of it, in the marks and in the counts.
func TestLateTruthReplacesAMark(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	lost, other := h.backup(host, repository), h.backup(host, repository)
	h.takeTo(lost, fleet.StateRunning)
	h.takeTo(other, fleet.StateRunning)
	h.connect(host) // without the jobs
	h.is(lost.ID, fleet.StateLost)
	if got := h.host("web1").Backups; !slices.Equal(states(got), []fleet.JobState{fleet.StateLost, fleet.StateLost}) {
		t.Fatalf("%+v", got)
	}
	if c := h.overview(1).Last24h; c.Failed != 2 {
		t.Fatalf("%+v", c)
	}
	h.clock.add(24 * time.Hour)
	h.ok(h.JobStarted(h.ctx, host.ID, lost.ID, agentwire.JobStarted{At: h.clock.Now()})) // it runs after all
	h.connect(host, agentwire.HeldJob{JobID: other.ID, State: fleet.StateRunning}, agentwire.HeldJob{JobID: lost.ID, State: fleet.StateRunning})
	h.is(other.ID, fleet.StateRunning)
	if got := h.host("web1").Backups; len(got) != 0 {
		t.Fatalf("%+v", got)
	}
	if o := h.overview(2); o.Days[0].Failed != 0 {
		t.Fatalf("%+v", o)
	}
	h.ok(h.JobFinished(h.ctx, host.ID, lost.ID, h.finished(fleet.StateSucceeded)))
	h.connect(host) // other is lost again
	h.is(other.ID, fleet.StateLost)
	h.ok(h.JobFinished(h.ctx, host.ID, other.ID, h.finished(fleet.StateWarning)))
	if got := h.host("web1").Backups; !slices.Equal(states(got), []fleet.JobState{fleet.StateSucceeded, fleet.StateWarning}) {
		t.Fatalf("%+v", got)
	}
	if o := h.overview(2); o.Days[1].BackupCounts != (api.BackupCounts{Succeeded: 1, Warning: 1}) || o.Days[0].BackupCounts != (api.BackupCounts{}) {
		t.Fatalf("%+v", o)
	}
}

func TestOverview(t *testing.T) {
	h := newHouse(t) // 2026-03-01 12:00
	host, repository := h.enrol("web1"), h.repository("main")
	h.ended(host, repository, fleet.StateFailed)
	h.clock.add(7 * 24 * time.Hour) // 8 March
	h.ended(host, repository, fleet.StateSucceeded)
	h.clock.add(11*time.Hour + 59*time.Minute) // 23:59
	h.ended(host, repository, fleet.StateWarning)
	h.clock.add(2 * time.Minute)
	h.ended(host, repository, fleet.StateInterrupt)
	h.ended(host, repository, fleet.StateSucceeded)
	must(h.CancelJob(h.ctx, h.admin, h.backup(host, repository).ID))(t)
	o := h.overview(0)
	if len(o.Days) != 30 || o.Days[29].Day != "2026-03-09" || o.Days[0].Day != "2026-02-08" || !o.AsOf.Equal(h.clock.Now()) {
		t.Fatalf("%+v", o)
	}
	for i, want := range map[int]api.BackupCounts{
		21: {Failed: 1}, 27: {}, 28: {Succeeded: 1, Warning: 1, BytesAdded: 20}, 29: {Succeeded: 1, Failed: 1, Cancelled: 1, BytesAdded: 10},
	} {
		if o.Days[i].BackupCounts != want {
			t.Errorf("%+v, want %+v", o.Days[i], want)
		}
	}
	if o.Last24h != (api.BackupCounts{Succeeded: 2, Warning: 1, Failed: 1, Cancelled: 1, BytesAdded: 30}) {
		t.Errorf("last 24 h %+v", o.Last24h)
	}
	if o.WeekBefore != (api.BackupCounts{Failed: 1}) {
		t.Errorf("week before %+v", o.WeekBefore)
	}
	if one := h.overview(1); len(one.Days) != 1 || one.Days[0] != o.Days[29] {
		t.Errorf("today %+v", one.Days)
	}
	for _, days := range []int{-1, 401} {
		_, err := h.Overview(h.ctx, days)
		h.refused(err, fault.InvalidInput)
	}
	h.clock.add(393 * 24 * time.Hour)
	h.ok(h.Sweep(h.ctx))
	if got := h.overview(400); got.Days[0].BackupCounts != (api.BackupCounts{}) || got.Days[6].Day != "2026-03-09" || got.Days[6].Succeeded != 1 {
		t.Errorf("after 400 days: %+v", got.Days[:8])
	}
}

// What an agent reports must not be able to break the counts of others.
func TestCountsOfAHostThatLies(t *testing.T) {
	h := newHouse(t)
	host, repository := h.enrol("web1"), h.repository("main")
	for _, added := range []int64{1 << 62, 1<<63 - 1, -1 << 63} {
		job := h.backup(host, repository)
		h.takeTo(job, fleet.StateRunning)
		m := h.finished(fleet.StateSucceeded)
		m.Outcome.FinishedAt = h.clock.Now().Add(1000 * 24 * time.Hour)
		m.Outcome.Summary = &fleet.Summary{Backup: &fleet.BackupSummary{TotalBytesProcessed: added, DataAddedPacked: added}}
		h.ok(h.JobFinished(h.ctx, host.ID, job.ID, m))
	}
	if c := h.overview(1).Days[0]; c.Succeeded != 3 || c.BytesAdded != 1<<48 {
		t.Fatalf("%+v", c)
	}
}
