package agentws

import (
	"context"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// anything is a Control that takes whatever it is told; jobs other than j1 are not of the host.
type anything struct{ Control }

func (anything) AgentFacts(context.Context, fleet.HostID, agentwire.Facts) error    { return nil }
func (anything) Heartbeat(context.Context, fleet.HostID, agentwire.Heartbeat) error { return nil }
func (anything) JobAccepted(context.Context, fleet.HostID, fleet.JobID, fleet.JobState) error {
	return nil
}
func (anything) JobRejected(context.Context, fleet.HostID, fleet.JobID, agentwire.CommandReject) error {
	return nil
}
func (anything) JobStarted(context.Context, fleet.HostID, fleet.JobID, agentwire.JobStarted) error {
	return nil
}
func (anything) JobFinished(context.Context, fleet.HostID, fleet.JobID, agentwire.JobFinished) error {
	return fault.New(fault.Conflict, "lines are missing")
}
func (anything) SnapshotsReported(context.Context, fleet.HostID, fleet.JobID, agentwire.SnapshotsReport) error {
	return nil
}
func (anything) AgentJob(_ context.Context, _ fleet.HostID, id fleet.JobID) (fleet.Job, error) {
	if id != "j1" {
		return fleet.Job{}, fault.New(fault.UnknownJob, "not of this host")
	}
	return fleet.Job{ID: id}, nil
}

// memory is a log that keeps nothing but its length.
type memory struct {
	control.Logs
	t    *testing.T
	next int64
}

func (m *memory) Append(job fleet.JobID, first int64, lines []fleet.LogLine, durable func(int64)) (int64, error) {
	if job != "j1" {
		m.t.Errorf("lines of job %q were taken", job)
	}
	if first < 1 {
		return 0, fault.New(fault.InvalidInput, "lines count from 1")
	}
	if first > m.next {
		return m.next, nil
	}
	m.next = max(m.next, first+int64(len(lines)))
	if len(lines) > 0 {
		durable(first + int64(len(lines)) - 1)
	}
	return m.next, nil
}

func (m *memory) Durable(context.Context, fleet.JobID) (fleet.LogPosition, error) {
	return fleet.LogPosition{LastSeq: m.next - 1}, nil
}

func (m *memory) SetProgress(job fleet.JobID, _ fleet.Progress) {
	if job != "j1" {
		m.t.Errorf("progress of job %q was taken", job)
	}
}

// FuzzFrames: no frame of an agent makes the daemon panic, reaches another host's job, or ends the session without a code that
// the agent can be told; and no credit is made or lost.
func FuzzFrames(f *testing.F) {
	for _, s := range []string{
		`{"v":1,"type":"log.stream","job_id":"j1","payload":{"first_seq":1,"lines":[{"t":"2026-01-01T00:00:00.000000Z","s":"out","m":"x"}]}}`,
		`{"v":1,"type":"log.stream","job_id":"j1","payload":{"first_seq":9,"lines":[{"t":"2026-01-01T00:00:00.000000Z","s":"err","b":"/w==","c":true}]}}`,
		`{"v":1,"type":"log.stream","job_id":"j2","payload":{"first_seq":-1,"lines":null}}`,
		`{"v":1,"type":"job.finished","job_id":"j1","payload":{"outcome":{"state":"succeeded"},"log":{"last_seq":9223372036854775807}}}`,
		`{"v":1,"type":"job.progress","job_id":"j1","payload":{"percent":1e308}}`,
		`{"v":1,"type":"command.ack","job_id":"j1","payload":{"state":"running"}}`, `{"v":1,"type":"command.reject","job_id":"j1","payload":{}}`,
		`{"v":1,"type":"job.started","job_id":"j1","payload":{"at":"2026-01-01T00:00:00Z"}}`, `{"v":1,"type":"reply","id":"r1","payload":{}}`,
		`{"v":1,"type":"snapshots.report","job_id":"j1","payload":{"part":1,"parts":1,"snapshots":[{}]}}`, `{"v":1,"type":"hello","payload":{}}`,
		`{"v":1,"type":"inventory","payload":{"facts":{}}}`, `{"v":1,"type":"plan.ack","payload":{"version":-1}}`, `{"v":1,"type":"heartbeat"}`, `{"v":9}`, `[]`, ``,
	} {
		f.Add([]byte(s), []byte(s))
	}
	f.Fuzz(func(t *testing.T, one, two []byte) {
		logs := &memory{t: t, next: 1}
		d := dispatch.New(dispatch.Config{})
		h := New(Config{Control: anything{}, Logs: logs, Dispatch: d, HoldFor: time.Hour, Budget: 1 << 20})
		s := newSession(h, nil, "a1", "h1")
		s.out.write = func([]byte) error { return nil }
		var err error
		if s.seat, err = d.Join("h1", "one", s); err != nil {
			t.Fatal(err)
		}
		for _, frame := range [][]byte{one, two, one} {
			if err := s.take(frame); err != nil {
				if code := fault.CodeOf(err); closeCode(err) == agentwire.CloseBusy || code == fault.Internal {
					t.Fatalf("%q: %v", frame, err)
				}
			}
		}
		s.cancel()
		s.out.close()
		s.lane.close()
		s.wg.Wait()
		s.dropJobs()
		if h.budget.left != 1<<20 || s.under != 0 {
			t.Fatalf("budget %d, under way %d", h.budget.left, s.under)
		}
		h.Close()
	})
}
