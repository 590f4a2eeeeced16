package sample

import (
	"fmt"
	"math"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// run is how a job goes on.
type run struct {
	machine   int
	bytes     int64   // what there is to read
	files     int64   //
	speed     float64 // bytes a second, about
	scan      time.Duration
	perSecond int       // lines of its log
	blocked   bool      // it waits for its repository as long as another job of its host runs
	stuck     time.Time // from then on the repository does not answer
	until     time.Time // nothing is heard of it after that

	at      time.Time // how far it was taken
	done    float64
	told    time.Time // of the newest figures
	stop    time.Time // a cancel is through by then
	read    time.Time // everything was read
	written int       // lines
}

const (
	lockTime   = 1100 * time.Millisecond // restic locks and loads the index
	finishTime = 2200 * time.Millisecond // restic saves the snapshot
	maxFigures = 300
)

// begin starts restic.
func (d *Daemon) begin(j *job, at time.Time) {
	j.State, j.StartedAt = fleet.StateRunning, &at
	j.run.at, j.run.blocked = at, false
	j.tell(fleet.Progress{Phase: fleet.PhaseWaiting, At: j.CreatedAt.Add(180 * time.Millisecond)})
	j.tell(fleet.Progress{Phase: fleet.PhaseStarting, At: at})
}

func (j *job) tell(p fleet.Progress) {
	j.progress = &p
	j.figures = append(j.figures, p)
	if len(j.figures) > maxFigures {
		j.figures = append(j.figures[:0], j.figures[len(j.figures)-maxFigures:]...)
	}
}

// catchUp takes a job from its begin to now.
func (d *Daemon) catchUp(j *job) {
	r := j.run
	end := d.now
	if !r.until.IsZero() {
		end = r.until
	}
	for t := r.at.Add(time.Second); !t.After(end); t = t.Add(time.Second) {
		d.move(j, t)
	}
	if r.until.IsZero() {
		d.move(j, end) // the rest of a second
	}
	r.at = d.now
	if r.perSecond > 0 {
		d.write(j, r.perSecond*int(end.Sub(*j.StartedAt)/time.Second)/2, *j.StartedAt, end)
	}
}

// Advance lets time pass: jobs run, lines come.
func (d *Daemon) Advance(by time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	const step = 250 * time.Millisecond
	for left := by; left > 0; left -= step {
		d.now = d.now.Add(min(step, left))
		for _, j := range d.openLocked() {
			d.passLocked(j)
		}
	}
	d.ringLocked()
}

func (d *Daemon) openLocked() []*job {
	var open []*job
	for _, j := range d.order {
		if !j.State.Ended() {
			open = append(open, j)
		}
	}
	return open
}

// passLocked takes one job to now.
func (d *Daemon) passLocked(j *job) {
	age := d.now.Sub(j.UpdatedAt)
	switch {
	case j.State == fleet.StateUnknown, j.run != nil && !j.run.until.IsZero():
	case j.State == fleet.StateQueued && d.hosts[j.HostID].Online && age >= 200*time.Millisecond:
		j.State = fleet.StateDispatched
		d.jobChangedLocked(j)
	case j.State == fleet.StateDispatched && age >= 200*time.Millisecond:
		j.State = fleet.StateAccepted
		j.tell(fleet.Progress{Phase: fleet.PhaseWaiting, At: d.now})
		d.jobChangedLocked(j)
	case j.State == fleet.StateAccepted && j.CancelRequested:
		d.finishLocked(j, d.cancelled(j))
	case j.State == fleet.StateAccepted && age >= 200*time.Millisecond && !d.busyLocked(j):
		d.begin(j, d.now)
		d.jobChangedLocked(j)
	case j.State == fleet.StateRunning:
		d.move(j, d.now)
		if o, over := d.over(j); over {
			d.finishLocked(j, o)
		}
	}
}

// busyLocked tells whether another job of the host has the repository.
func (d *Daemon) busyLocked(j *job) bool {
	for _, o := range d.order {
		if o != j && o.HostID == j.HostID && o.RepositoryID == j.RepositoryID && o.State == fleet.StateRunning {
			return true
		}
	}
	return false
}

// move takes a running job on to a time: figures come once a second.
func (d *Daemon) move(j *job, to time.Time) {
	r := j.run
	from := r.at
	r.at = to
	since := to.Sub(*j.StartedAt)
	if j.CancelRequested {
		if r.stop.IsZero() {
			r.stop = to.Add(1200 * time.Millisecond)
			j.tell(fleet.Progress{Phase: fleet.PhaseStopping, At: to, BytesDone: int64(r.done), BytesTotal: r.bytes, FilesTotal: r.files, ElapsedMS: since.Milliseconds()})
		}
		return
	}
	stuck := !r.stuck.IsZero() && to.After(r.stuck)
	if since > lockTime && !stuck {
		wave := 1 + 0.16*math.Sin(since.Seconds()/19) + 0.09*math.Sin(since.Seconds()/3.1) + 0.05*math.Sin(since.Seconds()/1.3)
		r.done = min(r.done+r.speed*wave*min(1, since.Seconds()/25+0.35)*to.Sub(from).Seconds(), float64(r.bytes))
	}
	if r.done >= float64(r.bytes) && r.read.IsZero() {
		r.read = to
	}
	if r.told.IsZero() || to.Sub(r.told) >= time.Second {
		r.told = to
		if since > lockTime {
			j.tell(r.figures(j, to, since, stuck))
		}
		if r.perSecond > 0 && to.Equal(d.now) {
			d.write(j, r.perSecond, from, to)
		}
	}
}

func (r *run) figures(j *job, at time.Time, since time.Duration, stuck bool) fleet.Progress {
	p := fleet.Progress{Phase: fleet.PhaseReading, BytesDone: int64(r.done), BytesTotal: r.bytes, FilesTotal: r.files, ElapsedMS: since.Milliseconds(), At: at}
	share := r.done / float64(max(r.bytes, 1))
	p.FilesDone = int64(share * float64(r.files))
	counted := since - lockTime
	switch {
	case counted < r.scan: // totals still grow
		known := max(float64(counted)/float64(r.scan), 1.04*share)
		p.Phase, p.BytesTotal, p.FilesTotal = fleet.PhaseScanning, int64(known*float64(r.bytes)), int64(known*float64(r.files))
		p.Percent = min(r.done/float64(max(p.BytesTotal, 1)), 1)
	default:
		p.Percent = share
		if r.done > 0 && share < 1 {
			p.RemainingMS = max(int64((float64(r.bytes)-r.done)/r.speed*1000), 1000)
		}
	}
	if stuck {
		p.Phase, p.RemainingMS = fleet.PhaseRetrying, 0
	}
	if j.Kind == fleet.KindBackup && share < 1 {
		p.CurrentFiles = []string{pathOf(r.machine, r.written+1), pathOf(r.machine, r.written+9)}
	}
	return p
}

// write adds lines to the log, spread over a time.
func (d *Daemon) write(j *job, n int, from, to time.Time) {
	r := j.run
	for i := range n {
		at := from.Add(time.Duration(float64(to.Sub(from)) * float64(i+1) / float64(n+1)))
		j.lines = append(j.lines, verboseLine(d.rnd, r.machine, r.written, at))
		r.written++
	}
	j.Log.LastSeq = int64(len(j.lines))
}

// over tells whether a running job has come to its end, and to which.
func (d *Daemon) over(j *job) (fleet.Outcome, bool) {
	r := j.run
	switch {
	case !r.stop.IsZero() && !d.now.Before(r.stop):
		return d.cancelled(j), true
	case r.read.IsZero() || d.now.Sub(r.read) < finishTime:
		return fleet.Outcome{}, false
	}
	o := fleet.Outcome{State: fleet.StateSucceeded, StartedAt: *j.StartedAt, FinishedAt: d.now, ExitCode: code(0), Summary: &fleet.Summary{}}
	switch j.Kind {
	case fleet.KindBackup:
		s := d.figures(machines[r.machine], d.now)
		s.TotalBytesProcessed, s.TotalFilesProcessed, s.DurationMS = r.bytes, r.files, d.now.Sub(*j.StartedAt).Milliseconds()
		o.Summary.Backup = &s
	case fleet.KindRestore:
		o.Summary.Restore = &fleet.RestoreSummary{Target: d.hosts[j.HostID].RestoreRoot + "/" + string(j.ID), TotalFiles: r.files, FilesRestored: r.files, TotalBytes: r.bytes, BytesRestored: r.bytes, DurationMS: d.now.Sub(*j.StartedAt).Milliseconds()}
	case fleet.KindCheck:
		o.Summary.Check = &fleet.CheckSummary{}
	case fleet.KindInit:
		o.Summary.Init = &fleet.InitSummary{ResticID: fmt.Sprintf("%x", d.rnd.Uint64())}
	case fleet.KindSnapshots:
		o.Summary.Snapshots = int64(len(d.snapshots))
	case fleet.KindUnlock:
		o.Summary, o.Message = nil, "No stale lock was found. A lock that is in use is left alone."
	}
	return o, true
}

func (d *Daemon) cancelled(j *job) fleet.Outcome {
	o := fleet.Outcome{State: fleet.StateCancelled, Reason: fleet.ReasonCancelled, FinishedAt: d.now, Message: "Cancelled. Start the job again when it suits."}
	if j.StartedAt != nil {
		o.StartedAt, o.ExitCode = *j.StartedAt, code(130)
	}
	return o
}

// finishLocked ends a job and tells everybody.
func (d *Daemon) finishLocked(j *job, o fleet.Outcome) {
	if j.made {
		j.Outcome = &o
		j.lines = append(j.lines, d.ending(j)...)
	}
	d.end(j, o)
	if n := len(d.snapshots); n > 0 && d.snapshots[n-1].JobID == j.ID { // newest first
		d.snapshots = append(d.snapshots[n-1:n:n], d.snapshots[:n-1]...)
	}
	d.jobChangedLocked(j)
	d.hostChangedLocked(d.hosts[j.HostID])
}
