package control_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// house is a Service over a real store, with small fakes of what surrounds it.
type house struct {
	*control.Service
	t        *testing.T
	ctx      context.Context
	store    *sqlite.Store
	logs     *fakeLogs
	dispatch *fakeDispatcher
	feed     *fakeFeed
	clock    *fakeClock
	admin    control.Actor
	path     string
	n        int
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, ctx: context.Background(), clock: &fakeClock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)},
		admin: control.Actor{Name: "ada", Role: fleet.RoleAdmin}}
	h.open(filepath.Join(t.TempDir(), "state.db"))
	return h
}

func (h *house) open(path string) {
	h.t.Helper()
	h.path = path
	store, err := sqlite.OpenStore(h.ctx, path, h.clock.Now())
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { store.Close() })
	h.store = store
	h.logs = &fakeLogs{at: map[fleet.JobID]fleet.LogPosition{}}
	h.dispatch = &fakeDispatcher{online: map[fleet.HostID]bool{}}
	h.feed = &fakeFeed{}
	h.Service = control.New(control.Config{
		Store: store, Logs: h.logs, Dispatcher: h.dispatch, Feed: h.feed, Clock: h.clock.Now,
		NewID: func() string { h.n++; return fmt.Sprintf("ID%08d", h.n) },
		Log:   slog.New(slog.NewTextHandler(io.Discard, nil)), Address: "https://daemon:8443", CAPin: "sha256:pin",
	})
}

// must fails the test on an error.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (h *house) ok(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// refused wants a fault with a code and a sentence that a person can act on.
func (h *house) refused(err error, code fault.Code) {
	h.t.Helper()
	if got := fault.CodeOf(err); got != code {
		h.t.Fatalf("got %q (%v), want %q", got, err, code)
	}
	if text, _ := fault.Message(err); len(text) < 20 || !strings.HasSuffix(strings.TrimRight(text, "`)"), ".") {
		h.t.Fatalf("not a sentence with the next step: %q", text)
	}
}

func facts(hostname string) agentwire.Facts {
	return agentwire.Facts{Hostname: hostname, OS: "linux", Arch: "amd64", AgentVersion: "1.0.0", ResticVersion: "0.19.1",
		SealingKey: "age1example", SecretStore: fleet.SecretsKeyring, RestoreRoot: "/var/lib/backstay-agent/restore"}
}

// enrol makes a host; with connect it is online as well.
func (h *house) enrol(name string) fleet.Host {
	h.t.Helper()
	token := must(h.CreateEnrolmentToken(h.ctx, h.admin, api.EnrolmentTokenRequest{}))(h.t)
	return must(h.Enrol(h.ctx, token.Token, facts(name)))(h.t)
}

func (h *house) connect(host fleet.Host, held ...agentwire.HeldJob) ([]agentwire.WelcomeJob, []fleet.Job) {
	h.t.Helper()
	h.dispatch.setOnline(host.ID, true)
	_, welcome, offer, err := h.AgentHello(h.ctx, host.AgentID, agentwire.Hello{AgentID: host.AgentID, Facts: facts(host.Hostname),
		Clock: h.clock.Now(), Jobs: held}, h.clock.Now())
	h.ok(err)
	return welcome, offer
}

func (h *house) disconnect(host fleet.Host) {
	h.t.Helper()
	h.dispatch.setOnline(host.ID, false)
	h.ok(h.AgentGone(h.ctx, host.ID))
}

func (h *house) repository(name string) fleet.Repository {
	h.t.Helper()
	return must(h.AddRepository(h.ctx, h.admin, api.RepositoryRequest{Name: name, URL: "rest:https://backup.example:8000/" + name + "/"}))(h.t)
}

func (h *house) plan(name string, repository fleet.Repository, hosts ...fleet.Host) fleet.Plan {
	h.t.Helper()
	req := api.PlanRequest{Name: name, RepositoryID: repository.ID, Backup: fleet.BackupSpec{Paths: []string{"/home"}, Tags: []string{"daily"}}}
	for _, v := range hosts {
		req.Hosts = append(req.Hosts, v.ID)
	}
	return must(h.AddPlan(h.ctx, h.admin, req))(h.t)
}

func (h *house) backup(host fleet.Host, repository fleet.Repository) fleet.Job {
	h.t.Helper()
	return must(h.StartJob(h.ctx, h.admin, string(host.ID), api.JobRequest{Kind: fleet.KindBackup, Repository: repository.Name,
		Paths: []string{"/home"}}, ""))(h.t)
}

// state reads a job's state.
func (h *house) state(id fleet.JobID) fleet.JobState { return h.job(id).State }

func (h *house) job(id fleet.JobID) fleet.Job {
	h.t.Helper()
	return must(h.Job(h.ctx, id))(h.t)
}

func (h *house) is(id fleet.JobID, want fleet.JobState) {
	h.t.Helper()
	if got := h.state(id); got != want {
		h.t.Fatalf("job %s is %s, want %s", id, got, want)
	}
}

// takeTo brings a queued job to a state as an agent would.
func (h *house) takeTo(job fleet.Job, state fleet.JobState) {
	h.t.Helper()
	h.ok(h.JobDispatched(h.ctx, job.ID))
	if state == fleet.StateDispatched {
		return
	}
	h.ok(h.JobAccepted(h.ctx, job.HostID, job.ID, fleet.StateAccepted))
	if state == fleet.StateAccepted {
		return
	}
	h.ok(h.JobStarted(h.ctx, job.HostID, job.ID, agentwire.JobStarted{At: h.clock.Now()}))
}

func (h *house) finished(state fleet.JobState) agentwire.JobFinished {
	code := 0
	return agentwire.JobFinished{Outcome: fleet.Outcome{State: state, ExitCode: &code, StartedAt: h.clock.Now().Add(-time.Minute), FinishedAt: h.clock.Now()}}
}

func (h *house) lastAudit() api.AuditRow {
	h.t.Helper()
	rows := must(h.Audit(h.ctx, 0, control.MaxPage))(h.t)
	if len(rows) == 0 {
		h.t.Fatal("no audit row")
	}
	return rows[len(rows)-1]
}

type fakeClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fakeClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fakeLogs has a log of a given length for each job, and remembers what was asked of it.
type fakeLogs struct {
	mu     sync.Mutex
	at     map[fleet.JobID]fleet.LogPosition
	rung   []fleet.JobID
	asked  int
	broken error
	onSeal func()
}

func (l *fakeLogs) Append(fleet.JobID, int64, []fleet.LogLine, func(int64)) (int64, error) {
	panic("the use cases append nothing")
}

func (l *fakeLogs) SetProgress(fleet.JobID, fleet.Progress) {}

func (l *fakeLogs) Durable(_ context.Context, job fleet.JobID) (fleet.LogPosition, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked++
	return l.at[job], l.broken
}

func (l *fakeLogs) Seal(_ context.Context, job fleet.JobID, want fleet.LogPosition) (bool, error) {
	l.mu.Lock()
	on := l.onSeal
	is, broken := l.at[job] == want, l.broken
	l.mu.Unlock()
	if on != nil {
		on()
	}
	return is, broken
}

func (l *fakeLogs) Notify(job fleet.JobID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rung = append(l.rung, job)
}

func (l *fakeLogs) set(job fleet.JobID, pos fleet.LogPosition) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.at[job] = pos
}

func (l *fakeLogs) wasRung(job fleet.JobID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Contains(l.rung, job)
}

type fakeDispatcher struct {
	mu         sync.Mutex
	online     map[fleet.HostID]bool
	offered    []fleet.JobID
	cancelled  []fleet.JobID
	configured []fleet.HostID
	cut        []fleet.HostID
	requests   []agentwire.Request
	answer     func(agentwire.Request) (agentwire.Reply, error)
}

func (d *fakeDispatcher) Offer(job fleet.Job) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.offered = append(d.offered, job.ID)
}

func (d *fakeDispatcher) Cancel(_ fleet.HostID, job fleet.JobID, _ string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cancelled = append(d.cancelled, job)
}

func (d *fakeDispatcher) Configure(host fleet.HostID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.configured = append(d.configured, host)
}

func (d *fakeDispatcher) Disconnect(host fleet.HostID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = append(d.cut, host)
	d.online[host] = false
}

func (d *fakeDispatcher) Online(host fleet.HostID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.online[host]
}

func (d *fakeDispatcher) setOnline(host fleet.HostID, online bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.online[host] = online
}

func (d *fakeDispatcher) Request(_ context.Context, _ fleet.HostID, r agentwire.Request) (agentwire.Reply, error) {
	d.mu.Lock()
	d.requests = append(d.requests, r)
	answer := d.answer
	d.mu.Unlock()
	if answer == nil {
		return agentwire.Reply{}, nil
	}
	return answer(r)
}

type fakeFeed struct {
	mu   sync.Mutex
	rows []api.Row
}

func (f *fakeFeed) Publish(rows ...api.Row) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.rows = append(f.rows, rows...)
}

// take gives the rows published since it was called last.
func (f *fakeFeed) take() []api.Row {
	f.mu.Lock()
	defer f.mu.Unlock()
	rows := f.rows
	f.rows = nil
	return rows
}

func listRequest() api.JobRequest {
	return api.JobRequest{Kind: fleet.KindSnapshots, Repository: "main"}
}

const password = "correct horse battery"

func (h *house) user(name string, role fleet.Role) api.User {
	h.t.Helper()
	return must(h.CreateUser(h.ctx, h.admin, api.UserRequest{Name: name, Password: password, Role: role}))(h.t)
}

// restart opens the same store with a new Service, as after a crash of the daemon.
func (h *house) restart() {
	h.t.Helper()
	h.ok(h.store.Close())
	h.open(h.path)
}

// holdsNone looks for texts in every file of the store.
func (h *house) holdsNone(texts ...string) {
	h.t.Helper()
	files, err := filepath.Glob(h.path + "*")
	h.ok(err)
	for _, file := range files {
		content, err := os.ReadFile(file)
		h.ok(err)
		for _, text := range texts {
			if bytes.Contains(content, []byte(text)) {
				h.t.Errorf("%s holds %q", filepath.Base(file), text)
			}
		}
	}
}

// manyQueued stores n queued jobs like one, in a single transaction.
func (h *house) manyQueued(like fleet.Job, n int) (made []fleet.JobID) {
	h.t.Helper()
	_, err := h.store.Update(h.ctx, func(w control.Writer) error {
		for i := range n {
			j := control.JobRecord{Job: like}
			j.ID = fleet.JobID(fmt.Sprintf("%s-%d", like.ID, i))
			made = append(made, j.ID)
			if err := w.PutJob(h.ctx, &j); err != nil {
				return err
			}
		}
		return nil
	})
	h.ok(err)
	return made
}
