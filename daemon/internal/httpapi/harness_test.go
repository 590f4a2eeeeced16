package httpapi_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/httpapi"
	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/daemon/internal/watch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is the API over the real parts: store, logs, feed, use cases, TLS sockets. Only the agents are played.
type house struct {
	*control.Service
	t      testing.TB
	ctx    context.Context
	api    *httpapi.Server
	srv    *httptest.Server
	wire   *cutter
	store  *sqlite.Store
	logs   *joblog.Store
	feed   *watch.Feed
	log    *syncBuffer
	agents *agents
	admin  control.Actor
	tokens map[fleet.Role]api.Token
	host   fleet.Host
	repo   fleet.Repository
}

// option changes the Config before the server is made.
type option func(*httpapi.Config)

func newHouse(t testing.TB, opts ...option) *house {
	t.Helper()
	h := &house{t: t, ctx: context.Background(), log: &syncBuffer{}, agents: &agents{}, admin: control.Actor{Name: "system", Role: fleet.RoleAdmin},
		tokens: map[fleet.Role]api.Token{}}
	log := slog.New(slog.NewTextHandler(h.log, nil))
	dir := t.TempDir()
	store, err := sqlite.OpenStore(h.ctx, filepath.Join(dir, "state.db"), time.Now())
	h.must(err)
	t.Cleanup(func() { h.must(store.Close()) })
	h.store = store
	h.logs, err = joblog.Open(joblog.Config{Dir: dir, Log: log})
	h.must(err)
	t.Cleanup(func() { h.must(h.logs.Close()) })
	h.feed = watch.New(watch.Config{})
	h.Service = control.New(control.Config{Store: store, Logs: h.logs, Feed: h.feed, Dispatcher: h.agents, Log: log,
		Address: "https://daemon.test:7443", CAPin: "sha256:pin"})
	cfg := httpapi.Config{Control: h.Service, Logs: h.logs, Feed: h.feed, Log: log, AllowedHosts: []string{"daemon.test"},
		Daemon: api.DaemonInfo{Version: "1.2.3", CAPin: "sha256:pin"}, PollTokens: 20 * time.Millisecond}
	for _, o := range opts {
		o(&cfg)
	}
	h.api = httpapi.New(cfg)
	h.srv = httptest.NewUnstartedServer(h.api)
	httpapi.Harden(h.srv.Config)
	h.wire = &cutter{Listener: h.srv.Listener, open: map[net.Conn]struct{}{}}
	h.srv.Listener = h.wire
	h.srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	h.srv.StartTLS()
	t.Cleanup(h.stop)
	for _, role := range []fleet.Role{fleet.RoleViewer, fleet.RoleOperator, fleet.RoleAdmin} {
		h.tokens[role], err = h.CreateToken(h.ctx, h.admin, api.TokenRequest{Name: string(role), Role: role})
		h.must(err)
	}
	h.enrol()
	return h
}

func (h *house) stop() {
	h.api.Close()
	h.srv.Close()
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// enrol makes a host and a repository.
func (h *house) enrol() {
	h.t.Helper()
	token, err := h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{})
	h.must(err)
	h.host, err = h.Enrol(h.ctx, token.Token, agentwire.Facts{Hostname: "web1", OS: "linux", Arch: "amd64", AgentVersion: "1.2.3",
		ResticVersion: "0.19.1", SealingKey: "age1host", SecretStore: fleet.SecretsSealedFile, RestoreRoot: "/var/restore"})
	h.must(err)
	h.repo, err = h.AddRepository(h.ctx, h.admin, api.RepositoryRequest{Name: "offsite", URL: "/srv/repo"})
	h.must(err)
}

// start queues a backup and lets the agent run it.
func (h *house) start() fleet.Job {
	h.t.Helper()
	job, err := h.StartJob(h.ctx, h.admin, "web1", api.JobRequest{Kind: fleet.KindBackup, Repository: "offsite", Paths: []string{"/etc"}}, "")
	h.must(err)
	return job
}

func (h *house) run(job fleet.Job) {
	h.t.Helper()
	h.must(h.JobDispatched(h.ctx, job.ID))
	h.must(h.JobAccepted(h.ctx, h.host.ID, job.ID, fleet.StateAccepted))
	h.must(h.JobStarted(h.ctx, h.host.ID, job.ID, agentwire.JobStarted{At: time.Now()}))
}

// write appends lines from..to ("line 7") to a job's log.
func (h *house) write(job fleet.Job, from, to int64) {
	h.t.Helper()
	for from <= to {
		var lines []fleet.LogLine
		for n := from; n <= to && len(lines) < 100; n++ {
			lines = append(lines, line(n))
		}
		_, err := h.logs.Append(job.ID, from, lines, func(int64) {})
		h.must(err)
		from += int64(len(lines))
	}
}

func line(n int64) fleet.LogLine {
	return fleet.LogLine{Time: time.Unix(1_800_000_000+n, 0).UTC(), Stream: fleet.StreamOut, Text: fmt.Sprintf("line %d", n)}
}

func position(lines int64) fleet.LogPosition {
	var p fleet.LogPosition
	for n := int64(1); n <= lines; n++ {
		p = p.Add(line(n))
	}
	return p
}

// finish ends a job whose log has so many lines.
func (h *house) finish(job fleet.Job, lines int64) {
	h.t.Helper()
	h.must(h.JobFinished(h.ctx, h.host.ID, job.ID, agentwire.JobFinished{Log: position(lines),
		Outcome: fleet.Outcome{State: fleet.StateSucceeded, StartedAt: time.Now(), FinishedAt: time.Now()}}))
}

// saved ends a backup that left a snapshot.
func (h *house) saved(job fleet.Job, snapshot string) {
	h.t.Helper()
	h.must(h.JobFinished(h.ctx, h.host.ID, job.ID, agentwire.JobFinished{Outcome: fleet.Outcome{State: fleet.StateSucceeded, StartedAt: time.Now(), FinishedAt: time.Now(),
		Summary: &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: fleet.SnapshotID(snapshot)}}}}))
}

// client is the shared client with the token of a role, over TLS.
func (h *house) client(role fleet.Role) *apiclient.Client {
	h.t.Helper()
	c, err := apiclient.New(apiclient.Config{Address: h.srv.URL, Token: h.tokens[role].Secret, TLS: h.tls(), Timeout: 10 * time.Second})
	h.must(err)
	h.t.Cleanup(c.Close)
	return c
}

func (h *house) tls() *tls.Config {
	cfg := h.srv.Client().Transport.(*http.Transport).TLSClientConfig.Clone()
	cfg.ServerName = "example.com" // of httptest's certificate
	return cfg
}

// answer is one answer, read whole.
type answer struct {
	status int
	header http.Header
	body   string
}

func (a answer) problem(t testing.TB) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("status %d is not problem JSON: %v\n%s", a.status, err, a.body)
	}
	if ct := a.header.Get("Content-Type"); ct != "application/problem+json" {
		t.Errorf("Content-Type %q", ct)
	}
	if p.Status != a.status || p.Title == "" || p.Detail == "" || p.Code == "" {
		t.Errorf("status %d with problem %+v", a.status, p)
	}
	return p
}

// ask makes one request; path is below the server's address.
func (h *house) ask(method, path string, role fleet.Role, body string, change ...func(*http.Request)) answer {
	h.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(h.ctx, method, h.srv.URL+path, content)
	h.must(err)
	if role != "" {
		req.Header.Set("Authorization", "Bearer "+h.tokens[role].Secret)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for _, c := range change {
		c(req)
	}
	return h.send(req)
}

func (h *house) send(req *http.Request) answer {
	h.t.Helper()
	resp, err := h.srv.Client().Do(req)
	h.must(err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	h.must(err)
	return answer{resp.StatusCode, resp.Header, string(b)}
}

// agents plays the dispatcher: every host is online and every request is answered well.
type agents struct {
	mu       sync.Mutex
	offered  []fleet.JobID
	requests []agentwire.Request
}

func (a *agents) Offer(job fleet.Job) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.offered = append(a.offered, job.ID)
}
func (a *agents) Cancel(fleet.HostID, fleet.JobID, string) {}
func (a *agents) Configure(fleet.HostID)                   {}
func (a *agents) Disconnect(fleet.HostID)                  {}
func (a *agents) Online(fleet.HostID) bool                 { return true }
func (a *agents) Request(_ context.Context, _ fleet.HostID, r agentwire.Request) (agentwire.Reply, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.requests = append(a.requests, r)
	return agentwire.Reply{}, nil
}

// syncBuffer is a log that may be read while it is written.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// cutter is a listener that can cut all its connections, sockets included.
type cutter struct {
	net.Listener
	mu   sync.Mutex
	open map[net.Conn]struct{}
}

func (c *cutter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open[conn] = struct{}{}
	return conn, nil
}

func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		conn.Close()
	}
	clear(c.open)
}
