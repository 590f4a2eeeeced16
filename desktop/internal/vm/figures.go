package vm

import (
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
)

// Figures are the numbers of a job. Those that restic tells at the end only are zero while it runs: Final says that they hold.
type Figures struct {
	Known     bool // something can be shown at all
	Counted   bool // Percent, BytesTotal and FilesTotal say something
	Percent   float64
	BytesDone int64 // read
	BytesAll  int64
	FilesDone int64
	FilesAll  int64
	Errors    int64
	Elapsed   time.Duration // since restic was started
	Remaining time.Duration // 0: not known
	Speed     float64       // bytes read a second, over the last seconds; over the whole run once it ended
	Peak      float64       // 0: not known
	Retrying  bool          // the repository does not answer, and restic tries again
	Current   []string      // files that are being read

	Final   bool           // the job ended with restic's own figures
	Summary *fleet.Summary // the member of the job's kind is set
}

// Figures gives the numbers as of now.
func (v *Job) Figures(now time.Time) Figures {
	if v.have && v.row.State.Ended() {
		return v.finalFigures()
	}
	var f Figures
	p, ok := v.track.Progress()
	if !ok {
		if v.row.State == fleet.StateRunning && v.row.StartedAt != nil {
			f.Elapsed = max(now.Sub(*v.row.StartedAt)-v.skew(), 0)
		}
		return f
	}
	passed := v.passed(now)
	f = Figures{Known: p.BytesDone > 0 || p.FilesDone > 0 || p.Percent > 0, Counted: v.track.Counted(), Percent: p.Percent, BytesDone: p.BytesDone, BytesAll: p.BytesTotal,
		FilesDone: p.FilesDone, FilesAll: p.FilesTotal, Errors: p.Errors, Retrying: p.Phase == fleet.PhaseRetrying, Current: fields(p.CurrentFiles)}
	f.Speed, f.Peak = v.track.Speed()
	if v.row.State == fleet.StateRunning || v.row.State == fleet.StateUnknown {
		f.Elapsed = time.Duration(p.ElapsedMS)*time.Millisecond + passed
	}
	if p.RemainingMS > 0 && !f.Retrying {
		f.Remaining = max(time.Duration(p.RemainingMS)*time.Millisecond-passed, time.Second)
	}
	return f
}

// maxPassed is how long figures are taken to go on by themselves.
const maxPassed = 10 * time.Second

// passed is the time since the newest figures. While the connection is lost nothing is made up: figures stand as they were.
func (v *Job) passed(now time.Time) time.Duration {
	if v.taken.IsZero() || v.Stale() {
		return 0
	}
	return min(max(now.Sub(v.taken), 0), maxPassed)
}

// skew is how far the host's clock is ahead of the daemon's.
func (v *Job) skew() time.Duration {
	if h := v.m.Host(v.row.HostID); h != nil {
		return time.Duration(h.ClockSkewMS) * time.Millisecond
	}
	return 0
}

func (v *Job) finalFigures() Figures {
	p, seen := v.track.Progress()
	f := Figures{Known: seen && p.BytesDone > 0, Counted: v.track.Counted(), Percent: p.Percent, BytesDone: p.BytesDone, BytesAll: p.BytesTotal,
		FilesDone: p.FilesDone, FilesAll: p.FilesTotal, Errors: p.Errors}
	_, f.Peak = v.track.Speed()
	o := v.row.Outcome
	if o == nil {
		return f
	}
	f.Errors = o.Errors
	f.Elapsed = between(o.StartedAt, o.FinishedAt)
	if s := o.Summary; s != nil {
		f.summarize(s)
	}
	if f.Elapsed > 0 {
		f.Speed = float64(f.BytesDone) / f.Elapsed.Seconds()
	}
	f.Peak = max(f.Peak, f.Speed)
	return f
}

// summarize takes restic's last figures.
func (f *Figures) summarize(s *fleet.Summary) {
	f.Final, f.Summary = true, s
	switch {
	case s.Backup != nil:
		f.Known, f.Counted, f.Percent = true, true, 1
		f.FilesDone, f.FilesAll = s.Backup.TotalFilesProcessed, s.Backup.TotalFilesProcessed
		f.BytesDone, f.BytesAll = s.Backup.TotalBytesProcessed, s.Backup.TotalBytesProcessed
		f.Elapsed = orElse(time.Duration(s.Backup.DurationMS)*time.Millisecond, f.Elapsed)
	case s.Restore != nil:
		f.Known, f.Counted = true, true
		f.FilesDone, f.FilesAll = s.Restore.FilesRestored+s.Restore.FilesSkipped, s.Restore.TotalFiles
		f.BytesDone, f.BytesAll = s.Restore.BytesRestored, s.Restore.TotalBytes
		f.Percent = share(f.BytesDone, f.BytesAll)
		f.Elapsed = orElse(time.Duration(s.Restore.DurationMS)*time.Millisecond, f.Elapsed)
	}
}

func orElse(d, other time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return other
}

// share is part of all, 1 when there is nothing to have a part of.
func share(part, all int64) float64 {
	if all <= 0 {
		return 1
	}
	return min(max(float64(part)/float64(all), 0), 1)
}

// between is the time from a to b, 0 when one of them is not known or the clocks disagree.
func between(a, b time.Time) time.Duration {
	if a.IsZero() || b.IsZero() {
		return 0
	}
	return max(b.Sub(a), 0)
}

// Throughput gives bytes read a second, for each of the last seconds, oldest first; at most five minutes. Each is smoothed over the
// seconds around it, as the speed is: what was before the page was opened is known every five seconds only.
func (v *Job) Throughput() []float64 {
	return smooth(v.series.whole(), int(model.SpeedWindow/time.Second))
}
