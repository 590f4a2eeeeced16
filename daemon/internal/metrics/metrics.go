// Package metrics counts what the daemon does and shows it in Prometheus's exposition format: agents connected, jobs by state,
// lines stored, what waits for the disk, streams open, requests by route. A number that a part keeps anyway is asked of the part
// when the page is read; only what nobody keeps is counted here.
//
// It starts no goroutine. Labels come from small fixed sets (routes, states, kinds), never from what a client sends, so that
// nobody can make the page grow.
package metrics

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/backstay/backstay/daemon/internal/joblog"
)

// Sources are asked when the page is read; nil members are left out.
type Sources struct {
	Version string
	Agents  func() int // connected now
	Logs    func() joblog.Stats
}

// Metrics is the daemon's registry. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	took     *prometheus.HistogramVec
	sockets  *prometheus.GaugeVec
	jobs     *jobs
}

// New makes the registry.
func New(src Sources) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "backstay_http_requests_total",
			Help: "Requests answered, by route and status."}, []string{"route", "code"}),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "backstay_http_request_seconds",
			Help:    "How long requests took; a stream counts when it ends.",
			Buckets: []float64{.001, .005, .02, .1, .5, 2, 10, 60}}, []string{"route"}),
		sockets: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "backstay_streams_open",
			Help: "Sockets open to consoles and scripts: job streams and watches."}, []string{"kind"}),
		jobs: newJobs(),
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{Name: "backstay_build_info", Help: "1, with the daemon's version.",
		ConstLabels: prometheus.Labels{"version": src.Version}})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.took, m.sockets, m.jobs, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	if src.Agents != nil {
		m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "backstay_agents_connected",
			Help: "Agents with a session open."}, func() float64 { return float64(src.Agents()) }))
	}
	if src.Logs != nil {
		m.registry.MustRegister(newLogs(src.Logs))
	}
	return m
}

// Handler is the page.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Request counts an answer.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.took.WithLabelValues(route).Observe(took.Seconds())
}

// SocketOpened counts a stream or watch in.
func (m *Metrics) SocketOpened(kind string) { m.sockets.WithLabelValues(kind).Inc() }

// SocketClosed counts it out.
func (m *Metrics) SocketClosed(kind string) { m.sockets.WithLabelValues(kind).Dec() }

// logs turns the job log's own numbers into metrics.
type logs struct {
	stats   func() joblog.Stats
	figures []figure
}

type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	of   func(joblog.Stats) float64
}

func newLogs(stats func() joblog.Stats) *logs {
	l := &logs{stats: stats}
	add := func(kind prometheus.ValueType, name, help string, of func(joblog.Stats) float64) {
		l.figures = append(l.figures, figure{prometheus.NewDesc("backstay_log_"+name, help, nil, nil), kind, of})
	}
	count, gauge := prometheus.CounterValue, prometheus.GaugeValue
	add(count, "lines_stored_total", "Lines on disk since the daemon started.", func(s joblog.Stats) float64 { return float64(s.Lines) })
	add(count, "stored_bytes_total", "Compressed bytes of these lines.", func(s joblog.Stats) float64 { return float64(s.StoredBytes) })
	add(count, "commits_total", "Commits of lines.", func(s joblog.Stats) float64 { return float64(s.Commits) })
	add(count, "commit_failures_total", "Commits that the disk refused; they are tried again.", func(s joblog.Stats) float64 { return float64(s.Failures) })
	add(count, "refused_total", "Batches turned away because too much waits for the disk; agents send them again.", func(s joblog.Stats) float64 { return float64(s.Refused) })
	add(count, "damaged_chunks_total", "Chunks that could not be read.", func(s joblog.Stats) float64 { return float64(s.Damaged) })
	add(gauge, "pending_lines", "Lines received and not on disk yet.", func(s joblog.Stats) float64 { return float64(s.PendingLines) })
	add(gauge, "pending_bytes", "Memory of these lines.", func(s joblog.Stats) float64 { return float64(s.PendingBytes) })
	add(gauge, "ring_bytes", "Memory of lines on disk that are kept for live readers.", func(s joblog.Stats) float64 { return float64(s.RingBytes) })
	add(gauge, "disk_full", "1 while the disk takes no more lines.", func(s joblog.Stats) float64 {
		if s.Full {
			return 1
		}
		return 0
	})
	return l
}

// Describe names the metrics.
func (l *logs) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range l.figures {
		ch <- f.desc
	}
}

// Collect asks once for all of them.
func (l *logs) Collect(ch chan<- prometheus.Metric) {
	s := l.stats()
	for _, f := range l.figures {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.of(s))
	}
}
