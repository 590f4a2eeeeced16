package control_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

func benchService(b *testing.B) (*control.Service, control.Actor, []fleet.Host) {
	b.Helper()
	ctx := context.Background()
	store, err := sqlite.OpenStore(ctx, filepath.Join(b.TempDir(), "state.db"), time.Now())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	s := control.New(control.Config{Store: store, Logs: &fakeLogs{at: map[fleet.JobID]fleet.LogPosition{}}})
	admin := control.Actor{Name: "ada", Role: fleet.RoleAdmin}
	if _, err := s.AddRepository(ctx, admin, api.RepositoryRequest{Name: "main", URL: "/srv/main"}); err != nil {
		b.Fatal(err)
	}
	var hosts []fleet.Host
	for i := range 50 {
		token, err := s.CreateEnrolmentToken(ctx, admin, api.EnrolmentTokenRequest{})
		if err != nil {
			b.Fatal(err)
		}
		h, err := s.Enrol(ctx, token.Token, facts(fmt.Sprint("web", i)))
		if err != nil {
			b.Fatal(err)
		}
		hosts = append(hosts, h)
	}
	return s, admin, hosts
}

// BenchmarkStartJob is POST → committed.
func BenchmarkStartJob(b *testing.B) {
	s, admin, hosts := benchService(b)
	ctx := context.Background()
	for b.Loop() {
		_, err := s.StartJob(ctx, admin, hosts[0].Name, api.JobRequest{Kind: fleet.KindBackup, Repository: "main", Paths: []string{"/home"}}, "")
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAgentHello is the store's part of an agent's return with 20 jobs that are over. 10,000 of them must fit into 60 s.
func BenchmarkAgentHello(b *testing.B) {
	s, admin, hosts := benchService(b)
	ctx := context.Background()
	hellos := make([]agentwire.Hello, len(hosts))
	for i, h := range hosts {
		hellos[i] = agentwire.Hello{AgentID: h.AgentID, Facts: facts(h.Hostname), Clock: time.Now()}
		for range 20 {
			j, err := s.StartJob(ctx, admin, string(h.ID), api.JobRequest{Kind: fleet.KindUnlock, Repository: "main"}, "")
			if err == nil {
				err = s.JobFinished(ctx, h.ID, j.ID, agentwire.JobFinished{Outcome: fleet.Outcome{State: fleet.StateSucceeded}})
			}
			if err != nil {
				b.Fatal(err)
			}
			hellos[i].Jobs = append(hellos[i].Jobs, agentwire.HeldJob{JobID: j.ID, State: fleet.StateSucceeded, Acked: true})
		}
	}
	n := 0
	for b.Loop() {
		m := hellos[n%len(hellos)]
		n++
		if _, _, _, err := s.AgentHello(ctx, m.AgentID, m, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAuthenticate is a request's bearer, looked up once a second.
func BenchmarkAuthenticate(b *testing.B) {
	s, admin, _ := benchService(b)
	ctx := context.Background()
	token, err := s.CreateToken(ctx, admin, api.TokenRequest{Name: "ci", Role: fleet.RoleViewer})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Authenticate(ctx, token.Secret); err != nil {
			b.Fatal(err)
		}
	}
}
