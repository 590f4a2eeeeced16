package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/backstay/backstay/daemon/internal/cli"
)

// What people read, as they read it. The fleet is full of hostile names.
func TestHumanOutput(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	for name, args := range map[string][]string{
		"overview":      {"overview", "--days", "2"},
		"hosts":         {"hosts"},
		"hosts-show":    {"hosts", "show", "h1"},
		"hosts-hostile": {"hosts", "show", "h2"},
		"repo-ls":       {"repo", "ls"},
		"repo-show":     {"repo", "show", "nas"},
		"plan-ls":       {"plan", "ls"},
		"plan-show":     {"plan", "show", "daily"},
		"jobs-ls":       {"jobs", "ls"},
		"jobs-active":   {"jobs", "ls", "--active"},
		"jobs-limit":    {"jobs", "ls", "--limit", "3"},
		"jobs-ok":       {"jobs", "show", "j1"},
		"jobs-warning":  {"jobs", "show", "j2"},
		"jobs-failed":   {"jobs", "show", "j3"},
		"jobs-running":  {"jobs", "show", "j4"},
		"snapshots":     {"snapshots"},
		"snapshots-of":  {"snapshots", "--host", "web-1", "--plan", "daily", "--repo", "nas"},
		"enrolments":    {"enrol-token", "ls"},
		"audit-newest":  {"audit", "--newest", "--limit", "1"},
		"users":         {"user", "ls"},
		"tokens":        {"token"},
		"audit":         {"audit"},
		"whoami":        {"whoami"},
		"test":          {"repo", "test", "nas", "--host", "web-1"},
		"cancel":        {"jobs", "cancel", "j4"},
		"exit-codes":    {"help", "exit-codes"},
	} {
		t.Run(name, func(t *testing.T) {
			out := l.must(l.run(args...)).out
			if strings.ContainsAny(out, "\x1b\u202e\u009b") {
				t.Errorf("hostile characters reach the terminal: %q", out)
			}
			golden(t, name, strings.ReplaceAll(out, l.server.Hosts[0].SealingKey, "age1KEY"))
		})
	}
}

func TestEmptyLists(t *testing.T) {
	l := newLab(t)
	for _, args := range [][]string{{"hosts"}, {"repo"}, {"plan"}, {"jobs", "ls"}, {"snapshots"}, {"user"}, {"token"}, {"enrol-token", "ls"}, {"audit"}} {
		r := l.must(l.run(args...))
		if strings.Count(r.out, "\n") != 1 || !strings.HasSuffix(r.out, ".\n") {
			t.Errorf("%v: %q", args, r.out)
		}
		if r := l.must(l.run(append(args, "--json")...)); r.out != "[]\n" {
			t.Errorf("%v --json: %q", args, r.out)
		}
	}
}

// --json gives one document a line, with everything in it as it is.
func TestJSON(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	for _, args := range [][]string{{"overview"}, {"hosts"}, {"hosts", "show", "h1"}, {"repo", "ls"}, {"repo", "show", "nas"}, {"plan", "ls"}, {"plan", "show", "daily"},
		{"jobs", "ls"}, {"jobs", "show", "j2"}, {"snapshots"}, {"user"}, {"token"}, {"audit"}, {"whoami"}, {"version"}, {"enrol-token"}, {"enrol-token", "ls"}, {"hosts", "rename", "old", "older"}, {"user", "set", "admin", "--role", "admin"},
		{"repo", "test", "nas", "--host", "web-1"}, {"jobs", "cancel", "j5"}, {"check", "web-1", "--repo", "nas"}} {
		out := l.must(l.run(append(args, "--json")...)).out
		if !json.Valid([]byte(out)) || strings.Count(out, "\n") != 1 {
			t.Errorf("%v: %q", args, out)
		}
	}
	var hosts []struct{ Name string }
	if err := json.Unmarshal([]byte(l.run("hosts", "--json").out), &hosts); err != nil || hosts[1].Name != "db"+hostile {
		t.Errorf("a script gets names as they are: %+v, %v", hosts, err)
	}
}

func TestErrors(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"nonsense"}, cli.ExitUsage, `Error: Unknown command "nonsense"`},
		{[]string{"jobs", "nonsense"}, cli.ExitUsage, "See `backstay jobs --help`."},
		{[]string{"jobs", "ls", "--nonsense"}, cli.ExitUsage, "Unknown flag"},
		{[]string{"jobs", "show"}, cli.ExitUsage, "arg(s)"},
		{[]string{"repo", "test", "nas"}, cli.ExitUsage, "--host is missing"},
		{[]string{"backup", "web-1"}, cli.ExitUsage, "--plan"},
		{[]string{"backup", "web-1", "--plan", "p", "--repo", "r", "/x"}, cli.ExitUsage, "either"},
		{[]string{"backup", "web-1", "--repo", "nas"}, cli.ExitUsage, "path"},
		{[]string{"backup", "web-1", "--plan", "daily", "/x"}, cli.ExitUsage, "plan says"},
		{[]string{"restore", "web-1", "--snapshot", "1a2b3c4d"}, cli.ExitUsage, "--include"},
		{[]string{"restore", "web-1", "--include", "/x"}, cli.ExitUsage, "--snapshot is missing"},
		{[]string{"repo", "rm", "nas"}, cli.ExitUsage, "--yes"},
		{[]string{"login", "http://x", "--user", "a"}, cli.ExitUsage, "HTTPS"},
		{[]string{"login", "x", "--credentials", "note"}, cli.ExitUsage, "keyring or file"},
		{[]string{"jobs", "ls", "--limit", "-1"}, cli.ExitUsage, "--limit cannot be -1"},
		{[]string{"jobs", "log", "j1", "--after", "-5"}, cli.ExitUsage, "--after cannot be -5"},
		{[]string{"jobs", "follow", "j1", "--tail", "-1"}, cli.ExitUsage, "--tail cannot be -1"},
		{[]string{"snapshots", "--limit", "-9"}, cli.ExitUsage, "--limit cannot be -9"},
		{[]string{"token", "create", "ci", "--valid", "1us"}, cli.ExitUsage, "--valid cannot be 1µs"},
		{[]string{"token", "create", "ci", "--valid", "-1h"}, cli.ExitUsage, "--valid cannot be -1h0m0s"},
		{[]string{"enrol-token", "--valid", "1ns"}, cli.ExitUsage, "--valid cannot be 1ns"},
		{[]string{"hosts", "show", "nobody"}, cli.ExitFailed, "Error: There is no such host."},
		{[]string{"jobs", "show", ".."}, cli.ExitFailed, "id or name is missing"},
		{[]string{"jobs", "cancel", "j1"}, cli.ExitFailed, "ended already"},
		{[]string{"repo", "add", "x", "ext:sh -c id"}, cli.ExitFailed, "Error: "},
		{[]string{"hosts", "rename", "web-1"}, cli.ExitUsage, "arg(s)"},
		{[]string{"hosts", "rename", "web-1", "old"}, cli.ExitFailed, "Choose another name"},
		{[]string{"enrol-token", "revoke", "e2"}, cli.ExitFailed, "was used"},
		{[]string{"enrol-token", "nonsense"}, cli.ExitUsage, "nonsense"},
		{[]string{"user", "set", "admin"}, cli.ExitUsage, "Nothing is to be changed"},
		{[]string{"user", "set", "admin", "--role", "viewer"}, cli.ExitFailed, "last admin"},
		{[]string{"user", "set", "nobody", "--role", "viewer"}, cli.ExitFailed, "no such user"},
		{[]string{"token", "rm", "nobody" + hostile}, cli.ExitFailed, `nobodyevil\x1b[31m\u202egpj\n`},
	} {
		l.want(l.run(c.args...), c.code, c.says)
		r := l.run(append(c.args, "--json")...)
		var e struct {
			Error struct{ Code, Message string }
		}
		if err := json.Unmarshal([]byte(r.err), &e); err != nil && !strings.Contains(r.err, "nonsense") || r.code != c.code {
			t.Errorf("%v --json: exit %d, %q", c.args, r.code, r.err)
		}
	}
	l.server.Close()
	l.want(l.run("hosts"), cli.ExitUnknown, "does not answer")
}

func TestWrongPin(t *testing.T) {
	l := newLab(t)
	l.vars["BACKSTAY_PIN"] = "sha256:" + strings.Repeat("0", 64)
	l.want(l.run("hosts"), cli.ExitFailed, "pin")
}

func TestCompletion(t *testing.T) {
	l := newLab(t)
	l.aFleet()
	if out := l.must(l.run("__complete", "backup", "")).out; !strings.Contains(out, "web-1\n") {
		t.Errorf("hosts: %q", out)
	}
	if out := l.must(l.run("__complete", "backup", "web-1", "--plan", "")).out; !strings.Contains(out, "daily\n") {
		t.Errorf("plans: %q", out)
	}
	if out := l.must(l.run("completion", "bash")).out; len(out) < 1000 {
		t.Errorf("script: %q", out)
	}
	l.server.Close()
	l.must(l.run("__complete", "backup", "")) // no daemon: no names, no noise
}
