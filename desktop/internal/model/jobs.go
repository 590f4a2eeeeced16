package model

import (
	"cmp"
	"iter"
	"slices"

	"github.com/backstay/backstay/shared/fleet"
)

// jobList holds jobs by age. New ones go to its end, so it is kept with hardly any moving.
type jobList struct {
	jobs []*fleet.Job // oldest first
}

// CompareAge orders jobs by creation, oldest first.
func CompareAge(a, b *fleet.Job) int {
	if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
		return c
	}
	return cmp.Compare(a.ID, b.ID)
}

func (l *jobList) len() int { return len(l.jobs) }

func (l *jobList) add(j *fleet.Job) {
	if n := len(l.jobs); n == 0 || CompareAge(l.jobs[n-1], j) < 0 {
		l.jobs = append(l.jobs, j)
		return
	}
	i, found := slices.BinarySearchFunc(l.jobs, j, CompareAge)
	if !found {
		l.jobs = slices.Insert(l.jobs, i, j)
	}
}

func (l *jobList) remove(j *fleet.Job) {
	if i, found := slices.BinarySearchFunc(l.jobs, j, CompareAge); found {
		l.jobs = slices.Delete(l.jobs, i, i+1)
	}
}

func (l *jobList) oldestFirst() []*fleet.Job { return l.jobs }

func (l *jobList) newestFirst() iter.Seq[*fleet.Job] {
	return func(yield func(*fleet.Job) bool) {
		for i := len(l.jobs) - 1; i >= 0; i-- {
			if !yield(l.jobs[i]) {
				return
			}
		}
	}
}

// Jobs gives every job, newest first.
func (f *Fleet) Jobs() iter.Seq[*fleet.Job] { return f.order.newestFirst() }

// OldestEnded gives the oldest job that has ended and is kept, nil when there is none. From it on the past is whole; of what was
// before it, nothing may be known.
func (f *Fleet) OldestEnded() *fleet.Job {
	for _, j := range f.order.oldestFirst() {
		if j.State.Ended() {
			return j
		}
	}
	return nil
}

// NewestJob gives the job that was created last, nil when there is none.
func (f *Fleet) NewestJob() *fleet.Job {
	for j := range f.Jobs() {
		return j
	}
	return nil
}

// OpenJobs gives the jobs that have not ended, newest first; those whose contact is lost are among them.
func (f *Fleet) OpenJobs() iter.Seq[*fleet.Job] { return f.open.newestFirst() }

// JobsOf gives the jobs of a host, newest first.
func (f *Fleet) JobsOf(id fleet.HostID) iter.Seq[*fleet.Job] {
	if h := f.hosts[id]; h != nil {
		return h.jobs.newestFirst()
	}
	return func(func(*fleet.Job) bool) {}
}

// Track is what is known of a job that runs, from its figures one after another. Its zero value is ready.
type Track struct {
	progress fleet.Progress
	meter    Meter
	seen     bool
	scanned  bool
}

// Take takes the figures of a job of this kind.
func (t *Track) Take(kind fleet.JobKind, p fleet.Progress) {
	t.progress, t.seen = p, true
	t.meter.Add(p.At, p.BytesDone)
	// restic tells the time that remains once it has counted everything; before, a backup's share of the whole means nothing.
	t.scanned = t.scanned || p.RemainingMS > 0 || p.Percent >= 1 || kind != fleet.KindBackup && p.Percent > 0
}

// Past takes how far the job was before its figures were followed: the speed is known at once, and the highest so far.
func (t *Track) Past(points []fleet.ProgressPoint) {
	if t.seen {
		return
	}
	for _, p := range points {
		t.meter.Add(p.At, p.BytesDone)
	}
}

// Progress gives the newest figures, and false before there are any.
func (t *Track) Progress() (fleet.Progress, bool) { return t.progress, t.seen }

// Counted tells whether Percent says something: restic knows the whole.
func (t *Track) Counted() bool { return t.scanned }

// Speed gives bytes a second, smoothed over SpeedWindow, and the highest so far. From the first figures alone it is that of the whole
// run until then.
func (t *Track) Speed() (now, peak float64) {
	if len(t.meter.samples) < 2 && t.progress.ElapsedMS > 0 {
		return float64(t.progress.BytesDone) * 1000 / float64(t.progress.ElapsedMS), 0
	}
	return t.meter.Rate(), t.meter.Peak()
}

// progress takes the figures of a job. Those of a job that is not known, or has ended, come too late.
func (f *Fleet) progress(id fleet.JobID, p fleet.Progress, c *changes) {
	j := f.jobs[id]
	if j == nil || j.State.Ended() {
		return
	}
	t := f.running[id]
	if t == nil {
		t = &Track{}
		f.running[id] = t
	}
	t.Take(j.Kind, p)
	c.progress = append(c.progress, id)
}

// Progress gives the newest figures of a job that has not ended, and false when none came yet.
func (f *Fleet) Progress(id fleet.JobID) (fleet.Progress, bool) { return f.Track(id).Progress() }

// Speed gives how many bytes a second a job reads, smoothed over SpeedWindow; 0 when nothing is known.
func (f *Fleet) Speed(id fleet.JobID) float64 {
	now, _ := f.Track(id).Speed()
	return now
}

// Track gives what is known of a job that runs, an empty one when nothing is.
func (f *Fleet) Track(id fleet.JobID) *Track {
	if t := f.running[id]; t != nil {
		return t
	}
	return &Track{}
}
