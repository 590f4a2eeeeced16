//go:build !windows

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/pin"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

// TestCanaries sends every known way to make restic, ssh or rclone run something through the whole stack. None may leave its
// marker file, and no further restic but those of good jobs may start.
func TestCanaries(t *testing.T) {
	f := newFleet(t, options{})
	f.localRepository("good", repositoryPassword)
	marker := filepath.Join(f.dir, "marker")
	touch := "touch " + marker
	for _, url := range hostileURLs(f.dir) {
		r, err := f.client.AddRepository(t.Context(), api.RepositoryRequest{Name: "canary", URL: url})
		if err == nil {
			t.Errorf("the daemon took %q as %+v", url, r)
		}
	}
	for _, option := range []string{"sftp.command", "sftp.args", "rclone.program", "rclone.args", "extended.option", "s3.region=x --password-command"} {
		if _, err := f.client.AddRepository(t.Context(), api.RepositoryRequest{Name: "canary", URL: "sftp:u@h:/r", Options: map[string]string{option: touch}}); err == nil {
			t.Errorf("the daemon took option %q", option)
		}
	}
	bodies := []string{
		`{"kind":"backup","repository":"good","paths":["` + f.dir + `"],"argv":["--password-command","` + touch + `"]}`,
		`{"kind":"backup","repository":"good","paths":["` + f.dir + `"],"env":{"RESTIC_PASSWORD_COMMAND":"` + touch + `"}}`,
		`{"kind":"backup","repository":"good","paths":["--password-command=` + touch + `"]}`,
		`{"kind":"backup","repository":"good","paths":["` + f.dir + `"],"tags":["a,--password-command=` + touch + `"]}`,
		`{"kind":"backup","repository":"good","paths":["` + f.dir + `\nRESTIC_PASSWORD_COMMAND=` + touch + `"]}`,
		`{"kind":"restore","repository":"good","snapshot":"--password-command=` + touch + `"}`,
		`{"kind":"restore","repository":"good","snapshot":"latest","folder":"../../../marker"}`,
		`{"kind":"restore","repository":"good","snapshot":"` + strings.Repeat("a", 64) + `","folder":"` + marker + `"}`,
		`{"kind":"check","repository":"good","read_data":"--password-command=` + touch + `"}`,
		`{"kind":"backup; ` + touch + `","repository":"good","paths":["/tmp"]}`,
	}
	for _, body := range bodies {
		status, answer := f.post("/hosts/"+string(f.host.ID)+"/jobs", body)
		if status < 400 || status >= 500 {
			t.Errorf("%s\nwas answered with %d: %s", body, status, answer)
		}
	}
	// Patterns that are data stay data: they go through to restic and do nothing.
	harmless := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "good", Paths: []string{f.dir + "/repositories"},
		Excludes: []string{"--password-command=" + touch, "$(" + touch + ")", "`" + touch + "`"}, Tags: []string{"-o", "$(" + touch + ")"}})
	f.wantState(f.await(harmless.ID), fleet.StateSucceeded)
	err := filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), "marker") {
			t.Errorf("a canary ran: %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// post sends a raw body as the administrator.
func (f *fleetOf) post(path, body string) (int, string) {
	f.t.Helper()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: pin.ClientTLS(f.pin, nil)}}
	defer client.CloseIdleConnections()
	req, err := http.NewRequestWithContext(f.t.Context(), http.MethodPost, f.address+api.Base+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		f.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// TestPlantedPasswordIsFoundNowhere backs up with a password that stands out and looks for it while restic runs and afterwards:
// in the environment and command line of every process, in every file of daemon and agent, in the log and in the API's answers.
func TestPlantedPasswordIsFoundNowhere(t *testing.T) {
	plantedIsFoundNowhere(t, options{}, fleet.SecretsSealedFile)
}

// TestPlantedPasswordInTheKeyring is the same with a real gnome-keyring as the agent's store.
func TestPlantedPasswordInTheKeyring(t *testing.T) {
	t.Setenv("BACKSTAY_TEST_BUILDS", filepath.Dir(daemonBin(t)))
	agentBin(t)
	t.Setenv("BACKSTAY_TEST_RESTIC", sharedtest.Restic(t))
	if !sharedtest.InSecretService(t, false) {
		return
	}
	session := cleanEnv(os.Getenv("HOME"), "DBUS_SESSION_BUS_ADDRESS="+os.Getenv("DBUS_SESSION_BUS_ADDRESS"), "XDG_RUNTIME_DIR="+os.Getenv("XDG_RUNTIME_DIR"))
	plantedIsFoundNowhere(t, options{agentEnv: session, agentArgs: []string{"--secrets", "keyring"}}, fleet.SecretsKeyring)
}

func plantedIsFoundNowhere(t *testing.T, opts options, store fleet.SecretStore) {
	t.Helper()
	const planted = "PLANTED-c4nary-9f2b77e1"
	f := newFleet(t, opts)
	f.localRepository("r", planted)
	src := tree(t, f.dir, 3000)
	ctx, stop := context.WithCancel(t.Context())
	found := make(chan string, 1)
	go func() { found <- scanProcesses(ctx, planted) }()
	job := f.run(api.JobRequest{Kind: fleet.KindBackup, Repository: "r", Paths: []string{src}, Verbose: true})
	done := f.await(job.ID)
	f.wantState(done, fleet.StateSucceeded)
	stop()
	if where := <-found; where != "" {
		t.Errorf("the password is in %s", where)
	}
	searchFiles(t, f.daemonDir(), planted)
	searchFiles(t, f.agentDir(), planted)
	if text, err := f.logText(job.ID); err != nil || strings.Contains(text, planted) {
		t.Errorf("the log holds the password (err %v)", err)
	}
	for _, p := range []*process{f.daemon, f.agent} {
		if strings.Contains(p.output(), planted) {
			t.Errorf("%s printed the password", p.name)
		}
	}
	hosts, err := f.client.Hosts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal([]any{hosts, f.job(job.ID), f.mustRepository("r")})
	if err != nil || strings.Contains(string(b), planted) {
		t.Errorf("the API answers with the password (err %v)", err)
	}
	if hosts[0].SecretStore != store || len(hosts[0].Secrets) != 1 {
		t.Errorf("the API does not tell where secrets are: %+v", hosts[0])
	}
	f.putSecret(f.mustRepository("r").ID, secret.Credentials{Password: secret.New(planted)})
}

// scanProcesses reads every process's command line and environment until ctx ends, and tells where text was seen.
func scanProcesses(ctx context.Context, text string) string {
	for ctx.Err() == nil {
		list, err := filepath.Glob("/proc/[0-9]*")
		if err != nil {
			return ""
		}
		for _, dir := range list {
			for _, name := range []string{"cmdline", "environ"} {
				b, err := os.ReadFile(filepath.Join(dir, name)) // a process may be gone meanwhile
				if err == nil && bytes.Contains(b, []byte(text)) {
					return filepath.Join(dir, name)
				}
			}
		}
	}
	return ""
}

func searchFiles(t testing.TB, root, text string) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		files++
		b, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil // a temporary file of a running program
		}
		if err == nil && bytes.Contains(b, []byte(text)) {
			t.Errorf("the password is in %s", path)
		}
		return err
	})
	if err != nil || files == 0 {
		t.Fatal(fmt.Errorf("search %s (%d files): %w", root, files, err))
	}
}
