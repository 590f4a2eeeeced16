package control

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// A store that was put back from a copy tells by itself where the copy is older than the mark beside it. Where the mark was put back
// with it, the agents tell: what they were told under the epoch that the copy still has is not in it.

// errCopy says that an agent knows more of this epoch than the store does.
var errCopy = errors.New("the store was put back from a copy")

// renewal is the one new epoch that agents can bring about in a process's life: a copy is put in place while no daemon runs, so
// what one agent finds is what all of them would, and an agent that lies gains no more.
type renewal struct {
	one  sync.Mutex // serialises renew, which waits for the disk; nothing else takes it
	done atomic.Bool
}

// renew begins a new epoch. Sessions and sockets that know the former one are told by those who serve them.
func (s *Service) renew(ctx context.Context, host fleet.AgentID, now time.Time) error {
	s.renewal.one.Lock()
	defer s.renewal.one.Unlock()
	if s.renewal.done.Load() {
		return nil
	}
	if err := s.store.Renew(ctx, now); err != nil {
		return err
	}
	s.renewal.done.Store(true)
	s.log.Warn("the data folder was put back from a copy, as an agent shows: all agents send again what they still hold", "agent_id", host)
	return nil
}

// trust makes of what an agent says of a job what counts here: acknowledgements of another epoch were those of another store.
func (m *meeting) trust(held agentwire.HeldJob) agentwire.HeldJob {
	if !m.sameEpoch {
		held.Acked, held.AckedSeq = false, 0
	}
	return held
}

// missed tells whether a job that is not in the store would have to be. A job reaches an agent after it is committed; only runs of
// a schedule begin at the agent.
func (m *meeting) missed(held agentwire.HeldJob) bool {
	return m.watchful && adoptable(held) && !held.JobID.Scheduled()
}

// behind tells whether the store is behind what was acknowledged of a job.
func (m *meeting) behind(j JobRecord, held agentwire.HeldJob) bool {
	return m.watchful && (held.Acked && !j.State.Final() || m.durable[j.ID].LastSeq < held.AckedSeq)
}
