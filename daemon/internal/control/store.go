package control

import (
	"context"
	"errors"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// What a Store answers beside faults and errors of its own.
var (
	ErrNotFound  = errors.New("no such row")
	ErrDuplicate = errors.New("the name or id is taken")
)

// Store keeps the state (package sqlite). Both methods run fn exactly once at most; fn must not keep its argument.
type Store interface {
	// View runs fn on one snapshot of the whole state.
	View(ctx context.Context, fn func(Reader) error) error
	// Update runs fn in one write transaction, commits when it returns nil, and gives the rows that changed, in the order of
	// their revs. Nothing is changed when it returns an error.
	Update(ctx context.Context, fn func(Writer) error) (changes []api.Row, err error)
	// Epoch names this life of the store: another one than before it was put back from a copy. Renew begins a new one, RestoredAt
	// is when that was done last (zero: never).
	Epoch() string
	Renew(ctx context.Context, now time.Time) error
	RestoredAt() time.Time
}

// Reader reads within one transaction. A row that is not there is ErrNotFound.
type Reader interface {
	HostReader
	RepositoryReader
	PlanReader
	JobReader
	TallyReader
	SnapshotReader
	AccessReader
	AuditReader
	Rev(ctx context.Context) (int64, error)
	WatchRows(ctx context.Context, ended int) (rows []api.Row, asOfRev int64, err error)
}

// Writer reads and writes within one transaction. A name or id that is taken is ErrDuplicate. Put methods of hosts,
// repositories, plans and jobs give the row the next rev, also in their argument.
type Writer interface {
	Reader
	HostWriter
	RepositoryWriter
	PlanWriter
	JobWriter
	SnapshotWriter
	AccessWriter
	// AppendAudit adds a row to the hash chain.
	AppendAudit(ctx context.Context, e AuditEntry) error
}

// HostSeen is the contact with a host: At is the latest of what SetHostSeen and PutHost stored.
type HostSeen struct {
	ID     fleet.HostID
	Online bool
	At     time.Time

	ClonedAt *time.Time // as Host has it
}

// HostReader reads hosts and agents.
type HostReader interface {
	Host(ctx context.Context, id fleet.HostID) (fleet.Host, error)
	HostByName(ctx context.Context, name string) (fleet.Host, error)
	Hosts(ctx context.Context) ([]fleet.Host, error) // by name
	// Agent gives the host that an agent was enrolled for, and whether this enrolment was revoked or replaced.
	Agent(ctx context.Context, id fleet.AgentID) (host fleet.HostID, revoked bool, err error)
	// HostConfig gives the version of a host's desired state, its plans and the repositories of these.
	HostConfig(ctx context.Context, id fleet.HostID) (version int64, plans []fleet.Plan, repositories []fleet.Repository, err error)
	// HostsSeen gives, for each host that is not revoked, what the store says of its contact.
	HostsSeen(ctx context.Context) ([]HostSeen, error)
}

// HostWriter writes hosts and agents.
type HostWriter interface {
	PutHost(ctx context.Context, h *fleet.Host) error
	PutAgent(ctx context.Context, id fleet.AgentID, host fleet.HostID, at time.Time) error
	RevokeAgents(ctx context.Context, host fleet.HostID, at time.Time) error // all of them
	// SetHostSeen remembers when a host was heard from; no change of the row, so no rev.
	SetHostSeen(ctx context.Context, id fleet.HostID, at time.Time) error
}

// RepositoryReader reads repositories.
type RepositoryReader interface {
	Repository(ctx context.Context, id fleet.RepositoryID) (fleet.Repository, error)
	RepositoryByName(ctx context.Context, name string) (fleet.Repository, error)
	Repositories(ctx context.Context) ([]fleet.Repository, error) // by name
	// KnownRepositories gives those of the ids that are repositories.
	KnownRepositories(ctx context.Context, ids []fleet.RepositoryID) ([]fleet.RepositoryID, error)
}

// RepositoryWriter writes repositories.
type RepositoryWriter interface {
	PutRepository(ctx context.Context, r *fleet.Repository) error
	// NoteRepository writes what was found out about a repository: SnapshotCount, ListedAt, LastBackup, LastCheck. What hosts are
	// to do does not change by it, as it does by PutRepository, which writes all the rest.
	NoteRepository(ctx context.Context, r *fleet.Repository) error
	// DeleteRepository removes the repository with its snapshots; hosts that held its secret are told no more.
	DeleteRepository(ctx context.Context, id fleet.RepositoryID) error
}

// PlanReader reads plans.
type PlanReader interface {
	Plan(ctx context.Context, id fleet.PlanID) (fleet.Plan, error)
	PlanByName(ctx context.Context, name string) (fleet.Plan, error)
	Plans(ctx context.Context) ([]fleet.Plan, error) // by name
	PlansOf(ctx context.Context, repository fleet.RepositoryID) ([]fleet.Plan, error)
}

// PlanWriter writes plans. The hosts concerned, former ones included, get a new version of their desired state.
type PlanWriter interface {
	PutPlan(ctx context.Context, p *fleet.Plan) error
	DeletePlan(ctx context.Context, id fleet.PlanID) error
}

// JobRecord is a job with what only the daemon needs to know of it.
type JobRecord struct {
	fleet.Job
	Accepted   bool  // the agent once confirmed that it holds the job
	CreatedRev int64 // rev at which the job was stored first
	Counted    Tally // as what the store counts it now; set by reading and by PutJob
}

// JobQuery is a JobFilter with ids only.
type JobQuery struct {
	States       []fleet.JobState
	Kind         fleet.JobKind
	HostID       fleet.HostID
	PlanID       fleet.PlanID
	RepositoryID fleet.RepositoryID
	Text         string
	Cursor       string
	Limit        int
}

// JobReader reads jobs.
type JobReader interface {
	Job(ctx context.Context, id fleet.JobID) (JobRecord, error)
	// JobsByID gives those of the ids that are jobs.
	JobsByID(ctx context.Context, ids []fleet.JobID) (map[fleet.JobID]JobRecord, error)
	// JobPage reads newest first. A page may be short, even empty, and still have a next one: a rare match is searched for
	// piece by piece.
	JobPage(ctx context.Context, q JobQuery) (api.Page[fleet.Job], error)
	// SettledJobs gives those of the ids that are jobs of the host, over for good and with their log sealed: nothing can change
	// them any more.
	SettledJobs(ctx context.Context, host fleet.HostID, ids []fleet.JobID) ([]fleet.JobID, error)
	// OpenJobs gives the jobs of a host that have not ended, oldest first.
	OpenJobs(ctx context.Context, host fleet.HostID) ([]JobRecord, error)
	// QueuedBefore gives at most limit jobs that are queued since before t, oldest first.
	QueuedBefore(ctx context.Context, t time.Time, limit int) ([]fleet.JobID, error)
	// SentToAway gives at most limit jobs that were sent to hosts which are offline and were last heard from before t.
	SentToAway(ctx context.Context, t time.Time, limit int) ([]fleet.JobID, error)
	// RepositoryInUse gives a job of the repository that has not ended, or "".
	RepositoryInUse(ctx context.Context, id fleet.RepositoryID) (fleet.JobID, error)
	// JobsExist tells whether any job, ended or not, belongs to the plan or the repository.
	JobsExist(ctx context.Context, plan fleet.PlanID, repository fleet.RepositoryID) (bool, error)
	// Idempotent gives the job that actor made under key since t, with the digest of its request.
	Idempotent(ctx context.Context, actor, key string, since time.Time) (job fleet.JobID, digest string, err error)
}

// IdempotencyKey names the job that an actor's request made. Digest tells requests apart.
type IdempotencyKey struct {
	Actor  string
	Key    string
	Digest string
	JobID  fleet.JobID
	At     time.Time
}

// JobWriter writes jobs.
type JobWriter interface {
	// PutJob counts the job as TallyOf has it, and no longer as it was counted before.
	PutJob(ctx context.Context, j *JobRecord) error
	// DropTallies forgets the counts of hours before a time.
	DropTallies(ctx context.Context, before time.Time) error
	PutIdempotent(ctx context.Context, k IdempotencyKey) error
	DropIdempotent(ctx context.Context, before time.Time) error
}

// SnapshotQuery is a SnapshotFilter with ids only.
type SnapshotQuery struct {
	RepositoryID fleet.RepositoryID
	HostID       fleet.HostID
	PlanID       fleet.PlanID
	Hostname     string
	Tag          string
	Cursor       string
	Limit        int
}

// SnapshotReader reads snapshots.
type SnapshotReader interface {
	// SnapshotPage reads newest first; short pages as with JobPage.
	SnapshotPage(ctx context.Context, q SnapshotQuery) (api.Page[fleet.Snapshot], error)
	// SnapshotsByPrefix gives at most limit snapshots whose id begins with prefix, of one repository or, with "", of all.
	SnapshotsByPrefix(ctx context.Context, repository fleet.RepositoryID, prefix string, limit int) ([]fleet.Snapshot, error)
}

// SnapshotListing is one part of what a job found in a repository.
type SnapshotListing struct {
	RepositoryID fleet.RepositoryID
	JobID        fleet.JobID
	JobRev       int64 // CreatedRev of the job: snapshots stored after it are not missed by the listing
	At           time.Time
	Part, Parts  int
	Snapshots    []fleet.Snapshot
}

// SnapshotWriter writes snapshots.
type SnapshotWriter interface {
	// PutSnapshot tells whether the snapshot was not known before. A snapshot without a host or plan gets those of its job, or the
	// one host that has its hostname.
	PutSnapshot(ctx context.Context, s fleet.Snapshot) (added bool, err error)
	// AdoptSnapshots gives a host the snapshots of its hostname that are nobody's.
	AdoptSnapshots(ctx context.Context, host fleet.HostID) error
	// ListSnapshots stores a part of a listing. With the last missing part, snapshots of the repository that no part named and
	// that were stored before the listing job are removed. A listing older than the newest whole one changes nothing.
	ListSnapshots(ctx context.Context, l SnapshotListing) error
}

// UserRecord is a user with the stored form of the password.
type UserRecord struct {
	api.User
	Password string
}

// SessionRecord is a signed-in person. Hash is that of the bearer token.
type SessionRecord struct {
	ID        string
	Hash      string
	UserID    fleet.UserID
	Remote    string
	CreatedAt time.Time
	ExpiresAt time.Time
}

// TokenRecord is an API token. Hash is that of the bearer token.
type TokenRecord struct {
	api.Token
	Hash string
}

// EnrolmentRecord is a single-use token for an agent.
type EnrolmentRecord struct {
	ID        string
	Hash      string
	HostID    fleet.HostID // enrol this host anew; "" for a new host, until it was used
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// AccessReader reads who may come in.
type AccessReader interface {
	User(ctx context.Context, id fleet.UserID) (UserRecord, error)
	UserByName(ctx context.Context, name string) (UserRecord, error)
	Users(ctx context.Context) ([]api.User, error) // by name
	SessionByHash(ctx context.Context, hash string) (SessionRecord, error)
	Tokens(ctx context.Context) ([]api.Token, error) // by name
	Token(ctx context.Context, id string) (TokenRecord, error)
	TokenByHash(ctx context.Context, hash string) (TokenRecord, error)
	EnrolmentByHash(ctx context.Context, hash string) (EnrolmentRecord, error)
	Enrolment(ctx context.Context, id string) (EnrolmentRecord, error)
	// Enrolments gives at most limit enrolment tokens, newest first, older than the one with the id before, or from the newest on.
	Enrolments(ctx context.Context, before string, limit int) ([]EnrolmentRecord, error)
}

// AccessWriter writes who may come in.
type AccessWriter interface {
	PutUser(ctx context.Context, u UserRecord) error
	DeleteUser(ctx context.Context, id fleet.UserID) error // with the user's sessions
	PutSession(ctx context.Context, s SessionRecord) error
	DeleteSession(ctx context.Context, id string) error
	// DeleteSessions ends all sessions of a user but one, and gives their number.
	DeleteSessions(ctx context.Context, user fleet.UserID, but string) (int64, error)
	DropAccess(ctx context.Context, before time.Time) error // sessions, API and enrolment tokens that ended before
	PutToken(ctx context.Context, t TokenRecord) error
	DeleteToken(ctx context.Context, id string) error
	TokenUsed(ctx context.Context, id string, at time.Time) error
	PutEnrolment(ctx context.Context, e EnrolmentRecord) error
	DeleteEnrolment(ctx context.Context, id string) error
	// EndEnrolments deletes the enrolment tokens by this maker that could still be used at now, and gives their number.
	EndEnrolments(ctx context.Context, createdBy string, now time.Time) (int64, error)
}

// AuditEntry is what is said of one change.
type AuditEntry struct {
	At     time.Time
	Actor  string
	Action string
	Object string
	Detail string
}

// AuditReader reads the hash chain.
type AuditReader interface {
	Audit(ctx context.Context, after int64, limit int) ([]api.AuditRow, error)
	// AuditBefore gives rows newest first.
	AuditBefore(ctx context.Context, before int64, limit int) ([]api.AuditRow, error)
	// VerifyAudit walks the chain and gives the first sequence number where it is broken, 0 when it is whole.
	VerifyAudit(ctx context.Context) (int64, error)
}
