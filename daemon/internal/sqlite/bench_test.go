package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/fleet"
)

// fleetOfJobs fills a store with n jobs of 1,000 hosts, 50 plans and 5 repositories; most are backups that went well.
func fleetOfJobs(b *testing.B, s *Store, n int) {
	b.Helper()
	ctx := context.Background()
	_, err := s.Update(ctx, func(w control.Writer) error {
		for i := range 1000 {
			h := fleet.Host{ID: fleet.HostID(fmt.Sprintf("01J0000000000000000HOST%04d", i)), Name: fmt.Sprint("web", i)}
			if err := w.PutHost(ctx, &h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	at := time.Unix(1_700_000_000, 0)
	for from := 0; from < n; from += 20_000 {
		_, err := s.Update(ctx, func(w control.Writer) error {
			for i := from; i < min(n, from+20_000); i++ {
				j := control.JobRecord{Job: benchJob(i, at)}
				if err := w.PutJob(ctx, &j); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

func benchJob(i int, at time.Time) fleet.Job {
	kind, state := fleet.KindBackup, fleet.StateSucceeded
	switch {
	case i%1000 == 7:
		state = fleet.StateFailed
	case i%100 == 3:
		kind = fleet.KindCheck
	case i%50 == 1:
		state = fleet.StateWarning
	}
	exit := 0
	return fleet.Job{
		ID: fleet.JobID(fmt.Sprintf("01J%023d", i)), HostID: fleet.HostID(fmt.Sprintf("01J0000000000000000HOST%04d", i*7919%1000)),
		PlanID: fleet.PlanID(fmt.Sprintf("01J0000000000000000PLAN%04d", i%50)), RepositoryID: fleet.RepositoryID(fmt.Sprintf("01J0000000000000000REPO%04d", i%5)),
		Kind: kind, State: state, CreatedBy: "schedule", CreatedAt: at, UpdatedAt: at, StartedAt: &at, FinishedAt: &at,
		Outcome: &fleet.Outcome{State: state, ExitCode: &exit, Summary: &fleet.Summary{Backup: &fleet.BackupSummary{SnapshotID: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"}}},
		Spec:    fleet.JobSpec{Kind: kind, Backup: &fleet.BackupSpec{Paths: []string{"/home", "/etc", "/srv"}, Excludes: []string{"*.tmp", "/home/*/.cache"}}},
	}
}

// BenchmarkJobList reads pages of 50 anywhere in a million jobs, by each kind of filter. Must: p99 ≤ 25 ms.
func BenchmarkJobList(b *testing.B) {
	const n = 1_000_000
	s := newStore(b)
	fleetOfJobs(b, s, n)
	ctx := context.Background()
	host, plan, repository := fleet.HostID("01J0000000000000000HOST0042"), fleet.PlanID("01J0000000000000000PLAN0007"), fleet.RepositoryID("01J0000000000000000REPO0002")
	for name, q := range map[string]control.JobQuery{
		"all": {}, "host": {HostID: host}, "plan": {PlanID: plan}, "repository": {RepositoryID: repository},
		"state": {States: []fleet.JobState{fleet.StateFailed}}, "ended badly": {States: []fleet.JobState{fleet.StateFailed, fleet.StateWarning, fleet.StateLost, fleet.StateInterrupt}},
		"host+state": {HostID: host, States: []fleet.JobState{fleet.StateWarning}}, "kind": {Kind: fleet.KindCheck},
		"kind+states": {Kind: fleet.KindCheck, States: fleet.JobStates[:]}, "plan+kind": {PlanID: plan, Kind: fleet.KindCheck},
		"repository+kind+states": {RepositoryID: repository, Kind: fleet.KindUnlock, States: []fleet.JobState{fleet.StateSucceeded, fleet.StateFailed, fleet.StateWarning}},
		"text":                   {Text: "web77"}, "text, none": {Text: "nowhere"}, "text+states": {Text: "nowhere", States: fleet.JobStates[:]},
		"text+three states": {Text: "nowhere", States: []fleet.JobState{fleet.StateSucceeded, fleet.StateFailed, fleet.StateWarning}},
	} {
		b.Run(name, func(b *testing.B) {
			rnd := rand.New(rand.NewPCG(1, 2))
			var took []time.Duration
			for b.Loop() {
				q.Limit, q.Cursor = 50, strconv.Itoa(1+rnd.IntN(n))
				start := time.Now()
				err := s.View(ctx, func(r control.Reader) error {
					_, err := r.JobPage(ctx, q)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
				took = append(took, time.Since(start))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50")
			b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkPutJob is the store's part of POST → queued: one transaction, on disk.
func BenchmarkPutJob(b *testing.B) {
	s := newStore(b)
	fleetOfJobs(b, s, 0)
	ctx := context.Background()
	at := time.Unix(1_700_000_000, 0)
	i := 0
	for b.Loop() {
		_, err := s.Update(ctx, func(w control.Writer) error {
			j := control.JobRecord{Job: benchJob(i, at)}
			i++
			if err := w.PutJob(ctx, &j); err != nil {
				return err
			}
			return w.AppendAudit(ctx, control.AuditEntry{At: at, Actor: "ada", Action: "job.create", Object: string(j.ID), Detail: "backup"})
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkHosts reads what every list and every watch begins with: 2,000 hosts, each with the marks of its last backups.
func BenchmarkHosts(b *testing.B) {
	s, ctx := newStore(b), context.Background()
	for _, n := range []int{0, fleet.MaxBackupMarks} {
		_, err := s.Update(ctx, func(w control.Writer) error {
			for i := range 2000 {
				h := fleet.Host{ID: fleet.HostID(fmt.Sprintf("01J0000000000000000HOST%04d", i)), Name: fmt.Sprint("web", i), Hostname: fmt.Sprint("web", i)}
				for k := range n {
					h.NoteBackup(fleet.BackupMark{JobID: fleet.JobID(fmt.Sprintf("01J%023d", i*100+k)), State: fleet.StateSucceeded,
						At: time.UnixMicro(1_700_000_000_123_456 + int64(k)), Bytes: 5 << 30, Added: 12 << 20})
				}
				if err := w.PutHost(ctx, &h); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n, " marks"), func(b *testing.B) {
			for b.Loop() {
				err := s.View(ctx, func(r control.Reader) error {
					_, err := r.Hosts(ctx)
					return err
				})
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEndOfBackup is the store's part of a backup's end: the job, its host's marks, the count of the hour.
func BenchmarkEndOfBackup(b *testing.B) {
	s, ctx := newStore(b), context.Background()
	fleetOfJobs(b, s, 0)
	at := time.Unix(1_700_000_000, 0)
	i := 0
	for b.Loop() {
		_, err := s.Update(ctx, func(w control.Writer) error {
			j := control.JobRecord{Job: benchJob(i, at)}
			i++
			if err := w.PutJob(ctx, &j); err != nil {
				return err
			}
			h, err := w.Host(ctx, j.HostID)
			if err != nil {
				return err
			}
			if m, ok := fleet.MarkOf(j.Job); ok {
				h.NoteBackup(m)
			}
			return w.PutHost(ctx, &h)
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
