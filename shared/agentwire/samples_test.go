package agentwire_test

import (
	"encoding/json"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// sample is a message with every field set; its form on the wire is in testdata, in a file named after its type.
type sample struct {
	name    string
	typ     agentwire.Type // empty for the bodies of HTTP requests, which have no envelope
	job     fleet.JobID
	payload any
	back    func(agentwire.Envelope) (any, error)
}

func message[T any](typ agentwire.Type, job fleet.JobID, v T) sample {
	return sample{name: string(typ), typ: typ, job: job, payload: v, back: func(e agentwire.Envelope) (any, error) { return agentwire.Payload[T](e) }}
}

func body[T any](name string, v T) sample {
	return sample{name: name, payload: v, back: func(e agentwire.Envelope) (any, error) { return agentwire.StrictPayload[T](e) }}
}

var (
	at    = time.Date(2026, 11, 23, 15, 13, 47, 884289000, time.UTC)
	later = at.Add(90 * time.Second)
)

const (
	jobID      = fleet.JobID("01JDB0000000000000000000J1")
	snapshotID = fleet.SnapshotID("84438618566c43462e0d7dba4450863060715c5f1926a9bfbd59e109690c00c2")
	recipient  = "age1zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz"
	pemText    = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
)

func repositorySpec() fleet.RepositorySpec {
	return fleet.RepositorySpec{ID: "01JDB0000000000000000000R1", URL: "rest:https://backup.example.org:8000/web1/", CACert: pemText, Options: map[string]string{"rest.connections": "9"}}
}

func backupSpec() fleet.BackupSpec {
	return fleet.BackupSpec{Paths: []string{"/etc", "/srv/<&>"}, Excludes: []string{"*.tmp"}, Tags: []string{"daily"}, ExcludeCaches: true, OneFileSystem: true, Verbose: true}
}

// jobSpec has the members of all kinds, which no real job has, so that each field's form is held.
func jobSpec() fleet.JobSpec {
	backup := backupSpec()
	return fleet.JobSpec{JobID: jobID, Kind: fleet.KindBackup, PlanID: "01JDB0000000000000000000P1", Repository: repositorySpec(), Backup: &backup,
		Restore: &fleet.RestoreSpec{SnapshotID: snapshotID, Includes: []string{"/etc/hosts"}, Folder: "rescue"}, Check: &fleet.CheckSpec{ReadData: "5%"}, CreatedAt: at}
}

func facts() agentwire.Facts {
	return agentwire.Facts{Hostname: "web1", OS: "linux", Arch: "amd64", AgentVersion: "1.0.0", ResticVersion: "0.19.1", SealingKey: recipient, SecretStore: fleet.SecretsKeyring,
		Secrets: []fleet.RepositoryID{"01JDB0000000000000000000R1"}, RestoreRoot: "/var/lib/backstay-agent/restore"}
}

func outcome() fleet.Outcome {
	code := 3
	return fleet.Outcome{State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, Message: "The snapshot 84438618 was saved, but 1 item could not be read. Exclude it.", ExitCode: &code,
		Unreadable: []string{"/etc/shadow"}, Errors: 1, StartedAt: at, FinishedAt: later,
		Summary: &fleet.Summary{Snapshots: 7,
			Backup: &fleet.BackupSummary{SnapshotID: snapshotID, FilesNew: 1, FilesChanged: 2, FilesUnmodified: 3, DirsNew: 4, DirsChanged: 5, DirsUnmodified: 6, DataBlobs: 7, TreeBlobs: 8,
				DataAdded: 9, DataAddedPacked: 10, TotalFilesProcessed: 11, TotalBytesProcessed: 12, DurationMS: 13},
			Restore: &fleet.RestoreSummary{Target: "/var/lib/backstay-agent/restore/rescue", TotalFiles: 1, FilesRestored: 2, FilesSkipped: 3, TotalBytes: 4, BytesRestored: 5, DurationMS: 6},
			Check:   &fleet.CheckSummary{Errors: 1, BrokenPacks: []string{"e44fd3e2"}, SuggestRepairIndex: true, SuggestPrune: true},
			Init:    &fleet.InitSummary{ResticID: "469785262ee2613a00b916349f97ab480bfc294c7c62a5e6c30c3dbccb4017f1"}}}
}

func progress() fleet.Progress {
	return fleet.Progress{Phase: fleet.PhaseReading, Percent: 0.25, FilesDone: 1, FilesTotal: 4, BytesDone: 25, BytesTotal: 100, Errors: 1, ElapsedMS: 1500, RemainingMS: 4500, CurrentFiles: []string{"/etc/hosts"}, At: later}
}

func plan() fleet.Plan {
	return fleet.Plan{ID: "01JDB0000000000000000000P1", Name: "etc", RepositoryID: "01JDB0000000000000000000R1", Hosts: []fleet.HostID{"01JDB0000000000000000000H1"}, Backup: backupSpec(), Schedule: schedule(), CreatedAt: at, Rev: 8}
}

// schedule has the members of both kinds, which no real one has, so that each field's form is held.
func schedule() *fleet.Schedule {
	return &fleet.Schedule{Cron: "30 2 * * 1-5", TimeZone: "Europe/Berlin", EveryMS: 21600000, Start: at, SplayMS: 600000, Paused: true}
}

func repository() fleet.Repository {
	s := repositorySpec()
	return fleet.Repository{ID: s.ID, Name: "offsite", URL: s.URL, CACert: s.CACert, Options: s.Options, CreatedAt: at, Rev: 9,
		SnapshotCount: 1284, ListedAt: &at, LastBackup: jobMark(), LastCheck: jobMark()} // no agent is told these
}

func jobMark() *fleet.JobMark {
	return &fleet.JobMark{JobID: jobID, HostID: "01JDB0000000000000000000H1", State: fleet.StateWarning, Reason: fleet.ReasonSourceUnreadable, At: at}
}

func snapshot() fleet.Snapshot {
	return fleet.Snapshot{ID: snapshotID, RepositoryID: "01JDB0000000000000000000R1", Time: at, Hostname: "web1", Username: "root", Paths: []string{"/etc"}, Tags: []string{"job:" + string(jobID)},
		Parent: "0d14770cd9e0b1501e4895c8eb224918dee60e49e9399fec650094e476b387e5", ProgramVersion: "restic 0.19.1", JobID: jobID, PlanID: "01JDB0000000000000000000P1", HostID: "01JDB0000000000000000000H1", FilesProcessed: 64, BytesProcessed: 181200006, BytesAdded: 181229547}
}

// samples holds every message of the contract.
func samples() []sample {
	spec, repo := jobSpec(), repositorySpec()
	lines := []fleet.LogLine{
		{Time: at, Stream: fleet.StreamOut, Text: `{"message_type":"summary"}`},
		{Time: at, Stream: fleet.StreamErr, Text: "open /etc/\xff: permission denied", Cont: true},
		{Time: at, Stream: fleet.StreamErr, Text: "\t<&>\u2028\x1b[0m ü"},
		{Time: later, Stream: fleet.StreamNote, Text: "cancelled by op"},
		{Time: later, Stream: fleet.StreamGap, Text: `{"from":3,"to":9,"bytes":700}`},
	}
	return []sample{
		message(agentwire.TypeHello, "", agentwire.Hello{AgentID: "01JDB0000000000000000000A1", Incarnation: "9f2c", Epoch: "5c1d", Capabilities: []string{"restore"}, Facts: facts(), Clock: at,
			Jobs: []agentwire.HeldJob{{JobID: jobID, State: fleet.StateRunning, LastSeq: 41, Acked: true, AckedSeq: 40, Spec: &spec}}, More: true}),
		message(agentwire.TypeHelloJobs, "", agentwire.HelloJobs{Jobs: []agentwire.HeldJob{{JobID: jobID, State: fleet.StateRunning, LastSeq: 41, Acked: true, AckedSeq: 40, Spec: &spec}}, More: true, Partial: true}),
		message(agentwire.TypeWelcome, "", agentwire.Welcome{Session: "7", Epoch: "5c1d", Jobs: []agentwire.WelcomeJob{{JobID: jobID, DurableSeq: 40, Desired: agentwire.DesireCancel}},
			ConfigVersion: 12, HeartbeatMS: 15000, CreditBytes: 8 << 20, Capabilities: []string{"restore"}}),
		message(agentwire.TypeHeartbeat, "", agentwire.Heartbeat{Clock: at, Jobs: []fleet.JobID{jobID}}),
		message(agentwire.TypeJobScheduled, jobID, agentwire.JobScheduled{Job: agentwire.HeldJob{JobID: jobID, State: fleet.StateRunning, LastSeq: 41, Acked: true, AckedSeq: 40, Spec: &spec}}),
		message(agentwire.TypeJobAdopted, jobID, agentwire.JobAdopted{WelcomeJob: agentwire.WelcomeJob{JobID: jobID, DurableSeq: 40, Desired: agentwire.DesireRun}}),
		message(agentwire.TypeJobStarted, jobID, agentwire.JobStarted{At: at, ResticVersion: "0.19.1"}),
		message(agentwire.TypeJobProgress, jobID, progress()),
		message(agentwire.TypeLogStream, jobID, agentwire.LogStream{FirstSeq: 41, Lines: lines}),
		message(agentwire.TypeJobFinished, jobID, agentwire.JobFinished{Outcome: outcome(), Log: fleet.LogPosition{LastSeq: 45, Bytes: 4711, CRC32C: 3808858755}}),
		message(agentwire.TypeCommandRun, jobID, agentwire.CommandRun{Spec: spec, StartWithinMS: 3600000}),
		message(agentwire.TypeCommandCancel, jobID, agentwire.CommandCancel{By: "op"}),
		message(agentwire.TypeCommandAck, jobID, agentwire.CommandAck{State: fleet.StateAccepted}),
		message(agentwire.TypeCommandReject, jobID, agentwire.CommandReject{Reason: fleet.ReasonPolicyDenied, Message: "This host's policy forbids it. Ask its owner."}),
		message(agentwire.TypeConfigUpdate, "", agentwire.ConfigUpdate{Version: 12, Plans: []fleet.Plan{plan()}, Repositories: []fleet.Repository{repository()}}),
		message(agentwire.TypePlanAck, "", agentwire.PlanAck{Version: 12}),
		message(agentwire.TypeInventory, "", agentwire.Inventory{Facts: facts()}),
		message(agentwire.TypeSnapshotsReport, jobID, agentwire.SnapshotsReport{RepositoryID: "01JDB0000000000000000000R1", Part: 1, Parts: 2, Snapshots: []fleet.Snapshot{snapshot()}}),
		message(agentwire.TypeRequest, "", agentwire.Request{Kind: agentwire.RequestPutSecret, Repository: &repo, Sealed: "-----BEGIN AGE ENCRYPTED FILE-----\n", TimeoutMS: 30000}),
		message(agentwire.TypeReply, "", agentwire.Reply{Code: fault.SecretStore, Reason: fleet.ReasonSecretStore, Message: "The keyring is locked. Unlock it.", Data: json.RawMessage(`{"restic_id":"4697"}`)}),
		message(agentwire.TypeAck, jobID, agentwire.Ack{Seq: 45, Finished: true}),
		message(agentwire.TypeNack, jobID, agentwire.Nack{Expect: 42}),
		message(agentwire.TypeCredit, "", agentwire.Credit{Bytes: 65536}),
		{name: "reset", typ: agentwire.TypeReset},
		body("enrol.request", agentwire.EnrolRequest{Token: "bse_zzzz", CSR: "-----BEGIN CERTIFICATE REQUEST-----\n", Facts: facts()}),
		body("enrol.response", agentwire.EnrolResponse{AgentID: "01JDB0000000000000000000A1", HostID: "01JDB0000000000000000000H1", Certificate: pemText, CA: pemText}),
		body("renew.request", agentwire.RenewRequest{CSR: "-----BEGIN CERTIFICATE REQUEST-----\n"}),
		body("renew.response", agentwire.RenewResponse{Certificate: pemText}),
	}
}
