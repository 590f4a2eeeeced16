package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/backstay/backstay/daemon/internal/control"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// Control is what the dispatcher needs of the use cases.
type Control interface {
	PendingJobs(ctx context.Context, host fleet.HostID) ([]fleet.Job, error)
	JobDispatched(ctx context.Context, id fleet.JobID) error
	JobRejected(ctx context.Context, host fleet.HostID, id fleet.JobID, r agentwire.CommandReject) error
	HostConfig(ctx context.Context, host fleet.HostID) (agentwire.ConfigUpdate, error)
	AgentCloned(ctx context.Context, host fleet.HostID) error
}

// Link is one connection to an agent (package agentws). Neither Send nor Close waits for the network.
type Link interface {
	// Send queues a message. False means that the connection has ended or has too much to send.
	Send(t agentwire.Type, id string, job fleet.JobID, payload any) bool
	// Close ends the connection; nothing that it received and did not handle yet is handled any more.
	Close(code int, reason string)
	// Heard is when the agent last sent anything.
	Heard() time.Time
}

// Config of New. Control must be set, the rest has defaults.
type Config struct {
	Control Control
	Log     *slog.Logger     // none when nil
	Clock   func() time.Time // time.Now when nil

	Resend      time.Duration // what is not confirmed is sent again after so long; 3 s
	Silence     time.Duration // a session from which nothing was heard for so long is closed; 50 s
	StartWithin time.Duration // how long after its creation a job may begin; control.DefaultJobTTL
	Quarantine  time.Duration // how long a host is refused whose identity two agents use; 1 min
	Workers     int           // 4
}

// Dispatcher is the registry of sessions. It is safe for concurrent use.
type Dispatcher struct {
	cfg  Config
	log  *slog.Logger
	todo *todo

	mu    sync.Mutex
	seats map[fleet.HostID]*Seat
	past  map[fleet.HostID]*lineage // one small entry a host that ever connected
}

var _ control.Dispatcher = (*Dispatcher)(nil)

// New makes a Dispatcher. It sends nothing before Run.
func New(cfg Config) *Dispatcher {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	for _, d := range []struct {
		v   *time.Duration
		def time.Duration
	}{{&cfg.Resend, 3 * time.Second}, {&cfg.Silence, 50 * time.Second}, {&cfg.StartWithin, control.DefaultJobTTL}, {&cfg.Quarantine, time.Minute}} {
		if *d.v <= 0 {
			*d.v = d.def
		}
	}
	if cfg.Workers <= 0 {
		cfg.Workers = 4
	}
	return &Dispatcher{cfg: cfg, log: cfg.Log, todo: newTodo(), seats: map[fleet.HostID]*Seat{}, past: map[fleet.HostID]*lineage{}}
}

// Run looks after the hosts until ctx ends.
func (d *Dispatcher) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range d.cfg.Workers {
		wg.Go(func() { d.work(ctx) })
	}
	t := time.NewTicker(d.cfg.Resend / 3)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-t.C:
			d.tick()
		case <-ctx.Done():
		}
	}
	wg.Wait()
}

// tick has what was not confirmed sent again, and closes sessions that have gone silent.
func (d *Dispatcher) tick() {
	now := d.cfg.Clock()
	d.mu.Lock()
	seats := make([]*Seat, 0, len(d.seats))
	for _, s := range d.seats {
		seats = append(seats, s)
	}
	d.mu.Unlock()
	for _, s := range seats {
		if quiet := now.Sub(s.link.Heard()); quiet > d.cfg.Silence {
			d.log.Info("agent went silent", "host_id", s.host, "quiet", quiet)
			s.link.Close(agentwire.CloseSilent, "nothing was heard from the agent")
			continue
		}
		if n := s.due(now, d.cfg.Resend); n != 0 {
			d.todo.add(s.host, n)
		}
	}
}

// Offer has a queued job sent.
func (d *Dispatcher) Offer(job fleet.Job) { d.need(job.HostID, needJobs) }

// Cancel tells the agent at once, and again until the job is over.
func (d *Dispatcher) Cancel(host fleet.HostID, job fleet.JobID, by string) {
	if s := d.seat(host); s != nil {
		s.cancel(job, by, d.cfg.Clock())
	}
	d.need(host, needJobs)
}

// Configure has the host's configuration sent.
func (d *Dispatcher) Configure(host fleet.HostID) { d.need(host, needConfig) }

// need has a host looked after. One that is not connected is looked after when it comes.
func (d *Dispatcher) need(host fleet.HostID, n need) {
	if s := d.seat(host); s != nil && s.wants(n) {
		d.todo.add(host, n)
	}
}

// Disconnect ends the host's session; its agent is not trusted any more.
func (d *Dispatcher) Disconnect(host fleet.HostID) {
	d.mu.Lock()
	s := d.seats[host]
	delete(d.seats, host)
	delete(d.past, host) // who comes next has another identity, and nothing to do with those before
	d.mu.Unlock()
	if s != nil {
		s.over()
		s.link.Close(agentwire.CloseRevoked, "the daemon does not trust this agent any more")
	}
}

// Online tells whether a session of the host is open.
func (d *Dispatcher) Online(host fleet.HostID) bool { return d.seat(host) != nil }

// Sessions is how many agents are connected.
func (d *Dispatcher) Sessions() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.seats)
}

func (d *Dispatcher) seat(host fleet.HostID) *Seat {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seats[host]
}

// Request sends a query to the host's agent and waits for the answer, as long as ctx and the request's own time allow (30 s when
// it has none).
func (d *Dispatcher) Request(ctx context.Context, host fleet.HostID, r agentwire.Request) (agentwire.Reply, error) {
	s := d.seat(host)
	if s == nil {
		return agentwire.Reply{}, offline()
	}
	return s.request(ctx, r)
}

func offline() error {
	return fault.New(fault.HostOffline, "The host is not connected. Start its agent, or wait until it is back, and try again.")
}
