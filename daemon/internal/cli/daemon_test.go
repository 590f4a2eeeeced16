package cli_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/app"
	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/daemon/internal/config"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
	"github.com/backstay/backstay/shared/sharedtest"
)

const adminPassword = "correct horse battery staple"

// aDaemon runs the real daemon until the test ends, and gives its address, pin and data folder.
func aDaemon(t *testing.T) (address, pin, data string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listen := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default(filepath.Join(t.TempDir(), "daemon"))
	cfg.Listen, cfg.Address = listen, "https://"+listen
	admin, err := app.OpenAdmin(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	pin = admin.Pin()
	if _, err := admin.AddUser(t.Context(), "ann", adminPassword, fleet.RoleAdmin); err != nil {
		t.Fatal(err)
	}
	if err := admin.Close(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- app.Run(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return cfg.Address, pin, cfg.Data
}

// enrol makes a host known whose agent never connects.
func enrol(t *testing.T, client *apiclient.Client, token, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	_, recipient, err := secret.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.Enrol(t.Context(), agentwire.EnrolRequest{Token: token, CSR: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: csr})),
		Facts: agentwire.Facts{Hostname: name, OS: "linux", Arch: "amd64", AgentVersion: "1", SealingKey: recipient, SecretStore: fleet.SecretsKeyring}})
	if err != nil {
		t.Fatal(err)
	}
}

// The commands against the real daemon with its real store: what the contract's stand-in cannot prove.
func TestAgainstTheDaemon(t *testing.T) {
	address, pin, data := aDaemon(t)
	l := newLab(t)
	clear(l.vars)
	login := func() result {
		return l.input(adminPassword, "login", address, "--pin", pin, "--user", "ann", "--password-stdin")
	}
	sharedtest.Eventually(t, 20*time.Second, "sign in", func() bool { return login().code == cli.ExitSucceeded })
	l.want(l.input("wrong password", "login", address, "--pin", pin, "--user", "ann", "--password-stdin"), cli.ExitFailed, "Error: ")

	// What another program prints for a host to paste has the address that the daemon was started with.
	served, err := config.Load(data, "", func(string) string { return "" })
	if served.AsServed(); err != nil || served.Address != address {
		t.Errorf("the daemon is noted at %q, %v, want %s", served.Address, err, address)
	}

	client, err := apiclient.New(apiclient.Config{Address: address, Pin: pin})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var token api.EnrolmentToken
	if err := json.Unmarshal([]byte(l.must(l.run("enrol-token", "--json")).out), &token); err != nil {
		t.Fatal(err)
	}
	enrol(t, client, token.Token, "web-1")
	if out := l.must(l.run("hosts")).out; !strings.Contains(out, "web-1  away") {
		t.Error(out)
	}

	l.want(l.input("pw", "repo", "add", "nas", "rest:https://nas.example/x/", "--host", "web-1", "--password-stdin"), cli.ExitFailed, "web-1")
	l.want(l.run("repo", "add", "nas", "/elsewhere"), cli.ExitFailed, "nas")
	l.must(l.run("plan", "add", "daily", "--repo", "nas", "--host", "web-1", "/srv", "--exclude-caches"))
	if out := l.must(l.run("plan", "show", "daily")).out; !strings.Contains(out, "repository  nas") {
		t.Error(out)
	}

	var job fleet.Job
	if err := json.Unmarshal([]byte(l.must(l.run("backup", "web-1", "--plan", "daily", "--json")).out), &job); err != nil || job.State != fleet.StateQueued {
		t.Fatalf("%+v, %v", job, err)
	}
	l.want(l.run("backup", "web-1", "--repo", "nas", "relative/path"), cli.ExitFailed, "Error: ")
	l.want(l.run("restore", "web-1", "--snapshot", "12345678", "--include", "/x"), cli.ExitFailed, "snapshot")
	followed := make(chan result, 1)
	out := &awaited{text: "web-1 is away", seen: make(chan struct{})}
	go func() {
		var errs bytes.Buffer
		code := cli.Main(t.Context(), l.env("", nil, out, &errs), []string{"jobs", "follow", string(job.ID)})
		followed <- result{out.String(), errs.String(), code}
	}()
	select {
	case <-out.seen: // it follows: an earlier cancel would be all it sees
	case r := <-followed:
		t.Fatalf("exit %d before the job's end\n%s%s", r.code, r.out, r.err)
	}
	l.must(l.run("jobs", "cancel", string(job.ID)))
	if r := <-followed; r.code != cli.ExitCancelled || !strings.Contains(r.out, "web-1 is away") || !strings.Contains(r.out, "Backup was cancelled") {
		t.Errorf("exit %d\n%s%s", r.code, r.out, r.err)
	}
	if out := l.must(l.run("jobs", "ls", "--state", "cancelled", "--host", "web-1", "--plan", "daily")).out; !strings.Contains(out, string(job.ID)) {
		t.Error(out)
	}
	l.must(l.run("jobs", "log", string(job.ID)))
	l.want(l.run("jobs", "log", "01J00000000000000000000000"), cli.ExitFailed, "Error: ")

	l.vars["BACKSTAY_TOKEN"] = strings.TrimSpace(l.must(l.run("token", "create", "ci")).out)
	l.must(l.run("hosts"))
	l.want(l.run("token"), cli.ExitFailed, "admin") // the token reads, and no more
	delete(l.vars, "BACKSTAY_TOKEN")
	l.must(l.run("token", "rm", "ci", "-y"))
	if out := l.must(l.run("audit")).out; !strings.Contains(out, "job.c") || !strings.Contains(out, "ann") {
		t.Error(out)
	}
	l.must(l.run("snapshots", "--repo", "nas"))
	l.must(l.run("logout"))
	l.want(l.run("hosts"), cli.ExitFailed, "Nobody is signed in")
}

// awaited is an output that tells when a text is in it.
type awaited struct {
	bytes.Buffer
	text string
	seen chan struct{}
	once sync.Once
}

func (a *awaited) Write(b []byte) (int, error) {
	n, err := a.Buffer.Write(b)
	if strings.Contains(a.String(), a.text) {
		a.once.Do(func() { close(a.seen) })
	}
	return n, err
}
