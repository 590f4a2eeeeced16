package vm_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/desktop/internal/vm"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// crowd is 2,000 hosts and 10,000 jobs of them.
func crowd() []api.Row {
	var rows []api.Row
	var ids []fleet.HostID
	for i := range 2000 {
		id := fmt.Sprintf("h%05d", i)
		ids = append(ids, fleet.HostID(id))
		rows = append(rows, hostRow(id, fmt.Sprintf("host-%d.prod-eu", i)))
	}
	rows = append(rows, planRow("p1", ids...), repoRow("r1", "main"))
	for i := range 10_000 {
		state := fleet.StateSucceeded
		if i > 9_800 {
			state = fleet.StateRunning
		}
		rows = append(rows, jobRow(aJob(fmt.Sprintf("j%07d", i), state, func(j *fleet.Job) {
			j.HostID, j.CreatedAt = ids[i%2000], t0.Add(time.Duration(i)*time.Second)
		})))
	}
	return rows
}

func bound(v interface {
	IDs() []string
	Row(string) (vm.JobRow, bool)
}) {
	for _, id := range v.IDs()[:30] { // what a window shows
		v.Row(id)
	}
}

// BenchmarkOpenJobs is the whole of opening the list of jobs on a model that holds 10,000.
func BenchmarkOpenJobs(b *testing.B) {
	m := signedIn(crowd()...)
	for b.Loop() {
		bound(vm.NewJobs(m, vm.JobsFilter{}))
	}
}

// BenchmarkFilterJobs is one letter typed into the filter.
func BenchmarkFilterJobs(b *testing.B) {
	m := signedIn(crowd()...)
	v := vm.NewJobs(m, vm.JobsFilter{})
	for i := 0; b.Loop(); i++ {
		v.SetFilter(vm.JobsFilter{Text: fmt.Sprintf("host-%d", i%9)})
	}
}

// BenchmarkJobsUpdate is the list of jobs after a batch of the watch.
func BenchmarkJobsUpdate(b *testing.B) {
	m := signedIn(crowd()...)
	v := vm.NewJobs(m, vm.JobsFilter{})
	for i := 0; b.Loop(); i++ {
		c := m.Apply(model.Batch{Rows: []api.Row{jobRow(aJob(fmt.Sprintf("j%07d", 9_900+i%50), fleet.StateRunning, func(j *fleet.Job) { j.HostID = "h00001" }))}})
		v.Update(c)
		bound(v)
	}
}

// BenchmarkOpenHosts is the table of 2,000 hosts, ordered by its dearest column.
func BenchmarkOpenHosts(b *testing.B) {
	m := signedIn(crowd()...)
	for b.Loop() {
		v := vm.NewHosts(m)
		v.SetSort(vm.HostByPlan, false)
		for _, id := range v.IDs()[:30] {
			v.Row(id)
		}
	}
}
