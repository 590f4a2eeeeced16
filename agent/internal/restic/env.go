package restic

import (
	"net/url"
	"runtime"
	"strconv"
	"strings"

	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/secret"
)

// EnvInput is all that restic finds in its environment. What is empty is left out.
type EnvInput struct {
	Home     string
	CacheDir string
	TempDir  string
	Path     string // where restic finds its helpers, ssh and rclone

	// Names of files or descriptors (/dev/fd/3) that hold a secret; never the secret.
	PasswordFile       string
	RepositoryFile     string
	AWSCredentialsFile string

	ProgressFPS float64 // status lines a second
}

// Env gives restic's whole environment. Nothing of our own is passed on: RESTIC_PASSWORD_COMMAND, RCLONE_CONFIG_*, LD_PRELOAD,
// SSH_ASKPASS and the like would each run something.
func Env(in EnvInput) []string {
	var env []string
	add := func(name, value string) {
		if value != "" && !strings.ContainsRune(value, 0) {
			env = append(env, name+"="+value)
		}
	}
	add("PATH", in.Path)
	if runtime.GOOS == "windows" {
		add("USERPROFILE", in.Home)
		add("TMP", in.TempDir)
		add("TEMP", in.TempDir)
	} else {
		add("HOME", in.Home)
		add("TMPDIR", in.TempDir)
	}
	add("RESTIC_CACHE_DIR", in.CacheDir)
	add("RESTIC_PASSWORD_FILE", in.PasswordFile)
	add("RESTIC_REPOSITORY_FILE", in.RepositoryFile)
	add("AWS_SHARED_CREDENTIALS_FILE", in.AWSCredentialsFile)
	if in.ProgressFPS > 0 {
		add("RESTIC_PROGRESS_FPS", strconv.FormatFloat(in.ProgressFPS, 'g', -1, 64))
	}
	return env
}

// Repository gives the text of RESTIC_REPOSITORY_FILE: the URL, and for a rest-server with its credentials in it. It is a
// secret then: for a pipe, never for an argument, an environment or a log.
func Repository(repository string, c secret.Credentials) (string, error) {
	u, err := fleet.ParseRepositoryURL(repository)
	if err != nil {
		return "", err
	}
	if u.Scheme != fleet.SchemeREST || c.REST == nil {
		return repository, nil
	}
	if c.REST.User == "" {
		return "", fault.New(fault.NoSecret, "The rest-server's user name is empty. Give this host the credentials of the repository again.")
	}
	scheme, rest, _ := strings.Cut(strings.TrimPrefix(repository, "rest:"), "://")
	return "rest:" + scheme + "://" + url.UserPassword(c.REST.User, c.REST.Password.Reveal()).String() + "@" + rest, nil
}
