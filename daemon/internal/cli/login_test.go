package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/apiclient/apitest"
)

// unsigned is a lab where nobody is signed in.
func unsigned(t *testing.T) *lab {
	l := newLab(t)
	clear(l.vars)
	return l
}

func TestLoginByHand(t *testing.T) {
	l := unsigned(t)
	r := l.must(l.typed([]string{"y", "ann", apitest.Password}, "login", l.server.Address()))
	if !strings.Contains(r.err, "First contact with https://daemon:7443") || !strings.Contains(r.err, "sha256:PIN") || !strings.Contains(r.out, "kept in the OS keyring") {
		t.Errorf("%s\n%s", r.out, r.err)
	}
	if strings.Contains(r.out+r.err, apitest.Password) {
		t.Error("the password is shown")
	}
	if out := l.must(l.run("whoami")).out; !strings.Contains(out, "credentials  the OS keyring") {
		t.Errorf("whoami: %s", out)
	}
	if _, err := os.Stat(filepath.Join(l.config, "session.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the token lies in a file, too: %v", err)
	}
	// Known by now: no question about the pin, and the address need not be given.
	l.must(l.typed([]string{"ann", apitest.Password}, "login"))
	l.must(l.run("logout"))
	l.want(l.run("hosts"), cli.ExitFailed, "Nobody is signed in")
	if len(l.keyring.items) != 0 {
		t.Error("the token is still in the keyring")
	}
}

func TestLoginRefused(t *testing.T) {
	l := unsigned(t)
	l.want(l.typed([]string{"n"}, "login", l.server.Address()), cli.ExitFailed, "Nothing was done")
	l.want(l.run("login", l.server.Address(), "--user", "ann"), cli.ExitFailed, "Give its pin with --pin")
	l.want(l.typed([]string{"y", "ann", "wrong"}, "login", l.server.Address()), cli.ExitFailed, "wrong")
	l.want(l.input(apitest.Password, "login", l.server.Address(), "--user", "ann", "--password-stdin", "--pin", "sha256:"+strings.Repeat("1", 64)), cli.ExitFailed, "pin")
	l.want(l.input("", "login", l.server.Address(), "--user", "ann", "--password-stdin", "--pin", l.pin()), cli.ExitUsage, "Line 1")
	if _, err := os.Stat(l.config); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused login leaves a profile: %v", err)
	}
}

func (l *lab) login(more ...string) result {
	return l.input(apitest.Password+"\n", append([]string{"login", l.server.Address(), "--user", "ann", "--password-stdin", "--pin", l.pin()}, more...)...)
}

func TestLoginIntoAFile(t *testing.T) {
	l := unsigned(t)
	r := l.must(l.login("--credentials", "file"))
	if !strings.Contains(r.out, "a file that only you can read") || len(l.keyring.items) != 0 {
		t.Errorf("%s", r.out)
	}
	path := filepath.Join(l.config, "session.json")
	l.must(l.run("hosts"))
	if runtime.GOOS != "windows" {
		for _, p := range []string{path, filepath.Join(l.config, "profile.json"), l.config} {
			if info, err := os.Stat(p); err != nil || info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: %v, %v", p, info.Mode(), err)
			}
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
		l.want(l.run("hosts"), cli.ExitFailed, "read by others")
		l.must(l.login("--credentials", "file"))
	}
	if out := l.must(l.run("whoami", "--json")).out; !strings.Contains(out, `"credentials":"file"`) {
		t.Errorf("whoami: %s", out)
	}
	l.must(l.run("logout"))
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the token's file is still there: %v", err)
	}
}

// A keyring that does not answer is an error and never a silent file.
func TestBrokenKeyring(t *testing.T) {
	l := unsigned(t)
	l.keyring.broken = true
	l.want(l.login(), cli.ExitFailed, "--credentials file")
	if _, err := os.Stat(l.config); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was written: %v", err)
	}
	l.keyring.broken = false
	l.must(l.login())
	l.keyring.broken = true
	l.want(l.run("hosts"), cli.ExitFailed, "keyring")
}

// A profile's token never goes to another daemon.
func TestEnvironment(t *testing.T) {
	l := unsigned(t)
	l.want(l.run("hosts"), cli.ExitFailed, "backstay login")
	l.must(l.login())
	other := newLab(t)
	l.vars["BACKSTAY_ADDRESS"] = other.server.Address()
	l.want(l.run("hosts"), cli.ExitFailed, "BACKSTAY_PIN")
	l.vars["BACKSTAY_PIN"] = other.pin()
	l.want(l.run("hosts"), cli.ExitFailed, "Nobody is signed in at")
	l.vars["BACKSTAY_TOKEN"] = apitest.Token
	l.must(l.run("hosts"))
	delete(l.vars, "BACKSTAY_ADDRESS") // the profile's daemon with the environment's token
	l.vars["BACKSTAY_PIN"] = l.pin()
	l.must(l.run("hosts"))
	l.config = "" // an account without a home
	l.vars["BACKSTAY_ADDRESS"] = l.server.Address()
	l.must(l.run("hosts"))
	l.want(l.login(), cli.ExitFailed, "BACKSTAY_CONFIG_DIR")
}

func TestDamagedProfile(t *testing.T) {
	l := unsigned(t)
	l.must(l.login("--credentials", "file"))
	for _, name := range []string{"session.json", "profile.json"} {
		if err := os.WriteFile(filepath.Join(l.config, name), []byte("{"), 0o600); err != nil {
			t.Fatal(err)
		}
		l.want(l.run("hosts"), cli.ExitFailed, "cannot be read")
	}
}

func TestLogoutWithoutADaemon(t *testing.T) {
	l := unsigned(t)
	l.must(l.login())
	l.server.Close()
	r := l.must(l.run("logout"))
	if !strings.Contains(r.err, "could not be told") || len(l.keyring.items) != 0 {
		t.Errorf("%s %s", r.out, r.err)
	}
}

func TestTokensAndUsers(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	r := l.must(l.run("token", "create", "ci", "--role", "operator"))
	if r.out != "bst_new\n" || !strings.Contains(r.err, "shown this once") {
		t.Errorf("a script takes the token from the output: %q %q", r.out, r.err)
	}
	l.must(l.run("token", "rm", "ci", "--yes"))
	l.want(l.typed([]string{"no"}, "token", "rm", "ci"), cli.ExitFailed, "Nothing was done")
	l.must(l.input("a long password\n", "user", "add", "bob", "--password-stdin"))
	l.must(l.typed([]string{"a long password", "a long password"}, "user", "add", "bob"))
	l.want(l.typed([]string{"one", "other"}, "user", "add", "bob"), cli.ExitFailed, "not the same")
	l.want(l.input("a\nb\n", "user", "add", "bob", "--password-stdin"), cli.ExitUsage, "more than 1 lines")
	l.must(l.input("a longer password\n", "user", "set", "admin", "--password-stdin"))
	l.must(l.typed([]string{"a longer password", "a longer password"}, "user", "set", "admin", "--role", "admin", "--password"))
	l.must(l.typed([]string{"yes"}, "user", "rm", "admin"))
	l.want(l.run("user", "rm", "nobody", "-y"), cli.ExitFailed, "no user nobody")
	l.must(l.run("hosts", "revoke", "web-1", "-y"))
	if out := l.must(l.run("enrol-token", "--host", "web-1")).out; !strings.Contains(out, "backstay-agent enrol") {
		t.Errorf("enrol-token: %s", out)
	}
	l.must(l.run("enrol-token", "revoke", "e3"))
	if out := l.must(l.run("enrol-token", "ls")).out; strings.Contains(out, "e3") {
		t.Errorf("a revoked token is listed: %s", out)
	}
}

func TestOwnPassword(t *testing.T) {
	l := newLab(t)
	r := l.must(l.input(apitest.Password+"\nanother long one\n", "password", "--password-stdin"))
	if !strings.Contains(r.out, "other sessions have ended") || strings.Contains(r.out+r.err, "another long one") {
		t.Errorf("%q %q", r.out, r.err)
	}
	l.must(l.typed([]string{apitest.Password, "another long one", "another long one"}, "password"))
	l.want(l.typed([]string{"wrong", "another long one", "another long one"}, "password"), cli.ExitFailed, "old password is wrong")
	l.want(l.typed([]string{apitest.Password, "one", "other"}, "password"), cli.ExitFailed, "not the same")
	l.want(l.run("password"), cli.ExitUsage, "--password-stdin")
	l.want(l.input("one\n", "password", "--password-stdin"), cli.ExitUsage, "Line 2")
}

func TestRenameHost(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	if r := l.must(l.run("hosts", "rename", "web-1", "front")); r.out != "The host is called front now.\n" {
		t.Errorf("%q", r.out)
	}
	l.must(l.run("hosts", "show", "front"))
	l.want(l.run("hosts", "rename", "web-1", "x"), cli.ExitFailed, "no such host")
}

func TestInterruptedCommand(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := l.runWith(ctx, "", nil, "hosts", "--json")
	var e struct{ Error struct{ Code string } }
	if err := json.Unmarshal([]byte(r.err), &e); err != nil || e.Error.Code != "interrupted" || r.code != cli.ExitInterrupted {
		t.Errorf("exit %d, %s", r.code, r.err)
	}
}
