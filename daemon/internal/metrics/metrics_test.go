package metrics_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/metrics"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

type sink struct{ rows int }

func (s *sink) Publish(rows ...api.Row) { s.rows += len(rows) }

func page(t *testing.T, m *metrics.Metrics) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	b, err := io.ReadAll(rec.Result().Body)
	if err != nil || rec.Code != 200 {
		t.Fatalf("page: %d %v\n%s", rec.Code, err, b)
	}
	return string(b)
}

func want(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, l := range lines {
		if !strings.Contains(text, "\n"+l+"\n") {
			t.Errorf("the page has no line %q", l)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}

func job(id string, rev int64, state fleet.JobState) api.Row {
	return api.Row{Kind: "job", ID: id, Rev: rev, Job: &fleet.Job{ID: fleet.JobID(id), Kind: fleet.KindBackup, State: state, Rev: rev}}
}

func TestFiguresOfTheParts(t *testing.T) {
	m := metrics.New(metrics.Sources{Version: "1.2.3", Agents: func() int { return 7 },
		Logs: func() joblog.Stats { return joblog.Stats{Lines: 41, PendingLines: 3, Full: true} }})
	m.Request("GET /api/v1/hosts", 200, time.Millisecond)
	m.Request("GET /api/v1/hosts", 200, time.Millisecond)
	m.SocketOpened("job")
	m.SocketOpened("job")
	m.SocketClosed("job")
	want(t, page(t, m), `backstay_build_info{version="1.2.3"} 1`, "backstay_agents_connected 7", "backstay_log_lines_stored_total 41",
		"backstay_log_pending_lines 3", "backstay_log_disk_full 1", `backstay_http_requests_total{code="200",route="GET /api/v1/hosts"} 2`,
		`backstay_streams_open{kind="job"} 1`)
}

func TestJobsAreCountedOnceInAnyOrder(t *testing.T) {
	m := metrics.New(metrics.Sources{})
	m.Known([]api.Row{job("old", 1, fleet.StateRunning), job("done", 2, fleet.StateFailed), job("gone", 3, fleet.StateLost)})
	out := &sink{}
	f := m.Feed(out)
	f.Publish(job("a", 10, fleet.StateQueued))
	f.Publish(job("a", 12, fleet.StateRunning), job("a", 11, fleet.StateAccepted)) // late: the later state stands
	f.Publish(job("a", 13, fleet.StateRunning))                                    // cancel desired: the same state
	f.Publish(job("b", 21, fleet.StateCancelled), job("b", 20, fleet.StateQueued))
	f.Publish(job("old", 30, fleet.StateSucceeded), job("done", 31, fleet.StateFailed), job("gone", 32, fleet.StateWarning))
	if out.rows != 9 {
		t.Errorf("%d rows passed on, want 9", out.rows)
	}
	text := page(t, m)
	want(t, text, `backstay_jobs{state="running"} 1`, `backstay_jobs{state="queued"} 0`, `backstay_jobs{state="lost"} 0`,
		`backstay_job_changes_total{kind="backup",state="running"} 1`, `backstay_job_changes_total{kind="backup",state="succeeded"} 1`,
		`backstay_job_changes_total{kind="backup",state="warning"} 1`)
	if strings.Contains(text, `state="failed"`) {
		t.Error("a job that ended before the start was counted")
	}
}

func TestFinalJobsAreForgotten(t *testing.T) {
	m := metrics.New(metrics.Sources{})
	f := m.Feed(&sink{})
	for i := range int64(10_000) {
		id := fmt.Sprint("job", i)
		f.Publish(job(id, 2*i+1, fleet.StateRunning))
		f.Publish(job(id, 2*i+2, fleet.StateSucceeded))
	}
	want(t, page(t, m), `backstay_jobs{state="running"} 0`, `backstay_job_changes_total{kind="backup",state="succeeded"} 10000`)
	if n := metrics.KnownJobs(m); n > 4096 {
		t.Errorf("%d final jobs are remembered", n)
	}
}
