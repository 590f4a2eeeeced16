package vm

import (
	"slices"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/fleet"
)

// NextStep is the one thing that helps after a job ended as it did; the page has a button for it.
type NextStep string

// The next steps.
const (
	NextNone        NextStep = ""
	NextBrowse      NextStep = "browse"       // see the snapshot
	NextShowFiles   NextStep = "show-files"   // the files that could not be read
	NextRunAgain    NextStep = "run-again"    //
	NextGiveSecret  NextStep = "give-secret"  // give the host the repository's password
	NextUnlock      NextStep = "unlock"       // remove stale locks of the repository
	NextInit        NextStep = "init"         // create the repository
	NextCheckAccess NextStep = "check-access" // test the repository from this host
	NextRepository  NextStep = "repository"   // see the repository
	NextPlan        NextStep = "plan"         // mend the plan's paths
	NextHost        NextStep = "host"         // see the host: restic, its disk, its policy
)

var nextSteps = map[fleet.Reason]NextStep{
	fleet.ReasonSourceUnreadable: NextShowFiles, fleet.ReasonSourceMissing: NextPlan, fleet.ReasonWrongPassword: NextGiveSecret, fleet.ReasonNoSecret: NextGiveSecret,
	fleet.ReasonSecretStore: NextHost, fleet.ReasonNoRepository: NextInit, fleet.ReasonRepositoryLocked: NextUnlock, fleet.ReasonRepositoryExists: NextRepository,
	fleet.ReasonRepositoryDamaged: NextRepository, fleet.ReasonRepositoryUnreachable: NextCheckAccess, fleet.ReasonRepositoryDenied: NextCheckAccess,
	fleet.ReasonRepositoryFull: NextRepository, fleet.ReasonUnknownSnapshot: NextRepository, fleet.ReasonResticMissing: NextHost, fleet.ReasonResticTooOld: NextHost,
	fleet.ReasonPolicyDenied: NextHost, fleet.ReasonDiskFull: NextHost, fleet.ReasonInvalidJob: NextPlan,
}

// Verdict is what the panel of an ended job says. The sentence is the agent's: it says what happened and what to do.
type Verdict struct {
	State       fleet.JobState
	Reason      fleet.Reason
	Message     string // may be empty where all is well
	ExitCode    *int   // restic's
	Next        NextStep
	SnapshotID  fleet.SnapshotID // that this job saved; "": none
	Unreadable  []string         // items that could not be read or written, the first of them
	ItemErrors  int64            // how many there were in all
	Backup      bool             // LastGood tells something
	LastGood    *model.Mark      // the newest backup of the host before this one that saved a snapshot; nil: none is known
	RestoredTo  string           // folder on the host; "": this was no restore
	LogComplete bool             // the log was stored whole
}

// Verdict gives what to say of an ended job, and false while it has not ended.
func (v *Job) Verdict() (Verdict, bool) {
	if !v.have || !v.row.State.Ended() {
		return Verdict{}, false
	}
	j := &v.row
	w := Verdict{State: j.State, Backup: j.Kind == fleet.KindBackup, LogComplete: j.LogSealed}
	if o := j.Outcome; o != nil {
		code := o.ExitCode
		w.Reason, w.Message, w.ExitCode, w.ItemErrors, w.Unreadable = o.Reason, field(o.Message), code, o.Errors, fields(o.Unreadable)
		if s := o.Summary; s != nil && s.Backup != nil {
			w.SnapshotID = fleet.SnapshotID(field(string(s.Backup.SnapshotID)))
		}
		if s := o.Summary; s != nil && s.Restore != nil {
			w.RestoredTo = field(s.Restore.Target)
		}
	}
	w.Next = nextStep(j, &w)
	if w.Backup {
		w.LastGood = lastGood(v.m.Marks(j.HostID), j)
	}
	return w, true
}

func nextStep(j *fleet.Job, w *Verdict) NextStep {
	switch {
	case j.State == fleet.StateSucceeded && w.SnapshotID != "":
		return NextBrowse
	case j.State == fleet.StateSucceeded:
		return NextNone
	case j.State == fleet.StateWarning && len(w.Unreadable) > 0:
		return NextShowFiles
	}
	next, known := nextSteps[w.Reason]
	switch {
	case !known, next == NextPlan && j.PlanID == "", next == NextShowFiles && len(w.Unreadable) == 0:
		return NextRunAgain
	}
	return next
}

// lastGood gives the newest mark of a backup with a snapshot before job j.
func lastGood(marks []model.Mark, j *fleet.Job) *model.Mark {
	for _, m := range slices.Backward(marks) {
		if m.JobID != j.ID && m.Saved() && m.At.Before(endOf(j)) {
			return &m
		}
	}
	return nil
}

func endOf(j *fleet.Job) time.Time {
	if j.FinishedAt != nil {
		return *j.FinishedAt
	}
	return j.UpdatedAt
}

// Hold says what a job that has not ended waits for, or suffers from.
type Hold string

// The holds.
const (
	HoldNone        Hold = ""
	HoldHost        Hold = "host"        // the host is not connected
	HoldDelivery    Hold = "delivery"    // the host is connected, and takes the job any moment
	HoldRepository  Hold = "repository"  // another job of the host has the repository
	HoldRetrying    Hold = "retrying"    // the repository does not answer, restic tries again
	HoldStopping    Hold = "stopping"    // a cancel is being carried out
	HoldUnlocking   Hold = "unlocking"   // the lock of a killed restic is being removed
	HoldContactLost Hold = "contactless" // the agent is not heard; the job may well run on
)

// Hold gives it, and for HoldRepository the job that is in front, where it is known.
func (v *Job) Hold() (Hold, *fleet.Job) {
	p, _ := v.track.Progress()
	switch state := v.row.State; {
	case !v.have || state.Ended():
		return HoldNone, nil
	case state == fleet.StateUnknown:
		return HoldContactLost, nil
	case state == fleet.StateQueued || state == fleet.StateDispatched:
		if h := v.m.Host(v.row.HostID); h != nil && !h.Online {
			return HoldHost, nil
		}
		return HoldDelivery, nil
	case p.Phase == fleet.PhaseUnlocking:
		return HoldUnlocking, nil
	case v.row.CancelRequested || p.Phase == fleet.PhaseStopping:
		return HoldStopping, nil
	case state == fleet.StateAccepted:
		return HoldRepository, v.inFront()
	case p.Phase == fleet.PhaseRetrying:
		return HoldRetrying, nil
	}
	return HoldNone, nil
}

// inFront gives the job that runs on the same host with the same repository.
func (v *Job) inFront() *fleet.Job {
	for j := range v.m.JobsOf(v.row.HostID) {
		if j.ID != v.row.ID && j.RepositoryID == v.row.RepositoryID && j.State == fleet.StateRunning {
			return j
		}
	}
	return nil
}
