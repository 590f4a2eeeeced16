package app_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/backstay/backstay/daemon/internal/joblog"
	"github.com/backstay/backstay/daemon/internal/pki"
	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
)

// What BenchmarkStart's daemon has behind it.
const (
	pastHosts    = 1000
	pastOfAll    = 1_000_000 // jobs
	loggedJobs   = 10_000
	linesOfOne   = 1000 // of each of loggedJobs
	numbersUpTo  = "(WITH RECURSIVE v(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM v WHERE n < %d) SELECT n FROM v)"
	startPerHour = 3_600_000_000
)

// BenchmarkStart is one op a start of backstayd on a million jobs and ten million lines of log: from the start of the process until
// /readyz answers 200. Must: ≤ 1,000 ms.
func BenchmarkStart(b *testing.B) {
	data, addr := filepath.Join(b.TempDir(), "data"), freePort(b)
	ca, err := pki.Open(pki.Config{Dir: filepath.Join(data, "pki"), Names: []string{"127.0.0.1"}})
	if err != nil {
		b.Fatal(err)
	}
	pastJobsOf(b, data)
	pastLines(b, data)
	first := launch(b, data, addr) // builds the program
	first.awaitReady(ca.Pin())
	first.stop()
	var most time.Duration
	for b.Loop() {
		began := time.Now()
		d := launch(b, data, addr)
		d.awaitReady(ca.Pin())
		most = max(most, time.Since(began))
		b.StopTimer()
		d.stop()
		b.StartTimer()
	}
	b.ReportMetric(b.Elapsed().Seconds()*1000/float64(b.N), "ms/start")
	b.ReportMetric(most.Seconds()*1000, "ms-most")
	b.ReportMetric(0, "ns/op")
}

// pastJobsOf fills state.db with hosts and their jobs.
func pastJobsOf(b *testing.B, data string) {
	b.Helper()
	path := filepath.Join(data, "state.db")
	store, err := sqlite.OpenStore(b.Context(), path, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Close(); err != nil {
		b.Fatal(err)
	}
	change(b, path, fmt.Sprintf(`INSERT INTO hosts (id, name, agent_id, hostname, os, arch, agent_version, restic_version, secret_store, sealing_key, restore_root,
			online, clock_skew_ms, enrolled_at, last_job_id, rev)
		SELECT 'HOST' || n, 'host' || n, 'AGENT' || n, 'host' || n, 'linux', 'amd64', '', '', 'keyring', 'age1x', '/r', 1, 0, 0, '', n FROM `+numbersUpTo, pastHosts),
		fmt.Sprintf(`INSERT INTO jobs (n, id, host_id, plan_id, repository_id, kind, state, ended, cancel_requested, accepted, created_by, created_at, started_at,
			finished_at, updated_at, log_seq, log_bytes, log_crc32c, log_sealed, created_rev, rev, outcome, spec)
		SELECT n, 'JOB' || n, 'HOST' || (n * 7919 %% %d + 1), 'PLAN' || (n %% 50), 'R1', iif(n %% 100 = 3, 'check', 'backup'), iif(n %% 1000 = 7, 'failed', 'succeeded'), 1, 0, 1,
			'schedule', n * %d, n * %[2]d, n * %[2]d, n * %[2]d, 100, 1000, 7, 1, n, n, '{"state":"succeeded"}',
			'{"kind":"backup","backup":{"paths":["/home","/etc","/srv"],"excludes":["*.tmp","/home/*/.cache"]}}' FROM `+numbersUpTo, pastHosts, startPerHour, pastOfAll),
		fmt.Sprintf("UPDATE meta SET rev = %d", pastOfAll))
}

// pastLines writes the log of one job and has as many others share its text.
func pastLines(b *testing.B, data string) {
	b.Helper()
	logs, err := joblog.Open(joblog.Config{Dir: data})
	if err != nil {
		b.Fatal(err)
	}
	job, lines := fleet.JobID(ulid.Make().String()), make([]fleet.LogLine, linesOfOne)
	for i := range lines {
		lines[i] = fleet.LogLine{Time: time.Now(), Text: fmt.Sprintf("unchanged /home/user%d/documents/%08x/report-%d.odt", i%7, i*2654435761, i)}
	}
	stored := make(chan struct{})
	if _, err := logs.Append(job, 1, lines, func(seq int64) {
		if seq == linesOfOne {
			close(stored)
		}
	}); err != nil {
		b.Fatal(err)
	}
	<-stored
	if err := logs.Close(); err != nil {
		b.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(data, "logs-*.db"))
	if err != nil || len(files) != 1 {
		b.Fatal(files, err)
	}
	change(b, files[0], fmt.Sprintf("INSERT INTO jobs (job_id) SELECT 'JOB' || n FROM "+numbersUpTo, loggedJobs-1),
		`INSERT INTO chunks (job, first_seq, last_seq, bytes, crc32c, log_bytes, log_crc32c, data)
			SELECT j.id, c.first_seq, c.last_seq, c.bytes, c.crc32c, c.log_bytes, c.log_crc32c, c.data FROM jobs j, chunks c WHERE j.job_id LIKE 'JOB%' ORDER BY j.id, c.last_seq`)
}

// change runs statements on a database that nobody else uses.
func change(b *testing.B, path string, queries ...string) {
	b.Helper()
	db, err := sqlite.Open(path, sqlite.Existing)
	if err != nil {
		b.Fatal(err)
	}
	for _, q := range append([]string{"PRAGMA cache_size = -524288", "PRAGMA synchronous = OFF"}, queries...) {
		if _, err := db.Write.ExecContext(b.Context(), q); err != nil {
			b.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
}
