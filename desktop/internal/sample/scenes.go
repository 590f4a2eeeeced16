package sample

import (
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// scenes makes the jobs that pages are shown with.
func (d *Daemon) scenes() {
	d.endedScenes()
	d.openScenes()
}

func (d *Daemon) traitHost(trait string) (*fleet.Host, machine) {
	for _, m := range machines {
		if m.trait == trait {
			return d.hostNamed(m.name), m
		}
	}
	return nil, machine{}
}

// ended makes a job of the past on the host with a trait.
func (d *Daemon) ended(trait string, kind fleet.JobKind, by string, ago, took time.Duration, outcome func(m machine, o *fleet.Outcome)) fleet.JobID {
	h, m := d.traitHost(trait)
	at := d.now.Add(-ago)
	j := d.newJob(h, d.planNamed(m.plan), kind, by, at)
	o := fleet.Outcome{StartedAt: at.Add(412 * time.Millisecond), FinishedAt: at.Add(took)}
	outcome(m, &o)
	if o.Summary != nil && o.Summary.Backup != nil {
		o.Summary.Backup.DurationMS = o.FinishedAt.Sub(o.StartedAt).Milliseconds()
	}
	d.end(j, o)
	return j.ID
}

func (d *Daemon) endedScenes() {
	d.scene.Succeeded = d.ended("running", fleet.KindBackup, fleet.ScheduleUser, 6*time.Hour, 8*time.Minute+31*time.Second, func(m machine, o *fleet.Outcome) {
		s := d.figures(m, o.StartedAt)
		o.State, o.Summary = fleet.StateSucceeded, &fleet.Summary{Backup: &s}
	})
	d.scene.Failed = d.ended("failed", fleet.KindBackup, fleet.ScheduleUser, 5*time.Hour, 6*time.Minute+2*time.Second, func(_ machine, o *fleet.Outcome) {
		o.State, o.Reason, o.ExitCode, o.Errors = fleet.StateFailed, fleet.ReasonRepositoryDenied, code(1), 2
		o.Message = "The repository refused a write (restic: client.PutObject: Access Denied). Give this host credentials that may write there, then start the job again."
	})
	d.scene.Warned = d.ended("warned", fleet.KindBackup, "mira", 3*time.Hour, 8*time.Minute+51*time.Second, func(m machine, o *fleet.Outcome) {
		s := d.figures(m, o.StartedAt)
		o.State, o.Reason, o.ExitCode, o.Errors, o.Summary = fleet.StateWarning, fleet.ReasonSourceUnreadable, code(3), 3, &fleet.Summary{Backup: &s}
		o.Unreadable = []string{"/home/jürgen/Bilder/2024-Ostsee/IMG_0041.jpg", "/home/李雷/文档/预算.xlsx", "/srv/data/部门/财务/2026年度/Übersicht_Q3.xlsx"}
		o.Message = "The snapshot " + string(s.SnapshotID[:8]) + " was saved, but 3 items could not be read (" + o.Unreadable[0] + " and 2 more): permission denied. Let the agent's user read them, or exclude them from the backup."
	})
	d.scene.Cancelled = d.ended("cancelled", fleet.KindBackup, "mira", 100*time.Minute, 47*time.Second, func(_ machine, o *fleet.Outcome) {
		o.State, o.Reason, o.ExitCode = fleet.StateCancelled, fleet.ReasonCancelled, code(130)
		o.Message = "Cancelled before a snapshot was saved. What was uploaded stays and the next backup uses it: start the backup again when it suits."
	})
	d.scene.Interrupted = d.ended("interrupted", fleet.KindBackup, fleet.ScheduleUser, 11*time.Hour, 3*time.Minute, func(_ machine, o *fleet.Outcome) {
		o.State, o.Reason = fleet.StateInterrupt, fleet.ReasonHostDown
		o.Message = "The host restarted while the job ran. Start the job again; what was uploaded until then is used."
	})
	d.scene.Lost = d.ended("lost", fleet.KindBackup, fleet.ScheduleUser, 12*time.Hour, 20*time.Minute, func(_ machine, o *fleet.Outcome) {
		o.State, o.Reason = fleet.StateLost, fleet.ReasonJobForgotten
		o.Message = "The agent came back and does not know the job. Look on the host whether its disk was replaced, and start the job again."
	})
	d.scene.Restored = d.ended("running", fleet.KindRestore, "mira", 26*time.Hour, 96*time.Second, func(_ machine, o *fleet.Outcome) {
		o.State = fleet.StateSucceeded
		o.Summary = &fleet.Summary{Restore: &fleet.RestoreSummary{Target: "/var/lib/backstay-agent/restore/atlas", TotalFiles: 1_204, FilesRestored: 1_204, TotalBytes: 3 * gibibyte, BytesRestored: 3 * gibibyte, DurationMS: 95_200}}
	})
	j := d.jobs[d.scene.Restored]
	j.Spec.Restore = &fleet.RestoreSpec{SnapshotID: d.jobs[d.scene.Succeeded].Outcome.Summary.Backup.SnapshotID, Includes: []string{"/var/lib/postgresql"}, Folder: "atlas"}
}

// open makes a job that has not ended on the host with a trait.
func (d *Daemon) open(trait string, kind fleet.JobKind, by string, ago time.Duration, r *run) *job {
	h, m := d.traitHost(trait)
	j := d.newJob(h, d.planNamed(m.plan), kind, by, d.now.Add(-ago))
	j.made = true
	if r == nil {
		return j
	}
	r.machine = d.machineOf(h.ID)
	if r.bytes == 0 {
		r.bytes, r.files = int64(m.gib*gibibyte), m.files
	}
	j.run, j.State = r, fleet.StateAccepted
	if !r.blocked {
		d.begin(j, j.CreatedAt.Add(420*time.Millisecond))
		d.catchUp(j)
	}
	return j
}

func (d *Daemon) openScenes() {
	const second = time.Second
	d.scene.Queued = d.open("offline", fleet.KindBackup, "mira", 47*time.Minute, nil).ID
	check := d.open("waiting", fleet.KindCheck, "mira", 14*time.Minute, &run{speed: 180 * mebibyte, bytes: 380 * gibibyte, files: 24_118})
	check.Spec.Check = &fleet.CheckSpec{ReadData: "5%"}
	d.scene.Check = check.ID
	d.scene.Unknown = d.open("unknown", fleet.KindBackup, fleet.ScheduleUser, 31*time.Minute, &run{speed: 60 * mebibyte, bytes: 180 * gibibyte, files: 702_118, scan: 9 * second, until: d.now.Add(-23 * time.Minute)}).ID
	d.jobs[d.scene.Unknown].State = fleet.StateUnknown
	d.scene.Running = d.open("running", fleet.KindBackup, fleet.ScheduleUser, 318*second, &run{speed: 1.69 * gibibyte, scan: 2 * second, perSecond: 40}).ID
	d.scene.Retrying = d.open("retrying", fleet.KindBackup, fleet.ScheduleUser, 9*time.Minute, &run{speed: 210 * mebibyte, scan: 12 * second, stuck: d.now.Add(-2 * time.Minute)}).ID
	d.scene.Waiting = d.open("waiting", fleet.KindBackup, fleet.ScheduleUser, 6*time.Minute, &run{speed: 600 * mebibyte, scan: 4 * second, blocked: true, perSecond: 25}).ID
	d.scene.Scanning = d.open("scanning", fleet.KindBackup, fleet.ScheduleUser, 11*second, &run{speed: 300 * mebibyte, scan: 40 * second}).ID
}
