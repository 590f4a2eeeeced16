package joblog

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/backoff"
	"github.com/backstay/backstay/shared/fleet"
)

// How the writer groups what waits.
const (
	liveLevel   = zstd.SpeedFastest
	gatherUntil = 256 << 10 // cost of waiting lines from which a commit begins at once
	entryBytes  = 1 << 20   // text of one job in one commit, so that a flood of one job does not hold up the others
	commitBytes = 4 << 20   // compressed bytes of one commit
)

var writeBackoff = backoff.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}

// ack is a callback that is due.
type ack = waiter

// pause is a month whose file does not take lines at present, with the jobs that wait for it.
type pause struct {
	until   time.Time
	attempt int
	held    []*entry
}

// writer is the state of the goroutine that writes lines. It holds (Store.acquire) every entry it has taken from Store.dirty.
type writer struct {
	s      *Store
	paused map[string]*pause
	begun  time.Time // of the last commit
	lines  []fleet.LogLine
}

// part is the share of one job in a commit.
type part struct {
	e    *entry
	key  int64
	rows []row
}

func (p part) end() fleet.LogPosition { return p.rows[len(p.rows)-1].end }

// markDirty hands an entry to the writer.
func (s *Store) markDirty(e *entry) {
	s.mu.Lock()
	if !e.queued {
		e.queued = true
		s.dirty = append(s.dirty, e)
	}
	s.mu.Unlock()
	knock(s.work)
	if s.pending.Load() >= gatherUntil {
		knock(s.hurry)
	}
}

// write is the writer's goroutine: it commits what waits, over and over, until the store stops; then the rest, with one try.
func (s *Store) write() {
	defer close(s.written)
	w := &writer{s: s, paused: map[string]*pause{}}
	for w.wait() {
		w.gather()
		w.round(false)
	}
	for w.round(true) {
	}
}

// wait returns true when there is something to write, false when the store stops.
func (w *writer) wait() bool {
	var retry <-chan time.Time
	if next := w.nextRetry(); !next.IsZero() {
		t := time.NewTimer(time.Until(next))
		defer t.Stop()
		retry = t.C
	}
	select {
	case <-w.s.stop:
		return false
	case <-w.s.work:
	case <-retry:
	}
	return true
}

func (w *writer) nextRetry() (next time.Time) {
	for _, p := range w.paused {
		if next.IsZero() || p.until.Before(next) {
			next = p.until
		}
	}
	return next
}

// gather lets little gather to much: commits are at least Config.Gather apart unless much waits or somebody is in a hurry. The
// first lines after a silence go to disk at once.
func (w *writer) gather() {
	if rest := w.s.cfg.Gather - time.Since(w.begun); rest > 0 && w.s.pending.Load() < gatherUntil {
		t := time.NewTimer(rest)
		defer t.Stop()
		select {
		case <-t.C:
		case <-w.s.hurry:
		case <-w.s.stop:
		}
	}
	w.begun = time.Now()
}

// round writes what is dirty, one transaction or more for each month. It tells whether anything was written and more may wait.
func (w *writer) round(last bool) bool {
	progress := false
	for month, entries := range w.take(last) {
		if p := w.paused[month]; p != nil && !last && time.Now().Before(p.until) {
			p.held = append(p.held, entries...)
			continue
		}
		err := w.commit(month, entries)
		w.settle(month, entries, err)
		progress = progress || err == nil
	}
	if w.s.ring.Load() > w.s.cfg.RingTotal {
		w.s.shrinkRings()
	}
	return progress
}

// take takes the dirty entries, and those of pauses that are over, by month.
func (w *writer) take(last bool) map[string][]*entry {
	taken := map[string][]*entry{}
	for month, p := range w.paused {
		if last || !time.Now().Before(p.until) {
			taken[month], p.held = p.held, nil
		}
	}
	w.s.mu.Lock()
	var dirty []*entry
	for _, e := range w.s.dirty {
		e.queued = false
		if !e.writing { // else a pause holds it, or has just given it back
			e.writing = true
			e.refs++
			dirty = append(dirty, e)
		}
	}
	w.s.dirty = nil
	w.s.mu.Unlock()
	for _, e := range dirty {
		e.mu.Lock()
		month := e.month
		e.mu.Unlock()
		taken[month] = append(taken[month], e)
	}
	return taken
}

// commit writes the lines of entries to their month's file.
func (w *writer) commit(month string, entries []*entry) error {
	ctx := context.Background()
	if w.paused[month] != nil {
		if err := w.recheck(ctx, month, entries); err != nil {
			return fmt.Errorf("write log: %w", sqlite.Fault(err))
		}
	}
	parts, more := w.pack(entries)
	if len(parts) > 0 {
		if err := w.insert(ctx, month, parts); err != nil {
			return fmt.Errorf("write log: %w", sqlite.Fault(err))
		}
		w.s.count.commits.Add(1)
	}
	w.finish(entries, parts)
	for _, e := range more {
		w.s.markDirty(e)
	}
	return nil
}

func (w *writer) insert(ctx context.Context, month string, parts []part) error {
	f, err := w.s.file(ctx, month, true)
	if err != nil {
		return err
	}
	defer w.s.giveBack(f)
	return f.change(ctx, func(tx *sql.Tx) (err error) {
		for i := range parts {
			p := &parts[i]
			if p.key == 0 {
				if p.key, err = f.jobTx(ctx, tx, p.e.job); err != nil {
					return err
				}
			}
			if err := f.insertTx(ctx, tx, p.key, p.rows); err != nil {
				return err
			}
		}
		return nil
	})
}

// recheck asks the file where the logs end, after a commit that failed: whether an unlucky one reached the disk all the same is
// for the disk to say, and no line may be in it twice.
func (w *writer) recheck(ctx context.Context, month string, entries []*entry) error {
	f, err := w.s.file(ctx, month, true)
	if err != nil {
		return err
	}
	defer w.s.giveBack(f)
	for _, e := range entries {
		st, err := f.state(ctx, e.job)
		if err != nil {
			return err
		}
		e.mu.Lock()
		landed := st.end.LastSeq > e.durable.LastSeq
		e.mu.Unlock()
		if landed {
			w.s.landed(e, st.key, st.end)
		}
	}
	return nil
}

// pack makes the chunks of the next commit. more are the entries that have lines left.
func (w *writer) pack(entries []*entry) (parts []part, more []*entry) {
	size := 0
	for _, e := range entries {
		e.mu.Lock()
		from, key := e.durable, e.key
		w.lines = e.pendingLocked(w.lines[:0], from.LastSeq, entryBytes)
		left := from.LastSeq+int64(len(w.lines)) < e.next-1
		e.mu.Unlock()
		if left || size >= commitBytes {
			more = append(more, e)
		}
		if size >= commitBytes || len(w.lines) == 0 {
			continue
		}
		p := part{e: e, key: key}
		for rest := w.lines; len(rest) > 0; {
			var lines []fleet.LogLine
			lines, rest = split(rest, liveLines, liveBytes)
			r := w.s.live.pack(from, lines)
			p.rows = append(p.rows, r)
			from = r.end
			size += len(r.data)
		}
		parts = append(parts, p)
	}
	clear(w.lines) // do not hold the texts
	return parts, more
}

// finish makes the commit known: positions, waiters, then the callbacks.
func (w *writer) finish(entries []*entry, parts []part) {
	for _, p := range parts {
		w.s.count.chunks.Add(int64(len(p.rows)))
		for _, r := range p.rows {
			w.s.count.storedBytes.Add(int64(len(r.data)))
		}
		w.s.landed(p.e, p.key, p.end())
	}
	var due []ack
	for _, e := range entries {
		e.mu.Lock()
		e.failed = nil
		due = append(due, e.dueLocked()...)
		e.flushedLocked()
		e.mu.Unlock()
	}
	if len(due) > 0 {
		w.s.acks <- due
	}
}

// landed notes that a job's lines up to end are on disk and trims its ring.
func (s *Store) landed(e *entry, key int64, end fleet.LogPosition) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var cost, kept int64
	for i := len(e.ring) - 1; i >= 0 && e.ring[i].last() > e.durable.LastSeq; i-- {
		if b := e.ring[i]; b.last() <= end.LastSeq {
			cost += b.cost()
			kept += b.landedLocked()
		}
	}
	lines := end.LastSeq - e.durable.LastSeq
	e.key, e.durable = key, end
	e.kept += kept
	limit := s.cfg.RingPerJob / 2
	if len(e.tails) == 0 {
		limit /= 8
	}
	s.ring.Add(kept - e.trimLocked(limit))
	s.pending.Add(-cost)
	s.count.pendingLines.Add(-lines)
	s.count.lines.Add(lines)
}

// settle ends or begins the pause of a month and lets go of the entries that need not wait.
func (w *writer) settle(month string, entries []*entry, err error) {
	p := w.paused[month]
	if err == nil {
		if p != nil {
			delete(w.paused, month)
			w.s.cfg.Log.Info("log file takes lines again", "month", month)
		}
		w.s.count.full.Store(len(w.paused) > 0 && w.s.count.full.Load())
		w.s.letGo(entries)
		return
	}
	w.s.count.failures.Add(1)
	w.s.count.full.Store(sqlite.IsFull(err))
	if p == nil {
		p = &pause{}
		w.paused[month] = p
		w.s.cfg.Log.Error("log file takes no lines; they wait in memory", "month", month, "err", err)
	}
	p.until = time.Now().Add(writeBackoff.Next(p.attempt, func() float64 { return 1 }))
	p.attempt++
	p.held = append(p.held, entries...)
	for _, e := range entries {
		e.mu.Lock()
		e.failed = err
		e.flushedLocked()
		e.mu.Unlock()
	}
}

// letGo ends the writer's hold on entries.
func (s *Store) letGo(entries []*entry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range entries {
		e.refs--
		e.writing = false
	}
}

// shrinkRings frees the memory of lines on disk, the jobs without readers and those used longest ago first.
func (s *Store) shrinkRings() {
	s.mu.Lock()
	all := make([]*entry, 0, len(s.entries))
	for _, e := range s.entries {
		all = append(all, e)
	}
	s.mu.Unlock()
	slices.SortFunc(all, func(a, b *entry) int { return cmp.Compare(a.lastUse.Load(), b.lastUse.Load()) })
	for _, watched := range [...]bool{false, true} {
		for _, e := range all {
			if s.ring.Load() <= s.cfg.RingTotal*3/4 {
				return
			}
			e.mu.Lock()
			if (len(e.tails) > 0) == watched {
				s.ring.Add(-e.trimLocked(0) - e.dropBlocksLocked())
			}
			e.mu.Unlock()
		}
	}
}

// callBack is the acker's goroutine: it calls the durable callbacks, in order.
func (s *Store) callBack() {
	for due := range s.acks {
		for _, a := range due {
			a.fn(a.seq)
		}
	}
}
