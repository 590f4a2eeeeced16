package api_test

import (
	"encoding/json"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// form is a request, an answer or an event with every field set.
type form struct {
	name  string
	value any
	back  func([]byte) (any, error)
}

func of[T any](name string, v T) form {
	return form{name, v, func(b []byte) (any, error) {
		var out T
		err := json.Unmarshal(b, &out)
		return out, err
	}}
}

var (
	at    = time.Date(2026, 11, 23, 15, 13, 47, 884289000, time.UTC)
	later = at.Add(90 * time.Second)
)

const (
	hostID       = fleet.HostID("01JDB0000000000000000000H1")
	repositoryID = fleet.RepositoryID("01JDB0000000000000000000R1")
	planID       = fleet.PlanID("01JDB0000000000000000000P1")
	jobID        = fleet.JobID("01JDB0000000000000000000J1")
	snapshotID   = fleet.SnapshotID("84438618566c43462e0d7dba4450863060715c5f1926a9bfbd59e109690c00c2")
	url          = "rest:https://backup.example.org:8000/web1/"
	pemText      = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
)

func options() map[string]string { return map[string]string{"rest.connections": "9"} }

func backupSpec() fleet.BackupSpec {
	return fleet.BackupSpec{Paths: []string{"/etc"}, Excludes: []string{"*.tmp"}, Tags: []string{"daily"}, ExcludeCaches: true, OneFileSystem: true, Verbose: true}
}

func host() fleet.Host {
	mark := fleet.BackupMark{JobID: jobID, State: fleet.StateWarning, At: later, Bytes: 181200006, Added: 181229547}
	return fleet.Host{ID: hostID, Name: "web1", AgentID: "01JDB0000000000000000000A1", Hostname: "web1.example.org", OS: "linux", Arch: "amd64", AgentVersion: "1.0.0", ResticVersion: "0.19.1",
		SecretStore: fleet.SecretsSealedFile, Secrets: []fleet.RepositoryID{repositoryID}, SealingKey: "age1zzzz", RestoreRoot: "/var/lib/backstay-agent/restore", Online: true, ClockSkewMS: -120,
		EnrolledAt: at, LastSeenAt: &later, RevokedAt: &later, ClonedAt: &later, LastJobID: jobID, Backups: []fleet.BackupMark{mark}, LastBackup: &mark, Rev: 7}
}

func repository() fleet.Repository {
	return fleet.Repository{ID: repositoryID, Name: "offsite", URL: url, CACert: pemText, Options: options(), CreatedAt: at, Rev: 9,
		SnapshotCount: 1284, ListedAt: &later, LastBackup: jobMark(), LastCheck: jobMark()}
}

func jobMark() *fleet.JobMark {
	return &fleet.JobMark{JobID: jobID, HostID: hostID, State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, At: later}
}

func plan() fleet.Plan {
	return fleet.Plan{ID: planID, Name: "etc", RepositoryID: repositoryID, Hosts: []fleet.HostID{hostID}, Backup: backupSpec(), Schedule: schedule(), CreatedAt: at, Rev: 8}
}

// schedule has the members of both kinds, which no real one has, so that each field's form is held.
func schedule() *fleet.Schedule {
	return &fleet.Schedule{Cron: "30 2 * * 1-5", TimeZone: "Europe/Berlin", EveryMS: 21600000, Start: at, SplayMS: 600000, Paused: true}
}

// job has the members of all kinds, which no real job has, so that each field's form is held.
func job() fleet.Job {
	code, backup := 3, backupSpec()
	return fleet.Job{ID: jobID, HostID: hostID, Kind: fleet.KindBackup, PlanID: planID, RepositoryID: repositoryID, State: fleet.StateWarning, CancelRequested: true, CreatedBy: "op",
		CreatedAt: at, StartedAt: &at, FinishedAt: &later, UpdatedAt: later, Log: fleet.LogPosition{LastSeq: 45, Bytes: 4711, CRC32C: 3808858755}, LogSealed: true, Rev: 11,
		Outcome: &fleet.Outcome{State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, Message: "The snapshot 84438618 was saved, but 1 item could not be read. Exclude it.", ExitCode: &code,
			Unreadable: []string{"/etc/shadow"}, Errors: 1, StartedAt: at, FinishedAt: later, Summary: summary()},
		Spec: fleet.JobSpec{JobID: jobID, Kind: fleet.KindBackup, PlanID: planID, Repository: fleet.RepositorySpec{ID: repositoryID, URL: url, CACert: pemText, Options: options()}, Backup: &backup,
			Restore: &fleet.RestoreSpec{SnapshotID: snapshotID, Includes: []string{"/etc/hosts"}, Folder: "rescue"}, Check: &fleet.CheckSpec{ReadData: "5%"}, CreatedAt: at}}
}

func summary() *fleet.Summary {
	return &fleet.Summary{Snapshots: 7,
		Backup: &fleet.BackupSummary{SnapshotID: snapshotID, FilesNew: 1, FilesChanged: 2, FilesUnmodified: 3, DirsNew: 4, DirsChanged: 5, DirsUnmodified: 6, DataBlobs: 7, TreeBlobs: 8,
			DataAdded: 9, DataAddedPacked: 10, TotalFilesProcessed: 11, TotalBytesProcessed: 12, DurationMS: 13},
		Restore: &fleet.RestoreSummary{Target: "/var/lib/backstay-agent/restore/rescue", TotalFiles: 1, FilesRestored: 2, FilesSkipped: 3, TotalBytes: 4, BytesRestored: 5, DurationMS: 6},
		Check:   &fleet.CheckSummary{Errors: 1, BrokenPacks: []string{"e44fd3e2"}, SuggestRepairIndex: true, SuggestPrune: true},
		Init:    &fleet.InitSummary{ResticID: "469785262ee2613a00b916349f97ab480bfc294c7c62a5e6c30c3dbccb4017f1"}}
}

func progress() fleet.Progress {
	return fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.25, FilesDone: 1, FilesTotal: 4, BytesDone: 25, BytesTotal: 100, Errors: 1, ElapsedMS: 1500, RemainingMS: 4500, CurrentFiles: []string{"/etc/hosts"}, At: later}
}

func snapshot() fleet.Snapshot {
	return fleet.Snapshot{ID: snapshotID, RepositoryID: repositoryID, Time: at, Hostname: "web1", Username: "root", Paths: []string{"/etc"}, Tags: []string{"job:" + string(jobID)},
		Parent: "0d14770cd9e0b1501e4895c8eb224918dee60e49e9399fec650094e476b387e5", ProgramVersion: "restic 0.19.1", JobID: jobID, PlanID: planID, HostID: hostID, FilesProcessed: 64, BytesProcessed: 181200006, BytesAdded: 181229547}
}

func counts() api.BackupCounts {
	return api.BackupCounts{Succeeded: 1893, Warning: 41, Failed: 12, Cancelled: 3, BytesAdded: 61847529062}
}

func scheduleRequest() *api.ScheduleRequest {
	splay := int64(600000)
	return &api.ScheduleRequest{Cron: "30 2 * * 1-5", TimeZone: "Europe/Berlin", EveryMS: 21600000, Start: &at, SplayMS: &splay, Paused: true}
}

func page[T any](v T) api.Page[T] { return api.Page[T]{Items: []T{v}, Next: "01JDB"} }

// forms holds every form of the contract.
func forms() []form {
	return append(requests(), append(answers(), events()...)...)
}

func requests() []form {
	return []form{
		of("session.request", api.SessionRequest{User: "op", Password: "correct horse"}),
		of("enrolment-token.request", api.EnrolmentTokenRequest{HostID: hostID, ValidForMS: 3600000}),
		of("repository.request", api.RepositoryRequest{Name: "offsite", URL: url, CACert: pemText, Options: options()}),
		of("plan.request", api.PlanRequest{Name: "etc", RepositoryID: repositoryID, Hosts: []fleet.HostID{hostID}, Backup: backupSpec(), Schedule: scheduleRequest()}),
		of("next-runs", api.NextRuns{Runs: []api.NextRun{{Slot: at, At: later}}}),
		of("job.request", api.JobRequest{Kind: fleet.KindBackup, Plan: "etc", Repository: "offsite", Paths: []string{"/etc"}, Excludes: []string{"*.tmp"}, Tags: []string{"daily"}, ExcludeCaches: true, OneFileSystem: true,
			Verbose: true, Snapshot: "84438618", Includes: []string{"/etc/hosts"}, Folder: "rescue", ReadData: "5%"}),
		of("secret.request", api.SecretRequest{Sealed: "-----BEGIN AGE ENCRYPTED FILE-----\n"}),
		of("test.request", api.TestRequest{HostID: hostID}),
		of("user.request", api.UserRequest{Name: "op", Password: "correct horse", Role: fleet.RoleOperator}),
		of("user.change", api.UserChange{Password: "battery staple", Role: fleet.RoleViewer}),
		of("password.change", api.PasswordChange{Old: "correct horse", New: "battery staple"}),
		of("host.change", api.HostChange{Name: "web-1"}),
		of("token.request", api.TokenRequest{Name: "ci", Role: fleet.RoleViewer, ValidForMS: 86400000}),
		of("subscribe", api.Subscribe{AfterSeq: 40, Tail: 100, Epoch: "5c1d"}),
		of("watch.request", api.WatchRequest{AfterRev: 11, Epoch: "5c1d"}),
	}
}

func answers() []form {
	return []form{
		of("session", api.Session{Token: "bss_zzzz", User: "op", Role: fleet.RoleOperator, ExpiresAt: later}),
		of("identity", api.Identity{User: "op", Role: fleet.RoleAdmin, ExpiresAt: &later, Daemon: api.DaemonInfo{Version: "1.0.0", Epoch: "5c1d", CAPin: "sha256:zzzz"}}),
		of("enrolment-token", api.EnrolmentToken{ID: "01JDB0000000000000000000E1", Token: "bse_zzzz", CAPin: "sha256:zzzz", Address: "https://backup.example.org:8443", Command: "backstay-agent enrol …", ExpiresAt: later}),
		of("enrolments", page(api.Enrolment{ID: "01JDB0000000000000000000E1", HostID: hostID, CreatedBy: "op", CreatedAt: at, ExpiresAt: later, UsedAt: &later})),
		of("test.result", api.TestResult{OK: true, Reason: fleet.ReasonWrongPassword, Message: "The password does not open the repository. Give the right one.", ResticID: "4697", ElapsedMS: 412}),
		of("user", api.User{ID: "01JDB0000000000000000000U1", Name: "op", Role: fleet.RoleOperator, CreatedAt: at}),
		of("token", api.Token{ID: "01JDB0000000000000000000T1", Name: "ci", Role: fleet.RoleViewer, CreatedBy: "op", CreatedAt: at, ExpiresAt: &later, LastUsedAt: &later, Secret: "bst_zzzz"}),
		of("audit", api.AuditRow{Seq: 3, At: at, Actor: "op", Action: "job.create", Object: "job:" + string(jobID), Detail: "backup", Hash: "9f2c"}),
		of("overview", api.Overview{Days: []api.BackupDay{{Day: "2026-11-23", BackupCounts: counts()}}, Last24h: counts(), WeekBefore: counts(), AsOf: later}),
		of("problem", api.Problem{Type: "about:blank", Title: "Conflict", Status: 409, Detail: "The job has ended. Start a new one.", Code: fault.JobEnded, Ref: "9f2c"}),
		of("hosts", page(host())),
		of("repositories", page(repository())),
		of("plans", page(plan())),
		of("jobs", page(job())),
		of("snapshots", page(snapshot())),
	}
}

func events() []form {
	h, r, p, j, pr := host(), repository(), plan(), job(), progress()
	return []form{
		of("stream.snapshot", api.StreamSnapshot{Job: j, Progress: &pr, Past: []fleet.ProgressPoint{{At: at, BytesDone: 5}, {At: at.Add(5 * time.Second), BytesDone: 25}}, AsOfSeq: 45, FromSeq: 41, Epoch: "5c1d"}),
		of("stream.finished", api.StreamFinished{Job: j}),
		of("stream.eof", api.EOF{LastSeq: 45, CRC32C: 3808858755, Sealed: true}),
		// A row of the watch with every member, which no real one has.
		of("watch.list", api.WatchList{Rows: []api.Row{{Kind: "host", ID: string(hostID), Rev: 7, Deleted: true, Host: &h, Repository: &r, Plan: &p, Job: &j}}, AsOfRev: 11, Epoch: "5c1d", Done: true}),
		of("watch.change", api.WatchChange{Rows: []api.Row{{Kind: "job", ID: string(jobID), Rev: 12, Deleted: true, Host: &h, Repository: &r, Plan: &p, Job: &j}}}),
		of("watch.tick", api.WatchTick{Progress: map[fleet.JobID]fleet.Progress{jobID: pr}, At: later}),
	}
}
