package fleet

import (
	"slices"
	"time"
)

// BackupMark is the end of one backup, as short as a list of many hosts can carry it.
type BackupMark struct {
	JobID JobID     `json:"job_id"`
	State JobState  `json:"state"`
	At    time.Time `json:"at"`    // Job.EndedAt
	Bytes int64     `json:"bytes"` // restic's total_bytes_processed; 0 when nothing was saved
	Added int64     `json:"added"` // restic's data_added_packed
}

// MaxBackupMarks is how many marks a host keeps.
const MaxBackupMarks = 14

// MarkOf is the mark of a backup that has ended, false for any other job.
func MarkOf(j Job) (BackupMark, bool) {
	if j.Kind != KindBackup || !j.State.Ended() {
		return BackupMark{}, false
	}
	m := BackupMark{JobID: j.ID, State: j.State, At: j.EndedAt()}
	if o := j.Outcome; o != nil && o.Summary != nil && o.Summary.Backup != nil {
		m.Bytes, m.Added = o.Summary.Backup.TotalBytesProcessed, o.Summary.Backup.DataAddedPacked
	}
	return m, true
}

// JobMark is the end of a job.
type JobMark struct {
	JobID  JobID     `json:"job_id"`
	HostID HostID    `json:"host_id"`
	State  JobState  `json:"state"`
	Reason Reason    `json:"reason,omitempty"`
	At     time.Time `json:"at"` // Job.EndedAt
}

// JobMarkOf is the mark of an ended job.
func JobMarkOf(j Job) JobMark {
	m := JobMark{JobID: j.ID, HostID: j.HostID, State: j.State, At: j.EndedAt()}
	if j.Outcome != nil {
		m.Reason = j.Outcome.Reason
	}
	return m
}

// After tells whether m is to stand in the place of old: it is newer, or what is known now of the same job.
func (m JobMark) After(old *JobMark) bool {
	return old == nil || old.JobID == m.JobID || !m.At.Before(old.At)
}

// Saved tells whether the backup left a snapshot.
func (m BackupMark) Saved() bool { return m.State == StateSucceeded || m.State == StateWarning }

// WithMark gives a new list, in the order of time and at most MaxBackupMarks long, in which m stands in place of what was said
// of its job before.
func WithMark(marks []BackupMark, m BackupMark) []BackupMark {
	out := append(WithoutMark(marks, m.JobID), m)
	slices.SortStableFunc(out, func(a, b BackupMark) int { return a.At.Compare(b.At) })
	return out[max(0, len(out)-MaxBackupMarks):]
}

// WithoutMark gives a new list without the mark of a job.
func WithoutMark(marks []BackupMark, job JobID) []BackupMark {
	out := make([]BackupMark, 0, len(marks)+1)
	for _, m := range marks {
		if m.JobID != job {
			out = append(out, m)
		}
	}
	return out
}

// EndedAt is when an ended job ended: by its host's clock, but never outside the time for which the daemon knew it as open, so
// that a clock which is off shifts no backup to another day.
func (j Job) EndedAt() time.Time {
	at := j.UpdatedAt
	if j.FinishedAt != nil {
		at = *j.FinishedAt
	}
	if at.Before(j.CreatedAt) {
		at = j.CreatedAt
	}
	if at.After(j.UpdatedAt) {
		at = j.UpdatedAt
	}
	return at
}
