package joblog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/backstay/backstay/daemon/internal/sqlite"
	"github.com/backstay/backstay/shared/fleet"
)

// readBytes bounds the text of one answer of Read.
const readBytes = 4 << 20

// Read gives lines of a job after number after, from the store and from memory: at most maxLines, and fewer, but at least one,
// when they are long. No lines mean that there are none behind after yet. Lines of a chunk that is damaged on disk come back as
// one fleet.StreamGap line that names their numbers, continued (Cont) as an empty one for each further number, so that the number
// of every line stays right.
func (s *Store) Read(ctx context.Context, job fleet.JobID, after int64, maxLines int) ([]fleet.LogLine, error) {
	e, err := s.acquire(job)
	if err != nil {
		return nil, err
	}
	defer s.release(e)
	if err := s.ready(ctx, e); err != nil {
		return nil, err
	}
	return s.read(ctx, e, max(after, 0), maxLines, readBytes)
}

// read does Read; budget bounds the text.
func (s *Store) read(ctx context.Context, e *entry, after int64, maxLines int, budget int64) ([]fleet.LogLine, error) {
	var lines []fleet.LogLine
	for len(lines) < maxLines && budget > 0 {
		at := after + int64(len(lines)) + 1
		e.mu.Lock()
		b, next, upTo := e.findLocked(at), e.next, e.durable.LastSeq
		month, key := e.month, e.key
		var part []fleet.LogLine
		if b != nil && b.lines != nil {
			part = b.lines[at-b.first:]
		}
		e.mu.Unlock()
		if at >= next {
			break
		}
		had := len(lines)
		if part != nil {
			lines = append(lines, part[:min(len(part), maxLines-len(lines))]...)
		} else {
			d := diskRead{s: s, e: e, month: month, key: key, next: at, upTo: upTo, maxLines: maxLines - len(lines), budget: budget}
			part, err := d.run(ctx)
			if err != nil {
				return nil, fmt.Errorf("read log of job %s: %w", e.job, sqlite.Fault(err))
			}
			lines = append(lines, part...)
		}
		for _, l := range lines[had:] {
			budget -= int64(len(l.Text)) + lineCost
		}
	}
	return lines, nil
}

// diskRead reads lines next … upTo of a job from its month's file, with gaps in the place of what is damaged or missing.
type diskRead struct {
	s        *Store
	e        *entry
	month    string
	key      int64
	next     int64
	upTo     int64
	maxLines int
	budget   int64 // bytes of text and what goes with it

	lines []fleet.LogLine
}

func (d *diskRead) full() bool { return len(d.lines) >= d.maxLines || d.budget <= 0 || d.next > d.upTo }

func (d *diskRead) run(ctx context.Context) ([]fleet.LogLine, error) {
	f, err := d.s.file(ctx, d.month, false)
	if errors.Is(err, fs.ErrNotExist) {
		d.gap(d.upTo, 0) // its month was dropped while somebody held the job
		return d.lines, nil
	}
	if err != nil {
		return nil, err
	}
	defer d.s.giveBack(f)
	for !d.full() {
		err := f.chunksAfter(ctx, d.key, d.next-1, d.take)
		if sqlite.IsCorrupt(err) {
			d.report(d.next, err)
			// The file itself is damaged there. The index may still tell where the next chunk begins.
			end, e := f.lineAtOrAfter(ctx, d.key, d.next)
			if e != nil {
				return nil, errors.Join(err, e)
			}
			d.gap(min(end, d.upTo), 0)
			continue
		}
		if err != nil {
			return nil, err
		}
		if !d.full() {
			d.gap(d.upTo, 0) // rows are missing
		}
	}
	return d.lines, nil
}

// take adds the lines of a chunk. It tells whether more are wanted.
func (d *diskRead) take(r row) bool {
	if r.first > d.next {
		d.gap(min(r.first-1, d.upTo), 0)
		if d.full() {
			return false
		}
	}
	if r.end.LastSeq < d.next {
		return true
	}
	lines, err := d.s.unpack.unpack(nil, r)
	if err != nil {
		d.report(r.first, err)
		d.gap(min(r.end.LastSeq, d.upTo), r.bytes)
		return !d.full()
	}
	lines = lines[d.next-r.first:]
	lines = lines[:min(len(lines), d.maxLines-len(d.lines))]
	for i := range lines {
		d.budget -= int64(len(lines[i].Text)) + lineCost
	}
	d.add(lines)
	return !d.full()
}

func (d *diskRead) add(lines []fleet.LogLine) {
	if d.lines == nil {
		d.lines = lines
	} else {
		d.lines = append(d.lines, lines...)
	}
	d.next += int64(len(lines))
}

// report logs damage, once for as long as the job stays in memory.
func (d *diskRead) report(seq int64, err error) {
	if !d.e.reported.Swap(true) {
		d.s.cfg.Log.Error("log chunk is damaged", "job_id", d.e.job, "seq", seq, "err", err)
	}
}

// gap stands in for lines next … to.
func (d *diskRead) gap(to, bytes int64) {
	d.s.count.damaged.Add(1)
	text, err := json.Marshal(fleet.LogGap{From: d.next, To: to, Bytes: bytes})
	if err != nil {
		panic(err) // three numbers
	}
	n := min(to-d.next+1, int64(d.maxLines-len(d.lines)))
	lines := make([]fleet.LogLine, n)
	for i := range lines {
		lines[i] = fleet.LogLine{Stream: fleet.StreamGap, Cont: d.next+int64(i) < to}
	}
	lines[0].Text = string(text)
	d.budget -= n
	d.add(lines)
}
