package model_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

const (
	benchHosts = 2_000
	benchJobs  = 10_000
	benchPlans = 20
)

// bigFleet is 2,000 hosts with 14 marks each, 20 plans and 10,000 jobs, 500 of them running.
func bigFleet() []api.Row {
	var rows []api.Row
	byPlan := make([][]fleet.HostID, benchPlans)
	for i := range benchHosts {
		id := fmt.Sprintf("h%05d", i)
		rows = append(rows, hostRow(id, fmt.Sprintf("host-%d.prod", i), func(h *fleet.Host) {
			for n := range fleet.MaxBackupMarks {
				h.Backups = append(h.Backups, fleet.BackupMark{JobID: fleet.JobID(fmt.Sprintf("old%d-%d", i, n)), State: fleet.StateSucceeded, At: t0.AddDate(0, 0, n-20), Bytes: 1 << 30})
			}
		}))
		byPlan[i%benchPlans] = append(byPlan[i%benchPlans], fleet.HostID(id))
	}
	for p := range benchPlans {
		rows = append(rows, planRow(fmt.Sprintf("p%d", p), byPlan[p]...))
	}
	for i := range benchJobs {
		state := fleet.StateSucceeded
		switch {
		case i >= benchJobs-500:
			state = fleet.StateRunning
		case i%50 == 0:
			state = fleet.StateFailed
		}
		rows = append(rows, benchJob(i, state))
	}
	return rows
}

func benchJob(i int, state fleet.JobState) api.Row {
	return jobRow(fmt.Sprintf("j%07d", i), fmt.Sprintf("h%05d", i%benchHosts), i, state, func(j *fleet.Job) { j.PlanID = fleet.PlanID(fmt.Sprintf("p%d", i%benchHosts%benchPlans)) })
}

// BenchmarkList applies the whole state to an empty model, with everything that a page looks at.
func BenchmarkList(b *testing.B) {
	rows := bigFleet()
	for b.Loop() {
		m := model.New()
		m.Apply(list(rows...))
		look(m)
	}
}

// BenchmarkListAgain applies the whole state anew, as after a long absence.
func BenchmarkListAgain(b *testing.B) {
	rows, m := bigFleet(), model.New()
	m.Apply(list(rows...))
	for b.Loop() {
		m.Apply(list(rows...))
		look(m)
	}
}

func look(m *model.Fleet) {
	m.Hosts()
	m.Attention()
	m.Totals()
}

// BenchmarkChanges applies a batch of a tenth of a second at 1,000 changes a second: 100 jobs that move on, half of them to their end,
// and the figures of all that runs. ns/op times ten is what a second costs.
func BenchmarkChanges(b *testing.B) {
	m := model.New()
	m.Apply(list(bigFleet()...))
	next := benchJobs
	progress := map[fleet.JobID]fleet.Progress{}
	for b.Loop() {
		batch := model.Batch{Progress: progress}
		for range 50 {
			batch.Rows = append(batch.Rows, benchJob(next, fleet.StateRunning), benchJob(next-500, fleet.StateSucceeded))
			progress[fleet.JobID(fmt.Sprintf("j%07d", next))] = fleet.Progress{At: t0.Add(time.Duration(next) * time.Second), BytesDone: int64(next)}
			delete(progress, fleet.JobID(fmt.Sprintf("j%07d", next-500)))
			next++
		}
		m.Apply(batch)
		look(m)
	}
}
