package session

import (
	"context"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
)

// nameScheduled tells the daemon of a job that this host began by itself since hello. Nothing else of it is sent before the answer.
func (c *connection) nameScheduled(ctx context.Context, j agentwire.HeldJob) {
	if err := c.send(ctx, agentwire.TypeJobScheduled, "", j.JobID, agentwire.JobScheduled{Job: j}); err != nil {
		c.fail(err)
	}
}

// jobAdopted takes the answer, for startPumps.
func (c *connection) jobAdopted(id fleet.JobID, a agentwire.JobAdopted) error {
	if a.JobID != id || a.DurableSeq < 0 {
		return fault.New(fault.Protocol, "The daemon's answer about job %s makes no sense. Update the older side.", id)
	}
	c.mu.Lock()
	c.adopted = append(c.adopted, a.WelcomeJob)
	c.mu.Unlock()
	select {
	case c.answered <- struct{}{}:
	default: // rung already
	}
	return nil
}

// takeAdopted adds the answers so far to what the daemon said in welcome, and carries its wishes out.
func (c *connection) takeAdopted(ctx context.Context, welcome map[fleet.JobID]told) {
	c.mu.Lock()
	adopted := c.adopted
	c.adopted = nil
	c.mu.Unlock()
	for _, w := range adopted {
		welcome[w.JobID] = told{WelcomeJob: w, withSpec: true}
		if w.Desired == agentwire.DesireCancel {
			c.cancel(ctx, w.JobID, "")
		}
	}
}
