package model

import (
	"maps"
	"slices"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// Kinds of rows on the watch.
const (
	kindHost       = "host"
	kindRepository = "repository"
	kindPlan       = "plan"
	kindJob        = "job"
)

// Apply takes a batch and says what it changed.
func (f *Fleet) Apply(b Batch) Change {
	var c changes
	if b.Reset {
		c.all, c.restored = true, b.AsOf < f.rev
		f.listed, f.rev = true, b.AsOf
		f.forgetMissing(b.Rows, &c)
	}
	for i := range b.Rows {
		f.rev = max(f.rev, b.Rows[i].Rev)
		f.take(&b.Rows[i], &c)
	}
	for id, p := range b.Progress {
		f.progress(id, p, &c)
	}
	f.trim()
	f.settle(&c)
	out := c.change()
	if b.Connection != nil {
		f.connection, out.Connection = *b.Connection, true
	}
	if b.Identity != nil {
		f.identity, out.Identity = *b.Identity, true
	}
	return out
}

// changes collects what a batch changed; All stands for every id.
type changes struct {
	all          bool
	restored     bool
	hosts        map[fleet.HostID]struct{}
	repositories map[fleet.RepositoryID]struct{}
	plans        map[fleet.PlanID]struct{}
	jobs         map[fleet.JobID]struct{}
	progress     []fleet.JobID
	ended        []fleet.JobID
}

func (c *changes) change() Change {
	return Change{All: c.all, Restored: c.restored, Hosts: keys(c.hosts), Repositories: keys(c.repositories), Plans: keys(c.plans), Jobs: keys(c.jobs),
		Progress: c.progress, Ended: c.ended}
}

func keys[K comparable](m map[K]struct{}) []K {
	if len(m) == 0 {
		return nil
	}
	return slices.Collect(maps.Keys(m))
}

func add[K comparable](m *map[K]struct{}, k K) {
	if *m == nil {
		*m = map[K]struct{}{}
	}
	(*m)[k] = struct{}{}
}

// forgetMissing drops what a whole list does not have.
func (f *Fleet) forgetMissing(rows []api.Row, c *changes) {
	type object struct{ kind, id string }
	there := make(map[object]struct{}, len(rows))
	for i := range rows {
		if !rows[i].Deleted {
			there[object{rows[i].Kind, rows[i].ID}] = struct{}{}
		}
	}
	missing := func(kind, id string) bool {
		_, ok := there[object{kind, id}]
		return !ok
	}
	for id := range f.jobs {
		if missing(kindJob, string(id)) {
			f.dropJob(id, c)
		}
	}
	for id := range f.plans {
		if missing(kindPlan, string(id)) {
			f.dropPlan(id, c)
		}
	}
	for id := range f.repositories {
		if missing(kindRepository, string(id)) {
			f.dropRepository(id, c)
		}
	}
	for id := range f.hosts {
		if missing(kindHost, string(id)) {
			f.dropHost(id, c)
		}
	}
}

// take puts one row into its place. Rows of kinds that a newer daemon knows are passed over.
func (f *Fleet) take(r *api.Row, c *changes) {
	switch {
	case r.Deleted:
		f.delete(r, c)
	case r.Host != nil:
		f.takeHost(r.Host, c)
	case r.Repository != nil:
		f.takeRepository(r.Repository, c)
	case r.Plan != nil:
		f.takePlan(r.Plan, c)
	case r.Job != nil:
		f.takeJob(r.Job, c)
	}
}

func (f *Fleet) delete(r *api.Row, c *changes) {
	switch r.Kind {
	case kindHost:
		f.dropHost(fleet.HostID(r.ID), c)
	case kindRepository:
		f.dropRepository(fleet.RepositoryID(r.ID), c)
	case kindPlan:
		f.dropPlan(fleet.PlanID(r.ID), c)
	case kindJob:
		f.dropJob(fleet.JobID(r.ID), c)
	}
}

func (f *Fleet) takeHost(row *fleet.Host, c *changes) {
	h := f.entry(row.ID)
	if h.row == nil {
		h.row = &fleet.Host{}
	}
	if h.row.Name != row.Name || h.row.ID == "" {
		f.sortedHosts.drop()
	}
	*h.row = *row
	f.touch(row.ID, c)
}

func (f *Fleet) dropHost(id fleet.HostID, c *changes) {
	h := f.hosts[id]
	if h == nil || h.row == nil {
		return
	}
	h.row = nil
	f.dropIdle(id)
	f.sortedHosts.drop()
	f.touch(id, c)
}

func (f *Fleet) takeRepository(row *fleet.Repository, c *changes) {
	r := f.repositories[row.ID]
	if r == nil {
		r = &fleet.Repository{}
		f.repositories[row.ID] = r
	}
	if r.Name != row.Name {
		f.sortedRepositories.drop()
	}
	*r = *row
	add(&c.repositories, row.ID)
}

func (f *Fleet) dropRepository(id fleet.RepositoryID, c *changes) {
	if f.repositories[id] == nil {
		return
	}
	delete(f.repositories, id)
	f.sortedRepositories.drop()
	add(&c.repositories, id)
}

func (f *Fleet) takePlan(row *fleet.Plan, c *changes) {
	p := f.plans[row.ID]
	if p == nil {
		p = &fleet.Plan{}
		f.plans[row.ID] = p
	}
	f.touchAll(p.Hosts, c) // those it no longer names
	f.sortedPlans.drop()
	*p = *row
	f.touchAll(p.Hosts, c)
	add(&c.plans, row.ID)
}

func (f *Fleet) dropPlan(id fleet.PlanID, c *changes) {
	p := f.plans[id]
	if p == nil {
		return
	}
	delete(f.plans, id)
	f.sortedPlans.drop()
	f.touchAll(p.Hosts, c)
	add(&c.plans, id)
}

func (f *Fleet) takeJob(row *fleet.Job, c *changes) {
	j := f.jobs[row.ID]
	wasOpen := j != nil && !j.State.Ended()
	if j == nil {
		j = &fleet.Job{}
		*j = *row
		f.jobs[row.ID] = j
		f.order.add(j)
		f.entry(row.HostID).jobs.add(j)
	} else {
		*j = *row
	}
	switch open := !row.State.Ended(); {
	case open && !wasOpen:
		f.open.add(j)
		f.entry(row.HostID).open.add(j)
	case !open && wasOpen:
		f.open.remove(j)
		f.entry(row.HostID).open.remove(j)
		c.ended = append(c.ended, j.ID)
	}
	if row.State.Ended() {
		delete(f.running, row.ID)
	}
	f.totals = nil
	add(&c.jobs, row.ID)
	f.touch(row.HostID, c)
}

func (f *Fleet) dropJob(id fleet.JobID, c *changes) {
	j := f.jobs[id]
	if j == nil {
		return
	}
	delete(f.jobs, id)
	delete(f.running, id)
	f.order.remove(j)
	f.open.remove(j)
	if h := f.hosts[j.HostID]; h != nil {
		h.jobs.remove(j)
		h.open.remove(j)
		f.dropIdle(j.HostID)
	}
	f.totals = nil
	add(&c.jobs, id)
	f.touch(j.HostID, c)
}

// trim keeps ended jobs within MaxEnded. It waits until there is a tenth too many, so that it is seldom at work.
func (f *Fleet) trim() {
	if f.order.len()-f.open.len() <= MaxEnded+MaxEnded/10 {
		return
	}
	var old []fleet.JobID
	excess := f.order.len() - f.open.len() - MaxEnded
	for _, j := range f.order.oldestFirst() {
		if len(old) == excess {
			break
		}
		if j.State.Ended() {
			old = append(old, j.ID)
		}
	}
	var unseen changes // a job of the past is still one: it is only not kept here
	for _, id := range old {
		f.dropJob(id, &unseen)
	}
}
