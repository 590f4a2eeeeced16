package apiclient

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// testTimeout bounds TestRepository: the host gives the repository 30 s to answer.
const testTimeout = 45 * time.Second

// Ready asks whether the daemon serves: nil when it does. It is tried once and needs no token.
func (c *Client) Ready(ctx context.Context) error {
	return c.do(ctx, call{method: http.MethodGet, path: "/readyz", once: true}, nil)
}

// SignIn exchanges a password for a session, whose token goes into Config.Token or WithToken.
func (c *Client) SignIn(ctx context.Context, r api.SessionRequest) (api.Session, error) {
	return send[api.Session](ctx, c, http.MethodPost, r, "session")
}

// SignOut ends the session of the token.
func (c *Client) SignOut(ctx context.Context) error { return c.remove(ctx, "session") }

// ChangePassword changes the password of who is signed in, and ends their other sessions.
func (c *Client) ChangePassword(ctx context.Context, r api.PasswordChange) error {
	return c.do(ctx, call{method: http.MethodPost, path: route("session", "password"), body: r}, nil)
}

// Identity tells who the bearer of the token is, and about the daemon.
func (c *Client) Identity(ctx context.Context) (api.Identity, error) {
	return get[api.Identity](ctx, c, nil, "session")
}

// Overview gives how the backups of the last days ended, 30 days when 0.
func (c *Client) Overview(ctx context.Context, days int) (api.Overview, error) {
	q := url.Values{}
	if days != 0 {
		q.Set("days", strconv.Itoa(days))
	}
	return get[api.Overview](ctx, c, q, "overview")
}

// Hosts gives all hosts by name.
func (c *Client) Hosts(ctx context.Context) ([]fleet.Host, error) {
	return list[fleet.Host](ctx, c, "hosts")
}

// Host gives one host by id or name.
func (c *Client) Host(ctx context.Context, host string) (fleet.Host, error) {
	return get[fleet.Host](ctx, c, nil, "hosts", host)
}

// RenameHost gives a host another name.
func (c *Client) RenameHost(ctx context.Context, host, name string) (fleet.Host, error) {
	return send[fleet.Host](ctx, c, http.MethodPatch, api.HostChange{Name: name}, "hosts", host)
}

// RevokeHost ends the trust in a host's agent.
func (c *Client) RevokeHost(ctx context.Context, id fleet.HostID) error {
	return c.remove(ctx, "hosts", string(id))
}

// PutSecret hands credentials, sealed to the host's key by package secret, on to the host.
func (c *Client) PutSecret(ctx context.Context, host, repository, sealed string) error {
	return c.do(ctx, call{method: http.MethodPut, path: route("hosts", host, "secrets", repository), body: api.SecretRequest{Sealed: sealed}, timeout: testTimeout}, nil)
}

// DeleteSecret lets the host forget the credentials of a repository.
func (c *Client) DeleteSecret(ctx context.Context, host, repository string) error {
	return c.do(ctx, call{method: http.MethodDelete, path: route("hosts", host, "secrets", repository), timeout: testTimeout}, nil)
}

// CreateEnrolmentToken makes a single-use token for an agent.
func (c *Client) CreateEnrolmentToken(ctx context.Context, r api.EnrolmentTokenRequest) (api.EnrolmentToken, error) {
	return send[api.EnrolmentToken](ctx, c, http.MethodPost, r, "enrolment-tokens")
}

// EnrolmentTokens gives the enrolment tokens of the last days, newest first, without what they are spent with.
func (c *Client) EnrolmentTokens(ctx context.Context) ([]api.Enrolment, error) {
	return list[api.Enrolment](ctx, c, "enrolment-tokens")
}

// RevokeEnrolmentToken makes an enrolment token that was not used useless.
func (c *Client) RevokeEnrolmentToken(ctx context.Context, id string) error {
	return c.remove(ctx, "enrolment-tokens", id)
}

// Repositories gives all repositories by name.
func (c *Client) Repositories(ctx context.Context) ([]fleet.Repository, error) {
	return list[fleet.Repository](ctx, c, "repositories")
}

// Repository gives one repository by id or name.
func (c *Client) Repository(ctx context.Context, repository string) (fleet.Repository, error) {
	return get[fleet.Repository](ctx, c, nil, "repositories", repository)
}

// AddRepository makes a repository known; nothing is created at its URL.
func (c *Client) AddRepository(ctx context.Context, r api.RepositoryRequest) (fleet.Repository, error) {
	return send[fleet.Repository](ctx, c, http.MethodPost, r, "repositories")
}

// UpdateRepository replaces what the daemon knows of a repository.
func (c *Client) UpdateRepository(ctx context.Context, repository string, r api.RepositoryRequest) (fleet.Repository, error) {
	return send[fleet.Repository](ctx, c, http.MethodPut, r, "repositories", repository)
}

// DeleteRepository lets the daemon forget a repository; what is in it stays.
func (c *Client) DeleteRepository(ctx context.Context, repository string) error {
	return c.remove(ctx, "repositories", repository)
}

// TestRepository asks a host whether it can open the repository.
func (c *Client) TestRepository(ctx context.Context, repository string, host fleet.HostID) (api.TestResult, error) {
	var v api.TestResult
	err := c.do(ctx, call{method: http.MethodPost, path: route("repositories", repository, "test"), body: api.TestRequest{HostID: host}, timeout: testTimeout}, &v)
	return v, err
}

// Plans gives all plans by name.
func (c *Client) Plans(ctx context.Context) ([]fleet.Plan, error) {
	return list[fleet.Plan](ctx, c, "plans")
}

// Plan gives one plan by id or name.
func (c *Client) Plan(ctx context.Context, plan string) (fleet.Plan, error) {
	return get[fleet.Plan](ctx, c, nil, "plans", plan)
}

// AddPlan stores a plan.
func (c *Client) AddPlan(ctx context.Context, r api.PlanRequest) (fleet.Plan, error) {
	return send[fleet.Plan](ctx, c, http.MethodPost, r, "plans")
}

// UpdatePlan replaces a plan.
func (c *Client) UpdatePlan(ctx context.Context, plan string, r api.PlanRequest) (fleet.Plan, error) {
	return send[fleet.Plan](ctx, c, http.MethodPut, r, "plans", plan)
}

// PausePlan lets no slot of the plan's schedule count until it is resumed.
func (c *Client) PausePlan(ctx context.Context, plan string) (fleet.Plan, error) {
	return send[fleet.Plan](ctx, c, http.MethodPost, nil, "plans", plan, "pause")
}

// ResumePlan lets the plan's schedule go on with its next slot.
func (c *Client) ResumePlan(ctx context.Context, plan string) (fleet.Plan, error) {
	return send[fleet.Plan](ctx, c, http.MethodPost, nil, "plans", plan, "resume")
}

// NextRuns gives the next slots of a plan's schedule, and with a host when that one begins them; 5 when count is 0.
func (c *Client) NextRuns(ctx context.Context, plan, host string, count int) (api.NextRuns, error) {
	q := query("host", host)
	if count != 0 {
		q.Set("count", strconv.Itoa(count))
	}
	return get[api.NextRuns](ctx, c, q, "plans", plan, "next-runs")
}

// DeletePlan removes a plan; its jobs and snapshots stay.
func (c *Client) DeletePlan(ctx context.Context, plan string) error {
	return c.remove(ctx, "plans", plan)
}

// StartJob queues a job on a host, which is named by id or name. With an empty key a random one is made for this call, so that
// a repeated try never starts a second job.
func (c *Client) StartJob(ctx context.Context, host string, r api.JobRequest, key string) (fleet.Job, error) {
	if key == "" {
		key = rand.Text()
	}
	var v fleet.Job
	err := c.do(ctx, call{method: http.MethodPost, path: route("hosts", host, "jobs"), body: r, key: key}, &v)
	return v, err
}

// JobFilter chooses jobs; zero members choose all. Ids may be names as well.
type JobFilter struct {
	States     []fleet.JobState
	Kind       fleet.JobKind
	Host       string
	Plan       string
	Repository string
	Text       string
	Cursor     string // Page.Next of the page before
	Limit      int
}

// Jobs gives a page of jobs, newest first. A page may be short, even empty, and still name a next one.
func (c *Client) Jobs(ctx context.Context, f JobFilter) (api.Page[fleet.Job], error) {
	q := query("kind", string(f.Kind), "host", f.Host, "plan", f.Plan, "repository", f.Repository, "text", f.Text, "cursor", f.Cursor)
	for _, s := range f.States {
		q.Add("state", string(s))
	}
	setLimit(q, f.Limit)
	return get[api.Page[fleet.Job]](ctx, c, q, "jobs")
}

// Job gives one job.
func (c *Client) Job(ctx context.Context, id fleet.JobID) (fleet.Job, error) {
	return get[fleet.Job](ctx, c, nil, "jobs", string(id))
}

// CancelJob asks for the end of a job.
func (c *Client) CancelJob(ctx context.Context, id fleet.JobID) (fleet.Job, error) {
	return send[fleet.Job](ctx, c, http.MethodPost, nil, "jobs", string(id), "cancel")
}

// SnapshotFilter chooses snapshots; zero members choose all.
type SnapshotFilter struct {
	Repository string // id or name
	Host       string // id or name
	Plan       string // id or name
	Hostname   string // as restic has it
	Tag        string
	Cursor     string
	Limit      int
}

// Snapshots gives a page of snapshots, newest first. A page may be short, even empty, and still name a next one.
func (c *Client) Snapshots(ctx context.Context, f SnapshotFilter) (api.Page[fleet.Snapshot], error) {
	q := query("repository", f.Repository, "host", f.Host, "plan", f.Plan, "hostname", f.Hostname, "tag", f.Tag, "cursor", f.Cursor)
	setLimit(q, f.Limit)
	return get[api.Page[fleet.Snapshot]](ctx, c, q, "snapshots")
}

// Users gives all users by name.
func (c *Client) Users(ctx context.Context) ([]api.User, error) {
	return list[api.User](ctx, c, "users")
}

// CreateUser adds a person who may sign in.
func (c *Client) CreateUser(ctx context.Context, r api.UserRequest) (api.User, error) {
	return send[api.User](ctx, c, http.MethodPost, r, "users")
}

// ChangeUser gives a user, named by id or name, another role or password, or both.
func (c *Client) ChangeUser(ctx context.Context, user string, r api.UserChange) (api.User, error) {
	return send[api.User](ctx, c, http.MethodPatch, r, "users", user)
}

// DeleteUser removes a user with all sessions, API tokens and unused enrolment tokens.
func (c *Client) DeleteUser(ctx context.Context, id fleet.UserID) error {
	return c.remove(ctx, "users", string(id))
}

// Tokens gives all API tokens, without their secrets.
func (c *Client) Tokens(ctx context.Context) ([]api.Token, error) {
	return list[api.Token](ctx, c, "tokens")
}

// CreateToken makes an API token; its secret is in this answer only.
func (c *Client) CreateToken(ctx context.Context, r api.TokenRequest) (api.Token, error) {
	return send[api.Token](ctx, c, http.MethodPost, r, "tokens")
}

// DeleteToken revokes an API token.
func (c *Client) DeleteToken(ctx context.Context, id string) error {
	return c.remove(ctx, "tokens", id)
}

// Audit gives at most limit rows of the audit log after a sequence number, oldest first.
func (c *Client) Audit(ctx context.Context, after int64, limit int) (api.Page[api.AuditRow], error) {
	q := url.Values{}
	if after > 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	setLimit(q, limit)
	return get[api.Page[api.AuditRow]](ctx, c, q, "audit")
}

// NewestAudit gives at most limit rows of the audit log, newest first, before a sequence number or, with 0, from the newest on.
func (c *Client) NewestAudit(ctx context.Context, before int64, limit int) (api.Page[api.AuditRow], error) {
	q := query("order", "newest")
	if before > 0 {
		q.Set("after", strconv.FormatInt(before, 10))
	}
	setLimit(q, limit)
	return get[api.Page[api.AuditRow]](ctx, c, q, "audit")
}

// query makes a query of names and values, empty values left out.
func query(namesAndValues ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			q.Set(namesAndValues[i], namesAndValues[i+1])
		}
	}
	return q
}

func setLimit(q url.Values, limit int) {
	if limit > 0 {
		q.Set("limit", strconv.Itoa(limit))
	}
}
