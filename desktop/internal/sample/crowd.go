package sample

import (
	"fmt"
	"time"

	"github.com/backstay/backstay/shared/fleet"
)

// Crowd makes a large fleet where nothing runs, nothing is late and all is known to the watch: so many hosts and jobs, the jobs over
// as many days as there are jobs for a host.
func Crowd(now time.Time, hosts, jobs int) *Daemon {
	d := Vacant(now)
	d.listed = jobs
	plans := d.plan()
	var kinds []int // machines that are backed up
	for i, m := range machines {
		if plans[m.plan] != nil && m.perDay > 0 {
			kinds = append(kinds, i)
		}
	}
	events := make([]event, hosts) // but for the time
	for i := range hosts {
		kind := kinds[i%len(kinds)]
		m := machines[kind]
		m.name, m.trait = fmt.Sprintf("%04d.%s", i, m.name), ""
		h, p := d.enrol(i, m), plans[m.plan]
		d.assign(h, p, true)
		events[i] = event{machine: kind, host: h, plan: p}
	}
	if hosts > 0 {
		span := time.Duration((jobs+hosts-1)/hosts) * 24 * time.Hour
		for n := range jobs {
			e := events[n%hosts]
			e.at = d.now.Add(-40*time.Minute - span/time.Duration(jobs)*time.Duration(jobs-n))
			d.pastBackup(e)
		}
	}
	d.tidy()
	return d
}

// openOn begins a verbose backup of a host of a crowd that does not go on by itself.
func (d *Daemon) openOn(h *fleet.Host) *job {
	var plan *fleet.Plan
	for _, p := range d.plans {
		for _, id := range p.Hosts {
			if id == h.ID {
				plan = p
			}
		}
	}
	j := d.newJob(h, plan, fleet.KindBackup, "mira", d.now.Add(-time.Minute))
	at := d.now.Add(-50 * time.Second)
	j.made, j.State, j.StartedAt = true, fleet.StateRunning, &at
	return j
}
