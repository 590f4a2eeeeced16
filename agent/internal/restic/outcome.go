package restic

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/plaintext"
)

// restic's exit codes.
const (
	exitOK            = 0
	exitCrash         = 2
	exitIncomplete    = 3
	exitNoRepository  = 10
	exitLocked        = 11
	exitWrongPassword = 12
	exitInterrupted   = 130
)

// Outcome tells how the run ended. It may be asked once all lines are in. The folder that a restore wrote to is not known
// here; the caller sets Summary.Restore.Target.
func (d *Decoder) Outcome(exit Exit) fleet.Outcome {
	out := fleet.Outcome{
		Unreadable: slices.Clone(d.unreadable), Errors: d.errors, Summary: d.finalSummary(),
		StartedAt: d.started.UTC(), FinishedAt: d.now().UTC(),
	}
	if exit.Signal == "" {
		code := exit.Code
		out.ExitCode = &code
	}
	v := d.verdict(exit, out.Summary)
	out.State, out.Reason, out.Message = v.state, v.reason, v.message
	return out
}

// Saved tells how a backup ended whose exit code nobody saw, when the repository holds its snapshot; the lines are those that are
// left of it. whole is false when restic's last words are not among them: errors may have been in what is lost.
func (d *Decoder) Saved(s fleet.Snapshot) (out fleet.Outcome, whole bool) {
	b := d.summary.Backup
	if whole = b != nil && b.SnapshotID == s.ID; !whole {
		b = &fleet.BackupSummary{SnapshotID: s.ID, TotalFilesProcessed: s.FilesProcessed, TotalBytesProcessed: s.BytesProcessed, DataAddedPacked: s.BytesAdded}
	}
	out = fleet.Outcome{Unreadable: slices.Clone(d.unreadable), Errors: d.errors, Summary: &fleet.Summary{Backup: b}}
	v := d.succeeded(out.Summary)
	out.State, out.Reason, out.Message = v.state, v.reason, v.message
	return out, whole
}

// verdict is how a run counts.
type verdict struct {
	state   fleet.JobState
	reason  fleet.Reason
	message string
}

func failed(r fleet.Reason, format string, args ...any) verdict {
	return verdict{fleet.StateFailed, r, fmt.Sprintf(format, args...)}
}

func (d *Decoder) verdict(exit Exit, s *fleet.Summary) verdict {
	if exit.Cancelled && d.endedByCancel(exit) {
		return verdict{fleet.StateCancelled, fleet.ReasonCancelled, d.cancelMessage(s)}
	}
	if exit.Signal != "" {
		if exit.GaveUp {
			return d.unreachable()
		}
		return failed(fleet.ReasonResticCrashed, "restic was ended by the signal %s, which Backstay did not send. If this host was short of memory, give it more; then start the job again.", plaintext.Field(exit.Signal))
	}
	switch exit.Code {
	case exitOK:
		return d.succeeded(s)
	case exitIncomplete:
		if d.kind == fleet.KindBackup {
			return d.incomplete(s)
		}
	case exitCrash:
		return failed(fleet.ReasonResticCrashed, "restic crashed. Look at the end of the log for the reason, and start the job again.")
	case exitNoRepository:
		return failed(fleet.ReasonNoRepository, "There is no repository at this place%s. Check its URL and that its disk is mounted; create it with an init job if it is new.", d.quote())
	case exitLocked:
		return failed(fleet.ReasonRepositoryLocked, "Another restic has the repository locked%s. Wait for it to end and start the job again; a lock whose process is gone is removed by an unlock job.", d.quote())
	case exitWrongPassword:
		return failed(fleet.ReasonWrongPassword, "The password that this host holds does not open the repository. Give this host the right password of the repository.")
	case exitInterrupted:
		if exit.GaveUp || len(d.retrying) > 0 {
			return d.unreachable()
		}
		return failed(fleet.ReasonResticCrashed, "restic was interrupted by a signal that Backstay did not send. Find out who stopped it on this host, and start the job again.")
	}
	if exit.GaveUp {
		return d.unreachable()
	}
	return d.explained(exit, s)
}

// endedByCancel tells whether the exit came of our asking. A run that was through, or that had failed of itself before the
// signal reached it, keeps its own truth. On Windows a terminated program ends with 1 or a large code.
func (d *Decoder) endedByCancel(exit Exit) bool {
	if exit.Signal != "" {
		return true
	}
	switch exit.Code {
	case exitOK, exitCrash, exitIncomplete, exitNoRepository, exitLocked, exitWrongPassword:
		return false
	}
	return true
}

func (d *Decoder) cancelMessage(s *fleet.Summary) string {
	switch d.kind {
	case fleet.KindBackup:
		if s != nil && s.Backup != nil && s.Backup.SnapshotID != "" {
			return "Cancelled, after the snapshot " + short(s.Backup.SnapshotID) + " had been saved. There is nothing to do."
		}
		return "Cancelled before a snapshot was saved. What was uploaded stays and the next backup uses it: start the backup again when it suits."
	case fleet.KindRestore:
		return "Cancelled. The restore's folder holds what was written until then: remove it, and start the restore again when it suits."
	}
	return "Cancelled. Start the job again when it suits."
}

func (d *Decoder) succeeded(s *fleet.Summary) verdict {
	v := verdict{state: fleet.StateSucceeded}
	switch d.kind {
	case fleet.KindBackup:
		if d.errors > 0 {
			return d.incomplete(s)
		}
	case fleet.KindRestore:
		return d.restored(s)
	case fleet.KindCheck:
		switch {
		case s != nil && s.Check != nil && s.Check.Errors > 0:
			return d.damaged(s)
		case s != nil && s.Check != nil && (s.Check.SuggestPrune || s.Check.SuggestRepairIndex):
			v.message = "The repository is sound, with some data in it twice or unused, which does no harm. A prune tidies it up."
		}
	case fleet.KindUnlock:
		v.message = "No stale lock was found. A lock that is in use is left alone."
		if d.removed != "" {
			v.message = "restic " + words(d.removed) + ". A lock that is in use is left alone."
		}
	}
	return v
}

// restored is a restore that restic calls well done. A path that the snapshot does not hold is no error to it.
func (d *Decoder) restored(s *fleet.Summary) verdict {
	const whole = "Give them whole, as they were when they were backed up."
	onlyMissing := d.errors == d.missing
	switch {
	case onlyMissing && s != nil && s.Restore != nil && s.Restore.FilesRestored == 0 && s.Restore.FilesSkipped == 0:
		return failed(fleet.ReasonSourceMissing, "Nothing was restored: the snapshot holds none of the paths that were asked for%s. %s", d.names(), whole)
	case d.errors == 0:
		return verdict{state: fleet.StateSucceeded}
	case onlyMissing:
		return verdict{fleet.StateWarning, fleet.ReasonSourceMissing, fmt.Sprintf("All was restored but %s that the snapshot does not hold%s. %s", counted(d.missing, "path"), d.names(), whole)}
	}
	return verdict{fleet.StateWarning, fleet.ReasonResticError, d.itemsMessage("could not be restored whole") + " Look at the log, and restore them anew."}
}

// incomplete is a backup that left something out, by restic's exit code or (0.18 with a missing path) by its words only.
func (d *Decoder) incomplete(s *fleet.Summary) verdict {
	saved := s != nil && s.Backup != nil && s.Backup.SnapshotID != ""
	switch {
	case !saved && d.missing > 0 && d.missing == d.errors:
		return failed(fleet.ReasonSourceMissing, "None of the paths to back up exists on this host%s. Check the paths, and that the disk they are on is mounted.", d.names())
	case !saved:
		return failed(fleet.ReasonSourceUnreadable, "No snapshot was saved: %s Mend their modes, or run the agent as root.", d.itemsMessage("could not be read"))
	case d.missing > 0 && d.missing == d.errors:
		return verdict{fleet.StateWarning, fleet.ReasonSourceUnreadable, fmt.Sprintf("The snapshot %s was saved without paths that do not exist on this host%s. Check the paths, and that the disk they are on is mounted.",
			short(s.Backup.SnapshotID), d.names())}
	}
	return verdict{fleet.StateWarning, fleet.ReasonSourceUnreadable, fmt.Sprintf("The snapshot %s was saved, but %s Let the agent's user read them, or exclude them from the backup.",
		short(s.Backup.SnapshotID), d.itemsMessage("could not be read"))}
}

func (d *Decoder) damaged(s *fleet.Summary) verdict {
	found := "errors"
	if s != nil && s.Check != nil && s.Check.Errors > 0 {
		found = counted(s.Check.Errors, "error")
		if n := len(s.Check.BrokenPacks); n > 0 {
			found += " and " + counted(int64(n), "damaged pack file")
		}
	}
	return failed(fleet.ReasonRepositoryDamaged, "The check found %s in the repository. Run no forget or prune on it, and repair it as the log and restic's troubleshooting guide say.", found)
}

// unreachable is a run that came to nothing because the repository did not answer, or answered with a refusal that restic took
// for a passing fault.
func (d *Decoder) unreachable() verdict {
	c, text, ok := d.evidence().first()
	if !ok {
		for _, op := range slices.Sorted(maps.Keys(d.retrying)) {
			text = d.retrying[op]
			break
		}
		c = cause{reason: fleet.ReasonRepositoryUnreachable, what: "The repository does not answer",
			next: "Check that its server runs and that this host reaches it over the network, then start the job again."}
	}
	return failed(c.reason, "%s%s. %s", c.what, quoted(text), c.next)
}

// evidence adds what restic still tried when it ended.
func (d *Decoder) evidence() *evidence {
	found := d.found
	for _, text := range d.retrying {
		found.see(inRetry, d.kind, text)
	}
	return &found
}

// explained is a run that failed with an exit code that does not say why.
func (d *Decoder) explained(exit Exit, s *fleet.Summary) verdict {
	c, text, ok := d.evidence().first()
	switch {
	case ok && c.reason == fleet.ReasonRepositoryDamaged && d.kind == fleet.KindCheck:
		return d.damaged(s)
	case ok && d.errors > 0 && d.kind == fleet.KindRestore:
		return failed(c.reason, "%s: %s %s", c.what, d.itemsMessage("could not be restored"), c.next)
	case ok:
		if c.reason == fleet.ReasonSourceMissing {
			return failed(c.reason, "%s%s. %s", c.what, d.names(), c.next)
		}
		return failed(c.reason, "%s%s. %s", c.what, quoted(text), c.next)
	case d.errors > 0 && d.kind == fleet.KindRestore:
		return failed(fleet.ReasonResticError, "%s Look at the log, and restore them anew.", d.itemsMessage("could not be restored"))
	case d.fatal != "":
		return failed(fleet.ReasonResticError, "restic ended with an error%s. Look at the log, mend the cause, and start the job again.", d.quote())
	}
	return failed(fleet.ReasonResticError, "restic ended with exit code %d and said nothing. Look at the log, and start the job again.", exit.Code)
}

func (d *Decoder) finalSummary() *fleet.Summary {
	s := d.summary
	switch d.kind {
	case fleet.KindSnapshots:
		s.Snapshots = d.snapshots.Count
	case fleet.KindCheck:
		if s.Check == nil && (d.problems > 0 || len(d.packs) > 0) {
			s.Check = &fleet.CheckSummary{Errors: max(d.problems, int64(len(d.packs))), BrokenPacks: slices.Clone(d.packs)}
		}
	case KindTest:
		var config struct {
			ID string `json:"id"`
		}
		if json.Unmarshal([]byte(d.config.String()), &config) == nil && hexID(config.ID) {
			s.Init = &fleet.InitSummary{ResticID: config.ID}
		}
	}
	if s == (fleet.Summary{}) {
		return nil
	}
	return &s
}

// quote gives restic's last words in brackets, with a space before, or nothing.
func (d *Decoder) quote() string { return quoted(d.fatal) }

func quoted(text string) string {
	if text = words(text); text == "" {
		return ""
	}
	return " (restic: " + text + ")"
}

// names gives the first items in brackets.
func (d *Decoder) names() string {
	const shown = 3
	if len(d.unreadable) == 0 {
		return ""
	}
	var list []string
	for _, item := range d.unreadable[:min(shown, len(d.unreadable))] {
		list = append(list, cutItem(item))
	}
	more := ""
	if rest := d.errors - int64(len(list)); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	return " (" + strings.Join(list, ", ") + more + ")"
}

// itemsMessage says how many items failed, which, and restic's reason for the first.
func (d *Decoder) itemsMessage(how string) string {
	if d.errors == 0 {
		return "something " + how + "."
	}
	why := words(d.firstError)
	if why != "" {
		why = ": " + why
	}
	return fmt.Sprintf("%s %s%s%s.", counted(d.errors, "item"), how, d.names(), why)
}

func cutItem(item string) string {
	const limit = 120
	if len(item) > limit { // the end of a path tells more than its beginning
		item = "…" + strings.ToValidUTF8(item[len(item)-limit:], "")
	}
	return plaintext.Field(item)
}

func counted(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func short(id fleet.SnapshotID) string { return plaintext.Field(string(id[:min(len(id), 8)])) }
