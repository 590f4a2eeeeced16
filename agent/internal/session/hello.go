package session

import (
	"context"
	"errors"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// welcomeTimeout is how long the daemon may take to answer hello: it may have to look up every job that the host holds.
const welcomeTimeout = 60 * time.Second

// jobsRoom is the least that facts must leave in hello for jobs.
const jobsRoom = 24 << 10

// told is what the daemon said of one job in welcome.
type told struct {
	agentwire.WelcomeJob
	withSpec bool // it had the job's specification when it said so
}

// hello opens the session: what the agent holds goes, where the daemon stands comes.
func (c *connection) hello(ctx context.Context, facts agentwire.Facts) (agentwire.Welcome, map[fleet.JobID]told, error) {
	frames, err := c.helloFrames(facts)
	if err != nil {
		return agentwire.Welcome{}, nil, err
	}
	for _, frame := range frames {
		if err := c.write(ctx, frame); err != nil {
			return agentwire.Welcome{}, nil, err
		}
	}
	w, err := c.welcome()
	if err != nil {
		return agentwire.Welcome{}, nil, err
	}
	jobs := make(map[fleet.JobID]told, len(w.Jobs))
	for _, j := range w.Jobs {
		if j.DurableSeq < 0 {
			return agentwire.Welcome{}, nil, fault.New(fault.Protocol, "The daemon stands before the beginning of job %s. Update the older side.", j.JobID)
		}
		jobs[j.JobID] = told{WelcomeJob: j, withSpec: c.named[j.JobID]}
	}
	return w, jobs, nil
}

// helloFrames makes hello, and the hello.jobs that go with it, so that each passes MaxFrameBeforeHello. It notes which jobs they name.
func (c *connection) helloFrames(facts agentwire.Facts) ([][]byte, error) {
	cfg := c.s.cfg
	h := agentwire.Hello{AgentID: cfg.AgentID, Incarnation: c.s.incarnation, Epoch: cfg.Epochs.Epoch(), Facts: facts, Clock: cfg.Clock().UTC(),
		Capabilities: []string{agentwire.CapabilitySchedules}}
	encode := func() ([]byte, error) { return agentwire.Encode(agentwire.TypeHello, "", "", h) }
	frame, err := encode()
	if err == nil && len(frame) > agentwire.MaxFrameBeforeHello-jobsRoom {
		h.Facts.Secrets = nil // they come in an inventory, which may be larger
		c.s.FactsChanged()
		frame, err = encode()
	}
	if err != nil {
		return nil, err
	}
	n := nameJobs(cfg.Jobs.Held(), agentwire.MaxFrameBeforeHello-len(frame)-len(`,"jobs":[],"more":true`))
	h.Jobs, h.More, c.toldAll = n.hello, len(n.rest) > 0, n.whole
	frame, err = encode()
	if err == nil && len(frame) > agentwire.MaxFrameBeforeHello {
		err = fault.New(fault.FrameTooLarge, "What this host is called and where it keeps things does not fit into %d bytes. Shorten its host name or paths.", agentwire.MaxFrameBeforeHello)
	}
	frames := [][]byte{frame}
	for i, jobs := range n.rest {
		last := i == len(n.rest)-1
		frame, jerr := agentwire.Encode(agentwire.TypeHelloJobs, "", "", agentwire.HelloJobs{Jobs: jobs, More: !last, Partial: last && n.partial})
		err = errors.Join(err, jerr)
		frames = append(frames, frame)
	}
	c.named = n.named()
	return frames, err
}

// errNewEpoch ends a session whose daemon has another store than the one before.
var errNewEpoch = fault.New(fault.Unavailable, "The daemon's store is another one than before: it was put back from a copy, or the host was enrolled anew. The agent names to it all that it holds.")

// epoch takes note of the store that the daemon has now. With another one, what the former acknowledged is void, and a new session
// names every job to it; only when that was done is its epoch kept.
func (c *connection) epoch(ctx context.Context, epoch string) error {
	s := c.s
	switch {
	case epoch == "" || epoch == s.cfg.Epochs.Epoch():
	case c.toldAll:
		if err := s.cfg.Epochs.Keep(epoch); err != nil {
			s.cfg.Log.ErrorContext(ctx, "the epoch of the daemon's store could not be kept", "err", err)
		}
	case s.voided != epoch: // otherwise there is more than one session can tell, and the next one goes on
		if err := s.cfg.Jobs.Void(ctx); err != nil {
			s.cfg.Log.ErrorContext(ctx, "acknowledgements of a former store stay for now", "err", err)
			return nil
		}
		s.voided = epoch
		return errNewEpoch
	}
	return nil
}

func (c *connection) welcome() (agentwire.Welcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), welcomeTimeout) // the end of the connection ends it sooner
	defer cancel()
	frame, err := c.conn.Read(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fault.Wrap(fault.Timeout, err, "The daemon did not answer hello within %v. The agent tries again.", welcomeTimeout)
	}
	if err != nil {
		return agentwire.Welcome{}, err
	}
	e, err := agentwire.Decode(frame)
	if err != nil {
		return agentwire.Welcome{}, err
	}
	if e.Type != agentwire.TypeWelcome {
		return agentwire.Welcome{}, fault.New(fault.Protocol, "The daemon answered hello with %.40q. Update the older side.", e.Type)
	}
	return agentwire.Payload[agentwire.Welcome](e)
}
