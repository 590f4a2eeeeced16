package agentwire

import (
	"encoding/json"
	"time"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Paths of the agent's endpoints on the daemon.
const (
	PathConnect = "/agent/v1/connect" // WebSocket, client certificate
	PathEnrol   = "/agent/v1/enrol"   // POST EnrolRequest, no client certificate
	PathRenew   = "/agent/v1/renew"   // POST RenewRequest, client certificate
)

// EnrolRequest turns a single-use token into an identity. The key never leaves the host: CSR is PEM.
type EnrolRequest struct {
	Token string `json:"token"`
	CSR   string `json:"csr"`
	Facts Facts  `json:"facts"`
}

// EnrolResponse is the new identity.
type EnrolResponse struct {
	AgentID     fleet.AgentID `json:"agent_id"`
	HostID      fleet.HostID  `json:"host_id"`
	Certificate string        `json:"certificate"` // PEM, 30 days
	CA          string        `json:"ca"`          // PEM
}

// RenewRequest asks for a fresh certificate under the present one.
type RenewRequest struct {
	CSR string `json:"csr"`
}

// RenewResponse is the fresh certificate.
type RenewResponse struct {
	Certificate string `json:"certificate"`
}

// Facts describes the host and its agent.
type Facts struct {
	Hostname      string               `json:"hostname"`
	OS            string               `json:"os"`
	Arch          string               `json:"arch"`
	AgentVersion  string               `json:"agent_version"`
	ResticVersion string               `json:"restic_version,omitempty"`
	SealingKey    string               `json:"sealing_key"`
	SecretStore   fleet.SecretStore    `json:"secret_store"`
	Secrets       []fleet.RepositoryID `json:"secrets,omitempty"`
	RestoreRoot   string               `json:"restore_root,omitempty"`
}

// Hello opens a session.
type Hello struct {
	AgentID      fleet.AgentID `json:"agent_id"`
	Incarnation  string        `json:"incarnation"`     // random, new with each process
	Epoch        string        `json:"epoch,omitempty"` // of the daemon's store to which the agent last named all that it holds
	Capabilities []string      `json:"capabilities,omitempty"`
	Facts        Facts         `json:"facts"`
	Clock        time.Time     `json:"clock"`
	Jobs         []HeldJob     `json:"jobs,omitempty"` // every job in the journal, ended and acknowledged ones too
	More         bool          `json:"more,omitempty"` // further jobs follow in hello.jobs, before the daemon answers
}

// HelloJobs goes on where Hello had no room for more jobs, or for their specifications: what it says of a job that was named before
// takes the place of that. A daemon that does not know it takes Hello for all.
type HelloJobs struct {
	Jobs    []HeldJob `json:"jobs"`              // at least one, unless it is the last
	More    bool      `json:"more,omitempty"`    // and another one follows
	Partial bool      `json:"partial,omitempty"` // in the last one: jobs that have not ended are left unnamed, so a missing one is not lost
}

// HeldJob is a job that the agent holds. Spec lets a daemon that was restored from an older copy take the job up again.
type HeldJob struct {
	JobID   fleet.JobID    `json:"job_id"`
	State   fleet.JobState `json:"state"`
	LastSeq int64          `json:"last_seq"` // last line in the spool so far
	Acked   bool           `json:"acked"`    // end and whole log were acknowledged before, under the epoch of hello
	// AckedSeq is the last line that was acknowledged under the epoch of hello, as far as the agent remembers.
	AckedSeq int64          `json:"acked_seq,omitempty"`
	Spec     *fleet.JobSpec `json:"spec,omitempty"`
}

// Desire is what the daemon wants of a job.
type Desire string

// The desires.
const (
	DesireRun    Desire = "run"
	DesireCancel Desire = "cancel"
	DesireForget Desire = "forget" // ended and whole in the daemon's store: the agent need not send anything
)

// Welcome answers Hello.
type Welcome struct {
	Session       string       `json:"session"` // generation; a newer session closes the older
	Epoch         string       `json:"epoch"`   // db_epoch of the daemon's store
	Jobs          []WelcomeJob `json:"jobs,omitempty"`
	ConfigVersion int64        `json:"config_version"`
	HeartbeatMS   int64        `json:"heartbeat_ms"`
	CreditBytes   int64        `json:"credit_bytes"` // bytes of log.stream text that may be unacknowledged at first
	Capabilities  []string     `json:"capabilities,omitempty"`
}

// WelcomeJob says where the daemon stands with a job that hello named.
type WelcomeJob struct {
	JobID      fleet.JobID `json:"job_id"`
	DurableSeq int64       `json:"durable_seq"` // the agent sends from the next line on
	Desired    Desire      `json:"desired"`
}

// CapabilitySchedules: the agent begins scheduled jobs by itself and says so (job.scheduled), the daemon answers (job.adopted). An
// agent whose daemon lacks it names such jobs in its next hello.
const CapabilitySchedules = "schedules"

// JobScheduled names a job that the agent began by itself in the midst of a session, its specification included. Nothing else is
// sent of the job before the daemon's JobAdopted.
type JobScheduled struct {
	Job HeldJob `json:"job"`
}

// JobAdopted answers JobScheduled as Welcome does for the jobs of hello.
type JobAdopted struct {
	WelcomeJob
}

// Heartbeat is sent every HeartbeatMS; latest wins.
type Heartbeat struct {
	Clock time.Time     `json:"clock"`
	Jobs  []fleet.JobID `json:"jobs,omitempty"` // not ended
}

// CommandRun starts a job. Decode it with StrictPayload only.
type CommandRun struct {
	Spec fleet.JobSpec `json:"spec"`
	// StartWithinMS counts from receipt, not from a clock: the agent rejects a job it could not begin in that time.
	StartWithinMS int64 `json:"start_within_ms"`
}

// CommandCancel asks for a job's end; repeated until the job is over.
type CommandCancel struct {
	By string `json:"by,omitempty"` // who asked, for the log
}

// CommandAck says that the job is in the journal on disk, or in which state a job known already is.
type CommandAck struct {
	State fleet.JobState `json:"state"`
}

// CommandReject says that the job will not run, and why.
type CommandReject struct {
	Reason  fleet.Reason `json:"reason"`
	Message string       `json:"message"`
}

// JobStarted says that restic runs.
type JobStarted struct {
	At            time.Time `json:"at"`
	ResticVersion string    `json:"restic_version,omitempty"`
}

// LogStream is 1..n whole lines, in order, the first of them with number FirstSeq.
type LogStream struct {
	FirstSeq int64           `json:"first_seq"`
	Lines    []fleet.LogLine `json:"lines"`
}

// JobFinished is a job's end. The log is sealed when the daemon's own position agrees with Log.
type JobFinished struct {
	Outcome fleet.Outcome     `json:"outcome"`
	Log     fleet.LogPosition `json:"log"`
}

// SnapshotsReport is a part of the snapshots that a repository holds; parts count from 1.
type SnapshotsReport struct {
	RepositoryID fleet.RepositoryID `json:"repository_id"`
	Part         int                `json:"part"`
	Parts        int                `json:"parts"`
	Snapshots    []fleet.Snapshot   `json:"snapshots"`
}

// Inventory is Facts anew, after something in them changed.
type Inventory struct {
	Facts Facts `json:"facts"`
}

// Ack says that all lines up to Seq, and with Finished the job's end, are on the daemon's disk.
type Ack struct {
	Seq      int64 `json:"seq"`
	Finished bool  `json:"finished,omitempty"`
}

// Nack says that a log.stream did not follow on: the daemon expects line Expect next.
type Nack struct {
	Expect int64 `json:"expect"`
}

// Credit allows Bytes more of log.stream text to be unacknowledged.
type Credit struct {
	Bytes int64 `json:"bytes"`
}

// ConfigUpdate is the whole desired state of a host, versioned.
type ConfigUpdate struct {
	Version      int64              `json:"version"`
	Plans        []fleet.Plan       `json:"plans"`
	Repositories []fleet.Repository `json:"repositories"`
}

// PlanAck says which version of the desired state the agent holds on disk.
type PlanAck struct {
	Version int64 `json:"version"`
}

// RequestKind names a bounded query to the agent.
type RequestKind string

// The requests.
const (
	RequestPutSecret      RequestKind = "secret.put"
	RequestDeleteSecret   RequestKind = "secret.delete"
	RequestTestRepository RequestKind = "repository.test"
)

// Request is a bounded, typed query with an answer (Reply) under the same envelope id.
type Request struct {
	Kind       RequestKind           `json:"kind"`
	Repository *fleet.RepositorySpec `json:"repository,omitempty"`
	Sealed     string                `json:"sealed,omitempty"` // secret.put: credentials sealed to the host's key, armoured age
	TimeoutMS  int64                 `json:"timeout_ms,omitempty"`
}

// Reply answers a Request; Code is empty when it went well.
type Reply struct {
	Code    fault.Code      `json:"code,omitempty"`
	Reason  fleet.Reason    `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}
