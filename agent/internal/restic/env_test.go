package restic

import (
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/secret"
)

func TestEnv(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the names are those of unix")
	}
	// What restic or its helpers would run or obey, were it passed on.
	for _, name := range []string{"RESTIC_PASSWORD_COMMAND", "RESTIC_PASSWORD", "RESTIC_REPOSITORY", "RCLONE_CONFIG_X_TYPE", "LD_PRELOAD", "SSH_ASKPASS", "SSH_AUTH_SOCK", "GODEBUG", "AWS_SECRET_ACCESS_KEY", "RESTIC_CACERT"} {
		t.Setenv(name, "canary")
	}
	got := Env(EnvInput{Home: "/root", CacheDir: "/var/cache", TempDir: "/var/tmp", Path: "/usr/bin:/bin", PasswordFile: "/dev/fd/3", RepositoryFile: "/dev/fd/4", AWSCredentialsFile: "/dev/fd/5", ProgressFPS: 1})
	want := []string{"PATH=/usr/bin:/bin", "HOME=/root", "TMPDIR=/var/tmp", "RESTIC_CACHE_DIR=/var/cache", "RESTIC_PASSWORD_FILE=/dev/fd/3", "RESTIC_REPOSITORY_FILE=/dev/fd/4",
		"AWS_SHARED_CREDENTIALS_FILE=/dev/fd/5", "RESTIC_PROGRESS_FPS=1"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Env(EnvInput{Path: "/bin", Home: "/a\x00RESTIC_PASSWORD_COMMAND=x", ProgressFPS: 0.5}); !slices.Equal(got, []string{"PATH=/bin", "RESTIC_PROGRESS_FPS=0.5"}) {
		t.Errorf("got %q", got)
	}
	if got := Env(EnvInput{}); got != nil {
		t.Errorf("from nothing: %q", got)
	}
}

func TestRepository(t *testing.T) {
	c := secret.Credentials{Password: secret.New("x"), REST: &secret.RESTCredentials{User: "op", Password: secret.New("p/a:s@s w#r?d%ü")}}
	got, err := Repository("rest:https://host:8000/op/r1/", c)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(strings.TrimPrefix(got, "rest:"))
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := u.User.Password(); u.User.Username() != "op" || p != c.REST.Password.Reveal() || u.Host != "host:8000" || u.Path != "/op/r1/" || u.Scheme != "https" {
		t.Errorf("got %s", got)
	}
	for _, plain := range []string{"/srv/x", "s3:h/bucket", "sftp:u@h:/x", "rclone:n:x"} {
		if got, err := Repository(plain, c); got != plain || err != nil {
			t.Errorf("%s: %s, %v", plain, got, err)
		}
	}
	if got, err := Repository("rest:http://h/x", secret.Credentials{Password: secret.New("x")}); got != "rest:http://h/x" || err != nil {
		t.Errorf("without credentials: %s, %v", got, err)
	}
	if _, err := Repository("rclone::x:y", c); fault.CodeOf(err) != fault.InvalidRepositoryURL {
		t.Errorf("outside the grammar: %v", err)
	}
	if _, err := Repository("rest:http://h/x", secret.Credentials{REST: &secret.RESTCredentials{}}); fault.CodeOf(err) != fault.NoSecret {
		t.Errorf("without a user: %v", err)
	}
}
