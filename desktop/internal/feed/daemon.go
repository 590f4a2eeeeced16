package feed

import (
	"context"
	"io"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

// Daemon is what the console asks of a daemon. *apiclient.Client is the real one; package sample has one for pictures and tests.
// Errors are fault errors.
type Daemon interface {
	Streams
	Jobs
	Estate
	Access
	// Address is the daemon's address in its full form.
	Address() string
	Identity(ctx context.Context) (api.Identity, error)
	Overview(ctx context.Context, days int) (api.Overview, error)
	ChangePassword(ctx context.Context, r api.PasswordChange) error
	SignOut(ctx context.Context) error
	Close()
}

// Streams are the two that go on: see apiclient for their promises.
type Streams interface {
	Watch(ctx context.Context, opt apiclient.WatchOptions, h apiclient.WatchHandler) error
	Follow(ctx context.Context, job fleet.JobID, opt apiclient.FollowOptions, h apiclient.FollowHandler) error
}

// Jobs starts, finds and reads jobs.
type Jobs interface {
	StartJob(ctx context.Context, host string, r api.JobRequest, key string) (fleet.Job, error)
	Jobs(ctx context.Context, f apiclient.JobFilter) (api.Page[fleet.Job], error)
	Job(ctx context.Context, id fleet.JobID) (fleet.Job, error)
	CancelJob(ctx context.Context, id fleet.JobID) (fleet.Job, error)
	LogText(ctx context.Context, id fleet.JobID, after int64, w io.Writer) error
	LogLines(ctx context.Context, id fleet.JobID, after int64, take func(seq int64, line fleet.LogLine) error) error
	Snapshots(ctx context.Context, f apiclient.SnapshotFilter) (api.Page[fleet.Snapshot], error)
}

// Estate changes hosts, repositories and plans; what there is comes by the watch.
type Estate interface {
	CreateEnrolmentToken(ctx context.Context, r api.EnrolmentTokenRequest) (api.EnrolmentToken, error)
	EnrolmentTokens(ctx context.Context) ([]api.Enrolment, error)
	RevokeEnrolmentToken(ctx context.Context, id string) error
	RenameHost(ctx context.Context, host, name string) (fleet.Host, error)
	RevokeHost(ctx context.Context, id fleet.HostID) error
	PutSecret(ctx context.Context, host, repository, sealed string) error
	DeleteSecret(ctx context.Context, host, repository string) error
	AddRepository(ctx context.Context, r api.RepositoryRequest) (fleet.Repository, error)
	UpdateRepository(ctx context.Context, repository string, r api.RepositoryRequest) (fleet.Repository, error)
	DeleteRepository(ctx context.Context, repository string) error
	TestRepository(ctx context.Context, repository string, host fleet.HostID) (api.TestResult, error)
	AddPlan(ctx context.Context, r api.PlanRequest) (fleet.Plan, error)
	UpdatePlan(ctx context.Context, plan string, r api.PlanRequest) (fleet.Plan, error)
	DeletePlan(ctx context.Context, plan string) error
	PausePlan(ctx context.Context, plan string) (fleet.Plan, error)
	ResumePlan(ctx context.Context, plan string) (fleet.Plan, error)
}

// Access is who may do what.
type Access interface {
	Users(ctx context.Context) ([]api.User, error)
	CreateUser(ctx context.Context, r api.UserRequest) (api.User, error)
	ChangeUser(ctx context.Context, user string, r api.UserChange) (api.User, error)
	DeleteUser(ctx context.Context, id fleet.UserID) error
	Tokens(ctx context.Context) ([]api.Token, error)
	CreateToken(ctx context.Context, r api.TokenRequest) (api.Token, error)
	DeleteToken(ctx context.Context, id string) error
	NewestAudit(ctx context.Context, before int64, limit int) (api.Page[api.AuditRow], error)
}

var _ Daemon = (*apiclient.Client)(nil)
