package cli

import (
	"fmt"
	"strings"

	"github.com/backstay/backstay/shared/fleet"
)

// brief is a job's result in a few words, for a table.
func brief(j fleet.Job) string {
	o := j.Outcome
	switch {
	case o == nil:
		return ""
	case o.Summary != nil && o.Summary.Backup != nil && o.Summary.Backup.SnapshotID != "":
		s := size(o.Summary.Backup.DataAdded) + " added, snapshot " + short(o.Summary.Backup.SnapshotID)
		if o.Errors > 0 {
			s += ", " + items(o.Errors, "error", "errors")
		}
		return s
	case o.State == fleet.StateSucceeded:
		return ""
	case o.Reason != "":
		return strings.ReplaceAll(show(o.Reason), "_", " ")
	}
	return show(o.Message)
}

// short is a snapshot's id as restic shows it.
func short(id fleet.SnapshotID) string { return show(id[:min(8, len(id))]) }

// outcomeLines tell how a job ended, for a person.
func outcomeLines(j fleet.Job) []string {
	o := j.Outcome
	if o == nil {
		return []string{headline(j, "")}
	}
	var lines []string
	took := ""
	if d := o.FinishedAt.Sub(o.StartedAt); !o.StartedAt.IsZero() && d >= 0 {
		took = " in " + span(d)
	}
	lines = append(lines, headline(j, took))
	if s := summaryLine(o.Summary); s != "" {
		lines = append(lines, "  "+s)
	}
	how := "read"
	if j.Kind == fleet.KindRestore {
		how = "restored"
	}
	for i, item := range o.Unreadable {
		if i == shownUnreadable {
			lines = append(lines, "  … and more: "+items(o.Errors, "error", "errors")+" in all, each in the log")
			break
		}
		lines = append(lines, "  could not be "+how+": "+show(item))
	}
	if o.Message != "" {
		lines = append(lines, "  "+show(o.Message))
	}
	if o.ExitCode != nil && *o.ExitCode != 0 {
		lines = append(lines, fmt.Sprintf("  restic's exit code: %d", *o.ExitCode))
	}
	return lines
}

func headline(j fleet.Job, took string) string {
	what := strings.ToUpper(show(j.Kind)[:1]) + show(j.Kind)[1:]
	switch j.State {
	case fleet.StateSucceeded:
		return what + " succeeded" + took + "."
	case fleet.StateWarning:
		if j.Kind == fleet.KindRestore {
			return what + " ended with a warning" + took + ": some items could not be restored; all others are."
		}
		return what + " ended with a warning" + took + ": some source files could not be read; all others are saved."
	case fleet.StateCancelled:
		return what + " was cancelled" + took + "."
	case fleet.StateInterrupt:
		return what + " was interrupted: its host or its process went down."
	case fleet.StateUnknown:
		return what + ": contact with its host is lost. It may well be running; what it did is known when the host is back."
	case fleet.StateLost:
		return what + " is lost: its agent came back and does not know it."
	}
	reason := ""
	if j.Outcome != nil && j.Outcome.Reason != "" {
		reason = ": " + strings.ReplaceAll(show(j.Outcome.Reason), "_", " ")
	}
	return what + " failed" + took + reason + "."
}

// summaryLine is restic's figures on one line.
func summaryLine(s *fleet.Summary) string {
	switch {
	case s == nil:
		return ""
	case s.Backup != nil:
		return backupFigures(*s.Backup)
	case s.Restore != nil:
		r := s.Restore
		return fmt.Sprintf("%s restored, %s, into %s", restoredItems(r.FilesRestored, r.TotalFiles), size(r.BytesRestored), show(r.Target))
	case s.Check != nil && s.Check.Errors > 0:
		return items(s.Check.Errors, "error was", "errors were") + " found" + packs(s.Check.BrokenPacks)
	case s.Check != nil:
		return "no errors were found"
	case s.Init != nil:
		return "repository " + short(fleet.SnapshotID(s.Init.ResticID)) + " was created"
	case s.Snapshots > 0:
		return items(s.Snapshots, "snapshot", "snapshots") + " listed"
	}
	return ""
}

// restoredItems leaves the total out where restic counts less of it: the folders above an include are restored and not in it.
func restoredItems(done, total int64) string {
	if done >= total {
		return items(done, "item", "items")
	}
	return count(done) + " of " + items(total, "item", "items")
}

func packs(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ", " + items(int64(len(ids)), "pack is", "packs are") + " broken"
}

func backupFigures(b fleet.BackupSummary) string {
	s := fmt.Sprintf("files: %s new, %s changed, %s unchanged; %s read, %s added (%s stored)", count(b.FilesNew), count(b.FilesChanged), count(b.FilesUnmodified),
		size(b.TotalBytesProcessed), size(b.DataAdded), size(b.DataAddedPacked))
	if b.SnapshotID != "" {
		s += "; snapshot " + short(b.SnapshotID)
	}
	return s
}
