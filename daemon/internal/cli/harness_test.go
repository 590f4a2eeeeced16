package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/keyring"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "write the golden files anew")

// now is the present of every test.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memoryKeyring is a keyring in memory; broken makes it one that does not answer.
type memoryKeyring struct {
	mu     sync.Mutex
	items  map[string]secret.Secret
	broken bool
}

func (k *memoryKeyring) do(f func() error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.broken {
		return fault.New(fault.SecretStore, "The OS keyring did not answer in time.")
	}
	return f()
}

func (k *memoryKeyring) Set(_ context.Context, service, user string, v secret.Secret) error {
	return k.do(func() error { k.items[service+"/"+user] = v; return nil })
}

func (k *memoryKeyring) Get(_ context.Context, service, user string) (v secret.Secret, err error) {
	err = k.do(func() error {
		var ok bool
		if v, ok = k.items[service+"/"+user]; !ok {
			return keyring.ErrNotFound
		}
		return nil
	})
	return v, err
}

func (k *memoryKeyring) Delete(_ context.Context, service, user string) error {
	return k.do(func() error { delete(k.items, service+"/"+user); return nil })
}

// typist is a person at a terminal, or with width 0 and no answers none.
type typist struct {
	width   int
	mu      sync.Mutex
	answers []string // to prompts, in order
}

func (p *typist) Interactive() bool { p.mu.Lock(); defer p.mu.Unlock(); return len(p.answers) > 0 }
func (p *typist) Width() int        { return p.width }

func (p *typist) next() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.answers[0]
	p.answers = p.answers[1:]
	if len(p.answers) == 0 {
		p.answers = []string{""} // still there, with nothing to say
	}
	return a, nil
}

func (p *typist) ReadPassword(context.Context) (string, error) { return p.next() }
func (p *typist) ReadLine(context.Context) (string, error)     { return p.next() }

// lab is a command line beside a daemon for tests.
type lab struct {
	t       *testing.T
	server  *apitest.Server
	keyring *memoryKeyring
	config  string
	vars    map[string]string
	width   int
}

type result struct {
	out, err string
	code     int
}

// newLab is signed in by its environment.
func newLab(t *testing.T) *lab {
	t.Helper()
	s, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	l := &lab{t: t, server: s, keyring: &memoryKeyring{items: map[string]secret.Secret{}}, config: filepath.Join(t.TempDir(), "config"), vars: map[string]string{}}
	l.vars["BACKSTAY_ADDRESS"], l.vars["BACKSTAY_PIN"], l.vars["BACKSTAY_TOKEN"] = s.Address(), l.pin(), apitest.Token
	return l
}

func (l *lab) pin() string { return pin.Of(l.server.CA()) }

func (l *lab) run(args ...string) result { return l.runWith(l.t.Context(), "", nil, args...) }

// input runs a command with something on standard input.
func (l *lab) input(stdin string, args ...string) result {
	return l.runWith(l.t.Context(), stdin, nil, args...)
}

// type runs a command at a terminal where a person types the answers.
func (l *lab) typed(answers []string, args ...string) result {
	return l.runWith(l.t.Context(), "", answers, args...)
}

func (l *lab) runWith(ctx context.Context, stdin string, answers []string, args ...string) result {
	l.t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(ctx, l.env(stdin, answers, &out, &errs), args)
	return result{l.stable(out.String()), l.stable(errs.String()), code}
}

func (l *lab) env(stdin string, answers []string, out, errs io.Writer) cli.Env {
	return cli.Env{In: strings.NewReader(stdin), Out: out, Err: errs, Getenv: func(name string) string { return l.vars[name] }, Config: l.config,
		Now: func() time.Time { return now }, Zone: time.UTC, Terminal: &typist{width: l.width, answers: answers}, Keyring: l.keyring}
}

// stable takes what differs from run to run out of an output.
func (l *lab) stable(s string) string {
	s = strings.ReplaceAll(s, l.server.Address(), "https://daemon:7443")
	return strings.ReplaceAll(s, l.pin(), "sha256:PIN")
}

func (l *lab) must(r result) result {
	l.t.Helper()
	if r.code != cli.ExitSucceeded {
		l.t.Fatalf("exit %d\n%s\n%s", r.code, r.out, r.err)
	}
	return r
}

// want checks an exit code and that standard error says something.
func (l *lab) want(r result, code int, says string) {
	l.t.Helper()
	if r.code != code || !strings.Contains(r.err, says) {
		l.t.Errorf("exit %d, want %d and %q\n%s\n%s", r.code, code, says, r.out, r.err)
	}
}

// golden compares with testdata/<name>.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	sharedtest.Golden(t, *update, filepath.Join("testdata", name+".golden"), []byte(got), "People read this: look at it as they do.")
}

// events decodes ndjson.
func events(t *testing.T, out string) []map[string]any {
	t.Helper()
	var all []map[string]any
	for line := range strings.SplitSeq(strings.TrimSpace(out), "\n") {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, m)
	}
	return all
}

func ago(d time.Duration) time.Time { return now.Add(-d) }

func ptr[T any](v T) *T { return &v }

const hostile = "evil\x1b[31m\u202egpj\n"

// aFleet fills the server with one of each.
func (l *lab) aFleet() {
	_, recipient, err := secret.NewIdentity()
	if err != nil {
		l.t.Fatal(err)
	}
	s := l.server
	s.Hosts = []fleet.Host{
		{ID: "h1", Name: "web-1", AgentID: "a1", Hostname: "web-1", OS: "linux", Arch: "amd64", AgentVersion: "1.2.3", ResticVersion: "0.19.1", SecretStore: fleet.SecretsKeyring,
			Secrets: []fleet.RepositoryID{"r1"}, SealingKey: recipient, RestoreRoot: "/var/lib/backstay-agent/restore", Online: true, EnrolledAt: ago(72 * time.Hour), LastSeenAt: ptr(ago(time.Second)),
			Backups:    []fleet.BackupMark{{JobID: "j1", State: fleet.StateSucceeded}, {JobID: "j0", State: fleet.StateSucceeded}, {JobID: "j2", State: fleet.StateFailed}},
			LastBackup: &fleet.BackupMark{JobID: "j0", State: fleet.StateSucceeded, At: ago(3 * time.Hour), Bytes: 5 << 30, Added: 12 << 20}},
		{ID: "h2", Name: "db" + hostile, AgentID: "a2", Hostname: "db", OS: "linux", Arch: "arm64", AgentVersion: "1.2.3", SecretStore: fleet.SecretsSealedFile,
			SealingKey: recipient, ClockSkewMS: -90_000, EnrolledAt: ago(100 * 24 * time.Hour), LastSeenAt: ptr(ago(3 * time.Hour))},
		{ID: "h3", Name: "old", OS: "windows", Arch: "amd64", AgentVersion: "1.0.0", SecretStore: fleet.SecretsKeyring, EnrolledAt: ago(time.Hour), RevokedAt: ptr(ago(time.Minute))},
	}
	s.Repositories = []fleet.Repository{{ID: "r1", Name: "nas", URL: "rest:https://nas.example/web/", CACert: "PEM", Options: map[string]string{"rest.connections": "10"}, CreatedAt: ago(time.Hour),
		SnapshotCount: 1284, ListedAt: ptr(ago(26 * time.Hour)), LastBackup: &fleet.JobMark{JobID: "j1", HostID: "h1", State: fleet.StateSucceeded, At: ago(3 * time.Hour)},
		LastCheck: &fleet.JobMark{JobID: "j3", HostID: "h1", State: fleet.StateFailed, Reason: fleet.ReasonWrongPassword, At: ago(30 * time.Minute)}},
		{ID: "r2", Name: "off\x9bsite", URL: "s3:https://s3.example/b", CreatedAt: ago(2 * time.Minute)}}
	s.Plans = []fleet.Plan{{ID: "p1", Name: "daily", RepositoryID: "r1", Hosts: []fleet.HostID{"h1", "h2"}, CreatedAt: ago(time.Hour),
		Backup: fleet.BackupSpec{Paths: []string{"/srv", "/etc/日本"}, Excludes: []string{"*.tmp"}, Tags: []string{"t"}, ExcludeCaches: true}}}
	s.Snapshots = []fleet.Snapshot{
		{ID: "1a2b3c4d5e6f", RepositoryID: "r1", Time: ago(time.Hour), Hostname: "web-1", Paths: []string{"/srv"}, Tags: []string{"job:j1", "plan:p1", "t"}, JobID: "j1", PlanID: "p1", HostID: "h1", BytesProcessed: 5 << 30, BytesAdded: 12 << 20},
		{ID: "99", RepositoryID: "gone", Time: ago(30 * 24 * time.Hour), Hostname: hostile, Paths: []string{"/a", hostile}}}
	s.Users = []api.User{{ID: "u1", Name: "admin", Role: fleet.RoleAdmin, CreatedAt: ago(time.Hour)}}
	s.Tokens = []api.Token{{ID: "t1", Name: "ci", Role: fleet.RoleOperator, CreatedBy: "admin", CreatedAt: ago(time.Hour), ExpiresAt: ptr(now.Add(90 * time.Minute))}}
	s.Enrolments = []api.Enrolment{{ID: "e3", CreatedBy: "admin", CreatedAt: ago(time.Minute), ExpiresAt: now.Add(59 * time.Minute)},
		{ID: "e2", HostID: "h1", CreatedBy: "token:ci", CreatedAt: ago(72 * time.Hour), ExpiresAt: ago(71 * time.Hour), UsedAt: ptr(ago(72 * time.Hour))},
		{ID: "e1", HostID: "h3", CreatedBy: hostile, CreatedAt: ago(73 * time.Hour), ExpiresAt: ago(72 * time.Hour)}}
	s.Audit = []api.AuditRow{{Seq: 1, At: ago(time.Hour), Actor: "admin", Action: "host.enrol", Object: "h1", Hash: "x"},
		{Seq: 2, At: ago(time.Minute), Actor: "token:ci", Action: "job.create", Object: "j1", Detail: hostile, Hash: "y"}}
	s.Overview = api.Overview{AsOf: now, Last24h: api.BackupCounts{Succeeded: 1890, Warning: 3, Failed: 2}, Days: []api.BackupDay{
		{Day: "2026-02-27"}, {Day: "2026-02-28", BackupCounts: api.BackupCounts{Succeeded: 1893, Warning: 41, Failed: 12, Cancelled: 3, BytesAdded: 57 << 30}}, {Day: "2026-03-01"}}}
	l.someJobs()
}

func (l *lab) someJobs() {
	job := func(id fleet.JobID, kind fleet.JobKind, state fleet.JobState, age time.Duration) fleet.Job {
		return fleet.Job{ID: id, HostID: "h1", Kind: kind, RepositoryID: "r1", State: state, CreatedBy: "admin", CreatedAt: ago(age), UpdatedAt: ago(age)}
	}
	ended := func(j fleet.Job, took time.Duration, o fleet.Outcome) fleet.Job {
		o.State, o.StartedAt, o.FinishedAt = j.State, j.CreatedAt, j.CreatedAt.Add(took)
		j.StartedAt, j.FinishedAt, j.Outcome, j.LogSealed = &o.StartedAt, &o.FinishedAt, &o, true
		j.Log = fleet.LogPosition{LastSeq: 1234, Bytes: 98765}
		return j
	}
	ok := ended(job("j1", fleet.KindBackup, fleet.StateSucceeded, 3*time.Hour), 8*time.Second, fleet.Outcome{ExitCode: ptr(0), Summary: &fleet.Summary{Backup: &fleet.BackupSummary{
		SnapshotID: "1a2b3c4d5e6f", FilesNew: 64, FilesChanged: 3, FilesUnmodified: 12345, TotalBytesProcessed: 5 << 30, DataAdded: 12 << 20, DataAddedPacked: 11 << 20}}})
	ok.PlanID, ok.Spec.Backup = "p1", &fleet.BackupSpec{Paths: []string{"/srv"}, Verbose: true}
	warning := ended(job("j2", fleet.KindBackup, fleet.StateWarning, 2*time.Hour), 65*time.Second, fleet.Outcome{ExitCode: ptr(3), Reason: fleet.ReasonSourceUnreadable, Errors: 14,
		Message:    "Some files could not be read. Give the agent's account the right to read them.",
		Unreadable: []string{"/srv/" + hostile, "/2", "/3", "/4", "/5", "/6", "/7", "/8", "/9", "/10", "/11"},
		Summary:    &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: "9f8e7d6c5b4a", DataAdded: 1000}}})
	failed := ended(job("j3", fleet.KindCheck, fleet.StateFailed, 90*time.Minute), time.Hour, fleet.Outcome{ExitCode: ptr(12), Reason: fleet.ReasonWrongPassword,
		Message: "The password does not open the repository. Store the right one: backstay repo secret."})
	running := job("j4", fleet.KindRestore, fleet.StateRunning, 90*time.Second)
	running.StartedAt, running.CancelRequested = ptr(ago(80*time.Second)), true
	running.Spec.Restore = &fleet.RestoreSpec{SnapshotID: "1a2b3c4d5e6f", Includes: []string{"/etc/nginx"}}
	for _, j := range []fleet.Job{ok, warning, failed, running, job("j5", fleet.KindInit, fleet.StateQueued, 0)} {
		l.server.AddJob(j)
	}
}
