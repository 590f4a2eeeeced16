package model

import (
	"slices"

	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fleet"
)

// MaxEnded bounds the ended jobs that are kept; the oldest go first.
const MaxEnded = 10_000

// Fleet is everything known of one daemon. Its zero value is not usable: see New.
type Fleet struct {
	listed     bool
	rev        int64 // the newest that was seen
	connection Connection
	identity   api.Identity

	hosts        map[fleet.HostID]*host
	repositories map[fleet.RepositoryID]*fleet.Repository
	plans        map[fleet.PlanID]*fleet.Plan
	jobs         map[fleet.JobID]*fleet.Job
	order        jobList // every job
	open         jobList // jobs that have not ended
	running      map[fleet.JobID]*Track

	sortedHosts        cache[*fleet.Host]
	sortedRepositories cache[*fleet.Repository]
	sortedPlans        cache[*fleet.Plan]
	attention          cache[Attention]
	totals             *Totals

	dirty map[fleet.HostID]struct{} // hosts to derive anew
}

// New makes a model that knows nothing yet.
func New() *Fleet {
	return &Fleet{
		hosts: map[fleet.HostID]*host{}, repositories: map[fleet.RepositoryID]*fleet.Repository{}, plans: map[fleet.PlanID]*fleet.Plan{},
		jobs: map[fleet.JobID]*fleet.Job{}, running: map[fleet.JobID]*Track{}, dirty: map[fleet.HostID]struct{}{},
	}
}

// Listed tells whether the daemon's list has come: before, pages show that they load.
func (f *Fleet) Listed() bool { return f.listed }

// Connection tells how the link to the daemon stands.
func (f *Fleet) Connection() Connection { return f.connection }

// Identity tells who is signed in, and about the daemon; zero until the daemon told.
func (f *Fleet) Identity() api.Identity { return f.identity }

// May tells whether the person who is signed in has the role that something needs. The daemon decides; this is for not offering
// what it would refuse.
func (f *Fleet) May(need fleet.Role) bool { return f.identity.Role.Allows(need) }

// Host gives a host, nil when there is none.
func (f *Fleet) Host(id fleet.HostID) *fleet.Host {
	if h := f.hosts[id]; h != nil {
		return h.row
	}
	return nil
}

// Repository gives a repository, nil when there is none.
func (f *Fleet) Repository(id fleet.RepositoryID) *fleet.Repository { return f.repositories[id] }

// Plan gives a plan, nil when there is none.
func (f *Fleet) Plan(id fleet.PlanID) *fleet.Plan { return f.plans[id] }

// Job gives a job, nil when it is not known: then it may still be one of the past.
func (f *Fleet) Job(id fleet.JobID) *fleet.Job { return f.jobs[id] }

// Hosts gives all hosts by name, revoked ones too.
func (f *Fleet) Hosts() []*fleet.Host {
	return f.sortedHosts.get(func(all []*fleet.Host) []*fleet.Host {
		for _, h := range f.hosts {
			if h.row != nil {
				all = append(all, h.row)
			}
		}
		slices.SortFunc(all, func(a, b *fleet.Host) int { return compareNames(a.Name, b.Name, string(a.ID), string(b.ID)) })
		return all
	})
}

// Repositories gives all repositories by name.
func (f *Fleet) Repositories() []*fleet.Repository {
	return f.sortedRepositories.get(func(all []*fleet.Repository) []*fleet.Repository {
		for _, r := range f.repositories {
			all = append(all, r)
		}
		slices.SortFunc(all, func(a, b *fleet.Repository) int { return compareNames(a.Name, b.Name, string(a.ID), string(b.ID)) })
		return all
	})
}

// Plans gives all plans by name.
func (f *Fleet) Plans() []*fleet.Plan {
	return f.sortedPlans.get(func(all []*fleet.Plan) []*fleet.Plan {
		for _, p := range f.plans {
			all = append(all, p)
		}
		slices.SortFunc(all, comparePlans)
		return all
	})
}

func comparePlans(a, b *fleet.Plan) int {
	return compareNames(a.Name, b.Name, string(a.ID), string(b.ID))
}

// PlansOf gives the plans of a host by name.
func (f *Fleet) PlansOf(id fleet.HostID) []*fleet.Plan {
	if h := f.hosts[id]; h != nil {
		return h.plans
	}
	return nil
}

// PlansInto gives the plans that back up to a repository, by name.
func (f *Fleet) PlansInto(id fleet.RepositoryID) []*fleet.Plan {
	var out []*fleet.Plan
	for _, p := range f.Plans() {
		if p.RepositoryID == id {
			out = append(out, p)
		}
	}
	return out
}

// cache is a list that is made again at the next look after something in it changed.
type cache[T any] struct {
	list []T
	ok   bool
}

func (c *cache[T]) get(make func([]T) []T) []T {
	if !c.ok {
		c.list, c.ok = make(c.list[:0:0]), true
	}
	return c.list
}

func (c *cache[T]) drop() { c.ok = false }
