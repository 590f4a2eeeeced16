package sample

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Days is how far the past goes back.
const Days = 60

// event is a backup of the past.
type event struct {
	at      time.Time
	machine int
	host    *fleet.Host
	plan    *fleet.Plan
}

// history makes the backups of the last Days, oldest first.
func (d *Daemon) history() {
	var events []event
	for i, m := range machines {
		if m.perDay == 0 {
			continue
		}
		h := d.hostNamed(m.name)
		plan := d.planNamed(m.plan)
		for day := range Days {
			for n := range m.perDay {
				at := d.now.Truncate(24*time.Hour).AddDate(0, 0, day+1-Days).Add(2*time.Hour + time.Duration(n)*24*time.Hour/time.Duration(m.perDay) + time.Duration(i)*2*time.Minute)
				if d.away(m, at) || !at.Before(d.now.Add(-30*time.Minute)) {
					continue
				}
				events = append(events, event{at.Add(time.Duration(d.rnd.IntN(50_000)) * time.Millisecond), i, h, plan})
			}
		}
	}
	slices.SortFunc(events, func(a, b event) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.machine, b.machine)) })
	for _, e := range events {
		d.pastBackup(e)
	}
}

// away tells whether a host was not there: laptops rest at weekends, and some hosts are gone.
func (d *Daemon) away(m machine, at time.Time) bool {
	ago := d.now.Sub(at)
	switch {
	case m.plan == "laptops" && (at.Weekday() == time.Saturday || at.Weekday() == time.Sunday || d.rnd.IntN(9) == 0):
		return true
	case m.trait == "offline" && ago < 51*time.Hour, m.trait == "unknown" && ago < time.Hour:
		return true
	}
	return false
}

func (d *Daemon) hostNamed(name string) *fleet.Host {
	for _, h := range d.hosts {
		if h.Name == name {
			return h
		}
	}
	return nil
}

func (d *Daemon) planNamed(name string) *fleet.Plan {
	for _, p := range d.plans {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// figure are the numbers of a backup of a machine at a time: it grows a little each day.
func (d *Daemon) figures(m machine, at time.Time) fleet.BackupSummary {
	age := d.now.Sub(at).Hours() / 24
	grown := math.Pow(0.9975, age) * (1 + 0.004*math.Sin(age/3))
	bytes := int64(m.gib * gibibyte * grown)
	changed := int64(float64(m.files) * (0.004 + 0.01*d.rnd.Float64()))
	added := int64(float64(bytes) * (0.0008 + 0.0025*d.rnd.Float64()))
	s := fleet.BackupSummary{FilesNew: changed / 5, FilesChanged: changed - changed/5, FilesUnmodified: m.files - changed, DirsChanged: changed / 12, DirsUnmodified: m.files / 9,
		DataBlobs: added / mebibyte, TreeBlobs: changed / 10, DataAdded: added, DataAddedPacked: added * 34 / 100, TotalFilesProcessed: m.files, TotalBytesProcessed: bytes}
	s.DurationMS = 4_000 + int64(float64(m.files)/90) + added/(90*mebibyte)*1000 + int64(d.rnd.IntN(20_000))
	s.SnapshotID = d.snapshotID()
	return s
}

func (d *Daemon) snapshotID() fleet.SnapshotID {
	return fleet.SnapshotID(fmt.Sprintf("%016x%016x%016x%016x", d.rnd.Uint64(), d.rnd.Uint64(), d.rnd.Uint64(), d.rnd.Uint64()))
}

// pastBackup makes one backup of the past, nearly always one that went well.
func (d *Daemon) pastBackup(e event) {
	m := machines[e.machine]
	j := d.newJob(e.host, e.plan, fleet.KindBackup, fleet.ScheduleUser, e.at)
	started := e.at.Add(time.Duration(180+d.rnd.IntN(600)) * time.Millisecond)
	s := d.figures(m, e.at)
	end := started.Add(time.Duration(s.DurationMS) * time.Millisecond)
	o := fleet.Outcome{State: fleet.StateSucceeded, Summary: &fleet.Summary{Backup: &s}, StartedAt: started, FinishedAt: end}
	storm := d.now.Sub(e.at) > 11*24*time.Hour && d.now.Sub(e.at) < 12*24*time.Hour && e.plan.Name != "media"
	switch dice := d.rnd.IntN(1000); {
	case storm && dice < 320:
		o = failed(started, started.Add(15*time.Minute+4*time.Second), fleet.ReasonRepositoryUnreachable, 1,
			"The repository does not answer (restic: dial tcp 52.219.46.83:443: i/o timeout). Check that its server runs and that this host reaches it over the network, then start the job again.")
	case dice < 8:
		o = failed(started, started.Add(2*time.Second), fleet.ReasonRepositoryLocked, 11,
			"Another restic has the repository locked (restic: repository is already locked exclusively by PID 4711 on maintenance). Wait for it to end and start the job again; a lock whose process is gone is removed by an unlock job.")
	case dice < 30:
		n := 1 + d.rnd.IntN(5)
		o.State, o.Reason, o.Errors, o.ExitCode = fleet.StateWarning, fleet.ReasonSourceUnreadable, int64(n), code(3)
		for i := range n {
			o.Unreadable = append(o.Unreadable, pathOf(e.machine, int(s.FilesNew)+i))
		}
		o.Message = fmt.Sprintf("The snapshot %s was saved, but %d items could not be read (%s): permission denied. Let the agent's user read them, or exclude them from the backup.", s.SnapshotID[:8], n, o.Unreadable[0])
	}
	d.end(j, o)
}

func code(n int) *int { return &n }

func failed(started, ended time.Time, reason fleet.Reason, exit int, message string) fleet.Outcome {
	return fleet.Outcome{State: fleet.StateFailed, Reason: reason, Message: message, ExitCode: code(exit), StartedAt: started, FinishedAt: ended}
}

// newJob adds a queued job without telling anybody.
func (d *Daemon) newJob(h *fleet.Host, p *fleet.Plan, kind fleet.JobKind, by string, at time.Time) *job {
	d.made++
	j := &job{Job: fleet.Job{ID: fleet.JobID(ulidAt(at, "J", d.made)), HostID: h.ID, Kind: kind, State: fleet.StateQueued, CreatedBy: by, CreatedAt: at, UpdatedAt: at}}
	if p != nil {
		j.PlanID, j.RepositoryID = p.ID, p.RepositoryID
		if kind == fleet.KindBackup {
			spec := p.Backup
			j.Spec.Backup = &spec
		}
	}
	d.respec(j)
	d.jobs[j.ID] = j
	d.order = append(d.order, j)
	return j
}

// respec fills in what follows from the job's other members.
func (d *Daemon) respec(j *job) {
	j.Spec.JobID, j.Spec.Kind, j.Spec.PlanID, j.Spec.CreatedAt = j.ID, j.Kind, j.PlanID, j.CreatedAt
	if r := d.repos[j.RepositoryID]; r != nil {
		j.Spec.Repository = r.Spec()
	}
}

// end ends a job, with its snapshot, without telling anybody.
func (d *Daemon) end(j *job, o fleet.Outcome) {
	j.State, j.Outcome, j.run, j.progress = o.State, &o, nil, nil
	if o.ExitCode == nil && (o.State == fleet.StateSucceeded || o.State == fleet.StateWarning) {
		o.ExitCode = code(0)
	}
	if !o.StartedAt.IsZero() {
		at := o.StartedAt
		j.StartedAt = &at
	}
	end := o.FinishedAt
	j.FinishedAt, j.UpdatedAt, j.LogSealed = &end, end, true
	j.Log = fleet.LogPosition{LastSeq: int64(d.logLength(j))}
	h := d.hosts[j.HostID]
	h.LastJobID = j.ID
	if m, ok := fleet.MarkOf(j.Job); ok {
		h.NoteBackup(m)
	}
	if o.Summary == nil || o.Summary.Backup == nil || o.Summary.Backup.SnapshotID == "" {
		return
	}
	s := o.Summary.Backup
	tags := []string{"job:" + string(j.ID)}
	if j.PlanID != "" {
		tags = append(tags, "plan:"+string(j.PlanID))
	}
	d.snapshots = append(d.snapshots, fleet.Snapshot{ID: s.SnapshotID, RepositoryID: j.RepositoryID, Time: o.StartedAt, Hostname: h.Hostname, Username: "root", Paths: j.Spec.Backup.Paths,
		Tags: append(tags, j.Spec.Backup.Tags...), ProgramVersion: "restic 0.19.1", JobID: j.ID, FilesProcessed: s.TotalFilesProcessed, BytesProcessed: s.TotalBytesProcessed, BytesAdded: s.DataAddedPacked})
}

// tidy puts everything into the order it would have come in, and publishes it.
func (d *Daemon) tidy() {
	slices.SortFunc(d.order, func(a, b *job) int { return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID)) })
	slices.SortFunc(d.snapshots, func(a, b fleet.Snapshot) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(a.ID, b.ID)) })
	for _, id := range slices.Sorted(maps.Keys(d.repos)) {
		d.repoChangedLocked(d.repos[id])
	}
	for _, id := range slices.Sorted(maps.Keys(d.hosts)) {
		d.hostChangedLocked(d.hosts[id])
	}
	for _, id := range slices.Sorted(maps.Keys(d.plans)) {
		d.planChangedLocked(d.plans[id])
	}
	for _, j := range d.order {
		updated := j.UpdatedAt
		j.Rev = int64(len(d.rows)) + 1
		d.jobChangedLocked(j)
		j.UpdatedAt = updated
	}
}
