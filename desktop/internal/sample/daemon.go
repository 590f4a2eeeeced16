package sample

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/backstay/backstay/desktop/internal/feed"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

var _ feed.Daemon = (*Daemon)(nil)

// Address is where the made-up daemon is.
const Address = "https://backup.example.net:7443"

// Noon is a good time to begin at: the fleet of New(Noon()) is the one on the pictures.
func Noon() time.Time { return time.Date(2026, 11, 23, 14, 35, 18, 0, time.UTC) }

// Scene names the objects of the fleet that pages are shown with.
type Scene struct {
	Host          fleet.HostID // a database server that is being backed up
	Offline       fleet.HostID // a laptop that is away, with a queued job
	NoRestic      fleet.HostID
	NoSecret      fleet.HostID
	NeverBackedUp fleet.HostID
	Revoked       fleet.HostID
	Plan          fleet.PlanID
	Repository    fleet.RepositoryID

	Running     fleet.JobID // a verbose backup at 63 %
	Scanning    fleet.JobID // a backup that still counts
	Retrying    fleet.JobID // a backup whose repository does not answer
	Check       fleet.JobID // a check that runs
	Waiting     fleet.JobID // a backup that waits for the check
	Queued      fleet.JobID // a backup that waits for its host
	Unknown     fleet.JobID // a backup whose contact is lost
	Succeeded   fleet.JobID
	Warned      fleet.JobID // three files could not be read
	Failed      fleet.JobID // the repository refused a write
	Cancelled   fleet.JobID
	Interrupted fleet.JobID
	Lost        fleet.JobID
	Restored    fleet.JobID
}

// Daemon is the made-up daemon.
type Daemon struct {
	mu    sync.Mutex
	now   time.Time
	rnd   *rand.Rand
	bell  chan struct{} // closed at the next change of anything
	scene Scene
	role  fleet.Role

	listed int // ended jobs that the list has

	hosts     map[fleet.HostID]*fleet.Host
	repos     map[fleet.RepositoryID]*fleet.Repository
	plans     map[fleet.PlanID]*fleet.Plan
	jobs      map[fleet.JobID]*job
	order     []*job // oldest first
	snapshots []fleet.Snapshot
	users     []api.User
	tokens    []api.Token
	audit     []api.AuditRow

	enrolments []api.Enrolment // newest first
	rows       []api.Row       // every change, rev i+1 at index i
	made       int             // for ids

	cut       error // the connection is down, and why
	failure   error // every request fails
	signedOut bool
}

// job is a job with its log and, while it runs, how it goes on.
type job struct {
	fleet.Job
	lines    []fleet.LogLine
	made     bool // lines hold; those of the past are made when somebody looks
	figures  []fleet.Progress
	run      *run
	progress *fleet.Progress
}

// New makes the fleet as it is at a time.
func New(now time.Time) *Daemon {
	d := Vacant(now)
	d.settle()
	d.history()
	d.scenes()
	d.people()
	d.tidy()
	return d
}

// Vacant makes a daemon that was just set up: it knows one person and nothing else.
func Vacant(now time.Time) *Daemon {
	d := &Daemon{now: now.UTC(), listed: newestEnded, rnd: rand.New(rand.NewPCG(7, 1842)), bell: make(chan struct{}), role: fleet.RoleAdmin,
		hosts: map[fleet.HostID]*fleet.Host{}, repos: map[fleet.RepositoryID]*fleet.Repository{}, plans: map[fleet.PlanID]*fleet.Plan{}, jobs: map[fleet.JobID]*job{}}
	d.users = []api.User{{ID: fleet.UserID(d.id("U")), Name: "mira", Role: fleet.RoleAdmin, CreatedAt: now.AddDate(0, -3, 0)}}
	return d
}

// id makes an id of a kind. Ids look like those of the daemon, and are the same each time.
func (d *Daemon) id(kind string) string {
	d.made++
	return ulidAt(d.now, kind, d.made)
}

// Scene names what pages are shown with.
func (d *Daemon) Scene() Scene { return d.scene }

// Now is the time of the made-up daemon.
func (d *Daemon) Now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.now
}

// SetRole changes what the person who is signed in may do.
func (d *Daemon) SetRole(r fleet.Role) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.role = r
}

// Cut breaks the connection: streams are lost, requests fail, until Heal.
func (d *Daemon) Cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = fault.New(fault.Unavailable, "The daemon at %s does not answer. Check the address, and that backstayd runs there.", Address)
	d.ringLocked()
}

// Heal mends what Cut broke.
func (d *Daemon) Heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cut = nil
	d.ringLocked()
}

// Fail lets every request fail with err until it is nil again. Streams go on.
func (d *Daemon) Fail(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.failure = err
}

// SignOutAll ends every session: streams end and requests are refused.
func (d *Daemon) SignOutAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.signedOut = true
	d.ringLocked()
}

// askLocked tells why a request cannot be answered.
func (d *Daemon) askLocked() error {
	switch {
	case d.signedOut:
		return signedOut()
	case d.cut != nil:
		return d.cut
	}
	return d.failure
}

func signedOut() error { return fault.New(fault.Unauthenticated, "The session ended. Sign in again.") }

// ringLocked wakes every stream.
func (d *Daemon) ringLocked() {
	close(d.bell)
	d.bell = make(chan struct{})
}

// changedLocked publishes a row.
func (d *Daemon) changedLocked(r api.Row) int64 {
	r.Rev = int64(len(d.rows)) + 1
	d.rows = append(d.rows, r)
	d.ringLocked()
	return r.Rev
}

func (d *Daemon) hostChangedLocked(h *fleet.Host) {
	h.Rev = int64(len(d.rows)) + 1
	row := *h
	d.changedLocked(api.Row{Kind: "host", ID: string(h.ID), Host: &row})
}

func (d *Daemon) planChangedLocked(p *fleet.Plan) {
	p.Rev = int64(len(d.rows)) + 1
	row := *p
	d.changedLocked(api.Row{Kind: "plan", ID: string(p.ID), Plan: &row})
}

func (d *Daemon) repoChangedLocked(r *fleet.Repository) {
	r.Rev = int64(len(d.rows)) + 1
	row := *r
	d.changedLocked(api.Row{Kind: "repository", ID: string(r.ID), Repository: &row})
}

func (d *Daemon) jobChangedLocked(j *job) {
	j.Rev, j.UpdatedAt = int64(len(d.rows))+1, d.now
	row := j.Job
	d.changedLocked(api.Row{Kind: "job", ID: string(j.ID), Job: &row})
}
