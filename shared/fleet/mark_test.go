package fleet

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func mark(id JobID, state JobState, minute int) BackupMark {
	return BackupMark{JobID: id, State: state, At: noon.Add(time.Duration(minute) * time.Minute)}
}

func ids(marks []BackupMark) (out []JobID) {
	for _, m := range marks {
		out = append(out, m.JobID)
	}
	return out
}

func TestNoteBackup(t *testing.T) {
	var h Host
	h.NoteBackup(mark("a", StateSucceeded, 1))
	h.NoteBackup(mark("c", StateLost, 3))
	h.NoteBackup(mark("b", StateFailed, 2)) // told late
	if !slices.Equal(ids(h.Backups), []JobID{"a", "b", "c"}) || h.LastBackup.JobID != "a" {
		t.Fatalf("%v, last %v", h.Backups, h.LastBackup)
	}
	before := h.Backups
	h.NoteBackup(mark("c", StateWarning, 1)) // the truth about a lost one
	if !slices.Equal(ids(h.Backups), []JobID{"a", "c", "b"}) || h.LastBackup.JobID != "c" || before[2].State != StateLost {
		t.Fatalf("%v, last %v, before %v", h.Backups, h.LastBackup, before)
	}
	h.NoteBackup(mark("z", StateSucceeded, -1)) // an old one, told very late
	if h.LastBackup.JobID != "c" {
		t.Fatalf("last %v", h.LastBackup)
	}
	for i := range 20 {
		h.NoteBackup(mark(JobID(fmt.Sprint("f", i)), StateFailed, 10+i))
	}
	if len(h.Backups) != MaxBackupMarks || h.Backups[0].JobID != "f6" || h.Backups[13].JobID != "f19" || h.LastBackup.JobID != "c" {
		t.Fatalf("%v, last %v", h.Backups, h.LastBackup)
	}
	if got := WithoutMark(h.Backups, "f7"); len(got) != 13 || slices.Contains(ids(got), "f7") || len(h.Backups) != MaxBackupMarks {
		t.Fatalf("%v", got)
	}
}

func TestMarkOf(t *testing.T) {
	finished := noon
	j := Job{ID: "a", Kind: KindBackup, State: StateSucceeded, CreatedAt: noon.Add(-time.Hour), UpdatedAt: noon.Add(time.Second), FinishedAt: &finished,
		Outcome: &Outcome{Summary: &Summary{Backup: &BackupSummary{TotalBytesProcessed: 7, DataAdded: 5, DataAddedPacked: 3}}}}
	if m, ok := MarkOf(j); !ok || m != (BackupMark{"a", StateSucceeded, noon, 7, 3}) {
		t.Fatalf("%v %v", m, ok)
	}
	for name, clock := range map[string]struct{ finished, want time.Time }{
		"a day fast": {noon.Add(24 * time.Hour), j.UpdatedAt},
		"a day slow": {noon.Add(-24 * time.Hour), j.CreatedAt},
	} {
		j.FinishedAt = &clock.finished
		if m, _ := MarkOf(j); !m.At.Equal(clock.want) {
			t.Errorf("%s: %v, want %v", name, m.At, clock.want)
		}
	}
	j.FinishedAt = nil
	if m, _ := MarkOf(j); !m.At.Equal(j.UpdatedAt) {
		t.Errorf("never said: %v", m.At)
	}
	j.State = StateUnknown
	if _, ok := MarkOf(j); ok {
		t.Error("a mark of a job that may run on")
	}
	j.State, j.Kind = StateFailed, KindCheck
	if _, ok := MarkOf(j); ok {
		t.Error("a mark of a check")
	}
}
