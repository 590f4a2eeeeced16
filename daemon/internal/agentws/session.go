package agentws

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/backstay/backstay/daemon/internal/dispatch"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fault"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

const storeTimeout = 30 * time.Second // of one call to the store

// session is one connection of an agent.
type session struct {
	h    *Handler
	conn *wsconn.Conn
	id   fleet.AgentID
	host fleet.HostID
	log  *slog.Logger
	seat *dispatch.Seat // set by hello, before the read loop

	epoch string // that the agent was told; the reader's

	ctx    context.Context // of calls to the store; ends with the session
	cancel context.CancelFunc
	out    outbox
	lane   lane
	wg     sync.WaitGroup // writer, lane and closer
	heard  atomic.Int64   // Unix nanoseconds by the handler's clock

	mu    sync.Mutex
	over  bool
	jobs  map[fleet.JobID]*jobLog
	under int64 // bytes of log text that are not on disk yet
}

var _ dispatch.Link = (*session)(nil)

func newSession(h *Handler, conn *wsconn.Conn, id fleet.AgentID, host fleet.HostID) *session {
	s := &session{h: h, conn: conn, id: id, host: host, log: h.log, jobs: map[fleet.JobID]*jobLog{}}
	s.ctx, s.cancel = context.WithCancel(h.ctx)
	s.out = outbox{wg: &s.wg, enough: h.cfg.Window / 4, fail: s.writeFailed, write: func(f []byte) error { return conn.Write(context.Background(), f) }}
	s.lane = lane{ctx: s.ctx, wg: &s.wg}
	s.noteHeard()
	return s
}

func (s *session) noteHeard() { s.heard.Store(s.h.cfg.Clock().UnixNano()) }

// Heard is when the agent last sent anything.
func (s *session) Heard() time.Time { return time.Unix(0, s.heard.Load()) }

// Send queues a message to the agent.
func (s *session) Send(t agentwire.Type, id string, job fleet.JobID, payload any) bool {
	frame, err := agentwire.Encode(t, id, job, payload)
	if err == nil && len(frame) > agentwire.MaxFrame {
		err = fault.New(fault.FrameTooLarge, "A %s message of %d bytes is larger than an agent takes.", t, len(frame))
	}
	if err != nil {
		s.log.Error("message not sent", "host_id", s.host, "type", t, "job_id", job, "err", err)
		return false
	}
	return s.out.push(frame)
}

// Close ends the session. It does not wait; what was received and not handled yet is dropped.
func (s *session) Close(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	s.cancel()
	s.wg.Go(func() {
		if err := s.conn.Close(code, short(reason)); err != nil {
			s.log.Debug("connection not closed cleanly", "host_id", s.host, "err", err)
		}
	})
}

func (s *session) isOver() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.over
}

func (s *session) writeFailed(err error) {
	s.log.Debug("agent does not read", "host_id", s.host, "err", err)
	s.conn.CloseNow()
}

// run is the reader's goroutine, from hello to the end.
func (s *session) run() {
	err := s.hello()
	if err == nil {
		s.log.Info("agent connected", "host_id", s.host)
		err = s.read()
	}
	if code := closeCode(err); code != 0 {
		text, _ := fault.Message(err)
		s.log.Warn("agent's session ended by the daemon", "host_id", s.host, "code", fault.CodeOf(err), "err", err)
		s.Close(code, text)
	}
	s.end(err)
}

// end waits for everything of the session and gives its place up.
func (s *session) end(err error) {
	s.mu.Lock()
	s.over = true
	s.mu.Unlock()
	s.cancel()
	s.out.close()
	s.lane.close()
	s.wg.Wait() // the closer says goodbye before the connection is cut
	s.dropJobs()
	s.conn.CloseNow()
	if s.seat != nil {
		s.seat.Leave()
		s.gone()
		s.log.Info("agent disconnected", "host_id", s.host, "err", err)
	}
	s.h.left(s)
}

// gone tells that the host is away, except when the daemon stops: at its next start it finds out who comes back.
func (s *session) gone() {
	if s.h.stopping() {
		return
	}
	ctx, cancel := context.WithTimeout(s.h.ctx, storeTimeout)
	defer cancel()
	if err := s.h.cfg.Control.AgentGone(ctx, s.host); err != nil && !s.h.stopping() {
		s.log.Error("host not noted as away", "host_id", s.host, "err", err)
	}
}

// hello opens the session: what the agent holds and what the daemon knows are brought together.
func (s *session) hello() error {
	m, err := s.readHello()
	if err != nil {
		return err
	}
	done, err := s.readRest(&m)
	if err != nil {
		return err
	}
	defer done()
	seat, err := s.h.cfg.Dispatch.Join(s.host, m.Incarnation, s)
	if err != nil {
		return err
	}
	s.seat = seat
	ctx, cancel := context.WithTimeout(s.ctx, storeTimeout)
	defer cancel()
	_, jobs, offer, err := s.h.cfg.Control.AgentHello(ctx, s.id, m, s.h.cfg.Clock())
	if err != nil {
		return err
	}
	config, err := s.h.cfg.Control.HostConfig(ctx, s.host)
	if err != nil {
		return err
	}
	pending := len(offer) > 0
	for _, j := range jobs {
		pending = pending || j.Desired == agentwire.DesireCancel
		if j.Desired != agentwire.DesireForget {
			s.knows(j.JobID)
		}
	}
	s.conn.SetReadLimit(agentwire.MaxFrame)
	s.epoch = s.h.cfg.Control.Epoch()
	if !s.Send(agentwire.TypeWelcome, "", "", s.welcome(jobs, config.Version)) {
		return fault.New(fault.Unavailable, "The session ended before it began. Connect again.")
	}
	s.seat.Ready(config, m.Jobs, pending)
	return nil
}

func (s *session) readHello() (agentwire.Hello, error) {
	late := time.AfterFunc(s.h.cfg.HelloTimeout, func() { s.Close(agentwire.CloseSilent, "the agent did not say hello in time") })
	defer late.Stop()
	frame, err := s.conn.Read(context.Background())
	if err != nil {
		return agentwire.Hello{}, linkError(err)
	}
	e, err := agentwire.Decode(frame)
	if err != nil {
		return agentwire.Hello{}, err
	}
	if e.Type != agentwire.TypeHello {
		return agentwire.Hello{}, fault.New(fault.Protocol, "A session begins with hello. Update the agent.")
	}
	m, err := agentwire.Payload[agentwire.Hello](e)
	if err != nil {
		return agentwire.Hello{}, err
	}
	if !fleet.ValidID(m.Incarnation) || len(m.Jobs) > agentwire.MaxHeldJobs {
		return agentwire.Hello{}, fault.New(fault.Protocol, "The agent's hello has no valid incarnation, or names too many jobs. Update the agent.")
	}
	s.noteHeard()
	return m, nil
}

func (s *session) welcome(jobs []agentwire.WelcomeJob, version int64) agentwire.Welcome {
	return agentwire.Welcome{
		Session: strconv.FormatInt(s.h.sessionsSoFar.Add(1), 10), Epoch: s.epoch, Jobs: jobs, ConfigVersion: version,
		HeartbeatMS: s.h.cfg.Heartbeat.Milliseconds(), CreditBytes: s.h.cfg.Window,
		Capabilities: []string{agentwire.CapabilitySchedules},
	}
}

// read handles frames until the connection ends.
func (s *session) read() error {
	for {
		frame, err := s.conn.Read(context.Background()) // Close ends it; a context of its own would cost memory while idle
		if err != nil {
			return linkError(err)
		}
		s.noteHeard()
		if s.isOver() {
			return nil
		}
		if err := s.take(frame); err != nil {
			return err
		}
	}
}

// take handles one frame, the most frequent kind without the detour over an envelope.
func (s *session) take(frame []byte) error {
	if job, m, ok := agentwire.DecodeLogStream(frame); ok {
		return s.lines(job, m)
	}
	e, err := agentwire.Decode(frame)
	if err != nil {
		return err
	}
	return s.handle(e)
}

// errLinkEnded marks errors after which there is nobody to say goodbye to.
var errLinkEnded = errors.New("connection ended")

// linkError tells what an agent did wrong from a connection that ended.
func linkError(err error) error {
	switch fault.CodeOf(err) {
	case fault.FrameTooLarge, fault.Protocol:
		return err
	}
	return errors.Join(errLinkEnded, err)
}

// closeCode says how to end a session after err: 0 when the connection is gone already.
func closeCode(err error) int {
	if err == nil || errors.Is(err, errLinkEnded) {
		return 0
	}
	switch fault.CodeOf(err) {
	case fault.Protocol, fault.VersionMismatch, fault.InvalidInput:
		return agentwire.CloseProtocol
	case fault.FrameTooLarge:
		return wsconn.CloseFrameTooLarge
	case fault.HostRevoked:
		return agentwire.CloseRevoked
	case fault.Conflict:
		return agentwire.CloseCloned
	}
	return agentwire.CloseBusy
}

// short cuts a reason to what a close frame holds.
func short(reason string) string {
	const most = 123
	if len(reason) <= most {
		return reason
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(reason[cut]) {
		cut--
	}
	return reason[:cut]
}
