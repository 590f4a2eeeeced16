package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// vault is a lab with one host whose key we have, so that what it was sent can be opened.
func vault(t *testing.T) (*lab, func(fleet.RepositoryID) secret.Credentials) {
	t.Helper()
	l := newLab(t)
	identity, recipient, err := secret.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	l.server.Hosts = []fleet.Host{{ID: "h1", Name: "web-1", SealingKey: recipient, SecretStore: fleet.SecretsKeyring, Online: true},
		{ID: "h2", Name: "away", SealingKey: recipient}, {ID: "h3", Name: "new"}, {ID: "h4", Name: "gone", SealingKey: recipient, RevokedAt: ptr(now)}}
	return l, func(repo fleet.RepositoryID) secret.Credentials {
		t.Helper()
		c, err := secret.Open(identity.Reveal(), "h1", repo, l.server.Sealed("h1", repo))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
}

func TestRepositoryCredentials(t *testing.T) {
	document := `{"password":"pw-1","rest":{"user":"u","password":"pw-2"},"s3":{"access_key_id":"AK","secret_access_key":"pw-3","session_token":"pw-4"}}`
	for name, c := range map[string]struct {
		stdin   string
		answers []string
		args    []string
	}{
		"typed":      {answers: []string{"pw-1", "pw-1", "pw-2", "pw-3"}, args: []string{"--rest-user", "u", "--s3-access-key-id", "AK"}},
		"lines":      {stdin: "pw-1\npw-2\npw-3\n", args: []string{"--rest-user", "u", "--s3-access-key-id", "AK", "--password-stdin"}},
		"CRLF lines": {stdin: "pw-1\r\npw-2\r\npw-3", args: []string{"--rest-user", "u", "--s3-access-key-id", "AK", "--password-stdin"}},
		"document":   {stdin: document, args: []string{"--credentials-stdin"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, opened := vault(t)
			r := l.must(l.runWith(t.Context(), c.stdin, c.answers, append([]string{"repo", "add", "nas", "--url", "rest:https://nas/x/", "--host", "web-1"}, c.args...)...))
			got := opened("r1")
			if got.Password.Reveal() != "pw-1" || got.REST.User != "u" || got.REST.Password.Reveal() != "pw-2" || got.S3.AccessKeyID != "AK" || got.S3.SecretAccessKey.Reveal() != "pw-3" {
				t.Errorf("%+v", got)
			}
			if strings.Contains(r.out+r.err, "pw-") {
				t.Errorf("a secret is shown: %s %s", r.out, r.err)
			}
			if !strings.Contains(r.out, l.server.Hosts[0].SealingKey) {
				t.Errorf("the key is not shown: %s", r.out)
			}
		})
	}
}

func TestRepositoryCredentialsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		stdin   string
		answers []string
		args    []string
		code    int
		says    string
	}{
		"no terminal":       {args: []string{"--host", "web-1"}, code: cli.ExitUsage, says: "--password-stdin"},
		"not the same":      {answers: []string{"a", "b"}, args: []string{"--host", "web-1"}, code: cli.ExitFailed, says: "not the same"},
		"a line is missing": {stdin: "a\n", args: []string{"--host", "web-1", "--rest-user", "u", "--password-stdin"}, code: cli.ExitUsage, says: "Line 2"},
		"one too many":      {stdin: "a\nb\n", args: []string{"--host", "web-1", "--password-stdin"}, code: cli.ExitUsage, says: "more than 1"},
		"both ways":         {stdin: "a", args: []string{"--host", "web-1", "--password-stdin", "--credentials-stdin"}, code: cli.ExitUsage, says: "either"},
		"not JSON":          {stdin: "hunter2", args: []string{"--host", "web-1", "--credentials-stdin"}, code: cli.ExitUsage, says: "JSON"},
		"unknown member":    {stdin: `{"password":"a","pasword":"b"}`, args: []string{"--host", "web-1", "--credentials-stdin"}, code: cli.ExitUsage, says: "JSON"},
		"white space":       {stdin: `{"password":" a"}`, args: []string{"--host", "web-1", "--credentials-stdin"}, code: cli.ExitFailed, says: "white space"},
		"no key yet":        {stdin: "a", args: []string{"--host", "new", "--password-stdin"}, code: cli.ExitFailed, says: "has not told its key"},
		"revoked":           {stdin: "a", args: []string{"--host", "gone", "--password-stdin"}, code: cli.ExitFailed, says: "revoked"},
		"unknown host":      {stdin: "a", args: []string{"--host", "nobody", "--password-stdin"}, code: cli.ExitFailed, says: "no such host"},
		"init without host": {args: []string{"--init"}, code: cli.ExitUsage, says: "--host"},
		"no CA file":        {stdin: "a", args: []string{"--ca-cert", "/nowhere"}, code: cli.ExitFailed, says: "--ca-cert"},
		"two URLs":          {args: []string{"/also"}, code: cli.ExitUsage, says: "once"},
	} {
		t.Run(name, func(t *testing.T) {
			l, _ := vault(t)
			l.want(l.runWith(t.Context(), c.stdin, c.answers, append([]string{"repo", "add", "nas", "--url", "rest:https://nas/x/"}, c.args...)...), c.code, c.says)
			if len(l.server.Repositories) != 0 {
				t.Error("the repository was added all the same")
			}
		})
	}
}

// One host that is away does not keep the other from its password, and it is said how to go on.
func TestRepositorySecretForAHostThatIsAway(t *testing.T) {
	l, opened := vault(t)
	r := l.input("pw\n", "repo", "add", "nas", "/srv/repo", "--host", "away", "--host", "web-1", "--password-stdin")
	l.want(r, cli.ExitFailed, "backstay repo secret nas --host away")
	if opened("r1").Password.Reveal() != "pw" {
		t.Error("the other host has no password")
	}
	l.must(l.input("new\n", "repo", "secret", "nas", "--host", "web-1", "--password-stdin"))
	if opened("r1").Password.Reveal() != "new" {
		t.Error("the password was not replaced")
	}
	l.must(l.run("repo", "secret", "nas", "--host", "web-1", "--rm"))
	l.must(l.run("repository", "rm", "nas", "--yes"))
}

func TestAddRepositoryAndInit(t *testing.T) {
	l, _ := vault(t)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte("PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	l.server.OnJob = func(s *apitest.Server, j fleet.Job) {
		s.StartJob(j.ID, now)
		s.Append(j.ID, fleet.LogLine{Time: now, Stream: fleet.StreamOut, Text: `{"message_type":"initialized","id":"469785262ee2613a","repository":"rest:https://nas/x/"}`})
		s.Finish(j.ID, fleet.Outcome{State: fleet.StateSucceeded, StartedAt: now, FinishedAt: now.Add(time.Second), Summary: &fleet.Summary{Init: &fleet.InitSummary{ResticID: "469785262ee2613a"}}})
	}
	r := l.must(l.input("pw\n", "repo", "add", "nas", "rest:https://nas/x/", "--host", "web-1", "--password-stdin", "--init", "--ca-cert", ca, "--option", "rest.connections=3"))
	golden(t, "repo-add-init", strings.ReplaceAll(r.out, l.server.Hosts[0].SealingKey, "age1KEY"))
	repo := l.server.Repositories[0]
	if repo.CACert != "PEM" || repo.Options["rest.connections"] != "3" {
		t.Errorf("%+v", repo)
	}
}

func TestAddPlan(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	r := l.must(l.run("plan", "add", "weekly", "--repository", "nas", "--host", "web-1", "--host", "h2", "/srv", "--path", "/etc", "--exclude", "*.o", "--tag", "w", "--exclude-caches", "--one-file-system"))
	if !strings.Contains(r.out, "backstay backup web-1 --plan weekly --follow") {
		t.Errorf("%s", r.out)
	}
	p := l.server.Plans[1]
	if p.RepositoryID != "r1" || len(p.Hosts) != 2 || p.Hosts[1] != "h2" || strings.Join(p.Backup.Paths, " ") != "/srv /etc" || !p.Backup.ExcludeCaches || !p.Backup.OneFileSystem {
		t.Errorf("%+v", p)
	}
	l.want(l.run("plan", "add", "x", "--repo", "nas", "--host", "web-1"), cli.ExitUsage, "path")
	l.must(l.run("plan", "rm", "weekly", "-y"))
}

// TestJobsOfWhatIsDeleted: what they worked on is told in words, and where the data are.
func TestJobsOfWhatIsDeleted(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	if out := l.must(l.run("jobs", "show", "j1")).out; !strings.Contains(out, "daily") {
		t.Fatalf("j1 is of no plan that is deleted now:\n%s", out)
	}
	l.server.Plans = nil
	if out := l.must(l.run("jobs", "ls")).out; !strings.Contains(out, " deleted plan ") || strings.Contains(out, " p1 ") {
		t.Errorf("%s", out)
	}
	if out := l.must(l.run("jobs", "show", "j1")).out; !strings.Contains(out, "deleted plan p1") {
		t.Errorf("%s", out)
	}
}
