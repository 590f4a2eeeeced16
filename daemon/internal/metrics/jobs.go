package metrics

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// maxEnded is how many final jobs are remembered: long enough for a change that is published late, after the end that
// came after it.
const maxEnded = 4096

// jobs knows the state of every job that may still change (open ones, and lost ones, whose truth may come late) and of those that
// ended last, and counts each change of a state once.
type jobs struct {
	open    *prometheus.Desc
	changes *prometheus.CounterVec

	mu    sync.Mutex
	known map[fleet.JobID]seen
	ended []fleet.JobID // a ring; the one that is overwritten is forgotten
	next  int
}

type seen struct {
	state fleet.JobState
	rev   int64
}

func newJobs() *jobs {
	return &jobs{
		open: prometheus.NewDesc("backstay_jobs", "Jobs that may still change, by state.", []string{"state"}, nil),
		changes: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "backstay_job_changes_total",
			Help: "Jobs that came into a state since the daemon started, by kind and state."}, []string{"kind", "state"}),
		known: map[fleet.JobID]seen{},
		ended: make([]fleet.JobID, maxEnded),
	}
}

// see takes rows as they were committed, in any order; counted tells whether a new state is a change that happened now.
func (j *jobs) see(rows []api.Row, counted bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range rows {
		if r.Job == nil || !r.Job.State.Valid() {
			continue
		}
		before, known := j.known[r.Job.ID]
		if known && r.Rev <= before.rev {
			continue
		}
		final := r.Job.State.Final()
		j.known[r.Job.ID] = seen{state: r.Job.State, rev: r.Rev}
		if final && (!known || !before.state.Final()) {
			j.forgetLaterLocked(r.Job.ID)
		}
		if counted && before.state != r.Job.State && (known || !final) { // an unknown final one was counted when it ended
			j.changes.WithLabelValues(string(r.Job.Kind), string(r.Job.State)).Inc()
		}
	}
}

func (j *jobs) forgetLaterLocked(id fleet.JobID) {
	delete(j.known, j.ended[j.next])
	j.ended[j.next] = id
	j.next = (j.next + 1) % len(j.ended)
}

// Describe names the metrics.
func (j *jobs) Describe(ch chan<- *prometheus.Desc) {
	ch <- j.open
	j.changes.Describe(ch)
}

// Collect gives one gauge for each state that a job can stay in, zeros included, and the counters.
func (j *jobs) Collect(ch chan<- prometheus.Metric) {
	count := map[fleet.JobState]float64{}
	j.mu.Lock()
	for _, k := range j.known {
		count[k.state]++
	}
	j.mu.Unlock()
	for _, s := range fleet.JobStates {
		if !s.Final() {
			ch <- prometheus.MustNewConstMetric(j.open, prometheus.GaugeValue, count[s], string(s))
		}
	}
	j.changes.Collect(ch)
}

// Feed counts the job changes that pass to next. Begin with the rows of the store (control.Service.WatchRows), so that jobs which
// were there before the daemon started are known.
func (m *Metrics) Feed(next control.Feed) control.Feed { return &feed{jobs: m.jobs, next: next} }

// Known takes the rows that were there when the daemon started.
func (m *Metrics) Known(rows []api.Row) { m.jobs.see(rows, false) }

type feed struct {
	jobs *jobs
	next control.Feed
}

// Publish counts and passes on.
func (f *feed) Publish(rows ...api.Row) {
	f.jobs.see(rows, true)
	f.next.Publish(rows...)
}
