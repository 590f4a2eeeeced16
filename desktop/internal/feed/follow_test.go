package feed_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/apiclient/apitest"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

const jobID = fleet.JobID("01JOB")

func logLine(i int) fleet.LogLine {
	return fleet.LogLine{Time: time.Unix(int64(i), 0).UTC(), Stream: fleet.StreamOut, Text: fmt.Sprintf("line %d \xff 李雷", i), Cont: i%7 == 0}
}

func logLines(from, to int) []fleet.LogLine {
	var all []fleet.LogLine
	for i := from; i <= to; i++ {
		all = append(all, logLine(i))
	}
	return all
}

func succeeded() fleet.Outcome {
	now := time.Now().UTC()
	return fleet.Outcome{State: fleet.StateSucceeded, StartedAt: now, FinishedAt: now}
}

// shown is what a log view has: the first number and the lines from there.
type shown struct {
	first  int64
	lines  []fleet.LogLine
	eof    bool
	live   int
	lost   int
	last   *fleet.Job
	wrong  error
	points []fleet.Progress
}

func (s *shown) take(b model.JobBatch) {
	if len(b.Lines) > 0 {
		if s.first == 0 {
			s.first = b.First
		}
		if want := s.first + int64(len(s.lines)); b.First != want {
			s.wrong = fmt.Errorf("%d lines came at %d where %d was next", len(b.Lines), b.First, want)
		}
		s.lines = append(s.lines, b.Lines...)
	}
	if b.Job != nil {
		s.last = b.Job
	}
	if b.Live {
		s.live++
	}
	if b.Link != nil && b.Link.Link == model.Lost {
		s.lost++
	}
	s.points = append(s.points, b.Progress...)
	s.eof = s.eof || b.EOF
}

// A log that is followed across many cuts, repeats and holes is the log that the daemon has, from the first line or from near the end;
// what is older is read on demand.
func TestFollowAcrossCuts(t *testing.T) {
	const all = 1500
	for _, tail := range []int64{0, 500} {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("tail %d seed %d", tail, seed), func(t *testing.T) {
				s, u := newServer(t), newUI()
				s.Chaos = apitest.Chaos{Cut: 0.15, Refuse: 0.1, Repeat: 0.2, Skip: 0.03, Batch: 40}
				s.Chaos.Seed(seed)
				s.AddJob(fleet.Job{ID: jobID, Kind: fleet.KindBackup, State: fleet.StateQueued})
				s.StartJob(jobID, time.Now())
				s.Append(jobID, logLines(1, all/2)...)
				session := start(t, newClient(t, s), u, feed.Config{Interval: 2 * time.Millisecond, Apply: func(model.Batch) {}})
				var view shown
				f := session.Follow(feed.FollowConfig{Job: jobID, Tail: tail, Apply: view.take})
				defer f.Close()
				var writer sync.WaitGroup
				writer.Go(func() { // the job runs on meanwhile
					for i := all / 2; i < all; i += 50 {
						s.Append(jobID, logLines(i+1, i+50)...)
						s.Progress(jobID, fleet.Progress{Phase: fleet.PhaseReading, BytesDone: int64(i), At: time.Unix(int64(i), 0)})
					}
					s.Finish(jobID, succeeded())
				})
				u.until(t, "the end of the log", func() bool { return view.eof })
				writer.Wait()
				if view.wrong != nil || view.last == nil || view.last.State != fleet.StateSucceeded || view.last.Outcome == nil {
					t.Fatalf("%v, job %+v", view.wrong, view.last)
				}
				for tries := 0; view.first > 1; tries++ {
					older(t, f, u, &view)
					if tries > 200 {
						t.Fatal("older lines do not come")
					}
				}
				if !slices.Equal(view.lines, logLines(1, all)) {
					t.Fatalf("%d lines are shown, %d are stored", len(view.lines), all)
				}
			})
		}
	}
}

// older reads one page of older lines.
func older(t *testing.T, f *feed.JobFeed, u *ui, view *shown) {
	t.Helper()
	done := false
	f.Older(t.Context(), view.first, 700, func(first int64, lines []fleet.LogLine, err error) {
		done = true
		if err != nil {
			return // a cut in the middle: the person scrolls once more
		}
		if first+int64(len(lines)) != view.first {
			t.Fatalf("%d lines from %d are not those before %d", len(lines), first, view.first)
		}
		view.first, view.lines = first, append(lines, view.lines...)
	})
	u.until(t, "older lines", func() bool { return done })
}

func TestFollowEndsWithWhatNoTryChanges(t *testing.T) {
	s, u := newServer(t), newUI()
	session := start(t, newClient(t, s), u, feed.Config{Interval: time.Millisecond, Apply: func(model.Batch) {}})
	var link *model.Connection
	take := func(b model.JobBatch) {
		if b.Link != nil {
			link = b.Link
		}
	}
	f := session.Follow(feed.FollowConfig{Job: "nobody", Apply: take})
	u.until(t, "no such job", func() bool { return link != nil && link.Link == model.Lost })
	if fault.CodeOf(link.Err) != fault.UnknownJob || !link.RetryAt.IsZero() {
		t.Errorf("%+v", link)
	}
	f.Close()

	link = nil
	out := start(t, newClient(t, s).WithToken("unknown"), u, feed.Config{Interval: time.Millisecond, Apply: func(model.Batch) {}})
	g := out.Follow(feed.FollowConfig{Job: jobID, Apply: take})
	u.until(t, "signed out", func() bool { return link != nil && link.Link == model.SignedOut })
	g.Close()
}

// Leaving the page ends its stream; the session ends all of them.
func TestStreamsEndWithTheirSession(t *testing.T) {
	s, u := newServer(t), newUI()
	s.AddJob(fleet.Job{ID: jobID, State: fleet.StateQueued})
	session := start(t, newClient(t, s), u, feed.Config{Interval: time.Millisecond, Apply: func(model.Batch) {}})
	var one, two shown
	f := session.Follow(feed.FollowConfig{Job: jobID, Apply: one.take})
	session.Follow(feed.FollowConfig{Job: jobID, Apply: two.take})
	u.until(t, "both live", func() bool { return one.live > 0 && two.live > 0 })
	f.Close()
	s.Append(jobID, logLines(1, 10)...)
	u.until(t, "lines for who stayed", func() bool { return len(two.lines) == 10 })
	if len(one.lines) != 0 {
		t.Error("a page that was left is told")
	}
	session.Close() // and goleak sees that the stream that nobody closed is gone
}
