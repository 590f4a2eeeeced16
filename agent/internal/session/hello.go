package session

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
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
	frame, named, err := c.helloFrame(facts)
	if err != nil {
		return agentwire.Welcome{}, nil, err
	}
	if err := c.write(ctx, frame); err != nil {
		return agentwire.Welcome{}, nil, err
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
		jobs[j.JobID] = told{WelcomeJob: j, withSpec: named[j.JobID]}
	}
	return w, jobs, nil
}

// helloFrame makes hello so that it passes MaxFrameBeforeHello, and tells which jobs it names and whether with their specifications.
func (c *connection) helloFrame(facts agentwire.Facts) ([]byte, map[fleet.JobID]bool, error) {
	cfg := c.s.cfg
	h := agentwire.Hello{AgentID: cfg.AgentID, Incarnation: c.s.incarnation, Facts: facts, Clock: cfg.Clock().UTC()}
	encode := func() ([]byte, error) { return agentwire.Encode(agentwire.TypeHello, "", "", h) }
	frame, err := encode()
	if err == nil && len(frame) > agentwire.MaxFrameBeforeHello-jobsRoom {
		h.Facts.Secrets = nil // they come in an inventory, which may be larger
		c.s.FactsChanged()
		frame, err = encode()
	}
	if err != nil {
		return nil, nil, err
	}
	h.Jobs = fit(cfg.Jobs.Held(), agentwire.MaxFrameBeforeHello-len(frame)-len(`,"jobs":[]`))
	named := make(map[fleet.JobID]bool, len(h.Jobs))
	for _, j := range h.Jobs {
		named[j.JobID] = j.Spec != nil
	}
	frame, err = encode()
	if err == nil && len(frame) > agentwire.MaxFrameBeforeHello {
		err = fault.New(fault.FrameTooLarge, "What this host is called and where it keeps things does not fit into %d bytes. Shorten its host name or paths.", agentwire.MaxFrameBeforeHello)
	}
	return frame, named, err
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

// fit chooses which jobs hello names within room bytes: those not ended first, then those whose end the daemon may lack, then the
// acknowledged ones, newest first; specifications go with as many as there is room left for. A job that is not named is sent all
// the same, from its first line on.
func fit(held []agentwire.HeldJob, room int) []agentwire.HeldJob {
	var jobs, acked []agentwire.HeldJob
	for _, ended := range []bool{false, true} {
		for _, j := range held {
			switch {
			case j.State.Ended() != ended:
			case j.Acked:
				acked = append(acked, j)
			default:
				jobs = append(jobs, j)
			}
		}
	}
	slices.Reverse(acked)
	jobs = append(jobs, acked...)
	specs := make([]*fleet.JobSpec, len(jobs))
	for i := range jobs {
		specs[i], jobs[i].Spec = jobs[i].Spec, nil
		size := encodedSize(jobs[i])
		if size > room {
			jobs = jobs[:i]
			break
		}
		room -= size
	}
	for i := range jobs {
		if specs[i] == nil {
			continue
		}
		if size := len(`"spec":`) + encodedSize(specs[i]); size <= room {
			jobs[i].Spec = specs[i]
			room -= size
		}
	}
	return jobs
}

// encodedSize is what v takes in JSON, with a comma.
func encodedSize(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return agentwire.MaxFrame // it would not go out anyhow
	}
	return len(b) + 1
}
