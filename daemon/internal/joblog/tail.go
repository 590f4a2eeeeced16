package joblog

import (
	"context"
	"slices"
	"sync"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// Batch is a log.stream frame and which lines it holds: Count lines from number First on. Readers share the frame and do not change
// it.
type Batch struct {
	First int64
	Count int64
	Frame []byte
}

// Tail is one reader's view of a job's log: it holds a place in no queue, so a reader that stands still costs nothing. Bell,
// Version, Progress, Known and Close may be used by any goroutine, Next and Err by one at a time.
//
// The order that misses nothing: take Bell, then Next until false (and Progress, Version), then wait for the bell.
type Tail struct {
	e      *entry // nil for an id that no job can have
	silent chan struct{}
	close  sync.Once
	at     int64 // the line that it wanted last; guarded by the entry's mutex

	err error
}

// Tail opens a tail of a job, be it live, ended or not yet begun. The caller closes it.
func (s *Store) Tail(job fleet.JobID) *Tail {
	e, err := s.acquire(job)
	if err != nil {
		return &Tail{silent: make(chan struct{}), err: err}
	}
	t := &Tail{e: e}
	e.mu.Lock()
	e.tails = append(e.tails, t)
	e.mu.Unlock()
	s.count.tails.Add(1)
	return t
}

// Close gives the tail back.
func (t *Tail) Close() {
	t.close.Do(func() {
		if t.e == nil {
			return
		}
		t.e.mu.Lock()
		t.e.tails = slices.DeleteFunc(t.e.tails, func(other *Tail) bool { return other == t })
		if len(t.e.tails) == 0 {
			t.e.store.ring.Add(-t.e.dropBlocksLocked())
		}
		t.e.mu.Unlock()
		t.e.store.count.tails.Add(-1)
		t.e.store.release(t.e)
	})
}

// Bell gives a channel that is closed when there are new lines, a new progress, or a Notify.
func (t *Tail) Bell() <-chan struct{} {
	if t.e == nil {
		return t.silent
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	return t.e.bellLocked()
}

// Version changes with every Notify.
func (t *Tail) Version() int64 {
	if t.e == nil {
		return 0
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	return t.e.version
}

// Progress gives the newest progress, and false when there was none since the job was last forgotten.
func (t *Tail) Progress() (fleet.Progress, bool) {
	if t.e == nil {
		return fleet.Progress{}, false
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	if t.e.progress == nil {
		return fleet.Progress{}, false
	}
	return *t.e.progress, true
}

// Past gives how far the job was in the last five minutes, oldest first, a point every five seconds; what was before the job was last
// forgotten is not among them.
func (t *Tail) Past() []fleet.ProgressPoint {
	if t.e == nil {
		return nil
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	return slices.Clone(t.e.past)
}

// Known gives the number of the last line that the daemon received, on disk or not; 0 when there is none or the store cannot be
// read (Next then says so).
func (t *Tail) Known() int64 {
	if t.e == nil || t.ready() != nil {
		return 0
	}
	t.e.mu.Lock()
	defer t.e.mu.Unlock()
	return t.e.next - 1
}

func (t *Tail) ready() error {
	ctx, cancel := context.WithTimeout(context.Background(), readTimeout)
	defer cancel()
	return t.e.store.ready(ctx, t.e)
}

// Next gives the lines after number after, and false when there are none yet or the store could not be read: see Err. It reads
// the disk only for lines that left memory.
func (t *Tail) Next(after int64) (Batch, bool) {
	if t.e == nil {
		return Batch{}, false
	}
	if t.err = t.ready(); t.err != nil {
		return Batch{}, false
	}
	at := max(after, 0) + 1
	t.e.mu.Lock()
	t.at = at
	b, next := t.e.findLocked(at), t.e.next
	var lines []fleet.LogLine
	if b != nil {
		lines = b.lines
	}
	t.e.mu.Unlock()
	var whole Batch
	switch {
	case b != nil:
		whole = Batch{First: b.first, Count: b.count, Frame: b.frameOf(lines)}
	case at >= next:
		return Batch{}, false
	default:
		if whole, t.err = t.e.fromStore(at); whole.Count == 0 {
			return Batch{}, false
		}
	}
	if whole.First < at {
		whole, t.err = whole.from(t.e.job, at)
	}
	return whole, t.err == nil
}

// from gives the part of a batch that begins with line at: for a reader who comes into the middle of it.
func (b Batch) from(job fleet.JobID, at int64) (Batch, error) {
	lines, err := b.Lines()
	if err != nil {
		return Batch{}, err
	}
	lines = lines[at-b.First:]
	return Batch{First: at, Count: int64(len(lines)), Frame: encodeFrame(job, at, lines)}, nil
}

// Lines reads the frame.
func (b Batch) Lines() ([]fleet.LogLine, error) {
	if _, m, ok := agentwire.DecodeLogStream(b.Frame); ok {
		return m.Lines, nil
	}
	e, err := agentwire.Decode(b.Frame)
	if err != nil {
		return nil, err
	}
	m, err := agentwire.Payload[agentwire.LogStream](e)
	return m.Lines, err
}

// Err tells why the last Next gave nothing: nil when there was nothing to give.
func (t *Tail) Err() error { return t.err }
