package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fleet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const jobID = fleet.JobID("01JOB")

func newServer(t testing.TB) *apitest.Server {
	t.Helper()
	s, err := apitest.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func newClient(t testing.TB, s *apitest.Server, change ...func(*apiclient.Config)) *apiclient.Client {
	t.Helper()
	fast := backoff.Backoff{Min: time.Millisecond, Max: 20 * time.Millisecond}
	cfg := apiclient.Config{Address: s.Address(), TLS: s.ClientTLS(), Token: apitest.Token, Retry: fast, Reconnect: fast}
	for _, f := range change {
		f(&cfg)
	}
	c, err := apiclient.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func line(i int) fleet.LogLine {
	text := fmt.Sprintf("line %d \xff ä", i)
	return fleet.LogLine{Time: time.Unix(int64(i), 0).UTC(), Stream: fleet.StreamOut, Text: text, Cont: i%7 == 0}
}

func lines(from, to int) []fleet.LogLine {
	var all []fleet.LogLine
	for i := from; i <= to; i++ {
		all = append(all, line(i))
	}
	return all
}

func succeeded() fleet.Outcome {
	now := time.Now().UTC()
	return fleet.Outcome{State: fleet.StateSucceeded, StartedAt: now, FinishedAt: now}
}

func endedJob(s *apitest.Server, n int) {
	s.AddJob(fleet.Job{ID: jobID, Kind: fleet.KindBackup, State: fleet.StateQueued})
	s.StartJob(jobID, time.Now())
	s.Append(jobID, lines(1, n)...)
	s.Finish(jobID, succeeded())
}

// seen collects what a follower was given, and complains about what it must not be given.
type seen struct {
	mu        sync.Mutex
	next      int64
	lines     []fleet.LogLine
	wrong     error
	snapshots int
	live      int
	finished  int
	eof       int
	lost      []error
	regained  int
}

func (s *seen) check(first int64, ls []fleet.LogLine) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == 0 {
		s.next = first
	}
	if first != s.next || len(ls) == 0 {
		s.wrong = errors.Join(s.wrong, fmt.Errorf("%d lines came at %d where %d was next", len(ls), first, s.next))
	}
	for i, l := range ls {
		if want := line(int(first) + i); l != want {
			s.wrong = errors.Join(s.wrong, fmt.Errorf("line %d is %+v", first+int64(i), l))
		}
	}
	s.next = first + int64(len(ls))
	s.lines = append(s.lines, ls...)
}

// last is the number of the last line given.
func (s *seen) last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next - 1
}

func follow(ctx context.Context, c *apiclient.Client, opt apiclient.FollowOptions, change ...func(*apiclient.FollowHandler)) (*seen, error) {
	s := &seen{}
	return s, followInto(ctx, c, s, opt, change...)
}

func followInto(ctx context.Context, c *apiclient.Client, s *seen, opt apiclient.FollowOptions, change ...func(*apiclient.FollowHandler)) error {
	h := s.handler()
	for _, f := range change {
		f(&h)
	}
	if err := c.Follow(ctx, jobID, opt, h); err != nil {
		return err
	}
	return s.wrong
}
