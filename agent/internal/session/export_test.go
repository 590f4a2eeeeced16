package session

import (
	"context"

	"github.com/backstay/backstay/agent/internal/identity"
	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
	"github.com/backstay/backstay/shared/wsconn"
)

// OneFrame and SnapshotParts are tested by themselves.
var (
	OneFrame      = oneFrame
	SnapshotParts = snapshotParts
)

// NameJobs is tested by itself.
func NameJobs(held []agentwire.HeldJob, room int) (hello []agentwire.HeldJob, rest [][]agentwire.HeldJob, partial bool) {
	n := nameJobs(held, room)
	return n.hello, n.rest, n.partial
}

// Limits of this package that tests check.
const (
	MaxBacklog = maxBacklog
	FrameHead  = frameHead
)

// Wire is a connection after its welcome whose frames a test hands in.
type Wire struct{ c *connection }

// NewWire makes a Wire whose commands are carried out until ctx ends. fail is told when the connection would end.
func NewWire(ctx context.Context, s *Session, conn *wsconn.Conn, fail func(error)) *Wire {
	c := newConnection(s, conn, identity.Identity{})
	c.fail = fail
	c.wg.Go(func() { c.work(ctx, nil) })
	c.wg.Go(func() { c.startPumps(ctx, map[fleet.JobID]told{}) })
	return &Wire{c}
}

// Handle is what the reader does with a frame.
func (w *Wire) Handle(ctx context.Context, frame []byte) error {
	e, err := agentwire.Decode(frame)
	if err != nil {
		return err
	}
	return w.c.handle(ctx, e)
}

// Wait waits for all goroutines.
func (w *Wire) Wait() { w.c.wg.Wait() }

// NewCredit, with its methods, is tested by itself.
func NewCredit() (add func(int64), take func(int64) bool, any func() (bool, <-chan struct{})) {
	c := newCredit()
	return c.add, c.take, c.any
}
