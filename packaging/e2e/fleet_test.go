//go:build !windows

package e2e

import (
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// fleetOf is one daemon with one enrolled agent and a signed-in administrator.
type fleetOf struct {
	t        testing.TB
	dir      string
	address  string // the daemon's, https://…
	listen   string
	pin      string
	token    string // the administrator's
	password string // the administrator's
	daemon   *process
	agent    *process
	client   *apiclient.Client
	host     fleet.Host
	opts     options
}

// options of a fleet. The zero value is a daemon and an agent with the pinned restic and a sealed file for secrets.
type options struct {
	restic      string   // path; the pinned one when empty
	agentServer string   // address the agent dials instead of the daemon's own: a proxy's
	agentUID    uint32   // runs the agent under this account
	agentEnv    []string // replaces the agent's environment
	agentArgs   []string // further arguments of enrol
	listen      string   // address of the daemon; a free one when empty
	agentData   string   // data folder of the agent, one below the test's own when empty
	grace       string   // time between SIGTERM and SIGKILL, for the agent's own file
	noAgent     bool
}

func daemonBin(t testing.TB) string { return sharedtest.Build(t, "daemon/cmd/backstayd") }
func cliBin(t testing.TB) string    { return sharedtest.Build(t, "daemon/cmd/backstay") }
func agentBin(t testing.TB) string  { return sharedtest.Build(t, "agent/cmd/backstay-agent") }

func (f *fleetOf) daemonDir() string { return filepath.Join(f.dir, "daemon") }

func (f *fleetOf) agentDir() string {
	if f.opts.agentData != "" {
		return f.opts.agentData
	}
	return filepath.Join(f.dir, "host", "agent") // its key folder lies beside it
}

// newFleet starts all and waits until the host is online.
func newFleet(t testing.TB, opts options) *fleetOf {
	t.Helper()
	if opts.restic == "" {
		opts.restic = sharedtest.Restic(t)
	}
	f := &fleetOf{t: t, dir: shortTemp(t), listen: freeAddress(t), opts: opts, password: "admin-" + rand.Text()}
	if opts.listen != "" {
		f.listen = opts.listen
	}
	f.address = "https://" + f.listen
	must(t, f.password+"\n", cleanEnv(f.dir), daemonBin(t), "user", "add", "admin", "--role", "admin", "--password-stdin", "--data", f.daemonDir())
	f.startDaemon()
	f.signIn()
	if opts.noAgent {
		return f
	}
	f.enrol()
	f.startAgent()
	f.waitOnline(true)
	return f
}

// shortTemp is a temporary folder that any account may pass through: t.TempDir lies below a folder of the test's own account.
func shortTemp(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "bst-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// cleanEnv is an environment without anything of the machine's but PATH.
func cleanEnv(home string, more ...string) []string {
	return append([]string{"HOME=" + home, "PATH=" + os.Getenv("PATH"), "LANG=C.UTF-8"}, more...)
}

func (f *fleetOf) startDaemon() {
	f.t.Helper()
	cmd := exec.Command(daemonBin(f.t), "serve", "--data", f.daemonDir(), "--listen", f.listen)
	cmd.Env = cleanEnv(f.dir)
	f.daemon = start(f.t, cmd)
	sharedtest.Eventually(f.t, 30*time.Second, "daemon is ready", func() bool {
		if !f.daemon.running() {
			f.t.Fatalf("daemon ended: %v\n%s", f.daemon.err, f.daemon.output())
		}
		if f.pin == "" {
			found, err := pin.Fetch(f.t.Context(), f.address)
			if err != nil {
				return false
			}
			f.pin = found
		}
		c, err := apiclient.New(apiclient.Config{Address: f.address, Pin: f.pin})
		if err != nil {
			f.t.Fatal(err)
		}
		defer c.Close()
		return c.Ready(f.t.Context()) == nil
	})
}

func (f *fleetOf) signIn() {
	f.t.Helper()
	anonymous, err := apiclient.New(apiclient.Config{Address: f.address, Pin: f.pin})
	if err != nil {
		f.t.Fatal(err)
	}
	defer anonymous.Close()
	session, err := anonymous.SignIn(f.t.Context(), api.SessionRequest{User: "admin", Password: f.password})
	if err != nil {
		f.t.Fatal(err)
	}
	f.token = session.Token
	f.client, err = apiclient.New(apiclient.Config{Address: f.address, Pin: f.pin, Token: session.Token})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { f.client.Close() })
}

// credential runs a command under the agent's account.
func (f *fleetOf) credential(cmd *exec.Cmd) *exec.Cmd {
	if f.opts.agentUID != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: f.opts.agentUID, Gid: f.opts.agentUID}}
	}
	return cmd
}

func (f *fleetOf) agentEnv() []string {
	if f.opts.agentEnv != nil {
		return f.opts.agentEnv
	}
	return cleanEnv(f.dir)
}

func (f *fleetOf) enrol() {
	f.t.Helper()
	token, err := f.client.CreateEnrolmentToken(f.t.Context(), api.EnrolmentTokenRequest{})
	if err != nil {
		f.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(f.agentDir()), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if f.opts.agentUID != 0 {
		if err := os.Chown(filepath.Dir(f.agentDir()), int(f.opts.agentUID), int(f.opts.agentUID)); err != nil {
			f.t.Fatal(err)
		}
	}
	server := f.opts.agentServer
	if server == "" {
		server = f.address
	}
	args := append([]string{"enrol", "--data", f.agentDir(), "--server", server, "--token", token.Token, "--pin", token.CAPin, "--restic", f.opts.restic}, f.opts.agentArgs...)
	if !strings.Contains(strings.Join(f.opts.agentArgs, " "), "--secrets") {
		args = append(args, "--secrets", string(fleet.SecretsSealedFile))
	}
	cmd := f.credential(exec.Command(agentBin(f.t), args...))
	cmd.Env = f.agentEnv()
	if out, err := cmd.CombinedOutput(); err != nil {
		f.t.Fatalf("enrol: %v\n%s", err, out)
	}
	if f.opts.grace != "" {
		f.appendTo(filepath.Join(f.agentDir(), "agent.toml"), "cancel_grace = \""+f.opts.grace+"\"\n")
	}
}

func (f *fleetOf) appendTo(path, text string) {
	f.t.Helper()
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, append(b, text...), 0o600)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleetOf) startAgent() {
	f.t.Helper()
	cmd := f.credential(exec.Command(agentBin(f.t), "run", "--data", f.agentDir()))
	cmd.Env = f.agentEnv()
	f.agent = start(f.t, cmd)
}

// waitOnline waits until the daemon sees the host's agent (or no longer sees it) and keeps the host's row.
func (f *fleetOf) waitOnline(online bool) {
	f.t.Helper()
	sharedtest.Eventually(f.t, 60*time.Second, "host is seen", func() bool {
		hosts, err := f.client.Hosts(f.t.Context())
		if err != nil || len(hosts) == 0 {
			return false
		}
		f.host = hosts[0]
		return f.host.Online == online
	})
}

// repository makes a repository known, gives its password to the host and, with init, creates it.
func (f *fleetOf) repository(name, url, caCert string, c secret.Credentials, init bool) fleet.Repository {
	f.t.Helper()
	r, err := f.client.AddRepository(f.t.Context(), api.RepositoryRequest{Name: name, URL: url, CACert: caCert})
	if err != nil {
		f.t.Fatal(err)
	}
	f.putSecret(r.ID, c)
	if init {
		job := f.run(api.JobRequest{Kind: fleet.KindInit, Repository: name})
		f.wantState(f.await(job.ID), fleet.StateSucceeded)
	}
	return r
}

func (f *fleetOf) putSecret(id fleet.RepositoryID, c secret.Credentials) {
	f.t.Helper()
	sealed, err := secret.Seal(f.host.SealingKey, f.host.ID, id, c)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.client.PutSecret(f.t.Context(), string(f.host.ID), string(id), sealed); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleetOf) run(r api.JobRequest) fleet.Job {
	f.t.Helper()
	job, err := f.client.StartJob(f.t.Context(), string(f.host.ID), r, "")
	if err != nil {
		f.t.Fatal(err)
	}
	return job
}

func (f *fleetOf) job(id fleet.JobID) fleet.Job {
	f.t.Helper()
	job, err := f.client.Job(f.t.Context(), id)
	if err != nil {
		f.t.Fatal(err)
	}
	return job
}

// await waits for a job's final state.
func (f *fleetOf) await(id fleet.JobID) fleet.Job {
	f.t.Helper()
	return f.awaitState(id, 3*time.Minute, fleet.JobState.Final)
}

// awaitState waits until a job's state fulfils want; a daemon that is away meanwhile is no failure.
func (f *fleetOf) awaitState(id fleet.JobID, limit time.Duration, want func(fleet.JobState) bool) fleet.Job {
	f.t.Helper()
	var job fleet.Job
	err := sharedtest.Await(limit, func() bool {
		j, err := f.client.Job(f.t.Context(), id)
		if err != nil {
			return false
		}
		job = j
		return want(j.State)
	})
	if err != nil {
		b, _ := json.Marshal(job) // for the message only
		f.t.Fatalf("job %s did not get there: %v\n%s", id, err, b)
	}
	return job
}

func (f *fleetOf) wantState(job fleet.Job, want fleet.JobState) {
	f.t.Helper()
	if job.State == want {
		return
	}
	b, _ := json.MarshalIndent(job, "", " ") // for the message only
	log, err := f.logText(job.ID)
	f.t.Fatalf("job is %s, want %s\n%s\nlog (err %v):\n%s", job.State, want, b, err, log)
}

// logText is the stored log as GET …/log?format=text gives it.
func (f *fleetOf) logText(id fleet.JobID) (string, error) {
	var b strings.Builder
	err := f.client.LogText(f.t.Context(), id, 0, &b)
	return b.String(), err
}
