// Package api is the contract between the daemon and its clients (console, CLI, scripts): paths, requests, answers, events of
// the job stream and of the watch, and WebSocket close codes. Domain types are fleet's own; job events have the envelope of
// package agentwire. Golden JSON files in testdata hold each form.
package api

import (
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Base is the prefix of every route of the API.
const Base = "/api/v1"

// Version of the API as the OpenAPI document names it.
const Version = "1.0.0"

// SessionRequest signs a person in: POST /session, the only route without a token.
type SessionRequest struct {
	User     string `json:"user" minLength:"1" maxLength:"128"`
	Password string `json:"password" minLength:"1" maxLength:"1024"`
}

// Session is a bearer token for a signed-in person.
type Session struct {
	Token     string     `json:"token"`
	User      string     `json:"user"`
	Role      fleet.Role `json:"role"`
	ExpiresAt time.Time  `json:"expires_at"`
}

// Identity answers GET /session: who the bearer of the token is.
type Identity struct {
	User      string     `json:"user"`
	Role      fleet.Role `json:"role"`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Daemon    DaemonInfo `json:"daemon"`
}

// DaemonInfo describes the daemon.
type DaemonInfo struct {
	Version string `json:"version"`
	Epoch   string `json:"epoch"` // db_epoch: changes when the store was restored from a copy
	CAPin   string `json:"ca_pin"`
}

// Page is one page of a list in keyset order; Next is "" on the last one and goes into ?cursor= for the next.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// Overview answers GET /overview: how backups ended.
type Overview struct {
	Days       []BackupDay  `json:"days"`        // oldest first, every day; the last is today
	Last24h    BackupCounts `json:"last_24h"`    // of the hour that runs and the 23 before it
	WeekBefore BackupCounts `json:"week_before"` // of the 7 days before those, to compare with
	AsOf       time.Time    `json:"as_of"`
}

// BackupCounts tells how many backups ended, and how.
type BackupCounts struct {
	Succeeded  int64 `json:"succeeded"`
	Warning    int64 `json:"warning"`
	Failed     int64 `json:"failed"` // failed, interrupted or lost
	Cancelled  int64 `json:"cancelled"`
	BytesAdded int64 `json:"bytes_added"` // to repositories, compressed
}

// BackupDay is a day's counts. The day is one of UTC: "2026-11-23".
type BackupDay struct {
	Day string `json:"day"`
	BackupCounts
}

// EnrolmentTokenRequest: POST /enrolment-tokens (admin).
type EnrolmentTokenRequest struct {
	HostID     fleet.HostID `json:"host_id,omitempty"`      // enrol this known host anew
	ValidForMS int64        `json:"valid_for_ms,omitempty"` // 1 h when 0, 24 h at most
}

// EnrolmentToken is shown once. Command is the one line to paste on the host.
type EnrolmentToken struct {
	ID        string    `json:"id"`
	Token     string    `json:"token"`
	CAPin     string    `json:"ca_pin"`
	Address   string    `json:"address"` // https://host:port as the daemon knows itself
	Command   string    `json:"command"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Enrolment is an enrolment token as it is listed, which cannot be spent: GET /enrolment-tokens.
type Enrolment struct {
	ID        string       `json:"id"`
	HostID    fleet.HostID `json:"host_id,omitempty"` // the host that used it, or that is to enrol anew with it
	CreatedBy string       `json:"created_by"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at"`
	UsedAt    *time.Time   `json:"used_at,omitempty"`
}

// HostChange: PATCH /hosts/{id}.
type HostChange struct {
	Name string `json:"name" minLength:"1" maxLength:"128"`
}

// RepositoryRequest: POST /repositories, PUT /repositories/{id}.
type RepositoryRequest struct {
	Name    string            `json:"name" minLength:"1" maxLength:"128"`
	URL     string            `json:"url" minLength:"1" maxLength:"2048"`
	CACert  string            `json:"ca_cert,omitempty" maxLength:"65536"`
	Options map[string]string `json:"options,omitempty"`
}

// PlanRequest: POST /plans, PUT /plans/{id}.
type PlanRequest struct {
	Name         string             `json:"name" minLength:"1" maxLength:"128"`
	RepositoryID fleet.RepositoryID `json:"repository_id"`
	Hosts        []fleet.HostID     `json:"hosts"`
	Backup       fleet.BackupSpec   `json:"backup"`
	Schedule     *ScheduleRequest   `json:"schedule,omitempty" doc:"When its backups begin by themselves; none: by hand only"`
}

// ScheduleRequest is a plan's schedule as it is asked for: a cron expression, or an interval.
type ScheduleRequest struct {
	Cron     string     `json:"cron,omitempty" maxLength:"256" doc:"Minute, hour, day of month, month and day of week; or @hourly, @daily, @weekly, @monthly, @yearly"`
	TimeZone string     `json:"time_zone,omitempty" maxLength:"64" doc:"IANA time zone of cron; UTC when empty"`
	EveryMS  int64      `json:"every_ms,omitempty" doc:"Interval of whole minutes, from one minute to 366 days"`
	Start    *time.Time `json:"start,omitempty" doc:"From which every_ms counts; when none is given that of before, otherwise now"`
	SplayMS  *int64     `json:"splay_ms,omitempty" doc:"Hosts begin within so long after the slot; when none is given a tenth of the way to the next slot, 10 minutes at most"`
	Paused   bool       `json:"paused,omitempty"`
}

// ScheduleRequestOf asks for the schedule that a plan has already, for a change of something else.
func ScheduleRequestOf(s *fleet.Schedule) *ScheduleRequest {
	if s == nil {
		return nil
	}
	r := &ScheduleRequest{Cron: s.Cron, TimeZone: s.TimeZone, EveryMS: s.EveryMS, SplayMS: &s.SplayMS, Paused: s.Paused}
	if !s.Start.IsZero() {
		r.Start = &s.Start
	}
	return r
}

// NextRuns: GET /plans/{id}/next-runs. The next slots of a plan's schedule; none while it is paused or has none.
type NextRuns struct {
	Runs []NextRun `json:"runs"`
}

// NextRun is a slot, and when a host begins it; without a host, when the first one may.
type NextRun struct {
	Slot time.Time `json:"slot"`
	At   time.Time `json:"at"`
}

// JobRequest: POST /hosts/{id}/jobs. Plan, Repository and the host in the path are ids or names. The header Idempotency-Key
// makes a repeated POST answer with the first job.
type JobRequest struct {
	Kind       fleet.JobKind `json:"kind"`
	Plan       string        `json:"plan,omitempty"`
	Repository string        `json:"repository,omitempty"`

	// Backup without a plan.
	Paths         []string `json:"paths,omitempty"`
	Excludes      []string `json:"excludes,omitempty"`
	Tags          []string `json:"tags,omitempty"`
	ExcludeCaches bool     `json:"exclude_caches,omitempty"`
	OneFileSystem bool     `json:"one_file_system,omitempty"`
	Verbose       bool     `json:"verbose,omitempty"`

	// Restore.
	Snapshot string   `json:"snapshot,omitempty"`
	Includes []string `json:"includes,omitempty"`
	Folder   string   `json:"folder,omitempty"`

	// Check.
	ReadData string `json:"read_data,omitempty"`
}

// SecretRequest: PUT /hosts/{id}/secrets/{repository}. Sealed is secret.Seal of the credentials to the host's sealing key;
// the daemon passes it on to the agent and keeps nothing.
type SecretRequest struct {
	Sealed string `json:"sealed" minLength:"1" maxLength:"32768"`
}

// TestRequest: POST /repositories/{id}/test asks the host whether it can open the repository.
type TestRequest struct {
	HostID fleet.HostID `json:"host_id"`
}

// TestResult answers TestRequest. Reason "" means that the repository opened.
type TestResult struct {
	OK        bool         `json:"ok"`
	Reason    fleet.Reason `json:"reason,omitempty"`
	Message   string       `json:"message"`
	ResticID  string       `json:"restic_id,omitempty"`
	ElapsedMS int64        `json:"elapsed_ms"`
}

// User is a person who may sign in.
type User struct {
	ID        fleet.UserID `json:"id"`
	Name      string       `json:"name"`
	Role      fleet.Role   `json:"role"`
	CreatedAt time.Time    `json:"created_at"`
}

// UserRequest: POST /users (admin).
type UserRequest struct {
	Name     string     `json:"name" minLength:"1" maxLength:"128"`
	Password string     `json:"password" minLength:"10" maxLength:"1024"`
	Role     fleet.Role `json:"role" enum:"viewer,operator,admin"`
}

// UserChange: PATCH /users/{id} (admin). What is left out stays.
type UserChange struct {
	Password string     `json:"password,omitempty" minLength:"10" maxLength:"1024"`
	Role     fleet.Role `json:"role,omitempty" enum:"viewer,operator,admin"`
}

// PasswordChange: POST /session/password changes the password of who is signed in.
type PasswordChange struct {
	Old string `json:"old" minLength:"1" maxLength:"1024"`
	New string `json:"new" minLength:"10" maxLength:"1024"`
}

// TokenRequest: POST /tokens. The role may not exceed the maker's.
type TokenRequest struct {
	Name       string     `json:"name" minLength:"1" maxLength:"128"`
	Role       fleet.Role `json:"role" enum:"viewer,operator,admin"`
	ValidForMS int64      `json:"valid_for_ms,omitempty"` // no end when 0
}

// Token is an API token; Secret is set in the answer to POST only.
type Token struct {
	ID         string     `json:"id"`
	Name       string     `json:"name"`
	Role       fleet.Role `json:"role"`
	CreatedBy  string     `json:"created_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
	LastUsedAt *time.Time `json:"last_used_at,omitempty"`
	Secret     string     `json:"secret,omitempty"`
}

// AuditRow is one change. Hash chains the rows: SHA-256 over the former row's hash and this row's fields.
type AuditRow struct {
	Seq    int64     `json:"seq"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"` // "job.create", "host.revoke", …
	Object string    `json:"object"`
	Detail string    `json:"detail,omitempty"`
	Hash   string    `json:"hash"`
}

// Problem is an RFC 9457 answer with Backstay's stable code.
type Problem struct {
	Type   string     `json:"type,omitempty"`
	Title  string     `json:"title"`
	Status int        `json:"status"`
	Detail string     `json:"detail"`
	Code   fault.Code `json:"code"`
	Ref    string     `json:"ref,omitempty"` // reference id of an internal error, as in the daemon's log
}

// Types of the job stream beside agentwire's job events.
const (
	TypeSubscribe agentwire.Type = "subscribe" // client, first frame
	TypeSnapshot  agentwire.Type = "snapshot"
	TypeLive      agentwire.Type = "live" // all lines known so far are sent
	TypeEOF       agentwire.Type = "eof"
)

// Subscribe is the client's first frame on GET /jobs/{id}/stream. With Tail > 0 the stream begins that many lines before the
// end; otherwise after line AfterSeq. Epoch is the one of an earlier snapshot: with another one at the daemon the answer is reset.
type Subscribe struct {
	AfterSeq int64  `json:"after_seq"`
	Tail     int64  `json:"tail,omitempty"`
	Epoch    string `json:"epoch,omitempty"`
}

// StreamSnapshot is the state at the beginning of a stream, before any line.
type StreamSnapshot struct {
	Job      fleet.Job       `json:"job"`
	Progress *fleet.Progress `json:"progress,omitempty"`
	// Past is how far the job was in the last minutes, oldest first, a point every few seconds, so that a reader who comes in mid-run
	// can draw its speed. The first snapshot of a stream alone has it. It is kept in memory: after a restart of the daemon it is short.
	Past    []fleet.ProgressPoint `json:"past,omitempty"`
	AsOfSeq int64                 `json:"as_of_seq"` // last line known to the daemon
	FromSeq int64                 `json:"from_seq"`  // the first line that will come
	Epoch   string                `json:"epoch"`
}

// StreamFinished is the payload of job.finished on the job stream: the job with its outcome.
type StreamFinished struct {
	Job fleet.Job `json:"job"`
}

// EOF ends a stream: no line comes after LastSeq.
type EOF struct {
	LastSeq int64  `json:"last_seq"`
	CRC32C  uint32 `json:"crc32c"`
	Sealed  bool   `json:"sealed"`
}

// Types of the watch.
const (
	TypeWatch  agentwire.Type = "watch"  // client, first frame
	TypeList   agentwire.Type = "list"   // rows; a page of the whole state
	TypeChange agentwire.Type = "change" // one row changed
	TypeTick   agentwire.Type = "tick"   // progress of running jobs, and a sign of life
)

// WatchRequest is the client's first frame on GET /watch: resume after a rev of an epoch, or 0 and "" to list.
type WatchRequest struct {
	AfterRev int64  `json:"after_rev"`
	Epoch    string `json:"epoch,omitempty"`
}

// Row is one object of the watch; exactly one member is set, or Deleted with Kind and ID.
type Row struct {
	Kind       string            `json:"kind"` // host, repository, plan, job
	ID         string            `json:"id"`
	Rev        int64             `json:"rev"`
	Deleted    bool              `json:"deleted,omitempty"`
	Host       *fleet.Host       `json:"host,omitempty"`
	Repository *fleet.Repository `json:"repository,omitempty"`
	Plan       *fleet.Plan       `json:"plan,omitempty"`
	Job        *fleet.Job        `json:"job,omitempty"`
}

// WatchList is a page of the whole state: every host, repository, plan, every job not ended and the newest ended ones. The last page has Done.
type WatchList struct {
	Rows    []Row  `json:"rows"`
	AsOfRev int64  `json:"as_of_rev"`
	Epoch   string `json:"epoch"`
	Done    bool   `json:"done"`
}

// WatchChange is one or more changes in the order of their revs.
type WatchChange struct {
	Rows []Row `json:"rows"`
}

// WatchTick carries the newest progress of running jobs, at most once a second.
type WatchTick struct {
	Progress map[fleet.JobID]fleet.Progress `json:"progress,omitempty"`
	At       time.Time                      `json:"at"`
}

// WebSocket close codes of both console streams, beyond RFC 6455's.
const (
	CloseUnauthorized = 4401 // the token ended; sign in again
	CloseForbidden    = 4403
	CloseNotFound     = 4404
	CloseSlow         = 4408 // a write took more than 10 s; resume by cursor
	CloseShutdown     = 4503 // the daemon stops; come back
)
