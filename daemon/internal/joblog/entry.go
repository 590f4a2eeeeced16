package joblog

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/backstay/backstay/shared/agentwire"
	"github.com/backstay/backstay/shared/fleet"
)

// lineCost is what a line takes in memory beside its text, roughly, its share of the frame included.
const lineCost = 160

// batch is the lines of one Append, or a part of them: never more than agentwire.MaxBatch bytes of text, so that its frame fits.
// Once they are on disk and their frame is made, the lines themselves go: readers want the frame only.
type batch struct {
	job   fleet.JobID
	first int64
	count int64
	text  int64           // bytes of the texts
	lines []fleet.LogLine // guarded by the entry's mutex; nil when they went
	kept  int64           // what the batch takes in memory since it is on disk; guarded likewise
	once  sync.Once       // makes frame
	frame atomic.Pointer[[]byte]
}

func newBatch(job fleet.JobID, first int64, lines []fleet.LogLine) *batch {
	b := &batch{job: job, first: first, count: int64(len(lines)), lines: lines}
	for i := range lines {
		b.text += int64(len(lines[i].Text))
	}
	return b
}

func (b *batch) last() int64 { return b.first + b.count - 1 }

// cost is what the batch takes in memory with its frame made.
func (b *batch) cost() int64 { return 2*b.text + lineCost*b.count }

// frameOf gives the log.stream frame of the whole batch, made once for all readers. lines are the batch's as they were while the
// entry was locked.
func (b *batch) frameOf(lines []fleet.LogLine) []byte {
	b.once.Do(func() {
		f := encodeFrame(b.job, b.first, lines)
		b.frame.Store(&f)
	})
	return *b.frame.Load()
}

// landedLocked notes that the batch is on disk and gives what it takes in memory from now on.
func (b *batch) landedLocked() int64 {
	b.kept = b.cost()
	if f := b.frame.Load(); f != nil {
		b.lines, b.kept = nil, int64(cap(*f))
	}
	return b.kept
}

// encodeFrame makes a log.stream frame.
func encodeFrame(job fleet.JobID, first int64, lines []fleet.LogLine) []byte {
	size := 128 + len(job)
	for i := range lines {
		size += len(lines[i].Text) + len(lines[i].Text)/8 + 64
	}
	return agentwire.AppendLogStream(make([]byte, 0, size), job, first, lines)
}

// waiter is a durable callback of Append.
type waiter struct {
	seq int64
	fn  func(seq int64)
}

// maxWaiters bounds the callbacks that wait for one job. When there are more, the oldest is forgotten: acks are cumulative, so
// that a newer one says the same.
const maxWaiters = 4096

// entry is a job in memory: its ring of recent batches, its readers' doorbell, its progress. It is made when somebody needs it
// and forgotten when nobody holds it, all of it is on disk and it was idle for a while.
type entry struct {
	job   fleet.JobID
	store *Store

	// Guarded by Store.mu.
	refs    int  // callers inside a method, open tails, the writer
	queued  bool // in Store.dirty
	writing bool // held by the writer

	lastUse  atomic.Int64 // Unix seconds
	reported atomic.Bool  // that a chunk is damaged

	mu     sync.Mutex
	load   *loading // nil until the first use that needs the disk
	loaded bool
	month  string // file of the job; "" while it is in none
	key    int64  // of the job in that file; 0 while it is in none

	sealed       bool // takes no more lines
	sealedOnDisk bool

	next    int64             // the line that Append takes next
	durable fleet.LogPosition // what is on disk
	ring    []*batch          // consecutive, up to next-1; never begins behind durable.LastSeq+1
	kept    int64             // what the batches in ring that are on disk whole take in memory
	waiters []waiter
	flushed chan struct{} // closed and renewed when durable grows or a write fails; nil when nobody waits
	failed  error         // why the last write failed; nil after one that went well

	blocks   []*block // lines of the store for readers behind the ring; none without tails
	cold     int64    // what blocks take in memory
	tails    []*Tail
	bell     chan struct{} // closed and renewed at every ring; nil when nobody listens
	progress *fleet.Progress
	past     past
	version  int64
}

// loading is one reading of a job's state; done is closed when err is set.
type loading struct {
	done chan struct{}
	err  error
}

// ringLocked wakes everyone who took the doorbell.
func (e *entry) ringLocked() {
	if e.bell != nil {
		close(e.bell)
		e.bell = nil
	}
}

func (e *entry) bellLocked() chan struct{} {
	if e.bell == nil {
		e.bell = make(chan struct{})
	}
	return e.bell
}

func (e *entry) flushedLocked() {
	if e.flushed != nil {
		close(e.flushed)
		e.flushed = nil
	}
}

func (e *entry) flushLocked() chan struct{} {
	if e.flushed == nil {
		e.flushed = make(chan struct{})
	}
	return e.flushed
}

// waitLocked notes that fn wants to know when seq is on disk.
func (e *entry) waitLocked(seq int64, fn func(int64)) {
	if fn == nil {
		return
	}
	if len(e.waiters) >= maxWaiters {
		e.waiters = append(e.waiters[:0], e.waiters[1:]...)
	}
	e.waiters = append(e.waiters, waiter{seq: seq, fn: fn})
}

// dueLocked takes the callbacks whose lines are on disk.
func (e *entry) dueLocked() []waiter {
	var due []waiter
	rest := e.waiters[:0]
	for _, w := range e.waiters {
		if w.seq <= e.durable.LastSeq {
			due = append(due, w)
		} else {
			rest = append(rest, w)
		}
	}
	clear(e.waiters[len(rest):])
	e.waiters = rest
	return due
}

// findLocked gives the batch that holds line seq, or nil when it is not in the ring.
func (e *entry) findLocked(seq int64) *batch {
	if len(e.ring) == 0 || seq < e.ring[0].first || seq >= e.next {
		return nil
	}
	lo, hi := 0, len(e.ring)-1
	for lo < hi {
		mid := (lo + hi + 1) / 2
		if e.ring[mid].first <= seq {
			lo = mid
		} else {
			hi = mid - 1
		}
	}
	return e.ring[lo]
}

// pendingLocked appends to dst the lines after seq that are in the ring, whole batches up to about limit bytes of text.
func (e *entry) pendingLocked(dst []fleet.LogLine, seq, limit int64) []fleet.LogLine {
	i := len(e.ring)
	for i > 0 && e.ring[i-1].last() > seq {
		i--
	}
	for ; i < len(e.ring) && limit > 0; i++ {
		dst = append(dst, e.ring[i].lines...) // there, because they are not on disk
		limit -= e.ring[i].text + lineCost*int64(len(e.ring[i].lines))
	}
	return dst
}

// trimLocked drops the oldest batches that are on disk until they cost no more than limit. It tells how much it freed.
func (e *entry) trimLocked(limit int64) int64 {
	var freed int64
	n := 0
	for n < len(e.ring) && e.kept > limit && e.ring[n].last() <= e.durable.LastSeq {
		c := e.ring[n].kept
		e.kept -= c
		freed += c
		n++
	}
	if n > 0 {
		rest := copy(e.ring, e.ring[n:])
		clear(e.ring[rest:])
		e.ring = e.ring[:rest]
	}
	return freed
}

func (e *entry) touch(now time.Time) { e.lastUse.Store(now.Unix()) }
