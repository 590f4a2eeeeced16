package cli_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/cli"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/sharedtest"
)

func TestSchedules(t *testing.T) {
	address, pin, _ := aDaemon(t)
	l := newLab(t)
	clear(l.vars)
	l.vars["TZ"] = "Europe/Berlin"
	sharedtest.Eventually(t, 20*time.Second, "sign in", func() bool {
		return l.input(adminPassword, "login", address, "--pin", pin, "--user", "ann", "--password-stdin").code == cli.ExitSucceeded
	})
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
	l.must(l.run("repo", "add", "nas", "rest:https://nas.example/x/"))

	add := []string{"plan", "add", "daily", "--repo", "nas", "--host", "web-1", "/srv"}
	for want, flags := range map[string][]string{
		"one of them":     {"--cron", "@daily", "--every", "6h"},
		"--cron or":       {"--tz", "UTC"},
		"no time zone":    {"--every", "6h", "--tz", "UTC"},
		"cannot be read":  {"--cron", "half past two"},
		"no time zone \"": {"--cron", "@daily", "--tz", "Europe/Atlantis"},
		"1 minute":        {"--every", "30s"},
	} {
		if r := l.run(append(add, flags...)...); r.code == cli.ExitSucceeded || !strings.Contains(r.err, want) {
			t.Errorf("%v: exit %d\n%s", flags, r.code, r.err)
		}
	}
	if out := l.must(l.run(append(add, "--cron", "30 2 * * *", "--splay", "0")...)).out; !strings.Contains(out, "begins by itself at") {
		t.Error(out)
	}
	if out := l.must(l.run("plan", "ls")).out; !strings.Contains(out, "30 2 * * * (Europe/Berlin)") {
		t.Error(out)
	}
	if out := l.must(l.run("plan", "show", "daily")).out; strings.Count(out, "next  ") != 5 {
		t.Error(out)
	}
	var next []api.NextRun
	if err := json.Unmarshal([]byte(l.must(l.run("plan", "next", "daily", "--host", "web-1", "--count", "3", "--json")).out), &next); err != nil || len(next) != 3 || !next[0].At.Equal(next[0].Slot) {
		t.Errorf("%+v, %v", next, err)
	}
	if out := l.must(l.run("plan", "pause", "daily")).out; !strings.Contains(out, "plan resume daily") {
		t.Error(out)
	}
	if out := l.must(l.run("plan", "next", "daily")).out; !strings.Contains(out, "it rests") {
		t.Error(out)
	}
	if out := l.must(l.run("plan", "resume", "daily")).out; !strings.Contains(out, "30 2 * * *") {
		t.Error(out)
	}
	l.want(l.run("plan", "schedule", "daily"), cli.ExitUsage, "--none")
	var p fleet.Plan
	if err := json.Unmarshal([]byte(l.must(l.run("plan", "schedule", "daily", "--every", "6h", "--json")).out), &p); err != nil || p.Schedule == nil || p.Schedule.Every() != 6*time.Hour {
		t.Errorf("%+v, %v", p.Schedule, err)
	}
	if out := l.must(l.run("plan")).out; !strings.Contains(out, "every 6h") {
		t.Error(out)
	}
	if out := l.must(l.run("plan", "schedule", "daily", "--none")).out; !strings.Contains(out, "by hand") {
		t.Error(out)
	}
	l.want(l.run("plan", "pause", "daily"), cli.ExitFailed, "no schedule")
}
