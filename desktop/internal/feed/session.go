package feed

import (
	"context"
	"sync"
	"time"

	"github.com/backstay/backstay/desktop/internal/model"
	"github.com/backstay/backstay/shared/api"
	"github.com/backstay/backstay/shared/apiclient"
	"github.com/backstay/backstay/shared/fault"
)

// retryAfter is the pause after an error that apiclient does not try again by itself, though it may pass.
const retryAfter = 30 * time.Second

// Config is what Start needs.
type Config struct {
	Daemon   Daemon
	Post     Post
	Apply    func(model.Batch) // on the UI goroutine
	Interval time.Duration     // DefaultInterval when 0
	Now      func() time.Time  // the clock that links are told by; nil is time.Now
}

// Session is one signed-in connection to one daemon. It feeds a model until Close.
type Session struct {
	Calls *Runner // for requests; it ends with the session

	cfg   Config
	pump  *pump
	stop  context.CancelFunc
	wg    sync.WaitGroup
	again chan struct{} // Reconnect was asked for

	mu      sync.Mutex
	pending pending
	link    model.Connection
	room    chan struct{} // closed when the UI took what waited
}

// Start opens a session. The first batch says Connecting; the identity and the whole state follow. Close ends it.
func Start(cfg Config) *Session {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	ctx, stop := context.WithCancel(context.Background())
	s := &Session{Calls: NewRunner(cfg.Post), cfg: cfg, pump: newPump(cfg.Post, cfg.Interval), stop: stop, again: make(chan struct{}, 1),
		room: make(chan struct{})}
	s.setLink(model.Connection{Link: model.Connecting, Since: s.cfg.Now()})
	s.wg.Go(func() { s.pump.run(ctx, s.take) })
	s.wg.Go(func() { s.watch(ctx) })
	s.wg.Go(func() { s.identify(ctx) })
	return s
}

// Daemon is the daemon of the session.
func (s *Session) Daemon() Daemon { return s.cfg.Daemon }

// Close ends the session and everything that was begun with it, and waits until it is gone. Nothing of it is handed over after the
// call began. The Daemon is the caller's to close.
func (s *Session) Close() {
	s.stop()
	s.Calls.Close()
	s.wg.Wait()
}

// Reconnect tries again at once, for a person who does not want to wait.
func (s *Session) Reconnect() {
	select {
	case s.again <- struct{}{}:
	default: // it is asked for already
	}
}

// watch keeps the watch going until ctx ends.
func (s *Session) watch(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.watchOnce(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil && !s.rest(ctx, err) {
			return
		}
		s.tryingNow()
	}
}

// rest tells the person about an error that apiclient does not get over, and waits for a reason to try again: false means ctx.
func (s *Session) rest(ctx context.Context, err error) bool {
	link, pause := linkOf(err, s.cfg.Now())
	s.setLink(link)
	var passed <-chan time.Time
	if pause > 0 {
		passed = time.After(pause)
	}
	select {
	case <-passed:
	case <-s.again:
	case <-ctx.Done():
		return false
	}
	return true
}

// linkOf is how a stream stands that ended now with err, and after which pause it is worth another try; 0: when a person asks.
func linkOf(err error, now time.Time) (model.Connection, time.Duration) {
	link := model.Connection{Link: model.Lost, Since: now, Err: err}
	switch fault.CodeOf(err) {
	case fault.Unauthenticated:
		link.Link = model.SignedOut
		return link, 0
	case fault.Forbidden, fault.PinMismatch, fault.VersionMismatch, fault.NotFound, fault.UnknownJob:
		return link, 0
	}
	link.RetryAt = now.Add(retryAfter)
	return link, retryAfter
}

// tryingNow says of a lost link that the next try is now.
func (s *Session) tryingNow() {
	s.mu.Lock()
	link := s.link
	s.mu.Unlock()
	if link.Link == model.Lost {
		link.RetryAt = s.cfg.Now()
		s.setLink(link)
	}
}

// watchOnce watches until an error that apiclient does not get over, or until Reconnect: then the error is nil.
func (s *Session) watchOnce(ctx context.Context) error {
	wctx, cancel := context.WithCancel(ctx)
	defer cancel()
	over := make(chan struct{})
	asked := make(chan bool, 1)
	go func() {
		select {
		case <-s.again:
			asked <- true
			cancel()
		case <-over:
			asked <- false
		}
	}()
	err := s.cfg.Daemon.Watch(wctx, apiclient.WatchOptions{}, s.handler(wctx))
	close(over)
	if <-asked {
		return nil
	}
	return err
}

func (s *Session) handler(ctx context.Context) apiclient.WatchHandler {
	return apiclient.WatchHandler{
		List: func(rows []api.Row, asOf int64) {
			s.came(func(p *pending) { p.list(rows, asOf) })
		},
		Changes: func(rows []api.Row) {
			s.waitForRoom(ctx)
			s.came(func(p *pending) { p.change(rows) })
		},
		Tick: func(t api.WatchTick) {
			s.came(func(p *pending) { p.tick(t.Progress) })
		},
		Lost: func(err error, retryIn time.Duration) {
			now := s.cfg.Now()
			s.setLink(model.Connection{Link: model.Lost, Since: now, Err: err, RetryAt: now.Add(retryIn)})
		},
	}
}

// identify asks who is signed in, until the daemon says.
func (s *Session) identify(ctx context.Context) {
	for {
		id, err := s.cfg.Daemon.Identity(ctx)
		if err == nil {
			s.put(func(p *pending) { p.identity = &id })
			return
		}
		if fault.CodeOf(err) == fault.Unauthenticated {
			return // the watch says so too
		}
		select {
		case <-time.After(retryAfter / 10):
		case <-ctx.Done():
			return
		}
	}
}

// came takes what the daemon sent, which is a sign of life: with it the link is live.
func (s *Session) came(fn func(*pending)) {
	now := s.cfg.Now()
	s.mu.Lock()
	if s.link.Link == model.Live {
		s.link.AsOf = now
	} else {
		s.link = model.Connection{Link: model.Live, Since: now, AsOf: now}
		link := s.link
		s.pending.link = &link
	}
	fn(&s.pending)
	s.mu.Unlock()
	s.pump.ring()
}

// following is how a link stands after it stood otherwise: while it stays lost, it is lost since it was first.
func following(was, c model.Connection) model.Connection {
	if c.Link == was.Link && !was.Since.IsZero() {
		c.Since = was.Since
	}
	if c.AsOf.IsZero() {
		c.AsOf = was.AsOf
	}
	return c
}

// setLink makes the link known.
func (s *Session) setLink(c model.Connection) {
	s.mu.Lock()
	c = following(s.link, c)
	s.link = c
	s.mu.Unlock()
	s.put(func(p *pending) { p.link = &c })
}

func (s *Session) put(fn func(*pending)) {
	s.mu.Lock()
	fn(&s.pending)
	s.mu.Unlock()
	s.pump.ring()
}

// waitForRoom holds the watch up while more waits than is kept.
func (s *Session) waitForRoom(ctx context.Context) {
	for {
		s.mu.Lock()
		full, room := s.pending.full(), s.room
		s.mu.Unlock()
		if !full {
			return
		}
		select {
		case <-room:
		case <-ctx.Done():
			return
		}
	}
}

// take gives what waits to the pump.
func (s *Session) take() func() {
	s.mu.Lock()
	b, any := s.pending.batch()
	s.pending = pending{}
	close(s.room)
	s.room = make(chan struct{})
	s.mu.Unlock()
	if !any {
		return nil
	}
	return func() { s.cfg.Apply(b) }
}
