package fleet

import "time"

// JobKind says what a job does.
type JobKind string

// The kinds of jobs.
const (
	KindInit      JobKind = "init"      // create the repository
	KindBackup    JobKind = "backup"    // save paths as a new snapshot
	KindSnapshots JobKind = "snapshots" // list the repository's snapshots
	KindCheck     JobKind = "check"     // verify the repository
	KindUnlock    JobKind = "unlock"    // remove stale locks (never locks in use)
	KindRestore   JobKind = "restore"   // write files of a snapshot into a fresh folder
)

// JobKinds lists every kind.
var JobKinds = [...]JobKind{KindInit, KindBackup, KindSnapshots, KindCheck, KindUnlock, KindRestore}

// Valid tells whether k is one of JobKinds.
func (k JobKind) Valid() bool {
	for _, v := range JobKinds {
		if v == k {
			return true
		}
	}
	return false
}

// JobSpec is all that an agent is told to do: typed, no argument vector, no environment. Exactly the member that belongs to
// Kind is set (Backup, Restore, Check); Init, Snapshots and Unlock need none.
type JobSpec struct {
	JobID      JobID          `json:"job_id"`
	Kind       JobKind        `json:"kind"`
	PlanID     PlanID         `json:"plan_id,omitempty"`
	Repository RepositorySpec `json:"repository"`
	Backup     *BackupSpec    `json:"backup,omitempty"`
	Restore    *RestoreSpec   `json:"restore,omitempty"`
	Check      *CheckSpec     `json:"check,omitempty"`
	CreatedAt  time.Time      `json:"created_at"`
}

// BackupSpec is what a backup saves. Paths are absolute paths of the host.
type BackupSpec struct {
	Paths         []string `json:"paths"`
	Excludes      []string `json:"excludes,omitempty"` // restic exclude patterns
	Tags          []string `json:"tags,omitempty"`     // further tags; job:<id> is always set, plan:<id> when there is a plan
	ExcludeCaches bool     `json:"exclude_caches,omitempty"`
	OneFileSystem bool     `json:"one_file_system,omitempty"`
	Verbose       bool     `json:"verbose,omitempty"` // restic -vv: a log line for each file
}

// RestoreSpec is what a restore writes, and where: a fresh folder below the host's restore root, so nothing is overwritten.
type RestoreSpec struct {
	SnapshotID SnapshotID `json:"snapshot_id"`
	Includes   []string   `json:"includes,omitempty"` // paths inside the snapshot; none means all
	Folder     string     `json:"folder,omitempty"`   // name of the fresh folder below the restore root; the job's id when empty
}

// CheckSpec says how thoroughly a check looks.
type CheckSpec struct {
	// ReadData is "" (structure only), "all", "N/M" or "P%": how much pack data is read.
	ReadData string `json:"read_data,omitempty"`
}

// Job is one run of one kind on one host.
type Job struct {
	ID              JobID        `json:"id"`
	HostID          HostID       `json:"host_id"`
	Kind            JobKind      `json:"kind"`
	PlanID          PlanID       `json:"plan_id,omitempty"`
	RepositoryID    RepositoryID `json:"repository_id"`
	State           JobState     `json:"state"`
	CancelRequested bool         `json:"cancel_requested"`
	Outcome         *Outcome     `json:"outcome,omitempty"` // once ended
	CreatedBy       string       `json:"created_by"`        // user name, or ScheduleUser
	CreatedAt       time.Time    `json:"created_at"`
	StartedAt       *time.Time   `json:"started_at,omitempty"` // when restic was started, by the host's clock
	FinishedAt      *time.Time   `json:"finished_at,omitempty"`
	UpdatedAt       time.Time    `json:"updated_at"`
	Log             LogPosition  `json:"log"` // as the daemon has it on disk
	LogSealed       bool         `json:"log_sealed"`
	Spec            JobSpec      `json:"spec"`
	Rev             int64        `json:"rev"`
}

// Reason says why a job is in its state; stable words for scripts.
type Reason string

// The reasons of outcomes.
const (
	ReasonNone                  Reason = ""
	ReasonCancelled             Reason = "cancelled"
	ReasonSourceUnreadable      Reason = "source_unreadable"  // exit 3 with a snapshot
	ReasonSourceMissing         Reason = "source_missing"     // no given path exists, on the host or in the snapshot
	ReasonWrongPassword         Reason = "wrong_password"     // exit 12
	ReasonNoRepository          Reason = "no_repository"      // exit 10
	ReasonRepositoryLocked      Reason = "repository_locked"  // exit 11
	ReasonRepositoryExists      Reason = "repository_exists"  // init on a repository that is there
	ReasonRepositoryDamaged     Reason = "repository_damaged" // check found errors
	ReasonRepositoryUnreachable Reason = "repository_unreachable"
	ReasonRepositoryDenied      Reason = "repository_denied" // credentials of the backend refused
	ReasonRepositoryFull        Reason = "repository_full"
	ReasonUnknownSnapshot       Reason = "unknown_snapshot"
	ReasonNoSecret              Reason = "no_secret"    // this host holds no password for the repository
	ReasonSecretStore           Reason = "secret_store" // the OS keyring or sealed file failed
	ReasonResticMissing         Reason = "restic_missing"
	ReasonResticTooOld          Reason = "restic_too_old"
	ReasonResticCrashed         Reason = "restic_crashed" // exit 2 or a signal that nobody asked for
	ReasonResticError           Reason = "restic_error"   // any other non-zero exit
	ReasonPolicyDenied          Reason = "policy_denied"  // the host's own policy file forbids it
	ReasonInvalidJob            Reason = "invalid_job"
	ReasonDiskFull              Reason = "disk_full" // on the host
	ReasonHostDown              Reason = "host_down" // the host restarted while the job ran: interrupted, or a backup that had saved its snapshot
	ReasonShimDied              Reason = "shim_died" // the job's own process ended without a word: the same
	ReasonExpired               Reason = "expired"   // not delivered within its time to start
	ReasonContactLost           Reason = "contact_lost"
	ReasonJobForgotten          Reason = "job_forgotten" // lost: the agent came back without it
	ReasonRejected              Reason = "rejected"      // the agent refused the command
)

// Outcome is how a job ended.
type Outcome struct {
	State      JobState  `json:"state"`
	Reason     Reason    `json:"reason,omitempty"`
	Message    string    `json:"message,omitempty"`    // for a person, ends with the next step
	ExitCode   *int      `json:"exit_code,omitempty"`  // restic's own
	Summary    *Summary  `json:"summary,omitempty"`    // restic's own figures
	Unreadable []string  `json:"unreadable,omitempty"` // items that could not be read (backup) or written (restore), at most MaxUnreadable
	Errors     int64     `json:"errors,omitempty"`     // error items counted, also beyond MaxUnreadable
	StartedAt  time.Time `json:"started_at,omitzero"`  // when restic was started, host's clock; zero: it never was
	FinishedAt time.Time `json:"finished_at"`
}

// MaxUnreadable bounds Outcome.Unreadable; the log has them all.
const MaxUnreadable = 200

// Summary holds restic's final figures; the member of the job's kind is set.
type Summary struct {
	Backup    *BackupSummary  `json:"backup,omitempty"`
	Restore   *RestoreSummary `json:"restore,omitempty"`
	Check     *CheckSummary   `json:"check,omitempty"`
	Init      *InitSummary    `json:"init,omitempty"`
	Snapshots int64           `json:"snapshots,omitempty"` // how many a snapshots job listed
}

// BackupSummary is restic's "summary" message of backup --json. Sizes are bytes.
type BackupSummary struct {
	SnapshotID          SnapshotID `json:"snapshot_id,omitempty"` // empty when restic saved none
	FilesNew            int64      `json:"files_new"`
	FilesChanged        int64      `json:"files_changed"`
	FilesUnmodified     int64      `json:"files_unmodified"`
	DirsNew             int64      `json:"dirs_new"`
	DirsChanged         int64      `json:"dirs_changed"`
	DirsUnmodified      int64      `json:"dirs_unmodified"`
	DataBlobs           int64      `json:"data_blobs"`
	TreeBlobs           int64      `json:"tree_blobs"`
	DataAdded           int64      `json:"data_added"`
	DataAddedPacked     int64      `json:"data_added_packed"`
	TotalFilesProcessed int64      `json:"total_files_processed"`
	TotalBytesProcessed int64      `json:"total_bytes_processed"`
	DurationMS          int64      `json:"duration_ms"`
}

// RestoreSummary is restic's "summary" message of restore --json, and the folder that was written.
type RestoreSummary struct {
	Target        string `json:"target"` // absolute folder on the host
	TotalFiles    int64  `json:"total_files"`
	FilesRestored int64  `json:"files_restored"`
	FilesSkipped  int64  `json:"files_skipped"`
	TotalBytes    int64  `json:"total_bytes"`
	BytesRestored int64  `json:"bytes_restored"`
	DurationMS    int64  `json:"duration_ms"`
}

// CheckSummary is restic's "summary" message of check --json.
type CheckSummary struct {
	Errors             int64    `json:"errors"`
	BrokenPacks        []string `json:"broken_packs,omitempty"`
	SuggestRepairIndex bool     `json:"suggest_repair_index,omitempty"`
	SuggestPrune       bool     `json:"suggest_prune,omitempty"`
}

// InitSummary is restic's "initialized" message.
type InitSummary struct {
	ResticID string `json:"restic_id"` // restic's own id of the repository
}

// Phase says what a running job is doing, beyond restic's figures.
type Phase string

// The phases.
const (
	PhaseWaiting   Phase = "waiting"  // for the repository to be free on this host
	PhaseStarting  Phase = "starting" // restic runs and has said nothing yet
	PhaseScanning  Phase = "scanning" // totals still grow
	PhaseReading   Phase = "reading"
	PhaseRetrying  Phase = "retrying" // the repository does not answer; restic tries again
	PhaseStopping  Phase = "stopping" // a cancel is being carried out
	PhaseUnlocking Phase = "unlocking"
)

// Progress is the latest known progress of a running job; only the newest counts. restic counts bytes read, not uploaded.
type Progress struct {
	Phase        Phase     `json:"phase"`
	Percent      float64   `json:"percent"` // 0..1; restic's percent_done
	FilesDone    int64     `json:"files_done"`
	FilesTotal   int64     `json:"files_total"`
	BytesDone    int64     `json:"bytes_done"`
	BytesTotal   int64     `json:"bytes_total"`
	Errors       int64     `json:"errors,omitempty"`
	ElapsedMS    int64     `json:"elapsed_ms"`
	RemainingMS  int64     `json:"remaining_ms,omitempty"`
	CurrentFiles []string  `json:"current_files,omitempty"`
	At           time.Time `json:"at"` // host's clock
}

// ProgressPoint is how far a job was at a time: of two of them, how fast it was between.
type ProgressPoint struct {
	At        time.Time `json:"at"` // host's clock
	BytesDone int64     `json:"bytes_done"`
}
