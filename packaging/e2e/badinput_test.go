//go:build !windows

package e2e

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// TestBadRequests sends what a tired or a hostile operator might; each is answered with a coded sentence, and a backup still runs.
func TestBadRequests(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{})
	f.localRepository("good", repositoryPassword)
	backup := func(change func(*api.JobRequest)) api.JobRequest {
		r := api.JobRequest{Kind: fleet.KindBackup, Repository: "good", Paths: []string{f.dir}}
		change(&r)
		return r
	}
	cases := []struct {
		name string
		host string
		req  api.JobRequest
		code fault.Code
	}{
		{"unknown host", "nobody", backup(func(*api.JobRequest) {}), fault.UnknownHost},
		{"unknown plan", "", api.JobRequest{Kind: fleet.KindBackup, Plan: "none"}, fault.UnknownPlan},
		{"unknown repository", "", backup(func(r *api.JobRequest) { r.Repository = "none" }), fault.UnknownRepository},
		{"relative path", "", backup(func(r *api.JobRequest) { r.Paths = []string{"etc"} }), fault.InvalidPath},
		{"empty path", "", backup(func(r *api.JobRequest) { r.Paths = []string{""} }), fault.InvalidPath},
		{"no path", "", backup(func(r *api.JobRequest) { r.Paths = nil }), fault.InvalidPath},
		{"path like an option", "", backup(func(r *api.JobRequest) { r.Paths = []string{"--password-command=x"} }), fault.InvalidPath},
		{"unknown kind", "", api.JobRequest{Kind: "format", Repository: "good"}, fault.InvalidInput},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			host := c.host
			if host == "" {
				host = string(f.host.ID)
			}
			_, err := f.client.StartJob(t.Context(), host, c.req, "")
			if fault.CodeOf(err) != c.code {
				t.Fatalf("code %q, want %q (%v)", fault.CodeOf(err), c.code, err)
			}
			if msg, ok := fault.Message(err); !ok || len(msg) < 20 {
				t.Fatalf("no sentence for a person: %q", msg)
			}
		})
	}
	for _, url := range hostileURLs(f.dir) {
		if _, err := f.client.AddRepository(t.Context(), api.RepositoryRequest{Name: "bad", URL: url}); fault.CodeOf(err) != fault.InvalidRepositoryURL && (url != "" || fault.CodeOf(err) != fault.InvalidInput) {
			t.Errorf("URL %q: %v", url, err)
		}
	}
	missing := f.await(f.run(backup(func(r *api.JobRequest) { r.Paths = []string{"/does/not/exist"} })).ID)
	if missing.State != fleet.StateFailed || missing.Outcome.Reason != fleet.ReasonSourceMissing {
		t.Errorf("a missing path ended %s: %+v", missing.State, missing.Outcome)
	}
	f.wantState(f.await(f.run(backup(func(r *api.JobRequest) { r.Paths = []string{f.dir + "/repositories"} })).ID), fleet.StateSucceeded)
}

// hostileURLs are repository addresses that would run a program or write a file of the sender's choice; each would leave "marker".
func hostileURLs(dir string) []string {
	marker := filepath.Join(dir, "marker")
	return []string{
		"rclone::sftp,ssh='touch " + marker + "':x", `rclone::webdav,bearer_token_command="touch ` + marker + `":x`, "rclone:-x:path", "rclone:name,opt=1:path",
		"sftp:-oProxyCommand=touch " + marker + ":/repo", "sftp:host@-oProxyCommand=x:/repo", "sftp:HOST@-E:" + marker, "sftp://-E@" + marker + "/x",
		"relative/path", "", "ftp://host/x", "rest:http://user:password@127.0.0.1/", "s3:", "--repo=/tmp", "local:../../etc", "/srv/repo\nRESTIC_PASSWORD_COMMAND=touch " + marker,
	}
}

func TestSecondDaemonOnTheSameDataAndPortTaken(t *testing.T) {
	f := newFleet(t, options{noAgent: true})
	second := command(t, "", cleanEnv(f.dir), daemonBin(t), "serve", "--data", f.daemonDir(), "--listen", freeAddress(t))
	if second.code == 0 || !strings.Contains(second.stderr, "data folder") {
		t.Errorf("second daemon on the same data: exit %d, %s", second.code, second.stderr)
	}
	taken := command(t, "", cleanEnv(f.dir), daemonBin(t), "serve", "--data", filepath.Join(f.dir, "other"), "--listen", f.listen)
	if taken.code == 0 || !strings.Contains(taken.stderr, f.listen) {
		t.Errorf("port taken: exit %d, %s", taken.code, taken.stderr)
	}
	if err := f.client.Ready(t.Context()); err != nil {
		t.Errorf("the first daemon suffered: %v", err)
	}
}

func TestEnrolmentRefusals(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{})
	enrol := func(token, pin string) result {
		return command(t, "", cleanEnv(f.dir), agentBin(t), "enrol", "--data", t.TempDir(), "--server", f.address, "--token", token, "--pin", pin,
			"--secrets", "sealed-file", "--restic", f.opts.restic)
	}
	token, err := f.client.CreateEnrolmentToken(t.Context(), api.EnrolmentTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	wrongPin := "sha256:" + strings.Repeat("A", 43)
	if r := enrol(token.Token, wrongPin); r.code == 0 || !strings.Contains(r.stderr, "pin") {
		t.Errorf("wrong pin: exit %d, %s", r.code, r.stderr)
	}
	if r := enrol("bse_never-given", token.CAPin); r.code == 0 || !strings.Contains(r.stderr, "token") {
		t.Errorf("unknown token: exit %d, %s", r.code, r.stderr)
	}
	if r := enrol(token.Token, token.CAPin); r.code != 0 {
		t.Errorf("good token: exit %d, %s", r.code, r.stderr)
	}
	if r := enrol(token.Token, token.CAPin); r.code == 0 || !strings.Contains(r.stderr, "used") {
		t.Errorf("used token: exit %d, %s", r.code, r.stderr)
	}
	short, err := f.client.CreateEnrolmentToken(t.Context(), api.EnrolmentTokenRequest{ValidForMS: 1})
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // the token's own 1 ms has to pass
	if r := enrol(short.Token, short.CAPin); r.code == 0 || !strings.Contains(r.stderr, "expired") {
		t.Errorf("expired token: exit %d, %s", r.code, r.stderr)
	}
}

// TestEnrolWithARelativeDataFolder holds that such a folder works, because a refusal after the daemon was asked costs the token.
func TestEnrolWithARelativeDataFolder(t *testing.T) {
	f := newFleet(t, options{noAgent: true})
	token, err := f.client.CreateEnrolmentToken(t.Context(), api.EnrolmentTokenRequest{})
	if err != nil {
		t.Fatal(err)
	}
	enrol := func(restic string) ([]byte, error) {
		cmd := exec.Command(agentBin(t), "enrol", "--data", "here/agent", "--server", f.address, "--token", token.Token, "--pin", token.CAPin,
			"--secrets", "sealed-file", "--restic", restic)
		cmd.Dir, cmd.Env = f.dir, cleanEnv(f.dir)
		return cmd.CombinedOutput()
	}
	if out, err := enrol("relative/restic"); err == nil {
		t.Fatalf("a relative path of restic was taken: %s", out)
	}
	if out, err := enrol(f.opts.restic); err != nil {
		t.Fatalf("the token was spent on a refusal, or the folder is refused: %v\n%s", err, out)
	}
}

func TestResticMissingOrTooOld(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{restic: "/nonexistent/restic"})
	f.repository("r", filepath.Join(f.dir, "r"), "", secret.Credentials{Password: secret.New(repositoryPassword)}, false)
	done := f.await(f.run(api.JobRequest{Kind: fleet.KindInit, Repository: "r"}).ID)
	if done.State != fleet.StateFailed || done.Outcome.Reason != fleet.ReasonResticMissing {
		t.Errorf("restic missing: %+v", done.Outcome)
	}
	old := filepath.Join(f.dir, "old-restic")
	if err := os.WriteFile(old, []byte("#!/bin/sh\necho 'restic 0.14.0 compiled with go1.19.8 on linux/amd64'\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	g := newFleet(t, options{restic: old})
	g.repository("r", filepath.Join(g.dir, "r"), "", secret.Credentials{Password: secret.New(repositoryPassword)}, false)
	done = g.await(g.run(api.JobRequest{Kind: fleet.KindInit, Repository: "r"}).ID)
	if done.State != fleet.StateFailed || done.Outcome.Reason != fleet.ReasonResticTooOld {
		t.Errorf("restic too old: %+v", done.Outcome)
	}
}

// endless gives n bytes without holding them.
type endless struct{ left int64 }

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), e.left)
	copy(p, bytes.Repeat([]byte{'x'}, int(n)))
	e.left -= n
	return int(n), nil
}

func TestBodyOfOneGigabyte(t *testing.T) {
	f := newFleet(t, options{noAgent: true})
	client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // a hostile sender checks nothing
	defer client.CloseIdleConnections()
	before := rss(t, f.daemon)
	resp, err := client.Post(f.address+api.Base+"/session", "application/json", &endless{left: 1 << 30})
	if err == nil {
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("status %s", resp.Status)
		}
	}
	if grown := rss(t, f.daemon) - before; grown > 64<<20 {
		t.Errorf("the daemon grew by %d MB", grown>>20)
	}
	if err := f.client.Ready(t.Context()); err != nil {
		t.Errorf("the daemon suffered: %v", err)
	}
}

// rss is the resident memory of a process in bytes.
func rss(t testing.TB, p *process) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		t.Skipf("no /proc: %v", err)
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(b), &size, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}

func TestRepositoryServerDown(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{})
	f.repository("down", "rest:http://"+freeAddress(t)+"/", "", secret.Credentials{Password: secret.New(repositoryPassword)}, false)
	result, err := f.client.TestRepository(t.Context(), "down", f.host.ID)
	if err != nil || result.OK || result.Reason != fleet.ReasonRepositoryUnreachable {
		t.Fatalf("test: %+v, err %v", result, err)
	}
}

func TestUnauthenticatedAndLogOfUnknownJob(t *testing.T) {
	t.Parallel()
	f := newFleet(t, options{noAgent: true})
	anonymous, err := apiclient.New(apiclient.Config{Address: f.address, Pin: f.pin, Token: "bst_wrong"})
	if err != nil {
		t.Fatal(err)
	}
	defer anonymous.Close()
	if _, err := anonymous.Hosts(t.Context()); fault.CodeOf(err) != fault.Unauthenticated {
		t.Errorf("wrong token: %v", err)
	}
	if err := f.client.LogText(t.Context(), "01J00000000000000000000000", 0, io.Discard); fault.CodeOf(err) != fault.UnknownJob {
		t.Errorf("log of an unknown job: %v", err)
	}
	if r := command(t, "wrong\n", cleanEnv(f.dir), cliBin(t), "login", f.address, "--pin", f.pin, "--user", "admin", "--password-stdin", "--credentials", "file"); r.code == 0 {
		t.Errorf("signed in with a wrong password: %s", r.stdout)
	}
}

// TestDiskFullUnderTheSpool gives the agent a small file system of its own.
func TestDiskFullUnderTheSpool(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root, to mount a small file system")
	}
	dir := shortTemp(t)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount here: %v %s", err, out)
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", "-l", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v %s", err, out)
		}
	})
	f, src := fakeFleet(t, options{agentData: filepath.Join(dir, "agent")}, `{"lines":60000,"lines_per_sec":20000,"line_bytes":300}`)
	if err := os.WriteFile(filepath.Join(dir, "filler"), make([]byte, 3<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	done := f.await(f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}}).ID)
	if !done.State.Final() || done.Outcome == nil {
		t.Fatalf("job %+v", done)
	}
	if done.State == fleet.StateSucceeded {
		text, err := f.logText(done.ID)
		if err != nil || (!strings.Contains(text, "gap") && strings.Count(text, `"item":"/n/`) != 60000) {
			t.Fatalf("lines are missing without a word (err %v)", err)
		}
	} else if done.Outcome.Reason != fleet.ReasonDiskFull {
		t.Fatalf("outcome %+v", done.Outcome)
	}
	if err := os.Remove(filepath.Join(dir, "filler")); err != nil {
		t.Fatal(err)
	}
	f.wantState(f.await(f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "fake", Paths: []string{src}}).ID), fleet.StateSucceeded)
}
