package agentws

import (
	"context"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
)

// largeHellos is how many agents that need more than one frame to name their jobs are worked on at once; the others wait. Only
// hosts with hundreds of open jobs are so, and, when the daemon's store was put back from a copy, every host.
const largeHellos = 4

// readRest reads the jobs that hello had no room for and puts them behind those of h; h.More then says that some are left unnamed.
// The caller calls done once it is through with h.
func (s *session) readRest(h *agentwire.Hello) (done func(), err error) {
	if !h.More {
		return func() {}, nil
	}
	select {
	case s.h.large <- struct{}{}:
	case <-s.ctx.Done():
		return nil, errLinkEnded
	}
	leave := func() { <-s.h.large }
	if err := s.takeRest(h); err != nil {
		leave()
		return nil, err
	}
	return leave, nil
}

func (s *session) takeRest(h *agentwire.Hello) error {
	late := time.AfterFunc(2*s.h.cfg.HelloTimeout, func() { s.Close(agentwire.CloseSilent, "the agent did not name its jobs in time") })
	defer late.Stop()
	for size, jobs := 0, 0; ; {
		m, n, err := s.readHelloJobs()
		if err != nil {
			return err
		}
		size, jobs = size+n, jobs+len(m.Jobs)
		h.Jobs = append(h.Jobs, m.Jobs...)
		if jobs > agentwire.MaxHeldJobs || size > agentwire.MaxHelloBytes || m.More && len(m.Jobs) == 0 {
			return fault.New(fault.Protocol, "The agent names more than %d jobs, or names them in too many words. Update the agent.", agentwire.MaxHeldJobs)
		}
		if !m.More {
			h.More = m.Partial
			return nil
		}
	}
}

func (s *session) readHelloJobs() (m agentwire.HelloJobs, size int, err error) {
	frame, err := s.conn.Read(context.Background())
	if err != nil {
		return m, 0, linkError(err)
	}
	s.noteHeard()
	e, err := agentwire.Decode(frame)
	if err != nil {
		return m, 0, err
	}
	if e.Type != agentwire.TypeHelloJobs {
		return m, 0, fault.New(fault.Protocol, "The agent said that it holds further jobs and did not name them. Update the agent.")
	}
	m, err = agentwire.Payload[agentwire.HelloJobs](e)
	return m, len(frame), err
}
